"""Lots compared at an equal number of bids: larger ones are thinned at random to the size of the smaller.

How close the closest bids stand, and how wide the widest gap is, depends on their number. A lot of n bids is
compared with the other lots of n, and with n bids of every larger lot. What makes a market's bids unlike
the normal distribution (a mistake, a cheap newcomer, rounding) stays in the comparison.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.interface import Engine, Need
from detectors.kernels.prices.blocks import LotBids, valid_bids

LOTS = """
SELECT lot_id AS unit, award_method, currency, class, year
FROM feat.lot_prices
WHERE award_method IS NOT NULL AND bids >= $min_bids
ORDER BY lot_id
"""


LOTS_OF_AS_MANY_BIDS = Need("too few comparable lots with as many bids", "投标家数相同的可比标段不足")


class Size(NamedTuple):
    """All lots with at least ``bids`` valid bids, thinned to as many.

    Attributes:
        bids: the number of bids.
        lots: ``unit``, ``award_method``, ``currency``, ``class``, ``year``, ``bids`` (this size) and ``is_whole``
            (the lot has no more bids: it is one to judge).
        prices: ascending inside each lot, shape (lots, bids).
        bidders: in the order of the prices, shape (lots, bids).
    """

    bids: int
    lots: pd.DataFrame
    prices: NDArray[np.float64]
    bidders: NDArray[np.object_]


def equal_sizes(engine: Engine, min_bids: int, min_lots: int) -> Iterator[Size]:
    """Give every number of bids that some lot has, with all lots that have at least as many.

    Args:
        engine: to read the tables with.
        min_bids: smaller lots are left out.
        min_lots: a size with no more lots than this is left out: nothing could be compared.
    """
    lots: pd.DataFrame = engine.run(LOTS, {"min_bids": min_bids}).to_pandas()
    bids = valid_bids(engine)
    starts = np.concatenate(([0], np.cumsum(bids.bids)[:-1])).astype(np.int64)
    at = pc.index_in(pa.array(lots["unit"], pa.string()), value_set=bids.lot_id.cast(pa.string()))
    at = at.to_numpy(zero_copy_only=False)
    order = _in_random_order(bids)
    names = bids.bidder_id.to_numpy(zero_copy_only=False)
    sizes, counts = np.unique(bids.bids[at], return_counts=True)
    at_least = counts[::-1].cumsum()[::-1]
    for size in sizes[at_least > min_lots].tolist():
        here = np.flatnonzero(bids.bids[at] >= size)
        rows = order[starts[at[here]][:, None] + np.arange(size)]
        rows = np.take_along_axis(rows, np.argsort(bids.price[rows], axis=1, kind="stable"), axis=1)
        chosen = lots.iloc[here].reset_index(drop=True)
        chosen = chosen.assign(bids=size, is_whole=bids.bids[at[here]] == size)
        yield Size(size, chosen, bids.price[rows], names[rows])


def _in_random_order(bids: LotBids) -> NDArray[np.int64]:
    """Return the positions of the bids of every lot in an order that says nothing of their price.

    It comes from the ids, so that it is the same in every run. The first n are the lot thinned to n.
    """
    lot = np.repeat(np.arange(len(bids.bids)), bids.bids)
    names = pc.binary_join_element_wise(bids.lot_id.take(pa.array(lot)), bids.bidder_id, "/")
    key = pd.util.hash_array(names.to_numpy(zero_copy_only=False))
    return np.asarray(np.lexsort((key, lot)))
