"""Bidders of one lot belong to the same owner, or one holds a minority share in the other.

Why it matters
    Sister firms, and firms that hold a part of each other, share profits and can share what they know. No
    article forbids them to bid against each other as long as neither controls the other. So this only
    corroborates.

Looks innocent when
    - the owner is the state, a fund or a listed company with many holdings. An owner of many bidders is left
      out, counted and named, unless they meet more often than strangers do;
    - the holding is small, old or already sold;
    - a group has two firms in one trade that its managers let compete.

Blind spots
    Owners behind owners. People who hold for others. Holdings that were not delivered. Lots whose day of
    opening is unknown.

Sources
    招标投标法实施条例 §34(2) names the same head, control and management. It does not name a minority holding.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, SEATS, shared
from detectors.kernels.needs import OPENING_DAY, held

DETECTOR = Detector(
    title="Bidders of one lot tied by a common owner or a minority holding",
    title_zh="同一标段投标人有共同股东或存在参股关系",
    unit="lot",
    measures="bidders of the lot with a common owner or a minority holding between them, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "relations.party_id",
        "relations.holder_id",
        "relations.kind",
        "relations.holder_share",
        "relations.starts_on",
        "relations.ends_on",
    ),
    says="{value:.0f} of {holders} bidders (limit {min_bidders}) have a common owner or a holding below"
    " {control_share:.0%} between them: {shared_values}.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家（阈值 {min_bidders} 家）有共同股东或存在低于 {control_share:.0%} "
    "的参股关系：{shared_values}，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "owned by A",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot that are tied
    control_share: float = 0.5  # share held, 0 to 1, from which contacts.ownership tells the holding
    few_holders: int = 5  # bidders over all lots; an owner of no more is no large investor
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; owners of more are left out


# Nobody shares a value 'on record ...'. It marks the bidders whose relations could be known.
SQL = (
    ONE_BID
    + SEATS
    + """,
dated AS (
    SELECT s.lot_id, s.bidder_id, s.party_id, l.opened_on
    FROM seats AS s
    JOIN core.lots AS l ON l.lot_id = s.lot_id
    WHERE l.opened_on IS NOT NULL
),
holdings AS (
    SELECT party_id, holder_id, coalesce(starts_on, DATE '0001-01-01') AS starts_on,
           coalesce(ends_on, DATE '9999-12-31') AS ends_on,
           kind IN ('control', 'management') OR coalesce(holder_share, 0) >= $control_share AS is_control
    FROM core.relations
    WHERE party_id <> holder_id
),
owned AS (
    SELECT s.lot_id, s.bidder_id, h.holder_id, h.party_id, h.is_control
    FROM holdings AS h
    JOIN dated AS s ON s.party_id = h.party_id AND s.opened_on BETWEEN h.starts_on AND h.ends_on
),
between_bidders AS (
    SELECT o.lot_id, s.bidder_id AS holding_id, o.bidder_id AS held_id,
           o.holder_id || ' holds a part of ' || o.party_id AS tie
    FROM owned AS o
    JOIN dated AS s ON s.lot_id = o.lot_id AND s.party_id = o.holder_id AND s.bidder_id <> o.bidder_id
    WHERE NOT o.is_control
)
SELECT lot_id, bidder_id, 'owned by ' || holder_id AS shared_value FROM owned
UNION
SELECT lot_id, holding_id, tie FROM between_bidders
UNION
SELECT lot_id, held_id, tie FROM between_bidders
UNION
SELECT lot_id, bidder_id, 'on record ' || bidder_id
FROM dated
WHERE party_id NOT LIKE 'name:%' AND EXISTS (SELECT 1 FROM core.relations)
"""
)


NEEDS = (
    Need(
        "no ownership relations delivered",
        "未收到股权、管理关系登记",
        "SELECT lot_id AS unit FROM core.lots WHERE EXISTS (SELECT 1 FROM core.relations)",
    ),
    OPENING_DAY,
    *held(SQL, "no bidder known by code or with a recorded owner", "投标人均无代码，也无股东登记"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with two coded bidders, once relations were delivered."""
    rows = engine.run(SQL, {"control_share": limits.control_share})
    frame = shared(rows, limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
