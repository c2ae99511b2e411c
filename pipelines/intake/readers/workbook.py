"""Workbooks (xlsx, xls, ods): the sheets that have the expected header; one record a row below it.

``layout`` says where the tables of a sheet are, which labels hold for which rows and what is a remark. Texts of the
header are kept as found; a column without a heading that holds data is called ``column:C``. A cell merged over several
rows counts for each of them.

Cells become text so that nothing is lost: ``3``, ``0.1``, ``2026-05-01 09:30:00``, ``TRUE``. A formula (a cached
value is not evidence), an error, or a number of more than 15 digits (a spreadsheet has already lost the last ones) is
a text that says so and that no conversion can read: it costs that cell, if it is read at all.

``raw_row`` is the row in the spreadsheet. Where several sheets have the header their records join;
those of the second sheet are numbered from 10,000,001, of the third from 20,000,001, and so on.
"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from pipelines.intake.readers import (
    UNREADABLE,
    FileRefused,
    FileRule,
    Reading,
    headings,
    layout,
    old_workbook,
    opendocument,
    packages,
    section_name,
    sniffing,
    workbook_parts,
)
from pipelines.intake.readers.layout import HEADER_WITHIN_ROWS
from pipelines.intake.readers.spooling import Spool

#: A sheet has at most 1,048,576 rows, so that the sheet can be read off the number.
SHEET_STEP = 10_000_000

#: Spreadsheets keep 15 significant digits.
_FIRST_INEXACT = 10**15

#: Remarks of one sheet that are kept.
_NOTES_KEPT = 60

Cell = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take a workbook apart; see ``readers.read``."""
    section = section_name(rule, file_name)
    spool = Spool(work)
    notes: list[str] = []
    found = 0
    for sheet, facts in _visible_sheets(path, work, notes):
        cells = sheet.to_python(skip_empty_area=False)
        place = f"sheet {sheet.name}, row"
        rows = {
            row.number: row
            for row in _rows(cells, facts, merged_rows(sheet.merged_cell_ranges or facts.merged, len(cells)))
        }
        tables = layout.lay_out(rows.values(), rule, place)
        if not tables.blocks:
            notes.append(f"sheet {sheet.name}: no header found, not read")
            continue
        for block in tables.blocks:
            spool.declare(section, [*block.columns.values(), *block.head])
            for number, texts in layout.records(block, rows):
                spool.add(section, number + found * SHEET_STEP, f"{place} {number}", texts)
        notes += [f"{place} {number}: {text}" for number, text in tables.notes[:_NOTES_KEPT]]
        if len(tables.notes) > _NOTES_KEPT:
            notes.append(f"sheet {sheet.name}: {len(tables.notes) - _NOTES_KEPT} more remarks")
        found += 1
    if not found:
        names = layout.expected(rule)
        looked_for = "、".join(names[:20]) or "any text"
        raise FileRefused(
            "NO_HEADER",
            f"no visible sheet has a header in its first {HEADER_WITHIN_ROWS} rows; looked for at least "
            f"{layout.needed(names)} of: {looked_for}; correct the sheet or the mapping",
            f"可见工作表前 {HEADER_WITHIN_ROWS} 行未找到表头（至少需以下列名中的 {layout.needed(names)} 个："
            f"{looked_for}）；请修改工作表或映射",
        )
    return Reading(spool.sections(), spool.unreadable, notes)


