"""What stood behind a case when a person decided: its alerts and their exact records, from the evidence that was seen."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import date

from detectors import registry
from detectors.registry import Loaded
from pipelines import duck
from pipelines.casework.cases.cases import case_of, evidence_of
from pipelines.findings import alerts
from pipelines.findings.signals import Signal
from pipelines.settings import Home
from pipelines.store import Store
from reports.alert_list import Alert
from reports.referral_file import CaseFindings


def restore(home: Home, store: Store, pairs: Sequence[tuple[str, str]]) -> CaseFindings:
    """Return what stood behind a case, from its evidence in the store.

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
    signals = [_signal(row) for row in rows.values()]
    con = duck.open_snapshot(home.snapshot(snapshot))
    try:
        facts = alerts.SnapshotFacts(con, signals)
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
    explanations = {signal.detector: _innocent_explanations(known[signal.detector]) for signal in ordered}
    return CaseFindings(
        [listed[signal.fp] for signal in ordered],
        records,
        explanations,
        "、".join(sorted(newest)),
        data_until,
    )


def _evidence(store: Store, fp: str, ev_hash: str) -> sqlite3.Row:
    return store.rows(
        "SELECT s.fp, s.detector, s.identity_version, s.scope, s.lot_id, s.entities, e.body, e.snapshot,"
        " e.detector_version, e.limits_version, n.as_of FROM evidence AS e JOIN signal AS s ON s.fp = e.fp"
        " JOIN snapshot AS n ON n.id = e.snapshot"
        " WHERE e.fp = ? AND e.ev_hash = ?",
        fp,
        ev_hash,
    )[0]


def _signal(row: sqlite3.Row) -> Signal:
    return Signal.restored(
        row["fp"],
        row["detector"],
        row["identity_version"],
        row["scope"],
        tuple(json.loads(row["entities"])),
        row["body"],
        row["lot_id"],
    )


def _record(signal: Signal, detector: Loaded, row: Alert, evidence: sqlite3.Row) -> dict[str, object]:
    """Return the exact record, with the versions that raised it; limits only where they are still those."""
    made = alerts.record(signal, detector, row)
    versions = {name: evidence[name] for name in ("detector_version", "limits_version")}
    if evidence["limits_version"] != detector.limits_version:
        del made["limits"]
    return {**made, **versions}


def _innocent_explanations(detector: Loaded) -> str:
    """Return what looks the same and is innocent, from the detector's own description."""
    _, _, after = str(detector.module.__doc__).partition("Looks innocent when\n")
    return " ".join(after.partition("\nBlind spots")[0].split())


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
    return subject_of(restore(home, store, pairs).alerts, scope)
