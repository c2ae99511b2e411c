"""One night, station by station. Every step may be killed and repeated.

``run`` is the whole night as a plain program; ``nightly.nightly`` is the same steps under Prefect.
No step reads the clock to decide anything: ``as_of`` says which night it is, ``at`` only stamps
what is written down.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from detectors import registry
from pipelines import (
    alerts,
    audit,
    bronze,
    gates,
    mapping,
    outbox,
    receiving,
    screening,
    signals,
    vault,
    warehouse,
)
from pipelines.contract import contracts
from pipelines.settings import Home
from pipelines.store import Store, opened
from reports.alert_list import Alert

LOCAL = ZoneInfo("Asia/Shanghai")
READERS = 2  # files that are read side by side
KEEP_SNAPSHOTS = 5  # older files are removed; their manifests stay and can rebuild them

Progress = Callable[[str, int, int], None]


class Busy(Exception):
    """Another night is running in this home."""


@dataclass(frozen=True)
class Built:
    """An unpublished snapshot: its file, its name, and how it passed the gates."""

    id: str
    path: Path
    manifest: str
    gates: list[gates.Gate]
    accounts: list[dict[str, object]]


@dataclass(frozen=True)
class Night:
    """What a night came to.

    ``state``: ``published``, ``unchanged`` (nothing new: the current snapshot stays) or
    ``blocked`` (a gate closed: the last snapshot stays current).
    """

    as_of: str
    state: str
    snapshot: str | None
    files: list[dict[str, object]] = field(default_factory=list)
    gates: list[gates.Gate] = field(default_factory=list)
    screened: list[screening.Screened] = field(default_factory=list)
    new_signals: int = 0
    alerts: list[Alert] = field(default_factory=list)
    last_delivery: int = 0
    page: Path | None = None


def cutoff(as_of: date) -> str:
    """Return the start of the night's day as UTC text: an opening at or after it is still secret."""
    start = datetime.combine(as_of, time(), LOCAL).astimezone(UTC)
    return start.strftime("%Y-%m-%d %H:%M:%S")


@contextmanager
def lock(home: Home) -> Iterator[None]:
    """Hold the home for one night. The lock dies with the process.

    Raises:
        Busy: another night holds it.
    """
    with home.lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another night is running in this home; try again when it is done") from None
        yield


def run(home: Home, as_of: date, *, actor: str, at: str, progress: Progress) -> Night:
    """Run the whole night. Returns what it came to; raises ``Busy`` if one is running already."""
    home.prepare()
    with lock(home), opened(home.control) as store:
        progress("receive 接收", 0, 1)
        receive(home, store, actor=actor, at=at)
        read_files(home, store, progress=progress)
        progress("build 建库", 0, 1)
        built = build(home, store, as_of)
        if any(gate.blocks for gate in built.gates):
            return block(home, store, as_of, built, at=at)
        screened = screen(built, progress=progress)
        progress("publish 发布", 0, 1)
        night = publish(home, store, as_of, built, screened, actor=actor, at=at)
        outbox.write(home, store)
        return report(home, store, night)


def receive(home: Home, store: Store, *, actor: str, at: str) -> list[str]:
    """Take in everything that lies in the inbox."""
    _sweep(home)
    return receiving.receive(home, store, receiving.waiting(home.inbox), at=at, actor=actor, move=True)


