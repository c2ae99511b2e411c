"""``bidwatch simulate``: an invented county whose truth is known."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.output import Watching, out


class Form(StrEnum):
    """How the nights are written."""

    EXCHANGE = "exchange"
    CSV = "csv"
    PARQUET = "parquet"


def simulate(
    into: Annotated[
        Path, typer.Option("--out", help="Folder for inbox/ and truth/; it may not hold them yet.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    lots: Annotated[int, typer.Option(min=100, max=2_000_000, help="Lots in about two years.")] = 2_000,
    nights: Annotated[
        int, typer.Option(min=1, max=700, help="Nights of delivery; the first brings everything before it.")
    ] = 30,
    honest: Annotated[bool, typer.Option("--honest", help="The same county without any ring.")] = False,
    papers: Annotated[
        int, typer.Option(min=0, help="Lots whose documents (tender document and bids) are written too.")
    ] = 0,
    follow_up: Annotated[
        bool,
        typer.Option("--follow-up", help="With payments, staff, changes, bills, experts' points, registers."),
    ] = False,
    form: Annotated[
        Form,
        typer.Option("--format", help="As a centre sends it (XML, JSON lines, CSV, xlsx), or all in tables."),
    ] = Form.EXCHANGE,
) -> None:
    """Write a county's deliveries night by night, and the truth about its rings.

    Every firm, person, number and account is invented. Run the nights with
    `bidwatch nightly --home DIR2 --inbox DIR/inbox --as-of 2026-06-30` and compare with DIR/truth.
    """
    from pipelines.simulator.care import usual_care
    from pipelines.simulator.writing import write_county

    with Watching() as watching:
        made = write_county(
            into,
            seed=seed,
            lots=lots,
            nights=nights,
            form=form.value,
            care=() if honest else usual_care(),
            paper_lots=papers,
            with_follow_up=follow_up,
            progress=watching,
        )
    out.print(
        f"{made.lots:,} lots, {made.bids:,} bids; {made.rings:,} rings rigged {made.rigged:,} lots. "
        f"{made.records:,} records in the nights {made.nights[0]} to {made.nights[1]}: {into / 'inbox'}"
        + (f"; {made.papers:,} documents" if made.papers else "")
    )
