"""A group of firms bids together evenly, and with few others.

Why it matters
    A ring's members all meet each other, about equally often (coherent), and bid where the ring bids and
    seldom elsewhere (exclusive). Rivals of one market meet many others.

Looks innocent when
    - a niche has only these firms: few hold the licence or the machine;
    - they sit in one remote town, or are the panel of a framework agreement;
    - they are affiliates that bid for different lots of one tender.
    So a group is compared with the other groups of the records, most of which are honest niches.

Blind spots
    Rings whose members bid much outside the ring. Groups of two. Members that take turns in bidding. At most a
    tenth of all groups can be extreme: where more of them are rings, the rest is missed.

Sources
    Coherence and exclusivity: the idea of Wachs and Kertész (2019), who found a known cartel this way among
    school-milk suppliers; the form used here and the growing of groups are this project's own (see
    ``detectors.kernels.firms.circles``). Two firms are linked where they meet more often than a null model gives
    that keeps every firm's number of tenders.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.circles import circles, named
from detectors.kernels.firms.joint_lots import joint_lots
from detectors.kernels.firms.pairs import ENOUGH_TENDERS, meetings

DETECTOR = Detector(
    title="Group of firms bids together evenly and with few others",
    title_zh="企业群体共同投标高度一致且对外封闭",
    unit="ring",
    measures="share of the members' weight of joint bidding that lies inside the group, no unit",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("bids.bidder_id", "lots.class", "lots.region_code", "lots.opened_on"),
    says="{firms} firms: {value:.0%} of their joint bidding lies inside the group (among the highest"
    " {exclusive_share:.1%} of {reference_groups} comparable groups), and it is spread evenly over the"
    " pairs (coherence {coherence:.3f}, among the highest {coherent_share:.1%}); limit {max_p:.0%} on both.",
    says_zh="{firms} 家企业的共同投标有 {value:.0%} 发生在群体内部（在 {reference_groups} 个可比群体中属最高的 "
    "{exclusive_share:.1%}），且在成员之间分布均匀（一致性 {coherence:.3f}，属最高的 {coherent_share:.1%}）；"
    "两项阈值均为 {max_p:.0%}，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "firms": 5,
    "value": 0.94,
    "exclusive_share": 0.012,
    "reference_groups": 166,
    "coherence": 0.998,
    "coherent_share": 0.024,
}


NEEDS = (
    ENOUGH_TENDERS,
    Need(
        "in no group of three firms that keep meeting, or too few such groups to compare",
        "未处于三家以上经常同场投标的企业群体，或可比群体不足",
    ),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_stratum: int = 20  # tenders of one class, band, region and quarter; smaller strata are pooled
    min_joint: int = 5  # joint tenders of two firms that keep meeting
    max_edge_q: float = 0.001  # expected false share among the pairs that keep meeting (Benjamini-Hochberg)
    max_members: int = 12  # firms in the largest circle
    pooled_firms: int = 5  # groups of so many firms and more are one class
    min_groups: int = 30  # other groups of the class, else of any size
    max_p: float = 0.1  # share of these groups that are as extreme: the tenth, on both measures


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every group of three firms or more, where there are enough groups to compare it with."""
    met = meetings(engine, limits.min_stratum)
    found = circles(met, limits.min_joint, limits.max_edge_q, limits.max_members)
    groups = pd.DataFrame(
        {
            "unit": pd.Series([named(met, circle) for circle in found], dtype="str"),
            "firms": pd.Series([len(circle.members) for circle in found], dtype="int64"),
            "value": pd.Series([circle.exclusivity for circle in found], dtype="float64"),
            "coherence": pd.Series([circle.coherence for circle in found], dtype="float64"),
        }
    )
    # Equal weights have a coherence of 1 but for the last digit.
    groups["coherence"] = groups["coherence"].round(9)
    size = groups["firms"].clip(upper=limits.pooled_firms)
    alike = size.groupby(size).transform("size")
    is_narrow = alike > limits.min_groups
    groups["reference_groups"] = alike.where(is_narrow, len(groups)) - 1
    for measure, name in (("value", "exclusive_share"), ("coherence", "coherent_share")):
        among_alike = groups[measure].groupby(size).rank(ascending=False, method="max") / alike
        among_all = groups[measure].rank(ascending=False, method="max") / len(groups)
        groups[name] = among_alike.where(is_narrow, among_all).astype("float64")
    groups["p_value"] = groups[["exclusive_share", "coherent_share"]].max(axis=1).astype("float64")
    pooled = str(limits.pooled_firms)
    label = "groups of " + size.astype("str").replace(pooled, f"{pooled} or more") + " firms"
    groups["reference_class"] = label.where(is_narrow, "all groups").astype("str")
    groups = groups[groups["reference_groups"] >= limits.min_groups].reset_index(drop=True)
    flagged = groups["p_value"] <= limits.max_p
    return groups.assign(
        entities=groups["unit"], lot_ids=joint_lots(engine, groups.loc[flagged, "unit"]), flagged=flagged
    )
