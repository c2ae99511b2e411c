"""The watch list and the blacklist at the desk: the lists, one entry, the rules of credit repair."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework.clocks import stored
from pipelines.casework.watchlist import credit_repair, effects, register, sheets
from pipelines.casework.watchlist.proposals import LISTS_ZH, SUBJECTS_ZH
from pipelines.casework.watchlist.register import STATES_ZH, ListEntry
from pipelines.commands import watchlist_steps
from pipelines.commands.desk_cells import basis_cell
from pipelines.commands.options import (
    AsOfOption,
    Format,
    FormatOption,
    HomeOption,
    LangOption,
    Panel,
    today,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import AND, Both, Lang, word
from pipelines.commands.watchlist_steps import EntryId, say_next
from pipelines.store import opened
from reports.office_sheet import csv_bytes, xlsx_bytes

LISTED = Both("{list} {day}：{count}", "{list} list on {day}: {count}")
WATCH_HEADINGS = Both(
    ("编号", "名称", "列入原因", "状态", "复评", "到期", "剩余工作日"),
    ("entry", "name", "reason", "state", "review", "until", "workdays left"),
)
BLACK_HEADINGS = Both(
    ("编号", "名称", "列入原因", "状态", "文号", "到期", "剩余工作日"),
    ("entry", "name", "reason", "state", "decision", "until", "workdays left"),
)
REVIEW_DUE = Both(
    "待复评：{ids}。下一步：bidwatch watchlist review 编号；或 revoke 编号",
    "Review due: {ids}. Next: bidwatch watchlist review ENTRY; or revoke ENTRY",
)
FACTS_ZH = {
    "id": "编号",
    "list": "名单",
    "subject_kind": "对象类型",
    "subject_id": "对象编号",
    "name": "名称",
    "shown_code": "证件号码",
    "reason": "列入原因",
    "basis": "依据",
    "rule": "触发规则",
    "risk_class": "风险等级",
    "measures": "关注措施",
    "related": "关联对象",
    "document_no": "决定文号",
    "authority": "决定单位",
    "decided_on": "决定日期",
    "severity": "失信等级",
    "is_bidding_ban": "是否限制投标",
    "starts_on": "起始日期",
    "first_ends_on": "到期日期",
    "first_review_on": "复评日期",
    "at": "提出时间(UTC)",
    "actor": "提出人",
}
FACT_HEADINGS = Both(("项目", "内容"), ("fact", "value"))
HISTORY = Both("{id} 经过", "{id}: history")
HISTORY_HEADINGS = Both(
    ("状态", "日期", "原因", "文号", "停止标记", "经办人"),
    ("state", "from", "reason", "document", "flags stopped", "who"),
)
RULES = Both("信用修复规则", "Rules of credit repair")
RULE_HEADINGS = Both(
    ("等级", "公示", "最短(月)", "最长(月)", "修复条件", "依据"),
    ("class", "published", "min months", "max months", "needs", "basis"),
)

app = typer.Typer(
    name="watchlist",
    help="The watch list (重点关注对象名单, internal) and the blacklist (黑名单, by decision): two different things.",
    no_args_is_help=True,
    rich_help_panel=Panel.DUTIES,
)
app.add_typer(watchlist_steps.steps_app)


class Which(StrEnum):
    """One of the two lists."""

    WATCH = "watch"
    BLACK = "black"


ListOption = Annotated[Which, typer.Option("--list", help="watch 重点关注对象名单; black 黑名单.")]
EndedOption = Annotated[bool, typer.Option("--all", help="Also entries that ended.")]


@app.command("list")
def list_(
    which: ListOption = Which.WATCH,
    all: EndedOption = False,
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
    is_watch = which is Which.WATCH
    listing(
        LISTED.in_(lang).format(list=word(LISTS_ZH, which.value, lang), day=day, count=len(found)),
        (WATCH_HEADINGS if is_watch else BLACK_HEADINGS).in_(lang),
        [
            (
                each.id,
                each.facts["name"],
                each.facts["reason"],
                Both(sheets.state_zh(each, day), each.state).in_(lang),
                each.review_on if is_watch else each.facts["document_no"],
                each.ends_on,
                str(days.count(day, _next_date(each))) if each.is_in_effect(day) else "",
            )
            for each in found
        ],
        format,
    )
    due = [e.id for e in found if e.is_in_effect(day) and e.review_on is not None and e.review_on <= day]
    if due:
        err.print(REVIEW_DUE.in_(lang).format(ids=AND.in_(lang).join(due)), soft_wrap=True)


@app.command()
def show(
    id: EntryId, home: HomeOption = None, lang: LangOption = Lang.ZH, format: FormatOption = Format.TABLE
) -> None:
    """Show everything that happened to an entry."""
    with opened(settings.installed(home).control) as store:
        entry = register.require(store.con, id, *STATES_ZH)
    if format is Format.TABLE:
        facts = [
            (word(FACTS_ZH, name, lang), _fact(name, str(value), lang))
            for name, value in entry.facts.items()
            if value not in (None, "")
        ]
        listing(id, FACT_HEADINGS.in_(lang), facts, format)
    listing(
        HISTORY.in_(lang).format(id=id),
        HISTORY_HEADINGS.in_(lang),
        [
            (
                word(STATES_ZH, str(each["state"]), lang),
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
        say_next(entry, lang)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    which: ListOption = Which.WATCH,
    public: Annotated[
        bool, typer.Option("--public", help="Blacklist: only what is published today (公示).")
    ] = False,
    all: EndedOption = False,
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
    listing(
        RULES.in_(lang),
        RULE_HEADINGS.in_(lang),
        [
            (
                Both(each.title_zh, each.id).in_(lang),
                Both("是" if each.is_published else "否", each.is_published).in_(lang),
                each.min_months,
                each.max_months,
                AND.in_(lang).join(word(credit_repair.NEEDS_ZH, need, lang) for need in each.needs),
                basis_cell(each.basis, each.seen, lang),
            )
            for each in credit_repair.dishonesty_classes().values()
        ],
        format,
    )


def _next_date(entry: ListEntry) -> date:
    return min(entry.review_on, entry.ends_on) if entry.review_on else entry.ends_on


def _fact(name: str, value: str, lang: Lang) -> str:
    """Return a fact of an entry as a person reads it; what is no code stays as it was written."""
    names_zh = {
        "list": LISTS_ZH,
        "subject_kind": SUBJECTS_ZH,
        "severity": {id: each.title_zh for id, each in credit_repair.dishonesty_classes().items()},
        "is_bidding_ban": {"0": "否", "1": "是"},
    }
    return Both(names_zh.get(name, {}).get(value, value), value).in_(lang)
