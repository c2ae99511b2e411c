"""The file formats of deliveries: CSV, Parquet, exchange XML, JSON lines, bid-opening sheets.

Everything but the sheets is written by one COPY statement of DuckDB: the texts are built in SQL, in
bounded memory, and no record passes through Python. A query whose ORDER BY leaves no choice gives
the same bytes whatever the number of threads. Where there are no rows there is no file.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb
import xlsxwriter

from pipelines.values.literals import quoted

Encoding = Literal["utf-8", "utf-8-sig", "gb18030"]

_CHUNK_CHARS = 4 * 2**20

#: Options that write the texts of a single column as lines in which nothing is quoted.
_AS_IT_IS = "FORMAT csv, HEADER false, QUOTE '', ESCAPE ''"

_KEY, _KIND = "DATA_KEY", "TITLE/DATA_TYPE"

#: What an XML 1.0 document cannot hold, not even escaped.
_NO_XML = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
_XML_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def write_csv(
    con: duckdb.DuckDBPyConnection, query: str, path: Path, *, encoding: Encoding = "utf-8-sig"
) -> int:
    """Write a query's rows as CSV with a header line, NULL as an empty field; return how many.

    GB18030 goes through a UTF-8 file beside ``path``, which is removed.
    """
    if encoding == "gb18030":
        plain = path.with_name(f"{path.name}.utf8")
        rows = write_csv(con, query, plain, encoding="utf-8")
        if rows:
            _transcode(plain, path, encoding)
            plain.unlink()
        return rows
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(con.sql(query).columns)
    mark = codecs.BOM_UTF8.decode() if encoding == "utf-8-sig" else ""
    head = quoted(mark + header.getvalue())
    return _copy(con, query, path, f"FORMAT csv, HEADER false, PREFIX {head}, SUFFIX '\n'")


def write_parquet(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> int:
    """Write a query's rows as Parquet with the query's types; return how many."""
    return _copy(con, query, path, "FORMAT parquet, COMPRESSION zstd")


class Part(NamedTuple):
    """Exchange records of one tag.

    Attributes:
        tag: DATA_EN, e.g. ``TENDER_LIST``.
        dataset: DATA_NO, the number of the national dataset, e.g. ``507``.
        query: SELECT with the text columns ``DATA_KEY`` and ``TITLE/DATA_TYPE`` (1 add, 2 change,
            3 delete), which stand in TITLE; the others are the fields of CONTEXT, left out where NULL.
    """

    tag: str
    dataset: str
    query: str


def write_xml(
    con: duckdb.DuckDBPyConnection, parts: Sequence[Part], path: Path, *, platform_code: str
) -> int:
    """Write exchange records as one XML file with many DES; return how many.

    Control characters that XML cannot hold become U+FFFD.

    Args:
        con: where the queries run.
        parts: in the order in which they stand in the file.
        path: of the new file.
        platform_code: PLATFORM_CODE of every record.

    Raises:
        ValueError: a column's name cannot be that of an element.
    """
    texts = " UNION ALL ".join(_texts(con, part, platform_code, _element, _des) for part in parts)
    head, tail = '<?xml version="1.0" encoding="UTF-8"?>\n<RECORDS>\n', "\n</RECORDS>\n"
    return _copy(con, texts, path, f"{_AS_IT_IS}, PREFIX {quoted(head)}, SUFFIX {quoted(tail)}")


def write_lines(
    con: duckdb.DuckDBPyConnection, parts: Sequence[Part], path: Path, *, platform_code: str
) -> int:
    """Write exchange records as JSON lines; return how many. Arguments and errors as for ``write_xml``."""
    texts = " UNION ALL ".join(_texts(con, part, platform_code, _member, _line) for part in parts)
    return _copy(con, texts, path, _AS_IT_IS)


def _texts(
    con: duckdb.DuckDBPyConnection,
    part: Part,
    platform_code: str,
    field: Callable[[str, str], str],
    record: Callable[[list[str], list[str]], str],
) -> str:
    """SELECT of one text a record; ``field`` writes one field's SQL, ``record`` joins them."""
    columns = con.sql(part.query).columns
    if wrong := [name for name in columns if name != _KIND and not _XML_NAME.fullmatch(name)]:
        raise ValueError(f"{part.tag}: {wrong[0]!r} cannot be a field of an exchange record; rename it")
    title = [
        field("DATA_KEY", f'"{_KEY}"'),
        field("DATA_EN", quoted(part.tag)),
        field("DATA_NO", quoted(part.dataset)),
        field("DATA_TYPE", f'"{_KIND}"'),
    ]
    context = [field(name, f'"{name}"') for name in columns if name not in (_KEY, _KIND)]
    context.append(field("PLATFORM_CODE", quoted(platform_code)))
    return f"SELECT {record(title, context)} AS text FROM (\n{part.query}\n)"


