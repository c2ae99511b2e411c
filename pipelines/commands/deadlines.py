"""Clocks of the law: what is due when, early warning, and the year's delays (投诉超期预警, notice article 10)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework.clocks import deadlines, due_dates, periods, steps, stored
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.clocks.due_dates import STAGES_ZH
from pipelines.casework.clocks.periods import DELAYS_ZH
from pipelines.commands import clock_steps
from pipelines.commands.clock_steps import RuleArgument
from pipelines.commands.desk_cells import basis_cell, due_cell, remaining
from pipelines.commands.options import (
    ACTING,
    DAY,
    ActorOption,
    AsOfOption,
    Format,
    FormatOption,
    HomeOption,
    KeyOption,
    LangOption,
    Panel,
    ReasonOption,
    YearArgument,
    act_by,
    today,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import AND, COMMA, Both, Lang, word
from pipelines.store import opened
from pipelines.times import LOCAL

#: How a clock stopped other than by the act being done.
OUTCOMES_ZH = {"lapsed": "不再办理", "void": "不适用", "extended": "已延长"}

CLOCKS = Both("办理时限 {day}：{count}", "Clocks on {day}: {count}")
WARNINGS = Both("时限预警 {day}：{count}", "Early warnings on {day}: {count}")
HEADINGS = Both(
    ("对象", "规则", "事项", "届满", "剩余工作日", "状态", "依据"),
    ("object", "rule", "act", "due", "workdays left", "stage", "basis"),
)
PROVISIONAL = Both(
    "暂定：尚未载入该年度的国务院办公厅放假安排；用 bidwatch deadlines load-calendar 载入。",
    "provisional: the State Council's arrangement of that year is not loaded; `bidwatch deadlines load-calendar`.",
)
YEAR = Both("{year} 年超期情况（截至 {day}）：{sums}", "Delays of {year}, as of {day}: {sums}")
YEAR_HEADINGS = Both(
    ("类型", "对象", "规则", "事项", "届满", "完成", "超期工作日", "依据"),
    ("kind", "object", "rule", "act", "due", "done", "workdays late", "basis"),
)
RULES = Both("法定时限", "Periods of the law")
RULE_HEADINGS = Both(
    ("规则", "起算", "事项", "时限", "责任方", "依据"),
    ("rule", "starts", "act", "length", "duty of", "basis"),
)
CHECKED = Both("{rule} {act}（{length}，{basis}）：{verdict}", "{rule} {act} ({length}, {basis}): {verdict}")
IS_ENOUGH, IS_TOO_SHORT = Both("符合", "long enough"), Both("不足", "too short")
LOADED = Both(
    "工作日历 {version}；新增官方年度：{years}；变动的时限：{moved}",
    "calendar {version}; new official years: {years}; clocks that changed: {moved}",
)
NO_YEAR = Both("无", "none")

app = typer.Typer(
    name="deadlines",
    help="Clocks of the law (办理时限): what is due when, early warning, delays of the year.",
    no_args_is_help=True,
    rich_help_panel=Panel.DUTIES,
)
app.add_typer(clock_steps.steps_app)

#: What programs get of a clock.
RECORD: dict[str, Callable[[Deadline], object]] = {
    "object": lambda clock: clock.object,
    "rule": lambda clock: clock.rule.rule_id,
    "regime": lambda clock: clock.rule.regime,
    "act_zh": lambda clock: clock.rule.act_zh,
    "act_en": lambda clock: clock.rule.act_en,
    "starts_at": lambda clock: clock.starts_at.astimezone(LOCAL).isoformat(),
    "due": lambda clock: _ends(clock)[0],
    "due_if_moved": lambda clock: _ends(clock)[1],
    "is_provisional": lambda clock: clock.due.is_provisional,
    "workdays_left": lambda clock: clock.workdays_left,
    "stage": lambda clock: clock.stage,
    "stage_zh": lambda clock: STAGES_ZH[clock.stage],
    "outcome": lambda clock: clock.outcome,
    "duty_of": lambda clock: clock.rule.duty_of,
    "basis": lambda clock: clock.rule.basis,
    "basis_checked": lambda clock: clock.rule.seen,
}


@app.command("list")
def list_(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    object: Annotated[str | None, typer.Option(help="Only clocks of this object.")] = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that have stopped.")] = False,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the clocks that run, those that end first at the top."""
    day, at = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = (deadlines.all_deadlines if all else deadlines.open_deadlines)(store, day, at)
    shown = [each for each in found if object is None or each.object == object]
    _list(CLOCKS.in_(lang).format(day=day, count=len(shown)), shown, format, lang)


