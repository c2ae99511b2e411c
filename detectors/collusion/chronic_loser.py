"""A firm bids often, asks much and wins less than even a weak firm would.

Why it matters
    A ring needs losers. Some firms live on it (陪标专业户): they bid in lot after lot, high enough never
    to win, and are paid for it.

Looks innocent when
    - the firm is weak, dear or far away, and bids to learn the market: so its wins are compared with
      what firms differ in anyway, not with equal chances alone;
    - it bids to stay on a buyer's list, or because its licence needs a record of bids;
    - it wins in other places, which the records do not cover.

Blind spots
    Losers that win now and then for cover. Average-price lots, where a high bid is no sign of losing:
    they are left out. Loser firms that are used a few times and then replaced.

Sources
    Clue models of provinces: always there, never a winner. The test is this project's own. With equal chances
    a firm wins 1/n of a lot with n bids. The strength of firms varies as a gamma variable, whose spread is
    measured on all firms of the class. Wins given strength are taken as Poisson: that is wider than the
    truth, so nothing is flagged too soon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Firm bids often, asks much and wins less than a weak firm would",
    title_zh="高频投标、报价偏高且中标率异常偏低",
    unit="party",
    measures="wins, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("bids.price", "bids.is_winner", "bids.is_valid", "lots.award_method", "lots.class"),
    says="{value:.0f} wins in {lots} lots (limit {min_lots} lots) where equal chances give {expected_wins:.1f};"
    " its bids lie above {position:.0%} of the others' (limit {min_position:.0%}). So few wins"
    " have a probability of {p_value:.2g} among the {firms} firms of its class, limit {max_p:.2f}.",
    says_zh="参加 {lots} 个标段（阈值 {min_lots} 个）中标 {value:.0f} 次，机会均等时应为 {expected_wins:.1f} 次；报价高于 "
    "{position:.0%} 的其他投标人（阈值 {min_position:.0%}）；在同类 {firms} 家企业中中标如此之少的概率为 "
    "{p_value:.2g}（阈值 {max_p:.2f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 0,
    "lots": 41,
    "expected_wins": 8.2,
    "position": 0.83,
    "firms": 212,
    "p_value": 0.0041,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_lots: int = 10  # lots of the class that the firm bid for
    min_firms: int = 30  # firms of the class with as many lots; fewer say nothing of a spread
    min_position: float = 0.75  # mean share of the other bids of a lot that are lower
    max_p: float = 0.05  # probability of so few wins in the class


# Lots in which a lower price never hurts, with a winner and somebody who lost. A lot's bids must be
# comparable: valid and in one currency. Equal bids count half.
SQL = """
WITH placed AS (
    SELECT b.lot_id, b.bidder_id, l.class, CASE WHEN b.is_winner THEN 1 ELSE 0 END AS is_won,
           count(*) OVER (PARTITION BY b.lot_id) AS bids,
           sum(CASE WHEN b.is_winner THEN 1 ELSE 0 END) OVER (PARTITION BY b.lot_id) AS winners,
           rank() OVER (PARTITION BY b.lot_id ORDER BY b.price) - 1 AS lower_bids,
           count(*) OVER (PARTITION BY b.lot_id, b.price) - 1 AS equal_bids,
           min(b.currency) OVER (PARTITION BY b.lot_id) AS one_currency,
           max(b.currency) OVER (PARTITION BY b.lot_id) AS other_currency
    FROM core.bids AS b
    JOIN core.lots AS l ON l.lot_id = b.lot_id
    WHERE b.is_valid AND b.price > 0 AND l.award_method IN ('lowest_price', 'comprehensive_score')
)
SELECT class, bidder_id, count(*) AS lots, CAST(sum(is_won) AS DOUBLE) AS value,
       string_agg(lot_id, ';' ORDER BY lot_id) AS lot_ids,
       sum(CAST(winners AS DOUBLE) / NULLIF(bids, 0)) AS expected_wins,
       avg((lower_bids + equal_bids / 2.0) / NULLIF(bids - 1, 0)) AS position
FROM placed
WHERE winners >= 1 AND bids > winners AND coalesce(one_currency, '') = coalesce(other_currency, '')
GROUP BY class, bidder_id
ORDER BY bidder_id, class
"""


NEEDS = (
    Need(
        "no valid price in a lot awarded by the lowest price or by scores",
        "未在采用最低价法或综合评分法的标段有效报价",
        "SELECT b.bidder_id AS unit FROM core.bids AS b JOIN core.lots AS l ON l.lot_id = b.lot_id"
        " WHERE b.is_valid AND b.price > 0 AND l.award_method IN ('lowest_price', 'comprehensive_score')",
    ),
    Need(
        "no such lot with a known winner, losing bids and one currency",
        "此类标段中标人不明、无落标者或报价币种不一",
        f"SELECT bidder_id AS unit FROM ({SQL}) AS careers",
    ),
    Need(
        "bid for too few such lots of one class",
        "参加同类标段数不足",
        f"SELECT bidder_id AS unit FROM ({SQL}) AS careers WHERE lots >= $min_lots",
    ),
    Need("too few firms of its class with as many lots", "同类标段数足够的企业家数不足"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every firm in each class where enough firms bid often enough; the unit is firm/class."""
    firms: pd.DataFrame = engine.run(SQL).to_pandas()
    firms = firms[firms["lots"] >= limits.min_lots]
    by_class = firms.groupby("class", dropna=False)
    firms = firms.assign(firms=by_class["value"].transform("size"))
    firms = firms[firms["firms"] >= limits.min_firms].reset_index(drop=True)
    # Sums in another order differ in the last digit.
    wins, expected = firms["value"], firms["expected_wins"].astype("float64").round(9)
    position = firms["position"].astype("float64").round(9)
    sums = pd.DataFrame({"excess": (wins - expected) ** 2 - expected, "squares": expected**2})
    sums = sums.groupby(firms["class"], dropna=False).transform("sum")
    # Not below what the Poisson distribution itself needs to be computed.
    spread = (sums["excess"] / sums["squares"]).clip(lower=1e-3)
    strength = 1 / spread
    # P(negative binomial <= wins), with the mean `expected` and the variance expected + spread expected^2.
    p_value = pd.Series(betainc(strength, wins + 1, strength / (strength + expected)), index=firms.index)
    return pd.DataFrame(
        {
            "unit": (firms["bidder_id"] + "/" + firms["class"].fillna("?")).astype("str"),
            "entities": firms["bidder_id"].astype("str"),
            "value": wins,
            "p_value": p_value.astype("float64"),
            "reference_class": ("class " + firms["class"].fillna("?")).astype("str"),
            "lot_ids": firms["lot_ids"].astype("str"),
            "lots": firms["lots"].astype("int64"),
            "expected_wins": expected,
            "position": position,
            "firms": firms["firms"].astype("int64"),
            "spread": spread.astype("float64"),
            "flagged": np.asarray(position >= limits.min_position) & np.asarray(p_value <= limits.max_p),
        }
    )
