"""A filled-in alert list as it came back, taken apart: the columns that count, as text, whatever a spreadsheet did.

Runs in the shut-in child of ``sandbox``, because the file is a stranger's. It is no reader: it gives no records and
no bronze, so its code is in no version of typed rows. Rows may stand in any visible sheet,
below any title, in any order of columns, hidden or not; other columns are ignored. Nothing is judged here.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from pipelines.intake.readers import FileRefused, decoding, headings, packages, sniffing, workbook_parts
from pipelines.intake.readers.delimited import MAX_FIELD_CHARS, SEPARATORS
from pipelines.intake.readers.layout import HEADER_WITHIN_ROWS
from pipelines.intake.readers.workbook import cell_text
from reports.alert_list import COLUMNS, FEEDBACK
from reports.alert_workbook import DELIVERY_ZH

#: Field of `reports.alert_list.Alert` -> its header, for the alert's id and what an officer fills in.
WANTED = {
    column.key: column.header_zh for column in COLUMNS if column.key == "alert_id" or column.key in FEEDBACK
}

#: A list of all alerts of a province is far smaller.
MAX_BYTES = 64 * 2**20

_UNIT = re.compile(r"\([^()]*\)$")


@dataclass
class ReturnedList:
    """What a file holds.

    Attributes:
        rows: one a row with an alert's id: ``place``, ``problem`` (empty, or why it cannot be read) and the fields
            of `WANTED` as text.
        deliveries: what stands beside 送达编号 in the file.
        notes: what was left aside, for a person.
    """

    rows: list[dict[str, str]] = field(default_factory=list)
    deliveries: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def take_apart(path: Path, work: Path) -> ReturnedList:
    """Return the rows of a filled-in list.

    Args:
        path: xlsx, or text separated by comma, tab, semicolon or bar, in UTF-8, UTF-16 or GB18030.
        work: a private folder.

    Raises:
        FileRefused: neither of these, dangerous, damaged, too large, or without the columns of the list.
    """
    if path.stat().st_size > MAX_BYTES:
        raise FileRefused(
            "TOO_LARGE", f"larger than {MAX_BYTES:,} bytes; send the list alone", f"超过 {MAX_BYTES:,} 字节"
        )
    kind = sniffing.sniff(path)
    if kind not in ("workbook", "delimited"):
        raise FileRefused(
            "NO_TABLE", f"the content is {kind}; send the list as xlsx or CSV", "请以 xlsx 或 CSV 发回"
        )
    returned = ReturnedList()
    if kind == "workbook":
        _read_workbook(path, work, returned)
    else:
        _read_text(path, returned)
    return returned


def _read_workbook(path: Path, work: Path, returned: ReturnedList) -> None:
    plain = packages.checked_copy(path, work, packages.WORKBOOK)
    found = False
    try:
        with zipfile.ZipFile(plain) as archive:
            book = CalamineWorkbook.from_path(str(plain))
            parts = workbook_parts.sheet_parts(archive)
            for known in book.sheets_metadata:
                if known.typ != SheetTypeEnum.WorkSheet:
                    continue
                facts = workbook_parts.sheet_facts(archive, parts[known.name])
                cells = book.get_sheet_by_name(known.name).to_python(skip_empty_area=False)
                rows = [[cell_text(cell) for cell in row] for row in cells]
                returned.deliveries += _deliveries(rows)
                if known.visible != SheetVisibleEnum.Visible:
                    returned.notes.append(
                        f"sheet {known.name} is hidden: its rows were not read 隐藏的工作表未读取"
                    )
                    continue
                bad = {
                    cell for several in (*facts.formulas.values(), *facts.errors.values()) for cell in several
                }
                # A formula without a result may stand below the last value.
                last = max([len(rows), *facts.formulas, *facts.errors])
                rows += [[] for _ in range(last - len(rows))]
                found |= _take(rows, f"{known.name} ", bad, returned)
    except (CalamineError, KeyError, ValueError) as error:
        raise FileRefused(
            "DAMAGED_WORKBOOK",
            f"the workbook cannot be opened ({error}); save it again",
            "工作簿无法打开，请重新保存",
        ) from None
    if not found:
        raise _no_header()


def _read_text(path: Path, returned: ReturnedList) -> None:
    encoding = decoding.encoding_of(path)
    text = path.read_bytes().decode(encoding)
    separator = next(
        (each for each in SEPARATORS if _header(islice(_split(text, each), HEADER_WITHIN_ROWS))), None
    )
    if separator is None:
        raise _no_header()
    try:
        rows = list(_split(text, separator))
    except csv.Error as error:
        raise FileRefused(
            "BROKEN_QUOTES",
            f"the text cannot be taken apart ({error}); save it again",
            "引号未闭合，请重新保存",
        ) from None
    returned.deliveries += _deliveries(rows)
    _take(rows, "", set(), returned)


def _split(text: str, separator: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_FIELD_CHARS)
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _header(rows: Iterable[Sequence[str]]) -> tuple[int, dict[str, int]] | None:
    """Return at which row the header stands, and in which column each wanted field."""
    try:
        for at, row in zip(range(HEADER_WITHIN_ROWS), rows, strict=False):
            places: dict[str, int] = {}
            for column, text in enumerate(row):
                key = _KEYS.get(_plain(text))
                if key is not None and places.setdefault(key, column) != column:
                    raise FileRefused(
                        "DUPLICATE_COLUMN",
                        f"the column {WANTED[key]} stands there twice; delete one of them",
                        f"列“{WANTED[key]}”重复，请删除其中之一",
                    )
            if "alert_id" in places and len(places) > 1:
                return at, places
    except csv.Error:
        return None
    return None


def _take(rows: list[list[str]], sheet: str, bad: set[str], returned: ReturnedList) -> bool:
    """Add the rows below the header; False where there is no header."""
    header = _header(rows)
    if header is None:
        return False
    at, places = header
    width = len(rows[at])
    for number, row in enumerate(rows[at + 1 :], start=at + 2):
        faulty = [
            f"{headings.column_letters(column + 1)}{number}"
            for column in places.values()
            if f"{headings.column_letters(column + 1)}{number}" in bad
        ]
        taken = {key: row[column].strip() if column < len(row) else "" for key, column in places.items()}
        if not (faulty or any(taken.values())):
            continue
        problem = ""
        if faulty:
            problem = (
                f"cell {faulty[0]} holds a formula or an error, no value 单元格 {faulty[0]} 是公式或错误值"
            )
        elif any(text.strip() for text in row[width:]):
            problem = f"more cells than the header has columns 多于表头的 {width} 列，可能错位"
        returned.rows.append(
            {"place": f"{sheet}row {number}", "problem": problem, **dict.fromkeys(WANTED, ""), **taken}
        )
    return True


def _deliveries(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return what stands beside 送达编号."""
    return [
        after.strip()
        for row in islice(rows, HEADER_WITHIN_ROWS)
        for name, after in pairwise(row)
        if _plain(name) == DELIVERY_ZH and after.strip()
    ]


def _plain(text: str) -> str:
    """Return a column's name without blanks, width, invisible characters and a unit in brackets."""
    seen = "".join(
        each for each in unicodedata.normalize("NFKC", text) if each.isprintable() and not each.isspace()
    )
    return _UNIT.sub("", seen)


_KEYS: Mapping[str, str] = {_plain(header): key for key, header in WANTED.items()}


def _no_header() -> FileRefused:
    return FileRefused(
        "NO_HEADER",
        "no visible sheet has a row with 预警编号 and one of 核查状态, 核查结论, 核查人, 反馈时间, 备注",
        "未找到含“预警编号”及反馈列的表头；请使用送达的清单填写",
    )
