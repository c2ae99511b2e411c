"""What goes to other offices and what they answer (送达与反馈): list, release, send again, correct, take back, verify."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from pipelines import night, settings, times
from pipelines.casework.acts import Act
from pipelines.casework.deliveries import deliveries, receipts
from pipelines.casework.deliveries.deliveries import ANSWER_WITHIN_WORKDAYS, STATES_ZH, Delivery
from pipelines.casework.deliveries.results import penalties
from pipelines.casework.deliveries.results import send as send_results
from pipelines.commands.nights import INTEGRITY_FAILURE, REFUSED_ROWS
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    KeyOption,
    Lang,
    LangOption,
    today,
)
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out
from pipelines.findings import outbox
from pipelines.store import opened
from reports import delivery_check
from reports.alert_list import CONCLUSIONS_ZH

app = typer.Typer(help="Deliveries to other offices and what they answer (送达与反馈).", no_args_is_help=True)

DidArgument = Annotated[
    str, typer.Argument(metavar="DELIVERY", help="The delivery's number 送达编号, from `deliver list`.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in your words; it stands in the log.")]

OUTCOMES_ZH = {"taken": "已采纳", "unchanged": "无变化", "refused": "退回"}


@app.command("list")
def list_(
    home: HomeOption = None,
    state: Annotated[str | None, typer.Option(help=f"Only: {', '.join(STATES_ZH)} or late.")] = None,
    recipient: Annotated[str | None, typer.Option(help="Only to this office.")] = None,
    rows: Annotated[int, typer.Option(help="How many to show; csv and json have all.")] = 30,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List deliveries: to whom, of which night, held or sent, answered or late."""
    day, _ = today(as_of)
    is_zh = lang is Lang.ZH
    with opened(settings.installed(home).control) as store:
        known = deliveries.listed(store, day)
    found = [
        each
        for each in known
        if (state is None or each.state == state or (state == "late" and each.is_late))
        and (recipient is None or each.recipient == recipient)
    ]
    shown = found[:rows] if format is Format.TABLE else found
    if format is Format.TABLE:
        listing(
            f"送达 {day}：{len(shown)} / {len(found)}"
            if is_zh
            else f"Deliveries on {day}: {len(shown)} of {len(found)}",
            ("送达编号", "夜次", "单位", "条数", "状态", "反馈", "提示")
            if is_zh
            else ("delivery", "night", "office", "rows", "state", "answered", "remarks"),
            [
                (
                    each.did,
                    each.as_of,
                    f"{each.name_zh} {each.recipient}" if is_zh else each.recipient,
                    each.rows,
                    STATES_ZH[each.state] if is_zh else each.state,
                    f"{each.answered}/{each.rows}",
                    _remarks(each, is_zh),
                )
                for each in shown
            ],
            format,
        )
    else:
        listing(
            "",
            (
                "did",
                "as_of",
                "recipient",
                "name_zh",
                "kind",
                "rows",
                "copies",
                "answered",
                "state",
                "state_zh",
                "is_late",
                "workdays_left",
                "supersedes",
                "superseded_by",
                "new_signals",
                "most",
            ),
            [
                (
                    each.did,
                    each.as_of,
                    each.recipient,
                    each.name_zh,
                    "results" if each.is_results else "alerts",
                    each.rows,
                    each.copies,
                    each.answered,
                    each.state,
                    STATES_ZH[each.state],
                    each.is_late,
                    each.workdays_left,
                    each.supersedes,
                    each.superseded_by,
                    *(each.hold or (None, None)),
                )
                for each in shown
            ],
            format,
        )
    if held := sum(each.state == "held" for each in known):
        err.print(f"{held} held 暂缓: bidwatch deliver release --reason TEXT")
    if late := sum(each.is_late for each in known):
        err.print(
            f"{late} without an answer after {ANSWER_WITHIN_WORKDAYS} working days 逾期未反馈: "
            "bidwatch deliver list --state late"
        )


