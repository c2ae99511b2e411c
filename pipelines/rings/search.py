"""The search for groups: pairs propose, toggling firms improves, and the best group explains its lots away."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import average, to_tree
from scipy.sparse import coo_array, csr_array
from scipy.spatial.distance import squareform

from pipelines.rings.content import MOST_MEMBERS
from pipelines.rings.market import AVERAGE, UNKNOWN, Bools, Floats, Ints, Runs
from pipelines.rings.scoring import MOST_RARITY, PRICE_OF_A_MEMBER, Board, Pool

#: Openings with more bids, and ties of more bidders, propose no pairs: who meets there meets by the crowd.
CROWD = 60

#: Pairs that start a group, by the prices and by the ties, per so many lots of the market.
LOTS_PER_START = 80
FEWEST_STARTS = 200

#: Firms that a group may draw on.
POOL = 36

#: A firm joins if the score grows by so much, beyond its price.
JOINING_GAIN = 1.5

#: Lots that speak for a group, at least: what happened once is no pattern.
FEWEST_LOTS = 3

#: A weaker group is not shown at all: leftovers of a true ring with bystanders reach two nats, and no decoy shows them.
LEAST_SCORE = 3.0

#: A pair is given up if no group that grows from it scores more: then nothing but chance speaks for any.
HOPELESS = -4.5

#: Steps of improving a group, at most.
STEPS = 40


@dataclass(frozen=True)
class Group:
    """A group of firms with its score.

    Attributes:
        firms: positions in the market, sorted.
        score: nats.
        lots: positions of the lots that speak for it.
        joined: firms that bid with it in these lots, found afterwards.
    """

    firms: tuple[int, ...]
    score: float
    lots: tuple[int, ...] = ()
    joined: tuple[int, ...] = ()


def search(board: Board) -> list[Group]:
    """Return the groups of a board, the best first, each judged by lots that no better one has explained."""
    pairs = Pairs.of(board)
    groups: list[Group] = []
    for left, right in pairs.starts(len(board.market.lot_id)):
        if any(left in group.firms and right in group.firms for group in groups):
            continue
        found = improve(board, pairs, left, right)
        if found.score > 0 and len(found.firms) > 1:
            groups += [part for part in divide(board, found) if part.firms not in {g.firms for g in groups}]
    united = unite(board, groups)
    return explain(board, [part for group in united for part in divide(board, group)])


@dataclass(frozen=True)
class Pairs:
    """Pairs of firms that meet: what prices and ties of their lots give, as symmetric sparse tables by firm.

    Attributes:
        price: what prices say, in nats.
        tied_again: pairs that are tied in two lots and more, as left * firms + right, and what the ties say.
        worth: what both say. ``near``: the same, and a little for every meeting.
    """

    price: csr_array
    tied_again: tuple[Ints, Floats]
    worth: csr_array
    near: csr_array

    @classmethod
    def of(cls, board: Board) -> Pairs:
        """Add up what the lots give their pairs."""
        market, ties = board.market, board.content.ties
        firms, bids = len(market.firm_id), market.bids
        small = np.flatnonzero((bids >= 2) & (bids <= CROWD))
        left, right, lot = _pairs_inside(market.first[small], bids[small], small)
        counts = (market.family != UNKNOWN) & ~board.is_used
        worth = np.where(counts, board.gain[:, 1], 0.0) / np.maximum(bids - 1, 1)
        a, b = market.firm[left], market.firm[right]
        price = _symmetric(a, b, worth[lot], firms)
        met = _symmetric(a, b, np.full(len(a), 0.01), firms)
        size = ties.size
        few = np.flatnonzero(size <= CROWD)
        tied_left, tied_right, event = _pairs_inside((np.cumsum(size) - size)[few], size[few], few)
        gain = np.clip(ties.rarity - np.log(np.maximum(size - 1, 1)), 0, MOST_RARITY)
        gain[board.is_used[ties.lot]] = 0
        c, d = market.firm[ties.bid[tied_left]], market.firm[ties.bid[tied_right]]
        tied, place, times = np.unique(
            np.minimum(c, d) * firms + np.maximum(c, d), return_inverse=True, return_counts=True
        )
        summed: Floats = np.bincount(place, gain[event], minlength=len(tied)).astype(np.float64)
        tie = _symmetric(tied // firms, tied % firms, summed, firms)
        again = times >= 2
        both = (price + tie).tocsr()
        return cls(price, (tied[again], summed[again]), both, (both + met).tocsr())

    def starts(self, lots: int) -> list[tuple[int, int]]:
        """Return the pairs that propose groups, the strongest first; those tied again and again before those by prices."""
        most = max(FEWEST_STARTS, lots // LOTS_PER_START)
        found: list[tuple[int, int]] = []
        pairs, tie = self.tied_again
        price, firms = coo_array(self.price), self.price.shape[0]
        # By prices every firm proposes its best partner: the other pairs of a ring would only find the same group again.
        order = np.lexsort((price.col, -price.data, price.row))
        order = order[np.append(True, price.row[order][1:] != price.row[order][:-1])[: len(order)]]
        low, high = np.minimum(price.row, price.col)[order], np.maximum(price.row, price.col)[order]
        for row, col, worth in ((pairs // firms, pairs % firms, tie), (low, high, price.data[order])):
            kept = np.flatnonzero(worth > 0)
            best = kept[np.lexsort((col[kept], row[kept], -worth[kept]))][: 2 * most]
            found += list(dict.fromkeys(zip(row[best].tolist(), col[best].tolist(), strict=True)))[:most]
        return list(dict.fromkeys(found))

    def around(self, firms: Ints) -> Ints:
        """Return the firms that a group may draw on: itself, and those that its pairs speak for most; sorted."""
        column, worth = _rows(self.near, firms)
        others, place = np.unique(column, return_inverse=True)
        summed = np.bincount(place, worth, minlength=len(others))
        summed[np.isin(others, firms)] = -np.inf
        best = np.argsort(-summed, kind="stable")[: max(POOL - len(firms), 0)]
        return np.union1d(firms, others[best[summed[best] > 0]])

    def inside(self, firms: Ints) -> Floats:
        """Return what speaks for each two of some firms, sorted; shape (k, k)."""
        size = np.diff(self.worth.indptr)[firms]
        column, worth = _rows(self.worth, firms)
        place = np.minimum(np.searchsorted(firms, column), len(firms) - 1)
        is_in = firms[place] == column
        table = np.zeros((len(firms), len(firms)))
        table[np.repeat(np.arange(len(firms)), size)[is_in], place[is_in]] = worth[is_in]
        return table


def _rows(table: csr_array, rows: Ints) -> tuple[Ints, Floats]:
    """Return columns and values of some rows of a sparse table, one row after the other."""
    at = Runs(table.indptr.astype(np.int64), np.arange(table.nnz)).at(rows)[1]
    return table.indices[at].astype(np.int64), table.data[at]


def improve(board: Board, pairs: Pairs, left: int, right: int) -> Group:
    """Grow a group from a pair, and toggle firms until no step improves the score."""
    members = np.array([left, right])
    group = Group((), -np.inf)
    for _ in range(2):  # the second time with the neighbours of the group that was found
        pool = Pool.of(board, pairs.around(members))
        mask = np.isin(pool.firms, members)
        if group.score == -np.inf:
            mask, grown = _grown(pool, pairs, mask)
            if grown <= HOPELESS:
                break
        mask, score = _toggled(pool, mask)
        if score <= group.score + 1e-9:
            break
        group = Group(tuple(pool.firms[mask].tolist()), score)
        members = pool.firms[mask]
        if len(members) < 2 or score <= 0:
            break
    return group


def _grown(pool: Pool, pairs: Pairs, mask: Bools) -> tuple[Bools, float]:
    """Add the firm that the pairs speak for most, again and again; return the best group on the way, and its score."""
    inside = pairs.inside(pool.firms)
    masks = [mask]
    for _ in range(min(MOST_MEMBERS, len(pool.firms)) - int(mask.sum())):
        worth = np.where(masks[-1], -np.inf, inside[masks[-1]].sum(axis=0))
        best = int(worth.argmax())
        if worth[best] <= 0:
            break
        following = masks[-1].copy()
        following[best] = True
        masks.append(following)
    stacked = np.stack(masks)
    scores = pool.scores(stacked)
    best = int(scores.argmax())
    return stacked[best], float(scores[best])


def _toggled(pool: Pool, mask: Bools) -> tuple[Bools, float]:
    """Take in or leave out one firm at a time, while the score grows."""
    score = float(pool.scores(mask[None])[0])
    flips = np.eye(len(mask), dtype=bool)
    for _ in range(STEPS):
        scores = pool.scores(flips ^ mask)
        least = np.where(mask, 1e-6, JOINING_GAIN)
        if mask.sum() >= MOST_MEMBERS:
            least = np.where(mask, 1e-6, np.inf)
        gained = scores - score - least
        best = int(gained.argmax())
        if gained[best] <= 0:
            break
        mask, score = mask ^ flips[best], float(scores[best])
    return mask, score


def divide(board: Board, group: Group) -> list[Group]:
    """Divide a group wherever two groups explain more than one: rings that a chance tie had joined."""
    if len(group.firms) < 4:
        return [group]
    pool = Pool.of(board, np.array(group.firms))
    # Average linkage puts together first what speaks together most.
    near = pool.together()
    far = near.max() - near
    np.fill_diagonal(far, 0)
    tree = to_tree(average(squareform(far, checks=False)))
    while not tree.is_leaf() and min(tree.get_left().count, tree.get_right().count) < 2:
        tree = max(
            tree.get_left(), tree.get_right(), key=lambda side: side.count
        )  # a firm by itself is no ring
    if tree.is_leaf():
        return [group]
    parts = [
        _settled(board, pool.firms[np.sort(side.pre_order())]) for side in (tree.get_left(), tree.get_right())
    ]
    if _summed(board, *parts) <= group.score - PRICE_OF_A_MEMBER:
        return [group]
    return [found for part in parts if len(part.firms) > 1 for found in divide(board, part)]


def unite(board: Board, groups: list[Group]) -> list[Group]:
    """Unite groups that share firms where one group explains more than two; of equal groups keep one."""
    waiting = sorted(groups, key=_rank)
    kept: list[Group] = []
    while waiting:
        group = waiting.pop(0)
        for place, other in enumerate(kept):
            together = set(group.firms) | set(other.firms)
            if len(together) == len(group.firms) + len(other.firms) or len(together) > MOST_MEMBERS:
                continue
            union = Group(tuple(sorted(together)), _scored(board, together))
            if union.firms == other.firms or union.score > _summed(board, other, group) + PRICE_OF_A_MEMBER:
                if union.firms != other.firms:
                    del kept[place]
                    waiting.insert(0, union)
                break
        else:
            kept.append(group)
    return sorted(kept, key=_rank)


def _summed(board: Board, *groups: Group) -> float:
    """Return what two groups explain, the weaker by the lots that the stronger left; what explains nothing counts nought."""
    first, second = sorted(groups, key=_rank)
    if len(first.firms) < 2:
        return max(_scored(board, second.firms), 0)
    pool = Pool.of(board, np.array(first.firms))
    used = board.is_used.copy()
    used[evidence(pool, np.ones(len(pool.firms), bool))] = True
    return max(first.score, 0) + max(_scored(board.without(used), set(second.firms)), 0)


def _settled(board: Board, firms: Ints) -> Group:
    """Return a group after leaving out and taking in again among its own firms."""
    pool = Pool.of(board, firms)
    mask, score = _toggled(pool, np.ones(len(pool.firms), bool))
    return Group(tuple(pool.firms[mask].tolist()), score)


def explain(board: Board, groups: list[Group]) -> list[Group]:
    """Let the best group explain its lots, and judge the others by the lots that are left."""
    queue = [(_rank(group), group) for group in groups]
    heapq.heapify(queue)
    used = board.is_used.copy()
    found: list[Group] = []
    while queue:
        _, group = heapq.heappop(queue)
        left = board.without(used)
        pool = Pool.of(left, np.array(group.firms))
        mask, score = _toggled(pool, np.isin(pool.firms, group.firms))
        if mask.sum() < 2 or score < LEAST_SCORE:
            continue
        now = Group(tuple(pool.firms[mask].tolist()), score)
        if queue and _rank(now) > queue[0][0]:
            heapq.heappush(queue, (_rank(now), now))
            continue
        lots = evidence(pool, mask)
        if len(lots) < FEWEST_LOTS:
            continue
        used[lots] = True
        found.append(replace(now, lots=tuple(lots.tolist())))
    return sorted(found, key=_rank)


def evidence(pool: Pool, mask: Bools) -> Ints:
    """Return the lots that speak for a group, sorted."""
    board = pool.board
    masks = mask[None].astype(np.float32)
    members = (masks @ pool.attends).astype(np.int64)
    parts = pool.parts(mask[None])
    speaks = np.zeros(len(pool.lots), bool)
    by_runs = parts["runs"][0] > parts["lowest"][0] + parts["average"][0]
    events = [pool.ties, pool.runs] if by_runs else [pool.ties]
    if not by_runs:
        counts = members[0] >= board.threshold[pool.lots]
        gain = board.gain[pool.lots]
        family = board.market.family[pool.lots]
        for name, kind in (("lowest", 0), ("average", AVERAGE)):
            of = counts & (family == kind)
            if parts[name][0] > 0:
                best = int(gain[of].sum(axis=0).argmax())
                speaks |= of & (gain[:, best] > 0)
    for each in events:
        if len(each.column):
            gains = each.gains(masks, members)[0]
            speaks[each.column[gains > 0]] = True
    return pool.lots[speaks]


def _scored(board: Board, firms: Collection[int]) -> float:
    if len(firms) < 2:
        return 0.0
    pool = Pool.of(board, np.array(sorted(firms)))
    return float(pool.scores(np.ones((1, len(firms)), bool))[0])


def _rank(group: Group) -> tuple[float, tuple[int, ...]]:
    return -group.score, group.firms


def _pairs_inside(start: Ints, size: Ints, label: Ints) -> tuple[Ints, Ints, Ints]:
    """Return every pair of rows inside each run, with the label of the run."""
    left, right, of = [], [], []
    for count in np.unique(size).tolist():
        if count < 2:
            continue
        i, j = np.triu_indices(count, 1)
        runs = np.flatnonzero(size == count)
        left.append((start[runs][:, None] + i).ravel())
        right.append((start[runs][:, None] + j).ravel())
        of.append(np.repeat(label[runs], len(i)))
    nobody = np.empty(0, np.int64)
    return tuple(np.concatenate(each) if each else nobody for each in (left, right, of))  # type: ignore[return-value]


def _symmetric(a: Ints, b: Ints, worth: Floats, firms: int) -> csr_array:
    upper = coo_array((worth, (np.minimum(a, b), np.maximum(a, b))), shape=(firms, firms)).tocsr()
    return (upper + upper.T).tocsr()
