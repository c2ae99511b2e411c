"""Runs every detector over a snapshot and keeps what each could judge in ``risk.screened``."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from detectors.interface import SCREEN_COLUMNS
from detectors.kernels.prices import screens
from detectors.registry import Loaded
from pipelines.duck import DuckDBEngine
from pipelines.reference import Reference

#: Digits kept of every measured number, so that a fact is the same text on every machine.
FACT_DIGITS = 12


@dataclass(frozen=True)
class ScreenOutcome:
    """What one detector did in one night.

    Attributes:
        id: the detector.
        judged: units that it could judge.
        flagged: rows that it flagged.
    """

    id: str
    judged: int
    flagged: int


def prepare(con: duckdb.DuckDBPyConnection) -> None:
    """Create the shared measurements and the empty result table."""
    con.execute("CREATE SCHEMA IF NOT EXISTS feat")
    con.execute("CREATE SCHEMA IF NOT EXISTS risk")
    _store(con, "feat.lot_prices", screens.lot_prices(DuckDBEngine(con)))
    con.execute(
        """
        CREATE OR REPLACE TABLE risk.screened (
            detector VARCHAR, unit VARCHAR, entities VARCHAR, value DOUBLE, p_value DOUBLE,
            reference_class VARCHAR, flagged BOOLEAN, facts VARCHAR
        )
        """
    )
    # Values that so many unrelated firms share that they count for nothing: to be named, not dropped in silence.
    con.execute(
        """
        CREATE OR REPLACE TABLE risk.hubs (
            detector VARCHAR, value VARCHAR, bidders BIGINT, lots BIGINT, left_out_of_lots BIGINT
        )
        """
    )


def screen(con: duckdb.DuckDBPyConnection, detector: Loaded, known: Reference | None = None) -> ScreenOutcome:
    """Run one detector and append its rows to ``risk.screened``; flagged rows keep their facts as JSON."""
    frame = detector.screen(DuckDBEngine(con, known), detector.limits)
    if missing := [name for name in SCREEN_COLUMNS if name not in frame.columns and name != "entities"]:
        raise ValueError(f"{detector.id}: the screen gives no column {missing[0]!r}")
    if "entities" not in frame.columns:
        frame = frame.assign(entities=pd.Series([None] * len(frame), dtype="str"))
    facts = [name for name in frame.columns if name not in SCREEN_COLUMNS]
    measured = set(frame.select_dtypes("float").columns)
    packed = ", ".join(
        f"{name} := {_rounded(name) if name in measured else name}"
        for name in ("value", "p_value", "reference_class", *facts)
    )
    con.register("screened", pa.Table.from_pandas(frame, preserve_index=False))
    try:
        con.execute(
            f"""
            INSERT INTO risk.screened
            SELECT $detector, CAST(unit AS VARCHAR), CAST(entities AS VARCHAR),
                   {_rounded("value")}, {_rounded("p_value")}, CAST(reference_class AS VARCHAR), flagged,
                   CASE WHEN flagged THEN CAST(to_json(struct_pack({packed})) AS VARCHAR) END
            FROM screened
            ORDER BY unit, entities
            """,
            {"detector": detector.id},
        )
        if "hub" in frame.columns:
            con.execute(
                """
                INSERT INTO risk.hubs
                SELECT $detector, hub, max(hub_bidders), max(hub_lots), count(DISTINCT unit)
                FROM screened WHERE hub <> '' GROUP BY hub ORDER BY hub
                """,
                {"detector": detector.id},
            )
    finally:
        con.unregister("screened")
    return ScreenOutcome(detector.id, int(frame["unit"].nunique()), int(frame["flagged"].sum()))


def _rounded(name: str) -> str:
    """SQL of a measured number with as many digits as are the same on every machine."""
    return f"CAST(printf('%.{FACT_DIGITS}g', CAST({name} AS DOUBLE)) AS DOUBLE)"


def _store(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    con.register("stored", table)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM stored")
    con.unregister("stored")
