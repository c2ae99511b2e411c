"""What people said about alerts, as labels for those who judge the detectors."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, fields

import typer

from pipelines import settings
from pipelines.casework import alert_labels
from pipelines.commands.options import AsOfOption, today
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing
from pipelines.store import opened

app = typer.Typer(
    help="Labels (核查结论) that people gave to alerts, as they were known on a day.", no_args_is_help=True
)


@app.callback()
def group() -> None:
    """Keep `labels export` a command of its own."""


@app.command()
def export(home: HomeOption = None, as_of: AsOfOption = None, format: FormatOption = Format.CSV) -> None:
    """Write the labels known on a day, each with the evidence that the person saw. No names are in it."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = alert_labels.labels(store, day)
    columns = tuple(field.name for field in fields(alert_labels.AlertLabel))
    shown = (
        columns if format is not Format.TABLE else ("alert_id", "detector", "label_zh", "said_by", "known_on")
    )
    listing(
        f"Labels 核查结论 {day}: {len(found)}",
        shown,
        [tuple(asdict(each)[name] for name in shown) for each in found],
        format,
    )
    err.print(
        ", ".join(f"{count} {label}" for label, count in Counter(e.label for e in found).most_common())
        or "none"
    )
