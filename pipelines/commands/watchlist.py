"""The watch list and the blacklist at the desk: propose, approve, review, repair, revoke."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework.acts import Act
from pipelines.casework.clocks import stored
from pipelines.casework.watchlist import credit_repair, effects, register, sheets
from pipelines.casework.watchlist.proposals import LISTS_ZH, SUBJECTS_ZH, Proposal
from pipelines.casework.watchlist.register import STATES_ZH, ListEntry
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
from pipelines.store import opened
from pipelines.times import LOCAL
from reports.office_sheet import csv_bytes, xlsx_bytes

app = typer.Typer(
    help="The watch list (重点关注对象名单, internal) and the blacklist (黑名单, by decision): two different things.",
    no_args_is_help=True,
)


class Which(StrEnum):
    """One of the two lists."""

    WATCH = "watch"
    BLACK = "black"


EntryId = Annotated[
    str, typer.Argument(metavar="ENTRY", help="Id of the entry: ZD… watch list, HM… blacklist.")
]
ListOption = Annotated[Which, typer.Option("--list", help="watch 重点关注对象名单; black 黑名单.")]
Subject = Annotated[
    str,
    typer.Argument(
        metavar="SUBJECT", help="Party id of a firm (its code), id of a project, token of a person."
    ),
]
KindOption = Annotated[
    str, typer.Option("--kind", help="; ".join(f"{c} {zh}" for c, zh in SUBJECTS_ZH.items()))
]
NameOption = Annotated[str, typer.Option("--name", help="Its name; of a person masked, 张*.")]
MaskedOption = Annotated[str, typer.Option("--masked-id", help="Of a person: 410***********1234.")]
ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason", help="Why, for those who ask later (列入原因). No personal data: it goes into the log."
    ),
]
BasisOption = Annotated[
    str, typer.Option("--basis", help="Instrument and article, or minute of the meeting (依据).")
]
RelatedOption = Annotated[str, typer.Option("--related", help="Related parties (关联对象).")]
RuleOption = Annotated[str, typer.Option("--rule", help="Detector or case that led to it (触发规则).")]
DocumentOption = Annotated[str, typer.Option("--document", help="文号 of the document.")]
_DAY = ["%Y-%m-%d"]


@app.command()
def propose(
    subject: Subject,
    name: NameOption,
    reason: ReasonOption,
    basis: BasisOption,
    review_on: Annotated[
        datetime, typer.Option("--review", formats=_DAY, help="When to look again (复评日期).")
    ],
    ends_on: Annotated[datetime, typer.Option("--until", formats=_DAY, help="Last day (到期日期).")],
    kind: KindOption = "firm",
    starts_on: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="First day. Default: today.")
    ] = None,
    rule: RuleOption = "",
    risk: Annotated[str, typer.Option(help="Risk class: high, mid, low.")] = "",
    measures: Annotated[str, typer.Option(help="What is done (关注措施).")] = "",
    related: RelatedOption = "",
    masked_id: MaskedOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Propose a subject for the watch list: the office's own attention, no sanction, not public."""
    entry = Proposal(
        list="watch",
        subject_kind=kind,
        subject_id=subject,
        name=name,
        reason=reason,
        basis=basis,
        starts_on=_day(starts_on),
        ends_on=ends_on.date(),
        review_on=review_on.date(),
        rule=rule,
        risk_class=risk,
        measures=measures,
        related=related,
        shown_code=masked_id,
    )
    _propose(entry, home, Act(actor=actor, at=times.now(), reason=reason, key=key))


