"""The same person handled the bidding of different bidders.

Why it matters
    The law deems it collusion when different bidders entrust one unit or person with their bidding. The
    document number identifies the authorised agent and the operator who sent the bid.

Looks innocent when
    - a clerk typed one person's number into two records;
    - a bidding service company operated the platform for several customers. Numbers behind very
      many bidders are left out and counted.
    Only the same document number counts, not the same name.

Blind spots
    Agents with a name and a phone only; see contacts.same_contact. Different staff of one service company.

Sources
    招标投标法实施条例 §40(2) (委托同一单位或者个人办理投标事宜).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Same person handled the bidding of different bidders",
    title_zh="不同投标人委托同一人办理投标事宜",
    unit="lot",
    measures="bidders of the lot with the same agent or operator, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-2", "ORDER87-37-2"),
    evidence=("people.person_id", "people.role"),
    says="{value:.0f} of {holders} bidders were handled by the same agent or operator by document number"
    " ({shared_count} such persons; limit {min_bidders} bidders).",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的授权委托人或投标操作人为同一人（按证件号码，共 "
    "{shared_count} 人，阈值 {min_bidders} 家）。",
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

    min_bidders: int = 2  # bidders of one lot with the same agent or operator
    few_holders: int = 5  # bidders over all lots; of a person of more it is told how often they meet
    max_holders: int = 50  # bidders over all lots; numbers behind more are left out


SQL = (
    ONE_BID
    + """
SELECT p.lot_id, coalesce(o.bidder_id, p.bidder_id) AS bidder_id, p.person_id AS shared_value
FROM core.people AS p
LEFT JOIN one_bid AS o ON o.lot_id = p.lot_id AND o.party_id = p.bidder_id
WHERE p.person_id IS NOT NULL AND p.role IN ('agent', 'operator')
"""
)


NEEDS = held(SQL, "no document numbers of agents or operators", "无授权委托人或投标操作人证件号码")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders' agents or operators have a document number."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
