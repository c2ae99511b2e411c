"""Records that complete each other, cell by cell; what of two files contradicts itself waits for a person."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from pipelines.intake.schema import PROVENANCE, TableSchema
from pipelines.values.literals import listed


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``stage.conflicts``, empty, and ``stage.settlements``, unless it is filled already."""
    con.execute(
        "CREATE OR REPLACE TABLE stage.conflicts (conflict_id VARCHAR, table_name VARCHAR, record_key VARCHAR,"
        " column_name VARCHAR, value VARCHAR, settled VARCHAR, raw_sha VARCHAR, raw_section VARCHAR, raw_row BIGINT)"
    )
    con.execute("CREATE TABLE IF NOT EXISTS stage.settlements (conflict_id VARCHAR, value VARCHAR)")


def set_settlements(con: duckdb.DuckDBPyConnection, settled: Iterable[tuple[str, str]]) -> None:
    """Fill ``stage.settlements`` with what people said about cells in conflict, before the stage tables are loaded."""
    con.execute("CREATE SCHEMA IF NOT EXISTS stage")
    con.execute("CREATE OR REPLACE TABLE stage.settlements (conflict_id VARCHAR, value VARCHAR)")
    if rows := [list(pair) for pair in settled]:
        con.executemany("INSERT INTO stage.settlements VALUES (?, ?)", rows)


def complete(con: duckdb.DuckDBPyConnection, schema: TableSchema) -> None:
    """Make one record of the rows of ``shown`` that complete each other, cell by cell."""
    cells = [name for name in schema.duckdb_columns() if name not in PROVENANCE]
    newest = ", ".join(
        f"max(stated_at) FILTER (WHERE {name} IS NOT NULL) OVER (PARTITION BY record_key) AS at_{name}"
        for name in cells
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE completing AS SELECT *, {newest} FROM shown WHERE contents > 1"
    )
    per_cell = " UNION ALL ".join(
        f"""
        SELECT record_key, '{name}' AS column_name, list_sort(list(DISTINCT CAST({name} AS VARCHAR))) AS said
        FROM completing WHERE stated_at = at_{name} AND {name} IS NOT NULL
        GROUP BY record_key HAVING count(DISTINCT {name}) > 1
        """
        for name in cells
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE disputed AS
        WITH cells AS ({per_cell}),
        named AS (
            SELECT *, 'K' || upper(left(md5(concat_ws(chr(31), $table_name, record_key, column_name,
                                                      array_to_string(said, chr(30)))), 10)) AS conflict_id
            FROM cells
        )
        SELECT n.record_key, n.column_name, n.conflict_id, s.value AS settled
        FROM named AS n LEFT JOIN stage.settlements AS s ON s.conflict_id = n.conflict_id AND list_contains(n.said, s.value)
        """,
        {"table_name": schema.table},
    )
    settled = set()
    for name, is_settled in con.execute(
        "SELECT column_name, bool_or(settled IS NOT NULL) FROM disputed GROUP BY column_name ORDER BY 1"
    ).fetchall():
        settled |= {name} if is_settled else set()
        con.execute(
            f"""
            INSERT INTO stage.conflicts
            SELECT d.conflict_id, $table_name, c.record_key, '{name}', CAST({name} AS VARCHAR), d.settled,
                   c.raw_sha, c.raw_section, c.raw_row
            FROM completing AS c JOIN disputed AS d ON d.record_key = c.record_key AND d.column_name = '{name}'
            WHERE c.stated_at = c.at_{name} AND {name} IS NOT NULL
            ORDER BY c.record_key, c.raw_sha, c.raw_section, c.raw_row
            """,
            {"table_name": schema.table},
        )
    required = [column.name for column in schema.columns.values() if column.required]
    con.execute(
        f"""
        UPDATE delivered SET fate = 'conflict' WHERE fate = 'current' AND record_key IN (
            SELECT record_key FROM disputed WHERE column_name IN ({listed(required)}) AND settled IS NULL
        )
        """
    )
    disputed = {
        column.name: str(column.in_dispute)
        for column in schema.columns.values()
        if column.in_dispute is not None
    }
    first = "ORDER BY stated_at DESC, raw_sha, raw_section, raw_row"
    chosen = {
        name: f"CASE WHEN coalesce(list_contains(any_value(d.columns), '{name}'), FALSE) THEN {disputed.get(name, 'NULL')}"
        f" ELSE first({name} {first}) FILTER (WHERE {name} IS NOT NULL{_is_taken(name) if name in settled else ''}) END"
        for name in cells
    } | {
        "record_key": "c.record_key",
        "row_hash": f"first(row_hash {first})",
        "updated_at": "max(updated_at)",
        "is_deleted": "FALSE",
        "is_partial": f"first(is_partial {first})",
        "is_public": "bool_or(is_public)",
        "raw_sha": f"first(raw_sha {first})",
        "raw_section": f"first(raw_section {first})",
        "raw_row": f"first(raw_row {first})",
    }
    con.execute(
        f"""
        INSERT INTO stage.{schema.table}
        WITH disputes AS (
            SELECT record_key, list(column_name) FILTER (WHERE settled IS NULL) AS columns,
                   map_from_entries(list((column_name, settled)) FILTER (WHERE settled IS NOT NULL)) AS taken
            FROM disputed GROUP BY record_key
        )
        SELECT {", ".join(f"{chosen[name]} AS {name}" for name in schema.duckdb_columns())}
        FROM completing AS c
        LEFT JOIN (SELECT record_key AS disputed_key, columns, taken FROM disputes) AS d ON d.disputed_key = c.record_key
        WHERE NOT coalesce(list_has_any(d.columns, [{listed(required)}]), FALSE)
        GROUP BY c.record_key
        ORDER BY c.record_key
        """
    )
    con.execute("DROP TABLE completing")
    con.execute("DROP TABLE disputed")


def _is_taken(name: str) -> str:
    """SQL that keeps, of a cell that a person settled, the value that was taken."""
    return (
        f" AND (d.taken IS NULL OR d.taken['{name}'] IS NULL OR CAST({name} AS VARCHAR) = d.taken['{name}'])"
    )
