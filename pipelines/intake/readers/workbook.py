"""xlsx: the sheets that have the expected header; one record a row below it.

The header is the first of the top 40 rows in which at least two of the expected names stand
(compared without blanks, width, case and a unit in brackets: ``投标报价（万元）`` counts as ``投标报价``).
Its texts are kept as found. A column without a heading that holds data is called ``column:C``.

Above the header stand facts about all rows. ``标段编号：XYZ`` in one cell, or a label and its value side by
side, become a constant column ``head:标段编号``; a lone text is a note.

Cells become text so that nothing is lost: ``3``, ``0.1``, ``2026-05-01 09:30:00``, ``TRUE``. A row
that holds a formula (a cached value is not evidence), an error, or a number of more than 15 digits (a
spreadsheet has already lost the last ones) is unreadable. Blank rows are no records, and neither is a row
below the data whose only filled cell is a text in the first column (备注, 说明).

``raw_row`` is the row in the spreadsheet. Where several sheets have the header their records join;
those of the second sheet are numbered from 10,000,001, of the third from 20,000,001, and so on.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import zipfile
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from pipelines.intake.readers import (
    MAX_RAW_TEXT,
    FileRefused,
    FileRule,
    Reading,
    Unreadable,
    headings,
    packages,
    section_name,
    workbook_parts,
)
from pipelines.intake.readers.spooling import Row, Spool

#: Title and head block of an opening record take ten rows or so.
HEADER_WITHIN_ROWS = 40

#: Names of the expected header that must stand in one row, so that a title is not taken for it.
MIN_HEADER_NAMES = 2

#: A sheet has at most 1,048,576 rows, so that the sheet can be read off the number.
SHEET_STEP = 10_000_000

#: Spreadsheets keep 15 significant digits.
_FIRST_INEXACT = 10**15

_UNIT = re.compile(r"\([^()]*\)$")
#: ``标段编号：`` at the beginning or behind a gap; blanks inside spread the label (``标 段：``).
_LABEL = re.compile(r"(?:^|\s{2,}|\n)\s*([^\W\d](?:[^\s：:]|[ \u3000](?=\S)){0,19})\s?[：:]")

Cell = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta


@dataclass(frozen=True)
class _Table:
    """A sheet whose header was found; rows and columns count from 0."""

    sheet: str
    rows: list[list[Cell]]
    header_at: int
    columns: dict[int, str]
    first_column: int
    head: dict[str, str]
    facts: workbook_parts.SheetFacts


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take a workbook apart; see ``readers.read``."""
    plain = packages.checked_copy(path, work, packages.WORKBOOK)
    section = section_name(rule, file_name)
    spool = Spool(work)
    notes: list[str] = []
    found = 0
    for sheet, facts in _visible_sheets(plain, notes):
        table = _table(sheet, facts, rule, notes)
        if table is None:
            notes.append(f"sheet {sheet.name}: no header found, not read")
            continue
        spool.declare(section, [*table.columns.values(), *table.head])
        _read_table(table, section, found * SHEET_STEP, spool, notes)
        found += 1
    if not found:
        looked_for = "、".join(rule.header) or "any text"
        raise FileRefused(
            "NO_HEADER",
            f"no visible sheet has a header in its first {HEADER_WITHIN_ROWS} rows; looked for at least "
            f"{_needed(rule.header)} of: {looked_for}; correct the sheet or the mapping",
            f"可见工作表前 {HEADER_WITHIN_ROWS} 行未找到表头（至少需以下列名中的 {_needed(rule.header)} 个："
            f"{looked_for}）；请修改工作表或映射",
        )
    return Reading(spool.sections(), spool.unreadable, notes)


