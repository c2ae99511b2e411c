"""Sorted bids of one lot climb in equal steps, in money or in percent.

Why it matters
    Independent bidders price their own costs. Prices that rise by the same amount, or by the same
    percentage, from bid to bid suggest that one hand wrote all of them. Under a benchmark price
    with drawn coefficients an even ladder covers every draw: it is the best plan of a ring there.

Looks innocent when
    - there are many bids: some neighbours are always about equally far apart. So every run
      carries its probability for this number of bids, and three bids never count;
    - bidders round: on a coarse grid equal steps are common. So the honest draws are rounded as
      coarsely as the run itself, as amounts or as discounts from the ceiling;
    - the whole market rounds in a way that one lot does not show, such as discounts from an
      estimate that was not delivered. So what many comparable lots show is no signal.

Blind spots
    Ladders whose step is the rounding unit itself. Steps that follow another rule (alternating,
    growing). Ladders broken by an outsider's bid between two steps. Lots without a known award
    method. A market in which ladders are the rule.

Sources
    招标投标法实施条例 §40(4) 投标报价呈规律性差异. Measured by simulation: four bids within 1 %, or five within
    5 %, are the first runs that are rare among as many honest bids as lots usually have. The combined
    statistic and its simulation are this project's own. Of 278 real Italian average-price lots
    (García Rodríguez et al. 2022) 41 % have such a run, competitive or not, because their prices lie on a
    grid that no single price shows: hence the comparison with the market.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, PRICES, WHOLE_LOT, enough_prices
from detectors.kernels.prices.blocks import Block, LotBids, valid_bids
from detectors.kernels.prices.reference_classes import commonness
from detectors.kernels.prices.rounding import amount_unit, discount_unit

DETECTOR = Detector(
    title="Bids climb in equal steps",
    title_zh="报价呈规律性等差或等比排列",
    unit="lot",
    measures="largest departure of a step from the mean step of the run, share of the mean step",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-4", "ORDER87-37-4"),
    evidence=("bids.price", "bids.is_valid", "lots.award_method", "lots.ceiling_price"),
    says="{run_bids} of {bids} sorted bids climb in equal steps of about {step:,.2f} or {step_share:.2%}"
    " (largest departure {value:.2%} of a step); among {bids} independent bids this happens with"
    " probability {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="{bids} 家报价排序后有 {run_bids} 家依次相差约 {step:,.2f}（{step_share:.2%}），各级差最大偏离 "
    "{value:.2%}；{bids} 家独立报价出现此情形的概率为 {p_value:.2g}（阈值 {max_p:.4f}），报价呈规律性"
    "差异，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "run_bids": 5,
    "bids": 7,
    "step": 12500.0,
    "step_share": 0.0126,
    "value": 0.0031,
    "p_value": 0.0002,
}


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    AWARD_METHOD,
    enough_prices("short_bids"),
    Need("the valid prices do not differ", "各有效报价相同"),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    short_bids: int = 4  # bids in the shortest run that counts
    short_spread: float = 0.01  # its largest departure of a step, share of the mean step
    long_bids: int = 5  # bids from which the wider tolerance holds
    long_spread: float = 0.05  # largest departure of a step in such a run
    longest_bids: int = 12  # bids; a longer run is judged by its best part of this length
    finest_discount: float = 0.0001  # share of the ceiling; a finer discount is no round one
    draws: int = 4999  # simulated honest lots per candidate
    max_p: float = 0.001  # probability among independent bids
    min_reference_lots: int = 200  # other lots needed to say what is usual in a market
    max_common_share: float = 0.05  # of comparable lots that show such a run too: a market's habit


JUDGED = """
SELECT p.lot_id AS unit, p.award_method, p.currency, p.class, p.year,
       CAST(l.ceiling_price AS DOUBLE) AS ceiling_price
