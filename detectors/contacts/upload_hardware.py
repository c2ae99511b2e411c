"""Bids of different bidders were uploaded from the same computer.

Why it matters
    The law deems it collusion when different bidders let one unit or person handle their bidding. Three
    codes together identify the upload computer: network card (MAC, if any), processor and disk.

Looks innocent when
    - the bids were uploaded on site at the trading centre. Such uploads are taken out before;
    - a business centre, hotel or copy shop near the centre lent its computer;
    - machines were cloned from one image, or the network card is virtual. A locally administered
      MAC counts as absent, and codes held by very many bidders are left out and counted.

Blind spots
    Equal IP addresses alone, which the rule does not name. On-site uploads. An upload with a MAC and one
    without count as different. Uploads that were not logged.

Sources
    闽建筑〔2018〕29号 (MAC if any, processor and disk all the same, not uploaded on site);
    招标投标法实施条例 §40(2); 豫财购〔2021〕6号.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

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
    few_holders: int = 5  # bidders over all lots; of a computer of more it is told how often they meet
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


NEEDS = held(
    SQL,
    "no processor and disk codes of uploads (uploads on site not counted)",
    "无上传机器的处理器和硬盘信息（现场上传的不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which at least two bidders' remote uploads carry a processor and a disk code."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
