"""The queue at the desk: what to look at, take it, decide, and say why (初核)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework import case_queue
from pipelines.casework.acts import Act
from pipelines.casework.case_queue import FLAGS_ZH, QueuedCase
from pipelines.casework.cases import cases
from pipelines.casework.cases.states import AT_REST, DISMISSALS_ZH, STATES_ZH, CaseState, possible
from pipelines.casework.deliveries import receipts
from pipelines.casework.referrals import referrals
from pipelines.commands.deadlines import due_cell
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    KeyOption,
    Lang,
    LangOption,
    today,
)
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out, print_json
from pipelines.findings import alerts
from pipelines.store import opened
from reports.alert_list import CONCLUSIONS_ZH
from reports.cells import terminal

app = typer.Typer(
    help="The queue of cases (线索初核): take one, look at it, decide, say why.", no_args_is_help=True
)

CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number 线索编号, from `review list`.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in your words; it stands in the log.")]
RevOption = Annotated[
    int | None, typer.Option("--rev", help="The revision that you saw; refused if somebody was faster.")
]

#: Verbs that are steps of a referral; the others belong to the review.
REFER = frozenset(
    {
        "draft",
        "approve",
        "reject",
        "send",
        "accept",
        "return",
        "no-case",
        "recheck",
        "reconsider",
        "uphold",
        "feedback",
        "close",
    }
)


@app.command("list")
def list_(
    home: HomeOption = None,
    state: Annotated[str | None, typer.Option(help="Only this state, such as new or reviewing.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only cases of this person; '-' for nobody's.")] = None,
    basket: Annotated[str | None, typer.Option(help="Only cases of which this office is in charge.")] = None,
    grade: Annotated[str | None, typer.Option(help="Only this grade of evidence: A, B or C.")] = None,
    flag: Annotated[
        str | None, typer.Option(help=f"Only cases with this flag: {', '.join(FLAGS_ZH)}.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Also cases at rest (dismissed, closed).")] = False,
    rows: Annotated[int, typer.Option(help="How many to show; csv and json have all.")] = 30,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List cases with what fired in each, those to work on first at the top: by grade, then by money at stake."""
    day, _ = today(as_of)
    found = [
        item
        for item in _items(home, as_of)
        if (all or state or item.case.state not in AT_REST)
        and (state is None or item.case.state == state)
        and (owner is None or (item.case.owner or "-") == owner)
        and (basket is None or basket in item.baskets)
        and (grade is None or item.grade == grade.upper())
        and (flag is None or flag in item.flags)
    ]
    shown = found[:rows] if format is Format.TABLE else found
    is_zh = lang is Lang.ZH
    listing(
        f"线索 {day}：{len(shown)} / {len(found)}"
        if is_zh
        else f"Cases on {day}: {len(shown)} of {len(found)}",
        ("线索", "状态", "级", "规则", "金额(万元)", "经办", "时限", "提示")
        if is_zh
        else ("case", "state", "gr", "fired", "10,000 CNY", "owner", "due", "flags"),
        [
            (
                item.case.id,
                STATES_ZH[item.case.state] if is_zh else item.case.state,
                item.grade,
                _fired(item, lang),
                None if item.money_cny is None else f"{item.money_cny / 10_000:,.1f}",
                item.case.owner,
                "" if item.clock is None else due_cell(item.clock, lang),
                "；".join(FLAGS_ZH[flag] if is_zh else flag for flag in item.flags),
            )
            for item in shown
        ],
        format,
    )


@app.command()
def workload(home: HomeOption = None, as_of: AsOfOption = None, format: FormatOption = Format.TABLE) -> None:
    """Show how many cases everybody has, and how many of them are overdue."""
    found = _items(home, as_of)
    late = case_queue.workload(item for item in found if "overdue" in item.flags)
    listing(
        "Workload 工作量",
        ("owner 经办", "cases 在办", "overdue 超期"),
        [(owner or "-", count, late[owner]) for owner, count in case_queue.workload(found).most_common()],
        format,
    )


