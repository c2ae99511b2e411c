"""The lowest bids of a lot were rejected, one after the other, up to a dearer one.

Why it matters
    Who wants a dear bid to win has to get the cheaper ones out of the way. Rejections that have
    nothing to do with the price fall anywhere among the bids.

Looks innocent when
    - a bid lies below cost: such a bid must be rejected, and it is always among the lowest;
    - the market rejects every bid below a floor: what many comparable lots show is a rule of the market
      and no signal (in one real market two lots of three show it);
    - firms that bid low also prepare their files with less care;
    - it is chance: with r of n bids rejected the lowest is among them with probability r / n. So the
      probability of the whole run is what counts.

Blind spots
    A single rejected bid: however often a buyer rejects just the lowest one, each lot alone says
    little. Lots whose evaluation was not delivered, or whose award method is unknown. Bids without a
    comparable price. A market in which this is the rule.

Sources
    Red flag R036 of the Cardinal library (lowest bid rejected). 招标投标法实施条例 §51(5) makes the rejection of
    bids below cost a duty. The probability of the run: drawing without replacement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaln

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS
from detectors.kernels.prices.reference_classes import commonness

DETECTOR = Detector(
    title="The lowest bids were rejected",
    title_zh="最低报价接连被否决",
    unit="lot",
    measures="lowest bids that were rejected before the first that was kept, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("scores.is_vetoed", "bids.rejection_reason", "bids.is_valid", "bids.price"),
    says="The {value:.0f} lowest of {bids} bids were rejected, {rejected} in all; if rejections had nothing to do"
    " with the price the probability would be {p_value:.2g} (limit {max_p:.3f}).",
    says_zh="{bids} 家报价中最低的 {value:.0f} 家被否决（共否决 {rejected} 家）；若否决与报价无关，出现此情形的概率为 "
    "{p_value:.2g}（阈值 {max_p:.3f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"value": 3, "bids": 8, "rejected": 3, "p_value": 0.0179}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 3  # bids with a price in the lot
    max_p: float = 0.01  # probability of such a run by chance
    min_reference_lots: int = 200  # other lots needed to say what is usual in a market
    max_common_share: float = 0.05  # of comparable lots that show such a run too: a market's rule


# Of equal prices the kept bid counts as the lower one: the run is then no longer than it was.
JUDGED = """
WITH judged AS (
    SELECT b.lot_id, b.bidder_id, b.price, s.lot_id IS NOT NULL AS is_evaluated,
           coalesce(s.is_vetoed, FALSE) OR b.rejection_reason IS NOT NULL OR NOT b.is_valid AS is_rejected
    FROM core.bids AS b
    JOIN core.lots AS l ON l.lot_id = b.lot_id
    LEFT JOIN core.scores AS s ON s.lot_id = b.lot_id AND s.bidder_id = b.bidder_id
    WHERE b.price > 0 AND (b.currency = l.currency OR l.currency IS NULL)
)
"""

SQL = (
    JUDGED
    + """,
placed AS (
    SELECT lot_id, bidder_id, is_rejected, is_evaluated,
           row_number() OVER (PARTITION BY lot_id ORDER BY price, is_rejected, bidder_id) AS place
    FROM judged
)
SELECT p.lot_id AS unit, count(*) AS bids,
       CAST(sum(CASE WHEN p.is_rejected THEN 1 ELSE 0 END) AS BIGINT) AS rejected,
       CAST(min(CASE WHEN NOT p.is_rejected THEN p.place END) - 1 AS DOUBLE) AS value,
       l.award_method, l.currency, l.class, CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) AS year
FROM placed AS p
JOIN core.lots AS l ON l.lot_id = p.lot_id
WHERE l.award_method IS NOT NULL
GROUP BY p.lot_id, l.award_method, l.currency, l.class, l.opened_on
HAVING count(*) >= $min_bids AND max(CASE WHEN p.is_evaluated OR p.is_rejected THEN 1 ELSE 0 END) = 1
   AND min(CASE WHEN p.is_rejected THEN 1 ELSE 0 END) = 0
ORDER BY p.lot_id
"""
)


NEEDS = (
    BIDS,
    AWARD_METHOD,
    Need(
        "too few bids with a price in the lot's currency",
        "与标段同币种的报价家数不足",
        f"{JUDGED}SELECT lot_id AS unit FROM judged GROUP BY lot_id HAVING count(*) >= $min_bids",
    ),
    Need(
        "no evaluation result delivered",
        "未提供评审结果",
        f"{JUDGED}SELECT lot_id AS unit FROM judged WHERE is_evaluated OR is_rejected",
    ),
    Need("every bid was rejected", "全部投标被否决"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every evaluated lot of a known award method with enough priced bids, at least one of them kept."""
    lots: pd.DataFrame = engine.run(SQL, {"min_bids": limits.min_bids}).to_pandas()
    run, bids, rejected = (lots[name].to_numpy(dtype=np.float64) for name in ("value", "bids", "rejected"))
    p_value = run_chance(run, bids, rejected)
    is_found = pd.Series(p_value <= limits.max_p, index=lots.index)
    common = commonness(lots, is_found, limits.min_reference_lots)
    is_rule = common["common_share"] > limits.max_common_share
    frame = lots.join(common).assign(p_value=p_value, flagged=is_found & ~is_rule)
    return frame.drop(columns=["award_method", "currency", "class", "year"])


def run_chance(run: np.ndarray, bids: np.ndarray, rejected: np.ndarray) -> np.ndarray:
    """Return the probability that the lowest ``run`` of ``bids`` bids are all among ``rejected`` drawn ones.

    r! (n - k)! / ((r - k)! n!) for a run of k, r rejected and n bids; every array has the shape (lots,).
    """
    log = gammaln(rejected + 1) - gammaln(rejected - run + 1) + gammaln(bids - run + 1) - gammaln(bids + 1)
    # Logarithms carry rounding errors of about 1e-14; a probability has no use for more digits.
    chance: np.ndarray = np.minimum(np.round(np.exp(log), 12), 1.0)
    return chance
