"""A first look at a file of a sender who has no mapping yet: its table, and what stands in the columns.

The file is read as at night, by the reader of its format. The one thing a mapping would say, which row is the header, is
found with `vocabulary`: the words of a table's rows first (序号, 投标人, 报价), for labels above the table have names
that a header may have too (项目名称, 标段编号).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.intake import first_json, mapping, vocabulary
from pipelines.intake.readers import FileRefused, FileRule, Reading, layout, read, sniffing
from pipelines.intake.readers.headings import base_name
from pipelines.intake.schema import table_schemas

#: Different texts of a column that are looked at: their form decides how a date or an amount is read.
VALUES_KEPT = 200

_BATCH_ROWS = 65_536

#: A name that no column has.
_NO_NAME = "\x1f"

#: Content -> format of a mapping's ``[[file]]``, for tables that need no more than one.
_FORMATS = {
    "delimited": "delimited",
    "workbook": "workbook",
    "xls": "workbook",
    "ods": "workbook",
    "parquet": "parquet",
}

#: Labels above a table speak of the lot.
_LABEL_TABLES = ("lots", "tenders", "documents")


@dataclass(frozen=True)
class SeenColumn:
    """One column of the file: its heading as found, how many records fill it, and its first different texts."""

    name: str
    filled: int
    values: tuple[str, ...]


@dataclass(frozen=True)
class FirstLook:
    """What a file holds: its format in the words of a mapping, its records, and its columns in their order.

    ``records_at``: the path to the records of a JSON document; empty for the document itself, and for other formats.
    """

    format: str
    records: int
    columns: tuple[SeenColumn, ...]
    records_at: str = ""


def look(path: Path, file_name: str, work: Path) -> FirstLook:
    """Take a first look at a file.

    Args:
        path: the raw bytes, plain or compressed with gzip or zstd.
        file_name: the name it was delivered under.
        work: a private folder for intermediate files.

    Raises:
        FileRefused: it cannot be read, is no table, has a mapping already, or no row of it looks like a header.
    """
    plain = sniffing.unpacked(path, work)
    content = sniffing.sniff(plain)
    if content == "xml":
        raise _of_xml(path, file_name, work)
    if content != "json" and content not in _FORMATS:
        raise FileRefused(
            "NO_TABLE",
            f"the content is {content}; a first mapping can be made of a CSV file, a workbook, Parquet or JSON",
            f"文件内容为 {content}；仅能由 CSV、电子表格、Parquet 或 JSON 生成映射初稿",
        )
    if content == "json":
        format, (records_at, reading) = "json", _read_json(path, plain, file_name, work)
    else:
        format, records_at = _FORMATS[content], ""
        reading = _read(path, format, file_name, work)
    columns = tuple(name for section in reading.sections for name in section.columns)
    records, filled = 0, dict.fromkeys(columns, 0)
    values: dict[str, dict[str, None]] = {name: {} for name in columns}
    for batch in (batch for section in reading.sections for batch in section.batches(_BATCH_ROWS)):
        records += batch.num_rows
        for name in columns:
            texts = _filled_texts(batch.column(name))
            filled[name] += len(texts)
            if len(values[name]) < VALUES_KEPT:
                values[name].update(dict.fromkeys(pc.unique(texts).to_pylist()[:VALUES_KEPT]))
    if not records:
        raise FileRefused(
            "NO_RECORDS", "the table has no record; try a filled file", "表中没有记录，请使用有数据的文件"
        )
    return FirstLook(
        format,
        records,
        tuple(SeenColumn(name, filled[name], tuple(values[name])[:VALUES_KEPT]) for name in columns),
        records_at,
    )


def heading(seen: SeenColumn) -> str:
    """Return the heading as a mapping writes it: without its unit, and without blanks in it."""
    name, unit = base_name(seen.name)
    return name if unit or any(map(str.isspace, seen.name.strip())) else seen.name.strip()


def toml(text: str) -> str:
    """Return a text as a basic string of TOML, which escapes as JSON does; nothing in it that a terminal obeys."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)


def _filled_texts(texts: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(texts)
    return trimmed.filter(pc.fill_null(pc.not_equal(trimmed, ""), fill_value=False))


def _read_json(path: Path, plain: Path, file_name: str, work: Path) -> tuple[str, Reading]:
    """Read the records of JSON whose fields say most that is known, and return where they stand."""
    known = vocabulary.known()
    tables = table_schemas()
    best, most = None, 0
    for records_at in first_json.paths(plain):
        rule = FileRule(("*",), "json", records=(("", records_at),), wanted=(_NO_NAME,))
        reading = read(path, rule, file_name, work)
        names = {name for section in reading.sections for name in section.columns}
        guessed = {guess for name in names for table in tables for guess in known.guesses(name, table)[:1]}
        said = len({guess.column for guess in guessed if guess.score == vocabulary.EXACT})
        if said > most:
            best, most = (records_at, reading), said
    if best is None or most < layout.MIN_HEADER_NAMES:
        raise FileRefused(
            "NO_HEADER",
            "no list in the document has records with two fields whose names are known; write the mapping by hand, with"
            " `records` (see the README of the mappings)",
            "文件中没有任何列表的记录含有两个已知字段名；请手工编写映射，并写明 records（见映射说明）",
        )
    return best


def _of_xml(path: Path, file_name: str, work: Path) -> FileRefused:
    """Return what to say of an XML file: the one kind that is read has its mapping already."""
    try:
        sections = read(path, FileRule(("*",), "exchange"), file_name, work).sections
    except FileRefused as refusal:
        if refusal.code != "NO_RECORDS":
            return refusal
        sections = []
    known = {rule.section for rule in mapping.load("national").records}
    if any(section.name in known for section in sections):
        return first_json.read_already("national", "records of the national exchange", "国家标准交换数据")
    return FileRefused(
        "NO_TABLE",
        "the XML holds no record of the national exchange (DES with TITLE and CONTEXT) that is known; ask the sender for CSV,"
        " a workbook or JSON",
        "XML 中没有已知的国家标准交换记录（DES、TITLE、CONTEXT）；请发送方改用 CSV、电子表格或 JSON",
    )


def _read(path: Path, format: str, file_name: str, work: Path) -> Reading:
    """Read the file with the words of rows as its header, else with every name that is known."""
    known = vocabulary.known()
    every = {name for names in known.names.values() for name in names}
    of_rows = every - {name for table in _LABEL_TABLES for name in known.names[table]}
    for names in (of_rows, every):
        header = tuple(sorted(names | known.nothing))
        # Nothing is read yet, so that a heading which stands twice refuses no file: 备注 often does.
        rule = FileRule(("*",), format, header=header, wanted=(_NO_NAME,))
        try:
            return read(path, rule, file_name, work)
        except FileRefused as refusal:
            if refusal.code != "NO_HEADER":
                raise
    raise FileRefused(
        "NO_HEADER",
        f"no row of the first {layout.HEADER_WITHIN_ROWS} has two headings that are known; write the mapping by hand, with"
        " `header` or `columns` (see the README of the mappings)",
        f"前 {layout.HEADER_WITHIN_ROWS} 行中没有一行含有两个已知列名；请手工编写映射，并写明 header 或 columns（见映射说明）",
    )
