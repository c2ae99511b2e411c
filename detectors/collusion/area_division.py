"""Firms that keep meeting each other win each in its own places, at the same buyers.

Why it matters
    A ring can divide a county by town: at one and the same buyer each firm wins the works of its own places,
    and the others ask too much there. Firms that could work everywhere win wherever luck has it.

Looks innocent when
    - a firm is near the work: its yard or its mixing plant stands there, and every kilometre costs;
    - a firm has worked in the place before and knows the ground;
    - a buyer splits one work into lots, and its first winner wins the rest.
    That a firm keeps winning at one buyer is no sign here (see collusion.market_division): wins are dealt
    anew only among lots of the same buyer.

Blind spots
    Places whose works all have a buyer of their own, such as the town itself: there a division by place is
    one by buyer. Lots without a place or a region, or whose place is written in several ways. Rings whose
    members never meet: they are in no circle. Two firms alone.

Sources
    招标投标法实施条例 §39(5) (other joint action) is what a division would serve; the pattern is no proof of one.
    Permutation of the winners over the lots of each buyer, which keeps the wins of every firm there: this
    project's own.
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
    title="Firms that keep meeting each other win each in its own places",
    title_zh="经常同场投标的企业各自固定在不同区域中标",
    unit="ring",
    measures="share of pairs of lots of one place that the same firm won, no unit",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-39-5",),
    evidence=("bids.bidder_id", "bids.is_winner", "lots.place_name", "lots.region_code", "lots.buyer_code"),
    says="{firms} firms that often meet (limit {min_firms}) won {lots} lots (limit {min_lots}) in {places} places (limit"
    " {min_places}). Of two lots of one place the same firm won {value:.0%}; dealt anew among the lots of each buyer, its"
    " winners come out so well sorted by place with probability {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="经常同场投标的 {firms} 家企业（阈值 {min_firms} 家）在 {places} 个区域（阈值 {min_places} 个）的 {lots} 个标段"
    "（阈值 {min_lots} 个）中标；同一区域任意两个标段由同一家中标的占 {value:.0%}，在各招标人内部随机调换中标人，"
    "达到此程度的概率为 {p_value:.2g}（阈值 {max_p:.4f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"firms": 4, "lots": 31, "places": 5, "value": 0.86, "p_value": 0.0002}


NEEDS = (
    KNOWN_WINNERS,
    Need(
        "no buyer and place of a lot with one known winner in the records",
        "中标人明确的标段均无招标人和地点信息",
        "SELECT bidder_id AS unit FROM core.bids WHERE EXISTS"
        f" (SELECT 1 FROM ({WON}) AS won WHERE won.buyer IS NOT NULL AND won.place IS NOT NULL)",
    ),
    ENOUGH_TENDERS,
    Need(
        "in no group of firms that keep meeting and won enough lots of buyers with works in several places",
        "未处于经常同场投标、在跨区域招标人处中标标段足够的企业群体",
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
    min_lots: int = 8  # lots won by members, of buyers that have works in two places and two winners
    min_places: int = 2  # places with two such lots or more
    draws: int = 4999  # random orders of the same winners
    max_p: float = 0.01  # probability of winners so well sorted by place


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every circle whose members won enough lots of buyers that have works in several places.

    One member present is enough: that the others stay away is what a division looks like. Lots whose buyer
    is not known belong to nobody whose other lots could be compared.
    """
    met = meetings(engine, limits.min_stratum)
    found = circles(met, limits.min_joint, limits.max_edge_q, limits.max_members)
    wins = joint_wins(engine, met, found, 1)
    wins = wins[wins["buyer"].notna() & wins["place"].notna()]
    at_buyer = wins.groupby(["circle", "buyer"])
    # Where a buyer has one place or one winner, dealing anew changes nothing.
    wins = wins[(at_buyer["place"].transform("nunique") > 1) & (at_buyer["winner"].transform("nunique") > 1)]
    rows = []
    for number, own in wins.groupby("circle", sort=True):
        circle = found[int(str(number))]
        winner = np.unique(own["winner"].to_numpy(), return_inverse=True)[1]
        buyer, place = (pd.factorize(own[name], sort=True)[0].astype(np.int64) for name in ("buyer", "place"))
        sizes = np.bincount(place)
        places = int((sizes > 1).sum())
        if (
            len(circle.members) < limits.min_firms
            or len(winner) < limits.min_lots
            or places < limits.min_places
        ):
            continue
        members = named(met, circle)
        count = same_firm_pairs(place)
        rows.append(
            {
                "unit": members,
                "lot_ids": SEPARATOR.join(sorted(own["lot_id"])),
                "value": float(count(winner[None, :])[0] / (sizes * (sizes - 1) / 2).sum()),
                "p_value": chance_of_order(winner, count, members, limits.draws, limits.max_p, buyer),
                "firms": len(circle.members),
                "lots": len(winner),
                "places": places,
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
    "places": "int64",
}
