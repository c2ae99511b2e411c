"""A quantity of the contract was raised after signing far more than is usual.

Why it matters
    A bidder may know that one quantity of the bill is too small. It asks much for that item and little for the
    rest. The sum wins, and the change pays. The raise of a single item shows it before the sum does.

Looks innocent when
    - the quantity could not be known before (rock, ground water), and both sides measured it;
    - a small item was doubled, which has no weight. Where the item's price is known, only items that are worth
      some part of the contract are looked at;
    - the unit changed with the quantity (m³ to t).

Blind spots
    Changes that are not delivered. Items that were added, with no quantity before. Quantities that were cut. A
    trade in which such raises are usual. Some lots are always the highest of their class.

Sources
    No source was at hand. The 95th percentile of the class and the floors are this project's own choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, COMPARABLE_LOTS, CONTRACT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Quantity in the contract raised unusually much after signing",
    title_zh="合同签订后单项工程量增加异常偏大",
    unit="lot",
    measures="largest raise of one item's quantity, share of the quantity before",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "changes.quantity_before",
        "changes.quantity_after",
        "changes.amount_after",
        "changes.approved_on",
    ),
    says="Change {change_no} raised {item} from {before:,.2f} to {after:,.2f}: {value:+.0%} (limit {min_raise:.0%});"
    " {p_value:.2%} of {reference_lots} comparable changed lots have as large a raise (limit {max_p:.1%}).",
    says_zh="变更 {change_no} 将“{item}”工程量由 {before:,.2f} 增至 {after:,.2f}，增幅 {value:+.0%}（阈值 {min_raise:.0%}）；"
    "{reference_lots} 个有变更记录的可比标段中不低于此的占 {p_value:.2%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "change_no": "B-3",
    "item": "土方开挖",
    "before": 1200.0,
    "after": 4100.0,
    "value": 2.417,
    "p_value": 0.012,
    "reference_lots": 310,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_raise: float = 0.5  # raise of the quantity, share of the quantity before
    min_item_share: float = 0.01  # worth of the changed item, share of the contract price, where known
    min_reference_lots: int = 200  # other changed lots in the reference class
    max_p: float = 0.05  # share of them with as large a raise: above the 95th percentile


SQL = """
WITH signed AS (
    SELECT lot_id, min(currency) AS currency, CAST(sum(price) AS DOUBLE) AS price, min(signed_on) AS signed_on,
           string_agg(DISTINCT supplier_id, ';' ORDER BY supplier_id) AS entities
    FROM core.contracts
    GROUP BY lot_id
),
raised AS (
    SELECT c.lot_id, s.entities, c.change_no, coalesce(c.item, '—') AS item,
           CAST(c.quantity_before AS DOUBLE) AS quantity_before, CAST(c.quantity_after AS DOUBLE) AS quantity_after,
           CAST(c.quantity_after AS DOUBLE) / NULLIF(CAST(c.quantity_before AS DOUBLE), 0) - 1 AS value
    FROM core.changes AS c
    JOIN signed AS s ON s.lot_id = c.lot_id
    WHERE c.quantity_before > 0 AND c.quantity_after >= 0
      AND (c.approved_on IS NULL OR s.signed_on IS NULL OR c.approved_on >= s.signed_on)
      AND coalesce(CASE WHEN c.currency = s.currency
                        THEN CAST(c.amount_after AS DOUBLE) >= $min_item_share * s.price END, TRUE)
),
ranked AS (
    SELECT lot_id, entities, change_no, item, quantity_before, quantity_after, value,
           row_number() OVER (PARTITION BY lot_id ORDER BY value DESC, change_no, item) AS place
    FROM raised
),
bidders AS (
    SELECT lot_id, count(*) AS bids FROM core.bids GROUP BY lot_id
)
SELECT r.lot_id AS unit, r.entities, r.value, r.change_no, r.item, r.quantity_before AS before,
       r.quantity_after AS after, b.bids, l.award_method, l.currency, l.class,
       CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) AS year
FROM ranked AS r
JOIN core.lots AS l ON l.lot_id = r.lot_id
JOIN bidders AS b ON b.lot_id = r.lot_id
WHERE r.place = 1
ORDER BY r.lot_id
"""


NEEDS = (
    BIDS,
    CONTRACT,
    Need("no changes delivered", "未收到变更记录", "SELECT lot_id AS unit FROM core.changes"),
    Need(
        "no changed quantity of enough weight after the signing",
        "签约后无达到金额占比的工程量变更",
        f"SELECT unit FROM ({SQL}) AS raised",
    ),
    AWARD_METHOD,
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot under contract with a changed quantity, with enough others like it."""
    lots: pd.DataFrame = engine.run(SQL, {"min_item_share": limits.min_item_share}).to_pandas()
    frame = lots.join(placed(lots, "value", "high", limits.min_reference_lots))
    frame = frame[frame["p_value"].notna()].reset_index(drop=True)
    is_raised = frame["value"] >= limits.min_raise
    frame = frame.assign(flagged=is_raised & (frame["p_value"] <= limits.max_p))
    return frame.drop(columns=["bids", "award_method", "currency", "class", "year"])
