"""Clocks that run: started and stopped by the steps of people, read by the night.

`begin`, `end`, `extend`, `halt` and `go_on` are for other steps to call inside their own transaction; what a person
does to a clock and nothing else is in `deadline_steps`.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pipelines import times
from pipelines.casework.clocks import clocks, workdays
from pipelines.casework.clocks.clocks import (
    GROUNDS_ZH,
    WARNED,
    DelayKind,
    Due,
    PeriodRule,
    Stage,
    Suspension,
    Unit,
)
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


def calendar(con: sqlite3.Connection) -> Workdays:
    """Return the working days as they are known here: shipped, and loaded since."""
    return workdays.calendar(own_days(con))


def own_days(con: sqlite3.Connection) -> list[workdays.Day]:
    """Return the days that were loaded here, the last of each date."""
    rows = con.execute("SELECT date, is_workday, is_official, notice FROM workday ORDER BY number").fetchall()
    last = {on: (bool(works), bool(official), notice) for on, works, official, notice in rows}
    return [workdays.Day(date.fromisoformat(on), *rest) for on, rest in sorted(last.items())]


def begin(con: sqlite3.Connection, object: str, rule_id: str, at: str) -> int:
    """Start a clock, inside the caller's transaction. The same start again changes nothing.

    Args:
        con: inside a transaction.
        object: what it is about.
        rule_id: the period.
        at: time of the event, ISO 8601 with its zone.

    Returns:
        The number of the clock.

    Raises:
        ValueError: no such rule, a rule that is a minimum, or a time that cannot be read.
    """
    rule = clocks.rule_of(rule_id)
    if rule.at_least:
        raise ValueError(f"{rule_id} ({rule.act_zh}) is a minimum and not a time limit; nothing to start")
    starts_at = times.instant(at)
    known = con.execute(
        "SELECT number FROM deadline WHERE object = ? AND rule = ? AND starts_at = ?",
        (object, rule_id, starts_at.isoformat()),
    ).fetchall()
    if known:
        return int(known[0][0])
    number = con.execute(
        "INSERT INTO deadline (object, rule, starts_at, length, unit, moves) VALUES (?, ?, ?, ?, ?, ?)"
        " RETURNING number",
        (object, rule_id, starts_at.isoformat(), rule.length, rule.unit, rule.moves),
    ).fetchall()[0][0]
    reckon(con, number, "start", calendar(con))
    return int(number)


def end(con: sqlite3.Connection, object: str, rule_id: str, at: str, *, outcome: str = "met") -> bool:
    """Stop the clocks of an object under a rule, inside the caller's transaction.

    Args:
        con: inside a transaction.
        object: what it is about.
        rule_id: the period.
        at: time of the act, ISO 8601 with its zone.
        outcome: ``met``: the act was done; ``lapsed``: it is no longer due; ``void``: it turned out never to
            have been due, so that it is no delay either.

    Returns:
        Whether a clock was running.

    Raises:
        ValueError: the act lies before the event that started the clock.
    """
    running = _running(con, object, rule_id)
    for number, starts_at in running:
        when = not_before(at, starts_at, f"{object}, {rule_id}")
        stopped = con.execute(
            "UPDATE suspension SET to_on = max(from_on, ?) WHERE deadline = ? AND to_on IS NULL",
            (times.day_of(when).isoformat(), number),
        )
        if stopped.rowcount:
            reckon(con, number, "suspension", calendar(con))
        con.execute(
            "INSERT INTO deadline_end (deadline, at, outcome) VALUES (?, ?, ?)",
            (number, when.isoformat(), outcome),
        )
    return bool(running)


def extend(con: sqlite3.Connection, object: str, rule_id: str, at: str) -> int:
    """Let a longer period take over the clock that it extends; it counts from the same start.

    Args:
        con: inside a transaction.
        object: what it is about.
        rule_id: the longer period.
        at: time of the approval, ISO 8601 with its zone.

    Returns:
        The number of the new clock.

    Raises:
        ValueError: the rule extends nothing, or the clock that it extends is not running.
    """
    shorter = clocks.rule_of(rule_id).extends
    if shorter is None:
        raise ValueError(f"{rule_id} extends no other period")
    running = _running(con, object, shorter)
    if not running:
        raise ValueError(f"{object}: no clock of {shorter} is running that {rule_id} could extend")
    end(con, object, shorter, at, outcome="extended")
    return begin(con, object, rule_id, running[-1][1].isoformat())


def halt(con: sqlite3.Connection, object: str, rule_id: str, ground: str, from_on: date) -> None:
    """Let time stop counting from a day on, inside the caller's transaction.

    Raises:
        ValueError: no such clock is running, it stands still already or had run out, the rule does not
            know the ground, or the day does not fit.
    """
    rule = clocks.rule_of(rule_id)
    if ground not in rule.stops:
        known = ", ".join(f"{each} {GROUNDS_ZH[each]}" for each in rule.stops) or "none"
        raise ValueError(f"{rule_id} ({rule.act_zh}) does not stop for {ground!r}; grounds: {known}")
    for number, starts_at in _required(con, object, rule_id):
        before = _suspensions(con, number)
        last = _due(con, number).moved_on
        if any(each.to_on is None for each in before):
            raise ValueError(f"{object}, {rule_id}: the clock stands still already")
        if from_on < max([times.day_of(starts_at), *(each.to_on for each in before if each.to_on)]):
            raise ValueError(f"{object}, {rule_id}: {from_on} lies before the start or an earlier suspension")
        if from_on > last:
            raise ValueError(f"{object}, {rule_id}: the period ended on {last}, it cannot stop on {from_on}")
        con.execute(
            "INSERT INTO suspension (deadline, ground, from_on) VALUES (?, ?, ?)",
            (number, ground, from_on.isoformat()),
        )


def go_on(con: sqlite3.Connection, object: str, rule_id: str, to_on: date) -> None:
    """Let time count again from a day on, inside the caller's transaction.

    Raises:
        ValueError: no such clock stands still, or the day lies before the suspension.
    """
    still = [
        (number, each.from_on)
        for number, _ in _required(con, object, rule_id)
        for each in _suspensions(con, number)
        if each.to_on is None
    ]
    if not still:
        raise ValueError(f"{object}, {rule_id}: the clock is not suspended")
    for number, from_on in still:
        if to_on < from_on:
            raise ValueError(f"{object}, {rule_id}: suspended on {from_on}, it cannot go on on {to_on}")
        con.execute(
            "UPDATE suspension SET to_on = ? WHERE deadline = ? AND to_on IS NULL",
            (to_on.isoformat(), number),
        )
        reckon(con, number, "suspension", calendar(con))


def reckon(con: sqlite3.Connection, number: int, why: str, days: Workdays) -> bool:
    """Work out again when a clock ends, and write it down where it changed.

    Args:
        con: inside a transaction.
        number: of the clock.
        why: ``start``, ``suspension`` or ``calendar``.
        days: the working days.

    Returns:
        Whether anything changed.
    """
    rule, starts_at = _started(con, number)
    found = clocks.due(rule, starts_at, days, _suspensions(con, number))
    if why != "start" and found == _due(con, number):
        return False
    con.execute(
        "INSERT INTO deadline_due (deadline, due_at, moved_at, calendar, is_provisional, why)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            number,
            found.due_at.isoformat(),
            found.moved_at.isoformat(),
            days.version,
            found.is_provisional,
            why,
        ),
    )
    return True


def open_deadlines(store: Store, as_of: date, at: datetime | None = None) -> list[Deadline]:
    """Return the clocks that run on a day, those that end first at the top.

    Args:
        store: the control store.
        as_of: the day, in Shanghai.
        at: the moment of that day, for clocks of 24 hours; its first if none is given.
    """
    return sorted(
        (each for each in all_deadlines(store, as_of, at) if each.outcome is None),
        key=lambda each: (each.due.due_at, each.number),
    )


def warnings(store: Store, as_of: date, at: datetime | None = None) -> list[Deadline]:
    """Return the clocks of which to warn on a day, the most urgent first. Arguments as for `open_deadlines`."""
    near = [each for each in open_deadlines(store, as_of, at) if each.stage in WARNED]
    return sorted(near, key=lambda each: (WARNED.index(each.stage), each.due.due_at, each.number))


def all_deadlines(store: Store, as_of: date, at: datetime | None = None) -> list[Deadline]:
    """Return every clock that had started by the end of a day, as it stood then. Arguments as above."""
    days = calendar(store.con)
    close = times.morning_of(as_of + timedelta(days=1))
    when = at or times.morning_of(as_of)
    stopped: dict[int, list[Suspension]] = {}
    for row in store.rows("SELECT deadline, from_on, to_on, ground FROM suspension ORDER BY number"):
        stopped.setdefault(row["deadline"], []).append(_suspension(row))
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
    """Return the clocks whose period ended in a year and that were not stopped in time (notice, article 10).

    A clock counts from the day after the later reading of its last day. One that a longer period took
    over in time is none, nor is one that turned out not to apply.

    Args:
        store: the control store.
        year: in which the last day lies.
        as_of: what had happened by this day.
    """
    days = calendar(store.con)
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


def recompute(con: sqlite3.Connection, days: Workdays) -> list[int]:
    """Reckon every clock with a calendar and return the numbers of those whose end changed."""
    numbers = [row[0] for row in con.execute("SELECT number FROM deadline ORDER BY number").fetchall()]
    return [number for number in numbers if reckon(con, number, "calendar", days)]


def not_before(text: str, before: datetime, what: str) -> datetime:
    """Return an ISO time as UTC; one on the same day as ``before`` and earlier, such as a date alone, counts as then.

    Raises:
        ValueError: it lies on an earlier day.
    """
    when = times.instant(text)
    if times.day_of(when) < times.day_of(before):
        raise ValueError(
            f"{what}: {times.day_of(when)} lies before what it follows, on {times.day_of(before)}"
        )
    return max(when, before)


def _running(con: sqlite3.Connection, object: str, rule_id: str) -> list[tuple[int, datetime]]:
    rows = con.execute(
        "SELECT number, starts_at FROM deadline WHERE object = ? AND rule = ?"
        " AND number NOT IN (SELECT deadline FROM deadline_end) ORDER BY number",
        (object, rule_id),
    ).fetchall()
    return [(int(number), datetime.fromisoformat(starts_at)) for number, starts_at in rows]


def _required(con: sqlite3.Connection, object: str, rule_id: str) -> list[tuple[int, datetime]]:
    running = _running(con, object, rule_id)
    if not running:
        raise ValueError(f"{object}: no clock of {rule_id} is running; `bidwatch deadlines list` shows them")
    return running


def _started(con: sqlite3.Connection, number: int) -> tuple[PeriodRule, datetime]:
    row = con.execute(
        "SELECT rule, starts_at, length, unit, moves FROM deadline WHERE number = ?", (number,)
    ).fetchall()[0]
    return _rule(row), datetime.fromisoformat(row["starts_at"])


def _rule(row: sqlite3.Row) -> PeriodRule:
    """Return the rule with the length that it had when the clock started."""
    return replace(
        clocks.rule_of(row["rule"]), length=row["length"], unit=Unit(row["unit"]), moves=bool(row["moves"])
    )


def _suspensions(con: sqlite3.Connection, number: int) -> list[Suspension]:
    rows = con.execute(
        "SELECT from_on, to_on, ground FROM suspension WHERE deadline = ? ORDER BY number", (number,)
    ).fetchall()
    return [_suspension(row) for row in rows]


def _suspension(row: sqlite3.Row) -> Suspension:
    to_on = row["to_on"]
    return Suspension(
        date.fromisoformat(row["from_on"]), date.fromisoformat(to_on) if to_on else None, row["ground"]
    )


def _due(con: sqlite3.Connection, number: int) -> Due:
    row = con.execute(
        "SELECT due_at, moved_at, is_provisional FROM deadline_due WHERE deadline = ? ORDER BY number DESC LIMIT 1",
        (number,),
    ).fetchall()[0]
    return _read_due(row)


def _read_due(row: sqlite3.Row) -> Due:
    return Due(
        datetime.fromisoformat(row["due_at"]),
        datetime.fromisoformat(row["moved_at"]),
        bool(row["is_provisional"]),
    )


def _deadline(
    row: sqlite3.Row, suspensions: tuple[Suspension, ...], days: Workdays, when: datetime
) -> Deadline:
    rule, due = _rule(row), _read_due(row)
    starts_at = datetime.fromisoformat(row["starts_at"])
    ended_at = datetime.fromisoformat(row["ended_at"]) if row["ended_at"] else None
    return Deadline(
        number=row["number"],
        object=row["object"],
        rule=rule,
        starts_at=starts_at,
        due=due,
        stage=clocks.stage(rule, starts_at, due, days, when, suspensions=suspensions, met_at=ended_at),
        workdays_left=clocks.workdays_left(due, times.day_of(when), days),
        suspensions=suspensions,
        ended_at=ended_at,
        outcome=row["outcome"],
    )
