import numpy as np
import pandas as pd
import pytest

from detectors.kernels.prices.lot_score import lot_scores
from detectors.kernels.prices.screens import screens


def market(rows, award_method):
    """Lots of given prices among sixty ordinary ones of five bids."""
    rng = np.random.default_rng(1)
    ordinary = [list(100 * np.exp(rng.normal(0, 0.1, 5))) for _ in range(60)]
    lots = []
    for prices in [*rows, *ordinary]:
        found = screens(np.sort(np.array([prices], dtype=float)))
        lots.append({"bids": len(prices)} | {name: found[name][0] for name in ("cv", "cvl", "kurt")})
    return pd.DataFrame(lots).assign(award_method=award_method, currency="CNY", **{"class": "A01"})


def scores(rows, award_method="lowest_price"):
    return lot_scores(market(rows, award_method))["score"].tolist()[: len(rows)]


def test_lowest_price_lots_of_close_bids_come_first_and_all_bids_must_be_close():
    close, only_losers, wide = (
        [100, 101, 101.5, 102, 102.2],
        [70, 101, 101.5, 102, 102.2],
        [60, 90, 100, 130, 170],
    )
    first, second, last = scores([close, only_losers, wide])
    assert first == 1.0
    assert first > second > last == 0.0


def test_three_close_bids_say_less_than_eight_with_the_same_spread():
    three, eight = [97.0, 100.0, 103.0], [95.8, 97.5, 98.5, 99.5, 100.5, 101.5, 102.5, 104.2]
    lots = market([three, eight], "lowest_price")
    assert lots["cv"][0] > lots["cv"][1] - 0.005  # as far apart
    found = lot_scores(lots)["score"]
    assert found[0] < found[1]


def test_average_price_lots_without_strays_come_first():
    even, stray = [96, 98, 100, 102, 104], [99, 99.8, 100, 100.2, 140]
    first, last = scores([even, stray], "average_price")
    assert first > 0.9
    assert last < first


@pytest.mark.parametrize("award_method", ["comprehensive_score", "unknown", None])
def test_gives_no_score_where_the_award_method_says_nothing_about_spread(award_method):
    assert np.isnan(scores([[100, 101, 102]], award_method)).all()


def test_gives_no_score_for_two_bids_or_without_others_to_compare_with():
    assert np.isnan(scores([[100, 101]])).all()
    assert lot_scores(market([], "lowest_price").head(20))["score"].isna().all()


def test_a_score_does_not_depend_on_the_order_of_lots():
    lots = market([[100, 101, 102]], "lowest_price")
    shuffled = lots.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(lot_scores(lots), lot_scores(shuffled).sort_index())


def test_the_lots_of_other_currencies_are_others():
    lots = market([[100, 101, 102]], "lowest_price")
    alone = lots.assign(currency=["USD", *["CNY"] * 60])
    found = lot_scores(alone)
    assert pd.isna(found["score"][0])
    assert found["reference_lots"][1] == 59


def test_the_snapshot_scores_whole_lots_only(market):
    """H0001 lacks a bid: what its spread was is not known."""
    market.honest(40)
    market.con.execute("UPDATE core.lots SET is_incomplete = (lot_id = 'H0001')")
    found = market.engine.run("SELECT lot_id, score, reference_lots FROM feat.lot_scores").to_pandas()
    assert len(found) == 39
    assert "H0001" not in set(found["lot_id"])
    assert found["score"].between(0, 1).all()
    assert set(found["reference_lots"]) == {38}
