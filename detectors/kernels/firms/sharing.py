"""Shared identities: the same code, account or person behind different bidders of one lot.

Every such detector selects who holds which value. `shared` finds the bidders that hold the same one, and says
how rare the value is.

A value says little where many unrelated firms hold it: a copy shop's computer, the address of a carrier, an
agency's phone. So it is counted over all lots how many hold it, and measured how often they meet in lots.
Customers of one copy shop meet each other as often as they meet anybody. A group that bids together meets
more often.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from detectors.interface import SEPARATOR

#: Values listed in one row of evidence. The count is always complete.
LISTED = 5

#: Entries that a temporary sparse matrix may hold. Bounds memory only: some tens of megabytes.
ENTRIES = 4_000_000

#: Start of every query that gives `shared` its frame. ``one_bid`` says which bidder of the lot an
#: organisation belongs to: the members of a joint venture (联合体) share everything lawfully and
#: count as one bidder, also where a file or a person was delivered under a member's own code.
ONE_BID = """
WITH one_bid AS (
    SELECT lot_id, party_id, min(bidder_id) AS bidder_id
    FROM core.bid_members
    WHERE is_joint_venture_member
    GROUP BY lot_id, party_id
)
"""

#: To be added to `ONE_BID`: the organisations behind the bids of every lot, each with its one bid.
SEATS = """,
seats AS (
    SELECT DISTINCT m.lot_id, coalesce(o.bidder_id, m.bidder_id) AS bidder_id, m.party_id
    FROM core.bid_members AS m
    LEFT JOIN one_bid AS o ON o.lot_id = m.lot_id AND o.party_id = m.party_id
)
"""

#: To be added to `ONE_BID`: the registered phones of the lot's own agency and buyer.
OFFICE_PHONES = """,
office_phones AS (
    SELECT l.lot_id, p.phone FROM core.lots AS l JOIN core.parties AS p ON p.party_id = l.agency_code
    UNION
    SELECT l.lot_id, p.phone FROM core.lots AS l JOIN core.parties AS p ON p.party_id = l.buyer_code
)
"""


def shared(held: pa.Table, max_holders: int, few_holders: int, min_meeting_odds: float = 0.0) -> pd.DataFrame:
    """Find the values that two or more bidders of a lot hold.

    Args:
        held: columns ``lot_id``, ``bidder_id`` and ``shared_value`` (text, never null), one row
            or more per bidder and value. What may not count (placeholders, the buyer's own
            values) is not in it.
        max_holders: bidders over all lots. A value of more belongs to a service company, an agency or a
            cloned image and not to a ring: it is a hub.
        few_holders: bidders over all lots. A value of no more is rare, whoever they are. How the bidders of
            a value meet is measured only where more hold it.
        min_meeting_odds: a value of more than ``few_holders`` is a hub, too, where its ``meeting_odds``
            are below this: its bidders meet no more often than strangers. 0: never.

    Returns:
        One row per lot and set of bidders that hold the same values. One row with value 0 for a
        lot in which at least two bidders hold a value and none is shared. No row for other lots.
        Columns: ``unit``; ``entities``; ``value`` (bidders in the set); ``holders`` (bidders of the lot that
        hold any value); ``shared_count`` (values shared by the set); ``shared_values`` (the first `LISTED`).
        Of the most widely held of these values: ``most_holders`` (bidders that hold it, over all
        lots), ``most_lots`` (lots in which it was found) and ``meeting_odds`` (odds that those that
        share it meet elsewhere, as a multiple of the odds that each of them meets its other rivals;
        1 is chance; null where no more than ``few_holders`` hold it). Hubs are left out, counted
        and named: ``left_out`` (hubs found in the lot); ``hub``, ``hub_bidders`` and ``hub_lots``
        (the most widely held one that two or more bidders of the lot hold; empty and 0 where
        there is none).
    """
    lot, lots = _encoded(held, "lot_id")
    bidder, bidders = _encoded(held, "bidder_id")
    code, texts = _encoded(held, "shared_value")
    # One row per lot, value and bidder, as three small integers.
    pairs = _distinct(np.stack([lot, code, bidder], axis=1))
    lots_of = np.bincount(_distinct(pairs[:, :2])[:, 1], minlength=len(texts))
    holders_of = np.bincount(_distinct(pairs[:, 1:])[:, 0], minlength=len(texts))
    present = _distinct(pairs[:, [0, 2]])
    holders = np.bincount(present[:, 0], minlength=len(lots))

    together = pairs[_is_together(pairs)]
    many = (holders_of > few_holders) & (holders_of <= max_holders)
    odds = np.full(len(texts), np.nan)
    if many[together[:, 1]].any():
        odds = _meeting_odds(together[many[together[:, 1]]], present, len(texts))
    is_hub = (holders_of > max_holders) | (many & (odds < min_meeting_odds))

    left_out = np.bincount(_distinct(pairs[is_hub[pairs[:, 1]]][:, :2])[:, 0], minlength=len(lots))
    sets = _sets(together[~is_hub[together[:, 1]]], bidders, texts, holders_of)
    clean = np.setdiff1d(np.flatnonzero(holders > 1), sets["lot"].to_numpy(dtype=np.int64))
    rows = pd.concat(
        [
            sets,
            pd.DataFrame({"lot": clean, "value": 0, "shared_count": 0, "shared_values": "", "code": -1}),
        ],
        ignore_index=True,
    )
    at = rows["lot"].to_numpy(dtype=np.int64)
    of = rows["code"].to_numpy(dtype=np.int64)
    hub = _widest_hubs(together[is_hub[together[:, 1]]], holders_of, texts, len(lots))[at]
    frame = pd.DataFrame(
        {
            "unit": pd.Series(lots[at], dtype="str"),
            "entities": rows["entities"].astype("str"),
            "value": rows["value"].astype("float64"),
            "holders": holders[at],
            "shared_count": rows["shared_count"].astype("int64"),
            "shared_values": rows["shared_values"].astype("str"),
            "most_holders": _taken(holders_of, of),
            "most_lots": _taken(lots_of, of),
            "meeting_odds": np.append(odds, np.nan)[of],
            "left_out": left_out[at],
            "hub": pd.Series(np.append(texts, "")[hub], dtype="str"),
            "hub_bidders": _taken(holders_of, hub),
            "hub_lots": _taken(lots_of, hub),
        }
    )
    return frame.sort_values(["unit", "entities"], ignore_index=True)


def _sets(
    rows: NDArray[np.int64],
    bidders: NDArray[np.object_],
    texts: NDArray[np.object_],
    holders_of: NDArray[np.int64],
) -> pd.DataFrame:
    """Return one row per lot and set of bidders that hold the same values; ``code``: the most widely held of these.

    Args:
        rows: lot, value and bidder, as positions, of values that count; shape (rows, 3).
        bidders, texts: what the positions mean.
        holders_of: bidders that hold each value, over all lots.
    """
    kept = pd.DataFrame(rows, columns=["lot", "code", "bidder"])
    kept = kept.assign(
        bidder=bidders[kept["bidder"]], text=texts[kept["code"]], known=holders_of[kept["code"]]
    )
    sets = (
        kept.sort_values(["lot", "text", "bidder"])
        .groupby(["lot", "text"], sort=False)
        .agg(
            entities=("bidder", SEPARATOR.join),
            value=("bidder", "size"),
            known=("known", "first"),
            code=("code", "first"),
        )
        .reset_index()
    )
    widest = sets.sort_values(["known", "text"], ascending=[False, True]).drop_duplicates(["lot", "entities"])
    found: pd.DataFrame = (
        sets.groupby(["lot", "entities"], sort=False)
        .agg(value=("value", "first"), shared_count=("text", "size"), shared_values=("text", _listed))
        .reset_index()
        .merge(widest[["lot", "entities", "code"]], on=["lot", "entities"])
    )
    return found


def _meeting_odds(
    together: NDArray[np.int64], present: NDArray[np.int64], values: int
) -> NDArray[np.float64]:
    """Return by how much the odds of meeting elsewhere are raised among bidders that share a value.

    Two bidders that share the value in a lot have met there. What counts is in how many other lots they meet.
    A busy rival is met more often than others, and a busy bidder meets everybody. So each bidder is compared
    with itself. Its usual rivals are those that share nothing with it. It is present in some part of their
    other lots. By chance it is present in the same part of the other lots of those that share the value.

    Odds are compared and not parts, because in a small market the usual part is large already and nobody meets
    in more than all lots. The odds ratio is (met + 1) / (not met + 1), over the same of what is usual: few
    meetings give about 1. All four are sums over the bidders and lots of the value, of the mean over the rivals
    in that lot, so that lots count alike, whatever their number of bids. NaN for values not in ``together``.

    Args:
        together: one row per lot, value and bidder, where at least two bidders of the lot hold the
            value; sorted, shape (rows, 3).
        present: one row per lot and bidder, shape (rows, 2).
        values: number of values.
    """
    lots, bidders = present.max(axis=0) + 1
    bids = sparse.csr_array((np.ones(len(present)), (present[:, 1], present[:, 0])), shape=(bidders, lots))
    bids_of, bidders_of = np.diff(bids.indptr), np.bincount(present[:, 0], minlength=lots)
    by_lot = bids.multiply(1 / np.maximum(bidders_of - 1, 1)).tocsr()

    # All ordered pairs inside each group: every row with each row of its group.
    sizes = _run_sizes(together)
    size = np.repeat(sizes, sizes)
    left = np.repeat(np.arange(len(together)), size)
    place = np.arange(len(left)) - np.repeat(np.cumsum(size) - size, size)
    right = np.repeat(np.repeat(np.cumsum(sizes) - sizes, sizes), size) + place
    left, right = left[left != right], right[left != right]
    pairs = np.stack([together[left, 2], together[right, 2]], axis=1)
    acquainted = _distinct(pairs)
    met, share_met = np.zeros(len(acquainted)), np.zeros(len(acquainted))
    present_in = np.zeros(bidders)
    everybody = np.unique(acquainted[:, 0])
    others = (bids_of - 1).astype(float)
    for part in _parts((bids[everybody] @ bidders_of).astype(np.int64)):
        of = everybody[part]
        meetings, share = _sorted(bids[of] @ bids.T), _sorted(by_lot[of] @ bids.T)
        here = slice(*np.searchsorted(acquainted[:, 0], [of[0], of[-1] + 1]).tolist())
        row, rival = np.searchsorted(of, acquainted[here, 0]), acquainted[here, 1]
        met[here] = np.asarray(meetings[row, rival]).ravel()
        share_met[here] = np.asarray(share[row, rival]).ravel()
        # A bidder itself, and those that share a value with it, are none of its usual rivals.
        share.data[share.indices == np.repeat(of, np.diff(share.indptr))] = 0
        found = np.diff(_sums(share.data * (meetings.data - 1), share.indptr))
        able = np.diff(_sums(share.data * others[share.indices], share.indptr))
        found -= np.bincount(row, weights=share_met[here] * (met[here] - 1), minlength=len(of))
        able -= np.bincount(row, weights=share_met[here] * others[rival], minlength=len(of))
        present_in[of] = np.divide(found, able, out=np.zeros(len(of)), where=able > 1e-9)

    key = acquainted[:, 0] * bidders + acquainted[:, 1]
    elsewhere = met[np.searchsorted(key, pairs[:, 0] * bidders + pairs[:, 1])] - 1
    possible = others[pairs[:, 1]]
    expected = present_in[pairs[:, 0]] * possible
    of_value, rivals = together[left, 1], size[left] - 1
    met_more, met_less, usual, unusual = (
        np.bincount(of_value, lots / rivals, minlength=values) + 1
        for lots in (elsewhere, possible - elsewhere, expected, possible - expected)
    )
    odds: NDArray[np.float64] = met_more / met_less / (usual / unusual)
    odds[np.bincount(of_value, minlength=values) == 0] = np.nan
    return odds


def _sorted(matrix: sparse.csr_array) -> sparse.csr_array:
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return matrix


def _sums(data: NDArray[np.float64], indptr: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the running sums of a sparse matrix's entries at the ends of its rows, 0 first."""
    sums: NDArray[np.float64] = np.concatenate(([0.0], np.cumsum(data)))[indptr]
    return sums


