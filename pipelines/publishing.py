"""An unpublished snapshot to the current one: its name, and one transaction that writes down the night."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from detectors import registry
from pipelines import audit, duck, files
from pipelines.casework import suppressions
from pipelines.casework.cases import opening
from pipelines.casework.watchlist import effects
from pipelines.findings import alerts, matters, outbox, routing, signals
from pipelines.findings.suppression import quiet_until
from pipelines.settings import Home
from pipelines.snapshot import gates, screening, source_gates
from pipelines.snapshot.building import UnpublishedSnapshot
from pipelines.store import Store
from reports.alert_list import Alert
from reports.canonical_json import canonical_json

KEEP_SNAPSHOTS = 5  # older files are removed; their manifests stay and can rebuild them


@dataclass(frozen=True)
class Night:
    """What a night came to.

    ``state``: ``published``, ``unchanged`` (nothing new: the current snapshot stays) or
    ``blocked`` (a gate closed: the last snapshot stays current). ``suppressed``: signals that nobody is told of,
    by agreement. ``held``: why its deliveries wait for a person. ``closed``: what the gates of sources keep out.
    ``listed``: the rings of the list.
    """

    as_of: str
    state: str
    snapshot: str | None
    files: list[dict[str, object]] = field(default_factory=list)
    gates: list[gates.Gate] = field(default_factory=list)
    screened: list[screening.ScreenOutcome] = field(default_factory=list)
    new_signals: int = 0
    suppressed: int = 0
    held: outbox.Brake | None = None
    alerts: list[Alert] = field(default_factory=list)
    last_arrival: int = 0
    lists: list[str] = field(default_factory=list)
    page: Path | None = None
    closed: list[source_gates.ClosedGate] = field(default_factory=list)
    listed: list[matters.Matter] = field(default_factory=list)


@dataclass(frozen=True)
class _Findings:
    """What an unpublished snapshot shows, ready to be written down.

    ``rows``: of the alert list, by fingerprint. ``gathered``: what the signals come to. ``suppressed``: signals that
    nobody is told of. ``logical_hash``: of
    what the snapshot says.
    """

    signals: list[signals.Signal]
    rows: dict[str, Alert]
    gathered: matters.Gathered
    deliveries: list[outbox.PreparedDelivery]
    suppressed: int
    logical_hash: str


def publish(
    home: Home,
    store: Store,
    as_of: date,
    built: UnpublishedSnapshot,
    screened: list[screening.ScreenOutcome],
    *,
    actor: str,
    at: str,
) -> Night:
    """Give the snapshot its name, then switch to it and write down its signals in one transaction."""
    if not built.path.exists():
        raise FileNotFoundError("the unpublished snapshot of this night is gone; start the night again")
    detectors = registry.load(local=home.reference.local)
    found = _findings(home, store, as_of, built, detectors)
    if home.snapshot(built.id).exists():  # an equal night was here before: readers keep its file
        built.path.unlink()
    else:
        _make_safe(built.path, home.snapshot(built.id))
    is_new = store.current_snapshot() != built.id
    new, held = 0, None
    with store.transaction() as control:
        control.execute(
            "INSERT OR IGNORE INTO snapshot (id, as_of, manifest, logical_hash, published_at) VALUES (?, ?, ?, ?, ?)",
            (built.id, as_of.isoformat(), built.manifest, found.logical_hash, at),
        )
        if is_new:
            new = _switch(control, built, found, detectors, as_of, actor=actor, at=at)
            held = outbox.brake(store, as_of, new) if found.deliveries else None
            outbox.enqueue(control, found.deliveries, built.id, as_of, at=at, actor=actor, held=held)
        # After the signals: an entry is called removed when no flag of it is left.
        settled = effects.expire_and_remove(control, as_of, at=at, actor=actor)
        night = Night(
            as_of=as_of.isoformat(),
            state="published" if is_new else "unchanged",
            snapshot=built.id,
            files=built.accounts,
            gates=built.gates,
            screened=screened,
            new_signals=new,
            suppressed=found.suppressed,
            held=held,
            alerts=list(found.rows.values()),
            last_arrival=_last_arrival(store),
            lists=settled,
            closed=built.closed,
            listed=matters.on_the_list(found.gathered.matters),
        )
        source_gates.let_pass(control, built.closed)
        _write_night(control, night, at)
    _collect_garbage(home, store)
    return night


def _findings(
    home: Home, store: Store, as_of: date, built: UnpublishedSnapshot, detectors: list[registry.Loaded]
) -> _Findings:
    """Read the signals of the unpublished snapshot and prepare what goes out; its file is complete afterwards."""
    division = routing.load_division(home.reference)
    agreed = suppressions.agreed(store)
    con = duck.connect(built.path)
    try:
        found = signals.collect(con, detectors)
        facts = alerts.SnapshotFacts(con, found)
        gathered = matters.gather(con, found, {each.id: each for each in detectors})
        rows = alerts.rows(store, found, facts, detectors, as_of, gathered.strengths)
        findings = _Findings(
            signals=found,
            rows=rows,
            gathered=gathered,
            deliveries=outbox.prepare(store, found, rows, facts, detectors, as_of, division, agreed),
            suppressed=sum(quiet_until(agreed, signal, as_of) is not None for signal in found),
            logical_hash=_logical_hash(con),
        )
        con.execute("CHECKPOINT")
    finally:
        con.close()
    return findings


def _switch(
    control: sqlite3.Connection,
    built: UnpublishedSnapshot,
    found: _Findings,
    detectors: list[registry.Loaded],
    as_of: date,
    *,
    actor: str,
    at: str,
) -> int:
    """Make the snapshot the current one, with its accounts and signals. Returns how many signals are new."""
    _write_accounts(control, built)
    cases = opening.assign(control, found.gathered.matters, built.id)
    known = {detector.id: detector for detector in detectors}
    new = _write_signals(control, found.signals, cases, found.gathered.strengths, known, built.id, as_of)
    control.execute(
        "INSERT INTO current (one, snapshot) VALUES (1, ?)"
        " ON CONFLICT (one) DO UPDATE SET snapshot = excluded.snapshot",
        (built.id,),
    )
    audit.append(
        control,
        at=at,
        actor=actor,
        verb="publish",
        subject=built.id,
        as_of=as_of.isoformat(),
        signals=len(found.signals),
        new=new,
    )
    return new


def files_of(store: Store, as_of: str) -> list[sqlite3.Row]:
    """Return the files that came since the last night of an earlier day that was not blocked."""
    before = store.rows(
        "SELECT coalesce(max(last_arrival), 0) AS last FROM night WHERE as_of < ? AND state <> 'blocked'",
        as_of,
    )[0]["last"]
    return store.rows("SELECT * FROM file WHERE first_arrival > ? ORDER BY source, name, raw_sha", before)


def block(store: Store, as_of: date, built: UnpublishedSnapshot, *, at: str) -> Night:
    """Leave the last snapshot current, and say why."""
    built.path.unlink(missing_ok=True)
    night = Night(
        as_of=as_of.isoformat(),
        state="blocked",
        snapshot=store.current_snapshot(),
        files=built.accounts,
        gates=built.gates,
        last_arrival=_last_arrival(store),
        closed=built.closed,
    )
    with store.transaction() as control:
        _write_night(control, night, at)
    return night


def _write_accounts(control: sqlite3.Connection, built: UnpublishedSnapshot) -> None:
    control.executemany(
        "UPDATE file SET state = 'loaded', records = :records, loaded = :loaded, duplicate = :duplicate,"
        " refused = :refused, held = :held WHERE raw_sha = :raw_sha",
        built.accounts,
    )


def _write_signals(
    control: sqlite3.Connection,
    found: list[signals.Signal],
    cases: Mapping[str, str],
    strengths: Mapping[str, float],
    detectors: dict[str, registry.Loaded],
    snapshot: str,
    as_of: date,
) -> int:
    """Add new signals and new evidence; mark which signals this snapshot still shows. Returns the new ones."""
    known = {row[0] for row in control.execute("SELECT fp FROM signal").fetchall()}
    control.execute("UPDATE signal SET is_current = 0")
    for signal in found:
        control.execute(
            "INSERT INTO signal (fp, detector, identity_version, scope, lot_id, entities, first_snapshot, first_as_of,"
            " case_id, strength) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (fp) DO UPDATE SET is_current = 1, case_id = excluded.case_id, strength = excluded.strength",
            (
                signal.fp,
                signal.detector,
                signal.identity_version,
                signal.scope,
                signal.lot_id,
                json.dumps(signal.entities),
                snapshot,
                as_of.isoformat(),
                cases[signal.fp],
                strengths[signal.fp],
            ),
        )
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
        "lists": night.lists,
        "suppressed": night.suppressed,
        "held": None if night.held is None else asdict(night.held),
        "closed": [asdict(gate) for gate in night.closed],
    }
    control.execute(
        "INSERT INTO night (as_of, snapshot, state, summary, last_arrival, finished_at) VALUES (?, ?, ?, ?, ?, ?)",
        (night.as_of, night.snapshot, night.state, canonical_json(summary), night.last_arrival, at),
    )


def _last_arrival(store: Store) -> int:
    return int(store.rows("SELECT coalesce(max(id), 0) AS id FROM arrival")[0]["id"])


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
    files.sync_folder(final.parent)


def _collect_garbage(home: Home, store: Store) -> None:
    kept = {
        row["id"] for row in store.rows("SELECT id FROM snapshot ORDER BY rowid DESC LIMIT ?", KEEP_SNAPSHOTS)
    } | {store.current_snapshot()}
    for file in home.published.glob("*.duckdb"):
        if file.stem not in kept:
            file.unlink()
