"""The files of one delivery folder, as bytes.

A delivery is named by its contents: the same alerts with the same evidence for the same recipient are the same delivery,
byte for byte, however often it is written. A recipient checks it with ``sha256sum -c SHA256SUMS`` or
``cksum -a sm3 -c SM3SUMS`` (国密 SM3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reports.alert_list import (
    COLUMNS,
    STATEMENT_ZH,
    Alert,
    csv_bytes,
    jsonl_bytes,
)
from reports.alert_workbook import xlsx_bytes
from reports.canonical_json import canonical_json


@dataclass(frozen=True, kw_only=True)
class ManifestFacts:
    """What a delivery says about its origin.

    Attributes:
        name_zh: the recipient's name.
        snapshot: id of the published snapshot the alerts came from.
        detectors: detector id -> its code version and limits version.
        checkpoint: text of the audit log's checkpoint, as it goes out.
        supersedes: id of the delivery that this one corrects.
        again_on: night on which evidence went out once more, because a suppression had ended; ISO date.
    """

    name_zh: str
    snapshot: str
    detectors: Mapping[str, DetectorVersion]
    checkpoint: str
    supersedes: str | None = None
    again_on: str | None = None


@dataclass(frozen=True)
class DetectorVersion:
    """Which code and which limits raised an alert."""

    version: str
    limits_version: str


def delivery_id_of(
    recipient: str, format_version: str, evidence: Iterable[tuple[str, str]], because: str | None = None
) -> str:
    """Return the 16 hex places that name a delivery.

    Args:
        recipient: folder name of the recipient.
        format_version: layout of the files, see ``reports.alert_list.FORMAT_VERSION``.
        evidence: (alert id, hash of its evidence) of every alert, any order.
        because: why the same evidence goes out once more: ``supersedes`` or ``again_on`` of the manifest.
    """
    said = [recipient, format_version, sorted([list(pair) for pair in evidence])]
    told = said if because is None else [*said, because]
    return hashlib.sha256(canonical_json(told).encode()).hexdigest()[:16]


def bundle(
    recipient: str,
    alerts: Sequence[Alert],
    records: Sequence[Mapping[str, object]],
    manifest_facts: ManifestFacts,
    format_version: str,
) -> dict[str, bytes]:
    """Return file name -> content of one delivery folder.

    Args:
        recipient: folder name of the recipient.
        alerts: the rows of the list.
        records: one exact record an alert, with ``alert_id``, ``lot_id``, ``detector`` and ``ev_hash``.
        manifest_facts: where the alerts come from.
        format_version: layout of the files.

    Raises:
        ValueError: alerts and records are not about the same alert ids, or a detector's version is
            not given.
        RuntimeError: this Python cannot compute SM3.
    """
    _refuse_mismatch(alerts, records, manifest_facts)
    evidence = [(str(record["alert_id"]), str(record["ev_hash"])) for record in records]
    because = manifest_facts.supersedes or manifest_facts.again_on
    delivery_id = delivery_id_of(recipient, format_version, evidence, because)
    raised_by = {alert.detector for alert in alerts}
    manifest = {
        "delivery_id": delivery_id,
        "format_version": format_version,
        "recipient": recipient,
        "name_zh": manifest_facts.name_zh,
        "statement_zh": STATEMENT_ZH,
        "columns": [column.header_zh for column in COLUMNS],
        "rows": len(alerts),
        "snapshot": manifest_facts.snapshot,
        "detectors": {
            id: {"version": detector.version, "limits_version": detector.limits_version}
            for id, detector in manifest_facts.detectors.items()
            if id in raised_by
        },
        "supersedes": manifest_facts.supersedes,
    }
    if manifest_facts.again_on is not None:
        manifest["again_on"] = manifest_facts.again_on
    files = {
        "alerts.csv": csv_bytes(alerts),
        "alerts.xlsx": xlsx_bytes(alerts, delivery_id),
        "alerts.jsonl": jsonl_bytes(records),
    }
    return sealed(manifest, files, manifest_facts.checkpoint)


def sealed(manifest: Mapping[str, object], files: Mapping[str, bytes], checkpoint: str) -> dict[str, bytes]:
    """Return the files with ``CHECKPOINT``, the manifest and the sums of all of them."""
    whole = {**files, "CHECKPOINT": checkpoint.encode()}
    said = {
        **manifest,
        "files": {
            name: {"bytes": len(content), "sha256": digest("sha256", content), "sm3": digest("sm3", content)}
            for name, content in whole.items()
        },
        "checkpoint": checkpoint,
    }
    whole["MANIFEST.json"] = canonical_json(said, indent=2).encode() + b"\n"
    return whole | {"SHA256SUMS": sums("sha256", whole), "SM3SUMS": sums("sm3", whole)}


def _refuse_mismatch(
    alerts: Sequence[Alert], records: Sequence[Mapping[str, object]], manifest_facts: ManifestFacts
) -> None:
    listed, recorded = {alert.alert_id for alert in alerts}, {str(record["alert_id"]) for record in records}
    if odd := sorted(listed ^ recorded):
        missing = "alerts.jsonl" if odd[0] in listed else "the alert list"
        raise ValueError(f"alert {odd[0]} is missing in {missing}; give one record for every alert")
    if unknown := sorted({alert.detector for alert in alerts} - set(manifest_facts.detectors)):
        raise ValueError(f"{unknown[0]}: no version given; the manifest must name the code of every alert")


def sums(algorithm: str, files: Mapping[str, bytes]) -> bytes:
    """Return check sums as ``sha256sum -c`` reads them."""
    return "".join(f"{digest(algorithm, files[name])}  {name}\n" for name in sorted(files)).encode()


def digest(algorithm: str, content: bytes) -> str:
    """Return the check sum of a file.

    Raises:
        RuntimeError: this Python cannot compute SM3.
    """
    try:
        return hashlib.new(algorithm, content).hexdigest()
    except ValueError:
        raise RuntimeError(
            f"this Python's OpenSSL has no {algorithm}; a delivery needs it: use a build of OpenSSL 1.1.1 or"
            " newer with SM3 enabled"
        ) from None
