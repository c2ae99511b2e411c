"""One firm wins far more often with one buyer than its strength and its rivals explain.

Why it matters
    A buyer that favours a firm lets it win again and again: by hints, by tailored conditions, or by
    rejecting the others. Live platforms count the wins of one firm with one buyer; a count alone
    also finds the firm that is better, or nearer, than the others.

Looks innocent when
    - the firm is close to the buyer, or specialised in what this buyer buys: it is compared with its
      own wins at other buyers, but not with its wins in the same trade alone;
    - the work continues earlier work of the same firm;
    - there are few other firms in the trade.

Blind spots
    A firm that wins everywhere by the same means. A buyer that buys under several codes. Lots with
    one bid. A favoured firm that wins in turns with others. Lots of a ring, in which the others
    did not really compete, count as lots with many rivals.

Sources
    A provincial platform's rule: the same buyer's lots won by one firm more than three times. Other
    provinces' models of a firm that lives for one buyer. The comparison with the firm's own
    strength is this project's own: moments of a gamma mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.concentration import partner_needs, wins_together

DETECTOR = Detector(
    title="Firm wins unusually often with one buyer",
    title_zh="同一投标人在同一招标人项目中中标异常集中",
    unit="pair",
    measures="lots of the buyer that the firm won, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.is_winner", "lots.buyer_code"),
    says="The firm won {value:.0f} of the {lots} lots of this buyer for which it bid, where {expected:.1f}"
    " would be its equal share, and {other_wins} of {other_lots} with other buyers ({other_expected:.1f}"
    " expected): probability {p_value:.2g} among {firms} firms (limits {min_wins} wins, {max_p:.3f}).",
    says_zh="该投标人参加该招标人 {lots} 个标段，中标 {value:.0f} 个（按同标段投标家数平均应为 {expected:.1f} 个），在其他"
    "招标人 {other_lots} 个标段中标 {other_wins} 个（平均应为 {other_expected:.1f} 个）；与 {firms} 家企业比较，出现此"
    "情形的概率为 {p_value:.2g}（阈值：{min_wins} 次、{max_p:.3f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 14,
    "lots": 16,
    "expected": 3.4,
    "other_wins": 2,
    "other_lots": 9,
    "other_expected": 1.8,
    "p_value": 0.0004,
    "firms": 900,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_lots: int = 4  # lots of the buyer for which the firm bid
    min_wins: int = 4  # of them that it won
    max_strength: float = 30.0  # times the odds of an average firm, and as much below: no firm differs more
    max_p: float = 0.001  # probability of at least as many wins


BUYERS = """
WITH partners AS (
    SELECT lot_id, buyer_code AS partner_id FROM core.lots WHERE buyer_code IS NOT NULL
)"""


NEEDS = partner_needs(
    BUYERS,
    missing=("the buyer's code is missing in all of its lots", "所投标段招标人代码缺失"),
    few=("too few lots with any one buyer", "与同一招标人相关的标段不足"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every firm and coded buyer with enough decided lots together; the unit is buyer/firm."""
    pairs = wins_together(engine, BUYERS, limits.min_lots, limits.max_strength)
    return pairs.assign(
        unit=(pairs["partner_id"] + "/" + pairs["bidder_id"]).astype("str"),
        entities=pairs["bidder_id"],
        value=pairs["wins"].astype("float64"),
        flagged=(pairs["wins"] >= limits.min_wins) & (pairs["p_value"] <= limits.max_p),
    ).drop(columns=["partner_id", "bidder_id", "wins"])
