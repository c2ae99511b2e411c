"""What the lists do in a night: which entries its snapshot has, which expire, and which are removed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import date, timedelta

from pipelines import audit
from pipelines.casework.acts import Act
from pipelines.casework.clocks import start_stop
from pipelines.casework.watchlist.proposals import LISTS_ZH
from pipelines.casework.watchlist.register import (
    STATES_ZH,
    WITHDRAWAL_RULE,
    ListEntry,
    clock_name,
    enter_state,
    entries,
)

#: Detectors whose flags rest on the lists, by the start of their id.
FLAGGING = "watchlist."

_ENDED = ("expired", "repaired", "revoked")
_DAY = timedelta(days=1)
_COPIED = ("list", "subject_kind", "subject_id", "reason", "document_no", "authority", "starts_on")


def for_snapshot(con: sqlite3.Connection, as_of: date) -> list[dict[str, object]]:
    """Return the rows of the lists for the night's snapshot, one an entry.

    They are the entries in effect on ``as_of`` (``is_in_effect`` true) and the blacklist entries that were repaired or
    revoked: a delivered record of such a decision must raise no flag either. A ban that ran out is not among them. The
    delivered record has its last day, and a bid before that day was a bid under the ban.
    """
    rows = []
    for entry in entries(con):
        facts, listed = entry.facts, entry.event("listed")
        is_lifted = facts["list"] == "black" and entry.event("repaired", "revoked") is not None
        if listed is None or not (entry.is_in_effect(as_of) or is_lifted):
            continue
        rows.append(
            {"entry_id": entry.id}
            | {name: facts[name] for name in _COPIED}
            | {
                "review_on": entry.review_on.isoformat() if entry.review_on else None,
                "is_bidding_ban": bool(facts["is_bidding_ban"]),
                "listed_on": listed["effective_on"],
                "ends_on": entry.ends_on.isoformat(),
                "is_in_effect": entry.is_in_effect(as_of),
            }
        )
    return rows


def expire_and_remove(con: sqlite3.Connection, as_of: date, *, at: str, actor: str) -> list[str]:
    """Let entries expire, and remove those that have ended and have no flag left.

    The night calls this in the transaction that switches to its snapshot, after its signals are written.

    Args:
        con: inside that transaction.
        as_of: the night.
        at: UTC time, ISO 8601.
        actor: who runs the night.

    Returns:
        One sentence in Chinese for each entry that was removed, or that has ended and still has flags.
    """
    act = Act(actor=actor, at=at)
    said = []
    for entry in entries(con):
        state, ended_on = entry.state, entry.ends_on + _DAY
        if state == "listed" and entry.ends_on < as_of:
            enter_state(con, entry.id, "expired", ended_on, act, f"期限至 {entry.ends_on}")
            audit.append(
                con, at=at, actor=actor, verb="list_expire", subject=entry.id, ends_on=str(entry.ends_on)
            )
            state = "expired"
        if state not in _ENDED:
            continue
        standing, stopped = _flags(con, entry)
        if standing:
            said.append(f"{entry.id} 已{STATES_ZH[state]}，仍有 {len(standing)} 条标记未停止，请核查")
            continue
        enter_state(con, entry.id, "removed", as_of, act, STATES_ZH[state], flags=stopped)
        start_stop.end(con, clock_name(entry.id), WITHDRAWAL_RULE, at)
        audit.append(
            con, at=at, actor=actor, verb="list_remove", subject=entry.id, because=state, flags=stopped
        )
        said.append(
            f"{entry.id} 已移出{LISTS_ZH[str(entry.facts['list'])]}（{STATES_ZH[state]}），停止标记 {len(stopped)} 条"
        )
    return said


def _flags(con: sqlite3.Connection, entry: ListEntry) -> tuple[list[str], list[str]]:
    """Return the signals that rest on an entry: those of the current snapshot, and those that stopped.

    A signal names the entries that it rests on. Where a decision was lifted, a signal that names the decision rests on
    its entry too.
    """
    lifted = entry.facts["document_no"] if entry.event("repaired", "revoked") else ""
    rows = con.execute(
        "SELECT s.fp, s.is_current, s.entities, e.body FROM signal AS s JOIN evidence AS e ON e.fp = s.fp"
        " WHERE substr(s.detector, 1, ?) = ? AND e.n = (SELECT max(n) FROM evidence WHERE fp = s.fp)"
        " AND (instr(e.body, ?) OR EXISTS (SELECT 1 FROM json_each(s.entities) WHERE value = ?)) ORDER BY s.fp",
        (len(FLAGGING), FLAGGING, entry.id, entry.facts["subject_id"]),
    ).fetchall()
    standing: list[str] = []
    stopped: list[str] = []
    for row in rows:
        facts = json.loads(row["body"])["facts"]
        is_named = entry.id in str(facts.get("entry_ids") or "").split(";")
        is_party = entry.facts["subject_id"] in json.loads(row["entities"])
        if is_named or (lifted and is_party and facts.get("decision_no") == lifted):
            (standing if row["is_current"] else stopped).append(row["fp"])
    return standing, stopped


def flags_stopped(event: Mapping[str, object]) -> int | None:
    """Return how many flags a removal stopped; None for other events."""
    return len(json.loads(str(event["flags"]))) if event["state"] == "removed" else None
