"""The bids of a group known from elsewhere move the benchmark more than those of other groups of its size.

Why it matters
    Under a mean or a drawn benchmark a group wins by moving it: its cover bids stand together on one side.
    Taken out, they leave another benchmark. Any group does so a little; a ring does so lot after lot
    more than groups of the same size drawn from the same bidders.

Looks innocent when
    - the firms of the group have alike costs, and higher or lower ones than the market: affiliates with
      the same suppliers stand on one side without any agreement;
    - they price with one cost consultant, each for itself.
    The group itself is lawful until shown otherwise: what ties it (a machine, an agent, an account, an
    owner) has its own innocent reasons. Firms that were tied in a lot have met there, and firms of one
    trade meet often. So meeting says little: it is only asked of a pair, as a second condition.

Blind spots
    Groups that leave no trace of identity. Fewer joint lots than needed: after five lots a ring of three of
    ten bidders is found in one case of four. Pairs, which move next to nothing. Ladders under a
    draw, which cover the range and move nothing. Groups that fill a lot, so that few other groups of
    their size can be drawn. Lots whose wording or draw is not known.

Sources
    The bid and the participation test of Conley and Decarolis for average auctions, in this form with exact or drawn
    groups of the same size lot by lot. Share found at a limit of 0.1 %, simulated by this project: 0.23 of groups of
    three of ten with five joint lots, 0.83 with ten. That another firm wins without the group says
    nothing: it does in 10 to 28 % of honest lots.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import rankdata

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.named_groups import TIES, named_groups
from detectors.kernels.rules.award_rules import benchmark
from detectors.kernels.rules.ruled_lots import RuledLots, has_rule, ruled_lots

DETECTOR = Detector(
    title="Bids of a group move the benchmark more than other groups of its size",
    title_zh="关联投标人的报价对评标基准价的影响异常偏大",
    unit="ring",
    measures="mean rank of the group's shift of the benchmark among groups of its size, 0.5 is usual, 1 the largest",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-39-1", "REG-39-5"),
    evidence=(
        "bids.price",
        "bids.is_valid",
        "documents.evaluation_method",
        "opening_draws.drawn_values",
        "lots.ceiling_price",
        "fingerprints.mac",
        "fingerprints.dongle",
        "people.person_id",
        "deposits.account",
        "relations.holder_id",
    ),
    says="In {lots} lots without the bids of these {members} tied firms the benchmark moves by {shift_share:.2%} on"
    " average, rank {value:.2f} among other groups of the same size (0.5 is usual): probability {shift_p:.4f}; joint"
    " participation as frequent as theirs: probability {meeting_p:.2g}; decisive {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="在 {lots} 个标段中，剔除这 {members} 家关联企业的报价后评标基准价平均变动 {shift_share:.2%}，在同等家数的其他组合中"
    "平均位次 {value:.2f}（通常为 0.5），概率 {shift_p:.4f}；共同投标达到同等频次的概率 {meeting_p:.2g}；判定概率 "
    "{p_value:.2g}（阈值 {max_p:.4f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "lots": 12,
    "members": 5,
    "shift_share": 0.0104,
    "value": 0.91,
    "shift_p": 0.0001,
    "meeting_p": 0.001,
    "p_value": 0.0001,
}


RULED = has_rule(
    "no award rule with a mean recognised in any evaluation method",
    "全部评标办法均未识别为以平均值确定基准价的规则",
    "r.has_mean",
)

NEEDS = (
    # A firm of a group may itself have bid in none of the group's joint lots: so the records are asked, not the firm.
    replace(RULED, sql=f"SELECT bidder_id AS unit FROM core.bids WHERE EXISTS ({RULED.sql})"),
    Need(
        "no machine, dongle, agent, account or owner ties it to another bidder",
        "无设备、加密锁、代理人、账户或出资人将其与其他投标人相关联",
        f"SELECT party_id AS unit FROM ({TIES}) AS ties",
    ),
    Need(
        "its group has too few joint lots with a known rule and draw, or is too large",
        "所在关联群体在规则和抽取结果已知的共同标段不足，或群体过大",
    ),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    max_holders: int = 20  # firms behind one code, person, account or owner; more tie nobody
    min_holder_share: float = 0.5  # part of a firm that makes its holder its owner
    max_members: int = 20  # firms of one group; more are a chain of chances
    min_present: int = 3  # members that bid in a joint lot; of a pair both
    min_lots: int = 5  # joint lots of a group of three or more
    min_pair_lots: int = 10  # joint lots of a pair
    min_others: int = 10  # groups of the same size that the lot's bidders can form
    subsets: int = 999  # groups of the same size drawn where there are more
    draws: int = 9999  # random groups of the combined test
    meeting_draws: int = 1999  # random groups of the participation test
    min_peers: int = 20  # firms from which one is drawn in place of a member: of its market, about as active
    max_p: float = 0.001  # probability among groups of the same size; of a pair both must be as rare


class Shift(NamedTuple):
    """How far one group moved the benchmark of one lot, beside groups of the same size.

    ``scores``: ranks of all groups of the size, scaled to 0..1, shape (groups,); ``score`` that of the group
    itself; ``share`` its shift as a share of the benchmark.
    """

    group: int
    lot_id: str
    score: float
    share: float
    scores: NDArray[np.float64]


#: Bids for which benchmarks are computed at once: keeps the arrays in tens of megabytes.
CELLS = 1_000_000

BIDS = """
SELECT b.bidder_id, b.lot_id, coalesce(l.region_code, '') || ' ' || coalesce(l.class, '') AS market
FROM core.bids AS b
JOIN core.lots AS l ON l.lot_id = b.lot_id
ORDER BY b.bidder_id, b.lot_id
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every group, named by identity evidence, that has enough joint lots with a known rule and draw.

    Of a group of three or more, lots with ``min_present`` or more of its members are joint ones. A pair is never
    judged by its prices alone: ``p_value`` is then the larger of both tests.
    """
    groups = named_groups(engine, limits.max_holders, limits.min_holder_share, limits.max_members)
    shifts = pd.DataFrame(
        [
            shift
            for lots in ruled_lots(engine)
            if lots.rule.has_mean
            for shift in _shifts(lots, groups, limits)
        ],
        columns=Shift._fields,
    )
    sizes = groups.groupby("group").size()
    needed = np.where(sizes > 2, limits.min_lots, limits.min_pair_lots)
    enough = shifts.groupby("group").size().reindex(sizes.index, fill_value=0) >= needed
    judged = sizes.index[enough]
    met = _Meetings(engine, limits.min_peers)
    rows = []
    for group in judged.tolist():
        members = groups.loc[groups["group"] == group, "party_id"].tolist()
        mine = shifts[shifts["group"] == group]
        named = SEPARATOR.join(members)
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big"))
        shift_p = combined_chance(mine["score"].to_numpy(), mine["scores"].tolist(), limits.draws, rng)
        meeting_p = met.chance(members, min(len(members), limits.min_present), limits.meeting_draws, rng)
        rows.append(
            (
                named,
                float(mine["score"].mean()),
                shift_p if len(members) > 2 else max(shift_p, meeting_p),
                SEPARATOR.join(sorted(mine["lot_id"])),
                len(members),
                len(mine),
                float(mine["share"].mean()),
                shift_p,
                meeting_p,
            )
        )
    frame = pd.DataFrame(
        rows,
        columns=[
            "unit",
            "value",
            "p_value",
            "lot_ids",
            "members",
            "lots",
            "shift_share",
            "shift_p",
            "meeting_p",
        ],
    ).astype(_TYPES)
    return frame.assign(
        entities=frame["unit"],
        flagged=frame["p_value"] <= limits.max_p,
    )


def combined_chance(
    scores: NDArray[np.float64], others: list[NDArray[np.float64]], draws: int, rng: np.random.Generator
) -> float:
    """Return how often random groups, one drawn in every lot, have a sum of scores at least as high.

    Args:
        scores: of the group, one a lot, shape (lots,).
        others: scores of all groups of its size in each lot.
        draws: number of times that a group is drawn in every lot.
        rng: source of chance.

    Returns:
        (1 + draws at least as high) / (1 + draws).
    """
    total = np.zeros(draws)
    for lot in others:
        total += rng.choice(lot, draws)
    return float((1 + (total >= scores.sum() - 1e-9).sum()) / (1 + draws))


def subsets(bids: int, size: int, most: int) -> NDArray[np.bool_]:
    """Return groups of ``size`` of ``bids`` bids as masks: all of them, or ``most`` drawn ones, shape (groups, bids)."""
    if comb(bids, size) <= most:
        chosen = np.array(list(combinations(range(bids), size)), dtype=np.int64)
    else:
        rng = np.random.default_rng([bids, size])
        chosen = rng.random((most, bids)).argpartition(size - 1, axis=1)[:, :size]
    mask = np.zeros((len(chosen), bids), dtype=bool)
    np.put_along_axis(mask, chosen, True, axis=1)
    return mask


def _shifts(lots: RuledLots, groups: pd.DataFrame, limits: Limits) -> Iterator[Shift]:
    """Give what every group does to the lots of one rule and size that it bids in."""
    at = pd.Index(groups["party_id"]).get_indexer(pd.Index(lots.bidder_id.ravel()))
    of = np.append(groups["group"], -1)[at].reshape(lots.bidder_id.shape)
    row, column = np.nonzero(of >= 0)
    seats = pd.DataFrame({"lot": row, "group": of[row, column]})
    seats = (
        seats[~np.isnan(lots.benchmarks)[row]].groupby(["lot", "group"]).size().rename("size").reset_index()
    )
    members = groups.groupby("group").size()
    seats = seats[seats["size"] >= np.minimum(members.loc[seats["group"]].to_numpy(), limits.min_present)]
    for size, here in seats.groupby("size"):
        present = int(str(size))
        if comb(lots.bids, present) <= limits.min_others:
            continue
        masks = subsets(lots.bids, present, limits.subsets)
        step = max(CELLS // masks.size, 1)
        for first in range(0, len(here), step):
            part = here.iloc[first : first + step]
            lot, group = part["lot"].to_numpy(), part["group"].to_numpy()
            without = _benchmarks_without(lots, lot, np.repeat(masks[:, None, :], len(lot), axis=1))
            own = _benchmarks_without(lots, lot, (of[lot] == group[:, None])[None])[0]
            whole = lots.benchmarks[lot]
            moved, own_moved = np.abs(without - whole), np.abs(own - whole)
            for place in np.flatnonzero(~np.isnan(own_moved)).tolist():
                others = moved[:, place][~np.isnan(moved[:, place])]
                scores = (rankdata(others) - 0.5) / len(others)
                mine = (others < own_moved[place]).sum() + (others == own_moved[place]).sum() / 2
                yield Shift(
                    int(group[place]),
                    str(lots.lot_id[lot[place]]),
                    float(mine / len(others)),
                    float(own_moved[place] / whole[place]),
                    scores,
                )


def _benchmarks_without(
    lots: RuledLots, lot: NDArray[np.int64], left_out: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the benchmarks of lots without some of their bids; shape (groups, lots)."""
    prices = np.where(left_out, np.nan, lots.prices[lot])
    draws = {letter: values[lot] for letter, values in lots.draws.items()}
    return np.asarray(benchmark(lots.rule, prices, lots.ceilings[lot], draws))


