"""Complaints at the desk: taking in, accepting, deciding; who complained stays sealed (notice, articles 8 to 10)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework.acts import Act
from pipelines.casework.clocks import periods
from pipelines.casework.clocks.periods import DELAYS_ZH, GROUNDS_ZH
from pipelines.casework.complaints import complaints, ledger
from pipelines.casework.complaints.complainants import Complainant
from pipelines.casework.complaints.states import (
    CHANNELS_ZH,
    CONCLUSIONS_ZH,
    ITEMS_ZH,
    RESPONDENTS_ZH,
    STATES_ZH,
    STEPS,
    ComplaintState,
    Regime,
    possible,
)
from pipelines.commands.complaint_rows import LEDGER_ZH, ledger_row, local, record, said, table_row
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    AtOption,
    KeyOption,
    Lang,
    LangOption,
    ReasonOption,
    today,
    utc,
)
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out, print_json
from pipelines.store import opened
from reports.cells import terminal

app = typer.Typer(
    help="Complaints (投诉): take in, accept, decide, with their clocks. Who complained is sealed.",
    no_args_is_help=True,
)

IdArgument = Annotated[
    str, typer.Argument(metavar="COMPLAINT", help="Its number, such as TS-2026-0007: see `complaints list`.")
]
DocumentOption = Annotated[str, typer.Option("--document", help="Number of the document (文号).")]
CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="The case: see `review list`.")]

#: Items on which the tenderer must be asked first (招标投标法实施条例 §60: objections under §22, §44 and §54).
OBJECTION_FIRST = (1, 2, 4, 5)


def _choices(known: dict[int, str]) -> str:
    return "; ".join(f"{code} {zh}" for code, zh in known.items())


@app.command("list")
def list_(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    state: Annotated[str | None, typer.Option(help="Only this state, such as handling or 待处理.")] = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the complaints (投诉台账), the newest first; csv and json have every column of the ledger."""
    day, at = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = ledger.ledger(store, day, at)
    shown = [each for each in found if state in (None, str(each.state), STATES_ZH[each.state])]
    is_zh = lang is Lang.ZH
    title = f"投诉台账 {day}：{len(shown)}" if is_zh else f"Complaints on {day}: {len(shown)}"
    if format is Format.JSON:
        print_json([record(each) for each in shown])
    elif format is Format.CSV:
        listing(title, LEDGER_ZH, [ledger_row(each) for each in shown], format)
    else:
        headers = (
            ("编号", "收到", "事项", "状态", "届满", "剩余", "预警", "承办人")
            if is_zh
            else ("number", "received", "about", "state", "due", "left", "warning", "handler")
        )
        listing(title, headers, [table_row(each, lang) for each in shown], format)
    if any(each.is_deemed_accepted for each in shown):
        err.print(
            "视为受理: not taken in within the time for acceptance; it counts as accepted, decide on it."
        )


