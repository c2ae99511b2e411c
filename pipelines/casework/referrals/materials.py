"""The file of a referral (移送材料, Order 310 article 6): letter, report, list of materials, receipt, evidence, proof.

It rests on the evidence that stood behind the case when the referral was proposed or approved, not on what a later
night shows. What goes out is written down first: who, when, and the sums; the file proves that entry of the log.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from detectors import registry
from detectors.registry import Loaded
from pipelines import audit, duck, times
from pipelines.casework import offices
from pipelines.casework.acts import Act, once
from pipelines.casework.cases.cases import case_of, decisions_of, evidence_of
from pipelines.casework.cases.states import CaseState
from pipelines.casework.clocks import periods
from pipelines.casework.referrals import referrals
from pipelines.casework.referrals.referrals import Referral
from pipelines.findings import alerts
from pipelines.findings.signals import Signal
from pipelines.reference import Reference
from pipelines.settings import Home
from pipelines.store import Store
from reports import case_papers, letters
from reports.alert_list import STATEMENT_ZH, Alert, jsonl_bytes
from reports.alert_workbook import xlsx_bytes
from reports.bundle import sealed
from reports.handed_out import verify_log
from reports.letters import Handover, LetterHead, Material

#: What the police have to do with a referral, and by when: rules of data/reference/deadlines.csv.
POLICE_PERIODS = ("YS03", "YS05a", "YS05b")

#: What Order 310 wants that no records hold: people add it.
_BY_HAND = (
    ("（三）涉案物品清单", "涉案物品清单"),
    ("（四）有关检验报告或者鉴定结论", "检验报告、鉴定结论"),
)
_VERB = "write-file"


@dataclass(frozen=True)
class CaseFindings:
    """What stood behind a case: rows of the alert list, the strongest first, and the exact records."""

    alerts: Sequence[Alert]
    records: Sequence[Mapping[str, object]]
    checks: Mapping[str, str]
    snapshot: str
    data_until: date


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
    found = case_findings(home, store, _seen(store.con, case_id))
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
    proof, checkpoint = proof_of(store.con, _entry(store.con, referral.id, digest))
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


def papers(head: LetterHead, handover: Handover, found: CaseFindings) -> dict[str, bytes]:
    """Return file name -> content of everything that people read, without sums and proof."""
    attached = {
        "调查报告.docx": case_papers.review_report(head, handover, found.alerts, found.checks),
        "线索明细.xlsx": xlsx_bytes(found.alerts),
        "evidence.jsonl": jsonl_bytes(found.records),
        "送达回证.docx": case_papers.receipt_form(head, handover, letters.title_of(handover)),
    }
    by_hand = [Material(item, name, "", 0, "", "") for item, name in _BY_HAND] if handover.is_crime else []
    materials = [
        _material("（二）调查报告", "调查报告（待两名承办人填写）", "调查报告.docx", attached),
        *by_hand,
        _material("（五）其他材料", "线索明细", "线索明细.xlsx", attached),
        _material("（五）其他材料", "线索的确切记录", "evidence.jsonl", attached),
        _material("（五）其他材料", "送达回证", "送达回证.docx", attached),
    ]
    name = "涉嫌犯罪案件移送书.docx" if handover.is_crime else "移送函.docx"
    letter = {name: letters.clue_letter(head, handover, found.alerts, materials)}
    first = _material("（一）移送书", name.removesuffix(".docx"), name, letter)
    listed = {"移送材料清单.xlsx": case_papers.material_list(handover, [first, *materials])}
    return {**letter, **attached, **listed}


def case_findings(home: Home, store: Store, pairs: Sequence[tuple[str, str]]) -> CaseFindings:
    """Return what stood behind a case.

    Args:
        home: the installation.
        store: the control store.
        pairs: fingerprint and evidence hash of every signal.

    Raises:
        FileNotFoundError: nothing is published.
        ValueError: a detector is no longer here.
    """
    snapshot = store.published_snapshot()
    rows = {pair: _evidence(store, *pair) for pair in pairs}
    signals = [_restored(row) for row in rows.values()]
    con = duck.open_snapshot(home.snapshot(snapshot))
    try:
        facts = alerts.Facts(con, signals)
    finally:
        con.close()
    newest = {row["snapshot"]: row["as_of"] for row in rows.values()} or {
        snapshot: store.rows("SELECT as_of FROM snapshot WHERE id = ?", snapshot)[0]["as_of"]
    }
    data_until = date.fromisoformat(max(newest.values()))
    detectors = registry.load(local=store.reference.local)
    listed = alerts.rows(store, signals, facts, detectors, data_until)
    known = {detector.id: detector for detector in detectors}
    ordered = sorted(signals, key=lambda signal: (listed[signal.fp].grade, signal.detector, signal.fp))
    records = [
        _record(signal, known[signal.detector], listed[signal.fp], row)
        for signal, row in zip(signals, rows.values(), strict=True)
    ]
    checks = {signal.detector: _innocent(known[signal.detector]) for signal in ordered}
    return CaseFindings(
        [listed[signal.fp] for signal in ordered], records, checks, "、".join(sorted(newest)), data_until
    )


def contents_sha256(contents: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over name and SHA-256 of every file, a line each, as in SHA256SUMS."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(contents.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def proof_of(con: sqlite3.Connection, seq: int) -> tuple[bytes, str]:
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


def _evidence(store: Store, fp: str, ev_hash: str) -> sqlite3.Row:
    return store.rows(
        "SELECT s.fp, s.detector, s.identity_version, s.scope, s.entities, c.scope AS case_scope, e.body, e.snapshot,"
        " e.detector_version, e.limits_version, n.as_of FROM evidence AS e JOIN signal AS s ON s.fp = e.fp"
        " JOIN case_ AS c ON c.id = s.case_id JOIN snapshot AS n ON n.id = e.snapshot"
        " WHERE e.fp = ? AND e.ev_hash = ?",
        fp,
        ev_hash,
    )[0]


def _restored(row: sqlite3.Row) -> Signal:
    several = "lot_ids" in json.loads(row["body"])["facts"]
    signal = Signal.restored(
        row["fp"],
        row["detector"],
        row["identity_version"],
        row["scope"],
        tuple(json.loads(row["entities"])),
        row["body"],
        row["case_scope"],
    )
    return replace(signal, lot_id=None) if several else signal


def _record(signal: Signal, detector: Loaded, row: Alert, evidence: sqlite3.Row) -> dict[str, object]:
    """Return the exact record, with the versions that raised it; limits only where they are still those."""
    made = alerts.record(signal, detector, row)
    versions = {name: evidence[name] for name in ("detector_version", "limits_version")}
    if evidence["limits_version"] != detector.limits_version:
        del made["limits"]
    return {**made, **versions}


def _innocent(detector: Loaded) -> str:
    """Return what looks the same and is innocent, from the detector's own description."""
    _, _, after = str(detector.module.__doc__).partition("Looks innocent when\n")
    return " ".join(after.partition("\nBlind spots")[0].split())


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
        subject=subject_of(found.alerts, case.scope),
        clue_zh="涉及公职人员的问题线索" if referral.kind == "discipline" else "疑似围标串标线索",
        origin=case.origin,
        data_until=found.data_until,
        snapshot=found.snapshot,
        reviewers=[str(last["actor"]), str(dict(last["details"])["second officer"])] if last else [],  # type: ignore[call-overload]
        finding=str(last["reason"]) if last else "",
        power_zh=power.matter_zh,
        power_basis=power.basis + ("" if power.seen else "（待核）"),
        periods=[period_of(id) for id in POLICE_PERIODS] if referral.kind == "police" else [],
        is_draft=case.state is CaseState.DRAFTED,
    )


