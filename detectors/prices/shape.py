"""The bids of one lot lean to the high side and crowd around one value.

Why it matters
    Where the lowest price wins, cover bids stand close together above the firm that is to win. One low
    bid under a dense group gives a distribution with a long lower tail (low skewness) and a sharp
    peak (high kurtosis). Independent costs give neither.

Looks innocent when
    - one bidder has really lower costs, or has made a mistake, and the others know the usual price;
    - the ceiling presses the bids together from above.
    For these reasons a lot is only compared with lots of its own market, and both measures must be far
    out. The signal ranks and corroborates: it is no evidence alone.

Blind spots
    Average-price and scoring lots: what the shape means there is not known, and in real Italian
    average-price lots high kurtosis points to competition. Lots of three bids. Rings that spread their cover bids. In
    two of six labelled markets the screens show next to nothing.

Sources
    Formulas: García Rodríguez et al. (2022), Automation in Construction 133, 104047, reproduced on the
    published columns. High kurtosis and low skewness in rigged lots: Imhof (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, COMPARABLE_LOTS, ENOUGH_PRICES, LOWEST_PRICE, PRICES, WHOLE_LOT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Bids lean high and crowd around one value",
    title_zh="报价分布左偏且异常集中",
    unit="lot",
    measures="skewness of the valid bids, no unit",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-40-4",),
    evidence=("bids.price", "bids.is_valid", "lots.award_method", "lots.class"),
    says="{bids} bids have skewness {value:.2f} and excess kurtosis {kurt:.2f}: both among the most extreme"
    " {p_value:.1%} of {reference_lots} comparable lots, limit {max_p:.1%}.",
    says_zh="{bids} 家报价的偏度为 {value:.2f}、超额峰度为 {kurt:.2f}，在 {reference_lots} 个可比标段中均属最极端的 "
    "{p_value:.1%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "bids": 6,
    "value": -2.31,
    "kurt": 5.42,
    "p_value": 0.0133,
    "reference_lots": 300,
}


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    LOWEST_PRICE,
    ENOUGH_PRICES,
    Need(
        "the valid prices do not differ",
        "各有效报价相同",
        "SELECT lot_id AS unit FROM feat.lot_prices WHERE skew IS NOT NULL AND kurt IS NOT NULL",
    ),
    COMPARABLE_LOTS,
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 4  # valid bids in the lot: kurtosis needs four
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.05  # share of comparable lots that are at least as far out, on either measure


SQL = """
SELECT lot_id AS unit, bids, award_method, currency, class, year, skew, kurt
FROM feat.lot_prices
WHERE award_method = 'lowest_price' AND bids >= $min_bids
ORDER BY lot_id
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lowest-price lot that has enough bids and enough comparable lots.

    Both measures must be far out: ``p_value`` is the larger of the two.
    """
    lots: pd.DataFrame = engine.run(SQL, {"min_bids": limits.min_bids}).to_pandas()
    low = placed(lots, "skew", "low", limits.min_reference_lots)
    high = placed(lots, "kurt", "high", limits.min_reference_lots)
    p_value = pd.concat([low["p_value"], high["p_value"]], axis=1).max(axis=1, skipna=False)
    frame = lots.assign(
        value=lots["skew"],
        p_value=p_value,
        reference_class=low["reference_class"],
        reference_lots=low["reference_lots"],
        flagged=p_value <= limits.max_p,
    )
    columns = ["unit", "value", "p_value", "reference_class", "flagged", "bids", "kurt", "reference_lots"]
    return frame.loc[p_value.notna(), columns].reset_index(drop=True)
