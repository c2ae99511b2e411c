"""xls: what the records of a sheet (BIFF, [MS-XLS]) say of its cells that the values alone do not show.

The stream is walked record by record and nothing in it is run: a macro is a stream of its own that nobody opens.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from xlrd.biffh import XLRDError
from xlrd.compdoc import CompDoc, CompDocError

from pipelines.intake.readers import FileRefused
from pipelines.intake.readers.headings import column_letters
from pipelines.intake.readers.workbook_parts import SheetFacts, check_span

#: What xlrd and the unpacking of a record raise on files that are cut, altered or oddly made.
DAMAGE = (XLRDError, CompDocError, struct.error, LookupError, ValueError, AssertionError, TypeError)

# Record numbers of [MS-XLS] 2.3.
_FILEPASS, _SHEET, _MERGED, _FORMULA, _ERROR, _MANY = 0x2F, 0x85, 0xE5, 0x06, 0x205, 0xBD
_STRINGS, _DIMENSIONS = 0xFC, 0x200
_BEGIN, _END = frozenset({0x09, 0x209, 0x409, 0x809}), 0x0A
_CELLS = frozenset({_FORMULA, 0x206, 0x406, _ERROR, _MANY, 0xD6, 0xFD, 0x203, 0x204, 0x27E})
_FORMULAS = frozenset({_FORMULA, 0x206, 0x406})

#: ``dt`` of a worksheet in its ``BoundSheet8``.
_WORKSHEET = 0

#: A string has a length of two bytes and a byte of flags before its characters.
_SHORTEST_STRING = 3
_DIMENSIONS_BYTES = 14


def sheet_facts(path: Path) -> list[SheetFacts]:
    """Return what stands in each sheet, charts and all, in the order of the workbook.

    Raises:
        FileRefused: under a password, damaged, or a sheet that spans more than ``MAX_CELLS``.
    """
    try:
        stream = _book(path)
        sheets = []
        for kind, body in _records(stream, 0):
            if kind == _FILEPASS:
                raise FileRefused(
                    "ENCRYPTED",
                    "the workbook is protected with a password; take the password off and deliver it again",
                    "工作簿已加密；请取消密码后重新提供",
                )
            if kind == _STRINGS:
                _check_strings(body, len(stream))
            if kind == _SHEET:
                begin, _, sheet_kind = struct.unpack_from("<IBB", body)
                facts = _facts(stream, begin)
                facts.is_worksheet = sheet_kind == _WORKSHEET
                sheets.append(facts)
    except DAMAGE as error:
        raise damaged(error) from None
    return sheets


def damaged(error: Exception) -> FileRefused:
    """Return the refusal of a workbook that cannot be taken apart."""
    return FileRefused(
        "DAMAGED_WORKBOOK",
        f"the workbook cannot be opened ({error}); save it again as .xlsx and deliver it",
        f"工作簿无法打开（{error}）；请另存为 .xlsx 后提供",
    )


def _book(path: Path) -> bytes:
    compound = CompDoc(path.read_bytes(), ignore_workbook_corruption=True)
    for name in ("Workbook", "Book"):
        if stream := compound.get_named_stream(name):
            return bytes(stream)
    raise XLRDError("no workbook inside")


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield number and body of each record up to the end of the part that begins at ``at``."""
    depth = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        body = stream[at + 4 : at + 4 + length]
        at += 4 + length
        depth += (kind in _BEGIN) - (kind == _END)
        if depth == 1 or kind == _END:  # deeper parts are charts inside the sheet
            yield kind, body
        if not depth:
            return


def _check_strings(body: bytes, stream_bytes: int) -> None:
    """Refuse a table of more strings than the file has room for: calamine makes room for them and dies of it."""
    if struct.unpack_from("<I", body, 4)[0] * _SHORTEST_STRING > stream_bytes:
        raise XLRDError("it states more strings than it can hold")


def _facts(stream: bytes, begin: int) -> SheetFacts:
    facts = SheetFacts()
    for kind, body in _records(stream, begin):
        if kind == _MERGED:
            corners = struct.iter_unpack("<HHHH", body[2 : 2 + 8 * struct.unpack_from("<H", body)[0]])
            facts.merged += [((top, left), (bottom, right)) for top, bottom, left, right in corners]
        if kind == _DIMENSIONS and len(body) == _DIMENSIONS_BYTES:
            top, bottom, left, right = struct.unpack_from("<IIHH", body)
            if bottom < top or right < left:
                raise XLRDError("a sheet ends before it begins")
            check_span(SheetFacts(rows=bottom - top, columns=right - left))
        if kind not in _CELLS:
            continue
        row, column = struct.unpack_from("<HH", body)
        last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _MANY else column
        facts.rows, facts.columns = max(facts.rows, row + 1), max(facts.columns, last + 1)
        at = f"{column_letters(column + 1)}{row + 1}"
        if kind in _FORMULAS:
            facts.formulas.setdefault(row + 1, []).append(at)
        elif kind == _ERROR and body[7]:
            facts.errors.setdefault(row + 1, []).append(at)
    check_span(facts)
    return facts
