"""Runs the detectors' portable SQL on DuckDB."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import pyarrow as pa


class DuckDBEngine:
    """The default ``detectors.contract.Engine``, over one snapshot."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Return the result of one SELECT as an Arrow table."""
        relation = self._con.sql(sql, params=dict(parameters)) if parameters else self._con.sql(sql)
        if relation is None:
            raise ValueError("a detector may only run a SELECT")
        return relation.to_arrow_table()
