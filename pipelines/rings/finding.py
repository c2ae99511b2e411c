"""Rings of a market, in order of strength, with the share of them that is expected to be false."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.rings.content import content
from pipelines.rings.decoys import Shuffle
from pipelines.rings.lot_scores import score
from pipelines.rings.market import Bools, Floats, Market
from pipelines.rings.members import joined
from pipelines.rings.scoring import Board
from pipelines.rings.search import Group, search

#: A case stops giving its content to decoys if so few of their groups, per case down to it, are as strong; rounds of that.
#: Without the one that `false_share` adds: three decoys could never be sure enough of the strongest case.
PEELED_SHARE = 0.1
PEELINGS = 4
PEELING_DECOYS = 3

#: Decoys that say how many groups chance gives, for a market of `DECOY_BIDS` bids; fewer where the market is larger.
DECOYS = 20
DECOY_BIDS = 50_000


@dataclass(frozen=True)
class Found:
    """The groups of a market, the best first, with their expected false shares, and the scores of the decoys' groups."""

    groups: tuple[Group, ...]
    q: tuple[float, ...]
    decoys: int
    decoy_scores: tuple[float, ...]


def find(market: Market, seed: int) -> Found:
    """Search a market and its decoys.

    Args:
        market: with at least one lot.
        seed: of the decoys; the same market and seed give the same answer.
    """
    board = board_of(market)
    groups = [replace(group, joined=joined(board, group)) for group in search(board)]
    shuffle = Shuffle.of(market)
    rng = np.random.default_rng(seed)
    gives = np.ones(len(market.lot_id), bool)
    peeling = _fewer(PEELING_DECOYS, market, 1)
    for _ in range(PEELINGS):
        scores = _decoy_scores(board, shuffle, rng, gives, peeling)
        kept = _giving(board, groups, false_share(groups, scores, peeling, sure=0))
        if (kept == gives).all():
            break
        gives = kept
    decoys = _fewer(DECOYS, market, 3)
    scores = _decoy_scores(board, shuffle, rng, gives, decoys)
    q = false_share(groups, scores, decoys)
    return Found(tuple(groups), tuple(q.tolist()), decoys, tuple(np.sort(scores)[::-1].tolist()))


def _fewer(decoys: int, market: Market, least: int) -> int:
    """Return how many decoys a market needs: a larger one has more groups in each, and more rings to divide them by."""
    return int(np.clip(decoys * DECOY_BIDS // max(len(market.lot), 1), least, decoys))


def board_of(market: Market) -> Board:
    """Return a market with its own content, nothing explained yet."""
    return Board(
        market, content(market, score(market)), np.zeros(len(market.lot_id), bool), market.is_looked_at
    )


def _decoy_scores(
    board: Board, shuffle: Shuffle, rng: np.random.Generator, gives: Bools, decoys: int
) -> Floats:
    scores: list[float] = []
    for _ in range(decoys):
        scores += [group.score for group in search(board.holding(shuffle.decoy(board.content, rng, gives)))]
    return np.array(scores)


def _giving(board: Board, groups: list[Group], q: Floats) -> Bools:
    gives = np.ones(len(board.market.lot_id), bool)
    for group, share in zip(groups, q.tolist(), strict=True):
        if share <= PEELED_SHARE:
            gives[list(group.lots)] = False
    return gives


def false_share(groups: list[Group], decoy_scores: Floats, decoys: int, sure: int = 1) -> Floats:
    """Return the expected false share of the list down to each group: (sure + decoy groups as strong) / (decoys * place)."""
    scores = np.array([group.score for group in groups])
    stronger = (decoy_scores[None, :] >= scores[:, None]).sum(axis=1)
    share = (sure + stronger) / (decoys * np.arange(1, len(groups) + 1))
    return np.minimum.accumulate(share[::-1])[::-1].clip(0, 1)
