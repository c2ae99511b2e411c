"""Bidders of one lot have the same head, or one controls or manages the other.

Why it matters
    Two units must not bid in the same lot if they have the same head, or if one controls or manages the
    other. Their bids are void, whether or not they agreed on anything.

Looks innocent when
    - the register is out of date: the head was replaced or the share was sold before the bid;
    - the relation is a minority holding or a common owner. Only control counts here; for the others see
      contacts.shared_ownership;
    - the firms bid for different lots of one tender, or in one joint venture. Both are lawful.
    The head counts by document number only. For equal names see contacts.same_head_name.

Blind spots
    Control through people who act for the true owner, or through contracts. Paths with two or more units
    between the bidders. Relations and heads that were not delivered. Relations between bidders of a lot whose
    day of opening is unknown. A head's number behind very many firms counts as a placeholder.

Sources
    招标投标法实施条例 §34(2); 政府采购法实施条例 §18 (same head, or directly a controlling or management
    relation). This project takes half or more as a controlling share.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, SEATS, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Bidders of one lot with the same head or in a relation of control",
    title_zh="同一标段投标人负责人为同一人或存在控股、管理关系",
    unit="lot",
    measures="bidders of the lot with the same head or in a relation of control, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-34-2", "GPR-18"),
    evidence=(
        "parties.legal_representative_id",
        "relations.party_id",
        "relations.holder_id",
        "relations.kind",
        "relations.holder_share",
        "relations.starts_on",
        "relations.ends_on",
    ),
    says="{value:.0f} bidders (limit {min_bidders}) of {holders} on record have the same head or are in a relation"
    " of control ({min_share:.0%} or more, or stated control or management): {shared_values}.",
    says_zh="{holders} 家有登记信息的投标人中有 {value:.0f} 家（阈值 {min_bidders} 家）负责人为同一人或存在控股、"
    "管理关系（持股 {min_share:.0%} 及以上，或登记为控股、管理关系）：{shared_values}。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "A controls B",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot in the relation
    min_share: float = 0.5  # share held, 0 to 1, from which a holding is control
    few_holders: int = 5  # bidders over all lots; of a head of more it is told how often they meet
    max_holders: int = 50  # bidders over all lots; a head's number behind more is a placeholder


# Nobody shares a value 'on record ...'. It marks the bidders whose relations could be known.
SQL = (
    ONE_BID
    + SEATS
    + """,
controls AS (
    SELECT party_id, holder_id, coalesce(starts_on, DATE '0001-01-01') AS starts_on,
           coalesce(ends_on, DATE '9999-12-31') AS ends_on
    FROM core.relations
    WHERE party_id <> holder_id AND (kind IN ('control', 'management') OR holder_share >= $min_share)
),
paths AS (
    SELECT holder_id, party_id, starts_on, ends_on, party_id AS held
    FROM controls
    UNION
    SELECT a.holder_id, b.party_id, greatest(a.starts_on, b.starts_on), least(a.ends_on, b.ends_on),
           b.party_id || ' through ' || a.party_id
    FROM controls AS a
    JOIN controls AS b ON b.holder_id = a.party_id
    WHERE a.holder_id <> b.party_id
),
related AS (
    SELECT h.lot_id, h.bidder_id AS holding_id, s.bidder_id AS held_id, p.holder_id, p.held
    FROM paths AS p
    JOIN seats AS h ON h.party_id = p.holder_id
    JOIN seats AS s ON s.party_id = p.party_id AND s.lot_id = h.lot_id AND s.bidder_id <> h.bidder_id
    JOIN core.lots AS l ON l.lot_id = h.lot_id
    WHERE l.opened_on BETWEEN p.starts_on AND p.ends_on
),
families AS (
    SELECT lot_id, holder_id, holder_id || ' controls ' || string_agg(DISTINCT held, ', ' ORDER BY held) AS family
    FROM related
    GROUP BY lot_id, holder_id
)
SELECT r.lot_id, r.holding_id AS bidder_id, f.family AS shared_value
FROM related AS r
JOIN families AS f ON f.lot_id = r.lot_id AND f.holder_id = r.holder_id
UNION
SELECT r.lot_id, r.held_id, f.family
FROM related AS r
JOIN families AS f ON f.lot_id = r.lot_id AND f.holder_id = r.holder_id
UNION
SELECT s.lot_id, s.bidder_id, 'head ' || r.legal_representative_id
FROM seats AS s
JOIN core.parties AS r ON r.party_id = s.party_id
WHERE r.legal_representative_id IS NOT NULL
UNION
SELECT s.lot_id, s.bidder_id, 'on record ' || s.bidder_id
FROM seats AS s
JOIN core.lots AS l ON l.lot_id = s.lot_id
WHERE l.opened_on IS NOT NULL AND s.party_id NOT LIKE 'name:%' AND EXISTS (SELECT 1 FROM core.relations)
"""
)


NEEDS = held(
    SQL,
    "neither document numbers of heads nor relations, codes of bidders and the day of opening",
    "既无负责人证件号码，也不具备核对控股、管理关系所需的关系登记、投标人代码和开标日期",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with two bidders whose heads are known, or that have codes where relations are known."""
    rows = engine.run(SQL, {"min_share": limits.min_share})
    frame = shared(rows, limits.max_holders, limits.few_holders)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
