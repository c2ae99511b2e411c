"""双随机、一公开 at the desk: plan, commit, draw, inspect, publish."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.casework import risk_classes
from pipelines.casework.draws import draws, inspection_rates, inspections, plans, sheets
from pipelines.commands import draw_inspections, draw_pools
from pipelines.commands.desk_cells import basis_cell, due_cell, remaining
from pipelines.commands.draw_inspections import DrawId
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
    act_by,
    today,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import Both, Lang, word
from pipelines.store import opened
from reports.handed_out import replay_draw
from reports.office_sheet import Sheet

ARMS_EN = {"risk": "by class", "random": "random", "both": "by class and random", "manual": "by hand"}

RATES = Both("抽查比例", "Rates of inspection")
RATE_HEADINGS = Both(
    ("名称", "编号", "维度", "等级", "比例", "频次", "依据"),
    ("title", "set", "dimension", "class", "rate", "frequency", "basis"),
)
PLANS = Both("双随机抽查计划", "Plans of double random inspections")
PLAN_HEADINGS = Both(
    ("抽查计划编号", "批次", "抽查领域", "抽查事项", "状态", "名单数"),
    ("draw", "batch", "fields", "item", "state", "objects"),
)
AFTER_PLAN = Both(
    "下一步：bidwatch draw commit {id}；或 bidwatch draw void {id} --reason 理由",
    "Next: bidwatch draw commit {id}; or bidwatch draw void {id} --reason TEXT",
)
ANNOUNCE = Both(
    "抽取前请公布承诺值（commitment.json 的 SHA-256）。下一步：bidwatch draw run {id}{beacon}。"
    "现在公布名录库：bidwatch draw export {id} 文件夹。放弃：bidwatch draw void {id} --reason 理由",
    "Announce this SHA-256 of commitment.json before the draw. Then: bidwatch draw run {id}{beacon}."
    " To publish the pools now: bidwatch draw export {id} FOLDER. To give it up: bidwatch draw void {id} --reason TEXT",
)
BEACON = Both(
    " --beacon 数值（{source} 公布后的数值）", " --beacon VALUE (the value of {source}, when it is known)"
)
AFTER_COMMITMENT = Both(
    "下一步：bidwatch draw run {id}；或 bidwatch draw void {id} --reason 理由",
    "Next: bidwatch draw run {id}; or bidwatch draw void {id} --reason TEXT",
)
DRAWN = Both("{id} 抽取结果", "{id}: what was drawn")
QUOTA_HEADINGS = Both(
    ("抽取方式", "等级", "对象数", "本期已查", "参加抽取", "比例", "抽中"),
    ("arm", "class", "objects", "inspected already", "eligible", "rate", "drawn"),
)
ALL_CLASSES = Both("全部", "all")
ABOUT = Both("约", "about ")
AFTER_DRAW = Both(
    "下一步：bidwatch draw show {id}；bidwatch draw export {id} 文件夹；"
    "bidwatch draw result {id} 对象编号 结果；bidwatch draw add {id} 对象编号 --reason 理由",
    "Next: bidwatch draw show {id}; bidwatch draw export {id} FOLDER;"
    " bidwatch draw result {id} OBJECT OUTCOME; bidwatch draw add {id} OBJECT --reason TEXT",
)
VOID = Both("{id} 已作废。下一步：bidwatch draw plan", "{id} is given up. Next: bidwatch draw plan")
SHOWN = Both("{id} {title_zh}：{count}", "{id}: {count} objects")
SHOWN_HEADINGS = Both(
    ("对象编号", "名称", "等级", "抽取方式", "检查人员", "结果", "公示", "公示届满", "剩余工作日"),
    ("object", "name", "class", "arm", "officers", "result", "published", "due", "workdays left"),
)
ESTIMATE_EN = (
    "Random draw: {drawn} objects, {judged} judged, {found} with something wrong; {level:.0%} bounds {low:.1%} to"
    " {high:.1%}"
)
INSPECTED = "inspected already, see {draw}"
CHECK = Both(
    "核验：python3 {folder}/replay_draw.py {folder} {announced}",
    "To check: python3 {folder}/replay_draw.py {folder} {announced}",
)
NO_SEED = Both(
    "不含随机种子，抽取前保密。commitment.json 的 SHA-256：{announced}",
    "Without the seed, which is secret until the draw. SHA-256 of commitment.json: {announced}",
)

#: What comes next for a plan that is not drawn yet.
AFTER = {"planned": AFTER_PLAN, "committed": AFTER_COMMITMENT}

SinceOption = Annotated[
    datetime | None,
    typer.Option("--period-from", formats=DAY, help="No object twice from this day. Default: 1 January."),
]
UntilOption = Annotated[
    datetime | None,
    typer.Option("--period-to", formats=DAY, help="… to this day. Default: 31 December."),
]

app = typer.Typer(
    name="draw",
    help="Double random inspections (双随机、一公开): pools, plan, commitment, draw, results, publication.",
    no_args_is_help=True,
    rich_help_panel=Panel.DUTIES,
)
app.add_typer(draw_inspections.steps_app)
app.add_typer(draw_pools.object_app)
app.add_typer(draw_pools.officer_app)
app.add_typer(draw_pools.conflict_app)


@app.command("rates")
def rates_(format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH) -> None:
    """List the rates that places published; * marks the default set."""
    listing(
        RATES.in_(lang),
        RATE_HEADINGS.in_(lang),
        [
            (
                span.title_zh,
                span.rate_set + ("*" if span.is_default else ""),
                span.dimension,
                Both(risk_classes.name_zh(span.class_), span.class_).in_(lang),
                _span(span, lang),
                span.frequency_zh,
                basis_cell(span.basis, span.seen, lang),
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
        datetime | None, typer.Option(formats=DAY, help="Until when inspections should be done.")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    beacon: Annotated[
        str, typer.Option(help="A public source whose value, not yet known, is mixed with the seed.")
    ] = "",
    as_of: AsOfOption = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
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
        rates=inspection_rates.rates_of(chosen, inspection_rates.parse_own_rates(rate or [])),
        rate_set=chosen,
        random=inspection_rates.parse_random(random),
        officers_per_object=officers,
        period=(since.date() if since else date(year, 1, 1), until.date() if until else date(year, 12, 31)),
        due_on=due.date() if due else None,
        beacon=beacon,
    )
    with opened(settings.installed(home).control) as store:
        id = plans.add(store, act_by(actor, reason, key), wanted)
    out.print(id)
    err.print(AFTER_PLAN.in_(lang).format(id=id), soft_wrap=True)


@app.command()
def commit(
    id: DrawId,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Freeze the pools and fix the seed, before anybody can know who is drawn. Announce the printed hash."""
    with opened(settings.installed(home).control) as store:
        announced = draws.commit(store, act_by(actor, key=key), id)
        source = plans.plan_of(store.con, id)["beacon"]
    out.print(announced)
    beacon = BEACON.in_(lang).format(source=source) if source else ""
    err.print(ANNOUNCE.in_(lang).format(id=id, beacon=beacon), soft_wrap=True)


