"""Quartiles, fences and reference classes of the OCDS indicators, for many groups at once.

The arithmetic follows Cardinal to the last bit, because every fence is inclusive: a value that lies
exactly on it is flagged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.kernels.prices.reference_classes import BANDS

Numbers = NDArray[np.float64]
Groups = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

#: Interquartile ranges between a quartile and its fence (Tukey).
REACH = Fraction(3, 2)

_LARGEST = Fraction(sys.float_info.max)


@dataclass(frozen=True)
class Rule:
    """How a measure is compared.

    Attributes:
        side: ``low`` flags values at or below the fence, ``high`` at or above.
        threshold: used in place of a fence.
        is_guarded: nobody is flagged unless the fence is above 0. No measure is negative, so a first
            quartile of 0 gives a low fence of 0 or less too.
        percentile: of the size (see `verdicts`) that a unit must reach, 0 to 100; None: any size.
    """

    side: Literal["low", "high"]
    threshold: float | None
    is_guarded: bool = True
    percentile: int | None = None


def quantiles(values: Numbers, groups: Groups, share: float) -> Numbers:
    """Return the quantile of each group.

    Args:
        values: finite, shape (n,).
        groups: 0 .. k-1, every one of them present, shape (n,).
        share: 0 to 1.

    Returns:
        One quantile a group, shape (k,), in the unit of ``values``.

    Source:
        Hyndman and Fan (1996), The American Statistician 50(4), definition 8: h = (n + 1/3) p + 1/3,
        between the smallest and the largest value.
    """
    ordered = values[np.lexsort((values, groups))]
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    place = (sizes + 1 / 3) * share + 1 / 3
    whole = np.trunc(place)
    below = ordered[starts + np.clip(whole - 1, 0, sizes - 1).astype(np.int64)]
    above = ordered[starts + np.clip(whole, 0, sizes - 1).astype(np.int64)]
    # At either end both are the same value: there is nothing to interpolate.
    result: Numbers = below + (place - whole) * (above - below)
    return result


def fences(values: Numbers, groups: Groups, rule: Rule) -> pd.DataFrame:
    """Return q1, q3 and fence of each group; q1 and q3 are NaN where a threshold stands for them."""
    count = int(groups.max()) + 1 if len(groups) else 0
    if rule.threshold is not None:
        return pd.DataFrame({"q1": np.nan, "q3": np.nan, "fence": rule.threshold}, index=range(count))
    q1, q3 = quantiles(values, groups, 0.25), quantiles(values, groups, 0.75)
    base, sign = (q1, -1) if rule.side == "low" else (q3, 1)
    fence = [_beyond(float(b), sign * float(q)) for b, q in zip(base, q3 - q1, strict=True)]
    return pd.DataFrame({"q1": q1, "q3": q3, "fence": fence}, index=range(count))


def _beyond(base: float, spread: float) -> float:
    """Return base + 1.5 spread, rounded once (Cardinal uses a fused multiply-add); at most the largest number."""
    fence = Fraction(base) + REACH * Fraction(spread)
    return float(max(-_LARGEST, min(fence, _LARGEST)))


def usable(made: pd.DataFrame, rule: Rule) -> Flags:
    """Say of which groups the fence may be used."""
    if not rule.is_guarded:
        return np.ones(len(made), dtype=np.bool_)
    return (made["fence"] > 0).to_numpy(dtype=np.bool_)


def beyond(values: Numbers, sizes: Numbers | None, groups: Groups, made: pd.DataFrame, rule: Rule) -> Flags:
    """Say which values lie at or beyond the fence of their group, and are large enough to count."""
    fence = made["fence"].to_numpy()[groups]
    flagged: Flags = values <= fence if rule.side == "low" else values >= fence
    if sizes is not None and rule.percentile is not None:
        flagged &= sizes >= quantiles(sizes, groups, rule.percentile / 100)[groups]
    return flagged


def reference_classes(
    units: pd.DataFrame, levels: Sequence[tuple[str, ...]], min_others: int
) -> Iterator[tuple[Flags, Groups, Texts]]:
    """Widen each unit's class until it holds enough others.

    Args:
        units: class, currency and bidders (number or NaN), as far as the data tell.
        levels: the keys of a class, from the narrowest to the widest.
        min_others: other units that a class must hold.

    Yields:
        Level by level: the units placed here and not before, shape (n,); every unit's class (0 .. k-1),
        shape (n,); the names of the classes, shape (k,).
    """
    keys = pd.DataFrame(
        {
            "currency": units["currency"].astype("str").fillna("?"),
            "class": "class " + units["class"].astype("str").fillna("?"),
            "band": _bands(units["bidders"]) + " bidders",
        }
    )
    is_open = np.ones(len(units), dtype=np.bool_)
    for level in levels:
        groups = np.asarray(keys.groupby(list(level), sort=True).ngroup(), dtype=np.int64)
        _, first, sizes = np.unique(groups, return_index=True, return_counts=True)
        placed: Flags = is_open & (sizes[groups] > min_others)
        if placed.any():
            names = [" | ".join(row) for row in keys[list(level)].iloc[first].itertuples(index=False)]
            yield placed, groups, np.array(names, dtype=object)
            is_open &= ~placed


def _bands(bidders: pd.Series) -> pd.Series:
    names = [f"{low}" if high - low == 1 else f"{low}-{high - 1}" for low, high in pairwise(BANDS)]
    names += [f"{BANDS[-1]}+", "?"]
    place = np.searchsorted(BANDS, bidders.fillna(0).to_numpy(), side="right") - 1
    return pd.Series(np.array(names, dtype=object)[place], index=bidders.index, dtype="str")
