"""Under a drawn benchmark some of the bids stand on an even ladder about as wide as the range of the draw.

Why it matters
    Where coefficients are drawn after the opening, nobody can aim at the benchmark. A group that spreads
    its bids evenly over the range in which it can fall has a bid near it whatever is drawn, and wins more
    often than its share without moving the price. Independent bidders leave uneven gaps.

Looks innocent when
    - there are many bids: five of many are always about evenly spaced. So every ladder carries its
      probability among as many independent bids, searched in the same way;
    - bidders round, to amounts or to discounts from the ceiling: prices on a coarse grid meet
      evenly. So a ladder counts as no more even than half a rounding unit.

Blind spots
    Fewer than five rungs. Rungs moved at random by more than a small part of a step. More outsiders
    between two rungs than are stepped over. Ladders in percent. Lots whose wording is not that of a
    known rule with a draw.

Sources
    招标投标法实施条例 §40(4) 投标报价呈规律性差异. Simulated by this project: under drawn K and C an even ladder of
    9 of 15 bids wins 75 % of the lots against a fair 60 %, and a cluster only 29 %. The search and its
    statistic are this project's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS
from detectors.kernels.prices.rounding import amount_unit, discount_unit
from detectors.kernels.rules.award_rules import benchmark
from detectors.kernels.rules.ruled_lots import (
    RECOGNISED,
    USABLE,
    WHOLE_FEN,
    WORDING,
    RuledLots,
    has_rule,
    ruled_lots,
)

DETECTOR = Detector(
    title="Bids stand on an even ladder as wide as the range of the draw",
    title_zh="部分投标报价呈等差分布，跨度与抽取系数可形成的基准价区间相当",
    unit="lot",
    measures="largest departure of a rung from the even ladder, share of its step",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-4", "ORDER87-37-4"),
    evidence=(
        "bids.price",
        "bids.is_valid",
        "documents.evaluation_method",
        "lots.award_method",
        "lots.ceiling_price",
    ),
    says="{rungs} of {bids} bids stand on a ladder of even steps of about {step_cny:,.2f} (largest departure"
    " {value:.2%} of a step, rounding included), {width_share:.0%} as wide as the range in which the drawn benchmark can"
    " fall; among {bids} independent bids this happens with probability {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="{bids} 家报价中有 {rungs} 家以约 {step_cny:,.2f} 为级差呈等差分布（最大偏离为级差的 {value:.2%}，含取整），"
    "跨度为抽取系数可形成的基准价区间的 {width_share:.0%}；{bids} 家独立报价出现此情形的概率为 {p_value:.2g}"
    "（阈值 {max_p:.4f}），报价呈规律性差异，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "rungs": 7,
    "bids": 12,
    "step_cny": 21500.0,
    "value": 0.0123,
    "width_share": 0.95,
    "p_value": 0.0005,
}


NEEDS = (
    BIDS,
    WHOLE_FEN,
    WORDING,
    RECOGNISED,
    has_rule("the award rule has no draw", "评标规则不含抽取系数", "r.is_drawn"),
    Need(
        "too few valid prices",
        "有效报价家数不足",
        f"{USABLE}SELECT lot_id AS unit FROM counted GROUP BY lot_id HAVING count(*) >= $min_rungs",
    ),
    Need(
        "the range of the draw cannot be computed: no ceiling price, or no bid that counts",
        "无最高投标限价或无计入基准价的报价，抽取可形成的基准价区间无法计算",
    ),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_rungs: int = 5  # bids on the ladder
    max_rungs: int = 20  # bids; a longer ladder is judged by its best part of this length
    max_between: int = 3  # outsiders' bids that may stand between two rungs
    max_spread: float = 0.05  # largest departure of a rung from the even ladder, share of the step
    min_width_share: float = 0.5  # first to last rung, share of the width of the range that the draw can give
    search_slack: int = 3  # times max_spread that a rung may be off when found, before the mean step is known
    finest_discount: float = 0.0001  # share of the ceiling; a finer discount is no round one
    draws: int = 1999  # simulated honest lots of one number of bids
    max_p: float = 0.001  # probability among independent bids


#: Bids simulated at once: keeps the arrays in tens of megabytes.
SIMULATED_BIDS = 20_000


class Ladders(NamedTuple):
    """Candidate ladders, any number per lot.

    Attributes:
        lot: position of the lot, shape (ladders,).
        rungs: positions of the bids, shape (ladders, k); k is the same for all of one search step.
        spread: largest departure of a rung from the even ladder between the first and the last, share of the
            step, shape (ladders,).
    """

    lot: NDArray[np.int64]
    rungs: NDArray[np.int64]
    spread: NDArray[np.float64]


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with at least ``min_rungs`` bids whose known rule has a draw and a computable range.

    Only lots with a ladder inside the tolerance are compared with simulated ones; the others have no
    ``p_value``, and ``value`` 1: no rung where one was looked for.
    """
    null = _Null(limits)
    judged = [_judged(lots, null, limits) for lots in ruled_lots(engine, limits.min_rungs) if lots.rule.drawn]
    frame = pd.concat([_NOTHING, *judged], ignore_index=True).sort_values("unit", ignore_index=True)
    return frame.assign(flagged=frame["p_value"] <= limits.max_p)


