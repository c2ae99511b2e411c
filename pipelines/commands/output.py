"""How commands print: tables for people, CSV and JSON for programs, messages to stderr."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.commands.options import Format
from reports.cells import cell, terminal

#: At most this wide when nobody watches; on a terminal the terminal decides.
WIDTH = 100

out = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False, width=None if sys.stderr.isatty() else WIDTH)


def listing(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]], format: Format) -> None:
    """Print rows in the wanted form. Values are escaped for where they go."""
    if format is Format.JSON:
        print_json([dict(zip(headers, row, strict=True)) for row in rows])
        return
    if format is Format.CSV:
        writer = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL)
        writer.writerow(headers)
        writer.writerows([cell(text(value)) for value in row] for row in rows)
        return
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", expand=False)
    for place, header in enumerate(headers):
        table.add_column(header, overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(terminal(text(value)) for value in row))
    out.print(table)


def print_json(value: object) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")


def text(value: object) -> str:
    """Return a value as a person reads it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.6g}"
        case _:
            return str(value)


class Watching:
    """Progress of long work: a bar on a terminal, one plain line a station elsewhere."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._station = ""

    def __enter__(self) -> Watching:
        if sys.stderr.isatty():
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.completed}/{task.total}"),
                TimeElapsedColumn(),
                console=err,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, station: str, done: int, of: int) -> None:
        """Show where the work is."""
        if self._bar:
            self._bar.update(self._task, description=station, completed=done, total=max(of, 1))
        elif station != self._station:
            err.print(f"bidwatch: {station} ({done}/{of})" if of > 1 else f"bidwatch: {station}")
        self._station = station
