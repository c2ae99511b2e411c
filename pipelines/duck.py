"""The one door to DuckDB: every connection is hardened here."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.reference import Reference

#: No extension may be loaded or fetched, no Python variable may be read by name.
HARDENED: dict[str, str | bool | int | float | list[str]] = {
    "allow_unsigned_extensions": False,
    "allow_community_extensions": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}


# Few rows are copied quicker than a relation of their statement is made; see `intake.conversion`.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result makes an extra copy")


def connect(
    path: Path | None = None, *, read_only: bool = False, memory_limit: str = "1500MB", threads: int = 2
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file, or a database in memory, with the hardened settings."""
    con = duckdb.connect(
        ":memory:" if path is None else str(path),
        read_only=read_only,
        config=HARDENED | {"memory_limit": memory_limit, "threads": threads},
    )
    con.execute("SET TimeZone = 'UTC'")
    return con


def open_snapshot(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a published snapshot for analysts and detectors: read-only, and shut in.

    No SQL can reach another file, load an extension or undo these settings.
    """
    con = connect(path, read_only=True)
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


class DuckDBEngine:
    """The default `detectors.interface.Engine`, over one snapshot."""

    def __init__(self, con: duckdb.DuckDBPyConnection, known: Reference | None = None) -> None:
        self._con = con
        self._known = known or Reference()

    def reference(self, name: str) -> Mapping[str, Any]:
        """Return the tables of a TOML file of the reference data in force."""
        return self._known.tables(name)

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Return the result of one SELECT as an Arrow table."""
        relation = self._con.sql(sql, params=dict(parameters)) if parameters else self._con.sql(sql)
        if relation is None:
            raise ValueError("a detector may only run a SELECT")
        return relation.to_arrow_table()
