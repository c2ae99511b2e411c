import numpy as np
import pyarrow as pa

from detectors.kernels.prices import blocks as module
from detectors.kernels.prices.blocks import blocks, valid_bids
from pipelines.duck import DuckDBEngine


class Handing:
    """An engine that hands out one table, whatever is asked."""

    def __init__(self, table):
        self.table = table

    def run(self, sql, parameters=None):
        return self.table


def test_every_lot_is_in_one_block_with_its_own_rows(monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BIDS", 6)
    sizes = np.array([3, 1, 2, 3, 3, 2])
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    seen = {}
    for block in blocks(sizes):
        assert block.rows.size <= 6
        seen |= {int(lot): rows.tolist() for lot, rows in zip(block.lots, block.rows, strict=True)}
    assert seen == {
        lot: list(range(first[lot], first[lot] + size)) for lot, size in enumerate(sizes.tolist())
    }


def test_small_lots_are_left_out():
    assert [block.lots.tolist() for block in blocks(np.array([1, 2, 3, 2]), 2)] == [[1, 3], [2]]


def test_no_lots_give_no_blocks():
    assert list(blocks(np.array([], dtype=np.int64))) == []


def test_lots_in_pieces_are_put_together():
    scattered = pa.table(
        {
            "lot_id": ["L1", "L2", "L1"],
            "bidder_id": ["A", "A", "B"],
            "price": [3.0, 5.0, 4.0],
            "currency": ["CNY", "CNY", "CNY"],
        }
    )
    bids = valid_bids(Handing(scattered))
    assert (bids.lot_id.to_pylist(), bids.bids.tolist()) == (["L1", "L2"], [2, 1])
    assert sorted(bids.price[:2]) == [3.0, 4.0]


def test_a_lot_in_two_currencies_is_left_out(market):
    market.bids("""
        lot  bidder  price  currency
        L1   A       3      CNY
        L1   B       4      USD
        L2   A       5      USD
        L2   B       6      USD
        L3   A       7      CNY
        L3   B       8      -
    """)
    bids = valid_bids(DuckDBEngine(market.con))
    assert (bids.lot_id.to_pylist(), bids.price.tolist()) == (["L2"], [5.0, 6.0])
