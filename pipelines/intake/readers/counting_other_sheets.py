"""The filled rows of xls and ods, by other code than calamine's: xlrd, and the elements of the XML."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import xlrd
from defusedxml.ElementTree import iterparse

from pipelines.intake.readers import old_workbook, opendocument
from pipelines.intake.readers.layout import Row
from pipelines.intake.readers.packages import local
from pipelines.intake.readers.sheet_cells import Cells, finished
from pipelines.intake.readers.workbook_parts import SheetFacts, positive

_VISIBLE = 0


def old_sheets(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """Yield name and rows of each visible worksheet of an xls, as xlrd reads it.

    Which cells hold formulas and which are merged, the reader and xlrd must both be told: see ``old_workbook``.
    """
    facts_of = [facts for facts in old_workbook.sheet_facts(path) if facts.is_worksheet]
    try:
        book = xlrd.open_workbook(str(path), logfile=io.StringIO(), ignore_workbook_corruption=True)
        for sheet, facts in zip(book.sheets(), facts_of, strict=True):
            if sheet.visibility == _VISIBLE:
                rows = {n + 1: _old_cells(sheet.row(n), facts, n + 1) for n in range(sheet.nrows)}
                merged = [(first[0] + 1, last[0] + 1, first[1]) for first, last in facts.merged]
                yield sheet.name, finished(rows, merged)
    except old_workbook.DAMAGE as error:
        raise old_workbook.damaged(error) from None


def _old_cells(row: list[xlrd.sheet.Cell], facts: SheetFacts, number: int) -> Cells:
    cells = Cells()
    in_doubt = {*facts.formulas.get(number, ()), *facts.errors.get(number, ())}
    for column, cell in enumerate(row):
        if f"{xlrd.colname(column)}{number}" in in_doubt:
            cells.in_doubt.add(column)
        elif cell.ctype not in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK) and str(cell.value).strip():
            is_text = cell.ctype == xlrd.XL_CELL_TEXT
            cells.filled[column] = cell.value if is_text else f"{cell.value:.15g}"
            cells.texts |= {column} if is_text else set()
    return cells


def open_sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, list[Row]]]:
    """Yield name and rows of each visible sheet of an OpenDocument spreadsheet, from its elements."""
    opendocument.sheet_facts(archive)  # refuses what would fill memory
    hidden: set[str] = set()
    with archive.open(opendocument.CONTENT) as file:
        sheet = _OpenSheet()
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            name = local(element.tag)
            if event == "start":
                if name == "table":
                    sheet = _OpenSheet()
            elif name == "style" and _is_hidden(element):
                hidden.add(str(_attribute(element, "name")))
            elif name == "table-row":
                sheet.add(element)
                element.clear()
            elif name == "table" and _attribute(element, "style-name") not in hidden:
                yield str(_attribute(element, "name")), finished(sheet.rows, sheet.merged)


class _OpenSheet:
    """The rows of one sheet by their number from 1, and its merged areas as ``finished`` wants them."""

    def __init__(self) -> None:
        self.rows: dict[int, Cells] = {}
        self.merged: list[tuple[int, int, int]] = []
        self._above = 0

    def add(self, row: Element) -> None:
        """Add a row as often as it says that it is repeated; a blank one only makes room."""
        cells = Cells()
        first = self._above + 1
        column = 0
        for cell in row:
            if local(cell.tag) not in ("table-cell", "covered-table-cell"):
                continue
            wide = positive(_attribute(cell, "number-columns-repeated"), 1)
            high = positive(_attribute(cell, "number-rows-spanned"), 1)
            if high > 1:
                self.merged.append((first, first + high - 1, column))
            _put(cells, cell, column, wide)
            column += wide
        times = positive(_attribute(row, "number-rows-repeated"), 1)
        self._above += times
        if cells.filled or cells.in_doubt:
            for number in range(first, first + times):
                self.rows[number] = Cells(dict(cells.filled), set(cells.texts), set(cells.in_doubt))


def _put(cells: Cells, cell: Element, column: int, wide: int) -> None:
    kinds = {key: value for key, value in cell.attrib.items() if local(key) == "value-type"}
    if _attribute(cell, "formula") or "error" in kinds.values():
        cells.in_doubt.update(range(column, column + wide))
        return
    kind = next((value for key, value in kinds.items() if "office" in key), None)
    stated = next(
        (
            value
            for key, value in cell.attrib.items()
            if local(key) in ("value", "date-value", "time-value", "boolean-value")
        ),
        None,
    )
    text = stated if stated is not None and kind != "string" else _text(cell)
    if text.strip():
        places = range(column, column + wide)
        cells.filled.update(dict.fromkeys(places, text))
        cells.texts.update(places if kind in ("string", None) else ())


def _text(cell: Element) -> str:
    return "\n".join(_said(part) for part in cell if local(part.tag) == "p")


def _said(element: Element) -> str:
    said = element.text or ""
    for part in element:
        name = local(part.tag)
        if name == "s":
            said += " " * positive(_attribute(part, "c"), 1)
        elif name in ("tab", "line-break"):
            said += "\t" if name == "tab" else "\n"
        else:
            said += _said(part)
        said += part.tail or ""
    return said


def _is_hidden(style: Element) -> bool:
    return any(
        _attribute(part, "display") == "false" for part in style if local(part.tag) == "table-properties"
    )


def _attribute(element: Element, name: str) -> str | None:
    return next((value for key, value in element.attrib.items() if local(key) == name), None)
