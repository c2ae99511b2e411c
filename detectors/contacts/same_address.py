"""Different bidders are registered at the same address.

Why it matters
    Firms behind one door are often one firm. The address corroborates other shared facts.

Looks innocent when
    - many unrelated firms sit there, as in a business centre, an incubator or at a registration agent. An
      address of many bidders is left out, counted and named, unless they meet more often than strangers do;
    - the room number was not delivered, and the firms are neighbours in one building.

Blind spots
    The same place written in another way, apart from blanks and capitals. Places of business that are not
    the registered one. For e-mail addresses see contacts.same_email.

Sources
    No article names the address.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, SEATS, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Different bidders are registered at the same address",
    title_zh="不同投标人注册地址相同",
    unit="lot",
    measures="bidders of the lot with the same registered address, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=("parties.address", "bid_members.party_id"),
    says="{value:.0f} of {holders} bidders are registered at the same address (limit {min_bidders} bidders); over"
    " all lots {most_holders} bidders are.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的注册地址相同（阈值 {min_bidders} 家）；全部标段中共有 "
    "{most_holders} 家投标人在该地址，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot at the same address
    few_holders: int = 5  # bidders over all lots; an address of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; addresses of more are left out


SQL = (
    ONE_BID
    + SEATS
    + """
SELECT m.lot_id, m.bidder_id, a.address AS shared_value
FROM seats AS m
JOIN (
    SELECT party_id, upper(replace(replace(address, ' ', ''), '　', '')) AS address
    FROM core.parties
    WHERE address IS NOT NULL
) AS a ON a.party_id = m.party_id
WHERE a.address <> ''
"""
)


NEEDS = held(SQL, "no registered addresses of bidders", "无投标人注册地址")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which the registered addresses of at least two bidders are known."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
