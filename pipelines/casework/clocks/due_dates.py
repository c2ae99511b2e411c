"""When a period of the law ends, and how near that is. Pure: dates in, dates out.

How days are counted
    Days are days in Shanghai. The day of the event does not count; a period ends at 24:00 of its last day. "日"
    is a calendar day, "工作日" a day that offices work, 24 hours are clock hours.
    Where a period of calendar days ends on a rest day, there are two readings: it ends there, or it moves to the
    next working day (column ``moves`` of ``deadlines.csv``; the rule was not checked against a source for each
    instrument). Warnings follow the earlier reading, and nothing is called overdue before the later one.
    The time of an inspection, test, appraisal or expert review is not counted: the day it begins is the first
    that does not count, the day it ends counts again.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from pipelines import times
from pipelines.casework.clocks.periods import PeriodRule, Unit
from pipelines.casework.clocks.workdays import Workdays
from pipelines.times import LOCAL

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Suspension:
    """Time that does not count: from a day on, to the day on which it counts again (None: still on).

    ``ground`` is a key of `GROUNDS_ZH`.
    """

    from_on: date
    to_on: date | None
    ground: str = ""

    def covers(self, on: date) -> bool:
        """Tell whether a day does not count."""
        return self.from_on <= on and (self.to_on is None or on < self.to_on)


@dataclass(frozen=True)
class Due:
    """When a period ends.

    Attributes:
        due_at: UTC time, the earlier reading; warnings follow it.
        moved_at: UTC time, the later reading; the same where the two agree.
        is_provisional: rests on a year whose arrangement of working days is not out yet (暂定).
    """

    due_at: datetime
    moved_at: datetime
    is_provisional: bool

    @property
    def due_on(self) -> date:
        """The last day, earlier reading."""
        return times.day_of(self.due_at - timedelta(microseconds=1))

    @property
    def moved_on(self) -> date:
        """The last day, later reading."""
        return times.day_of(self.moved_at - timedelta(microseconds=1))


class Stage(StrEnum):
    """How a clock stands."""

    CALM = "calm"
    HALF = "half"
    THREE_DAYS = "three_days"
    ONE_DAY = "one_day"
    OVERDUE = "overdue"
    SUSPENDED = "suspended"
    MET = "met"
    MET_LATE = "met_late"


STAGES_ZH = {
    Stage.CALM: "正常",
    Stage.HALF: "过半",
    Stage.THREE_DAYS: "三日内到期",
    Stage.ONE_DAY: "一日内到期",
    Stage.OVERDUE: "已超期",
    Stage.SUSPENDED: "扣除期间",
    Stage.MET: "按期办结",
    Stage.MET_LATE: "超期办结",
}

#: Stages of which people are warned, the most urgent first.
WARNED = (Stage.OVERDUE, Stage.ONE_DAY, Stage.THREE_DAYS, Stage.HALF)


@dataclass(frozen=True)
class WarningLimits:
    """When to warn: this share of the period is used up, this many working days are left."""

    share: float = 0.5
    early_days: int = 3
    last_days: int = 1


def due(
    rule: PeriodRule, started_at: datetime, workdays: Workdays, suspensions: Sequence[Suspension] = ()
) -> Due:
    """Return when a period ends.

    Args:
        rule: what must be done in which time. Of a minimum, the end of the day on which it is full.
        started_at: when the event was, with its time zone.
        workdays: the calendar.
        suspensions: time that does not count. One without an end is left out: the result is then the
            earliest possible.

    Raises:
        ValueError: the time has no zone, or the rule knows no suspension.
    """
    if started_at.tzinfo is None:
        raise ValueError(f"{started_at} has no time zone")
    if suspensions and not rule.stops:
        raise ValueError(f"{rule.rule_id} ({rule.act_zh}) cannot be suspended")
    if rule.unit is Unit.HOUR:
        end = started_at.astimezone(UTC) + timedelta(hours=rule.length)
        return Due(end, end, is_provisional=False)
    first = times.day_of(started_at)
    last = _last_day(rule, first, workdays, [each for each in suspensions if each.to_on is not None])
    moved = workdays.next_workday(last) if rule.moves else last
    if rule.unit is Unit.WORKDAY:
        is_provisional = workdays.is_provisional(first, last)
    else:
        is_provisional = rule.moves and workdays.is_provisional(last, moved)
    return Due(_end_of(last), _end_of(moved), is_provisional)


def stage(
    rule: PeriodRule,
    started_at: datetime,
    due: Due,
    workdays: Workdays,
    at: datetime,
    *,
    suspensions: Sequence[Suspension] = (),
    met_at: datetime | None = None,
    early: WarningLimits = WarningLimits(),
) -> Stage:
    """Return how a clock stands at a moment.

    Args:
        rule, started_at, due, workdays, suspensions: of the clock.
        at: the moment.
        met_at: when the act was done.
        early: when to warn. A warning by days comes only after the share is used up: a period of three days does not
            begin with a warning that three days are left.
    """
    if met_at is not None:
        return Stage.MET if met_at <= due.moved_at else Stage.MET_LATE
    today = times.day_of(at)
    if any(each.covers(today) for each in suspensions):
        return Stage.SUSPENDED
    if at >= due.moved_at:
        return Stage.OVERDUE
    left = workdays_left(due, today, workdays)
    if left <= early.last_days:
        return Stage.ONE_DAY
    if _share_left(rule, started_at, due, at, left) > 1 - early.share:
        return Stage.CALM
    return Stage.THREE_DAYS if left <= early.early_days else Stage.HALF


def workdays_left(due: Due, today: date, workdays: Workdays) -> int:
    """Return how many working days come after a day until the last; 0 on the last day, then below 0."""
    if today <= due.due_on:
        return workdays.count(today, due.due_on)
    return -workdays.count(due.due_on, today)


def end_text(due: Due, unit: Unit) -> tuple[str, str]:
    """Return the end of a period as people read it, and the later reading where it differs (else empty).

    Days for periods of days, the minute in Shanghai for periods of hours.
    """
    if unit is Unit.HOUR:
        return due.due_at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M"), ""
    return due.due_on.isoformat(), due.moved_on.isoformat() if due.moved_at != due.due_at else ""


def is_long_enough(rule: PeriodRule, first: date, last: date, workdays: Workdays) -> bool:
    """Tell whether a minimum period is kept between two days, the first not counted.

    Raises:
        ValueError: the rule is no minimum.
    """
    if not rule.at_least:
        raise ValueError(f"{rule.rule_id} ({rule.act_zh}) is a time limit, no minimum")
    return last >= due(rule, times.morning_of(first), workdays).due_on


def months_after(day: date, months: int) -> date:
    """Return the same day some months later or, below 0, earlier; the last day of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _last_day(rule: PeriodRule, first: date, workdays: Workdays, suspensions: Sequence[Suspension]) -> date:
    if rule.unit in (Unit.MONTH, Unit.YEAR):
        return months_after(first, rule.length * (12 if rule.unit is Unit.YEAR else 1))
    counted, on = 0, first
    while counted < rule.length:
        on += _DAY
        counts = rule.unit is Unit.DAY or workdays.is_workday(on)
        counted += counts and not any(each.covers(on) for each in suspensions)
    return on


def _share_left(rule: PeriodRule, started_at: datetime, due: Due, at: datetime, left: int) -> float:
    match rule.unit:
        case Unit.WORKDAY:
            return left / rule.length
        case Unit.HOUR:
            return (due.due_at - at) / (due.due_at - started_at)
        case Unit.DAY:
            return (due.due_on - times.day_of(at)).days / rule.length
        case _:
            return (due.due_on - times.day_of(at)) / (due.due_on - times.day_of(started_at))


def _end_of(on: date) -> datetime:
    return times.morning_of(on + _DAY)
