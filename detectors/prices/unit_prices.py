"""Bidders' unit prices are equal, or in one ratio or at one distance, item after item.

Why it matters
    A bill of quantities holds hundreds of prices, and each firm has its own. Two bidders whose prices
    are the same, or all 3 % apart, have not priced them twice: one list was made from the other.

Looks innocent when
    - prices are prescribed, provisional or taken from a published list: items marked as published are
      taken out; where the sender does not mark them, look how alike the other bidders are;
    - one cost consultant priced for several bidders, each for itself;
    - the items are standard goods with one price in the market.

Blind spots
    Bills with fewer items in common. Lists changed item by item. Two ratios in one list, one for each trade.
    Lots whose bills were not delivered. Published prices that are not marked.

Sources
    招标投标法实施条例 §40(4) 异常一致或者报价呈规律性差异. A share of 80 % equal items is a local limit, known
    from citations only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Unit prices of different bidders equal or in one ratio",
    title_zh="不同投标人清单综合单价异常一致或呈固定比例",
    unit="lot",
    measures="items whose unit prices are equal, in one ratio or at one distance, share of the items both priced",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-4", "ORDER87-37-4"),
    evidence=("priced_items.unit_price", "priced_items.item_code", "priced_items.is_published_price"),
    says="Of {items} items that both bidders priced (limit {min_items}), published prices left out, {value:.1%} are"
    " alike (limit {min_share:.0%}): {relation} {factor:,.4f}. Among {bidders} bidders a pair usually has"
    " {usual_share:.1%}.",
    says_zh="剔除公布价后，双方均报价的 {items} 个清单项（阈值 {min_items} 个）中有 {value:.1%} 的综合单价一致或呈固定关系"
    "（阈值 {min_share:.0%}）：{relation} {factor:,.4f}。{bidders} 家投标人两两之间通常为 {usual_share:.1%}，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "items": 212,
    "value": 0.934,
    "relation": "ratio 比例",
    "factor": 1.03,
    "bidders": 6,
    "usual_share": 0.021,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_items: int = 30  # items that both bidders priced, without published prices
    min_share: float = 0.8  # of these items, alike
    min_price_cny: float = 1.0  # yuan; a cheaper item is left out: its rounding alone makes it alike
    min_distance_cny: float = 0.1  # yuan; a smaller distance of all items is rounding and no distance
    sample_items: int = 50  # items by which pairs are chosen for a comparison of all items
    min_sample_share: float = 0.6  # of these items, alike: one in a thousand pairs with 80 % in all has fewer


class Alike(NamedTuple):
    """How alike pairs of bidders are; every array has the shape (pairs,).

    ``first``, ``second``: positions of the bidders. ``items``: items that both priced. ``share``: of these, in
    the relation that fits most. ``kind``: position in `RELATIONS`. ``factor``: the ratio or the distance.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    items: NDArray[np.int64]
    share: NDArray[np.float64]
    kind: NDArray[np.int64]
    factor: NDArray[np.float64]


#: What two lists can be to each other. A ratio of one is equality.
RELATIONS = ("equal 相同", "ratio 比例", "distance 差额")

CENT = 0.01

#: Cells of one comparison, and rows read at once: keeps the arrays in tens of megabytes.
CELLS, ROWS = 2_000_000, 1_000_000

SIZES = """
SELECT lot_id, count(*) AS rows
FROM core.priced_items
GROUP BY lot_id
HAVING count(DISTINCT bidder_id) > 1
ORDER BY lot_id
"""

# An item that was marked as published by one sender is published for all.
ITEMS = """
WITH published AS (
    SELECT lot_id, item_code
    FROM core.priced_items
    WHERE is_published_price AND lot_id BETWEEN $first_lot AND $last_lot
    GROUP BY lot_id, item_code
)
SELECT i.lot_id, i.bidder_id, i.item_code, CAST(i.unit_price AS DOUBLE) AS unit_price
FROM core.priced_items AS i
LEFT JOIN published AS p ON p.lot_id = i.lot_id AND p.item_code = i.item_code
WHERE i.lot_id BETWEEN $first_lot AND $last_lot AND i.currency = 'CNY' AND i.unit_price >= $min_price_cny
  AND p.lot_id IS NULL
ORDER BY i.lot_id, i.bidder_id, i.item_code
"""


