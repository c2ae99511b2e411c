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
from pipelines.commands.options import ACTING, MOMENTS, ActorOption, KeyOption, Lang, LangOption, utc
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out
from pipelines.store import opened

object_app = typer.Typer(help="Objects of inspection (检查对象名录库).", no_args_is_help=True)
officer_app = typer.Typer(help="Officers who inspect (执法检查人员名录库).", no_args_is_help=True)
conflict_app = typer.Typer(help="Officers who stay away from an object (回避).", no_args_is_help=True)

OptionalReason = Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")]
RequiredReason = Annotated[str, typer.Option("--reason", help="Why, for those who ask later. Must be given.")]
ThenOption = Annotated[
    datetime | None,
    typer.Option("--at", formats=MOMENTS, help="Who stood there then (Asia/Shanghai). Default: now."),
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
    kind: Annotated[str, typer.Option(help="; ".join(f"{code} {zh}" for code, zh in pools.KINDS_ZH.items()))],
    field: Annotated[str, typer.Option(help="Field of inspection (领域), such as 工程建设.")],
    risk: Annotated[str, typer.Option(help="Risk class, such as high, mid, low or 高, 中, 低.")] = "",
    credit: Annotated[str, typer.Option(help="Credit class, such as A, B, C, D.")] = "",
    unit: Annotated[
        str, typer.Option(help="Whose object it is: officers of this unit stay away from it.")
    ] = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: OptionalReason = "",
    key: KeyOption = None,
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
    _add(OBJECTS, given, home, Act(actor=actor, at=times.now(), reason=reason, key=key))


@officer_app.command("add")
def add_officer(
    id: OfficerId,
    name: Annotated[str, typer.Option(help="Name of the officer.")],
    unit: Annotated[str, typer.Option(help="His or her unit.")],
    certificate: Annotated[str, typer.Option(help="Number of the law-enforcement certificate (执法证号).")],
    field: Annotated[list[str], typer.Option(help="Field that he or she inspects; may be repeated.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: OptionalReason = "",
    key: KeyOption = None,
) -> None:
    """Put an officer into the pool, or change the facts; the former ones are kept."""
    given = {
        "officer_id": id,
        "name": name,
        "unit": unit,
        "certificate_no": certificate,
        "fields": ";".join(field),
    }
    _add(OFFICERS, given, home, Act(actor=actor, at=times.now(), reason=reason, key=key))


@object_app.command("retire")
def retire_object(
    id: ObjectId,
    reason: RequiredReason,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Take an object out of the pool; its history stays."""
    _retire(OBJECTS, id, home, Act(actor=actor, at=times.now(), reason=reason, key=key))


@officer_app.command("retire")
def retire_officer(
    id: OfficerId,
    reason: RequiredReason,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Take an officer out of the pool; the history stays."""
    _retire(OFFICERS, id, home, Act(actor=actor, at=times.now(), reason=reason, key=key))


@object_app.command("import")
def import_objects(
    file: FileArgument,
    only: OnlyOption = None,
    retire: RetireOption = 0,
    check: CheckOption = False,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: OptionalReason = "",
    key: KeyOption = None,
) -> None:
    """Make the pool what a list says: what is new comes in, what is missing is retired."""
    _import(
        OBJECTS, file, only, retire, check, home, Act(actor=actor, at=times.now(), reason=reason, key=key)
    )


@officer_app.command("import")
def import_officers(
    file: FileArgument,
    only: OnlyOption = None,
    retire: RetireOption = 0,
    check: CheckOption = False,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: OptionalReason = "",
    key: KeyOption = None,
) -> None:
    """Make the pool what a list says: who is new comes in, who is missing is retired."""
    _import(
        OFFICERS, file, only, retire, check, home, Act(actor=actor, at=times.now(), reason=reason, key=key)
    )


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
    ground: Annotated[
        str, typer.Option(help="; ".join(f"{code} {zh}" for code, zh in conflicts.GROUNDS_ZH.items()))
    ],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Say that an officer must not inspect an object. Only the ground's code is kept, no private facts."""
    with opened(settings.installed(home).control) as store:
        conflicts.add(store, Act(actor=actor, at=times.now(), key=key), officer, object, ground)
    err.print(
        f"{officer} stays away from {object}. Already drawn: bidwatch draw replace DRAW {object} {officer}",
        soft_wrap=True,
    )


@conflict_app.command("end")
def end_conflict(
    officer: OfficerId,
    object: ObjectId,
    reason: RequiredReason,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Say that a conflict has ended."""
    with opened(settings.installed(home).control) as store:
        conflicts.end(store, Act(actor=actor, at=times.now(), reason=reason, key=key), officer, object)
    err.print(f"{officer} may inspect {object} again")


@conflict_app.command("list")
def list_conflicts(
    home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH
) -> None:
    """List the conflicts that stand."""
    is_zh = lang is Lang.ZH
    with opened(settings.installed(home).control) as store:
        found = conflicts.standing(store.con)
    listing(
        f"回避：{len(found)}" if is_zh else f"Conflicts: {len(found)}",
        ("人员编号", "对象编号", "事由") if is_zh else ("officer", "object", "ground"),
        [
            (officer, thing, conflicts.GROUNDS_ZH[ground] if is_zh else ground)
            for (officer, thing), ground in found.items()
        ],
        format,
    )


def _add(pool: Pool, given: dict[str, str], home: HomeOption, act: Act) -> None:
    with opened(settings.installed(home).control) as store:
        id = pools.add(store, act, pool, given)
        standing = len(pools.standing(store.con, pool))
    err.print(
        f"{id} stands in the pool ({pool.title_zh}), {standing:,} in all. Next: bidwatch draw plan",
        soft_wrap=True,
    )


def _retire(pool: Pool, id: str, home: HomeOption, act: Act) -> None:
    with opened(settings.installed(home).control) as store:
        pools.retire(store, act, pool, id)
        standing = len(pools.standing(store.con, pool))
    err.print(f"{id} has left the pool ({pool.title_zh}), {standing:,} remain")


def _import(
    pool: Pool, file: Path, only: str | None, retire: int, check: bool, home: HomeOption, act: Act
) -> None:
    members = pools.read_list(file, pool)
    with opened(settings.installed(home).control) as store:
        if check:
            change = pools.difference(store.con, pool, members, only)
        else:
            change = pools.take_over(store, act, pool, members, only=only, retire=retire)
    does = "would be" if check else "were"
    out.print(
        f"{pool.title_zh}: {len(change.added):,} {does} added 新增, {len(change.changed):,} changed 变更,"
        f" {len(change.retired):,} retired 移出",
        soft_wrap=True,
    )
    if check and change.retired:
        err.print(f"Next: the same with --retire {len(change.retired)} --reason TEXT", soft_wrap=True)


def _list(pool: Pool, home: HomeOption, at: datetime | None, format: Format, lang: Lang) -> None:
    with opened(settings.installed(home).control) as store:
        members = pools.standing(store.con, pool, at=utc(at))
    headings = tuple(pool.columns.values()) if lang is Lang.ZH else tuple(pool.columns)
    title = pool.title_zh if lang is Lang.ZH else pool.table
    rows = [tuple(_shown(pool, name, member[name], lang) for name in pool.columns) for member in members]
    listing(f"{title}: {len(rows):,}", headings, rows, format)


def _history(pool: Pool, id: str, home: HomeOption, format: Format, lang: Lang) -> None:
    with opened(settings.installed(home).control) as store:
        rows = pools.history(store.con, pool, id)
    if not rows:
        raise ValueError(f"{id} never stood in the pool ({pool.title_zh})")
    is_zh = lang is Lang.ZH
    facts = list(pool.columns)[1:]
    listing(
        id,
        ("列入时间", "移出时间", "经办人", "原因", *(pool.columns[name] for name in facts))
        if is_zh
        else ("since", "until", "by", "reason", *facts),
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


def _shown(pool: Pool, name: str, value: str, lang: Lang) -> str:
    return pool.names_zh(name).get(value, value) if lang is Lang.ZH else value
