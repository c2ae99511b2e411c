"""Authorities of two or more regions had findings on a bidder within three years before the opening.

Why it matters
    A firm with a finding in one region can move to the next, where nobody looks up its record. Findings in
    several regions show a way of working and not a single slip.

Looks innocent when
    - two offices decided on one act, or a decision was entered again elsewhere. Entries of one number count
      once. A region that contains the other (省 and 县) is no second region;
    - a large firm works everywhere and has more findings for that reason: read what the decisions are about;
    - a decision was revoked. It is not counted from that day on.

Blind spots
    Decisions whose office's region is not stated. Findings that no delivered list holds: few lists come from
    other regions. Only findings that speak of collusion or false statements, or that ban from bidding, are
    counted. Bidders known by name only. Successor firms.

Sources
    招标投标法实施条例 §67, §68 (twice or more in three years). The law does not ask that the regions differ.
    That measure is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, CODED_BIDDER, OPENING_DAY, PENALTIES

DETECTOR = Detector(
    title="Bidder with findings by authorities of several regions within three years",
    title_zh="投标人开标前三年内在多个地区有处罚记录",
    unit="lot_party",
    measures="regions whose authorities had findings within three years before the opening, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-67", "REG-68"),
    evidence=(
        "penalties.decision_no",
        "penalties.reason",
        "penalties.issuer_region_code",
        "penalties.starts_on",
        "penalties.revoked_on",
        "lots.opened_on",
        "bid_members.party_id",
    ),
    says="Within {years} years before the opening on {opened_on} authorities of {value:.0f} regions (limit {min_regions})"
    " had {findings} decision(s) on the bidder: regions {regions}, decisions {decisions}.",
    says_zh="开标日 {opened_on} 前 {years} 年内，该投标人在 {value:.0f} 个地区（阈值 {min_regions} 个）"
    "有处罚记录 {findings} 件：地区 {regions}，文号 {decisions}。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "opened_on": "2026-06-30",
    "value": 2,
    "findings": 2,
    "regions": "410821, 410122",
    "decisions": "D-1, D-2",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_regions: int = 2  # regions, none of which contains another
    years: int = 3  # before the day of opening, that day included


# Days are compared as numbers such as 20260630, so that years are calendar years. A region code ends in pairs of
# zeros where it stands for a province or a city; without them it is the beginning of every code inside.
SQL = """
WITH worded AS (
    SELECT party_id, decision_no, starts_on, revoked_on, issuer_region_code, is_bidding_ban,
           lower(coalesce(reason, '') || ' ' || coalesce(basis, '')) AS words
    FROM core.penalties
    WHERE starts_on IS NOT NULL AND issuer_region_code IS NOT NULL
),
findings AS (
    SELECT party_id, decision_no, min(starts_on) AS found_on, max(revoked_on) AS revoked_on,
           max(issuer_region_code) AS region
    FROM worded
    WHERE is_bidding_ban OR words LIKE '%串通%' OR words LIKE '%围标%' OR words LIKE '%串标%'
       OR words LIKE '%弄虚作假%' OR words LIKE '%骗取中标%' OR words LIKE '%他人名义%'
       OR words LIKE '%collusi%' OR words LIKE '%bid rigging%' OR words LIKE '%fraud%'
    GROUP BY party_id, decision_no
),
judged AS (
    SELECT m.lot_id, m.party_id, l.opened_on
    FROM core.bid_members AS m
    JOIN core.lots AS l ON l.lot_id = m.lot_id
    WHERE l.opened_on IS NOT NULL AND m.party_id NOT LIKE 'name:%'
      AND EXISTS (SELECT 1 FROM core.penalties WHERE issuer_region_code IS NOT NULL)
    GROUP BY m.lot_id, m.party_id, l.opened_on
),
known AS (
    SELECT j.lot_id, j.party_id, f.decision_no, f.region,
           CASE WHEN f.region LIKE '%0000' THEN left(f.region, 2)
                WHEN f.region LIKE '%00' THEN left(f.region, 4) ELSE f.region END AS stem
    FROM judged AS j
    JOIN findings AS f ON f.party_id = j.party_id AND f.found_on <= j.opened_on
     AND (f.revoked_on IS NULL OR j.opened_on < f.revoked_on)
     AND EXTRACT(YEAR FROM f.found_on) * 10000 + EXTRACT(MONTH FROM f.found_on) * 100
         + EXTRACT(DAY FROM f.found_on) + 10000 * $years
         >= EXTRACT(YEAR FROM j.opened_on) * 10000 + EXTRACT(MONTH FROM j.opened_on) * 100
         + EXTRACT(DAY FROM j.opened_on)
),
apart AS (
    SELECT k.lot_id, k.party_id, k.decision_no, k.region,
           CASE WHEN EXISTS (SELECT 1 FROM known AS n
                             WHERE n.lot_id = k.lot_id AND n.party_id = k.party_id AND n.stem <> k.stem
                               AND n.stem LIKE k.stem || '%') THEN NULL ELSE k.region END AS counted
    FROM known AS k
),
most AS (
    SELECT lot_id, party_id, count(DISTINCT counted) AS regions, count(*) AS findings,
           string_agg(DISTINCT region, ', ' ORDER BY region) AS region_list,
           string_agg(decision_no, ', ' ORDER BY decision_no) AS decisions
    FROM apart
    GROUP BY lot_id, party_id
)
SELECT j.lot_id || '/' || j.party_id AS unit,
       j.party_id AS entities,
       CAST(coalesce(m.regions, 0) AS DOUBLE) AS value,
       CAST(j.opened_on AS VARCHAR) AS opened_on,
       coalesce(m.findings, 0) AS findings,
       coalesce(m.region_list, '') AS regions,
       coalesce(m.decisions, '') AS decisions
FROM judged AS j
LEFT JOIN most AS m ON m.lot_id = j.lot_id AND m.party_id = j.party_id
ORDER BY j.lot_id, j.party_id
"""


NEEDS = (
    BIDS,
    PENALTIES,
    Need(
        "no penalty states the region of its office",
        "处罚记录均未载明处罚机关所在地区",
        "SELECT lot_id AS unit FROM core.lots"
        " WHERE EXISTS (SELECT 1 FROM core.penalties WHERE issuer_region_code IS NOT NULL)",
    ),
    OPENING_DAY,
    CODED_BIDDER,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded organisation behind a bid of a lot whose day of opening is known."""
    frame: pd.DataFrame = engine.run(SQL, {"years": limits.years}).to_pandas()
    return frame.assign(flagged=frame["value"] >= limits.min_regions)
