"""Studies of a whole market or of one firm's bids: for the notebook of an analyst, not for an alert on a lot.

They need hundreds of bids in lots that the lowest price wins. They say that a set of bids does not fit
competition, and not which bid was agreed on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Gap(NamedTuple):
    """How many bids stand at zero margin, beside how many would if margins were spread smoothly.

    Attributes:
        bids: number of margins.
        at_zero: margins in each of the three middle bins, shape (3,).
        peak: margins in the fullest bin.
        inside, beside: lots whose two lowest bids are nearer than 1.5 bins, and lots where they are nearer than
            4.5 bins but not inside.
        p_value: probability of no more inside, if a distance were as likely inside as in as wide a part of
            beside. Lots are counted and not margins: the lowest bid and the second have the same.
    """

    bids: int
    at_zero: Integers
    peak: int
    inside: int
    beside: int
    p_value: float


class CostBounds(NamedTuple):
    """Between which bounds the cost of a bid must lie, share of the bid, if bidders compete.

    ``lower`` because bidding less did not pay, ``upper`` because bidding more did not; ``is_competitive``
    is False where no cost fits both.
    """

    lower: float
    upper: float
    is_competitive: bool


class Rebids(NamedTuple):
    """Who is lowest in the second round, where the two lowest of the first were close.

    Attributes:
        lots: close first rounds.
        again: of them, lots in which the lowest bidder of the first round is below the second of it again.
        p_value: probability of so many or more, if either were as likely.
        mean_gap: second price of the marginal loser less that of the first-round lowest, share of the
            ceiling.
    """

    lots: int
    again: int
    p_value: float
    mean_gap: float


#: Bins of margins reach so many widths from zero on either side.
BINS = 20


def margins(prices: Floats, lots: Integers) -> Floats:
    """Return how far each bid lies above the lowest of its rivals; below zero it was the lowest.

    Args:
        prices: divided by the ceiling of their lot, shape (bids,).
        lots: number of the lot of each bid, from 0, shape (bids,).

    Returns:
        Shape (bids,), NaN for a bid without a rival.
    """
    order = np.lexsort((prices, lots))
    ordered, owner = prices[order], lots[order]
    is_first = np.append(True, owner[1:] != owner[:-1])[: len(owner)]
    starts = np.flatnonzero(is_first)
    sizes = np.diff(np.append(starts, len(owner)))
    second = np.where(sizes > 1, ordered[np.minimum(starts + 1, max(len(owner) - 1, 0))], np.nan)
    rival = np.where(is_first, np.repeat(second, sizes), np.repeat(ordered[starts], sizes))
    result = np.empty(len(prices))
    result[order] = ordered - rival
    return result


def missing_bids(margin: Floats, width: float = 0.001) -> Gap:
    """Say whether bids are missing where two bidders nearly tie.

    Competing bidders do not know each other's price: a margin of just above zero is as likely as one of just
    below, and neither is less likely than one a little farther off. Where the designated winner must
    win for sure, the others keep away from its price.

    Args:
        margin: of `margins`; bids without a rival (NaN) are left out. At least some 500 are needed.
        width: of a bin, share of the ceiling; the middle bin is centred on zero.

    Source:
        Chassang, Kawai, Nakabayashi and Ortner, Robust Screens for Non-Competitive Bidding. On their public
        data, of 1,824 bids in Tsuchiura without a minimum price the bins around zero hold 7, 9 and 7 against a
        peak of 64. The comparison of inside and beside is this project's own.
    """
    known = margin[~np.isnan(margin)]
    edges = (np.arange(-BINS, BINS + 2) - 0.5) * width
    counts, _ = np.histogram(known, edges)
    lead = -known[known < 0]  # of the lowest bid of each lot
    ties = int((known == 0).sum()) // 2  # two lowest bids of a lot, at least
    inside = int((lead < 1.5 * width).sum()) + ties
    beside = int(((lead >= 1.5 * width) & (lead < 4.5 * width)).sum())
    return Gap(
        bids=len(known),
        at_zero=counts[BINS - 1 : BINS + 2],
        peak=int(counts.max(initial=0)),
        inside=inside,
        beside=beside,
        p_value=float(binom.cdf(inside, inside + beside, 1 / 3)) if inside + beside else 1.0,
    )


def cost_bounds(
    prices: Floats, margin: Floats, deviations: Floats, highest_markup: float = 0.5, tie: float = 1e-4
) -> CostBounds:
    """Return between which costs the bids would have been worth making.

    If every bid had been changed by a share rho, it would have won with probability D(rho): the share of bids
    that stay below their lowest rival, ties counting half. Not to have done so pays only for a cost of at
    least (rho < 0) or at most (rho > 0) (D(0) - (1 + rho) D(rho)) / (D(0) - D(rho)), as a share of the bid. No loss
    of wins from bidding more leaves no cost that fits. The bounds carry no sampling error: with few bids
    they cross by chance.

    Args:
        prices: divided by the ceiling of their lot, shape (bids,).
        margin: of `margins`, shape (bids,); bids without a rival (NaN) are left out.
        deviations: the shares rho to try, above -1, none of them 0.
        highest_markup: price / cost - 1 that nobody exceeds.
        tie: bids that miss their lowest rival by no more are left out.

    Raises:
        ValueError: a deviation is 0 or not above -1, or no bid is left.

    Source:
        Chassang, Kawai, Nakabayashi and Ortner, formulas as in the authors' published code.
    """
    if (deviations == 0).any() or (deviations <= -1).any():
        raise ValueError("a deviation must be above -1 and not 0")
    with np.errstate(invalid="ignore"):
        is_used = np.abs(margin) > tie
    own, rival = prices[is_used], (prices - margin)[is_used]
    if len(own) == 0:
        raise ValueError("no bid with a rival is left: nothing can be said of the market")
    changed = own[:, None] * (1 + np.append(deviations, 0.0))
    won = (changed < rival[:, None]).mean(axis=0) + (changed == rival[:, None]).mean(axis=0) / 2
    demand, demand_now = won[:-1], won[-1]
    lost = demand_now - demand
    gain = demand_now - (1 + deviations) * demand
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.where(lost != 0, gain / lost, -np.inf)
    # Bidding less without winning more never paid, at any cost: it bounds nothing.
    lower = max(float(bound[deviations < 0].max(initial=-np.inf)), 1 / (1 + highest_markup))
    upper = min(float(bound[deviations > 0].min(initial=np.inf)), 1.0)
    return CostBounds(lower, upper, lower <= upper)


def marginal_losers(first: Floats, second: Floats, ceilings: Floats, close: float = 0.01) -> Rebids:
    """Say whether the lowest bidder of a failed first round also stands below its closest rival in the second.

    Two independent bidders that were nearly equal have nearly equal chances to be the lower one the next
    time. Where the winner was agreed on, it stays the lowest, however small its lead was.

    Args:
        first, second: prices of both rounds, NaN where a firm did not bid, shape (lots, firms). No first
            price was accepted.
        ceilings: shape (lots,).
        close: distance of the two lowest first prices that counts as close, share of the ceiling.

    Source:
        the idea of Kawai and Nakabayashi (2022), who looked at some 42,000 auctions;
        this form is simplified.
    """
    order = np.argsort(first, axis=1)[:, :2]  # NaN come last
    two = np.take_along_axis(first, order, axis=1)
    then = np.take_along_axis(second, order, axis=1)
    with np.errstate(invalid="ignore"):
        is_close = (two[:, 1] - two[:, 0] <= close * ceilings) & (two[:, 1] > two[:, 0])
    is_used = is_close & ~np.isnan(then).any(axis=1) & (then[:, 0] != then[:, 1])
    gap = (then[:, 1] - then[:, 0])[is_used] / ceilings[is_used]
    again = int((gap > 0).sum())
    return Rebids(
        lots=len(gap),
        again=again,
        p_value=float(binom.sf(again - 1, len(gap), 0.5)),
        mean_gap=float(gap.mean()) if len(gap) else float("nan"),
    )
