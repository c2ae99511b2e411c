"""Bids of different bidders were uploaded from the same internet address.

Why it matters
    Bids that leave through the same line may have been sent from the same room. The address corroborates
    other traces. It does not identify a computer.

Looks innocent when
    - a carrier gives many customers one address (NAT), or the bidders share an office tower or hotel. An
      address of many bidders is left out, counted and named, unless they meet more often than strangers do;
    - the bids were uploaded on site at the trading centre. Such uploads are taken out before.

Blind spots
    Mobile networks and proxies, which give one computer many addresses. Uploads that were not logged. A shared
    address that few bidders have used so far looks rare.

Sources
    No article names the address, and it is not among the codes of 闽建筑〔2018〕29号. Corroboration only.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Bids of different bidders uploaded from the same internet address",
    title_zh="不同投标人上传投标文件的 IP 地址相同",
    unit="lot",
    measures="bidders of the lot that uploaded from the same address, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=("fingerprints.ip", "fingerprints.purpose", "fingerprints.is_on_site"),
    says="{value:.0f} of {holders} bidders uploaded from the same address {shared_values} (limit {min_bidders}"
    " bidders); over all lots {most_holders} bidders used it.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家上传投标文件的 IP 地址相同：{shared_values}（阈值 {min_bidders} 家）；"
    "全部标段中共有 {most_holders} 家投标人使用该地址，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "198.18.0.1",
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same address
    few_holders: int = 5  # bidders over all lots; an address of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; addresses of more are left out


SQL = (
    ONE_BID
    + """
SELECT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id, f.ip AS shared_value
FROM core.fingerprints AS f
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
WHERE f.owner = 'bidder' AND f.bidder_id IS NOT NULL AND f.purpose = 'upload' AND NOT f.is_on_site
  AND f.ip IS NOT NULL
"""
)


NEEDS = held(
    SQL,
    "no addresses from which bids were uploaded (uploads on site not counted)",
    "无上传投标文件的 IP 地址（现场上传的不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which the upload addresses of at least two bidders are known."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
