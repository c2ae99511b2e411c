"""What a screen must give, and what is kept of it."""

from dataclasses import replace

import pandas as pd
import pytest

from detectors import registry
from detectors.interface import Need
from pipelines.snapshot import screening
from pipelines.snapshot.screening import Unjudged


@pytest.fixture
def screened(market):
    """Screen a market of two lots by a detector that says what the test says, and that needs what ``sql`` gives."""
    (few_bids,) = (each for each in registry.load() if each.id == "conduct.few_bids")

    def of(sql="SELECT lot_id AS unit FROM core.lots", units=("L1", "L2"), **columns):
        class Module:
            NEEDS = (Need("no mark", "无标记", sql),)

            @staticmethod
            def screen(engine, limits):
                return pd.DataFrame({"unit": units, **columns})

        market.lots("lot\nL1\nL2")
        screening.prepare(market.con)
        return screening.screen(market.con, replace(few_bids, module=Module))

    return of


def rows(market):
    return market.con.execute(
        "SELECT unit, value, p_value, facts FROM risk.screened ORDER BY unit"
    ).fetchall()


def test_what_a_screen_leaves_out_is_null(market, screened):
    done = screened(value=[1.0, 2.0], flagged=[False, True], extra=["a", "b"])
    assert (done.judged, done.flagged, done.unjudged, done.misstated) == (2, 1, (), ())
    (_, second) = rows(market)
    assert second[:3] == ("L2", 2.0, None)
    assert '"extra":"b"' in second[3]


def test_an_infinite_number_of_a_flagged_unit_names_detector_and_unit(screened):
    with pytest.raises(ValueError, match=r"conduct\.few_bids: a number measured for L2 is infinite"):
        screened(value=[1.0, float("inf")], flagged=[False, True])


def test_a_missing_column_is_named(screened):
    with pytest.raises(ValueError, match="the screen gives no column 'value'"):
        screened(flagged=[False, True])


def test_a_judged_unit_that_lacks_a_need_stays_judged_and_is_named(market, screened):
    done = screened("SELECT lot_id AS unit FROM core.lots WHERE lot_id <> 'L2'", value=1.0, flagged=True)
    assert (done.judged, done.flagged, done.unjudged) == (2, 2, ())
    assert [unit for unit, *_ in rows(market)] == ["L1", "L2"]
    (said,) = done.misstated
    assert "判定了1个标段（如 L2），其判定条件却为“无标记”" in said
    assert "judged 1 lots such as L2, which lack what it needs: no mark; mend NEEDS" in said


def test_an_unjudged_unit_that_has_every_need_is_counted_under_no_recorded_reason(market, screened):
    done = screened(units=["L1"], value=[1.0], flagged=[False])
    assert done.unjudged == (Unjudged("lots", "reason not recorded", "原因未登记", 1),)
    assert screening.unjudged_of(market.con) == {"conduct.few_bids": list(done.unjudged)}
    (said,) = done.misstated
    assert "conduct.few_bids 未判定1个标段（如 L2），其判定条件均已具备，计为“原因未登记”" in said


def test_no_test_of_a_detector_passes_over_a_misstated_need(market, monkeypatch):
    from detectors.conduct import few_bids

    monkeypatch.setattr(
        few_bids, "NEEDS", (Need("no mark", "无标记", "SELECT lot_id AS unit FROM core.lots"),)
    )
    market.lots("lot\nL1")
    with pytest.raises(AssertionError, match="原因未登记"):
        market.lacks("conduct.few_bids")
