"""What lies in the lots of a market and may be exchanged between comparable lots: price scores and ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import gammaln

from pipelines.rings.lot_scores import BANDS, LotScores
from pipelines.rings.market import Floats, Ints, Market

#: Firms in the largest group that is searched.
MOST_MEMBERS = 16

#: Numbers of members for which a place is worth something: one more than a group has is looked at, and none at all.
LOCATED = MOST_MEMBERS + 2

#: Odds that an outsider of the group is found among the tied, as a share of a member's.
OUTSIDER_ODDS = 0.05


@dataclass(frozen=True)
class Events:
    """Sets of bidders that stand out in a lot: those tied to each other, or a tight run of prices.

    Attributes:
        lot: of each event, sorted; shape (events,).
        rarity: minus the logarithm of the share of comparable lots with as much; shape (events,).
        event, bid: which bid is in which event, sorted by event; shape (in events,).
    """

    lot: Ints
    rarity: Floats
    event: Ints
    bid: Ints

    @property
    def size(self) -> Ints:
        """Bids in each event; shape (events,)."""
        return np.bincount(self.event, minlength=len(self.lot))


@dataclass(frozen=True)
class Content:
    """Content of the lots of a market.

    Attributes:
        score: normal score of the prices of each lot, NaN unknown; shape (lots,).
        ties: sets of bidders that share something.
        runs: tight runs of prices where a mean decides.
    """

    score: Floats
    ties: Events
    runs: Events


def content(market: Market, scores: LotScores) -> Content:
    """Return the content of a market as it is."""
    return Content(
        scores.score,
        tie_events(market),
        Events(scores.run_lot, scores.run_rarity, scores.run_tie, scores.run_bid),
    )


def tie_events(market: Market) -> Events:
    """Join the ties of a lot that have a bidder in common, and say how rare what they share is.

    The rarity of a set is the sum over its kinds of minus the logarithm of the share of lots of this number of bids (in
    which the kind could be looked for) that have the kind, and this sum in turn is placed among all these lots: kinds that
    come together count once.
    """
    market = _once(market)
    ties, bids = len(market.tie_lot), len(market.lot)
    if not ties:
        nobody = np.empty(0, np.int64)
        return Events(nobody, np.empty(0), nobody, nobody)
    graph = coo_array(
        (np.ones(len(market.tied_tie)), (market.tied_tie, ties + market.tied_bid)), shape=(ties + bids,) * 2
    )
    joined = connected_components(graph, directed=False)[1]
    _, event_of_tie = np.unique(joined[:ties], return_inverse=True)
    events = int(event_of_tie.max()) + 1
    lot = np.zeros(events, np.int64)
    lot[event_of_tie] = market.tie_lot
    band = np.searchsorted(BANDS, market.bids)
    kinds = len(market.kinds)
    # Lots of each band with the kind, among those in which it could be looked for.
    present = np.zeros((kinds, len(market.lot_id)), bool)
    present[market.tie_kind, market.tie_lot] = True
    could = market.judged | present
    bands = int(band.max(initial=0)) + 1
    having = np.stack([np.bincount(band[present[kind]], minlength=bands) for kind in range(kinds)])
    of = np.stack([np.bincount(band[could[kind]], minlength=bands) for kind in range(kinds)])
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = -np.log((having + 0.5) / (of + 1))
    held = np.unique(np.stack([event_of_tie, market.tie_kind], axis=1), axis=0)
    summed: Floats = np.bincount(
        held[:, 0], worth[held[:, 1], band[lot[held[:, 0]]]], minlength=events
    ).astype(np.float64)
    # The strongest set of every lot, among all lots of the band in which anything could be looked for.
    strongest = np.where(could.any(axis=0), 0.0, np.nan)
    np.maximum.at(strongest, lot, summed)
    rarity = -np.log(_share_at_least(strongest, band, summed, band[lot]))
    order = np.argsort(lot, kind="stable")
    place = np.empty(events, np.int64)
    place[order] = np.arange(events)
    pairs = np.unique(np.stack([place[event_of_tie[market.tied_tie]], market.tied_bid], axis=1), axis=0)
    return Events(lot[order], rarity[order], pairs[:, 0], pairs[:, 1])


def _once(market: Market) -> Market:
    """Keep of lasting ties one per kind and circle of firms, the one that shows most of them: it is one fact."""
    ties, firms = len(market.tie_lot), len(market.firm_id)
    if not ties:
        return market
    lasts = market.is_lasting[market.tie_kind]
    # Firms of one kind of tie are nodes of their own.
    of = lasts[market.tied_tie]
    node = market.tie_kind[market.tied_tie[of]] * firms + market.firm[market.tied_bid[of]]
    nodes, code = np.unique(node, return_inverse=True)
    shape = (ties + len(nodes),) * 2
    graph = coo_array((np.ones(len(code)), (market.tied_tie[of], ties + code)), shape=shape)
    circle = connected_components(graph, directed=False)[1][:ties]
    size = np.bincount(market.tied_tie, minlength=ties)
    order = np.lexsort((np.arange(ties), -size, circle))
    kept = ~lasts
    kept[order[np.append(True, circle[order][1:] != circle[order][:-1])]] = True
    return market.keeping(kept)


def _share_at_least(values: Floats, group: Ints, asked: Floats, asked_group: Ints) -> Floats:
    """Return the share of the values of a group that are at least as large as each asked one (itself among them)."""
    share = np.empty(len(asked))
    for each in np.unique(asked_group).tolist():
        known = np.sort(values[(group == each) & ~np.isnan(values)])
        at = asked_group == each
        share[at] = (len(known) - np.searchsorted(known, asked[at] - 1e-9)) / max(len(known), 1)
    return np.maximum(share, 1e-9)


def location_gain(bids: int, tied: int) -> Floats:
    """Return how much likelier ``o`` of the tied are among ``m`` members, if ties are the group's, than by chance.

    Of ``bids`` bidders ``tied`` are tied. By chance any bidders are; if the group ties, an outsider is among them with
    `OUTSIDER_ODDS`. Logarithm, shape (LOCATED, LOCATED) by m and o; nought where everybody is tied.
    """
    m = np.arange(LOCATED)[:, None, None]
    o = np.arange(LOCATED)[None, :, None]
    j = np.arange(LOCATED)[None, None, :]
    with np.errstate(invalid="ignore"):
        term = _choose(m, j) + _choose(bids - m, tied - j) + (tied - j) * np.log(OUTSIDER_ODDS)
        norm = np.logaddexp.reduce(np.where(j <= np.minimum(m, tied), term, -np.inf), axis=2)
        gain = (tied - o[:, :, 0]) * np.log(OUTSIDER_ODDS) + _choose(bids, tied) - norm
    possible = (o[:, :, 0] <= np.minimum(m[:, :, 0], tied)) & np.isfinite(gain)
    return np.where(possible, gain, 0.0) if tied < bids else np.zeros(possible.shape)


def _choose(n: Ints | int, k: Ints | int) -> Floats:
    n, k = np.asarray(n, float), np.asarray(k, float)
    inside = (k >= 0) & (k <= n)
    n, k = np.where(inside, n, 0), np.where(inside, k, 0)
    return np.where(inside, gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), -np.inf)
