"""All bids of a lot but the winner's were rejected.

Why it matters
    A committee that rejects every rival decides the lot. So does a tender document whose conditions
    only one firm can meet, and so do helpers of the winner who file empty bids.

Looks innocent when
    - few bid, and it is common in the trade that bids miss a formal condition: so the lot is compared
      with lots of the same size and kind, and the same share of rejections must be rare there;
    - one demanding condition of the tender met an inexperienced group of bidders.

Blind spots
    Lots whose evaluation was not delivered: they look as if nobody was rejected, and are not judged.
    A rival that is left in far behind. A market in which this is usual.

Sources
    Red flag R035 of the Cardinal library (all but the winning bid rejected). The comparison within
    the reference class is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, COMPARABLE_LOTS
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="All bids but the winner's were rejected",
    title_zh="除中标人外的投标全部被否决",
    unit="lot",
    measures="losing bids that were rejected, share",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("scores.is_vetoed", "bids.rejection_reason", "bids.is_valid", "bids.is_winner"),
    says="{rejected} of {losers} losing bids were rejected ({value:.0%}); {p_value:.2%} of {reference_lots}"
    " comparable lots lost as many or more (limits: {min_share:.0%} rejected, {max_p:.1%} of lots).",
    says_zh="{losers} 家未中标投标人中 {rejected} 家被否决（{value:.0%}）；{reference_lots} 个可比标段中否决比例不低于此的占 "
    "{p_value:.2%}（阈值：否决 {min_share:.0%}、标段占比 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"rejected": 4, "losers": 4, "value": 1.0, "p_value": 0.002, "reference_lots": 640}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 3  # bids in the lot
    min_share: float = 1.0  # of the losing bids that were rejected
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.01  # share of comparable lots with at least as large a share rejected


# A bid is rejected where the committee says so. A bid without a comparable price is none of that.
COUNTED = """
WITH judged AS (
    SELECT b.lot_id, b.bidder_id, b.is_winner, s.lot_id IS NOT NULL AS is_evaluated,
           coalesce(s.is_vetoed, FALSE) OR b.rejection_reason IS NOT NULL
               OR (NOT b.is_valid AND b.price IS NOT NULL) AS is_rejected
    FROM core.bids AS b
    LEFT JOIN core.scores AS s ON s.lot_id = b.lot_id AND s.bidder_id = b.bidder_id
),
counted AS (
    SELECT lot_id, count(*) AS bids,
           CAST(sum(CASE WHEN is_winner THEN 1 ELSE 0 END) AS BIGINT) AS winners,
           CAST(sum(CASE WHEN is_rejected AND NOT is_winner THEN 1 ELSE 0 END) AS BIGINT) AS rejected,
           max(CASE WHEN is_winner THEN bidder_id END) AS winner
    FROM judged
    GROUP BY lot_id
    HAVING max(CASE WHEN is_evaluated OR is_rejected THEN 1 ELSE 0 END) = 1
)
"""

SQL = (
    COUNTED
    + """
SELECT c.lot_id AS unit, c.winner AS entities, c.bids, c.bids - c.winners AS losers, c.rejected,
       CAST(c.rejected AS DOUBLE) / NULLIF(c.bids - c.winners, 0) AS value,
       l.award_method, l.currency, l.class, CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) AS year
FROM counted AS c
JOIN core.lots AS l ON l.lot_id = c.lot_id
WHERE c.winners > 0 AND c.bids > c.winners AND c.bids >= $min_bids
ORDER BY c.lot_id
"""
)


NEEDS = (
    BIDS,
    Need(
        "the winner is unknown",
        "中标人不明",
        "SELECT DISTINCT lot_id AS unit FROM core.bids WHERE is_winner",
    ),
    Need("no evaluation result delivered", "未提供评审结果", f"{COUNTED}SELECT lot_id AS unit FROM counted"),
    Need("too few bids, or none that lost", "投标家数不足或无落标者", f"SELECT unit FROM ({SQL}) AS lots"),
    AWARD_METHOD,
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every evaluated lot with a winner, losers and enough comparable lots."""
    lots: pd.DataFrame = engine.run(SQL, {"min_bids": limits.min_bids}).to_pandas()
    frame = lots.join(placed(lots, "value", "high", limits.min_reference_lots))
    frame = frame[frame["p_value"].notna()].reset_index(drop=True)
    is_found = frame["value"] >= limits.min_share
    frame = frame.assign(flagged=is_found & (frame["p_value"] <= limits.max_p))
    return frame.drop(columns=["award_method", "currency", "class", "year"])
