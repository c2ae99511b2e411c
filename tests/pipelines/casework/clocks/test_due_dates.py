"""Worked dates: counted by hand on the law and on the State Council's arrangements of 2024, 2025 and 2026.

None was taken from what the code prints. "works" marks a weekend day that is worked.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from pipelines.casework.clocks import due_dates, periods, workdays
from pipelines.casework.clocks.due_dates import Stage, Suspension
from pipelines.times import LOCAL

DAYS = workdays.calendar()


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


def off(*spans):
    return [Suspension(date.fromisoformat(first), date.fromisoformat(last)) for first, last in spans]


def due(rule_id, start, *spans):
    return due_dates.due(periods.rule_of(rule_id), local(start), DAYS, off(*spans))


WORKDAYS = [
    # 09-19 Sat; 09-20 Sun works 1, Mon 21 2, Tue 22 3
    ("TS02", "2026-09-18 10:00", "2026-09-22"),
    # Oct 1-7 rest; Thu 8 1, Fri 9 2, Sat 10 works 3, Mon 12 4, Tue 13 5
    ("XC01", "2026-09-30 10:00", "2026-10-13"),
    # Fri 13 1, Sat 14 works 2, 15-23 rest, Tue 24 3
    ("TS02", "2026-02-12 10:00", "2026-02-24"),
    # Sat 14 works 1, 15-23 rest, Tue 24 2, Wed 25 3, Thu 26 4, Fri 27 5
    ("XC01", "2026-02-13 10:00", "2026-02-27"),
    # Apr 4-6 rest; Tue 7 1, Wed 8 2, Thu 9 3, Fri 10 4, Mon 13 5
    ("XC01", "2026-04-03 10:00", "2026-04-13"),
    # May 1-5 rest; Wed 6 1, Thu 7 2, Fri 8 3
    ("TS02", "2026-04-30 10:00", "2026-05-08"),
    # Sep 28-30 3; Oct 8, 9, Sat 10 works 6; 12-16 11; 19-23 16; 26-30 21; Nov 2-6 26; 9 27, 10 28, 11 29, 12 30
    ("TS03", "2026-09-25 10:00", "2026-11-12"),
    # Feb 11 1, 12 2, 13 3, Sat 14 works 4, 15-23 rest, 24 5, 25 6, 26 7, 27 8
    ("ZC06", "2026-02-10 10:00", "2026-02-27"),
    # Feb 12 1, 13 2, Sat 14 works 3, 24 4, 25 5, 26 6, 27 7, Sat 28 works 8: the end lies on a Saturday
    ("ZC06", "2026-02-11 10:00", "2026-02-28"),
    # May 7 1, 8 2, Sat 9 works 3, Mon 11 4, 12 5
    ("ZC04", "2026-05-06 10:00", "2026-05-12"),
    # Jun 18 1, 19-21 rest, 22 2, 23 3, 24 4, 25 5, 26 6, Mon 29 7
    ("ZC01", "2026-06-17 10:00", "2026-06-29"),
    # the event on a rest day: Jan 3 Sat rest, Sun 4 works 1, Mon 5 2, Tue 6 3
    ("TS02", "2026-01-02 10:00", "2026-01-06"),
    # an event at 23:30 belongs to its day: Jul 1 1, 2 2, 3 3
    ("TS02", "2026-06-30 23:30", "2026-07-03"),
    # Sat 27 rest, Sun 28 works 1, Mon 29 2, Tue 30 3
    ("TS02", "2025-09-26 10:00", "2025-09-30"),
    # Oct 1-8 rest; Thu 9 1, Fri 10 2, Sat 11 works 3, Mon 13 4, Tue 14 5
    ("XC01", "2025-09-30 10:00", "2025-10-14"),
    # Jan 21-24 4, Sun 26 works 5, Mon 27 6, Jan 28-Feb 4 rest, Feb 5 7, 6 8, 7 9, Sat 8 works 10; 10-14 15;
    # 17-21 20; 24-28 25; Mar 3-7 30
    ("TS03", "2025-01-20 10:00", "2025-03-07"),
    # Sun Apr 27 works 1, Mon 28 2, Tue 29 3
    ("ZC05", "2025-04-25 10:00", "2025-04-29"),
    # Fri May 30 1, May 31-Jun 2 rest, Jun 3 2, 4 3, 5 4, 6 5
    ("ZC04", "2025-05-29 10:00", "2025-06-06"),
    # Sun Feb 4 works 1, Mon 5 2, 6 3, 7 4, 8 5
    ("XC01", "2024-02-02 10:00", "2024-02-08"),
    # Feb 6 1, 7 2, 8 3, 9 4, 10-17 rest, Sun 18 works 5, 19 6, 20 7, 21 8
    ("ZC06", "2024-02-05 10:00", "2024-02-21"),
    # Apr 4-6 rest, Sun 7 works 1, Mon 8 2, Tue 9 3
    ("TS02", "2024-04-03 10:00", "2024-04-09"),
    # Sun Apr 28 works 1, Mon 29 2, Tue 30 3
    ("TS02", "2024-04-26 10:00", "2024-04-30"),
    # May 9 1, 10 2, Sat 11 works 3, Mon 13 4, 14 5
    ("ZC04", "2024-05-08 10:00", "2024-05-14"),
    # Sep 13 1, Sat 14 works 2, 15-17 rest, 18 3, 19 4, 20 5; 23-27 10; Sun 29 works 11, 30 12, Oct 1-7 rest,
    # 8 13, 9 14, 10 15
    ("ZC03", "2024-09-12 10:00", "2024-10-10"),
    # to the last month of the known calendar: Nov 11-13 3; 16-20 8; 23-27 13; Nov 30-Dec 4 18; 7-11 23; 14-18 28; 21, 22
    ("TS03", "2026-11-10 10:00", "2026-12-22"),
]


@pytest.mark.parametrize(("rule_id", "start", "last"), WORKDAYS)
def test_working_days(rule_id, start, last):
    found = due(rule_id, start)
    assert (found.due_on.isoformat(), found.moved_on.isoformat()) == (last, last)
    assert not found.is_provisional


def test_one_working_day_may_be_a_saturday():
    # Fri Oct 9 2026; Sat 10 works
    one = replace(periods.rule_of("TS02"), length=1)
    assert due_dates.due(one, local("2026-10-09 10:00"), DAYS).due_on == date(2026, 10, 10)


CALENDAR_DAYS = [
    # rule, start, last day, next working day from it
    # Jun 9 + 10 = Fri 19, Dragon Boat; 19-21 rest, Mon 22
    ("TS01", "2026-06-09 10:00", "2026-06-19", "2026-06-22"),
    # Sep 30 + 3 = Sat Oct 3; rest to the 7th, Thu 8
    ("YS01", "2026-09-30 10:00", "2026-10-03", "2026-10-08"),
    # Jun 4 + 3 = Sun 7, Mon 8
    ("YS01", "2026-06-04 10:00", "2026-06-07", "2026-06-08"),
    # Sep 17 + 3 = Sun 20, which works
    ("YS04", "2026-09-17 10:00", "2026-09-20", "2026-09-20"),
    # Feb 7 + 10 = 17, Spring Festival, rest to the 23rd, Tue 24
    ("YS05b", "2026-02-07 10:00", "2026-02-17", "2026-02-24"),
    # Sep 8 + 30: September has 30 days, Thu Oct 8, the first day that works again
    ("ZB02", "2026-09-08 10:00", "2026-10-08", "2026-10-08"),
    # Sep 20 + 15 = Oct 5 2025, rest to the 8th, Thu 9
    ("ZB01", "2025-09-20 10:00", "2025-10-05", "2025-10-09"),
    # Jan 15 + 90: 16 days left in January, 28 in February, 31 in March make 75; 15 more: Wed Apr 15
    ("CF01", "2026-01-15 10:00", "2026-04-15", "2026-04-15"),
    # Jan 5 + 60: 26 days left in January, 28 in February make 54; 6 more: Fri Mar 6
    ("YS05d", "2026-01-05 10:00", "2026-03-06", "2026-03-06"),
]


@pytest.mark.parametrize(("rule_id", "start", "last", "moved"), CALENDAR_DAYS)
def test_calendar_days_have_two_readings_where_they_end_on_a_rest_day(rule_id, start, last, moved):
    found = due(rule_id, start)
    assert (found.due_on.isoformat(), found.moved_on.isoformat()) == (last, moved)


SUSPENDED = [
    # Jun 2-5 4; 8-12 do not count; 15-18 8; 19 rest; 22-26 13; Jun 29-Jul 3 18; 6-10 23; 13-17 28; 20 29, 21 30
    ("TS03", "2026-06-01 10:00", [("2026-06-08", "2026-06-15")], "2026-07-21"),
    # Sep 2-4 3; 7-11 8; 14-17 12; from 18 on nothing; Fri Oct 9 13, Sat 10 works 14; 12-16 19; 19-23 24; 26-30 29; Nov 2 30
    ("TS03", "2026-09-01 10:00", [("2026-09-18", "2026-10-09")], "2026-11-02"),
    # Mar 3-6 4; 9-11 not; 12 5, 13 6; 16-20 11; 23, 24 not; 25 12, 26 13, 27 14; Mar 30-Apr 3 19; 4-6 rest; 7-10 23;
    # 13-17 28; 20 29, 21 30
    ("ZC07a", "2026-03-02 10:00", [("2026-03-09", "2026-03-12"), ("2026-03-23", "2026-03-25")], "2026-04-21"),
    # rest days only: Apr 21-24 4; 27-30 8; May 1-5 rest; 6 9, 7 10, 8 11, Sat 9 works 12; 11-15 17; 18-22 22; 25-29 27;
    # Jun 1 28, 2 29, 3 30
    ("TS03", "2026-04-20 10:00", [("2026-05-01", "2026-05-06")], "2026-06-03"),
    # begun and ended on one day: nothing is lost; Jun 2-5 4; 8-12 9; 15-18 13; 22-26 18; Jun 29-Jul 3 23; 6-10 28; 13, 14 30
    ("TS03", "2026-06-01 10:00", [("2026-06-08", "2026-06-08")], "2026-07-14"),
    # calendar days, objection 4-7 June: 2 1, 3 2, 8 3, 9 4, 10 5, 11 6, 12 7, 13 8, 14 9, Mon 15 10
    ("TS01", "2026-06-01 10:00", [("2026-06-04", "2026-06-08")], "2026-06-15"),
]


@pytest.mark.parametrize(("rule_id", "start", "spans", "last"), SUSPENDED)
def test_time_of_tests_and_reviews_does_not_count(rule_id, start, spans, last):
    found = due(rule_id, start, *spans)
    assert (found.due_on.isoformat(), found.moved_on.isoformat()) == (last, last)


PROVISIONAL = [
    # Dec 2-4 3; 7-11 8; 14-18 13; 21-25 18; 28-31 22; Jan 1 rest; 4-8 27; 11 28, 12 29, 13 30
    ("TS03", "2026-12-01 10:00", "2027-01-13"),
    # Nov 23-27 5; Nov 30-Dec 4 10; 7-11 15; 14-18 20; 21-25 25; 28-31 29; Jan 1 rest; Mon 4 30
    ("TS03", "2026-11-20 10:00", "2027-01-04"),
    # Dec 31 1; Jan 1 rest; Mon 4 2, Tue 5 3
    ("TS02", "2026-12-30 10:00", "2027-01-05"),
    # New Year's Eve Fri Feb 5 and the first three days rest by law, two of them on the weekend and made up on 9 and 10:
    # Thu 11 1, Fri 12 2, Mon 15 3
    ("TS02", "2027-02-04 10:00", "2027-02-15"),
]


@pytest.mark.parametrize(("rule_id", "start", "last"), PROVISIONAL)
def test_a_year_without_its_arrangement_is_reckoned_and_marked(rule_id, start, last):
    found = due(rule_id, start)
    assert found.due_on.isoformat() == last
    assert found.is_provisional


def test_a_calendar_day_of_a_provisional_year_is_sure_and_its_moving_is_not():
    # Dec 26 2026 + 10 = Tue Jan 5 2027
    found = due("TS01", "2026-12-26 10:00")
    assert (found.due_on, found.moved_on) == (date(2027, 1, 5), date(2027, 1, 5))
    assert found.is_provisional


def test_far_years_have_a_date():
    # Jun 1 2099 is a Monday
    found = due("XC01", "2099-06-01 10:00")
    assert (found.due_on, found.is_provisional) == (date(2099, 6, 8), True)


CLOCK_HOURS = [
    ("YS02", "2026-09-30 16:30", "2026-10-01 16:30"),  # a holiday makes no difference
    ("YS03", "2026-02-28 23:50", "2026-03-01 23:50"),
    ("YS10a", "2026-12-31 08:00", "2027-01-01 08:00"),
]


@pytest.mark.parametrize(("rule_id", "start", "end"), CLOCK_HOURS)
def test_24_hours_are_clock_hours(rule_id, start, end):
    found = due(rule_id, start)
    assert found.due_at == found.moved_at == local(end)
    assert not found.is_provisional


LONG = [
    ("CF05", "2024-06-30 10:00", "2026-06-30"),
    ("CF05", "2024-02-29 10:00", "2026-02-28"),  # 2026 has no Feb 29
    ("CF03b", "2026-08-31 10:00", "2027-02-28"),  # February has no 31st
    ("CF03b", "2026-03-15 10:00", "2026-09-15"),
]


@pytest.mark.parametrize(("rule_id", "start", "last"), LONG)
def test_months_and_years_end_on_the_day_of_the_same_number(rule_id, start, last):
    assert due(rule_id, start).due_on.isoformat() == last


def test_a_period_ends_at_midnight_in_shanghai():
    assert due("TS02", "2026-09-18 10:00").due_at == datetime(2026, 9, 22, 16, tzinfo=UTC)


def test_the_day_of_the_event_is_the_day_in_shanghai():
    # 17:00 UTC on Jun 30 is 01:00 on Wed Jul 1 in Shanghai: Jul 2 1, 3 2, Mon 6 3
    at = datetime(2026, 6, 30, 17, tzinfo=UTC)
    assert due_dates.due(periods.rule_of("TS02"), at, DAYS).due_on == date(2026, 7, 6)


def test_a_time_without_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        due_dates.due(periods.rule_of("TS02"), datetime(2026, 6, 30), DAYS)  # noqa: DTZ001


def test_a_rule_without_suspension_refuses_one():
    with pytest.raises(ValueError, match="cannot be suspended"):
        due("TS02", "2026-06-01 10:00", ("2026-06-02", "2026-06-03"))


def test_a_suspension_that_has_not_ended_leaves_the_earliest_end():
    still = [Suspension(date(2026, 6, 8), None)]
    found = due_dates.due(periods.rule_of("TS03"), local("2026-06-01 10:00"), DAYS, still)
    assert found == due("TS03", "2026-06-01 10:00")


MINIMA = [
    ("ZB04", "2026-06-01", "2026-06-21", True),  # 20 days
    ("ZB04", "2026-06-01", "2026-06-20", False),
    ("ZB05", "2026-06-01", "2026-06-16", True),  # 15 days
    ("ZB05", "2026-06-01", "2026-06-15", False),
    ("ZB03b", "2026-06-01", "2026-06-04", True),  # 3 days
    ("ZB03b", "2026-06-01", "2026-06-03", False),
    ("YY01a", "2026-06-01", "2026-06-11", True),  # 10 days before bids are due
    ("YY01a", "2026-06-01", "2026-06-10", False),
    ("CF03b", "2026-01-15", "2026-07-15", True),  # 6 months
    ("CF03b", "2026-01-15", "2026-07-14", False),
]


@pytest.mark.parametrize(("rule_id", "first", "last", "is_enough"), MINIMA)
def test_minimum_periods(rule_id, first, last, is_enough):
    days = date.fromisoformat(first), date.fromisoformat(last)
    assert due_dates.is_long_enough(periods.rule_of(rule_id), *days, DAYS) is is_enough


def test_a_time_limit_is_no_minimum():
    with pytest.raises(ValueError, match="no minimum"):
        due_dates.is_long_enough(periods.rule_of("TS02"), date(2026, 6, 1), date(2026, 6, 9), DAYS)


def stage_on(rule_id, start, day, *, met=None, suspensions=()):
    rule, started_at = periods.rule_of(rule_id), local(start)
    ends = due_dates.due(rule, started_at, DAYS, suspensions)
    at = local(day if " " in day else f"{day} 00:00")
    met_at = local(met) if met else None
    return due_dates.stage(rule, started_at, ends, DAYS, at, suspensions=suspensions, met_at=met_at)


# TS03 from Mon Jun 1 2026 ends on Tue Jul 14. Working days left: Jun 23 (Tue) 15: 24-26 3, Jun 29-Jul 3 8, 6-10 13, 13, 14.
STAGES = [
    ("2026-06-01", Stage.CALM),
    ("2026-06-22", Stage.CALM),  # 16 of 30 left
    ("2026-06-23", Stage.HALF),  # 15 of 30
    ("2026-07-08", Stage.HALF),  # 9, 10, 13, 14: 4
    ("2026-07-09", Stage.THREE_DAYS),
    ("2026-07-12", Stage.THREE_DAYS),  # Sunday: 13, 14
    ("2026-07-13", Stage.ONE_DAY),
    ("2026-07-14", Stage.ONE_DAY),  # the last day
    ("2026-07-15", Stage.OVERDUE),
]


@pytest.mark.parametrize(("day", "expected"), STAGES)
def test_a_clock_warns_at_half_three_days_one_day_and_after(day, expected):
    assert stage_on("TS03", "2026-06-01 10:00", day) == expected


def test_a_period_of_three_days_does_not_begin_with_a_warning():
    # Thu Jul 2 + 3 working days: Fri 3, Mon 6, Tue 7
    days = ["2026-07-02", "2026-07-03", "2026-07-06", "2026-07-07", "2026-07-08"]
    assert [stage_on("TS02", "2026-07-02 10:00", day) for day in days] == [
        Stage.CALM,
        Stage.CALM,
        Stage.ONE_DAY,
        Stage.ONE_DAY,
        Stage.OVERDUE,
    ]


def test_between_the_two_readings_a_clock_warns_and_is_not_called_overdue():
    # Sep 30 + 3 = Sat Oct 3, or Thu Oct 8
    days = ["2026-09-30", "2026-10-03", "2026-10-05", "2026-10-08", "2026-10-09"]
    assert [stage_on("YS01", "2026-09-30 10:00", day) for day in days] == [
        Stage.ONE_DAY,
        Stage.ONE_DAY,
        Stage.ONE_DAY,
        Stage.ONE_DAY,
        Stage.OVERDUE,
    ]


def test_24_hours_run_out_on_the_minute():
    assert stage_on("YS02", "2026-09-30 16:30", "2026-10-01 16:29") == Stage.ONE_DAY
    assert stage_on("YS02", "2026-09-30 16:30", "2026-10-01 16:30") == Stage.OVERDUE


def test_what_was_done_is_in_time_or_late():
    assert stage_on("TS02", "2026-09-18 10:00", "2026-12-01", met="2026-09-22 23:59") == Stage.MET
    assert stage_on("TS02", "2026-09-18 10:00", "2026-12-01", met="2026-09-23 00:01") == Stage.MET_LATE
    assert stage_on("YS01", "2026-09-30 10:00", "2026-12-01", met="2026-10-08 17:00") == Stage.MET


def test_a_suspended_clock_is_not_overdue():
    still = [Suspension(date(2026, 6, 8), None)]
    assert stage_on("TS03", "2026-06-01 10:00", "2026-12-01", suspensions=still) == Stage.SUSPENDED
    assert stage_on("TS03", "2026-06-01 10:00", "2026-06-07", suspensions=still) == Stage.CALM


def test_working_days_left():
    ends = due("TS02", "2026-09-18 10:00")  # Tue Sep 22
    days = [date(2026, 9, 18) + timedelta(days=n) for n in range(7)]
    # Fri 18, Sat 19, Sun 20 (works), Mon 21, Tue 22, Wed 23, Thu 24
    assert [due_dates.workdays_left(ends, day, DAYS) for day in days] == [3, 3, 2, 1, 0, -1, -2]
