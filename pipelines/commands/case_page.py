"""One case on a page: what fired, the sentences, the firms, the law, what was decided, what offices answered."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from pipelines.casework.case_queue import QueuedCase
from pipelines.casework.cases import cases
from pipelines.casework.cases.states import STATES_ZH, STEPS, CaseState
from pipelines.casework.deliveries import receipts
from pipelines.casework.referrals import referrals
from pipelines.casework.referrals.referrals import Referral
from pipelines.commands import alert_text
from pipelines.commands.desk_cells import due_cell
from pipelines.commands.options import Format
from pipelines.commands.output import listing, out, print_json
from pipelines.commands.texts import AND, SEMICOLON, Both, Lang, word
from pipelines.findings.alerts import Current
from pipelines.findings.matters import KINDS_ZH, Kind, Matter
from pipelines.store import Store
from reports.alert_list import CONCLUSIONS_ZH
from reports.cells import terminal

HEAD = Both(
    "{case}  {state}  第 {rev} 版  经办 {owner}  {origin}", "{case}  {state}  rev {rev}  {owner}  {origin}"
)
BY_NIGHT = Both("夜间筛查", "night")
LOTS = Both("标段 {lots}", "lots {lots}")
MATTER = Both(
    "{kind}：{firms} 家企业，{lots} 个标段，强度 {score:.1f}{q}",
    "{kind}: {firms} firms, {lots} lots, score {score:.1f}{q}",
)
FALSE_SHARE = Both(
    "；排到此处的疑似团伙中，预期误报比例不超过 {q:.1%}",
    "; expected false share of the list down to here {q:.1%}",
)
FIRMS = Both("企业 {firms}", "firms {firms}")
GIVES = Both("强度的来源：{parts}", "the score comes from: {parts}")
WITHOUT = Both("去掉一项后的强度：{parts}", "score without: {parts}")
CLEARS = Both("至少去掉以下各项，才不再列入：{kinds}", "it would leave the list only without all of: {kinds}")
CHECKED = Both("已核对的正常原因：", "innocent explanations that were checked:")
PRICES = Both("报价", "prices")
TIES = Both("共用痕迹", "shared traces")
ALERT = Both("\n{id}  {level_zh} {grade}  {detector}", "\n{id}  grade {grade}  {detector}")
DUE = Both("\n时限  {due}  {act}", "\ndue  {due}  {act}")
DECISIONS = Both("已作决定", "Decisions")
DECISION_HEADINGS = Both(
    ("时间(UTC)", "人员", "步骤", "状态", "理由"), ("at (UTC)", "who", "step", "state", "reason")
)
ANSWERS = Both("接收单位反馈", "Answers of offices")
ANSWER_HEADINGS = Both(
    ("收到", "单位", "预警编号", "核查状态", "核查结论", "核查人", "备注"),
    ("received", "office", "alert", "state", "label", "reviewer", "note"),
)

#: What an office writes under 核查状态: see `reports.alert_list.STATES_ZH`.
ANSWER_STATES_EN = {"待核查": "to be checked", "核查中": "being checked", "已核查": "checked"}
STEPS_ZH = {"assign": "指派", "merge": "并入", "unmerge": "拆出", "bring": "登记"} | {
    step.verb: step.zh for step in reversed(STEPS)
}


@dataclass(frozen=True)
class Papers:
    """What people and offices did with a case, the oldest first."""

    decisions: list[dict[str, object]]
    referrals: list[Referral]
    answers: list[sqlite3.Row]


def papers_of(store: Store, case: str) -> Papers:
    """Return the decisions on a case, its referrals, and what offices answered."""
    return Papers(
        cases.decisions_of(store.con, case),
        referrals.of_case(store.con, case),
        receipts.answers_to(store, case),
    )


def print_record(item: QueuedCase, papers: Papers) -> None:
    """Print a case for programs."""
    print_json(
        {
            "case": vars(item.case),
            "matter": None if item.matter is None else vars(item.matter) | {"signals": None},
            "lots": item.lots,
            "money_cny": item.money_cny,
            "flags": item.flags,
            "alerts": [vars(row) for row in item.alerts],
            "decisions": papers.decisions,
            "referrals": [vars(each) for each in papers.referrals],
            "answers": [dict(each) for each in papers.answers],
        }
    )


def print_page(item: QueuedCase, papers: Papers, now: Current, lang: Lang) -> None:
    """Print a case for people. ``signals``: those of the current snapshot by fingerprint."""
    case = item.case
    state = word(STATES_ZH, case.state, lang)
    out.print(
        HEAD.in_(lang).format(
            case=case.id,
            state=state,
            rev=case.rev,
            owner=case.owner or "-",
            origin=BY_NIGHT.in_(lang) if case.origin == "night" else case.origin,
        )
    )
    if item.matter is not None:
        _print_matter(item.matter, now, lang)
    out.print(LOTS.in_(lang).format(lots=AND.in_(lang).join(item.lots)), soft_wrap=True)
    for row in item.alerts:
        out.print(
            ALERT.in_(lang).format(
                id=row.alert_id, level_zh=row.level, grade=row.grade, detector=row.detector
            )
        )
        out.print(f"  {terminal(alert_text.sentence(row, now, lang))}")
        out.print(f"  {terminal('；'.join(row.party_names))}")
        out.print(f"  {row.legal_zh}")
    if item.clock:
        act = Both(item.clock.rule.act_zh, item.clock.rule.act_en).in_(lang)
        out.print(DUE.in_(lang).format(due=due_cell(item.clock, lang), act=act))
    listing(
        DECISIONS.in_(lang),
        DECISION_HEADINGS.in_(lang),
        [
            (
                each["at"],
                each["actor"],
                word(STEPS_ZH, str(each["verb"]), lang),
                word(STATES_ZH, CaseState(str(each["after"])), lang),
                each["reason"],
            )
            for each in papers.decisions
        ],
        Format.TABLE,
    )
    if papers.answers:
        _print_answers(papers.answers, lang)


def _print_matter(matter: Matter, now: Current, lang: Lang) -> None:
    """Print what a case is as a whole: who, how strong, what gives it, what would clear it, what was checked."""
    false_share = "" if matter.q is None else FALSE_SHARE.in_(lang).format(q=matter.q)
    out.print(
        MATTER.in_(lang).format(
            kind=word(KINDS_ZH, matter.kind, lang),
            firms=len(matter.firms),
            lots=len(matter.lots),
            score=matter.score,
            q=false_share,
        ),
        soft_wrap=True,
    )
    names = [str(now.facts.parties.get(party, {}).get("name") or party) for party in matter.firms]
    out.print(FIRMS.in_(lang).format(firms=terminal(AND.in_(lang).join(names))), soft_wrap=True)

    def named(kind: str) -> str:
        if kind in now.detectors:
            facts = now.detectors[kind].facts
            return Both(facts.title_zh, facts.title).in_(lang)
        return PRICES.in_(lang) if kind == "prices" else kind

    families = {each.family.id: each.family for each in now.detectors.values()}
    gives = [
        (Both(families[family].title_zh, families[family].title).in_(lang), nats)
        for family, nats in matter.facts["families"].items()  # type: ignore[attr-defined]
    ]
    if matter.kind is Kind.RING:
        gives = [
            (PRICES.in_(lang), matter.facts["by_price"]),
            (TIES.in_(lang), matter.facts["by_ties"]),
            *gives,
        ]
    told = SEMICOLON.in_(lang).join(f"{name} {nats:.1f}" for name, nats in gives)
    out.print(GIVES.in_(lang).format(parts=told), soft_wrap=True)
    if matter.kind is not Kind.RING:
        return
    without: dict[str, float] = matter.facts["without"]  # type: ignore[assignment]
    told = SEMICOLON.in_(lang).join(f"{named(kind)} {score:.1f}" for kind, score in without.items())
    out.print(WITHOUT.in_(lang).format(parts=told), soft_wrap=True)
    clears: list[str] = matter.facts["clears"]  # type: ignore[assignment]
    out.print(CLEARS.in_(lang).format(kinds=AND.in_(lang).join(map(named, clears))), soft_wrap=True)
    out.print(CHECKED.in_(lang))
    for each in matter.facts["checks"]:  # type: ignore[attr-defined]
        out.print(f"  {Both(each['zh'], each['en']).in_(lang)}", soft_wrap=True)


def _print_answers(answers: list[sqlite3.Row], lang: Lang) -> None:
    listing(
        ANSWERS.in_(lang),
        ANSWER_HEADINGS.in_(lang),
        [
            (
                each["received_on"],
                each["recipient"],
                each["alert_id"],
                Both(each["state_zh"], ANSWER_STATES_EN.get(each["state_zh"], each["state_zh"])).in_(lang),
                word(CONCLUSIONS_ZH, each["label"], lang) if each["label"] else "",
                each["reviewer"],
                each["note"],
            )
            for each in answers
        ],
        Format.TABLE,
    )