@app.command()
def warn(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List what is due soon or overdue, the most urgent first: half used, three days, one day, overdue."""
    day, at = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = deadlines.warnings(store, day, at)
    _list(WARNINGS.in_(lang).format(day=day, count=len(found)), found, format, lang)
    if any(each.due.is_provisional for each in found):
        err.print(PROVISIONAL.in_(lang), soft_wrap=True)


@app.command()
def year(
    year: YearArgument,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the delays of a year by kind, for the yearly assessment: late acceptance, late handling, not concluded."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = deadlines.delays(store, year, day)
    counted = Counter(each.kind for each in found)
    sums = COMMA.in_(lang).join(
        f"{word(DELAYS_ZH, kind, lang)} {counted[kind]}" for kind in periods.DelayKind
    )
    listing(
        YEAR.in_(lang).format(year=year, day=day, sums=sums),
        YEAR_HEADINGS.in_(lang),
        [
            (
                word(DELAYS_ZH, each.kind, lang),
                each.object,
                each.rule.rule_id,
                Both(each.rule.act_zh, each.rule.act_en).in_(lang),
                each.due_on,
                each.ended_on,
                each.days_late,
                each.rule.basis,
            )
            for each in found
        ],
        format,
    )


@app.command()
def rules(
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the periods that the law sets, with their basis. 待核: not yet checked against its source."""
    listing(
        RULES.in_(lang),
        RULE_HEADINGS.in_(lang),
        [
            (
                rule.rule_id,
                Both(rule.starts_zh, rule.starts_en).in_(lang),
                Both(rule.act_zh, rule.act_en).in_(lang),
                Both(rule.length_zh, rule.length_en).in_(lang),
                Both(rule.duty_zh, rule.duty_of).in_(lang),
                basis_cell(rule.basis, rule.seen, lang),
            )
            for rule in periods.rules().values()
        ],
        format,
    )


@app.command()
def check(
    rule: RuleArgument,
    first: Annotated[datetime, typer.Argument(formats=DAY, help="The day it begins.")],
    last: Annotated[datetime, typer.Argument(formats=DAY, help="The day it ends.")],
    home: HomeOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Check a minimum period, such as the 20 days from tender documents to bids (ZB04)."""
    minimum = periods.rule_of(rule)
    with opened(settings.installed(home).control) as store:
        days = stored.known_calendar(store.con)
    is_enough = due_dates.is_long_enough(minimum, first.date(), last.date(), days)
    out.print(
        CHECKED.in_(lang).format(
            rule=rule,
            act=Both(minimum.act_zh, minimum.act_en).in_(lang),
            length=Both(minimum.length_zh, minimum.length_en).in_(lang),
            basis=minimum.basis,
            verdict=(IS_ENOUGH if is_enough else IS_TOO_SHORT).in_(lang),
        )
    )


@app.command("load-calendar")
def load_calendar(
    reason: ReasonOption,
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV: date,is_workday,status,notice. Default: workdays.csv of the installation."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Load a year's arrangement of working days and reckon every clock anew."""
    where = settings.installed(home)
    with opened(where.control) as store:
        path = file or where.root / "workdays.csv"
        loaded = steps.load_calendar(store, act_by(actor, reason, key), path)
    years = AND.in_(lang).join(map(str, loaded.years)) or NO_YEAR.in_(lang)
    out.print(LOADED.in_(lang).format(version=loaded.version, years=years, moved=len(loaded.moved)))


def _list(title: str, found: list[Deadline], format: Format, lang: Lang) -> None:
    if format is Format.TABLE:
        rows = [
            (
                each.object,
                each.rule.rule_id,
                Both(each.rule.act_zh, each.rule.act_en).in_(lang),
                due_cell(each, lang),
                remaining(each, lang),
                _stage(each, lang),
                basis_cell(each.rule.basis, each.rule.seen, lang),
            )
            for each in found
        ]
        listing(title, HEADINGS.in_(lang), rows, format)
    else:
        listing(title, tuple(RECORD), [[value(each) for value in RECORD.values()] for each in found], format)


def _ends(clock: Deadline) -> tuple[str, str]:
    return due_dates.end_text(clock.due, clock.rule.unit)


def _stage(clock: Deadline, lang: Lang) -> str:
    if clock.outcome in OUTCOMES_ZH:
        return word(OUTCOMES_ZH, clock.outcome, lang)
    return word(STAGES_ZH, clock.stage, lang)
