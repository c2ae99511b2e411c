"""Clocks of the law: what is due when, early warning, and the year's delays (投诉超期预警, notice article 10)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework.acts import Act
from pipelines.casework.clocks import deadlines, due_dates, periods, steps, stored
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.clocks.due_dates import STAGES_ZH, Stage
from pipelines.casework.clocks.periods import DELAYS_ZH, GROUNDS_ZH, PeriodRule
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    AtOption,
    KeyOption,
    Lang,
    LangOption,
    ReasonOption,
    today,
    utc,
)
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out
from pipelines.store import opened
from pipelines.times import LOCAL

app = typer.Typer(
    help="Clocks of the law (办理时限): what is due when, early warning, delays of the year.",
    no_args_is_help=True,
)


ObjectArgument = Annotated[
    str, typer.Argument(metavar="OBJECT", help="What it is about: a case, a referral, a complaint.")
]
RuleArgument = Annotated[
    str, typer.Argument(metavar="RULE", help="The period, such as TS02: see `deadlines rules`.")
]

#: How a clock stopped other than by the act being done.
OUTCOMES_ZH = {"lapsed": "不再办理", "void": "不适用", "extended": "已延长"}


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
    title = f"办理时限 {day}：{len(shown)}" if lang is Lang.ZH else f"Clocks on {day}: {len(shown)}"
    _list(title, shown, format, lang)


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
    title = f"时限预警 {day}：{len(found)}" if lang is Lang.ZH else f"Early warnings on {day}: {len(found)}"
    _list(title, found, format, lang)
    if any(each.due.is_provisional for each in found):
        err.print(
            "暂定: the State Council's arrangement of that year is not loaded; `deadlines load-calendar`."
        )


@app.command()
def start(
    object: ObjectArgument,
    rule: RuleArgument,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Start a clock by hand, at the time of the event."""
    with opened(settings.installed(home).control) as store:
        number = steps.start(store, _act(actor, reason, key), object, rule, utc(at))
        day, when = today(None)
        seen = deadlines.all_deadlines(store, max(day, at.date()) if at else day, when)
    clock = next(each for each in seen if str(each.number) == number)
    out.print(f"{object} {rule}: {clock.rule.act_zh}, {' / '.join(filter(None, _ends(clock)))}")
    _next(object, rule)


