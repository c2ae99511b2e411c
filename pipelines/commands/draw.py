"""双随机、一公开 at the desk: plan, commit, draw, inspect, publish."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework import risk_classes
from pipelines.casework.acts import Act
from pipelines.casework.draws import draws, inspection_rates, inspections, plans, sheets
from pipelines.commands import draw_pools
from pipelines.commands.deadlines import due_cell, remaining
from pipelines.commands.draw_pools import ObjectId, OptionalReason, RequiredReason
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    AtOption,
    KeyOption,
    Lang,
    LangOption,
    today,
    utc,
)
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out
from pipelines.store import opened
from reports.handed_out import replay_draw

app = typer.Typer(
    help="Double random inspections (双随机、一公开): pools, plan, commitment, draw, results, publication.",
    no_args_is_help=True,
)
app.add_typer(draw_pools.object_app, name="pool-object")
app.add_typer(draw_pools.officer_app, name="pool-officer")
app.add_typer(draw_pools.conflict_app, name="conflict")

DrawId = Annotated[str, typer.Argument(metavar="DRAW", help="Id of the plan, such as SJ2026-001.")]

ARMS_EN = {"risk": "by class", "random": "random", "both": "by class and random", "manual": "by hand"}


@app.command("rates")
def rates_(format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH) -> None:
    """List the rates that places published; * marks the default set."""
    is_zh = lang is Lang.ZH
    listing(
        "抽查比例" if is_zh else "Rates of inspection",
        ("名称", "编号", "维度", "等级", "比例", "频次", "依据")
        if is_zh
        else ("title", "set", "dimension", "class", "rate", "frequency", "basis"),
        [
            (
                span.title_zh,
                span.rate_set + ("*" if span.is_default else ""),
                span.dimension,
                risk_classes.name_zh(span.class_) if is_zh else span.class_,
                _span(span),
                span.frequency_zh,
                span.basis + ("" if span.seen else "（待核）" if is_zh else " (to be checked)"),
            )
            for span in inspection_rates.published_rates()
        ],
        format,
    )


@app.command()
def plan(
    item: Annotated[str, typer.Option(help="What is inspected (抽查事项).")],
    field: Annotated[list[str], typer.Option(help="Field (领域); may be repeated for a joint inspection.")],
    random: Annotated[
        str, typer.Option(help="Random draw over all objects, whatever their class: 10 objects, or 5%.")
    ],
    batch: Annotated[str, typer.Option(help="Batch of the year's plan (批次).")] = "1",
    rate_set: Annotated[
        str | None, typer.Option("--rates", help="Set of rates, see `draw rates`; none: only --rate counts.")
    ] = None,
    rate: Annotated[
        list[str] | None,
        typer.Option(help="Own rate of a class: risk:high=30% or credit:D=3/4; may be repeated."),
    ] = None,
    officers: Annotated[int, typer.Option(help="Officers per object, two or more.")] = 2,
    method: Annotated[
        list[str] | None,
        typer.Option(help=f"How (检查方式), may be repeated: {'、'.join(plans.METHODS_ZH)}."),
    ] = None,
    due: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Until when inspections should be done.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--period-from", formats=["%Y-%m-%d"], help="No object twice from this day. Default: 1 January."
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--period-to", formats=["%Y-%m-%d"], help="… to this day. Default: 31 December."),
    ] = None,
    beacon: Annotated[
        str, typer.Option(help="A public source whose value, not yet known, is mixed with the seed.")
    ] = "",
    as_of: AsOfOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: OptionalReason = "",
    key: KeyOption = None,
) -> None:
    """Write a plan down: what is drawn, from which fields, at which rates."""
    day, _ = today(as_of)
    year = since.year if since else day.year
    chosen = inspection_rates.default_set() if rate_set is None else "" if rate_set == "none" else rate_set
    wanted = plans.InspectionPlan(
        year=year,
        batch=batch,
        fields=tuple(field),
        item=item,
        methods=tuple(method or ()),
        rates=inspection_rates.rates_of(chosen, _own_rates(rate or [])),
        rate_set=chosen,
        random=_random(random),
        officers_per_object=officers,
        period=(since.date() if since else date(year, 1, 1), until.date() if until else date(year, 12, 31)),
        due_on=due.date() if due else None,
        beacon=beacon,
    )
    with opened(settings.installed(home).control) as store:
        id = plans.add(store, Act(actor=actor, at=times.now(), reason=reason, key=key), wanted)
    out.print(id)
    err.print(f"Next: bidwatch draw commit {id}", soft_wrap=True)


@app.command()
def commit(id: DrawId, home: HomeOption = None, actor: ActorOption = ACTING, key: KeyOption = None) -> None:
    """Freeze the pools and fix the seed, before anybody can know who is drawn. Announce the printed hash."""
    with opened(settings.installed(home).control) as store:
        announced = draws.commit(store, Act(actor=actor, at=times.now(), key=key), id)
        source = plans.plan_of(store.con, id)["beacon"]
    out.print(announced)
    value = f" --beacon VALUE (the value of {source}, when it is known)" if source else ""
    err.print(
        f"Announce this SHA-256 of commitment.json before the draw (公布承诺值). Then: bidwatch draw run {id}{value}."
        f" To publish the pools now: bidwatch draw export {id} FOLDER. To give it up: bidwatch draw void {id}",
        soft_wrap=True,
    )


@app.command()
def run(
    id: DrawId,
    beacon: Annotated[str, typer.Option(help="Value of the public source that the plan names.")] = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Draw: objects by class, the random draw, and the officers. Happens once."""
    with opened(settings.installed(home).control) as store:
        draws.run(store, Act(actor=actor, at=times.now(), key=key), id, beacon)
        quotas = replay_draw.read_table("quotas.csv", draws.files(store.con, id)["quotas.csv"])
    listing(
        f"{id} 抽取结果",
        ("抽取方式", "等级", "对象数", "本期已查", "参加抽取", "比例", "抽中"),
        [
            (
                sheets.ARMS_ZH[q["arm"]],
                _stratum(q["stratum"]),
                q["objects"],
                q["excluded"],
                q["eligible"],
                sheets.percent(q["rate"]),
                q["number"],
            )
            for q in quotas
        ],
        Format.TABLE,
    )
    _next_after_draw(id)


