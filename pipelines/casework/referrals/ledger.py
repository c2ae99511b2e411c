"""The ledger of referrals (线索移送台账): one row a referral, from the decisions on its case."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines import times
from pipelines.casework.cases.cases import Case, case_of, evidence_of
from pipelines.casework.clocks import deadlines, due_dates
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.referrals import referrals
from pipelines.casework.referrals.referrals import Referral
from pipelines.findings.alerts import Current
from pipelines.store import Store
from reports.alert_list import SEPARATOR
from reports.office_sheet import Sheet

#: What the office answered, by the step that notes it.
ANSWERS_ZH = {"accept": "受理/立案", "return": "退回", "no-case": "不予立案"}
_SUPERVISION = ("reconsider", "uphold")

HEADINGS = (
    "移送编号",
    "线索编号",
    "移送类型(项目/主体/公职人员/其他)",
    "线索来源",
    "项目名称",
    "标段编号",
    "涉及主体",
    "统一社会信用代码",
    "涉嫌问题",
    "涉嫌条款",
    "初核单位",
    "初核人(2名)",
    "初核结论",
    "审批人",
    "审批时间",
    "移送文号",
    "移送单位",
    "接收单位",
    "接收人",
    "联系电话",
    "移送时间",
    "回执时间",
    "抄送检察院时间",
    "办理时限",
    "剩余(天)",
    "是否超期",
    "接收单位意见(受理/退回/立案/不予立案)",
    "通知书文号",
    "复议/监督情况",
    "处理结果",
    "回告时间",
    "办结时间",
    "证据包校验值",
    "经办人",
)


@dataclass(frozen=True)
class CaseDecision:
    """One decision on a case. ``at``: UTC, ISO 8601."""

    verb: str
    at: str
    actor: str
    details: Mapping[str, str]
    reason: str


def decisions_by_referral(store: Store, case_id: str) -> list[list[CaseDecision]]:
    """Return the decisions on a case by referral: first those before any, then those of each referral, the oldest first.

    What the own office decides after it filed the case itself belongs to no referral; it stands with the first ones.
    """
    found: list[list[CaseDecision]] = [[]]
    belongs = True
    for row in store.rows("SELECT * FROM decision WHERE case_id = ? ORDER BY number", case_id):
        decision = CaseDecision(
            row["verb"], row["at"], row["actor"], json.loads(row["details"]), row["reason"]
        )
        if decision.verb == "draft":
            found.append([])
            belongs = True
        if decision.verb == "file":
            belongs = False
        (found[-1] if belongs else found[0]).append(decision)
    return found


def ledger(store: Store, now: Current, as_of: date, office: str) -> Sheet:
    """Return the ledger as a list to print.

    Args:
        store: the control store.
        now: what the current snapshot shows; names of projects and firms come from it.
        as_of: the day by which the clocks are judged.
        office: the own office, which reviews and sends.
    """
    clock_of: dict[str, Deadline] = {}
    for clock in reversed(deadlines.open_deadlines(store, as_of)):
        clock_of[clock.object] = clock
    packed = {
        row["referral"]: row["contents_sha256"]
        for row in store.rows("SELECT referral, contents_sha256 FROM referral_file ORDER BY number")
    }
    rows = []
    for case_id in [
        row["case_id"] for row in store.rows("SELECT DISTINCT case_id FROM referral ORDER BY case_id")
    ]:
        case, parts = case_of(store.con, case_id), decisions_by_referral(store, case_id)
        told = _told(now, [fp for fp, _ in evidence_of(store.con, case_id)], case)
        for referral, own in zip(referrals.of_case(store.con, case_id), parts[1:], strict=True):
            before = [decision for part in parts[: parts.index(own)] for decision in part]
            rows.append(
                _row(
                    referral,
                    case,
                    before,
                    own,
                    told,
                    clock_of.get(referral.id),
                    packed.get(referral.id, ""),
                    office,
                    is_copied="procuratorate" in referrals.copies(store.reference, referral),
                )
            )
    return Sheet("线索移送台账", HEADINGS, sorted(rows), f"截至{as_of}；时间为北京时间")


def _row(
    referral: Referral,
    case: Case,
    before: Sequence[CaseDecision],
    own: Sequence[CaseDecision],
    told: Mapping[str, str],
    clock: Deadline | None,
    packed: str,
    office: str,
    *,
    is_copied: bool,
) -> list[str]:
    last = {decision.verb: decision for decision in own}
    confirmed = next((each for each in reversed(before) if each.verb == "confirm"), None)
    answer = next((each for each in reversed(own) if each.verb in ANSWERS_ZH), None)
    supervision = [each.reason for each in own if each.verb in _SUPERVISION]

    def time(verb: str) -> str:
        return times.local_text(last[verb].at) if verb in last else ""

    return [
        referral.id,
        case.id,
        "公职人员" if referral.kind == "discipline" else told["kind"],
        "数据监测分析" if case.origin == "night" else case.origin,
        told["project"],
        told["lots"],
        told["names"],
        told["codes"],
        told["findings"],
        told["laws"],
        office,
        SEPARATOR.join((confirmed.actor, confirmed.details["second officer"])) if confirmed else "",
        confirmed.reason if confirmed else "",
        referral.approver or "",
        time("approve"),
        referral.document_no or "",
        office,
        referral.name_zh,
        "",
        "",
        time("send"),
        times.local_text(answer.at) if answer else "",
        time("send") if is_copied else "",
        due_dates.end_text(clock.due, clock.rule.unit)[0] if clock else "",
        str(max(clock.workdays_left, 0)) if clock else "",
        "" if clock is None else "是" if clock.stage is due_dates.Stage.OVERDUE else "否",
        ANSWERS_ZH[answer.verb] if answer else "",
        "",
        "；".join(supervision),
        referral.outcome or "",
        time("feedback"),
        time("close"),
        packed,
        referral.proposer,
    ]


def _told(now: Current, fps: Sequence[str], case: Case) -> dict[str, str]:
    """Return what the snapshot knows of the matter, as texts; a signal that is gone is left out."""
    rows = [now.rows[fp] for fp in fps if fp in now.rows]
    lots = sorted({lot for fp in fps if fp in now.signals for lot in now.signals[fp].lots})
    parties = {
        name: code for row in rows for name, code in zip(row.party_names, row.party_codes, strict=True)
    }
    projects = dict.fromkeys(row.tender_name for row in rows if row.tender_name)
    return {
        "kind": "其他" if not rows else "项目" if len(lots) == 1 else "主体",
        "project": SEPARATOR.join(projects) or case.scope,
        "lots": SEPARATOR.join(lots),
        "names": SEPARATOR.join(sorted(parties)),
        "codes": SEPARATOR.join(parties[name] for name in sorted(parties)),
        "findings": "；".join(dict.fromkeys(row.finding_zh for row in rows)),
        "laws": "；".join(dict.fromkeys(part for row in rows for part in row.legal_zh.split("；") if part)),
    }
