"""What the tables count with: rows of the control store, and the sums under a table."""

from __future__ import annotations

import sqlite3

from pipelines.store import Store


def with_total(rows: list[list[str | int]]) -> list[list[str | int]]:
    """Return the rows and under them their sums; no rows have none."""
    if not rows:
        return []
    sums = [sum(int(row[place]) for row in rows) for place in range(1, len(rows[0]))]
    return [*rows, ["合计", *sums]]


def count(store: Store, sql: str, *parameters: object) -> int:
    """Return the one number that a query gives."""
    return int(store.rows(sql, *parameters)[0][0])


def counts(store: Store, sql: str, *parameters: object) -> dict[str, int]:
    """Return the numbers that a query gives by the word before each."""
    found: list[sqlite3.Row] = store.rows(sql, *parameters)
    return {row[0]: int(row[1]) for row in found}
