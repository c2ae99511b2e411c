"""The parts of an xlsx file, checked before any of them is used.

An xlsx is a zip archive of XML. The directory is checked first, then every XML part is unpacked
under a byte limit, searched for a DOCTYPE and written into a plain archive of our own. Only that copy
is opened afterwards, so that what was checked is what is read.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from pipelines.readers import FileRefused

#: A year of a county's openings is about a tenth of this.
MAX_EXPANDED_BYTES = 100 * 2**20

#: Real workbooks shrink 5 to 20 times; a bomb shrinks 1,000 times.
MAX_RATIO = 100

#: Below this size a high ratio is harmless (empty formatted rows).
_RATIO_FREE_BYTES = 2**20

#: A workbook with a hundred sheets has a few hundred parts.
MAX_MEMBERS = 1_000

#: Rows x columns that a sheet spans. One cell in the last corner would span 17 billion.
MAX_CELLS = 20_000_000

_ENCRYPTED = 0x1

#: What ``zipfile`` raises on archives that are cut, altered or oddly made.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)


@dataclass
class SheetFacts:
    """What the sheet's XML says about cells that the values alone do not show.

    Attributes:
        formulas, errors: spreadsheet row -> the cells in it, e.g. ``{7: ["C7"]}``.
        rows, columns: how far the sheet spans.
    """

    formulas: dict[int, list[str]] = field(default_factory=dict)
    errors: dict[int, list[str]] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0


def checked_copy(path: Path, work: Path) -> Path:
    """Return a plain copy of the workbook's XML parts.

    Raises:
        FileRefused: a dangerous or damaged archive, or a DOCTYPE in any part.
    """
    copy = work / "checked.xlsx"
    try:
        archive = zipfile.ZipFile(path)
    except _DAMAGE as error:
        raise _damaged(error) from None
    with archive, zipfile.ZipFile(copy, "w") as plain:
        members = archive.infolist()
        _check_directory(members, path.stat().st_size)
        for member in members:
            if member.filename.endswith((".xml", ".rels")):
                try:
                    data = archive.read(member)
                except _DAMAGE as error:
                    raise _damaged(error) from None
                _refuse_doctype(member.filename, data)
                plain.writestr(member.filename, data)
    return copy


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
            row = _positive(attributes.get("r"), row + 1)
            column = 0
            facts.rows = max(facts.rows, row)
        elif name == "c":
            at = attributes.get("r", "")
            letters = at.rstrip("0123456789")
            if letters:
                row, column = _positive(at[len(letters) :], row), column_number(letters)
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
        raise _broken(part, error) from None
    if facts.rows * facts.columns > MAX_CELLS:
        raise FileRefused(
            "SHEET_TOO_LARGE",
            f"a sheet spans {facts.rows:,} rows x {facts.columns:,} columns; delete the stray cells",
            f"工作表跨越 {facts.rows:,} 行 × {facts.columns:,} 列；请删除远离表格的零散单元格",
        )
    return facts


def local(tag: str) -> str:
    """Return an XML name without its namespace or prefix."""
    return tag.rpartition("}")[2].rpartition(":")[2]


def column_number(letters: str) -> int:
    """Return 1 for ``A``, 28 for ``AB``."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def column_letters(number: int) -> str:
    """Return ``A`` for 1, ``AB`` for 28."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _positive(digits: str | None, otherwise: int) -> int:
    return int(digits) if digits and digits.isascii() and digits.isdigit() and len(digits) <= 7 else otherwise


def _check_directory(members: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    names = [member.filename.lower() for member in members]
    expanded = sum(member.file_size for member in members)
    problems = (
        (len(members) > MAX_MEMBERS, f"more than {MAX_MEMBERS:,} members", f"成员超过 {MAX_MEMBERS:,} 个"),
        (
            expanded > MAX_EXPANDED_BYTES,
            f"more than {MAX_EXPANDED_BYTES:,} bytes expanded",
            f"解压后超过 {MAX_EXPANDED_BYTES:,} 字节",
        ),
        (
            expanded > max(MAX_RATIO * packed_bytes, _RATIO_FREE_BYTES),
            f"grows more than {MAX_RATIO} times",
            f"解压后超过自身的 {MAX_RATIO} 倍",
        ),
        (len(set(names)) != len(names), "the same member name twice", "成员名重复"),
        (any(map(_is_outside, names)), "a member name that leads outside", "成员名指向外部路径"),
        (any(member.flag_bits & _ENCRYPTED for member in members), "an encrypted member", "成员已加密"),
    )
    for is_found, what, what_zh in problems:
        if is_found:
            raise FileRefused(
                "DANGEROUS_ARCHIVE",
                f"the workbook's archive has {what}; save the table into a new workbook and deliver that",
                f"工作簿压缩结构异常（{what_zh}）；请将表格另存为新工作簿后提供",
            )


def _is_outside(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")


def _refuse_doctype(member: str, data: bytes) -> None:
    def doctype(*_: object) -> NoReturn:
        raise FileRefused(
            "DOCTYPE",
            f"{member} has a DOCTYPE declaration, which can attack the reader; save the workbook again",
            f"{member} 含有 DOCTYPE 声明，存在安全风险；请重新保存工作簿",
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise _broken(member, error) from None


def _broken(member: str, error: Exception) -> FileRefused:
    return FileRefused(
        "BROKEN_XML",
        f"{member} is not well-formed ({error}); save the workbook again and deliver it",
        f"{member} 格式错误；请重新保存工作簿后提供",
    )


def _damaged(error: Exception) -> FileRefused:
    return FileRefused(
        "DAMAGED_ARCHIVE",
        f"the workbook is damaged or cut ({error}); save it again and deliver it",
        f"工作簿已损坏或被截断（{error}）；请重新保存后提供",
    )


def _no_sheets() -> FileRefused:
    return FileRefused(
        "NO_SHEETS",
        "the workbook does not say where its sheets are; save it again and deliver it",
        "工作簿未说明工作表位置；请重新保存后提供",
    )
