"""Bid files of different bidders were made on the same computer.

Why it matters
    The law deems it collusion when one unit or person prepared the bid files of different bidders. Three
    codes together identify a computer: network card (MAC, if any), processor and disk.

Looks innocent when
    - a copy shop or a cost consultant made the files for several bidders. A computer behind more than a few
      bidders is left out and named on the night's page, unless they meet more often than strangers do;
    - the file was derived from the buyer's own file. Hardware that the lot's tender document or
      ceiling-price file already carries is taken out before;
    - machines were cloned from one image, or the network card is virtual. A locally administered
      MAC counts as absent, and codes held by very many bidders are left out and named.

Blind spots
    A file with a MAC and one without count as different. Only two of the three codes are equal. The same
    computer in different lots. Rings that use several computers, or a shop's.

Sources
    闽建筑〔2018〕29号 (MAC if any, processor and disk all the same, without the buyer's hardware);
    招标投标法实施条例 §40(1). Locally administered addresses: IEEE 802.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Bid files of different bidders made on the same computer",
    title_zh="不同投标人文件制作硬件信息雷同",
    unit="lot",
    measures="bidders of the lot whose files carry the same hardware codes, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-1", "MIN29-2", "ORDER87-37-1", "YUCAI6"),
    evidence=(
        "fingerprints.mac",
        "fingerprints.cpu_id",
        "fingerprints.disk_serial",
        "fingerprints.purpose",
        "fingerprints.owner",
    ),
    says="{value:.0f} of {holders} bidders' files carry the same MAC / CPU / disk codes: {shared_values}"
    " ({shared_count} in common; limit {min_bidders} bidders), found with {most_holders} bidders of {most_lots} lots in all.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的文件制作机器 MAC / CPU / 硬盘信息相同：{shared_values}（"
    "共 {shared_count} 组，阈值 {min_bidders} 家）；该信息在全部 {most_lots} 个标段中共见于 {most_holders} 家投标人。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "001B21AABBCC / CPU-1 / DISK-1",
    "shared_count": 1,
    "most_holders": 3,
    "most_lots": 7,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same codes
    few_holders: int = 5  # bidders over all lots; a computer of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; computers of more are left out


SQL = (
    ONE_BID
    + """,
machines AS (
    SELECT lot_id, bidder_id, owner, purpose,
           coalesce(CASE WHEN NOT mac_is_local THEN mac END, 'no MAC')
           || ' / ' || cpu_id || ' / ' || disk_serial AS shared_value
    FROM core.fingerprints
    WHERE cpu_id IS NOT NULL AND disk_serial IS NOT NULL
),
buyers_own AS (
    SELECT DISTINCT lot_id, shared_value FROM machines WHERE owner = 'buyer'
)
SELECT m.lot_id, coalesce(o.bidder_id, m.bidder_id) AS bidder_id, m.shared_value
FROM machines AS m
LEFT JOIN one_bid AS o ON o.lot_id = m.lot_id AND o.party_id = m.bidder_id
LEFT JOIN buyers_own AS b ON b.lot_id = m.lot_id AND b.shared_value = m.shared_value
WHERE m.owner = 'bidder' AND m.bidder_id IS NOT NULL AND m.purpose IN ('edit', 'pricing') AND b.lot_id IS NULL
"""
)


NEEDS = held(SQL, "no processor and disk codes of bid files", "无投标文件制作机器的处理器和硬盘信息")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders' files carry a processor and a disk code."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
