"""Complaints (articles 8 to 10 of the notice of 2021): received, accepted or refused, decided, withdrawn; with clocks.

Nothing here holds a complainant's name. A code name stands for it, and `reveal` is a step of its own.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from pipelines import times
from pipelines.casework.acts import Act, once
from pipelines.casework.clocks import deadlines, start_stop
from pipelines.casework.complaints import complainants
from pipelines.casework.complaints.complainants import Complainant
from pipelines.casework.complaints.states import (
    CHANNELS_ZH,
    CLOCKS,
    CONCLUSIONS_ZH,
    DECISION,
    ITEMS_ZH,
    RESPONDENTS_ZH,
    ComplaintState,
    ComplaintStep,
    Regime,
    step_of,
)
from pipelines.installation import secret_key
from pipelines.settings import Home
from pipelines.store import Store
from reports.canonical_json import canonical_json

#: A party id: a credit code or an older code, or ``name:`` and the name of a firm.
_PARTY = re.compile(r"[0-9A-Z-]{8,18}|name:.+")


@dataclass(frozen=True, kw_only=True)
class ReceivedComplaint:
    """What is written down in the open when a complaint comes in.

    Attributes:
        regime: by which law it goes.
        channel: a key of `CHANNELS_ZH`.
        received_at: UTC time, ISO 8601; None: when it is written down.
        office: recipient id of the office that handles it, such as ``housing``.
        item: what it is about, a key of `ITEMS_ZH`.
        respondent_type: whom it is against, a key of `RESPONDENTS_ZH`.
        respondent: party id of a firm or unit, never a person; may be empty.
        tender_id, project, lot_id: may be empty.
        has_objected: an objection to the tenderer, or a query to the purchaser, came first.
    """

    regime: Regime
    channel: str
    received_at: str | None
    office: str
    item: int
    respondent_type: int
    respondent: str
    tender_id: str
    project: str
    lot_id: str
    has_objected: bool


@dataclass(frozen=True)
class Complaint:
    """One complaint as it stands."""

    id: str
    complainant: str
    regime: Regime
    state: ComplaintState
    rev: int
    received_at: str


def complaint_of(con: sqlite3.Connection, id: str) -> Complaint:
    """Return a complaint.

    Raises:
        ValueError: there is none of this id.
    """
    rows = con.execute(
        "SELECT id, complainant, regime, state, rev, received_at FROM complaint WHERE id = ?", (id,)
    ).fetchall()
    if not rows:
        raise ValueError(f"no complaint {id}; `bidwatch complaints list` shows them")
    values = dict(rows[0])
    return Complaint(
        **values | {"regime": Regime(values["regime"]), "state": ComplaintState(values["state"])}
    )


def receive(home: Home, store: Store, act: Act, received: ReceivedComplaint, who: Complainant) -> str:
    """Receive a complaint: number it, seal who complained, start the clocks.

    Args:
        home: the installation, for its vault and key.
        store: the control store.
        act: who takes it in, when.
        received: what is written down in the open.
        who: who complained; goes into the vault only.

    Returns:
        The number of the complaint, such as ``TS-2026-0007``; its complainant is 投诉人-2026-0007.

    Raises:
        ValueError: a value is none of its list, the receipt lies in the future, or a text tells who complained.
    """
    _check(received, act)
    complainants.refuse_named(who, "投诉人代号", _texts(act, asdict(received)))
    key = secret_key(home, store)

    def do(con: sqlite3.Connection) -> str:
        received_at = times.instant(received.received_at or act.at)
        number = _next_number(con, times.day_of(received_at).year)
        id, code_name = f"TS-{number}", f"投诉人-{number}"
        con.execute(
            "INSERT INTO complaint (id, complainant, regime, channel, received_at, office, item, respondent_type,"
            " respondent, tender_id, project, lot_id, has_objected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                code_name,
                received.regime,
                received.channel,
                received_at.isoformat(),
                received.office,
                received.item,
                received.respondent_type,
                received.respondent,
                received.tender_id,
                received.project,
                received.lot_id,
                received.has_objected,
            ),
        )
        _turn_clocks(con, id, received.regime, "receive", received_at.isoformat())
        complainants.seal(home.vault, key, code_name, who)
        return id

    payload: dict[str, object] = asdict(received)
    if act.key is not None:
        payload["complainant"] = complainants.fingerprint(key, act.key, who)
    return once(store, act, "receive_complaint", "", payload, do)


def move(
    home: Home,
    store: Store,
    act: Act,
    id: str,
    verb: str,
    given: Mapping[str, str],
    *,
    done_at: str | None = None,
) -> str:
    """Do one step with a complaint; its clocks start and stop with it.

    Args:
        home: the installation; the vault tells whether a text names the complainant.
        store: the control store.
        act: who, when, why.
        id: the complaint.
        verb: one of `states.STEPS`.
        given: what is said with it: ``document``, ``conclusion`` (a key of `CONCLUSIONS_ZH`), ``ground``.
        done_at: when it was done, ISO 8601 with its zone; None: now. The clocks go by it.

    Returns:
        The state after it.

    Raises:
        ValueError: the step is not possible now, something that it needs is missing, the time does not
            fit, or a text tells who complained.
    """
    _keep_secret(home, store, act, id, given)

    def do(con: sqlite3.Connection) -> str:
        complaint = complaint_of(con, id)
        step = step_of(complaint.state, complaint.regime, verb)
        _check_given(step, act, given)
        when = _time(con, act, complaint, done_at)
        _turn_clocks(con, id, complaint.regime, verb, when)
        day = times.day_of(when)
        if verb == "suspend":
            start_stop.suspend(con, id, DECISION[complaint.regime], given["ground"], day)
        if verb == "resume":
            start_stop.resume(con, id, DECISION[complaint.regime], day)
        after = step.after or complaint.state
        con.execute(
            "INSERT INTO complaint_event (complaint, rev, verb, before, after, done_at, details, reason, at, actor)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                complaint.rev + 1,
                verb,
                complaint.state,
                after,
                when,
                canonical_json(dict(given)),
                act.reason,
                act.at,
                act.actor,
            ),
        )
        con.execute("UPDATE complaint SET state = ?, rev = rev + 1 WHERE id = ?", (after, id))
        return str(after)

    payload = {"given": dict(given), "done_at": done_at}
    return once(store, act, f"complaint_{verb}", id, payload, do)


def link(home: Home, store: Store, act: Act, id: str, case_id: str) -> str:
    """Link a complaint and a case that are about one matter; each keeps its own state.

    Raises:
        ValueError: there is no such complaint or case, or they are linked already.
    """
    _keep_secret(home, store, act, id, {})

    def do(con: sqlite3.Connection) -> str:
        complaint_of(con, id)
        if not con.execute("SELECT 1 FROM case_ WHERE id = ?", (case_id,)).fetchall():
            raise ValueError(f"no case {case_id}; `bidwatch review list` shows the cases")
        if _linked(con, id, case_id):
            raise ValueError(f"{id} and {case_id} are linked already")
        con.execute(
            "INSERT INTO complaint_case (complaint, case_id, linked_at, linked_by) VALUES (?, ?, ?, ?)",
            (id, case_id, act.at, act.actor),
        )
        return ""

    return once(store, act, "link_complaint", id, {"case": case_id}, do)


def unlink(home: Home, store: Store, act: Act, id: str, case_id: str) -> str:
    """Take a link back; that it was there stays on record.

    Raises:
        ValueError: no reason, or they are not linked.
    """
    _keep_secret(home, store, act, id, {})

    def do(con: sqlite3.Connection) -> str:
        if not act.reason.strip():
            raise ValueError("unlink needs: reason")
        if not _linked(con, id, case_id):
            raise ValueError(f"{id} and {case_id} are not linked")
        con.execute(
            "UPDATE complaint_case SET unlinked_at = ?, unlinked_by = ?"
            " WHERE complaint = ? AND case_id = ? AND unlinked_at IS NULL",
            (act.at, act.actor, id, case_id),
        )
        return ""

    return once(store, act, "unlink_complaint", id, {"case": case_id}, do)


def reveal(home: Home, store: Store, act: Act, id: str) -> Complainant:
    """Return who complained, after the audit log has who asked and why.

    Raises:
        ValueError: no reason, no such complaint, or the vault cannot be read.
    """
    complaint = complaint_of(store.con, id)
    if not act.reason.strip():
        raise ValueError("to see who complained needs a reason: --reason TEXT")
    who = complainants.unseal(home.vault, secret_key(home, store), complaint.complainant)
    complainants.refuse_named(who, complaint.complainant, {"reason": act.reason})
    once(store, act, "reveal_complainant", id, {"complainant": complaint.complainant}, lambda _: "")
    return who


def is_suspended(store: Store, id: str) -> bool:
    """Tell whether the clock of deciding on a complaint is suspended."""
    rows = store.rows(
        "SELECT 1 FROM suspension AS s JOIN deadline AS d ON d.number = s.deadline"
        " WHERE d.object = ? AND s.to_on IS NULL",
        id,
    )
    return bool(rows)


def delays(store: Store, year: int, as_of: date) -> list[tuple[str, deadlines.Delay]]:
    """Return the delays of a year in handling complaints, each with its office, for the yearly assessment."""
    offices = {row["id"]: row["office"] for row in store.rows("SELECT id, office FROM complaint")}
    found = [
        (offices[each.object], each)
        for each in deadlines.delays(store, year, as_of)
        if each.object in offices
    ]
    return sorted(found, key=lambda each: (each[0], each[1].due_on, each[1].number))


def _turn_clocks(con: sqlite3.Connection, id: str, regime: Regime, verb: str, at: str) -> None:
    for what, rule_id in CLOCKS[regime].get(verb, ()):
        if what == "begin":
            start_stop.begin(con, id, rule_id, at)
        else:
            start_stop.end(con, id, rule_id, at, outcome=what)


def _keep_secret(home: Home, store: Store, act: Act, id: str, given: Mapping[str, str]) -> None:
    complaint = complaint_of(store.con, id)
    who = complainants.unseal(home.vault, secret_key(home, store), complaint.complainant)
    complainants.refuse_named(who, complaint.complainant, _texts(act, given))


def _texts(act: Act, values: Mapping[str, object]) -> dict[str, str]:
    """Return every text that would be stored in the open, by the name of its field."""
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    return {**texts, "reason": act.reason, "key": act.key or ""}


def _check(received: ReceivedComplaint, act: Act) -> None:
    for field, value, known in (
        ("channel", received.channel, CHANNELS_ZH),
        ("item", received.item, ITEMS_ZH),
        ("respondent type", received.respondent_type, RESPONDENTS_ZH),
    ):
        if value not in known:
            raise ValueError(f"{field}: {value!r} is none of {_named(known)}")
    if not received.office.strip():
        raise ValueError("name the office that handles the complaint: --office, such as housing or finance")
    if received.respondent and not _PARTY.fullmatch(received.respondent):
        raise ValueError(
            f"respondent: {received.respondent!r} is no party id; write the firm's code, or name: and its name"
        )
    received_at = times.instant(received.received_at or act.at)
    if received_at > times.instant(act.at):
        raise ValueError(f"received at {received_at.isoformat()}: that is in the future")


def _check_given(step: ComplaintStep, act: Act, given: Mapping[str, str]) -> None:
    said = {**given, "reason": act.reason}
    if missing := [need for need in step.needs if not said.get(need, "").strip()]:
        raise ValueError(f"{step.verb} ({step.zh}) needs: {', '.join(missing)}")
    conclusion = given.get("conclusion", "")
    if conclusion and conclusion not in map(str, CONCLUSIONS_ZH):
        raise ValueError(f"conclusion: {conclusion!r} is none of {_named(CONCLUSIONS_ZH)}")


def _time(con: sqlite3.Connection, act: Act, complaint: Complaint, done_at: str | None) -> str:
    """Return when a step was done: not before the step that it follows, and not in the future."""
    rows = con.execute(
        "SELECT max(done_at) FROM complaint_event WHERE complaint = ?", (complaint.id,)
    ).fetchall()
    before = times.instant(rows[0][0] or complaint.received_at)
    when = start_stop.not_before(done_at or act.at, before, complaint.id)
    if when > times.instant(act.at):
        raise ValueError(f"{complaint.id}: {when.isoformat()} is in the future")
    return when.isoformat()


def _next_number(con: sqlite3.Connection, year: int) -> str:
    rows = con.execute("SELECT count(*) FROM complaint WHERE id LIKE ?", (f"TS-{year}-%",)).fetchall()
    return f"{year}-{rows[0][0] + 1:04}"


def _linked(con: sqlite3.Connection, id: str, case_id: str) -> bool:
    return bool(
        con.execute(
            "SELECT 1 FROM complaint_case WHERE complaint = ? AND case_id = ? AND unlinked_at IS NULL",
            (id, case_id),
        ).fetchall()
    )


def _named(known: Mapping[int, str] | Mapping[str, str]) -> str:
    return ", ".join(f"{code} {zh}" for code, zh in known.items())
