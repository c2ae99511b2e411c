"""The score of a group of firms: how much likelier the lots where its members meet are if it is a ring, in nats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipelines.rings.content import LOCATED, MOST_MEMBERS, Content, Events, location_gain
from pipelines.rings.market import AVERAGE, LOWEST, Bools, Floats, Ints, Market, Runs

Cells = NDArray[np.float32]

#: Share of the group's lots in which it acted; the best of them is taken.
ACTIVE_SHARES = np.array([0.25, 0.5, 0.85])

#: A rigged lot is taken to score so many standard deviations above an honest one.
SHIFT_SD = 1.5

#: The rarity of what bidders of one lot share counts for at most so much, in nats, whatever the number of kinds.
MOST_RARITY = 6.0
MOST_OF_A_LOT = 14.0

#: What a member costs, in nats: the choice among all firms.
PRICE_OF_A_MEMBER = 2.5


@dataclass(frozen=True)
class Board:
    """A market with a content, ready to score groups.

    Attributes:
        market: who bid where.
        content: what lies in the lots, as it is or exchanged.
        is_used: lots that an earlier case explains; shape (lots,).
    """

    market: Market
    content: Content
    is_used: Bools
    looked_at: Bools

    def without(self, used: Bools) -> Board:
        """Return the board without the lots that are explained."""
        left = replace(self, is_used=used.copy())
        for name in ("by_firm", "threshold", "gain", "ties", "runs"):  # these know nothing of used lots
            left.__dict__[name] = getattr(self, name)
        return left

    def holding(self, content: Content) -> Board:
        """Return the board with another content."""
        other = replace(self, content=content)
        for name in ("by_firm", "threshold"):  # who came stays
            other.__dict__[name] = getattr(self, name)
        return other

    @cached_property
    def by_firm(self) -> Runs:
        """Positions of the bids of every firm."""
        return Runs.of(self.market.firm, np.arange(len(self.market.firm)), len(self.market.firm_id))

    @cached_property
    def gain(self) -> Floats:
        """Gain of each lot as one of the ring's, for each of `ACTIVE_SHARES`; nought where unknown; shape (lots, 3)."""
        score = np.nan_to_num(self.content.score)
        likelier = np.exp(np.clip(SHIFT_SD * score - SHIFT_SD**2 / 2, -8, 4))[:, None]
        gain: Floats = np.log1p(ACTIVE_SHARES * (likelier - 1))
        gain[np.isnan(self.content.score)] = 0
        return gain

    @cached_property
    def threshold(self) -> Ints:
        """Members that a lot must have before its prices count; shape (lots,)."""
        bids = self.market.bids
        lowest = np.maximum(2, np.ceil(0.6 * bids - 1e-9))
        average = np.maximum(3, np.ceil(0.35 * bids - 1e-9))
        needed = np.where(self.market.family == AVERAGE, average, lowest)
        return np.where(self.market.family <= AVERAGE, needed, MOST_MEMBERS + 1).astype(np.int64)

    @cached_property
    def ties(self) -> LocatedEvents:
        """The ties, ready to be looked up by bid."""
        return LocatedEvents.of(self.market, self.content.ties)

    @cached_property
    def runs(self) -> LocatedEvents:
        """The tight runs of prices, ready to be looked up by bid."""
        return LocatedEvents.of(self.market, self.content.runs)


@dataclass(frozen=True)
class LocatedEvents:
    """Events with what their place among members is worth.

    Attributes:
        events: as they lie in the content.
        by_bid: the events of every bid.
        table: which of the tables each event uses; shape (events,).
        tables: of `location_gain`, one per number of bids and tied ones; shape (tables, `LOCATED`, `LOCATED`).
    """

    events: Events
    by_bid: Runs
    table: Ints
    tables: Floats

    @classmethod
    def of(cls, market: Market, events: Events) -> LocatedEvents:
        """Prepare the events of a content."""
        pairs = np.stack([market.bids[events.lot], events.size], axis=1)
        kinds, code = np.unique(pairs, axis=0, return_inverse=True)
        tables = [location_gain(bids, tied) for bids, tied in kinds.tolist()]
        shape = (len(tables), LOCATED, LOCATED)
        return cls(
            events,
            Runs.of(events.bid, events.event, len(market.lot)),
            code.ravel().astype(np.int64),
            np.array(tables).reshape(shape),
        )


