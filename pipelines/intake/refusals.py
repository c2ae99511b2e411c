"""Refused records: where they stood, what was wrong in two languages, and their text as delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.intake.columns import ENTRY, FIELD
from pipelines.intake.readers import MAX_RAW_TEXT, RAW_PATH, RAW_ROW, Unreadable
from pipelines.intake.schema import GUARDED, Expectation, TableSchema

REFUSED = pa.schema(
    [
        ("raw_section", pa.string()),
        (RAW_ROW, pa.int64()),
        (RAW_PATH, pa.string()),
        ("column_name", pa.string()),
        ("code", pa.string()),
        ("reason", pa.string()),
        ("reason_zh", pa.string()),
        ("raw_text", pa.string()),
        ("raw_sha", pa.string()),
        # Of a bid: its lot and bidder, as far as they could be read, so that the lot is known to be incomplete.
        ("lot_id", pa.string()),
        ("bidder", pa.string()),
    ]
)


def unreadable(records: Iterable[Unreadable]) -> pa.Table:
    """Return the records that the reader could not take apart."""
    rows = [
        {
            "raw_section": record.section,
            RAW_ROW: record.raw_row,
            RAW_PATH: record.raw_path,
            "column_name": record.column or "",
            "code": record.code,
            "reason": record.reason,
            "reason_zh": record.reason_zh,
            "raw_text": record.raw_text[:MAX_RAW_TEXT],
        }
        for record in records
    ]
    return pa.Table.from_pylist(rows, schema=REFUSED)


def unmapped(section: str, known: Iterable[str], batch: pa.Table) -> pa.Table:
    """Return every record of a section that the mapping does not know: nothing is dropped silently."""
    return _for_one_reason(
        {
            "raw_section": section,
            "column_name": "",
            "code": "NO_RECORD_RULE",
            "reason": f"no rule for records of {section!r}; the mapping knows {', '.join(known)}",
            "reason_zh": f"映射中没有“{section}”类记录的规则",
        },
        batch,
    )


def undecided(section: str, column: str, batch: pa.Table) -> pa.Table:
    """Return the records of which nobody can tell whether the mapping wants them."""
    return _for_one_reason(
        {
            "raw_section": section,
            "column_name": "",
            "code": "UNREADABLE_VALUE",
            "reason": f"{column}: cannot be read, and `only_when` of the mapping asks for it; correct the cell",
            "reason_zh": f"“{column}”无法识别，而映射的 only_when 以其为准；请更正该单元格",
        },
        batch,
    )


def uneven(section: str, columns: Sequence[str], batch: pa.Table) -> pa.Table:
    """Return the records of which nobody can tell which values of their cells belong together."""
    return _for_one_reason(
        {
            "raw_section": section,
            "column_name": "",
            "code": "UNEVEN_CELLS",
            "reason": f"the cells of {', '.join(columns)} do not hold equally many values; write one value each for every"
            " value of the first, or a row each",
            "reason_zh": f"“{'”“'.join(columns)}”各单元格所含的值个数不等，无法一一对应；请逐一填写，或分行填写",
        },
        batch,
    )


def broken(
    con: duckdb.DuckDBPyConnection,
    schema: TableSchema,
    section: str,
    expectation: Expectation,
    named: pa.Table,
) -> pa.Table:
    """Return the typed rows that an expectation names, one for each text that could not be read.

    No reason quotes a personal value.
    """
    if expectation.column != "unread":
        return _for_one_reason(
            {
                "raw_section": section,
                "column_name": expectation.column,
                "code": expectation.code,
                "reason": expectation.reason,
                "reason_zh": expectation.reason_zh,
            },
            named,
        )
    words = pa.Table.from_pylist(
        [
            {"column_name": c.name, "zh": c.zh, "kind": c.type, "is_personal": c.type in GUARDED}
            for c in schema.columns.values()
        ]
        + [{"column_name": "updated_at", "zh": "版本时间", "kind": "timestamp", "is_personal": False}]
    )
    con.register("named", named.select([RAW_ROW, RAW_PATH, "unread"]))
    con.register("words", words)
    try:
        return con.execute(
            f"""
            WITH entries AS (
                SELECT {RAW_ROW}, {RAW_PATH}, unnest(string_split(unread, '{ENTRY}')) AS entry FROM named
            ),
            parts AS (
                SELECT {RAW_ROW}, {RAW_PATH}, split_part(entry, '{FIELD}', 1) AS column_name,
                       split_part(entry, '{FIELD}', 2) AS text
                FROM entries
            )
            SELECT $section AS raw_section, p.{RAW_ROW}, p.{RAW_PATH}, p.column_name,
                   'UNREADABLE_VALUE' AS code,
                   p.column_name || ': ' || if(w.is_personal, 'the text (personal, not shown here)',
                       '''' || p.text || '''') || ' cannot be read as ' || w.kind AS reason,
                   w.zh || if(w.is_personal, '（个人信息，此处不显示）', '“' || p.text || '”') || '无法识别'
                       AS reason_zh
            FROM parts AS p JOIN words AS w ON w.column_name = p.column_name
            ORDER BY p.{RAW_ROW}, p.column_name
            """,
            {"section": section},
        ).to_arrow_table()
    finally:
        con.unregister("named")
        con.unregister("words")


def with_raw_text(con: duckdb.DuckDBPyConnection, bad: pa.Table, batch: pa.Table) -> pa.Table:
    """Add each record as the sender has it, as JSON, and drop reasons that two tables share."""
    named = batch.filter(pc.is_in(batch.column(RAW_ROW), value_set=bad.column(RAW_ROW)))
    delivered = named.drop_columns([RAW_ROW, RAW_PATH]).to_struct_array()
    con.register("bad", bad)
    con.register("delivered", pa.table({"at_row": named.column(RAW_ROW), "record": delivered}))
    try:
        return con.execute(
            f"""
            SELECT DISTINCT bad.*, left(CAST(to_json(d.record) AS VARCHAR), {MAX_RAW_TEXT}) AS raw_text
            FROM bad JOIN delivered AS d ON d.at_row = bad.{RAW_ROW}
            ORDER BY bad.{RAW_ROW}, bad.code, bad.column_name, bad.reason
            """
        ).to_arrow_table()
    finally:
        con.unregister("bad")
        con.unregister("delivered")


def with_bid(bad: pa.Table, bids: pa.Table) -> pa.Table:
    """Add lot and bidder of the bids that records would have been; ``bids`` are their typed rows."""
    place = pc.index_in(bad.column(RAW_ROW).combine_chunks(), value_set=bids.column(RAW_ROW).combine_chunks())
    for name in ("lot_id", "bidder"):
        bad = bad.append_column(name, bids.column(name).combine_chunks().take(place))
    return bad


def _for_one_reason(constant: Mapping[str, str], rows: pa.Table) -> pa.Table:
    columns = {name: pa.repeat(text, rows.num_rows) for name, text in constant.items()}
    columns |= {name: rows.column(name) for name in (RAW_ROW, RAW_PATH)}
    return pa.table({name: columns[name] for name in REFUSED.names if name in columns})
