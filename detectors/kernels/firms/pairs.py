"""Who meets whom: joint tenders of two bidders. How many chance would give them stands in `chances`.

A firm that bids for several lots of one tender, or again after a failed round, meets its rivals there
once: what is counted is the tender (the lot where no tender is known), called an occasion here.
Pairs are counted by sparse products of slices of firms, so that an opening with 2,000 bidders and a
firm in 10,000 lots cost no more memory than one slice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from detectors.interface import Engine, Need
from detectors.kernels.prices.reference_classes import BANDS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Cells that one slice of a sparse table or product may hold: keeps it in tens of megabytes.
SLICE_CELLS = 2_000_000


OCCASIONS = """
SELECT coalesce(l.tender_id, l.lot_id) AS occasion,
       min(NULLIF(l.class, '')) || ' ' || coalesce(min(l.project_type), '') AS class,
       min(l.region_code) AS region,
       min(CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) * 4
           + CAST(EXTRACT(QUARTER FROM l.opened_on) AS INTEGER)) AS quarter
FROM core.lots AS l
WHERE EXISTS (SELECT 1 FROM core.bids AS b WHERE b.lot_id = l.lot_id)
GROUP BY coalesce(l.tender_id, l.lot_id)
ORDER BY occasion
"""

CAME = """
SELECT DISTINCT coalesce(l.tender_id, l.lot_id) AS occasion, b.bidder_id
FROM core.bids AS b
JOIN core.lots AS l ON l.lot_id = b.lot_id
"""

#: The firms of each occasion with a known trade class.
CAME_IN_CLASS = f"""
SELECT came.occasion, came.bidder_id
FROM ({CAME}) AS came
JOIN ({OCCASIONS.replace("ORDER BY occasion", "")}) AS o ON o.occasion = came.occasion
WHERE o.class IS NOT NULL
"""

#: A pair can have met no more often than each of its firms came.
ENOUGH_TENDERS = Need(
    "bid for too few tenders",
    "参加投标的项目数不足",
    f"SELECT bidder_id AS unit FROM ({CAME}) AS came GROUP BY bidder_id HAVING count(*) >= $min_joint",
)

#: What the strata are cut by, from the narrowest. The number of bidders is never dropped: where many
#: firms come to one lot, any two of them meet.
LEVELS = (
    ("class", "band", "region", "quarter"),
    ("class", "band", "region", "year"),
    ("class", "band", "region"),
    ("class", "band"),
)


@dataclass(frozen=True)
class Meetings:
    """Who came to which occasion.

    Attributes:
        firms: bidder ids in order, shape (firms,).
        came: firm x occasion, 1 where it came.
        by_stratum: firm x stratum, occasions of the stratum that the firm came to.
        size: occasions of each stratum, shape (strata,).
    """

    firms: NDArray[np.object_]
    came: Any
    by_stratum: Any
    size: Ints


class Pairs(NamedTuple):
    """Pairs of firms; every array has the shape (pairs,).

    ``first`` and ``second`` are positions in `Meetings.firms`, first < second; ``joint`` their joint
    occasions.
    """

    first: Ints
    second: Ints
    joint: Ints


def meetings(engine: Engine, min_stratum: int, *, in_class: bool = False) -> Meetings:
    """Read who came to which occasion, and cut the occasions into strata.

    A stratum holds occasions of one market class, one band of bidders, one region and one quarter. Strata with fewer
    than ``min_stratum`` occasions are pooled over the year, all years and all regions. Occasions without a class
    are of one class, or are left out if ``in_class``.
    """
    occasions: pd.DataFrame = engine.run(OCCASIONS).to_pandas()
    if in_class:
        occasions = occasions[occasions["class"].notna()].reset_index(drop=True)
    came: pd.DataFrame = engine.run(CAME_IN_CLASS if in_class else CAME).to_pandas()
    firm, firms = pd.factorize(came["bidder_id"], sort=True)
    occasion = pd.Index(occasions["occasion"]).get_indexer(pd.Index(came["occasion"]))
    stratum = _strata(occasions, np.bincount(occasion, minlength=len(occasions)), min_stratum)
    ones = np.ones(len(came))
    strata = int(stratum.max()) + 1 if len(stratum) else 0
    return Meetings(
        firms=np.asarray(firms, dtype=object),
        came=csr_array((ones, (firm, occasion)), shape=(len(firms), len(occasions))),
        by_stratum=csr_array((ones, (firm, stratum[occasion])), shape=(len(firms), strata)),
        size=np.bincount(stratum, minlength=strata).astype(np.int64),
    )


def frequent_pairs(came: Any, min_joint: int) -> Pairs:
    """Return the pairs of firms with at least ``min_joint`` joint occasions.

    Args:
        came: firm x occasion, sparse, 1 where the firm came.
        min_joint: 1 or more.
    """
    found = [_frequent_of(came, part, min_joint) for part in _slices(came, min_joint)]
    if not found:
        nothing = np.empty(0, dtype=np.int64)
        return Pairs(nothing, nothing, nothing)
    return Pairs(*(np.concatenate(columns) for columns in zip(*found, strict=True)))


def possible_pairs(met: Meetings, min_joint: int) -> int:
    """Return how many pairs could have met so often: both came to as many occasions, some of them in one stratum."""
    busy = met.by_stratum[np.flatnonzero(np.diff(met.came.indptr) >= min_joint)]
    cells = np.minimum(busy @ np.bincount(busy.indices, minlength=busy.shape[1]), busy.shape[0])
    runs = _runs(np.arange(busy.shape[0]), cells)
    # Every firm shares a stratum with itself, and every pair stands twice.
    shared = sum(int((busy[part] @ busy.T).nnz) for part in runs)
    return (shared - int(busy.shape[0])) // 2


def pair_sums(one: Any, other: Any, pairs: Pairs) -> Floats:
    """Return, for every pair, the sum over occasions of ``one`` of its first times ``other`` of its second.

    Args:
        one, other: firm x occasion, sparse.
        pairs: the pairs.
    """
    sums = np.empty(len(pairs.joint))
    for part in parts(one, other, pairs):
        sums[part] = one[pairs.first[part]].multiply(other[pairs.second[part]]).sum(axis=1)
    return sums


def q_values(p_values: Floats, tests: int) -> Floats:
    """Return Benjamini-Hochberg q-values.

    Args:
        p_values: of the tests that were looked at, shape (k,).
        tests: all tests that could have been looked at, at least k; those left out count as p = 1.
    """
    order = np.argsort(p_values, kind="stable")
    ranked = p_values[order] * tests / np.arange(1, len(p_values) + 1)
    result = np.empty(len(p_values))
    result[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return result


def _strata(occasions: pd.DataFrame, bidders: Ints, min_stratum: int) -> Ints:
    """Return the stratum of every occasion, numbered from 0."""
    # Above the last band lots of 30 and of 300 bidders must not be mixed: doublings follow.
    bands = np.concatenate((BANDS, BANDS[-1] * 2 ** np.arange(1, 12)))
    keys = occasions.assign(
        band=np.searchsorted(bands, bidders, side="right"),
        year=(occasions["quarter"] - 1) // 4,
    )
    result = pd.Series(-1, index=keys.index)
    used = 0
    for level in LEVELS:
        is_open = result < 0
        groups = keys[is_open].groupby(list(level), dropna=False, sort=True)
        number, size = groups.ngroup(), groups[level[0]].transform("size")
        chosen = number.index if level is LEVELS[-1] else number.index[size >= min_stratum]
        result.loc[chosen] = number.loc[chosen] + used
        used += int(number.max()) + 1 if len(number) else 0
    return np.unique(result.to_numpy(), return_inverse=True)[1].astype(np.int64)


def _slices(came: Any, min_joint: int) -> Iterator[Ints]:
    """Give the firms with enough occasions, so many at once that their product stays small."""
    many = np.flatnonzero(np.diff(came.indptr) >= min_joint).astype(np.int64)
    sizes = np.bincount(came.indices, minlength=came.shape[1])
    # A firm meets at most all others, and at most as many as came to its occasions.
    cells = np.minimum(came @ sizes, came.shape[0])[many]
    yield from _runs(many, cells)


def _runs(firms: Ints, cells: Ints) -> Iterator[Ints]:
    """Cut the firms where the cells of their products add up to a slice."""
    starts = np.flatnonzero(np.diff(np.cumsum(cells) // SLICE_CELLS, prepend=-1))
    yield from np.split(firms, starts[1:])


def parts(one: Any, other: Any, pairs: Pairs) -> Iterator[slice]:
    """Give runs of pairs whose rows, taken out of ``one`` and ``other``, together stay small."""
    cells = np.diff(one.indptr)[pairs.first] + np.diff(other.indptr)[pairs.second]
    run = np.cumsum(cells, dtype=np.int64) // SLICE_CELLS
    edges = [0, *(np.flatnonzero(np.diff(run)) + 1).tolist(), len(run)]
    yield from (slice(start, end) for start, end in pairwise(edges) if end > start)


def _frequent_of(came: Any, part: Ints, min_joint: int) -> Pairs:
    """Return the frequent pairs whose first firm is in ``part``."""
    product = (came[part] @ came.T).tocoo()
    first, second = part[product.row], product.col.astype(np.int64)
    chosen = (first < second) & (product.data >= min_joint)
    order = np.lexsort((second[chosen], first[chosen]))
    joint = product.data[chosen].astype(np.int64)
    return Pairs(first[chosen][order], second[chosen][order], joint[order])
