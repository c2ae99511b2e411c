"""What the detectors saw of a market, beside the truth about it where the market is simulated.

`trust` turns it into figures by which a detector is trusted or not.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from detectors import registry
from pipelines import duck, night, settings
from pipelines.intake import reading
from pipelines.simulator.writing import LAST_NIGHT
from pipelines.snapshot import building, screening
from pipelines.store import opened
from pipelines.values.literals import quoted

CONTROL = "none"  # the tactic of rings that do nothing: what is seen of them is chance
IN_LOTS = ("lot", "lot_party")  # units that are in a lot: lot_id, or lot_id/party_id


# ---- running the detectors


def built(inbox: Path, home: Path, as_of: date) -> Path:
    """Receive, read and build what lies in an inbox; return the unpublished snapshot.

    Args:
        inbox: it stays as it is.
        home: of an installation that has seen no night yet.
        as_of: the night; what is opened on that day or later is still secret.

    Raises:
        ValueError: a gate is closed.
    """
    where = settings.home(home).prepare()
    shutil.copytree(inbox, where.inbox, dirs_exist_ok=True)
    with opened(where.control) as store:
        night.admit(where, store, as_of)
        night.receive(where, store, actor="evaluation", at=f"{as_of}T15:00:00+00:00")
        reading.read_files(where, store, progress=lambda *_: None)
        made = building.build(where, store, as_of, night.decided(store, as_of))
    if closed := [gate.holds for gate in made.gates if gate.blocks]:
        raise ValueError(f"{inbox}: these gates are closed, so there is nothing to screen: {closed}")
    return made.path


def screened(snapshot: Path) -> pd.Series:
    """Run every detector over an unpublished snapshot, into its ``risk.screened``.

    Returns:
        CPU seconds of this process, by detector.

    Raises:
        ValueError: the NEEDS of a detector say otherwise than its screen did.
    """
    con = duck.connect(snapshot)
    try:
        screening.prepare(con)
        seconds = {}
        for detector in registry.load():
            started = time.process_time()
            done = screening.screen(con, detector)
            if done.misstated:  # a night goes on; whoever judges detectors mends them first
                raise ValueError("; ".join(done.misstated))
            seconds[detector.id] = time.process_time() - started
        con.execute("CHECKPOINT")
    finally:
        con.close()
    return pd.Series(seconds, dtype=float)


def run_night(county: Path, home: Path) -> Path:
    """Judge a county written by ``bidwatch simulate`` and return its snapshot, which is not published.

    Args:
        county: its folder; its inbox stays as it is.
        home: of an installation that has seen no night yet.
    """
    snapshot = built(county / "inbox", home, LAST_NIGHT)
    screened(snapshot)
    return snapshot


def lots_seen(snapshot: Path, county: Path) -> pd.DataFrame:
    """Return one row per lot and detector that could judge it, with the truth about the lot.

    Columns: lot_id, detector, is_flagged; segment, rule, bids, is_rigged, is_forgone, tactic, care, ring from
    ``truth/lots.csv``. A lot is flagged if it or a party in it is; units that are in no lot are left out.
    """
    con = duck.connect()
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


def rows_of(snapshot: Path) -> pa.Table:
    """Return detector, unit, entities and flagged of everything that was judged in a snapshot."""
    with duck.connect(snapshot, read_only=True) as con:
        return con.sql("SELECT detector, unit, entities, flagged FROM risk.screened").to_arrow_table()


# ---- the truth


@dataclass(frozen=True)
class Truth:
    """What a simulated county knows about itself, from the files of its ``truth`` folder.

    ``rings``: ring, tactic, care, members and evidence (several joined with semicolons). ``lots``: lot_id, ring,
    designated, is_rigged, is_forgone. ``links``: lot_id, parties (as members), ring, innocent. All are texts.
    """

    rings: pd.DataFrame
    lots: pd.DataFrame
    links: pd.DataFrame

    @classmethod
    def read(cls, county: Path) -> Truth:
        """Read the truth of a county written by ``bidwatch simulate``."""
        tables = {
            name: pd.read_csv(county / "truth" / f"{name}.csv", dtype="str")
            for name in ("rings", "lots", "links")
        }
        return cls(**tables)


@dataclass(frozen=True)
class Seen:
    """What was judged, beside the truth.

    ``units``: one row per detector and unit: detector, unit, lot_id (of units in a lot), is_flagged, is_true
    (flagged, and about a ring or about a fact that needs no ring, such as a ban), is_of_ring (about a ring,
    flagged or not). ``hits``: one row per detector, ring and lot_id (as above) with a flag.
    """

    units: pd.DataFrame
    hits: pd.DataFrame


#: What was judged, a row each, with the lot it lies in and the firms it names.
_JUDGED = f"""
CREATE TABLE judged AS
SELECT row_number() OVER () AS place, s.detector, k.kind, s.unit, s.flagged,
       CASE WHEN k.kind IN {IN_LOTS} THEN split_part(s.unit, '/', 1) END AS lot_id,
       list_distinct(string_split(s.entities, ';')) AS firms
