"""The screens that others published are reproduced from the raw bids, lot by lot."""

import numpy as np
import pandas as pd
import pytest
from places import REAL_DATA

from detectors.kernels.prices.blocks import blocks
from detectors.kernels.prices.screens import screens

TOLERANCE = 1e-3  # the files give four decimals


def published(path, columns):
    """Return per lot the published columns and the same screens computed from the bids."""
    file = REAL_DATA / path
    if not file.exists():
        pytest.skip(f"the real data are not here: {file}; set BIDWATCH_REAL_DATA")
    bids = pd.read_parquet(file).sort_values(["Tender", "Bid_value"])
    lots = bids.groupby("Tender")
    sizes = lots.size().to_numpy()
    prices = bids["Bid_value"].to_numpy()
    computed = pd.DataFrame(np.nan, index=lots.size().index, columns=[*columns.values(), "spread"])
    for block in blocks(sizes):
        computed.iloc[block.lots, -1] = prices[block.rows][:, -1] - prices[block.rows][:, 0]
        for name, values in screens(prices[block.rows]).items():
            if name in computed:
                computed.iloc[block.lots, computed.columns.get_loc(name)] = values
    return lots[list(columns)].first(), computed, sizes


@pytest.mark.parametrize(
    ("column", "name"),
    [("CV", "cv"), ("SPD", "spd"), ("DIFFP", "diffp"), ("RD", "rd"), ("SKEW", "skew"), ("KSTEST", "ks")],
)
def test_all_100_lots_of_the_brazilian_works(column, name):
    theirs, ours, sizes = published("brazil_carwash/original.parquet", {column: name})
    assert len(theirs) == 100
    assert sizes.min() == 3
    assert ((theirs[column] - ours[name]).abs() <= TOLERANCE).all()


@pytest.mark.parametrize(
    ("column", "name"), [("KURT", "kurt"), ("SKEW", "skew"), ("CV", "cv"), ("KSTEST", "ks")]
)
def test_all_391_brazilian_auctions_with_four_different_bids(column, name):
    # Their lot is the auction with every lance of every firm. Their RD leaves out another bid than
    # the lowest, so it is not compared.
    theirs, ours, sizes = published("brazil_comprasnet/bids.parquet", {column: name})
    enough = (sizes >= 4) & (ours["spread"] > 0)
    assert enough.sum() == 391
    assert ((theirs[column] - ours[name]).abs() <= TOLERANCE)[enough].all()
