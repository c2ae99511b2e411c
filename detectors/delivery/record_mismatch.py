"""An earlier work that a bid claims as its own contradicts what this market knows of that work.

Why it matters
    A track record (业绩) wins points, and some tenders ask for one. Where the claimed work was let on this
    market, its winner, its price and its days are known here.

Looks innocent when
    - the claim gives the settled price, or a price with tax. So a claim counts only if it exceeds the largest
      known price by some share;
    - the bidder did the work as a partner or a reported subcontractor. These may claim it;
    - the firm was renamed or merged, or took over the contract;
    - a wrong lot code or year was typed. What many firms show in the same way is not counted.

Blind spots
    Works let elsewhere, which are most of the claims. Claims without a lot code. Works of this market whose
    award and contract were not delivered. Claims below the true price. A firm that bids under a lent name: its
    claims agree with the records. Bidders or winners known by name only, or by a registration number of
    fifteen digits (before 2015).

Sources
    招标投标法实施条例 §42 (false track record). The look-up of claims in the market's own awards is this
    project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.claims.mismatches import told_by_bid

DETECTOR = Detector(
    title="Claimed earlier work contradicts the market's own records of it",
    title_zh="投标文件所列业绩与本市场交易记录不符",
    unit="lot_party",
    measures="claimed works of the bid that contradict the market's records, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-42",),
    evidence=(
        "claimed_works.claimed_lot_id",
        "claimed_works.price",
        "claimed_works.signed_on",
        "lots.opened_on",
    ),
    says="{value:.0f} of {statements} claimed work(s) found in this market (limit {min_works}) contradict its records:"
    " {other_winner} won by others, {higher_price} claimed at {max_price_gap:.0%} or more above the largest known"
    " price, {other_day} with a day that cannot be (lots {listed});"
    " {market_share:.2%} of the statements of {firms} firms show the same (limit {max_market_share:.0%}).",
    says_zh="所列业绩中可在本市场查到 {statements} 项，其中 {value:.0f} 项与记录不符（阈值 {min_works} 项）："
    "由其他单位中标 {other_winner} 项，所列金额高于已知最大金额 {max_price_gap:.0%} 及以上 {higher_price} 项，"
    "日期不可能 {other_day} 项（标段 {listed}）；{firms} 家企业的所列业绩中同类情形占 {market_share:.2%}"
    "（阈值 {max_market_share:.0%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 1,
    "statements": 2,
    "other_winner": 1,
    "higher_price": 0,
    "other_day": 0,
    "listed": "E4108210000000302001001",
    "firms": 380,
    "market_share": 0.005,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_works: int = 1  # claimed works that contradict the records
    max_price_gap: float = 0.1  # claimed above the largest known price, share of it
    max_market_share: float = 0.05  # of all firms' statements, with the same kind; of more: faulty records


KINDS = ("other_winner", "higher_price", "other_day")

# Days that cannot be: the claimed day of signing lies before the opening of the bids for the work, or after the opening
# of the bid that claims it; or the contract of the work was signed after that opening.
SQL = """
WITH winners AS (
    SELECT lot_id, winner_id AS party_id FROM core.awards
    UNION
    SELECT lot_id, supplier_id FROM core.contracts
),
inside AS (
    SELECT lot_id, party_id FROM winners
    UNION
    SELECT m.lot_id, m.party_id
    FROM core.bid_members AS m
    JOIN winners AS w ON w.lot_id = m.lot_id AND w.party_id = m.bidder_id
    UNION
    SELECT lot_id, subcontractor_id FROM core.subcontracts
),
let_out AS (
    SELECT lot_id, max(CASE WHEN party_id LIKE 'name:%' OR length(party_id) = 15 THEN 1 ELSE 0 END) AS is_vague
    FROM winners
    GROUP BY lot_id
),
priced AS (
    SELECT lot_id, currency, price FROM core.awards WHERE price > 0
    UNION ALL
    SELECT lot_id, currency, sum(price) FROM core.contracts WHERE price > 0 GROUP BY lot_id, currency
    UNION ALL
    SELECT lot_id, currency, sum(settled_price) FROM core.acceptances WHERE settled_price > 0
    GROUP BY lot_id, currency
),
largest AS (
    SELECT lot_id, currency, CAST(max(price) AS DOUBLE) AS price FROM priced GROUP BY lot_id, currency
),
signed AS (
    SELECT lot_id, min(signed_on) AS signed_on FROM core.contracts GROUP BY lot_id
),
mine AS (
    SELECT DISTINCT m.lot_id, m.bidder_id, i.lot_id AS claimed_lot_id
    FROM core.bid_members AS m
    JOIN inside AS i ON i.party_id = m.party_id
    JOIN core.claimed_works AS w ON w.lot_id = m.lot_id AND w.bidder_id = m.bidder_id
     AND w.claimed_lot_id = i.lot_id
)
SELECT w.lot_id, w.bidder_id, w.claimed_lot_id,
       m.lot_id IS NULL AND k.is_vague = 0 AS other_winner,
       m.lot_id IS NOT NULL AND coalesce(CAST(w.price AS DOUBLE) >= (1 + $max_price_gap) * g.price, FALSE) AS higher_price,
       coalesce(w.signed_on < c.opened_on, FALSE) OR coalesce(w.signed_on > l.opened_on, FALSE)
           OR coalesce(s.signed_on > l.opened_on, FALSE) AS other_day
FROM core.claimed_works AS w
JOIN let_out AS k ON k.lot_id = w.claimed_lot_id
JOIN core.lots AS l ON l.lot_id = w.lot_id
JOIN core.lots AS c ON c.lot_id = w.claimed_lot_id
LEFT JOIN mine AS m ON m.lot_id = w.lot_id AND m.bidder_id = w.bidder_id AND m.claimed_lot_id = w.claimed_lot_id
LEFT JOIN largest AS g ON g.lot_id = w.claimed_lot_id AND g.currency = w.currency
LEFT JOIN signed AS s ON s.lot_id = w.claimed_lot_id
WHERE w.bidder_id NOT LIKE 'name:%' AND length(w.bidder_id) <> 15
ORDER BY w.lot_id, w.bidder_id, w.work_no
"""


NEEDS = (
    Need("no claimed works", "投标文件无业绩信息", "SELECT lot_id AS unit FROM core.claimed_works"),
    Need(
        "no claimed work that was awarded on this market",
        "所列业绩均非本市场已定标标段",
        "SELECT w.lot_id AS unit FROM core.claimed_works AS w"
        " JOIN (SELECT lot_id FROM core.awards UNION SELECT lot_id FROM core.contracts) AS k"
        " ON k.lot_id = w.claimed_lot_id",
    ),
    Need(
        "bidder without a credit code, or no record of the claimed lot",
        "投标人无统一社会信用代码，或所列标段无交易记录",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded bidder who claims a work that this market awarded; the unit is lot/bidder."""
    claimed: pd.DataFrame = engine.run(SQL, {"max_price_gap": limits.max_price_gap}).to_pandas()
    bids = told_by_bid(claimed, "claimed_lot_id", KINDS, limits.max_market_share)
    return bids.assign(flagged=bids["value"] >= limits.min_works)
