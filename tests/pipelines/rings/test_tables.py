"""The search over a snapshot: what it stores, and that odd snapshots do not stop a night."""

import json

import pytest

from detectors import registry
from pipelines.rings import tables
from pipelines.snapshot import screening

RINGLEADERS = ("R1", "R2", "R3")


@pytest.fixture
def search(market):
    """Searches the market as it is now; ``tied``: lots in which the ring's firms share an agent."""

    def run(*tied):
        screening.prepare(market.con)
        lots = [row[0] for row in market.con.execute("SELECT lot_id FROM core.lots").fetchall()]
        for lot in lots:
            firms = ";".join(RINGLEADERS) if lot in tied else None
            market.con.execute(
                "INSERT INTO risk.screened VALUES ('contacts.same_agent', ?, ?, 0, NULL, NULL, ?, '{}')",
                [lot, firms, lot in tied],
            )
        return tables.search(market.con, registry.load())

    return run


def rows(market, table):
    return market.con.execute(f"SELECT * FROM risk.{table} ORDER BY ALL").fetchall()


def test_a_snapshot_without_bids_has_no_ring(market, search):
    assert search() == 0
    assert rows(market, "rings") == []


def test_lots_with_one_bid_or_without_prices_have_no_ring(market, search):
    market.lots("lot\nL1\nL2\nL3").bids("lot bidder price\nL1 A 100\nL2 A 100\nL2 B -\nL3 C -\nL3 D -")
    assert search() == 0


def test_a_ring_is_stored_with_its_firms_its_lots_and_what_would_clear_it(market, search):
    market.honest(300, 5, award_method="lowest_price")
    lots = [f"R{number:02}" for number in range(15)]
    lines = [
        f"{lot} {firm} {price}"
        for number, lot in enumerate(lots)
        for firm, price in (
            *zip(RINGLEADERS, (1_000_000 + number, 1_030_000, 1_035_000), strict=True),
            ("F001", 1_200_000 + 999 * number),
            ("F002", 1_310_000 - 777 * number),
        )
    ]
    market.lots("lot award_method\n" + "\n".join(f"{lot} lowest_price" for lot in lots))
    market.bids("lot bidder price\n" + "\n".join(lines))
    assert search(*lots) == 1
    ((ring, score, q, by_price, by_ties, firms, spoken, parts, clears, checks),) = rows(market, "rings")
    assert (ring, firms, spoken) == (1, 3, 15)
    assert q <= tables.DESK_Q and score > 20 and by_ties > by_price
    assert {party for _, party, *_ in rows(market, "ring_firms")} == set(RINGLEADERS)
    assert {lot for _, lot, *_ in rows(market, "ring_lots")} == set(lots)
    assert all(kinds == "contacts.same_agent" for *_, kinds in rows(market, "ring_lots"))
    without = json.loads(parts)
    assert without["contacts.same_agent"] < score and "prices" in without
    assert json.loads(clears)[0] == "contacts.same_agent"
    told = {each["check"]: each for each in json.loads(checks)}
    assert told["affiliates"]["en"].endswith(
        "0 pairs of members own each other or have a common owner on record"
    )
    assert {"zh", "en"} <= set(told["thin_market"])


def test_the_decoys_are_recorded(market, search):
    market.honest(60, 4, award_method="lowest_price")
    search()
    ((seed, decoys, scores, least),) = rows(market, "ring_search")
    assert (seed, decoys) == (tables.SEED, 20)
    assert least >= 0 and isinstance(json.loads(scores), list)
