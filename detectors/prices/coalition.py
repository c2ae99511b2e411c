"""A few of the lot's bids lie unusually close together, wherever they stand among the others.

Why it matters
    A ring seldom holds a whole lot. Its cover bids are written around one number, while outsiders
    spread as their costs do: the spread of all bids looks usual, that of three or four of them does not.

Looks innocent when
    - the lot has many bids: three of many are always close. So a lot is only compared with lots
      that have as many bids, or that have more and are thinned to as many;
    - several bidders price from the same published norms, or round to the same number;
    - the ceiling is tight, so that only a narrow range is worth bidding in.
    For these reasons the signal ranks and corroborates: it is no evidence alone.

Blind spots
    Lots of three bids: their only group of three is the lot itself. Members that keep apart from each other. Lots
    with so many bids that too few others have as many. Lots without a known award method. A market
    in which such groups are the rule.

Sources
    Screens on every subgroup of three and four bids: Wallimann, Imhof and Huber (2022),
    doi 10.1007/s10614-022-10315-w. That only neighbours need to be looked at, and the
    comparison at an equal number of bids, are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, ENOUGH_PRICES, PRICES, WHOLE_LOT
from detectors.kernels.prices.reference_classes import placed
from detectors.kernels.prices.thinning import LOTS_OF_AS_MANY_BIDS, Size, equal_sizes

DETECTOR = Detector(
    title="Some of the bids lie unusually close together",
    title_zh="部分投标人报价异常接近",
    unit="lot",
    measures="coefficient of variation of the tightest three or four bids, no unit",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-40-4",),
    evidence=("bids.price", "bids.is_valid", "lots.award_method", "lots.class"),
    says="{group_bids} of {bids} bids differ by {group_spread:.2%} from lowest to highest (coefficient of variation"
    " {value:.5f}): in {reference_lots} comparable lots with as many bids the tightest group is as tight with"
    " probability {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="{bids} 家报价中有 {group_bids} 家最高与最低仅相差 {group_spread:.2%}（变异系数 {value:.5f}）；在 "
    "{reference_lots} 个投标家数相同的可比标段中，最接近的一组达到此程度的概率为 {p_value:.2g}（阈值 {max_p:.4f}），"
    "属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "group_bids": 4,
    "bids": 9,
    "group_spread": 0.0011,
    "value": 0.00048,
    "reference_lots": 420,
    "p_value": 0.0048,
}


NEEDS = (BIDS, WHOLE_LOT, PRICES, AWARD_METHOD, ENOUGH_PRICES, LOTS_OF_AS_MANY_BIDS)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 4  # valid bids in the lot: one more than the smallest group
    min_group_bids: int = 3  # bids of the smallest group looked at
    max_group_bids: int = 4  # bids of the largest group looked at, of a lot with more bids than that
    min_reference_lots: int = 200  # other lots with at least as many bids in the reference class
    max_p: float = 0.01  # probability among comparable lots with as many bids


class Group(NamedTuple):
    """The tightest group of each lot: its coefficient of variation and the place of its lowest bid, shape (lots,)."""

    cv: NDArray[np.float64]
    first: NDArray[np.int64]


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known award method, enough bids and enough lots with at least as many.

    Groups of three and of four are each compared; the smaller p-value counts, times the number of
    sizes looked at.
    """
    judged = [
        _judged(size, limits) for size in equal_sizes(engine, limits.min_bids, limits.min_reference_lots)
    ]
    frame = pd.concat([_NOTHING, *judged], ignore_index=True).sort_values("unit", ignore_index=True)
    return frame.assign(flagged=frame["p_value"] <= limits.max_p)


def tightest(prices: NDArray[np.float64], size: int) -> Group:
    """Return the group of ``size`` bids with the smallest coefficient of variation, for every lot.

    Only neighbours are looked at, and none can be missed: for a subset of size k, k - (sum x)^2 / sum x^2 grows
    with its coefficient of variation and is the smallest value over u of the sum of (1 - u x)^2; for
    every u the best subset are the k prices nearest to 1 / u, which are neighbours.

    Args:
        prices: positive and ascending inside each lot, shape (lots, n), n >= size.
        size: bids in a group, at least 2.
    """
    count = prices.shape[1] - size + 1
    parts = [prices[:, place : place + count] for place in range(size)]
    mean = np.sum(parts, axis=0) / size
    squares = np.sum([(part - mean) ** 2 for part in parts], axis=0)
    cv = np.sqrt(squares / (size - 1)) / mean
    first = cv.argmin(axis=1)
    return Group(np.take_along_axis(cv, first[:, None], axis=1)[:, 0], first)


def _judged(size: Size, limits: Limits) -> pd.DataFrame:
    """Judge the lots of exactly this size."""
    sizes = range(limits.min_group_bids, min(limits.max_group_bids, size.bids - 1) + 1)
    groups = {k: tightest(size.prices, k) for k in sizes}
    places = [
        placed(size.lots.assign(cv=group.cv), "cv", "low", limits.min_reference_lots)
        for group in groups.values()
    ]
    p_values = np.stack([place["p_value"].to_numpy() for place in places], axis=1)
    mine = np.flatnonzero(size.lots["is_whole"] & ~np.isnan(p_values).any(axis=1))
    rarest = p_values[mine].argmin(axis=1)
    group_bids = np.array(list(groups))[rarest]
    first = np.stack([group.first for group in groups.values()], axis=1)[mine, rarest]
    low, high = size.prices[mine, first], size.prices[mine, first + group_bids - 1]
    place = places[0].iloc[mine]
    return pd.DataFrame(
        {
            "unit": size.lots["unit"].to_numpy()[mine],
            "entities": [
                SEPARATOR.join(sorted(row[start : start + k]))
                for row, start, k in zip(size.bidders[mine], first, group_bids, strict=True)
            ],
            "value": np.stack([group.cv for group in groups.values()], axis=1)[mine, rarest],
            "p_value": np.minimum(p_values[mine, rarest] * len(groups), 1.0),
            "reference_class": place["reference_class"].to_numpy() + f" | thinned to {size.bids} bids",
            "reference_lots": place["reference_lots"].to_numpy(),
            "bids": size.bids,
            "group_bids": group_bids,
            "group_spread": high / low - 1,
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
        "group_bids": pd.Series(dtype="int64"),
        "group_spread": pd.Series(dtype="float64"),
    }
)
