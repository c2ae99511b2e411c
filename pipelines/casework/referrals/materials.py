"""The file of a referral (移送材料): its papers, a proof from the audit log, and check sums.

It rests on the evidence that stood behind the case when the referral was proposed or approved, not on what a later
night shows. The log has it before it goes out: who, when, and the sums. The file holds the proof of that entry.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

from pipelines import audit, times
from pipelines.casework import offices
from pipelines.casework.acts import Act, once
from pipelines.casework.cases.cases import case_of, decisions_of, evidence_of
from pipelines.casework.cases.states import CaseState
from pipelines.casework.clocks import periods
from pipelines.casework.referrals import case_findings, referrals
from pipelines.casework.referrals.referrals import Referral
from pipelines.reference import Reference
from pipelines.settings import Home
from pipelines.store import Store
from reports.alert_list import STATEMENT_ZH
from reports.bundle import sealed
from reports.handed_out import verify_log
from reports.letters import Handover, LetterHead
from reports.referral_file import CaseFindings, contents_sha256, papers

#: What the police have to do with a referral, and by when: rules of data/reference/deadlines.csv.
_POLICE_PERIODS = ("YS03", "YS05a", "YS05b")

_VERB = "write-file"


def write(home: Home, store: Store, act: Act, case_id: str, head: LetterHead) -> tuple[str, dict[str, bytes]]:
    """Return id and files of the referral that a case is on, and write down that they were made.

    Args:
        home: the installation.
        store: the control store.
        act: who makes the file, and why.
        case_id: the case.
        head: who signs. Number and day are those of the sending where the case was sent.

    Returns:
        The referral's id, and file name -> content; the same case and head give the same bytes.

    Raises:
        ValueError: the case is on no referral.
        FileNotFoundError: nothing is published.
    """
    referral = _referral(store.con, case_id)
    found = case_findings.restore(home, store, _seen(store.con, case_id))
    handover = _handover(store.con, store.reference, referral, found)
    head = _dated(store.con, referral, head)
    contents = papers(head, handover, found)
    digest = contents_sha256(contents)

    def do(con: sqlite3.Connection) -> str:
        number = con.execute(
            "INSERT INTO referral_file (referral, contents_sha256, at, actor) VALUES (?, ?, ?, ?) RETURNING number",
            (referral.id, digest, act.at, act.actor),
        ).fetchall()[0][0]
        return str(number)

    once(store, act, _VERB, referral.id, {"recipient": referral.recipient, "contents_sha256": digest}, do)
    proof, checkpoint = _proof(store.con, _entry(store.con, referral.id, digest))
    manifest = {
        "referral": referral.id,
        "case": case_id,
        "recipient": referral.recipient,
        "name_zh": handover.recipient_zh,
        "document_no": head.number,
        "statement_zh": STATEMENT_ZH,
        "contents_sha256": digest,
        "snapshot": found.snapshot,
    }
    files = {**contents, "proof.json": proof, "verify_log.py": Path(verify_log.__file__).read_bytes()}
    return referral.id, sealed(manifest, files, checkpoint)


def _proof(con: sqlite3.Connection, seq: int) -> tuple[bytes, str]:
    """Return the proof that an entry stands in the log, and the checkpoint of the log up to this entry.

    Later entries change neither.
    """
    proof = audit.proof(audit.entries(con)[: seq + 1], seq)
    return proof.text().encode(), proof.checkpoint


def has_new_evidence(con: sqlite3.Connection, case_id: str) -> bool:
    """Tell whether the evidence behind a case has changed since its referral was proposed or approved."""
    return [tuple(pair) for pair in evidence_of(con, case_id)] != list(_seen(con, case_id))


def _referral(con: sqlite3.Connection, case_id: str) -> Referral:
    case = case_of(con, case_id)
    if case.merged_into is not None:
        raise ValueError(f"{case_id} is merged into {case.merged_into}; go on there")
    referral = referrals.latest(con, case_id)
    if referral is None:
        raise ValueError(
            f"{case_id} is on no referral; propose one: bidwatch refer draft {case_id} --to OFFICE"
        )
    if referral.approver is None and case.state is not CaseState.DRAFTED:
        raise ValueError(f"{referral.id} was not approved; propose a new one: bidwatch refer draft {case_id}")
    return referral


def _seen(con: sqlite3.Connection, case_id: str) -> list[tuple[str, str]]:
    """Return what stood behind the case when its referral was approved, or proposed while it is not."""
    rows = con.execute(
        "SELECT seen FROM decision WHERE case_id = ? AND verb IN ('draft', 'approve') ORDER BY number DESC LIMIT 1",
        (case_id,),
    ).fetchall()
    return [(fp, ev_hash) for fp, ev_hash in json.loads(rows[0]["seen"])]


def _handover(con: sqlite3.Connection, known: Reference, referral: Referral, found: CaseFindings) -> Handover:
    case = case_of(con, referral.case_id)
    power = offices.powers(known).get(referral.basis)
    if power is None:
        raise ValueError(
            f"{referral.id} rests on {referral.basis}, which the list of powers no longer has (权责清单)"
        )
    reviewed = [each for each in decisions_of(con, referral.case_id) if each["verb"] == "confirm"]
    last = reviewed[-1] if reviewed else None
    return Handover(
        id=referral.id,
        case_id=referral.case_id,
        is_crime=referral.kind == "police",
        recipient_zh=referral.name_zh,
        copies_zh=[offices.offices(known)[office].name_zh for office in referrals.copies(known, referral)],
        subject=case_findings.subject_of(found.alerts, case.scope),
        clue_zh="涉及公职人员的问题线索" if referral.kind == "discipline" else "疑似围标串标线索",
        origin=case.origin,
        data_until=found.data_until,
        snapshot=found.snapshot,
        reviewers=[str(last["actor"]), str(dict(last["details"])["second officer"])] if last else [],  # type: ignore[call-overload]
        finding=str(last["reason"]) if last else "",
        power_zh=power.matter_zh,
        power_basis=power.basis + ("" if power.seen else "（待核）"),
        periods=[periods.cited(id) for id in _POLICE_PERIODS] if referral.kind == "police" else [],
        is_draft=case.state is CaseState.DRAFTED,
    )


def _dated(con: sqlite3.Connection, referral: Referral, head: LetterHead) -> LetterHead:
    """Return the head with number and day of the sending, where the case was sent."""
    sent = con.execute(
        "SELECT at FROM decision WHERE case_id = ? AND verb = 'send' AND json_extract(details, '$.document') = ?"
        " ORDER BY number DESC LIMIT 1",
        (referral.case_id, referral.document_no),
    ).fetchall()
    if referral.document_no and head.number and head.number != referral.document_no:
        raise ValueError(f"{referral.id} was sent as {referral.document_no}, not as {head.number}")
    day = times.day_of(sent[0]["at"]) if sent else head.on
    return replace(head, number=referral.document_no or head.number, on=day)


def _entry(con: sqlite3.Connection, referral: str, digest: str) -> int:
    """Return the number of the first entry about these contents."""
    rows = con.execute(
        "SELECT min(seq) FROM audit WHERE json_extract(body, '$.verb') = ? AND json_extract(body, '$.object') = ?"
        " AND json_extract(body, '$.contents_sha256') = ?",
        (_VERB, referral, digest),
    ).fetchall()
    return int(rows[0][0])
