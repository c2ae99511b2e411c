"""The contract price differs from the price that won.

Why it matters
    The contract must be what was tendered. A firm that wins low and signs higher beats honest bidders with a
    price that was never meant. A lower contract may give back what was agreed.

Looks innocent when
    - the tender fixed a rate and the contract the sum;
    - sums were rounded, a provisional sum was taken out, or the scope was changed by a lawful decision;
    - small changes are usual. So only what is rare among comparable lots is shown.

Blind spots
    Changes after signing (supplements, variations, settlement): see delivery.contract_changes. Awards or
    contracts without a price. A change of quantities at an unchanged price.

Sources
    No source was at hand. The comparison within the reference class is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, COMPARABLE_LOTS, CONTRACT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Contract price differs from the winning price",
    title_zh="合同金额与中标金额不一致",
    unit="lot",
    measures="contract price less winning price, share of the winning price, without its sign",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("awards.price", "contracts.price"),
    says="Won at {award_price:,.2f}, signed at {contract_price:,.2f} {currency}: a change of {change_share:+.2%}"
    " ({value:.2%} without sign, limit {min_change:.1%}); {p_value:.2%} of {reference_lots} comparable lots"
    " changed as much or more (limit {max_p:.1%}).",
    says_zh="中标金额 {award_price:,.2f}，合同金额 {contract_price:,.2f}（{currency}），相差 {change_share:+.2%}（幅度 "
    "{value:.2%}，阈值 {min_change:.1%}）；{reference_lots} 个可比标段中变动不低于此的占 {p_value:.2%}（阈值 {max_p:.1%}），"
    "属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "award_price": 1000000.0,
    "contract_price": 1080000.0,
    "currency": "CNY",
    "change_share": 0.08,
    "value": 0.08,
    "p_value": 0.004,
    "reference_lots": 640,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_change: float = 0.001  # change of the price, share of the winning price; a smaller one is rounding
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.01  # share of comparable lots with as large a change


# Several contracts of one lot and winner are parts of one and count together.
SQL = """
WITH won AS (
    SELECT lot_id, winner_id, currency, sum(price) AS price
    FROM core.awards
    WHERE price > 0
    GROUP BY lot_id, winner_id, currency
),
signed AS (
    SELECT lot_id, supplier_id, currency, sum(price) AS price
    FROM core.contracts
    GROUP BY lot_id, supplier_id, currency
    HAVING count(price) = count(*) AND sum(price) > 0
),
bidders AS (
    SELECT lot_id, count(*) AS bids FROM core.bids GROUP BY lot_id
),
compared AS (
    SELECT w.lot_id, w.winner_id, CAST(w.price AS DOUBLE) AS award_price,
           CAST(s.price AS DOUBLE) AS contract_price, w.currency
    FROM won AS w
    JOIN signed AS s ON s.lot_id = w.lot_id AND s.supplier_id = w.winner_id AND s.currency = w.currency
)
SELECT c.lot_id AS unit, c.winner_id AS entities,
       abs(c.contract_price - c.award_price) / NULLIF(c.award_price, 0) AS value,
       c.contract_price / NULLIF(c.award_price, 0) - 1 AS change_share,
       c.award_price, c.contract_price, c.currency,
       b.bids, l.award_method, l.class, CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) AS year
FROM compared AS c
JOIN core.lots AS l ON l.lot_id = c.lot_id
JOIN bidders AS b ON b.lot_id = c.lot_id
ORDER BY c.lot_id, c.winner_id
"""


NEEDS = (
    BIDS,
    CONTRACT,
    Need("no price of the award", "中标金额不明", "SELECT lot_id AS unit FROM core.awards WHERE price > 0"),
    Need(
        "no full contract price of the winner in the currency of the award",
        "中标单位合同金额不全，或与中标金额币种不同",
        f"SELECT unit FROM ({SQL}) AS compared",
    ),
    AWARD_METHOD,
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every winner whose award and contracts have prices in one currency, with enough comparable lots."""
    lots: pd.DataFrame = engine.run(SQL).to_pandas()
    frame = lots.join(placed(lots, "value", "high", limits.min_reference_lots))
    frame = frame[frame["p_value"].notna()].reset_index(drop=True)
    is_changed = frame["value"] >= limits.min_change
    frame = frame.assign(flagged=is_changed & (frame["p_value"] <= limits.max_p))
    return frame.drop(columns=["bids", "award_method", "class", "year"])
