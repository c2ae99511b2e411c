"""The file formats of the deliveries: CSV, exchange XML, exchange JSON lines, opening sheets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

import xlsxwriter

from pipelines.sample.county import BUYERS, LOCAL, Lot, Row
from pipelines.sample.records import PLATFORM, Records

_NUMBERS = {
    "TENDER_PROJECT": "501",
    "SECTION": "502",
    "TENDER_FILE_CLARI_MODI": "504",
    "TENDER_LIST": "507",
    "ZJ_TENDER_LIST": "507",
    "BID_EVALUATION_EXPERT": "508",
    "TENDER_CANDIDATE": "510",
    "CONTRACT_PERFORMANCE": "512",
    "WIN_RESULT_ANNO": "513",
    "BID_DOC_CHARACT_CODE": "519",
}


def table(rows: list[Row]) -> str:
    """Return rows as CSV; columns in the order in which they first appear."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _exchange(records: Records) -> Iterable[tuple[Row, Row]]:
    """Yield TITLE and CONTEXT of every record."""
    for number, (tag, row) in enumerate(records, 1):
        title = {
            "DATA_KEY": f"YL01{_NUMBERS.get(tag, '000')}{number:015d}",
            "DATA_EN": tag,
            "DATA_NO": _NUMBERS.get(tag, "000"),
            "DATA_TYPE": row.get("TITLE/DATA_TYPE", "1"),
        }
        yield title, {k: v for k, v in row.items() if k != "TITLE/DATA_TYPE"} | {"PLATFORM_CODE": PLATFORM}


def as_lines(records: Records) -> bytes:
    """Return exchange records as JSON lines."""
    made = [{"TITLE": title, "CONTEXT": context} for title, context in _exchange(records)]
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in made).encode()


def as_xml(records: Records) -> bytes:
    """Return exchange records as one XML file with many DES."""

    def element(name: str, row: Row) -> str:
        return f"<{name}>" + "".join(f"<{k}>{escape(v)}</{k}>" for k, v in row.items()) + f"</{name}>"

    made = [f"<DES>{element('TITLE', t)}{element('CONTEXT', c)}</DES>\n" for t, c in _exchange(records)]
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<RECORDS>\n' + "".join(made) + "</RECORDS>\n").encode()


def sheet(lot: Lot, *, in_ten_thousand: bool) -> bytes:
    """Return a bid-opening sheet as people keep it: title, head block, table, notes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": datetime(2026, 6, 30, tzinfo=LOCAL)})
    page = book.add_worksheet("开标记录")
    title = book.add_format({"bold": True, "align": "center"})
    page.merge_range(0, 0, 0, 6, "开标记录表（样例）", title)
    head = [
        ("项目名称", f"样例{lot.trade}工程第{lot.number:03d}号"),
        ("标段编号", lot.lot_id),
        ("招标人", BUYERS[lot.number % len(BUYERS)]),
        ("开标时间", f"{lot.opening:%Y-%m-%d %H:%M}"),
        ("评标办法", lot.method),
        ("最高投标限价（元）", f"{lot.ceiling:,.2f}"),
    ]
    for place, (label, value) in enumerate(head, 1):
        page.write_string(place, 0, label + "：")
        page.write_string(place, 1, value)
    unit, factor = ("万元", 10000) if in_ten_thousand else ("元", 1)
    columns = (
        "序号",
        "投标人名称",
        f"投标报价（{unit}）",
        "工期（日历天）",
        "项目负责人",
        "保证金形式",
        "递交时间",
    )
    page.write_row(len(head) + 1, 0, columns)
    for order, bid in enumerate(lot.bids, 1):
        sent = lot.opening - timedelta(hours=order)
        page.write_number(len(head) + 1 + order, 0, order)
        cells = (
            bid.firm.name,
            f"{bid.price / factor:,.{6 if in_ten_thousand else 2}f}",
            "150日历天",
            bid.manager.name,
            bid.form,
            f"{sent:%Y-%m-%d %H:%M:%S}",
        )
        for column, cell in enumerate(cells, 1):
            page.write_string(len(head) + 1 + order, column, cell)
    page.write_string(len(head) + len(lot.bids) + 3, 0, "备注：本表为样例数据，单位、个人均为虚构。")
    book.close()
    return buffer.getvalue()
