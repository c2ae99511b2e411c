"""Groups of firms that something other than prices names: a shared machine, dongle, agent, account or owner.

A price test says something about a group only if the group was not chosen by its prices. So groups come from
identity alone: two bidders of one lot with the same code, person or account are tied, a firm is tied to who
controls it, and firms tied through others are one group. Only firms that bid are in it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from detectors.interface import Engine
from detectors.kernels.firms.sharing import ONE_BID

# What the buyer's own files carry, what is uploaded on site and what a guarantor pays ties nobody.
TIES = (
    ONE_BID
    + """,
traces AS (
    SELECT lot_id, bidder_id AS party_id,
           'machine ' || coalesce(CASE WHEN NOT mac_is_local THEN mac END, 'no MAC')
           || ' / ' || cpu_id || ' / ' || disk_serial AS shared_value, owner
    FROM core.fingerprints
    WHERE cpu_id IS NOT NULL AND disk_serial IS NOT NULL AND NOT is_on_site
    UNION ALL
    SELECT lot_id, bidder_id, 'dongle ' || dongle, owner
    FROM core.fingerprints
    WHERE dongle IS NOT NULL
),
buyers_own AS (
    SELECT DISTINCT lot_id, shared_value FROM traces WHERE owner = 'buyer'
),
held AS (
    SELECT t.lot_id, t.party_id, t.shared_value
    FROM traces AS t
    LEFT JOIN buyers_own AS b ON b.lot_id = t.lot_id AND b.shared_value = t.shared_value
    WHERE t.owner = 'bidder' AND t.party_id IS NOT NULL AND b.lot_id IS NULL
    UNION ALL
    SELECT lot_id, bidder_id, 'person ' || person_id
    FROM core.people
    WHERE person_id IS NOT NULL AND role IN ('agent', 'operator')
    UNION ALL
    SELECT lot_id, bidder_id, 'account ' || account
    FROM core.deposits
    WHERE account IS NOT NULL AND NOT is_guarantee
),
seated AS (
    SELECT DISTINCT h.lot_id, coalesce(o.bidder_id, h.party_id) AS party_id, h.shared_value
    FROM held AS h
    LEFT JOIN one_bid AS o ON o.lot_id = h.lot_id AND o.party_id = h.party_id
),
holders AS (
    SELECT shared_value FROM seated GROUP BY shared_value HAVING count(DISTINCT party_id) BETWEEN 2 AND $max_holders
),
together AS (
    SELECT s.lot_id, s.shared_value
    FROM seated AS s
    JOIN holders AS h ON h.shared_value = s.shared_value
    GROUP BY s.lot_id, s.shared_value
    HAVING count(*) > 1
),
bidders AS (
    SELECT DISTINCT bidder_id FROM core.bids
),
owned AS (
    SELECT DISTINCT party_id, holder_id
    FROM core.relations
    WHERE kind IN ('control', 'management') OR holder_share >= $min_holder_share
),
owners AS (
    SELECT holder_id FROM owned GROUP BY holder_id HAVING count(*) <= $max_holders
)
SELECT s.party_id, s.lot_id || ' ' || s.shared_value AS tie
FROM seated AS s
JOIN together AS t ON t.lot_id = s.lot_id AND t.shared_value = s.shared_value
UNION
SELECT w.party_id, 'owner ' || w.holder_id
FROM owned AS w
JOIN owners AS n ON n.holder_id = w.holder_id
JOIN bidders AS b ON b.bidder_id = w.party_id
UNION
SELECT n.holder_id, 'owner ' || n.holder_id FROM owners AS n JOIN bidders AS b ON b.bidder_id = n.holder_id
"""
)


def named_groups(engine: Engine, max_holders: int, min_holder_share: float, max_members: int) -> pd.DataFrame:
    """Return the firms of every group of two or more, named by identity evidence only.

    Args:
        engine: to read the tables with.
        max_holders: a code, person, account or owner behind more firms than this belongs to a service
            company or a public holding and ties nobody.
        min_holder_share: part of a firm that makes its holder its owner.
        max_members: a larger group is a chain of chances and no group: it is left out.

    Returns:
        Columns ``party_id`` (each once) and ``group`` (number from 0, in the order of the groups' first
        party ids), sorted by both.
    """
    limits = {"max_holders": max_holders, "min_holder_share": min_holder_share}
    ties = engine.run(TIES, limits).to_pandas()
    party, parties = pd.factorize(ties["party_id"], sort=True)
    tie, names = pd.factorize(ties["tie"])
    size = len(parties) + len(names)
    graph = coo_array((np.ones(len(ties)), (party, len(parties) + tie)), shape=(size, size))
    _, component = connected_components(graph, directed=False)
    members = pd.Series(component[: len(parties)])
    count = members.groupby(members).transform("size")
    is_group = count.between(2, max_members).to_numpy()
    return pd.DataFrame(
        {
            "party_id": pd.Series(np.asarray(parties)[is_group], dtype="str"),
            "group": pd.factorize(members[is_group])[0],
        }
    ).sort_values(["group", "party_id"], ignore_index=True)
