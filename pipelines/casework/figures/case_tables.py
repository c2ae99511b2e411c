"""Figures on cases: alerts, decisions, referrals, answers of offices, requests to the police."""

from __future__ import annotations

import json
from collections import Counter

from detectors import registry
from pipelines import times
from pipelines.casework import offices
from pipelines.casework.cases.states import DISMISSALS_ZH, STATES_ZH, CaseState
from pipelines.casework.clocks import deadlines
from pipelines.casework.figures.counting import count, with_total
from pipelines.casework.figures.report_periods import ReportPeriod
from pipelines.casework.referrals.assistance import RETURN_RULE
from pipelines.casework.referrals.ledger import decisions_by_referral
from pipelines.store import Store
from reports.alert_list import CONCLUSIONS_ZH as ANSWERS_ZH
from reports.figures_report import FigureTable

_GRADES = ("A", "B", "C")
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


def alerts(store: Store, period: ReportPeriod) -> FigureTable:
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
    rows = [_with_sum(family, [counted[family, grade] for grade in (*_GRADES, "")]) for family in families]
    return FigureTable(
        "预警数量（按类型和证据强度）",
        ("预警类型", "A", "B", "C", "规则已停用", "合计"),
        with_total(rows),
        "期间内首次出现的预警，一个标段、一条规则、一组主体计一次；以后各夜重复出现不再计。证据强度按规则现行等级："
        "A与法规列明的情形相符，B较强的异常指标，C统计佐证。",
    )


def cases(store: Store, period: ReportPeriod) -> FigureTable:
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
        with_total(rows),
        "期末时的状态，以最后一次有记录的人工步骤为准；无人工步骤的为待初核。并案的线索仍各计一件。新增日期为首条预警的监测日期，"
        "外单位移交的为登记日期。",
    )


def outcomes(store: Store, period: ReportPeriod) -> FigureTable:
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


def referrals(store: Store, period: ReportPeriod) -> FigureTable:
    """Return referrals by office and kind, with what the offices answered."""
    start, end = period.times
    counted: Counter[tuple[str, str, str]] = Counter()
    for case in store.rows("SELECT DISTINCT case_id FROM referral ORDER BY case_id"):
        handed = store.rows(
            "SELECT kind, name_zh FROM referral WHERE case_id = ? ORDER BY rowid", case["case_id"]
        )
        for referral, decisions in zip(
            handed, decisions_by_referral(store, case["case_id"])[1:], strict=True
        ):
            for decision in decisions:
                if start <= decision.at < end and decision.verb in _REFERRAL_STEPS_ZH:
                    counted[offices.KINDS_ZH[referral["kind"]], referral["name_zh"], decision.verb] += 1
    places = sorted({(kind, name) for kind, name, _ in counted})
    rows: list[list[str | int]] = [
        [f"{name}（{kind}）", *(counted[kind, name, verb] for verb in _REFERRAL_STEPS_ZH)]
        for kind, name in places
    ]
    return FigureTable(
        "线索移送（按接收单位和类型）",
        ("接收单位", *_REFERRAL_STEPS_ZH.values()),
        with_total(rows),
        "期间内各步骤的次数，不要求同一件移送的各步骤都在期间内，故各列之间不相等。移送以登记文号为准。",
    )


def answers(store: Store, period: ReportPeriod) -> FigureTable:
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


def assistance(store: Store, period: ReportPeriod) -> FigureTable:
    """Return requests to the police for help, and what became of them."""
    start, end = period.times
    asked = count(
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
    waiting = count(
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


def _last_states(store: Store, period: ReportPeriod) -> dict[str, CaseState]:
    rows = store.rows("SELECT case_id, after FROM decision WHERE at < ? ORDER BY number", period.times[1])
    return {row["case_id"]: CaseState(row["after"]) for row in rows}


def _with_sum(name: str, counts: list[int]) -> list[str | int]:
    return [name, *counts, sum(counts)]
