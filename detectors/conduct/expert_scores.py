"""One expert places one bidder higher than the other experts of the lot do, lot after lot.

Why it matters
    Experts are drawn by lot and judge by themselves. An expert who has come to terms with a bidder leaves a
    mark in his own points, also where the others outvote him and the bidder loses.

Looks innocent when
    - the expert values what this bidder does well (a method, a kind of design), and says why;
    - the expert is one of few of the trade, and rates what the others of the committee cannot judge;
    - an expert is generous, strict, or gives points far apart: this is not counted, because the points of
      every expert are put on one scale in every lot before they are compared;
    - very many pairs are compared, and some stand out by chance: the limit allows for their number.

Blind spots
    Experts who meet a bidder in fewer lots than the limit. A committee of which most favour the bidder: then
    the others are the outliers. An expert who takes turns between the firms of a ring. Experts without a
    document number. Points that the committee gives in common.

Sources
    招标投标法实施条例 §71 deals with experts who do not judge by the standards of the tender document. The ranks
    among the experts of a lot are equally likely by chance; they are summed over the lots: this
    project's own robust form of a z-score. Benjamini and Hochberg for the pairs compared.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.pairs import q_values

DETECTOR = Detector(
    title="One expert places one bidder above the other experts' view in lot after lot",
    title_zh="同一评标专家对同一投标人的评分持续高于其他专家",
    unit="pair",
    measures="how far above the other experts the expert places the bidder, standard deviations of chance",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("expert_scores.score", "expert_scores.expert_id"),
    says="In {lots} lots (limit {min_lots}) the expert placed the bidder above the other experts' view: {value:.1f}"
    " standard deviations of chance (limit {min_z:.1f}); highest of all experts in {top_lots} lots, in the middle {lead:+.2f}"
    " points from them. Among {pairs} pairs compared, q = {q_value:.4f} (limit {max_q:.2f}).",
    says_zh="在 {lots} 个标段（阈值 {min_lots} 个）中，该专家对该投标人的评价高于其他专家，"
    "偏离随机水平 {value:.1f} 个标准差（阈值 {min_z:.1f}）；其中 {top_lots} 个标段为全部专家中最高，"
    "评分与其他专家之差的中位数为 {lead:+.2f} 分。共比较 {pairs} 对，"
    "q = {q_value:.4f}（阈值 {max_q:.2f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"lots": 14, "value": 4.6, "top_lots": 12, "lead": 5.5, "pairs": 2100, "q_value": 0.004}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_experts: int = 3  # experts who scored the bidder in a lot
    min_bidders: int = 3  # bidders whom an expert scored in a lot
    min_lots: int = 10  # such lots of an expert and a bidder
    min_z: float = 3.0  # standard deviations of chance
    max_q: float = 0.05  # expected share of chance findings among the pairs shown


SQL = """
SELECT lot_id, expert_id, bidder_id, CAST(avg(score) AS DOUBLE) AS score
FROM core.expert_scores
WHERE expert_id IS NOT NULL AND score IS NOT NULL
GROUP BY lot_id, expert_id, bidder_id
ORDER BY lot_id, expert_id, bidder_id
"""

NEEDS = (
    Need(
        "no points of single experts delivered for its bids",
        "未提供各评标专家对其投标的评分",
        "SELECT DISTINCT bidder_id AS unit FROM core.expert_scores WHERE score IS NOT NULL",
    ),
    Need(
        "the experts who scored its bids are unknown",
        "评标专家身份不明",
        f"SELECT bidder_id AS unit FROM ({SQL}) AS scores",
    ),
    Need(
        "too few lots in which one expert scored it together with enough others",
        "同一评标专家与其他专家共同评分的标段不足",
    ),
)


#: Decimals of a score on an expert's own scale; what differs by less is equal: rounding of the arithmetic.
DIGITS = 9


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every expert and bidder with enough lots scored together; the unit is expert/bidder."""
    seats = _seats(engine.run(SQL).to_pandas(), limits)
    pairs = (
        seats.groupby(["expert_id", "bidder_id"], sort=True)
        .agg(
            lot_ids=("lot_id", SEPARATOR.join),
            lots=("lot_id", "size"),
            above=("above", "sum"),
            variance=("variance", "sum"),
            top_lots=("is_top", "sum"),
            lead=("lead", "median"),
        )
        .reset_index()
    )
    # Without any difference between experts there is nothing to compare.
    pairs = pairs[(pairs["lots"] >= limits.min_lots) & (pairs["variance"] > 0)].reset_index(drop=True)
    value = (pairs["above"] / np.sqrt(pairs["variance"])).astype("float64")
    p_value = ndtr(-value.to_numpy())
    q_value = q_values(p_value, len(pairs))
    return pd.DataFrame(
        {
            "unit": (pairs["expert_id"] + "/" + pairs["bidder_id"]).astype("str"),
            "entities": pairs["bidder_id"].astype("str"),
            "value": value,
            "p_value": p_value,
            "lot_ids": pairs["lot_ids"].astype("str"),
            "lots": pairs["lots"].astype("int64"),
            "top_lots": pairs["top_lots"].astype("int64"),
            "lead": pairs["lead"].astype("float64"),
            "pairs": len(pairs),
            "q_value": q_value,
            "flagged": (value >= limits.min_z) & (q_value <= limits.max_q),
        }
    )


def _seats(scores: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Return every score that can be compared, and how it stands among those of the lot's other experts.

    An expert's points for a lot are put on one scale (mean 0, standard deviation 1 over the bidders whom he
    scored), so that neither generosity nor a wide hand counts. By chance every rank among the k experts of
    a bidder is equally likely: mean (k + 1) / 2, variance (k² - 1) / 12 less sum(t³ - t) / (12 k) over ties
    of t.

    Args:
        scores: ``lot_id``, ``expert_id``, ``bidder_id``, ``score``, sorted by lot.
        limits: how many experts and bidders a lot must have.

    Returns:
        The columns of ``scores`` and ``above`` (rank above the mean rank), ``variance`` (of it by chance),
        ``is_top`` (no other expert ranks as high) and ``lead`` (points more than the mean of the others).
    """
    own = scores.groupby(["lot_id", "expert_id"], sort=False)["score"]
    spread = own.transform("std", ddof=0)
    is_usable = (own.transform("size") >= limits.min_bidders) & (spread > 0)
    scaled = ((scores["score"] - own.transform("mean")) / spread.where(spread > 0)).round(DIGITS)
    seats = scores.assign(scaled=scaled)[is_usable]
    of_bidder = seats.groupby(["lot_id", "bidder_id"], sort=False)
    experts = of_bidder["scaled"].transform("size")
    ties = seats.groupby(["lot_id", "bidder_id", "scaled"], sort=False)["score"].transform("size")
    # Each of t equal ones brings t² - 1, together t³ - t.
    tied = (ties**2 - 1).groupby([seats["lot_id"], seats["bidder_id"]], sort=False).transform("sum")
    others = (of_bidder["score"].transform("sum") - seats["score"]) / (experts - 1).where(experts > 1)
    rank = of_bidder["scaled"].rank()
    return seats.assign(
        above=rank - (experts + 1) / 2,
        variance=(experts**2 - 1) / 12 - tied / (12 * experts),
        is_top=rank == experts,
        lead=seats["score"] - others,
    )[experts >= limits.min_experts]
