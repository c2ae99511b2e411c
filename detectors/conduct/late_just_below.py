"""The lowest bid came in after all others and lies just below the next one.

Why it matters
    Who has learnt the rivals' prices waits until they are in and goes just below. In a sealed tender
    nobody can know, so the hour of a bid should have nothing to do with its distance to the next.

Looks innocent when
    - somebody has to be last: with n bidders each of them is the last with probability 1 / n;
    - everybody uploads in the last hours, and markets with narrow margins have small gaps: the gap is
      compared with lots of the same kind and number of bids;
    - a careful firm both waits and calculates closely.

Blind spots
    A leak to a firm that uploads early and knows the rivals' intentions. A gap that is not so small.
    Lots awarded by scores or by an average. Clocks of several platforms that differ. One lot is weak
    evidence; conduct.late_winner looks at all lots of a firm.

Sources
    Bid leakage: Ivanov and Nesterov (about 9 % of 600,000 Russian auctions). 招标投标法实施条例 §41(1), (2) (opening
    files early, passing on bids) is the act that such a pattern may come from; the pattern does not prove it. The
    joint probability is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, COMPARABLE_LOTS, ENOUGH_PRICES, LOWEST_PRICE, PRICES, WHOLE_LOT
from detectors.kernels.prices.last_bids import LOTS, last_bids

DETECTOR = Detector(
    title="Lowest bid came last and just below the next",
    title_zh="最低报价最后递交且紧贴次低价",
    unit="lot",
    measures="gap from the lowest to the second bid, share of the lowest",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.submitted_at", "bids.price", "lots.award_method"),
    says="The lowest of {bids} bids came in as number {arrival} (last is {bids}) and lies {value:.2%} below the"
    " second, closer than in {rarer_share:.1%} of {reference_lots} comparable lots; both together have"
    " probability {p_value:.2g} (limit {max_p:.3f}).",
    says_zh="{bids} 家投标中最低价第 {arrival} 个递交（共 {bids} 个），低于次低价 {value:.2%}，比 {reference_lots} 个可比标段"
    "中的 {rarer_share:.1%} 更接近；两者同时出现的概率为 {p_value:.2g}（阈值 {max_p:.3f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "bids": 7,
    "arrival": 7,
    "value": 0.0008,
    "rarer_share": 0.984,
    "reference_lots": 410,
    "p_value": 0.0062,
}


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    LOWEST_PRICE,
    ENOUGH_PRICES,
    Need("the moment of some bid is unknown", "有投标递交时间不明", f"SELECT unit FROM ({LOTS}) AS lots"),
    COMPARABLE_LOTS,
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 3  # valid bids in the lot, each with its time
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.01  # probability of so late and so close a lowest bid


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lowest-price lot whose bids all have a time, with enough comparable lots."""
    lots = last_bids(engine, limits.min_bids, limits.min_reference_lots)
    is_last = lots["arrival"] == lots["bids"]
    return lots.assign(
        rarer_share=1 - lots["gap_p"], flagged=is_last & (lots["p_value"] <= limits.max_p)
    ).drop(columns=["gap_p"])
