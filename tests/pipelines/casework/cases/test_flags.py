from dataclasses import replace
from datetime import date

import pytest

from pipelines import night_report, publishing
from pipelines.casework import case_queue, suppressions
from pipelines.casework.deliveries import receipts
from pipelines.findings import outbox
from pipelines.findings.routing import Recipient

ON = date(2026, 7, 3)


@pytest.fixture
def flags(county):
    def of(*signals, on=ON):
        return {
            item.case.scope: item.flags
            for item in case_queue.queued_cases(county.store, county.current(*signals), on)
        }

    return of


def test_a_case_is_marked_suppressed_while_everything_in_it_is(county, flags, by):
    both = county.signal(), county.signal(detector="prices.ladder")
    county.night("2026-07-01", *both)
    assert flags(*both) == {"L1": ()}
    given = {"on": date(2026, 7, 1), "ends_on": date(2026, 7, 10), "code": "data_error", "lot_id": "L1"}
    suppressions.add(county.store, by(reason="r"), detector="prices.ladder", **given)
    assert flags(*both) == {"L1": ()}
    suppressions.add(county.store, by(reason="r"), **given)
    assert flags(*both) == {"L1": ("suppressed",)}
    assert flags(*both, on=date(2026, 7, 11)) == {"L1": ()}


def test_a_case_that_an_office_answered_is_marked(county, flags, by, tmp_path):
    signal = county.signal()
    county.night("2026-07-01", signal)
    path = tmp_path / "x.csv"
    path.write_text(f"预警编号,核查结论\n{signal.fp},属实\n", encoding="utf-8")
    receipts.take_back(county.home, county.store, by(), path, ON)
    assert flags(signal) == {"L1": ("answered",)}


def test_a_local_rule_decides_in_whose_basket_a_case_is(county):
    local = {("410821", "A01"): Recipient("local", "招标办", "本地规则")}
    county.division = replace(county.division, regional=local)
    signal = county.signal()
    assert "local" in county.night("2026-07-01", signal)
    (item,) = case_queue.queued_cases(county.store, county.current(signal), ON)
    assert item.baskets == ("local",)


def test_a_signal_about_several_lots_is_in_the_baskets_of_all_of_them(county):
    from pipelines.findings import alerts

    county.project_types["L2"] = "A07"
    signal = county.signal(lot="L1;L2")
    assert set(county.night("2026-07-01", signal)) == {"housing", "water", "development-reform"}
    assert alerts.standing(county.store) == [signal]


def test_the_page_of_the_night_says_what_waits_and_what_is_suppressed():
    night = publishing.Night("2026-07-01", "published", "s1", held=outbox.Brake(90, 30), suppressed=4)
    held, suppressed = night_report._notes(night, [])
    assert "90" in held
    assert "30" in held
    assert "deliver release" in held
    assert "4条" in suppressed
