"""The lowest bid stands far below losing bids that lie close together.

Why it matters
    Cover bids are written to lose: they stay at a safe distance from the chosen winner and near
    each other. The gap below them is then large against the spread among the losers.

Looks innocent when
    - one firm really is cheaper: it has its machines on site, idle capacity or its own quarry;
    - the lowest bidder made a mistake in its calculation;
    - the losing bids follow one published price list and the winner gives a discount.

Blind spots
    Average-price and scoring lots. A ring that lets the designated winner win narrowly. Losing
    bids that are all equal: the ratio is then undefined (prices.identical_prices sees them).

Sources
    Relative distance: García Rodríguez et al. (2022), Automation in Construction 133, 104047,
    reproduced on the published columns. Rule of Imhof, Karagök and Rutz: low dispersion together
    with a relative distance above 1. Measured on average-price lots, the screen finds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, COMPARABLE_LOTS, ENOUGH_PRICES, LOWEST_PRICE, PRICES, WHOLE_LOT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Lowest bid far below close losing bids",
    title_zh="最低报价与其余报价差距异常",
    unit="lot",
    measures="gap between the two lowest bids / standard deviation of the losing bids, no unit",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.price", "bids.is_valid", "lots.award_method", "lots.class"),
    says="The lowest of {bids} bids lies {diffp:.1%} below the second, {value:.1f} times the spread of the"
    " losing bids (more than {min_distance:.1f}): among the highest {p_value:.1%} of {reference_lots}"
    " comparable lots, limit {max_p:.1%}.",
    says_zh="{bids} 家报价中，次低价比最低价高 {diffp:.1%}，为其余报价标准差的 {value:.1f} 倍（阈值 "
    "{min_distance:.1f} 倍），在 {reference_lots} 个可比标段中属最高的 {p_value:.1%}（阈值 "
    "{max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "bids": 5,
    "diffp": 0.15,
    "value": 64.6,
    "p_value": 0.0033,
    "reference_lots": 300,
}


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    LOWEST_PRICE,
    ENOUGH_PRICES,
    Need(
        "the losing bids do not differ",
        "除最低价外各报价相同",
        "SELECT lot_id AS unit FROM feat.lot_prices WHERE rd IS NOT NULL",
    ),
    COMPARABLE_LOTS,
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 4  # valid bids in the lot
    min_distance: float = 1.0  # relative distance: gap / spread of the losing bids
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.05  # share of comparable lots with at least this distance


SQL = """
SELECT lot_id AS unit, bids, award_method, currency, class, year, rd, rdnor, diffp
FROM feat.lot_prices
WHERE award_method = 'lowest_price' AND bids >= $min_bids
ORDER BY lot_id
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lowest-price lot that has enough bids and enough comparable lots.

    Both distances must be high: ``p_value`` is the larger of their two.
    """
    lots: pd.DataFrame = engine.run(SQL, {"min_bids": limits.min_bids}).to_pandas()
    relative = placed(lots, "rd", "high", limits.min_reference_lots)
    normalised = placed(lots, "rdnor", "high", limits.min_reference_lots)
    p_value = pd.concat([relative["p_value"], normalised["p_value"]], axis=1).max(axis=1, skipna=False)
    frame = lots.assign(
        value=lots["rd"],
        p_value=p_value,
        reference_class=relative["reference_class"],
        reference_lots=relative["reference_lots"],
        flagged=(lots["rd"] >= limits.min_distance) & (p_value <= limits.max_p),
    )
    columns = [
        "unit",
        "value",
        "p_value",
        "reference_class",
        "flagged",
        "bids",
        "diffp",
        "rdnor",
        "reference_lots",
    ]
    return frame.loc[p_value.notna(), columns].reset_index(drop=True)
