"""The filled rows of a workbook's sheets, from their XML: the second opinion on what calamine says."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring, iterparse

from pipelines.intake.readers import packages, workbook_parts
from pipelines.intake.readers.layout import Row


@dataclass
class _Row:
    """What stands in one row: its filled cells by column from 0, which of them are text, and what cannot be read."""

    filled: dict[int, str] = field(default_factory=dict)
    texts: set[int] = field(default_factory=set)
    in_doubt: set[int] = field(default_factory=set)  # formulas and errors


def filled_rows(archive: zipfile.ZipFile, part: str, strings: list[str]) -> int:
    """Return how many rows of a sheet hold a value, be it of a formula."""
    return sum(bool(row.filled) for row in _rows(archive, part, strings)[0].values())


def sheet_rows(archive: zipfile.ZipFile, part: str, strings: list[str]) -> list[Row]:
    """Return the rows of a sheet that are not blank; merged cells stand in each row that they cover."""
    rows, merged = _rows(archive, part, strings)
    for row in rows.values():
        row.filled = {column: text for column, text in row.filled.items() if column not in row.in_doubt}
        row.texts -= row.in_doubt
    filled = {number: row for number, row in rows.items() if row.filled or row.in_doubt}
    for top, bottom, column in merged:
        above = rows.get(top, _Row())
        for number in range(top + 1, bottom + 1):
            below = filled.get(number)
            if below and column in above.filled and column not in {*below.filled, *below.in_doubt}:
                below.filled[column] = above.filled[column]
                below.texts |= above.texts & {column}
    return [
        Row(number, row.filled, frozenset(row.texts), frozenset(row.in_doubt))
        for number, row in sorted(filled.items())
    ]


def _rows(
    archive: zipfile.ZipFile, part: str, strings: list[str]
) -> tuple[dict[int, _Row], list[tuple[int, int, int]]]:
    """Return the rows that a sheet's XML mentions by their number, and its merged cells."""
    rows: dict[int, _Row] = {}
    merged: list[tuple[int, int, int]] = []
    number = 0
    with archive.open(part) as file:
        for _, element in iterparse(file, forbid_dtd=True):
            if packages.local(element.tag) == "mergeCell":
                merged += _merged(element.get("ref") or "")
            if packages.local(element.tag) != "row":
                continue
            number = int(element.get("r") or number + 1)
            row = rows.setdefault(number, _Row())
            column = 0
            for cell in element:
                letters = (cell.get("r") or "").rstrip("0123456789")
                column = workbook_parts.column_number(letters) if letters else column + 1
                _put_cell(row, column - 1, cell, strings)
            element.clear()
    return rows, merged


def _merged(area: str) -> list[tuple[int, int, int]]:
    """Return (top row, bottom row, first column from 0) of an area such as ``B2:C5`` that spans rows."""
    found = re.fullmatch(r"([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})", area)
    if not found or found[2] == found[3]:
        return []
    return [(int(found[2]), int(found[3]), workbook_parts.column_number(found[1]) - 1)]


def _put_cell(row: _Row, column: int, cell: Element, strings: list[str]) -> None:
    kind = cell.get("t", "n")
    parts = {packages.local(part.tag): part for part in cell}
    if kind == "e" or "f" in parts:
        row.in_doubt.add(column)
    if kind == "e":
        return
    text = (
        "".join(parts["is"].itertext()) if "is" in parts else (parts["v"].text or "") if "v" in parts else ""
    )
    if kind == "s" and text:
        text = strings[int(text)]
    if text.strip():
        row.filled[column] = text
        if kind in ("s", "str", "inlineStr"):
            row.texts.add(column)


def shared_strings(archive: zipfile.ZipFile) -> list[str]:
    """Return the texts that cells refer to by number."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    table = fromstring(archive.read("xl/sharedStrings.xml"))
    return ["".join(item.itertext()) for item in table if packages.local(item.tag) == "si"]
