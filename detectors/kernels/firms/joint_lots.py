"""The lots behind a finding that is about firms or a buyer and not about one lot."""

from __future__ import annotations

import pandas as pd

from detectors.interface import SEPARATOR, Engine

BIDS = """
SELECT DISTINCT b.bidder_id, b.lot_id
FROM core.bids AS b
ORDER BY b.bidder_id, b.lot_id
"""


def joint_lots(engine: Engine, groups: pd.Series, judged: pd.Series | None = None) -> pd.Series:
    """Return the lots in which two or more firms of a group bid.

    Args:
        engine: the tables.
        groups: party ids of each group as one text, shape (groups,); ask for flagged groups only.
        judged: the lots that the detector looks at; all of them if left out.

    Returns:
        Lot ids in order as one text, with the index of ``groups``.
    """
    if groups.empty:
        return pd.Series([], index=groups.index, dtype="str")
    members = groups.str.split(SEPARATOR).explode().rename("bidder_id").rename_axis("group").reset_index()
    bids: pd.DataFrame = engine.run(BIDS).to_pandas()
    if judged is not None:
        bids = bids[bids["lot_id"].isin(judged)]
    seats = members.merge(bids, on="bidder_id").groupby(["group", "lot_id"], sort=True).size()
    together = seats[seats >= 2].reset_index()
    return together.groupby("group")["lot_id"].agg(SEPARATOR.join).reindex(groups.index).astype("str")
