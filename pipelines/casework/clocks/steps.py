"""What a person does to a clock and to nothing else: start, stop, suspend, resume; and load a new calendar.

A time or day that is not given is that of the act.
"""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines import times
from pipelines.casework.acts import Act, once
from pipelines.casework.clocks import start_stop, stored, workdays
from pipelines.reference import Reference
from pipelines.store import Store


def start(store: Store, act: Act, object: str, rule_id: str, at: str | None = None) -> str:
    """Start a clock for an object at a time; the same start again changes nothing. Returns its number."""

    def do(con: sqlite3.Connection) -> str:
        return str(start_stop.begin(con, object, rule_id, at or act.at))

    return once(store, act, "start_deadline", object, {"rule": rule_id, "starts_at": at}, do)


def meet(store: Store, act: Act, object: str, rule_id: str, at: str | None = None) -> str:
    """Say that the act was done at a time.

    Raises:
        ValueError: no such clock is running, or the act lies before its start.
    """

    def do(con: sqlite3.Connection) -> str:
        if not start_stop.end(con, object, rule_id, at or act.at):
            raise ValueError(_not_running(object, rule_id))
        return ""

    return once(store, act, "meet_deadline", object, {"rule": rule_id, "met_at": at}, do)


def lapse(store: Store, act: Act, object: str, rule_id: str, at: str | None = None) -> str:
    """Say that an act is no longer due, and why.

    Raises:
        ValueError: no reason, or no such clock is running.
    """

    def do(con: sqlite3.Connection) -> str:
        _reasoned(act, "to let a clock lapse")
        if not start_stop.end(con, object, rule_id, at or act.at, outcome="lapsed"):
            raise ValueError(_not_running(object, rule_id))
        return ""

    return once(store, act, "lapse_deadline", object, {"rule": rule_id, "lapsed_at": at}, do)


def extend(store: Store, act: Act, object: str, rule_id: str, at: str | None = None) -> str:
    """Let a longer period take over, with an approval named in the reason. Returns the new clock's number."""

    def do(con: sqlite3.Connection) -> str:
        _reasoned(act, "to extend a period: name the approval")
        return str(start_stop.extend(con, object, rule_id, at or act.at))

    return once(store, act, "extend_deadline", object, {"rule": rule_id, "approved_at": at}, do)


def suspend(
    store: Store, act: Act, object: str, rule_id: str, ground: str, from_on: date | None = None
) -> str:
    """Let time stop counting from a day on.

    Raises:
        ValueError: no reason, or `start_stop.suspend` refuses.
    """

    def do(con: sqlite3.Connection) -> str:
        _reasoned(act, "to suspend a clock")
        start_stop.suspend(con, object, rule_id, ground, from_on or _day(act))
        return ""

    payload = {"rule": rule_id, "ground": ground, "from_on": from_on and from_on.isoformat()}
    return once(store, act, "suspend_deadline", object, payload, do)


def resume(store: Store, act: Act, object: str, rule_id: str, to_on: date | None = None) -> str:
    """Let time count again from a day on."""

    def do(con: sqlite3.Connection) -> str:
        start_stop.resume(con, object, rule_id, to_on or _day(act))
        return ""

    return once(
        store, act, "resume_deadline", object, {"rule": rule_id, "to_on": to_on and to_on.isoformat()}, do
    )


@dataclass(frozen=True)
class LoadedCalendar:
    """What a new calendar changed: its version, the years that are official now, the clocks that moved."""

    version: str
    years: tuple[int, ...]
    moved: tuple[int, ...]


def load_calendar(store: Store, act: Act, path: Path) -> LoadedCalendar:
    """Take in an arrangement of working days and reckon every clock again.

    Args:
        store: the control store.
        act: who, when; the reason names the State Council's notice.
        path: CSV with the columns of ``data/reference/workdays.csv``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: no reason, a value that cannot be read, or half of an arrangement.
    """
    days = workdays.read(path)
    before = stored.known_calendar(store.con)
    moved: list[int] = []

    def do(con: sqlite3.Connection) -> str:
        _reasoned(act, "to load a calendar: name the notice")
        known = set(stored.loaded_days(con))
        con.executemany(
            "INSERT INTO workday (date, is_workday, is_official, notice) VALUES (?, ?, ?, ?)",
            [
                (day.on.isoformat(), day.is_workday, day.is_official, day.notice)
                for day in days
                if day not in known
            ],
        )
        after = stored.known_calendar(con)
        moved.extend(start_stop.reckon_all(con, after))
        return after.version

    file_sha = hashlib.sha256(path.read_bytes()).hexdigest()
    version = once(store, act, "load_calendar", "workdays", {"file_sha": file_sha, "days": len(days)}, do)
    after = stored.known_calendar(store.con)
    return LoadedCalendar(version, tuple(sorted(after.official_years - before.official_years)), tuple(moved))


def take_over_calendar(store: Store, known: Reference, *, actor: str, at: str) -> LoadedCalendar | None:
    """Load the installation's own ``reference/workdays.csv`` where it says what was not known yet.

    Raises:
        ValueError: a value cannot be read, or half of an arrangement.
    """
    path = known.file("workdays.csv")
    if path is None or set(workdays.read(path)) <= set(stored.loaded_days(store.con)):
        return None
    return load_calendar(store, Act(actor=actor, at=at, reason=f"reference/{path.name}"), path)


def _day(act: Act) -> date:
    return times.day_of(act.at)


def _reasoned(act: Act, what: str) -> None:
    if not act.reason.strip():
        raise ValueError(f"a reason is needed {what}: --reason TEXT")


def _not_running(object: str, rule_id: str) -> str:
    return f"{object}: no clock of {rule_id} is running; `bidwatch deadlines list` shows them"
