"""The pools of 双随机: objects of inspection, officers, and who must stay away from whom."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework.acts import Act
from pipelines.casework.draws import conflicts, pools
from pipelines.casework.draws.pools import OBJECTS, OFFICERS, Pool
from pipelines.commands.options import (
    ACTING,
    MOMENT,
    ActorOption,
    Format,
    FormatOption,
    HomeOption,
    KeyOption,
    LangOption,
    ReasonOption,
    act_by,
    choices,
    utc,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import Both, Lang, word
from pipelines.store import opened

ADDED = Both(
    "{id} 已列入{pool}，现有 {count}。下一步：bidwatch draw plan",
    "{id} stands in the {pool}, {count} in all. Next: bidwatch draw plan",
)
RETIRED = Both("{id} 已移出{pool}，尚有 {count}", "{id} has left the {pool}, {count} remain")
WOULD_CHANGE = Both(
    "{pool}：将新增 {added}，变更 {changed}，移出 {retired}",
    "{pool}: {added} would be added, {changed} changed, {retired} retired",
)
CHANGED = Both(
    "{pool}：新增 {added}，变更 {changed}，移出 {retired}",
    "{pool}: {added} were added, {changed} changed, {retired} retired",
)
THEN_RETIRE = Both(
    "下一步：同一命令加 --retire {retired} --reason 理由",
    "Next: the same with --retire {retired} --reason TEXT",
)
MEMBERS = Both("{pool}：{count}", "{pool}: {count}")
HISTORY_HEADINGS = Both(("列入时间", "移出时间", "经办人", "原因"), ("since", "until", "by", "reason"))
CONFLICT = Both(
    "{officer} 对 {object} 回避。已抽中的：bidwatch draw replace 抽查计划 {object} {officer} --reason 理由",
    "{officer} stays away from {object}. Already drawn: bidwatch draw replace DRAW {object} {officer} --reason TEXT",
)
CONFLICT_ENDED = Both("{officer} 可再检查 {object}", "{officer} may inspect {object} again")
CONFLICTS = Both("回避：{count}", "Conflicts: {count}")
CONFLICT_HEADINGS = Both(("人员编号", "对象编号", "事由"), ("officer", "object", "ground"))

object_app = typer.Typer(
    name="pool-object", help="Objects of inspection (检查对象名录库).", no_args_is_help=True
)
officer_app = typer.Typer(
    name="pool-officer", help="Officers who inspect (执法检查人员名录库).", no_args_is_help=True
)
conflict_app = typer.Typer(
    name="conflict", help="Officers who stay away from an object (回避).", no_args_is_help=True
)

ThenOption = Annotated[
    datetime | None,
    typer.Option("--at", formats=MOMENT, help="Who stood there then (Asia/Shanghai). Default: now."),
]
OnlyOption = Annotated[
    str | None, typer.Option("--only", help="The list is this field (objects) or unit (officers) alone.")
]
RetireOption = Annotated[
    int, typer.Option("--retire", help="How many members you know will be retired by the list.")
]
CheckOption = Annotated[bool, typer.Option("--check", help="Only say what the list would change.")]
FileArgument = Annotated[
    Path, typer.Argument(help="CSV with the whole pool; headings in English or Chinese.", show_default=False)
]
ObjectId = Annotated[str, typer.Argument(metavar="OBJECT", help="Id of the object: a code, a lot id.")]
OfficerId = Annotated[str, typer.Argument(metavar="OFFICER", help="Id of the officer.")]


@object_app.command("add")
def add_object(
    id: ObjectId,
    name: Annotated[str, typer.Option(help="Name of the object.")],
    kind: Annotated[str, typer.Option(help=choices(pools.KINDS_ZH))],
    field: Annotated[str, typer.Option(help="Field of inspection (领域), such as 工程建设.")],
    risk: Annotated[str, typer.Option(help="Risk class, such as high, mid, low or 高, 中, 低.")] = "",
    credit: Annotated[str, typer.Option(help="Credit class, such as A, B, C, D.")] = "",
    unit: Annotated[
        str, typer.Option(help="Whose object it is: officers of this unit stay away from it.")
    ] = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Put an object into the pool, or change its facts; the former ones are kept."""
    given = {
        "object_id": id,
        "name": name,
        "kind": kind,
        "field": field,
        "unit": unit,
        "risk_class": risk,
        "credit_class": credit,
    }
    _add(OBJECTS, given, home, act_by(actor, reason, key), lang)


