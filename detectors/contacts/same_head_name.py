"""Different bidders name a legal representative of the same name.

Why it matters
    Two firms with one head must not bid in the same lot. Where only names are delivered, an equal and rare
    name is the first hint at it.

Looks innocent when
    - the two are namesakes. A name of many bidders is left out, counted and named, unless they meet more
      often than strangers do;
    - the document numbers are known and differ. Such bidders are not counted.
    Where the numbers are known and equal, contacts.ownership tells of it.

Blind spots
    Heads who are replaced by relatives or employees. In few data a common name still looks rare. Three bidders
    of one name, of whom two have different numbers.

Sources
    招标投标法实施条例 §34(2) speaks of the same person, and a name alone is no identity. Corroboration only.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, SEATS, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Different bidders name a legal representative of the same name",
    title_zh="不同投标人法定代表人姓名相同",
    unit="lot",
    measures="bidders of the lot with the same name of the legal representative, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-34-2",),
    evidence=(
        "bids.legal_representative",
        "parties.legal_representative",
        "parties.legal_representative_id",
    ),
    says="{value:.0f} of {holders} bidders (limit {min_bidders}) name a legal representative of the same name, whose"
    " document numbers are not all known; over all lots {most_holders} bidders have this name.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家（阈值 {min_bidders} 家）法定代表人姓名相同（证件号码未全部取得）；"
    "全部标段中共有 {most_holders} 家投标人为该姓名，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same name
    few_holders: int = 5  # bidders over all lots; a name of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; names of more are left out


# Where all numbers are known, contacts.ownership judges. The bidder's name is added to the head's, so that nobody
# shares it.
SQL = (
    ONE_BID
    + SEATS
    + """,
named AS (
    SELECT lot_id, bidder_id, name, max(number) AS number
    FROM (
        SELECT m.lot_id, m.bidder_id, r.legal_representative AS name, r.legal_representative_id AS number
        FROM seats AS m
        JOIN core.parties AS r ON r.party_id = m.party_id
        WHERE r.legal_representative IS NOT NULL
        UNION ALL
        SELECT p.lot_id, coalesce(o.bidder_id, p.bidder_id), p.person, p.person_id
        FROM core.people AS p
        LEFT JOIN one_bid AS o ON o.lot_id = p.lot_id AND o.party_id = p.bidder_id
        WHERE p.role = 'legal_representative' AND p.person IS NOT NULL
    ) AS heads
    GROUP BY lot_id, bidder_id, name
),
settled AS (
    SELECT lot_id, name
    FROM named
    GROUP BY lot_id, name
    HAVING count(number) = count(*) OR count(DISTINCT number) > 1
)
SELECT n.lot_id, n.bidder_id,
       CASE WHEN s.lot_id IS NULL THEN n.name ELSE n.name || ' of ' || n.bidder_id END AS shared_value
FROM named AS n
LEFT JOIN settled AS s ON s.lot_id = n.lot_id AND s.name = n.name
"""
)


NEEDS = held(SQL, "no names of legal representatives", "无法定代表人姓名")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which the heads of at least two bidders are known by name."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
