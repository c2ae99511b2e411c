"""A firm that lost a lot becomes the winner's subcontractor in it.

Why it matters
    A ring pays its members who stood back: the winner hands them part of the work. Losers who become
    subcontractors are among the signs that go most strongly with proven rings.

Looks innocent when
    - few firms can do the part that is let, so any subcontractor will have bid. Therefore the probability is
      given that a subcontractor drawn from the firms of the class is one of the losers. Where that is likely,
      nothing is flagged;
    - the loser has the machine or the plant next door;
    - subcontractor and winner bid as a joint venture. Its members are not losers.

Blind spots
    Subcontracts that are not reported, which are the usual kind. Payment through supply contracts, in another
    lot, or to a firm that the loser owns. A loser whose payment is to win elsewhere.

Sources
    Carbone et al. (subcontracts of losing bidders go with rings). The probability that one of several
    independent draws hits a loser is this project's own measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Losing bidder of the lot became its subcontractor",
    title_zh="同一标段未中标人成为分包人",
    unit="lot",
    measures="losing bidders among the lot's subcontractors, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "subcontracts.subcontractor_id",
        "subcontracts.price",
        "subcontracts.signed_on",
        "bids.bidder_id",
    ),
    says="{value:.0f} of {subcontractors} subcontractor(s) of the lot (limit {min_losers}) had lost it, for"
    " {price:,.2f} {currency} in all; drawn from the {firms} firms of the class, one of the {losers} losers"
    " would be hit with probability {p_value:.2g} (limit {max_p:.2f}).",
    says_zh="该标段 {subcontractors} 家分包人中有 {value:.0f} 家为本标段未中标人（阈值 {min_losers} 家），分包金额合计 "
    "{price:,.2f}（{currency}）；若分包人从该类别 {firms} 家企业中任意产生，落在 {losers} 家未中标人中的概率为 "
    "{p_value:.2g}（阈值 {max_p:.2f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 1,
    "subcontractors": 1,
    "price": 850000.0,
    "currency": "CNY",
    "firms": 240,
    "losers": 5,
    "p_value": 0.0208,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_losers: int = 1  # losing bidders among the subcontractors
    max_p: float = 0.05  # probability that a subcontractor of this class is a loser by chance


# A loser is an organisation behind a bid that is not the contractor's, nor behind the contractor's bid.
SQL = """
WITH contractors AS (
    SELECT DISTINCT s.lot_id, m.bidder_id
    FROM core.subcontracts AS s
    JOIN core.bid_members AS m ON m.lot_id = s.lot_id AND m.party_id = s.contractor_id
),
winning AS (
    SELECT DISTINCT m.lot_id, m.party_id
    FROM contractors AS c
    JOIN core.bid_members AS m ON m.lot_id = c.lot_id AND m.bidder_id = c.bidder_id
),
losing AS (
    SELECT m.lot_id, m.party_id
    FROM core.bid_members AS m
    JOIN (SELECT DISTINCT lot_id FROM contractors) AS c ON c.lot_id = m.lot_id
    LEFT JOIN winning AS w ON w.lot_id = m.lot_id AND w.party_id = m.party_id
    WHERE w.party_id IS NULL
    GROUP BY m.lot_id, m.party_id
),
losers AS (
    SELECT lot_id, count(*) AS losers FROM losing GROUP BY lot_id
),
pools AS (
    SELECT l.class, count(DISTINCT b.bidder_id) AS firms
    FROM core.bids AS b
    JOIN core.lots AS l ON l.lot_id = b.lot_id
    GROUP BY l.class
)
SELECT s.lot_id, s.subcontractor_id, s.price, s.currency, g.party_id IS NOT NULL AS is_loser,
       n.losers, p.firms, l.class
FROM core.subcontracts AS s
JOIN losers AS n ON n.lot_id = s.lot_id
JOIN core.lots AS l ON l.lot_id = s.lot_id
JOIN pools AS p ON p.class = l.class
LEFT JOIN losing AS g ON g.lot_id = s.lot_id AND g.party_id = s.subcontractor_id
ORDER BY s.lot_id, s.subcontractor_id, s.signed_on
"""


NEEDS = (
    Need("no subcontracts reported", "未报告分包", "SELECT lot_id AS unit FROM core.subcontracts"),
    Need(
        "no bid of the contractor that let the subcontract",
        "发包分包的承包单位无投标记录",
        "SELECT s.lot_id AS unit FROM core.subcontracts AS s"
        " JOIN core.bid_members AS m ON m.lot_id = s.lot_id AND m.party_id = s.contractor_id",
    ),
    Need("no losing bidder known", "无未中标投标人记录"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a subcontract whose contractor bid for it against others."""
    rows: pd.DataFrame = engine.run(SQL).to_pandas()
    rows["price"] = rows["price"].astype("float64").where(rows["is_loser"].astype(bool))
    hired = rows.assign(loser=rows["subcontractor_id"].where(rows["is_loser"].astype(bool)))
    frame = (
        hired.groupby("lot_id", sort=True)
        .agg(
            entities=("loser", _joined),
            value=("loser", "nunique"),
            subcontractors=("subcontractor_id", "nunique"),
            price=("price", "sum"),
            currency=("currency", "first"),
            losers=("losers", "first"),
            firms=("firms", "first"),
            reference_class=("class", "first"),
        )
        .reset_index(names="unit")
    )
    p_value = _hit_chance(frame)
    return frame.assign(
        entities=frame["entities"].astype("str"),
        value=frame["value"].astype("float64"),
        currency=frame["currency"].fillna("—").astype("str"),
        reference_class=("class " + frame["reference_class"]).astype("str"),
        p_value=p_value,
        flagged=(frame["value"] >= limits.min_losers) & (p_value <= limits.max_p),
    )


def _joined(losers: pd.Series) -> str | None:
    names = sorted(set(losers.dropna()))
    return SEPARATOR.join(names) if names else None


def _hit_chance(frame: pd.DataFrame) -> np.ndarray:
    """Return the probability that at least one subcontractor of a lot is a loser by chance.

    The contractor itself is not in the pool.
    """
    pool = np.maximum(frame["firms"].to_numpy(dtype=np.float64) - 1, 1)
    share = np.minimum(frame["losers"].to_numpy(dtype=np.float64) / pool, 1)
    chance: np.ndarray = 1 - (1 - share) ** frame["subcontractors"].to_numpy()
    return chance