FROM feat.lot_prices AS p
JOIN core.lots AS l ON l.lot_id = p.lot_id
WHERE p.award_method IS NOT NULL AND p.bids >= $short_bids
"""


#: Added to the rarity of a run outside the tolerances: more than any run inside them can have.
OUTSIDE = 1e6


class Runs(NamedTuple):
    """The most striking run of each lot; every array has the shape (lots,).

    ``rarity`` orders runs of different length, smaller is rarer; ``first`` is the position of the
    run's lowest bid, ``bids`` its length, ``spread`` the largest departure from the mean step.
    """

    rarity: NDArray[np.float64]
    spread: NDArray[np.float64]
    first: NDArray[np.int64]
    bids: NDArray[np.int64]
    is_ratio: NDArray[np.bool_]


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known award method and at least ``short_bids`` different valid bids.

    Only lots with a run inside the tolerances are simulated; the others have no ``p_value``.
    """
    judged: pd.DataFrame = engine.run(JUDGED, {"short_bids": limits.short_bids}).to_pandas()
    bids = valid_bids(engine)
    at = pc.index_in(bids.lot_id, value_set=pa.array(judged["unit"]))
    is_judged = at.is_valid().to_numpy(zero_copy_only=False)
    ceiling = pa.array(judged["ceiling_price"], from_pandas=True).take(at).to_numpy(zero_copy_only=False)
    measured = [
        _measure(
            bids, Block(block.lots[is_judged[block.lots]], block.rows[is_judged[block.lots]]), ceiling, limits
        )
        for block in bids.blocks(limits.short_bids)
    ]
    frame = judged.merge(pd.concat([_NOTHING, *measured], ignore_index=True), on="unit", how="inner")
    frame = frame.sort_values("unit", ignore_index=True)
    is_found = frame["p_value"] <= limits.max_p
    frame = frame.join(commonness(frame, is_found, limits.min_reference_lots))
    frame["flagged"] = is_found & ~(frame["common_share"] > limits.max_common_share)
    return frame[[*_NOTHING.columns, "reference_class", "reference_lots", "common_share", "flagged"]]


def tightest_runs(prices: NDArray[np.float64], limits: Limits) -> Runs:
    """Return the run of neighbouring prices with the most equal steps, for every lot.

    Args:
        prices: positive and ascending inside each lot, in whole cents, shape (lots, n).
        limits: the tolerances; runs inside them come before all others.

    A run of k prices has m = k - 1 steps. If the prices between its ends fell anywhere with equal
    chance, all steps would lie within a share s of their mean with a probability of at most
    (m - 1)! (2 s / m)^(m - 1): that number is the rarity, by which runs of different length are
    compared. It only orders them; the p-value comes from simulation.
    """
    lots, n = prices.shape
    best = Runs(
        np.full(lots, np.inf),
        np.full(lots, np.nan),
        np.zeros(lots, dtype=np.int64),
        np.zeros(lots, dtype=np.int64),
        np.zeros(lots, dtype=bool),
    )
    for is_ratio, values in ((False, prices), (True, np.log(prices))):
        steps = np.diff(values, axis=1)
        largest, smallest = steps, steps
        for m in range(2, min(n, limits.longest_bids)):
            largest = np.maximum(largest[:, :-1], steps[:, m - 1 :])
            smallest = np.minimum(smallest[:, :-1], steps[:, m - 1 :])
            if m + 1 < limits.short_bids:
                continue
            mean = (values[:, m:] - values[:, :-m]) / m
            with np.errstate(invalid="ignore"):  # equal prices have no steps: not a run
                spread = np.maximum(largest - mean, mean - smallest) / np.where(mean > 0, mean, np.nan)
            # Logarithms of whole numbers carry rounding errors of about 1e-12.
            spread = np.where(np.isnan(spread), np.inf, np.round(spread, 9))
            allowed = limits.long_spread if m + 1 >= limits.long_bids else limits.short_spread
            rarity = factorial(m - 1) * (2 * spread / m) ** (m - 1)
            # Equal steps are rarest in the longest run; what is outside the tolerance comes last.
            rarity = np.where(spread <= allowed, rarity - m * 1e-12, OUTSIDE + rarity)
            at = np.argmin(rarity, axis=1)
            rarest = rarity[np.arange(lots), at]
            is_better = rarest < best.rarity
            best.rarity[is_better] = rarest[is_better]
            best.spread[is_better] = spread[np.arange(lots), at][is_better]
            best.first[is_better] = at[is_better]
            best.bids[is_better] = m + 1
            best.is_ratio[is_better] = is_ratio
    return best


