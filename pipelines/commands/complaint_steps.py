"""What people do with a complaint: take it in, accept, decide; who complained stays sealed (notice, article 8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework.acts import Act
from pipelines.casework.clocks import periods
from pipelines.casework.clocks.periods import GROUNDS_ZH
from pipelines.casework.complaints import complaints
from pipelines.casework.complaints.complainants import Complainant
from pipelines.casework.complaints.states import (
    CHANNELS_ZH,
    CONCLUSIONS_ZH,
    ITEMS_EN,
    ITEMS_ZH,
    RESPONDENTS_ZH,
    STATES_ZH,
    ComplaintState,
    Regime,
    possible,
)
from pipelines.commands.options import (
    ACTING,
    MOMENT,
    ActorOption,
    AtOption,
    CaseArgument,
    HomeOption,
    KeyOption,
    LangOption,
    ReasonOption,
    act_by,
    choices,
    utc,
)
from pipelines.commands.output import err, out
from pipelines.commands.texts import Both, Lang, word
from pipelines.store import opened
from reports.cells import terminal

#: Items on which the tenderer must be asked first (招标投标法实施条例 §60: objections under §22, §44 and §54).
OBJECTION_FIRST = (1, 2, 4, 5)

ASK_NAME = Both("投诉人姓名或名称（未署名则留空）", "Complainant's name (empty: none given)")
ASK_CONTACT = Both("联系方式（未提供则留空）", "Contact (empty: none given)")
OBJECTION = Both(
    "{item}：应当先向招标人提出异议（招标投标法实施条例第六十条）。",
    "{item}: an objection to the tenderer must come first (招标投标法实施条例第六十条).",
)
LINKED = Both(
    "{complaint} 已与 {case} 关联。撤回：bidwatch complaints unlink {complaint} {case} --reason 理由",
    "{complaint} is linked to {case}. Undo: bidwatch complaints unlink {complaint} {case} --reason TEXT",
)
UNLINKED = Both("{complaint} 已不再与 {case} 关联", "{complaint} is no longer linked to {case}")
UNSIGNED = Both("未署名", "no name given")
SECRET = Both(
    "投诉举报人相关信息严格保密（修发改法规〔2021〕127号第（九）条）。",
    "Keep it to yourself: who complained is strictly confidential (修发改法规〔2021〕127号, article 9).",
)
NEXT = Both(
    "下一步：bidwatch complaints 步骤 {complaint}，步骤可为 {ways}",
    "Next: bidwatch complaints VERB {complaint}, where VERB is {ways}",
)
WAY = Both("{verb} ({step_zh})", "{verb}")
AT_REST = Both("{complaint} 无后续步骤：{state}", "{complaint} is at rest: {state}")


steps_app = typer.Typer()

IdArgument = Annotated[
    str, typer.Argument(metavar="COMPLAINT", help="Its number, such as TS-2026-0007: see `complaints list`.")
]
DocumentOption = Annotated[str, typer.Option("--document", help="Number of the document (文号).")]


@steps_app.command()
def receive(
    office: Annotated[
        str, typer.Option(help="Who handles it: housing, finance, water … as in the routing table.")
    ],
    item: Annotated[int, typer.Option(help=choices(ITEMS_ZH))],
    against: Annotated[int, typer.Option(help=f"Whom it is against: {choices(RESPONDENTS_ZH)}")],
    regime: Annotated[
        Regime, typer.Option(help="tendering: 招标投标法; procurement: 政府采购法.")
    ] = Regime.TENDERING,
    channel: Annotated[str, typer.Option(help=choices(CHANNELS_ZH))] = "offline",
    received: Annotated[
        datetime | None,
        typer.Option("--received", formats=MOMENT, help="When it came. Default: now."),
    ] = None,
    respondent: Annotated[str, typer.Option(help="Code of the firm or unit, or name:… Never a person.")] = "",
    tender: Annotated[str, typer.Option(help="Number of the tender (招标项目编号).")] = "",
    project: Annotated[str, typer.Option(help="Name of the project.")] = "",
    lot: Annotated[str, typer.Option(help="Number of the lot (标段编号).")] = "",
    objected: Annotated[
        bool, typer.Option("--objected/--not-objected", help="An objection or query came first (先行异议).")
    ] = False,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take a complaint in. Name and contact of the complainant are asked for, and sealed at once.

    They are read from the keyboard or from standard input, one a line, and are no options: what is typed
    on a command line can be read by others.
    """
    name = typer.prompt(ASK_NAME.in_(lang), default="", show_default=False, err=True)
    contact = typer.prompt(ASK_CONTACT.in_(lang), default="", show_default=False, err=True)
    intake = complaints.ReceivedComplaint(
        regime=regime,
        channel=channel,
        received_at=utc(received),
        office=office,
        item=item,
        respondent_type=against,
        respondent=respondent,
        tender_id=tender,
        project=project,
        lot_id=lot,
        has_objected=objected,
    )
    where = settings.installed(home)
    with opened(where.control) as store:
        who = Complainant(name.strip(), contact.strip())
        id = complaints.receive(where, store, act_by(actor, reason, key), intake, who)
        found = complaints.complaint_of(store.con, id)
    out.print(f"{id}　{found.complainant}")
    if not objected and regime is Regime.TENDERING and item in OBJECTION_FIRST:
        err.print(OBJECTION.in_(lang).format(item=Both(ITEMS_ZH, ITEMS_EN).in_(lang)[item]))
    say_next(id, found.state, found.regime, lang)


