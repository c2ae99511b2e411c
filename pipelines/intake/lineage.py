"""来源可溯: from a signal back to the file, the row and the text as it was delivered."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from pipelines.intake import mapping
from pipelines.intake.readers import headings
from pipelines.intake.sandbox import Lookup, Sandbox
from pipelines.settings import Home
from pipelines.store import Store
from pipelines.values import masking


@dataclass(frozen=True)
class Source:
    """One delivered record behind a signal.

    Attributes:
        columns: our columns that the signal took from it, as ``table.column``.
        file, source, received_at: the file, its sender, its first arrival (UTC).
        raw_sha, section, row: where the record stands.
        record: the sender's columns and text, personal values masked.
    """

    columns: tuple[str, ...]
    file: str
    source: str
    received_at: str
    raw_sha: str
    section: str
    row: int
    record: dict[str, str | None]


def evidence(store: Store, fp: str) -> dict[str, object]:
    """Return the newest evidence of a signal.

    Raises:
        ValueError: no such signal.
    """
    rows = store.rows("SELECT * FROM evidence WHERE fp = ? ORDER BY n DESC LIMIT 1", fp)
    if not rows:
        raise ValueError(f"no signal {fp!r}; see `bidwatch alerts list`")
    row = rows[0]
    return dict(row) | dict(json.loads(row["body"]))


def records(home: Home, file: sqlite3.Row, wanted: list[tuple[str, int]]) -> list[dict[str, str | None]]:
    """Return records of one file as delivered, personal values masked, read again from the raw bytes.

    Args:
        home: the installation.
        file: its row in the control store.
        wanted: (section, row) of each record.
    """
    sender = mapping.load(file["source"], home.sources)
    hidden, prose = sender.personal_columns() - sender.prose_columns(), sender.prose_columns()
    lookup = Lookup(
        raw=str(home.raw / file["raw_sha"]),
        file_name=file["name"],
        mapping=str(mapping.path_of(file["source"], home.sources)),
        records=wanted,
    )
    with Sandbox() as sandbox:
        found = sandbox.look_up(lookup)
    return [{name: _shown(name, text, hidden, prose) for name, text in record.items()} for record in found]


def _shown(name: str, text: str | None, hidden: frozenset[str], prose: frozenset[str]) -> str | None:
    compared = headings.base_name(name)[0]
    if not text or compared not in hidden | prose:
        return text
    return masking.hidden(text) if compared in prose else "***"


def sources(home: Home, store: Store, fp: str) -> list[Source]:
    """Return every delivered record behind a signal, read again from the raw bytes."""
    cells: dict[tuple[str, str, int], list[str]] = {}
    for cell, raw_sha, section, row in evidence(store, fp)["sources"]:  # type: ignore[attr-defined]
        cells.setdefault((raw_sha, section, row), []).append(cell)
    found: dict[tuple[str, str, int], dict[str, str | None]] = {}
    files = {}
    for raw_sha in sorted({key[0] for key in cells}):
        files[raw_sha] = store.rows(
            "SELECT f.*, a.received_at FROM file AS f JOIN arrival AS a ON a.id = f.first_arrival"
            " WHERE f.raw_sha = ?",
            raw_sha,
        )[0]
        wanted = sorted((section, row) for sha, section, row in cells if sha == raw_sha)
        for key, record in zip(wanted, records(home, files[raw_sha], wanted), strict=True):
            found[raw_sha, *key] = record
    return [
        Source(
            columns=tuple(columns),
            file=files[raw_sha]["name"],
            source=files[raw_sha]["source"],
            received_at=files[raw_sha]["received_at"],
            raw_sha=raw_sha,
            section=section,
            row=row,
            record=found[raw_sha, section, row],
        )
        for (raw_sha, section, row), columns in sorted(cells.items())
    ]
