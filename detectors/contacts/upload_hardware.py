"""Bids of different bidders were uploaded from the same computer.

Why it matters
    Bidders who let the same unit or person handle their bidding are deemed to collude. The upload
    computer is known by three codes together: network card (MAC, if any), processor and disk.

Looks innocent when
    - the bids were uploaded on site at the trading centre: such uploads are taken out before;
    - a business centre, hotel or copy shop near the centre lent its computer;
    - machines were cloned from one image, or the network card is virtual: a locally administered
      MAC counts as absent, and codes held by very many bidders are left out and counted.

Blind spots
    Equal IP addresses alone: they are not in the rule. On-site uploads. An upload with a MAC
    against one without. Uploads that were not logged.

Sources
    闽建筑〔2018〕29号 (MAC if any, processor and disk all the same, not uploaded on site);
    招标投标法实施条例 §40(2); 豫财购〔2021〕6号.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared

DETECTOR = Detector(
    title="Bids of different bidders uploaded from the same computer",
    title_zh="不同投标人上传硬件信息雷同",
    unit="lot",
    measures="bidders of the lot whose uploads carry the same hardware codes, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-2", "MIN29-1", "ORDER87-37-2", "YUCAI6"),
    evidence=(
        "fingerprints.mac",
        "fingerprints.cpu_id",
        "fingerprints.disk_serial",
        "fingerprints.purpose",
        "fingerprints.is_on_site",
    ),
    says="{value:.0f} of {holders} bidders uploaded from a computer with the same MAC / CPU / disk codes:"
    " {shared_values} ({shared_count} in common; limit {min_bidders} bidders).",
    says_zh="{holders} 家投标人中有 {value:.0f} 家上传投标文件的机器 MAC / CPU / 硬盘信息相同："
    "{shared_values}（共 {shared_count} 组，阈值 {min_bidders} 家）。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "001B21AABBCC / CPU-1 / DISK-1",
    "shared_count": 1,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same codes
    max_holders: int = 50  # bidders over all lots; codes held by more are left out


SQL = (
    ONE_BID
    + """
SELECT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id,
       coalesce(CASE WHEN NOT f.mac_is_local THEN f.mac END, 'no MAC')
           || ' / ' || f.cpu_id || ' / ' || f.disk_serial AS shared_value
FROM core.fingerprints AS f
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
WHERE f.owner = 'bidder' AND f.bidder_id IS NOT NULL AND f.purpose = 'upload' AND NOT f.is_on_site
  AND f.cpu_id IS NOT NULL AND f.disk_serial IS NOT NULL
"""
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders' remote uploads carry a processor and a disk code."""
    frame = shared(engine.run(SQL), limits.max_holders)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
