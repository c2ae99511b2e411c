"""What people do with the clocks of the law: start, meet, lapse, extend, suspend, resume."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework.clocks import deadlines, due_dates, periods, steps
from pipelines.casework.clocks.periods import GROUNDS_ZH
from pipelines.commands.options import (
    ACTING,
    DAY,
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
from pipelines.commands.texts import SEMICOLON, Both, Lang
from pipelines.store import opened

STARTED = Both("{object} {rule}：{act}，{ends}", "{object} {rule}: {act}, {ends}")
MET = Both("{object} {rule}：已办结", "{object} {rule}: done")
LAPSED = Both("{object} {rule}：不再办理", "{object} {rule}: no longer due")
EXTENDED = Both("{object}：{rule} 接续 {before}", "{object}: {rule} takes over from {before}")
SUSPENDED = Both(
    "{object} {rule}：已停算。下一步：bidwatch deadlines resume {object} {rule}",
    "{object} {rule}: suspended. Next: bidwatch deadlines resume {object} {rule}",
)
RESUMED = Both("{object} {rule}：恢复计算", "{object} {rule}: counts again")
NEXT = Both("下一步：{ways}", "Next: {ways}")

steps_app = typer.Typer()

ObjectArgument = Annotated[
    str, typer.Argument(metavar="OBJECT", help="What it is about: a case, a referral, a complaint.")
]
RuleArgument = Annotated[
    str, typer.Argument(metavar="RULE", help="The period, such as TS02: see `deadlines rules`.")
]


@steps_app.command()
def start(
    object: ObjectArgument,
    rule: RuleArgument,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Start a clock by hand, at the time of the event."""
    with opened(settings.installed(home).control) as store:
        number = steps.start(store, act_by(actor, reason, key), object, rule, utc(at))
        day, when = today(None)
        seen = deadlines.all_deadlines(store, max(day, at.date()) if at else day, when)
    clock = next(each for each in seen if str(each.number) == number)
    act = Both(clock.rule.act_zh, clock.rule.act_en).in_(lang)
    ends = " / ".join(filter(None, due_dates.end_text(clock.due, clock.rule.unit)))
    out.print(STARTED.in_(lang).format(object=object, rule=rule, act=act, ends=ends))
    _next(object, rule, lang)


@steps_app.command()
def meet(
    object: ObjectArgument,
    rule: RuleArgument,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Say that the act was done."""
    with opened(settings.installed(home).control) as store:
        steps.meet(store, act_by(actor, reason, key), object, rule, utc(at))
    err.print(MET.in_(lang).format(object=object, rule=rule))


@steps_app.command()
def lapse(
    object: ObjectArgument,
    rule: RuleArgument,
    reason: ReasonOption,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Say that the act is no longer due, and why."""
    with opened(settings.installed(home).control) as store:
        steps.lapse(store, act_by(actor, reason, key), object, rule, utc(at))
    err.print(LAPSED.in_(lang).format(object=object, rule=rule))


@steps_app.command()
def extend(
    object: ObjectArgument,
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The longer period, such as YS05c.")],
    reason: ReasonOption,
    at: AtOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Let a longer period take over, with the approval named in the reason; it counts from the same start."""
    with opened(settings.installed(home).control) as store:
        steps.extend(store, act_by(actor, reason, key), object, rule, utc(at))
    before = periods.rule_of(rule).extends
    err.print(EXTENDED.in_(lang).format(object=object, rule=rule, before=before))
    _next(object, rule, lang)


@steps_app.command()
def suspend(
    object: ObjectArgument,
    rule: RuleArgument,
    ground: Annotated[str, typer.Option(help=choices(GROUNDS_ZH))],
    reason: ReasonOption,
    from_on: Annotated[
        datetime | None,
        typer.Option("--from", formats=DAY, help="First day that does not count. Default: today."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Stop counting for the time of an inspection, test, appraisal or expert review."""
    first = from_on.date() if from_on else None
    with opened(settings.installed(home).control) as store:
        steps.suspend(store, act_by(actor, reason, key), object, rule, ground, first)
    err.print(SUSPENDED.in_(lang).format(object=object, rule=rule), soft_wrap=True)


@steps_app.command()
def resume(
    object: ObjectArgument,
    rule: RuleArgument,
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=DAY, help="First day that counts again. Default: today."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Count on after a suspension; the end moves by the days that did not count."""
    with opened(settings.installed(home).control) as store:
        steps.resume(store, act_by(actor, reason, key), object, rule, on.date() if on else None)
    err.print(RESUMED.in_(lang).format(object=object, rule=rule))
    _next(object, rule, lang)


def _next(object: str, rule_id: str, lang: Lang) -> None:
    """Say what may come next on a running clock."""
    ways = [f"meet {object} {rule_id}"]
    if periods.rule_of(rule_id).stops:
        ways.append(f"suspend {object} {rule_id} --ground … --reason …")
    ways += [
        f"extend {object} {each.rule_id} --reason …"
        for each in periods.rules().values()
        if each.extends == rule_id
    ]
    said = SEMICOLON.in_(lang).join(f"bidwatch deadlines {way}" for way in ways)
    err.print(NEXT.in_(lang).format(ways=said), soft_wrap=True)
