"""From flagged rows to signals: a stable identity, the facts, and the source cells behind them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from detectors.interface import SEPARATOR
from detectors.registry import Loaded
from reports.canonical_json import canonical_json


@dataclass(frozen=True)
class Signal:
    """What one detector saw, with its evidence.

    Attributes:
        fp: the fingerprint; nothing that may change without the matter changing is in it.
        scope: the unit that the signal is about, for in-lot detectors the lot.
        lot_id: the lot, or None for a signal that is not about one lot.
        entities: party ids, sorted.
        facts: the measured numbers.
        sources: (table.column, raw hash, section, row), sorted.
        ev_hash: hash of facts and sources: equal evidence, equal hash.
    """

    fp: str
    detector: str
    identity_version: int
    scope: str
    lot_id: str | None
    entities: tuple[str, ...]
    facts: dict[str, object]
    sources: tuple[tuple[str, str, str, int], ...]

    @property
    def lots(self) -> tuple[str, ...]:
        """The lots that the signal rests on."""
        if self.lot_id:
            return (self.lot_id,)
        listed = self.facts.get("lot_ids")
        return tuple(str(listed).split(SEPARATOR)) if listed else ()

    @property
    def body(self) -> str:
        """The evidence as canonical JSON."""
        return canonical_json({"facts": self.facts, "sources": [list(source) for source in self.sources]})

    @property
    def ev_hash(self) -> str:
        """Hash of the evidence."""
        return hashlib.sha256(self.body.encode()).hexdigest()[:16]

    @staticmethod
    def restored(
        fp: str,
        detector: str,
        identity_version: int,
        scope: str,
        entities: tuple[str, ...],
        body: str,
        lot_id: str | None,
    ) -> Signal:
        """Return a signal read back from the control store."""
        known = json.loads(body)
        sources = tuple((cell, raw_sha, section, row) for cell, raw_sha, section, row in known["sources"])
        return Signal(fp, detector, identity_version, scope, lot_id, entities, known["facts"], sources)


def fingerprint(detector: str, identity_version: int, scope: str, entities: Iterable[str]) -> str:
    """Return the identity of a signal: detector, meaning, scope and who; never score, date or version."""
    text = canonical_json([detector, identity_version, scope, sorted(entities)])
    return "S" + base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:16]


def collect(con: duckdb.DuckDBPyConnection, detectors: list[Loaded]) -> list[Signal]:
    """Return every signal of the night, in the order of detector, scope and entities."""
    _flagged(con)
    known = {detector.id: detector for detector in detectors}
    rows = con.execute(
        """
        SELECT place, detector, unit, lot_id, entities, facts
        FROM risk.flagged
        ORDER BY detector, unit, entities
        """
    ).fetchall()
    sources = _sources(con, detectors)
    signals = []
    for place, id, unit, lot_id, listed, facts in rows:
        entities = tuple(sorted(listed.split(SEPARATOR))) if listed else ()
        version = known[id].facts.identity_version
        signals.append(
            Signal(
                fp=fingerprint(id, version, unit, entities),
                detector=id,
                identity_version=version,
                scope=unit,
                lot_id=lot_id,
                entities=entities,
                facts=json.loads(facts),
                sources=tuple(sources.get(place, ())),
            )
        )
    return signals


def _flagged(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``risk.flagged`` (one row per signal), ``risk.flagged_lots`` and ``risk.flagged_parties``.

    A lot signal without entities is about every bidder of the lot.
    """
    con.execute(
        """
        CREATE OR REPLACE TABLE risk.flagged AS
        WITH everyone AS (
            SELECT lot_id, string_agg(bidder_id, ';' ORDER BY bidder_id) AS bidders
            FROM core.bids
            WHERE is_valid
            GROUP BY lot_id
        ),
        placed AS (
            SELECT detector, unit, entities, facts,
                   -- a lot, or a lot and a party: lot_id/party_id
                   CASE WHEN l.lot_id IS NOT NULL THEN l.lot_id
                        WHEN ends_with(s.unit, '/' || s.entities)
                        THEN left(s.unit, length(s.unit) - length(s.entities) - 1) END AS lot_id
            FROM risk.screened AS s
            LEFT JOIN core.lots AS l ON l.lot_id = s.unit
            WHERE s.flagged
        )
        SELECT row_number() OVER (ORDER BY p.detector, p.unit, coalesce(p.entities, e.bidders)) AS place,
               p.detector, p.unit, k.lot_id,
               coalesce(p.entities, e.bidders) AS entities, p.facts
        FROM placed AS p
        LEFT JOIN core.lots AS k ON k.lot_id = p.lot_id
        LEFT JOIN everyone AS e ON e.lot_id = k.lot_id
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TABLE risk.flagged_lots AS
        SELECT place, detector, unnest(string_split(coalesce(lot_id, facts ->> 'lot_ids'), ';')) AS lot_id
        FROM risk.flagged
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TABLE risk.flagged_parties AS
        SELECT place, detector, unnest(string_split(entities, ';')) AS party_id FROM risk.flagged
        """
    )


def _sources(
    con: duckdb.DuckDBPyConnection, detectors: list[Loaded]
) -> dict[int, list[tuple[str, str, str, int]]]:
    """Return the source cells of every signal: place -> (table.column, raw hash, section, row)."""
    sources: dict[int, list[tuple[str, str, str, int]]] = {}
    for cell in sorted({cell for detector in detectors for cell in detector.facts.evidence}):
        table, column = cell.split(".")
        users = [detector.id for detector in detectors if cell in detector.facts.evidence]
        rows = con.execute(
            f"""
            SELECT DISTINCT f.place, t.raw_sha, t.raw_section, t.raw_row
            FROM {_joined(con, table)}
              AND f.detector IN (SELECT unnest($users)) AND t.{column} IS NOT NULL AND t.raw_sha IS NOT NULL
            ORDER BY ALL
            """,
            {"users": users},
        ).fetchall()
        for place, *origin in rows:
            sources.setdefault(place, []).append((cell, *origin))
    return sources


def _joined(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """How the rows of a core table belong to a signal: by lot and firm, by lot, by file, by firm, or by tender.

    A signal that names no firm rests on every row of its lots.
    """
    columns = {
        row[0]
        for row in con.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'core' AND table_name = ?",
            [table],
        ).fetchall()
    }
    by_lot = f"risk.flagged_lots AS f JOIN core.{table} AS t ON t.lot_id = f.lot_id"
    for firm in ("party_id", "bidder_id"):
        if {"lot_id", firm} <= columns:
            return f"""{by_lot} JOIN risk.flagged AS w ON w.place = f.place
                LEFT JOIN risk.flagged_parties AS p ON p.place = f.place AND p.party_id = t.{firm}
                WHERE (w.entities IS NULL OR p.party_id IS NOT NULL)"""
    if "lot_id" in columns:
        return f"{by_lot} WHERE TRUE"
    if "file_sha" in columns:
        return f"""risk.flagged_lots AS f
            JOIN risk.flagged_parties AS p ON p.place = f.place
            JOIN core.bid_files AS b ON b.lot_id = f.lot_id AND b.bidder_id = p.party_id
            JOIN core.{table} AS t ON t.file_sha = b.file_sha
            WHERE TRUE"""
    if "party_id" in columns:
        return f"risk.flagged_parties AS f JOIN core.{table} AS t ON t.party_id = f.party_id WHERE TRUE"
    return f"""risk.flagged_lots AS f JOIN core.lots AS l ON l.lot_id = f.lot_id
        JOIN core.{table} AS t ON t.tender_id = l.tender_id WHERE TRUE"""
