"""Several values in one cell, as in 甲公司、乙公司: every value becomes a row of its own."""

from __future__ import annotations

import re
import unicodedata

import duckdb
import pyarrow as pa

from pipelines.values.literals import quoted

#: The place of a value in its cell, from 1: a column of what was split.
SPLIT_PLACE = "split_place"

#: Where the wide and small forms of punctuation stand in Unicode.
_WIDE_FORMS = range(0xFE10, 0xFFF0)


def split_cells(con: duckdb.DuckDBPyConnection, batch: pa.Table, column: str, at: str) -> pa.Table:
    """Return the batch with a row for every value in a column, in order, and their ``SPLIT_PLACE``.

    Nothing is split inside brackets: 甲公司（成员：乙、丙） is one value. A cell that holds no value stays one row.

    Args:
        con: for the work itself; nothing stays in it.
        batch: text columns, and others, which are repeated.
        column: the column to split.
        at: characters between the values, in any width.
    """
    con.register("cells", pa.table({"n": range(batch.num_rows), "cell": batch.column(column)}))
    try:
        values = con.sql(
            f"""
            WITH parts AS (
                SELECT n, cell, list_filter(
                    list_transform(regexp_extract_all(cell, {quoted(_value_pattern(at))}), lambda p: trim(p)),
                    lambda p: p <> ''
                ) AS parts
                FROM cells
            ),
            filled AS (SELECT n, CASE WHEN len(parts) > 0 THEN parts ELSE [cell] END AS parts FROM parts)
            SELECT n, unnest(parts) AS part, unnest(range(1, len(parts) + 1)) AS place
            FROM filled
            ORDER BY n, place
            """
        ).to_arrow_table()
    finally:
        con.unregister("cells")
    repeated = batch.take(values.column("n"))
    split = repeated.set_column(repeated.schema.get_field_index(column), column, values.column("part"))
    return split.append_column(SPLIT_PLACE, values.column("place"))


def _value_pattern(at: str) -> str:
    """Return the RE2 pattern of one value: brackets with all that they hold, and anything but what separates."""
    marks = {*at, *unicodedata.normalize("NFKC", at)}
    marks |= {chr(code) for code in _WIDE_FORMS if unicodedata.normalize("NFKC", chr(code)) in marks}
    return f"(?:[(（][^()（）]*[)）]|[^{''.join(map(re.escape, sorted(marks)))}])+"
