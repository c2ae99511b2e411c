"""The filled rows of a workbook's sheets, from their XML or by xlrd: the second opinion on what calamine says."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring, iterparse

from pipelines.intake.readers import counting_other_sheets, packages, sniffing, workbook_parts
from pipelines.intake.readers.layout import Row
from pipelines.intake.readers.sheet_cells import Cells, finished


def visible_sheets(path: Path, work: Path) -> Iterator[tuple[str, list[Row]]]:
    """Yield name and rows of each visible sheet of a workbook, whatever its format."""
    kind = sniffing.sniff(path)
    if kind == "xls":
        yield from counting_other_sheets.old_sheets(path)
        return
    with zipfile.ZipFile(packages.checked_copy(path, work, packages.WORKBOOK)) as archive:
        if kind == "ods":
            yield from counting_other_sheets.open_sheets(archive)
            return
        strings = shared_strings(archive)
        book = fromstring(archive.read("xl/workbook.xml"))
        sheets = [one for one in book.iter() if packages.local(one.tag) == "sheet"]
        visible = {one.get("name") for one in sheets if one.get("state", "visible") == "visible"}
        for name, part in workbook_parts.sheet_parts(archive).items():
            if name in visible:
                yield name, sheet_rows(archive, part, strings)


def filled_rows(archive: zipfile.ZipFile, part: str, strings: list[str]) -> int:
    """Return how many rows of a sheet hold a value, be it of a formula."""
    return sum(bool(row.filled) for row in _rows(archive, part, strings)[0].values())


def sheet_rows(archive: zipfile.ZipFile, part: str, strings: list[str]) -> list[Row]:
    """Return the rows of a sheet that are not blank; merged cells stand in each row that they cover."""
    return finished(*_rows(archive, part, strings))


def _rows(
    archive: zipfile.ZipFile, part: str, strings: list[str]
) -> tuple[dict[int, Cells], list[tuple[int, int, int]]]:
    """Return the rows that a sheet's XML mentions by their number, and its merged cells."""
    rows: dict[int, Cells] = {}
    merged: list[tuple[int, int, int]] = []
    number = 0
    with archive.open(part) as file:
        for _, element in iterparse(file, forbid_dtd=True):
            if packages.local(element.tag) == "mergeCell":
                merged += _merged(element.get("ref") or "")
            if packages.local(element.tag) != "row":
                continue
            number = int(element.get("r") or number + 1)
            row = rows.setdefault(number, Cells())
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


def _put_cell(row: Cells, column: int, cell: Element, strings: list[str]) -> None:
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
