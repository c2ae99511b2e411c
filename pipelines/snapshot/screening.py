"""Runs every detector over a snapshot and keeps what each could judge in ``risk.screened``."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from detectors.interface import COUNTED, SCREEN_COLUMNS, SEPARATOR, Need
from detectors.kernels.prices import lot_score, screens
from detectors.kernels.rules import ruled_lots
from detectors.registry import Loaded
from pipelines.duck import DuckDBEngine
from pipelines.reference import Reference

#: Digits kept of every measured number, so that a fact is the same text on every machine.
FACT_DIGITS = 12

#: Why a unit that has all needs was not judged, where NEEDS gives no reason for it.
NOT_RECORDED = Need("reason not recorded", "原因未登记")

#: What is counted, in Chinese.
COUNTED_ZH = {"lots": "个标段", "firms": "家企业", "buyers": "个招标人"}


@dataclass(frozen=True)
class Unjudged:
    """So many lots, firms or buyers (``counted``) could not be judged, for one reason."""

    counted: str
    lack: str
    lack_zh: str
    units: int


@dataclass(frozen=True)
class ScreenOutcome:
    """What one detector did in one night.

    Attributes:
        id: the detector.
        judged: units that it could judge.
        flagged: rows that it flagged.
        unjudged: what it could not judge, by reason, in the order in which its needs are asked.
        misstated: where its NEEDS say otherwise than its screen did, for the night's page. The result stands: a wrong
            reason must not stop a night.
    """

    id: str
    judged: int
    flagged: int
    unjudged: tuple[Unjudged, ...]
    misstated: tuple[str, ...]


def measure(con: duckdb.DuckDBPyConnection, known: Reference | None = None) -> DuckDBEngine:
    """Create the tables of schema ``feat``, which detectors share, and return the engine for them."""
    con.execute("CREATE SCHEMA IF NOT EXISTS feat")
    engine = DuckDBEngine(con, known)
    _store(con, "feat.award_rules", ruled_lots.rule_table(engine))
    _store(con, "feat.priced_lots", screens.priced_lots(engine))
    # Screens of whole lots keep away from a lot of which bids are missing or were not read.
    con.execute("DROP TABLE IF EXISTS feat.lot_prices")
    con.execute(
        "CREATE TABLE feat.lot_prices AS SELECT p.* FROM feat.priced_lots AS p JOIN core.lots AS l ON l.lot_id = p.lot_id"
        " WHERE NOT coalesce(l.is_incomplete, FALSE) ORDER BY p.lot_id"
    )
    _store(con, "feat.lot_scores", lot_score.scored_lots(engine))
    return engine


def prepare(con: duckdb.DuckDBPyConnection, known: Reference | None = None) -> None:
    """Create the shared measurements and the empty result tables."""
    con.execute("CREATE SCHEMA IF NOT EXISTS risk")
    measure(con, known)
    con.execute(
        """
        CREATE OR REPLACE TABLE risk.screened (
            detector VARCHAR, unit VARCHAR, entities VARCHAR, value DOUBLE, p_value DOUBLE,
            reference_class VARCHAR, flagged BOOLEAN, facts VARCHAR
        )
        """
    )
    # Lots, firms or buyers that a detector could not judge, by reason; with the judged ones they are all there are.
    con.execute(
        """
        CREATE OR REPLACE TABLE risk.unjudged (
            detector VARCHAR, counted VARCHAR, place INTEGER, reason VARCHAR, reason_zh VARCHAR, units BIGINT
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
    if missing := [name for name in SCREEN_COLUMNS if name not in frame.columns]:
        raise ValueError(f"{detector.id}: the screen gives no column {missing[0]!r}")
    facts = [name for name in frame.columns if name not in SCREEN_COLUMNS]
    measured = set(frame.select_dtypes("float").columns)
    endless = frame["flagged"].to_numpy() & np.isinf(frame[list(measured)].to_numpy()).any(axis=1)
    if endless.any():
        # It would be no JSON, and say nothing to a reader.
        raise ValueError(f"{detector.id}: a number measured for {frame['unit'][endless].iloc[0]} is infinite")
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
    unjudged, misstated = count_unjudged(con, detector, frame)
    if unjudged:
        con.executemany(
            "INSERT INTO risk.unjudged VALUES (?, ?, ?, ?, ?, ?)",
            [
                [detector.id, each.counted, place, each.lack, each.lack_zh, each.units]
                for place, each in enumerate(unjudged)
            ],
        )
    return ScreenOutcome(
        detector.id,
        int(frame["unit"].nunique()),
        int(frame["flagged"].sum()),
        tuple(unjudged),
        tuple(misstated),
    )


def unjudged_of(con: duckdb.DuckDBPyConnection) -> dict[str, list[Unjudged]]:
    """Return what each detector could not judge in a snapshot, by detector."""
    found: dict[str, list[Unjudged]] = {}
    for detector, *facts in con.execute(
        "SELECT detector, counted, reason, reason_zh, units FROM risk.unjudged ORDER BY detector, place"
    ).fetchall():
        found.setdefault(detector, []).append(Unjudged(*facts))
    return found


def count_unjudged(
    con: duckdb.DuckDBPyConnection, detector: Loaded, frame: pd.DataFrame
) -> tuple[list[Unjudged], list[str]]:
    """Count the lots, firms or buyers that could not be judged, by the first need that they lack.

    Returns:
        the counts, and what ``NEEDS`` misstates: a judged unit lacks a need (it stays judged), or one that has all was
        not judged and no reason is left for it (it is counted as `NOT_RECORDED`). Tests allow none.
    """
    counted, all_of_them = COUNTED[detector.facts.unit]
    needs = [need for need in detector.needs if need.sql]
    tables = [_fulfilled(con, need, asdict(detector.limits)) for need in needs]  # type: ignore[call-overload]
    con.register(
        "judged_frame", pa.table({"unit": pa.array(_judged(detector.facts.unit, frame), pa.string())})
    )
    asked = "".join(f" WHEN n{place}.unit IS NULL THEN {place}" for place in range(len(tables)))
    joined = "".join(
        f" LEFT JOIN {table} AS n{place} ON n{place}.unit = a.unit" for place, table in enumerate(tables)
    )
    try:
        rows = con.execute(
            f"""
            WITH judged AS (SELECT DISTINCT unit FROM judged_frame),
            every AS (SELECT DISTINCT unit FROM ({all_of_them}) AS counted)
            SELECT CASE{asked} ELSE {len(tables)} END AS place, j.unit IS NOT NULL AS is_judged, count(*), min(a.unit)
            FROM every AS a{joined} LEFT JOIN judged AS j ON j.unit = a.unit
            GROUP BY ALL
            ORDER BY ALL
            """
        ).fetchall()
    finally:
        con.unregister("judged_frame")
    reasons = (*detector.needs, NOT_RECORDED)
    unjudged, misstated = [], []
    for place, is_judged, units, example in rows:
        reason = reasons[place]
        if not is_judged:
            unjudged.append(Unjudged(counted, reason.lack, reason.lack_zh, units))
        if is_judged and place < len(tables):
            misstated.append(
                f"{detector.id} 判定了{units}{COUNTED_ZH[counted]}（如 {example}），其判定条件却为“{reason.lack_zh}”，结果照用"
                f" / judged {units} {counted} such as {example}, which lack what it needs: {reason.lack}; mend NEEDS"
            )
        if not is_judged and reason is NOT_RECORDED:
            misstated.append(
                f"{detector.id} 未判定{units}{COUNTED_ZH[counted]}（如 {example}），其判定条件均已具备，计为“{reason.lack_zh}”"
                f" / did not judge {units} {counted} such as {example}, which have all it needs;"
                " add a last need without SQL to NEEDS"
            )
    return unjudged, misstated


def _fulfilled(con: duckdb.DuckDBPyConnection, need: Need, limits: dict[str, object]) -> str:
    """Make the table of the units that fulfil a need, once for all detectors that ask for the same; return its name."""
    used = {name: value for name, value in limits.items() if re.search(rf"[$]{name}\b", need.sql)}
    name = "need_" + hashlib.sha256(repr((need.sql, sorted(used.items()))).encode()).hexdigest()[:16]
    con.execute(
        f"CREATE TEMP TABLE IF NOT EXISTS {name} AS SELECT DISTINCT CAST(unit AS VARCHAR) AS unit FROM ({need.sql}) AS n",
        used or None,
    )
    return name


def _judged(unit: str, frame: pd.DataFrame) -> list[str]:
    """Return the judged lots, firms or buyers, with repeats."""
    if COUNTED[unit][0] == "firms":
        return [firm for listed in frame["entities"].dropna() for firm in listed.split(SEPARATOR)]
    if unit == "lot_party":
        return [
            named.removesuffix(f"/{party}")
            for named, party in zip(frame["unit"], frame["entities"], strict=True)
        ]
    return list(frame["unit"].str.split("/").str[0] if unit == "buyer" else frame["unit"])


def _rounded(name: str) -> str:
    """SQL of a measured number with as many digits as are the same on every machine."""
    return f"CAST(printf('%.{FACT_DIGITS}g', CAST({name} AS DOUBLE)) AS DOUBLE)"


def _store(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    con.register("stored", table)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM stored")
    con.unregister("stored")
