"""How often chance would let two bidders meet, given what each of them comes to."""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import numpy as np
from scipy.special import betainc

from detectors.kernels.firms.pairs import SLICE_CELLS, Floats, Ints, Meetings, Pairs, parts

#: Pairs, met or not, that are looked at to measure the spread of a market: bounds the work of large markets.
SAMPLED_PAIRS = 500_000

#: Shares of the pairs that met which must not be rarer than so.
CENTRAL = (0.2, 0.1, 0.05)

#: Spreads that are tried, each a few per cent above the one before.
SMALLEST_SPREAD, LARGEST_SPREAD, SPREAD_STEPS = 0.001, 100.0, 240

#: Exact chances are computed up to this many joint lots; above, an upper bound is given: bounds memory.
EXACT_JOINT = 200

#: Exact chances are computed of pairs that meet by so many standard deviations more than chance gives. Below, where
#: a fifth of all pairs lie higher, the upper bound is enough: bounds the work.
WORTH_EXACT = 0.84


class Chances(NamedTuple):
    """What chance gives each pair; shape (pairs,).

    ``expected`` joint occasions and their ``variance``; ``p_value`` the probability of at least as many
    as were seen.
    """

    expected: Floats
    variance: Floats
    p_value: Floats


def chances(met: Meetings, pairs: Pairs) -> Chances:
    """Say how many joint occasions chance gives each pair, and how likely as many as seen are.

    If two firms that came to x and y of the N occasions of a stratum chose them independently, their
    joint occasions are hypergeometric; over the strata they are a sum of independent ones. Its upper
    tail is computed exactly, stratum by stratum. An upper bound, which is never too small, is given instead where
    the pair is ordinary (see `WORTH_EXACT`) or met more than `EXACT_JOINT` times: a
    sum of hypergeometric numbers is a sum of independent yes-no numbers, for which Bernstein's
    inequality gives exp(-d^2 / (2 (v + d / 3))), with d the excess and v the variance.
    """
    result = Chances(*(np.empty(len(pairs.joint)) for _ in Chances._fields))
    for part in parts(met.by_stratum, met.by_stratum, pairs):
        shared = _shared(met, pairs.first[part], pairs.second[part])
        joint = pairs.joint[part]
        mean, variance = shared.moments(len(joint))
        excess = joint - mean
        with np.errstate(divide="ignore", invalid="ignore"):
            bound = np.where(
                excess > 0, np.exp(-(np.maximum(excess, 0) ** 2) / (2 * (variance + np.abs(excess) / 3))), 1.0
            )
            is_unusual = excess - 0.5 > WORTH_EXACT * np.sqrt(variance)
        exact = np.flatnonzero(is_unusual & (joint <= EXACT_JOINT))
        bound[exact] = _tails(shared, exact, joint[exact], met.size)
        for column, values in zip(result, (mean, variance, np.minimum(bound, 1.0)), strict=True):
            column[part] = values
    return result


def market_spread(met: Meetings, min_occasions: int) -> float:
    """Return how much ordinary pairs differ in how often they meet, beyond chance: a variance, relative to the mean.

    Firms of one trade, size or place meet more often than strata can say. The expectation of a pair is
    taken to be multiplied by a factor with mean 1 and variance f. Squared departures would give f, but a few rings
    raise them until they hide themselves. So f is the smallest number with which, of the pairs that met at all, no more than
    `CENTRAL` of them have a probability (given that they met) as small as that: what the most unusual pairs do beyond that
    point does not count. Only pairs that met are asked, so that pairs of two niches,
    however many, do not pass for ordinary ones; and by their weight (E / (1 + E))^2, with E the expectation, because pairs that
    hardly could meet tell nothing. In large markets every k-th firm is paired with all others.

    Args:
        met: who came to which occasion.
        min_occasions: of a firm that counts.

    Returns:
        f, at most `LARGEST_SPREAD`; infinite where not even that is enough. 0 where chance explains all.
    """
    joint, expected, variance, most = _pairs_that_met(met, min_occasions)
    if len(joint) == 0:
        return 0.0
    weight = (expected / (1 + expected)) ** 2
    weight /= weight.sum()

    def is_enough(spread: float) -> bool:
        beyond = _wide(expected, variance, most, spread, joint)
        once = _wide(expected, variance, most, spread, 0.5)
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = np.where(np.isfinite(beyond), beyond / once, 1.0)
        return all(weight[p_value <= share].sum() <= share for share in CENTRAL)

    if is_enough(0.0):
        return 0.0
    steps = np.geomspace(SMALLEST_SPREAD, LARGEST_SPREAD, SPREAD_STEPS)
    place = bisect_left(steps, True, key=is_enough)
    return float(steps[place]) if place < len(steps) else np.inf


