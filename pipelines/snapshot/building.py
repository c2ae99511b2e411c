"""Bronze to an unpublished snapshot: stage and core tables, the accounts of every file, gates, screens."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from detectors import registry
from detectors.closure import closure, code_hash
from pipelines import duck, times
from pipelines.intake.file_report import FileReport
from pipelines.intake.schema import table_schemas
from pipelines.settings import Home, Progress
from pipelines.snapshot import completing, core, gates, linking, screening, source_gates, stage
from pipelines.store import Store
from reports.canonical_json import canonical_json


@dataclass(frozen=True)
class HumanDecisions:
    """What people decided and a snapshot must know; ``night`` gathers it.

    ``judged``: who is who. ``listed``: entries of the office's own lists, by the names in ``stage.LISTED``. ``settled``:
    conflicts and the value that is right.
    """

    judged: Sequence[linking.PartyJudgement]
    listed: Sequence[Mapping[str, object]]
    settled: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class UnpublishedSnapshot:
    """An unpublished snapshot: its file, its name, how it passed the gates, and what sources' gates keep out of it."""

    id: str
    path: Path
    manifest: str
    gates: list[gates.Gate]
    accounts: list[dict[str, object]]
    closed: list[source_gates.ClosedGate]


def cutoff(as_of: date) -> str:
    """Return the start of the night's day as UTC text: an opening at or after it is still secret."""
    return times.morning_of(as_of).strftime("%Y-%m-%d %H:%M:%S")


def build(
    home: Home,
    store: Store,
    as_of: date,
    decided: HumanDecisions,
) -> UnpublishedSnapshot:
    """Build tonight's snapshot under a temporary name and check its gates.

    Args:
        home: the installation.
        store: its control store.
        as_of: the night.
        decided: what people decided that a snapshot must know.
    """
    closed = source_gates.closed(home, store)
    kept_out = {sha for gate in closed for sha in gate.files}
    readable = store.rows(
        "SELECT * FROM file WHERE state <> 'refused' AND bronze IS NOT NULL AND passed IS NOT ? ORDER BY raw_sha",
        source_gates.LEFT_OUT,
    )
    files = [file for file in readable if file["raw_sha"] not in kept_out]
    detectors = registry.load(local=home.reference.local)
    manifest = canonical_json(
        {
            "as_of": as_of.isoformat(),
            "bronze": [[file["raw_sha"], file["bronze"]] for file in files],
            "code": _code_version(),
            "award_rules": home.reference.digest("award_rules.toml"),
            "lists": list(decided.listed),
            "detectors": [[d.id, d.version, d.limits_version] for d in detectors],
            "settled": [list(pair) for pair in decided.settled],
            "parties": [[pair.left, pair.right, pair.verdict] for pair in decided.judged],
        }
    )
    id = hashlib.sha256(manifest.encode()).hexdigest()[:16]
    path = home.published / f".{id}.{os.getpid()}"
    path.unlink(missing_ok=True)
    con = duck.connect(path)
    try:
        folders = [home.bronze_of(file["raw_sha"], file["bronze"]) for file in files]
        tables = {
            table: [
                folder / f"{table}.parquet" for folder in folders if (folder / f"{table}.parquet").is_file()
            ]
            for table in (*table_schemas(), "refused")
        }
        reports = [FileReport.load(folder) for folder in folders]
        arrivals = [
            stage.Arrival(file["raw_sha"], file["first_arrival"], report.time_zone)
            for file, report in zip(files, reports, strict=True)
        ]
        completing.set_settlements(con, decided.settled)
        stage.load(con, tables, arrivals, cutoff(as_of))
        linking.set_judgements(con, decided.judged)
        stage.set_listed(con, decided.listed)
        core.build(con)
        accounts = _accounts(con, files, reports)
        con.execute("CREATE TABLE stage.night AS SELECT CAST(? AS TIMESTAMP) AS cutoff", [cutoff(as_of)])
        checked = gates.check(con) + _emptied(closed, is_empty=not files)
    finally:
        con.close()
    return UnpublishedSnapshot(id, path, manifest, checked, accounts, closed)


def _emptied(closed: Sequence[source_gates.ClosedGate], *, is_empty: bool) -> list[gates.Gate]:
    """Return a closed gate for every delivery without which the snapshot would lose what it had, or be empty."""
    return [
        gates.Gate(
            name=f"source_{each.source}",
            holds=f"source {each.source} still loads what it used to ({each.reason})",
            holds_zh=f"来源 {each.source} 报送的数据与以往相符（{each.reason_zh}）",
            is_warning=False,
            violations=each.records,
        )
        for each in closed
        if each.was_current or is_empty
    ]


def screen(home: Home, built: UnpublishedSnapshot, *, progress: Progress) -> list[screening.ScreenOutcome]:
    """Run every detector over the unpublished snapshot."""
    detectors = registry.load(local=home.reference.local)
    con = duck.connect(built.path)
    try:
        screening.prepare(con, home.reference)
        screened = []
        for place, detector in enumerate(detectors):
            progress(f"screen 筛查 {detector.id}", place, len(detectors))
            screened.append(screening.screen(con, detector, home.reference))
        return screened
    finally:
        con.close()


def _accounts(
    con: duckdb.DuckDBPyConnection, files: list[sqlite3.Row], reports: list[FileReport]
) -> list[dict[str, object]]:
    """Return the account of every file and store it as ``stage.accounts``."""
    counted = stage.account(con)
    accounts = []
    for file, outcome in zip(files, reports, strict=True):
        fates = counted.get(file["raw_sha"], {"loaded": 0, "duplicate": 0, "conflict": 0, "held": 0})
        accounts.append(
            {
                "raw_sha": file["raw_sha"],
                "source": file["source"],
                "name": file["name"],
                "records": outcome.records,
                "loaded": fates["loaded"],
                "duplicate": fates["duplicate"],
                "refused": outcome.refused + fates["conflict"],
                "conflict": fates["conflict"],
                "held": fates["held"],
            }
        )
    con.execute(
        "CREATE TABLE stage.accounts (raw_sha VARCHAR, source VARCHAR, name VARCHAR, records BIGINT, loaded BIGINT,"
        " duplicate BIGINT, refused BIGINT, conflict BIGINT, held BIGINT)"
    )
    if accounts:
        con.executemany(
            "INSERT INTO stage.accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [list(account.values()) for account in accounts],
        )
    return accounts


def _code_version() -> str:
    """Hash of the code that turns bronze into a snapshot; every detector has a version of its own beside it."""
    tables = sorted([*core.FOLDER.glob("*.sql"), *gates.FOLDER.glob("*.sql")])
    used = closure("pipelines.snapshot.building", "pipelines.rings.tables", "pipelines.findings.signals")
    return code_hash(used, [path.read_bytes() for path in tables])