def subject_of(alerts: Sequence[Alert], scope: str) -> str:
    """Return what a case is about, in a few words: its tender, else its lot, else its scope."""
    named = list(
        dict.fromkeys(row.tender_name or row.lot_name for row in alerts if row.tender_name or row.lot_name)
    )
    if not named:
        return scope
    return str(named[0]) + (f"等{len(named)}个项目" if len(named) > 1 else "项目")


def project_of(home: Home, store: Store, case_id: str) -> str:
    """Return what a case is about now, in a few words; its scope where nothing is published."""
    scope = case_of(store.con, case_id).scope
    if store.current_snapshot() is None:
        return scope
    pairs = [(fp, ev_hash) for fp, ev_hash in evidence_of(store.con, case_id)]
    return subject_of(case_findings(home, store, pairs).alerts, scope)


def period_of(rule_id: str) -> tuple[str, str, str]:
    """Return what a rule wants, how long it gives, and by which provision."""
    rule = periods.rule_of(rule_id)
    return rule.act_zh, rule.length_zh, rule.basis + ("" if rule.seen else "（待核）")


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


def _material(item: str, name: str, file: str, contents: Mapping[str, bytes]) -> Material:
    content = contents[file]
    return Material(
        item,
        name,
        file,
        len(content),
        hashlib.sha256(content).hexdigest(),
        hashlib.new("sm3", content).hexdigest(),
    )