@app.command()
def run(
    id: DrawId,
    beacon: Annotated[str, typer.Option(help="Value of the public source that the plan names.")] = "",
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Draw: objects by class, the random draw, and the officers. Happens once."""
    with opened(settings.installed(home).control) as store:
        draws.run(store, act_by(actor, key=key), id, beacon)
        quotas = replay_draw.read_table("quotas.csv", draws.files(store.con, id)["quotas.csv"])
    listing(
        DRAWN.in_(lang).format(id=id),
        QUOTA_HEADINGS.in_(lang),
        [
            (
                Both(sheets.ARMS_ZH, ARMS_EN).in_(lang)[q["arm"]],
                _stratum(q["stratum"], lang),
                q["objects"],
                q["excluded"],
                q["eligible"],
                _percent(q["rate"], lang),
                q["number"],
            )
            for q in quotas
        ],
        Format.TABLE,
    )
    err.print(AFTER_DRAW.in_(lang).format(id=id), soft_wrap=True)


@app.command()
def void(
    id: DrawId,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Give a plan up that was not drawn; its commitment stays on record and the next draw names it."""
    with opened(settings.installed(home).control) as store:
        plans.void(store, act_by(actor, reason, key), id)
    err.print(VOID.in_(lang).format(id=id))


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH) -> None:
    """List the plans and where they stand."""
    with opened(settings.installed(home).control) as store:
        picked = Counter(row["draw"] for row in store.rows("SELECT draw FROM draw_pick"))
        found = [
            (
                id,
                plan["batch"],
                "、".join(plan["fields"]),
                plan["item"],
                word(plans.STATES_ZH, state, lang),
                picked[id],
            )
            for id, state in plans.states(store.con).items()
            for plan in [plans.plan_of(store.con, id)]
        ]
    listing(PLANS.in_(lang), PLAN_HEADINGS.in_(lang), found, format)


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
    with opened(settings.installed(home).control) as store:
        state = plans.states(store.con).get(id)
        if state != "drawn":
            document = plans.require(store.con, id, *plans.STATES_ZH)
            out.print(json.dumps(document, ensure_ascii=False, indent=1), soft_wrap=True)
            if state in AFTER:
                err.print(AFTER[state].in_(lang).format(id=id), soft_wrap=True)
            return
        if format is Format.CSV:
            _print_sheets(*sheets.sheets(store, id, day)[:2])
            return
        rows = sheets.listed_objects(store, id, day)
        estimate = inspections.error_rate_estimate(inspections.random_outcomes(store.con, id))
    listing(
        SHOWN.in_(lang).format(id=id, title_zh=sheets.TITLE_ZH, count=len(rows)),
        SHOWN_HEADINGS.in_(lang),
        [_row(row, lang) for row in rows],
        format,
    )
    if format is Format.TABLE:
        said = Both(sheets.estimate_zh(estimate), ESTIMATE_EN.format(**vars(estimate))).in_(lang)
        out.print(said, soft_wrap=True)


