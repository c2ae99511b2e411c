"""ods: what the XML of an OpenDocument spreadsheet says of its cells that the values alone do not show."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

from pipelines.intake.readers import FileRefused
from pipelines.intake.readers.headings import column_letters
from pipelines.intake.readers.packages import broken, local
from pipelines.intake.readers.workbook_parts import SheetFacts, check_span, positive

CONTENT = "content.xml"


def sheet_facts(archive: zipfile.ZipFile) -> list[SheetFacts]:
    """Find formula, error and merged cells of each sheet, and how far it spans, in one pass over the XML.

    Rows and cells may be written once for thousands: what that spans is known here before anybody fills memory with it.

    Raises:
        FileRefused: no such part, not well-formed, or a sheet that spans more than ``MAX_CELLS``.
    """
    walk = _Walk()
    parser = expat.ParserCreate()
    parser.StartElementHandler = walk.start
    parser.EndElementHandler = walk.end
    try:
        parser.Parse(archive.read(CONTENT), True)
    except expat.ExpatError as error:
        raise broken(CONTENT, error) from None
    if not walk.sheets:
        raise FileRefused(
            "NO_SHEETS",
            "the OpenDocument file holds no sheet; save it again and deliver it",
            "OpenDocument 文件中没有工作表；请重新保存后提供",
        )
    return walk.sheets


class _Walk:
    """Walks through the elements of ``content.xml``. Rows and columns count from 0."""

    def __init__(self) -> None:
        self.sheets: list[SheetFacts] = []
        self._open: list[str] = []
        self._row = self._rows = self._column = 0
        self._cell: dict[str, str] | None = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = local(tag)
        if name == "table" and self._open[-1:] == ["spreadsheet"]:
            self.sheets.append(SheetFacts())
            self._row = self._rows = 0
        elif name == "table-row":
            self._rows = positive(_named(attributes, "number-rows-repeated"), 1)
            self._column = 0
        elif name in ("table-cell", "covered-table-cell"):
            self._cell = attributes
            if _named(attributes, "value-type") or _named(attributes, "formula"):
                self._fill(attributes)
        elif name == "p" and self._cell is not None:
            self._fill(self._cell)
        self._open.append(name)

    def end(self, tag: str) -> None:
        name = self._open.pop()
        if name in ("table-cell", "covered-table-cell") and self._cell is not None:
            self._column += positive(_named(self._cell, "number-columns-repeated"), 1)
            self._cell = None
        elif name == "table-row":
            self._row += self._rows

    def _fill(self, cell: dict[str, str]) -> None:
        facts = self.sheets[-1]
        wide = positive(_named(cell, "number-columns-repeated"), 1)
        facts.rows = max(facts.rows, self._row + self._rows)
        facts.columns = max(facts.columns, self._column + wide)
        check_span(facts)
        if spanned := positive(_named(cell, "number-rows-spanned"), 1) - 1:
            right = self._column + positive(_named(cell, "number-columns-spanned"), 1) - 1
            facts.merged.append(((self._row, self._column), (self._row + spanned, right)))
        is_error = _named(cell, "value-type", prefix="calcext") == "error"
        found = facts.formulas if _named(cell, "formula") else facts.errors if is_error else None
        if found is None:
            return
        for row in range(self._row + 1, self._row + self._rows + 1):
            cells = found.setdefault(row, [])
            cells += [f"{column_letters(self._column + n + 1)}{row}" for n in range(wide)]


def _named(attributes: dict[str, str], name: str, prefix: str = "") -> str | None:
    """Return an attribute by its name without the prefix, or with one where two share the name."""
    return next(
        (
            value
            for key, value in attributes.items()
            if local(key) == name and key.startswith(prefix) and (prefix or not key.startswith("calcext:"))
        ),
        None,
    )
