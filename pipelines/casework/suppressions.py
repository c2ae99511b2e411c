"""Agreements not to be told of a matter for a time (抑制): each has a reason and an end, and none is for ever.

A suppressed signal stays what it is and is listed; only the deliveries leave it out. It comes back by itself
when the agreement ends, for another detector, another lot, or with a firm that was not agreed on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.casework.acting import Act, once
from pipelines.casework.cases import case_of
from pipelines.casework.states import DISMISSALS_ZH
from pipelines.signals import Signal
from pipelines.store import Store

LONGEST_DAYS = 180

#: Any detector, or any lot.
ANY = "*"

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """One agreement.

    Attributes:
        number: of the agreement.
        detector, lot_id: what it is about; ``*`` for any, but not both without firms.
        entities: party ids; a signal with any other firm is not covered. None of them: whichever firms.
        code, reason: why, as a case is dismissed (`states.DISMISSALS_ZH`).
        case_id: the case in which it was agreed, if any.
        starts_on, ends_on: first and last day.
        ended_on: the day on which a person ended it: it no longer held then.
        actor: who agreed.
    """

    number: int
    detector: str
    lot_id: str
    entities: tuple[str, ...]
    code: str
    reason: str
    case_id: str | None
    starts_on: date
    ends_on: date
    ended_on: date | None
    actor: str

    @property
    def last_day(self) -> date:
        """The last day on which it holds."""
        return self.ends_on if self.ended_on is None else min(self.ends_on, self.ended_on - _DAY)

    def holds_on(self, on: date) -> bool:
        """Tell whether it holds on a day."""
        return self.starts_on <= on <= self.last_day

    def is_about(self, signal: Signal) -> bool:
        """Tell whether it covers the detector and all firms of a signal, whatever its lots."""
        return self.detector in (ANY, signal.detector) and (
            not self.entities or (bool(signal.entities) and set(signal.entities) <= set(self.entities))
        )


def quiet_until(agreed: Iterable[Suppression], signal: Signal, on: date) -> date | None:
    """Return the last day on which a signal is suppressed, None if it is not on ``on``.

    A signal about several lots is suppressed only where every one of them is covered.
    """
    holding = [each for each in agreed if each.holds_on(on) and each.is_about(signal)]
    last_days = [
        max((each.last_day for each in holding if each.lot_id in (ANY, lot)), default=None)
        for lot in signal.lots or (ANY,)
    ]
    known = [day for day in last_days if day is not None]
    return min(known) if len(known) == len(last_days) else None


def came_back(agreed: Sequence[Suppression], signal: Signal, told_on: date, on: date) -> bool:
    """Tell whether a signal was suppressed after an office was told of it, and is no longer."""
    ends = {each.last_day for each in agreed if each.is_about(signal)}
    return quiet_until(agreed, signal, on) is None and any(
        told_on <= end < on and quiet_until(agreed, signal, end) is not None for end in ends
    )


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
        ValueError: no reason, an unknown code or case, an end that is too late or past, or everything at once.
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
                (detector, lot_id, json.dumps(firms), code, act.reason, case_id, on.isoformat(), ends_on.isoformat(),
                 act.at, act.actor),
            ).lastrowid
        )  # fmt: skip

    given = {"detector": detector, "lot": lot_id, "entities": firms, "code": code, "case": case_id,
             "starts_on": on.isoformat(), "ends_on": ends_on.isoformat()}  # fmt: skip
    return int(once(store, act, "suppress", "", given, do))


def end(store: Store, act: Act, number: int, on: date) -> None:
    """End an agreement before its date; from ``on`` it no longer holds.

    Raises:
        ValueError: no reason, no such agreement, or one that is over.
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