def read_files(home: Home, store: Store, *, progress: Progress) -> int:
    """Make the bronze of every file that lacks it. Returns how many were read."""
    from pipelines.sandbox import Readers

    key = vault.load_key(home.key)
    waiting = []
    for file in store.rows("SELECT raw_sha, source, name FROM file ORDER BY first_delivery"):
        try:
            sender = mapping.load(file["source"], home.sources)
        except (FileNotFoundError, ValueError) as error:
            _refuse(store, file["raw_sha"], "NO_MAPPING", str(error), f"来源 {file['source']} 没有可用的映射")
            continue
        folder = _bronze(home, file["raw_sha"], bronze.version(sender, file["name"], key))
        if not (folder / "report.json").is_file():
            waiting.append((file, sender, folder))
        elif store.rows(
            "SELECT 1 FROM file WHERE raw_sha = ? AND bronze IS NOT ?", file["raw_sha"], folder.name
        ):
            _adopt(home, store, file["raw_sha"], folder)
    with Readers(min(READERS, len(waiting))) as readers:
        jobs = [_job(home, key, *each) for each in waiting]
        for place, outcome in enumerate(readers.read(jobs)):
            progress("read 读取", place, len(waiting))
            file, _, folder = waiting[place]
            out = Path(jobs[place].out)
            if outcome.code == "READER_STOPPED":
                if (out / "fault.txt").exists():
                    folder.parent.mkdir(exist_ok=True)
                    (out / "fault.txt").replace(folder.parent / "fault.txt")
                shutil.rmtree(out)
                _refuse(store, file["raw_sha"], outcome.code, str(outcome.reason), str(outcome.reason_zh))
                continue
            if (out / "sealed.parquet").exists():
                vault.store(home.vault, [out / "sealed.parquet"])
            folder.parent.mkdir(exist_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            out.rename(folder)
            receiving.sync_folder(folder.parent)
            _adopt(home, store, file["raw_sha"], folder)
    return len(waiting)


def _job(home: Home, key: bytes, file: sqlite3.Row, sender: mapping.Mapping, folder: Path) -> bronze.Job:
    out = home.bronze / f".{folder.parent.name[:16]}.{os.getpid()}"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    return bronze.Job(
        raw=str(home.raw / file["raw_sha"]),
        raw_sha=file["raw_sha"],
        file_name=file["name"],
        mapping=str(mapping.path_of(sender.source, home.sources)),
        out=str(out),
        key=key.hex(),
    )


def build(home: Home, store: Store, as_of: date) -> Built:
    """Build tonight's snapshot under a temporary name and check its gates."""
    files = store.rows("SELECT * FROM file WHERE state <> 'refused' AND bronze IS NOT NULL ORDER BY raw_sha")
    detectors = registry.load()
    manifest = audit.canonical(
        {
            "as_of": as_of.isoformat(),
            "bronze": [[file["raw_sha"], file["bronze"]] for file in files],
            "code": _code_version(),
            "detectors": [[d.id, d.version, d.limits_version] for d in detectors],
        }
    )
    id = hashlib.sha256(manifest.encode()).hexdigest()[:16]
    path = home.published / f".{id}.{os.getpid()}"
    path.unlink(missing_ok=True)
    con = warehouse.connect(path)
    try:
        folders = [_bronze(home, file["raw_sha"], file["bronze"]) for file in files]
        tables = {
            table: [
                folder / f"{table}.parquet" for folder in folders if (folder / f"{table}.parquet").is_file()
            ]
            for table in contracts()
        }
        arrivals = {file["raw_sha"]: file["first_delivery"] for file in files}
        warehouse.load_stage(con, tables, arrivals, cutoff(as_of))
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


def publish(
    home: Home,
    store: Store,
    as_of: date,
    built: Built,
    screened: list[screening.Screened],
    *,
    actor: str,
    at: str,
) -> Night:
    """Give the snapshot its name, then switch to it and write down its signals in one transaction."""
    detectors = registry.load()
    con = warehouse.connect(built.path)
    try:
        found = signals.collect(con, detectors)
        facts = alerts.Facts(con, found)
        rows = alerts.rows(store, found, facts, detectors, as_of)
        prepared = outbox.prepare(store, found, rows, facts, detectors)
        logical = _logical_hash(con)
        con.execute("CHECKPOINT")
    finally:
        con.close()
    if home.snapshot(built.id).exists():  # an equal night was here before: readers keep its file
        built.path.unlink()
    else:
        _make_safe(built.path, home.snapshot(built.id))
    is_new = store.current_snapshot() != built.id
    new = 0
    with store.transaction() as control:
        control.execute(
            "INSERT OR IGNORE INTO snapshot (id, as_of, manifest, logical_hash, published_at) VALUES (?, ?, ?, ?, ?)",
            (built.id, as_of.isoformat(), built.manifest, logical, at),
        )
        if is_new:
            _write_accounts(control, built)
            new = _write_signals(control, found, {d.id: d for d in detectors}, built.id, as_of)
            control.execute(
                "INSERT INTO current (one, snapshot) VALUES (1, ?)"
                " ON CONFLICT (one) DO UPDATE SET snapshot = excluded.snapshot",
                (built.id,),
            )
            audit.append(control, at=at, actor=actor, verb="publish", subject=built.id, as_of=as_of.isoformat(),
                         signals=len(found), new=new)  # fmt: skip
            outbox.enqueue(control, prepared, built.id, as_of, at=at, actor=actor)
        night = Night(
            as_of=as_of.isoformat(),
            state="published" if is_new else "unchanged",
            snapshot=built.id,
            files=built.accounts,
            gates=built.gates,
            screened=screened,
            new_signals=new,
            alerts=list(rows.values()),
            last_delivery=_last_delivery(store),
        )
        _write_night(control, night, at)
    _collect_garbage(home, store)
    return night


def files_of(store: Store, as_of: str) -> list[sqlite3.Row]:
    """Return the files that came since the last night of an earlier day that was not blocked."""
    before = store.rows(
        "SELECT coalesce(max(last_delivery), 0) AS last FROM night WHERE as_of < ? AND state <> 'blocked'",
        as_of,
    )[0]["last"]
    return store.rows("SELECT * FROM file WHERE first_delivery > ? ORDER BY source, name, raw_sha", before)


def block(home: Home, store: Store, as_of: date, built: Built, *, at: str) -> Night:
    """Leave the last snapshot current, and say why."""
    built.path.unlink()
    night = Night(
        as_of=as_of.isoformat(),
        state="blocked",
        snapshot=store.current_snapshot(),
        files=built.accounts,
        gates=built.gates,
        last_delivery=_last_delivery(store),
    )
    with store.transaction() as control:
        _write_night(control, night, at)
    return report(home, store, night)


def report(home: Home, store: Store, night: Night) -> Night:
    """Write the night's page."""
    from pipelines import night_report

    return night_report.write(home, store, night)


def _bronze(home: Home, raw_sha: str, version: str) -> Path:
    return home.bronze / raw_sha / version


def _refuse(store: Store, raw_sha: str, code: str, reason: str, reason_zh: str) -> None:
    with store.transaction() as con:
        con.execute(
            "UPDATE file SET state = 'refused', code = ?, reason = ?, reason_zh = ? WHERE raw_sha = ?",
            (code, reason, reason_zh, raw_sha),
        )


def _adopt(home: Home, store: Store, raw_sha: str, folder: Path) -> None:
    """Note which bronze a file has; a refused file is finished here."""
    outcome = bronze.Report.load(folder)
    with store.transaction() as con:
        con.execute("UPDATE file SET bronze = ?, state = 'received', code = NULL, reason = NULL, reason_zh = NULL"
                    " WHERE raw_sha = ?", (folder.name, raw_sha))  # fmt: skip
    if outcome.state == "refused":
        _refuse(store, raw_sha, str(outcome.code), str(outcome.reason), str(outcome.reason_zh))


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


def _write_accounts(control: sqlite3.Connection, built: Built) -> None:
    control.executemany(
        "UPDATE file SET state = 'loaded', records = :records, loaded = :loaded, duplicate = :duplicate,"
        " refused = :refused, held = :held WHERE raw_sha = :raw_sha",
        built.accounts,
    )


def _write_signals(
    control: sqlite3.Connection,
    found: list[signals.Signal],
    detectors: dict[str, registry.Loaded],
    snapshot: str,
    as_of: date,
) -> int:
    """Add new signals and new evidence; mark which signals this snapshot still shows. Returns the new ones."""
    known = {row[0] for row in control.execute("SELECT fp FROM signal").fetchall()}
    control.execute("UPDATE signal SET is_current = 0")
    for signal in found:
        scope = signal.lot_id or signal.scope
        control.execute("INSERT OR IGNORE INTO case_ (id, scope) VALUES (?, ?)", ("C" + signal.fp[1:], scope))
        case = control.execute("SELECT id FROM case_ WHERE scope = ?", (scope,)).fetchall()[0][0]
        control.execute(
            "INSERT INTO signal (fp, detector, identity_version, scope, entities, first_snapshot, first_as_of, case_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (fp) DO UPDATE SET is_current = 1",
            (signal.fp, signal.detector, signal.identity_version, signal.scope, json.dumps(signal.entities),
             snapshot, as_of.isoformat(), case),
        )  # fmt: skip
        detector = detectors[signal.detector]
        control.execute(
            "INSERT OR IGNORE INTO evidence (fp, ev_hash, n, snapshot, detector_version, limits_version, body)"
            " VALUES (?, ?, (SELECT count(*) + 1 FROM evidence WHERE fp = ?), ?, ?, ?, ?)",
            (
                signal.fp,
                signal.ev_hash,
                signal.fp,
                snapshot,
                detector.version,
                detector.limits_version,
                signal.body,
            ),
        )
    return sum(signal.fp not in known for signal in found)


def _write_night(control: sqlite3.Connection, night: Night, at: str) -> None:
    summary = {
        "gates": [asdict(gate) for gate in night.gates],
        "screened": [asdict(screened) for screened in night.screened],
        "alerts": len(night.alerts),
        "new_signals": night.new_signals,
    }
    control.execute(
        "INSERT INTO night (as_of, snapshot, state, summary, last_delivery, finished_at) VALUES (?, ?, ?, ?, ?, ?)",
        (night.as_of, night.snapshot, night.state, audit.canonical(summary), night.last_delivery, at),
    )


def _last_delivery(store: Store) -> int:
    return int(store.rows("SELECT coalesce(max(id), 0) AS id FROM delivery")[0]["id"])


def _code_version() -> str:
    """Hash of the code that turns bronze into a snapshot."""
    here = Path(__file__).parent
    files = [*sorted(here.glob("sql/**/*.sql")), here / "warehouse.py", here / "screening.py", here / "signals.py",
             *sorted((here.parent / "detectors").glob("*.py"))]  # fmt: skip
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:12]