@app.command()
def show(
    case: CaseArgument,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show one case on a page: what fired, the sentences, the firms, what was decided, what is possible now."""
    found = [item for item in _items(home, as_of) if item.case.id == case]
    with opened(settings.installed(home).control) as store:
        this = cases.case_of(store.con, case)
        history = cases.decisions_of(store.con, case)
        handed = referrals.of_case(store.con, case)
        answers = receipts.answers_to(store, case)
    if not found:
        out.print(f"{case} is merged into {this.merged_into}: bidwatch review show {this.merged_into}")
        return
    item = found[0]
    if format is not Format.TABLE:
        print_json(
            {
                "case": vars(this),
                "lots": item.lots,
                "money_cny": item.money_cny,
                "flags": item.flags,
                "alerts": [vars(row) for row in item.alerts],
                "decisions": history,
                "referrals": [vars(each) for each in handed],
                "answers": [dict(each) for each in answers],
            }
        )
        return
    is_zh = lang is Lang.ZH
    out.print(
        f"{case}  {STATES_ZH[this.state] if is_zh else this.state}  rev {this.rev}  {this.owner or '-'}  {this.origin}"
    )
    out.print(f"标段 {', '.join(item.lots)}" if is_zh else f"lots {', '.join(item.lots)}", soft_wrap=True)
    for row in item.alerts:
        out.print(f"\n{row.alert_id}  {row.level} {row.grade}  {row.detector}")
        out.print(f"  {row.finding_zh}: {terminal(row.key_facts_zh)}")
        out.print(f"  {terminal('；'.join(row.party_names))}")
        out.print(f"  {row.legal_zh}")
    if item.clock:
        out.print(f"\n{'时限' if is_zh else 'due'}  {due_cell(item.clock, lang)}  {item.clock.rule.act_zh}")
    listing(
        "已作决定" if is_zh else "Decisions",
        ("时间(UTC)", "人员", "步骤", "状态", "理由")
        if is_zh
        else ("at (UTC)", "who", "step", "state", "reason"),
        [(d["at"], d["actor"], d["verb"], d["after"], d["reason"]) for d in history],
        Format.TABLE,
    )
    if answers:
        listing(
            "接收单位反馈" if is_zh else "Answers of offices",
            ("收到", "单位", "预警编号", "核查状态", "核查结论", "核查人", "备注")
            if is_zh
            else ("received", "office", "alert", "state", "label", "reviewer", "note"),
            [
                (
                    each["received_on"],
                    each["recipient"],
                    each["alert_id"],
                    each["state_zh"],
                    CONCLUSIONS_ZH.get(each["label"], "") if is_zh else each["label"],
                    each["reviewer"],
                    each["note"],
                )
                for each in answers
            ],
            Format.TABLE,
        )
    _next(this.state, case)
    out.print("本线索由数据分析产生，仅供核查参考，不作为认定违法事实的依据。")


@app.command()
def take(
    case: CaseArgument,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Take a new case: it is yours, and under review."""
    step(home, case, "take", {}, actor, reason, rev, key)


@app.command()
def assign(
    case: CaseArgument,
    to: Annotated[str, typer.Option("--to", help="Who gets it.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Give a case to somebody."""
    with opened(settings.installed(home).control) as store:
        cases.assign(store, Act(actor=actor, at=times.now(), reason=reason, key=key), case, to)
    err.print(f"{case}: {to}")


@app.command("need-info")
def need_info(
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Wait for papers or answers; the reason says for which."""
    step(home, case, "need-info", {}, actor, reason, rev, key)


@app.command()
def back(
    case: CaseArgument,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Go on: what was waited for is here."""
    step(home, case, "back", {}, actor, reason, rev, key)


@app.command()
def dismiss(
    case: CaseArgument,
    reason: ReasonOption,
    code: Annotated[
        str,
        typer.Option(help="Why: " + ", ".join(f"{code} {zh}" for code, zh in DISMISSALS_ZH.items()) + "."),
    ],
    of: Annotated[str | None, typer.Option("--of", help="With duplicate: the case that it repeats.")] = None,
    revisit_on: Annotated[
        datetime | None,
        typer.Option("--revisit-on", formats=["%Y-%m-%d"], help="With insufficient_now: when to look again."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Set a case aside, for one of the listed reasons."""
    given = {"code": code}
    if of is not None:
        given["duplicate of"] = of
    if revisit_on is not None:
        given["revisit on"] = revisit_on.date().isoformat()
    step(home, case, "dismiss", given, actor, reason, rev, key)


@app.command()
def confirm(
    case: CaseArgument,
    reason: ReasonOption,
    second: Annotated[str, typer.Option("--second", help="The second officer who reviewed it.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Confirm that there is something to hand over (初核属实); two officers do it."""
    step(home, case, "confirm", {"second officer": second}, actor, reason, rev, key)


@app.command()
def reopen(
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Take a dismissed or closed case up again."""
    step(home, case, "reopen", {}, actor, reason, rev, key)


@app.command("file")
def file_(
    case: CaseArgument,
    document: Annotated[str, typer.Option(help="Number of the filing, 立案文号.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """File a penalty case at the own office (本部门立案)."""
    step(home, case, "file", {"document": document}, actor, reason, rev, key)


@app.command()
def merge(
    case: CaseArgument,
    reason: ReasonOption,
    into: Annotated[str, typer.Option("--into", help="The case in which it goes on.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Let a case go on inside another; nothing is lost, and `unmerge` takes it out again."""
    with opened(settings.installed(home).control) as store:
        cases.merge(store, Act(actor=actor, at=times.now(), reason=reason, key=key), case, into)
    err.print(f"{case} goes on in {into}; take it out: bidwatch review unmerge {case}")


@app.command()
def unmerge(
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Take a merged case out again, as it was."""
    with opened(settings.installed(home).control) as store:
        state = cases.unmerge(store, Act(actor=actor, at=times.now(), reason=reason, key=key), case)
    _next(CaseState(state), case)


@app.command()
def bring(
    about: Annotated[
        str, typer.Argument(metavar="ABOUT", help="A lot's number, or a short name of the matter.")
    ],
    origin: Annotated[str, typer.Option(help="Who brought it, under which number (公安局 …〔2026〕3号).")],
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Open a case that no night found: from the police, another office, a complaint."""
    with opened(settings.installed(home).control) as store:
        id = cases.bring(store, Act(actor=actor, at=times.now(), reason=reason, key=key), about, origin)
    out.print(id)
    _next(CaseState.NEW, id)


def step(
    home: Path | None,
    case: str,
    verb: str,
    given: dict[str, str],
    actor: str,
    reason: str,
    rev: int | None,
    key: str | None,
) -> None:
    """Do a step on a case and say where it stands and what is possible then."""
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        state = referrals.answer(store, act, case, verb, given, rev=rev)
    _next(CaseState(state), case)


def _items(home: Path | None, as_of: datetime | None) -> list[QueuedCase]:
    where = settings.installed(home)
    day, _ = today(as_of)
    with opened(where.control) as store:
        return case_queue.queued_cases(store, alerts.current(where, store), day)


def _fired(item: QueuedCase, lang: Lang) -> str:
    """Return what fired, as one short text: kinds of evidence in Chinese, detectors in English."""
    names = [row.family if lang is Lang.ZH else row.detector for row in item.alerts]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    return "；".join(f"{name}×{count}" if count > 1 else name for name, count in counts.items())


def _next(state: CaseState, case: str) -> None:
    """Say where a case stands and which steps are possible."""
    err.print(f"{case}: {STATES_ZH[state]} {state}")
    for each in possible(state):
        group = "refer" if each.verb in REFER else "review"
        needs = f" ({', '.join(each.needs)})" if each.needs else ""
        err.print(f"  bidwatch {group} {each.verb} {case}{needs}  {each.zh}", soft_wrap=True)
