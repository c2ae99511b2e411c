"""What the detectors saw of a simulated county, beside the truth about it."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd

from pipelines import night, settings, warehouse
from pipelines.literals import quoted
from pipelines.simulator.writing import LAST_NIGHT
from pipelines.store import opened


def run_night(county: Path, home: Path) -> Path:
    """Run one night over a county written by ``bidwatch simulate`` and return the snapshot's file.

    Args:
        county: its folder; its inbox stays as it is.
        home: of an installation that has seen no night yet.
    """
    where = settings.home(home).prepare()
    shutil.copytree(county / "inbox", where.inbox, dirs_exist_ok=True)
    done = night.run(
        where, LAST_NIGHT, actor="evaluation", at=f"{LAST_NIGHT}T15:00:00+00:00", progress=lambda *_: None
    )
    if done.state != "published":
        raise ValueError(f"the night over {county} was {done.state}: see its night page in {where.reports}")
    with opened(where.control) as store:
        return where.published / f"{store.current_snapshot()}.duckdb"


def lots_seen(snapshot: Path, county: Path) -> pd.DataFrame:
    """Return one row per lot and detector that could judge it, with the truth about the lot.

    Columns: lot_id, detector, is_flagged; segment, rule, bids, is_rigged, is_forgone, tactic, care, ring from
    ``truth/lots.csv``. Detectors of other units than lots, and parties in lots, are left out.
    """
    con = _beside(snapshot, county)
    found: pd.DataFrame = con.execute(
        """
        SELECT t.lot_id, s.detector, bool_or(s.flagged) AS is_flagged, t.segment, t.rule, t.bids,
               t.is_rigged = 'yes' AS is_rigged, t.is_forgone = 'yes' AS is_forgone, t.tactic, t.care, t.ring
        FROM night.risk.screened AS s
        JOIN truth.lots AS t ON t.lot_id = split_part(s.unit, '/', 1)
        GROUP BY ALL
        ORDER BY ALL
        """
    ).df()
    con.close()
    return found


def units_seen(snapshot: Path, county: Path) -> pd.DataFrame:
    """Return one row per detector: what it judged and flagged, and how much of it is true.

    A flagged unit is true if it is a rigged lot (or a party in one), or if two of the firms it names, or the
    only one, are of one ring; or if a trace that somebody left in the lot names one of its firms.

    Columns: judged, flagged (units), true (flagged and true), alike (flagged, not true, in a lot with an
    innocent look-alike), rings (rings of which some unit was flagged), judged_share, flagged_share.
    """
    con = _beside(snapshot, county)
    found: pd.DataFrame = con.execute(
        """
        WITH rows AS (
            SELECT detector, unit, split_part(unit, '/', 1) AS lot_id, flagged,
                   list_sort(list_distinct(string_split(coalesce(entities, ''), ';'))) AS firms
            FROM night.risk.screened
        ),
        members AS (
            SELECT ring, unnest(string_split(members, ';')) AS firm FROM truth.rings WHERE tactic <> 'none'
        ),
        named AS (
            SELECT r.detector, r.unit, m.ring, count(*) AS members, any_value(len(r.firms)) AS firms
            FROM (SELECT *, unnest(firms) AS firm FROM rows WHERE flagged) AS r
            JOIN members AS m USING (firm)
            GROUP BY ALL
        ),
        of_rings AS (
            SELECT detector, unit, ring FROM named WHERE members > 1 OR firms = 1
            UNION
            SELECT r.detector, r.unit, t.ring FROM rows AS r JOIN truth.lots AS t USING (lot_id)
            WHERE r.flagged AND t.is_rigged = 'yes'
        ),
        links AS (
            SELECT lot_id, innocent = 'yes' AS is_innocent, string_split(parties, ';') AS firms FROM truth.links
        ),
        judged AS (
            SELECT r.detector, r.unit, bool_or(r.flagged) AS is_flagged,
                   bool_or(r.flagged AND EXISTS (
                       SELECT 1 FROM of_rings AS o WHERE o.detector = r.detector AND o.unit = r.unit)) AS is_ring,
                   bool_or(r.flagged AND EXISTS (
                       SELECT 1 FROM links AS k WHERE k.lot_id = r.lot_id AND NOT k.is_innocent
                       AND list_has_any(k.firms, r.firms))) AS is_trace,
                   bool_or(r.flagged AND EXISTS (
                       SELECT 1 FROM links AS k WHERE k.lot_id = r.lot_id AND k.is_innocent)) AS is_alike
            FROM rows AS r
            GROUP BY ALL
        )
        SELECT detector, count(*) AS judged, count(*) FILTER (is_flagged) AS flagged,
               count(*) FILTER (is_ring OR is_trace) AS "true",
               count(*) FILTER (is_alike AND NOT is_ring AND NOT is_trace) AS alike,
               (SELECT count(DISTINCT ring) FROM of_rings AS o WHERE o.detector = j.detector) AS rings
        FROM judged AS j
        GROUP BY detector
        ORDER BY detector
        """
    ).df()
    con.close()
    return found.set_index("detector")


def _beside(snapshot: Path, county: Path) -> duckdb.DuckDBPyConnection:
    """Return a connection with the snapshot as ``night`` and the truth files as tables of ``truth``."""
    con = warehouse.connect()
    con.execute(f"ATTACH {quoted(str(snapshot))} AS night (READ_ONLY)")
    con.execute("CREATE SCHEMA truth")
    for name in ("rings", "lots", "links"):
        path = quoted(str(county / "truth" / f"{name}.csv"))
        texts = ", all_varchar = true" if name != "lots" else ""
        con.execute(f"CREATE TABLE truth.{name} AS SELECT * FROM read_csv({path}, header = true{texts})")
    return con
