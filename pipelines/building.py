"""Bronze to an unpublished snapshot: stage and core tables, the accounts of every file, gates, screens."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import duckdb

from detectors import registry
from pipelines import audit, bronze, gates, linking, parties, screening, warehouse
from pipelines.casework import list_effects
from pipelines.contract import contracts
from pipelines.moments import LOCAL
from pipelines.reading import Progress, folder_of
from pipelines.settings import Home
from pipelines.store import Store


@dataclass(frozen=True)
class Built:
    """An unpublished snapshot: its file, its name, and how it passed the gates."""

    id: str
    path: Path
    manifest: str
    gates: list[gates.Gate]
    accounts: list[dict[str, object]]


def cutoff(as_of: date) -> str:
    """Return the start of the night's day as UTC text: an opening at or after it is still secret."""
    start = datetime.combine(as_of, time(), LOCAL).astimezone(UTC)
    return start.strftime("%Y-%m-%d %H:%M:%S")


def build(home: Home, store: Store, as_of: date) -> Built:
    """Build tonight's snapshot under a temporary name and check its gates."""
    files = store.rows("SELECT * FROM file WHERE state <> 'refused' AND bronze IS NOT NULL ORDER BY raw_sha")
    detectors = registry.load()
    judged = parties.judged(store)
    listed = list_effects.for_snapshot(store.con, as_of)
    manifest = audit.canonical(
        {
            "as_of": as_of.isoformat(),
            "bronze": [[file["raw_sha"], file["bronze"]] for file in files],
            "code": _code_version(),
            "lists": listed,
            "detectors": [[d.id, d.version, d.limits_version] for d in detectors],
            "parties": [[pair.left, pair.right, pair.verdict] for pair in judged],
        }
    )
    id = hashlib.sha256(manifest.encode()).hexdigest()[:16]
    path = home.published / f".{id}.{os.getpid()}"
    path.unlink(missing_ok=True)
    con = warehouse.connect(path)
    try:
        folders = [folder_of(home, file["raw_sha"], file["bronze"]) for file in files]
        tables = {
            table: [
                folder / f"{table}.parquet" for folder in folders if (folder / f"{table}.parquet").is_file()
            ]
            for table in contracts()
        }
        arrivals = {file["raw_sha"]: file["first_delivery"] for file in files}
        warehouse.load_stage(con, tables, arrivals, cutoff(as_of))
        linking.set_judgements(con, judged)
        warehouse.set_listed(con, listed)
        warehouse.build_core(con)
        accounts = _accounts(con, files, folders)
        con.execute("CREATE TABLE stage.night AS SELECT CAST(? AS TIMESTAMP) AS cutoff", [cutoff(as_of)])
        checked = gates.check(con)
    finally:
        con.close()
    return Built(id, path, manifest, checked, accounts)


def screen(built: Built, *, progress: Progress) -> list[screening.Screened]:
    """Run every detector over the unpublished snapshot."""
    detectors = registry.load()
    con = warehouse.connect(built.path)
    try:
        screening.prepare(con)
        screened = []
        for place, detector in enumerate(detectors):
            progress(f"screen 筛查 {detector.id}", place, len(detectors))
            screened.append(screening.screen(con, detector))
        return screened
    finally:
        con.close()


def _accounts(con: duckdb.DuckDBPyConnection, files: list, folders: list[Path]) -> list[dict[str, object]]:  # type: ignore[type-arg]
    """Return the account of every file and store it as ``stage.accounts``."""
    counted = warehouse.account(con)
    accounts = []
    for file, folder in zip(files, folders, strict=True):
        outcome = bronze.Report.load(folder)
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
        con.executemany("INSERT INTO stage.accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        [list(account.values()) for account in accounts])  # fmt: skip
    return accounts


def _code_version() -> str:
    """Hash of the code that turns bronze into a snapshot."""
    here = Path(__file__).parent
    files = [
        *sorted(here.glob("sql/**/*.sql")),
        *(here / f"{module}.py" for module in ("building", "warehouse", "linking", "screening", "signals")),
        *sorted((here.parent / "detectors").glob("*.py")),
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]
