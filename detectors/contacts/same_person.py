"""The same person acts for different bidders, in different roles.

Why it matters
    The project manager of one bidder handles the bid of another, or the head of one firm is in the team of its
    rival. That ties two bids together as closely as a shared agent does.

Looks innocent when
    - a clerk typed one person's number into two records;
    - the person changed employers and an old register was exported;
    - a service company's clerk works for many customers. A number behind many bidders is left out, counted
      and named, unless they meet more often than strangers do.
    Only the same document number counts, not the same name.

Blind spots
    People without a document number. Relatives. A person in one and the same role is told of elsewhere: agents
    by contacts.same_agent, team members by contacts.project_member, heads by contacts.ownership.

Sources
    招标投标法实施条例 §40(2) and §40(3) name one role on both sides. They do not name a person in different
    roles, so this is an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, SEATS, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Same person acts for different bidders in different roles",
    title_zh="同一人在不同投标人处担任不同角色",
    unit="lot",
    measures="bidders of the lot for which the same person acts in different roles, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-2", "REG-40-3"),
    evidence=("people.person_id", "people.role", "parties.legal_representative_id"),
    says="The same person by document number acts for {value:.0f} of {holders} bidders (limit {min_bidders}"
    " bidders) in different roles: {roles}. {most_holders} bidders over all lots name this person.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家（阈值 {min_bidders} 家）由同一人（按证件号码）担任不同角色："
    "{roles}；全部标段中共有 {most_holders} 家投标人涉及该人，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "roles": "agent, project_manager",
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot for which the same person acts
    few_holders: int = 5  # bidders over all lots; a number behind no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; numbers behind more are left out


# Another detector tells of a person with the same part at every one of his bidders. Here the bidder's name is added
# to such a number, so that nobody shares it.
SQL = (
    ONE_BID
    + SEATS
    + """,
acting AS (
    SELECT p.lot_id, coalesce(o.bidder_id, p.bidder_id) AS bidder_id, p.person_id, p.role
    FROM core.people AS p
    LEFT JOIN one_bid AS o ON o.lot_id = p.lot_id AND o.party_id = p.bidder_id
    WHERE p.person_id IS NOT NULL
    UNION
    SELECT m.lot_id, m.bidder_id, r.legal_representative_id, 'legal_representative'
    FROM seats AS m
    JOIN core.parties AS r ON r.party_id = m.party_id
    WHERE r.legal_representative_id IS NOT NULL
),
parts AS (
    SELECT lot_id, bidder_id, person_id, role,
           CASE WHEN role IN ('project_manager', 'team_member') THEN 'team'
                WHEN role IN ('agent', 'operator') THEN 'handling'
                ELSE role END AS part
    FROM acting
),
people AS (
    SELECT lot_id, person_id, count(DISTINCT bidder_id) AS bidders
    FROM parts
    GROUP BY lot_id, person_id
),
told AS (
    SELECT DISTINCT p.lot_id, p.person_id
    FROM (
        SELECT lot_id, person_id, part, count(DISTINCT bidder_id) AS bidders
        FROM parts
        GROUP BY lot_id, person_id, part
    ) AS p
    JOIN people AS a ON a.lot_id = p.lot_id AND a.person_id = p.person_id AND a.bidders = p.bidders
    WHERE a.bidders > 1
)
SELECT p.lot_id, p.bidder_id, p.role, p.person_id,
       CASE WHEN t.lot_id IS NULL THEN p.person_id ELSE p.person_id || ' of ' || p.bidder_id END AS shared_value
FROM parts AS p
LEFT JOIN told AS t ON t.lot_id = p.lot_id AND t.person_id = p.person_id
"""
)


NEEDS = held(SQL, "no document numbers of people", "无人员证件号码")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which people of at least two bidders have a document number."""
    people = engine.run(SQL)
    frame = shared(people, limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    found = frame[frame["value"] > 0]
    sharing = found.assign(person_id=found["shared_values"].str.split("; "), row=found.index)
    sharing = sharing.explode("person_id")[["unit", "person_id", "row"]].rename(columns={"unit": "lot_id"})
    acting = people.select(["lot_id", "person_id", "role"]).to_pandas().drop_duplicates()
    roles = sharing.merge(acting, on=["lot_id", "person_id"])[["row", "role"]].drop_duplicates()
    texts = roles.sort_values(["row", "role"]).groupby("row")["role"].agg(", ".join)
    return frame.assign(
        roles=texts.reindex(frame.index).fillna("").astype("str"),
        flagged=frame["value"] >= limits.min_bidders,
    )
