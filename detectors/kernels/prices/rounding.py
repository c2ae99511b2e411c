"""To what unit prices are rounded: as an amount, or as a discount from the ceiling.

Bidders round, and rounded prices meet by chance. 950,000 is rounded to ten thousand; 95 % of a
ceiling of 1,234,567.89 looks odd and is rounded to a hundredth of that ceiling (下浮率).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Powers of ten that are tried: 10^14 cents is more than any price.
DIGITS = 14


def amount_unit(cents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the largest power of ten that divides all prices of a row, in cents.

    Args:
        cents: prices in cents, positive, shape (rows, prices).

    Returns:
        Shape (rows,), at least 1.
    """
    unit = np.ones(len(cents), dtype=np.int64)
    for _ in range(DIGITS):
        unit = np.where((cents % (unit * 10)[:, None] == 0).all(axis=1), unit * 10, unit)
    return unit


#: Digits that are repeated at the end of a price for luck (吉利数): 6,888 and 1,666 are chosen, not summed up.
LUCKY = (6, 8, 9)


def lucky_unit(cents: NDArray[np.int64], min_digits: int) -> NDArray[np.int64]:
    """Return the power of ten below which a price is a run of one lucky digit and then zeros, in cents.

    Args:
        cents: prices in cents, positive, shape (rows,).
        min_digits: digits that a run must have.

    Returns:
        Shape (rows,); 1 where the price has no such ending: 688,800 gives 100,000.
    """
    zeros = amount_unit(cents[:, None])
    unit = np.ones(len(cents), dtype=np.int64)
    for digit in LUCKY:
        left, run = cents // zeros, zeros.copy()
        for _ in range(DIGITS):
            is_lucky = left % 10 == digit
            left, run = np.where(is_lucky, left // 10, 0), np.where(is_lucky, run * 10, run)
        unit = np.where(run >= zeros * 10**min_digits, np.maximum(unit, run), unit)
    return unit


def discount_unit(
    cents: NDArray[np.int64], ceiling_cents: NDArray[np.float64], finest: float
) -> NDArray[np.float64]:
    """Return the largest round discount step of which all prices of a row are multiples, in cents.

    Args:
        cents: prices in cents, positive, shape (rows, prices).
        ceiling_cents: ceiling price in cents, NaN where unknown, shape (rows,).
        finest: the smallest step that counts as round, share of the ceiling. Ten and a hundred times as much is
            tried too.

    Returns:
        Step times ceiling, shape (rows,); 0 where the prices are no round discounts.
    """
    unit = np.zeros(len(cents))
    ceiling = ceiling_cents[:, None]
    for step in (finest, finest * 10, finest * 100):
        nearest = np.rint(cents / ceiling / step) * step * ceiling
        # Half a cent from rounding the price, half for the arithmetic.
        is_round = (np.abs(nearest - cents) <= 1).all(axis=1)
        unit = np.where(is_round, step * ceiling_cents, unit)
    return unit


def of_one_base(
    cents: NDArray[np.int64], min_percent: int, max_percent: int, min_percent_cents: int
) -> NDArray[np.bool_]:
    """Say for every row whether its prices differ and are all whole percents of one and the same base.

    A base that nobody delivered, such as a prescribed fee (收费标准), is known by this: that bids of seven
    digits are whole percents of one number to the cent does not happen by chance.

    Args:
        cents: prices in cents, positive, shape (rows, prices).
        min_percent, max_percent: between these percents of the base all prices lie.
        min_percent_cents: a smaller percent is not tried: where it is little more than a cent, every price is near
            one.
    """
    percents = np.arange(min_percent, max_percent + 1)
    lowest = cents.min(axis=1)
    percent = (lowest[:, None] / percents)[:, :, None]
    of_base = cents[:, None, :] / percent
    # Half a cent from rounding each of the two prices, a hundredth for the arithmetic.
    near = (
        np.abs(of_base - np.rint(of_base)) * percent <= 0.5 * (1 + cents / lowest[:, None])[:, None, :] + 0.01
    )
    is_base = near.all(axis=2) & (of_base <= max_percent + 0.5).all(axis=2)
    is_base &= percent[:, :, 0] >= min_percent_cents
    is_varied = (cents != lowest[:, None]).any(axis=1)
    result: NDArray[np.bool_] = is_base.any(axis=1) & is_varied
    return result