def _parts(sizes: NDArray[np.int64]) -> list[slice]:
    """Cut rows into runs of at most `ENTRIES` entries. A single larger row is a run of its own."""
    run = np.cumsum(sizes) // ENTRIES
    edges = np.concatenate(([0], np.flatnonzero(np.diff(run)) + 1, [len(sizes)]))
    return [slice(start, end) for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)]


def _is_together(pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which rows (lot, value, bidder), sorted, have another bidder of the lot with the same value."""
    sizes = _run_sizes(pairs)
    return np.asarray(np.repeat(sizes > 1, sizes))


def _run_sizes(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of rows of each lot and value; the rows are sorted."""
    is_first = np.append(True, (pairs[1:, :2] != pairs[:-1, :2]).any(axis=1))[: len(pairs)]
    return np.diff(np.append(np.flatnonzero(is_first), len(pairs)))


def _widest_hubs(
    rows: NDArray[np.int64], holders_of: NDArray[np.int64], texts: NDArray[np.object_], lots: int
) -> NDArray[np.int64]:
    """Return the most widely held hub of every lot, -1 where there is none; ties by the text."""
    frame = pd.DataFrame(_distinct(rows[:, :2]), columns=["lot", "code"])
    frame = frame.assign(known=holders_of[frame["code"]], text=texts[frame["code"]])
    frame = frame.sort_values(["known", "text"], ascending=[False, True]).drop_duplicates("lot")
    widest = np.full(lots, -1)
    widest[frame["lot"]] = frame["code"]
    return widest


def _taken(counts: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return counts at places, 0 at place -1."""
    taken: NDArray[np.int64] = np.append(counts, 0)[places]
    return taken


def _encoded(table: pa.Table, column: str) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return a column as positions in its distinct texts, and these texts."""
    encoded = table[column].combine_chunks().dictionary_encode()
    positions = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return positions, encoded.dictionary.to_numpy(zero_copy_only=False)


def _distinct(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the distinct rows of an integer table, in order.

    Each row is packed into one integer and these are sorted: several times faster than
    ``numpy.unique``, which hashes.
    """
    if len(rows) == 0:
        return rows
    widths = rows.max(axis=0) + 1
    if np.prod(widths.astype(np.float64)) >= 2**63:
        return np.unique(rows, axis=0)
    packed = rows[:, 0]
    for column, width in zip(rows.T[1:], widths[1:], strict=True):
        packed = packed * width + column
    packed = np.sort(packed)
    packed = packed[np.append(True, packed[1:] != packed[:-1])]
    columns = []
    for width in widths[:0:-1]:
        packed, column = np.divmod(packed, width)
        columns.append(column)
    return np.stack([packed, *columns[::-1]], axis=1)


def _listed(texts: pd.Series) -> str:
    listed = "; ".join(texts.head(LISTED))
    return listed if len(texts) <= LISTED else f"{listed}; …"
