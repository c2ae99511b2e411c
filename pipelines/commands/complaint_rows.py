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
from pipelines.commands.desk_cells import due_cell, remaining
from pipelines.commands.texts import SEMICOLON, Both, Lang, word
from pipelines.times import LOCAL

LEDGER = Both(
    (
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
    ),
    (
        "complaint",
        "received",
        "channel",
        "complainant",
        "respondent",
        "respondent's kind",
        "tender",
        "project",
        "lot",
        "about",
        "objected before",
        "taken in",
        "acceptance due",
        "accepted",
        "on acceptance",
        "decision due",
        "suspended",
        "workdays left",
        "warning",
        "state",
        "conclusion",
        "decision no.",
        "decided",
        "served",
        "published",
        "handler",
        "office",
        "cases",
    ),
)
CONCLUSIONS_EN = {1: "founded", 2: "partly founded", 3: "unfounded"}
RESPONDENTS_EN = {1: "tenderer", 2: "agency", 3: "bidder", 4: "evaluation committee", 5: "other"}
GROUNDS_EN = {zh: code for code, zh in GROUNDS_ZH.items()}
YES, NO = Both("是", "yes"), Both("否", "no")
SUSPENDED = Both("{ground} {first}至{last}", "{ground} {first} to {last}")
STILL = Both("今", "now")
ACCEPTED, REFUSED = Both("受理", "accepted"), Both("不予受理", "refused")
DEEMED = Both("视为受理", "deemed accepted")
STATE_DEEMED = Both("{state} 视为受理", "{state}, deemed accepted")
#: The ledger's own three words.
OVERDUE, DUE_SOON, IN_TIME = Both("超期", "overdue"), Both("临期", "due soon"), Both("正常", "in time")


def table_row(entry: LedgerRow, lang: Lang) -> tuple[object, ...]:
    """Return one row of the short table: number, day, item, state, end, days left, warning, officer."""
    clock, stage = entry.clock, entry.warning
    state = word(STATES_ZH, entry.state, lang)
    return (
        entry.id,
        local(entry.received_at)[:10],
        Both(ITEMS_ZH, ITEMS_EN).in_(lang)[entry.item],
        STATE_DEEMED.in_(lang).format(state=state) if entry.is_deemed_accepted else state,
        due_cell(clock, lang) if clock else "",
        remaining(clock, lang) if clock else "",
        "" if stage is None else word(STAGES_ZH, stage, lang),
        entry.handler,
    )


def ledger_row(entry: LedgerRow, lang: Lang) -> tuple[object, ...]:
    """Return one row of the ledger, in the order of `LEDGER`."""
    clock = entry.clock
    suspensions = [
        SUSPENDED.in_(lang).format(
            ground=Both(ground, GROUNDS_EN[ground]).in_(lang), first=first, last=last or STILL.in_(lang)
        )
        for ground, first, last in entry.suspensions
    ]
    return (
        entry.id,
        local(entry.received_at),
        word(CHANNELS_ZH, entry.channel, lang),
        entry.complainant,
        entry.respondent,
        Both(RESPONDENTS_ZH, RESPONDENTS_EN).in_(lang)[entry.respondent_type],
        entry.tender_id,
        entry.project,
        entry.lot_id,
        Both(ITEMS_ZH, ITEMS_EN).in_(lang)[entry.item],
        (YES if entry.has_objected else NO).in_(lang),
        local(entry.signed_at),
        due_cell(entry.acceptance, lang),
        local(entry.accepted_at),
        _acceptance(entry, lang),
        due_cell(entry.decision, lang),
        SEMICOLON.in_(lang).join(suspensions),
        remaining(clock, lang) if clock else "",
        _alert(entry, lang),
        word(STATES_ZH, entry.state, lang),
        Both(CONCLUSIONS_ZH, CONCLUSIONS_EN).in_(lang)[entry.conclusion] if entry.conclusion else "",
        entry.document,
        local(entry.decided_at),
        local(entry.served_at),
        local(entry.published_at),
        entry.handler,
        entry.office,
        SEMICOLON.in_(lang).join(entry.cases),
    )


def said(details: Mapping[str, str], lang: Lang) -> str:
    """Return what was said with a step: the document, the conclusion, the ground."""
    conclusions = Both(CONCLUSIONS_ZH, CONCLUSIONS_EN).in_(lang)
    known = {
        "conclusion": {str(code): name for code, name in conclusions.items()},
        "ground": {ground: word(GROUNDS_ZH, ground, lang) for ground in GROUNDS_ZH},
    }
    return SEMICOLON.in_(lang).join(known.get(name, {}).get(value, value) for name, value in details.items())


def _acceptance(entry: LedgerRow, lang: Lang) -> str:
    if entry.accepted_at:
        return ACCEPTED.in_(lang)
    if entry.refused_at:
        return REFUSED.in_(lang)
    return DEEMED.in_(lang) if entry.is_deemed_accepted else ""


def _alert(entry: LedgerRow, lang: Lang) -> str:
    """Return the warning in the ledger's words; empty when nothing runs."""
    match entry.warning:
        case None:
            return ""
        case Stage.OVERDUE:
            return OVERDUE.in_(lang)
        case Stage.ONE_DAY | Stage.THREE_DAYS:
            return DUE_SOON.in_(lang)
        case _:
            return IN_TIME.in_(lang)


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