@dataclass(frozen=True)
class Pool:
    """Some firms of a board, the lots where two of them meet, and what ties them there: scores groups of them quickly.

    Attributes:
        firms: positions in the market, sorted; shape (k,).
        lots: lots where at least two of them bid, sorted; shape (l,).
    """

    board: Board
    firms: Ints
    lots: Ints
    attends: Cells
    ties: _PooledEvents
    runs: _PooledEvents

    @classmethod
    def of(cls, board: Board, firms: Ints) -> Pool:
        """Gather what the firms of a pool did."""
        firms = np.unique(firms)
        row, bid = board.by_firm.at(firms)
        lot = board.market.lot[bid]
        lots, place, count = np.unique(lot, return_inverse=True, return_counts=True)
        kept = np.flatnonzero((count >= 2) & ~board.is_used[lots])
        column = np.full(len(lots), -1)
        column[kept] = np.arange(len(kept))
        column = column[place]
        inside = column >= 0
        row, bid, column = row[inside], bid[inside], column[inside]
        attends = np.zeros((len(firms), len(kept)), np.float32)
        attends[row, column] = 1
        parts = [
            _PooledEvents.of(located, row, column, bid, len(firms)) for located in (board.ties, board.runs)
        ]
        return cls(board, firms, lots[kept], attends, *parts)

    def scores(self, groups: Bools) -> Floats:
        """Return the score of each group; ``groups`` is a mask over the firms, shape (groups, k)."""
        return self.score(groups, self.parts(groups))

    def score(self, groups: Bools, parts: dict[str, Floats]) -> Floats:
        """Return the score of each group from its `parts`."""
        scores: Floats = parts["price"] + parts["ties"] - PRICE_OF_A_MEMBER * groups.sum(axis=1)
        return scores

    def parts(self, groups: Bools) -> dict[str, Floats]:
        """Return what each channel gives each group, in nats; ``price``: the stronger of the two ways to look at prices."""
        masks = groups.astype(np.float32)
        present = masks @ self.attends
        board = self.board
        counts = present >= board.threshold[self.lots]
        family, gain = board.market.family[self.lots], board.gain[self.lots]
        found = {}
        for name, kind in (("lowest", LOWEST), ("average", AVERAGE)):
            of = family == kind
            found[name] = (
                (counts[:, of].astype(np.float32) @ gain[of].astype(np.float32)).max(axis=1, initial=0)
                if of.any()
                else np.zeros(len(groups))
            )
        members: Ints = present.astype(np.int64)
        looked = board.looked_at[self.lots]
        found["ties"] = self.ties.scores(masks, members, looked)
        found["runs"] = self.runs.scores(masks, members, family == AVERAGE)
        found["price"] = np.maximum(found["lowest"] + found["average"], found["runs"])
        return found

    def together(self) -> Floats:
        """Return how much the ties and prices of their lots speak for each two firms being in one group; shape (k, k)."""
        worth = np.maximum(self.board.gain[self.lots][:, 1], 0) / np.maximum(self.attends.sum(axis=0), 1)
        by_price = (self.attends * worth.astype(np.float32)) @ self.attends.T
        size = np.maximum(self.ties.holds.sum(axis=0), 1)
        by_tie = (self.ties.holds * (self.ties.rarity / size).astype(np.float32)) @ self.ties.holds.T
        together: Floats = (by_price + by_tie).astype(np.float64)
        return together


@dataclass(frozen=True)
class _PooledEvents:
    """Events in the lots of a pool, sorted by lot."""

    column: Ints
    rarity: Floats
    table: Ints
    tables: Floats
    holds: Cells

    @classmethod
    def of(cls, located: LocatedEvents, row: Ints, column: Ints, bid: Ints, firms: int) -> _PooledEvents:
        """Gather the events that hold two bids of the pool and more; ``row``, ``column``: firm and lot of each bid."""
        of, event = located.by_bid.at(bid)
        at, place, count = np.unique(event, return_inverse=True, return_counts=True)
        kept = np.flatnonzero(count >= 2)
        new = np.full(len(at), -1)
        new[kept] = np.arange(len(kept))
        new = new[place]
        inside = new >= 0
        holds = np.zeros((firms, len(kept)), np.float32)
        holds[row[of[inside]], new[inside]] = 1
        lies = np.empty(len(kept), np.int64)
        lies[new[inside]] = column[of[inside]]
        at = at[kept]
        return cls(lies, located.events.rarity[at], located.table[at], located.tables, holds)

    def gains(self, masks: Cells, members: Ints) -> Floats:
        """Return what each event gives each group, nought where fewer than two members are in it; shape (groups, events)."""
        tied = (masks @ self.holds).astype(np.int64)
        located = self.tables[self.table, members[:, self.column], tied]
        return np.where(
            tied >= 2, np.clip(np.minimum(self.rarity, MOST_RARITY) + located, 0, MOST_OF_A_LOT), 0.0
        )

    def scores(self, masks: Cells, members: Ints, looked: Bools) -> Floats:
        """Return what the events give each group, less the choice of how often it leaves them; shape (groups,)."""
        if not len(self.column):
            return np.zeros(len(masks))
        gains = self.gains(masks, members)
        starts = np.flatnonzero(np.append(True, self.column[1:] != self.column[:-1]))
        best = np.maximum.reduceat(gains, starts, axis=1)
        with_event = (best > 0).sum(axis=1)
        met = np.maximum(((members >= 2) & looked).sum(axis=1), with_event)
        without = met - with_event
        with np.errstate(divide="ignore", invalid="ignore"):
            choice = np.nan_to_num(with_event * np.log(with_event / met)) + np.nan_to_num(
                without * np.log1p(-with_event / met)
            )
        scores: Floats = np.maximum(best.sum(axis=1) + choice, 0)
        return scores