@app.command()
def release(
    reason: ReasonOption,
    delivery: Annotated[
        list[str] | None, typer.Argument(metavar="[DELIVERY]...", help="Which; all that are held, if none.")
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Let deliveries go that a night with far more new signals than usual held back."""
    where = settings.installed(home)
    with night.lock(where), opened(where.control) as store:
        gone = deliveries.release(
            store, Act(actor=actor, at=times.now(), reason=reason, key=key), delivery or ()
        )
        made = outbox.write(where, store)
    for folder in made:
        out.print(str(folder), soft_wrap=True)
    err.print(f"{len(gone)} released 已放行")


@app.command()
def resend(
    delivery: DidArgument,
    to: Annotated[Path | None, typer.Option("--to", help="Into this folder, such as a stick.")] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")] = "",
    key: KeyOption = None,
) -> None:
    """Make the folder of a delivery once more: the same bytes."""
    where = settings.installed(home)
    with night.lock(where), opened(where.control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        folder = deliveries.resend(where, store, act, delivery, to)
    out.print(str(folder), soft_wrap=True)
    err.print(f"  bidwatch deliver verify {folder}", soft_wrap=True)


@app.command()
def correct(
    delivery: DidArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Send a new list that puts right an earlier one; both stay, the new one names the old."""
    where = settings.installed(home)
    with night.lock(where), opened(where.control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        did = deliveries.correct(where, store, act, delivery)
        made = outbox.write(where, store)
    out.print(did)
    for folder in made:
        err.print(f"{did} supersedes 更正 {delivery}: {folder}", soft_wrap=True)


@app.command()
def results(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    actor: ActorOption = ACTING,
    reason: Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")] = "",
    key: KeyOption = None,
) -> None:
    """Copy penalties and results since the last time to every member office (notice 127 of 2021, article 17)."""
    where = settings.installed(home)
    day, _ = today(as_of)
    with night.lock(where), opened(where.control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        made = send_results(store, act, day, penalties(where, store, day))
        folders = outbox.write(where, store)
    for folder in folders:
        out.print(str(folder), soft_wrap=True)
    err.print(
        f"{len(made)} offices 抄送 {len(made)} 个成员单位" if made else "nothing new for any office 无新结果"
    )


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
    is_zh = lang is Lang.ZH
    refused = 0
    for number, file in enumerate(files):
        with opened(where.control) as store:
            own_key = key if key is None or not number else f"{key}/{number}"
            act = Act(actor=actor, at=times.now(), key=own_key)
            office, rows, notes = receipts.take_back(
                where, store, act, file, day, recipient=sender, did=delivery
            )
        for note in notes:
            err.print(f"{file.name}: {note}", soft_wrap=True)
        counts = Counter(row.outcome for row in rows)
        refused += counts["refused"]
        told = [row for row in rows if format is not Format.TABLE or row.outcome != "unchanged"]
        listing(
            f"{file.name} ← {office}",
            ("行", "预警编号", "结果", "核查结论", "原因")
            if is_zh
            else ("row", "alert", "outcome", "label", "why"),
            [
                (
                    row.place,
                    row.alert_id,
                    OUTCOMES_ZH[row.outcome] if is_zh else row.outcome,
                    CONCLUSIONS_ZH.get(row.answer.label or "", "") if is_zh else row.answer.label,
                    row.problem,
                )
                for row in told
            ],
            format,
        )
        err.print(
            f"{file.name}, {office}: "
            + ", ".join(f"{counts[each]} {each} {zh}" for each, zh in OUTCOMES_ZH.items()),
            soft_wrap=True,
        )
    err.print("  bidwatch review list --flag answered")
    if refused:
        raise typer.Exit(REFUSED_ROWS)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of one delivery.")],
) -> None:
    """Check a delivery folder: SHA-256 and SM3 of every file, the manifest, the delivery's number."""
    if not (folder / "MANIFEST.json").is_file():
        raise FileNotFoundError(f"{folder} is no delivery: it has no MANIFEST.json")
    faults = delivery_check.faults(deliveries.files_in(folder))
    for fault in faults:
        err.print(f"fault: {fault}")
    if faults:
        raise typer.Exit(INTEGRITY_FAILURE)
    out.print(f"{folder.name}: as it was sent 与送达时一致", soft_wrap=True)


def _remarks(each: Delivery, is_zh: bool) -> str:
    told = []
    if each.is_late:
        told.append("逾期未反馈" if is_zh else "late")
    elif each.workdays_left is not None:
        left = each.workdays_left
        told.append(f"反馈期余{left}个工作日" if is_zh else f"{left} workdays to answer")
    if each.is_results:
        told.append("处理结果" if is_zh else "results")
    elif each.rows and each.copies == each.rows:
        told.append("抄送" if is_zh else "copy")
    if each.hold and each.state == "held":
        told.append(f"新增{each.hold[0]}>{each.hold[1]}" if is_zh else f"{each.hold[0]} new > {each.hold[1]}")
    if each.supersedes:
        told.append(f"更正 {each.supersedes}" if is_zh else f"corrects {each.supersedes}")
    if each.superseded_by:
        told.append(f"已被更正 {each.superseded_by}" if is_zh else f"corrected by {each.superseded_by}")
    return "；".join(told)
