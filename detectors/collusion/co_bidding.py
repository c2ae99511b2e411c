"""Two firms bid for the same lots far more often than their market explains.

Why it matters
    A ring needs its members in the same lots. Firms that decide for themselves meet as often as two
    firms of their market meet.

Looks innocent when
    - the two share a niche: one trade, one size of work, one town. So lots are compared within market
      class, region, number of bidders and quarter. And the pair is compared with the spread of all pairs of
      the market: in every market some pairs meet more than by chance;
    - several lots of one tender, or a repeated tender, bring the same firms together: that is one meeting;
    - one of them is always invited with the other;
    - their market is one of several that the records do not tell apart: in two trades taken for one, each pair of the
      smaller trade stands out. So lots without a trade class are left out: no inference of the trade from who meets
      whom keeps its error rate, because a ring and a small trade look alike in that. Where the region is unknown, the same can
      happen to the firms of a small place.

Blind spots
    Lots without a trade class. Rings in a market whose honest firms meet as narrowly: there no pair can stand out, and
    none is flagged. Rings that keep apart (they divide the market). Pairs with few joint tenders. Firms under several codes.

Sources
    Raw shares are useless: of 8,398 Korean pairs with five joint tenders or more the median Jaccard share
    is .28 and the 99th percentile .81. Within a stratum joint lots are hypergeometric; the sum over strata
    is computed exactly (see ``detectors.kernels.firms.pairs``). The correction for the market's spread, from the
    ordinary pairs that met, so that a few rings do not hide themselves, is this project's own. Measured on invented markets
    (``tests/detectors/collusion/test_co_bidding.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.chances import chances, chances_in_spread, market_spread
from detectors.kernels.firms.joint_lots import joint_lots
from detectors.kernels.firms.pairs import CAME_IN_CLASS, frequent_pairs, meetings, possible_pairs, q_values

DETECTOR = Detector(
    title="Two firms meet far more often than their market explains",
    title_zh="两家企业共同投标频次异常偏高",
    unit="pair",
    measures="tenders in which both bid, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.bidder_id", "lots.class", "lots.region_code", "lots.opened_on"),
    says="Both firms bid in {value:.0f} tenders (limit {min_joint}), of {first_tenders} and {second_tenders} of their own;"
    " chance gives {expected:.1f} (limit {min_lift:.1f} times that). In this market, where pairs vary by"
    " {spread:.2f}, so many have a probability of {p_value:.2g};"
    " adjusted for {tests} possible pairs {q_value:.2g}, limit {max_q:.2f}.",
    says_zh="两家企业共同参加 {value:.0f} 个项目（阈值 {min_joint} 个；各自参加 {first_tenders} 个和 "
    "{second_tenders} 个），随机期望 {expected:.1f} 个（阈值 {min_lift:.1f} 倍）；计入本市场企业对之间的差异"
    "（{spread:.2f}）后概率为 {p_value:.2g}，按 {tests} 对可能组合校正后 {q_value:.2g}（阈值 {max_q:.2f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 24,
    "first_tenders": 31,
    "second_tenders": 27,
    "expected": 2.9,
    "spread": 0.12,
    "p_value": 4.1e-9,
    "tests": 19_110,
    "q_value": 0.00008,
}


NEEDS = (
    Need(
        "bid in no lot with a known trade class",
        "未在标段类别明确的标段投标",
        f"SELECT bidder_id AS unit FROM ({CAME_IN_CLASS}) AS came",
    ),
    Need(
        "bid for too few tenders of a known trade class",
        "参加投标的类别明确的项目数不足",
        f"SELECT bidder_id AS unit FROM ({CAME_IN_CLASS}) AS came GROUP BY bidder_id HAVING count(*) >= $min_joint",
    ),
    Need("met no other firm in enough tenders", "与任何其他企业共同参加的项目数不足"),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_stratum: int = 20  # tenders of one class, band, region and quarter; smaller strata are pooled
    min_joint: int = 5  # tenders in which both bid
    min_lift: float = 2.0  # joint tenders / expected ones; over long records any smaller excess is certain
    max_q: float = 0.05  # expected false share among the flagged pairs (Benjamini-Hochberg)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every pair with enough joint tenders in a known trade class.

    Pairs of one market that could have met as often, but did not, count as tests too: so choosing pairs by the number of their
    meetings is allowed for.
    """
    met = meetings(engine, limits.min_stratum, in_class=True)
    pairs = frequent_pairs(met.came, limits.min_joint)
    tenders = np.diff(met.came.indptr)
    chance = chances(met, pairs)
    spread = market_spread(met, limits.min_joint)
    most = np.minimum(tenders[pairs.first], tenders[pairs.second])
    p_value = chances_in_spread(chance, pairs.joint, most, spread)
    tests = possible_pairs(met, limits.min_joint)
    named = pd.Series(met.firms[pairs.first] + SEPARATOR + met.firms[pairs.second], dtype="str")
    frame = pd.DataFrame(
        {
            "unit": named,
            "entities": named,
            "value": pairs.joint.astype("float64"),
            "p_value": p_value,
            "first_tenders": tenders[pairs.first],
            "second_tenders": tenders[pairs.second],
            "expected": chance.expected,
            "chance_p": chance.p_value,
            "spread": spread,
            "tests": tests,
            "q_value": q_values(p_value, tests),
        }
    )
    is_far_more = frame["value"] >= limits.min_lift * frame["expected"]
    flagged = is_far_more & (frame["q_value"] <= limits.max_q)
    return frame.assign(flagged=flagged, lot_ids=joint_lots(engine, named[flagged]))
