"""The price screens of a lot: pure array kernels, and the table ``feat.priced_lots`` made from them.

Every formula takes the prices of one lot in ascending order, b1 <= ... <= bn. Where a screen is
undefined (too few bids, no spread to divide by) it is NaN by definition: no verdict, no warning.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.interface import Engine
from detectors.kernels.prices.blocks import valid_bids

Column = NDArray[np.float64]

#: The screens in the order in which `screens` gives them.
NAMES = ("cv", "spd", "diffp", "rd", "rdnor", "rdalt", "cvl", "skew", "kurt", "ks")

LOTS = """
SELECT lot_id, award_method, class, currency AS lot_currency,
       CAST(EXTRACT(YEAR FROM opened_on) AS INTEGER) AS year,
       CAST(ceiling_price AS DOUBLE) AS ceiling_price
FROM core.lots
"""


def screens(prices: Column) -> dict[str, Column]:
    """Return the ten screens of lots that have the same number of bids.

    Args:
        prices: valid bids in one currency, positive, ascending inside each lot, shape (lots, n),
            n >= 1. A bid without a price is no bid: leave it out before.

    Returns:
        name -> values, shape (lots,), no unit, NaN where undefined:

        - ``cv``: s / mean, s with ddof 1; n >= 2.
        - ``spd``: (bn - b1) / b1; n >= 2.
        - ``diffp``: (b2 - b1) / b1; n >= 2.
        - ``rd``: (b2 - b1) / standard deviation of the losing bids b2..bn (ddof 1); n >= 3,
          losing bids not all equal.
        - ``rdnor``: (b2 - b1) / mean of all gaps between neighbours; n >= 2, bids not all equal.
        - ``rdalt``: (b2 - b1) / mean gap of the losing bids; n >= 3, losing bids not all equal.
        - ``cvl``: the ``cv`` of the losing bids; n >= 3.
        - ``skew``: n / ((n-1)(n-2)) * sum(((b - mean) / s)^3); n >= 3, bids not all equal.
        - ``kurt``: bias-corrected excess kurtosis; n >= 4, bids not all equal.
        - ``ks``: Kolmogorov-Smirnov distance to the uniform distribution on [b1, bn]; n >= 3,
          bids not all equal.

    Raises:
        ValueError: a price is missing, infinite, zero or negative, or a lot is not ascending.

    Source:
        García Rodríguez et al. (2022), Automation in Construction 133, 104047. cv, spd, diffp, rd,
        skew and ks reproduce the columns published with the Brazilian set, kurt those of the
        Comprasnet set (tests/test_published_columns.py). rdnor and rdalt were published without
        a data set to check against.
    """
    if prices.ndim != 2 or prices.shape[1] == 0:
        raise ValueError(f"prices must have the shape (lots, bids) with at least one bid, not {prices.shape}")
    if not np.isfinite(prices).all() or (prices <= 0).any():
        raise ValueError("a price is missing, infinite, zero or negative: leave such bids out before")
    if (np.diff(prices, axis=1) < 0).any():
        raise ValueError("the prices of a lot must be in ascending order")

    lots, n = prices.shape
    undefined = np.full(lots, np.nan)
    result = dict.fromkeys(NAMES, undefined)
    if n < 2:
        return result
    lowest, second, highest = prices[:, 0], prices[:, 1], prices[:, -1]
    mean, deviation, is_spread = _moments(prices)
    gap = second - lowest
    result |= {
        "cv": deviation / mean,
        "spd": (highest - lowest) / lowest,
        "diffp": gap / lowest,
        "rdnor": _ratio(gap * (n - 1), highest - lowest, is_spread),
    }
    if n < 3:
        return result
    losing_mean, losing_deviation, is_losing_spread = _moments(prices[:, 1:])
    cubes, fourths = _standard_powers(prices, mean, deviation, is_spread)
    position = _ratio((prices - lowest[:, None]).T, highest - lowest, is_spread).T
    above = np.arange(1, n + 1) / n - position
    result |= {
        "rd": _ratio(gap, losing_deviation, is_losing_spread),
        "rdalt": _ratio(gap * (n - 2), highest - second, is_losing_spread),
        "cvl": losing_deviation / losing_mean,
        "skew": n / ((n - 1) * (n - 2)) * cubes,
        "ks": np.maximum(above.max(axis=1), (1 / n - above).max(axis=1)),
    }
    if n >= 4:
        scale = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3))
        result["kurt"] = scale * fourths - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))
    return result


def priced_lots(engine: Engine) -> pa.Table:
    """Return ``feat.priced_lots``: one row per lot with at least one valid bid in one currency.

    Columns: ``lot_id``; ``bids`` (number of valid bids); ``award_method``, ``class``, ``year``
    (of the opening); ``currency`` (of the bids, else of the lot); ``lowest_price`` in that
    currency; ``lowest_ceiling_share`` (lowest price / ceiling price, null where the ceiling is
    unknown or in another currency); and the ten screens (null where undefined).
    """
    bids = valid_bids(engine)
    values = {name: np.full(len(bids.lot_id), np.nan) for name in ("lowest_price", *NAMES)}
    for block in bids.blocks():
        prices = bids.sorted_prices(block)
        values["lowest_price"][block.lots] = prices[:, 0]
        for name, column in screens(prices).items():
            values[name][block.lots] = column
    lots = engine.run(LOTS)
    lots = lots.take(pc.index_in(bids.lot_id, value_set=lots["lot_id"])).combine_chunks()
    currency = pc.coalesce(bids.currency, lots["lot_currency"])
    ceiling = pc.if_else(pc.equal(currency, lots["lot_currency"]), lots["ceiling_price"], None)
    lowest = pa.array(values["lowest_price"])
    return pa.table(
        {
            "lot_id": bids.lot_id,
            "bids": bids.bids,
            "award_method": lots["award_method"],
            "class": lots["class"],
            "currency": currency,
            "year": lots["year"],
            "lowest_price": lowest,
            "lowest_ceiling_share": pc.divide(lowest, pc.if_else(pc.greater(ceiling, 0), ceiling, None)),
            **{name: pa.array(values[name], from_pandas=True) for name in NAMES},
        }
    )


def _moments(prices: Column) -> tuple[Column, Column, NDArray[np.bool_]]:
    """Return mean, standard deviation (ddof 1) and whether the ascending prices differ at all."""
    is_spread = prices[:, -1] > prices[:, 0]
    mean = prices.mean(axis=1)
    squares = ((prices - mean[:, None]) ** 2).sum(axis=1)
    # The mean of equal prices may miss them by a rounding error: no spread is exactly zero.
    return mean, np.where(is_spread, np.sqrt(squares / (prices.shape[1] - 1)), 0.0), is_spread


def _standard_powers(
    prices: Column, mean: Column, deviation: Column, is_spread: NDArray[np.bool_]
) -> tuple[Column, Column]:
    """Return the sums of the third and fourth powers of the standardised prices."""
    standard = _ratio((prices - mean[:, None]).T, deviation, is_spread)
    squares = standard * standard
    return (squares * standard).sum(axis=0), (squares * squares).sum(axis=0)


def _ratio(numerator: Column, divisor: Column, is_defined: NDArray[np.bool_]) -> Column:
    """Divide where ``is_defined``; NaN elsewhere."""
    result: Column = np.divide(
        numerator, divisor, out=np.full(numerator.shape, np.nan), where=is_defined & (divisor > 0)
    )
    return result