def chance(cents: NDArray[np.float64], rarity: float, unit: float, seed: str, limits: Limits) -> float:
    """Return how often as many independent bids show a run at least as rare, by simulation.

    Honest bids are drawn from the log-normal distribution with the lot's own mean and standard
    deviation of the log price. The draws are searched in the same way as the lot, for steps in money and in
    percent and for runs of several lengths: so the search itself makes nothing rare. A lot that can no
    longer reach ``max_p`` is not drawn to the end.

    Args:
        cents: prices of the lot, shape (n,).
        rarity: of the run found, see `tightest_runs`.
        unit: to which the run is rounded and every honest bid is, in cents.
        seed: text from which the random generator starts, so that a second run gives the same.
        limits: the tolerances and the number of draws.

    Returns:
        (1 + draws at least as rare) / (1 + draws).
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    logs = np.log(cents)
    hits = drawn = 0
    for draws in (limits.draws // 10, limits.draws - limits.draws // 10):
        honest = np.exp(rng.normal(logs.mean(), logs.std(ddof=1), (draws, len(cents))))
        honest = np.sort(np.maximum(np.rint(honest / unit), 1) * unit, axis=1)
        hits += int((tightest_runs(honest, limits).rarity <= rarity).sum())
        drawn += draws
        if 1 + hits > limits.max_p * (1 + limits.draws):
            break
    return (1 + hits) / (1 + drawn)


def _measure(bids: LotBids, block: Block, ceiling: NDArray[np.float64], limits: Limits) -> pd.DataFrame:
    """Return the run of every lot of a block, with its probability where it lies inside the tolerances."""
    order = np.argsort(bids.price[block.rows], axis=1, kind="stable")
    rows = np.take_along_axis(block.rows, order, axis=1)
    prices = bids.price[rows]
    cents = np.maximum(np.rint(prices * 100), 1)
    runs = tightest_runs(cents, limits)
    each = np.arange(len(rows))
    steps = np.maximum(runs.bids - 1, 1)
    low, high = prices[each, runs.first], prices[each, runs.first + steps]
    p_value = np.full(len(rows), np.nan)
    entities: list[str | None] = [None] * len(rows)
    for lot in np.flatnonzero(runs.rarity < OUTSIDE).tolist():
        run = slice(runs.first[lot], runs.first[lot] + runs.bids[lot])
        lot_id = bids.lot_id[int(block.lots[lot])].as_py()
        unit = _rounding(cents[lot, run], ceiling[block.lots[lot]] * 100, limits.finest_discount)
        p_value[lot] = chance(cents[lot], float(runs.rarity[lot]), unit, lot_id, limits)
        entities[lot] = SEPARATOR.join(sorted(bids.bidder_id.take(pa.array(rows[lot, run])).to_pylist()))
    frame = pd.DataFrame(
        {
            "unit": bids.lot_id.take(pa.array(block.lots)).to_pandas(),
            "entities": pd.Series(entities, dtype="str"),
            "value": runs.spread,
            "p_value": p_value,
            "bids": rows.shape[1],
            "run_bids": runs.bids,
            "is_ratio": runs.is_ratio,
            "step": (high - low) / steps,
            "step_share": (high / low) ** (1 / steps) - 1,
        }
    )
    # Where all neighbours are equal there are no steps to compare.
    return frame[frame["value"].notna()]


def _rounding(cents: NDArray[np.float64], ceiling_cents: float, finest: float) -> float:
    """Return the unit to which a run is rounded, as amount or as discount, in cents."""
    row = cents[None, :].astype(np.int64)
    return float(max(amount_unit(row)[0], discount_unit(row, np.array([ceiling_cents]), finest)[0]))


_NOTHING = pd.DataFrame(
    {
        "unit": pd.Series(dtype="str"),
        "entities": pd.Series(dtype="str"),
        "value": pd.Series(dtype="float64"),
        "p_value": pd.Series(dtype="float64"),
        "bids": pd.Series(dtype="int64"),
        "run_bids": pd.Series(dtype="int64"),
        "is_ratio": pd.Series(dtype="bool"),
        "step": pd.Series(dtype="float64"),
        "step_share": pd.Series(dtype="float64"),
    }
)
