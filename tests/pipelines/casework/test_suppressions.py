import sqlite3
from datetime import date, timedelta

import pytest

from pipelines import audit
from pipelines.casework import suppressions
from pipelines.findings.suppression import quiet_until

ON = date(2026, 7, 1)


@pytest.fixture
def agree(county, by):
    def add(**changes):
        given = {"on": ON, "ends_on": date(2026, 7, 10), "code": "lawful_explained", "lot_id": "L1"}
        return suppressions.add(county.store, by(reason="同一造价软件"), **(given | changes))

    return add


def nights(county, *signals, start="2026-07-01", count=14):
    """Which nights told housing, with the same signals every night."""
    first = date.fromisoformat(start)
    days = [(first + timedelta(days=n)).isoformat() for n in range(count)]
    return [day for day in days if county.night(day, *signals).get("housing")]


def test_what_is_suppressed_is_told_the_night_after_the_end(county, agree):
    agree()
    assert nights(county, county.signal()) == ["2026-07-11"]


def test_what_an_office_had_before_comes_back_once_when_the_suppression_ends(county, agree):
    county.night("2026-06-30", county.signal())
    agree()
    assert nights(county, county.signal()) == ["2026-07-11"]
    first, again = county.folders()
    assert first.name[:10] == "2026-06-30"
    assert again.name[:10] == "2026-07-11"
    assert "抑制期满" not in (first / "alerts.csv").read_text(encoding="utf-8-sig")
    assert "抑制期满，再次送达" in (again / "alerts.csv").read_text(encoding="utf-8-sig")


def test_new_evidence_in_the_meantime_waits_for_the_end(county, agree):
    county.night("2026-06-30", county.signal(accounts=1))
    agree()
    assert nights(county, county.signal(accounts=2)) == ["2026-07-11"]


def test_the_signal_itself_stays(county, agree):
    agree()
    signal = county.signal()
    county.night("2026-07-02", signal)
    rows = county.store.rows("SELECT fp, is_current FROM signal")
    assert [tuple(row) for row in rows] == [(signal.fp, 1)]


@pytest.mark.parametrize(
    ("agreed", "signal", "is_told"),
    [
        ({}, {}, False),
        ({"detector": "contacts.deposit_account"}, {}, False),
        ({"detector": "prices.ladder"}, {}, True),
        ({"lot_id": "L2"}, {}, True),
        ({"lot_id": "*", "detector": "contacts.deposit_account"}, {}, False),
        ({"entities": ["A", "B", "C"]}, {}, False),
        ({"entities": ["A"]}, {}, True),
        ({}, {"lot": "L1;L2"}, True),
        ({"lot_id": "*", "entities": ["A", "B"]}, {"lot": "L1;L2"}, False),
    ],
)
def test_another_detector_another_lot_or_another_firm_is_told(county, agree, agreed, signal, is_told):
    agree(**agreed)
    assert ("housing" in county.night("2026-07-02", county.signal(**signal))) is is_told


def test_two_agreements_may_cover_the_two_lots_of_a_signal(county, agree):
    agree()
    agree(lot_id="L2", ends_on=date(2026, 7, 5))
    told = nights(county, county.signal(lot="L1;L2"))
    assert told == ["2026-07-06"]


def test_a_person_ends_it_before_its_day(county, agree, by):
    number = agree()
    signal = county.signal()
    assert county.night("2026-07-02", signal) == {}
    suppressions.end(county.store, by(reason="解释不成立"), number, date(2026, 7, 3))
    assert "housing" in county.night("2026-07-03", signal)
    with pytest.raises(ValueError, match="is over since 2026-07-02"):
        suppressions.end(county.store, by(reason="again"), number, date(2026, 7, 4))


def test_one_that_follows_another_without_a_gap_stays_quiet(county, agree):
    agree()
    agree(on=date(2026, 7, 11), ends_on=date(2026, 7, 12))
    assert nights(county, county.signal()) == ["2026-07-13"]


def test_until_when_a_signal_is_quiet_is_known(county, agree):
    agree()
    agree(ends_on=date(2026, 8, 1))
    agreed = suppressions.agreed(county.store)
    assert quiet_until(agreed, county.signal(), ON) == date(2026, 8, 1)
    assert quiet_until(agreed, county.signal(), date(2026, 8, 2)) is None
    assert quiet_until(agreed, county.signal(), date(2026, 6, 30)) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ends_on": ON}, "ends after 2026-07-01"),
        ({"ends_on": ON + timedelta(days=181)}, "on 2026-12-28 at the latest"),
        ({"code": "because"}, "no reason to suppress is called 'because'"),
        ({"lot_id": "*"}, "would suppress everything"),
        ({"case_id": "C404"}, "no case C404"),
    ],
)
def test_it_needs_an_end_a_reason_of_the_list_and_a_matter(county, agree, changes, message):
    with pytest.raises(ValueError, match=message):
        agree(**changes)
    assert suppressions.agreed(county.store) == []


def test_a_hundred_and_eighty_days_are_allowed_and_the_store_refuses_more(county, agree):
    agree(ends_on=ON + timedelta(days=180))
    for end in ("2026-12-29", "for ever"):
        with pytest.raises(sqlite3.IntegrityError), county.store.transaction() as con:
            con.execute(
                "INSERT INTO suppression (detector, lot_id, entities, code, reason, starts_on, ends_on, at, actor)"
                " VALUES ('*', 'L1', '[]', 'data_error', 'r', '2026-07-01', ?, 't', 'a')",
                (end,),
            )


def test_both_steps_stand_in_the_log_under_a_name(county, agree, by):
    suppressions.end(county.store, by(reason="done"), agree(), date(2026, 7, 3))
    verbs = [entry for entry in audit.entries(county.store.con) if "suppress" in entry]
    assert len(verbs) == 2
    assert all("张三" in entry for entry in verbs)
    with pytest.raises(ValueError, match="needs a reason"):
        suppressions.end(county.store, by(), 1, ON)


def test_the_same_key_agrees_once(county, by):
    act = by(reason="r", key="k1")
    given = {"on": ON, "ends_on": date(2026, 7, 9), "code": "data_error", "lot_id": "L1"}
    assert suppressions.add(county.store, act, **given) == suppressions.add(county.store, act, **given)
    assert len(suppressions.agreed(county.store)) == 1
