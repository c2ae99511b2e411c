"""What the detectors saw of a simulated county, beside the truth about it."""

from __future__ import annotations

import shutil
from pathlib import Path

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
        return where.snapshot(str(store.current_snapshot()))


def lots_seen(snapshot: Path, county: Path) -> pd.DataFrame:
    """Return one row per lot and detector that could judge it, with the truth about the lot.

    Columns: lot_id, detector, is_flagged; segment, rule, bids, is_rigged, is_forgone, tactic, care, ring from
    ``truth/lots.csv``. A lot is flagged if it or a party in it is; units that are in no lot are left out.
    """
    con = warehouse.connect()
    con.execute(f"ATTACH {quoted(str(snapshot))} AS night (READ_ONLY)")
    found: pd.DataFrame = con.execute(
        f"""
        SELECT t.lot_id, s.detector, bool_or(s.flagged) AS is_flagged, t.segment, t.rule, t.bids,
               t.is_rigged = 'yes' AS is_rigged, t.is_forgone = 'yes' AS is_forgone, t.tactic, t.care, t.ring
        FROM night.risk.screened AS s
        JOIN read_csv({quoted(str(county / "truth" / "lots.csv"))}, header = true) AS t
            ON t.lot_id = split_part(s.unit, '/', 1)
        GROUP BY ALL
        ORDER BY ALL
        """
    ).df()
    con.close()
    return found
