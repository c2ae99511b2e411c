"""Who belongs to a ring: the core that the search found, and the firms that joined it in its lots."""

from __future__ import annotations

import numpy as np

from pipelines.rings.market import Ints, Runs
from pipelines.rings.scoring import Board
from pipelines.rings.search import Group

#: A firm joins that is tied to the core in so many of the ring's lots, and in this share of those in which it bids.
TIED_LOTS = 2
TIED_SHARE = 0.6

#: Where prices speak, it joins if it bids in so many of the ring's lots, as a share and at least, and no seldomer there
#: than in the other lots of the core, by this factor.
PRESENT_LOTS = 3
PRESENT_SHARE = 0.5
PRESENT_LIFT = 1.6


def joined(board: Board, group: Group) -> tuple[int, ...]:
    """Return the firms that are not of the core and bid with it in its lots, tied to it, or far oftener than elsewhere.

    Returns:
        positions in the market, sorted.
    """
    market = board.market
    firms = len(market.firm_id)
    core, lots = np.array(group.firms), np.array(group.lots)
    inside = np.zeros(len(market.lot_id), bool)
    inside[lots] = True
    there = np.bincount(market.firm[_bids_of(board, lots)], minlength=firms)
    ties = board.content.ties
    of_core = np.bincount(ties.event, np.isin(market.firm[ties.bid], core), minlength=len(ties.lot)) > 0
    speaks = of_core & inside[ties.lot]
    tied = np.bincount(market.firm[ties.bid[speaks[ties.event]]], minlength=firms)
    joins = (tied >= TIED_LOTS) & (tied >= TIED_SHARE * there)
    if speaks.sum() < len(lots) / 2:
        met = np.unique(market.lot[board.by_firm.at(core)[1]])
        others = met[~inside[met]]
        elsewhere = np.bincount(market.firm[_bids_of(board, others)], minlength=firms)
        often = (there >= PRESENT_LOTS) & (there >= PRESENT_SHARE * len(lots))
        joins |= often & (there * (len(others) + 1) >= PRESENT_LIFT * len(lots) * (elsewhere + 0.5))
    joins[core] = False
    return tuple(np.flatnonzero(joins).tolist())


def _bids_of(board: Board, lots: Ints) -> Ints:
    """Return the positions of the bids of some lots."""
    return Runs(board.market.first, np.arange(len(board.market.lot))).at(lots)[1]
