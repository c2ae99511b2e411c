"""The alert list as a workbook: what a person opens in WPS or Excel, fills in and sends back.

Every code is text, because a spreadsheet turns an all-digit 18-place code into a rounded number.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import xlsxwriter

from reports.alert_list import (
    COLUMNS,
    CONCLUSIONS_ZH,
    FEEDBACK,
    STATEMENT_ZH,
    STATES_ZH,
    Alert,
    CellKind,
    cell_value,
    ordered,
)
from reports.cells import cell
from reports.workbook_style import CELL, CREATED, LAST_ROW

#: Name in sheet 说明 of the delivery that the list belongs to; read again when the list comes back.
DELIVERY_ZH = "送达编号"

#: A cell holds 32,767 UTF-16 units; a character takes at most two.
_LONGEST = 16_000
_CUT_ZH = "…（过长已截断，全文见 alerts.jsonl）"
_FIRST_YEAR = 1900  # of a spreadsheet's calendar; earlier times are written as text

_NUMBER_FORMATS: Mapping[CellKind, str] = {
    "text": "@",
    "code": "@",
    "money": "#,##0.00",
    "count": "0",
    "time": "yyyy-mm-dd hh:mm:ss",
    "date": "yyyy-mm-dd",
    "score": "0.0000",
}
_LEVEL_COLOURS: Mapping[str, str] = {"红": "#F8CBAD", "黄": "#FFE699", "蓝": "#BDD7EE"}
_FEEDBACK_COLOUR = "#FFF9DB"


def xlsx_bytes(alerts: Iterable[Alert], delivery: str = "") -> bytes:
    """Return the list as a workbook: sheet 预警清单 with the rows, sheet 说明 on how to use it.

    Args:
        alerts: the rows.
        delivery: id of the delivery, to stand in 说明; none for a list that is not sent.

    Raises:
        ValueError: an alert id stands there twice, or a value does not fit its column.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.set_properties({"title": "围标串标预警清单", "comments": STATEMENT_ZH, "created": CREATED})
        _write_list(book, ordered(alerts))
        _write_guide(book, delivery)
    return out.getvalue()


def _write_list(book: Any, alerts: Sequence[Alert]) -> None:
    if len(alerts) > LAST_ROW:
        raise ValueError(f"{len(alerts)} alerts do not fit one sheet of {LAST_ROW} rows; split the delivery")
    sheet = book.add_worksheet("预警清单")
    head = {**CELL, "bold": True, "text_wrap": True, "valign": "vcenter", "align": "center"}
    given, to_fill = (book.add_format({**head, "bg_color": colour}) for colour in ("#D9E1F2", "#FFD966"))
    levels = {
        level: book.add_format({**CELL, "align": "center", "bold": True, "bg_color": colour})
        for level, colour in _LEVEL_COLOURS.items()
    }
    for place, column in enumerate(COLUMNS):
        is_feedback = column.key in FEEDBACK
        wraps = column.kind in ("text", "code")
        body = {**CELL, "num_format": _NUMBER_FORMATS[column.kind], "text_wrap": wraps}
        style = book.add_format({**body, "bg_color": _FEEDBACK_COLOUR} if is_feedback else body)
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, column.header_zh, to_fill if is_feedback else given)
        for row, alert in enumerate(alerts, start=1):
            look = levels.get(alert.level, style) if column.key == "level" else style
            _write(sheet, row, place, cell_value(alert, column), look)
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(alerts), len(COLUMNS) - 1)
    sheet.set_landscape()
    sheet.set_paper(8)  # A3
    sheet.repeat_rows(0)
    sheet.set_footer(f"&L{STATEMENT_ZH}&R&P / &N")
    if alerts:
        _offer(sheet, len(alerts), "state_zh", STATES_ZH)
        _offer(sheet, len(alerts), "conclusion_zh", list(CONCLUSIONS_ZH.values()))


def _write(sheet: Any, row: int, place: int, value: object, style: Any) -> None:
    match value:
        case None | "":
            sheet.write_blank(row, place, None, style)
        case str():
            whole = cell(value)
            text = whole if len(whole) <= _LONGEST else whole[:_LONGEST] + _CUT_ZH
            sheet.write_string(row, place, text, style)
        case date() if value.year < _FIRST_YEAR:
            sheet.write_string(row, place, str(value), style)
        case date():
            sheet.write_datetime(row, place, value, style)
        case Decimal() | float() | int():
            sheet.write_number(row, place, float(value), style)


def _offer(sheet: Any, rows: int, key: str, choices: Sequence[str]) -> None:
    """Give the cells of a feedback column a list to choose from."""
    place = next(place for place, column in enumerate(COLUMNS) if column.key == key)
    sheet.data_validation(
        1,
        place,
        rows,
        place,
        {
            "validate": "list",
            "source": list(choices),
            "error_title": COLUMNS[place].header_zh,
            "error_message": "请从下拉列表中选择；补充说明请写入“备注”。",
        },
    )


def _write_guide(book: Any, delivery: str) -> None:
    sheet = book.add_worksheet("说明")
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 96)
    bold = book.add_format({**CELL, "bold": True, "num_format": "@"})
    body = book.add_format({**CELL, "text_wrap": True, "num_format": "@"})
    sent = ((DELIVERY_ZH, delivery),) if delivery else ()
    for row, (name, text) in enumerate((*sent, *_GUIDE)):
        sheet.write_string(row, 0, name, bold)
        sheet.write_string(row, 1, text, body)


_GUIDE = (
    ("性质", STATEMENT_ZH),
    ("预警等级", "红、黄、蓝依次对应证据强度 A、B、C；等级只表示核查的先后，不表示结论。"),
    ("证据强度", "A：与法规列明的情形相符的疑似线索，可以反证；B：较强的异常指标；C：统计排序与佐证。"),
    (
        "核查前请看",
        "请先排除合理解释，如同一打印点、同一造价软件或模板、现场上传等；测得的数字见“关键事实”。",
    ),
    ("核查状态", "请填写（下拉选择）：" + "、".join(STATES_ZH) + "。"),
    ("核查结论", "请填写（下拉选择）：" + "、".join(CONCLUSIONS_ZH.values()) + "。"),
    ("核查人", "请填写：经办人姓名。"),
    ("反馈时间", "请填写：如 2026-11-22 09:30:00，北京时间。"),
    ("备注", "可填写：依据、文号、合理解释等。"),
    ("请勿改动", "除以上黄色五列外请勿改动内容或删除行；预警编号用于对应反馈。"),
    ("反馈", "填写后请将本文件（xlsx 或 CSV）发回；未填写的行不作为反馈，可分次发回。"),
    (
        "字首的单引号",
        "以 = + - @ 等开头的文字前加了单引号，以免被表格软件当作公式；原文见同一文件夹的 alerts.jsonl。",
    ),
    ("校验", "MANIFEST.json、SHA256SUMS、SM3SUMS 载有各文件的校验值。"),
)
