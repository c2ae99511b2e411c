"""An official paper (公文) as .docx: number, title, whom it goes to, headed sections, tables, signature, copies.

Fonts are named and not embedded. The paper itself names the font that replaces 方正小标宋 or 仿宋_GB2312 where an office does
not have them. Equal contents give equal bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm, Pt
from lxml import etree

from reports.cells import terminal

#: Fonts of the paper, and what replaces them.
TITLE, BODY, HEAD = "方正小标宋简体", "仿宋_GB2312", "黑体"
_INSTEAD = {TITLE: "宋体", BODY: "仿宋", HEAD: "SimHei"}
_LATIN = "Times New Roman"

#: A fixed time, so that equal contents give equal bytes.
_CREATED = datetime(2000, 1, 1, tzinfo=UTC)
_ZIPPED = (2000, 1, 1, 0, 0, 0)

_TITLE_PT, _BODY_PT, _TABLE_PT, _LINE_PT, _ROW_PT = 22, 16, 9, 28, 13


def date_zh(on: date) -> str:
    """Return a day as a paper carries it: ``2026年11月2日``."""
    return f"{on.year}年{on.month}月{on.day}日"


class Paper:
    """One paper, written from top to bottom. Every text passes through `cells.terminal`."""

    def __init__(self, title: str) -> None:
        self._document = Document()
        facts = self._document.core_properties
        facts.title, facts.author, facts.last_modified_by, facts.comments = title, "", "", ""
        facts.created = facts.modified = facts.last_printed = _CREATED.replace(tzinfo=None)
        page = self._document.sections[0]
        page.page_width, page.page_height = Cm(21), Cm(29.7)
        page.top_margin, page.bottom_margin = Cm(3.0), Cm(2.5)
        page.left_margin, page.right_margin = Cm(2.7), Cm(2.5)
        self._name_stand_ins()

    def number(self, text: str) -> None:
        """Write the number of the paper (发文字号), centred."""
        self._line(text, BODY, _BODY_PT, WD_ALIGN_PARAGRAPH.CENTER)

    def heading(self, *lines: str) -> None:
        """Write the title, a line each."""
        for line in lines:
            self._line(line, TITLE, _TITLE_PT, WD_ALIGN_PARAGRAPH.CENTER, after_pt=6)

    def addressee(self, name: str) -> None:
        """Write whom it goes to (主送)."""
        self._line(f"{name}：", BODY, _BODY_PT)

    def section(self, text: str) -> None:
        """Write the head of a section: 一、…"""
        self._line(text, HEAD, _BODY_PT, indents=True)

    def say(self, text: str) -> None:
        """Write a paragraph."""
        self._line(text, BODY, _BODY_PT, WD_ALIGN_PARAGRAPH.JUSTIFY, indents=True)

    def note(self, text: str) -> None:
        """Write a paragraph in small type, as under a table."""
        self._line(text, BODY, 10.5, line_pt=16)

    def fill_in(self, label: str, lines: int = 1) -> None:
        """Write a label and ruled lines for people to write on."""
        self._line(f"{label}：{'＿' * 22}", BODY, _BODY_PT)
        for _ in range(lines - 1):
            self._line("＿" * 26, BODY, _BODY_PT)

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], widths_cm: Sequence[float]
    ) -> None:
        """Write a table in small type; its head is repeated on every page."""
        made = self._document.add_table(rows=0, cols=len(headings))
        made.style = "Table Grid"
        made.alignment = WD_TABLE_ALIGNMENT.CENTER
        made.autofit = False
        for place, values in enumerate((headings, *rows)):
            if len(values) != len(headings):
                raise ValueError(f"row {place} has {len(values)} values, the table {len(headings)} columns")
            row = made.add_row()
            for cell, value, width in zip(row.cells, values, widths_cm, strict=True):
                cell.width = Cm(width)
                paragraph = cell.paragraphs[0]
                self._set(paragraph, HEAD if place == 0 else BODY, _TABLE_PT, value, _ROW_PT)
            properties = row._tr.get_or_add_trPr()
            properties.append(OxmlElement("w:cantSplit"))
            if place == 0:
                properties.append(OxmlElement("w:tblHeader"))
        self._line("", BODY, 6, line_pt=8)

    def appendices(self, names: Sequence[str]) -> None:
        """Write the list of what is attached (附件)."""
        for place, name in enumerate(names, start=1):
            lead = "附件：" if place == 1 else "　　　"
            self._line(
                f"{lead}{place}. {name}" if len(names) > 1 else f"{lead}{name}", BODY, _BODY_PT, indents=True
            )

    def signature(self, office: str, on: date | None) -> None:
        """Write who signs and the day (落款); the day stays open where none is given."""
        self._line("", BODY, _BODY_PT)
        self._line(f"{office}　　", BODY, _BODY_PT, WD_ALIGN_PARAGRAPH.RIGHT)
        day = date_zh(on) if on else "　　年　　月　　日"
        self._line(f"{day}　　", BODY, _BODY_PT, WD_ALIGN_PARAGRAPH.RIGHT)

    def copies(self, offices: Sequence[str]) -> None:
        """Write who gets a copy (抄送), nothing where nobody does."""
        if offices:
            self._line(f"抄送：{'，'.join(offices)}。", BODY, 14)

    def new_page(self) -> None:
        """Begin a new page."""
        self._document.add_page_break()  # type: ignore[no-untyped-call]

    def content(self) -> bytes:
        """Return the paper; equal papers are equal bytes."""
        out = io.BytesIO()
        self._document.save(out)
        return _timeless(out.getvalue())

    def _line(
        self,
        text: str,
        face: str,
        size_pt: float,
        align: WD_ALIGN_PARAGRAPH | None = None,
        *,
        indents: bool = False,
        line_pt: float = _LINE_PT,
        after_pt: float = 0,
    ) -> None:
        paragraph = self._document.add_paragraph()
        if align is not None:
            paragraph.alignment = align
        if indents:
            paragraph.paragraph_format.first_line_indent = Pt(2 * size_pt)
        self._set(paragraph, face, size_pt, text, max(line_pt, size_pt * 1.3))
        paragraph.paragraph_format.space_after = Pt(after_pt)

    def _set(self, paragraph: Any, face: str, size_pt: float, text: str, line_pt: float) -> None:
        run = paragraph.add_run(terminal(text))
        run.font.size = Pt(size_pt)
        run.font.name = _LATIN
        run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), face)
        layout = paragraph.paragraph_format
        layout.space_before = layout.space_after = Pt(0)
        layout.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        layout.line_spacing = Pt(line_pt)

    def _name_stand_ins(self) -> None:
        """Name in the paper the font that replaces one that is not installed."""
        part = next(
            part
            for part in self._document.part.package.iter_parts()
            if part.partname == "/word/fontTable.xml"
        )
        fonts = parse_xml(part.blob)
        for face, instead in _INSTEAD.items():
            fonts.append(
                parse_xml(
                    f'<w:font {nsdecls("w")} w:name="{face}"><w:altName w:val="{instead}"/>'
                    '<w:charset w:val="86"/><w:family w:val="auto"/></w:font>'
                )
            )
        part._blob = _xml(fonts)


def _xml(element: Any) -> bytes:
    text: bytes = etree.tostring(element, xml_declaration=True, encoding="UTF-8", standalone=True)
    return text


def _timeless(content: bytes) -> bytes:
    """Return a zip archive with fixed times, its members in the order of their names but the types first."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as read,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in sorted(read.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            member = zipfile.ZipInfo(name, _ZIPPED)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 3
            member.external_attr = 0o600 << 16
            written.writestr(member, read.read(name))
    return out.getvalue()
