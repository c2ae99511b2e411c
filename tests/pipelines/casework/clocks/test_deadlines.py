import json
from dataclasses import replace
from datetime import date, datetime

import pytest

from pipelines.casework.acts import Act
from pipelines.casework.clocks import deadlines, periods, start_stop, steps
from pipelines.casework.clocks.due_dates import Stage
from pipelines.casework.clocks.periods import DelayKind
from pipelines.store import opened
from pipelines.times import LOCAL

ARRANGED = "date,is_workday,status,notice\n" + "".join(
    f"2027-{day},{works},official,notice of 2027\n"
    for day, works in [
        ("01-01", "no"),
        ("01-04", "no"),
        ("01-09", "yes"),
        ("02-05", "no"),
        ("02-08", "no"),
        ("02-09", "no"),
        ("02-10", "no"),
        ("04-05", "no"),
        ("05-03", "no"),
        ("05-04", "no"),
        ("06-09", "no"),
        ("10-01", "no"),
    ]
)


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        yield store


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL).isoformat()


def act(reason="", key=None, day="2026-06-01 10:00"):
    return Act(actor="张三", at=at(day), reason=reason, key=key)


def running(store, day):
    return [
        (each.object, each.rule.rule_id, each.due.due_on.isoformat(), each.stage)
        for each in deadlines.open_deadlines(store, date.fromisoformat(day))
    ]


def verbs(store):
    return [json.loads(row["body"])["verb"] for row in store.rows("SELECT body FROM audit ORDER BY seq")]


def start(store, object="投诉2026-0001", rule="TS03", day="2026-06-01 10:00"):
    return steps.start(store, act(day=day), object, rule, at(day))


def test_a_clock_runs_until_the_act_is_done(store):
    start(store, rule="TS02", day="2026-09-18 10:00")
    assert running(store, "2026-09-18") == [("投诉2026-0001", "TS02", "2026-09-22", Stage.CALM)]
    steps.meet(store, act(day="2026-09-21 15:00"), "投诉2026-0001", "TS02")
    assert running(store, "2026-09-21") == []
    (clock,) = deadlines.all_deadlines(store, date(2026, 9, 30))
    assert (clock.stage, clock.outcome) == (Stage.MET, "met")


def test_a_night_of_the_past_sees_what_was_so_then(store):
    start(store, rule="TS02", day="2026-09-18 10:00")
    steps.meet(store, act(), "投诉2026-0001", "TS02", at("2026-09-21 15:00"))
    assert [stage for *_, stage in running(store, "2026-09-20")] == [Stage.CALM]
    assert running(store, "2026-09-17") == []


def test_the_same_start_again_is_the_same_clock(store):
    assert start(store) == start(store)
    assert start(store, day="2026-06-02 10:00") != start(store)
    assert len(store.rows("SELECT * FROM deadline")) == 2
    assert len(store.rows("SELECT * FROM deadline_due")) == 2


def test_the_same_key_repeats_the_step_also_later(store):
    first = steps.start(store, act(key="k"), "C1", "TS02")
    later = steps.start(store, act(key="k", day="2026-06-01 10:05"), "C1", "TS02")
    assert first == later
    assert len(store.rows("SELECT * FROM deadline")) == 1


def test_other_steps_start_and_stop_clocks_in_their_own_transaction(store):
    with pytest.raises(RuntimeError), store.transaction() as con:
        start_stop.begin(con, "R1", "YS02", at("2026-06-01 10:00"))
        raise RuntimeError
    assert store.rows("SELECT * FROM deadline") == []
    with store.transaction() as con:
        start_stop.begin(con, "R1", "YS02", at("2026-06-01 10:00"))
        assert start_stop.end(con, "R1", "YS02", at("2026-06-02 09:00"))
        assert not start_stop.end(con, "R1", "YS02", at("2026-06-02 09:00"))
    assert store.rows("SELECT * FROM audit") == []


