"""A list that an office keeps, as a workbook and as CSV: every value is text, headings are Chinese, no cell runs.

Equal rows give equal bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter

from reports.cells import cell
from reports.workbook_style import CELL, CREATED, LAST_ROW

_HEAD = {
    **CELL,
    "bold": True,
    "text_wrap": True,
    "valign": "vcenter",
    "align": "center",
    "bg_color": "#D9E1F2",
}
_WIDEST = 40  # characters; longer values wrap


@dataclass(frozen=True)
class Sheet:
    """One list. ``note``: what a reader must know, in the footer of every page."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def csv_bytes(sheet: Sheet) -> bytes:
    """Return a list as CSV for WPS and Excel: UTF-8 with BOM, CRLF, all quoted."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(sheet.headings)
    writer.writerows([cell(value) for value in row] for row in _rows(sheet))
    return out.getvalue().encode("utf-8-sig")


def xlsx_bytes(sheets: Sequence[Sheet]) -> bytes:
    """Return lists as one workbook, a sheet each; every cell is text, so codes keep their digits.

    Raises:
        ValueError: a row has not as many values as there are headings, or there are too many rows.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": sheets[0].title, "comments": sheets[0].note, "created": CREATED})
        head = book.add_format(_HEAD)
        body = book.add_format({**CELL, "num_format": "@", "text_wrap": True})
        for sheet in sheets:
            _write(book.add_worksheet(sheet.title), sheet, head, body)
    return out.getvalue()


def _write(page: Any, sheet: Sheet, head: Any, body: Any) -> None:
    rows = [[cell(value) for value in row] for row in _rows(sheet)]
    if len(rows) > LAST_ROW:
        raise ValueError(f"{sheet.title}: {len(rows)} rows do not fit one sheet of {LAST_ROW}")
    for place, heading in enumerate(sheet.headings):
        longest = max((len(row[place]) for row in rows), default=0)
        # A Chinese character is about two digits wide.
        page.set_column(place, place, min(2 * max(len(heading), min(longest, _WIDEST)) + 2, _WIDEST))
        page.write_string(0, place, heading, head)
        for number, row in enumerate(rows, start=1):
            page.write_string(number, place, row[place], body)
    page.set_row(0, 32)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, len(rows), len(sheet.headings) - 1)
    page.set_landscape()
    page.set_paper(8)  # A3
    page.repeat_rows(0)
    page.set_footer(f"&L{sheet.note.replace('&', '&&')}&R&P / &N")


def _rows(sheet: Sheet) -> Sequence[Sequence[str]]:
    for place, row in enumerate(sheet.rows, start=1):
        if len(row) != len(sheet.headings):
            raise ValueError(f"{sheet.title}, row {place}: {len(row)} values, {len(sheet.headings)} headings")
    return sheet.rows
