"""A bidder was under a bidding ban on the day the lot was opened.

Why it matters
    A firm under a bidding ban may not take part, alone or in a joint venture. A supervisor should not miss
    a ban because nobody looked it up.

Looks innocent when
    - the ban was revoked, or ended before the opening. Both are compared to the day;
    - the ban is limited to a region or trade that does not include this lot: read the decision;
    - the ban was published only after the opening.

Blind spots
    Bidders known by name only, because a ban counts by exact code. Successor firms of a banned one. Bans
    without a first day. Lots whose day of opening is unknown.

Sources
    招标投标法 §53, 招标投标法实施条例 §67 (bans of one to two years), 政府采购法 §77 (one to three years).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, CODED_BIDDER, OPENING_DAY

DETECTOR = Detector(
    title="Bidder under a bidding ban on the day of opening",
    title_zh="投标人在开标日处于禁止投标期内",
    unit="lot_party",
    measures="bidding bans in force on the day of opening, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("LAW-53", "REG-67", "GPL-77"),
    evidence=(
        "penalties.decision_no",
        "penalties.starts_on",
        "penalties.ends_on",
        "penalties.revoked_on",
        "lots.opened_on",
        "bid_members.party_id",
    ),
    says="On the day of opening {opened_on} the bidder was under {value:.0f} bidding ban(s) (limit"
    " {min_bans}): decision {decision_no} of {issuer_name}, {starts_on} to {ends_on}.",
    says_zh="开标日 {opened_on}，该投标人处于 {value:.0f} 项禁止投标处罚期内（阈值 {min_bans} 项）："
    "{issuer_name} {decision_no}，期限 {starts_on} 至 {ends_on}。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "opened_on": "2026-06-30",
    "value": 1,
    "decision_no": "D-1",
    "issuer_name": "X Bureau",
    "starts_on": "2026-01-01",
    "ends_on": "2026-12-31",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bans: int = 1  # bans in force on the day of opening


# The office's blacklist comes before a delivered record of the same decision: what was repaired or revoked there
# counts no more. The last day of a ban counts in full. From the day of its revocation a ban has no effect. A bidder
# can be said to be under no ban only where bans were delivered.
SQL = """
WITH bans AS (
    SELECT party_id, decision_no, issuer_name, starts_on, ends_on, revoked_on, '' AS entry_id
    FROM core.penalties AS p
    WHERE is_bidding_ban AND starts_on IS NOT NULL
      AND NOT EXISTS (
          SELECT 1 FROM core.listed_parties AS e
          WHERE e.list = 'black' AND e.party_id = p.party_id AND e.document_no = p.decision_no
      )
    UNION ALL
    SELECT party_id, document_no, authority, starts_on, ends_on, NULL, entry_id
    FROM core.listed_parties
    WHERE list = 'black' AND is_bidding_ban AND is_in_effect
),
judged AS (
    SELECT m.lot_id, m.party_id, l.opened_on
    FROM core.bid_members AS m
    JOIN core.lots AS l ON l.lot_id = m.lot_id
    WHERE l.opened_on IS NOT NULL AND m.party_id NOT LIKE 'name:%'
      AND (EXISTS (SELECT 1 FROM core.penalties) OR EXISTS (SELECT 1 FROM core.listed_parties WHERE list = 'black'))
    GROUP BY m.lot_id, m.party_id, l.opened_on
),
in_force AS (
    SELECT j.lot_id, j.party_id, b.decision_no, b.issuer_name, b.starts_on, b.ends_on,
           string_agg(nullif(b.entry_id, ''), ';' ORDER BY b.entry_id) OVER (
               PARTITION BY j.lot_id, j.party_id
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
           ) AS entry_ids,
           count(*) OVER (PARTITION BY j.lot_id, j.party_id) AS bans,
           row_number() OVER (
               PARTITION BY j.lot_id, j.party_id
               ORDER BY b.ends_on DESC NULLS FIRST, b.decision_no, b.starts_on
           ) AS place
    FROM judged AS j
    JOIN bans AS b ON b.party_id = j.party_id
     AND b.starts_on <= j.opened_on
     AND (b.ends_on IS NULL OR j.opened_on <= b.ends_on)
     AND (b.revoked_on IS NULL OR j.opened_on < b.revoked_on)
)
SELECT j.lot_id || '/' || j.party_id AS unit,
       j.party_id AS entities,
       CAST(coalesce(f.bans, 0) AS DOUBLE) AS value,
       CAST(j.opened_on AS VARCHAR) AS opened_on,
       coalesce(f.decision_no, '') AS decision_no,
       coalesce(f.entry_ids, '') AS entry_ids,
       coalesce(f.issuer_name, '') AS issuer_name,
       CAST(f.starts_on AS VARCHAR) AS starts_on,
       CASE WHEN f.lot_id IS NULL THEN NULL ELSE coalesce(CAST(f.ends_on AS VARCHAR), '—') END AS ends_on
FROM judged AS j
LEFT JOIN in_force AS f ON f.lot_id = j.lot_id AND f.party_id = j.party_id AND f.place = 1
ORDER BY j.lot_id, j.party_id
"""


NEEDS = (
    BIDS,
    Need(
        "no penalties delivered and no blacklist kept",
        "未收到处罚记录，本单位也无黑名单",
        "SELECT lot_id AS unit FROM core.lots WHERE EXISTS (SELECT 1 FROM core.penalties)"
        " OR EXISTS (SELECT 1 FROM core.listed_parties WHERE list = 'black')",
    ),
    OPENING_DAY,
    CODED_BIDDER,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded organisation behind a bid of a lot whose day of opening is known."""
    frame: pd.DataFrame = engine.run(SQL).to_pandas()
    return frame.assign(flagged=frame["value"] >= limits.min_bans)
