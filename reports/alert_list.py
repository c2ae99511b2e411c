"""The alert list 围标串标预警清单: its columns, and the list as CSV and as exact records.

The same rows have three forms: `csv_bytes` for programs, `alert_workbook.xlsx_bytes` for a person with WPS or Excel, and
`jsonl_bytes`, the exact text, for evidence. Equal rows give equal bytes, whatever their order.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from operator import index
from typing import Literal
from zoneinfo import ZoneInfo

from reports.canonical_json import canonical_json
from reports.cells import cell

#: Names the layout of a delivery. It changes with the columns, the file names and their meaning.
FORMAT_VERSION = "1"

STATEMENT_ZH = "本线索由数据分析产生，仅供核查参考，不作为认定违法事实的依据。"

#: Colour of an alert, by the grade of its evidence. Price detectors are graded B or C: a price alone is never red.
LEVEL_BY_GRADE: Mapping[str, str] = {"A": "红", "B": "黄", "C": "蓝"}

#: What a reviewer may write under 核查状态.
STATES_ZH = ("待核查", "核查中", "已核查")

#: What a reviewer may write under 核查结论, by the label it becomes when it is read back.
CONCLUSIONS_ZH: Mapping[str, str] = {
    "confirmed": "属实",
    "valuable_not_proven": "有价值未查实",
    "lawful_explained": "有合法解释",
    "data_error": "数据有误",
    "wrong_match": "主体匹配有误",
    "duplicate": "重复线索",
}

LOCAL = ZoneInfo("Asia/Shanghai")
SEPARATOR = ";"  # between names and between codes, as in the national exchange format

CellKind = Literal["text", "code", "money", "count", "time", "date", "score"]


@dataclass(frozen=True)
class ListColumn:
    """One column of the list. ``key`` is the field of `Alert`; ``width`` counts characters."""

    key: str
    header_zh: str
    kind: CellKind
    width: int


COLUMNS: tuple[ListColumn, ...] = (
    ListColumn("alert_id", "预警编号", "code", 22),
    ListColumn("level", "预警等级(红/黄/蓝)", "text", 10),
    ListColumn("family", "预警类型", "text", 14),
    ListColumn("detector", "规则编码", "code", 24),
    ListColumn("finding_zh", "疑似情形", "text", 28),
    ListColumn("legal_zh", "法律依据(条款)", "text", 34),
    ListColumn("project_type", "项目类型", "code", 10),
    ListColumn("tender_id", "招标项目编号", "code", 24),
    ListColumn("tender_name", "招标项目名称", "text", 36),
    ListColumn("lot_id", "标段编号", "code", 26),
    ListColumn("lot_name", "标段名称", "text", 36),
    ListColumn("deal_code", "统一交易标识码", "code", 44),
    ListColumn("buyer_name", "招标人", "text", 28),
    ListColumn("buyer_code", "招标人代码", "code", 22),
    ListColumn("agency_name", "代理机构", "text", 28),
    ListColumn("agency_code", "代理机构代码", "code", 22),
    ListColumn("opened_at", "开标时间", "time", 20),
    ListColumn("bidders", "投标人数", "count", 9),
    ListColumn("ceiling_price_cny", "最高限价(元)", "money", 18),
    ListColumn("winner_name", "中标人", "text", 30),
    ListColumn("award_price_cny", "中标金额(元)", "money", 18),
    ListColumn("party_names", "涉及主体(名称)", "text", 40),
    ListColumn("party_codes", "涉及主体统一社会信用代码", "code", 24),
    ListColumn("key_facts_zh", "关键事实", "text", 60),
    ListColumn("grade", "证据强度(A/B/C)", "text", 10),
    ListColumn("score", "风险分值", "score", 10),
    ListColumn("source_zh", "数据来源", "text", 24),
    ListColumn("source_at", "数据时间戳", "time", 20),
    ListColumn("alerted_at", "预警时间", "time", 20),
    ListColumn("supervisor_name", "主管部门", "text", 24),
    ListColumn("supervisor_code", "监督部门代码", "code", 22),
    ListColumn("suggestion_zh", "建议处置", "text", 30),
    ListColumn("due_on", "处置时限", "date", 12),
    ListColumn("state_zh", "核查状态", "text", 12),
    ListColumn("conclusion_zh", "核查结论", "text", 16),
    ListColumn("reviewer", "核查人", "text", 12),
    ListColumn("feedback_at", "反馈时间", "time", 20),
    ListColumn("note", "备注", "text", 30),
)

#: Columns the recipient fills in.
FEEDBACK = frozenset({"state_zh", "conclusion_zh", "reviewer", "feedback_at", "note"})


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One row of the list. Firms stand in clear, persons as tokens or masks.

    Times are UTC; one without a zone counts as UTC, as in ``core``. A bare date says that the hour is not known. Money is
    in yuan. ``party_names`` and ``party_codes`` run in parallel; a party without a code has an empty one. None: not
    delivered.
    """

    alert_id: str
    level: str
    family: str
    detector: str
    finding_zh: str
    legal_zh: str
    project_type: str | None
    tender_id: str | None
    tender_name: str | None
    lot_id: str | None
    lot_name: str | None
    deal_code: str | None
    buyer_name: str | None
    buyer_code: str | None
    agency_name: str | None
    agency_code: str | None
    opened_at: datetime | date | None
    bidders: int | None
    ceiling_price_cny: Decimal | None
    winner_name: str | None
    award_price_cny: Decimal | None
    party_names: tuple[str, ...]
    party_codes: tuple[str, ...]
    key_facts_zh: str
    grade: str
    score: float | None
    source_zh: str
    source_at: datetime | date | None
    alerted_at: datetime | date
    supervisor_name: str | None
    supervisor_code: str | None
    suggestion_zh: str
    due_on: date | None
    state_zh: str = ""
    conclusion_zh: str = ""
    reviewer: str = ""
    feedback_at: datetime | date | None = None
    note: str = ""


