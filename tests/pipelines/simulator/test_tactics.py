from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines import duck
from pipelines.simulator.care import usual_care
from pipelines.simulator.county import simulate
from pipelines.simulator.streams import Streams
from pipelines.simulator.tactics import TACTICS

pytestmark = [pytest.mark.slow, pytest.mark.trial]

LAST_NIGHT = date(2026, 6, 30)
PANEL = Path(__file__).with_name("panel.sql").read_text(encoding="utf-8")
BANDS = [0, 3, 4, 5, 6, 8, 12, 20, 40, 3000]
#: What each tactic must move, and which way: the mean place of its lots among honest lots of the same rule and about
#: as many bids is below 0.35 (-1) or above 0.65 (+1).
MOVES = {
    "cover_bids": {"dispersion": -1, "price_level": +1, "farthest_out": +1},
    "rotation": {"dispersion": -1, "price_level": +1, "farthest_out": +1},
    "market_split": {"bids": -1, "meet_again": -1},
    "ladder": {"unevenness": -1, "bids": +1},
    "mean_shift": {"dispersion": -1, "price_level": +1, "farthest_out": +1, "bids": +1},
    "support_bids": {"dispersion": +1, "bids": +1},
    "losers_for_hire": {"never_wins": -1},
    "vertical": {"rejected": +1, "won_from_buyer": +1, "price_level": +1},
    "late_just_below": {"gap_of_two_lowest": -1, "winner_came_last": +1},
    "payback": {"dispersion": -1, "price_level": +1, "farthest_out": +1, "loser_was_paid": +1},
    "none": {},
}
#: What follows from a tactic without being its aim: members meet again and again; a firm that always wins often wins
#: from one buyer; a winner just below the second leaves nobody far out; members bid outside their usual circle.
MAY_FOLLOW = {
    "cover_bids": {"meet_again", "unevenness"},
    "rotation": {"meet_again", "unevenness", "never_wins"},
    "ladder": {
        "meet_again",
        "price_level",
        "gap_of_two_lowest",
        "farthest_out",
        "won_from_buyer",
        "never_wins",
    },
    "mean_shift": {"meet_again", "gap_of_two_lowest", "unevenness", "won_from_buyer", "winner_came_last"},
    "support_bids": {
        "meet_again",
        "farthest_out",
        "unevenness",
        "never_wins",
        "rejected",
        "gap_of_two_lowest",
        "price_level",
        "won_from_buyer",
    },
    # What they bid lies in one band above the firm that pays them.
    "losers_for_hire": {"meet_again", "price_level", "dispersion"},
    "vertical": {"meet_again", "dispersion", "gap_of_two_lowest"},
    "late_just_below": {"won_from_buyer", "farthest_out", "meet_again", "bids"},
    "payback": {"meet_again", "unevenness", "won_from_buyer"},
    # Two members meet more easily where many firms bid, and where the same firms often bid and win.
    "none": {"bids", "meet_again", "never_wins"},
}
STATISTICS = (
    "bids",
    "dispersion",
    "gap_of_two_lowest",
    "unevenness",
    "farthest_out",
    "price_level",
    "rejected",
    "winner_came_last",
    "won_from_buyer",
    "meet_again",
    "never_wins",
    "loser_was_paid",
)


def world(seed, lots, care):
    con = duck.connect()
    simulate(con, seed=seed, lots=lots, last_night=LAST_NIGHT, care=care)
    return con