@officer_app.command("add")
def add_officer(
    id: OfficerId,
    name: Annotated[str, typer.Option(help="Name of the officer.")],
    unit: Annotated[str, typer.Option(help="His or her unit.")],
    certificate: Annotated[str, typer.Option(help="Number of the law-enforcement certificate (执法证号).")],
    field: Annotated[list[str], typer.Option(help="Field that he or she inspects; may be repeated.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Put an officer into the pool, or change the facts; the former ones are kept."""
    given = {
        "officer_id": id,
        "name": name,
        "unit": unit,
        "certificate_no": certificate,
        "fields": ";".join(field),
    }
    _add(OFFICERS, given, home, act_by(actor, reason, key), lang)


@object_app.command("retire")
def retire_object(
    id: ObjectId,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take an object out of the pool; its history stays."""
    _retire(OBJECTS, id, home, act_by(actor, reason, key), lang)


@officer_app.command("retire")
def retire_officer(
    id: OfficerId,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take an officer out of the pool; the history stays."""
    _retire(OFFICERS, id, home, act_by(actor, reason, key), lang)


@object_app.command("import")
def import_objects(
    file: FileArgument,
    only: OnlyOption = None,
    retire: RetireOption = 0,
    check: CheckOption = False,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Make the pool what a list says: what is new comes in, what is missing is retired."""
    _import(OBJECTS, file, only, retire, check, home, act_by(actor, reason, key), lang)


@officer_app.command("import")
def import_officers(
    file: FileArgument,
    only: OnlyOption = None,
    retire: RetireOption = 0,
    check: CheckOption = False,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Make the pool what a list says: who is new comes in, who is missing is retired."""
    _import(OFFICERS, file, only, retire, check, home, act_by(actor, reason, key), lang)


@object_app.command("list")
def list_objects(
    home: HomeOption = None,
    at: ThenOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the objects in the pool."""
    _list(OBJECTS, home, at, format, lang)


@officer_app.command("list")
def list_officers(
    home: HomeOption = None,
    at: ThenOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the officers in the pool."""
    _list(OFFICERS, home, at, format, lang)


@object_app.command("history")
def history_of_object(
    id: ObjectId, home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH
) -> None:
    """Show every change that an object had in the pool."""
    _history(OBJECTS, id, home, format, lang)


@officer_app.command("history")
def history_of_officer(
    id: OfficerId, home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH
) -> None:
    """Show every change that an officer had in the pool."""
    _history(OFFICERS, id, home, format, lang)


@conflict_app.command("add")
def add_conflict(
    officer: OfficerId,
    object: ObjectId,
    ground: Annotated[str, typer.Option(help=choices(conflicts.GROUNDS_ZH))],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Say that an officer must not inspect an object. Only the ground's code is kept, no private facts."""
    with opened(settings.installed(home).control) as store:
        conflicts.add(store, act_by(actor, key=key), officer, object, ground)
    err.print(CONFLICT.in_(lang).format(officer=officer, object=object), soft_wrap=True)


@conflict_app.command("end")
def end_conflict(
    officer: OfficerId,
    object: ObjectId,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Say that a conflict has ended."""
    with opened(settings.installed(home).control) as store:
        conflicts.end(store, act_by(actor, reason, key), officer, object)
    err.print(CONFLICT_ENDED.in_(lang).format(officer=officer, object=object))


@conflict_app.command("list")
def list_conflicts(
    home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH
) -> None:
    """List the conflicts that stand."""
    with opened(settings.installed(home).control) as store:
        found = conflicts.standing(store.con)
    listing(
        CONFLICTS.in_(lang).format(count=len(found)),
        CONFLICT_HEADINGS.in_(lang),
        [
            (officer, thing, word(conflicts.GROUNDS_ZH, ground, lang))
            for (officer, thing), ground in found.items()
        ],
        format,
    )


def _add(pool: Pool, given: dict[str, str], home: HomeOption, act: Act, lang: Lang) -> None:
    with opened(settings.installed(home).control) as store:
        id = pools.add(store, act, pool, given)
        standing = len(pools.standing(store.con, pool))
    said = ADDED.in_(lang).format(id=id, pool=_name(pool, lang), count=f"{standing:,}")
    err.print(said, soft_wrap=True)


def _retire(pool: Pool, id: str, home: HomeOption, act: Act, lang: Lang) -> None:
    with opened(settings.installed(home).control) as store:
        pools.retire(store, act, pool, id)
        standing = len(pools.standing(store.con, pool))
    err.print(RETIRED.in_(lang).format(id=id, pool=_name(pool, lang), count=f"{standing:,}"))


def _import(
    pool: Pool,
    file: Path,
    only: str | None,
    retire: int,
    check: bool,
    home: HomeOption,
    act: Act,
    lang: Lang,
) -> None:
    members = pools.read_list(file, pool)
    with opened(settings.installed(home).control) as store:
        if check:
            change = pools.difference(store.con, pool, members, only)
        else:
            change = pools.take_over(store, act, pool, members, only=only, retire=retire)
    said = (
        (WOULD_CHANGE if check else CHANGED)
        .in_(lang)
        .format(
            pool=_name(pool, lang),
            added=f"{len(change.added):,}",
            changed=f"{len(change.changed):,}",
            retired=f"{len(change.retired):,}",
        )
    )
    out.print(said, soft_wrap=True)
    if check and change.retired:
        err.print(THEN_RETIRE.in_(lang).format(retired=len(change.retired)), soft_wrap=True)


def _list(pool: Pool, home: HomeOption, at: datetime | None, format: Format, lang: Lang) -> None:
    with opened(settings.installed(home).control) as store:
        members = pools.standing(store.con, pool, at=utc(at))
    headings = Both(tuple(pool.columns.values()), tuple(pool.columns)).in_(lang)
    rows = [tuple(_shown(pool, name, member[name], lang) for name in pool.columns) for member in members]
    listing(MEMBERS.in_(lang).format(pool=_name(pool, lang), count=f"{len(rows):,}"), headings, rows, format)


def _history(pool: Pool, id: str, home: HomeOption, format: Format, lang: Lang) -> None:
    with opened(settings.installed(home).control) as store:
        rows = pools.history(store.con, pool, id)
    if not rows:
        raise ValueError(f"{id} never stood in the pool ({pool.title_zh})")
    facts = list(pool.columns)[1:]
    listing(
        id,
        (*HISTORY_HEADINGS.in_(lang), *(word(pool.columns, name, lang) for name in facts)),
        [
            (
                times.local_text(row["since"]),
                times.local_text(row["until"]),
                " / ".join(filter(None, (row["since_by"], row["until_by"]))),
                " / ".join(filter(None, (row["since_reason"], row["until_reason"]))),
                *(_shown(pool, name, str(row[name]), lang) for name in facts),
            )
            for row in rows
        ],
        format,
    )


def _name(pool: Pool, lang: Lang) -> str:
    return Both(pool.title_zh, f"pool of {pool.table.removeprefix('pool_')}s").in_(lang)


def _shown(pool: Pool, name: str, value: str, lang: Lang) -> str:
    return Both(pool.names_zh(name).get(value, value), value).in_(lang)
