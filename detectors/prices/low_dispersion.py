"""The bids of one lot lie unusually close together.

Why it matters
    Bidders who price their own costs differ. Where the lowest price wins, cover bids are written
    around one number, and the spread of all bids and of the losing bids shrinks together.

Looks innocent when
    - the work is standard and everybody prices it from the same published norms;
    - the ceiling is tight, so that only a narrow range is worth bidding in;
    - a market of few firms has long settled on similar costs.
    For these reasons a lot is only compared with lots of its own market, and the signal ranks and
    corroborates: it is no evidence alone.

Blind spots
    Average-price and scoring lots: what a low spread means there is not known. A ring that spreads
    its cover bids on purpose. A market in which the ring is the rule: its lots are the reference.

Sources
    Formulas: García Rodríguez et al. (2022), Automation in Construction 133, 104047, reproduced on
    the published columns. Low dispersion as a screen: Imhof (2017). That a fixed limit fails was
    measured on six real markets: a coefficient of variation below 5 % holds for 78 % of the
    competitive lots of one and 3 % of another.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.needs import BIDS, COMPARABLE_LOTS, ENOUGH_PRICES, LOWEST_PRICE, PRICES, WHOLE_LOT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Bids lie unusually close together",
    title_zh="报价离散程度异常偏低",
    unit="lot",
    measures="coefficient of variation of the valid bids, no unit",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-40-4",),
    evidence=("bids.price", "bids.is_valid", "lots.award_method", "lots.class"),
    says="{bids} bids differ by {spd:.1%} from lowest to highest (coefficient of variation {value:.4f}):"
    " among the lowest {p_value:.1%} of {reference_lots} comparable lots, limit {max_p:.1%}.",
    says_zh="{bids} 家报价最高与最低相差 {spd:.1%}（变异系数 {value:.4f}），在 {reference_lots} 个可比标段中"
    "属最低的 {p_value:.1%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "bids": 5,
    "spd": 0.0023,
    "value": 0.0009,
    "p_value": 0.0033,
    "reference_lots": 300,
}


NEEDS = (BIDS, WHOLE_LOT, PRICES, LOWEST_PRICE, ENOUGH_PRICES, COMPARABLE_LOTS)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 3  # valid bids in the lot
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.05  # share of comparable lots that are at least as close together


SQL = """
SELECT lot_id AS unit, bids, award_method, currency, class, year, cv, cvl, spd
FROM feat.lot_prices
WHERE award_method = 'lowest_price' AND bids >= $min_bids
ORDER BY lot_id
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lowest-price lot that has enough bids and enough comparable lots.

    All three measures of dispersion must be low: ``p_value`` is the largest of their three.
    """
    lots: pd.DataFrame = engine.run(SQL, {"min_bids": limits.min_bids}).to_pandas()
    by_measure = {name: placed(lots, name, "low", limits.min_reference_lots) for name in ("cv", "cvl", "spd")}
    p_value = pd.concat([frame["p_value"] for frame in by_measure.values()], axis=1).max(axis=1, skipna=False)
    frame = lots.assign(
        value=lots["cv"],
        p_value=p_value,
        reference_class=by_measure["cv"]["reference_class"],
        reference_lots=by_measure["cv"]["reference_lots"],
        flagged=p_value <= limits.max_p,
    )
    columns = [
        "unit",
        "value",
        "p_value",
        "reference_class",
        "flagged",
        "bids",
        "cvl",
        "spd",
        "reference_lots",
    ]
    return frame.loc[p_value.notna(), columns].reset_index(drop=True)
