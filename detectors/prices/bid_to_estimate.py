"""The lowest bid lies unusually far below, or above, the buyer's own estimate.

Why it matters
    The estimate is what the buyer thinks the work costs. Where bidders compete, the lowest bid falls a
    usual part below it. A lowest bid far above that part says that nobody pressed the price; one far
    below, that somebody counts on changes after the award, or that the estimate was made for show.

Looks innocent when
    - the estimate is old, and prices of material have moved;
    - the estimate covers another scope than the lot, or stands in another unit;
    - few firms can do the work, or many are idle.
    For these reasons a lot is only compared with lots of its own market, and the signal ranks and
    corroborates: it is no evidence alone.

Blind spots
    Lots without a published estimate. Markets where the estimate is fitted to the bids. The ceiling is
    another number: see prices.ceiling_hugging. Lots without a known award method.

Sources
    That bids compared with the estimate tell more than bids alone was measured on 100 Brazilian lots:
    area under the curve 83 % without, 86 % with it. The comparison within a class is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import (
    AWARD_METHOD,
    BIDS,
    COMPARABLE_LOTS,
    ENOUGH_PRICES,
    ESTIMATE,
    PRICES,
    WHOLE_LOT,
)
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Lowest bid unusually far from the buyer's estimate",
    title_zh="最低报价与招标人估算价之比异常",
    unit="lot",
    measures="lowest valid bid / the buyer's estimate, share",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.price", "bids.is_valid", "lots.estimate_price", "lots.award_method", "lots.class"),
    says="The lowest of {bids} bids is {value:.2%} of the buyer's estimate {estimate:,.2f}: among the most extreme"
    " {p_value:.2%} of {reference_lots} comparable lots on either side, limit {max_p:.1%}.",
    says_zh="{bids} 家报价中最低价为招标人估算价 {estimate:,.2f} 的 {value:.2%}，在 {reference_lots} 个可比标段中属两端最极端的 "
    "{p_value:.2%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "bids": 4,
    "value": 1.0412,
    "estimate": 2500000.0,
    "p_value": 0.0066,
    "reference_lots": 300,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 3  # valid bids in the lot
    max_ratio: float = 3.0  # a ratio beyond, or below its inverse, is another unit or scope
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.01  # share of comparable lots at least as far out, both ends together


SQL = """
WITH compared AS (
    SELECT p.lot_id AS unit, p.bids, p.award_method, p.currency, p.class, p.year,
           CAST(l.estimate_price AS DOUBLE) AS estimate,
           p.lowest_price / NULLIF(CAST(l.estimate_price AS DOUBLE), 0) AS value
    FROM feat.lot_prices AS p
    JOIN core.lots AS l ON l.lot_id = p.lot_id AND l.currency = p.currency
    WHERE p.award_method IS NOT NULL AND p.bids >= $min_bids AND l.estimate_price > 0
)
SELECT unit, bids, award_method, currency, class, year, estimate, value
FROM compared
WHERE value BETWEEN 1 / $max_ratio AND $max_ratio
ORDER BY unit
"""


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    ESTIMATE,
    AWARD_METHOD,
    ENOUGH_PRICES,
    Need(
        "lowest bid and estimate too far apart: they are in other units or of another scope",
        "最低报价与估算价相差过大（单位或范围可能不同）",
        f"SELECT unit FROM ({SQL}) AS compared",
    ),
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known award method, an estimate, enough bids and enough comparable lots.

    ``p_value`` is twice the smaller of the two ends'.
    """
    chosen = {"min_bids": limits.min_bids, "max_ratio": limits.max_ratio}
    lots: pd.DataFrame = engine.run(SQL, chosen).to_pandas()
    low = placed(lots, "value", "low", limits.min_reference_lots)
    high = placed(lots, "value", "high", limits.min_reference_lots)
    p_value = np.minimum(2 * np.minimum(low["p_value"], high["p_value"]), 1.0)
    frame = lots.assign(
        p_value=p_value,
        reference_class=low["reference_class"],
        reference_lots=low["reference_lots"],
        flagged=p_value <= limits.max_p,
    )
    columns = ["unit", "value", "p_value", "reference_class", "flagged", "bids", "estimate", "reference_lots"]
    judged: pd.DataFrame = frame.loc[p_value.notna(), columns].reset_index(drop=True)
    return judged