def ordered(alerts: Iterable[Alert]) -> list[Alert]:
    """Return the alerts by grade and falling strength, then by lot, detector and alert id: the order of every list.

    Raises:
        ValueError: an alert id stands there twice.
    """
    rows = sorted(alerts, key=by_strength)
    _refuse_doubles([alert.alert_id for alert in rows])
    return rows


def by_strength(alert: Alert) -> tuple[str, float, str, str, str]:
    """Return what lists are sorted by; an alert without a strength comes last in its grade."""
    strength = float("inf") if alert.score is None else -alert.score
    return alert.grade, strength, alert.lot_id or "", alert.detector, alert.alert_id


def csv_bytes(alerts: Iterable[Alert]) -> bytes:
    """Return the list as CSV: UTF-8 with byte order mark, CRLF, every field quoted.

    Raises:
        ValueError: an alert id stands there twice, or a value does not fit its column.
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([column.header_zh for column in COLUMNS])
    writer.writerows([_text(alert, column) for column in COLUMNS] for alert in ordered(alerts))
    return out.getvalue().encode("utf-8-sig")


def jsonl_bytes(records: Iterable[Mapping[str, object]]) -> bytes:
    """Return one canonical JSON object a line, in the order of the list: the exact text.

    Args:
        records: each with ``alert_id``, ``lot_id`` (or None), ``detector``, and what else belongs to the evidence.

    Raises:
        ValueError: an alert id stands there twice, or a number is not finite.
    """
    rows = sorted(records, key=lambda row: (row["lot_id"] or "", row["detector"], row["alert_id"]))
    _refuse_doubles([str(row["alert_id"]) for row in rows])
    return b"".join(canonical_json(row).encode() + b"\n" for row in rows)


def _text(alert: Alert, column: ListColumn) -> str:
    """Return one value as CSV text; numbers in full, times local."""
    value = cell_value(alert, column)
    match value:
        case None:
            return ""
        case str():
            return cell(value)
        case Decimal():
            # At least two decimals, and never fewer than were delivered.
            decimals = max(2, -int(value.normalize().as_tuple().exponent))
            return f"{value:.{decimals}f}"
        case float():
            return f"{value:.4f}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case date():
            return value.isoformat()
        case _:
            return str(value)


def cell_value(alert: Alert, column: ListColumn) -> str | int | float | Decimal | datetime | date | None:
    """Return the value of a column as its kind wants it, times local and without a zone."""
    value = getattr(alert, column.key)
    if isinstance(value, tuple):
        value = SEPARATOR.join(value)
    if value is None:
        return None
    match column.kind, value:
        case (("text" | "code"), str()):
            return value
        case "money", Decimal() if value.is_finite():
            return value
        case "count", _ if hasattr(value, "__index__"):
            return index(value)
        case "score", float() if abs(value) < float("inf"):
            return float(value)
        case "time", datetime():
            return (
                (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(LOCAL).replace(tzinfo=None)
            )
        case (("time" | "date"), date()) if not isinstance(value, datetime):
            return value
    raise ValueError(
        f"alert {alert.alert_id}: {column.key} ({column.header_zh}) cannot hold {value!r};"
        f" give a value of kind {column.kind!r} or None"
    )


def _refuse_doubles(alert_ids: Sequence[str]) -> None:
    if len(set(alert_ids)) < len(alert_ids):
        double = next(id for place, id in enumerate(alert_ids) if id in alert_ids[:place])
        raise ValueError(f"alert {double} stands twice in one list; an alert is delivered once")
