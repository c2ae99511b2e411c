"""How late the lowest bid of a lot came in, and how close it lies to the next one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.interface import Engine
from detectors.kernels.prices.reference_classes import placed

#: The valid bids of lots that the lowest price wins, the lowest of each lot first.
TIMED = """
WITH timed AS (
    SELECT b.lot_id, b.bidder_id, b.price, b.submitted_at,
           row_number() OVER (PARTITION BY b.lot_id ORDER BY b.price, b.bidder_id) AS place
    FROM core.bids AS b
    JOIN feat.lot_prices AS p ON p.lot_id = b.lot_id
    WHERE p.award_method = 'lowest_price' AND p.bids >= $min_bids AND b.is_valid AND b.price > 0
)
"""

LOTS = (
    TIMED
    + """,
lowest AS (
    SELECT lot_id, bidder_id, submitted_at FROM timed WHERE place = 1
),
arrivals AS (
    SELECT t.lot_id, CAST(sum(CASE WHEN t.submitted_at >= w.submitted_at THEN 1 ELSE 0 END) AS BIGINT) AS later
    FROM timed AS t
    JOIN lowest AS w ON w.lot_id = t.lot_id
    GROUP BY t.lot_id
    HAVING count(t.submitted_at) = count(*)
)
SELECT p.lot_id AS unit, w.bidder_id AS entities, p.diffp AS value, p.bids, p.bids - a.later + 1 AS arrival,
       p.award_method, p.currency, p.class, p.year
FROM feat.lot_prices AS p
JOIN arrivals AS a ON a.lot_id = p.lot_id
JOIN lowest AS w ON w.lot_id = p.lot_id
ORDER BY p.lot_id
"""
)


def last_bids(engine: Engine, min_bids: int, min_reference_lots: int) -> pd.DataFrame:
    """Return one row per lowest-price lot whose valid bids all have a time.

    Args:
        engine: the tables.
        min_bids: valid bids that a lot must have, at least 2.
        min_reference_lots: other lots with which its gap is compared.

    Returns:
        Columns ``unit`` (lot), ``entities`` (its lowest bidder, of equal prices the first by id),
        ``value`` (gap to the second bid, share of the lowest), ``bids``, ``arrival`` (place of the
        lowest bid in the order of upload; of equal times the first), ``gap_p`` (share of comparable
        lots with as small a gap), ``reference_class``, ``reference_lots`` and ``p_value``, see
        `joint_chance`.
    """
    lots: pd.DataFrame = engine.run(LOTS, {"min_bids": min_bids}).to_pandas()
    lots = lots.join(placed(lots, "value", "low", min_reference_lots).rename(columns={"p_value": "gap_p"}))
    lots = lots[lots["gap_p"].notna()].reset_index(drop=True)
    chance = joint_chance(
        (lots["bids"] - lots["arrival"] + 1).to_numpy(), lots["bids"].to_numpy(), lots["gap_p"].to_numpy()
    )
    return lots.drop(columns=["award_method", "currency", "class", "year"]).assign(p_value=chance)


def joint_chance(
    later: NDArray[np.int64], bids: NDArray[np.int64], gap_p: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the probability that lateness and closeness together are at least as extreme.

    If the hour has nothing to do with the gap, the place from the end is uniform on 1..n and the share
    of closer lots uniform on 0..1. Extreme is a small product of place / n and share; the chance of a
    product of at most t is the mean over all places k of min(1, t n / k).

    Args:
        later: bids that came in with the lowest or later, itself included, shape (lots,).
        bids: valid bids, shape (lots,).
        gap_p: share of comparable lots with as small a gap, shape (lots,).
    """
    if len(bids) == 0:
        return np.empty(0)
    harmonic = np.concatenate(([0.0], np.cumsum(1 / np.arange(1, bids.max() + 1))))
    scaled = later * gap_p  # t n
    whole = np.minimum(np.floor(scaled).astype(np.int64), bids)
    chance: NDArray[np.float64] = (whole + scaled * (harmonic[bids] - harmonic[whole])) / bids
    return np.minimum(chance, 1.0)
