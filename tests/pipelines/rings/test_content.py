"""Ties and their rarity, and what decoys exchange."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import hypergeom

from pipelines.rings.content import content, location_gain, tie_events
from pipelines.rings.decoys import Shuffle
from pipelines.rings.lot_scores import normal_scores, score
from pipelines.workshop.open_markets import Plan, open_market


@pytest.fixture(scope="module")
def market():
    return open_market(Plan(lots=1200, places=2, firms=25, rings=2), 2).market


@pytest.mark.parametrize(("bids", "tied", "members"), [(6, 3, 4), (12, 5, 3), (9, 2, 6)])
def test_the_gain_of_a_place_is_a_likelihood_ratio(bids, tied, members):
    """By chance the tied fall on members as balls are drawn, and the mean likelihood ratio is one."""
    gain = location_gain(bids, tied)[members]
    chance = hypergeom(bids, members, tied).pmf(np.arange(len(gain)))
    assert (chance * np.exp(gain) * (chance > 0)).sum() == pytest.approx(1)


def test_tied_members_speak_for_a_group_and_tied_outsiders_against():
    gain = location_gain(8, 3)
    assert gain[3, 3] > 0 > gain[3, 1]


def test_where_everybody_is_tied_the_place_says_nothing():
    assert (location_gain(4, 4) == 0).all()


def test_a_registered_tie_counts_once_however_many_lots_show_it(market):
    often = dataclasses.replace(market, is_lasting=np.ones(2, bool))
    # Two firms that meet again and again, each time with the same registered tie.
    bid_of = {}
    for bid, (lot, firm) in enumerate(zip(market.lot, market.firm, strict=True)):
        bid_of.setdefault(int(lot), {})[int(firm)] = bid
    pairs = {}
    for lot, held in bid_of.items():
        for one in held:
            for other in held:
                if one < other:
                    pairs.setdefault((one, other), []).append(lot)
    (one, other), lots = max(pairs.items(), key=lambda item: len(item[1]))
    assert len(lots) > 3
    again = dataclasses.replace(
        often,
        tie_lot=np.array(lots),
        tie_kind=np.zeros(len(lots), np.int64),
        tied_tie=np.repeat(np.arange(len(lots)), 2),
        tied_bid=np.array([bid_of[lot][firm] for lot in lots for firm in (one, other)]),
    )
    assert len(tie_events(again).lot) == 1
    assert len(tie_events(dataclasses.replace(again, is_lasting=np.zeros(2, bool))).lot) == len(lots)


def test_a_decoy_keeps_who_came_and_exchanges_what_lies_in_the_lots(market):
    now = content(market, score(market))
    shuffle = Shuffle.of(market)
    decoy = shuffle.decoy(now, np.random.default_rng(1), np.ones(len(market.lot_id), bool))
    # Inside each class of exchange the same scores lie, in other lots; ties are as many, of the same sizes.
    for each in np.unique(shuffle.swap):
        at = shuffle.swap == each
        assert np.allclose(np.sort(now.score[at]), np.sort(decoy.score[at]), equal_nan=True)
    assert np.nanmean(now.score == decoy.score) < 0.2
    assert sorted(now.ties.rarity) == pytest.approx(sorted(decoy.ties.rarity))
    assert (market.lot[decoy.ties.bid] == decoy.ties.lot[decoy.ties.event]).all()


def test_content_of_accepted_cases_is_not_handed_on(market):
    now = content(market, score(market))
    shuffle = Shuffle.of(market)
    gives = np.ones(len(market.lot_id), bool)
    gives[now.ties.lot] = False
    assert len(shuffle.decoy(now, np.random.default_rng(1), gives).ties.lot) == 0


def test_normal_scores_are_ranks_inside_the_class():
    values = np.array([1.0, 5.0, np.nan, 2.0, 100.0, 7.0])
    group = np.array([0, 0, 0, 1, 1, 1])
    scores = normal_scores(values, group)
    assert np.isnan(scores[2])
    assert scores[0] == -scores[1]
    assert scores[5] == pytest.approx(0)
    assert scores[4] == -scores[3] > 0
