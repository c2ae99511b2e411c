"""Several bids of a lot are round fractions of the buyer's estimate, to the cent.

Why it matters
    Who prices the work ends anywhere. Who writes down 96 % of somebody else's number has priced nothing.
    Several bidders of one lot that do so have worked from the same sheet.

Looks innocent when
    - the tender asks for a discount on the estimate (下浮率): then most lots of that market show it, and
      what many comparable lots show is no signal;
    - the estimate itself is a round number: then round prices are round fractions, and are not counted.

Blind spots
    Lots without a published estimate. Fractions finer than a tenth of a percent. Discounts from the
    ceiling or from a number that was not delivered. Lots without a known award method.

Sources
    招标投标法实施条例 §40(4) 投标报价呈规律性差异. The rule and its comparison within a market are this
    project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import (
    AWARD_METHOD,
    BIDS,
    COMPARABLE_LOTS,
    ESTIMATE,
    PRICES,
    WHOLE_LOT,
    enough_prices,
)
from detectors.kernels.prices.blocks import valid_bids
from detectors.kernels.prices.reference_classes import commonness

DETECTOR = Detector(
    title="Several bids are round fractions of the buyer's estimate",
    title_zh="多家报价恰为招标人估算价的整数比例",
    unit="lot",
    measures="bids that are whole steps of the estimate to the cent, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-4",),
    evidence=("bids.price", "bids.is_valid", "lots.estimate_price", "lots.award_method", "lots.class"),
    says="{value:.0f} of {bids} bids (limit {min_fractions}) are whole multiples of {step:.1%} of the buyer's estimate"
    " {estimate:,.2f}, to the cent; of {reference_lots} comparable lots {common_share:.1%} show the same (limit"
    " {max_common_share:.0%}).",
    says_zh="{bids} 家报价中有 {value:.0f} 家（阈值 {min_fractions} 家）恰为招标人估算价 {estimate:,.2f} 的 {step:.1%} 的整数倍，"
    "精确到分；{reference_lots} 个可比标段中有 {common_share:.1%} 出现同样情形（阈值 {max_common_share:.0%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 3,
    "bids": 5,
    "estimate": 1234567.89,
    "reference_lots": 300,
    "common_share": 0.004,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    step: float = 0.001  # share of the estimate: 96.5 % counts, 96.55 % does not
    min_fractions: int = 2  # such bids in the lot
    min_step_units: float = 1000.0  # one step in rounding units of the estimate: below, chance meets it
    min_reference_lots: int = 200  # other lots needed to say what is usual in a market
    max_common_share: float = 0.05  # of comparable lots that show the same: a market's habit


# The estimate is rounded to the largest power of ten that divides it. On a grid of that unit, round prices and round
# fractions are the same thing: an estimate counts as odd where no power of ten beyond its step divides it.
LOTS = """
WITH estimated AS (
    SELECT p.lot_id AS unit, p.bids, p.award_method, p.currency, p.class, p.year,
           CAST(l.estimate_price AS DOUBLE) AS estimate,
           CAST(round(CAST(l.estimate_price AS DOUBLE) * 100) AS BIGINT) AS cents
    FROM feat.lot_prices AS p
    JOIN core.lots AS l ON l.lot_id = p.lot_id AND l.currency = p.currency
    WHERE p.award_method IS NOT NULL AND p.bids >= $min_fractions AND l.estimate_price > 0
),
powers (power) AS (
    VALUES (1), (10), (100), (1000), (10000), (100000), (1000000), (10000000), (100000000), (1000000000),
           (10000000000), (100000000000), (1000000000000), (10000000000000), (100000000000000)
)
SELECT e.unit, e.bids, e.award_method, e.currency, e.class, e.year, e.estimate
FROM estimated AS e
WHERE NOT EXISTS (
    SELECT 1 FROM powers AS p WHERE p.power * $min_step_units > $step * e.cents AND mod(e.cents, p.power) = 0
)
ORDER BY e.unit
"""


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    ESTIMATE,
    AWARD_METHOD,
    enough_prices("min_fractions"),
    Need(
        "the estimate is a round number", "招标人估算价为整数，无从比较", f"SELECT unit FROM ({LOTS}) AS lots"
    ),
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known award method, an odd estimate, enough bids and enough comparable lots."""
    chosen = {
        "min_fractions": limits.min_fractions,
        "min_step_units": limits.min_step_units,
        "step": limits.step,
    }
    lots: pd.DataFrame = engine.run(LOTS, chosen).to_pandas()
    bids = valid_bids(engine)
    at = pc.index_in(bids.lot_id.cast(pa.string()), value_set=pa.array(lots["unit"], pa.string()))
    frame = pd.DataFrame(
        {
            "lot": np.repeat(at.to_numpy(zero_copy_only=False), bids.bids),
            "bidder": bids.bidder_id.to_numpy(zero_copy_only=False),
            "price": bids.price,
        }
    )
    frame = frame[frame["lot"].notna()].sort_values(["lot", "bidder"])
    estimate = lots["estimate"].to_numpy()[frame["lot"].to_numpy(dtype=np.int64)]
    nearest = np.rint(frame["price"] / estimate / limits.step) * limits.step * estimate
    # Half a cent from rounding the price, half for the arithmetic.
    found = frame[(np.abs(nearest - frame["price"]) <= 0.01) & (nearest != estimate)].groupby("lot")["bidder"]
    count = found.size().reindex(lots.index, fill_value=0)
    is_found = count >= limits.min_fractions
    common = commonness(lots, is_found, limits.min_reference_lots)
    frame = lots.join(common).assign(
        entities=found.agg(SEPARATOR.join).reindex(lots.index).astype("str"),
        value=count.astype("float64"),
        flagged=is_found & (common["common_share"] <= limits.max_common_share),
    )
    frame = frame[frame["common_share"].notna()].reset_index(drop=True)
    return frame.drop(columns=["award_method", "currency", "class", "year"])
