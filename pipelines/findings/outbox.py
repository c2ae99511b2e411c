"""What goes to other desks: chosen and written down with the signals, made into folders afterwards.

A night with far more new signals than usual is published, but its deliveries wait until a person lets them go
(``bidwatch deliver release``).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

from detectors.interface import Status
from detectors.registry import Loaded
from pipelines import audit
from pipelines.files import make_folder
from pipelines.findings import alerts, routing
from pipelines.findings.signals import Signal
from pipelines.findings.suppression import Suppression, came_back, quiet_until
from pipelines.settings import Home
from pipelines.store import Store
from reports.alert_list import FORMAT_VERSION, Alert
from reports.bundle import DetectorVersion, ManifestFacts, bundle, delivery_id_of
from reports.canonical_json import canonical_json
from reports.results_list import results_bundle

#: The volume brake: a night may bring so many times the median of the nights before it, and this many in any case.
BRAKE_TIMES = 3
BRAKE_LEAST = 20
BRAKE_NIGHTS = 30

#: Stands under 备注 of an alert that an office had before.
AGAIN_ZH = "抑制期满，再次送达"

#: A delivery that is written down, has no folder yet, and need not wait for a person.
_TO_WRITE = """
SELECT o.* FROM outbox AS o
LEFT JOIN delivery_hold AS h ON h.delivery_id = o.delivery_id
LEFT JOIN delivery_release AS r ON r.delivery_id = o.delivery_id
WHERE o.state = 'pending' AND (h.delivery_id IS NULL OR r.delivery_id IS NOT NULL)
ORDER BY o.delivery_id
"""


@dataclass(frozen=True)
class PreparedDelivery:
    """One delivery, ready to be written down."""

    delivery_id: str
    recipient: str
    evidence: list[tuple[str, str]]
    alerts: str
    records: str
    facts: str


@dataclass(frozen=True)
class Brake:
    """Why the deliveries of a night wait: ``new_signals`` came, and at most ``most`` were to be expected."""

    new_signals: int
    most: int


def prepare(
    store: Store,
    signals: Iterable[Signal],
    rows: Mapping[str, Alert],
    facts: alerts.SnapshotFacts,
    detectors: list[Loaded],
    as_of: date,
    division: routing.Division,
    agreed: Sequence[Suppression],
) -> list[PreparedDelivery]:
    """Choose what each recipient has not been told yet: signals and evidence that are new to it.

    What experimental detectors see stays inside: no figures say yet how often they are wrong. What is
    suppressed on ``as_of`` is left out; when the suppression has ended it goes out, once more if need be.
    """
    known = {detector.id: detector for detector in detectors}
    told = _told(store)
    routes = routes_by_lot(facts, division)
    chosen: dict[str, list[tuple[Signal, routing.Route]]] = {}
    again: set[str] = set()
    for signal in signals:
        if known[signal.detector].status is Status.EXPERIMENTAL:
            continue
        if quiet_until(agreed, signal, as_of) is not None:
            continue
        for route in routes_of(signal, routes):
            told_on = told.get((route.recipient, signal.fp, signal.ev_hash))
            if told_on is not None:
                if not came_back(agreed, signal, told_on, as_of):
                    continue
                again.add(route.recipient)
                route = replace(route, note_zh="；".join(filter(None, (route.note_zh, AGAIN_ZH))))
            chosen.setdefault(route.recipient, []).append((signal, route))
    return [
        compose(recipient, items, rows, known, again_on=as_of.isoformat() if recipient in again else None)
        for recipient, items in sorted(chosen.items())
    ]


def compose(
    recipient: str,
    items: Sequence[tuple[Signal, routing.Route]],
    rows: Mapping[str, Alert],
    known: Mapping[str, Loaded],
    *,
    name_zh: str | None = None,
    supersedes: str | None = None,
    again_on: str | None = None,
) -> PreparedDelivery:
    """Return one delivery of these signals.

    Args:
        recipient: folder name of the office.
        items: the signals, each with why it goes to this office.
        rows: of the alert list, by fingerprint.
        known: detectors by id.
        name_zh: of the office; of the first item where none is given.
        supersedes, again_on: see `reports.bundle.ManifestFacts`.
    """
    evidence = [(signal.fp, signal.ev_hash) for signal, _ in items]
    listed = [asdict(rows[signal.fp]) | {"note": route.note_zh} for signal, route in items]
    records = [alerts.record(signal, known[signal.detector], rows[signal.fp]) for signal, _ in items]
    used = {signal.detector for signal, _ in items}
    facts = {
        "name_zh": items[0][1].name_zh if name_zh is None else name_zh,
        "detectors": {
            id: asdict(DetectorVersion(d.version, d.limits_version)) for id, d in known.items() if id in used
        },
        "copies": [signal.fp for signal, route in items if route.basis_zh == routing.COPY_ZH],
        "supersedes": supersedes,
        "again_on": again_on,
    }
    return PreparedDelivery(
        delivery_id=delivery_id_of(recipient, FORMAT_VERSION, evidence, supersedes or again_on),
        recipient=recipient,
        evidence=evidence,
        alerts=canonical_json(listed),
        records=canonical_json(records),
        facts=canonical_json(facts),
    )


def routes_by_lot(facts: alerts.SnapshotFacts, division: routing.Division) -> dict[str, list[routing.Route]]:
    """Return who is told of each lot."""
    routes: dict[str, list[routing.Route]] = {}
    for route in routing.recipients(facts.for_routing(), division):
        routes.setdefault(route.lot_id, []).append(route)
    return routes


def routes_of(signal: Signal, routes: Mapping[str, list[routing.Route]]) -> list[routing.Route]:
    """Return who is told of a signal: an office hears of a matter once, however many of its lots are in it."""
    return list(
        {route.recipient: route for lot in reversed(signal.lots) for route in routes.get(lot, [])}.values()
    )


def brake(store: Store, as_of: date, new_signals: int) -> Brake | None:
    """Return why tonight's deliveries have to wait, None if they need not.

    All new signals of a night count, whoever is told of them. The limit is `BRAKE_TIMES` their median in the
    `BRAKE_NIGHTS` published nights before, and `BRAKE_LEAST` at least. The first night of an installation brings
    everything there is: without a night before it nothing is held.
    """
    counted: dict[str, int] = {}
    for row in store.rows(
        "SELECT as_of, json_extract(summary, '$.new_signals') AS new FROM night"
        " WHERE state = 'published' AND as_of <= ?",
        as_of.isoformat(),
    ):
        counted[row["as_of"]] = counted.get(row["as_of"], 0) + int(row["new"])
    tonight = new_signals + counted.pop(as_of.isoformat(), 0)
    before = [counted[night] for night in sorted(counted)[-BRAKE_NIGHTS:]]
    if not before:
        return None
    most = max(int(BRAKE_TIMES * statistics.median(before)), BRAKE_LEAST)
    return Brake(tonight, most) if tonight > most else None


def enqueue(
    control: sqlite3.Connection,
    prepared: list[PreparedDelivery],
    snapshot: str,
    as_of: date,
    *,
    at: str,
    actor: str,
    held: Brake | None = None,
) -> None:
    """Write the deliveries down, inside the transaction that publishes; ``held``: they wait for a person."""
    for delivery in prepared:
        audit.append(
            control,
            at=at,
            actor=actor,
            verb="enqueue",
            subject=delivery.delivery_id,
            recipient=delivery.recipient,
            alerts=len(delivery.evidence),
            **({} if held is None else {"held": True}),
        )
    checkpoint = audit.checkpoint(control)
    for delivery in prepared:
        control.execute(
            "INSERT OR IGNORE INTO outbox (delivery_id, recipient, snapshot, as_of, alerts, records, facts, checkpoint)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                delivery.delivery_id,
                delivery.recipient,
                snapshot,
                as_of.isoformat(),
                delivery.alerts,
                delivery.records,
                delivery.facts,
                checkpoint,
            ),
        )
        control.executemany(
            "INSERT OR IGNORE INTO outbox_item (recipient, fp, ev_hash, delivery_id) VALUES (?, ?, ?, ?)",
            [(delivery.recipient, fp, ev_hash, delivery.delivery_id) for fp, ev_hash in delivery.evidence],
        )
        control.executemany(
            "INSERT OR IGNORE INTO outbox_repeat (delivery_id, fp, ev_hash)"
            " SELECT delivery_id, ?2, ?3 FROM outbox WHERE delivery_id = ?1"
            " AND NOT EXISTS (SELECT 1 FROM outbox_item WHERE delivery_id = ?1 AND fp = ?2)",
            [(delivery.delivery_id, fp, ev_hash) for fp, ev_hash in delivery.evidence],
        )
        if held is not None:
            control.execute(
                "INSERT OR IGNORE INTO delivery_hold (delivery_id, new_signals, most) VALUES (?, ?, ?)",
                (delivery.delivery_id, held.new_signals, held.most),
            )


def write(home: Home, store: Store) -> list[Path]:
    """Make the folder of every delivery that is written down and has none yet, unless it waits for a person.

    A folder appears whole, by rename; made again it has the same bytes.
    """
    written = []
    for row in store.rows(_TO_WRITE):
        folder = folder_of(home, row)
        contents = files(row)
        if not folder.exists():
            make_folder(folder, contents)
        with store.transaction() as control:
            control.execute(
                "UPDATE outbox SET state = 'written' WHERE delivery_id = ?", (row["delivery_id"],)
            )
            control.execute(
                "INSERT OR IGNORE INTO delivery_made (delivery_id, manifest_sha256) VALUES (?, ?)",
                (row["delivery_id"], manifest_sum(contents)),
            )
        written.append(folder)
    return written


def folder_of(home: Home, row: sqlite3.Row) -> Path:
    """Return where the folder of a delivery stands or will stand."""
    return home.outbox / str(row["recipient"]) / f"{row['as_of']}_{row['delivery_id']}"


def manifest_sum(contents: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of a delivery's manifest, which has the sums of all other files."""
    return hashlib.sha256(contents["MANIFEST.json"]).hexdigest()


