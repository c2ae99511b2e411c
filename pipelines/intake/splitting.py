"""Several values in one cell, as in 甲公司、乙公司: every value becomes a row of its own."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from pipelines.values.literals import quoted

#: The place of a value in its cell, from 1: a column of what was split.
SPLIT_PLACE = "split_place"

#: Where the wide and small forms of punctuation stand in Unicode.
_WIDE_FORMS = range(0xFE10, 0xFFF0)


def split_cells(con: duckdb.DuckDBPyConnection, batch: pa.Table, columns: Sequence[str], at: str) -> pa.Table:
    """Return the batch with a row for every value in a column, in order, and their ``SPLIT_PLACE``.

    Nothing is split inside brackets: 甲公司（成员：乙、丙） is one value. A cell that holds no value stays one row, and so
    does a record whose cells hold different numbers of values.

    Args:
        con: for the work itself; nothing stays in it.
        batch: text columns, and others, which are repeated.
        columns: those to split: the first decides how many rows there are, an empty cell of another says nothing of any.
        at: characters between the values, in any width.
    """
    cells = ", ".join(
        f"CASE WHEN is_split THEN coalesce(p{i}[place], c{i}) ELSE c{i} END AS v{i}"
        for i in range(len(columns))
    )
    values = _counted(
        con,
        batch,
        columns,
        at,
        f"""
        SELECT n, place, {cells}
        FROM (SELECT *, unnest(range(1, 1 + CASE WHEN is_split THEN len(p0) ELSE 1 END)) AS place
              FROM (SELECT *, is_even AND len(p0) > 0 AS is_split FROM counted))
        ORDER BY n, place
        """,
    )
    split = batch.take(values.column("n"))
    for number, column in enumerate(columns):
        split = split.set_column(split.schema.get_field_index(column), column, values.column(f"v{number}"))
    return split.append_column(SPLIT_PLACE, values.column("place"))


def uneven_records(
    con: duckdb.DuckDBPyConnection, batch: pa.Table, columns: Sequence[str], at: str
) -> pa.Table:
    """Return the records whose cells hold different numbers of values: nobody can say which belong together."""
    found = _counted(con, batch, columns, at, "SELECT n FROM counted WHERE NOT is_even ORDER BY n")
    return batch.take(found.column("n"))


def _counted(
    con: duckdb.DuckDBPyConnection, batch: pa.Table, columns: Sequence[str], at: str, query: str
) -> pa.Table:
    """Run a query over ``counted``: of each record its place n, cells c0 …, their values p0 …, and is_even."""
    delivered = {f"c{number}": batch.column(column) for number, column in enumerate(columns)}
    con.register("cells", pa.table({"n": range(batch.num_rows)} | delivered))
    pattern = quoted(_value_pattern(at))
    parts = ", ".join(
        f"list_filter(list_transform(regexp_extract_all({cell}, {pattern}), lambda p: trim(p)), lambda p: p <> '')"
        f" AS p{cell[1:]}"
        for cell in delivered
    )
    even = " AND ".join(
        ["TRUE", *(f"len(p{i}) IN (0, greatest(len(p0), 1))" for i in range(1, len(columns)))]
    )
    try:
        return con.sql(
            f"WITH parts AS (SELECT *, {parts} FROM cells), counted AS (SELECT *, {even} AS is_even FROM parts) {query}"
        ).to_arrow_table()
    finally:
        con.unregister("cells")


def _value_pattern(at: str) -> str:
    """Return the RE2 pattern of one value: brackets with all that they hold, and anything but what separates."""
    marks = {*at, *unicodedata.normalize("NFKC", at)}
    marks |= {chr(code) for code in _WIDE_FORMS if unicodedata.normalize("NFKC", chr(code)) in marks}
    return f"(?:[(（][^()（）]*[)）]|[^{''.join(map(re.escape, sorted(marks)))}])+"