def _element(name: str, value: str) -> str:
    """SQL of an XML element, NULL where the value is."""
    for character, escape in _XML_ESCAPES.items():
        value = f"replace({value}, {quoted(character)}, {quoted(escape)})"
    return f"'<{name}>' || regexp_replace({value}, '{_NO_XML}', '\ufffd', 'g') || '</{name}>'"


def _des(title: list[str], context: list[str]) -> str:
    return (
        f"concat('<DES><TITLE>', {', '.join(title)}, '</TITLE><CONTEXT>', {', '.join(context)},"
        " '</CONTEXT></DES>')"
    )


def _member(name: str, value: str) -> str:
    """SQL of a JSON member, NULL where the value is."""
    return f"'\"{name}\": ' || CAST(to_json({value}) AS VARCHAR)"


def _line(title: list[str], context: list[str]) -> str:
    return (
        f"concat('{{\"TITLE\": {{', concat_ws(', ', {', '.join(title)}),"
        f" '}}, \"CONTEXT\": {{', concat_ws(', ', {', '.join(context)}), '}}}}')"
    )


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> int:
    statement = f"COPY (\n{query}\n) TO {quoted(str(path))} ({options}, WRITE_EMPTY_FILE false)"
    rows = con.execute(statement).fetchall()
    return int(rows[0][0])


def _transcode(source: Path, target: Path, encoding: str) -> None:
    with (
        source.open(encoding="utf-8", newline="") as text,
        target.open("w", encoding=encoding, newline="") as out,
    ):
        while chunk := text.read(_CHUNK_CHARS):
            out.write(chunk)


@dataclass(frozen=True)
class OpeningHead:
    """What stands above the table of a bid-opening sheet. Times are local; money is whole fen."""

    tender_name: str
    lot_id: str
    buyer_name: str
    opening_at: datetime
    method: str
    ceiling_fen: int
    is_ten_thousand: bool  # the table's prices are in 万元


@dataclass(frozen=True)
class OpeningRow:
    """One bid on a bid-opening sheet."""

    bidder_name: str
    price_fen: int
    duration_days: int
    manager_name: str
    deposit_form: str
    submitted_at: datetime


def opening_sheet(head: OpeningHead, rows: Sequence[OpeningRow]) -> bytes:
    """Return a bid-opening sheet (开标记录表) as people keep it, as xlsx: title, head block, table, note.

    Equal arguments give equal bytes: the file says that it was made at the opening.
    """
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": head.opening_at})
    page = book.add_worksheet("开标记录")
    title = book.add_format({"bold": True, "align": "center"})
    unit = "万元" if head.is_ten_thousand else "元"
    columns = (
        "序号",
        "投标人名称",
        f"投标报价（{unit}）",
        "工期（日历天）",
        "项目负责人",
        "保证金形式",
        "递交时间",
    )
    page.merge_range(0, 0, 0, len(columns) - 1, "开标记录表（样例）", title)
    facts = (
        ("项目名称", head.tender_name),
        ("标段编号", head.lot_id),
        ("招标人", head.buyer_name),
        ("开标时间", f"{head.opening_at:%Y-%m-%d %H:%M}"),
        ("评标办法", head.method),
        ("最高投标限价（元）", _in_yuan(head.ceiling_fen)),
    )
    for place, (label, value) in enumerate(facts, 1):
        page.write_string(place, 0, label + "：")
        page.write_string(place, 1, value)
    header_at = len(facts) + 1
    page.write_row(header_at, 0, columns)
    price = _in_ten_thousand if head.is_ten_thousand else _in_yuan
    for number, row in enumerate(rows, 1):
        page.write_number(header_at + number, 0, number)
        cells = (
            row.bidder_name,
            price(row.price_fen),
            f"{row.duration_days}日历天",
            row.manager_name,
            row.deposit_form,
            f"{row.submitted_at:%Y-%m-%d %H:%M:%S}",
        )
        for column, cell in enumerate(cells, 1):
            page.write_string(header_at + number, column, cell)
    note = "备注：本表为样例数据，单位、个人均为虚构。"
    page.write_string(header_at + len(rows) + 2, 0, note)
    book.close()
    return buffer.getvalue()


def _in_yuan(fen: int) -> str:
    return f"{fen // 100:,}.{fen % 100:02d}"


def _in_ten_thousand(fen: int) -> str:
    """万元 with the six decimals that keep the fen."""
    return f"{fen // 10**6:,}.{fen % 10**6:06d}"
