"""Firms that keep meeting each other win in turns.

Why it matters
    A ring that shares out its wins lets its members win one after the other. Among rivals the order of
    wins is luck: the same firm wins twice in a row as often as its share of wins says.

Looks innocent when
    - a firm that has just won has no capacity left for the next lot;
    - the buyer spreads its lots by rule (a limit on lots per bidder, a framework with call-offs in turn);
    - wins follow the season of each firm's trade.

Blind spots
    Rings with a fixed leader, or with turns by value and not by number. Turns over several counties.
    Circles that hold only part of a ring, or strangers, blur the order. Records with the day of opening only: lots
    of one day stand in the order of their ids.

Sources
    招标投标法实施条例 §39(2) (agreeing on the winner) is what turns would serve; the order of wins proves
    no agreement. Permutation test that keeps the number of wins of every firm, after the idea of a runs
    test. The statistic (sum over wins of 1 / lots since the same firm's last win) is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.circles import KNOWN_WINNERS, chance_of_order, circles, joint_wins, named
from detectors.kernels.firms.pairs import ENOUGH_TENDERS, meetings

DETECTOR = Detector(
    title="Firms that keep meeting each other win in turns",
    title_zh="经常同场投标的企业轮流中标",
    unit="ring",
    measures="wins of the firm that won the lot before, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-39-2",),
    evidence=("bids.bidder_id", "bids.is_winner", "lots.opened_on"),
    says="{firms} firms (limit {min_firms}) that often meet won {lots} joint lots (limit {min_lots}); {winners} of them won,"
    " the winner of the lot before {value:.0f} times, where chance gives {usual:.1f}. Wins so evenly in turns have a"
    " probability of {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="经常同场投标的 {firms} 家企业（阈值 {min_firms} 家）在共同参加的 {lots} 个标段（阈值 {min_lots} 个）中由其中 "
    "{winners} 家中标，前后连续由同一家中标 {value:.0f} 次，随机期望 {usual:.1f} 次；如此均匀轮流的概率为 {p_value:.2g}"
    "（阈值 {max_p:.4f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "firms": 4,
    "lots": 24,
    "winners": 4,
    "value": 0,
    "usual": 5.2,
    "p_value": 0.0003,
}


NEEDS = (
    KNOWN_WINNERS,
    ENOUGH_TENDERS,
    Need(
        "in no group of firms that keep meeting and won enough joint lots, two of them or more",
        "未处于经常同场投标、共同标段足够且两家以上中标的企业群体",
    ),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_stratum: int = 20  # tenders of one class, band, region and quarter; smaller strata are pooled
    min_joint: int = 5  # joint tenders of two firms that keep meeting
    max_edge_q: float = 0.001  # expected false share among the pairs that keep meeting (Benjamini-Hochberg)
    max_members: int = 12  # firms in the largest circle
    min_firms: int = 3  # firms in the circle
    min_present: int = 3  # members that bid in a joint lot; fewer are no ring
    min_lots: int = 8  # joint lots won by members
    draws: int = 4999  # random orders of the same wins
    max_p: float = 0.01  # probability of wins so evenly in turns


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every circle with enough joint lots in which two members or more won."""
    met = meetings(engine, limits.min_stratum)
    found = circles(met, limits.min_joint, limits.max_edge_q, limits.max_members)
    wins = joint_wins(engine, met, found, limits.min_present)
    rows = []
    for number, own in wins.groupby("circle", sort=True):
        circle = found[int(str(number))]
        winner = np.unique(own["winner"].to_numpy(), return_inverse=True)[1]
        if len(circle.members) < limits.min_firms or len(winner) < limits.min_lots or winner.max() == 0:
            continue
        members = named(met, circle)
        counts = np.bincount(winner)
        rows.append(
            {
                "unit": members,
                "lot_ids": SEPARATOR.join(sorted(own["lot_id"])),
                "value": float((winner[1:] == winner[:-1]).sum()),
                "p_value": chance_of_order(winner, evenness, members, limits.draws, limits.max_p),
                "firms": len(circle.members),
                "lots": len(winner),
                "winners": len(counts),
                "usual": float((counts * (counts - 1)).sum() / len(winner)),
            }
        )
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    return frame.assign(
        entities=frame["unit"],
        flagged=frame["p_value"] <= limits.max_p,
    )


def evenness(orders: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return minus the sum, over all wins but each firm's first, of 1 / lots since its last win.

    Large where every firm waits for the others. ``orders``: winners in order, shape (orders, lots).
    """
    at = np.argsort(orders, axis=1, kind="stable")
    firm = np.take_along_axis(orders, at, axis=1)
    since = np.diff(at, axis=1)
    is_same = firm[:, 1:] == firm[:, :-1]
    result: NDArray[np.float64] = -np.where(is_same, 1.0 / np.where(is_same, since, 1), 0.0).sum(axis=1)
    return result


_COLUMNS = {
    "unit": "str",
    "lot_ids": "str",
    "value": "float64",
    "p_value": "float64",
    "firms": "int64",
    "lots": "int64",
    "winners": "int64",
    "usual": "float64",
}
