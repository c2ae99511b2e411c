"""Bytes to text tables: what a file says, before anyone interprets it.

A reader takes a file apart into *sections* of text columns and numbers every physical record. It
never converts, drops, renames or guesses: what it cannot take apart is either an `Unreadable`
record or a `FileRefused`. Readers run inside the limited child process of ``sandbox``.

The number of physical records is counted a second time, by other code, in ``counting``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

#: Columns that every batch has besides the sender's own.
RAW_ROW = "raw_row"  # int64: number of the record inside its section, see each reader
RAW_PATH = "raw_path"  # string: where a person finds it, e.g. "line 17", "sheet 开标记录, row 7"

#: Begins the text of a cell that is there and cannot be read, such as a formula; the rest says why.
UNREADABLE = "\x1f"

#: Refused records keep this much of their text.
MAX_RAW_TEXT = 4096

#: With more broken records than this the file itself is broken (wrong separator, wrong export), and
#: a list of them would help nobody: the file is refused.
MAX_UNREADABLE = 100_000


class FileRefused(Exception):
    """The whole file cannot be taken. The message names the place and the remedy.

    Attributes:
        code: stable reason code, upper case.
        reason, reason_zh: for a person, without the file's name (the caller adds it).
    """

    def __init__(self, code: str, reason: str, reason_zh: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.reason_zh = reason_zh


@dataclass(frozen=True)
class Unreadable:
    """One physical record that could not be taken apart."""

    section: str
    raw_row: int
    raw_path: str
    code: str
    reason: str
    reason_zh: str
    raw_text: str
    column: str | None = None


@dataclass(frozen=True)
class Section:
    """Records of one shape inside a file.

    Attributes:
        name: the sheet, the record tag or the OCDS collection; ``rows`` in flat files.
        columns: names as found, in file order, without ``raw_row`` and ``raw_path``.
        batches: given a number of rows, yields record batches of at most that many; every
            sender's column is ``pa.string()`` (null where the field is absent, ``""`` where it
            is present and empty), plus ``raw_row`` (int64) and ``raw_path`` (string).
    """

    name: str
    columns: tuple[str, ...]
    batches: Callable[[int], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Reading:
    """Everything a file holds.

    Attributes:
        sections: the readable records.
        unreadable: the others.
        notes: facts a person should know (encoding found, hidden sheets, rows above the header).
    """

    sections: list[Section]
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FileRule:
    """How a mapping says that a file is to be read (``[[file]]`` in ``sources/*.toml``).

    Attributes:
        match: glob patterns on the file's name.
        format: ``delimited``, ``workbook`` (xlsx, xls, ods), ``exchange`` (national XML or the same as JSON
            lines), ``ocds``, ``json``, ``parquet`` or ``document`` (docx, pdf, xlsx, plain text).
        section: name given to the records of a flat file; ``stem`` takes it from the file name
            (``TENDER_LIST_20261101.csv`` is section ``TENDER_LIST``).
        header: names of which at least two must stand in the header row; without any, those that the mapping reads.
        skip: lines of a delimited file before everything else.
        columns: names of the columns of a file that has no header.
        encoding: of a text that is neither UTF-8 nor UTF-16 nor, from China, GB18030; such as ``cp1252``.
        records: of plain JSON, each section and the path to its records, such as ``lots[].bids``; a section without a
            name is ``section``.
        wanted, keys, required: the names that the mapping reads in this section, with ``head:`` before what stands
            above the table; those of them that tell whose the rows are (the lot); those of what else every record
            must have (the bidder). Worked out, not set.
        is_chinese: a text that is not UTF-8 may be GB18030. Worked out, not set.
        published: the sender delivers only what is already public, so nothing is held back.
    """

    match: tuple[str, ...]
    format: str
    section: str = "rows"
    header: tuple[str, ...] = ()
    published: bool = False
    skip: int = 0
    columns: tuple[str, ...] = ()
    encoding: str = ""
    records: tuple[tuple[str, str], ...] = ()
    wanted: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    is_chinese: bool = True


def section_name(rule: FileRule, file_name: str) -> str:
    """Return the section that a flat file's records belong to."""
    if rule.section != "stem":
        return rule.section
    return Path(file_name).name.split(".")[0].rstrip("_-0123456789")


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take the file at ``path`` apart.

    Args:
        path: the raw bytes (their name is a hash), plain or compressed with gzip or zstd.
        rule: how the sender's mapping says this file is to be read.
        file_name: the name it was delivered under.
        work: a private folder for intermediate files; the caller removes it, after the batches
            are used up.

    Raises:
        FileRefused: not this format, broken beyond its records, or dangerous. ``batches`` may
            raise it too, where a damaged page shows only when it is read.
    """
    from pipelines.intake.readers import (
        delimited,
        documents,
        exchange,
        ocds,
        parquet,
        plain_json,
        sniffing,
        workbook,
    )

    readers = {
        "delimited": delimited.read,
        "workbook": workbook.read,
        "exchange": exchange.read,
        "ocds": ocds.read,
        "parquet": parquet.read,
        "document": documents.read,
        "json": plain_json.read,
    }
    private = Path(tempfile.mkdtemp(dir=work))
    return readers[rule.format](sniffing.admitted(path, rule, private), rule, file_name, private)


def record_texts(
    path: Path, rule: FileRule, file_name: str, work: Path, wanted: Sequence[tuple[str, int]]
) -> list[dict[str, str | None]]:
    """Return records as the file has them, for a person who traces an alert back.

    Args:
        path, rule, file_name, work: as for ``read``.
        wanted: (section, raw_row) of each record, as the reader gave them.

    Returns:
        in the order of ``wanted``, the sender's columns in file order; for an unreadable record
        ``{"raw_text": ...}``.

    Raises:
        LookupError: the file has no such record.
        FileRefused: as for ``read``.
    """
    reading = read(path, rule, file_name, work)
    found: dict[tuple[str, int], dict[str, str | None]] = {
        (record.section, record.raw_row): {"raw_text": record.raw_text} for record in reading.unreadable
    }
    for section in reading.sections:
        rows = pa.array([row for name, row in wanted if name == section.name], pa.int64())
        if not len(rows):
            continue
        for batch in section.batches(65_536):
            for record in batch.filter(pc.is_in(batch[RAW_ROW], value_set=rows)).to_pylist():
                key = (section.name, record[RAW_ROW])
                found[key] = {name: record[name] for name in section.columns}
    if missing := [key for key in wanted if key not in found]:
        raise LookupError(f"{file_name}: section {missing[0][0]} has no record {missing[0][1]}")
    return [found[key] for key in wanted]
