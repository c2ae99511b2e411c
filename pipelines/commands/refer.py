"""Referrals at the desk: propose, approve, send, and what came back (移送)."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework import offices
from pipelines.casework.acts import Act
from pipelines.casework.cases import cases
from pipelines.casework.cases.states import STATES_ZH, CaseState
from pipelines.casework.clocks import deadlines
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
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing
from pipelines.commands.review import CaseArgument, ReasonOption, RevOption, step
from pipelines.findings import alerts
from pipelines.store import opened

app = typer.Typer(
    help="Hand cases over (线索移送): propose, approve, send, and note what the office answered.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    home: HomeOption = None,
    recipient: Annotated[str | None, typer.Option(help="Only to this office.")] = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List referrals: to whom, by whom, where each stands, what is due."""
    where = settings.installed(home)
    day, _ = today(as_of)
    is_zh = lang is Lang.ZH
    with opened(where.control) as store:
        clocks = {clock.object: clock for clock in reversed(deadlines.open_deadlines(store, day))}
        rows = []
        for each in referrals.all_referrals(store.con):
            if recipient not in (None, each.recipient):
                continue
            case, clock = cases.case_of(store.con, each.case_id), clocks.get(each.id)
            rows.append(
                (
                    each.id,
                    each.name_zh if is_zh else each.recipient,
                    STATES_ZH[case.state] if is_zh else case.state,
                    each.document_no,
                    each.proposer,
                    each.approver,
                    due_cell(clock, lang) if clock else "",
                    each.outcome,
                )
            )
    listing(
        f"移送 {day}：{len(rows)}" if is_zh else f"Referrals on {day}: {len(rows)}",
        ("移送编号", "接收单位", "状态", "文号", "提出", "批准", "时限", "结果")
        if is_zh
        else ("referral", "office", "state", "document", "proposer", "approver", "due", "outcome"),
        rows,
        format,
    )


@app.command()
def powers(
    recipient: Annotated[str | None, typer.Option(help="Only of this office.")] = None,
    home: HomeOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the powers and duties (权责清单) that every referral is checked against."""
    known = settings.home(home).reference
    is_zh = lang is Lang.ZH
    listing(
        "监管权力和责任清单" if is_zh else "Powers and duties",
        ("权责编号", "部门", "类型", "事项", "依据")
        if is_zh
        else ("power", "office", "type", "matter", "basis"),
        [
            (
                each.power,
                offices.offices(known)[each.office].name_zh if is_zh else each.office,
                each.project_type_prefix,
                each.matter_zh if is_zh else each.matter_en,
                each.basis + ("" if each.seen else "（待核）"),
            )
            for each in offices.powers(known).values()
            if recipient is None or each.office == recipient
        ],
        format,
    )


@app.command()
def draft(
    case: CaseArgument,
    to: Annotated[str, typer.Option("--to", help="The office: see `refer powers`.")],
    basis: Annotated[str, typer.Option(help="The line of the list of powers by which it takes the case.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Propose to hand a confirmed case to an office; another person approves it."""
    where = settings.installed(home)
    with opened(where.control) as store:
        shown = alerts.current(where, store)
        lots = {lot for fp, _ in cases.evidence_of(store.con, case) for lot in shown.signals[fp].lots}
        types = [
            str(shown.facts.lots[lot]["project_type"])
            for lot in lots
            if shown.facts.lots[lot]["project_type"]
        ]
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        state = referrals.draft(store, act, case, to, basis, types, rev=rev)
        made = referrals.latest(store.con, case)
    copies = ", ".join(referrals.copies(where.reference, made)) if made else ""
    err.print(f"{made.id if made else case}: {STATES_ZH[CaseState(state)]}; copies 抄送: {copies or '-'}")
    err.print(f"  bidwatch refer approve {case} --actor SOMEBODY-ELSE")


def _plain(verb: str, help: str) -> None:
    """Add a command for a step that needs nothing but, perhaps, a reason."""

    def command(
        case: CaseArgument,
        home: HomeOption = None,
        actor: ActorOption = ACTING,
        reason: ReasonOption = "",
        rev: RevOption = None,
        key: KeyOption = None,
    ) -> None:
        step(home, case, verb, {}, actor, reason, rev, key)

    app.command(verb, help=help)(command)


for verb, help in {
    "approve": "Approve a referral (负责人审批). Not the person who proposed it.",
    "reject": "Do not approve a referral; say why.",
    "accept": "The office has taken the case up (受理/立案).",
    "return": "The office sends it back; say why (退回).",
    "no-case": "The police file no case; say why (不予立案).",
    "recheck": "Look at a returned case again.",
    "reconsider": "Ask for a review, or for the procuratorate's supervision (复议/立案监督).",
    "uphold": "The refusal was upheld.",
    "close": "Close the case (办结).",
}.items():
    _plain(verb, help)


@app.command()
def send(
    case: CaseArgument,
    document: Annotated[str, typer.Option(help="Number of the letter, 移送文号.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Note that the case was handed over, under which number."""
    step(home, case, "send", {"document": document}, actor, reason, rev, key)


@app.command()
def feedback(
    case: CaseArgument,
    outcome: Annotated[str, typer.Option(help="What came of it, as the office wrote.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
) -> None:
    """Note what came of it (处理结果、回告)."""
    step(home, case, "feedback", {"outcome": outcome}, actor, reason, rev, key)
