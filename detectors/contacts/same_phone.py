"""Different bidders gave the same phone, under whatever name.

Why it matters
    A phone is answered at one desk. Bidders that give the same number for their agents, teams or firms are
    likely served from that desk.

Looks innocent when
    - the agency typed its own phone. The registered phones of the lot's agency and buyer are taken out
      before;
    - a bidding service company, a registration agent or a switchboard answers for many customers. A phone of
      many bidders is left out, counted and named, unless they meet more often than strangers do;
    - two bidders of one group share an office (a matter of its own under 条例 §34).

Blind spots
    Second phones. A young ring of many firms that have hardly met yet. A service company with few customers so
    far looks like a ring. For e-mail addresses see contacts.same_email.

Sources
    No article names the phone alone. 财政部令第87号 §37(3) names the contact person; see
    contacts.same_contact.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import OFFICE_PHONES, ONE_BID, SEATS, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Different bidders gave the same phone",
    title_zh="不同投标人联系电话相同",
    unit="lot",
    measures="bidders of the lot that gave the same phone, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("people.phone", "people.role", "parties.phone", "lots.agency_code", "lots.buyer_code"),
    says="{value:.0f} of {holders} bidders gave the same phone (limit {min_bidders} bidders; {shared_count} such"
    " phones); over all lots {most_holders} bidders gave it.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的联系电话相同（阈值 {min_bidders} 家，共 {shared_count} 个号码）；"
    "全部标段中共有 {most_holders} 家投标人使用该号码，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_count": 1,
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same phone
    few_holders: int = 5  # bidders over all lots; a phone of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; phones of more are left out


SQL = (
    ONE_BID
    + SEATS
    + OFFICE_PHONES
    + """,
given AS (
    SELECT p.lot_id, coalesce(o.bidder_id, p.bidder_id) AS bidder_id, p.phone
    FROM core.people AS p
    LEFT JOIN one_bid AS o ON o.lot_id = p.lot_id AND o.party_id = p.bidder_id
    WHERE p.phone IS NOT NULL
    UNION
    SELECT m.lot_id, m.bidder_id, r.phone
    FROM seats AS m
    JOIN core.parties AS r ON r.party_id = m.party_id
    WHERE r.phone IS NOT NULL
)
SELECT g.lot_id, g.bidder_id, g.phone AS shared_value
FROM given AS g
LEFT JOIN office_phones AS f ON f.lot_id = g.lot_id AND f.phone = g.phone
WHERE f.lot_id IS NULL
"""
)


NEEDS = held(
    SQL, "no phones (the agency's and the buyer's not counted)", "无联系电话（代理机构、招标人的不计）"
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which phones of at least two bidders are known."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
