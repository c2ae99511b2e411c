"""来源可溯: from a signal back to the file, the row and the text as it was delivered."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipelines import mapping
from pipelines.sandbox import Lookup, Sandbox
from pipelines.settings import Home
from pipelines.store import Store


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


def sources(home: Home, store: Store, fp: str) -> list[Source]:
    """Return every delivered record behind a signal, read again from the raw bytes."""
    cells: dict[tuple[str, str, int], list[str]] = {}
    for cell, raw_sha, section, row in evidence(store, fp)["sources"]:  # type: ignore[attr-defined]
        cells.setdefault((raw_sha, section, row), []).append(cell)
    found: dict[tuple[str, str, int], dict[str, str | None]] = {}
    files = {}
    with Sandbox() as sandbox:
        for raw_sha in sorted({key[0] for key in cells}):
            file = store.rows(
                "SELECT f.*, d.received_at FROM file AS f JOIN delivery AS d ON d.id = f.first_delivery"
                " WHERE f.raw_sha = ?",
                raw_sha,
            )[0]
            sender = mapping.load(file["source"], home.sources)
            hidden = sender.personal_columns()
            wanted = [(section, row) for sha, section, row in cells if sha == raw_sha]
            lookup = Lookup(
                raw=str(home.raw / raw_sha),
                file_name=file["name"],
                mapping=str(mapping.path_of(file["source"], home.sources)),
                records=wanted,
            )
            for (section, row), record in zip(wanted, sandbox.look_up(lookup), strict=True):
                found[raw_sha, section, row] = {
                    name: "***" if mapping.base_name(name)[0] in hidden and text else text
                    for name, text in record.items()
                }
            files[raw_sha] = file
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