def test_steps_of_people_stand_in_the_audit_log(store):
    start(store)
    steps.suspend(store, act("委托鉴定"), "投诉2026-0001", "TS03", "appraisal", date(2026, 6, 8))
    steps.resume(store, act(), "投诉2026-0001", "TS03", date(2026, 6, 15))
    steps.meet(store, act(day="2026-07-01 10:00"), "投诉2026-0001", "TS03")
    assert verbs(store) == ["start_deadline", "suspend_deadline", "resume_deadline", "meet_deadline"]


def test_a_suspension_moves_the_end_and_leaves_the_first_reckoning_on_record(store):
    start(store)
    steps.suspend(store, act("委托鉴定"), "投诉2026-0001", "TS03", "appraisal", date(2026, 6, 8))
    assert [stage for *_, stage in running(store, "2026-07-20")] == [Stage.SUSPENDED]
    steps.resume(store, act(), "投诉2026-0001", "TS03", date(2026, 6, 15))
    # counted by hand in test_due_dates
    assert running(store, "2026-06-15") == [("投诉2026-0001", "TS03", "2026-07-21", Stage.CALM)]
    rows = store.rows("SELECT due_at, why FROM deadline_due ORDER BY number")
    assert [tuple(row) for row in rows] == [
        ("2026-07-14T16:00:00+00:00", "start"),
        ("2026-07-21T16:00:00+00:00", "suspension"),
    ]


def test_a_suspension_ends_with_the_clock(store):
    start(store)
    steps.suspend(store, act("委托鉴定"), "投诉2026-0001", "TS03", "appraisal", date(2026, 7, 14))
    steps.meet(store, act(), "投诉2026-0001", "TS03", at("2026-07-20 10:00"))
    (clock,) = deadlines.all_deadlines(store, date(2026, 7, 30))
    # of July 14 to 17 nothing counted; the last day came on the 20th
    assert (clock.stage, clock.due.due_on) == (Stage.MET, date(2026, 7, 20))


@pytest.mark.parametrize(
    ("ground", "day", "message"),
    [
        ("holiday", "2026-06-08", "does not stop for 'holiday'; grounds: inspection 检验"),
        ("testing", "2026-05-31", "lies before the start"),
        ("testing", "2026-07-15", "the period ended on 2026-07-14"),
    ],
)
def test_a_suspension_that_does_not_fit_is_refused(store, ground, day, message):
    start(store)
    with pytest.raises(ValueError, match=message):
        steps.suspend(store, act("r"), "投诉2026-0001", "TS03", ground, date.fromisoformat(day))


def test_a_clock_stands_still_once_at_a_time_and_goes_on_once(store):
    start(store)
    object_rule = ("投诉2026-0001", "TS03")
    with pytest.raises(ValueError, match="not suspended"):
        steps.resume(store, act(), *object_rule, date(2026, 6, 9))
    steps.suspend(store, act("r"), *object_rule, "testing", date(2026, 6, 8))
    with pytest.raises(ValueError, match="stands still already"):
        steps.suspend(store, act("r"), *object_rule, "testing", date(2026, 6, 9))
    with pytest.raises(ValueError, match="cannot go on on 2026-06-07"):
        steps.resume(store, act(), *object_rule, date(2026, 6, 7))
    steps.resume(store, act(), *object_rule, date(2026, 6, 10))
    with pytest.raises(ValueError, match="lies before the start or an earlier suspension"):
        steps.suspend(store, act("r"), *object_rule, "testing", date(2026, 6, 9))


def test_a_suspension_and_a_lapse_need_a_reason(store):
    start(store)
    with pytest.raises(ValueError, match="a reason is needed"):
        steps.suspend(store, act(), "投诉2026-0001", "TS03", "testing", date(2026, 6, 8))
    with pytest.raises(ValueError, match="a reason is needed"):
        steps.lapse(store, act(), "投诉2026-0001", "TS03")


