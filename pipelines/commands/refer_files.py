"""Papers of referrals at the desk: the file of a referral, requests to the police for help, replies to the police."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import files, settings, times
from pipelines.casework import document_numbers
from pipelines.casework.acts import Act
from pipelines.casework.clocks import deadlines, periods
from pipelines.casework.offices import offices
from pipelines.casework.referrals import assistance, case_findings, materials, objections, replies
from pipelines.commands.deadlines import due_cell
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    AtOption,
    KeyOption,
    Lang,
    LangOption,
    today,
    utc,
)
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out
from pipelines.commands.review import CaseArgument, ReasonOption
from pipelines.reference import Reference
from pipelines.store import opened
from reports import letters
from reports.letters import LetterHead

assist_app = typer.Typer(help="Ask the police for help in a case (协助办理函).", no_args_is_help=True)

ToOption = Annotated[Path, typer.Option("--to", help="A new folder for the papers.")]
NumberOption = Annotated[
    str, typer.Option("--document", help="Number of the letter, 文号: 修发改函〔2026〕12号.")
]
OfficeOption = Annotated[
    str, typer.Option("--office", help="Who signs. Default: the coordinating office of the reference table.")
]
ContactOption = Annotated[str, typer.Option("--contact", help="联系人及电话; left open if not given.")]
OnOption = Annotated[
    datetime | None,
    typer.Option("--on", formats=["%Y-%m-%d"], help="Day of the letter; left open if not given."),
]
RequestArgument = Annotated[
    str, typer.Argument(metavar="REQUEST", help="Number of the request, from `refer assist list`.")
]


def add_to(app: typer.Typer) -> None:
    """Put the commands into the group ``refer``."""
    app.command("file")(file)
    app.command("reply")(reply)
    app.command("objection")(objection)
    app.add_typer(assist_app, name="assist")


def file(
    case: CaseArgument,
    to: ToOption,
    document: NumberOption = "",
    on: OnOption = None,
    office: OfficeOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Write the file of a referral (移送材料): letter, report, list with check sums, receipt, evidence, proof.

    Persons stay tokens or masks; a package with clear personal data for the police is not made here.
    """
    where = settings.installed(home)
    _refuse_used(to)
    with opened(where.control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        id, contents = materials.write(
            where, store, act, case, _head(where.reference, office, document, on, contact)
        )
        is_changed = materials.has_new_evidence(store.con, case)
    _write(to, contents)
    for name, content in sorted(contents.items()):
        out.print(f"{len(content):>10,}  {name}")
    err.print(
        f"{id}: {to}; to check: sha256sum -c SHA256SUMS; python3 verify_log.py entry proof.json CHECKPOINT",
        soft_wrap=True,
    )
    err.print("  调查报告.docx: two officers fill it in and sign; then both go out with 送达回证.docx.")
    if is_changed:
        err.print(
            "The evidence has changed since it was approved: this file has what was approved (有新证据)."
        )
    err.print(f"  bidwatch refer send {case} --document 文号")


def reply(
    case: CaseArgument,
    document: NumberOption,
    to: ToOption,
    on: OnOption = None,
    office: OfficeOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Write the reply to the police on a matter that they had handed over (书面回告)."""
    _refuse_used(to)
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        letter = replies.write(store, act, case, _head(store.reference, office, document, on, contact))
    _write(to, {"回告.docx": letter})
    err.print(f"{case}: {to / '回告.docx'}", soft_wrap=True)


def objection(
    case: CaseArgument,
    to: ToOption,
    way: Annotated[str, typer.Option(help="reconsideration (提请复议), or supervision (建议立案监督).")],
    grounds: Annotated[str, typer.Option(help="Why a case should be filed.")],
    document: NumberOption = "",
    on: OnOption = None,
    office: OfficeOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
) -> None:
    """Write the letter against a refusal of the police to file a case; `refer reconsider` then notes the step."""
    where = settings.installed(home)
    _refuse_used(to)
    with opened(where.control) as store:
        content = objections.letter(
            where, store, case, way, grounds, _head(where.reference, office, document, on, contact)
        )
    name = {"reconsideration": "提请复议函.docx", "supervision": "立案监督建议函.docx"}[way]
    _write(to, {name: content})
    err.print(f"{case}: {to / name}", soft_wrap=True)
    err.print(f"  bidwatch refer reconsider {case} --reason TEXT  提请复议/监督")


@assist_app.command("ask")
def ask(
    case: CaseArgument,
    document: NumberOption,
    facts: Annotated[str, typer.Option(help="案件基本情况.")],
    matter: Annotated[str, typer.Option(help="需要协助办理的事项.")],
    grounds: Annotated[str, typer.Option(help="理由.")],
    material: Annotated[list[str], typer.Option(help="相关证据资料, one each; may be given several times.")],
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Write a request down and start its clock; --at says when the police had it."""
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        id = assistance.ask(
            store,
            act,
            case,
            document=document,
            facts=facts,
            matter=matter,
            grounds=grounds,
            materials=material,
            received_at=utc(at),
        )
    out.print(id)
    err.print(f"  bidwatch refer assist letter {id} --to FOLDER  协助办理函")
    _next(id)


@assist_app.command("letter")
def letter(
    request: RequestArgument,
    to: ToOption,
    on: OnOption = None,
    office: OfficeOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
) -> None:
    """Write the letter of a request (协助办理函)."""
    _refuse_used(to)
    where = settings.installed(home)
    with opened(where.control) as store:
        found = assistance.request_of(store.con, request)
        subject = case_findings.project_of(where, store, found.case_id)
    content = letters.assistance_letter(
        _head(where.reference, office, found.document_no, on, contact),
        recipient_zh=assistance.recipient_zh(where.reference),
        subject=subject,
        facts=found.facts,
        matter=found.matter,
        grounds=found.grounds,
        materials=found.materials,
        period=periods.cited(assistance.RETURN_RULE),
    )
    _write(to, {"协助办理函.docx": content})
    err.print(f"{request}: {to / '协助办理函.docx'}", soft_wrap=True)


@assist_app.command("answer")
def answer(
    request: RequestArgument,
    finding: Annotated[str, typer.Option(help="What they found, as they wrote.")],
    document: NumberOption = "",
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Write down what the police found."""
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        assistance.answer(store, act, request, finding, document=document, ended_at=utc(at))
    err.print(f"{request}: {assistance.OUTCOMES_ZH['answered']}")


@assist_app.command("return")
def return_(
    request: RequestArgument,
    reason: ReasonOption,
    document: NumberOption = "",
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Write down that the police returned it, and why."""
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), key=key)
        assistance.send_back(store, act, request, reason, document=document, ended_at=utc(at))
    err.print(f"{request}: {assistance.OUTCOMES_ZH['returned']}")


@assist_app.command("list")
def list_(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List requests: to whom, how each stands, what is due."""
    day, moment = today(as_of)
    is_zh = lang is Lang.ZH
    with opened(settings.installed(home).control) as store:
        found = assistance.requests(store)
        names = offices(store.reference)
        running = {each.object: each for each in deadlines.open_deadlines(store, day, moment)}
    listing(
        f"协助办理函 {day}：{len(found)}" if is_zh else f"Requests for assistance on {day}: {len(found)}",
        ("编号", "线索", "文号", "单位", "事项", "状态", "退回时限")
        if is_zh
        else ("request", "case", "document", "office", "matter", "state", "return due"),
        [
            (
                each.id,
                each.case_id,
                each.document_no,
                names[each.recipient].name_zh if is_zh else each.recipient,
                each.matter,
                assistance.OUTCOMES_ZH[each.outcome] if is_zh else each.outcome or "open",
                due_cell(running[each.id], lang) if each.id in running else "",
            )
            for each in found
        ],
        format,
    )


def _next(id: str) -> None:
    err.print(f"  bidwatch refer assist answer {id} --finding TEXT  书面反馈")
    err.print(f"  bidwatch refer assist return {id} --reason TEXT  退回")


def _head(known: Reference, office: str, document: str, on: datetime | None, contact: str) -> LetterHead:
    number = str(document_numbers.parse(document)) if document else ""
    signing = office or offices(known)["development-reform"].name_zh
    return LetterHead(office=signing, number=number, on=on.date() if on else None, contact=contact)


def _refuse_used(folder: Path) -> None:
    """Refuse a folder that is there, before anything is written down."""
    if folder.exists():
        raise ValueError(f"{folder} is there already; name a new folder")


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    files.make_folder(folder.absolute(), contents)
