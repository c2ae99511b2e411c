"""Clocks as rows of the control store: their periods, ends and suspensions, and the working days that are known here."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date, datetime

from pipelines.casework.clocks import periods, workdays
from pipelines.casework.clocks.due_dates import Due, Suspension
from pipelines.casework.clocks.periods import PeriodRule, Unit
from pipelines.casework.clocks.workdays import Workdays


def known_calendar(con: sqlite3.Connection) -> Workdays:
    """Return the working days that count here: those shipped, and those loaded since."""
    return workdays.calendar(loaded_days(con))


def loaded_days(con: sqlite3.Connection) -> list[workdays.Day]:
    """Return the days that were loaded here, the last of each date."""
    rows = con.execute("SELECT date, is_workday, is_official, notice FROM workday ORDER BY number").fetchall()
    last = {on: (bool(works), bool(official), notice) for on, works, official, notice in rows}
    return [workdays.Day(date.fromisoformat(on), *rest) for on, rest in sorted(last.items())]


def rule_in(row: sqlite3.Row) -> PeriodRule:
    """Return the rule of a row of ``deadline``, with the length that it had when the clock started."""
    return replace(
        periods.rule_of(row["rule"]), length=row["length"], unit=Unit(row["unit"]), moves=bool(row["moves"])
    )


def suspension_in(row: sqlite3.Row) -> Suspension:
    """Return the suspension in a row of ``suspension``."""
    to_on = row["to_on"]
    return Suspension(
        date.fromisoformat(row["from_on"]), date.fromisoformat(to_on) if to_on else None, row["ground"]
    )


def due_in(row: sqlite3.Row) -> Due:
    """Return the end of a period in a row of ``deadline_due``."""
    return Due(
        datetime.fromisoformat(row["due_at"]),
        datetime.fromisoformat(row["moved_at"]),
        bool(row["is_provisional"]),
    )
