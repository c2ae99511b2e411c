"""A bidder had two or more findings of the same grave kind within three years before the opening.

Why it matters
    Two findings within three years make the matter serious in law and lead to a bidding ban. A person who
    counts the decisions of several offices by hand will miss the second one.

Looks innocent when
    - both decisions are about one act, because several offices decided or a decision was replaced. The
      numbers of the decisions are shown;
    - a decision was revoked. It is not counted from that day on;
    - the reason is another one and only uses the same words: read the decisions.

Blind spots
    The law counts acts and the list gives decisions. The day of an act is not delivered, so the first day of
    the entry stands for it. Decisions without a reason, or with other words than those looked for. Bidders
    known by name only. Successor firms.

Sources
    招标投标法实施条例 §67 (collusion twice or more in three years), §68 (fraud, likewise).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.needs import BIDS, CODED_BIDDER, OPENING_DAY, PENALTIES

DETECTOR = Detector(
    title="Bidder with repeated findings within three years before the opening",
    title_zh="投标人开标前三年内有两次以上同类处罚记录",
    unit="lot_party",
    measures="decisions of one kind within three years before the opening, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-67", "REG-68"),
    evidence=(
        "penalties.decision_no",
        "penalties.reason",
        "penalties.starts_on",
        "penalties.revoked_on",
        "lots.opened_on",
        "bid_members.party_id",
    ),
    says="Within {years} years before the opening on {opened_on} the bidder had {value:.0f} decision(s) of one"
    " kind (limit {min_findings}): {first_decision} of {first_on} to {last_decision} of {last_on}.",
    says_zh="开标日 {opened_on} 前 {years} 年内，该投标人有同类处罚记录 {value:.0f} 件（阈值 {min_findings} 件）：{first_on} "
    "{first_decision} 至 {last_on} {last_decision}。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "opened_on": "2026-06-30",
    "value": 2,
    "first_decision": "D-1",
    "first_on": "2024-02-01",
    "last_decision": "D-2",
    "last_on": "2025-11-20",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_findings: int = 2  # decisions of one kind
    years: int = 3  # before the day of opening, that day included


# Article 67 counts collusion, article 68 fraud. The two are not added up. Entries of one decision count once. Days are
# compared as numbers such as 20260630, so that years are calendar years. A bidder can be said to have no findings only
# where penalties were delivered.
SQL = """
WITH worded AS (
    SELECT party_id, decision_no, starts_on, revoked_on,
           lower(coalesce(reason, '') || ' ' || coalesce(basis, '')) AS words
    FROM core.penalties
    WHERE starts_on IS NOT NULL
),
kinds AS (
    SELECT party_id, decision_no, starts_on, revoked_on,
           CASE WHEN words LIKE '%串通%' OR words LIKE '%围标%' OR words LIKE '%串标%'
                  OR words LIKE '%collusi%' OR words LIKE '%bid rigging%' THEN 'collusion'
                WHEN words LIKE '%弄虚作假%' OR words LIKE '%骗取中标%' OR words LIKE '%他人名义%'
                  OR words LIKE '%fraud%' THEN 'fraud' END AS kind
    FROM worded
),
findings AS (
    SELECT party_id, kind, decision_no, min(starts_on) AS found_on, max(revoked_on) AS revoked_on
    FROM kinds
    WHERE kind IS NOT NULL
    GROUP BY party_id, kind, decision_no
),
judged AS (
    SELECT m.lot_id, m.party_id, l.opened_on
    FROM core.bid_members AS m
    JOIN core.lots AS l ON l.lot_id = m.lot_id
    WHERE l.opened_on IS NOT NULL AND m.party_id NOT LIKE 'name:%'
      AND EXISTS (SELECT 1 FROM core.penalties)
    GROUP BY m.lot_id, m.party_id, l.opened_on
),
known AS (
    SELECT j.lot_id, j.party_id, f.kind, count(*) AS findings,
           min(f.found_on) AS first_on, max(f.found_on) AS last_on
    FROM judged AS j
    JOIN findings AS f ON f.party_id = j.party_id AND f.found_on <= j.opened_on
     AND (f.revoked_on IS NULL OR j.opened_on < f.revoked_on)
     AND EXTRACT(YEAR FROM f.found_on) * 10000 + EXTRACT(MONTH FROM f.found_on) * 100
         + EXTRACT(DAY FROM f.found_on) + 10000 * $years
         >= EXTRACT(YEAR FROM j.opened_on) * 10000 + EXTRACT(MONTH FROM j.opened_on) * 100
         + EXTRACT(DAY FROM j.opened_on)
    GROUP BY j.lot_id, j.party_id, f.kind
),
most AS (
    SELECT lot_id, party_id, kind, findings, first_on, last_on,
           row_number() OVER (PARTITION BY lot_id, party_id ORDER BY findings DESC, kind) AS place
    FROM known
)
SELECT j.lot_id || '/' || j.party_id AS unit,
       j.party_id AS entities,
       CAST(coalesce(m.findings, 0) AS DOUBLE) AS value,
       CAST(j.opened_on AS VARCHAR) AS opened_on,
       CAST(m.first_on AS VARCHAR) AS first_on,
       CAST(m.last_on AS VARCHAR) AS last_on,
       coalesce((SELECT min(f.decision_no) FROM findings AS f
                 WHERE f.party_id = m.party_id AND f.kind = m.kind AND f.found_on = m.first_on), '') AS first_decision,
       coalesce((SELECT max(f.decision_no) FROM findings AS f
                 WHERE f.party_id = m.party_id AND f.kind = m.kind AND f.found_on = m.last_on), '') AS last_decision
FROM judged AS j
LEFT JOIN most AS m ON m.lot_id = j.lot_id AND m.party_id = j.party_id AND m.place = 1
ORDER BY j.lot_id, j.party_id
"""


NEEDS = (BIDS, PENALTIES, OPENING_DAY, CODED_BIDDER)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded organisation behind a bid of a lot whose day of opening is known."""
    frame: pd.DataFrame = engine.run(SQL, {"years": limits.years}).to_pandas()
    return frame.assign(flagged=frame["value"] >= limits.min_findings)