NEEDS = (
    Need(
        "no priced bills of quantities delivered",
        "未提供已标价工程量清单",
        "SELECT DISTINCT lot_id AS unit FROM core.priced_items",
    ),
    Need(
        "only one bidder's bill of quantities delivered",
        "仅提供一家投标人的已标价工程量清单",
        f"SELECT lot_id AS unit FROM ({SIZES}) AS bills",
    ),
    Need(
        "no two bidders priced enough of the same items in yuan, published and cheap items left out",
        "任意两家以人民币共同报价的清单项不足（已剔除公布价和低价项）",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which two bidders priced enough items of one bill.

    Bidders tied by pairs that are alike are one row, with the pair that is alike the least; a lot without
    such a pair has one row, with the pair that is alike the most.
    """
    judged = [_judged(lot, prices, limits) for lot, prices in _bills(engine, limits)]
    frame = pd.concat([_NOTHING, *judged], ignore_index=True).astype(_NOTHING.dtypes)
    frame = frame.sort_values(["unit", "entities"], ignore_index=True)
    return frame.assign(flagged=frame["value"] >= limits.min_share)


def alike(prices: NDArray[np.float64], seed: str, limits: Limits) -> Alike:
    """Compare the price lists of all pairs of bidders.

    Pairs that are not alike in a sample of the items are not compared in all of them: an opening with 2,000
    bidders has two million pairs.

    Args:
        prices: in yuan, NaN where a bidder did not price the item, shape (bidders, items).
        seed: text from which the sample is drawn, so that a second run draws the same.
        limits: the number of items, the sample, and the least distance.

    Returns:
        Every pair with enough items in common; for pairs left out after the sample what it showed.
    """
    known = (~np.isnan(prices)).astype(np.float32)
    common = np.rint(known @ known.T).astype(np.int64)
    first, second = np.nonzero(np.triu(common >= limits.min_items, k=1))
    if prices.shape[1] <= limits.sample_items:
        return _compared(prices, first, second, limits.min_distance_cny)
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    sample = rng.choice(prices.shape[1], limits.sample_items, replace=False)
    rough = _compared(prices[:, sample], first, second, limits.min_distance_cny)
    whole = rough.share >= limits.min_sample_share
    exact = _compared(prices, first[whole], second[whole], limits.min_distance_cny)
    for column, found in zip(rough[3:], exact[3:], strict=True):
        column[whole] = found
    return rough._replace(items=common[first, second])


def _compared(
    prices: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64], min_distance: float
) -> Alike:
    """Compare all items of the pairs given."""
    found = Alike(
        first,
        second,
        np.zeros(len(first), dtype=np.int64),
        np.zeros(len(first)),
        np.zeros(len(first), dtype=np.int64),
        np.ones(len(first)),
    )
    step = max(CELLS // max(prices.shape[1], 1), 1)
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        one, other = prices[first[part]], prices[second[part]]
        count = (~np.isnan(one + other)).sum(axis=1)
        ratio = _ratio(one, other, _median(other / one, count))
        distance = _median(other - one, count)
        # Half a cent of rounding on both sides.
        slack = 0.5 * CENT * (1 + ratio[:, None]) + 1e-9
        fits = np.stack(
            [
                (np.abs(other - one) < 0.5 * CENT).sum(axis=1),
                (np.abs(other - ratio[:, None] * one) <= slack).sum(axis=1),
                (np.abs(other - one - distance[:, None]) <= CENT + 1e-9).sum(axis=1)
                * (np.abs(distance) >= min_distance),
            ]
        )
        kind = fits.argmax(axis=0)
        found.items[part] = count
        found.share[part] = fits.max(axis=0) / np.maximum(count, 1)
        found.kind[part] = kind
        found.factor[part] = np.choose(kind, [np.ones_like(ratio), ratio, distance])
    return found


def _ratio(
    one: NDArray[np.float64], other: NDArray[np.float64], rough: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the ratio of two lists as exactly as their dearest items give it, shape (pairs,).

    The ratio of two cheap prices is off by up to a cent of them, so the items near the rough ratio are weighted
    by their price, in steps of closer nearness.
    """
    ratio = rough
    for nearness in (1e-2, 1e-3, 1e-4):
        off = np.abs(other - ratio[:, None] * one)
        is_near = off <= 0.5 * CENT * (1 + ratio[:, None]) + nearness * one
        value, weight = np.where(is_near, other / one, np.inf), np.where(is_near, one, 0.0)
        order = np.argsort(value, axis=1)
        summed = np.take_along_axis(weight, order, axis=1).cumsum(axis=1)
        middle = (summed >= summed[:, -1:] / 2).argmax(axis=1)
        near = np.take_along_axis(value, np.take_along_axis(order, middle[:, None], axis=1), axis=1)[:, 0]
        ratio = np.where(is_near.any(axis=1), near, ratio)
    # The squares give the last digits to the dearest items.
    squares = np.where(is_near, one * one, 0.0).sum(axis=1)
    products = np.where(is_near, one * other, 0.0).sum(axis=1)
    return np.where(squares > 0, products / np.where(squares > 0, squares, 1.0), ratio)


def _median(values: NDArray[np.float64], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the lower median of each row, an actual value, NaN left out; 1 where there is none."""
    ordered = np.sort(values, axis=1)
    middle = np.take_along_axis(ordered, np.maximum(count - 1, 0)[:, None] // 2, axis=1)[:, 0]
    return np.where(count > 0, middle, 1.0)


def _bills(engine: Engine, limits: Limits) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give the prices of every lot with two bills, items as columns, some lots read at a time."""
    sizes = engine.run(SIZES).to_pandas()
    slices = (sizes["rows"].cumsum() // ROWS).rename("slice")
    for _, lots in sizes.groupby(slices):
        items = engine.run(
            ITEMS,
            {
                "first_lot": lots["lot_id"].iloc[0],
                "last_lot": lots["lot_id"].iloc[-1],
                "min_price_cny": limits.min_price_cny,
            },
        ).to_pandas()
        for lot, rows in items.groupby("lot_id"):
            yield str(lot), rows.pivot_table(index="bidder_id", columns="item_code", values="unit_price")


def _judged(lot: str, prices: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Judge one lot."""
    pairs = alike(prices.to_numpy(), lot, limits)
    if len(pairs.first) == 0:
        return _NOTHING
    bidders = prices.index.to_numpy()
    frame = pd.DataFrame(pairs._asdict())
    close = frame[frame["share"] >= limits.min_share]
    if close.empty:
        rows = frame.sort_values(["share", "first", "second"], ascending=[False, True, True]).head(1)
        members = [bidders[rows[["first", "second"]].to_numpy()[0]]]
    else:
        tied = coo_array(
            (np.ones(len(close)), (close["first"], close["second"])), shape=(len(bidders), len(bidders))
        )
        _, group = connected_components(tied, directed=False)
        rows = (
            close.assign(group=group[close["first"]])
            .sort_values(["group", "share", "first", "second"])
            .drop_duplicates("group")
        )
        members = [bidders[group == each] for each in rows["group"]]
    return pd.DataFrame(
        {
            "unit": lot,
            "entities": [SEPARATOR.join(names) for names in members],
            "value": rows["share"].to_numpy(),
            "bidders": len(bidders),
            "items": rows["items"].to_numpy(),
            "relation": [RELATIONS[kind] for kind in rows["kind"]],
            "factor": rows["factor"].to_numpy(),
            "usual_share": float(np.median(pairs.share)),
        }
    )


_NOTHING = pd.DataFrame(
    {
        "unit": pd.Series(dtype="str"),
        "entities": pd.Series(dtype="str"),
        "value": pd.Series(dtype="float64"),
        "bidders": pd.Series(dtype="int64"),
        "items": pd.Series(dtype="int64"),
        "relation": pd.Series(dtype="str"),
        "factor": pd.Series(dtype="float64"),
        "usual_share": pd.Series(dtype="float64"),
    }
)
