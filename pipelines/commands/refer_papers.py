"""Papers of referrals at the desk: the file of a referral, requests to the police for help, replies to the police."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import files, settings
from pipelines.casework import document_numbers
from pipelines.casework.clocks import deadlines, periods
from pipelines.casework.offices import offices
from pipelines.casework.referrals import assistance, case_findings, materials, objections, replies
from pipelines.commands.desk_cells import due_cell
from pipelines.commands.options import (
    ACTING,
    DAY,
    ActorOption,
    AsOfOption,
    AtOption,
    CaseArgument,
    Format,
    FormatOption,
    HomeOption,
    KeyOption,
    LangOption,
    ReasonOption,
    SigningOption,
    act_by,
    today,
    utc,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import Both, Lang, word
from pipelines.reference import Reference
from pipelines.store import opened
from reports import letters
from reports.letters import LetterHead

CHECK = Both(
    "{id}：{folder}；核验：sha256sum -c SHA256SUMS；python3 verify_log.py entry proof.json CHECKPOINT",
    "{id}: {folder}; to check: sha256sum -c SHA256SUMS; python3 verify_log.py entry proof.json CHECKPOINT",
)
SIGN = Both(
    "  调查报告.docx 由两名经办人填写并签名，再连同送达回证.docx 一并送出。",
    "  调查报告.docx: two officers fill it in and sign; then both go out with 送达回证.docx.",
)
IS_CHANGED = Both(
    "批准后有新证据：本卷为批准时的证据。",
    "The evidence has changed since it was approved: this file has what was approved.",
)
SEND = Both("  bidwatch refer send {case} --document 文号", "  bidwatch refer send {case} --document NUMBER")
WRITTEN = Both("{about}：{path}", "{about}: {path}")
OBJECT = Both(
    "  bidwatch refer reconsider {case} --reason 理由  提请复议/监督",
    "  bidwatch refer reconsider {case} --reason TEXT",
)
LETTER = Both(
    "  bidwatch refer assist letter {id} --to 文件夹  协助办理函",
    "  bidwatch refer assist letter {id} --to FOLDER",
)
ANSWER = Both(
    "  bidwatch refer assist answer {id} --finding 反馈内容  书面反馈",
    "  bidwatch refer assist answer {id} --finding TEXT",
)
RETURN = Both(
    "  bidwatch refer assist return {id} --reason 理由  退回",
    "  bidwatch refer assist return {id} --reason TEXT",
)
STANDS = Both("{id}：{outcome}", "{id}: {outcome}")
REQUESTS = Both("协助办理函 {day}：{count}", "Requests for assistance on {day}: {count}")
HEADINGS = Both(
    ("编号", "线索", "文号", "单位", "事项", "状态", "退回时限"),
    ("request", "case", "document", "office", "matter", "state", "return due"),
)
OPEN = Both(assistance.OUTCOMES_ZH[""], "open")

papers_app = typer.Typer()
assist_app = typer.Typer(
    name="assist", help="Ask the police for help in a case (协助办理函).", no_args_is_help=True
)
papers_app.add_typer(assist_app)

ToOption = Annotated[Path, typer.Option("--to", help="A new folder for the papers.")]
NumberOption = Annotated[
    str, typer.Option("--document", help="Number of the letter, 文号: 修发改函〔2026〕12号.")
]
ContactOption = Annotated[str, typer.Option("--contact", help="联系人及电话; left open if not given.")]
OnOption = Annotated[
    datetime | None,
    typer.Option("--on", formats=DAY, help="Day of the letter; left open if not given."),
]
RequestArgument = Annotated[
    str, typer.Argument(metavar="REQUEST", help="Number of the request, from `refer assist list`.")
]


@papers_app.command()
def file(
    case: CaseArgument,
    to: ToOption,
    document: NumberOption = "",
    on: OnOption = None,
    office: SigningOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write the file of a referral (移送材料): letter, report, list with check sums, receipt, evidence, proof.

    Persons stay tokens or masks; a package with clear personal data for the police is not made here.
    """
    where = settings.installed(home)
    _refuse_used(to)
    with opened(where.control) as store:
        head = _head(store.reference, office, document, on, contact)
        id, contents = materials.write(where, store, act_by(actor, reason, key), case, head)
        is_changed = materials.has_new_evidence(store.con, case)
    _write(to, contents)
    for name, content in sorted(contents.items()):
        out.print(f"{len(content):>10,}  {name}")
    err.print(CHECK.in_(lang).format(id=id, folder=to), soft_wrap=True)
    err.print(SIGN.in_(lang))
    if is_changed:
        err.print(IS_CHANGED.in_(lang))
    err.print(SEND.in_(lang).format(case=case))


