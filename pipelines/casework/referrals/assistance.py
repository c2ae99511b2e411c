"""Requests to the police for help in a case (协助办理函, article 14 of the notice of 2021): asked, answered or returned.

The police return what is not for them within five working days (XC01), with the reason. What is for them they answer in
writing; the notice sets no period for that.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import times
from pipelines.casework import document_numbers, offices
from pipelines.casework.acts import Act, once
from pipelines.casework.cases.cases import case_of
from pipelines.casework.cases.states import AT_REST, STATES_ZH, CaseState
from pipelines.casework.clocks import start_stop
from pipelines.reference import Reference
from pipelines.store import Store

#: The period in which the police return what is not for them.
RETURN_RULE = "XC01"
RECIPIENT = "police"

OUTCOMES_ZH = {"": "待回复", "answered": "已反馈", "returned": "已退回"}


@dataclass(frozen=True, kw_only=True)
class AssistanceRequest:
    """One request.

    Attributes:
        id, case_id: its number and its case.
        recipient: office id.
        document_no: of the letter.
        facts, matter, grounds, materials: what article 14 wants in it: 案件基本情况, 需要协助办理的事项及理由, 相关证据资料.
        received_at: UTC time at which the police had it.
        actor: who asked.
        outcome: a key of `OUTCOMES_ZH`, empty while there is none.
        text, end_document_no, ended_at: of the answer or the return.
    """

    id: str
    case_id: str
    recipient: str
    document_no: str
    facts: str
    matter: str
    grounds: str
    materials: tuple[str, ...]
    received_at: str
    actor: str
    outcome: str
    text: str
    end_document_no: str
    ended_at: str | None


def ask(
    store: Store,
    act: Act,
    case_id: str,
    *,
    document: str,
    facts: str,
    matter: str,
    grounds: str,
    materials: Sequence[str],
    received_at: str | None = None,
) -> str:
    """Write down a request and start its clock.

    Args:
        store: the control store.
        act: who asks.
        case_id: a case under review or on its way.
        document: number of the letter.
        facts, matter, grounds, materials: see `AssistanceRequest`.
        received_at: when the police had it, UTC; when it was written down if not given.

    Returns:
        The number of the request.

    Raises:
        ValueError: the case is not under way, a content is missing, or the document number is not one.
    """
    number = str(document_numbers.parse(document))
    listed = [line.strip() for line in materials if line.strip()]
    for what, text in (
        ("案件基本情况 (--facts)", facts),
        ("事项 (--matter)", matter),
        ("理由 (--grounds)", grounds),
        ("相关证据资料 (--material)", "".join(listed)),
    ):
        if not text.strip():
            raise ValueError(f"a request for assistance needs {what}: notice of 2021, article 14")
    when = times.instant(received_at or act.at).isoformat()
    if when > times.instant(act.at).isoformat():
        raise ValueError(f"received at {when}: that is still to come")

    def do(con: sqlite3.Connection) -> str:
        _refuse_unless_under_way(con, case_id)
        if con.execute("SELECT 1 FROM assistance WHERE document_no = ?", (number,)).fetchall():
            raise ValueError(f"{number} is a request already; every letter has a number of its own")
        count = con.execute("SELECT count(*) FROM assistance WHERE case_id = ?", (case_id,)).fetchall()[0][0]
        id = f"X{case_id}-{count + 1}"
        con.execute(
            "INSERT INTO assistance (id, case_id, recipient, document_no, facts, matter, grounds, materials, received_at,"
            " at, actor) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                id,
                case_id,
                RECIPIENT,
                number,
                facts,
                matter,
                grounds,
                json.dumps(listed, ensure_ascii=False),
                when,
                act.at,
                act.actor,
            ),
        )
        start_stop.begin(con, id, RETURN_RULE, when)
        return id

    said = {"case": case_id, "document": number, "received_at": received_at}
    return once(
        store, act, "assist-ask", "", {**said, "text_sha256": _digest(facts, matter, grounds, *listed)}, do
    )


def _refuse_unless_under_way(con: sqlite3.Connection, case_id: str) -> None:
    case = case_of(con, case_id)
    if case.merged_into is not None:
        raise ValueError(f"{case_id} is merged into {case.merged_into}; go on there")
    if case.state is CaseState.NEW or case.state in AT_REST:
        raise ValueError(
            f"{case_id} is {case.state} ({STATES_ZH[case.state]}): assistance is asked for in a case under review"
            " or on its way"
        )


def answer(
    store: Store, act: Act, id: str, text: str, *, document: str = "", ended_at: str | None = None
) -> str:
    """Write down what the police found. The clock of returning the request becomes void: it never applied.

    Args:
        store: the control store.
        act: who writes it down.
        id: the request.
        text: what they found.
        document: number of their letter.
        ended_at: when it came, UTC; when it was written down if not given.

    Raises:
        ValueError: no such request, it has ended, or the text is missing.
    """
    return _end(store, act, id, "answered", text, document, ended_at)


def send_back(
    store: Store, act: Act, id: str, reason: str, *, document: str = "", ended_at: str | None = None
) -> str:
    """Write down that the police returned it, and why. Arguments as for `answer`."""
    return _end(store, act, id, "returned", reason, document, ended_at)


def request_of(con: sqlite3.Connection, id: str) -> AssistanceRequest:
    """Return a request.

    Raises:
        ValueError: there is none of this number.
    """
    found = [each for each in _requests(con) if each.id == id]
    if not found:
        raise ValueError(f"no request for assistance {id}; `bidwatch refer assist list` shows them")
    return found[0]


def requests(store: Store) -> list[AssistanceRequest]:
    """Return every request, the oldest first."""
    return _requests(store.con)


def recipient_zh(known: Reference) -> str:
    """Return the name of the office that is asked."""
    return offices.offices(known)[RECIPIENT].name_zh


def _end(
    store: Store, act: Act, id: str, outcome: str, text: str, document: str, ended_at: str | None
) -> str:
    if not text.strip():
        raise ValueError(f"{id}: say what came back: the finding, or the reason of the return")
    number = str(document_numbers.parse(document)) if document else ""
    when = times.instant(ended_at or act.at)

    def do(con: sqlite3.Connection) -> str:
        request = request_of(con, id)
        if request.outcome:
            raise ValueError(f"{id} has ended: {request.outcome} ({OUTCOMES_ZH[request.outcome]})")
        at = start_stop.not_before(when.isoformat(), times.instant(request.received_at), id).isoformat()
        con.execute(
            "INSERT INTO assistance_end (assistance, outcome, text, document_no, ended_at, at, actor)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (id, outcome, text, number, at, act.at, act.actor),
        )
        start_stop.end(con, id, RETURN_RULE, at, outcome="met" if outcome == "returned" else "void")
        return outcome

    said = {"document": number, "ended_at": ended_at, "text_sha256": _digest(text)}
    return once(store, act, f"assist-{outcome}", id, said, do)


def _requests(con: sqlite3.Connection) -> list[AssistanceRequest]:
    rows = con.execute(
        "SELECT a.id, a.case_id, a.recipient, a.document_no, a.facts, a.matter, a.grounds, a.materials, a.received_at,"
        " a.actor, coalesce(e.outcome, '') AS outcome, coalesce(e.text, '') AS text,"
        " coalesce(e.document_no, '') AS end_document_no, e.ended_at"
        " FROM assistance AS a LEFT JOIN assistance_end AS e ON e.assistance = a.id ORDER BY a.rowid"
    ).fetchall()
    return [
        AssistanceRequest(**dict(row) | {"materials": tuple(json.loads(row["materials"]))}) for row in rows
    ]


def _digest(*texts: str) -> str:
    """Return a hash that tells one text from another; the text itself may name people and stays out of the log."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
