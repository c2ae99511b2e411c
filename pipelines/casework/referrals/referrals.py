"""Referrals of cases to other offices: proposed by one person, approved by another, sent with a number, answered.

Clocks start and stop with the steps, under the periods of State Council Order 310 (``data/reference/deadlines.csv``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.casework import document_numbers, offices
from pipelines.casework.acts import Act
from pipelines.casework.cases.cases import Case, move
from pipelines.casework.clocks import start_stop
from pipelines.reference import Reference
from pipelines.store import Store

#: Clocks of a referral to the police (collusive bidding is an economic crime: YS05), by the step that starts or stops them.
_STARTS = {
    "draft": ("YS01",),
    "approve": ("YS02",),
    "send": ("YS05a",),
    "no-case": ("YS06",),
    "reconsider": ("YS07",),
    "uphold": ("YS08",),
    "accept": ("YS09",),
}
_STOPS = {
    "approve": ("YS01",),
    "reject": ("YS01",),
    "send": ("YS02",),
    "reconsider": ("YS06", "YS08"),
    "accept": ("YS05a", "YS07"),
    "return": ("YS05a",),
    "no-case": ("YS05a",),
    "uphold": ("YS07",),
    "feedback": ("YS09",),
}
#: Clocks that are no longer due when the case takes another way.
_LAPSE = {"draft": ("YS06", "YS08"), "close": ("YS06", "YS08"), "return": ("YS09",)}

#: From filing a penalty case to its decision.
OWN_CASE = "CF01"


@dataclass(frozen=True)
class Referral:
    """One hand-over of a case.

    Attributes:
        id: its number, 移送编号.
        case_id, kind, recipient, name_zh: what goes to whom; kinds are those of `offices.KINDS_ZH`.
        basis: the line of the list of powers and duties.
        proposer, approver: two people.
        document_no: 移送文号, once it is sent.
        outcome: what came of it, as the office wrote it.
    """

    id: str
    case_id: str
    kind: str
    recipient: str
    name_zh: str
    basis: str
    proposer: str
    approver: str | None
    document_no: str | None
    outcome: str | None


def draft(
    store: Store,
    act: Act,
    case_id: str,
    recipient: str,
    power_id: str,
    project_types: Iterable[str],
    *,
    rev: int | None = None,
) -> str:
    """Propose to hand a case to an office.

    Args:
        store: the control store.
        act: who proposes.
        case_id: the case.
        recipient, power_id: the office, and the line of the list of powers by which it takes the case.
        project_types: of the lots of the case.
        rev: the revision that the person saw.

    Returns:
        The new state of the case.

    Raises:
        ValueError: the office may not take it, or the step is not possible now.
    """
    office, power = offices.competent_office(store.reference, recipient, power_id, project_types)

    def also(con: sqlite3.Connection, case: Case) -> None:
        count = con.execute("SELECT count(*) FROM referral WHERE case_id = ?", (case_id,)).fetchall()[0][0]
        con.execute(
            "INSERT INTO referral (id, case_id, kind, recipient, name_zh, basis, proposer) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (f"R{case_id}-{count + 1}", case_id, power.kind, recipient, office.name_zh, power_id, act.actor),
        )
        _clocks(con, case_id, "draft", act.at)

    return move(store, act, case_id, "draft", {"recipient": recipient, "basis": power_id}, rev=rev, also=also)


def answer(
    store: Store, act: Act, case_id: str, verb: str, given: Mapping[str, str], *, rev: int | None = None
) -> str:
    """Do a further step on a referral: approve, reject, send, accept, return, no-case, feedback and so on.

    Args:
        store: the control store.
        act: who does it.
        case_id: the case.
        verb: the step.
        given: what is said with it: ``document`` with send, ``outcome`` with feedback.
        rev: the revision that the person saw.

    Returns:
        The new state of the case.

    Raises:
        ValueError: the approver is the proposer, the number of the paper is not written as such numbers are,
            or the step is not possible now.
    """
    if given.get("document", "").strip():
        document_numbers.parse(given["document"])

    def also(con: sqlite3.Connection, case: Case) -> None:
        if verb == "file":
            start_stop.begin(con, case_id, OWN_CASE, act.at)
        if verb == "feedback":
            start_stop.end(con, case_id, OWN_CASE, act.at)
        referral = latest(con, case_id)
        if referral is None and verb == "return":
            raise ValueError(f"{case_id} was filed by the own office: no other office has it to return")
        if referral is None:
            return
        if verb in ("approve", "reject") and referral.proposer.strip() == act.actor.strip():
            raise ValueError(f"{act.actor} proposed {referral.id}; another person must {verb} it")
        if verb == "approve":
            con.execute("UPDATE referral SET approver = ? WHERE id = ?", (act.actor, referral.id))
        if verb == "send":
            con.execute("UPDATE referral SET document_no = ? WHERE id = ?", (given["document"], referral.id))
        if verb == "feedback":
            con.execute("UPDATE referral SET outcome = ? WHERE id = ?", (given["outcome"], referral.id))
        _clocks(con, case_id, verb, act.at)

    return move(store, act, case_id, verb, given, rev=rev, also=also)


def latest(con: sqlite3.Connection, case_id: str) -> Referral | None:
    """Return the referral that a case is on, or was on last; none where the own office filed it (行政立案)."""
    taken = con.execute(
        "SELECT verb FROM decision WHERE case_id = ? AND verb IN ('draft', 'file') ORDER BY number",
        (case_id,),
    ).fetchall()
    found = of_case(con, case_id)
    return found[-1] if found and taken and taken[-1]["verb"] == "draft" else None


def of_case(con: sqlite3.Connection, case_id: str) -> list[Referral]:
    """Return every referral of a case, the oldest first."""
    rows = con.execute("SELECT * FROM referral WHERE case_id = ? ORDER BY rowid", (case_id,)).fetchall()
    return [Referral(**row) for row in rows]


def all_referrals(con: sqlite3.Connection) -> list[Referral]:
    """Return every referral, the oldest first."""
    return [Referral(**row) for row in con.execute("SELECT * FROM referral ORDER BY rowid").fetchall()]


def copies(known: Reference, referral: Referral) -> list[str]:
    """Return the offices that get a copy of a referral.

    Nobody gets a copy of a clue about a person in office: the person may sit where the copy would go.
    """
    office = offices.offices(known)[referral.recipient]
    return [copied for copied in office.copies_to if copied != referral.recipient]


def _clocks(con: sqlite3.Connection, case_id: str, verb: str, at: str) -> None:
    """Start and stop the clocks of the referral that a case is on, and let those of earlier referrals lapse."""
    found = of_case(con, case_id)
    for referral in found[:-1]:
        for rule in _LAPSE.get(verb, ()):
            start_stop.end(con, referral.id, rule, at, outcome="lapsed")
    last = found[-1]
    for rule in _STOPS.get(verb, ()):
        start_stop.end(con, last.id, rule, at)
    for rule in _LAPSE.get(verb, ()) if verb != "draft" else ():
        start_stop.end(con, last.id, rule, at, outcome="lapsed")
    if last.kind == "police":
        for rule in _STARTS.get(verb, ()):
            start_stop.begin(con, last.id, rule, at)
