"""Computes the OCDS indicators of a file of releases.

A line holds a compiled release, a record with its ``compiledRelease``, or a package of either. Where an ocid comes
more than once the last one in the file is used, and said.

One pass: releases go in batches to a temporary DuckDB file, which spills to disk, so that memory does
not grow with the size of the bids. Nothing is kept afterwards.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb

from detectors.ocds.indicators import Limits, assess
from detectors.ocds.verdicts import Assessment
from pipelines import duck
from pipelines.duck import DuckDBEngine
from pipelines.indicators.releases import MAX_NAMED, Input, releases
from pipelines.indicators.settings import Preparation
from pipelines.indicators.tables import SCHEMAS, Rows

#: Releases written at a time.
BATCH_RELEASES = 5_000


def compute(
    path: Path, limits: Limits, preparation: Preparation, *, threads: int = 2
) -> tuple[Assessment, Input]:
    """Compute the indicators over a file of OCDS releases, one a line; ``.gz`` and ``.zst`` are unpacked.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is compressed and damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
        con = duck.connect(Path(folder) / "indicators.duckdb", threads=threads)
        try:
            taken = _load(con, path, preparation)
            return assess(DuckDBEngine(con), limits), taken
        finally:
            con.close()


def _load(con: duckdb.DuckDBPyConnection, path: Path, preparation: Preparation) -> Input:
    con.execute("CREATE SCHEMA ocds")
    for table, schema in SCHEMAS.items():
        con.register("empty", schema.empty_table())
        con.execute(f"CREATE TABLE ocds.{table} AS SELECT * FROM empty")
        con.unregister("empty")
    taken = Input()
    rows = Rows(preparation, taken)
    for line, found in releases(path, taken):
        taken.releases += 1
        rows.add(taken.releases, line, found)
        if taken.releases % BATCH_RELEASES == 0:
            rows.write(con)
    rows.write(con)
    _keep_last(con, taken)
    return taken


def _keep_last(con: duckdb.DuckDBPyConnection, taken: Input) -> None:
    """Keep of every ocid the release that stands last in the file."""
    con.execute("""
        CREATE TABLE ocds.replaced AS
        SELECT process, ocid, line, last_line
        FROM (
            SELECT process, ocid, line,
                   max(process) OVER (PARTITION BY ocid)      AS last_process,
                   max(line) OVER (PARTITION BY ocid)         AS last_line
            FROM ocds.processes
        ) AS p
        WHERE process < last_process
    """)
    ((taken.replaced,),) = con.execute("SELECT count(*) FROM ocds.replaced").fetchall()
    taken.processes = taken.releases - taken.replaced
    if taken.replaced:
        taken.named_replaced = con.execute(
            "SELECT ocid, line, last_line FROM ocds.replaced ORDER BY process LIMIT $most",
            {"most": MAX_NAMED},
        ).fetchall()
        for table in SCHEMAS:
            con.execute(f"DELETE FROM ocds.{table} WHERE process IN (SELECT process FROM ocds.replaced)")