@app.command()
def meet(
    object: ObjectArgument,
    rule: RuleArgument,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Say that the act was done."""
    with opened(settings.installed(home).control) as store:
        steps.meet(store, _act(actor, reason, key), object, rule, utc(at))
    err.print(f"{object} {rule}: done")


@app.command()
def lapse(
    object: ObjectArgument,
    rule: RuleArgument,
    reason: ReasonOption,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Say that the act is no longer due, and why."""
    with opened(settings.installed(home).control) as store:
        steps.lapse(store, _act(actor, reason, key), object, rule, utc(at))
    err.print(f"{object} {rule}: no longer due")


@app.command()
def extend(
    object: ObjectArgument,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The longer period, such as YS05c.")],
    reason: ReasonOption,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Let a longer period take over, with the approval named in the reason; it counts from the same start."""
    with opened(settings.installed(home).control) as store:
        steps.extend(store, _act(actor, reason, key), object, rule, utc(at))
    err.print(f"{object}: {rule} takes over from {periods.rule_of(rule).extends}")
    _next(object, rule)


@app.command()
def suspend(
    object: ObjectArgument,
    rule: RuleArgument,
    ground: Annotated[str, typer.Option(help="; ".join(f"{code} {zh}" for code, zh in GROUNDS_ZH.items()))],
    reason: ReasonOption,
    from_on: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="First day that does not count. Default: today."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Stop counting for the time of an inspection, test, appraisal or expert review."""
    first = from_on.date() if from_on else None
    with opened(settings.installed(home).control) as store:
        steps.suspend(store, _act(actor, reason, key), object, rule, ground, first)
    err.print(f"{object} {rule}: suspended. Next: bidwatch deadlines resume {object} {rule}", soft_wrap=True)


@app.command()
def resume(
    object: ObjectArgument,
    rule: RuleArgument,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="First day that counts again. Default: today."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
) -> None:
    """Count on after a suspension; the end moves by the days that did not count."""
    with opened(settings.installed(home).control) as store:
        steps.resume(store, _act(actor, reason, key), object, rule, on.date() if on else None)
    err.print(f"{object} {rule}: counts again")
    _next(object, rule)


@app.command()
def year(
    year: Annotated[int, typer.Argument(help="The year in which the period ended.")],
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the delays of a year by kind, for the yearly assessment: late acceptance, late handling, not concluded."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = deadlines.delays(store, year, day)
    is_zh = lang is Lang.ZH
    counted = Counter(each.kind for each in found)
    sums = "，".join(f"{DELAYS_ZH[kind] if is_zh else kind} {counted[kind]}" for kind in periods.DelayKind)
    listing(
        f"{year} 年超期情况（截至 {day}）：{sums}" if is_zh else f"Delays of {year}, as of {day}: {sums}",
        ("类型", "对象", "规则", "事项", "届满", "完成", "超期工作日", "依据")
        if is_zh
        else ("kind", "object", "rule", "act", "due", "done", "workdays late", "basis"),
        [
            (
                DELAYS_ZH[each.kind] if is_zh else each.kind,
                each.object,
                each.rule.rule_id,
                each.rule.act_zh if is_zh else each.rule.act_en,
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
    is_zh = lang is Lang.ZH
    listing(
        "法定时限" if is_zh else "Periods of the law",
        ("规则", "起算", "事项", "时限", "责任方", "依据")
        if is_zh
        else ("rule", "starts", "act", "length", "duty of", "basis"),
        [
            (
                rule.rule_id,
                rule.starts_zh if is_zh else rule.starts_en,
                rule.act_zh if is_zh else rule.act_en,
                rule.length_zh if is_zh else rule.length_en,
                rule.duty_zh if is_zh else rule.duty_of,
                _basis(rule, lang),
            )
            for rule in periods.rules().values()
        ],
        format,
    )


@app.command()
def check(
    rule: RuleArgument,
    first: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day it begins.")],
    last: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day it ends.")],
    home: HomeOption = None,
) -> None:
    """Check a minimum period, such as the 20 days from tender documents to bids (ZB04)."""
    minimum = periods.rule_of(rule)
    with opened(settings.installed(home).control) as store:
        days = stored.known_calendar(store.con)
    is_enough = due_dates.is_long_enough(minimum, first.date(), last.date(), days)
    out.print(
        f"{rule} {minimum.act_zh}（{minimum.length_zh}，{minimum.basis}）：{'符合' if is_enough else '不足'}"
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
) -> None:
    """Load a year's arrangement of working days and reckon every clock anew."""
    where = settings.installed(home)
    with opened(where.control) as store:
        path = file or where.root / "workdays.csv"
        loaded = steps.load_calendar(store, _act(actor, reason, key), path)
    years = ", ".join(map(str, loaded.years)) or "none"
    out.print(
        f"calendar {loaded.version}; new official years: {years}; clocks that changed: {len(loaded.moved)}"
    )


def remaining(clock: Deadline, lang: Lang) -> str:
    """Return how many working days are left, as text; how many it is late if it is overdue."""
    is_zh = lang is Lang.ZH
    if clock.outcome is not None:
        return ""
    if clock.stage is Stage.SUSPENDED:
        return "停算" if is_zh else "stopped"
    if clock.stage is Stage.OVERDUE:
        return f"超 {-clock.workdays_left}" if is_zh else f"{-clock.workdays_left} late"
    return str(max(clock.workdays_left, 0))


def due_cell(clock: Deadline, lang: Lang) -> str:
    """Return the end of a clock as one text: the earlier reading, the later one, whether it is provisional."""
    is_zh = lang is Lang.ZH
    first, moved = _ends(clock)
    later = (f"顺延 {moved}" if is_zh else f"or {moved}") if moved else ""
    provisional = ("暂定" if is_zh else "provisional") if clock.due.is_provisional else ""
    return " ".join(filter(None, (first, later, provisional)))


def _list(title: str, found: list[Deadline], format: Format, lang: Lang) -> None:
    is_zh = lang is Lang.ZH
    if format is Format.TABLE:
        headers = (
            ("对象", "规则", "事项", "届满", "剩余工作日", "状态", "依据")
            if is_zh
            else ("object", "rule", "act", "due", "workdays left", "stage", "basis")
        )
        listing(
            title,
            headers,
            [
                (
                    each.object,
                    each.rule.rule_id,
                    each.rule.act_zh if is_zh else each.rule.act_en,
                    due_cell(each, lang),
                    remaining(each, lang),
                    _stage(each, lang),
                    _basis(each.rule, lang),
                )
                for each in found
            ],
            format,
        )
        return
    listing(
        title,
        (
            "object",
            "rule",
            "regime",
            "act_zh",
            "act_en",
            "starts_at",
            "due",
            "due_if_moved",
            "is_provisional",
            "workdays_left",
            "stage",
            "stage_zh",
            "outcome",
            "duty_of",
            "basis",
            "basis_checked",
        ),
        [
            (
                each.object,
                each.rule.rule_id,
                each.rule.regime,
                each.rule.act_zh,
                each.rule.act_en,
                each.starts_at.astimezone(LOCAL).isoformat(),
                *_ends(each),
                each.due.is_provisional,
                each.workdays_left,
                each.stage,
                STAGES_ZH[each.stage],
                each.outcome,
                each.rule.duty_of,
                each.rule.basis,
                each.rule.seen,
            )
            for each in found
        ],
        format,
    )


def _ends(clock: Deadline) -> tuple[str, str]:
    return due_dates.end_text(clock.due, clock.rule.unit)


def _stage(clock: Deadline, lang: Lang) -> str:
    if clock.outcome in OUTCOMES_ZH:
        return OUTCOMES_ZH[clock.outcome] if lang is Lang.ZH else clock.outcome
    return STAGES_ZH[clock.stage] if lang is Lang.ZH else clock.stage


def _basis(rule: PeriodRule, lang: Lang) -> str:
    if rule.seen:
        return rule.basis
    return f"{rule.basis}（待核）" if lang is Lang.ZH else f"{rule.basis} (to be checked)"


def _act(actor: str, reason: str, key: str | None) -> Act:
    return Act(actor=actor, at=times.now(), reason=reason, key=key)


def _next(object: str, rule_id: str) -> None:
    """Say what may come next on a running clock."""
    ways = [f"meet {object} {rule_id}"]
    if periods.rule_of(rule_id).stops:
        ways.append(f"suspend {object} {rule_id} --ground … --reason …")
    ways += [
        f"extend {object} {each.rule_id} --reason …"
        for each in periods.rules().values()
        if each.extends == rule_id
    ]
    err.print("Next: " + "; ".join(f"bidwatch deadlines {way}" for way in ways), soft_wrap=True)