def test_a_longer_period_takes_over_from_the_same_start(store):
    # Jan 5 2026 + 3 = Thu 8; + 10 = Thu 15; + 30 = Wed Feb 4
    start(store, object="R1", rule="YS05a", day="2026-01-05 10:00")
    steps.extend(store, act("副局长批准", day="2026-01-07 10:00"), "R1", "YS05b")
    assert running(store, "2026-01-10") == [("R1", "YS05b", "2026-01-15", Stage.HALF)]
    steps.extend(store, act("局长批准", day="2026-01-14 10:00"), "R1", "YS05c")
    assert running(store, "2026-01-14") == [("R1", "YS05c", "2026-02-04", Stage.CALM)]
    with pytest.raises(ValueError, match="no clock of YS05a is running that YS05b could extend"):
        steps.extend(store, act("r"), "R1", "YS05b")
    with pytest.raises(ValueError, match="extends no other period"):
        steps.extend(store, act("r"), "R1", "TS02")


@pytest.mark.parametrize(
    ("rule", "when", "message"),
    [
        ("ZB04", at("2026-06-01 10:00"), "is a minimum"),
        ("TS02", "2026-06-01T10:00:00", "has no time zone"),
        ("TS02", "yesterday", "is no time"),
        ("TS9", at("2026-06-01 10:00"), "no period"),
    ],
)
def test_what_cannot_be_started_is_refused(store, rule, when, message):
    with pytest.raises(ValueError, match=message):
        steps.start(store, act(), "C1", rule, when)
    assert store.rows("SELECT * FROM deadline") == store.rows("SELECT * FROM audit") == []


def test_an_act_before_its_event_is_refused(store):
    start(store)
    with pytest.raises(ValueError, match="2026-05-31 lies before what it follows, on 2026-06-01"):
        steps.meet(store, act(), "投诉2026-0001", "TS03", at("2026-05-31 10:00"))
    with pytest.raises(ValueError, match="no clock of TS02 is running"):
        steps.meet(store, act(), "投诉2026-0001", "TS02")


def test_a_date_alone_is_not_before_what_happened_that_day(store):
    start(store, rule="YS02")
    steps.meet(store, act(), "投诉2026-0001", "YS02", at("2026-06-01 00:00"))
    (clock,) = deadlines.all_deadlines(store, date(2026, 6, 1))
    assert clock.ended_at == clock.starts_at


def test_a_running_clock_keeps_the_length_it_started_with(store, monkeypatch):
    start(store)
    steps.suspend(store, act("r"), "投诉2026-0001", "TS03", "testing", date(2026, 6, 8))
    changed = dict(periods.rules())
    changed["TS03"] = replace(changed["TS03"], length=20)
    monkeypatch.setattr(periods, "rules", lambda: changed)
    steps.resume(store, act(), "投诉2026-0001", "TS03", date(2026, 6, 15))
    assert running(store, "2026-06-15")[0][2] == "2026-07-21"


def test_warnings_come_the_most_urgent_first(store):
    start(store, "calm", "TS03", "2026-07-01 10:00")
    start(store, "half", "TS03", "2026-06-04 10:00")
    start(store, "tomorrow", "TS02", "2026-07-03 10:00")
    start(store, "late", "TS02", "2026-06-25 10:00")
    near = deadlines.warnings(store, date(2026, 7, 7))
    assert [(each.object, each.stage, each.workdays_left) for each in near] == [
        ("late", Stage.OVERDUE, -5),  # due Tue Jun 30; Jul 1-3, 6, 7
        ("tomorrow", Stage.ONE_DAY, 1),  # Jul 6, 7, 8
        ("half", Stage.HALF, 8),  # Jun 5, 8-12, 15-18, 22-26, 29-Jul 3, 6-10, 13-17: due the 17th
    ]


def test_24_hours_are_warned_of_by_the_minute(store):
    start(store, "R1", "YS02", "2026-06-01 15:00")
    day = date(2026, 6, 2)
    moments = [datetime(2026, 6, 2, hour, tzinfo=LOCAL) for hour in (14, 16)]
    assert [deadlines.warnings(store, day, each)[0].stage for each in moments] == [
        Stage.ONE_DAY,
        Stage.OVERDUE,
    ]


