"""Not to be told of a matter for a time (抑制): agree, list, end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated

import typer

from detectors import registry
from pipelines import settings
from pipelines.casework import suppressions
from pipelines.casework.cases import cases
from pipelines.casework.cases.states import DISMISSALS_ZH
from pipelines.casework.suppressions import LONGEST_DAYS
from pipelines.commands.options import (
    ACTING,
    DAY,
    ActorOption,
    AsOfOption,
    DismissalOption,
    Format,
    FormatOption,
    HomeOption,
    KeyOption,
    LangOption,
    Panel,
    ReasonOption,
    act_by,
    for_reader,
    today,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import SEMICOLON, Both, Lang, word
from pipelines.findings import alerts
from pipelines.findings.signals import Signal
from pipelines.findings.suppression import ANY, Suppression, quiet_until
from pipelines.store import Store, opened

ADDED = Both(
    "{number}：{code}，至 {last}；现有 {count} 条疑似线索在内，期满前不送达。",
    "{number}: {code}. It holds back {count} of the current signals until {last}.",
)
NOTHING = Both(
    "现有疑似线索均不在内：请核对规则、标段和主体。",
    "Nothing that is found now is covered: check detector, lot and firms.",
)
NEXT = Both(
    "  bidwatch suppress list；提前结束：bidwatch suppress end {number} --reason 理由",
    "  bidwatch suppress list; end it before: bidwatch suppress end {number} --reason TEXT",
)
HELD = Both("抑制中的疑似线索 {day}", "Suppressed signals on {day}")
HELD_HEADINGS = Both(
    ("预警编号", "规则", "标段", "抑制至"), ("alert", "detector", "lots", "suppressed_until")
)
AGREED = Both("抑制 {day}：{count}", "Suppressions on {day}: {count}")
HEADINGS = Both(
    ("编号", "规则／标段／主体", "原因", "说明", "起止", "线索", "经办"),
    ("no.", "detector / lot / firms", "code", "reason", "from, until", "signals", "who"),
)
ENDED = Both(
    "{number}：已于 {day} 结束；其中的疑似线索随下一夜送达：bidwatch nightly",
    "{number}: ended on {day}; what it held back goes out with the next night: bidwatch nightly",
)

#: What programs get of a suppression, beside the number of signals that it holds back.
RECORD: dict[str, Callable[[Suppression], object]] = {
    "number": lambda each: each.number,
    "detector": lambda each: each.detector,
    "lot_id": lambda each: each.lot_id,
    "entities": lambda each: ";".join(each.entities),
    "code": lambda each: each.code,
    "code_zh": lambda each: DISMISSALS_ZH[each.code],
    "reason": lambda each: each.reason,
    "case_id": lambda each: each.case_id,
    "starts_on": lambda each: each.starts_on,
    "ends_on": lambda each: each.ends_on,
    "ended_on": lambda each: each.ended_on,
    "actor": lambda each: each.actor,
}

app = typer.Typer(
    name="suppress",
    help="Agree not to be told of a matter for a time (抑制). It always has an end.",
    no_args_is_help=True,
    rich_help_panel=Panel.CASES,
)


@app.command()
def add(
    reason: ReasonOption,
    code: DismissalOption,
    until: Annotated[
        datetime,
        typer.Option(formats=DAY, help=f"The last day, at most {LONGEST_DAYS} days from now. It must end."),
    ],
    detector: Annotated[str, typer.Option(help="Only of this detector, else of any.")] = ANY,
    lot: Annotated[str, typer.Option(help="Only about this lot, else about any.")] = ANY,
    party: Annotated[
        list[str] | None,
        typer.Option(help="Only about these firms (party ids); with any other it comes back."),
    ] = None,
    case: Annotated[
        str | None,
        typer.Option(help="The case in which it was agreed; its lot is meant, unless --lot says another."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    as_of: AsOfOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Suppress: no office is told until the day is over. The signals stay and are listed."""
    day, _ = today(as_of)
    if detector != ANY and detector not in registry.ids():
        raise ValueError(f"no detector {detector!r}; `bidwatch detectors list` shows them")
    with opened(settings.installed(home).control) as store:
        about = _lot_of(store, case) if case is not None and lot == ANY else lot
        number = suppressions.add(
            store,
            act_by(actor, reason, key),
            on=day,
            ends_on=until.date(),
            code=code,
            detector=detector,
            lot_id=about,
            entities=party or (),
            case_id=case,
        )
        made = next(each for each in suppressions.agreed(store) if each.number == number)
        held = _covered([made], alerts.standing(store), made.starts_on)
    out.print(number)
    said = ADDED.in_(lang).format(
        number=number, code=word(DISMISSALS_ZH, code, lang), last=made.ends_on, count=len(held)
    )
    err.print(said, soft_wrap=True)
    if not held:
        err.print(NOTHING.in_(lang))
    err.print(NEXT.in_(lang).format(number=number))


@app.command("list")
def list_(
    home: HomeOption = None,
    all: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    signals: Annotated[
        bool, typer.Option("--signals", help="List the signals that are held back instead.")
    ] = False,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List what is suppressed, until when, why, and how many of the current signals that holds back."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        agreed = suppressions.agreed(store)
        found = alerts.standing(store)
    if signals:
        held = [(signal, quiet_until(agreed, signal, day)) for signal in found]
        named = for_reader(lang, format)
        listing(
            HELD.in_(named).format(day=day),
            HELD_HEADINGS.in_(named),
            [(s.fp, s.detector, "；".join(s.lots), last) for s, last in held if last is not None],
            format,
        )
        return
    shown = [each for each in agreed if all or each.last_day >= day]
    counts = [len(_covered([each], found, day)) for each in shown]
    if format is not Format.TABLE:
        listing(
            "",
            (*RECORD, "signals"),
            [
                (*(value(each) for value in RECORD.values()), count)
                for each, count in zip(shown, counts, strict=True)
            ],
            format,
        )
        return
    listing(
        AGREED.in_(lang).format(day=day, count=len(shown)),
        HEADINGS.in_(lang),
        [
            (
                each.number,
                " ／ ".join((each.detector, each.lot_id, SEMICOLON.in_(lang).join(each.entities) or ANY)),
                word(DISMISSALS_ZH, each.code, lang),
                each.reason + (f" ({each.case_id})" if each.case_id else ""),
                f"{each.starts_on} {each.last_day}",
                count,
                each.actor,
            )
            for each, count in zip(shown, counts, strict=True)
        ],
        format,
    )


@app.command()
def end(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="From `suppress list`.")],
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    as_of: AsOfOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """End a suppression before its day: the next night tells the offices again."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        suppressions.end(store, act_by(actor, reason, key), number, day)
    err.print(ENDED.in_(lang).format(number=number, day=day))


def _lot_of(store: Store, case: str) -> str:
    """Return the one lot that a case is about."""
    fps = {fp for fp, _ in cases.evidence_of(store.con, cases.case_of(store.con, case).id)}
    lots = {lot for signal in alerts.standing(store) if signal.fp in fps for lot in signal.lots}
    if len(lots) != 1:
        raise ValueError(f"{case} is about {len(lots)} lots; say which: --lot LOT, or --detector and --party")
    return lots.pop()


def _covered(agreed: list[Suppression], found: list[Signal], day: date) -> list[Signal]:
    return [signal for signal in found if quiet_until(agreed, signal, day) is not None]