@app.command()
def void(
    id: DrawId,
    reason: RequiredReason,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Give a plan up that was not drawn; its commitment stays on record and the next draw names it."""
    with opened(settings.installed(home).control) as store:
        plans.void(store, Act(actor=actor, at=times.now(), reason=reason, key=key), id)
    err.print(f"{id} is given up. Next: bidwatch draw plan")


@app.command()
def add(
    id: DrawId,
    object: ObjectId,
    reason: RequiredReason,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Add an object by hand; it is listed apart, with the reason, and never counts as drawn."""
    with opened(settings.installed(home).control) as store:
        team = inspections.add_object(
            store, Act(actor=actor, at=times.now(), reason=reason, key=key), id, object
        )
    out.print(" ".join(team))
    err.print(
        f"{object} was added to {id} by hand. Next: bidwatch draw result {id} {object} OUTCOME",
        soft_wrap=True,
    )


@app.command()
def replace(
    id: DrawId,
    object: ObjectId,
    officer: draw_pools.OfficerId,
    reason: RequiredReason,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
) -> None:
    """Let the next officer by ticket take the place of one who cannot come; nobody chooses."""
    with opened(settings.installed(home).control) as store:
        other = inspections.replace_officer(
            store, Act(actor=actor, at=times.now(), reason=reason, key=key), id, object, officer
        )
    out.print(other)


@app.command()
def result(
    id: DrawId,
    object: ObjectId,
    outcome: Annotated[
        str,
        typer.Argument(
            metavar="OUTCOME", help="; ".join(f"{c} {zh}" for c, zh in inspections.OUTCOMES_ZH.items())
        ),
    ],
    at: AtOption = None,
    note: Annotated[str, typer.Option(help="In a few words; stays in this installation.")] = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: OptionalReason = "",
    key: KeyOption = None,
) -> None:
    """Enter what an inspection found; --at is when it was done. Starts five working days for publication."""
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), reason=reason, key=key)
        inspections.enter_result(store, act, id, object, outcome, utc(at), note)
        day, _ = today(None)
        row = next(row for row in sheets.listed_objects(store, id, day) if row.object_id == object)
    if row.deadline:
        err.print(
            f"To be published until {due_cell(row.deadline, Lang.EN)}, working days left:"
            f" {remaining(row.deadline, Lang.EN)}. Next: bidwatch draw publish {id} {object} --channel NAME",
            soft_wrap=True,
        )


@app.command()
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
) -> None:
    """Say that results were made public, where and when."""
    with opened(settings.installed(home).control) as store:
        act = Act(actor=actor, at=times.now(), key=key)
        done = inspections.note_publication(
            store, act, id, object or [], utc(at), channel=channel, withheld=withhold
        )
    out.print("\n".join(done))
    err.print(f"{len(done)} results of {id}: {'withheld' if withhold else 'published'}")


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH) -> None:
    """List the plans and where they stand."""
    is_zh = lang is Lang.ZH
    with opened(settings.installed(home).control) as store:
        picked = Counter(row["draw"] for row in store.rows("SELECT draw FROM draw_pick"))
        found = [
            (
                id,
                plan["batch"],
                "、".join(plan["fields"]),
                plan["item"],
                plans.STATES_ZH[state] if is_zh else state,
                picked[id],
            )
            for id, state in plans.states(store.con).items()
            for plan in [plans.plan_of(store.con, id)]
        ]
    listing(
        "双随机抽查计划" if is_zh else "Plans of double random inspections",
        ("抽查计划编号", "批次", "抽查领域", "抽查事项", "状态", "名单数")
        if is_zh
        else ("draw", "batch", "fields", "item", "state", "objects"),
        found,
        format,
    )


