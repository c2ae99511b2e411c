"""How complaints are shown: the ledger's columns (投诉台账), the short table, JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from pipelines.casework.clocks import due_dates
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.clocks.due_dates import STAGES_ZH, Stage
from pipelines.casework.clocks.periods import GROUNDS_ZH
from pipelines.casework.complaints.ledger import LedgerRow
from pipelines.casework.complaints.states import (
    CHANNELS_ZH,
    CONCLUSIONS_ZH,
    ITEMS_EN,
    ITEMS_ZH,
    REGIMES_ZH,
    RESPONDENTS_ZH,
    STATE_CODES,
    STATES_ZH,
)
from pipelines.commands.deadlines import due_cell, remaining
from pipelines.commands.options import Lang
from pipelines.times import LOCAL

LEDGER_ZH = (
    "投诉编号",
    "收到时间",
    "类型",
    "投诉人代号",
    "被投诉人",
    "被投诉人类型",
    "招标项目编号",
    "项目名称",
    "标段编号",
    "投诉事项",
    "是否先行异议",
    "签收时间",
    "受理截止",
    "受理时间",
    "受理结论",
    "处理截止",
    "扣除期间",
    "剩余工作日",
    "预警状态",
    "状态",
    "处理结论",
    "决定书文号",
    "决定时间",
    "送达时间",
    "公开时间",
    "承办人",
    "承办单位",
    "关联案件",
)


def table_row(entry: LedgerRow, lang: Lang) -> tuple[object, ...]:
    """Return one row of the short table: number, day, item, state, end, days left, warning, officer."""
    is_zh, clock = lang is Lang.ZH, entry.clock
    state = STATES_ZH[entry.state] if is_zh else str(entry.state)
    if entry.is_deemed_accepted:
        state += " 视为受理" if is_zh else ", deemed accepted"
    stage = entry.warning
    return (
        entry.id,
        local(entry.received_at)[:10],
        ITEMS_ZH[entry.item] if is_zh else ITEMS_EN[entry.item],
        state,
        due_cell(clock, lang) if clock else "",
        remaining(clock, lang) if clock else "",
        "" if stage is None else STAGES_ZH[stage] if is_zh else stage,
        entry.handler,
    )


def ledger_row(entry: LedgerRow) -> tuple[object, ...]:
    """Return one row of the ledger, in the order of `LEDGER_ZH`."""
    clock = entry.clock
    return (
        entry.id,
        local(entry.received_at),
        CHANNELS_ZH[entry.channel],
        entry.complainant,
        entry.respondent,
        RESPONDENTS_ZH[entry.respondent_type],
        entry.tender_id,
        entry.project,
        entry.lot_id,
        ITEMS_ZH[entry.item],
        "是" if entry.has_objected else "否",
        local(entry.signed_at),
        due_cell(entry.acceptance, Lang.ZH),
        local(entry.accepted_at),
        _acceptance(entry),
        due_cell(entry.decision, Lang.ZH),
        "；".join(f"{ground} {first}至{last or '今'}" for ground, first, last in entry.suspensions),
        remaining(clock, Lang.ZH) if clock else "",
        _alert(entry),
        STATES_ZH[entry.state],
        CONCLUSIONS_ZH[entry.conclusion] if entry.conclusion else "",
        entry.document,
        local(entry.decided_at),
        local(entry.served_at),
        local(entry.published_at),
        entry.handler,
        entry.office,
        "；".join(entry.cases),
    )


def said(details: Mapping[str, str]) -> str:
    """Return what was said with a step, in Chinese: the document, the conclusion, the ground."""
    known = {"conclusion": {str(code): zh for code, zh in CONCLUSIONS_ZH.items()}, "ground": GROUNDS_ZH}
    return "；".join(known.get(name, {}).get(value, value) for name, value in details.items())


def _acceptance(entry: LedgerRow) -> str:
    if entry.accepted_at:
        return "受理"
    if entry.refused_at:
        return "不予受理"
    return "视为受理" if entry.is_deemed_accepted else ""


def _alert(entry: LedgerRow) -> str:
    """Return the ledger's own three words: 正常, 临期, 超期; empty when nothing runs."""
    match entry.warning:
        case None:
            return ""
        case Stage.OVERDUE:
            return "超期"
        case Stage.ONE_DAY | Stage.THREE_DAYS:
            return "临期"
        case _:
            return "正常"


def record(entry: LedgerRow) -> dict[str, object]:
    """Return a complaint for programs: codes and their Chinese, dates of its clocks."""
    plain = {name: value for name, value in asdict(entry).items() if name not in ("acceptance", "decision")}
    return plain | {
        "regime_zh": REGIMES_ZH[entry.regime],
        "state_zh": STATES_ZH[entry.state],
        "state_code": STATE_CODES[entry.state],
        "item_zh": ITEMS_ZH[entry.item],
        "respondent_type_zh": RESPONDENTS_ZH[entry.respondent_type],
        "conclusion_zh": CONCLUSIONS_ZH.get(entry.conclusion or 0),
        "warning": entry.warning,
        "acceptance": _clock(entry.acceptance),
        "decision": _clock(entry.decision),
    }


def _clock(clock: Deadline) -> dict[str, object]:
    due, moved = due_dates.end_text(clock.due, clock.rule.unit)
    return {
        "rule": clock.rule.rule_id,
        "due": due,
        "due_if_moved": moved,
        "is_provisional": clock.due.is_provisional,
        "workdays_left": clock.workdays_left,
        "stage": clock.stage,
        "outcome": clock.outcome,
    }


def local(at: str | None) -> str:
    """Return a UTC time as people in Shanghai read it, to the minute; empty for none."""
    return datetime.fromisoformat(at).astimezone(LOCAL).strftime("%Y-%m-%d %H:%M") if at else ""
