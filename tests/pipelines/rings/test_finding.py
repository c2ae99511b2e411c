"""Rings of invented markets: found whole, in order of strength, with a stated false share."""

import dataclasses

import numpy as np
import pytest

from pipelines.rings import finding
from pipelines.rings.finding import false_share
from pipelines.rings.search import Group
from pipelines.workshop.open_markets import Plan, open_market

SMALL = Plan(lots=1500, places=2, firms=30, rings=2, activity=0.1)


def accepted(found, q=0.1):
    return [group for group, share in zip(found.groups, found.q, strict=True) if share <= q]


@pytest.fixture(scope="module")
def made():
    return open_market(SMALL, 3)


@pytest.fixture(scope="module")
def found(made):
    return finding.find(made.market, seed=1)


def test_every_ring_of_an_open_market_is_one_case_with_its_firms_and_lots(made, found):
    cases = accepted(found)
    assert len(cases) == len(made.members)
    for members, ring in zip(made.members, range(len(made.members)), strict=True):
        best = max(cases, key=lambda case: len(members & set(case.firms + case.joined)))
        firms = set(best.firms + best.joined)
        assert len(firms & members) / len(firms | members) >= 0.8
        assert np.mean(made.ring_of[list(best.lots)] == ring) >= 0.9


def test_cases_come_in_order_of_strength_and_the_false_share_never_falls(found):
    scores = [group.score for group in found.groups]
    assert scores == sorted(scores, reverse=True)
    assert list(found.q) == sorted(found.q)


def test_no_lot_speaks_for_two_cases(found):
    lots = [lot for group in found.groups for lot in group.lots]
    assert len(lots) == len(set(lots))


def test_the_same_market_and_seed_give_the_same_answer(made, found):
    assert finding.find(made.market, seed=1) == found


def test_an_honest_market_gives_no_case():
    honest = open_market(dataclasses.replace(SMALL, rings=0), 5)
    assert accepted(finding.find(honest.market, seed=1)) == []


@pytest.mark.parametrize("missing", [{"has_ceiling": False}, {"has_place": False}, {"traced_share": 0.0}])
def test_rings_are_found_without_ceilings_classes_or_traces(missing):
    made = open_market(dataclasses.replace(SMALL, **missing), 4)
    cases = accepted(finding.find(made.market, seed=1))
    firms = [set(case.firms + case.joined) for case in cases]
    for members in made.members:
        assert max(len(members & each) / len(members | each) for each in firms) >= 0.5


def test_prices_that_nobody_may_judge_give_no_case_by_prices(made):
    """An unknown award method, and no traces: nothing may be said."""
    market = made.market
    nothing = np.empty(0, np.int64)
    unknown = dataclasses.replace(
        market,
        family=np.full_like(market.family, 2),
        tie_lot=nothing,
        tie_kind=nothing,
        tied_tie=nothing,
        tied_bid=nothing,
    )
    assert finding.find(unknown, seed=1).groups == ()


def test_the_false_share_counts_decoy_groups_that_are_as_strong():
    groups = [Group((1, 2), 9.0), Group((3, 4), 5.0), Group((5, 6), 1.0)]
    share = false_share(groups, np.array([6.0, 1.0, 0.5]), decoys=10)
    # 1/(10*1), (1+1)/(10*2), (1+2)/(10*3): and a weaker case never has a smaller share than a stronger one.
    assert share.tolist() == pytest.approx([0.1, 0.1, 0.1])