@app.command()
def ban(
    subject: Subject,
    name: NameOption,
    reason: ReasonOption,
    basis: BasisOption,
    document: DocumentOption,
    authority: Annotated[str, typer.Option(help="Who decided.")],
    decided_on: Annotated[datetime, typer.Option("--decided", formats=_DAY, help="Date of the document.")],
    severity: Annotated[str, typer.Option("--class", help="minor 轻微; general 一般; serious 严重.")],
    starts_on: Annotated[
        datetime, typer.Option("--from", formats=_DAY, help="First day of the restriction.")
    ],
    ends_on: Annotated[datetime, typer.Option("--until", formats=_DAY, help="Last day of the restriction.")],
    bidding: Annotated[
        bool, typer.Option("--bars-bidding/--other-sanction", help="Whether the decision bars from bidding.")
    ],
    kind: KindOption = "firm",
    rule: RuleOption = "",
    related: RelatedOption = "",
    masked_id: MaskedOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Propose a subject for the blacklist: only by a decision with its number."""
    entry = Proposal(
        list="black",
        subject_kind=kind,
        subject_id=subject,
        name=name,
        reason=reason,
        basis=basis,
        starts_on=starts_on.date(),
        ends_on=ends_on.date(),
        rule=rule,
        related=related,
        shown_code=masked_id,
        document_no=document,
        authority=authority,
        decided_on=decided_on.date(),
        severity=severity,
        is_bidding_ban=bidding,
    )
    _propose(entry, home, Act(actor=actor, at=times.now(), reason=reason, key=key))


@app.command()
def approve(
    id: EntryId,
    reason: Annotated[str, typer.Option(help="A remark.")] = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Put a proposed entry on its list; somebody else than who proposed it."""
    with opened(settings.installed(home).control) as store:
        register.approve(store, Act(actor=actor, at=times.now(), reason=reason, key=key), id)
        _tell(register.entries(store.con, id)[0])


@app.command()
def review(
    id: EntryId,
    reason: ReasonOption,
    review_on: Annotated[datetime, typer.Option("--review", formats=_DAY, help="When to look again.")],
    ends_on: Annotated[datetime, typer.Option("--until", formats=_DAY, help="Last day.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Keep a watch entry after its review. To end it: revoke."""
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        register.review(store, act, id, review_on.date(), ends_on.date())
        _tell(register.entries(store.con, id)[0])


@app.command()
def repair(
    id: EntryId,
    reason: ReasonOption,
    document: DocumentOption,
    authority: Annotated[str, typer.Option(help="Who repairs: who decided (谁认定、谁修复).")],
    duties: Annotated[
        bool, typer.Option("--duties-done", help="The duties of the decision are done (义务已履行).")
    ] = False,
    promise: Annotated[
        bool, typer.Option("--promise-made", help="The public promise was made (已作出信用承诺).")
    ] = False,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """End a blacklist entry by credit repair (信用修复)."""
    met = frozenset(need for need, is_met in (("duties", duties), ("promise", promise)) if is_met)
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        register.repair(store, act, id, document_no=document, authority=authority, met=met)
        _tell(register.entries(store.con, id)[0])


@app.command()
def revoke(
    id: EntryId,
    reason: ReasonOption,
    document: DocumentOption = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """End an entry that should not stand, or drop a proposal; a blacklist entry needs the annulling document."""
    with opened(settings.installed(home).control) as store:
        register.revoke(store, Act(actor=actor, at=times.now(), reason=reason, key=key), id, document)
        _tell(register.entries(store.con, id)[0])


@app.command("list")
def list_(
    which: ListOption = Which.WATCH,
    all: Annotated[bool, typer.Option("--all", help="Also entries that ended.")] = False,
    as_of: AsOfOption = None,
    home: HomeOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show a list: who stands on it, until when, and how many working days are left. csv, json: all columns."""
    day, _ = today(as_of)
    where = settings.installed(home)
    with opened(where.control) as store:
        if format is not Format.TABLE:
            sheet = (
                sheets.watch_sheet(where, store, day, everything=all)
                if which is Which.WATCH
                else sheets.black_sheet(store, day, everything=all)
            )
            listing(sheet.title, sheet.headings, sheet.rows, format)
            return
        found = sheets.listed_entries(store.con, which, day, everything=all)
        days = stored.known_calendar(store.con)
    is_zh, is_watch = lang is Lang.ZH, which is Which.WATCH
    listing(
        f"{LISTS_ZH[which]} {day}：{len(found)}" if is_zh else f"{which} list on {day}: {len(found)}",
        ("编号", "名称", "列入原因", "状态", "复评" if is_watch else "文号", "到期", "剩余工作日")
        if is_zh
        else (
            "entry",
            "name",
            "reason",
            "state",
            "review" if is_watch else "decision",
            "until",
            "workdays left",
        ),
        [
            (
                e.id,
                e.facts["name"],
                e.facts["reason"],
                sheets.state_zh(e, day) if is_zh else e.state,
                e.review_on if is_watch else e.facts["document_no"],
                e.ends_on,
                str(days.count(day, _next_date(e))) if e.is_in_effect(day) else "",
            )
            for e in found
        ],
        format,
    )
    due = [e.id for e in found if e.is_in_effect(day) and e.review_on is not None and e.review_on <= day]
    if due:
        err.print(
            f"Review due 待复评: {', '.join(due)}. Next: bidwatch watchlist review ENTRY; or revoke ENTRY",
            soft_wrap=True,
        )


@app.command()
def show(
    id: EntryId, home: HomeOption = None, lang: LangOption = Lang.ZH, format: FormatOption = Format.TABLE
) -> None:
    """Show everything that happened to an entry."""
    with opened(settings.installed(home).control) as store:
        entry = register.require(store.con, id, *STATES_ZH)
    is_zh = lang is Lang.ZH
    if format is Format.TABLE:
        facts = [(name, str(value)) for name, value in entry.facts.items() if value not in (None, "")]
        listing(id, ("项目", "内容") if is_zh else ("fact", "value"), facts, format)
    listing(
        f"{id} 经过" if is_zh else f"{id}: history",
        ("状态", "日期", "原因", "文号", "停止标记", "经办人")
        if is_zh
        else ("state", "from", "reason", "document", "flags stopped", "who"),
        [
            (
                STATES_ZH[str(each["state"])] if is_zh else each["state"],
                each["effective_on"],
                each["reason"],
                each["document_no"],
                effects.flags_stopped(each),
                each["actor"],
            )
            for each in entry.events
        ],
        format,
    )
    if format is Format.TABLE:
        _tell(entry)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    which: ListOption = Which.WATCH,
    public: Annotated[
        bool, typer.Option("--public", help="Blacklist: only what is published today (公示).")
    ] = False,
    all: Annotated[bool, typer.Option("--all", help="Also entries that ended.")] = False,
    as_of: AsOfOption = None,
    home: HomeOption = None,
) -> None:
    """Write a list as xlsx and csv. The watch list is for inside only."""
    if public and which is Which.WATCH:
        raise ValueError("the watch list is internal (内部名单) and never published")
    day, _ = today(as_of)
    where = settings.installed(home)
    with opened(where.control) as store:
        sheet = (
            sheets.watch_sheet(where, store, day, everything=all)
            if which is Which.WATCH
            else sheets.black_sheet(store, day, everything=all, public=public)
        )
    folder.mkdir(parents=True, exist_ok=True)
    for ending, content in (("xlsx", xlsx_bytes([sheet])), ("csv", csv_bytes(sheet))):
        path = folder / f"{sheet.title}_{day:%Y%m%d}.{ending}"
        path.write_bytes(content)
        out.print(str(path), soft_wrap=True)


@app.command()
def rules(format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH) -> None:
    """Show the rules of credit repair: classes, shortest and longest publication, what a repair needs."""
    is_zh = lang is Lang.ZH
    listing(
        "信用修复规则" if is_zh else "Rules of credit repair",
        ("等级", "公示", "最短(月)", "最长(月)", "修复条件", "依据")
        if is_zh
        else ("class", "published", "min months", "max months", "needs", "basis"),
        [
            (
                each.title_zh if is_zh else each.id,
                ("是" if each.is_published else "否") if is_zh else each.is_published,
                each.min_months,
                each.max_months,
                "、".join(credit_repair.NEEDS_ZH[need] if is_zh else need for need in each.needs),
                each.basis + ("" if each.seen else "（待核）"),
            )
            for each in credit_repair.dishonesty_classes().values()
        ],
        format,
    )


def _propose(entry: Proposal, home: HomeOption, act: Act) -> None:
    with opened(settings.installed(home).control) as store:
        id = register.propose(store, act, entry)
    out.print(id)
    err.print(
        f"Next, by somebody else: bidwatch watchlist approve {id}; or drop it: watchlist revoke {id} --reason TEXT",
        soft_wrap=True,
    )


def _tell(entry: ListEntry) -> None:
    """Say where an entry stands and what may come next."""
    id, is_watch = entry.id, entry.facts["list"] == "watch"
    match entry.state:
        case "proposed":
            ways = f"Next, by somebody else: bidwatch watchlist approve {id}; or watchlist revoke {id} --reason TEXT"
        case "listed" if is_watch:
            ways = f"Until {entry.ends_on}, review on {entry.review_on}. Next: watchlist review {id}; or revoke {id}"
        case "listed":
            ways = f"Until {entry.ends_on}, repair from {_repairable(entry)} on. Next: watchlist repair {id}; or revoke {id}"
        case "removed":
            ways = "Its flags have stopped; its history stays."
        case _:
            ways = "Its flags stop with the next night, which says so: bidwatch nightly."
    err.print(f"{id} {entry.state} {STATES_ZH[entry.state]}. {ways}", soft_wrap=True)


def _repairable(entry: ListEntry) -> date:
    return sheets.dishonesty_class(entry).repairable_on(date.fromisoformat(str(entry.facts["decided_on"])))


def _next_date(entry: ListEntry) -> date:
    return min(entry.review_on, entry.ends_on) if entry.review_on else entry.ends_on


def _day(given: datetime | None) -> date:
    return given.date() if given else datetime.now(LOCAL).date()
