"""The filled rows of a workbook's sheets, from their XML: the second opinion on what calamine says."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring, iterparse

from pipelines.intake.readers import packages, workbook_parts


@dataclass
class SheetRow:
    """What stands in one row: its filled cells by column, and which of them are text."""

    filled: dict[int, str] = field(default_factory=dict)
    texts: set[int] = field(default_factory=set)
    is_in_doubt: bool = False  # holds a formula or an error


def sheet_rows(archive: zipfile.ZipFile, part: str, strings: list[str]) -> dict[int, SheetRow]:
    """Return the rows of a sheet that its XML mentions, by their number."""
    rows: dict[int, SheetRow] = {}
    number = 0
    with archive.open(part) as file:
        for _, element in iterparse(file, forbid_dtd=True):
            if packages.local(element.tag) != "row":
                continue
            number = int(element.get("r") or number + 1)
            row = rows.setdefault(number, SheetRow())
            column = 0
            for cell in element:
                letters = (cell.get("r") or "").rstrip("0123456789")
                column = workbook_parts.column_number(letters) if letters else column + 1
                _put_cell(row, column, cell, strings)
            element.clear()
    return rows


def _put_cell(row: SheetRow, column: int, cell: Element, strings: list[str]) -> None:
    kind = cell.get("t", "n")
    parts = {packages.local(part.tag): part for part in cell}
    row.is_in_doubt |= kind == "e" or "f" in parts
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
