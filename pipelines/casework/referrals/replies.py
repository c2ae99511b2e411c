"""Written replies to the police on matters that they handed over (书面回告, article 14 of the notice of 2021)."""

from __future__ import annotations

import hashlib
import sqlite3

from pipelines import times
from pipelines.casework import document_numbers, offices
from pipelines.casework.acts import Act, once
from pipelines.casework.cases.cases import Case, case_of, decisions_of
from pipelines.casework.cases.states import DISMISSALS_ZH, STATES_ZH, STEPS, CaseState
from pipelines.store import Store
from reports import letters
from reports.letters import LetterHead

#: A case in one of these states has a result that can be told.
_ENDED = frozenset({CaseState.DISMISSED, CaseState.FEEDBACK, CaseState.CLOSED, CaseState.NOT_FILED})
_STEPS_ZH = {step.verb: step.zh for step in STEPS}
_POLICE_ZH = "公安"


def write(store: Store, act: Act, case_id: str, head: LetterHead) -> bytes:
    """Return the reply as a letter, and write down that it was made.

    Args:
        store: the control store.
        act: who writes.
        case_id: a case that the police brought and that has a result.
        head: number, day, who signs.

    Raises:
        ValueError: the police did not bring the case, it has no result yet, or the number is not one.
    """
    number = str(document_numbers.parse(head.number))
    case = case_of(store.con, case_id)
    if _POLICE_ZH not in case.origin:
        raise ValueError(f"{case_id} did not come from the police (公安机关); it came from: {case.origin}")
    if case.state not in _ENDED:
        raise ValueError(
            f"{case_id} is {case.state} ({STATES_ZH[case.state]}): there is no result to tell the police yet"
        )
    letter = letters.reply_letter(
        head,
        recipient_zh=offices.offices(store.reference)["police"].name_zh,
        subject=case.scope,
        origin=case.origin,
        handling=_handling(store.con, case_id),
        result=_result(store.con, case),
    )
    digest = hashlib.sha256(letter).hexdigest()

    def do(con: sqlite3.Connection) -> str:
        # The same letter again changes nothing. Another text needs another number.
        known = con.execute(
            "SELECT letter_sha256 FROM police_reply WHERE case_id = ? AND document_no = ?", (case_id, number)
        ).fetchall()
        if known and known[0]["letter_sha256"] != digest:
            raise ValueError(
                f"{number} is another reply on {case_id}; a new letter needs a number of its own"
            )
        if not known:
            con.execute(
                "INSERT INTO police_reply (case_id, document_no, letter_sha256, at, actor) VALUES (?, ?, ?, ?, ?)",
                (case_id, number, digest, act.at, act.actor),
            )
        return number

    once(store, act, "reply", case_id, {"document": number, "letter_sha256": digest}, do)
    return letter


def _handling(con: sqlite3.Connection, case_id: str) -> list[tuple[str, str, str]]:
    """Return day, step and state of every step; reasons stay inside, they may name people."""
    return [
        (
            times.day_of(str(each["at"])).isoformat(),
            _STEPS_ZH.get(str(each["verb"]), str(each["verb"])),
            STATES_ZH[CaseState(str(each["after"]))],
        )
        for each in decisions_of(con, case_id)
        if each["verb"] in _STEPS_ZH
    ]


def _result(con: sqlite3.Connection, case: Case) -> str:
    """Return how a case ended, from what was said with its last steps."""
    last = {str(each["verb"]): dict(each["details"]) for each in decisions_of(con, case.id)}  # type: ignore[call-overload]
    if case.state is CaseState.DISMISSED:
        return f"经初核，{DISMISSALS_ZH[last['dismiss']['code']]}，予以排除。"
    if case.state is CaseState.NOT_FILED:
        return "接收单位不予立案。"
    outcome = last.get("feedback", {}).get("outcome", "")
    return f"{outcome.rstrip('。')}。" if outcome else f"{STATES_ZH[case.state]}。"
