"""One person leads lots of different contractors that run at the same time.

Why it matters
    A project manager works for one firm and is on its site. A person who leads lots of two firms at once may
    have lent his certificate to one of them, or one of the firms has lent its name.

Looks innocent when
    - he changed employer, and a colleague took over the old lot without a record;
    - the work took less time than promised. The real end is not delivered;
    - one of the firms has taken over the other, or both are one firm under two codes;
    - a document number was mistyped, or a placeholder stands in its place. Numbers that lead lots for
      very many firms are left out.

Blind spots
    Managers without a document number. Lots outside the delivered region. A lent certificate that is used for
    one lot at a time. For several lots of one firm see delivery.busy_manager.

Sources
    建市规〔2019〕1号 (a lent name, 挂靠). 招标投标法实施条例 §42 (false data on staff; bidding with another's
    qualification). Neither names a manager on two sites, so this is an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.claims.work_sites import NEEDS as KNOWN_SITES
from detectors.kernels.claims.work_sites import sites
from detectors.kernels.needs import CONTRACT

DETECTOR = Detector(
    title="Project manager leads lots of different contractors at the same time",
    title_zh="同一项目负责人同时负责不同中标单位的项目",
    unit="lot_party",
    measures="lots of other contractors that the manager leads in the same days, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "awards.project_lead_id",
        "bids.project_manager_id",
        "bids.duration_days",
        "contracts.signed_on",
    ),
    says="While this lot runs, {signed_on} to {ends_on}, its manager leads {value:.0f} lot(s) of other contractors"
    " (limit {min_lots}); he leads {lots} lots for {firms} contractors in all (left out above {max_firms}).",
    says_zh="本标段合同期 {signed_on} 至 {ends_on} 内，其项目负责人同时负责其他中标单位的标段 {value:.0f} 个（阈值 {min_lots} "
    "个）；该人共负责 {firms} 家单位的 {lots} 个标段（超过 {max_firms} 家的不计），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"signed_on": "2026-03-02", "ends_on": "2026-12-31", "value": 1, "lots": 3, "firms": 2}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_lots: int = 1  # lots of other contractors in the same days
    max_firms: int = 5  # contractors of one number; of more it is taken for a placeholder


NEEDS = (
    CONTRACT,
    *KNOWN_SITES,
    Need(
        "manager's number leads lots for very many contractors: a placeholder",
        "项目负责人证件号码对应的单位过多，视为占位号码",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot under contract whose manager and duration are known; the unit is lot/contractor."""
    led = sites(engine)
    led = led[led["firms"] <= limits.max_firms].reset_index(drop=True)
    value = led["other_firms"].astype("float64")
    return pd.DataFrame(
        {
            "unit": (led["lot_id"] + "/" + led["bidder_id"]).astype("str"),
            "entities": led["bidder_id"].astype("str"),
            "value": value,
            "signed_on": led["signed_on"].dt.strftime("%Y-%m-%d").astype("str"),
            "ends_on": led["ends_on"].dt.strftime("%Y-%m-%d").astype("str"),
            "lots": led["lots"],
            "firms": led["firms"],
            "flagged": value >= limits.min_lots,
        }
    )