def test_delays_of_a_year_are_of_the_kinds_of_article_10(store):
    # due Wed Jun 3+: accepted late, decided late, not decided, in time, other, extended in time, another year
    start(store, "a", "TS02")  # Jun 4
    steps.meet(store, act(), "a", "TS02", at("2026-06-08 10:00"))
    start(store, "b", "TS03")  # Jul 14
    steps.meet(store, act(), "b", "TS03", at("2026-07-15 10:00"))
    start(store, "c", "ZC07a")  # Jul 14
    start(store, "d", "TS02")
    steps.meet(store, act(), "d", "TS02", at("2026-06-04 23:00"))
    start(store, "e", "YS01")  # Jun 4
    start(store, "f", "YS05a")
    steps.extend(store, act("r", day="2026-06-04 10:00"), "f", "YS05b")  # Jun 11
    steps.meet(store, act(), "f", "YS05b", at("2026-06-11 10:00"))
    start(store, "g", "TS02", "2025-09-26 10:00")  # Sep 30 2025
    found = deadlines.delays(store, 2026, date(2026, 7, 20))
    assert [(each.object, each.kind, each.days_late) for each in found] == [
        ("a", DelayKind.ACCEPTANCE, 2),  # Jun 5, 8
        (
            "e",
            DelayKind.OTHER,
            31,
        ),  # Jun 5 1; 8-12 6; 15-18 10; 22-26 15; 29-Jul 3 20; 6-10 25; 13-17 30; 20 31
        ("b", DelayKind.HANDLING, 1),
        ("c", DelayKind.NOT_CONCLUDED, 4),  # Jul 15, 16, 17, 20
    ]


def test_a_new_arrangement_moves_the_ends_that_rested_on_the_old_one(store, tmp_path):
    file = tmp_path / "workdays.csv"
    file.write_text(ARRANGED, encoding="utf-8")
    start(store, "open", "TS02", "2026-12-30 10:00")  # Dec 31 1, Jan 4 2, Jan 5 3
    start(store, "met", "TS02", "2026-12-30 11:00")
    steps.meet(store, act(), "met", "TS02", at("2027-01-06 10:00"))
    start(store, "before", "TS02", "2026-12-01 10:00")
    (late,) = [each for each in deadlines.all_deadlines(store, date(2027, 1, 10)) if each.object == "met"]
    assert (late.stage, late.due.is_provisional) == (Stage.MET_LATE, True)

    loaded = steps.load_calendar(store, act("国务院办公厅通知"), file)

    assert loaded.years == (2027,)
    after = {each.object: each for each in deadlines.all_deadlines(store, date(2027, 1, 10))}
    # Jan 4 rests: Dec 31 1, Tue 5 2, Wed 6 3
    assert (after["open"].due.due_on, after["open"].due.is_provisional) == (date(2027, 1, 6), False)
    assert after["met"].stage == Stage.MET
    assert len(loaded.moved) == 2, "the clock that ended in 2026 is left alone"
    rows = store.rows("SELECT calendar, why FROM deadline_due WHERE deadline = 1 ORDER BY number")
    assert [row["why"] for row in rows] == ["start", "calendar"]
    assert rows[0]["calendar"] != rows[1]["calendar"] == loaded.version
    assert verbs(store)[-1] == "load_calendar"


def test_the_same_arrangement_again_changes_nothing(store, tmp_path):
    file = tmp_path / "workdays.csv"
    file.write_text(ARRANGED, encoding="utf-8")
    first = steps.load_calendar(store, act("通知"), file)
    start(store, "open", "TS02", "2026-12-30 10:00")
    again = steps.load_calendar(store, act("通知"), file)
    assert (again.version, again.years, again.moved) == (first.version, (), ())
    assert len(store.rows("SELECT * FROM workday")) == ARRANGED.count("\n") - 1


def test_half_an_arrangement_changes_nothing(store, tmp_path):
    file = tmp_path / "workdays.csv"
    file.write_text("date,is_workday,status,notice\n2027-01-01,no,official,\n", encoding="utf-8")
    with pytest.raises(ValueError, match="arrangement of 2027"):
        steps.load_calendar(store, act("通知"), file)
    assert store.rows("SELECT * FROM workday") == []
