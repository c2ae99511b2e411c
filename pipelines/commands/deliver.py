"""What goes to other offices and what they answer (送达与反馈): list, release, send again, correct, take back, verify."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from pipelines import night, settings
from pipelines.casework.deliveries import deliveries, receipts
from pipelines.casework.deliveries.deliveries import ANSWER_WITHIN_WORKDAYS, STATES_ZH, Delivery
from pipelines.casework.deliveries.results import penalties
from pipelines.casework.deliveries.results import send as send_results
from pipelines.commands.exits import INTEGRITY_FAILURE, REFUSED_ROWS
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    Format,
    FormatOption,
    HomeOption,
    KeyOption,
    LangOption,
    Panel,
    ReasonOption,
    RecipientOption,
    RowsOption,
    act_by,
    today,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import COMMA, SEMICOLON, Both, Lang, word
from pipelines.findings import outbox
from pipelines.store import opened
from reports import delivery_check
from reports.alert_list import CONCLUSIONS_ZH

OUTCOMES_ZH = {"taken": "已采纳", "unchanged": "无变化", "refused": "退回"}

DELIVERIES = Both("送达 {day}：{shown} / {all}", "Deliveries on {day}: {shown} of {all}")
HEADINGS = Both(
    ("送达编号", "夜次", "单位", "条数", "状态", "反馈", "提示"),
    ("delivery", "night", "office", "rows", "state", "answered", "remarks"),
)
ANY_HELD = Both(
    "暂缓 {count} 件：bidwatch deliver release --reason 理由",
    "{count} held: bidwatch deliver release --reason TEXT",
)
ANY_LATE = Both(
    "{count} 件超过 {days} 个工作日未反馈：bidwatch deliver list --state late",
    "{count} without an answer after {days} working days: bidwatch deliver list --state late",
)
LATE = Both("逾期未反馈", "late")
LEFT = Both("反馈期余{days}个工作日", "{days} workdays to answer")
RESULTS = Both("处理结果", "results")
COPY = Both("抄送", "copy")
TOO_MANY = Both("新增{new}>{most}", "{new} new > {most}")
CORRECTS = Both("更正 {delivery_id}", "corrects {delivery_id}")
CORRECTED = Both("已被更正 {delivery_id}", "corrected by {delivery_id}")
RELEASED = Both("已放行 {count} 件", "{count} released")
CHECK = Both("核验：bidwatch deliver verify {folder}", "To check: bidwatch deliver verify {folder}")
SUPERSEDES = Both("{delivery_id} 更正 {before}：{folder}", "{delivery_id} supersedes {before}: {folder}")
SENT_RESULTS = Both("已抄送 {count} 个成员单位", "results copied to {count} offices")
NO_RESULTS = Both("无新结果", "nothing new for any office")
RECEIPT = Both("{file} ← {office}", "{file} ← {office}")
RECEIPT_HEADINGS = Both(
    ("行", "预警编号", "结果", "核查结论", "原因"), ("row", "alert", "outcome", "label", "why")
)
FILE_NOTE = Both("{file}：{note}", "{file}: {note}")
COUNTS = Both("{file}，{office}：{counts}", "{file}, {office}: {counts}")
COUNT = Both("{word} {count}", "{count} {word}")
FAULT = Both("异常：{fault}", "fault: {fault}")
AS_SENT = Both("{folder}：与送达时一致", "{folder}: as it was sent")

#: What programs get of a delivery.
RECORD: dict[str, Callable[[Delivery], object]] = {
    "delivery_id": lambda each: each.delivery_id,
    "as_of": lambda each: each.as_of,
    "recipient": lambda each: each.recipient,
    "name_zh": lambda each: each.name_zh,
    "kind": lambda each: "results" if each.is_results else "alerts",
    "rows": lambda each: each.rows,
    "copies": lambda each: each.copies,
    "answered": lambda each: each.answered,
    "state": lambda each: each.state,
    "state_zh": lambda each: STATES_ZH[each.state],
    "is_late": lambda each: each.is_late,
    "workdays_left": lambda each: each.workdays_left,
    "supersedes": lambda each: each.supersedes,
    "superseded_by": lambda each: each.superseded_by,
    "new_signals": lambda each: each.hold[0] if each.hold else None,
    "most": lambda each: each.hold[1] if each.hold else None,
}

app = typer.Typer(
    name="deliver",
    help="Deliveries to other offices and what they answer (送达与反馈).",
    no_args_is_help=True,
    rich_help_panel=Panel.CASES,
)

DidArgument = Annotated[
    str, typer.Argument(metavar="DELIVERY", help="The delivery's number 送达编号, from `deliver list`.")
]


@app.command("list")
def list_(
    home: HomeOption = None,
    state: Annotated[str | None, typer.Option(help=f"Only: {', '.join(STATES_ZH)} or late.")] = None,
    recipient: RecipientOption = None,
    rows: RowsOption = 30,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List deliveries: to whom, of which night, held or sent, answered or late."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        known = deliveries.listed(store, day)
    found = [
        each
        for each in known
        if (state is None or each.state == state or (state == "late" and each.is_late))
        and (recipient is None or each.recipient == recipient)
    ]
    if format is Format.TABLE:
        shown = found[:rows]
        listing(
            DELIVERIES.in_(lang).format(day=day, shown=len(shown), all=len(found)),
            HEADINGS.in_(lang),
            [
                (
                    each.delivery_id,
                    each.as_of,
                    Both(f"{each.name_zh} {each.recipient}", each.recipient).in_(lang),
                    each.rows,
                    word(STATES_ZH, each.state, lang),
                    f"{each.answered}/{each.rows}",
                    _remarks(each, lang),
                )
                for each in shown
            ],
            format,
        )
    else:
        listing("", tuple(RECORD), [[value(each) for value in RECORD.values()] for each in found], format)
    if held := sum(each.state == "held" for each in known):
        err.print(ANY_HELD.in_(lang).format(count=held))
    if late := sum(each.is_late for each in known):
        err.print(ANY_LATE.in_(lang).format(count=late, days=ANSWER_WITHIN_WORKDAYS), soft_wrap=True)


@app.command()
def release(
    reason: ReasonOption,
    delivery: Annotated[
        list[str] | None, typer.Argument(metavar="[DELIVERY]...", help="Which; all that are held, if none.")
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Let deliveries go that a night with far more new signals than usual held back."""
    where = settings.installed(home)
    with night.lock(where), opened(where.control) as store:
        gone = deliveries.release(store, act_by(actor, reason, key), delivery or ())
        made = outbox.write(where, store)
    for folder in made:
        out.print(str(folder), soft_wrap=True)
    err.print(RELEASED.in_(lang).format(count=len(gone)))


