"""Clocks as they stand on a day: which run, of which to warn, and which ran out."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pipelines import times
from pipelines.casework.clocks import due_dates
from pipelines.casework.clocks.due_dates import WARNED, Due, Stage, Suspension
from pipelines.casework.clocks.periods import DelayKind, PeriodRule
from pipelines.casework.clocks.stored import due_in, known_calendar, rule_in, suspension_in
from pipelines.casework.clocks.workdays import Workdays
from pipelines.store import Store


@dataclass(frozen=True, kw_only=True)
class Deadline:
    """One clock as it stands on a day.

    Attributes:
        number: of the clock.
        object: what it is about: the id of a case, a referral, a complaint, a lot.
        rule: the period, with the length that it had when the clock started.
        starts_at: UTC time of the event.
        due: when it ends.
        stage: how it stands.
        workdays_left: working days after the day until the last one; 0 on the last, then below 0.
        suspensions: time that does not count.
        ended_at: UTC time at which it stopped.
        outcome: ``met``, ``lapsed``, ``void`` or ``extended``, if it stopped.
    """

    number: int
    object: str
    rule: PeriodRule
    starts_at: datetime
    due: Due
    stage: Stage
    workdays_left: int
    suspensions: tuple[Suspension, ...]
    ended_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class Delay:
    """A clock that ran out, for the yearly assessment. ``days_late``: working days, up to the end or the day asked."""

    number: int
    object: str
    rule: PeriodRule
    kind: DelayKind
    due_on: date
    ended_on: date | None
    days_late: int


def open_deadlines(store: Store, as_of: date, at: datetime | None = None) -> list[Deadline]:
    """Return the clocks that run on a day, those that end first at the top.

    Args:
        store: the control store.
        as_of: the day, in Shanghai.
        at: the moment of that day, for clocks of 24 hours; None: its first.
    """
    return sorted(
        (each for each in all_deadlines(store, as_of, at) if each.outcome is None),
        key=lambda each: (each.due.due_at, each.number),
    )


def warnings(store: Store, as_of: date, at: datetime | None = None) -> list[Deadline]:
    """Return the clocks of which to warn on a day, the most urgent first; arguments as for `open_deadlines`."""
    near = [each for each in open_deadlines(store, as_of, at) if each.stage in WARNED]
    return sorted(near, key=lambda each: (WARNED.index(each.stage), each.due.due_at, each.number))


def all_deadlines(store: Store, as_of: date, at: datetime | None = None) -> list[Deadline]:
    """Return every clock that had started by the end of a day, as it stood then; arguments as for `open_deadlines`."""
    days = known_calendar(store.con)
    close = times.morning_of(as_of + timedelta(days=1))
    when = at or times.morning_of(as_of)
    stopped: dict[int, list[Suspension]] = {}
    for row in store.rows("SELECT deadline, from_on, to_on, ground FROM suspension ORDER BY number"):
        stopped.setdefault(row["deadline"], []).append(suspension_in(row))
    rows = store.rows(
        """
        SELECT d.*, r.due_at, r.moved_at, r.is_provisional, e.at AS ended_at, e.outcome
        FROM deadline AS d
        JOIN deadline_due AS r ON r.number = (SELECT max(number) FROM deadline_due WHERE deadline = d.number)
        LEFT JOIN deadline_end AS e ON e.deadline = d.number AND e.at < ?
        WHERE d.starts_at < ?
        ORDER BY d.number
        """,
        close.isoformat(),
        close.isoformat(),
    )
    return [_deadline(row, tuple(stopped.get(row["number"], ())), days, when) for row in rows]


def delays(store: Store, year: int, as_of: date) -> list[Delay]:
    """Return the clocks whose period ended in a year and that were not stopped in time (article 10 of the notice).

    A clock is late from the day after the later reading of its last day. A clock that a longer period took over in
    time is no delay, and neither is one that turned out not to apply.

    Args:
        store: the control store.
        year: in which the last day lies.
        as_of: what had happened by this day.
    """
    days = known_calendar(store.con)
    found = []
    for each in all_deadlines(store, as_of):
        last = each.due.moved_on
        is_late = each.stage in (Stage.OVERDUE, Stage.MET_LATE) and each.outcome != "void"
        if not is_late or last.year != year:
            continue
        ended_on = times.day_of(each.ended_at) if each.ended_at else None
        found.append(
            Delay(
                each.number,
                each.object,
                each.rule,
                each.rule.late(is_done=ended_on is not None),
                last,
                ended_on,
                days.count(last, ended_on or as_of),
            )
        )
    return sorted(found, key=lambda each: (each.due_on, each.number))


def _deadline(
    row: sqlite3.Row, suspensions: tuple[Suspension, ...], days: Workdays, when: datetime
) -> Deadline:
    rule, due = rule_in(row), due_in(row)
    starts_at = datetime.fromisoformat(row["starts_at"])
    ended_at = datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None
    return Deadline(
        number=row["number"],
        object=row["object"],
        rule=rule,
        starts_at=starts_at,
        due=due,
        stage=due_dates.stage(rule, starts_at, due, days, when, suspensions=suspensions, met_at=ended_at),
        workdays_left=due_dates.workdays_left(due, times.day_of(when), days),
        suspensions=suspensions,
        ended_at=ended_at,
        outcome=row["outcome"],
    )
