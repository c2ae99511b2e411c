"""What is done with a drawn list: inspections, their results and publication; who is added by hand or replaced."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework.draws import inspections, sheets
from pipelines.commands.desk_cells import due_cell, remaining
from pipelines.commands.draw_pools import ObjectId, OfficerId
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AtOption,
    HomeOption,
    KeyOption,
    LangOption,
    ReasonOption,
    act_by,
    choices,
    today,
    utc,
)
from pipelines.commands.output import err, out
from pipelines.commands.texts import Both, Lang
from pipelines.store import opened

ADDED = Both(
    "{object} 已人工增加到 {id}。下一步：bidwatch draw result {id} {object} 结果",
    "{object} was added to {id} by hand. Next: bidwatch draw result {id} {object} OUTCOME",
)
REPLACED = Both("{object} 由 {other} 接替 {officer}", "{other} takes the place of {officer} for {object}")
TO_PUBLISH = Both(
    "公示届满 {due}，剩余工作日：{left}。下一步：bidwatch draw publish {id} {object} --channel 公示渠道",
    "To be published until {due}, working days left: {left}."
    " Next: bidwatch draw publish {id} {object} --channel NAME",
)
PUBLISHED = Both("{id}：已公示 {count} 项结果", "{count} results of {id}: published")
WITHHELD = Both("{id}：{count} 项结果依法不公开", "{count} results of {id}: withheld")

steps_app = typer.Typer()

DrawId = Annotated[str, typer.Argument(metavar="DRAW", help="Id of the plan, such as SJ2026-001.")]


@steps_app.command()
def add(
    id: DrawId,
    object: ObjectId,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Add an object by hand; it is listed apart, with the reason, and never counts as drawn."""
    with opened(settings.installed(home).control) as store:
        team = inspections.add_object(store, act_by(actor, reason, key), id, object)
    out.print(" ".join(team))
    err.print(ADDED.in_(lang).format(id=id, object=object), soft_wrap=True)


@steps_app.command()
def replace(
    id: DrawId,
    object: ObjectId,
    officer: OfficerId,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Let the next officer by ticket take the place of one who cannot come; nobody chooses."""
    with opened(settings.installed(home).control) as store:
        other = inspections.replace_officer(store, act_by(actor, reason, key), id, object, officer)
    out.print(other)
    err.print(REPLACED.in_(lang).format(officer=officer, other=other, object=object))


@steps_app.command()
def result(
    id: DrawId,
    object: ObjectId,
    outcome: Annotated[
        str,
        typer.Argument(metavar="OUTCOME", help=choices(inspections.OUTCOMES_ZH)),
    ],
    at: AtOption = None,
    note: Annotated[str, typer.Option(help="In a few words; stays in this installation.")] = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Enter what an inspection found; --at is when it was done. Starts five working days for publication."""
    with opened(settings.installed(home).control) as store:
        inspections.enter_result(store, act_by(actor, reason, key), id, object, outcome, utc(at), note)
        day, _ = today(None)
        row = next(row for row in sheets.listed_objects(store, id, day) if row.object_id == object)
    if row.deadline:
        said = TO_PUBLISH.in_(lang).format(
            id=id, object=object, due=due_cell(row.deadline, lang), left=remaining(row.deadline, lang)
        )
        err.print(said, soft_wrap=True)


@steps_app.command()
def publish(
    id: DrawId,
    object: Annotated[
        list[str] | None, typer.Argument(metavar="[OBJECT]…", help="Which. Default: all results that wait.")
    ] = None,
    channel: Annotated[str, typer.Option(help="Where it was made public (公示渠道).")] = "",
    withhold: Annotated[str, typer.Option(help="Instead: why the law forbids it (依法不适合公开).")] = "",
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Say that results were made public, where and when."""
    with opened(settings.installed(home).control) as store:
        act = act_by(actor, key=key)
        done = inspections.note_publication(
            store, act, id, object or [], utc(at), channel=channel, withheld=withhold
        )
    out.print("\n".join(done))
    err.print((WITHHELD if withhold else PUBLISHED).in_(lang).format(count=len(done), id=id))
