"""Tender documents of different bidders were bought or downloaded from one address and browser.

Why it matters
    Somebody who fetches the documents for several bidders knows of all of them before the opening. Address
    and browser together corroborate other traces.

Looks innocent when
    - a carrier gives many customers one address (NAT), and the browser is a common one;
    - an agent or a service company fetches documents for its customers;
    - the documents were bought at the counter or on a computer of the trading centre.
    A trace of many bidders is therefore left out, counted and named, unless they meet more often than
    strangers do.

Blind spots
    Mobile networks and proxies. A record with a browser and one without count as different. A shared address
    that few bidders have used so far looks rare.

Sources
    No article names the address or the browser. Corroboration only.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Tender documents of different bidders fetched from the same address and browser",
    title_zh="不同投标人购买或下载招标文件的 IP 地址和浏览器相同",
    unit="lot",
    measures="bidders of the lot whose documents were fetched from the same address and browser, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "document_purchases.purchase_ip",
        "document_purchases.purchase_browser",
        "document_purchases.download_ip",
        "document_purchases.download_browser",
    ),
    says="The documents of {value:.0f} of {holders} bidders were fetched from the same address and browser:"
    " {shared_values} (limit {min_bidders} bidders); over all lots those of {most_holders} bidders were.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家购买或下载招标文件的 IP 地址和浏览器相同：{shared_values}（阈值 "
    "{min_bidders} 家）；全部标段中共有 {most_holders} 家投标人如此，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "198.18.0.1 / browser A",
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same trace
    few_holders: int = 5  # bidders over all lots; a trace of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; traces of more are left out


SQL = (
    ONE_BID
    + """,
fetched AS (
    SELECT lot_id, bidder_id, purchase_ip AS ip, purchase_browser AS browser
    FROM core.document_purchases
    UNION
    SELECT lot_id, bidder_id, download_ip, download_browser
    FROM core.document_purchases
)
SELECT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id,
       f.ip || ' / ' || coalesce(f.browser, 'browser unknown') AS shared_value
FROM fetched AS f
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
WHERE f.ip IS NOT NULL
"""
)


NEEDS = held(
    SQL, "no addresses from which tender documents were bought or fetched", "无购买或下载招标文件的 IP 地址"
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which the address is known from which two bidders' documents were fetched."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
