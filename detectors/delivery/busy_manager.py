"""One person leads unusually many lots of a contractor at the same time.

Why it matters
    A manager who is named for many sites at once cannot be on all of them. Then the name may only have met a
    condition of the tender, while somebody else runs the work.

Looks innocent when
    - the lots are sections of one job, or small ones next to each other;
    - the work took less time than promised. The real end is not delivered;
    - the firm has few managers and the trade allows several sites. So the number is compared with
      other lots of the same class. What is usual there is no signal.

Blind spots
    Managers without a document number. Lots whose duration or signing day is unknown. Lots outside
    the delivered region. A trade in which everybody does it.

Sources
    No source was at hand. The comparison within the reference class is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.claims.work_sites import NEEDS as KNOWN_SITES
from detectors.kernels.claims.work_sites import sites
from detectors.kernels.needs import AWARD_METHOD, COMPARABLE_LOTS, CONTRACT
from detectors.kernels.prices.reference_classes import placed

DETECTOR = Detector(
    title="Project manager leads unusually many lots at the same time",
    title_zh="项目负责人同期负责标段数量异常偏多",
    unit="lot_party",
    measures="other lots of the contractor that the manager leads in the same days, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "awards.project_lead_id",
        "bids.project_manager_id",
        "bids.duration_days",
        "contracts.signed_on",
    ),
    says="While this lot runs, {signed_on} to {ends_on}, its manager leads {value:.0f} more lots of the contractor"
    " (limit {min_lots}); {p_value:.2%} of {reference_lots} comparable lots have as many or more (limit"
    " {max_p:.1%}).",
    says_zh="本标段合同期 {signed_on} 至 {ends_on} 内，其项目负责人同时负责该中标单位其他标段 {value:.0f} 个（阈值 {min_lots} "
    "个）；{reference_lots} 个可比标段中不少于此的占 {p_value:.2%}（阈值 {max_p:.1%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "signed_on": "2026-03-02",
    "ends_on": "2026-12-31",
    "value": 9,
    "p_value": 0.004,
    "reference_lots": 640,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_lots: int = 2  # other lots in the same days
    min_reference_lots: int = 200  # other lots in the reference class
    max_p: float = 0.01  # share of comparable lots with as many


SQL = """
WITH bidders AS (
    SELECT lot_id, count(*) AS bids FROM core.bids GROUP BY lot_id
)
SELECT l.lot_id, l.award_method, l.currency, l.class, b.bids,
       CAST(EXTRACT(YEAR FROM l.opened_on) AS INTEGER) AS year
FROM core.lots AS l
JOIN bidders AS b ON b.lot_id = l.lot_id
"""


NEEDS = (CONTRACT, *KNOWN_SITES, AWARD_METHOD, COMPARABLE_LOTS)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot under contract whose manager and duration are known; the unit is lot/contractor."""
    led = sites(engine).merge(engine.run(SQL).to_pandas(), on="lot_id", how="inner")
    led = led.join(placed(led, "same_firm", "high", limits.min_reference_lots))
    led = led[led["p_value"].notna()].reset_index(drop=True)
    value = led["same_firm"].astype("float64")
    return pd.DataFrame(
        {
            "unit": (led["lot_id"] + "/" + led["bidder_id"]).astype("str"),
            "entities": led["bidder_id"].astype("str"),
            "value": value,
            "p_value": led["p_value"],
            "reference_class": led["reference_class"],
            "reference_lots": led["reference_lots"],
            "signed_on": led["signed_on"].dt.strftime("%Y-%m-%d").astype("str"),
            "ends_on": led["ends_on"].dt.strftime("%Y-%m-%d").astype("str"),
            "flagged": (value >= limits.min_lots) & (led["p_value"] <= limits.max_p),
        }
    )
