"""From a seed to a folder: the deliveries of a county and the truth about them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines import duck
from pipelines.settings import Progress
from pipelines.simulator import county, deliveries, follow_up, papers, truth
from pipelines.simulator.care import Care
from pipelines.simulator.market import nights_until
from pipelines.values.literals import quoted

LAST_NIGHT = date(2026, 6, 30)  # fixed: a seed gives the same county on every day
MAKING = ".making"


@dataclass(frozen=True)
class Written:
    """What was written: how many lots, bids, rings, rigged lots, records and documents; the first and last night."""

    lots: int
    bids: int
    rings: int
    rigged: int
    records: int
    papers: int
    nights: tuple[date, date]


def write_county(
    out: Path,
    *,
    seed: int,
    lots: int,
    nights: int,
    form: deliveries.Form,
    care: Sequence[Care],
    paper_lots: int = 0,
    with_follow_up: bool = False,
    progress: Progress = lambda station, done, of: None,
) -> Written:
    """Write a county's deliveries to ``out/inbox`` and the truth about it to ``out/truth``.

    The same arguments give the same bytes. ``care``: the levels of care of its rings, none for an honest
    county. ``paper_lots``: number of lots whose documents are written too (see ``papers``). ``with_follow_up``: write
    also what follows the award and what registers say (see ``follow_up``). ``progress`` is called with the station
    and how much of it is done.

    Raises:
        FileExistsError: ``out`` already holds an inbox or a truth, which would be mixed with the new ones.
    """
    for folder in ("inbox", "truth"):
        if (out / folder).exists():
            raise FileExistsError(f"{out / folder} is already there: choose another folder, or remove it")
    making = out / MAKING
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        con = duck.connect(making / "county.duckdb")
        con.execute(f"SET temp_directory = {quoted(str(making / 'spill'))}")
        con.execute("SET enable_progress_bar = false")  # `progress` says where the work is
        county.simulate(con, seed=seed, lots=lots, last_night=LAST_NIGHT, care=care, progress=progress)
        days = nights_until(LAST_NIGHT, nights)
        if with_follow_up:
            progress("the follow-up", 0, 1)
            follow_up.add(con, seed=seed, until=days[-1], care=care)
        written = 0
        if paper_lots:
            progress("papers", 0, 1)
            written = papers.write_papers(con, out, lots=paper_lots, seed=seed, until=days[-1])
        progress("deliveries", 0, 1)
        records = deliveries.deliver(con, out, days, form, with_follow_up=with_follow_up)
        progress("truth", 0, 1)
        truth.write_truth(con, out)
        counts = con.execute(
            "SELECT (SELECT count(*) FROM world.lots), (SELECT count(*) FROM world.bids),"
            " (SELECT count(*) FROM world.rings), (SELECT count(*) FROM world.rigged WHERE NOT is_forgone)"
        ).fetchall()[0]
        con.close()
    finally:
        shutil.rmtree(making)
    return Written(counts[0], counts[1], counts[2], counts[3], records, written, (days[0], days[-1]))
