"""Markets in which nobody colludes but everything else is as it is: how often the search finds something there.

The null: given who came where and the usual level of each firm, lots of one award rule, number of bids and place are
interchangeable. So who came stays, and each lot receives the whole content of a comparable lot: its price score, its
ties and its tight run, by the places that bidders have when sorted by price. Firms take their places by their usual
level and chance. Honest niches, whose firms meet all the time, keep meeting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.rings.content import Content, Events
from pipelines.rings.lot_scores import ENOUGH_LOTS, normal_scores
from pipelines.rings.market import Bools, Floats, Ints, Market

#: Firms with so many bids and more say how much firms differ in their usual level.
KNOWN_BIDS = 12


@dataclass(frozen=True)
class Shuffle:
    """What is needed to exchange content again and again.

    Attributes:
        swap: the class inside which lots exchange their content; shape (lots,).
        place: position of every bid in its lot by price, from nought; shape (bids,).
        level, level_sd: usual level of every firm inside a lot, in normal scores, and how uncertain it is; shape (firms,).
    """

    market: Market
    swap: Ints
    place: Ints
    level: Floats
    level_sd: Floats

    @classmethod
    def of(cls, market: Market) -> Shuffle:
        """Prepare the exchange."""
        bids = market.bids
        shown = np.where(np.isnan(market.price), np.inf, market.price)
        order = np.lexsort((shown, market.lot))
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order)) - np.repeat(market.first[:-1], bids)
        z = normal_scores(market.price, market.lot)
        known = ~np.isnan(z) & (bids[market.lot] >= 3)
        count = np.bincount(market.firm[known], minlength=len(market.firm_id))
        total = np.bincount(market.firm[known], z[known], minlength=len(market.firm_id))
        mean = total / np.maximum(count, 1)
        often = count >= KNOWN_BIDS
        noise = float(np.var(z[known])) if known.any() else 1.0
        between = (
            max(float(np.var(mean[often]) - np.mean(noise / count[often])), 0.0) if often.sum() >= 3 else 0.0
        )
        variance = 1 / (count / max(noise, 1e-9) + 1 / max(between, 1e-9))
        return cls(
            market, _classes(market), place, mean * count * variance / max(noise, 1e-9), np.sqrt(variance)
        )

    def decoy(self, content: Content, rng: np.random.Generator, gives: Bools) -> Content:
        """Return the content of a decoy: every lot gets that of a comparable lot which gives.

        Args:
            content: as it is.
            rng: of this decoy.
            gives: lots whose content may be handed on; those of accepted cases do not; shape (lots,).
        """
        market = self.market
        source = self._sources(rng, gives)
        ability = rng.normal(self.level, self.level_sd)[market.firm] + rng.normal(0, 1, len(market.firm))
        order = np.lexsort((ability, market.lot))  # the bid at each place of each lot
        return Content(
            np.where(source >= 0, content.score[source], np.nan),
            self._moved(content.ties, source, order),
            self._moved(content.runs, source, order),
        )

    def _sources(self, rng: np.random.Generator, gives: Bools) -> Ints:
        """Return from which lot each lot gets its content: a permutation where all give, else drawn again from those that do."""
        source = np.full(len(self.swap), -1)
        lots = rng.permutation(len(self.swap))
        lots = lots[np.argsort(self.swap[lots], kind="stable")]
        sizes = np.bincount(self.swap)
        start = np.cumsum(sizes) - sizes
        for first, size in zip(start.tolist(), sizes.tolist(), strict=True):
            into = lots[first : first + size]
            givers = np.sort(into)[gives[np.sort(into)]]
            if len(givers):
                drawn = np.concatenate([rng.permutation(givers) for _ in range(-(-size // len(givers)))])[
                    :size
                ]
                source[into] = drawn
        return source

    def _moved(self, events: Events, source: Ints, order: Ints) -> Events:
        """Return the events where they lie after the exchange."""
        market = self.market
        bids, first = market.bids, market.first
        # Lots by their source, so that an event may go to several lots.
        into = np.flatnonzero(source >= 0)
        into = into[np.argsort(source[into], kind="stable")]
        low = np.searchsorted(source[into], events.lot, "left")
        high = np.searchsorted(source[into], events.lot, "right")
        copies = high - low
        size = events.size
        start = np.cumsum(size) - size
        event = np.repeat(np.arange(len(events.lot)), copies)
        nth = np.arange(len(event)) - np.repeat(np.cumsum(copies) - copies, copies)
        lot = into[low[event] + nth]
        row = np.repeat(np.arange(len(event)), size[event])
        within = np.arange(len(row)) - np.repeat(np.cumsum(size[event]) - size[event], size[event])
        bid = events.bid[start[event][row] + within]
        # The same place, where the numbers of bids differ the place in proportion.
        place = self.place[bid]
        n_from, n_to = bids[market.lot[bid]], bids[lot[row]]
        place = np.where(n_from == n_to, place, ((place + 0.5) * n_to / n_from).astype(np.int64))
        moved = order[first[lot[row]] + place]
        pairs = np.unique(np.stack([row, moved], axis=1), axis=0) if len(row) else np.empty((0, 2), np.int64)
        sorted_events = np.argsort(lot, kind="stable")
        rank = np.empty(len(lot), np.int64)
        rank[sorted_events] = np.arange(len(lot))
        again = np.lexsort((pairs[:, 1], rank[pairs[:, 0]]))
        return Events(
            lot[sorted_events], events.rarity[event][sorted_events], rank[pairs[again, 0]], pairs[again, 1]
        )


def _classes(market: Market) -> Ints:
    """Return the classes of exchange: award rule, number of bids and place; without the place, then with nearby numbers."""
    bids = market.bids
    near = np.where(bids <= 8, bids, 8 + np.ceil(4 * np.log2(np.maximum(bids, 1) / 8)).astype(np.int64))
    levels = [
        np.stack([market.family, bids, market.place + 1, np.zeros_like(bids)]),
        np.stack([market.family, near, market.place + 1, np.ones_like(bids)]),
        np.stack([market.family, near, np.zeros_like(bids), np.full_like(bids, 2)]),
        np.stack([market.family, np.minimum(near, 12), np.zeros_like(bids), np.full_like(bids, 3)]),
    ]
    chosen = levels[-1].copy()
    left = np.ones(len(bids), bool)
    for keys in levels[:-1]:
        _, code, size = np.unique(keys[:, left], axis=1, return_inverse=True, return_counts=True)
        enough = size[code.ravel()] >= ENOUGH_LOTS
        at = np.flatnonzero(left)[enough]
        chosen[:, at] = keys[:, at]
        left[at] = False
    return np.unique(chosen, axis=1, return_inverse=True)[1].ravel().astype(np.int64)
