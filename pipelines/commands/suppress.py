"""Not to be told of a matter for a time (抑制): agree, list, end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from detectors import registry
from pipelines import settings, times
from pipelines.casework import suppressions
from pipelines.casework.acts import Act
from pipelines.casework.cases import cases
from pipelines.casework.cases.states import DISMISSALS_ZH
from pipelines.casework.suppressions import LONGEST_DAYS
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
from pipelines.findings import alerts
from pipelines.findings.signals import Signal
from pipelines.findings.suppression import ANY, Suppression, quiet_until
from pipelines.store import Store, opened

app = typer.Typer(
    help="Agree not to be told of a matter for a time (抑制). It always has an end.", no_args_is_help=True
)

ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in your words; it stands in the log.")]


@app.command()
def add(
    reason: ReasonOption,
    code: Annotated[
        str,
        typer.Option(help="Why: " + ", ".join(f"{code} {zh}" for code, zh in DISMISSALS_ZH.items()) + "."),
    ],
    until: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"], help=f"The last day, at most {LONGEST_DAYS} days from now. It must end."
        ),
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
) -> None:
    """Suppress: no office is told until the day is over. The signals stay and are listed."""
    day, _ = today(as_of)
    if detector != ANY and detector not in registry.ids():
        raise ValueError(f"no detector {detector!r}; `bidwatch detectors list` shows them")
    with opened(settings.installed(home).control) as store:
        about = _lot_of(store, case) if case is not None and lot == ANY else lot
        number = suppressions.add(
            store,
            Act(actor=actor, at=times.now(), reason=reason, key=key),
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
    err.print(
        f"{number}: {DISMISSALS_ZH[code]}，至 {made.ends_on}；现有 {len(held)} 条疑似线索在内。"
        f" It holds back {len(held)} of the current signals until {made.ends_on}.",
        soft_wrap=True,
    )
    if not held:
        err.print("Nothing that is found now is covered: check detector, lot and firms.")
    err.print(f"  bidwatch suppress list; end it before: bidwatch suppress end {number} --reason …")


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
    is_zh = lang is Lang.ZH
    with opened(settings.installed(home).control) as store:
        agreed = suppressions.agreed(store)
        found = alerts.standing(store)
    if signals:
        held = [(signal, quiet_until(agreed, signal, day)) for signal in found]
        titled = is_zh and format is Format.TABLE
        listing(
            f"抑制中的疑似线索 {day}" if is_zh else f"Suppressed signals on {day}",
            ("预警编号", "规则", "标段", "抑制至")
            if titled
            else ("alert", "detector", "lots", "suppressed_until"),
            [(s.fp, s.detector, "；".join(s.lots), last) for s, last in held if last is not None],
            format,
        )
        return
    shown = [each for each in agreed if all or each.last_day >= day]
    counts = [len(_covered([each], found, day)) for each in shown]
    if format is not Format.TABLE:
        listing(
            "",
            (
                "number",
                "detector",
                "lot_id",
                "entities",
                "code",
                "code_zh",
                "reason",
                "case_id",
                "starts_on",
                "ends_on",
                "ended_on",
                "actor",
                "signals",
            ),
            [
                (
                    each.number,
                    each.detector,
                    each.lot_id,
                    ";".join(each.entities),
                    each.code,
                    DISMISSALS_ZH[each.code],
                    each.reason,
                    each.case_id,
                    each.starts_on,
                    each.ends_on,
                    each.ended_on,
                    each.actor,
                    count,
                )
                for each, count in zip(shown, counts, strict=True)
            ],
            format,
        )
        return
    listing(
        f"抑制 {day}：{len(shown)}" if is_zh else f"Suppressions on {day}: {len(shown)}",
        ("编号", "规则／标段／主体", "原因", "说明", "起止", "线索", "经办")
        if is_zh
        else ("no.", "detector / lot / firms", "code", "reason", "from, until", "signals", "who"),
        [
            (
                each.number,
                " ／ ".join((each.detector, each.lot_id, "；".join(each.entities) or ANY)),
                DISMISSALS_ZH[each.code] if is_zh else each.code,
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
) -> None:
    """End a suppression before its day: the next night tells the offices again."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        suppressions.end(store, Act(actor=actor, at=times.now(), reason=reason, key=key), number, day)
    err.print(f"{number}: ended on {day}; what it held back goes out with the next night: bidwatch nightly")


def _lot_of(store: Store, case: str) -> str:
    """Return the one lot that a case is about."""
    fps = {fp for fp, _ in cases.evidence_of(store.con, cases.case_of(store.con, case).id)}
    lots = {lot for signal in alerts.standing(store) if signal.fp in fps for lot in signal.lots}
    if len(lots) != 1:
        raise ValueError(f"{case} is about {len(lots)} lots; say which: --lot LOT, or --detector and --party")
    return lots.pop()


def _covered(agreed: list[Suppression], found: list[Signal], day: date) -> list[Signal]:
    return [signal for signal in found if quiet_until(agreed, signal, day) is not None]
