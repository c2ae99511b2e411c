"""What a changed detector or limit would flag otherwise in a published snapshot, before a night runs with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from detectors.registry import Loaded
from pipelines.duck import DuckDBEngine
from pipelines.reference import Reference

#: A row of a screen: its unit, and the firms that it names, sorted (empty where it names none).
Row = tuple[str, str]


@dataclass(frozen=True)
class Difference:
    """What one detector flags otherwise.

    Attributes:
        detector: its id.
        is_new: the snapshot was screened without it.
        added, removed: rows that it flags now and did not, and the other way round, sorted.
        unchanged: rows that it flags now as then.
    """

    detector: str
    is_new: bool
    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    unchanged: int


def changed(manifest: str, detectors: Sequence[Loaded]) -> list[Loaded]:
    """Return the detectors that are not as they were when a snapshot was screened: their code, data or limits.

    Args:
        manifest: of the snapshot, as the control store has it.
        detectors: in force now.
    """
    before = {id: (version, limits) for id, version, limits in json.loads(manifest)["detectors"]}
    return [each for each in detectors if before.get(each.id) != (each.version, each.limits_version)]


def compare(
    con: duckdb.DuckDBPyConnection, detectors: Sequence[Loaded], known: Reference | None = None
) -> list[Difference]:
    """Screen a published snapshot again by some detectors and set the flagged rows beside those that it has.

    Args:
        con: the snapshot, read only.
        detectors: to be run.
        known: the reference data in force.

    Raises:
        ValueError: the snapshot was built by an older version and lacks what a detector reads.
    """
    then: dict[str, set[Row]] = {}
    for detector, unit, entities in con.execute(
        "SELECT detector, unit, coalesce(entities, '') FROM risk.screened WHERE flagged"
    ).fetchall():
        then.setdefault(detector, set()).add((unit, entities))
    judged = {row[0] for row in con.execute("SELECT DISTINCT detector FROM risk.screened").fetchall()}
    found = []
    for detector in detectors:
        try:
            frame = detector.screen(DuckDBEngine(con, known), detector.limits)
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise ValueError(
                f"the snapshot was built by an older version and lacks what {detector.id} reads"
                f" ({str(error).splitlines()[0]}); run a night with the limits as they were, then compare"
            ) from error
        flagged = frame[frame["flagged"].astype(bool)]
        now = set(zip(flagged["unit"].astype(str), flagged["entities"].fillna("").astype(str), strict=True))
        before = then.get(detector.id, set())
        found.append(
            Difference(
                detector.id,
                detector.id not in judged,
                tuple(sorted(now - before)),
                tuple(sorted(before - now)),
                len(now & before),
            )
        )
    return found
