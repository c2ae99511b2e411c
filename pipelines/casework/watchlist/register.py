"""The entries of the watch list (重点关注对象名单) and of the blacklist (黑名单), and the steps of people on them.

The watch list is the office's own attention and not public; an entry needs a reason, a review and an end. An entry of
the blacklist rests on a decision with its 文号. States: 拟列入 → 已列入 → 到期 | 修复 | 撤销 → 已移出. One person proposes and
another approves. The night lets an entry expire, and removes it (已移出) when no flag of it is left: see `effects`.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pipelines import times
from pipelines.casework.acts import Act, once
from pipelines.casework.clocks import start_stop
from pipelines.casework.watchlist import credit_repair
from pipelines.casework.watchlist.proposals import Proposal
from pipelines.store import Store
from reports.canonical_json import canonical_json

STATES_ZH: Mapping[str, str] = {
    "proposed": "拟列入",
    "listed": "已列入",
    "expired": "到期",
    "repaired": "修复",
    "revoked": "撤销",
    "removed": "已移出",
}
_PREFIX = {"watch": "ZD", "black": "HM"}

#: The period for withdrawing the publication of an annulled decision: data/reference/deadlines.csv.
WITHDRAWAL_RULE = "CF02"


@dataclass(frozen=True, kw_only=True)
class ListEntry:
    """An entry as it stands.

    Attributes:
        facts: the row of ``list_entry``, by column.
        state: a code of ``STATES_ZH``.
        ends_on, review_on: after the last review.
        events: every state that it got into, the oldest first.
    """

    facts: Mapping[str, object]
    state: str
    ends_on: date
    review_on: date | None
    events: tuple[Mapping[str, object], ...]

    @property
    def id(self) -> str:
        """Id of the entry."""
        return str(self.facts["id"])

    def is_in_effect(self, on: date) -> bool:
        """Tell whether the entry has effect on a day."""
        return (
            self.state == "listed" and date.fromisoformat(str(self.facts["starts_on"])) <= on <= self.ends_on
        )

    def event(self, *states: str) -> Mapping[str, object] | None:
        """Return the last event of one of these states."""
        return next((each for each in reversed(self.events) if each["state"] in states), None)


def propose(store: Store, act: Act, proposal: Proposal) -> str:
    """Propose an entry (拟列入) and return its id, such as ``ZD2026-0001`` or ``HM2026-0001``.

    Raises:
        ValueError: the subject stands on the list already, for the blacklist by the same decision.
    """

    def do(con: sqlite3.Connection) -> str:
        for other in entries(con):
            same = (
                ("list", "subject_id") if proposal.list == "watch" else ("list", "subject_id", "document_no")
            )
            if other.state in ("proposed", "listed") and all(
                other.facts[name] == getattr(proposal, name) for name in same
            ):
                raise ValueError(f"{proposal.subject_id} is {STATES_ZH[other.state]} already: {other.id}")
        prefix = f"{_PREFIX[proposal.list]}{_day(act).year}-"
        ((count,),) = con.execute(
            "SELECT count(*) FROM list_entry WHERE id LIKE ?", (f"{prefix}%",)
        ).fetchall()
        id = f"{prefix}{count + 1:04d}"
        row = {"id": id, **proposal.facts(), "at": act.at, "actor": act.actor}
        con.execute(
            f"INSERT INTO list_entry ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
            tuple(row.values()),
        )
        enter_state(con, id, "proposed", _day(act), act, proposal.reason)
        return id

    # The facts stay in the store. The log has their hash and what the entry rests on.
    told = {
        "list": proposal.list,
        "document_no": proposal.document_no,
        "facts_sha256": hashlib.sha256(canonical_json(proposal.facts()).encode()).hexdigest(),
    }
    return once(store, act, "list_propose", "", told, do)


def approve(store: Store, act: Act, id: str) -> str:
    """Put a proposed entry on its list (已列入) and return its id.

    Raises:
        ValueError: it is not proposed, the same person proposed it, or it has ended before it began.
    """

    def do(con: sqlite3.Connection) -> str:
        entry = require(con, id, "proposed")
        if entry.facts["actor"] == act.actor:
            raise ValueError(f"{act.actor} proposed {id}; somebody else approves it")
        if entry.ends_on < _day(act):
            raise ValueError(f"{id} ended on {entry.ends_on}; propose a new entry")
        enter_state(con, id, "listed", _day(act), act, act.reason)
        return id

    return once(store, act, "list_approve", id, {}, do)


def review(store: Store, act: Act, id: str, review_on: date, ends_on: date) -> str:
    """Keep a watch entry after its review (复评), with the date of the next one; return its id.

    Raises:
        ValueError: no reason, it is no listed watch entry, or the dates lie in the past or do not fit.
    """
    _need_reason(act, "a review that keeps an entry")

    def do(con: sqlite3.Connection) -> str:
        entry = require(con, id, "listed")
        if entry.facts["list"] != "watch":
            raise ValueError(f"{id} rests on a decision; it is repaired or revoked, not reviewed")
        if not _day(act) < review_on <= ends_on:
            raise ValueError(
                f"the next review on {review_on} must lie after today and not after the end on {ends_on}"
            )
        con.execute(
            "INSERT INTO list_review (entry, review_on, ends_on, reason, at, actor) VALUES (?, ?, ?, ?, ?, ?)",
            (id, review_on.isoformat(), ends_on.isoformat(), act.reason, act.at, act.actor),
        )
        return id

    dates = {"review_on": review_on.isoformat(), "ends_on": ends_on.isoformat()}
    return once(store, act, "list_review", id, dates, do)


def repair(store: Store, act: Act, id: str, *, document_no: str, authority: str, met: frozenset[str]) -> str:
    """End a blacklist entry by credit repair (修复) and return its id. Sanctions stop with it.

    Args:
        store: the control store.
        act: who, when, why.
        id: of the entry.
        document_no: of the decision to repair.
        authority: who repairs: the authority that made the entry (谁认定、谁修复).
        met: which needs are met, codes of `credit_repair.NEEDS_ZH`.

    Raises:
        ValueError: it is no listed blacklist entry, the shortest publication is not over, a need is not met,
            another authority repairs, or the document is missing.
    """
    _need_reason(act, "a repair")
    if not document_no.strip():
        raise ValueError("a repair needs its document number: --document NUMBER")

    def do(con: sqlite3.Connection) -> str:
        entry = require(con, id, "listed")
        if entry.facts["list"] != "black":
            raise ValueError(
                f"{id} is a watch entry, which is no sanction: revoke it instead of repairing it"
            )
        severity = credit_repair.dishonesty_class_of(str(entry.facts["severity"]))
        first = severity.repairable_on(date.fromisoformat(str(entry.facts["decided_on"])))
        if _day(act) < first:
            raise ValueError(
                f"{id} ({severity.title_zh}) can be repaired from {first} on, {severity.min_months} months after its"
                f" decision ({severity.basis})"
            )
        if missing := [need for need in severity.needs if need not in met]:
            raise ValueError(
                f"{id}: a repair needs {'、'.join(credit_repair.NEEDS_ZH[need] for need in missing)} ({severity.basis})"
            )
        if authority.strip() != entry.facts["authority"]:
            raise ValueError(
                f"{id} was decided by {entry.facts['authority']}, which repairs it too (谁认定、谁修复)"
            )
        enter_state(con, id, "repaired", _day(act), act, act.reason, document_no)
        return id

    return once(
        store,
        act,
        "list_repair",
        id,
        {"document_no": document_no, "authority": authority, "met": sorted(met)},
        do,
    )


def revoke(store: Store, act: Act, id: str, document_no: str = "") -> str:
    """End an entry that should not stand (撤销), or drop a proposal; return its id.

    A blacklist entry is revoked because its decision was annulled. Then a clock starts: its publication must be
    withdrawn in time.

    Raises:
        ValueError: no reason, it has ended already, or a blacklist entry without the annulling document.
    """
    _need_reason(act, "a revocation")

    def do(con: sqlite3.Connection) -> str:
        entry = require(con, id, "proposed", "listed")
        is_public = entry.facts["list"] == "black" and entry.state == "listed"
        if is_public and not document_no.strip():
            raise ValueError(
                f"{id} rests on a decision: name the document that annulled it, --document NUMBER"
            )
        enter_state(con, id, "revoked", _day(act), act, act.reason, document_no)
        if is_public:
            start_stop.begin(con, clock_name(id), WITHDRAWAL_RULE, act.at)
        return id

    return once(store, act, "list_revoke", id, {"document_no": document_no}, do)


def entries(con: sqlite3.Connection, id: str | None = None) -> list[ListEntry]:
    """Return every entry that there ever was, or one of them, by id."""
    where, values = ("", ()) if id is None else (" WHERE id = ?", (id,))
    events: dict[str, list[Mapping[str, object]]] = {}
    for row in con.execute("SELECT * FROM list_event ORDER BY number").fetchall():
        events.setdefault(row["entry"], []).append(dict(row))
    last = {row["entry"]: row for row in con.execute("SELECT * FROM list_review ORDER BY number").fetchall()}
    found = []
    for row in con.execute(f"SELECT * FROM list_entry{where} ORDER BY id", values).fetchall():
        kept = last.get(row["id"])
        review_on = kept["review_on"] if kept else row["first_review_on"]
        found.append(
            ListEntry(
                facts=dict(row),
                state=str(events[row["id"]][-1]["state"]),
                ends_on=date.fromisoformat(kept["ends_on"] if kept else row["first_ends_on"]),
                review_on=date.fromisoformat(review_on) if review_on else None,
                events=tuple(events[row["id"]]),
            )
        )
    return found


def require(con: sqlite3.Connection, id: str, *wanted: str) -> ListEntry:
    """Return an entry that is in one of these states.

    Raises:
        ValueError: there is none, or it is in another state.
    """
    found = entries(con, id)
    if not found:
        raise ValueError(f"no entry {id}; `bidwatch watchlist list --all` shows them")
    if found[0].state not in wanted:
        now = STATES_ZH[found[0].state]
        raise ValueError(f"{id} is {found[0].state} ({now}); this step needs {' or '.join(wanted)}")
    return found[0]


def clock_name(id: str) -> str:
    """Return the name under which an entry's clocks run."""
    return f"list:{id}"


def enter_state(
    con: sqlite3.Connection,
    id: str,
    state: str,
    effective_on: date,
    act: Act,
    reason: str,
    document_no: str = "",
    flags: list[str] | None = None,
) -> None:
    """Write down that an entry got into a state, inside the caller's transaction."""
    con.execute(
        "INSERT INTO list_event (entry, state, effective_on, reason, document_no, flags, at, actor)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            id,
            state,
            effective_on.isoformat(),
            reason,
            document_no,
            canonical_json(flags or []),
            act.at,
            act.actor,
        ),
    )


def _day(act: Act) -> date:
    return times.day_of(act.at)


def _need_reason(act: Act, what: str) -> None:
    if not act.reason.strip():
        raise ValueError(f"{what} needs a reason: --reason TEXT")
