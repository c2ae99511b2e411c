"""What the machine looks for: list and explain the detectors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from detectors import registry
from detectors.interface import Severity, Status
from pipelines.commands.alert_text import EXPLANATION
from pipelines.commands.options import Format, FormatOption, LangOption, Panel
from pipelines.commands.output import listing, out
from pipelines.commands.texts import Both, Lang, word
from pipelines.findings import alerts

SEVERITIES_ZH = {Severity.HIGH: "高", Severity.MEDIUM: "中", Severity.LOW: "低"}
STATUSES_ZH = {Status.EXPERIMENTAL: "试验", Status.TEST: "测试", Status.STABLE: "稳定"}

DETECTORS = Both("规则", "Detectors")
HEADINGS = Both(
    ("规则编码", "疑似情形", "证据强度", "严重程度", "状态"), ("id", "title", "grade", "severity", "status")
)
TRUST = Both(
    "证据强度 {grade}，严重程度{severity}，状态：{status}，版本 {version}，阈值 {limits}\n",
    "grade {grade}, severity {severity}, status {status}, version {version}, limits {limits}\n",
)
MEASURES = Both("测量值（英文）：{measures}", "Measures: {measures}")
LIMIT = Both("阈值：{name} = {value}", "Limit: {name} = {value}")
LAW = Both(
    "法律依据：《{instrument_zh}》{article}（{since} – {until}）：{gist}",
    "Law: {instrument_en}, 《{instrument_zh}》{article} ({since} – {until}): {gist}",
)
NOW = Both("至今", "now")
SAYS = Both("表述：{says}", "Says: {says}")

app = typer.Typer(
    name="detectors",
    help="What the machine looks for, and how strict it is.",
    no_args_is_help=True,
    rich_help_panel=Panel.SIGNALS,
)


@app.command("list")
def list_(format: FormatOption = Format.TABLE, lang: LangOption = Lang.EN) -> None:
    """List every detector: what it sees, how strong that is as evidence, how far it is trusted."""
    known = [(detector.id, detector.facts) for detector in registry.load()]
    if format is not Format.TABLE:
        listing(
            "",
            ("id", "title", "title_zh", "grade", "severity", "status"),
            [(id, f.title, f.title_zh, f.grade, f.severity, f.status) for id, f in known],
            format,
        )
        return
    listing(
        DETECTORS.in_(lang),
        HEADINGS.in_(lang),
        [
            (
                id,
                Both(facts.title_zh, facts.title).in_(lang),
                facts.grade,
                word(SEVERITIES_ZH, facts.severity, lang),
                word(STATUSES_ZH, facts.status, lang),
            )
            for id, facts in known
        ],
        format,
    )


@app.command()
def explain(
    id: Annotated[str, typer.Argument(help="A detector, such as prices.ladder.")],
    lang: LangOption = Lang.EN,
) -> None:
    """Explain one detector: what it measures, when it looks innocent, its limits and its law."""
    known = {detector.id: detector for detector in registry.load()}
    if id not in known:
        raise ValueError(f"no detector called {id!r}; there are {', '.join(known)}")
    detector = known[id]
    facts = detector.facts
    out.print(f"{detector.id}  {Both(facts.title_zh, facts.title).in_(lang)}")
    out.print(
        TRUST.in_(lang).format(
            grade=facts.grade,
            severity=word(SEVERITIES_ZH, facts.severity, lang),
            status=word(STATUSES_ZH, facts.status, lang),
            version=detector.version,
            limits=detector.limits_version,
        )
    )
    out.print(EXPLANATION.in_(lang).format(text=detector.module.__doc__))
    out.print(MEASURES.in_(lang).format(measures=facts.measures))
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
