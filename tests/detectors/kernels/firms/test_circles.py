import networkx as nx
import numpy as np
import pandas as pd
import pytest

from detectors.kernels.firms import circles as subject
from detectors.kernels.firms.circles import circles, joint_wins, named
from detectors.kernels.firms.pairs import meetings


def town(market, circle=("A", "B", "C"), lots=60, together=20, seed=1):
    """A town of 30 firms that bid at random, and a circle that meets in lots of its own."""
    rng = np.random.default_rng(seed)
    seats = [
        (f"L{lot:03}", f"F{firm:02}") for lot in range(lots) for firm in rng.choice(30, 4, replace=False)
    ]
    seats += [
        (f"M{lot:03}", firm) for lot in range(together) for firm in (*circle, f"F{rng.integers(30):02}")
    ]
    frame = pd.DataFrame(seats, columns=["lot_id", "bidder_id"])
    market.append("lots", pd.DataFrame({"lot_id": frame["lot_id"].unique(), "opened_on": "2026-03-02"}))
    return market.append("bids", frame.assign(price=1e6, is_winner=~frame["lot_id"].duplicated()))


def found_in(market):
    met = meetings(market.engine, min_stratum=20)
    return met, circles(met, min_joint=5, max_edge_q=0.001, max_members=12)


def test_a_circle_is_found_and_its_strangers_are_not_in_it(market):
    met, found = found_in(town(market))
    assert [named(met, circle) for circle in found] == ["A;B;C"]
    assert found[0].coherence == pytest.approx(1)
    assert found[0].exclusivity == 1


def test_firms_that_meet_at_random_are_no_circle(market):
    assert found_in(town(market, together=0))[1] == []


def test_two_firms_are_no_circle(market):
    assert found_in(town(market, circle=("A", "B")))[1] == []


def test_only_significant_edges_enter_the_graph(market, monkeypatch):
    seen = []
    grown = subject._grown
    monkeypatch.setattr(
        subject, "_grown", lambda graph, *more: seen.append(graph.number_of_edges()) or grown(graph, *more)
    )
    found_in(town(market))
    assert seen == [3]


def test_a_firm_that_meets_only_some_members_stays_outside():
    graph = nx.Graph()
    graph.add_weighted_edges_from([(0, 1, 0.9), (0, 2, 0.9), (1, 2, 0.9), (2, 3, 0.9)])
    found = subject._grown(graph, [(0, 1), (0, 2), (1, 2), (2, 3)], max_members=12)
    assert [circle.members for circle in found] == [(0, 1, 2)]


def test_exclusivity_counts_what_members_share_with_others():
    graph = nx.Graph()
    graph.add_weighted_edges_from([(0, 1, 0.8), (0, 2, 0.8), (1, 2, 0.8), (2, 3, 0.6)])
    (circle,) = subject._grown(graph, [(0, 1)], max_members=12)
    assert circle.exclusivity == pytest.approx(2.4 / 3.0)


def test_joint_wins_come_in_the_order_of_the_openings_and_need_members_present(market):
    town(market)
    market.con.execute("UPDATE core.lots SET opened_on = DATE '2026-04-01' WHERE lot_id = 'M000'")
    met, found = found_in(market)
    wins = joint_wins(market.engine, met, found, 3)
    assert wins["lot_id"].tolist() == [*(f"M{lot:03}" for lot in range(1, 20)), "M000"]
    assert set(met.firms[wins["winner"]]) == {"A"}
    assert joint_wins(market.engine, met, found, 4).empty
