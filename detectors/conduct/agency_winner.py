"""One firm wins far more often where one agency runs the tender than its strength explains.

Why it matters
    The agency writes the tender document, answers questions and sits by the committee. An agency
    that favours a firm does so for several buyers.

Looks innocent when
    - the agency is specialised in the trade in which the firm is strong;
    - the agency works for one buyer, close to the firm: then look at the buyer;
    - there are few agencies or few other firms.

Blind spots
    Lots with one bid. Agencies that act under several codes. A firm that wins everywhere by the
    same means. A favoured firm that wins in turns with others.

Sources
    A provincial platform's rule: the same agency's lots won by one firm more than three times. The
    comparison with the firm's own strength is this project's own: moments of a gamma mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.concentration import partner_needs, wins_together

DETECTOR = Detector(
    title="Firm wins unusually often with one agency",
    title_zh="同一投标人在同一代理机构项目中中标异常集中",
    unit="pair",
    measures="lots run by the agency that the firm won, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.is_winner", "lots.agency_code"),
    says="The firm won {value:.0f} of the {lots} lots of this agency for which it bid, where {expected:.1f}"
    " would be its equal share, and {other_wins} of {other_lots} with other agencies"
    " ({other_expected:.1f} expected): probability {p_value:.2g} among {firms} firms (limits {min_wins}"
    " wins, {max_p:.3f}).",
    says_zh="该投标人参加该代理机构 {lots} 个标段，中标 {value:.0f} 个（按同标段投标家数平均应为 {expected:.1f} 个），在其他"
    "代理机构 {other_lots} 个标段中标 {other_wins} 个（平均应为 {other_expected:.1f} 个）；与 {firms} 家企业比较，出现"
    "此情形的概率为 {p_value:.2g}（阈值：{min_wins} 次、{max_p:.3f}），属异常指标。",
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

    min_lots: int = 4  # lots of the agency for which the firm bid
    min_wins: int = 4  # of them that it won
    max_strength: float = 30.0  # times the odds of an average firm, and as much below: no firm differs more
    max_p: float = 0.001  # probability of at least as many wins


AGENCIES = """
WITH partners AS (
    SELECT lot_id, agency_code AS partner_id FROM core.lots WHERE agency_code IS NOT NULL
)"""


NEEDS = partner_needs(
    AGENCIES,
    missing=("the agency's code is missing in all of its lots", "所投标段代理机构代码缺失"),
    few=("too few lots with any one agency", "与同一代理机构相关的标段不足"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every firm and coded agency with enough decided lots together; the unit is agency/firm."""
    pairs = wins_together(engine, AGENCIES, limits.min_lots, limits.max_strength)
    return pairs.assign(
        unit=(pairs["partner_id"] + "/" + pairs["bidder_id"]).astype("str"),
        entities=pairs["bidder_id"],
        value=pairs["wins"].astype("float64"),
        flagged=(pairs["wins"] >= limits.min_wins) & (pairs["p_value"] <= limits.max_p),
    ).drop(columns=["partner_id", "bidder_id", "wins"])
