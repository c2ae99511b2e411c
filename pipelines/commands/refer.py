"""Referrals at the desk: propose, approve, send, and what came back (移送)."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework import offices
from pipelines.casework.cases import cases
from pipelines.casework.cases.states import STATES_ZH, CaseState
from pipelines.casework.clocks import deadlines
from pipelines.casework.referrals import referrals
from pipelines.commands import refer_papers
from pipelines.commands.case_steps import RevOption, step
from pipelines.commands.desk_cells import basis_cell, due_cell
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    CaseArgument,
    Format,
    FormatOption,
    HomeOption,
    KeyOption,
    LangOption,
    Panel,
    ReasonOption,
    RecipientOption,
    act_by,
    today,
)
from pipelines.commands.output import err, listing
from pipelines.commands.texts import AND, Both, Lang, word
from pipelines.findings import alerts
from pipelines.store import opened

REFERRALS = Both("移送 {day}：{count}", "Referrals on {day}: {count}")
HEADINGS = Both(
    ("移送编号", "接收单位", "状态", "文号", "提出", "批准", "时限", "结果"),
    ("referral", "office", "state", "document", "proposer", "approver", "due", "outcome"),
)
POWERS = Both("监管权力和责任清单", "Powers and duties")
POWER_HEADINGS = Both(
    ("权责编号", "部门", "类型", "事项", "依据"), ("power", "office", "type", "matter", "basis")
)
DRAFTED = Both("{referral}：{state}；抄送：{copies}", "{referral}: {state}; copies: {copies}")
APPROVE = Both(
    "  bidwatch refer approve {case} --actor 另一经办人",
    "  bidwatch refer approve {case} --actor SOMEBODY-ELSE",
)

app = typer.Typer(
    name="refer",
    help="Hand cases over (线索移送): propose, approve, send, and note what the office answered.",
    no_args_is_help=True,
    rich_help_panel=Panel.CASES,
)
app.add_typer(refer_papers.papers_app)


@app.command("list")
def list_(
    home: HomeOption = None,
    recipient: RecipientOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List referrals: to whom, by whom, where each stands, what is due."""
    where = settings.installed(home)
    day, _ = today(as_of)
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
                    Both(each.name_zh, each.recipient).in_(lang),
                    word(STATES_ZH, case.state, lang),
                    each.document_no,
                    each.proposer,
                    each.approver,
                    due_cell(clock, lang) if clock else "",
                    each.outcome,
                )
            )
    listing(REFERRALS.in_(lang).format(day=day, count=len(rows)), HEADINGS.in_(lang), rows, format)


@app.command()
def powers(
    recipient: Annotated[str | None, typer.Option(help="Only of this office.")] = None,
    home: HomeOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the powers and duties (权责清单) that every referral is checked against."""
    known = settings.home(home).reference
    listing(
        POWERS.in_(lang),
        POWER_HEADINGS.in_(lang),
        [
            (
                each.power,
                Both(offices.offices(known)[each.office].name_zh, each.office).in_(lang),
                each.project_type_prefix,
                Both(each.matter_zh, each.matter_en).in_(lang),
                basis_cell(each.basis, each.seen, lang),
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
    lang: LangOption = Lang.ZH,
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
        state = referrals.draft(store, act_by(actor, reason, key), case, to, basis, types, rev=rev)
        made = referrals.latest(store.con, case)
    told = (
        [
            Both(offices.offices(where.reference)[each].name_zh, each).in_(lang)
            for each in referrals.copies(where.reference, made)
        ]
        if made
        else []
    )
    said = DRAFTED.in_(lang).format(
        referral=made.id if made else case,
        state=word(STATES_ZH, CaseState(state), lang),
        copies=AND.in_(lang).join(told) or "-",
    )
    err.print(said, soft_wrap=True)
    err.print(APPROVE.in_(lang).format(case=case))


def _plain(verb: str, help: str) -> None:
    """Add a command for a step that needs nothing but, perhaps, a reason."""

    def command(
        case: CaseArgument,
        home: HomeOption = None,
        actor: ActorOption = ACTING,
        reason: ReasonOption = "",
        rev: RevOption = None,
        key: KeyOption = None,
        lang: LangOption = Lang.ZH,
    ) -> None:
        step(home, act_by(actor, reason, key), case, verb, {}, rev, lang)

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
    lang: LangOption = Lang.ZH,
) -> None:
    """Note that the case was handed over, under which number."""
    step(home, act_by(actor, reason, key), case, "send", {"document": document}, rev, lang)


@app.command()
def feedback(
    case: CaseArgument,
    outcome: Annotated[str, typer.Option(help="What came of it, as the office wrote.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Note what came of it (处理结果、回告)."""
    step(home, act_by(actor, reason, key), case, "feedback", {"outcome": outcome}, rev, lang)