@app.command()
def resend(
    delivery: DidArgument,
    to: Annotated[Path | None, typer.Option("--to", help="Into this folder, such as a stick.")] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Make the folder of a delivery once more: the same bytes."""
    where = settings.installed(home)
    with night.lock(where), opened(where.control) as store:
        folder = deliveries.resend(where, store, act_by(actor, reason, key), delivery, to)
    out.print(str(folder), soft_wrap=True)
    err.print(CHECK.in_(lang).format(folder=folder), soft_wrap=True)


@app.command()
def correct(
    delivery: DidArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Send a new list that puts right an earlier one; both stay, the new one names the old."""
    where = settings.installed(home)
    with night.lock(where), opened(where.control) as store:
        delivery_id = deliveries.correct(where, store, act_by(actor, reason, key), delivery)
        made = outbox.write(where, store)
    out.print(delivery_id)
    for folder in made:
        err.print(
            SUPERSEDES.in_(lang).format(delivery_id=delivery_id, before=delivery, folder=folder),
            soft_wrap=True,
        )


@app.command()
def results(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Copy penalties and results since the last time to every member office (notice 127 of 2021, article 17)."""
    where = settings.installed(home)
    day, _ = today(as_of)
    with night.lock(where), opened(where.control) as store:
        made = send_results(store, act_by(actor, reason, key), day, penalties(where, store, day))
        folders = outbox.write(where, store)
    for folder in folders:
        out.print(str(folder), soft_wrap=True)
    err.print(SENT_RESULTS.in_(lang).format(count=len(made)) if made else NO_RESULTS.in_(lang))


@app.command()
def receipt(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Filled-in lists, xlsx or CSV.")],
    sender: Annotated[
        str | None, typer.Option("--from", help="The office that answers, where the file does not show it.")
    ] = None,
    delivery: Annotated[str | None, typer.Option(help="The delivery that is answered, likewise.")] = None,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take back lists that offices filled in. Every row is taken, unchanged, or refused with the reason."""
    where = settings.installed(home)
    day, _ = today(as_of)
    refused = 0
    for number, file in enumerate(files):
        own_key = key if key is None or not number else f"{key}/{number}"
        with opened(where.control) as store:
            act = act_by(actor, key=own_key)
            office, rows, notes = receipts.take_back(
                where, store, act, file, day, recipient=sender, delivery_id=delivery
            )
        for note in notes:
            err.print(FILE_NOTE.in_(lang).format(file=file.name, note=note), soft_wrap=True)
        told = [row for row in rows if format is not Format.TABLE or row.outcome != "unchanged"]
        listing(
            RECEIPT.in_(lang).format(file=file.name, office=office),
            RECEIPT_HEADINGS.in_(lang),
            [
                (
                    row.place,
                    row.alert_id,
                    word(OUTCOMES_ZH, row.outcome, lang),
                    Both(CONCLUSIONS_ZH.get(row.answer.label or "", ""), row.answer.label).in_(lang),
                    row.problem,
                )
                for row in told
            ],
            format,
        )
        counts = Counter(row.outcome for row in rows)
        refused += counts["refused"]
        said = COMMA.in_(lang).join(
            COUNT.in_(lang).format(count=counts[each], word=word(OUTCOMES_ZH, each, lang))
            for each in OUTCOMES_ZH
        )
        err.print(COUNTS.in_(lang).format(file=file.name, office=office, counts=said), soft_wrap=True)
    err.print("  bidwatch review list --flag answered")
    if refused:
        raise typer.Exit(REFUSED_ROWS)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of one delivery.")],
    lang: LangOption = Lang.ZH,
) -> None:
    """Check a delivery folder: SHA-256 and SM3 of every file, the manifest, the delivery's number."""
    if not (folder / "MANIFEST.json").is_file():
        raise FileNotFoundError(f"{folder} is no delivery: it has no MANIFEST.json")
    faults = delivery_check.faults(deliveries.files_in(folder))
    for fault in faults:
        err.print(FAULT.in_(lang).format(fault=fault))
    if faults:
        raise typer.Exit(INTEGRITY_FAILURE)
    out.print(AS_SENT.in_(lang).format(folder=folder.name), soft_wrap=True)


def _remarks(each: Delivery, lang: Lang) -> str:
    told = []
    if each.is_late:
        told.append(LATE.in_(lang))
    elif each.workdays_left is not None:
        told.append(LEFT.in_(lang).format(days=each.workdays_left))
    if each.is_results:
        told.append(RESULTS.in_(lang))
    elif each.rows and each.copies == each.rows:
        told.append(COPY.in_(lang))
    if each.hold and each.state == "held":
        told.append(TOO_MANY.in_(lang).format(new=each.hold[0], most=each.hold[1]))
    if each.supersedes:
        told.append(CORRECTS.in_(lang).format(delivery_id=each.supersedes))
    if each.superseded_by:
        told.append(CORRECTED.in_(lang).format(delivery_id=each.superseded_by))
    return SEMICOLON.in_(lang).join(told)
