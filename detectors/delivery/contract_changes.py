"""A contract grew after it was signed far more than comparable contracts do.

Why it matters
    A price that won is worth little if it is raised afterwards. A firm that knows of coming changes can bid low
    against honest rivals. Supplements or the settlement then pay for it.

Looks innocent when
    - the ground, the design or the law changed, and the buyer decided so in due form;
    - a clause of the contract adjusted prices of materials;
    - one change was recorded twice, as an item and as a supplement to the contract.

Blind spots
    Changes and settlements that are not delivered: a lot without any is not judged and not compared. Less work
    at an unchanged price. What is usual in a trade is no signal, even if it is much. Some lots are always the
    highest of their class: one changed lot in twenty grows that much by the nature of the comparison.

Sources
    No source was at hand. The 95th percentile of the class and the floor are this project's own choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, COMPARABLE_LOTS, CONTRACT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Contract grew unusually much after it was signed",
    title_zh="合同签订后变更或结算增加金额异常偏大",
    unit="lot",
    measures="growth by changes, else at the settlement, share of the contract price",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "contracts.price",
        "changes.amount_before",
        "changes.amount_after",
        "changes.approved_on",
        "acceptances.settled_price",
    ),
    says="Signed at {price:,.2f} {currency}, grown to {grown:,.2f} by {changes} change(s) or the settlement: {value:+.1%}"
    " (limit {min_growth:.0%}); {p_value:.2%} of {reference_lots} comparable changed or settled lots grew as much or"
    " more (limit {max_p:.1%}).",
    says_zh="合同金额 {price:,.2f}（{currency}），经 {changes} 项变更或结算增至 {grown:,.2f}，"
    "增幅 {value:+.1%}（阈值 {min_growth:.0%}）；{reference_lots} 个有变更或结算记录的可比标段中"
    "不低于此的占 {p_value:.2%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "price": 9500000.0,
    "currency": "CNY",
    "grown": 12900000.0,
    "changes": 3,
    "value": 0.358,
    "p_value": 0.012,
    "reference_lots": 420,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_growth: float = 0.1  # growth, share of the contract price
    min_reference_lots: int = 200  # other changed or settled lots in the reference class
    max_p: float = 0.05  # share of them that grew as much: above the 95th percentile


SIGNED = """
WITH signed AS (
    SELECT lot_id, min(currency) AS currency, CAST(sum(price) AS DOUBLE) AS price, min(signed_on) AS signed_on,
           string_agg(DISTINCT supplier_id, ';' ORDER BY supplier_id) AS entities
    FROM core.contracts
    GROUP BY lot_id
    HAVING count(price) = count(*) AND sum(price) > 0 AND min(currency) = max(currency)
)
"""

# The settlement tells what became of all changes. Without it the changes are added up. What was approved before the
# signing is in the price already.
SQL = (
    SIGNED
    + """,
changed AS (
    SELECT c.lot_id, count(*) AS changes, CAST(sum(c.amount_after - c.amount_before) AS DOUBLE) AS added
    FROM core.changes AS c
    JOIN signed AS s ON s.lot_id = c.lot_id AND s.currency = c.currency
    WHERE c.amount_before IS NOT NULL AND c.amount_after IS NOT NULL
      AND (c.approved_on IS NULL OR s.signed_on IS NULL OR c.approved_on >= s.signed_on)
    GROUP BY c.lot_id
),
settled AS (
    SELECT lot_id, min(currency) AS currency, CAST(sum(settled_price) AS DOUBLE) AS price
    FROM core.acceptances
    GROUP BY lot_id
    HAVING count(settled_price) = count(*) AND min(currency) = max(currency)
),
bidders AS (
    SELECT lot_id, count(*) AS bids FROM core.bids GROUP BY lot_id
)
SELECT s.lot_id AS unit, s.entities,
       coalesce(e.price, s.price + g.added) / NULLIF(s.price, 0) - 1 AS value,
       s.price, s.currency, coalesce(e.price, s.price + g.added) AS grown, coalesce(g.changes, 0) AS changes,
       b.bids, l.award_method, l.class, CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) AS year
FROM signed AS s
LEFT JOIN changed AS g ON g.lot_id = s.lot_id
LEFT JOIN settled AS e ON e.lot_id = s.lot_id AND e.currency = s.currency
JOIN core.lots AS l ON l.lot_id = s.lot_id
JOIN bidders AS b ON b.lot_id = s.lot_id
WHERE g.lot_id IS NOT NULL OR e.lot_id IS NOT NULL
ORDER BY s.lot_id
"""
)


NEEDS = (
    BIDS,
    CONTRACT,
    Need(
        "price of a contract missing, or in several currencies",
        "合同金额不全或币种不一",
        SIGNED + "SELECT lot_id AS unit FROM signed",
    ),
    Need(
        "no change after the signing and no settlement in the contract's currency",
        "签约后无变更金额，也无同一币种的结算金额",
        f"SELECT unit FROM ({SQL}) AS grown",
    ),
    AWARD_METHOD,
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot under contract with a change or a settlement, with enough others like it."""
    lots: pd.DataFrame = engine.run(SQL).to_pandas()
    frame = lots.join(placed(lots, "value", "high", limits.min_reference_lots))
    frame = frame[frame["p_value"].notna()].reset_index(drop=True)
    is_grown = frame["value"] >= limits.min_growth
    frame = frame.assign(flagged=is_grown & (frame["p_value"] <= limits.max_p))
    return frame.drop(columns=["bids", "award_method", "class", "year"])