@app.command()
def show(
    complaint: IdArgument,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show one complaint: what was written down, its clocks, every step, and what may come next."""
    day, at = today(as_of)
    with opened(settings.installed(home).control) as store:
        complaints.complaint_of(store.con, complaint)
        by_id = {each.id: each for each in ledger.ledger(store, day, at)}
        events = store.rows("SELECT * FROM complaint_event WHERE complaint = ? ORDER BY number", complaint)
        is_suspended = complaints.is_suspended(store, complaint)
    if complaint not in by_id:
        raise ValueError(f"{complaint} came after {day}")
    found = by_id[complaint]
    if format is not Format.TABLE:
        print_json({**record(found), "events": [dict(event) for event in events]})
        return
    for header, value in zip(LEDGER_ZH, ledger_row(found), strict=True):
        if value not in ("", None):
            out.print(f"{header}　{terminal(str(value))}", soft_wrap=True)
    zh = {step.verb: step.zh for step in STEPS}
    listing(
        "经过",
        ("时间", "步骤", "状态", "文号等", "理由", "经办人"),
        [
            (
                local(event["done_at"]),
                zh[event["verb"]],
                STATES_ZH[event["after"]],
                said(json.loads(event["details"])),
                event["reason"],
                event["actor"],
            )
            for event in events
        ],
        Format.TABLE,
    )
    _next(found.id, found.state, found.regime, is_suspended=is_suspended)


@app.command()
def receive(
    office: Annotated[
        str, typer.Option(help="Who handles it: housing, finance, water … as in the routing table.")
    ],
    item: Annotated[int, typer.Option(help=_choices(ITEMS_ZH))],
    against: Annotated[int, typer.Option(help=f"Whom it is against: {_choices(RESPONDENTS_ZH)}")],
    regime: Annotated[
        Regime, typer.Option(help="tendering: 招标投标法; procurement: 政府采购法.")
    ] = Regime.TENDERING,
    channel: Annotated[
        str, typer.Option(help="; ".join(f"{code} {zh}" for code, zh in CHANNELS_ZH.items()))
    ] = "offline",
    received: Annotated[
        datetime | None,
        typer.Option(
            "--received", formats=["%Y-%m-%d", "%Y-%m-%d %H:%M"], help="When it came. Default: now."
        ),
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
) -> None:
    """Take a complaint in. Name and contact of the complainant are asked for, and sealed at once.

    They are read from the keyboard or from standard input, one a line, and are no options: what is typed
    on a command line can be read by others.
    """
    name = typer.prompt(
        "Complainant's name 投诉人 (empty: none given)", default="", show_default=False, err=True
    )
    contact = typer.prompt("Contact 联系方式 (empty: none given)", default="", show_default=False, err=True)
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
        act = _act(actor, reason, key)
        id = complaints.receive(where, store, act, intake, Complainant(name.strip(), contact.strip()))
        found = complaints.complaint_of(store.con, id)
    out.print(f"{id}　{found.complainant}")
    if not objected and regime is Regime.TENDERING and item in OBJECTION_FIRST:
        err.print(
            f"{ITEMS_ZH[item]}: an objection to the tenderer must come first (招标投标法实施条例第六十条)."
        )
    _next(id, found.state, found.regime)


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
    ) -> None:
        _move(home, _act(actor, reason, key), complaint, verb, {"document": document}, at)

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
    app.command(verb, help=text)(_step_command(verb))


@app.command()
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
) -> None:
    """Stop counting for a test or review (开始扣除期间); --at is the first day that does not count."""
    given = {"ground": ground, "document": document}
    _move(home, _act(actor, reason, key), complaint, "suspend", given, at)


@app.command()
def decide(
    complaint: IdArgument,
    conclusion: Annotated[int, typer.Option(help=_choices(CONCLUSIONS_ZH))],
    document: DocumentOption,
    reason: ReasonOption = "",
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Write down the decision on a complaint (处理决定书)."""
    given = {"conclusion": str(conclusion), "document": document}
    _move(home, _act(actor, reason, key), complaint, "decide", given, at)


@app.command()
def link(
    complaint: IdArgument,
    case: CaseArgument,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Say that a complaint and a case are about one matter; each keeps its own state."""
    where = settings.installed(home)
    with opened(where.control) as store:
        complaints.link(where, store, _act(actor, reason, key), complaint, case)
    err.print(f"{complaint} is linked to {case}. Undo: bidwatch complaints unlink {complaint} {case}")


@app.command()
def unlink(
    complaint: IdArgument,
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Take a link back; that it was there stays on record."""
    where = settings.installed(home)
    with opened(where.control) as store:
        complaints.unlink(where, store, _act(actor, reason, key), complaint, case)
    err.print(f"{complaint} is no longer linked to {case}")


@app.command()
def reveal(
    complaint: IdArgument, reason: ReasonOption, home: HomeOption = None, actor: ActorOption = ACTING
) -> None:
    """Show who complained. Who asked, when and why stands in the audit log before anything is shown."""
    where = settings.installed(home)
    with opened(where.control) as store:
        who = complaints.reveal(where, store, _act(actor, reason, None), complaint)
    out.print(f"{complaint}　{terminal(who.name) or '未署名'}　{terminal(who.contact)}", soft_wrap=True)
    err.print("Keep it to yourself: 投诉举报人相关信息严格保密 (修发改法规〔2021〕127号第（九）条).")


@app.command()
def year(
    year: Annotated[int, typer.Argument(help="The year in which the period ended.")],
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Count the delays of a year by office and kind, for the yearly assessment (notice, article 10)."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = complaints.delays(store, year, day)
    counted = Counter((office, delay.kind) for office, delay in found)
    is_zh = lang is Lang.ZH
    kinds = [periods.DelayKind.ACCEPTANCE, periods.DelayKind.HANDLING, periods.DelayKind.NOT_CONCLUDED]
    listing(
        f"{year} 年投诉办理超期（截至 {day}）" if is_zh else f"Delays in complaints of {year}, as of {day}",
        ("承办单位" if is_zh else "office", *(DELAYS_ZH[kind] if is_zh else str(kind) for kind in kinds)),
        [
            (office, *(counted[office, kind] for kind in kinds))
            for office in sorted({office for office, _ in found})
        ],
        format,
    )


def _move(
    home: HomeOption, act: Act, complaint: str, verb: str, given: dict[str, str], at: datetime | None
) -> None:
    where = settings.installed(home)
    filled = {name: value for name, value in given.items() if value}
    with opened(where.control) as store:
        complaints.move(where, store, act, complaint, verb, filled, done_at=utc(at))
        found = complaints.complaint_of(store.con, complaint)
        is_suspended = complaints.is_suspended(store, complaint)
    out.print(f"{complaint}　{STATES_ZH[found.state]} {found.state}")
    _next(complaint, found.state, found.regime, is_suspended=is_suspended)


def _next(complaint: str, state: ComplaintState, regime: Regime, *, is_suspended: bool = False) -> None:
    other = "suspend" if is_suspended else "resume"
    ways = ", ".join(f"{step.verb} ({step.zh})" for step in possible(state, regime) if step.verb != other)
    if ways:
        err.print(f"Next: bidwatch complaints VERB {complaint}, where VERB is {ways}", soft_wrap=True)
    else:
        err.print(f"{complaint} is at rest: {STATES_ZH[state]}")


def _act(actor: str, reason: str, key: str | None) -> Act:
    return Act(actor=actor, at=times.now(), reason=reason, key=key)
