"""The market that rings are searched in: who bid where, how the prices lay, what bidders of a lot shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Engine
from detectors.registry import Loaded

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: How the price of a lot decides: the lowest wins (also as a share of a score), or a mean of the prices does.
LOWEST, AVERAGE, UNKNOWN = 0, 1, 2


@dataclass(frozen=True)
class Market:
    """Lots with their bids, and the ties inside lots.

    A tie is a set of bidders of one lot that share something (a device, an account, a person, seconds of upload); the
    sets of one kind that have a bidder in common are one tie.

    Attributes:
        lot_id, firm_id: what the positions mean; shapes (lots,), (firms,).
        family: `LOWEST`, `AVERAGE` or `UNKNOWN`; shape (lots,).
        place: market of the lot (class and region) as a number, -1 where it has no class; shape (lots,).
        quarter: of the opening, -1 unknown; shape (lots,).
        lot, firm: of each bid, sorted by lot; shape (bids,).
        price: logarithm of the price as a share of the ceiling, or of the lot's median price where there is no ceiling;
            NaN without a price that can be compared; shape (bids,).
        has_ceiling: ``price`` is a share of the ceiling; shape (lots,).
        is_whole: no bid of the lot is missing or unread; shape (lots,).
        kinds: names of the kinds of ties; shape (kinds,).
        is_lasting: a tie of the kind lasts (it is registered, such as ownership): it is one fact however many lots show it;
            shape (kinds,).
        tie_lot, tie_kind: of each tie; shape (ties,).
        tied_tie, tied_bid: which bid is in which tie, sorted by tie; shape (tied,).
        judged: lots in which a kind of tie could be looked for at all; shape (kinds, lots).
    """

    lot_id: NDArray[np.object_]
    firm_id: NDArray[np.object_]
    family: Ints
    place: Ints
    quarter: Ints
    lot: Ints
    firm: Ints
    price: Floats
    has_ceiling: Bools
    is_whole: Bools
    kinds: tuple[str, ...]
    is_lasting: Bools
    tie_lot: Ints
    tie_kind: Ints
    tied_tie: Ints
    tied_bid: Ints
    judged: Bools

    @cached_property
    def bids(self) -> Ints:
        """Number of bids of each lot; shape (lots,)."""
        return np.bincount(self.lot, minlength=len(self.lot_id))

    @property
    def is_looked_at(self) -> Bools:
        """Lots in which any kind of tie could be looked for; shape (lots,)."""
        return np.asarray(self.judged.any(axis=0))

    @cached_property
    def first(self) -> Ints:
        """Position of the first bid of each lot, and of the end; shape (lots + 1,)."""
        return np.concatenate(([0], np.cumsum(self.bids)))

    def keeping(self, kept: Bools) -> Market:
        """Return the market with some of its ties; ``kept`` of shape (ties,)."""
        place = np.cumsum(kept) - 1
        inside = kept[self.tied_tie]
        return replace(
            self,
            tie_lot=self.tie_lot[kept],
            tie_kind=self.tie_kind[kept],
            tied_tie=place[self.tied_tie[inside]],
            tied_bid=self.tied_bid[inside],
        )


@dataclass(frozen=True)
class Runs:
    """Values of many keys, contiguous per key."""

    first: Ints
    values: Ints

    @classmethod
    def of(cls, keys: Ints, values: Ints, count: int) -> Runs:
        """Sort values by their key, a number below ``count``."""
        order = np.argsort(keys, kind="stable")
        return cls(np.concatenate(([0], np.cumsum(np.bincount(keys, minlength=count)))), values[order])

    def at(self, keys: Ints) -> tuple[Ints, Ints]:
        """Return the values of some keys, each with the place of its key among them."""
        start = self.first[keys]
        size = self.first[keys + 1] - start
        ends = np.cumsum(size)
        total = int(ends[-1]) if len(ends) else 0
        place = np.repeat(np.arange(len(keys)), size)
        return place, self.values[np.repeat(start - (ends - size), size) + np.arange(total)]


BIDS = """
SELECT b.lot_id, b.bidder_id,
       CASE WHEN b.is_valid AND b.price > 0 THEN CAST(b.price AS DOUBLE) END AS price,
       CASE WHEN l.ceiling_price > 0 AND l.currency IS NOT DISTINCT FROM b.currency
            THEN CAST(l.ceiling_price AS DOUBLE) END AS ceiling,
       coalesce(l.award_method, '') AS award_method,
       CASE WHEN l.class = '' THEN '' ELSE l.class || ' ' || coalesce(l.region_code, '') END AS place,
       coalesce(CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) * 4
           + CAST(EXTRACT(QUARTER FROM l.opened_on) AS INTEGER), -1) AS quarter,
       NOT coalesce(l.is_incomplete, FALSE) AS is_whole,
       p.lot_id IS NOT NULL AS is_priced