def ladders(prices: NDArray[np.float64], limits: Limits) -> Iterator[Ladders]:
    """Give the even ladders of every lot, length by length, with or without other bids between their rungs.

    Every two bids with at most ``max_between`` others between them are taken for the first two rungs; the
    next one is the bid nearest to where the steps so far lead. So the work grows with the number of
    bids and not with that of its subsets.

    Args:
        prices: positive and ascending inside each lot, shape (lots, n).
        limits: the lengths and the tolerance.
    """
    lots, n = prices.shape
    span = np.maximum(prices[:, -1:] - prices[:, :1], np.finfo(float).tiny)
    # All lots on one line, far enough apart that none reaches into the next.
    line = ((prices - prices[:, :1]) / span + 3 * np.arange(lots)[:, None]).ravel()
    starts = [
        np.stack([np.arange(n - gap), np.arange(gap, n)], axis=1)
        for gap in range(1, limits.max_between + 2)
        if gap < n
    ]
    pairs = np.concatenate(starts)
    lot = np.repeat(np.arange(lots), len(pairs))
    rungs = np.tile(pairs, (lots, 1))
    for count in range(3, min(limits.max_rungs, n) + 1):
        at = (lot * n)[:, None] + rungs
        first, last = line[at[:, 0]], line[at[:, -1]]
        step = (last - first) / (count - 2)
        target = last + step
        after = np.searchsorted(line, target)
        # Of the two bids around the target the nearer one; beyond the lot's own there is none.
        after = np.clip(after, lot * n + 1, lot * n + n - 1)
        nearest = np.where(target - line[after - 1] <= line[after] - target, after - 1, after)
        is_rung = (
            (step > 0)
            & (nearest > at[:, -1])
            & (np.abs(line[nearest] - target) <= limits.search_slack * limits.max_spread * step)
        )
        lot, at, nearest = lot[is_rung], at[is_rung], nearest[is_rung]
        rungs = np.concatenate([rungs[is_rung], (nearest - lot * n)[:, None]], axis=1)
        if len(lot) == 0:
            return
        if count >= limits.min_rungs:
            found = np.take_along_axis(prices[lot], rungs, axis=1)
            even = (found[:, -1] - found[:, 0]) / (count - 1)
            off = np.abs(found - found[:, :1] - even[:, None] * np.arange(count))
            spread = off.max(axis=1) / even
            is_even = spread <= limits.max_spread
            yield Ladders(lot[is_even], rungs[is_even], spread[is_even])


