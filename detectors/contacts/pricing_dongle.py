"""Priced bills of different bidders were made with the same cost-software dongle.

Why it matters
    Cost software writes the serial number of its dongle (计价软件加密锁) into the priced bill of
    quantities. Bidders with the same number had their prices made at one desk. The law deems it collusion
    when one unit or person prepared the bid files of different bidders.

Looks innocent when
    - a cost consultant priced for several bidders, who did not know of each other. A number behind more than
      a few bidders is left out and named on the night's page, unless they meet more often than strangers do;
    - the dongle is leased or its driver is emulated. Numbers held by very many bidders are left out
      and named;
    - the number came with the buyer's own bill of quantities. Such numbers are taken out before.

Blind spots
    Cracked software without a number. A ring with one dongle per firm. A bid that the buyer's own consultant
    priced with the buyer's dongle.

Sources
    闽建筑〔2018〕29号 (one identical dongle serial is enough); 招标投标法实施条例 §40(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Priced bills of different bidders made with the same dongle",
    title_zh="不同投标人计价软件加密锁号相同",
    unit="lot",
    measures="bidders of the lot whose files carry the same dongle number, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-1", "MIN29-2", "ORDER87-37-1"),
    evidence=("fingerprints.dongle", "fingerprints.owner"),
    says="{value:.0f} of {holders} bidders' priced files carry the same dongle number: {shared_values}"
    " (limit {min_bidders} bidders), found with {most_holders} bidders of {most_lots} lots in all.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的计价文件加密锁号相同：{shared_values}（阈值 {min_bidders}"
    " 家）；该锁号在全部 {most_lots} 个标段中共见于 {most_holders} 家投标人。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "G-100",
    "most_holders": 3,
    "most_lots": 7,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same number
    few_holders: int = 5  # bidders over all lots; a number of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; numbers of more are left out


SQL = (
    ONE_BID
    + """,
buyers_own AS (
    SELECT DISTINCT lot_id, dongle FROM core.fingerprints WHERE owner = 'buyer' AND dongle IS NOT NULL
)
SELECT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id, f.dongle AS shared_value
FROM core.fingerprints AS f
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
LEFT JOIN buyers_own AS b ON b.lot_id = f.lot_id AND b.dongle = f.dongle
WHERE f.owner = 'bidder' AND f.bidder_id IS NOT NULL AND f.dongle IS NOT NULL AND b.lot_id IS NULL
"""
)


NEEDS = held(
    SQL,
    "no dongle numbers of priced files (the buyer's not counted)",
    "无计价软件加密锁号（招标人文件自带的不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders' files carry a dongle number."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
