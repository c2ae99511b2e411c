import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from detectors.kernels.prices.screens import NAMES, priced_lots, screens
from pipelines.duck import DuckDBEngine

prices_of_a_lot = st.lists(st.integers(1_000, 10_000_000), min_size=5, max_size=12, unique=True)


@given(prices_of_a_lot)
def test_screens_agree_with_their_plain_definitions(prices):
    b = np.sort(np.array(prices, dtype=float))
    found = {name: values[0] for name, values in screens(b[None, :]).items()}
    losing = b[1:]
    expected = {
        "cv": b.std(ddof=1) / b.mean(),
        "spd": (b[-1] - b[0]) / b[0],
        "diffp": (b[1] - b[0]) / b[0],
        "rd": (b[1] - b[0]) / losing.std(ddof=1),
        "rdnor": (b[1] - b[0]) / np.diff(b).mean(),
        "rdalt": (b[1] - b[0]) / np.diff(losing).mean(),
        "cvl": losing.std(ddof=1) / losing.mean(),
        "skew": stats.skew(b, bias=False),
        "kurt": stats.kurtosis(b, bias=False),
        "ks": stats.kstest(b, "uniform", args=(b[0], b[-1] - b[0])).statistic,
    }
    assert set(found) == set(NAMES)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


@given(prices_of_a_lot, st.floats(0.01, 100))
def test_screens_do_not_depend_on_the_currency(prices, rate):
    b = np.sort(np.array(prices, dtype=float))[None, :]
    for name, values in screens(b).items():
        assert screens(b * rate)[name][0] == pytest.approx(values[0], rel=1e-6, abs=1e-9), name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("prices", "defined"),
    [
        ([5.0], set()),
        ([5.0, 5.0], {"cv", "spd", "diffp"}),
        ([5.0, 6.0], {"cv", "spd", "diffp", "rdnor"}),
        ([5.0, 5.0, 5.0], {"cv", "spd", "diffp", "cvl"}),
        ([5.0, 6.0, 6.0], {"cv", "spd", "diffp", "rdnor", "cvl", "skew", "ks"}),
        ([5.0, 6.0, 7.0], set(NAMES) - {"kurt"}),
        ([0.1, 0.1, 0.1, 0.1], {"cv", "spd", "diffp", "cvl"}),
        ([5.0, 6.0, 7.0, 8.0], set(NAMES)),
    ],
)
def test_undefined_screens_are_nan_without_a_warning(prices, defined):
    found = screens(np.array([prices]))
    assert {name for name, values in found.items() if not np.isnan(values[0])} == defined


def test_equal_prices_have_no_spread_at_all():
    found = screens(np.full((1, 7), 0.1))
    assert (found["cv"][0], found["cvl"][0], found["spd"][0]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_a_bid_without_a_price_is_refused(bad):
    with pytest.raises(ValueError, match="leave such bids out"):
        screens(np.array([[1.0, 2.0, bad]]))


def test_unsorted_prices_are_refused():
    with pytest.raises(ValueError, match="ascending"):
        screens(np.array([[2.0, 1.0]]))


def test_table_has_one_row_per_lot_and_says_what_is_unknown(market):
    market.lots("""
        lot  award_method  class  opened_on   ceiling_price
        L1   lowest_price  A01    2025-07-01  200
        L2   -             A02    -           -
    """).bids("""
        lot  bidder  price  is_valid
        L1   A       160    true
        L1   B       180    true
        L1   C       1      false
        L2   A       50     true
        L3   A       70     true
    """)
    table = priced_lots(DuckDBEngine(market.con)).to_pydict()
    assert table["lot_id"] == ["L1", "L2", "L3"]
    assert table["bids"] == [2, 1, 1]
    assert table["year"] == [2025, None, None]
    assert table["award_method"] == ["lowest_price", None, None]
    assert table["lowest_ceiling_share"] == [0.8, None, None]
    assert table["diffp"] == [0.125, None, None]
    assert table["rd"] == [None, None, None]
