"""Figures of a half-year or a year, counted from the control store (notice of 2021, article 2).

Everything is counted as it was at the end of the period: what happened later does not change a report.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from detectors import registry
from pipelines import times
from pipelines.casework import offices
from pipelines.casework.cases.states import DISMISSALS_ZH, STATES_ZH, CaseState
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.due_dates import Stage
from pipelines.casework.clocks.periods import DELAYS_ZH, DUTIES_ZH
from pipelines.casework.complaints import complaints
from pipelines.casework.complaints.states import CONCLUSIONS_ZH, REGIMES_ZH
from pipelines.casework.draws.inspections import OUTCOMES_ZH
from pipelines.casework.referrals.assistance import RETURN_RULE
from pipelines.casework.referrals.ledger import decisions_by_referral
from pipelines.store import Store
from reports.alert_list import CONCLUSIONS_ZH as ANSWERS_ZH
from reports.figures_report import FigureTable

_GRADES = ("A", "B", "C")
_ARMS_ZH = {"risk": "按风险", "random": "纯随机", "both": "两者", "manual": "人工增加"}
_REFERRAL_STEPS_ZH = {
    "draft": "提出",
    "approve": "批准",
    "send": "移送",
    "accept": "受理/立案",
    "return": "退回",
    "no-case": "不予立案",
    "reconsider": "提请复议/监督",
    "feedback": "反馈结果",
}
_COMPLAINT_STEPS_ZH = {"accept": "受理", "refuse": "不予受理", "decide": "作出决定"}


@dataclass(frozen=True)
class Period:
    """Days from ``first`` to ``last``, both counted; ``until``: the last one that has been."""

    first: date
    last: date
    until: date

    @property
    def times(self) -> tuple[str, str]:
        """The UTC times between which things happened, as the store writes them; the second is outside."""
        start, end = times.morning_of(self.first), times.morning_of(self.until + timedelta(days=1))
        return start.isoformat(), end.isoformat()

    def holds(self, on: date) -> bool:
        """Tell whether a day lies in the period and has been."""
        return self.first <= on <= self.until


def half_year(year: int, half: int, as_of: date) -> Period:
    """Return a half-year, 1 or 2.

    Raises:
        ValueError: there is no such half, or it has not begun.
    """
    if half not in (1, 2):
        raise ValueError(f"a year has halves 1 and 2, not {half}")
    first, last = (
        (date(year, 1, 1), date(year, 6, 30)) if half == 1 else (date(year, 7, 1), date(year, 12, 31))
    )
    return _begun(Period(first, last, min(last, as_of)))


def whole_year(year: int, as_of: date) -> Period:
    """Return a year.

    Raises:
        ValueError: it has not begun.
    """
    return _begun(Period(date(year, 1, 1), date(year, 12, 31), min(date(year, 12, 31), as_of)))


def tables(store: Store, period: Period) -> list[FigureTable]:
    """Return every table of a report."""
    return [
        alerts(store, period),
        cases(store, period),
        outcomes(store, period),
        referrals(store, period),
        answers(store, period),
        assistance(store, period),
        kept_and_missed(store, period),
        complaints_handled(store, period),
        complaint_delays(store, period),
        inspections(store, period),
    ]


def alerts(store: Store, period: Period) -> FigureTable:
    """Return signals by family and grade."""
    grades = {
        detector.id: str(detector.facts.grade) for detector in registry.load(local=store.reference.local)
    }
    names = {family.id: family.title_zh for family in registry.families().values()}
    counted: Counter[tuple[str, str]] = Counter()
    for row in store.rows(
        "SELECT detector, count(*) AS n FROM signal WHERE first_as_of BETWEEN ? AND ? GROUP BY detector",
        period.first.isoformat(),
        period.until.isoformat(),
    ):
        family = names.get(row["detector"].split(".")[0], "其他")
        counted[family, grades.get(row["detector"], "")] += row["n"]
    families = [family for family in (*names.values(), "其他") if any(f == family for f, _ in counted)]
    rows = [_summed(family, [counted[family, grade] for grade in (*_GRADES, "")]) for family in families]
    return FigureTable(
        "预警数量（按类型和证据强度）",
        ("预警类型", "A", "B", "C", "规则已停用", "合计"),
        _with_total(rows),
        "期间内首次出现的预警，一个标段、一条规则、一组主体计一次；以后各夜重复出现不再计。证据强度按规则现行等级："
        "A与法规列明的情形相符，B较强的异常指标，C统计佐证。",
    )


def cases(store: Store, period: Period) -> FigureTable:
    """Return cases by their state at the end of the period."""
    opened = _opened(store)
    last = _last_states(store, period)
    standing: Counter[CaseState] = Counter()
    fresh: Counter[CaseState] = Counter()
    for case_id, on in opened.items():
        if on > period.until.isoformat():
            continue
        state = last.get(case_id, CaseState.NEW)
        standing[state] += 1
        fresh[state] += on >= period.first.isoformat()
    rows: list[list[str | int]] = [
        [STATES_ZH[state], standing[state], fresh[state]] for state in CaseState if standing[state]
    ]
    return FigureTable(
        "线索（案件）数量（按期末状态）",
        ("状态", "期末数", "其中期内新增"),
        _with_total(rows),
        "期末时的状态，以最后一次有记录的人工步骤为准；无人工步骤的为待初核。并案的线索仍各计一件。新增日期为首条预警的监测日期，"
        "外单位移交的为登记日期。",
    )


def outcomes(store: Store, period: Period) -> FigureTable:
    """Return what people decided on cases in the period."""
    counted: Counter[str] = Counter()
    for row in store.rows("SELECT verb, details FROM decision WHERE at >= ? AND at < ?", *period.times):
        code = json.loads(row["details"]).get("code")
        counted[f"{row['verb']}:{code}" if row["verb"] == "dismiss" else row["verb"]] += 1
    wanted = {
        "confirm": "初核属实",
        **{f"dismiss:{code}": f"排除：{zh}" for code, zh in DISMISSALS_ZH.items()},
        "reopen": "重新初核",
        "file": "本部门立案",
        "close": "办结",
    }
    return FigureTable(
        "初核和办理结果",
        ("结果", "次数"),
        [[zh, counted[verb]] for verb, zh in wanted.items()],
        "期间内作出的决定的次数；同一线索重新初核后再次决定的，计两次。",
    )


def referrals(store: Store, period: Period) -> FigureTable:
    """Return referrals by office and kind, with what the offices answered."""
    start, end = period.times
    counted: Counter[tuple[str, str, str]] = Counter()
    for case in store.rows("SELECT DISTINCT case_id FROM referral ORDER BY case_id"):
        handed = store.rows(
            "SELECT kind, name_zh FROM referral WHERE case_id = ? ORDER BY rowid", case["case_id"]
        )
        for referral, steps in zip(handed, decisions_by_referral(store, case["case_id"])[1:], strict=True):
            for step in steps:
                if start <= step.at < end and step.verb in _REFERRAL_STEPS_ZH:
                    counted[offices.KINDS_ZH[referral["kind"]], referral["name_zh"], step.verb] += 1
    places = sorted({(kind, name) for kind, name, _ in counted})
    rows: list[list[str | int]] = [
        [f"{name}（{kind}）", *(counted[kind, name, verb] for verb in _REFERRAL_STEPS_ZH)]
        for kind, name in places
    ]
    return FigureTable(
        "线索移送（按接收单位和类型）",
        ("接收单位", *_REFERRAL_STEPS_ZH.values()),
        _with_total(rows),
        "期间内各步骤的次数，不要求同一件移送的各步骤都在期间内，故各列之间不相等。移送以登记文号为准。",
    )


def answers(store: Store, period: Period) -> FigureTable:
    """Return the conclusions that offices sent back on alerts, the last one of every alert and office."""
    rows = store.rows(
        """
        SELECT label, count(*) AS n FROM (
            SELECT w.label, row_number() OVER (PARTITION BY r.recipient, w.alert_id ORDER BY r.number DESC) AS place
            FROM receipt_row AS w JOIN receipt AS r ON r.number = w.receipt
            WHERE w.outcome = 'taken' AND w.label IS NOT NULL AND r.received_on BETWEEN ? AND ?
        ) WHERE place = 1 GROUP BY label
        """,
        period.first.isoformat(),
        period.until.isoformat(),
    )
    counted = {row["label"]: row["n"] for row in rows}
    return FigureTable(
        "各部门对预警的核查结论",
        ("核查结论", "条数"),
        [[zh, counted.get(label, 0)] for label, zh in ANSWERS_ZH.items()],
        "期间内收到的回填清单中的结论；同一部门对同一条预警多次回填的，取最后一次。未回填的不计。",
    )


def assistance(store: Store, period: Period) -> FigureTable:
    """Return requests to the police for help, and what became of them."""
    start, end = period.times
    asked = _count(
        store, "SELECT count(*) FROM assistance WHERE received_at >= ? AND received_at < ?", start, end
    )
    ended = {
        row["outcome"]: row["n"]
        for row in store.rows(
            "SELECT outcome, count(*) AS n FROM assistance_end WHERE ended_at >= ? AND ended_at < ? GROUP BY outcome",
            start,
            end,
        )
    }
    late = [
        each
        for each in deadlines.delays(store, period.first.year, period.until)
        if each.rule.rule_id == RETURN_RULE and period.holds(each.due_on) and each.ended_on
    ]
    waiting = _count(
        store,
        "SELECT count(*) FROM assistance AS a LEFT JOIN assistance_end AS e ON e.assistance = a.id AND e.ended_at < ?"
        " WHERE a.received_at < ? AND e.assistance IS NULL",
        end,
        end,
    )
    return FigureTable(
        "协助办理函",
        ("项目", "件数"),
        [
            ["公安机关收到", asked],
            ["书面反馈", ended.get("answered", 0)],
            ["退回", ended.get("returned", 0)],
            ["其中超过5个工作日退回", len(late)],
            ["期末待回复", waiting],
        ],
        "收到、反馈、退回按期间内发生计；超过5个工作日退回按期间内到期计；期末待回复含以前期间收到的。",
    )


def kept_and_missed(store: Store, period: Period) -> FigureTable:
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
        _with_total(rows),
        "最后一日在期间内的时限；最后一日为休息日而各方理解不一的，按较晚的一日计。延长的按延长后的期限计，不适用、不再办理的不计入按期。"
        "逾期受理、超期办理、逾期未办结的区分依据修发改法规〔2021〕127号第（十）条。",
    )


def complaints_handled(store: Store, period: Period) -> FigureTable:
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
        _with_total(
            [[zh, *(counted[regime, column] for column in columns)] for regime, zh in REGIMES_ZH.items()]
        ),
        "期间内发生的收到、受理、不予受理、作出决定，以及决定的结论；收到和决定可在不同期间，故各列之间不相等。投诉人信息不在统计之列。",
    )


def complaint_delays(store: Store, period: Period) -> FigureTable:
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
        _with_total(rows),
        "最后一日在期间内而到期未办或超期办结的投诉时限，检验、检测、鉴定、专家评审所需时间已扣除；用于年度考核（第（十）条）。",
    )


def inspections(store: Store, period: Period) -> FigureTable:
    """Return draws of the period: objects by how they came on the list, results, publications."""
    start, end = period.times
    drawn = "SELECT draw FROM draw_run WHERE at >= ? AND at < ?"
    arms = _counts(
        store,
        f"SELECT arm, count(*) FROM draw_pick WHERE draw IN ({drawn}) AND at < ? GROUP BY arm",
        start,
        end,
        end,
    )
    found = _counts(
        store,
        f"SELECT outcome, count(*) FROM draw_result WHERE number IN (SELECT max(number) FROM draw_result"
        f" WHERE draw IN ({drawn}) AND at < ? GROUP BY draw, object_id) GROUP BY outcome",
        start,
        end,
        end,
    )
    told = _count(
        store,
        f"SELECT count(DISTINCT draw || '/' || object_id) FROM draw_publication WHERE draw IN ({drawn}) AND at < ?"
        " AND withheld = ''",
        start,
        end,
        end,
    )
    rows: list[list[str | int]] = [
        ["抽取批次", _count(store, f"SELECT count(*) FROM ({drawn})", start, end)],
        *_listed("抽中对象", _ARMS_ZH, arms),
        *_listed("检查结果", OUTCOMES_ZH, found),
        ["已公示结果", told],
    ]
    return FigureTable(
        "双随机、一公开抽查",
        ("项目", "数量"),
        rows,
        "期间内抽取的批次及其对象、期末已登记的结果和公示；同一对象以最后一次结果计。作废的抽查计划不计。",
    )


def _opened(store: Store) -> dict[str, str]:
    """Return the day on which each case was opened, ISO: of its first signal, or of its registration."""
    opened = {
        row["id"]: row["first"]
        for row in store.rows(
            "SELECT c.id, min(s.first_as_of) AS first FROM case_ AS c JOIN signal AS s ON s.case_id = c.id GROUP BY c.id"
        )
    }
    for row in store.rows(
        "SELECT json_extract(body, '$.object') AS id, json_extract(body, '$.at') AS at FROM audit"
        " WHERE json_extract(body, '$.verb') = 'bring'"
    ):
        opened[row["id"]] = times.day_of(row["at"]).isoformat()
    return opened


def _last_states(store: Store, period: Period) -> dict[str, CaseState]:
    rows = store.rows("SELECT case_id, after FROM decision WHERE at < ? ORDER BY number", period.times[1])
    return {row["case_id"]: CaseState(row["after"]) for row in rows}


def _begun(period: Period) -> Period:
    if period.until < period.first:
        raise ValueError(f"the period from {period.first} to {period.last} has not begun")
    return period


def _summed(name: str, counts: list[int]) -> list[str | int]:
    return [name, *counts, sum(counts)]


def _listed(what: str, names: Mapping[str, str], counted: Mapping[str, int]) -> list[list[str | int]]:
    return [[f"{what}：{zh}", counted.get(code, 0)] for code, zh in names.items()]


def _with_total(rows: list[list[str | int]]) -> list[list[str | int]]:
    """Return the rows and their sum; none where there are none."""
    if not rows:
        return []
    sums = [sum(int(row[place]) for row in rows) for place in range(1, len(rows[0]))]
    return [*rows, ["合计", *sums]]


def _count(store: Store, sql: str, *parameters: object) -> int:
    return int(store.rows(sql, *parameters)[0][0])


def _counts(store: Store, sql: str, *parameters: object) -> dict[str, int]:
    found: list[sqlite3.Row] = store.rows(sql, *parameters)
    return {row[0]: int(row[1]) for row in found}
