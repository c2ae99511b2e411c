import json

import pandas as pd

from detectors import registry
from pipelines.findings import signals
from pipelines.findings.signals import Signal, fingerprint


def test_the_fingerprint_does_not_depend_on_the_order_of_the_firms():
    assert fingerprint("prices.ladder", 1, "L1", ["B", "A"]) == fingerprint(
        "prices.ladder", 1, "L1", ["A", "B"]
    )


def test_the_fingerprint_tells_detectors_meanings_lots_and_firms_apart():
    told = {
        fingerprint("prices.ladder", 1, "L1", ["A"]),
        fingerprint("prices.cover_gap", 1, "L1", ["A"]),
        fingerprint("prices.ladder", 2, "L1", ["A"]),
        fingerprint("prices.ladder", 1, "L2", ["A"]),
        fingerprint("prices.ladder", 1, "L1", ["A", "B"]),
        fingerprint("prices.ladder", 1, "L1", ["A;B"]),
    }
    assert len(told) == 6


def test_the_fingerprint_is_the_same_on_every_machine_and_in_every_year():
    # A changed value here would raise every known signal again as a new one.
    assert fingerprint("prices.ladder", 1, "L1", ["A", "B"]) == "SYPZVWHGLDIPI6JV6"


def test_evidence_has_its_own_hash_and_the_identity_does_not_know_it():
    one = a_signal(facts={"value": 0.01})
    other = a_signal(facts={"value": 0.02})
    assert one.fp == other.fp
    assert one.ev_hash != other.ev_hash
    assert one.ev_hash == a_signal(facts={"value": 0.01}).ev_hash


def test_a_signal_read_back_is_the_signal_that_was_written():
    one = a_signal(facts={"value": 0.01})
    again = Signal.restored(one.fp, one.detector, 1, one.scope, one.entities, one.body, "L1")
    assert again == one
    assert json.loads(one.body)["sources"] == [["bids.price", "00", "rows", 2]]


def test_a_lot_signal_without_named_firms_is_about_every_valid_bidder(market):
    market.lots("""
        lot_id
        L1
    """).bids("""
        lot_id  bidder  price  is_valid  raw_sha  raw_section  raw_row
        L1      B       100    true      s1       rows         2
        L1      A       101    true      s1       rows         3
        L1      C       102    false     s1       rows         4
    """)
    found = collected(market, "prices.ladder", unit="L1", entities=None)
    assert found.entities == ("A", "B")
    assert found.lot_id == "L1"
    assert {(cell, row) for cell, _, _, row in found.sources if cell == "bids.price"} == {
        ("bids.price", 2),
        ("bids.price", 3),
    }


def test_a_signal_about_a_party_in_a_lot_knows_its_lot_even_when_the_code_has_a_slash(market):
    market.lots("""
        lot_id  opened_on   raw_sha  raw_section  raw_row
        PR/1    2026-01-05  s1       lots         2
    """).bids("""
        lot_id  bidder  price  raw_sha  raw_section  raw_row
        PR/1    A       100    s2       rows         2
    """)
    found = collected(market, "watchlist.active_ban", unit="PR/1/A", entities="A")
    assert (found.lot_id, found.scope, found.entities) == ("PR/1", "PR/1/A", ("A",))
    assert ("lots.opened_on", "s1", "lots", 2) in found.sources


def a_signal(facts):
    return Signal(
        fp=fingerprint("prices.ladder", 1, "L1", ["A"]),
        detector="prices.ladder",
        identity_version=1,
        scope="L1",
        lot_id="L1",
        entities=("A",),
        facts=facts,
        sources=(("bids.price", "00", "rows", 2),),
    )


def collected(market, detector, unit, entities, **facts):
    market.con.execute("CREATE SCHEMA IF NOT EXISTS risk")
    market.con.execute(
        "CREATE OR REPLACE TABLE risk.screened AS"
        " SELECT $detector AS detector, $unit AS unit, CAST($entities AS VARCHAR) AS entities,"
        " 1.0 AS value, NULL AS p_value, NULL AS reference_class, TRUE AS flagged, $facts AS facts",
        {
            "detector": detector,
            "unit": unit,
            "entities": entities,
            "facts": json.dumps({"value": 1.0} | facts),
        },
    )
    (found,) = signals.collect(market.con, registry.load())
    return found


def test_a_signal_about_two_firms_rests_on_their_rows_in_the_lots_it_names_and_on_the_tenders(market):
    market.append(
        "tenders",
        pd.DataFrame(
            [("T1", "2026-01-01", "s3", "tenders", 2)],
            columns=["tender_id", "published_on", "raw_sha", "raw_section", "raw_row"],
        ),
    ).lots("""
        lot_id  tender_id  class  raw_sha  raw_section  raw_row
        L1      T1         A01    s1       lots         2
        L2      -          A01    s1       lots         3
        L3      -          A01    s1       lots         4
    """).bids("""
        lot_id  bidder  price  raw_sha  raw_section  raw_row
        L1      A       100    s2       rows         2
        L1      B       101    s2       rows         3
        L1      C       102    s2       rows         4
        L2      A       100    s2       rows         5
        L2      B       101    s2       rows         6
        L3      A       100    s2       rows         7
    """)
    found = collected(market, "collusion.co_bidding", unit="A;B", entities="A;B", lot_ids="L1;L2")
    assert (found.lot_id, found.lots) == (None, ("L1", "L2"))
    assert {row for cell, _, _, row in found.sources if cell == "bids.bidder_id"} == {2, 3, 5, 6}
    assert {row for cell, _, _, row in found.sources if cell == "lots.class"} == {2, 3}
    short = collected(market, "conduct.short_window", unit="L1", entities=None)
    assert ("tenders.published_on", "s3", "tenders", 2) in short.sources


def test_a_signal_about_a_buyer_names_no_firm_and_rests_on_its_lots(market):
    market.lots("""
        lot_id  buyer_code  class  ceiling_price_cny  opened_on   raw_sha  raw_section  raw_row
        L1      B1          A01    3900000            2026-01-05  s1       lots         2
        L2      B1          A01    3800000            2026-01-06  s1       lots         3
    """)
    found = collected(market, "conduct.splitting", unit="B1/A01/2026", entities=None, lot_ids="L2")
    assert (found.entities, found.lots) == ((), ("L2",))
    assert {row for cell, _, _, row in found.sources if cell == "lots.buyer_code"} == {3}
