"""What a changed limit would flag otherwise, before a night runs with it."""

import json
from dataclasses import replace

import pytest

from detectors import registry
from pipelines.snapshot import differences, screening


@pytest.fixture
def few_bids(market):
    """`conduct.few_bids` with its limits or others, over a mandatory tender of two bids that was screened with its own."""
    (loaded,) = (each for each in registry.load() if each.id == "conduct.few_bids")
    market.lots("lot tender_id\nL1 T1").tenders("tender_id tender_mode is_legally_mandatory\nT1 open -")
    market.bids("lot bidder is_winner\nL1 A true\nL1 B false")
    screening.prepare(market.con)
    screening.screen(market.con, loaded)

    def with_limits(**limits):
        return replace(loaded, limits=loaded.module.Limits(**limits))

    return with_limits


def flagged(market):
    return {
        (unit, entities or "")
        for unit, entities in market.con.execute(
            "SELECT unit, entities FROM risk.screened WHERE flagged"
        ).fetchall()
    }


def test_the_same_limits_change_nothing(market, few_bids):
    (found,) = differences.compare(market.con, [few_bids()])
    assert (found.added, found.removed, found.unchanged) == ((), (), len(flagged(market)))
    assert not found.is_new


def test_only_what_was_changed_is_compared():
    known = registry.load()[:3]
    manifest = {"detectors": [[each.id, each.version, each.limits_version] for each in known]}
    assert differences.changed(json.dumps(manifest), known) == []
    stricter = replace(known[1], limits_version="other")
    assert differences.changed(json.dumps(manifest), [known[0], stricter, known[2]]) == [stricter]
    manifest["detectors"].pop()
    assert differences.changed(json.dumps(manifest), known) == [known[2]]


def test_rows_that_come_and_go_are_named(market, few_bids):
    market.con.execute("UPDATE risk.screened SET flagged = NOT flagged")
    (found,) = differences.compare(market.con, [few_bids()])
    assert set(found.removed) == flagged(market)
    assert {unit for unit, _ in (*found.added, *found.removed)} == {"L1"}
    assert found.unchanged == 0


def test_a_detector_that_the_snapshot_does_not_know_is_new(market, few_bids):
    market.con.execute("DELETE FROM risk.screened")
    (found,) = differences.compare(market.con, [few_bids()])
    assert found.is_new and not found.removed


def test_a_snapshot_of_an_older_version_says_what_to_do(market, few_bids):
    market.con.execute("DROP TABLE core.lots")
    with pytest.raises(ValueError, match="run a night with the limits as they were"):
        differences.compare(market.con, [few_bids()])
