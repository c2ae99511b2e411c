"""Where a workbook's sheets are, and what their XML says that the values alone do not show."""

from __future__ import annotations

import posixpath
import zipfile
from dataclasses import dataclass, field
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from pipelines.intake.readers import FileRefused
from pipelines.intake.readers.headings import column_letters
from pipelines.intake.readers.packages import broken, local

#: Rows x columns that a sheet spans. One cell in the last corner would span 17 billion.
MAX_CELLS = 20_000_000


@dataclass
class SheetFacts:
    """What the sheet's XML says about cells that the values alone do not show.

    Attributes:
        formulas, errors: spreadsheet row -> the cells in it, e.g. ``{7: ["C7"]}``.
        rows, columns: how far the sheet spans.
        is_worksheet: it is no chart or macro sheet; said by an xls.
        merged: first and last (row, column) from 0 of cells merged over several rows; of an xlsx calamine has them.
    """

    formulas: dict[int, list[str]] = field(default_factory=dict)
    errors: dict[int, list[str]] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0
    is_worksheet: bool = True
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)


def sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return sheet name -> member name, in workbook order.

    Raises:
        FileRefused: the workbook does not say where its sheets are.
    """
    try:
        book = fromstring(archive.read("xl/workbook.xml"))
        relations = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ParseError, DefusedXmlException):
        raise _no_sheets() from None
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    members = set(archive.namelist())
    parts = {}
    for sheet in (one for one in book.iter() if local(one.tag) == "sheet"):
        relation = next((value for key, value in sheet.attrib.items() if local(key) == "id"), None)
        part = posixpath.normpath(posixpath.join("/xl", targets.get(relation, ""))).lstrip("/")
        name = sheet.get("name")
        if name is None or name in parts or part not in members:
            raise _no_sheets()
        parts[name] = part
    return parts


def sheet_facts(archive: zipfile.ZipFile, part: str) -> SheetFacts:
    """Find formula and error cells, and how far the sheet spans, in one pass over its XML.

    Raises:
        FileRefused: not well-formed, or spanning more than ``MAX_CELLS``.
    """
    facts = SheetFacts()
    row = column = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column
        name = local(tag)
        if name == "row":
            row = positive(attributes.get("r"), row + 1)
            column = 0
            facts.rows = max(facts.rows, row)
        elif name == "c":
            at = attributes.get("r", "")
            letters = at.rstrip("0123456789")
            if letters:
                row, column = positive(at[len(letters) :], row), column_number(letters)
            else:
                column += 1
            facts.rows = max(facts.rows, row)
            facts.columns = max(facts.columns, column)
            if attributes.get("t") == "e":
                facts.errors.setdefault(row, []).append(f"{column_letters(column)}{row}")
        elif name == "f":
            facts.formulas.setdefault(row, []).append(f"{column_letters(column)}{row}")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    try:
        parser.Parse(archive.read(part), True)
    except expat.ExpatError as error:
        raise broken(part, error) from None
    check_span(facts)
    return facts


def check_span(facts: SheetFacts) -> None:
    """Refuse a sheet that spans more than ``MAX_CELLS``."""
    if facts.rows * facts.columns > MAX_CELLS:
        raise FileRefused(
            "SHEET_TOO_LARGE",
            f"a sheet spans {facts.rows:,} rows x {facts.columns:,} columns; delete the stray cells",
            f"工作表跨越 {facts.rows:,} 行 × {facts.columns:,} 列；请删除远离表格的零散单元格",
        )


def column_number(letters: str) -> int:
    """Return 1 for ``A``, 28 for ``AB``."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def positive(digits: str | None, otherwise: int) -> int:
    """Return a number of up to seven digits, or ``otherwise`` for what is none."""
    return int(digits) if digits and digits.isascii() and digits.isdigit() and len(digits) <= 7 else otherwise


def _no_sheets() -> FileRefused:
    return FileRefused(
        "NO_SHEETS",
        "the workbook does not say where its sheets are; save it again and deliver it",
        "工作簿未说明工作表位置；请重新保存后提供",
    )
