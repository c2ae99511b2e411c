"""An invented market without niches, to judge the ring search by something that is not the simulated county.

Every firm of a place may meet every other. The lowest price wins, or a trimmed mean of the prices decides. Costs have a part of
the lot, of the firm and of chance. Rings of a few firms come together to some lots, agree who wins and stand a step
above; in some of these lots they leave a trace. Fields can be missing: ceilings, classes, traces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.rings.market import AVERAGE, LOWEST, Bools, Ints, Market, medians


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What kind of market it is.

    Attributes:
        lots, places, firms: how many; firms are those of one place.
        rings: how many; each has four to six firms of one place.
        activity: share of the lots of its place that a ring takes.
        average_share: share of lots where a mean decides.
        traced_share: share of a ring's lots in which some members leave a trace.
        has_ceiling, has_place: whether lots say so.
    """

    lots: int = 20_000
    places: int = 12
    firms: int = 70
    rings: int = 12
    activity: float = 0.12
    average_share: float = 0.0
    traced_share: float = 0.2
    has_ceiling: bool = True
    has_place: bool = True


@dataclass(frozen=True)
class OpenMarket:
    """A market with the truth about it: members of each ring, and the ring of each lot (-1 honest)."""

    market: Market
    members: tuple[frozenset[int], ...]
    ring_of: Ints


def open_market(plan: Plan, seed: int) -> OpenMarket:
    """Invent a market."""
    rng = np.random.default_rng(seed)
    place = rng.integers(plan.places, size=plan.lots)
    weight = rng.lognormal(0, 0.7, (plan.places, plan.firms))
    members = [
        (int(at), np.sort(rng.choice(plan.firms, size=int(size), replace=False)))
        for at, size in zip(
            rng.permutation(np.arange(plan.rings) % plan.places), rng.integers(4, 7, plan.rings), strict=True
        )
    ]
    ring_of = np.full(plan.lots, -1)
    for ring, (at, _) in enumerate(members):
        free = (place == at) & (ring_of < 0)
        ring_of[free & (rng.random(plan.lots) < plan.activity)] = ring
    wanted = 2 + rng.poisson(2.5, plan.lots)
    # Who comes: the firms with the largest draw, by weight; a ring's seats come first.
    draw = np.log(rng.random((plan.lots, plan.firms))) / weight[place]
    seated = np.zeros((plan.lots, plan.firms), bool)
    for ring, (_, firms) in enumerate(members):
        rigged = np.flatnonzero(ring_of == ring)
        comes = rng.random((len(rigged), len(firms))) < 0.85
        comes[:, :2] |= comes.sum(axis=1, keepdims=True) < 2
        seated[np.repeat(rigged, len(firms)), np.tile(firms, len(rigged))] = comes.ravel()
    is_rigged = ring_of >= 0
    wanted[is_rigged] = seated[is_rigged].sum(axis=1) + rng.integers(0, 2, int(is_rigged.sum()))
    order = np.argsort(-np.where(seated, 1.0, draw), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(plan.firms)[None, :].repeat(plan.lots, 0), axis=1)
    lot, local = np.nonzero(rank < wanted[:, None])
    is_average = rng.random(plan.lots) < plan.average_share
    ability = rng.normal(0, 0.02, (plan.places, plan.firms))
    level = rng.normal(-0.12, 0.04, plan.lots)
    scatter = rng.lognormal(np.log(0.035), 0.3, plan.lots)
    y = level[lot] + ability[place[lot], local] + rng.normal(0, 1, len(lot)) * scatter[lot]
    y = _rigged(rng, y, lot, seated[lot, local], is_average[lot])
    y = np.minimum(y, 0)
    firm = place[lot] * plan.firms + local
    order = np.lexsort((firm, lot))
    lot, firm, local, y = lot[order], firm[order], local[order], y[order]
    if not plan.has_ceiling:
        y = y - medians(y, lot, plan.lots)[lot]
    in_ring = seated[lot, local]
    market = Market(
        lot_id=np.array([f"L{each:06}" for each in range(plan.lots)], dtype=object),
        firm_id=np.array([f"F{each:05}" for each in range(plan.places * plan.firms)], dtype=object),
        family=np.where(is_average, AVERAGE, LOWEST),
        place=place if plan.has_place else np.full(plan.lots, -1),
        quarter=np.sort(rng.integers(8100, 8108, plan.lots)),
        lot=lot,
        firm=firm,
        price=y,
        has_ceiling=np.full(plan.lots, plan.has_ceiling),
        is_whole=np.ones(plan.lots, bool),
        kinds=("contacts.same_ip", "contacts.same_agent"),
        is_lasting=np.zeros(2, bool),
        **_traces(rng, plan, lot, in_ring, is_rigged),
        judged=np.ones((2, plan.lots), bool),
    )
    named = tuple(frozenset((at * plan.firms + firms).tolist()) for at, firms in members)
    return OpenMarket(market, named, ring_of)


def _rigged(
    rng: np.random.Generator, y: np.ndarray, lot: Ints, in_ring: Bools, is_average: Bools
) -> np.ndarray:
    """Return the prices with those of rings: the winner asks a little more, the others stand a step above; or all in one spot."""
    lots = int(lot.max()) + 1
    lead, step = rng.uniform(0.01, 0.06, lots), rng.uniform(0.01, 0.03, lots)
    lowest = np.full(lots, np.inf)
    np.minimum.at(lowest, lot[in_ring], y[in_ring])
    chosen = np.full(lots, -1)
    seats = np.flatnonzero(in_ring)
    order = rng.permutation(seats)
    chosen[lot[order]] = order  # the last written stays: any member of the lot
    base = lowest[lot] + lead[lot]
    cover = base + step[lot] + rng.uniform(0, 0.012, len(lot))
    spot = base + rng.normal(0, 0.002, len(lot))
    agreed = np.where(is_average, spot, np.where(chosen[lot] == np.arange(len(lot)), base, cover))
    return np.where(in_ring, agreed, y)


def _traces(
    rng: np.random.Generator, plan: Plan, lot: Ints, in_ring: Bools, is_rigged: Bools
) -> dict[str, Ints]:
    """Return ties: of members in some rigged lots, of two bidders by chance in a few honest ones."""
    traced = rng.random(plan.lots) < np.where(is_rigged, plan.traced_share, 0.01)
    rank = rng.random(len(lot))
    order = np.lexsort((rank, ~in_ring, lot))
    place = np.empty(len(lot), np.int64)
    sizes = np.bincount(lot, minlength=plan.lots)
    place[order] = np.arange(len(lot)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    count = np.where(is_rigged, 3, 2)
    holds = traced[lot] & (place < count[lot]) & (in_ring | ~is_rigged[lot])
    held = np.bincount(lot[holds], minlength=plan.lots)
    holds &= held[lot] >= 2
    lots, tie = np.unique(lot[holds], return_inverse=True)
    return {
        "tie_lot": lots,
        "tie_kind": rng.integers(2, size=len(lots)),
        "tied_tie": tie.astype(np.int64),
        "tied_bid": np.flatnonzero(holds),
    }
