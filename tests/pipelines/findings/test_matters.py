"""What signals come to: one matter for one ring, pair or firm, however many lots show it."""

import json
from types import SimpleNamespace

import duckdb
import pytest

from pipelines.findings import strength
from pipelines.findings.matters import Kind, Matter, expected_false, gather, on_the_list
from pipelines.findings.signals import Signal, fingerprint

DETECTORS = {
    id: SimpleNamespace(family=SimpleNamespace(id=id.split(".")[0]), facts=SimpleNamespace(unit=unit))
    for id, unit in (
        ("contacts.same_phone", "lot"),
        ("contacts.same_agent", "lot"),
        ("prices.low_dispersion", "lot"),
        ("watchlist.active_ban", "lot_party"),
        ("conduct.buyer_winner", "buyer"),
        ("collusion.groups", "ring"),
    )
}


class Night:
    """Signals given by hand, with the tables of a screened snapshot behind them."""

    def __init__(self):
        self.con = duckdb.connect()
        self.con.execute(
            """
            CREATE SCHEMA risk;
            CREATE TABLE risk.screened (detector VARCHAR, unit VARCHAR, entities VARCHAR, value DOUBLE, p_value DOUBLE,
                reference_class VARCHAR, flagged BOOLEAN, facts VARCHAR);
            CREATE TABLE risk.rings (ring INTEGER, score DOUBLE, q DOUBLE, by_price DOUBLE, by_ties DOUBLE, firms INTEGER,
                lots INTEGER, parts VARCHAR, clears VARCHAR, checks VARCHAR);
            CREATE TABLE risk.ring_firms (ring INTEGER, party_id VARCHAR, is_core BOOLEAN, lots INTEGER, tied_lots INTEGER);
            CREATE TABLE risk.ring_lots (ring INTEGER, lot_id VARCHAR, members INTEGER, kinds VARCHAR);
            """
        )
        self.signals = []

    def see(self, detector, lot, firms="", bidders="", p=None):
        """One flagged row; ``firms`` as named by the detector, ``bidders`` where it names none."""
        unit = DETECTORS[detector].facts.unit
        scope = f"{lot}/{firms}" if unit in ("lot_party", "buyer") else firms if unit == "ring" else lot
        facts = {"lot_ids": lot} if unit in ("ring", "buyer") else {}
        self.con.execute(
            "INSERT INTO risk.screened VALUES (?, ?, ?, 1, ?, NULL, TRUE, '{}')",
            [detector, scope, firms or None, p],
        )
        entities = tuple(sorted((firms or bidders).split(";")))
        signal = Signal(
            fingerprint(detector, 1, scope, entities),
            detector,
            1,
            scope,
            None if facts else lot,
            entities,
            facts,
            (),
        )
        self.signals.append(signal)
        return signal.fp

    def ring(self, number, firms, lots, score=20.0, q=0.05):
        self.con.execute(
            "INSERT INTO risk.rings VALUES (?, ?, ?, 5, 15, ?, ?, '{}', '[]', '[]')",
            [number, score, q, len(firms), len(lots)],
        )
        for firm in firms:
            self.con.execute("INSERT INTO risk.ring_firms VALUES (?, ?, TRUE, 1, 1)", [number, firm])
        for lot in lots:
            self.con.execute("INSERT INTO risk.ring_lots VALUES (?, ?, 2, '')", [number, lot])

    @property
    def matters(self):
        return gather(self.con, self.signals, DETECTORS).matters


@pytest.fixture
def night():
    return Night()


def test_one_pair_with_one_agent_in_many_lots_is_one_matter(night):
    for lot in range(52):
        night.see("contacts.same_agent", f"L{lot:02}", "A;B")
    (matter,) = night.matters
    assert (matter.kind, matter.firms, len(matter.lots)) == (Kind.FIRMS, ("A", "B"), 52)


def test_a_ring_takes_what_its_firms_and_lots_show(night):
    night.ring(1, "ABCD", ["L1", "L2", "L3"])
    inside = {
        night.see("contacts.same_phone", "L1", "A;B"),
        night.see("contacts.same_agent", "L9", "C;D"),  # another lot, two members
        night.see("prices.low_dispersion", "L2", bidders="A;B;X"),  # a lot of the ring as a whole
        night.see("watchlist.active_ban", "L3", "A"),  # a member in a lot of the ring
        night.see("collusion.groups", "L1;L2", "A;B;C"),
    }
    outside = {
        night.see("contacts.same_phone", "L1", "X;Y"),
        night.see("watchlist.active_ban", "L8", "A"),  # a member alone, elsewhere
        night.see("prices.low_dispersion", "L8", bidders="A;B;X"),
    }
    ring = next(matter for matter in night.matters if matter.kind is Kind.RING)
    assert set(ring.signals) == inside
    others = {fp for matter in night.matters if matter.kind is not Kind.RING for fp in matter.signals}
    assert others == outside


