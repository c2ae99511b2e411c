"""What people said about alerts, as labels for those who judge the detectors."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields

import typer

from pipelines import settings
from pipelines.casework import alert_labels
from pipelines.commands.options import (
    AsOfOption,
    Format,
    FormatOption,
    HomeOption,
    LangOption,
    Panel,
    today,
)
from pipelines.commands.output import err, listing
from pipelines.commands.texts import AND, Both, Lang
from pipelines.store import opened

LABELS = Both("核查结论 {day}：{count}", "Labels on {day}: {count}")
HEADINGS = Both(
    ("预警编号", "规则", "核查结论", "核查单位", "得知日期"),
    ("alert", "detector", "label", "said by", "known on"),
)
NONE = Both("无", "none")

app = typer.Typer(
    name="labels",
    help="Labels (核查结论) that people gave to alerts, as they were known on a day.",
    no_args_is_help=True,
    rich_help_panel=Panel.PROOF,
)


@app.callback()
def group() -> None:
    """Keep `labels export` a command of its own."""


@app.command()
def export(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.CSV,
    lang: LangOption = Lang.EN,
) -> None:
    """Write the labels known on a day, each with the evidence that the person saw. No names are in it."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = alert_labels.labels(store, day)
    if format is Format.TABLE:
        listing(
            LABELS.in_(lang).format(day=day, count=len(found)),
            HEADINGS.in_(lang),
            [
                (
                    each.alert_id,
                    each.detector,
                    Both(each.label_zh, each.label).in_(lang),
                    each.said_by,
                    each.known_on,
                )
                for each in found
            ],
            format,
        )
    else:
        columns = tuple(field.name for field in fields(alert_labels.AlertLabel))
        listing("", columns, [tuple(asdict(each).values()) for each in found], format)
    counts = Counter(Both(each.label_zh, each.label).in_(lang) for each in found)
    told = [f"{count} {label}" for label, count in counts.most_common()]
    err.print(AND.in_(lang).join(told) or NONE.in_(lang))