def _pairs_that_met(met: Meetings, min_occasions: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return joint occasions, their expectation and variance, and the most possible, of a sample of the pairs that met."""
    busy = np.flatnonzero(np.diff(met.came.indptr) >= min_occasions)
    came, strata = met.came[busy], met.by_stratum[busy]
    tenders = np.diff(came.indptr)
    rest = strata.multiply(strata.multiply(-1.0) + (strata > 0).multiply(met.size)).tocsr()
    size = met.size.astype(np.float64)
    weight = 1 / (size**2 * np.maximum(size - 1, 1))
    step = max(-(-len(busy) * len(busy) // SAMPLED_PAIRS), 1)
    sampled = np.arange(0, len(busy), step)
    found = [np.empty((4, 0))]
    for part in np.array_split(sampled, max(-(-len(sampled) * len(busy) // SLICE_CELLS), 1)):
        joint = (came[part] @ came.T).toarray()
        # Each pair once: the other firm is a later one, or is not in the sample.
        joint[:, sampled] *= part[:, None] < sampled
        row, column = np.nonzero(joint)
        expected = (strata[part].multiply(1 / size) @ strata.T).toarray()[row, column]
        variance = (rest[part].multiply(weight) @ rest.T).toarray()[row, column]
        most = np.minimum(tenders[part][row], tenders[column])
        found.append(np.stack([joint[row, column], expected, variance, most]))
    joint, expected, variance, most = np.concatenate(found, axis=1)
    return joint, expected, variance, most


def chances_in_spread(chance: Chances, joint: Ints, most: Ints, spread: float) -> Floats:
    """Return the probability of as many joint occasions where pairs differ by ``spread``.

    The share of the ``most`` possible joint occasions is taken as a beta variable with the pair's mean and
    the variance of chance and spread together. Never below the probability by chance alone.
    """
    wide = _wide(chance.expected, chance.variance, most, spread, joint.astype(np.float64) - 0.5)
    # Where no beta variable is as wide, nothing can be said.
    return np.maximum(chance.p_value, np.where(np.isfinite(wide), wide, 1.0))


def _wide(
    expected: Floats, variance: Floats, most: Floats | Ints, spread: float, at: Floats | float
) -> Floats:
    """Return P(joint occasions > at) as of a beta variable; nan where none is as wide."""
    share = np.minimum(expected / most, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = share * (1 - share) * most**2 / (variance + spread * expected**2) - 1
        above = 1 - betainc(share * total, (1 - share) * total, np.clip(at / most, 0, 1))
    return np.where(total > 0, above, np.nan)


def log_factorials(largest: int) -> Floats:
    """Return ln(0!), ..., ln(largest!)."""
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, largest + 1, dtype=np.float64)))))


class _Shared(NamedTuple):
    """The strata that both firms of a pair came to, one row per pair and stratum, in order of the pairs.

    ``starts`` has the shape (pairs + 1,), the others one value per row; ``one`` and ``other`` are
    occasions of the first and the second firm, ``size`` all occasions of the stratum.
    """

    starts: Ints
    stratum: Ints
    one: Floats
    other: Floats
    size: Floats

    def moments(self, pairs: int) -> tuple[Floats, Floats]:
        """Return mean and variance of the joint occasions of every pair."""
        pair = np.repeat(np.arange(pairs), np.diff(self.starts))
        mean = self.one * self.other / self.size
        rest = (self.size - self.one) * (self.size - self.other)
        variance = mean * rest / (self.size * np.maximum(self.size - 1, 1))
        sums = np.zeros((2, pairs))
        for row, values in zip(sums, (mean, variance), strict=True):
            row[:] = np.bincount(pair, weights=values, minlength=pairs)
        return sums[0], sums[1]


def _shared(met: Meetings, first: Ints, second: Ints) -> _Shared:
    one, other = met.by_stratum[first], met.by_stratum[second]
    # Multiplied by the other's pattern, both keep the same cells in the same order.
    one, other = one.multiply(other > 0).tocsr(), other.multiply(one > 0).tocsr()
    one.sort_indices()
    other.sort_indices()
    return _Shared(
        one.indptr.astype(np.int64),
        one.indices.astype(np.int64),
        one.data,
        other.data,
        met.size[one.indices].astype(np.float64),
    )


def _tails(shared: _Shared, pairs: Ints, joint: Ints, size: Ints) -> Floats:
    """Return P(joint occasions >= joint) of some pairs, exactly.

    The state of a pair is how many meetings it still lacks; each stratum moves it down, and 0 stays. Only
    positive numbers are added, so that the smallest tails keep their digits.
    """
    if len(pairs) == 0:
        return np.empty(0)
    logs = log_factorials(int(size.max()))
    result = np.empty(len(pairs))
    # Pairs that met about equally often are taken together: their states have one shape.
    order = np.argsort(joint, kind="stable")
    alike = np.split(order, np.flatnonzero(np.diff(np.floor(np.log2(joint[order])))) + 1)
    most = np.maximum.reduceat(np.minimum(shared.one, shared.other), shared.starts[:-1])
    for group in alike:
        width = max(int(joint[group].max()), int(most[pairs[group]].max())) + 1
        for part in np.array_split(group, -(-len(group) * width // SLICE_CELLS)):
            result[part] = _tail(shared, pairs[part], joint[part], logs)
    return result


def _tail(shared: _Shared, pairs: Ints, joint: Ints, logs: Floats) -> Floats:
    lacking = np.zeros((len(pairs), int(joint.max()) + 1))
    lacking[np.arange(len(pairs)), joint] = 1.0
    start, count = shared.starts[pairs], np.diff(shared.starts)[pairs]
    for step in range(int(count.max())):
        here = np.flatnonzero(count > step)
        row = start[here] + step
        one, other, size = (
            column[row].astype(np.int64) for column in (shared.one, shared.other, shared.size)
        )
        lacking[here] = _moved(lacking[here], _hypergeometric(one, other, size, logs))
    reached: Floats = lacking[:, 0]
    return reached


def _moved(lacking: Floats, chance: Floats) -> Floats:
    """Return the states after one more stratum; ``chance`` of 0, 1, ... meetings in it, shape (pairs, m)."""
    states = lacking.shape[1]
    moved = lacking * chance[:, :1]
    reached = np.cumsum(lacking, axis=1)
    for met in range(1, chance.shape[1]):
        some = chance[:, met : met + 1]
        if met < states:
            moved[:, 1 : states - met] += some * lacking[:, met + 1 :]
        moved[:, :1] += some * reached[:, min(met, states - 1)][:, None]
    return moved


def _hypergeometric(one: Ints, other: Ints, size: Ints, logs: Floats) -> Floats:
    """Return P(0), P(1), ... joint of `one` and `other` out of `size` occasions, shape (rows, m)."""
    met = np.arange(int(np.minimum(one, other).max()) + 1)
    one, other, size = one[:, None], other[:, None], size[:, None]
    is_possible = (met <= np.minimum(one, other)) & (size - one - other + met >= 0)
    met = np.where(is_possible, met, np.maximum(one + other - size, 0))
    chance = np.exp(
        logs[one]
        + logs[other]
        + logs[size - one]
        + logs[size - other]
        - logs[met]
        - logs[one - met]
        - logs[other - met]
        - logs[size - one - other + met]
        - logs[size]
    )
    return np.where(is_possible, chance, 0.0)
