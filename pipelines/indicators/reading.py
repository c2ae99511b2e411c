"""Computes the OCDS indicators of files of releases.

Where an ocid comes more than once the last one is used, and said. One pass: releases go in batches to a temporary
DuckDB file, which spills to disk, so that memory does not grow with the size of the bids. Nothing is kept afterwards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from detectors.ocds.indicators import Limits, assess, maps
from detectors.ocds.verdicts import Assessment
from pipelines import duck
from pipelines.duck import DuckDBEngine
from pipelines.indicators.competitions import divide
from pipelines.indicators.releases import MAX_NAMED, Input, releases
from pipelines.indicators.settings import Preparation
from pipelines.indicators.tables import SCHEMAS, Rows

#: Releases written at a time.
BATCH_RELEASES = 5_000


Maps = dict[str, dict[str, str | list[str]]]


@dataclass(frozen=True)
class Result:
    """What the indicators say of some files, what these held, and who is behind the results, if that was asked."""

    assessment: Assessment
    taken: Input
    maps: Maps | None


def compute(
    paths: Sequence[Path],
    limits: Limits,
    preparation: Preparation,
    *,
    with_maps: bool = False,
    threads: int = 2,
) -> Result:
    """Compute the indicators over files of OCDS releases, see ``releases``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: one is damaged, or no JSON.
    """
    with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
        con = duck.connect(Path(folder) / "indicators.duckdb", threads=threads)
        try:
            taken = _load(con, paths, preparation)
            engine = DuckDBEngine(con)
            assessment = assess(engine, limits)
            return Result(assessment, taken, maps(engine, limits, assessment) if with_maps else None)
        finally:
            con.close()


def _load(con: duckdb.DuckDBPyConnection, paths: Sequence[Path], preparation: Preparation) -> Input:
    con.execute("CREATE SCHEMA ocds")
    for table, schema in SCHEMAS.items():
        con.register("empty", schema.empty_table())
        con.execute(f"CREATE TABLE ocds.{table} AS SELECT * FROM empty")
        con.unregister("empty")
    taken = Input()
    rows = Rows(preparation, taken)
    for path in paths:
        with tempfile.TemporaryDirectory(prefix="bidwatch-") as work:
            for place, found in releases(path, taken, Path(work)):
                taken.releases += 1
                rows.add(taken.releases, place, found)
                if taken.releases % BATCH_RELEASES == 0:
                    rows.write(con)
    rows.write(con)
    _keep_last(con, taken)
    divide(con)
    return taken


def _keep_last(con: duckdb.DuckDBPyConnection, taken: Input) -> None:
    """Keep of every ocid the release that stands last."""
    con.execute("""
        CREATE TABLE ocds.replaced AS
        SELECT process, ocid, place, last_place
        FROM (
            SELECT process, ocid, place,
                   max(process) OVER (PARTITION BY ocid)                AS last_process,
                   arg_max(place, process) OVER (PARTITION BY ocid)     AS last_place
            FROM ocds.processes
        ) AS p
        WHERE process < last_process
    """)
    ((taken.replaced,),) = con.execute("SELECT count(*) FROM ocds.replaced").fetchall()
    taken.processes = taken.releases - taken.replaced
    if taken.replaced:
        taken.named_replaced = con.execute(
            "SELECT ocid, place, last_place FROM ocds.replaced ORDER BY process LIMIT $most",
            {"most": MAX_NAMED},
        ).fetchall()
        for table in SCHEMAS:
            con.execute(f"DELETE FROM ocds.{table} WHERE process IN (SELECT process FROM ocds.replaced)")
