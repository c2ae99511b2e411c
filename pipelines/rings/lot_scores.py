"""How unusual the prices of a lot are beside comparable lots, as one normal score per lot.

Where the lowest price wins, bids that were agreed lie close together above a gap, and high. Where a mean decides,
they lie in a narrow window or in even steps. Each measure becomes a normal score among lots of the same award
rule and number of bids (in the same place where there are enough of them), so that a score says how rare the
lot is, whatever the market.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from detectors.kernels.prices.blocks import blocks
from pipelines.rings.market import AVERAGE, LOWEST, Floats, Ints, Market, medians

#: Upper ends of the bands of bids that lots are compared in; up to eight bids every number is its own.
BANDS = np.array([2, 3, 4, 5, 6, 7, 8, 10, 13, 17, 24, 40])

#: Lots of one place that make a class of their own.
ENOUGH_LOTS = 25

#: Lots that pull the usual level of a class to its parent's.
SHRINKAGE_LOTS = 10

#: Share of the bids of a lot that the narrowest window holds, where a mean decides.
WINDOW_SHARE = 0.45

#: Sizes of a tight run of prices, in bids, where a mean decides; and the share of lots whose tightest run counts.
RUNS = range(3, 9)
RUN_SHARE = 0.12


@dataclass(frozen=True)
class LotScores:
    """Scores of lots.

    Attributes:
        score: normal score, NaN where the lot cannot be judged; shape (lots,).
        class_of: the class of comparable lots (award rule, bids, place where large enough); shape (lots,).
        run_lot, run_rarity: lots with a run of prices as tight as in few comparable lots, and minus the logarithm of the
            share of lots with one as tight; shape (runs,).
        run_tie, run_bid: which bid is in which run, sorted by run; shape (in runs,).
    """

    score: Floats
    class_of: Ints
    run_lot: Ints
    run_rarity: Floats
    run_tie: Ints
    run_bid: Ints


def score(market: Market) -> LotScores:
    """Score every lot of a market."""
    class_of = classes(market)
    measured = measure(market)
    lots = len(market.lot_id)
    total = np.full(lots, np.nan)
    lowest = market.family == LOWEST
    level = measured["lowest"] - usual_level(market, measured["lowest"], class_of)
    parts = (
        (-measured["sd_losing"], 1.0),
        (measured["relative_distance"], 0.7),
        (level, 1.0),
        (-measured["sd"], 0.5),
    )
    summed = np.zeros(lots)
    for values, weight in parts:
        summed += weight * np.nan_to_num(normal_scores(values, class_of))
    summed[np.isnan(measured["sd"])] = np.nan
    total[lowest] = normal_scores(np.where(lowest, summed, np.nan), class_of)[lowest]
    average = market.family == AVERAGE
    odd = np.fmax(
        normal_scores(-measured["window"], class_of), normal_scores(-measured["unevenness"], class_of)
    )
    total[average] = normal_scores(np.where(average, odd, np.nan), class_of)[average]
    return LotScores(total, class_of, *tight_runs(market, class_of))


def classes(market: Market) -> Ints:
    """Return the class of comparable lots of every lot; shape (lots,)."""
    band = np.searchsorted(BANDS, market.bids)
    wide = market.family * (len(BANDS) + 1) + band
    narrow = (market.place + 1) * (wide.max(initial=0) + 1) + wide
    _, code, sizes = np.unique(narrow, return_inverse=True, return_counts=True)
    is_own = (sizes[code] >= ENOUGH_LOTS) & (market.place >= 0)
    return np.unique(np.where(is_own, narrow + wide.max(initial=0) + 1, wide), return_inverse=True)[1].astype(
        np.int64
    )


def measure(market: Market) -> dict[str, Floats]:
    """Return the measures of the prices of every whole lot, NaN where there is none; each of shape (lots,)."""
    lots = len(market.lot_id)
    names = ("lowest", "sd", "sd_losing", "relative_distance", "window", "unevenness")
    found = {name: np.full(lots, np.nan) for name in names}
    for at, _, prices in priced(market):
        n = prices.shape[1]
        found["sd"][at] = prices.std(axis=1, ddof=1)
        found["lowest"][at] = np.where(market.has_ceiling[at], prices[:, 0], np.nan)
        if n >= 3:
            losing = prices[:, 1:].std(axis=1, ddof=1)
            found["sd_losing"][at] = losing
            with np.errstate(divide="ignore", invalid="ignore"):
                found["relative_distance"][at] = np.where(
                    losing > 0, (prices[:, 1] - prices[:, 0]) / losing, np.nan
                )
        width = max(3, int(np.ceil(WINDOW_SHARE * n)))
        if n >= width:
            found["window"][at] = (prices[:, width - 1 :] - prices[:, : n - width + 1]).min(axis=1)
        if n >= 4:
            gaps = np.diff(prices, axis=1)
            runs = np.lib.stride_tricks.sliding_window_view(gaps, 3, axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                spread = runs.std(axis=2) / runs.mean(axis=2)
            found["unevenness"][at] = np.nanmin(
                np.where(runs.min(axis=2) > 0, spread, np.nan).clip(0, 9), axis=1, initial=9
            )
    return found


def priced(market: Market) -> list[tuple[Ints, Ints, Floats]]:
    """Return, by number of priced bids, the lots (k,), the positions of their bids and the prices (k, n), rising."""
    has_price = ~np.isnan(market.price)
    bid = np.flatnonzero(has_price)
    counts = np.bincount(market.lot[bid], minlength=len(market.lot_id))
    bid = bid[market.is_whole[market.lot[bid]]]
    sizes = np.where(market.is_whole, counts, 0)
    given = []
    for block in blocks(sizes, 2):
        rows = bid[block.rows]
        order = np.argsort(market.price[rows], axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, axis=1)
        given.append((block.lots, rows, market.price[rows]))
    return given


def usual_level(market: Market, lowest: Floats, class_of: Ints) -> Floats:
    """Return the usual lowest price of comparable lots: of the class, the place, and the place in the quarter.

    Medians of what is left, one after the other and twice, each drawn to nought as if it had `SHRINKAGE_LOTS` more lots.
    """
    place = market.place + 1
    season = np.unique(place * 1000 + market.quarter % 1000, return_inverse=True)[1].astype(np.int64)
    level = np.zeros(len(lowest))
    for _ in range(2):
        for group in (class_of, place, season):
            count = int(group.max(initial=0)) + 1
            left = medians(lowest - level, group, count)
            known = np.bincount(group[~np.isnan(lowest)], minlength=count)
            level += np.nan_to_num(left * known / (known + SHRINKAGE_LOTS))[group]
    return level


def tight_runs(market: Market, class_of: Ints) -> tuple[Ints, Floats, Ints, Ints]:
    """Return the oddest tight run of prices of each lot where a mean decides, if few comparable lots have one as tight."""
    lots = len(market.lot_id)
    width = np.full((len(RUNS), lots), np.nan)
    held: dict[int, tuple[Ints, Ints]] = {}
    for at, rows, prices in priced(market):
        n = prices.shape[1]
        average = market.family[at] == AVERAGE
        for place, size in enumerate(RUNS):
            if n <= size:
                continue
            widths = prices[:, size - 1 :] - prices[:, : n - size + 1]
            width[place, at] = np.where(average, widths.min(axis=1), np.nan)
            start = widths.argmin(axis=1)
            run = np.take_along_axis(rows, start[:, None] + np.arange(size), axis=1)
            for lot, bids in zip(at[average].tolist(), run[average], strict=True):
                held[lot * len(RUNS) + place] = (lot, bids)
    scores = np.stack([normal_scores(-width[place], class_of) for place in range(len(RUNS))])
    best = np.nan_to_num(scores, nan=-np.inf).argmax(axis=0)
    oddest = np.where(
        np.isnan(scores).all(axis=0), np.nan, np.nanmax(np.append(scores, np.full((1, lots), -np.inf), 0), 0)
    )
    share = tail_share(oddest, class_of)
    chosen = np.flatnonzero(share <= RUN_SHARE)
    if not len(chosen):
        return np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64)
    bids = [held[lot * len(RUNS) + best[lot]][1] for lot in chosen.tolist()]
    sizes = np.array([len(each) for each in bids])
    return chosen, -np.log(share[chosen]), np.repeat(np.arange(len(chosen)), sizes), np.concatenate(bids)


def normal_scores(values: Floats, group: Ints) -> Floats:
    """Return the normal score of every value among those of its group: the quantile of (rank - 1/2) / n. Ties share a rank."""
    rank, size = _ranks(values, group)
    scores: Floats = ndtri((rank - 0.5) / size)
    return scores


def tail_share(values: Floats, group: Ints) -> Floats:
    """Return the share of each group that is as high as the value; NaN stays NaN."""
    rank, size = _ranks(-values, group, highest=True)
    return rank / size


def _ranks(values: Floats, group: Ints, *, highest: bool = False) -> tuple[Floats, Floats]:
    """Return the rank of each value in its group (the mean of equal ones, or their highest) and the size of the group."""
    is_number = ~np.isnan(values)
    at = np.flatnonzero(is_number)
    order = at[np.lexsort((values[at], group[at]))]
    g, v = group[order], values[order]
    is_first = np.append(True, g[1:] != g[:-1])[: len(g)]
    start = np.flatnonzero(is_first)
    sizes = np.diff(np.append(start, len(g)))
    place = np.arange(len(g)) - np.repeat(start, sizes) + 1.0
    is_new = np.append(True, (g[1:] != g[:-1]) | (v[1:] != v[:-1]))[: len(g)]
    run = np.flatnonzero(is_new)
    length = np.diff(np.append(run, len(g)))
    last = np.repeat(place[run] + length - 1, length)
    rank = np.full(len(values), np.nan)
    size = np.full(len(values), np.nan)
    rank[order] = last if highest else (np.repeat(place[run], length) + last) / 2
    size[order] = np.repeat(sizes, sizes)
    return rank, size