class _Meetings:
    """Who bids where, for the participation test."""

    def __init__(self, engine: Engine, min_peers: int) -> None:
        self._min_peers = min_peers
        bids = engine.run(BIDS).to_pandas()
        firm, firms = pd.factorize(bids["bidder_id"], sort=True)
        lot, lots = pd.factorize(bids["lot_id"])
        market, _ = pd.factorize(bids["market"], sort=True)
        self._firms = pd.Index(firms)
        self._came = csr_array((np.ones(len(bids)), (firm, lot)), shape=(len(firms), len(lots)))
        counted = pd.DataFrame({"firm": firm, "market": market}).value_counts(sort=False).reset_index()
        counted = counted.sort_values(["firm", "count", "market"], ascending=[True, False, True])
        self._home = counted.drop_duplicates("firm")["market"].to_numpy()
        self._lots = np.bincount(firm, minlength=len(firms))

    def chance(self, members: list[str], present: int, draws: int, rng: np.random.Generator) -> float:
        """Return how often random groups meet as often: at least ``present`` of them in one lot.

        Every member is replaced by one of the firms of its home market that are about as active.
        """
        own = self._firms.get_indexer(pd.Index(members))
        own = own[own >= 0]
        chosen = np.empty((draws, 0), dtype=np.int64)
        for firm in own.tolist():
            peers = self._peers(firm, own)
            keys = rng.random((draws, len(peers)))
            keys[(peers[None, :, None] == chosen[:, None, :]).any(axis=2)] = (
                1.0  # already drawn for another member
            )
            chosen = np.append(chosen, peers[keys.argmin(axis=1)][:, None], axis=1)
        joint = self._joint(chosen, present)
        return float((1 + (joint >= self._joint(own[None], present)[0]).sum()) / (1 + draws))

    def _peers(self, firm: int, group: NDArray[np.int64]) -> NDArray[np.int64]:
        count = max(self._min_peers, 2 * len(group))  # enough for every member to get another one
        others = np.setdiff1d(np.flatnonzero(self._home == self._home[firm]), group)
        if len(others) < count:
            others = np.setdiff1d(np.arange(len(self._home)), group)
        distance = np.abs(self._lots[others] - self._lots[firm])
        return np.asarray(others[np.argsort(distance, kind="stable")[:count]])

    def _joint(self, firms: NDArray[np.int64], present: int) -> NDArray[np.int64]:
        """Return the number of joint lots of every row of firms."""
        row = np.repeat(np.arange(len(firms)), firms.shape[1])
        chosen = csr_array(
            (np.ones(firms.size), (row, firms.ravel())), shape=(len(firms), self._came.shape[0])
        )
        together = (chosen @ self._came).tocsr()
        together.data = (together.data >= present).astype(np.float64)
        return np.asarray(together.sum(axis=1)).astype(np.int64)


_TYPES = {
    "unit": "str",
    "value": "float64",
    "p_value": "float64",
    "lot_ids": "str",
    "members": "int64",
    "lots": "int64",
    "shift_share": "float64",
    "shift_p": "float64",
    "meeting_p": "float64",
}
