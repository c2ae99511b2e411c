"""Figures for the joint meeting and for the county government, as an official paper and as CSV.

Only counts: no firm and no person is named. A note under every table says what its figures count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from reports import office_sheet
from reports.official_paper import Paper, date_zh

NOTE_ZH = "本材料由系统按台账自动统计，只列数量，不列企业和个人名称。预警、线索是数据分析产生的核查建议，不表示存在违法行为。"
_ORDER_ZH = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二")
_PAGE_CM = 15.8


@dataclass(frozen=True)
class FigureTable:
    """Figures with their definition. The first column names the row; ``note_zh``: what is counted, and when."""

    title_zh: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | int]]
    note_zh: str


@dataclass(frozen=True, kw_only=True)
class ReportCover:
    """What a report says besides its figures.

    Attributes:
        title_zh: of the paper.
        addressee_zh: whom it goes to; empty for a paper that is laid before a meeting.
        office_zh: who signs.
        first, last: the period.
        until: the last day that is counted, before ``last`` where the period has not ended.
    """

    title_zh: str
    addressee_zh: str
    office_zh: str
    first: date
    last: date
    until: date


def docx_bytes(cover: ReportCover, tables: Sequence[FigureTable]) -> bytes:
    """Return the figures as a paper; equal figures are equal bytes."""
    paper = Paper(cover.title_zh)
    paper.heading(cover.title_zh)
    if cover.addressee_zh:
        paper.addressee(cover.addressee_zh)
    paper.say(f"统计期间：{date_zh(cover.first)}至{date_zh(cover.last)}。{_until(cover)}{NOTE_ZH}")
    for place, table in enumerate(tables):
        paper.section(f"{_ORDER_ZH[place]}、{table.title_zh}")
        first = 4.2 if len(table.headings) > 2 else 10.0
        width = (_PAGE_CM - first) / (len(table.headings) - 1)
        rows = [[str(value) for value in row] for row in table.rows]
        empty = ["无", *[""] * (len(table.headings) - 1)]
        paper.table(table.headings, rows or [empty], (first, *[width] * (len(table.headings) - 1)))
        paper.note(f"口径：{table.note_zh}")
    paper.section(f"{_ORDER_ZH[len(tables)]}、情况说明（由牵头部门填写）")
    paper.fill_in("主要问题和下一步工作", 4)
    paper.signature(cover.office_zh, None)
    return paper.content()


def csv_bytes(cover: ReportCover, tables: Sequence[FigureTable]) -> bytes:
    """Return every figure as a row of CSV: table, row, column, value, definition."""
    rows = [
        (table.title_zh, str(row[0]), heading, str(value), table.note_zh)
        for table in tables
        for row in table.rows
        for heading, value in zip(table.headings[1:], row[1:], strict=True)
    ]
    return office_sheet.csv_bytes(
        office_sheet.Sheet(cover.title_zh, ("表", "项目", "指标", "数值", "口径"), rows)
    )


def _until(cover: ReportCover) -> str:
    return f"期间尚未结束，统计截至{date_zh(cover.until)}。" if cover.until < cover.last else ""
