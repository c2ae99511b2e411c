"""Shared identities: the same code, account or person behind different bidders of one lot.

Every such detector selects who holds which value; finding the bidders that hold the same one is
done here, once.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from detectors.contract import SEPARATOR

#: Values listed in one row of evidence; the count is always complete.
LISTED = 5

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


def shared(held: pa.Table, max_holders: int) -> pd.DataFrame:
    """Find the values that two or more bidders of a lot hold.

    Args:
        held: columns ``lot_id``, ``bidder_id`` and ``shared_value`` (text, never null), one row
            or more per bidder and value. What may not count (placeholders, the buyer's own
            values) is not in it.
        max_holders: a value held by more bidders than this, over all lots, belongs to a service
            company, an agency or a cloned image and not to a ring: it is left out and counted.

    Returns:
        One row per lot and set of bidders that hold the same values; one row with value 0 for a
        lot in which at least two bidders hold a value and none is shared; no row for other lots.
        Columns: ``unit``; ``entities``; ``value`` (bidders in the set); ``p_value`` and
        ``reference_class`` (null); ``holders`` (bidders of the lot that hold any value);
        ``shared_count`` (values shared by the set); ``shared_values`` (the first `LISTED`);
        ``most_holders`` (bidders over all lots that hold the most frequent of them); and
        ``left_out`` (values of the lot left out because of ``max_holders``).
    """
    lot, lots = _encoded(held, "lot_id")
    bidder, bidders = _encoded(held, "bidder_id")
    code, texts = _encoded(held, "shared_value")
    # One row per lot, value and bidder, as three small integers.
    pairs = _distinct(np.stack([lot, code, bidder], axis=1))
    owners = _distinct(pairs[:, 1:])
    holders_of = np.bincount(owners[:, 0], minlength=len(texts))
    is_hub = holders_of[pairs[:, 1]] > max_holders

    present = _distinct(pairs[:, [0, 2]])
    holders = np.bincount(present[:, 0], minlength=len(lots))
    left_out = np.bincount(_distinct(pairs[is_hub][:, :2])[:, 0], minlength=len(lots))

    kept = pd.DataFrame(pairs[~is_hub], columns=["lot", "code", "bidder"])
    groups = kept.groupby(["lot", "code"], sort=False)["bidder"]
    kept = kept[groups.transform("size") > 1]
    kept = kept.assign(
        bidder=bidders[kept["bidder"]], text=texts[kept["code"]], known=holders_of[kept["code"]]
    )
    sets = (
        kept.sort_values(["lot", "text", "bidder"])
        .groupby(["lot", "text"], sort=False)
        .agg(entities=("bidder", SEPARATOR.join), value=("bidder", "size"), known=("known", "first"))
        .reset_index()
        .groupby(["lot", "entities"], sort=False)
        .agg(
            value=("value", "first"),
            shared_count=("text", "size"),
            shared_values=("text", _listed),
            most_holders=("known", "max"),
        )
        .reset_index()
    )
    clean = np.setdiff1d(np.flatnonzero(holders > 1), sets["lot"].to_numpy(dtype=np.int64))
    rows = pd.concat(
        [
            sets,
            pd.DataFrame(
                {"lot": clean, "value": 0, "shared_count": 0, "shared_values": "", "most_holders": 0}
            ),
        ],
        ignore_index=True,
    )
    at = rows["lot"].to_numpy(dtype=np.int64)
    frame = pd.DataFrame(
        {
            "unit": pd.Series(lots[at], dtype="str"),
            "entities": rows["entities"].astype("str"),
            "value": rows["value"].astype("float64"),
            "p_value": np.nan,
            "reference_class": pd.Series(None, index=rows.index, dtype="str"),
            "holders": holders[at],
            "shared_count": rows["shared_count"].astype("int64"),
            "shared_values": rows["shared_values"].astype("str"),
            "most_holders": rows["most_holders"].astype("int64"),
            "left_out": left_out[at],
        }
    )
    return frame.sort_values(["unit", "entities"], ignore_index=True)


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
