"""Firms that keep meeting each other win each at its own buyers.

Why it matters
    A ring can divide the market instead of taking turns: every buyer has its firm, and the others stay
    away or ask too much there. Firms that could serve all these buyers win wherever luck has it.

Looks innocent when
    - a firm is near its buyer, or maintains what it built there;
    - buyers buy different things, and each firm is good at one of them;
    - a buyer splits one work into lots, and its first winner wins the rest.

Blind spots
    Rings whose members never meet: they are in no circle. A division by kind of work or by season instead of
    by buyer; for one by place see collusion.area_division. Buyers with a single lot. Two firms alone.

Sources
    招标投标法实施条例 §39(5) (other joint action) is what a division would serve; the pattern is no proof of one.
    Permutation of the winners over the buyers, which keeps the wins of every firm and the lots of every
    buyer: this project's own form of the conditional win share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.circles import (
    KNOWN_WINNERS,
    WON,
    chance_of_order,
    circles,
    joint_wins,
    named,
    same_firm_pairs,
)
from detectors.kernels.firms.pairs import ENOUGH_TENDERS, meetings

DETECTOR = Detector(
    title="Firms that keep meeting each other win each at its own buyers",
    title_zh="经常同场投标的企业各自固定在不同招标人处中标",
    unit="ring",
    measures="share of pairs of lots of one buyer that the same firm won, no unit",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-39-5",),
    evidence=("bids.bidder_id", "bids.is_winner", "lots.buyer_code"),
    says="{firms} firms that often meet (limit {min_firms}) won {lots} lots (limit {min_lots}) of {buyers} buyers (limit"
    " {min_buyers}). Of two lots of one buyer the same firm won {value:.0%}, where chance gives {usual:.0%}; probability"
    " {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="经常同场投标的 {firms} 家企业（阈值 {min_firms} 家）在 {buyers} 个招标人（阈值 {min_buyers} 个）的 {lots} 个标段"
    "（阈值 {min_lots} 个）中标；同一招标人的任意两个标段由同一家中标的占 {value:.0%}，随机期望 {usual:.0%}，概率 {p_value:.2g}"
    "（阈值 {max_p:.4f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "firms": 4,
    "lots": 31,
    "buyers": 5,
    "value": 0.86,
    "usual": 0.27,
    "p_value": 0.0002,
}


NEEDS = (
    KNOWN_WINNERS,
    Need(
        "no buyer of a lot with one known winner in the records",
        "中标人明确的标段均无招标人信息",
        "SELECT bidder_id AS unit FROM core.bids"
        f" WHERE EXISTS (SELECT 1 FROM ({WON}) AS won WHERE won.buyer IS NOT NULL)",
    ),
    ENOUGH_TENDERS,
    Need(
        "in no group of firms that keep meeting and won enough lots of enough buyers, two of them or more",
        "未处于经常同场投标、在足够招标人处中标标段足够且两家以上中标的企业群体",
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
    min_lots: int = 8  # lots won by members, of buyers with two such lots or more
    min_buyers: int = 2  # such buyers
    draws: int = 4999  # random orders of the same winners
    max_p: float = 0.01  # probability of winners so well sorted by buyer


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every circle in which two members or more won enough lots of enough buyers.

    One member present is enough: that the others stay away is what a division looks like.
    """
    met = meetings(engine, limits.min_stratum)
    found = circles(met, limits.min_joint, limits.max_edge_q, limits.max_members)
    wins = joint_wins(engine, met, found, 1)
    wins = wins[wins["buyer"].notna()]
    wins = wins[wins.groupby(["circle", "buyer"])["lot_id"].transform("size") > 1]
    rows = []
    for number, own in wins.groupby("circle", sort=True):
        circle = found[int(str(number))]
        winner = np.unique(own["winner"].to_numpy(), return_inverse=True)[1]
        buyer = pd.factorize(own["buyer"], sort=True)[0].astype(np.int64)
        if len(circle.members) < limits.min_firms or len(winner) < limits.min_lots:
            continue
        if buyer.max() + 1 < limits.min_buyers or winner.max() == 0:
            continue
        members = named(met, circle)
        count = same_firm_pairs(buyer)
        counts, sizes = np.bincount(winner), np.bincount(buyer)
        rows.append(
            {
                "unit": members,
                "lot_ids": SEPARATOR.join(sorted(own["lot_id"])),
                "value": float(count(winner[None, :])[0] / (sizes * (sizes - 1) / 2).sum()),
                "p_value": chance_of_order(winner, count, members, limits.draws, limits.max_p),
                "firms": len(circle.members),
                "lots": len(winner),
                "buyers": len(sizes),
                "usual": float((counts * (counts - 1)).sum() / (len(winner) * (len(winner) - 1))),
            }
        )
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    return frame.assign(
        entities=frame["unit"],
        flagged=frame["p_value"] <= limits.max_p,
    )


_COLUMNS = {
    "unit": "str",
    "lot_ids": "str",
    "value": "float64",
    "p_value": "float64",
    "firms": "int64",
    "lots": "int64",
    "buyers": "int64",
    "usual": "float64",
}