FROM screened AS s JOIN kinds AS k USING (detector)
"""

#: Which ring each judged row concerns; see `seen`.
_CONCERNED = """
CREATE TABLE concerned AS
WITH acted AS (
    SELECT l.lot_id, r.ring,
           list_distinct(list_append(string_split(coalesce(r.members, ''), ';'), l.designated)) AS firms
    FROM lots AS l JOIN rings AS r USING (ring)
    WHERE l.is_forgone = 'no'
),
members AS (
    SELECT ring, unnest(string_split(members, ';')) AS firm,
           list_has_any(string_split(coalesce(evidence, ''), ';'), ['ownership', 'same_address']) AS is_tied
    FROM rings
),
named AS (
    SELECT place, lot_id IS NULL AS is_in_no_lot, len(firms) AS named, unnest(firms) AS firm
    FROM judged WHERE kind <> 'buyer' AND (lot_id IS NULL OR len(firms) > 1)
)
SELECT j.place, a.ring
FROM judged AS j JOIN acted AS a USING (lot_id)
WHERE j.firms IS NULL OR len(list_intersect(j.firms, a.firms)) >= least(2, len(j.firms))
UNION
SELECT n.place, m.ring
FROM named AS n JOIN members AS m USING (firm)
WHERE n.is_in_no_lot OR m.is_tied
GROUP BY n.place, n.named, m.ring
HAVING count(*) >= least(2, n.named)
"""

_UNITS = """
WITH of_ring AS (
    SELECT DISTINCT c.place FROM concerned AS c JOIN rings AS r USING (ring) WHERE r.tactic <> $control
),
of_itself AS (
    SELECT DISTINCT j.place
    FROM judged AS j JOIN links AS k USING (lot_id)
    WHERE k.ring IS NULL AND k.innocent = 'no' AND list_has_all(string_split(k.parties, ';'), j.firms)
)
SELECT j.detector, j.unit, any_value(j.lot_id) AS lot_id, bool_or(j.flagged) AS is_flagged,
       bool_or(j.flagged AND (r.place IS NOT NULL OR i.place IS NOT NULL)) AS is_true,
       bool_or(r.place IS NOT NULL) AS is_of_ring
FROM judged AS j
LEFT JOIN of_ring AS r USING (place)
LEFT JOIN of_itself AS i USING (place)
GROUP BY j.detector, j.unit
ORDER BY j.detector, j.unit
"""

_HITS = """
SELECT DISTINCT j.detector, c.ring, j.lot_id
FROM judged AS j JOIN concerned AS c USING (place)
WHERE j.flagged
ORDER BY ALL
"""


def seen(rows: pa.Table, kinds: Mapping[str, str], truth: Truth) -> Seen:
    """Set every judged unit beside the truth.

    Which ring a row concerns:

    - A row about a lot, or about a party in it, concerns the ring that acted in the lot in three cases: it names no
      firm; it names at least two firms of the ring; it names one firm only, and that one is of the ring. The firm
      that was to win counts as a firm of the ring in that lot.
    - A row about anything else concerns a ring when it names two of its members, or one member and no other firm.
    - Members that own each other, or are registered at one address, are tied in every lot: a row that names two of
      them concerns their ring, whatever the lot.
    - Rows about buyers concern no ring.

    Args:
        rows: of `rows_of`.
        kinds: by detector, what its units are.
        truth: of the same county.
    """
    con = duck.connect()
    con.register("screened", rows)
    con.register("kinds", pd.DataFrame({"detector": list(kinds), "kind": list(kinds.values())}, dtype="str"))
    for name in ("rings", "lots", "links"):
        con.register(name, getattr(truth, name))
    con.execute(_JUDGED)
    con.execute(_CONCERNED)
    units: pd.DataFrame = con.execute(_UNITS, {"control": CONTROL}).df()
    hits: pd.DataFrame = con.execute(_HITS).df()
    con.close()
    return Seen(units, hits)
