"""In an average-price lot a few bids stand together far from all others, on one side.

Why it matters
    Where the mean decides, bids that cannot win still move it. Support bids (支撑报价) are put together
    far out on one side. They pull the benchmark towards the bid of the firm that is to win.

Looks innocent when
    - several bidders have left out, or counted twice, the same part of the work;
    - there are two kinds of bidders, such as makers and traders, with two kinds of costs;
    - there are few bids: two of five often stand apart. So a lot is compared with lots of its own market
      that have as many bids, or that have more and are thinned to as many.
    For these reasons the signal ranks and corroborates: it is no evidence alone.

Blind spots
    A single far bid, which honest mistakes make too often. Support on both sides. Support bids that
    scatter, or that stay within the honest range. Lots where another method than the mean decides. A
    market in which few average-price lots have as many bids.

Sources
    Support bids in average auctions: Conley and Decarolis, as surveys cite them. The statistic and its comparison at
    an equal number of bids are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, ENOUGH_PRICES, PRICES, WHOLE_LOT
from detectors.kernels.prices.reference_classes import placed
from detectors.kernels.prices.thinning import LOTS_OF_AS_MANY_BIDS, Size, equal_sizes

DETECTOR = Detector(
    title="A few bids stand together far from all others",
    title_zh="少数报价集中偏离其他报价",
    unit="lot",
    measures="gap between the outlying bids and the rest / standard deviation of the rest plus width of the outlying",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-4",),
    evidence=("bids.price", "bids.is_valid", "lots.award_method", "lots.class"),
    says="{outlying} of {bids} bids stand together {gap_share:.1%} away from the nearest other bid, {value:.1f} times"
    " the spread around: among the farthest {p_value:.2%} of {reference_lots} comparable lots with as many bids,"
    " limit {max_p:.1%}.",
    says_zh="{bids} 家报价中有 {outlying} 家集中在一侧，距最近的其他报价 {gap_share:.1%}，为其离散程度的 {value:.1f} 倍；在 "
    "{reference_lots} 个投标家数相同的可比标段中属偏离最大的 {p_value:.2%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "outlying": 3,
    "bids": 11,
    "gap_share": 0.062,
    "value": 5.3,
    "reference_lots": 350,
    "p_value": 0.0057,
}


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    Need(
        "not awarded by an average price",
        "不采用平均价法",
        "SELECT lot_id AS unit FROM core.lots WHERE award_method = 'average_price'",
    ),
    ENOUGH_PRICES,
    LOTS_OF_AS_MANY_BIDS,
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 5  # valid bids in the lot: two outlying ones and three others
    max_outlying_share: float = 0.35  # of the bids; more are no support but the middle
    min_spread: float = 0.0001  # share of the lowest price, assumed where the others hardly differ
    min_reference_lots: int = 200  # other lots with at least as many bids in the reference class
    max_p: float = 0.01  # share of comparable lots that stand apart at least as far


class Apart(NamedTuple):
    """The outlying bids of each lot; every array has the shape (lots,).

    ``isolation``: their gap to the rest, divided by the standard deviation of the rest plus their own
    width; ``outlying`` how many; ``is_high`` on which side; ``gap`` in the prices' unit.
    """

    isolation: NDArray[np.float64]
    outlying: NDArray[np.int64]
    is_high: NDArray[np.bool_]
    gap: NDArray[np.float64]


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every average-price lot that has enough bids and enough lots with at least as many."""
    sizes = equal_sizes(engine, limits.min_bids, limits.min_reference_lots)
    judged = [_judged(size, limits) for size in sizes]
    frame = pd.concat([_NOTHING, *judged], ignore_index=True).sort_values("unit", ignore_index=True)
    return frame.assign(flagged=frame["p_value"] <= limits.max_p)


def farthest(prices: NDArray[np.float64], most: int, min_spread: float) -> Apart:
    """Return the two to ``most`` bids at one end that stand apart from the rest the farthest, for every lot.

    Args:
        prices: positive and ascending inside each lot, shape (lots, n), n >= most + 2.
        most: outlying bids, at least 2.
        min_spread: spread of the rest that is assumed at least, share of the lowest price.
    """
    best = Apart(
        np.full(len(prices), -1.0),
        np.zeros(len(prices), dtype=np.int64),
        np.zeros(len(prices), dtype=bool),
        np.zeros(len(prices)),
    )
    for is_high in (False, True):
        ends = -prices[:, ::-1] if is_high else prices  # the outlying ones first, ascending
        for outlying in range(2, most + 1):
            gap = ends[:, outlying] - ends[:, outlying - 1]
            around = ends[:, outlying:].std(axis=1, ddof=1) + ends[:, outlying - 1] - ends[:, 0]
            isolation = gap / np.maximum(around, prices[:, 0] * min_spread)
            is_farther = isolation > best.isolation
            for kept, found in zip(best, (isolation, outlying, is_high, gap), strict=True):
                kept[is_farther] = found[is_farther] if isinstance(found, np.ndarray) else found
    return best


def _judged(size: Size, limits: Limits) -> pd.DataFrame:
    """Judge the average-price lots of exactly this size."""
    is_average = (size.lots["award_method"] == "average_price").to_numpy()
    most = max(int(size.bids * limits.max_outlying_share), 2)
    apart = farthest(size.prices[is_average], most, limits.min_spread)
    lots = size.lots[is_average].reset_index(drop=True).assign(isolation=apart.isolation)
    lots = lots.join(placed(lots, "isolation", "high", limits.min_reference_lots))
    mine = np.flatnonzero(lots["is_whole"] & lots["p_value"].notna())
    outlying, prices = apart.outlying[mine], size.prices[is_average][mine]
    return pd.DataFrame(
        {
            "unit": lots["unit"].to_numpy()[mine],
            "entities": [
                SEPARATOR.join(sorted(row[-k:] if is_high else row[:k]))
                for row, k, is_high in zip(
                    size.bidders[is_average][mine], outlying, apart.is_high[mine], strict=True
                )
            ],
            "value": apart.isolation[mine],
            "p_value": lots["p_value"].to_numpy()[mine],
            "reference_class": lots["reference_class"].to_numpy()[mine] + f" | thinned to {size.bids} bids",
            "reference_lots": lots["reference_lots"].to_numpy()[mine],
            "bids": size.bids,
            "outlying": outlying,
            "gap_share": apart.gap[mine] / prices.mean(axis=1),
        }
    ).astype(_NOTHING.dtypes)


_NOTHING = pd.DataFrame(
    {
        "unit": pd.Series(dtype="str"),
        "entities": pd.Series(dtype="str"),
        "value": pd.Series(dtype="float64"),
        "p_value": pd.Series(dtype="float64"),
        "reference_class": pd.Series(dtype="str"),
        "reference_lots": pd.Series(dtype="Int64"),
        "bids": pd.Series(dtype="int64"),
        "outlying": pd.Series(dtype="int64"),
        "gap_share": pd.Series(dtype="float64"),
    }
)
