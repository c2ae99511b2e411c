"""What a model may learn from about a lot: numbers of its prices alone, no bidder, no date, no number of the lot.

The screens, the size of the contract, relative distances and quantiles carry no currency. The digits do: they are measured in
`price_step`, the smallest step of the prices, so that a set that was converted at a fixed rate still shows which prices
were round before.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detectors.kernels.prices.screens import NAMES, screens

Column = NDArray[np.float64]
Award = Literal["lowest", "average"]

#: Features by what they look at. A model may be given fewer of them where lots are few.
CORE = ("bids", "log_mean", "log_lowest", *NAMES)
DISTANCES = (
    *(f"{side}_{place}" for side in ("above_lowest", "gap") for place in (2, 3, 4, 5)),
    "below_highest_2",
    "below_highest_3",
    *(f"quantile_{q}" for q in (0, 10, 25, 75, 90, 100)),
    "mean_to_median",
    "smallest_gap",
    "largest_gap",
    "gap_variation",
    "largest_gap_place",
)
BENCHMARK = (
    "below_benchmark_share",
    "benchmark_to_median",
    "trimmed_to_median",
    "lowest_below_benchmark_sd",
    "next_above_benchmark",
    "trimmed_variation",
    "narrowest_half",
    "tiny_gap_share",
    *(f"near_benchmark_{width}" for width in (10, 25, 50, 100, 200)),
    *(f"near_trimmed_{width}" for width in (10, 25, 50, 100, 200)),
    *(f"near_trimmed_sd_{width}" for width in (25, 50)),
    *(f"quantile_{q}" for q in (1, 5, 40, 60, 95, 99)),
)
DIGITS = (
    *(f"{what}_{of}" for what in ("fives", "tens") for of in ("lowest", "second", "highest", "mean")),
    "leading_lowest",
)

TRIMMED_SHARE = 0.1  # at each end, as the Italian average rule does
MAX_STEPS = 1e13  # a price of more steps than that has lost its digits to floating point


def price_step(prices: Column) -> float | None:
    """Return the largest step of which nearly all prices are whole multiples; None if there is none.

    Prices in cents that were multiplied by 0.84 have the step 0.0084. Steps of four significant digits are tried, the
    largest first.

    Args:
        prices: positive, any one currency, shape (bids,).
    """
    distinct = np.unique(prices)
    sample = distinct[np.linspace(0, len(distinct) - 1, 100).astype(int)] if len(distinct) > 100 else distinct
    if len(sample) < 20:
        return None
    mantissas = np.arange(9999, 999, -1)
    exponent = int(np.floor(np.log10(sample[0]))) - 3
    while sample[-1] / 10.0 ** (exponent + 3) <= MAX_STEPS:
        steps = mantissas * 10.0**exponent
        for part in np.split(steps, 9):
            many = sample[None, :] / part[:, None]
            is_whole = (np.abs(many - np.round(many)) <= np.maximum(1e-3, many * 4e-16)).mean(axis=1) >= 0.97
            if is_whole.any():
                return float(part[np.argmax(is_whole)])
        exponent -= 1
    return None


def names(award: Award) -> tuple[str, ...]:
    """Return the features of an award method, in the order in which `features` gives them."""
    return (*CORE, *DISTANCES, *(BENCHMARK if award == "average" else ()), *DIGITS)


def features(prices: Column, award: Award, step: float | None) -> dict[str, Column]:
    """Return the features of lots that have the same number of bids.

    Args:
        prices: positive, ascending inside each lot, shape (lots, n), n >= 2.
        award: what decides, the lowest price or an average.
        step: of `price_step`; None leaves the digits undefined.

    Returns:
        every name of `names` -> values, shape (lots,), NaN where undefined. Distances are shares of the lowest price,
        quantiles of the median; widths are in hundredths of a per cent or of a standard deviation; digits are how often a
        price in steps can be divided by 5 or 10.
    """
    lots, n = prices.shape
    found = dict.fromkeys(names(award), np.full(lots, np.nan))
    median, mean = np.median(prices, axis=1), prices.mean(axis=1)
    lowest = prices[:, 0]
    found |= screens(prices)
    found |= {"bids": np.full(lots, float(n)), "log_mean": np.log(mean), "log_lowest": np.log(lowest)}
    for place in range(2, min(n, 5) + 1):
        found[f"above_lowest_{place}"] = prices[:, place - 1] / lowest - 1
        found[f"gap_{place}"] = (prices[:, place - 1] - prices[:, place - 2]) / lowest
    for place in range(2, min(n - 1, 3) + 1):
        found[f"below_highest_{place}"] = 1 - prices[:, -place] / prices[:, -1]
    for q in (0, 10, 25, 75, 90, 100):
        found[f"quantile_{q}"] = np.quantile(prices, q / 100, axis=1) / median - 1
    found["mean_to_median"] = mean / median - 1
    if n > 2:
        gaps = np.diff(prices, axis=1)
        found["smallest_gap"], found["largest_gap"] = gaps.min(axis=1) / lowest, gaps.max(axis=1) / lowest
        found["gap_variation"] = _divided(gaps.std(axis=1), gaps.mean(axis=1))
        found["largest_gap_place"] = gaps.argmax(axis=1) / (n - 1)
    if award == "average" and n >= 5:
        found |= _benchmark(prices, median)
    if step is not None:
        found |= _digits(prices, step)
    return {name: found[name] for name in names(award)}


def _benchmark(prices: Column, median: Column) -> dict[str, Column]:
    """Features around the benchmark: the mean of the trimmed bids that are below their own mean."""
    n = prices.shape[1]
    cut = max(int(TRIMMED_SHARE * n), 1)
    kept = prices[:, cut : n - cut]
    trimmed = kept.mean(axis=1)
    is_below = kept <= trimmed[:, None]
    benchmark = (kept * is_below).sum(axis=1) / is_below.sum(axis=1)
    deviation = prices.std(axis=1)
    next_above = np.where(prices >= benchmark[:, None], prices, np.inf).min(axis=1)
    half = int(np.ceil(0.45 * n))
    found = {
        "below_benchmark_share": (prices < benchmark[:, None]).mean(axis=1),
        "benchmark_to_median": benchmark / median - 1,
        "trimmed_to_median": trimmed / median - 1,
        "lowest_below_benchmark_sd": _divided(benchmark - prices[:, 0], deviation),
        "next_above_benchmark": next_above / benchmark - 1,
        "trimmed_variation": kept.std(axis=1) / trimmed,
        "narrowest_half": (prices[:, half - 1 :] - prices[:, : n - half + 1]).min(axis=1) / median,
        "tiny_gap_share": (np.diff(prices, axis=1) <= 1e-4 * prices[:, :-1]).mean(axis=1),
    }
    from_benchmark = np.abs(prices / benchmark[:, None] - 1)
    from_trimmed = np.abs(prices / trimmed[:, None] - 1)
    for width in (10, 25, 50, 100, 200):
        found[f"near_benchmark_{width}"] = (from_benchmark <= width / 1e4).mean(axis=1)
        found[f"near_trimmed_{width}"] = (from_trimmed <= width / 1e4).mean(axis=1)
    for width in (25, 50):
        near = np.abs(prices - trimmed[:, None]) <= width / 100 * deviation[:, None]
        found[f"near_trimmed_sd_{width}"] = near.mean(axis=1)
    for q in (1, 5, 40, 60, 95, 99):
        found[f"quantile_{q}"] = np.quantile(prices, q / 100, axis=1) / median - 1
    return found


def _digits(prices: Column, step: float) -> dict[str, Column]:
    """How round the prices are, counted in steps."""
    steps = np.round(prices / step)
    fives, tens = _divisions(steps, 5.0), _divisions(steps, 10.0)
    found: dict[str, Column] = {}
    for what, counts in (("fives", fives), ("tens", tens)):
        found |= {
            f"{what}_lowest": counts[:, 0],
            f"{what}_second": counts[:, 1],
            f"{what}_highest": counts[:, -1],
            f"{what}_mean": counts.mean(axis=1),
        }
    lowest = np.maximum(steps[:, 0], 1.0)
    found["leading_lowest"] = lowest / 10.0 ** np.floor(np.log10(lowest))
    return found


def _divisions(whole: Column, divisor: float) -> Column:
    """Return how often a whole number can be divided without a rest, up to twelve times."""
    counts = np.zeros(whole.shape)
    for power in range(1, 13):
        counts += (whole > 0) & (np.fmod(whole, divisor**power) == 0)
    return counts


def _divided(numerator: Column, divisor: Column) -> Column:
    result: Column = np.divide(numerator, divisor, out=np.full(numerator.shape, np.nan), where=divisor > 0)
    return result