@app.command()
def show(
    id: DrawId,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show the list of a draw: objects, officers, results, publication, and the error rate. csv: all columns."""
    day, _ = today(as_of)
    is_zh = lang is Lang.ZH
    with opened(settings.installed(home).control) as store:
        state = plans.states(store.con).get(id)
        if state != "drawn":
            document = plans.require(store.con, id, *plans.STATES_ZH)
            out.print(json.dumps(document, ensure_ascii=False, indent=1), soft_wrap=True)
            _next(id, str(state))
            return
        if format is Format.CSV:
            drawn, added, _ = sheets.sheets(store, id, day)
            chosen = ((drawn, "随机抽取"), (added, "人工增加"))
            width = len(drawn.headings) - 1
            listing(
                drawn.title,
                (*drawn.headings[:width], "产生方式"),
                [(*row[:width], how) for sheet, how in chosen for row in sheet.rows],
                format,
            )
            return
        rows = sheets.listed_objects(store, id, day)
        estimate = inspections.error_rate_estimate(inspections.random_outcomes(store.con, id))
    listing(
        f"{id} {sheets.TITLE_ZH}：{len(rows)}" if is_zh else f"{id}: {len(rows)} objects",
        ("对象编号", "名称", "等级", "抽取方式", "检查人员", "结果", "公示", "公示届满", "剩余工作日")
        if is_zh
        else ("object", "name", "class", "arm", "officers", "result", "published", "due", "workdays left"),
        [_row(row, is_zh, lang) for row in rows],
        format,
    )
    if format is Format.TABLE:
        out.print(
            sheets.estimate_zh(estimate)
            if is_zh
            else f"Random draw: {estimate.drawn} objects, {estimate.judged} judged, {estimate.found} with something"
            f" wrong; {estimate.level:.0%} bounds {estimate.low:.1%} to {estimate.high:.1%}",
            soft_wrap=True,
        )


@app.command()
def export(
    id: DrawId,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    home: HomeOption = None,
    as_of: AsOfOption = None,
) -> None:
    """Write the folder from which anybody can replay the draw: python3 FOLDER/replay_draw.py FOLDER."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        contents = sheets.export(store, id, day)
    sheets.write(contents, folder)
    announced = hashlib.sha256(contents["commitment.json"]).hexdigest()
    if "seed.hex" in contents:
        err.print(f"To check: python3 {folder}/replay_draw.py {folder} {announced}", soft_wrap=True)
    else:
        err.print(
            f"Without the seed, which is secret until the draw. SHA-256 of commitment.json: {announced}",
            soft_wrap=True,
        )


def _row(row: sheets.ListedObject, is_zh: bool, lang: Lang) -> tuple[str, ...]:
    facts = row.facts
    classes = "/".join(filter(None, (facts["credit_class"], facts["risk_class"])))
    return (
        row.object_id,
        facts["name"],
        sheets.classes_zh(facts) if is_zh else classes,
        sheets.ARMS_ZH[row.arm] if is_zh else ARMS_EN[row.arm],
        " ".join(name for _, name, _ in row.officers),
        sheets.outcome_zh(row) if is_zh or row.carried_from else row.outcome or "",
        times.local_text(row.published_at)[:10],
        due_cell(row.deadline, lang) if row.deadline else "",
        remaining(row.deadline, lang) if row.deadline else "",
    )


def _next(id: str, state: str) -> None:
    match state:
        case "planned":
            err.print(
                f"Next: bidwatch draw commit {id}; or bidwatch draw void {id} --reason TEXT", soft_wrap=True
            )
        case "committed":
            err.print(
                f"Next: bidwatch draw run {id}; or bidwatch draw void {id} --reason TEXT", soft_wrap=True
            )


def _next_after_draw(id: str) -> None:
    err.print(
        f"Next: bidwatch draw show {id}; bidwatch draw export {id} FOLDER; bidwatch draw result {id} OBJECT OUTCOME;"
        f" bidwatch draw add {id} OBJECT --reason TEXT",
        soft_wrap=True,
    )


def _own_rates(given: list[str]) -> dict[str, dict[str, Fraction]]:
    found: dict[str, dict[str, Fraction]] = {dimension: {} for dimension in replay_draw.DIMENSIONS}
    for text in given:
        name, _, rate = text.partition("=")
        dimension, _, of = name.partition(":")
        if dimension not in found or not of or not rate:
            raise ValueError(f"--rate {text!r}: write risk:high=30% or credit:D=3/4")
        found[dimension][of] = inspection_rates.parse_rate(rate)
    return found


def _random(text: str) -> int | Fraction:
    return int(text) if text.isascii() and text.isdigit() else inspection_rates.parse_rate(text)


def _stratum(name: str) -> str:
    return "/".join({**risk_classes.names_zh(), "all": "全部"}.get(part, part) for part in name.split("/"))


def _span(span: inspection_rates.PublishedRate) -> str:
    shown = [sheets.percent(str(share)) for share in dict.fromkeys((span.lowest, span.highest))]
    return "–".join(shown)
