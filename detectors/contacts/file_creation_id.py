"""Bid files of different bidders carry the same creation code.

Why it matters
    Bid software writes a code (文件创建标识码) into a file when the file is made, and every copy keeps it. Two
    bidders with one code started from the same file.

Looks innocent when
    - the agency or the buyer handed out a template made with the bid software. Codes that the lot's buyer
      files carry are taken out before. A code of many bidders is left out, counted and named, unless they
      meet more often than strangers do;
    - a service company saved every customer's bid from one file of its own. Its code is left out in the same way.

Blind spots
    Software that writes no code, or a new one with every copy. A template that few bidders have used so
    far counts if it was not delivered with the buyer's files.

Sources
    招标投标法实施条例 §40(1) (bid files prepared by the same unit or person). Only local rules count an equal
    creation code as a case of it, so this is an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Bid files of different bidders carry the same creation code",
    title_zh="不同投标人文件创建标识码相同",
    unit="lot",
    measures="bidders of the lot whose files carry the same creation code, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-1",),
    evidence=("fingerprints.created_id", "fingerprints.owner"),
    says="{value:.0f} of {holders} bidders' files carry the same creation code: {shared_values} (limit"
    " {min_bidders} bidders); {most_holders} bidders over all lots carry it.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的文件创建标识码相同：{shared_values}（阈值 {min_bidders} 家）；"
    "全部标段中共有 {most_holders} 家投标人如此，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "YLF0000000000001",
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same code
    few_holders: int = 5  # bidders over all lots; a code of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; codes of more are left out


SQL = (
    ONE_BID
    + """,
buyers_own AS (
    SELECT DISTINCT lot_id, created_id FROM core.fingerprints WHERE owner = 'buyer' AND created_id IS NOT NULL
)
SELECT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id, f.created_id AS shared_value
FROM core.fingerprints AS f
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
LEFT JOIN buyers_own AS b ON b.lot_id = f.lot_id AND b.created_id = f.created_id
WHERE f.owner = 'bidder' AND f.bidder_id IS NOT NULL AND f.created_id IS NOT NULL AND b.lot_id IS NULL
"""
)


NEEDS = held(
    SQL,
    "no creation codes of bid files (the buyer's not counted)",
    "无投标文件创建标识码（招标人文件自带的不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which files of at least two bidders carry a creation code."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
