"""The award rules as array kernels: the benchmark price of a lot, the scores of its bids, its winner.

The rules themselves, with their wording and where they were read, are data:
``data/reference/award_rules.toml``. From the bids of a lot and what was drawn at its opening the
benchmark, the scores and the winner can be computed again.

Prices are whole fen and all arithmetic is on integers, so a result is exact and the order of the
bids cannot change it. Nothing is rounded on the way: the benchmark is rounded once, half up (四舍五入),
to the fen, a score once, half up, to the hundredth of a point.

In every function the bids of a lot are the last axis. What stands before it are lots, or anything
over lots: with prices of shape (subsets, lots, bids) and ceilings and draws of shape (lots,), one
call computes every lot without every group of bidders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

#: Drawn coefficients of lots: letter -> values, shape (lots,), NaN where none was drawn.
Draws = Mapping[str, Numbers]

#: The coefficients mean the same in every rule: K multiplies the mean (or, where ceiling and mean are
#: mixed, the ceiling), F is a discount from the mean, C is the weight of the mean beside the ceiling.
LETTERS = ("K", "F", "C")

#: A trillion yuan, in fen. A higher price is a typing error; it would also overflow 64-bit integers.
MAX_FEN = 10**14

UNIT = 10_000  # coefficients and shares are whole multiples of 1 / UNIT
HUNDREDTHS = 100  # of a point

Family = Literal["lowest_price", "average_price", "comprehensive_score"]
Basis = Literal["lowest_bid", "mean", "ceiling_and_mean"]
Scoring = Literal["deviation", "proportion"]


class Trim(NamedTuple):
    """From ``bids`` counted bids on, so many of the highest and of the lowest are left out."""

    bids: int
    highest: int
    lowest: int


@dataclass(frozen=True, kw_only=True)
class AwardRule:
    """One rule. The fields are explained at the head of ``data/reference/award_rules.toml``.

    ``basis`` and ``scoring`` are None where the lowest price wins. Shares and coefficients are
    between 0 and 1, points are points.
    """

    id: str
    title: str
    title_zh: str
    family: Family
    method_text: str
    source: str
    assumed: tuple[str, ...]
    basis: Basis | None = None
    range_share: tuple[float, float] | None = None
    trimming: tuple[Trim, ...] = ()
    fixed: Mapping[str, float] = field(default_factory=dict)
    drawn: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    drawn_if_none: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    scoring: Scoring | None = None
    points: float = 0
    lost_above: float = 0
    lost_below: float = 0
    floor_points: float = 0
    below_range_points: float | None = None
    other_points: float = 0

    @property
    def has_mean(self) -> bool:
        """Whether the benchmark is made of the mean of the bids, so that every bid moves it."""
        return self.basis in ("mean", "ceiling_and_mean")

    def __post_init__(self) -> None:
        letters = set(self.fixed) | set(self.drawn)
        allowed = [{"K", "C"}] if self.basis == "ceiling_and_mean" else [set(), {"K"}, {"F"}]
        limits = [each.bids for each in self.trimming]
        is_possible = {
            "family": self.family in get_args(Family),
            "basis": self.basis is None or self.basis in get_args(Basis),
            "scoring": self.scoring in (get_args(Scoring) if self.basis else [None]),
            "points": (self.points > 0) == (self.scoring is not None),
            "lost_above": (self.lost_above > 0) == (self.scoring == "deviation"),
            "lost_below": (self.lost_below > 0) == (self.scoring == "deviation"),
            "assumed": set(self.assumed) <= {each.name for each in fields(self)},
            "fixed or drawn": letters in allowed,
            "drawn_if_none": set(self.drawn_if_none) <= set(self.drawn),
            "trimming": limits == sorted(set(limits))
            and all(each.bids > each.highest + each.lowest for each in self.trimming),
            "range_share": self.range_share is None
            or (len(self.range_share) == 2 and 0 <= self.range_share[0] < self.range_share[1] <= 1),
            "below_range_points": self.below_range_points is None or self.range_share is not None,
        }
        for name, is_so in is_possible.items():
            if not is_so:
                raise ValueError(f"award rule {self.id!r}: {name} cannot be so; see the head of the file")


def rules(tables: Mapping[str, Any]) -> dict[str, AwardRule]:
    """Return the rules by id.

    Args:
        tables: of ``data/reference/award_rules.toml``, by id.

    Raises:
        ValueError: a rule has an unknown, missing or impossible field.
    """
    return {id: _rule(id, table) for id, table in tables.items()}


def counted_bids(rule: AwardRule, prices: Numbers, ceilings: Numbers) -> Integers:
    """Return how many bids of each lot enter the benchmark, before trimming.

    Args:
        rule: the award rule of all these lots.
        prices: in whole fen, NaN where there is no valid bid, shape (..., bids).
        ceilings: in whole fen, NaN where unknown, shape (...,).
    """
    return _number(_is_counted(rule, _fen(prices), _fen(ceilings)))


def benchmark(rule: AwardRule, prices: Numbers, ceilings: Numbers, draws: Draws) -> Numbers:
    """Return the benchmark price (评标基准价) of each lot.

    Args:
        rule: the award rule of all these lots.
        prices: in whole fen, NaN where there is no valid bid, shape (..., bids).
        ceilings: ceiling price less provisional sums, in whole fen, NaN where unknown, shape (...,).
        draws: a value for every letter in ``rule.drawn``, shape (...,). Where no bid is counted,
            C counts as 0.

    Returns:
        In whole fen, shape (...,). NaN where the rule has no benchmark, no bid is counted (unless
        the rule provides for it), or a ceiling or drawn value that it needs is unknown.

    Raises:
        ValueError: a price or ceiling is not whole fen, below 1 or above a trillion yuan; a letter
            of ``rule.drawn`` is missing; a value lies outside 0 to 1 or has more than four decimals.

    Source:
        formulas in use, each named in the file of the rules.
    """
    fen, ceiling = _fen(prices), _fen(ceilings)
    is_counted = _is_counted(rule, fen, ceiling)
    count = _number(is_counted)
    if rule.basis is None:
        return np.full(count.shape, np.nan)
    if rule.basis == "lowest_bid":
        lowest = np.where(is_counted, fen, MAX_FEN).min(axis=-1, initial=MAX_FEN)
        return np.where(count > 0, lowest, np.nan)
    units = _coefficients(rule, draws)
    is_known = (count > 0) | bool(rule.drawn_if_none)
    for value in units.values():
        is_known = is_known & (value >= 0)
    total, kept = _kept(rule, fen, is_counted, count)
    if rule.basis == "mean":
        factor = units["K"] if "K" in units else UNIT - units.get("F", np.zeros_like(count))
        return np.where(is_known, _part_of_mean(total, np.maximum(kept, 1), factor), np.nan)
    weight = np.where(count > 0, units["C"], 0)
    mixed = _mixed(ceiling, units["K"], total, np.maximum(kept, 1), weight)
    return np.where(is_known & (ceiling > 0), mixed, np.nan)


def price_scores(rule: AwardRule, prices: Numbers, ceilings: Numbers, benchmarks: Numbers) -> Numbers:
    """Return the points that each bid gets for its price.

    Args:
        rule: the award rule of all these lots.
        prices: in whole fen, NaN where there is no valid bid, shape (..., bids).
        ceilings: as for `benchmark`, shape (...,).
        benchmarks: in whole fen, NaN where there is none, shape (...,).

    Returns:
        In points, multiples of 0.01, shape (..., bids). NaN where there is no bid, no benchmark, or
        the rule gives no points. A bid below the range that gets flat points needs no benchmark.

    Raises:
        ValueError: as for `benchmark`.
    """
    fen, bench = _fen(prices), _fen(benchmarks)[..., None]
    if rule.scoring is None:
        return np.full(fen.shape, np.nan)
    is_scored = (fen > 0) & (bench > 0)
    full, floor = _hundredths(rule.points), _hundredths(rule.floor_points)
    if rule.scoring == "deviation":
        divisor = np.maximum(bench, 1)
        percents, rest = np.divmod(np.abs(fen - bench) * 100, divisor)
        rate = np.where(fen > bench, _hundredths(rule.lost_above), _hundredths(rule.lost_below))
        score = full - percents * rate + (divisor - 2 * rest * rate) // (2 * divisor)
    else:
        divisor = np.maximum(fen, 1)
        score = (2 * full * bench + divisor) // (2 * divisor)
    score = np.maximum(score, floor)
    if rule.below_range_points is not None and rule.range_share is not None:
        first, _ = _range(rule.range_share, _fen(ceilings)[..., None])
        is_below = (fen > 0) & (fen < first)
        score = np.where(is_below, _hundredths(rule.below_range_points), score)
        is_scored = is_scored | is_below
    return np.where(is_scored, score / HUNDREDTHS, np.nan)


def winner(rule: AwardRule, prices: Numbers, scores: Numbers, other_scores: Numbers) -> Integers:
    """Return the place of the winning bid of each lot.

    The highest sum of both scores wins, or the lowest price where the rule gives no points. Equal
    sums: the lower price; equal prices too: the bid that stands first.

    Args:
        rule: the award rule of all these lots.
        prices: in whole fen, NaN where there is no valid bid, shape (..., bids).
        scores: of `price_scores`, shape (..., bids).
        other_scores: points for all but the price, compared in hundredths, shape (..., bids).

    Returns:
        Position on the last axis, -1 where no bid can win, shape (...,).
    """
    fen = _fen(prices)
    total = _totals(rule, fen, scores, other_scores)
    best = total.max(axis=-1, keepdims=True)
    price = np.where(total == best, fen, MAX_FEN + 1)
    return np.where(best[..., 0] >= 0, price.argmin(axis=-1), -1)


def ranks(rule: AwardRule, prices: Numbers, scores: Numbers, other_scores: Numbers) -> Integers:
    """Return the rank of each bid, 1 for the `winner`, in the same order and with the same ties.

    Returns:
        Shape (..., bids); 0 where there is no bid or no score.
    """
    fen = _fen(prices)
    total = _totals(rule, fen, scores, other_scores)
    order = np.lexsort((fen, -total), axis=-1)
    rank = np.argsort(order, axis=-1) + 1
    return np.where(total >= 0, rank, 0)


def _rule(id: str, table: Mapping[str, Any]) -> AwardRule:
    known = {each.name for each in fields(AwardRule)} - {"id"}
    if unknown := sorted(set(table) - known):
        raise ValueError(f"award rule {id!r}: no field called {unknown[0]!r}; there are {sorted(known)}")
    facts = dict(table)
    try:
        facts["assumed"] = tuple(facts["assumed"])
        facts["trimming"] = tuple(Trim(**each) for each in facts.get("trimming", []))
        for name in ("drawn", "drawn_if_none"):
            facts[name] = {letter: tuple(values) for letter, values in facts.get(name, {}).items()}
        if "range_share" in facts:
            facts["range_share"] = tuple(facts["range_share"])
        return AwardRule(id=id, **facts)
    except (KeyError, TypeError) as error:
        raise ValueError(f"award rule {id!r}: a field is missing or of the wrong kind: {error}") from error


def _fen(values: Numbers) -> Integers:
    """Return whole fen as integers, 0 for NaN."""
    is_known = ~np.isnan(values)
    fen = np.where(is_known, values, 1)
    if ((fen < 1) | (fen > MAX_FEN) | (fen != np.rint(fen))).any():
        raise ValueError(
            "a price is not whole fen, below 1 or above a trillion yuan: leave such bids out (NaN) before"
        )
    return np.where(is_known, fen, 0).astype(np.int64)


def _units(values: Numbers | float) -> Integers:
    """Return coefficients as whole multiples of 1 / UNIT, -1 for NaN."""
    scaled = np.asarray(values, dtype=np.float64) * UNIT
    units = np.rint(scaled)
    if ((np.abs(units - scaled) > 1e-6) | (units < 0) | (units > UNIT)).any():
        raise ValueError("a coefficient lies outside 0 to 1 or has more than four decimals")
    return np.where(np.isnan(units), -1, units).astype(np.int64)


def _hundredths(points: float) -> int:
    return round(points * HUNDREDTHS)


def _coefficients(rule: AwardRule, draws: Draws) -> dict[str, Integers]:
    """Return the fixed and the drawn coefficients in UNIT, -1 where unknown."""
    if missing := sorted(set(rule.drawn) - set(draws)):
        raise ValueError(f"award rule {rule.id!r} needs the drawn value of {missing[0]}")
    fixed = {letter: _units(value) for letter, value in rule.fixed.items()}
    return fixed | {letter: _units(draws[letter]) for letter in rule.drawn}


def _range(share: tuple[float, float], ceiling: Integers) -> tuple[Integers, Integers]:
    """Return the lowest and the highest price in fen that still lie in the range; 0 where unknown."""
    lowest, highest = (_units(each) for each in share)
    return -(-ceiling * lowest // UNIT), ceiling * highest // UNIT


def _number(mask: Mask) -> Integers:
    number: Integers = mask.sum(axis=-1)
    return number


def _is_counted(rule: AwardRule, fen: Integers, ceiling: Integers) -> Mask:
    is_bid: Mask = fen > 0
    if rule.range_share is None:
        return is_bid
    first, last = _range(rule.range_share, ceiling[..., None])
    return is_bid & (fen >= first) & (fen <= last)


def _kept(rule: AwardRule, fen: Integers, is_counted: Mask, count: Integers) -> tuple[Integers, Integers]:
    """Return the sum and the number of the counted bids that trimming leaves."""
    if not rule.trimming:
        return np.where(is_counted, fen, 0).sum(axis=-1), count
    band = np.searchsorted([each.bids for each in rule.trimming], count, side="right")
    lowest = np.array([0, *(each.lowest for each in rule.trimming)])[band]
    highest = np.array([0, *(each.highest for each in rule.trimming)])[band]
    ascending = np.sort(np.where(is_counted, fen, MAX_FEN + 1), axis=-1)
    place = np.arange(fen.shape[-1])
    is_kept = (place >= lowest[..., None]) & (place < (count - highest)[..., None])
    return np.where(is_kept, ascending, 0).sum(axis=-1), count - lowest - highest


def _part_of_mean(total: Integers, count: Integers, factor: Integers) -> Integers:
    """Return total / count * factor / UNIT, half up."""
    whole, rest = _times(total, factor, count * UNIT)
    return whole + (2 * rest + count * UNIT) // (2 * count * UNIT)


def _mixed(ceiling: Integers, k: Integers, total: Integers, count: Integers, c: Integers) -> Integers:
    """Return ceiling * k * (1 - c) + total / count * c, half up; k and c in UNIT."""
    square = UNIT * UNIT
    of_ceiling, ceiling_rest = _times(ceiling, k * (UNIT - c), np.full_like(count, square))
    of_mean, mean_rest = _times(total, c, count * UNIT)
    rest = ceiling_rest * count + mean_rest * UNIT
    return of_ceiling + of_mean + (2 * rest + count * square) // (2 * count * square)


def _times(value: Integers, numerator: Integers, denominator: Integers) -> tuple[Integers, Integers]:
    """Divide value * numerator by denominator without ever holding the whole product: quotient, rest."""
    whole, rest = np.divmod(value, denominator)
    more, rest = np.divmod(rest * numerator, denominator)
    return whole * numerator + more, rest


def _totals(rule: AwardRule, fen: Integers, scores: Numbers, other_scores: Numbers) -> Integers:
    """Return the sum of both scores in hundredths of a point, -1 where the bid cannot win."""
    if rule.scoring is None:
        return np.where(fen > 0, 0, -1)
    sums = np.rint(scores * HUNDREDTHS) + np.rint(other_scores * HUNDREDTHS)
    is_ranked = (fen > 0) & ~np.isnan(sums)
    return np.where(is_ranked, np.where(is_ranked, sums, 0), -1).astype(np.int64)
