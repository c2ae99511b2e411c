"""Lots bucketed by their number of bids, so that array code sees whole lots and no Python loop sees a bid.

Bids are stored contiguous per lot. Lots with the same number of bids are taken together as one
(lots, bids) block: no sort and no hash over all rows is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.interface import Engine

#: Bids a block may hold: keeps its temporary arrays in tens of megabytes.
BLOCK_BIDS = 500_000

VALID_BIDS = """
SELECT lot_id, bidder_id, CAST(price AS DOUBLE) AS price, currency
FROM core.bids
WHERE is_valid AND price > 0
"""


class Block(NamedTuple):
    """Lots with the same number of bids.

    Attributes:
        lots: positions of the lots, shape (k,).
        rows: positions of their bids, shape (k, n).
    """

    lots: NDArray[np.int64]
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class LotBids:
    """The valid bids of every lot, contiguous per lot.

    Attributes:
        lot_id: one per lot, shape (lots,).
        currency: of all bids of the lot (null: not delivered), shape (lots,).
        bids: number of bids of each lot, shape (lots,).
        bidder_id: one per bid, shape (bids,).
        price: in the lot's currency, positive, shape (bids,).
    """

    lot_id: pa.Array
    currency: pa.Array
    bids: NDArray[np.int64]
    bidder_id: pa.Array
    price: NDArray[np.float64]

    def blocks(self, min_bids: int = 1) -> Iterator[Block]:
        """Give every lot with at least ``min_bids`` bids once, see `blocks`."""
        return blocks(self.bids, min_bids)

    def sorted_prices(self, block: Block) -> NDArray[np.float64]:
        """Return the block's prices, ascending inside each lot, shape (k, n)."""
        return np.sort(self.price[block.rows], axis=1)


def blocks(sizes: NDArray[np.int64], min_size: int = 1) -> Iterator[Block]:
    """Give every lot with at least ``min_size`` rows once, bucketed by its number of rows.

    Args:
        sizes: number of rows of each lot, in the order in which the rows are stored, shape (lots,).
        min_size: smaller lots are left out.
    """
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    for size in np.unique(sizes[sizes >= max(min_size, 1)]).tolist():
        lots = np.flatnonzero(sizes == size).astype(np.int64)
        step = max(BLOCK_BIDS // size, 1)
        for first in range(0, len(lots), step):
            part = lots[first : first + step]
            yield Block(part, starts[part][:, None] + np.arange(size, dtype=np.int64))


def valid_bids(engine: Engine) -> LotBids:
    """Read the valid bids of every lot.

    A lot whose bids are in more than one currency is left out: its prices cannot be compared.
    """
    table = engine.run(VALID_BIDS).combine_chunks()
    first = _first_rows(table["lot_id"])
    if len(pc.unique(table["lot_id"].take(first))) < len(first):
        # An engine with many workers may hand the lots over in pieces.
        table = table.sort_by("lot_id").combine_chunks()
        first = _first_rows(table["lot_id"])
    sizes = np.diff(np.append(first, table.num_rows))
    currency = table["currency"].combine_chunks().dictionary_encode()
    codes = pc.fill_null(currency.indices, -1).to_numpy(zero_copy_only=False)
    is_mixed = np.minimum.reduceat(codes, first) != np.maximum.reduceat(codes, first) if len(first) else first
    if is_mixed.any():
        table = table.filter(pa.array(np.repeat(~is_mixed, sizes))).combine_chunks()
        sizes = sizes[~is_mixed]
        first = _first_rows(table["lot_id"])
    heads = table.take(first).combine_chunks()
    return LotBids(
        lot_id=_array(heads["lot_id"]),
        currency=_array(heads["currency"]),
        bids=sizes,
        bidder_id=_array(table["bidder_id"]),
        price=table["price"].to_numpy(),
    )


def _first_rows(lot_id: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return the positions at which another lot begins."""
    if len(lot_id) == 0:
        return np.empty(0, dtype=np.int64)
    values = _array(lot_id)
    is_new = pc.not_equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
    return np.concatenate(([0], np.flatnonzero(is_new) + 1)).astype(np.int64)


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