def header_row(rows: Iterable[Sequence[str]], wanted: Sequence[str]) -> int | None:
    """Return the position of the header among a sheet's rows, from 0.

    Args:
        rows: the sheet's cells as text, from its first row.
        wanted: names to look for; without any, the first row that is not blank is the header.
    """
    names = set(map(_comparable, wanted))
    for at, row in zip(range(HEADER_WITHIN_ROWS), rows, strict=False):
        filled = {_comparable(cell) for cell in row if cell.strip()}
        if (not names and filled) or (names and len(filled & names) >= _needed(wanted)):
            return at
    return None


def is_note(filled: dict[int, str], texts: Container[int], first_column: int) -> bool:
    """Say whether a row is a remark under the table: one text alone in the first column.

    Args:
        filled: the cells that are not blank, by column.
        texts: which columns hold text rather than a number, a date or a truth value.
        first_column: where the table begins.
    """
    if list(filled) != [first_column] or first_column not in texts:
        return False
    return not re.fullmatch(r"[\d.,\s]+", filled[first_column])


def _needed(wanted: Sequence[str]) -> int:
    return min(MIN_HEADER_NAMES, len(wanted))


def _comparable(name: str) -> str:
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).casefold()
    return _UNIT.sub("", plain) or plain


def _visible_sheets(plain: Path, notes: list[str]) -> list[tuple[CalamineSheet, workbook_parts.SheetFacts]]:
    visible = []
    try:
        with zipfile.ZipFile(plain) as archive:
            book = CalamineWorkbook.from_path(str(plain))
            parts = workbook_parts.sheet_parts(archive)
            for known in book.sheets_metadata:
                if known.typ != SheetTypeEnum.WorkSheet:
                    continue
                facts = workbook_parts.sheet_facts(archive, parts[known.name])
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


def _table(
    sheet: CalamineSheet, facts: workbook_parts.SheetFacts, rule: FileRule, notes: list[str]
) -> _Table | None:
    rows = sheet.to_python(skip_empty_area=False)
    texts = [[cell_text(cell) for cell in row] for row in rows[:HEADER_WITHIN_ROWS]]
    at = header_row(texts, rule.header)
    if at is None:
        return None
    place = f"sheet {sheet.name}, row {at + 1}"
    if at + 1 in facts.formulas or at + 1 in facts.errors:
        raise FileRefused(
            "FORMULA_HEADER",
            f"{place}: a column name is a formula or an error; type it as text",
            f"{place}：列名是公式或错误值；请改为文本",
        )
    named = {column: text.strip() for column, text in enumerate(texts[at]) if text.strip()}
    headings.checked(list(named.values()), place)
    first_column = min(named)
    below = rows[at + 1 :]
    for column in range(len(texts[at])):
        if column not in named and any(cell_text(row[column]).strip() for row in below):
            named[column] = f"column:{workbook_parts.column_letters(column + 1)}"
    head = _head(texts[:at], facts, sheet.name, notes)
    columns = dict(sorted(named.items()))
    headings.checked([*columns.values(), *head], place)
    merged = [area for area in sheet.merged_cell_ranges or [] if area[0][0] > at and area[0][0] != area[1][0]]
    if merged:
        notes.append(
            f"sheet {sheet.name}: {len(merged)} cells are merged over several rows; "
            "only the first row of each has the value"
        )
    return _Table(sheet.name, rows, at, columns, first_column, head, facts)


def _head(
    rows: list[list[str]], facts: workbook_parts.SheetFacts, sheet: str, notes: list[str]
) -> dict[str, str]:
    """Return the constants above the header; texts that are none become notes."""
    pairs: list[tuple[str, str]] = []
    for number, row in enumerate(rows, 1):
        if number in facts.formulas or number in facts.errors:
            notes.append(f"sheet {sheet}, row {number}: not used, it holds a formula or an error")
            continue
        row_pairs, rest = _pairs([cell.strip() for cell in row if cell.strip()])
        pairs += row_pairs
        notes += [f"sheet {sheet}, row {number}: {text}" for text in rest]
    values: dict[str, set[str]] = {}
    for label, value in pairs:
        values.setdefault(label, set()).add(value)
    for label, several in values.items():
        if len(several) > 1:
            notes.append(f"sheet {sheet}: {label} stands above the header with several values, not used")
    return {f"head:{label}": several.pop() for label, several in values.items() if len(several) == 1}


