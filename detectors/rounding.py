"""To what unit prices are rounded: as an amount, or as a discount from the ceiling.

Bidders round, and rounded prices meet by chance. 950,000 is rounded to ten thousand; 95 % of a
ceiling of 1,234,567.89 looks odd and is rounded to a hundredth of that ceiling (下浮率).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Discounts from the ceiling count as round down to a hundredth of a percent.
DISCOUNT_STEPS = (0.0001, 0.001, 0.01)

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


def discount_unit(cents: NDArray[np.int64], ceiling_cents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest round discount step of which all prices of a row are multiples, in cents.

    Args:
        cents: prices in cents, positive, shape (rows, prices).
        ceiling_cents: ceiling price in cents, NaN where unknown, shape (rows,).

    Returns:
        Step times ceiling, shape (rows,); 0 where the prices are no round discounts.
    """
    unit = np.zeros(len(cents))
    ceiling = ceiling_cents[:, None]
    for step in DISCOUNT_STEPS:
        nearest = np.rint(cents / ceiling / step) * step * ceiling
        # Half a cent from rounding the price, half for the arithmetic.
        is_round = (np.abs(nearest - cents) <= 1).all(axis=1)
        unit = np.where(is_round, step * ceiling_cents, unit)
    return unit
