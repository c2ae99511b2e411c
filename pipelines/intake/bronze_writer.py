"""Writes what became of one file: its Parquet files, and how often each expectation was broken."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.intake import refusals
from pipelines.intake.schema import PROVENANCE, Expectation, table_schemas

if TYPE_CHECKING:  # checking loads great_expectations, which takes seconds
    from pipelines.intake.checking import Outcome


class BronzeWriter:
    """Writes the Parquet files of one bronze folder, batch by batch.

    ``clear`` gathers the personal values in clear text (kind, token, text); they are sealed when all are known.
    """

    def __init__(self, out: Path, raw_sha: str) -> None:
        self._out = out
        self._raw_sha = raw_sha
        self._writers: dict[str, pq.ParquetWriter] = {}
        self.clear: list[pa.Table] = []

    def write(self, table: str, section: str, rows: pa.Table) -> None:
        """Append good rows of a table."""
        if not rows.num_rows:
            return
        typed = table_schemas()[table].duckdb_columns()
        origin = {
            "raw_sha": pa.repeat(self._raw_sha, rows.num_rows),
            "raw_section": pa.repeat(section, rows.num_rows),
        }
        columns = [origin[name] if name in origin else rows.column(name) for name in typed]
        assert set(PROVENANCE) <= set(typed)
        self._append(table, pa.table(columns, names=list(typed)))

    def refuse(self, rows: pa.Table) -> None:
        """Append refused rows; what says nothing of a bid has no lot and no bidder."""
        if rows.num_rows:
            nothing = pa.nulls(rows.num_rows, pa.string())
            told = dict.fromkeys(refusals.REFUSED.names, nothing)
            told |= {name: rows.column(name) for name in rows.column_names}
            told["raw_sha"] = pa.repeat(self._raw_sha, rows.num_rows)
            self._append("refused", pa.table(told).select(refusals.REFUSED.names).cast(refusals.REFUSED))

    def close(self) -> None:
        """Finish every file."""
        for writer in self._writers.values():
            writer.close()

    def _append(self, name: str, rows: pa.Table) -> None:
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(
                self._out / f"{name}.parquet", rows.schema, compression="zstd"
            )
        self._writers[name].write_table(rows)


class ExpectationTally:
    """Adds up the outcomes of every batch, for the night page."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, ...], tuple[Expectation, Counter[str]]] = {}

    def add(self, table: str, outcome: Outcome) -> None:
        """Count what one expectation found in one batch of a table."""
        expectation = outcome.expectation
        key = (table, expectation.type, expectation.column, expectation.code)
        _, counts = self._sums.setdefault(key, (expectation, Counter()))
        counts["checked"] += outcome.checked
        counts["unexpected"] += len(outcome.positions)

    def rows(self) -> list[dict[str, object]]:
        """Return one row per table and expectation, in the order in which they were first checked."""
        return [
            {
                "table": table,
                "expectation": expectation.type,
                "column": expectation.column,
                "severity": expectation.severity,
                "code": expectation.code,
                "reason": expectation.reason,
                "reason_zh": expectation.reason_zh,
                "checked": counts["checked"],
                "unexpected": counts["unexpected"],
            }
            for (table, *_), (expectation, counts) in self._sums.items()
        ]
