"""One firm wins far more often where one expert sits on the committee than its strength explains.

Why it matters
    Experts are drawn by lot. A firm that has come to terms with one of them wins more where this
    expert sits than elsewhere.

Looks innocent when
    - the pool of experts is small and specialised: the same expert judges the trade in which the firm
      is strong, so he meets it often. Meeting often is not judged here, only winning then;
    - many experts and firms are compared: a few pairs stand out by chance alone.

Blind spots
    An expert who scores one firm high and is outvoted leaves no trace here: see conduct.expert_scores. Experts
    who take turns. Lots whose committee is not public. Lots won by price alone, in which an expert can
    only reject.

Sources
    Expert and bidder repetition is among the clue models used by provinces; 招标投标法实施条例 §46 and §49 deal with
    experts. The comparison with the firm's own strength is this
    project's own: moments of a gamma mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.concentration import partner_needs, wins_together

DETECTOR = Detector(
    title="Firm wins unusually often when one expert sits on the committee",
    title_zh="同一投标人在同一评标专家参与评审的项目中中标异常集中",
    unit="pair",
    measures="lots judged by the expert that the firm won, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("bids.is_winner", "experts.expert_id"),
    says="The firm won {value:.0f} of the {lots} lots judged by this expert for which it bid, where"
    " {expected:.1f} would be its equal share, and {other_wins} of {other_lots} without the expert"
    " ({other_expected:.1f} expected): probability {p_value:.2g} among {firms} firms (limits {min_wins}"
    " wins, {max_p:.4f}).",
    says_zh="该投标人参加该专家评审的 {lots} 个标段，中标 {value:.0f} 个（按同标段投标家数平均应为 {expected:.1f} 个），在其他"
    " {other_lots} 个标段中标 {other_wins} 个（平均应为 {other_expected:.1f} 个）；与 {firms} 家企业比较，出现此情形的概率"
    "为 {p_value:.2g}（阈值：{min_wins} 次、{max_p:.4f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 9,
    "lots": 10,
    "expected": 2.1,
    "other_wins": 4,
    "other_lots": 21,
    "other_expected": 4.5,
    "p_value": 0.00004,
    "firms": 900,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_lots: int = 5  # lots judged by the expert for which the firm bid
    min_wins: int = 4  # of them that it won
    max_strength: float = 30.0  # times the odds of an average firm, and as much below: no firm differs more
    max_p: float = 0.0001  # probability of at least as many wins; every firm meets dozens of experts


EXPERTS = """
WITH partners AS (
    SELECT DISTINCT lot_id, expert_id AS partner_id FROM core.experts WHERE expert_id IS NOT NULL
)"""


NEEDS = partner_needs(
    EXPERTS,
    missing=("no expert of its lots is known", "所投标段评标专家不明"),
    few=("too few lots with any one expert", "与同一评标专家相关的标段不足"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every firm and expert with enough decided lots together; the unit is expert/firm."""
    pairs = wins_together(engine, EXPERTS, limits.min_lots, limits.max_strength)
    return pairs.assign(
        unit=(pairs["partner_id"] + "/" + pairs["bidder_id"]).astype("str"),
        entities=pairs["bidder_id"],
        value=pairs["wins"].astype("float64"),
        flagged=(pairs["wins"] >= limits.min_wins) & (pairs["p_value"] <= limits.max_p),
    ).drop(columns=["partner_id", "bidder_id", "wins"])
