"""A firm's lowest bids keep coming in last and keep lying just below the next bid.

Why it matters
    To upload last and just below the second bid is luck once. A firm that does so lot after lot may know
    the rivals' prices: from the platform, the agency, a device, or a ring that hands its prices over.

Looks innocent when
    - the firm always uploads in the last minutes, whatever its price; or it calculates closely, whatever
      the hour. Either alone is no signal: both must be improbable by themselves, over all its lots;
    - its rivals are few and always upload early.

Blind spots
    A firm with few lowest bids. A leak used once in ten lots drowns in the other nine. Lots awarded
    by scores or by an average. A firm that goes just below through several sister firms.

Sources
    Bid leakage: Ivanov and Nesterov (about 9 % of 600,000 Russian auctions). A binomial for lateness, Fisher's
    combination of probabilities for closeness. That the larger of the two counts is this project's own
    choice: a habit alone cannot flag.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.prices.last_bids import LOTS, TIMED, last_bids

DETECTOR = Detector(
    title="Firm's lowest bids come last and just below the next, again and again",
    title_zh="同一投标人最低报价多次最后递交且紧贴次低价",
    unit="party",
    measures="lots in which the firm's lowest bid came in last, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.submitted_at", "bids.price", "lots.award_method"),
    says="In {value:.0f} of the {lots} lots in which it bid lowest the firm came in last ({expected_last:.1f}"
    " expected), and its median gap to the second bid was {median_gap:.2%}; so late has probability"
    " {late_p:.5f}, so close {close_p:.5f} (limit for the larger: {max_p:.3f}; at least {min_lots} lots).",
    says_zh="该投标人在 {lots} 个报最低价的标段中有 {value:.0f} 个最后递交（按家数平均应为 {expected_last:.1f} 个），与次低价差距"
    "的中位数为 {median_gap:.2%}；递交如此之晚的概率为 {late_p:.5f}，报价如此接近的概率为 {close_p:.5f}（较大者的阈值 "
    "{max_p:.3f}，至少 {min_lots} 个标段），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 11,
    "lots": 12,
    "expected_last": 2.3,
    "median_gap": 0.0021,
    "late_p": 0.00002,
    "close_p": 0.00041,
}


NEEDS = (
    Need(
        "no valid price in a lot that the lowest price wins and for which enough bid",
        "未在采用最低价法且有效报价家数足够的标段报价",
        f"{TIMED}SELECT bidder_id AS unit FROM timed",
    ),
    Need(
        "the moment of some bid is unknown in all these lots",
        "上述标段均有投标递交时间不明",
        f"{TIMED}SELECT bidder_id AS unit FROM timed WHERE lot_id IN"
        " (SELECT lot_id FROM timed GROUP BY lot_id HAVING count(submitted_at) = count(*))",
    ),
    Need(
        "never bid lowest there", "在上述标段从未报最低价", f"SELECT entities AS unit FROM ({LOTS}) AS lots"
    ),
    Need("bid lowest in too few lots that can be compared", "报最低价的可比标段不足"),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 3  # valid bids in each lot, each with its time
    min_lots: int = 5  # lots in which the firm bid lowest
    min_reference_lots: int = 200  # other lots in the reference class of each gap
    max_p: float = 0.01  # probability, of lateness and of closeness each


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every firm with enough lowest bids in lots whose bids all have a time."""
    lots = last_bids(engine, limits.min_bids, limits.min_reference_lots)
    lots = lots.assign(
        is_last=lots["arrival"] == lots["bids"],
        chance_of_last=1 / lots["bids"],
        close=-2 * np.log(lots["gap_p"]),
    )
    frame = (
        lots.groupby("entities", sort=True)
        .agg(
            value=("is_last", "sum"),
            lots=("unit", "size"),
            expected_last=("chance_of_last", "sum"),
            median_gap=("value", "median"),
            close=("close", "sum"),
            lot_ids=("unit", SEPARATOR.join),
        )
        .reset_index()
    )
    frame = frame[frame["lots"] >= limits.min_lots].reset_index(drop=True)
    # The binomial at the mean chance spreads more than the sum of unequal ones: p is not too small.
    late_p = binom.sf(frame["value"] - 1, frame["lots"], frame["expected_last"] / frame["lots"])
    close_p = chi2.sf(frame["close"], 2 * frame["lots"])
    p_value = np.maximum(late_p, close_p)
    return frame.drop(columns=["close"]).assign(
        unit=frame["entities"],
        value=frame["value"].astype("float64"),
        late_p=late_p,
        close_p=close_p,
        p_value=p_value,
        flagged=p_value <= limits.max_p,
    )