def _logical_hash(con: duckdb.DuckDBPyConnection) -> str:
    """Hash of what the snapshot says, whatever the bytes of its file: every core and risk row, in order."""
    digest = hashlib.sha256()
    tables = con.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        " WHERE table_schema IN ('core', 'risk') ORDER BY 1"
    ).fetchall()
    for (table,) in tables:
        rows = con.execute(
            f"SELECT sha256(coalesce(string_agg(line, chr(10) ORDER BY line), ''))"
            f" FROM (SELECT sha256(CAST(to_json(t) AS VARCHAR)) AS line FROM {table} AS t)"
        ).fetchall()
        digest.update(f"{table} {rows[0][0]}\n".encode())
    return digest.hexdigest()


def _make_safe(temporary: Path, final: Path) -> None:
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.chmod(0o440)
    temporary.replace(final)
    receiving.sync_folder(final.parent)


def _sweep(home: Home) -> None:
    """Remove what a killed process left behind: names that begin with a dot were never finished.

    Such a name ends with the number of its process; one that still runs (`bidwatch receive` beside the
    night) keeps its file.
    """
    for folder in (home.raw, home.bronze, home.published):
        for leftover in folder.glob(".*"):
            owner = re.search(r"[.]([0-9]+)([.]wal)?$", leftover.name)
            if owner and int(owner[1]) != os.getpid() and Path(f"/proc/{owner[1]}").exists():
                continue
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def _collect_garbage(home: Home, store: Store) -> None:
    kept = {row["id"] for row in store.rows(
        "SELECT id FROM snapshot ORDER BY rowid DESC LIMIT ?", KEEP_SNAPSHOTS)} | {store.current_snapshot()}  # fmt: skip
    for file in home.published.glob("*.duckdb"):
        if file.stem not in kept:
            file.unlink()
