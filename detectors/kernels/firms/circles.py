"""Circles: firms that keep meeting each other, as candidates for tests of what they do together.

A circle is found from participation alone, never from prices or wins: a test of prices or wins within
it then uses no number twice. Most circles are honest firms of one niche; a circle is no sign of
anything by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Engine, Need
from detectors.kernels.firms.chances import chances
from detectors.kernels.firms.pairs import Ints, Meetings, frequent_pairs, possible_pairs, q_values

# Lots with one winner. Times of day are not known everywhere: lots of one day stand in the order of their ids.
WON = """
WITH won AS (
    SELECT lot_id FROM core.bids GROUP BY lot_id HAVING sum(CASE WHEN is_winner THEN 1 ELSE 0 END) = 1
)
SELECT b.lot_id, b.bidder_id, b.is_winner, l.opened_on,
       coalesce(l.buyer_code, l.buyer_name) AS buyer, l.region_code AS region,
       coalesce(l.place_name, l.region_code) AS place
FROM core.bids AS b
JOIN won AS w ON w.lot_id = b.lot_id
JOIN core.lots AS l ON l.lot_id = b.lot_id
ORDER BY b.lot_id, b.bidder_id
"""

KNOWN_WINNERS = Need(
    "no lot with one known winner in the records",
    "无中标人唯一且明确的标段",
    f"SELECT bidder_id AS unit FROM core.bids WHERE EXISTS (SELECT 1 FROM ({WON}) AS won)",
)


class Circle(NamedTuple):
    """Firms that keep meeting each other.

    Attributes:
        members: positions in `Meetings.firms`, ascending.
        coherence: geometric mean / arithmetic mean of the weights between members, 0..1.
        exclusivity: weight between members / all weight of members, 0..1.
    """

    members: tuple[int, ...]
    coherence: float
    exclusivity: float


def circles(met: Meetings, min_joint: int, max_edge_q: float, max_members: int) -> list[Circle]:
    """Find the circles of three firms or more, in order of their members.

    An edge is a pair that meets more often than firms drawn at random within market class, region,
    number of bidders and quarter, with the number of tenders of every firm held (the degree-preserving
    null), after correction for all pairs. Its weight is the Jaccard share: joint tenders / tenders of either.
    From every edge that no circle holds yet, heaviest first, firms are added that meet all members, as
    long as coherence times exclusivity grows. Circles may overlap.

    Args:
        met: who came to which tender.
        min_joint: joint tenders of a pair that can be an edge.
        max_edge_q: expected false share among the edges, if all firms of a market were alike
            (Benjamini-Hochberg). Only such edges enter the graph: thousands, where millions of pairs met.
        max_members: firms in the largest circle.

    Source:
        coherence and exclusivity after the idea of Wachs and Kertész (2019), in this project's own form.
    """
    pairs = frequent_pairs(met.came, min_joint)
    q = q_values(chances(met, pairs).p_value, possible_pairs(met, min_joint))
    is_edge = q <= max_edge_q
    first, second, joint = (column[is_edge] for column in pairs)
    tenders = np.diff(met.came.indptr)
    weight = joint / (tenders[first] + tenders[second] - joint)
    graph = nx.Graph()
    graph.add_weighted_edges_from(zip(first.tolist(), second.tolist(), weight.tolist(), strict=True))
    return _grown(graph, _heaviest_first(first, second, weight), max_members)


def joint_wins(engine: Engine, met: Meetings, found: list[Circle], min_present: int) -> pd.DataFrame:
    """Return the lots that circles won, in the order of their openings.

    Args:
        engine: the tables.
        met: who came to which tender.
        found: the circles.
        min_present: members that must have bid in a lot.

    Returns:
        One row per circle and lot with ``circle`` (its position), ``winner`` (position of the firm), ``lot_id``,
        ``buyer``, ``region``, ``place`` (where the work is, else the region) and ``opened_on``.
    """
    lots: pd.DataFrame = engine.run(WON).to_pandas()
    lots["firm"] = pd.Index(met.firms).get_indexer(pd.Index(lots["bidder_id"]))
    members = pd.DataFrame(
        [(number, firm) for number, circle in enumerate(found) for firm in circle.members],
        columns=["circle", "firm"],
        dtype="int64",
    )
    seats = lots.merge(members, on="firm", how="inner")
    present = seats.groupby(["circle", "lot_id"])["firm"].transform("size")
    won = seats[seats["is_winner"] & (present >= min_present)].rename(columns={"firm": "winner"})
    won = won.sort_values(["circle", "opened_on", "lot_id", "winner"]).drop_duplicates(["circle", "lot_id"])
    return won[["circle", "winner", "lot_id", "buyer", "region", "place", "opened_on"]].reset_index(drop=True)


def chance_of_order(
    winner: Ints,
    measure: Callable[[Ints], NDArray[np.float64]],
    seed: str,
    draws: int,
    max_p: float,
    within: Ints | None = None,
) -> float:
    """Return how often the same wins, dealt to the same lots at random, measure at least as much.

    Args:
        winner: number of the winner of every lot, shape (lots,).
        measure: of winners dealt to the lots, shape (deals, lots), one number a deal.
        seed: text from which the random generator starts, so that a second run gives the same.
        draws: number of deals.
        max_p: what can no longer come down to this is not drawn to the end.
        within: number of a group for every lot, shape (lots,); wins are dealt inside each group only.

    Returns:
        (1 + deals that measure at least as much) / (1 + deals).
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    # Sums of the same fractions in another order may differ in the last digit.
    seen = measure(winner[None, :])[0] - 1e-9
    hits = drawn = 0
    for some in (draws // 10, draws - draws // 10):
        deals = _dealt(winner, within, some, rng)
        hits += int((measure(deals) >= seen).sum())
        drawn += some
        if 1 + hits > max_p * (1 + draws):
            break
    return (1 + hits) / (1 + drawn)


def same_firm_pairs(group: Ints) -> Callable[[Ints], NDArray[np.float64]]:
    """Return what counts, in deals of winners of shape (deals, lots), the pairs of lots of one group with one winner.

    ``group``: number of the buyer, or of the place, of every lot, shape (lots,).
    """
    by_group = np.eye(int(group.max()) + 1, dtype=np.int64)[group]

    def count(deals: Ints) -> NDArray[np.float64]:
        pairs = np.zeros(len(deals))
        for firm in range(int(deals.max()) + 1):
            won = (deals == firm).astype(np.int64) @ by_group
            pairs += (won * (won - 1) // 2).sum(axis=1)
        return pairs

    return count


def named(met: Meetings, circle: Circle) -> str:
    """Return the ids of the members as one text."""
    return SEPARATOR.join(met.firms[list(circle.members)])


def _dealt(winner: Ints, within: Ints | None, deals: int, rng: np.random.Generator) -> Ints:
    """Return random orders of the winners, shape (deals, lots)."""
    if within is None:
        return rng.permuted(np.tile(winner, (deals, 1)), axis=1)
    dealt = np.tile(winner, (deals, 1))
    for group in np.unique(within).tolist():
        lots = np.flatnonzero(within == group)
        dealt[:, lots] = rng.permuted(dealt[:, lots], axis=1)
    return dealt


def _heaviest_first(first: Ints, second: Ints, weight: np.ndarray) -> list[tuple[int, int]]:
    order = np.lexsort((second, first, -weight))
    return list(zip(first[order].tolist(), second[order].tolist(), strict=True))


def _grown(graph: nx.Graph, seeds: list[tuple[int, int]], max_members: int) -> list[Circle]:
    """Grow a circle from every edge that none holds yet."""
    strength = dict(graph.degree(weight="weight"))
    found: dict[tuple[int, ...], Circle] = {}
    held: set[tuple[int, int]] = set()
    for seed in seeds:
        if seed in held:
            continue
        members = list(seed)
        inside = [graph.edges[seed]["weight"]]
        total = strength[seed[0]] + strength[seed[1]]
        best = _measured(inside, total)
        while len(members) < max_members:
            steps = []
            for firm in sorted(set.intersection(*(set(graph[member]) for member in members))):
                edges = [graph.edges[firm, member]["weight"] for member in members]
                steps.append((_measured(inside + edges, total + strength[firm]), firm, edges))
            # The first of equals: the one with the smallest id.
            grown = max(steps, key=lambda step: step[0][0] * step[0][1], default=None)
            if grown is None or grown[0][0] * grown[0][1] <= best[0] * best[1]:
                break
            best, firm, edges = grown
            members.append(firm)
            inside += edges
            total += strength[firm]
        if len(members) > 2:
            key = tuple(sorted(members))
            found[key] = Circle(key, *best)
            held.update((one, other) for one in key for other in key if one < other)
    return [found[key] for key in sorted(found)]


def _measured(inside: list[float], total: float) -> tuple[float, float]:
    """Return coherence and exclusivity; ``total`` counts the weights inside twice."""
    within = sum(inside)
    coherence = float(np.exp(np.log(inside).mean()) / (within / len(inside)))
    return coherence, within / (total - within)
