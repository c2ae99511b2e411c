"""One buyer's lots keep going to one firm while most of its rivals are rejected.

Why it matters
    A qualification written for one firm shows in the evaluation: it wins, and the others fail the
    conditions. Once is bad luck; again and again with one buyer and one winner it is a pattern.

Looks innocent when
    - the buyer's work really needs something that few firms have, and others keep trying;
    - the buyer's committees are strict with everybody: then most rivals fail in its other lots too. So
      the buyer's own share of such lots counts where it is larger than the market's;
    - rejections are common in the market.

Blind spots
    Conditions that keep rivals from bidding at all: they leave no bid to reject. A favoured firm that
    wins in turns with others. Lots whose evaluation was not delivered. The text of the conditions, which
    is not read.

Sources
    Clue models of provinces (为特定项目而生): one buyer and one winner, special qualifications. The binomial
    comparison is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Buyer's lots go to one firm while most of its rivals are rejected",
    title_zh="同一招标人项目由同一投标人中标且其他投标多被否决",
    unit="pair",
    measures="lots that the firm won with the buyer and in which most rivals were rejected, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("lots.buyer_code", "scores.is_vetoed", "bids.rejection_reason", "bids.is_winner"),
    says="In {value:.0f} of the {lots} evaluated lots that the firm won with this buyer at least {min_share:.0%} of"
    " its rivals were rejected; usual is {usual_share:.2%} of {reference_lots} other lots: probability"
    " {p_value:.2g} (limits {min_lots} lots, {max_p:.3f}).",
    says_zh="该投标人在该招标人处中标且有评审结果的 {lots} 个标段中，有 {value:.0f} 个否决了至少 {min_share:.0%} 的其他投标人；"
    "其他 {reference_lots} 个标段中此类占 {usual_share:.2%}，出现此情形的概率为 {p_value:.2g}（阈值：{min_lots} 个、"
    "{max_p:.3f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 3,
    "lots": 5,
    "usual_share": 0.012,
    "reference_lots": 3100,
    "p_value": 0.00002,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_rivals: int = 2  # losing bids in a lot that counts
    min_share: float = 0.5  # of the losing bids that were rejected
    min_lots: int = 2  # such lots of the buyer and the firm
    min_reference_lots: int = 200  # evaluated lots of other pairs
    max_p: float = 0.001  # probability of as many such lots


# Lots with one winner of which the committee's result is known.
COUNTED = """
WITH judged AS (
    SELECT b.lot_id, b.bidder_id, b.is_winner, s.lot_id IS NOT NULL AS is_evaluated,
           coalesce(s.is_vetoed, FALSE) OR b.rejection_reason IS NOT NULL
               OR (NOT b.is_valid AND b.price IS NOT NULL) AS is_rejected
    FROM core.bids AS b
    LEFT JOIN core.scores AS s ON s.lot_id = b.lot_id AND s.bidder_id = b.bidder_id
),
counted AS (
    SELECT lot_id, max(CASE WHEN is_winner THEN bidder_id END) AS winner,
           sum(CASE WHEN is_winner THEN 0 ELSE 1 END) AS rivals,
           sum(CASE WHEN is_rejected AND NOT is_winner THEN 1 ELSE 0 END) AS rejected
    FROM judged
    GROUP BY lot_id
    HAVING max(CASE WHEN is_evaluated OR is_rejected THEN 1 ELSE 0 END) = 1
       AND sum(CASE WHEN is_winner THEN 1 ELSE 0 END) = 1
)
"""

SQL = (
    COUNTED
    + """
SELECT l.buyer_code, c.winner, count(*) AS lots,
       CAST(sum(CASE WHEN c.rejected >= $min_share * c.rivals THEN 1 ELSE 0 END) AS BIGINT) AS found,
       string_agg(CASE WHEN c.rejected >= $min_share * c.rivals THEN c.lot_id END, ';' ORDER BY c.lot_id) AS lot_ids
FROM counted AS c
JOIN core.lots AS l ON l.lot_id = c.lot_id
WHERE l.buyer_code IS NOT NULL AND c.rivals >= $min_rivals
GROUP BY l.buyer_code, c.winner
ORDER BY l.buyer_code, c.winner
"""
)


NEEDS = (
    Need("won no lot", "无中标记录", "SELECT DISTINCT bidder_id AS unit FROM core.bids WHERE is_winner"),
    Need(
        "no evaluation result delivered of a lot that it won alone",
        "其独家中标的标段均未提供评审结果",
        f"{COUNTED}SELECT winner AS unit FROM counted",
    ),
    Need(
        "the buyer's code is missing in all these lots",
        "上述标段招标人代码缺失",
        f"{COUNTED}SELECT c.winner AS unit FROM counted AS c JOIN core.lots AS l ON l.lot_id = c.lot_id"
        " WHERE l.buyer_code IS NOT NULL",
    ),
    Need(
        "too few such lots of one buyer with enough losing bids",
        "同一招标人且未中标投标家数足够的此类标段不足",
        f"SELECT winner AS unit FROM ({SQL}) AS pairs WHERE lots >= $min_lots",
    ),
    Need("too few evaluated lots of other buyers and firms", "其他招标人和投标人有评审结果的标段不足"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded buyer and firm with enough lots in which the evaluation is known.

    The unit is buyer/firm. What is usual is the larger share of such lots among the buyer's lots
    with other winners and among all lots of other pairs, never less than one lot.
    """
    chosen = {"min_share": limits.min_share, "min_rivals": limits.min_rivals}
    pairs: pd.DataFrame = engine.run(SQL, chosen).to_pandas()
    others = pairs[["lots", "found"]].sum() - pairs[["lots", "found"]]
    of_buyer = pairs.groupby("buyer_code")[["lots", "found"]].transform("sum") - pairs[["lots", "found"]]
    usual = np.maximum(
        (others["found"] + 1) / (others["lots"] + 1),
        # A buyer with few other lots says little about itself: one lot of the market is added.
        (of_buyer["found"] + others["found"] / others["lots"].clip(lower=1)) / (of_buyer["lots"] + 1),
    )
    pairs = pairs.assign(reference_lots=others["lots"], usual_share=np.minimum(usual, 1.0))
    pairs = pairs[
        (pairs["lots"] >= limits.min_lots) & (pairs["reference_lots"] >= limits.min_reference_lots)
    ].reset_index(drop=True)
    p_value = binom.sf(pairs["found"] - 1, pairs["lots"], pairs["usual_share"])
    return pairs.assign(
        unit=(pairs["buyer_code"] + "/" + pairs["winner"]).astype("str"),
        entities=pairs["winner"].astype("str"),
        value=pairs["found"].astype("float64"),
        p_value=p_value,
        flagged=(pairs["found"] >= limits.min_lots) & (p_value <= limits.max_p),
    ).drop(columns=["buyer_code", "winner", "found"])
