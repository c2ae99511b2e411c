"""Every bid of a lot stays just below the ceiling price.

Why it matters
    The ceiling (最高投标限价) is public. Bidders who compete for the work go below it; where even
    the lowest bid leaves next to nothing, nobody was trying to win by price.

Looks innocent when
    - the ceiling was set too low for the real cost, often after a rise in material prices;
    - the award method gives price little or no weight;
    - the fee is prescribed, so that everybody bids the same share of it.

Blind spots
    Lots without a delivered ceiling or with one in another currency or unit. A market in which
    every lot is bid at the ceiling: these lots are then usual in their class.

Sources
    招标投标法实施条例 §51(5): bids above the ceiling are rejected, so valid bids cannot lie above it.
    The rule and its comparison within a class are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, COMPARABLE_LOTS, ENOUGH_PRICES, PRICES, WHOLE_LOT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Every bid just below the ceiling price",
    title_zh="全部报价贴近最高投标限价",
    unit="lot",
    measures="lowest valid bid / ceiling price, share",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.price", "bids.is_valid", "lots.ceiling_price", "lots.award_method", "lots.class"),
    says="Even the lowest of {bids} bids is {value:.2%} of the ceiling price (limit {min_share:.0%}):"
    " among the highest {p_value:.1%} of {reference_lots} comparable lots, limit {max_p:.1%}.",
    says_zh="{bids} 家报价中最低价也达最高投标限价的 {value:.2%}（阈值 {min_share:.0%}），在 {reference_lots}"
    " 个可比标段中属最高的 {p_value:.1%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "bids": 4,
    "value": 0.9912,
    "p_value": 0.012,
    "reference_lots": 412,
}


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    Need(
        "no ceiling price in the currency of the bids",
        "无与报价同币种的最高投标限价",
        "SELECT lot_id AS unit FROM feat.lot_prices WHERE lowest_ceiling_share IS NOT NULL",
    ),
    Need(
        "even the lowest bid lies above the ceiling price: it is in another unit or of another scope",
        "最低报价高于最高投标限价（单位或范围可能不同）",
        "SELECT lot_id AS unit FROM feat.lot_prices WHERE lowest_ceiling_share <= 1",
    ),
    AWARD_METHOD,
    ENOUGH_PRICES,
    COMPARABLE_LOTS,
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 3  # valid bids in the lot
    min_share: float = 0.97  # lowest bid / ceiling price
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.05  # share of comparable lots at least as close to their ceiling


# A lowest bid above the ceiling means a ceiling in the wrong unit or for another scope.
SQL = """
SELECT lot_id AS unit, bids, award_method, currency, class, year,
       lowest_price, lowest_ceiling_share AS value
FROM feat.lot_prices
WHERE award_method IS NOT NULL AND bids >= $min_bids AND lowest_ceiling_share <= 1
ORDER BY lot_id
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known award method, a ceiling, enough bids and enough comparable lots."""
    lots: pd.DataFrame = engine.run(SQL, {"min_bids": limits.min_bids}).to_pandas()
    frame = lots.join(placed(lots, "value", "high", limits.min_reference_lots))
    frame["flagged"] = (frame["value"] >= limits.min_share) & (frame["p_value"] <= limits.max_p)
    columns = [
        "unit",
        "value",
        "p_value",
        "reference_class",
        "flagged",
        "bids",
        "lowest_price",
        "reference_lots",
    ]
    return frame.loc[frame["p_value"].notna(), columns].reset_index(drop=True)