@pytest.fixture(scope="module", autouse=True)
def few_periods():
    """Bring the work in hand up to date every three months, not every month: a county takes a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.simulator.market.PERIODS", 8)
        yield


@pytest.fixture(scope="module")
def careless():
    """Two counties of careless rings, as one table of lots."""
    return pd.concat(
        [world(seed, 16_000, usual_care()[:1]).execute(PANEL).df() for seed in (4, 5)], ignore_index=True
    )


def places(lots, statistic):
    """The place (0 lowest, 1 highest) of every rigged lot among honest lots of its rule and number of bids."""
    cell = [lots["rule"]] if statistic == "bids" else [lots["rule"], pd.cut(lots["bids"], BANDS)]
    found = []
    for _, alike in (
        lots.assign(value=lots[statistic].astype(float)).dropna(subset="value").groupby(cell, observed=True)
    ):
        honest = np.sort(alike.loc[alike["tactic"].eq("honest"), "value"])
        rigged = alike[alike["tactic"].ne("honest")]
        if len(honest) >= 20:
            low, high = (np.searchsorted(honest, rigged["value"], side) for side in ("left", "right"))
            found.append(rigged[["tactic"]].assign(place=(low + high) / 2 / len(honest)))
    return pd.concat(found).groupby("tactic")["place"].agg(["mean", "size"])


@pytest.fixture(scope="module")
def effects(careless):
    return {statistic: places(careless, statistic) for statistic in STATISTICS}


def test_every_tactic_is_on_the_list():
    assert [tactic.key for tactic in TACTICS] == list(MOVES)


@pytest.mark.parametrize("tactic", MOVES)
def test_each_tactic_moves_what_it_should_and_nothing_else(effects, tactic):
    seen = {statistic: effects[statistic].loc[tactic] for statistic in STATISTICS}
    for statistic, direction in MOVES[tactic].items():
        assert direction * (seen[statistic]["mean"] - 0.5) > 0.15, (statistic, seen[statistic].to_dict())
    for statistic in set(STATISTICS) - set(MOVES[tactic]) - MAY_FOLLOW.get(tactic, set()):
        # Three standard errors of a mean of uniform places, and what a chance difference of cells may add.
        tolerance = 0.06 + 3 / np.sqrt(12 * seen[statistic]["size"])
        assert abs(seen[statistic]["mean"] - 0.5) < tolerance, (statistic, seen[statistic].to_dict())


def test_a_ring_without_tactic_and_links_cannot_be_told_from_honest_firms(careless):
    lots = careless[careless["tactic"].isin(["honest", "none"])]
    for statistic in (
        "dispersion",
        "gap_of_two_lowest",
        "unevenness",
        "farthest_out",
        "price_level",
        "rejected",
        "winner_came_last",
        "won_from_buyer",
        "loser_was_paid",
    ):
        mean, size = places(lots, statistic).loc["none"]
        assert abs(mean - 0.5) < 3.3 / np.sqrt(12 * size), statistic


def test_rings_change_nothing_but_their_own_lots():
    rings, honest = world(9, 1500, usual_care()), world(9, 1500, ())
    query = """
        SELECT l.lot, l.ceiling_fen, l.rule, l.opening_at, l.buyer FROM world.lots AS l
        WHERE l.attempt = 1 AND l.opening_at < TIMESTAMP '2024-08-15' ORDER BY l.lot
    """
    assert rings.execute(query).fetchall() == honest.execute(query).fetchall()
    # Before the first ring acted, every bid is the same.
    first = rings.execute("SELECT min(opening_at) FROM world.rigged JOIN world.lots USING (lot)").fetchall()[
        0
    ][0]
    bids = """
        SELECT b.lot, b.firm, b.price_fen FROM world.bids AS b JOIN world.lots AS l USING (lot)
        WHERE l.opening_at < ? AND l.segment NOT IN ('supervision', 'design') ORDER BY ALL
    """
    assert rings.execute(bids, [first]).fetchall() == honest.execute(bids, [first]).fetchall()


def test_an_honest_county_has_no_ring_and_no_guilty_trace():
    con = world(2, 1500, ())
    assert con.execute("SELECT count(*) FROM world.rings").fetchall() == [(0,)]
    assert con.execute("SELECT count(*) FROM world.bids WHERE ring >= 0").fetchall() == [(0,)]
    # Bids during a ban are left in, because no ring makes them: a firm breaks its ban by itself.
    assert con.execute("SELECT DISTINCT what FROM world.links WHERE NOT is_innocent").fetchall() == [("ban",)]


def test_rings_differ_in_size_life_and_leakage():
    con = world(3, 16_000, usual_care())
    sizes, lives = con.execute(
        "SELECT list(len(members)), list(ended_on - started_on) FROM world.rings"
    ).fetchall()[0]
    assert min(sizes) == 2
    assert 10 <= max(sizes) <= 20
    assert min(lives) < 240 < 500 < max(lives)
    leaked = dict(
        con.execute(
            "SELECT care, count(DISTINCT ring) FILTER (EXISTS (SELECT 1 FROM world.links AS k WHERE k.ring = r.ring))"
            " / count(*) FROM world.rings AS r WHERE tactic <> 'none' GROUP BY care"
        ).fetchall()
    )
    assert leaked[0] > 0.5
    assert leaked[4] == 0


def test_rings_are_partial_and_members_also_bid_honestly():
    con = world(3, 8000, usual_care())
    outsiders, rigged = con.execute(
        """
        SELECT count(DISTINCT lot) FILTER (b.ring < 0), count(DISTINCT lot)
        FROM world.rigged AS g JOIN world.bids AS b USING (lot) WHERE NOT g.is_forgone
        """
    ).fetchall()[0]
    assert 0.5 < outsiders / rigged < 1
    honest, ringed = con.execute(
        """
        SELECT count(*) FILTER (b.ring < 0), count(*) FILTER (b.ring >= 0)
        FROM (SELECT DISTINCT unnest(members) AS firm FROM world.rings) AS m JOIN world.bids AS b USING (firm)
        """
    ).fetchall()[0]
    assert honest > ringed > 0


def test_the_careful_pay_more_than_the_careless():
    con = world(6, 16_000, usual_care())
    paid = dict(
        con.execute(
            "SELECT care, avg(price_given_up_fen / ceiling_fen) FROM world.rigged JOIN world.lots USING (lot)"
            " WHERE tactic IN ('cover_bids', 'rotation', 'payback') AND NOT is_forgone GROUP BY care"
        ).fetchall()
    )
    assert paid[0] == 0
    assert paid[0] < paid[1] < paid[3]


def test_the_same_seed_gives_the_same_county():
    tables = ("firms", "lots", "bids", "rings", "rigged", "links", "bans", "experts")
    one, two, other = (world(seed, 400, usual_care()) for seed in (1, 1, 2))
    for table in tables:
        rows = [
            con.execute(f"SELECT * FROM world.{table} ORDER BY ALL").fetchall() for con in (one, two, other)
        ]
        assert rows[0] == rows[1]
        assert table == "bans" or rows[0] != rows[2]


def test_streams_of_one_purpose_do_not_disturb_another():
    one, two = Streams(5).of("entry", 3), Streams(5).of("entry", 3)
    Streams(5).of("costs", 3).random(100)
    assert (one.random(10) == two.random(10)).all()
