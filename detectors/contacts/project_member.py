"""The same person belongs to the project teams of different bidders.

Why it matters
    The law deems it collusion when one person is in the project management of two bids. Nobody can lead or
    staff the same work for two competitors.

Looks innocent when
    - a clerk typed one person's number into two records;
    - the person changed employers and an old register was exported.
    Only the same document number counts, not the same name.

Blind spots
    Team members without a document number. Staff who are lent under other people's papers. Staff of a
    consultant whom the bid does not name.

Sources
    招标投标法实施条例 §40(3) (项目管理成员为同一人).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Same person in the project teams of different bidders",
    title_zh="不同投标人的项目管理成员为同一人",
    unit="lot",
    measures="bidders of the lot that name the same person in their project teams, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-3", "ORDER87-37-3"),
    evidence=("people.person_id", "people.role"),
    says="{value:.0f} of {holders} bidders name the same person by document number in their project teams"
    " ({shared_count} such persons; limit {min_bidders} bidders).",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的项目管理成员为同一人（按证件号码，共 {shared_count} 人，"
    "阈值 {min_bidders} 家）。",
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

    min_bidders: int = 2  # bidders of one lot that name the same person
    few_holders: int = 5  # bidders over all lots; of a person of more it is told how often they meet
    max_holders: int = 50  # bidders over all lots; numbers held by more are placeholders


SQL = (
    ONE_BID
    + """
SELECT p.lot_id, coalesce(o.bidder_id, p.bidder_id) AS bidder_id, p.person_id AS shared_value
FROM core.people AS p
LEFT JOIN one_bid AS o ON o.lot_id = p.lot_id AND o.party_id = p.bidder_id
WHERE p.person_id IS NOT NULL AND p.role IN ('project_manager', 'team_member')
"""
)


NEEDS = held(SQL, "no document numbers of project teams", "无项目管理成员证件号码")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders' team members have a document number."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
