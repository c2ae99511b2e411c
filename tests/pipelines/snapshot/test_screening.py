"""What a screen must give, and what is kept of it."""

from dataclasses import replace

import pandas as pd
import pytest

from detectors import registry
from pipelines.snapshot import screening


@pytest.fixture
def screened(market):
    """Screen a market of two lots by a detector that says what the test says."""
    (few_bids,) = (each for each in registry.load() if each.id == "conduct.few_bids")

    def of(**columns):
        class Module:
            NEEDS = (replace(few_bids.needs[0], sql="SELECT lot_id AS unit FROM core.lots"),)

            @staticmethod
            def screen(engine, limits):
                return pd.DataFrame({"unit": ["L1", "L2"], **columns})

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
    assert (done.judged, done.flagged, done.unjudged) == (2, 1, ())
    (_, second) = rows(market)
    assert second[:3] == ("L2", 2.0, None)
    assert '"extra":"b"' in second[3]


def test_an_infinite_number_of_a_flagged_unit_names_detector_and_unit(screened):
    with pytest.raises(ValueError, match=r"conduct\.few_bids: a number measured for L2 is infinite"):
        screened(value=[1.0, float("inf")], flagged=[False, True])


def test_a_missing_column_is_named(screened):
    with pytest.raises(ValueError, match="the screen gives no column 'value'"):
        screened(flagged=[False, True])
