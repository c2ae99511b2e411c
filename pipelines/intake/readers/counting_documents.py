"""How many pieces a document has, counted by other code than the readers'.

==========  =====================================  ============================================
form        the reader                             this module
==========  =====================================  ============================================
docx        lxml's elements                        expat's events
pdf         pages that open, images on them        the page tree's count, objects of each page
xlsx        calamine                               filled rows in the sheet's XML
text        a regular expression                   the standard library's lines
==========  =====================================  ============================================

What both share: which parts of a package hold text, and what the elements in them mean.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from xml.parsers import expat

import pypdfium2.raw as pdfium_c

from pipelines.intake.readers import (
    FileRule,
    counting_sheets,
    decoding,
    documents,
    office,
    packages,
    pdf,
    word,
    workbook_parts,
    workbook_text,
)
from pipelines.intake.readers.gathering import MAX_IMAGES, cleaned

_Start = Callable[[str, dict[str, str]], None]


def count(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    """Count the pieces of a document by section; see ``counting.count_records``."""
    counters = {"docx": _docx, "pdf": _pdf, "xlsx": _xlsx, "text": _text}
    parts, properties, images = counters[documents.form_of(path, file_name)](path, work)
    return {"file": 1, "parts": parts, "properties": properties, "images": min(images, MAX_IMAGES)}


def _text(path: Path, work: Path) -> tuple[int, int, int]:
    with path.open(encoding=decoding.encoding_of(path)) as file:
        return sum(1 for line in file if line.strip()), 0, 0


def _pdf(path: Path, work: Path) -> tuple[int, int, int]:
    with pdf.opened(path) as document:
        pages = pdfium_c.FPDF_GetPageCount(document)
        images = 0
        for number in range(pages):
            if page := pdfium_c.FPDF_LoadPage(document, number):
                images += _images_among(
                    page, pdfium_c.FPDFPage_CountObjects, pdfium_c.FPDFPage_GetObject, pdf.MAX_DEPTH
                )
                pdfium_c.FPDF_ClosePage(page)
        stated = document.get_metadata_dict()
        properties = sum(bool(cleaned(stated[key])) for key in pdf.PROPERTIES)
        return pages, properties + bool(document.get_identifier()), images


def _images_among(
    holder: object, counted: Callable[..., int], taken: Callable[..., object], depth: int
) -> int:
    images = 0
    for number in range(counted(holder)):
        found = taken(holder, number)
        kind = pdfium_c.FPDFPageObj_GetType(found)
        images += kind == pdfium_c.FPDF_PAGEOBJ_IMAGE
        if kind == pdfium_c.FPDF_PAGEOBJ_FORM and depth > 1:
            images += _images_among(
                found, pdfium_c.FPDFFormObj_CountObjects, pdfium_c.FPDFFormObj_GetObject, depth - 1
            )
    return images


def _xlsx(path: Path, work: Path) -> tuple[int, int, int]:
    rows = images = 0
    with zipfile.ZipFile(packages.checked_copy(path, work, packages.DOCUMENT)) as archive:
        strings = counting_sheets.shared_strings(archive)
        parts = workbook_parts.sheet_parts(archive)
        worksheets = {
            one.member
            for one in office.related(archive, workbook_text.BOOK).values()
            if one.kind == "worksheet"
        }
        for part in worksheets & set(parts.values()):
            rows += counting_sheets.filled_rows(archive, part, strings)
        for _, member in workbook_text.drawings(archive, parts):
            relations = office.related(archive, member)
            elements = _elements(archive, member)
            images += sum(
                packages.local(name) == "blip" and office.picture_id(attributes) in relations
                for name, attributes, _ in elements
            )
        return rows, _properties(archive), images


def _docx(path: Path, work: Path) -> tuple[int, int, int]:
    paragraphs = images = 0
    with zipfile.ZipFile(packages.checked_copy(path, work, packages.DOCUMENT)) as archive:
        for member, _ in word.stories(archive):
            found = _in_story(archive, member)
            paragraphs, images = paragraphs + found[0], images + found[1]
        ids = sum(bool(cleaned(value)) for value in word.document_ids(archive))
        return paragraphs, _properties(archive) + ids, images


def _in_story(archive: zipfile.ZipFile, member: str) -> tuple[int, int]:
    """Count the paragraphs with text and the pictures of one part of a docx."""
    relations = office.related(archive, member)
    tags = {f"{space}}}{name}": meaning for (space, name), meaning in word.MEANING.items()}
    inside: list[str] = []  # what the open elements mean
    filled: list[bool] = []  # the open paragraphs
    found = [0, 0]

    def start(name: str, attributes: dict[str, str]) -> None:
        meaning = tags.get(name, "")
        inside.append(meaning)
        if "hidden" in inside:
            return
        if meaning == "p":
            filled.append(False)
        elif meaning == "noBreakHyphen" and filled:
            filled[-1] = True
        elif meaning == "picture":
            found[1] += office.picture_id(attributes) in relations

    def text(characters: str) -> None:
        if inside[-1] == "t" and filled and "hidden" not in inside and characters.strip():
            filled[-1] = True

    def end(name: str) -> None:
        if inside.pop() == "p" and "hidden" not in inside:
            found[0] += filled.pop()

    _parse(archive, member, start, text, end)
    return found[0], found[1]


def _properties(archive: zipfile.ZipFile) -> int:
    """Count the properties that say anything."""
    properties = 0
    for relation in office.related(archive, "").values():
        if relation.kind in office.PROPERTY_PARTS:
            elements = _elements(archive, relation.member)
            properties += sum(
                packages.local(name) in office.PROPERTIES and bool(cleaned(text))
                for name, _, text in elements
            )
        elif relation.kind == office.CUSTOM_PART:
            elements = _elements(archive, relation.member)
            properties += sum(
                named.get("name") == office.INSTALLATION and bool(cleaned(text))
                for (_, named, _), (_, _, text) in pairwise(elements)
            )
    return properties


def _elements(archive: zipfile.ZipFile, member: str) -> list[tuple[str, dict[str, str], str]]:
    """Return name, attributes and own text of every element."""
    found: list[tuple[str, dict[str, str], list[str]]] = []
    inside: list[int] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        inside.append(len(found))
        found.append((name, attributes, []))

    def text(characters: str) -> None:
        found[inside[-1]][2].append(characters)

    def end(name: str) -> None:
        inside.pop()

    _parse(archive, member, start, text, end)
    return [(name, attributes, "".join(texts)) for name, attributes, texts in found]


def _parse(
    archive: zipfile.ZipFile,
    member: str,
    start: _Start,
    text: Callable[[str], None],
    end: Callable[[str], None],
) -> None:
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    parser.buffer_text = True
    try:
        parser.Parse(archive.read(member), True)
    except (expat.ExpatError, KeyError) as error:
        raise packages.broken(member, error) from None
