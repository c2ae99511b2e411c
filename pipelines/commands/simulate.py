"""``bidwatch simulate``: an invented county whose truth is known."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import LangOption, Panel
from pipelines.commands.output import Watching, out
from pipelines.commands.texts import Both, Lang


class Form(StrEnum):
    """How the nights are written."""

    EXCHANGE = "exchange"
    CSV = "csv"
    PARQUET = "parquet"


MADE = Both(
    "{lots} 个标段，{bids} 份投标；{rings} 个团伙操纵 {rigged} 个标段。{first} 至 {last} 各夜共 {records} 条记录：{folder}",
    "{lots} lots, {bids} bids; {rings} rings rigged {rigged} lots."
    " {records} records in the nights {first} to {last}: {folder}",
)
PAPERS = Both("；{count} 份文件", "; {count} documents")

app = typer.Typer()


@app.command(rich_help_panel=Panel.NIGHT)
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
    lang: LangOption = Lang.EN,
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
    said = MADE.in_(lang).format(
        lots=f"{made.lots:,}",
        bids=f"{made.bids:,}",
        rings=f"{made.rings:,}",
        rigged=f"{made.rigged:,}",
        records=f"{made.records:,}",
        first=made.nights[0],
        last=made.nights[1],
        folder=into / "inbox",
    )
    out.print(said + (PAPERS.in_(lang).format(count=f"{made.papers:,}") if made.papers else ""))