def files(row: sqlite3.Row) -> dict[str, bytes]:
    """Return the files of a delivery from its row: always the same bytes."""
    facts = json.loads(row["facts"])
    if "results" in facts:
        return results_bundle(
            row["recipient"], facts["name_zh"], facts["results"], row["snapshot"], row["checkpoint"]
        )
    return bundle(
        row["recipient"],
        [alerts.restored(values) for values in json.loads(row["alerts"])],
        json.loads(row["records"]),
        ManifestFacts(
            name_zh=facts["name_zh"],
            snapshot=row["snapshot"],
            detectors={id: DetectorVersion(**version) for id, version in facts["detectors"].items()},
            checkpoint=row["checkpoint"],
            # deliveries of earlier versions have neither
            supersedes=facts.get("supersedes"),
            again_on=facts.get("again_on"),
        ),
        FORMAT_VERSION,
    )


def _told(store: Store) -> dict[tuple[str, str, str], date]:
    """Return on which night each office was last told of which evidence."""
    return {
        (row["recipient"], row["fp"], row["ev_hash"]): date.fromisoformat(row["last"])
        for row in store.rows(
            "SELECT o.recipient, i.fp, i.ev_hash, max(o.as_of) AS last FROM delivery_item AS i"
            " JOIN outbox AS o ON o.delivery_id = i.delivery_id GROUP BY o.recipient, i.fp, i.ev_hash"
        )
    }
