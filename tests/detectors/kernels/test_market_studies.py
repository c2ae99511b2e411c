import numpy as np
import pandas as pd
import pytest
from places import REAL_DATA

from detectors.kernels.market_studies import cost_bounds, marginal_losers, margins, missing_bids

TSUCHIURA = REAL_DATA / "japan_tsuchiura" / "bids.parquet"
real = pytest.mark.skipif(
    not TSUCHIURA.is_file(),
    reason=f"the real data sets are not here ({REAL_DATA}); set BIDWATCH_REAL_DATA to their folder",
)
GRID = np.array([-0.02, -0.005, -0.001, 0.001, 0.005, 0.02])


def smooth(lots=600, bids=5, seed=1):
    """Return prices and lot numbers of independent log-normal bids."""
    rng = np.random.default_rng(seed)
    prices = 0.9 * np.exp(rng.normal(0, 0.02, (lots, bids)))
    return prices.ravel(), np.repeat(np.arange(lots), bids)


def designated(lots=600, bids=5, seed=1, lead=0.002):
    """Return prices of lots in which all others keep a lead away from the lowest bid."""
    prices = np.sort(smooth(lots, bids, seed)[0].reshape(lots, bids), axis=1)
    prices[:, 1:] += lead
    return prices.ravel(), np.repeat(np.arange(lots), bids)


def test_margins_are_taken_to_the_lowest_rival():
    prices = np.array([0.95, 0.9, 0.97, 0.8, 0.8, 0.7])
    assert margins(prices, np.array([0, 0, 0, 1, 1, 2])) == pytest.approx(
        [0.05, -0.05, 0.07, 0, 0, np.nan], nan_ok=True
    )


def test_margins_do_not_depend_on_the_order_of_the_bids():
    prices, lots = smooth()
    shuffled = np.random.default_rng(2).permutation(len(prices))
    assert margins(prices[shuffled], lots[shuffled]) == pytest.approx(margins(prices, lots)[shuffled])


def test_no_bids_give_no_finding():
    found = missing_bids(margins(np.empty(0), np.empty(0, dtype=np.int64)))
    assert (found.bids, found.inside, found.p_value) == (0, 0, 1.0)


def test_smooth_margins_show_no_gap():
    p_values = [missing_bids(margins(*smooth(seed=seed))).p_value for seed in range(200)]
    assert (np.array(p_values) <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_bids_that_keep_away_from_the_lowest_show_a_gap():
    found = missing_bids(margins(*designated()))
    assert found.inside == 0
    assert found.p_value < 1e-6


@real
@pytest.mark.parametrize(
    ("has_minimum_price", "bids", "at_zero", "peak"),
    [(0, 1824, [7, 9, 7], 64), (1, 4052, [21, 27, 23], 150)],
)
def test_the_gap_of_the_tsuchiura_auctions_is_reproduced(has_minimum_price, bids, at_zero, peak):
    file = pd.read_parquet(TSUCHIURA, columns=["pid", "norm_bid", "minpriceauction"])
    file = file[file["minpriceauction"] == has_minimum_price]
    found = missing_bids(margins(file["norm_bid"].to_numpy(), pd.factorize(file["pid"])[0]))
    assert (found.bids, found.at_zero.tolist(), found.peak) == (bids, at_zero, peak)
    assert found.p_value < 1e-5


@real
def test_no_cost_explains_the_tsuchiura_bids():
    file = pd.read_parquet(TSUCHIURA, columns=["pid", "norm_bid", "minpriceauction"])
    file = file[file["minpriceauction"] == 0]
    prices = file["norm_bid"].to_numpy()
    found = cost_bounds(prices, margins(prices, pd.factorize(file["pid"])[0]), GRID)
    assert not found.is_competitive


def test_smooth_bids_can_be_explained_by_a_cost():
    prices, lots = smooth(lots=5000)
    found = cost_bounds(prices, margins(prices, lots), GRID)
    assert found.is_competitive
    assert 1 / 1.5 <= found.lower <= found.upper <= 1


def test_no_cost_explains_bids_that_could_be_raised_without_losing():
    prices, lots = designated()
    found = cost_bounds(prices, margins(prices, lots), GRID)
    assert not found.is_competitive


def test_the_bounds_follow_the_formula():
    # Two lots of two bids; raising by 10 % loses one win of two, D(0) = 1/2, D(0.1) = 1/4.
    prices, lots = np.array([0.5, 0.52, 0.5, 0.9]), np.array([0, 0, 1, 1])
    found = cost_bounds(prices, margins(prices, lots), np.array([0.1]), highest_markup=9.0)
    assert found.upper == pytest.approx((0.5 - 1.1 * 0.25) / (0.5 - 0.25))
    assert found.lower == pytest.approx(0.1)


@pytest.mark.parametrize("deviation", [0.0, -1.0])
def test_a_deviation_that_changes_nothing_or_all_is_refused(deviation):
    prices, lots = smooth(lots=5)
    with pytest.raises(ValueError, match="above -1 and not 0"):
        cost_bounds(prices, margins(prices, lots), np.array([deviation]))


def test_bids_without_rivals_are_refused():
    with pytest.raises(ValueError, match="no bid with a rival"):
        cost_bounds(np.array([0.9]), np.array([np.nan]), GRID)


def rounds(agreed, lots=400, seed=3):
    rng = np.random.default_rng(seed)
    first = 1.0 + rng.uniform(0.0, 0.03, (lots, 4))
    second = 0.97 + rng.uniform(0.0, 0.03, (lots, 4))
    if agreed:
        lowest = first.argmin(axis=1)
        second[np.arange(lots), lowest] = second.min(axis=1) - 0.004
    return first, second


def test_a_lowest_bidder_that_stays_the_lowest_is_found():
    found = marginal_losers(*rounds(agreed=True), np.ones(400))
    assert found.again == found.lots > 200
    assert found.p_value < 1e-6
    assert found.mean_gap > 0.004


def test_independent_second_rounds_are_left_alone():
    found = marginal_losers(*rounds(agreed=False), np.ones(400))
    assert found.lots > 200
    assert found.p_value > 0.01


def test_only_close_first_rounds_with_both_bidders_in_the_second_count():
    first = np.array([[1.00, 1.005, np.nan], [1.0, 1.2, 1.3], [1.0, 1.005, 1.1], [1.0, np.nan, np.nan]])
    second = np.array([[0.90, 0.91, np.nan], [0.9, 0.91, 0.92], [0.9, np.nan, 0.8], [0.9, np.nan, np.nan]])
    found = marginal_losers(first, second, np.ones(4))
    assert (found.lots, found.again, found.p_value) == (1, 1, 0.5)
    assert found.mean_gap == pytest.approx(0.01)
