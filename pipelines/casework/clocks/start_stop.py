"""Start, stop, extend and suspend clocks.

The steps of people on cases, complaints, lists and draws call these inside their own transaction. What a person does to
a clock and nothing else is in `steps`.
"""

from __future__ import annotations

import sqlite3
from datetime import date, datetime

from pipelines import times
from pipelines.casework.clocks import due_dates, periods
from pipelines.casework.clocks.due_dates import Due, Suspension
from pipelines.casework.clocks.periods import GROUNDS_ZH, PeriodRule
from pipelines.casework.clocks.stored import due_in, known_calendar, rule_in, suspension_in
from pipelines.casework.clocks.workdays import Workdays


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
    rule = periods.rule_of(rule_id)
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
    reckon(con, number, "start", known_calendar(con))
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
            reckon(con, number, "suspension", known_calendar(con))
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
    shorter = periods.rule_of(rule_id).extends
    if shorter is None:
        raise ValueError(f"{rule_id} extends no other period")
    running = _running(con, object, shorter)
    if not running:
        raise ValueError(f"{object}: no clock of {shorter} is running that {rule_id} could extend")
    end(con, object, shorter, at, outcome="extended")
    return begin(con, object, rule_id, running[-1][1].isoformat())


def suspend(con: sqlite3.Connection, object: str, rule_id: str, ground: str, from_on: date) -> None:
    """Let time stop counting from a day on, inside the caller's transaction.

    Raises:
        ValueError: no such clock is running, it stands still already or has run out, the rule does not know the
            ground, or the day lies before the start or an earlier suspension.
    """
    rule = periods.rule_of(rule_id)
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


def resume(con: sqlite3.Connection, object: str, rule_id: str, to_on: date) -> None:
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
        reckon(con, number, "suspension", known_calendar(con))


def reckon(con: sqlite3.Connection, number: int, why: str, days: Workdays) -> bool:
    """Work out when a clock ends, and write it down where it changed.

    Args:
        con: inside a transaction.
        number: of the clock.
        why: ``start``, ``suspension`` or ``known_calendar``.
        days: the working days.

    Returns:
        Whether anything changed.
    """
    rule, starts_at = _started(con, number)
    found = due_dates.due(rule, starts_at, days, _suspensions(con, number))
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


def reckon_all(con: sqlite3.Connection, days: Workdays) -> list[int]:
    """Reckon every clock with a calendar and return the numbers of those whose end changed."""
    numbers = [row[0] for row in con.execute("SELECT number FROM deadline ORDER BY number").fetchall()]
    return [number for number in numbers if reckon(con, number, "calendar", days)]


def not_before(text: str, before: datetime, what: str) -> datetime:
    """Return an ISO time as UTC, and ``before`` where it is earlier on the same day, as a date alone is.

    Args:
        text: ISO 8601, with its zone.
        before: what it follows.
        what: whose time it is, for the message.

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
    return rule_in(row), datetime.fromisoformat(row["starts_at"])


def _suspensions(con: sqlite3.Connection, number: int) -> list[Suspension]:
    rows = con.execute(
        "SELECT from_on, to_on, ground FROM suspension WHERE deadline = ? ORDER BY number", (number,)
    ).fetchall()
    return [suspension_in(row) for row in rows]


def _due(con: sqlite3.Connection, number: int) -> Due:
    row = con.execute(
        "SELECT due_at, moved_at, is_provisional FROM deadline_due WHERE deadline = ? ORDER BY number DESC LIMIT 1",
        (number,),
    ).fetchall()[0]
    return due_in(row)
