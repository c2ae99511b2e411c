"""Figures on duties: periods kept and missed, complaints, inspections."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from pipelines.casework import offices
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.due_dates import Stage
from pipelines.casework.clocks.periods import DELAYS_ZH, DUTIES_ZH
from pipelines.casework.complaints import complaints
from pipelines.casework.complaints.states import CONCLUSIONS_ZH, REGIMES_ZH
from pipelines.casework.draws.inspections import OUTCOMES_ZH
from pipelines.casework.figures.counting import count, counts, with_total
from pipelines.casework.figures.report_periods import ReportPeriod
from pipelines.store import Store
from reports.figures_report import FigureTable

_ARMS_ZH = {"risk": "按风险", "random": "纯随机", "both": "两者", "manual": "人工增加"}
_COMPLAINT_STEPS_ZH = {"accept": "受理", "refuse": "不予受理", "decide": "作出决定"}


def kept_and_missed(store: Store, period: ReportPeriod) -> FigureTable:
    """Return clocks that ran out in the period: in time, and late by kind of delay."""
    kept: Counter[str] = Counter(
        each.rule.duty_of
        for each in deadlines.all_deadlines(store, period.until)
        if each.stage is Stage.MET and each.outcome == "met" and period.holds(each.due.moved_on)
    )
    late: Counter[tuple[str, str]] = Counter(
        (each.rule.duty_of, each.kind)
        for each in deadlines.delays(store, period.first.year, period.until)
        if period.holds(each.due_on)
    )
    rows: list[list[str | int]] = [
        [zh, kept[duty], *(late[duty, kind] for kind in DELAYS_ZH)]
        for duty, zh in DUTIES_ZH.items()
        if kept[duty] or any(late[duty, kind] for kind in DELAYS_ZH)
    ]
    return FigureTable(
        "法定时限执行情况",
        ("责任单位", "按期", *DELAYS_ZH.values()),
        with_total(rows),
        "最后一日在期间内的时限；最后一日为休息日而各方理解不一的，按较晚的一日计。延长的按延长后的期限计，不适用、不再办理的不计入按期。"
        "逾期受理、超期办理、逾期未办结的区分依据修发改法规〔2021〕127号第（十）条。",
    )


def complaints_handled(store: Store, period: ReportPeriod) -> FigureTable:
    """Return complaints by regime: received, accepted, refused, decided with which conclusion."""
    start, end = period.times
    counted: Counter[tuple[str, str]] = Counter()
    for row in store.rows(
        "SELECT regime FROM complaint WHERE received_at >= ? AND received_at < ?", start, end
    ):
        counted[row["regime"], "收到"] += 1
    for row in store.rows(
        "SELECT c.regime, e.verb, e.details FROM complaint_event AS e JOIN complaint AS c ON c.id = e.complaint"
        " WHERE e.done_at >= ? AND e.done_at < ?",
        start,
        end,
    ):
        if row["verb"] in _COMPLAINT_STEPS_ZH:
            counted[row["regime"], _COMPLAINT_STEPS_ZH[row["verb"]]] += 1
        if row["verb"] == "decide":
            counted[row["regime"], CONCLUSIONS_ZH[int(json.loads(row["details"])["conclusion"])]] += 1
    columns = ("收到", *_COMPLAINT_STEPS_ZH.values(), *CONCLUSIONS_ZH.values())
    return FigureTable(
        "投诉办理",
        ("类别", *columns),
        with_total(
            [[zh, *(counted[regime, column] for column in columns)] for regime, zh in REGIMES_ZH.items()]
        ),
        "期间内发生的收到、受理、不予受理、作出决定，以及决定的结论；收到和决定可在不同期间，故各列之间不相等。投诉人信息不在统计之列。",
    )


def complaint_delays(store: Store, period: ReportPeriod) -> FigureTable:
    """Return delays in handling complaints by office and kind, for the yearly assessment."""
    names = {id: office.name_zh for id, office in offices.offices(store.reference).items()}
    counted: Counter[tuple[str, str]] = Counter(
        (office, each.kind)
        for office, each in complaints.delays(store, period.first.year, period.until)
        if period.holds(each.due_on)
    )
    rows: list[list[str | int]] = [
        [names.get(office, office), *(counted[office, kind] for kind in DELAYS_ZH)]
        for office in sorted({office for office, _ in counted})
    ]
    return FigureTable(
        "投诉办理超期（按部门）",
        ("部门", *DELAYS_ZH.values()),
        with_total(rows),
        "最后一日在期间内而到期未办或超期办结的投诉时限，检验、检测、鉴定、专家评审所需时间已扣除；用于年度考核（第（十）条）。",
    )


def inspections(store: Store, period: ReportPeriod) -> FigureTable:
    """Return draws of the period: objects by how they came on the list, results, publications."""
    start, end = period.times
    drawn = "SELECT draw FROM draw_run WHERE at >= ? AND at < ?"
    arms = counts(
        store,
        f"SELECT arm, count(*) FROM draw_pick WHERE draw IN ({drawn}) AND at < ? GROUP BY arm",
        start,
        end,
        end,
    )
    found = counts(
        store,
        f"SELECT outcome, count(*) FROM draw_result WHERE number IN (SELECT max(number) FROM draw_result"
        f" WHERE draw IN ({drawn}) AND at < ? GROUP BY draw, object_id) GROUP BY outcome",
        start,
        end,
        end,
    )
    told = count(
        store,
        f"SELECT count(DISTINCT draw || '/' || object_id) FROM draw_publication WHERE draw IN ({drawn}) AND at < ?"
        " AND withheld = ''",
        start,
        end,
        end,
    )
    rows: list[list[str | int]] = [
        ["抽取批次", count(store, f"SELECT count(*) FROM ({drawn})", start, end)],
        *_rows("抽中对象", _ARMS_ZH, arms),
        *_rows("检查结果", OUTCOMES_ZH, found),
        ["已公示结果", told],
    ]
    return FigureTable(
        "双随机、一公开抽查",
        ("项目", "数量"),
        rows,
        "期间内抽取的批次及其对象、期末已登记的结果和公示；同一对象以最后一次结果计。作废的抽查计划不计。",
    )


def _rows(what: str, names: Mapping[str, str], counted: Mapping[str, int]) -> list[list[str | int]]:
    return [[f"{what}：{zh}", counted.get(code, 0)] for code, zh in names.items()]
