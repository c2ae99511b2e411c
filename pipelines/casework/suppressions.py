"""Agreements not to be told of a matter for a time (抑制). Each has a reason and an end.

A suppressed signal stays as it is and is listed; only the deliveries leave it out. It is delivered again when the
agreement ends, and at once for another detector, another lot, or a firm that was not agreed on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import date, timedelta

from pipelines.casework.acts import Act, once
from pipelines.casework.cases.cases import case_of
from pipelines.casework.cases.states import DISMISSALS_ZH
from pipelines.findings.suppression import ANY, Suppression
from pipelines.store import Store

LONGEST_DAYS = 180

_DAY = timedelta(days=1)


def add(
    store: Store,
    act: Act,
    *,
    on: date,
    ends_on: date,
    code: str,
    detector: str = ANY,
    lot_id: str = ANY,
    entities: Iterable[str] = (),
    case_id: str | None = None,
) -> int:
    """Agree not to be told of a matter until a day.

    Args:
        store: the control store.
        act: who, when, why.
        on: the first day.
        ends_on: the last day, at most `LONGEST_DAYS` later.
        code: one of `states.DISMISSALS_ZH`.
        detector, lot_id, entities, case_id: see `Suppression`.

    Returns:
        Its number.

    Raises:
        ValueError: no reason is given, the code or case is unknown, the end is past or too late, or the agreement would
            cover everything.
    """
    firms = sorted(set(entities))
    if not act.reason.strip():
        raise ValueError("a suppression needs a reason: --reason TEXT")
    if code not in DISMISSALS_ZH:
        listed = ", ".join(f"{code} {zh}" for code, zh in DISMISSALS_ZH.items())
        raise ValueError(f"no reason to suppress is called {code!r}; there are: {listed}")
    latest = on + timedelta(days=LONGEST_DAYS)
    if not on < ends_on <= latest:
        raise ValueError(
            f"a suppression ends after {on} and on {latest} at the latest ({LONGEST_DAYS} days), not on {ends_on}"
        )
    if detector == ANY and lot_id == ANY and not firms:
        raise ValueError("this would suppress everything; name a detector, a lot or firms")

    def do(con: sqlite3.Connection) -> str:
        if case_id is not None:
            case_of(con, case_id)
        return str(
            con.execute(
                "INSERT INTO suppression (detector, lot_id, entities, code, reason, case_id, starts_on, ends_on, at, actor)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    detector,
                    lot_id,
                    json.dumps(firms),
                    code,
                    act.reason,
                    case_id,
                    on.isoformat(),
                    ends_on.isoformat(),
                    act.at,
                    act.actor,
                ),
            ).lastrowid
        )

    given = {
        "detector": detector,
        "lot": lot_id,
        "entities": firms,
        "code": code,
        "case": case_id,
        "starts_on": on.isoformat(),
        "ends_on": ends_on.isoformat(),
    }
    return int(once(store, act, "suppress", "", given, do))


def end(store: Store, act: Act, number: int, on: date) -> None:
    """End an agreement before its date; from ``on`` it no longer holds.

    Raises:
        ValueError: no reason is given, there is no such agreement, or it is over.
    """
    if not act.reason.strip():
        raise ValueError("ending a suppression needs a reason: --reason TEXT")

    def do(con: sqlite3.Connection) -> str:
        known = [each for each in _read(con) if each.number == number]
        if not known:
            raise ValueError(f"no suppression {number}; `bidwatch suppress list --all` shows them")
        if known[0].last_day < on or known[0].ended_on is not None:
            raise ValueError(f"suppression {number} is over since {known[0].last_day}")
        con.execute(
            "INSERT INTO suppression_end (number, ended_on, reason, at, actor) VALUES (?, ?, ?, ?, ?)",
            (number, max(on, known[0].starts_on).isoformat(), act.reason, act.at, act.actor),
        )
        return ""

    once(store, act, "end-suppression", str(number), {"on": on.isoformat()}, do)


def agreed(store: Store) -> list[Suppression]:
    """Return every agreement, the oldest first, also those that are over."""
    return _read(store.con)


def _read(con: sqlite3.Connection) -> list[Suppression]:
    rows = con.execute(
        "SELECT s.*, e.ended_on FROM suppression AS s LEFT JOIN suppression_end AS e ON e.number = s.number"
        " ORDER BY s.number"
    ).fetchall()
    return [
        Suppression(
            number=row["number"],
            detector=row["detector"],
            lot_id=row["lot_id"],
            entities=tuple(json.loads(row["entities"])),
            code=row["code"],
            reason=row["reason"],
            case_id=row["case_id"],
            starts_on=date.fromisoformat(row["starts_on"]),
            ends_on=date.fromisoformat(row["ends_on"]),
            ended_on=None if row["ended_on"] is None else date.fromisoformat(row["ended_on"]),
            actor=row["actor"],
        )
        for row in rows
    ]