def rarity(found: Ladders, prices: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the number by which ladders of different length are compared; smaller is rarer.

    If the bids between the ends of a ladder of k rungs fell anywhere, each of its k - 2 inner rungs would have
    one within a share s of the step with a probability of at most 2 s w / (k - 1), where w bids lie
    between the ends: the logarithm of the product. It only orders the ladders; the p-value comes from
    simulation.
    """
    count = found.rungs.shape[1]
    within = found.rungs[:, -1] - found.rungs[:, 0] - 1
    chance = np.maximum(2 * spread * within / (count - 1), np.finfo(float).tiny)
    return np.asarray((count - 2) * np.log(chance))


class _Null:
    """How rare the rarest ladder of independent bids is, for each number of bids, drawn when first asked for."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rarest: dict[int, NDArray[np.float64]] = {}
        self._rng: dict[int, np.random.Generator] = {}

    def chance(self, bids: int, rarest: float) -> float:
        """Return how often ``bids`` independent normal bids hold a ladder at least as rare.

        The ladder does not change when all prices are moved or scaled, so the lot's own mean and spread do not
        matter. What can no longer reach ``max_p`` is not drawn to the end.
        """
        limits = self._limits
        for draws in (limits.draws // 10, limits.draws):
            known = self._drawn(bids, draws)[:draws]
            hits = int((known <= rarest).sum())
            if 1 + hits > limits.max_p * (1 + limits.draws):
                break
        return (1 + hits) / (1 + len(known))

    def _drawn(self, bids: int, draws: int) -> NDArray[np.float64]:
        rng = self._rng.setdefault(bids, np.random.default_rng(bids))
        known = self._rarest.setdefault(bids, np.empty(0))
        while len(known) < draws:
            part = min(draws - len(known), max(SIMULATED_BIDS // bids, 1))
            honest = np.sort(rng.standard_normal((part, bids)), axis=1)
            rarest = np.full(part, np.inf)
            for found in ladders(honest, self._limits):
                np.minimum.at(rarest, found.lot, rarity(found, honest, found.spread))
            self._rarest[bids] = known = np.concatenate([known, rarest])
        return known


def _judged(lots: RuledLots, null: _Null, limits: Limits) -> pd.DataFrame:
    """Judge lots of one rule and size."""
    width = _width_of_draw(lots)
    order = np.argsort(lots.prices, axis=1, kind="stable")
    prices = np.take_along_axis(lots.prices, order, axis=1)
    best = np.full(len(prices), np.inf)
    entities: list[str | None] = [None] * len(prices)
    spread, wide_as, step = np.ones(len(prices)), np.zeros(len(prices)), np.full(len(prices), np.nan)
    rungs = np.zeros(len(prices), dtype=np.int64)
    for found in ladders(prices, limits):
        held = np.take_along_axis(prices[found.lot], found.rungs, axis=1)
        steps = (held[:, -1] - held[:, 0]) / (held.shape[1] - 1)
        # On a grid of unit u a rung is met by every price that rounds to it: half a unit on both sides.
        grid = _grid(held, lots.ceilings[found.lot], limits.finest_discount)
        evenness = np.maximum(found.spread, grid / 2 / steps)
        rare = rarity(found, prices, evenness)
        wide = (held[:, -1] - held[:, 0]) / width[found.lot]
        counts = (evenness <= limits.max_spread) & (wide >= limits.min_width_share)
        # The rarest of each lot, where it is rarer than the shorter ones.
        each = np.flatnonzero(counts)
        each = each[np.lexsort((rare[each], found.lot[each]))]
        each = each[np.unique(found.lot[each], return_index=True)[1]]
        each = each[rare[each] < best[found.lot[each]]]
        at = found.lot[each]
        best[at], spread[at], wide_as[at] = rare[each], evenness[each], wide[each]
        step[at], rungs[at] = steps[each] / 100, held.shape[1]
        members = lots.bidder_id[at[:, None], order[at[:, None], found.rungs[each]]]
        for lot, names in zip(at.tolist(), members.tolist(), strict=True):
            entities[lot] = SEPARATOR.join(sorted(names))
    p_value = np.array(
        [null.chance(lots.bids, rare) if np.isfinite(rare) else np.nan for rare in best.tolist()]
    )
    frame = pd.DataFrame(
        {
            "unit": lots.lot_id,
            "entities": pd.Series(entities, dtype="str"),
            "value": spread,
            "p_value": p_value,
            "bids": lots.bids,
            "rungs": rungs,
            "step_cny": step,
            "width_share": wide_as,
        }
    )
    return frame[width > 0]


def _grid(fen: NDArray[np.float64], ceilings: NDArray[np.float64], finest: float) -> NDArray[np.float64]:
    """Return the unit to which all rungs of a ladder are rounded, as amounts or as discounts, in fen."""
    whole = fen.astype(np.int64)
    return np.asarray(np.maximum(amount_unit(whole), discount_unit(whole, ceilings, finest)))


def _width_of_draw(lots: RuledLots) -> NDArray[np.float64]:
    """Return how far apart the benchmarks lie that the draw could have given, in fen, NaN where unknown.

    Only the width counts: where the range lies depends on the bids of all, which no ladder could know.
    """
    possible = [
        benchmark(
            lots.rule,
            lots.prices,
            lots.ceilings,
            {
                letter: np.full(len(lots.lot_id), value)
                for letter, value in zip(lots.rule.drawn, values, strict=True)
            },
        )
        for values in product(*lots.rule.drawn.values())
    ]
    return np.asarray(np.max(possible, axis=0) - np.min(possible, axis=0))


_NOTHING = pd.DataFrame(
    {
        "unit": pd.Series(dtype="str"),
        "entities": pd.Series(dtype="str"),
        "value": pd.Series(dtype="float64"),
        "p_value": pd.Series(dtype="float64"),
        "bids": pd.Series(dtype="int64"),
        "rungs": pd.Series(dtype="int64"),
        "step_cny": pd.Series(dtype="float64"),
        "width_share": pd.Series(dtype="float64"),
    }
)
