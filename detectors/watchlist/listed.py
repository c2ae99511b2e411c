"""A bidder stands on the office's own watch list.

Why it matters
    Somebody decided to look at this firm for a time, with a reason and a date of review. Whoever plans
    inspections should see its lots.

Looks innocent when
    - always. The list says that the office looks, not that anything was found in this lot. It must never
      count as evidence;
    - the reason has gone. Ask for the entry to be reviewed or revoked. From that night on nothing is flagged.

Blind spots
    Lots that were opened before the entry began. Lots whose day of opening is unknown. Successor firms of a
    listed one.

Sources
    修发改法规〔2021〕127号 (十一) asks for a list of parties to watch and of projects to follow.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, OPENING_DAY

DETECTOR = Detector(
    title="Bidder on the office's watch list",
    title_zh="投标人列入重点关注对象名单",
    unit="lot_party",
    measures="entries of the watch list in effect, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("lots.opened_on", "bid_members.party_id"),
    says="The bidder stands on the office's watch list with {value:.0f} entry (limit {min_entries}): {entry_ids}, from"
    " {starts_on} to {ends_on}, review on {review_on}; opening on {opened_on}. For planning inspections only,"
    " no evidence for this lot.",
    says_zh="该投标人列入重点关注对象名单 {value:.0f} 项（阈值 {min_entries} 项）：{entry_ids}，期限 {starts_on} 至 {ends_on}，"
    "复评日期 {review_on}；开标日 {opened_on}。仅用于安排抽查，不作为本标段的证据。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 1,
    "entry_ids": "ZD2026-0001",
    "starts_on": "2026-06-01",
    "ends_on": "2026-12-31",
    "review_on": "2026-09-01",
    "opened_on": "2026-06-30",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_entries: int = 1  # entries in effect


# A bidder can be said not to be on the list only where one is kept.
SQL = """
WITH listed AS (
    SELECT party_id, entry_id, starts_on, ends_on, review_on
    FROM core.listed_parties
    WHERE list = 'watch' AND is_in_effect
),
judged AS (
    SELECT DISTINCT m.lot_id, m.party_id, l.opened_on
    FROM core.bid_members AS m
    JOIN core.lots AS l ON l.lot_id = m.lot_id
    WHERE l.opened_on IS NOT NULL AND EXISTS (SELECT 1 FROM listed)
)
SELECT j.lot_id || '/' || j.party_id AS unit,
       j.party_id AS entities,
       CAST(count(e.entry_id) AS DOUBLE) AS value,
       CAST(j.opened_on AS VARCHAR) AS opened_on,
       coalesce(string_agg(e.entry_id, ';' ORDER BY e.entry_id), '') AS entry_ids,
       CAST(min(e.starts_on) AS VARCHAR) AS starts_on,
       CAST(max(e.ends_on) AS VARCHAR) AS ends_on,
       CAST(min(e.review_on) AS VARCHAR) AS review_on
FROM judged AS j
LEFT JOIN listed AS e ON e.party_id = j.party_id AND e.starts_on <= j.opened_on
GROUP BY j.lot_id, j.party_id, j.opened_on
ORDER BY j.lot_id, j.party_id
"""


NEEDS = (
    BIDS,
    Need(
        "no watch list in effect",
        "无生效的重点关注对象名单",
        "SELECT lot_id AS unit FROM core.lots"
        " WHERE EXISTS (SELECT 1 FROM core.listed_parties WHERE list = 'watch' AND is_in_effect)",
    ),
    OPENING_DAY,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every organisation behind a bid of a lot whose day of opening is known, where a list is kept."""
    frame: pd.DataFrame = engine.run(SQL).to_pandas()
    return frame.assign(flagged=frame["value"] >= limits.min_entries)
