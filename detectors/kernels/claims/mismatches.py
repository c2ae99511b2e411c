"""Statements of bidders that do not agree with a register.

A register that is kept late, or that writes things in another way, disagrees with many firms at once. Then the
records disagree and not the firm, and such a kind of disagreement does not count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def told_by_bid(
    statements: pd.DataFrame, name: str, kinds: Sequence[str], max_market_share: float
) -> pd.DataFrame:
    """Count, for every bid, its statements that disagree with the register.

    Args:
        statements: one row per statement that could be looked up, with ``lot_id``, ``bidder_id``, the
            column ``name`` and one column of truth per kind.
        name: column that says what each statement is about.
        kinds: names of the columns of truth.
        max_market_share: share of statements, in the mean over the firms. A kind that more of them show
            does not count. A firm counts once, however many bids it handed in.

    Returns:
        One row per bid, in order: ``unit`` (lot/bidder), ``entities``, ``statements`` (looked up), ``value``
        (of them with a kind that counts), ``listed`` (what these are about, as one text), the number of each
        kind (0 where it does not count), ``firms`` (looked up in all) and ``market_share`` (the largest share of
        a kind that counts and is found in the bid, 0 where there is none).
    """
    found = statements[list(kinds)].fillna(False).astype(bool)
    by_firm = found.groupby(statements["bidder_id"]).mean()
    shares = by_firm.mean() if len(by_firm) else pd.Series(0.0, index=list(kinds))
    found = found & (shares <= max_market_share)
    counted = found.astype("int64").assign(
        lot_id=statements["lot_id"],
        bidder_id=statements["bidder_id"],
        statements=1,
        value=found.any(axis=1).astype("float64"),
    )
    named = statements.loc[found.any(axis=1), ["lot_id", "bidder_id", name]].drop_duplicates().astype("str")
    listed = named.sort_values(name).groupby(["lot_id", "bidder_id"])[name].agg(", ".join).rename("listed")
    bids = counted.groupby(["lot_id", "bidder_id"], sort=True).sum().reset_index()
    bids = bids.merge(listed, on=["lot_id", "bidder_id"], how="left")
    share = (bids[list(kinds)] > 0).to_numpy() * shares[list(kinds)].to_numpy(dtype=np.float64)
    return pd.DataFrame(
        {
            "unit": (bids["lot_id"] + "/" + bids["bidder_id"]).astype("str"),
            "entities": bids["bidder_id"].astype("str"),
            "value": bids["value"].astype("float64"),
            "statements": bids["statements"].astype("int64"),
            "listed": bids["listed"].fillna("").astype("str"),
            **{kind: bids[kind].astype("int64") for kind in kinds},
            "firms": len(by_firm),
            "market_share": share.max(axis=1) if len(bids) else pd.Series(dtype="float64"),
        }
    )