@app.command()
def export(
    id: DrawId,
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    home: HomeOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write the folder from which anybody can replay the draw: python3 FOLDER/replay_draw.py FOLDER."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        contents = sheets.export(store, id, day)
    sheets.write(contents, folder)
    announced = hashlib.sha256(contents["commitment.json"]).hexdigest()
    said = CHECK if "seed.hex" in contents else NO_SEED
    err.print(said.in_(lang).format(folder=folder, announced=announced), soft_wrap=True)


def _print_sheets(drawn: Sheet, added: Sheet) -> None:
    """Print what was drawn and what was added by hand, with all columns, for programs."""
    width = len(drawn.headings) - 1
    listing(
        drawn.title,
        (*drawn.headings[:width], "产生方式"),
        [
            (*row[:width], how)
            for sheet, how in ((drawn, "随机抽取"), (added, "人工增加"))
            for row in sheet.rows
        ],
        Format.CSV,
    )


def _row(row: sheets.ListedObject, lang: Lang) -> tuple[str, ...]:
    facts = row.facts
    classes = "/".join(filter(None, (facts["credit_class"], facts["risk_class"])))
    outcome = INSPECTED.format(draw=row.carried_from) if row.carried_from else row.outcome or ""
    return (
        row.object_id,
        facts["name"],
        Both(sheets.classes_zh(facts), classes).in_(lang),
        Both(sheets.ARMS_ZH, ARMS_EN).in_(lang)[row.arm],
        " ".join(name for _, name, _ in row.officers),
        Both(sheets.outcome_zh(row), outcome).in_(lang),
        times.local_text(row.published_at)[:10],
        due_cell(row.deadline, lang) if row.deadline else "",
        remaining(row.deadline, lang) if row.deadline else "",
    )


def _stratum(name: str, lang: Lang) -> str:
    named = {**risk_classes.names_zh(), "all": ALL_CLASSES.zh}
    return "/".join(word(named, part, lang) if part in named else part for part in name.split("/"))


def _span(span: inspection_rates.PublishedRate, lang: Lang) -> str:
    shown = [_percent(str(share), lang) for share in dict.fromkeys((span.lowest, span.highest))]
    return "–".join(shown)


def _percent(share: str, lang: Lang) -> str:
    return sheets.percent(share).replace(ABOUT.zh, ABOUT.in_(lang))