FROM core.bids AS b
JOIN core.lots AS l ON l.lot_id = b.lot_id
LEFT JOIN feat.priced_lots AS p ON p.lot_id = b.lot_id
ORDER BY b.lot_id, b.bidder_id
"""

TIES = """
SELECT s.detector, s.unit AS lot_id, s.entities
FROM risk.screened AS s
WHERE s.flagged AND s.detector IN (SELECT unnest($kinds)) AND s.entities LIKE '%;%'
ORDER BY s.detector, s.unit, s.entities
"""

JUDGED = """
SELECT DISTINCT s.detector, s.unit AS lot_id
FROM risk.screened AS s
WHERE s.detector IN (SELECT unnest($kinds))
"""

#: Families of detectors that say what bidders share.
FAMILIES_OF_TIES = ("collusion", "contacts", "documents")

#: Tables of facts that stand however many lots a firm bids for.
LASTING_TABLES = ("parties", "relations")

FAMILIES = {"lowest_price": LOWEST, "comprehensive_score": LOWEST, "average_price": AVERAGE}


def kinds_of_ties(detectors: Sequence[Loaded]) -> dict[str, bool]:
    """Return the detectors whose flagged rows name bidders of a lot that share something which is not a price.

    Returns:
        by id, whether such a tie lasts: it is registered with the parties or their relations.
    """
    return {
        each.id: any(cell.split(".")[0] in LASTING_TABLES for cell in each.facts.evidence)
        for each in detectors
        if each.facts.unit == "lot"
        and each.family.id in FAMILIES_OF_TIES
        and not any(cell.startswith("bids.price") or "price" in cell for cell in each.facts.evidence)
    }


def read(engine: Engine, kinds: Mapping[str, bool]) -> Market:
    """Read the market of a snapshot that was screened.

    Args:
        engine: of the snapshot.
        kinds: of `kinds_of_ties`.
    """
    bids = engine.run(BIDS).combine_chunks()
    lot, lot_id = encoded(bids["lot_id"])
    firm, firm_id = encoded(bids["bidder_id"])
    place, places = encoded(bids["place"])
    first = np.flatnonzero(np.append(True, lot[1:] != lot[:-1])[: len(lot)])
    method, methods = encoded(bids["award_method"])
    family_of = np.array([FAMILIES.get(str(name), UNKNOWN) for name in methods], dtype=np.int64)
    has_price = bids["is_priced"].to_numpy(zero_copy_only=False)
    price = np.where(has_price, numbers(bids["price"]), np.nan)
    ceiling = numbers(bids["ceiling"])
    has_ceiling = ~np.isnan(ceiling[first])
    with np.errstate(invalid="ignore"):
        base = np.where(np.isnan(ceiling), medians(price, lot, len(lot_id))[lot], ceiling)
        logged = np.log(price / base)
    names = np.append(places, "")
    tied = engine.run(TIES, {"kinds": list(kinds)}).combine_chunks()
    judged = engine.run(JUDGED, {"kinds": list(kinds)}).combine_chunks()
    lots = pa.array(lot_id, pa.string())
    could = np.zeros((len(kinds), len(lot_id)), dtype=bool)
    seen = pc.index_in(judged["lot_id"], lots).to_numpy(zero_copy_only=False)
    of = pc.index_in(judged["detector"], pa.array(list(kinds), pa.string())).to_numpy(zero_copy_only=False)
    is_known = ~np.isnan(seen.astype(float))
    could[of[is_known].astype(np.int64), seen[is_known].astype(np.int64)] = True
    return Market(
        lot_id=lot_id,
        firm_id=firm_id,
        family=family_of[method[first]],
        place=np.where(names[place[first]] == "", -1, place[first]),
        quarter=bids["quarter"].to_numpy().astype(np.int64)[first],
        lot=lot,
        firm=firm,
        price=logged,
        has_ceiling=has_ceiling,
        is_whole=bids["is_whole"].to_numpy(zero_copy_only=False)[first],
        kinds=tuple(kinds),
        is_lasting=np.array(list(kinds.values()), dtype=bool),
        **_ties(tied, tuple(kinds), lot_id, firm_id, lot, firm),
        judged=could,
    )


def _ties(
    tied: pa.Table,
    kinds: tuple[str, ...],
    lot_id: NDArray[np.object_],
    firm_id: NDArray[np.object_],
    lot: Ints,
    firm: Ints,
) -> dict[str, Ints]:
    """Return the ties of `Market`: one per kind and set of bidders of a lot."""
    listed = pc.split_pattern(tied["entities"].combine_chunks(), SEPARATOR)
    sizes = pc.list_value_length(listed).to_numpy(zero_copy_only=False).astype(np.int64)
    row = np.repeat(np.arange(tied.num_rows), sizes)
    at = pc.index_in(tied["lot_id"], pa.array(lot_id, pa.string())).to_numpy(zero_copy_only=False)
    who = pc.index_in(pc.list_flatten(listed), pa.array(firm_id, pa.string())).to_numpy(zero_copy_only=False)
    at, who = (
        np.nan_to_num(at.astype(float), nan=-1).astype(np.int64),
        np.nan_to_num(who.astype(float), nan=-1),
    )
    key = lot * len(firm_id) + firm
    wanted = at[row] * len(firm_id) + who.astype(np.int64)
    found = np.minimum(np.searchsorted(key, wanted), max(len(key) - 1, 0))
    is_bid = (key[found] == wanted) & (who >= 0) & (at[row] >= 0) if len(key) else np.zeros(len(row), bool)
    row, bid = row[is_bid], found[is_bid]
    kept = np.flatnonzero(np.bincount(row, minlength=tied.num_rows) >= 2)
    is_kept = np.isin(row, kept)
    of = pc.index_in(tied["detector"], pa.array(list(kinds), pa.string())).to_numpy(zero_copy_only=False)
    return {
        "tie_lot": at[kept],
        "tie_kind": of[kept].astype(np.int64),
        "tied_tie": np.searchsorted(kept, row[is_kept]),
        "tied_bid": bid[is_kept],
    }


def encoded(column: pa.ChunkedArray) -> tuple[Ints, NDArray[np.object_]]:
    """Return a text column as positions in its sorted distinct texts, and these texts."""
    code = column.combine_chunks().dictionary_encode()
    texts = code.dictionary.to_numpy(zero_copy_only=False)
    order = np.argsort(texts)  # of the distinct texts only
    rank = np.empty(len(texts), np.int64)
    rank[order] = np.arange(len(texts))
    return rank[code.indices.to_numpy(zero_copy_only=False)], texts[order]


def numbers(column: pa.ChunkedArray) -> Floats:
    """Return a column as floats, NaN where it is null."""
    values: Floats = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def medians(values: Floats, group: Ints, groups: int) -> Floats:
    """Return the median of each group, NaN where it has no number; shape (groups,)."""
    is_number = ~np.isnan(values)
    values, group = values[is_number], group[is_number]
    order = np.lexsort((values, group))
    values, sizes = values[order], np.bincount(group, minlength=groups)
    start = np.cumsum(sizes) - sizes
    found = np.full(groups, np.nan)
    has = sizes > 0
    low, high = start + (sizes - 1) // 2, start + sizes // 2
    found[has] = (values[low[has]] + values[high[has]]) / 2
    return found
