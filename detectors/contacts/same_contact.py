"""Different bidders gave the same contact person with the same phone.

Why it matters
    In government procurement, bids with the same contact person are void. In construction tenders a shared
    contact is a strong indicator that one person stands behind several bids.

Looks innocent when
    - the agency typed its own phone. The registered phones of the lot's agency and buyer are taken
      out before;
    - a bidding service company is the contact of several customers. A contact of many bidders is left out,
      counted and named, unless they meet more often than strangers do;
    - two bidders of one group share an office (a matter of its own under 条例 §34).
    A phone alone, or a name alone, does not count.

Blind spots
    The same phone under different names. A second phone of the same person. A phone of the agency that its
    registration does not show looks like a bidder's.

Sources
    财政部令第87号 §37(3) (项目管理成员或者联系人员为同一人) applies to government procurement only. Elsewhere
    no article names the contact person.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import OFFICE_PHONES, ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Different bidders gave the same contact person and phone",
    title_zh="不同投标人联系人及电话相同",
    unit="lot",
    measures="bidders of the lot with the same contact name and phone, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("ORDER87-37-3",),
    evidence=("people.person", "people.phone", "people.role", "lots.procurement_regime"),
    says="{value:.0f} of {holders} bidders gave the same contact name and phone ({shared_count} such"
    " contacts, limit {min_bidders} bidders).",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的联系人姓名及电话相同（共 {shared_count} 组，阈值 "
    "{min_bidders} 家），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_count": 1,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same contact
    few_holders: int = 5  # bidders over all lots; a contact of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; contacts of more are left out


SQL = (
    ONE_BID
    + OFFICE_PHONES
    + """
SELECT c.lot_id, coalesce(o.bidder_id, c.bidder_id) AS bidder_id, c.person || ' / ' || c.phone AS shared_value
FROM core.people AS c
LEFT JOIN one_bid AS o ON o.lot_id = c.lot_id AND o.party_id = c.bidder_id
LEFT JOIN office_phones AS f ON f.lot_id = c.lot_id AND f.phone = c.phone
WHERE c.person IS NOT NULL AND c.phone IS NOT NULL AND c.role <> 'team_member' AND f.lot_id IS NULL
"""
)

#: The regime in which an article names the contact person.
BY_LAW = "government_procurement"

REGIMES = "SELECT lot_id AS unit, coalesce(procurement_regime, '') AS regime FROM core.lots"


NEEDS = held(
    SQL,
    "no contact with name and phone (the agency's and the buyer's not counted)",
    "无联系人姓名及电话（代理机构、招标人的不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders gave a contact with name and phone."""
    rows, regimes = engine.run(SQL), engine.run(REGIMES).to_pandas()
    # In government procurement the law names the contact, however common it is; elsewhere rarity decides.
    by_law = shared(rows, limits.max_holders, limits.few_holders).merge(regimes, on="unit", how="left")
    by_rarity = shared(rows, limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    by_rarity = by_rarity.merge(regimes, on="unit", how="left")
    frame = pd.concat([by_law[by_law["regime"] == BY_LAW], by_rarity[by_rarity["regime"] != BY_LAW]])
    frame = frame.sort_values(["unit", "entities"], ignore_index=True)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