def _pairs(cells: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return label and value pairs of one row's filled cells, and the texts that are neither."""
    pairs: list[tuple[str, str]] = []
    rest: list[str] = []
    waiting = list(reversed(cells))
    while waiting:
        cell = waiting.pop()
        labels = list(_LABEL.finditer(cell))
        ends = [label.start() for label in labels[1:]] + [len(cell)]
        found = [
            (label[1], cell[label.end() : end].strip()) for label, end in zip(labels, ends, strict=False)
        ]
        found = found or [(cell, "")]
        if not found[-1][1] and waiting and not _LABEL.search(waiting[-1]):
            found[-1] = (found[-1][0], waiting.pop())
        pairs += [(re.sub(r"\s+", "", label), value) for label, value in found if value]
        if labels and labels[0].start():
            rest.append(cell[: labels[0].start()].strip())
        rest += [label for label, value in found if not value]
    return pairs, rest


def _read_table(table: _Table, section: str, offset: int, spool: Spool, notes: list[str]) -> None:
    first_column = table.first_column
    # A formula without a result may stand below the last value.
    last = max([len(table.rows), *table.facts.formulas, *table.facts.errors])
    for number in range(table.header_at + 2, last + 1):
        cells = table.rows[number - 1] if number <= len(table.rows) else []
        texts = [cell_text(cell) for cell in cells]
        filled = {column: text for column, text in enumerate(texts) if text.strip()}
        place = f"sheet {table.sheet}, row {number}"
        problem = _problem(table, number, cells)
        if problem:
            code, reason, reason_zh, column = problem
            raw_text = "\t".join(texts)[:MAX_RAW_TEXT]
            spool.refuse(
                Unreadable(section, number + offset, place, code, reason, reason_zh, raw_text, column)
            )
        elif is_note(filled, {at for at, cell in enumerate(cells) if isinstance(cell, str)}, first_column):
            notes.append(f"{place}: {filled[first_column][:MAX_RAW_TEXT]}")
        elif filled:
            row: Row = {name: texts[column] for column, name in table.columns.items()}
            spool.add(section, number + offset, place, {**row, **table.head})


def _problem(table: _Table, number: int, cells: list[Cell]) -> tuple[str, str, str, str | None] | None:
    if formulas := table.facts.formulas.get(number):
        return (
            "FORMULA_CELL",
            f"cell {formulas[0]} holds a formula, and its last result is no evidence; paste it as a value",
            f"单元格 {formulas[0]} 是公式，其缓存值不能作为证据；请粘贴为数值",
            _column_at(table, formulas[0]),
        )
    if errors := table.facts.errors.get(number):
        return (
            "ERROR_CELL",
            f"cell {errors[0]} holds an error such as #REF!; correct it",
            f"单元格 {errors[0]} 是错误值（如 #REF!）；请改正",
            _column_at(table, errors[0]),
        )
    for column, cell in enumerate(cells):
        if isinstance(cell, int | float) and abs(cell) >= _FIRST_INEXACT:
            at = f"{workbook_parts.column_letters(column + 1)}{number}"
            return (
                "CODE_AS_NUMBER",
                f"cell {at} is a number of over 15 digits, of which the spreadsheet has changed the last; "
                "format the column as text, enter the code again and export",
                f"单元格 {at} 为超过 15 位的数字，电子表格已改变其末几位；请将该列设为文本，重新录入后导出",
                table.columns.get(column),
            )
    return None


def _column_at(table: _Table, cell: str) -> str | None:
    return table.columns.get(workbook_parts.column_number(cell.rstrip("0123456789")) - 1)


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
