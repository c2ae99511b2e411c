"""The contract was signed more than thirty days after the award, and unusually late for its market.

Why it matters
    Buyer and winner must sign within thirty days of the award notice. Weeks of silence are room for
    talks about what was tendered.

Looks innocent when
    - a complaint or a review stopped the signing for lawful reasons;
    - the day delivered is the day of registration, not of signing;
    - in some trades it is common to be late. A deadline missed by everybody is a matter for the buyer's
      supervisor and no sign of an arrangement: only what is rare among comparable lots is shown.

Blind spots
    Contracts dated back. Lots that were never signed. Awards without a day.

Sources
    招标投标法 §46 (contract within thirty days of the award notice). The place within the reference class is
    this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, COMPARABLE_LOTS
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Contract signed unusually late",
    title_zh="合同签订时间明显超出期限",
    unit="lot",
    measures="days from the award to the signing of the contract, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.EXPERIMENTAL,
    legal_basis=("LAW-46",),
    evidence=("awards.awarded_on", "contracts.signed_on"),
    says="Awarded on {awarded_on}, signed on {signed_on}: {value:.0f} days (limit {max_days} allowed);"
    " {p_value:.2%} of {reference_lots} comparable lots took as long or longer (limit {max_p:.1%}).",
    says_zh="{awarded_on} 定标，{signed_on} 签约，相隔 {value:.0f} 日（允许 {max_days} 日）；{reference_lots} 个可比标段中不短于"
    "此的占 {p_value:.2%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "awarded_on": "2026-03-02",
    "signed_on": "2026-04-28",
    "value": 57,
    "p_value": 0.003,
    "reference_lots": 640,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    max_days: int = 30  # days allowed from the award to the signing
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.01  # share of comparable lots that took as long


SQL = """
WITH won AS (
    SELECT lot_id, winner_id, min(awarded_on) AS awarded_on
    FROM core.awards
    WHERE awarded_on IS NOT NULL
    GROUP BY lot_id, winner_id
),
signed AS (
    SELECT lot_id, supplier_id, min(signed_on) AS signed_on
    FROM core.contracts
    WHERE signed_on IS NOT NULL
    GROUP BY lot_id, supplier_id
),
bidders AS (
    SELECT lot_id, count(*) AS bids FROM core.bids GROUP BY lot_id
)
SELECT l.lot_id AS unit, w.winner_id AS entities, w.awarded_on, s.signed_on, b.bids, l.award_method,
       l.currency, l.class, CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) AS year
FROM won AS w
JOIN signed AS s ON s.lot_id = w.lot_id AND s.supplier_id = w.winner_id AND s.signed_on >= w.awarded_on
JOIN core.lots AS l ON l.lot_id = w.lot_id
JOIN bidders AS b ON b.lot_id = w.lot_id
ORDER BY l.lot_id, w.winner_id
"""


NEEDS = (
    BIDS,
    Need(
        "day of the award unknown",
        "定标日期不明",
        "SELECT DISTINCT lot_id AS unit FROM core.awards WHERE awarded_on IS NOT NULL",
    ),
    Need(
        "no contract delivered, or its day of signing is unknown",
        "未提供合同或签订日期不明",
        "SELECT DISTINCT lot_id AS unit FROM core.contracts WHERE signed_on IS NOT NULL",
    ),
    Need(
        "no contract with the winner, or it was signed before the award",
        "合同非与中标人签订，或签订日期早于定标日期",
        f"SELECT unit FROM ({SQL}) AS signed",
    ),
    AWARD_METHOD,
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every winner whose days of award and first contract are known, with enough comparable lots."""
    lots: pd.DataFrame = engine.run(SQL).to_pandas()
    awarded_on, signed_on = pd.to_datetime(lots["awarded_on"]), pd.to_datetime(lots["signed_on"])
    lots = lots.assign(
        value=(signed_on - awarded_on).dt.days.astype("float64"),
        awarded_on=awarded_on.dt.strftime("%Y-%m-%d").astype("str"),
        signed_on=signed_on.dt.strftime("%Y-%m-%d").astype("str"),
    )
    frame = lots.join(placed(lots, "value", "high", limits.min_reference_lots))
    frame = frame[frame["p_value"].notna()].reset_index(drop=True)
    is_late = frame["value"] >= limits.max_days + 1
    frame = frame.assign(flagged=is_late & (frame["p_value"] <= limits.max_p))
    return frame.drop(columns=["bids", "award_method", "currency", "class", "year"])
