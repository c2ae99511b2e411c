"""What goes to other desks: chosen and written down with the signals, made into folders afterwards."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from detectors.contract import Status
from detectors.registry import Loaded
from pipelines import alerts, audit, routing
from pipelines.receiving import sync_folder
from pipelines.settings import Home
from pipelines.signals import Signal
from pipelines.store import Store
from reports.alert_list import FORMAT_VERSION, Alert, canonical_json
from reports.bundle import DetectorVersion, ManifestFacts, bundle, delivery_id

#: A home has no rules of its own for the division of duties yet.
NO_OVERRIDES: dict[tuple[str, str], routing.Office] = {}


@dataclass(frozen=True)
class Prepared:
    """One delivery, ready to be written down."""

    did: str
    recipient: str
    evidence: list[tuple[str, str]]
    alerts: str
    records: str
    facts: str


def prepare(
    store: Store,
    signals: list[Signal],
    rows: Mapping[str, Alert],
    facts: alerts.Facts,
    detectors: list[Loaded],
) -> list[Prepared]:
    """Choose what each recipient has not been told yet: signals and evidence that are new to it.

    What experimental detectors see stays inside: no figures say yet how often they are wrong.
    """
    known = {detector.id: detector for detector in detectors}
    told = {
        (row["recipient"], row["fp"], row["ev_hash"])
        for row in store.rows("SELECT recipient, fp, ev_hash FROM outbox_item")
    }
    routes: dict[str, list[routing.Route]] = {}
    for route in routing.recipients(facts.for_routing(), routing.load_division(), NO_OVERRIDES):
        routes.setdefault(route.lot_id, []).append(route)
    chosen: dict[str, list[tuple[Signal, routing.Route]]] = {}
    for signal in signals:
        if known[signal.detector].facts.status is Status.EXPERIMENTAL:
            continue
        # An office hears of a matter once, however many of its lots are in it.
        to = {route.recipient: route for lot in reversed(signal.lots) for route in routes.get(lot, [])}
        for route in to.values():
            if (route.recipient, signal.fp, signal.ev_hash) not in told:
                chosen.setdefault(route.recipient, []).append((signal, route))
    versions = {id: asdict(DetectorVersion(d.version, d.limits_version)) for id, d in known.items()}
    prepared = []
    for recipient, items in sorted(chosen.items()):
        evidence = [(signal.fp, signal.ev_hash) for signal, _ in items]
        listed = [asdict(rows[signal.fp]) | {"note": route.note_zh} for signal, route in items]
        records = [alerts.record(signal, known[signal.detector], rows[signal.fp]) for signal, _ in items]
        prepared.append(
            Prepared(
                did=delivery_id(recipient, FORMAT_VERSION, evidence),
                recipient=recipient,
                evidence=evidence,
                alerts=canonical_json(listed).decode(),
                records=canonical_json(records).decode(),
                facts=canonical_json({"name_zh": items[0][1].name_zh, "detectors": versions}).decode(),
            )
        )
    return prepared


def enqueue(
    control: sqlite3.Connection, prepared: list[Prepared], snapshot: str, as_of: date, *, at: str, actor: str
) -> None:
    """Write the deliveries down, inside the transaction that publishes."""
    for delivery in prepared:
        audit.append(control, at=at, actor=actor, verb="enqueue", subject=delivery.did,
                     recipient=delivery.recipient, alerts=len(delivery.evidence))  # fmt: skip
    checkpoint = audit.checkpoint(control)
    for delivery in prepared:
        control.execute(
            "INSERT OR IGNORE INTO outbox (did, recipient, snapshot, as_of, alerts, records, facts, checkpoint)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (delivery.did, delivery.recipient, snapshot, as_of.isoformat(), delivery.alerts, delivery.records,
             delivery.facts, checkpoint),
        )  # fmt: skip
        control.executemany(
            "INSERT OR IGNORE INTO outbox_item (recipient, fp, ev_hash, did) VALUES (?, ?, ?, ?)",
            [(delivery.recipient, fp, ev_hash, delivery.did) for fp, ev_hash in delivery.evidence],
        )


def write(home: Home, store: Store) -> list[Path]:
    """Make the folder of every delivery that is written down and has none yet.

    A folder appears whole, by rename; made again it has the same bytes.
    """
    written = []
    for row in store.rows("SELECT * FROM outbox WHERE state = 'pending' ORDER BY did"):
        folder = home.outbox / row["recipient"] / f"{row['as_of']}_{row['did']}"
        if not folder.exists():
            _materialise(folder, files(row))
        with store.transaction() as control:
            control.execute("UPDATE outbox SET state = 'written' WHERE did = ?", (row["did"],))
        written.append(folder)
    return written


def files(row: sqlite3.Row) -> dict[str, bytes]:
    """Return the files of a delivery from its row: always the same bytes."""
    facts = json.loads(row["facts"])
    return bundle(
        row["recipient"],
        [alerts.restored(values) for values in json.loads(row["alerts"])],
        json.loads(row["records"]),
        ManifestFacts(
            name_zh=facts["name_zh"],
            snapshot=row["snapshot"],
            detectors={id: DetectorVersion(**version) for id, version in facts["detectors"].items()},
            checkpoint=row["checkpoint"],
        ),
        FORMAT_VERSION,
    )


def _materialise(folder: Path, contents: dict[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f".{folder.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    for name, content in contents.items():
        (temporary / name).write_bytes(content)
    sync_folder(temporary)
    temporary.rename(folder)
    sync_folder(folder.parent)
