from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest

from pipelines.casework.clocks import workdays

HEADER = "date,is_workday,status,notice\n"
SHIPPED = workdays.calendar()

#: The Saturday is worked for the rest day 2006-01-03. `holidays` says so; `chinese_calendar` begins the arrangement
#: of 2006 on its first of January and leaves the Saturday out.
DISPUTED = date(2005, 12, 31)

#: The first ten days of a year that could be: enough rest days to be a whole arrangement.
YEAR_2027 = HEADER + "".join(
    f"2027-{day},{works},official,notice of 2027\n"
    for day, works in [
        ("01-01", "no"),
        ("02-05", "no"),
        ("02-08", "no"),
        ("02-09", "no"),
        ("02-10", "no"),
        ("02-11", "no"),
        ("02-20", "yes"),
        ("04-05", "no"),
        ("05-03", "no"),
        ("05-04", "no"),
        ("06-09", "no"),
        ("10-01", "no"),
    ]
)


def every_day(first_year, last_year):
    days = (date(last_year + 1, 1, 1) - date(first_year, 1, 1)).days
    return [date(first_year, 1, 1) + timedelta(days=n) for n in range(days)]


def loaded(tmp_path, text):
    path = tmp_path / "workdays.csv"
    path.write_text(text, encoding="utf-8")
    return workdays.calendar(workdays.read(path))


def test_shipped_days_are_those_of_the_library_they_were_made_from():
    law = holidays.country_holidays("CN", years=range(2003, 2038))
    differing = [on for on in every_day(2004, 2036) if SHIPPED.is_workday(on) != law.is_working_day(on)]
    assert differing == []


def test_a_second_library_says_the_same_of_every_day_but_one():
    differing = [
        on for on in every_day(2004, 2026) if SHIPPED.is_workday(on) != chinese_calendar.is_workday(on)
    ]
    assert differing == [DISPUTED]
    assert SHIPPED.is_workday(DISPUTED)
    assert not SHIPPED.is_workday(date(2006, 1, 3))


def test_2026_is_as_the_state_council_arranged_it():
    # 元旦 1.1-1.3; 春节 2.15-2.23; 清明 4.4-4.6; 劳动节 5.1-5.5; 端午 6.19-6.21; 中秋 9.25-9.27; 国庆 10.1-10.7
    rests = [(1, 1, 3), (2, 15, 23), (4, 4, 6), (5, 1, 5), (6, 19, 21), (9, 25, 27), (10, 1, 7)]
    for month, first, last in rests:
        assert not any(SHIPPED.is_workday(date(2026, month, day)) for day in range(first, last + 1))
    # 1.4, 2.14, 2.28, 5.9, 9.20, 10.10 上班
    worked = [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]
    assert [
        (on.month, on.day) for on in every_day(2026, 2026) if on.weekday() > 4 and SHIPPED.is_workday(on)
    ] == worked


def test_only_days_that_differ_from_their_weekday_are_listed():
    days = workdays.shipped()
    assert [day.on for day in days] == sorted({day.on for day in days})
    assert all(day.is_workday != (day.on.weekday() < 5) for day in days)


def test_years_with_an_arrangement_are_official_and_others_are_not():
    assert not SHIPPED.is_provisional(date(2004, 1, 1), date(2026, 12, 31))
    assert SHIPPED.is_provisional(date(2026, 12, 31), date(2027, 1, 1))
    assert SHIPPED.is_provisional(date(2003, 12, 31), date(2004, 1, 1))


def test_far_years_have_an_answer():
    assert not SHIPPED.is_workday(date(2027, 10, 1))
    assert SHIPPED.is_workday(date(2099, 1, 5))  # a Monday
    assert SHIPPED.is_provisional(date(2099, 1, 5), date(2099, 1, 5))


def test_an_arrangement_makes_a_year_official_and_replaces_what_was_reckoned_for_it(tmp_path):
    days = loaded(tmp_path, YEAR_2027)
    assert not days.is_provisional(date(2026, 12, 1), date(2027, 12, 31))
    assert days.is_workday(date(2027, 2, 20))  # a Saturday that is worked
    assert days.is_workday(date(2027, 9, 15))  # reckoned as Mid-Autumn, and not in the arrangement
    assert days.version != SHIPPED.version


def test_an_arrangement_may_change_the_last_days_of_the_year_before(tmp_path):
    days = loaded(tmp_path, YEAR_2027 + "2026-12-27,yes,official,notice of 2027\n")
    assert days.is_workday(date(2026, 12, 27))
    assert not days.is_workday(date(2026, 10, 1))


def test_half_an_arrangement_is_refused(tmp_path):
    with pytest.raises(ValueError, match="arrangement of 2027 names 1 rest days"):
        loaded(tmp_path, HEADER + "2027-01-01,no,official,\n")


def test_a_provisional_day_does_not_make_a_year_official(tmp_path):
    days = loaded(tmp_path, HEADER + "2027-01-04,no,provisional,county\n2026-01-05,no,provisional,county\n")
    assert not days.is_workday(date(2027, 1, 4))
    assert days.is_provisional(date(2027, 1, 4), date(2027, 1, 4))
    assert days.is_workday(date(2026, 1, 5)), "a provisional day does not overrule an official year"


def test_the_same_days_have_the_same_version():
    assert workdays.calendar(workdays.shipped()).version == SHIPPED.version


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,is_workday\n", "columns must be date, is_workday, status, notice"),
        (HEADER + "1 Jan,no,official,\n", "line 2, column date: '1 Jan' is no date"),
        (HEADER + "2027-01-01,0,official,\n", "line 2, column is_workday: '0'"),
        (HEADER + "2027-01-01,no,final,\n", "line 2, column status: 'final'"),
        (HEADER + "2027-01-01,no,official,\n2027-01-01,yes,official,\n", "2027-01-01 stands there twice"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        loaded(tmp_path, text)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no calendar"):
        workdays.read(tmp_path / "none.csv")


def test_counting_leaves_the_first_day_out_and_the_last_in():
    assert SHIPPED.count(date(2026, 9, 18), date(2026, 9, 22)) == 3
    assert SHIPPED.count(date(2026, 9, 22), date(2026, 9, 22)) == 0
    assert SHIPPED.next_workday(date(2026, 10, 1)) == date(2026, 10, 8)


def test_counting_agrees_with_going_day_by_day():
    days = every_day(2003, 2028)
    worked = [SHIPPED.is_workday(on) for on in days]
    for length in (1, 7, 400):
        for first in range(0, len(days) - length, 17):
            expected = sum(worked[first + 1 : first + length + 1])
            assert SHIPPED.count(days[first], days[first + length]) == expected