def _rows(
    cells: list[list[Cell]], facts: workbook_parts.SheetFacts, merged: Mapping[tuple[int, int], int]
) -> Iterator[layout.Row]:
    """Yield the rows that are not blank; a merged cell's text stands in every row that it covers."""
    # A formula without a result may stand below the last value.
    last = max([len(cells), *facts.formulas, *facts.errors])
    for number in range(1, last + 1):
        row = cells[number - 1] if number <= len(cells) else []
        in_doubt = frozenset(
            workbook_parts.column_number(at.rstrip("0123456789")) - 1
            for at in (*facts.formulas.get(number, ()), *facts.errors.get(number, ()))
        )
        texts = {
            column: text
            for column, cell in enumerate(row)
            if column not in in_doubt and (text := _text(cell, column, number)).strip()
        }
        if not texts and not in_doubt:
            continue
        is_text = {column for column in texts if isinstance(row[column], str)}
        for column in range(max(len(row), 1)):
            top = merged.get((number, column))
            if top is not None and column not in texts and column not in in_doubt:
                cell = cells[top - 1][column] if column < len(cells[top - 1]) else ""
                if text := _text(cell, column, top).strip():
                    texts[column] = text
                    is_text |= {column} if isinstance(cell, str) else set()
        yield layout.Row(number, texts, frozenset(is_text), in_doubt)


def merged_rows(
    areas: list[tuple[tuple[int, int], tuple[int, int]]], rows: int
) -> dict[tuple[int, int], int]:
    """Return (row, column) -> the row from 1 whose cell it shows, for the first column of each merged area."""
    return {
        (row + 1, first[1]): first[0] + 1
        for first, last in areas
        for row in range(first[0] + 1, min(last[0] + 1, rows))
    }


def _text(cell: Cell, column: int, number: int) -> str:
    if isinstance(cell, int | float) and abs(cell) >= _FIRST_INEXACT:
        at = f"{headings.column_letters(column + 1)}{number}"
        return (
            f"{UNREADABLE}单元格 {at} 为超过15位的数字，末几位已被电子表格改变；请设为文本重新录入 / cell {at} is a number"
            " of over 15 digits, of which the spreadsheet has changed the last; enter it again as text"
        )
    return cell_text(cell)


def _visible_sheets(
    path: Path, work: Path, notes: list[str]
) -> list[tuple[CalamineSheet, workbook_parts.SheetFacts]]:
    visible = []
    plain, facts_of = _facts(path, work)
    try:
        book = CalamineWorkbook.from_path(str(plain))
        for known, facts in zip(book.sheets_metadata, facts_of, strict=True):
            if known.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(known.name)
            if known.visible == SheetVisibleEnum.Visible:
                visible.append((sheet, facts))
            else:
                filled = sum(1 for row in sheet.to_python() if any(map(cell_text, row)))
                notes.append(f"sheet {known.name} is hidden and was NOT read: {filled} rows")
    except (CalamineError, KeyError, ValueError) as error:
        raise FileRefused(
            "DAMAGED_WORKBOOK",
            f"the workbook cannot be opened ({error}); save it again and deliver it",
            f"工作簿无法打开（{error}）；请重新保存后提供",
        ) from None
    return visible


def _facts(path: Path, work: Path) -> tuple[Path, list[workbook_parts.SheetFacts]]:
    """Return the file to open, and what its own words say of each sheet, before anything of it is opened."""
    kind = sniffing.sniff(path)
    if kind == "xls":
        return path, old_workbook.sheet_facts(path)
    plain = packages.checked_copy(path, work, packages.WORKBOOK)
    with zipfile.ZipFile(plain) as archive:
        if kind == "ods":
            return plain, opendocument.sheet_facts(archive)
        parts = workbook_parts.sheet_parts(archive).values()
        return plain, [workbook_parts.sheet_facts(archive, part) for part in parts]


def cell_text(cell: Cell) -> str:
    """Return a cell's value as text that loses nothing."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{Decimal(repr(cell)):f}"
    if isinstance(cell, dt.datetime):
        return _to_millisecond(cell).strftime("%Y-%m-%d %H:%M:%S.%f").rstrip("0").rstrip(".")
    if isinstance(cell, dt.date):
        return f"{cell:%Y-%m-%d} 00:00:00"
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell)


def _to_millisecond(moment: dt.datetime) -> dt.datetime:
    """Undo what storing a time as a fraction of a day does to it."""
    rest = moment.microsecond % 1000
    return moment + dt.timedelta(microseconds=-rest if rest < 500 else 1000 - rest)