def test_every_signal_is_in_exactly_one_matter(night):
    night.ring(1, "ABC", ["L1"])
    night.ring(2, "CDE", ["L2"])
    for lot in ("L1", "L2", "L3"):
        night.see("contacts.same_phone", lot, "B;C;D")
        night.see("prices.low_dispersion", lot, bidders="B;C;D")
        night.see("watchlist.active_ban", lot, "C")
    placed = [fp for matter in night.matters for fp in matter.signals]
    assert sorted(placed) == sorted(signal.fp for signal in night.signals)


def test_signals_of_overlapping_firms_do_not_run_into_one_matter(night):
    """A chain of pairs that share one firm each are different matters."""
    for first in range(6):
        for lot in range(2):
            night.see("contacts.same_phone", f"L{first}{lot}", f"F{first};F{first + 1}")
    assert len(night.matters) == 6


def test_prices_of_a_lot_go_with_the_firms_that_fill_it(night):
    night.see("contacts.same_phone", "L1", "A;B;C")
    night.see("prices.low_dispersion", "L2", bidders="A;B;C;X")
    night.see("prices.low_dispersion", "L3", bidders="A;P;Q;R")
    kinds = {matter.lots: matter.kind for matter in night.matters}
    assert kinds == {("L1", "L2"): Kind.FIRMS, ("L3",): Kind.LOT}


def test_a_firm_with_its_bans_and_a_firm_with_its_buyer_are_matters_of_their_own(night):
    for lot in ("L1", "L2"):
        night.see("watchlist.active_ban", lot, "A")
    night.see("conduct.buyer_winner", "BUYER", "A")
    assert {matter.kind for matter in night.matters} == {Kind.FIRM, Kind.RELATION}


def test_what_one_lot_shows_is_a_matter_of_the_lot(night):
    night.see("contacts.same_phone", "L1", "A;B")
    night.see("watchlist.active_ban", "L1", "X")
    night.see("prices.low_dispersion", "L1", bidders="A;B;X;Y;Z")
    (matter,) = night.matters
    assert (matter.kind, matter.scope, len(matter.signals)) == (Kind.LOT, "L1", 3)


def test_prices_alone_are_worth_little_and_families_add_up(night):
    night.see("prices.low_dispersion", "L1", bidders="A;B", p=1e-6)
    night.see("contacts.same_phone", "L2", "C;D", p=1e-4)
    night.see("prices.low_dispersion", "L2", bidders="C;D", p=1e-6)
    by_lot = {matter.lots[0]: matter.score for matter in night.matters}
    assert by_lot["L1"] == strength.MOST_OF_PRICES
    assert by_lot["L2"] == pytest.approx(strength.MOST_OF_A_FAMILY + strength.MOST_OF_PRICES)


def test_ten_signals_of_one_family_are_not_ten_times_the_evidence():
    one, ten = strength.by_family([("contacts", 0.01)]), strength.by_family([("contacts", 0.01)] * 10)
    assert one == pytest.approx(ten)


def test_a_signal_without_a_p_value_is_as_strong_as_it_is_seldom(night):
    fp = night.see("contacts.same_phone", "L0", "A;B")
    for lot in range(1, 100):
        night.con.execute(
            "INSERT INTO risk.screened VALUES ('contacts.same_phone', ?, NULL, 0, NULL, NULL, FALSE, NULL)",
            [f"L{lot}"],
        )
    (share, _), *_ = strength.shares(night.con).values()
    assert share == pytest.approx(1.5 / 101)
    assert gather(night.con, night.signals, DETECTORS).strengths[fp] == strength.nats(share)


def test_the_list_says_how_many_rings_may_be_false():
    rings = [
        Matter(Kind.RING, f"R{place}", (), (), (), 30.0 - place, q, json.loads("{}"))
        for place, q in enumerate((0.01, 0.05, 0.15))
    ]
    lot = Matter(Kind.LOT, "L1", (), (), (), 99.0, None, {})
    listed = on_the_list([lot, *reversed(rings)])
    assert [matter.scope for matter in listed] == ["R0", "R1"]
    assert expected_false(listed) == pytest.approx(0.1)
