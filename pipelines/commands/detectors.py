"""``bidwatch detectors``: what the machine looks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from detectors import registry
from detectors.interface import Severity, Status
from pipelines import duck, settings
from pipelines.commands import alert_text
from pipelines.commands.alert_text import EXPLANATION
from pipelines.commands.options import Format, FormatOption, HomeOption, LangOption, Panel, for_reader
from pipelines.commands.output import listing, out
from pipelines.commands.texts import SEMICOLON, Both, Lang, word
from pipelines.findings import alerts
from pipelines.snapshot import differences
from pipelines.snapshot.screening import COUNTED_ZH, Unjudged, unjudged_of
from pipelines.store import opened

SEVERITIES_ZH = {Severity.HIGH: "高", Severity.MEDIUM: "中", Severity.LOW: "低"}
STATUSES_ZH = {Status.EXPERIMENTAL: "试验", Status.TEST: "测试", Status.STABLE: "稳定"}

DETECTORS = Both("规则", "Detectors")
HEADINGS = Both(
    ("规则编码", "疑似情形", "证据强度", "严重程度", "状态", "不能判定（最近一次运行）"),
    ("id", "title", "grade", "severity", "status", "could not judge (last night)"),
)
LACKS = Both("{units} {counted}：{lack}", "{units} {counted}: {lack}")
TRUST = Both(
    "证据强度 {grade}，严重程度{severity}，状态：{status}，版本 {version}，阈值 {limits}\n",
    "grade {grade}, severity {severity}, status {status}, version {version}, limits {limits}\n",
)
MEASURES = Both("测量值（英文）：{measures}", "Measures: {measures}")
NEEDS = Both("不能判定：{needs}", "Cannot judge: {needs}")
LIMIT = Both("阈值：{name} = {value}", "Limit: {name} = {value}")
LAW = Both(
    "法律依据：《{instrument_zh}》{article}（{since} – {until}）：{gist}",
    "Law: {instrument_en}, 《{instrument_zh}》{article} ({since} – {until}): {gist}",
)
NOW = Both("至今", "now")
SAYS = Both("表述：{says}", "Says: {says}")

DIFFERENCES = Both(
    "与数据快照 {snapshot} 相比，{changed} 条规则（含阈值、参考数据）已改动",
    "{changed} detectors (with limits and reference data) are not as they were in snapshot {snapshot}",
)
DIFFERENCE_HEADINGS = Both(
    ("规则", "新增", "不再标记", "不变"), ("detector", "added", "removed", "unchanged")
)
ADDED, REMOVED = Both("新增", "added"), Both("不再标记", "removed")
UNITS = Both("变动的判定单元", "Units that change")
UNIT_HEADINGS = Both(
    ("规则", "变动", "判定单元", "主体", "现属线索"), ("detector", "change", "unit", "entities", "case")
)

app = typer.Typer(
    name="detectors",
    help="What the machine looks for, and how strict it is.",
    no_args_is_help=True,
    rich_help_panel=Panel.SIGNALS,
)


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.EN) -> None:
    """List every detector: what it sees, how strong that is, how far it is trusted, what it could not judge."""
    where = settings.home(home)
    known = registry.load(local=where.reference.local)
    lacks = _last_night(where)
    if format is not Format.TABLE:
        listing(
            "",
            ("id", "title", "title_zh", "grade", "severity", "status", "loosened", "could_not_judge"),
            [
                (
                    each.id,
                    each.facts.title,
                    each.facts.title_zh,
                    each.facts.grade,
                    each.facts.severity,
                    each.status,
                    ";".join(each.loosened or ()),
                    _lacks(lacks.get(each.id, []), lang),
                )
                for each in known
            ],
            format,
        )
        return
    listing(
        DETECTORS.in_(lang),
        HEADINGS.in_(lang),
        [
            (
                each.id,
                Both(each.facts.title_zh, each.facts.title).in_(lang),
                each.facts.grade,
                word(SEVERITIES_ZH, each.facts.severity, lang),
                word(STATUSES_ZH, each.status, lang),
                _lacks(sorted(lacks.get(each.id, []), key=lambda lack: -lack.units)[:1], lang),
            )
            for each in known
        ],
        format,
    )
    for said in filter(None, (alert_text.loosened(each, lang) for each in known)):
        out.print(said, soft_wrap=True)


@app.command()
def explain(
    id: Annotated[str, typer.Argument(help="A detector, such as prices.ladder.")],
    home: HomeOption = None,
    lang: LangOption = Lang.EN,
) -> None:
    """Explain one detector: what it measures, when it looks innocent, its limits and its law."""
    known = {detector.id: detector for detector in registry.load(local=settings.home(home).reference.local)}
    if id not in known:
        raise ValueError(f"no detector called {id!r}; there are {', '.join(known)}")
    detector = known[id]
    facts = detector.facts
    out.print(f"{detector.id}  {Both(facts.title_zh, facts.title).in_(lang)}")
    out.print(
        TRUST.in_(lang).format(
            grade=facts.grade,
            severity=word(SEVERITIES_ZH, facts.severity, lang),
            status=word(STATUSES_ZH, detector.status, lang),
            version=detector.version,
            limits=detector.limits_version,
        )
    )
    if said := alert_text.loosened(detector, lang):
        out.print(said, soft_wrap=True)
    out.print(EXPLANATION.in_(lang).format(text=detector.module.__doc__))
    out.print(MEASURES.in_(lang).format(measures=facts.measures))
    needs = SEMICOLON.in_(lang).join(Both(need.lack_zh, need.lack).in_(lang) for need in detector.needs)
    out.print(NEEDS.in_(lang).format(needs=needs))
    for name, value in asdict(detector.limits).items():  # type: ignore[call-overload]
        out.print(LIMIT.in_(lang).format(name=name, value=value))
    laws = alerts.load_laws()
    for basis in facts.legal_basis:
        for law in laws[basis]:
            out.print(
                LAW.in_(lang).format(
                    instrument_en=law["instrument_en"],
                    instrument_zh=law["instrument"],
                    article=law["article"],
                    since=law["valid_from"],
                    until=law["valid_to"] or NOW.in_(lang),
                    gist=Both(law["gist_zh"], law["gist_en"]).in_(lang),
                )
            )
    out.print(SAYS.in_(lang).format(says=Both(facts.says_zh, facts.says).in_(lang)))


@app.command()
def diff(
    home: HomeOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show what detectors and limits that were changed since the last night would flag otherwise, before the next one."""
    where = settings.installed(home)
    with opened(where.control) as store:
        snapshot = store.published_snapshot()
        manifest = store.rows("SELECT manifest FROM snapshot WHERE id = ?", snapshot)[0]["manifest"]
        cases = {
            (row["detector"], row["scope"]): row["case_id"]
            for row in store.rows("SELECT detector, scope, case_id FROM signal WHERE is_current = 1")
        }
    known = registry.load(local=where.reference.local)
    changed = differences.changed(manifest, known)
    con = duck.open_snapshot(where.snapshot(snapshot))
    try:
        found = differences.compare(con, changed, where.reference)
    finally:
        con.close()
    if format is Format.TABLE:
        listing(
            DIFFERENCES.in_(lang).format(snapshot=snapshot, changed=len(changed)),
            DIFFERENCE_HEADINGS.in_(lang),
            [
                (each.detector, f"+{len(each.added)}", f"-{len(each.removed)}", each.unchanged)
                for each in found
            ],
            format,
        )
    rows = [
        (
            each.detector,
            change.in_(for_reader(lang, format)),
            unit,
            entities,
            cases.get((each.detector, unit), ""),
        )
        for each in found
        for change, units in ((ADDED, each.added), (REMOVED, each.removed))
        for unit, entities in units
    ]
    if format is not Format.TABLE or rows:
        listing(UNITS.in_(lang), UNIT_HEADINGS.in_(for_reader(lang, format)), rows, format)


def _last_night(home: settings.Home) -> Mapping[str, list[Unjudged]]:
    """Return what each detector could not judge in the current snapshot; nothing where there is none."""
    if not home.control.exists():
        return {}
    with opened(home.control) as store:
        snapshot = store.current_snapshot()
    if snapshot is None or not home.snapshot(snapshot).exists():
        return {}
    con = duck.open_snapshot(home.snapshot(snapshot))
    try:
        return unjudged_of(con)
    finally:
        con.close()


def _lacks(lacks: list[Unjudged], lang: Lang) -> str:
    return SEMICOLON.in_(lang).join(
        LACKS.in_(lang).format(
            units=f"{each.units:,}",
            counted=word(COUNTED_ZH, each.counted, lang),
            lack=Both(each.lack_zh, each.lack).in_(lang),
        )
        for each in lacks
    )