def _step_command(verb: str) -> Callable[..., None]:
    """Return the command of a step that needs no more than a reason or a document."""

    def command(
        complaint: IdArgument,
        reason: ReasonOption = "",
        document: DocumentOption = "",
        at: AtOption = None,
        home: HomeOption = None,
        actor: ActorOption = ACTING,
        key: KeyOption = None,
        lang: LangOption = Lang.ZH,
    ) -> None:
        _move(home, act_by(actor, reason, key), complaint, verb, {"document": document}, at, lang)

    return command


HELP = {
    "sign": "Take a complaint in hand (签收).",
    "ask-correction": "Ask the complainant once, in writing, to correct the complaint (要求补正).",
    "corrected": "Say that the correction came (收到补正); the time to examine begins again.",
    "accept": "Accept a complaint (受理).",
    "refuse": "Refuse to accept a complaint, with the reason (不予受理).",
    "cancel": "Strike a complaint out before it is accepted, with the reason (撤销): entered twice, taken back.",
    "notify": "Say that the notice of refusal was served, with its number (送达不予受理通知书).",
    "copies": "Say that copies were sent with the request to answer (发出答复通知书及副本).",
    "resume": "Count on after a suspension (结束扣除期间); --at is the first day that counts again.",
    "withdraw": "Write down that the complainant asks to withdraw (申请撤诉).",
    "grant": "Let the complaint be withdrawn (同意撤诉).",
    "deny": "Do not let it be withdrawn, with the reason (不予撤诉); it goes on.",
    "serve": "Say that the decision was served (送达处理决定).",
    "publish": "Say that the decision was published (公开处理决定).",
}
for verb, text in HELP.items():
    steps_app.command(verb, help=text)(_step_command(verb))


@steps_app.command()
def suspend(
    complaint: IdArgument,
    ground: Annotated[
        str,
        typer.Option(help="; ".join(f"{code} {GROUNDS_ZH[code]}" for code in periods.rule_of("TS03").stops)),
    ],
    reason: ReasonOption,
    document: DocumentOption = "",
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Stop counting for a test or review (开始扣除期间); --at is the first day that does not count."""
    given = {"ground": ground, "document": document}
    _move(home, act_by(actor, reason, key), complaint, "suspend", given, at, lang)


@steps_app.command()
def decide(
    complaint: IdArgument,
    conclusion: Annotated[int, typer.Option(help=choices(CONCLUSIONS_ZH))],
    document: DocumentOption,
    reason: ReasonOption = "",
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write down the decision on a complaint (处理决定书)."""
    given = {"conclusion": str(conclusion), "document": document}
    _move(home, act_by(actor, reason, key), complaint, "decide", given, at, lang)


@steps_app.command()
def link(
    complaint: IdArgument,
    case: CaseArgument,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Say that a complaint and a case are about one matter; each keeps its own state."""
    where = settings.installed(home)
    with opened(where.control) as store:
        complaints.link(where, store, act_by(actor, reason, key), complaint, case)
    err.print(LINKED.in_(lang).format(complaint=complaint, case=case), soft_wrap=True)


@steps_app.command()
def unlink(
    complaint: IdArgument,
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take a link back; that it was there stays on record."""
    where = settings.installed(home)
    with opened(where.control) as store:
        complaints.unlink(where, store, act_by(actor, reason, key), complaint, case)
    err.print(UNLINKED.in_(lang).format(complaint=complaint, case=case))


@steps_app.command()
def reveal(
    complaint: IdArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show who complained. Who asked, when and why stands in the audit log before anything is shown."""
    where = settings.installed(home)
    with opened(where.control) as store:
        who = complaints.reveal(where, store, act_by(actor, reason), complaint)
    name = terminal(who.name) or UNSIGNED.in_(lang)
    out.print(f"{complaint}　{name}　{terminal(who.contact)}", soft_wrap=True)
    err.print(SECRET.in_(lang))


def _move(
    home: HomeOption,
    act: Act,
    complaint: str,
    verb: str,
    given: dict[str, str],
    at: datetime | None,
    lang: Lang,
) -> None:
    where = settings.installed(home)
    filled = {name: value for name, value in given.items() if value}
    with opened(where.control) as store:
        complaints.move(where, store, act, complaint, verb, filled, done_at=utc(at))
        found = complaints.complaint_of(store.con, complaint)
        is_suspended = complaints.is_suspended(store, complaint)
    out.print(f"{complaint}　{word(STATES_ZH, found.state, lang)}")
    say_next(complaint, found.state, found.regime, lang, is_suspended=is_suspended)


def say_next(
    complaint: str, state: ComplaintState, regime: Regime, lang: Lang, *, is_suspended: bool = False
) -> None:
    """Say what may come next with a complaint."""
    other = "suspend" if is_suspended else "resume"
    ways = ", ".join(
        WAY.in_(lang).format(verb=step.verb, step_zh=step.zh)
        for step in possible(state, regime)
        if step.verb != other
    )
    if ways:
        err.print(NEXT.in_(lang).format(complaint=complaint, ways=ways), soft_wrap=True)
    else:
        err.print(AT_REST.in_(lang).format(complaint=complaint, state=word(STATES_ZH, state, lang)))