@papers_app.command()
def reply(
    case: CaseArgument,
    document: NumberOption,
    to: ToOption,
    on: OnOption = None,
    office: SigningOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write the reply to the police on a matter that they had handed over (书面回告)."""
    _refuse_used(to)
    with opened(settings.installed(home).control) as store:
        head = _head(store.reference, office, document, on, contact)
        letter = replies.write(store, act_by(actor, reason, key), case, head)
    _write(to, {"回告.docx": letter})
    err.print(WRITTEN.in_(lang).format(about=case, path=to / "回告.docx"), soft_wrap=True)


@papers_app.command()
def objection(
    case: CaseArgument,
    to: ToOption,
    way: Annotated[str, typer.Option(help="reconsideration (提请复议), or supervision (建议立案监督).")],
    grounds: Annotated[str, typer.Option(help="Why a case should be filed.")],
    document: NumberOption = "",
    on: OnOption = None,
    office: SigningOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
    lang: LangOption = Lang.ZH,
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
    err.print(WRITTEN.in_(lang).format(about=case, path=to / name), soft_wrap=True)
    err.print(OBJECT.in_(lang).format(case=case))


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
    lang: LangOption = Lang.ZH,
) -> None:
    """Write a request down and start its clock; --at says when the police had it."""
    with opened(settings.installed(home).control) as store:
        id = assistance.ask(
            store,
            act_by(actor, reason, key),
            case,
            document=document,
            facts=facts,
            matter=matter,
            grounds=grounds,
            materials=material,
            received_at=utc(at),
        )
    out.print(id)
    for way in (LETTER, ANSWER, RETURN):
        err.print(way.in_(lang).format(id=id))


@assist_app.command("letter")
def letter(
    request: RequestArgument,
    to: ToOption,
    on: OnOption = None,
    office: SigningOption = "",
    contact: ContactOption = "",
    home: HomeOption = None,
    lang: LangOption = Lang.ZH,
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
    err.print(WRITTEN.in_(lang).format(about=request, path=to / "协助办理函.docx"), soft_wrap=True)


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
    lang: LangOption = Lang.ZH,
) -> None:
    """Write down what the police found."""
    with opened(settings.installed(home).control) as store:
        act = act_by(actor, reason, key)
        assistance.answer(store, act, request, finding, document=document, ended_at=utc(at))
    outcome = word(assistance.OUTCOMES_ZH, "answered", lang)
    err.print(STANDS.in_(lang).format(id=request, outcome=outcome))


@assist_app.command("return")
def return_(
    request: RequestArgument,
    reason: ReasonOption,
    document: NumberOption = "",
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write down that the police returned it, and why."""
    with opened(settings.installed(home).control) as store:
        act = act_by(actor, key=key)
        assistance.send_back(store, act, request, reason, document=document, ended_at=utc(at))
    outcome = word(assistance.OUTCOMES_ZH, "returned", lang)
    err.print(STANDS.in_(lang).format(id=request, outcome=outcome))


@assist_app.command("list")
def list_(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List requests: to whom, how each stands, what is due."""
    day, moment = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = assistance.requests(store)
        names = offices(store.reference)
        running = {each.object: each for each in deadlines.open_deadlines(store, day, moment)}
    listing(
        REQUESTS.in_(lang).format(day=day, count=len(found)),
        HEADINGS.in_(lang),
        [
            (
                each.id,
                each.case_id,
                each.document_no,
                Both(names[each.recipient].name_zh, each.recipient).in_(lang),
                each.matter,
                word(assistance.OUTCOMES_ZH, each.outcome, lang) if each.outcome else OPEN.in_(lang),
                due_cell(running[each.id], lang) if each.id in running else "",
            )
            for each in found
        ],
        format,
    )


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
