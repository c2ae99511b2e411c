"""Files of different bidders share one hardware code, though not all three.

Why it matters
    The rule asks for three equal codes. One equal code still ties two files together: a disk or a network
    card can move to another computer, and some processor codes belong to one processor only.

Looks innocent when
    - the code names a model and not a machine, as most processor codes do. A code of many bidders is left
      out, counted and named, unless they meet more often than strangers do;
    - disks were cloned, or the maker left the code empty. Such codes are left out in the same way;
    - the network card is virtual. A locally administered MAC does not count;
    - the code came with the buyer's own file. Codes of the lot's buyer are taken out before;
    - the bids were uploaded on site at the trading centre. Such uploads are taken out before.

Blind spots
    In a small county few bidders hold even the code of a common processor model, so it looks rare. A machine
    that contacts.edit_hardware or contacts.upload_hardware tells of is not compared again with a third
    bidder's.

Sources
    闽建筑〔2018〕29号 asks for all three codes, so one alone is no case of it. Corroboration only.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Files of different bidders share a single hardware code",
    title_zh="不同投标人文件的单项硬件信息相同",
    unit="lot",
    measures="bidders of the lot whose files carry the same single hardware code, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "fingerprints.mac",
        "fingerprints.cpu_id",
        "fingerprints.disk_serial",
        "fingerprints.memory_serial",
        "fingerprints.owner",
        "fingerprints.is_on_site",
    ),
    says="{value:.0f} of {holders} bidders' files carry the same hardware code, though not all of MAC, CPU and"
    " disk: {shared_values} (limit {min_bidders} bidders); {most_holders} bidders over all lots carry it.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的文件单项硬件信息相同（MAC、CPU、硬盘并非全部相同）："
    "{shared_values}（阈值 {min_bidders} 家）；全部标段中共有 {most_holders} 家投标人如此，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "disk DISK-1",
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same code
    few_holders: int = 5  # bidders over all lots; a code of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; codes of more are left out


# Other detectors tell of a machine whose three codes two bidders share for one purpose. Here the bidder's name is
# added to its codes, so that nobody shares them.
SQL = (
    ONE_BID
    + """,
machines AS (
    SELECT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id, f.owner,
           CASE WHEN f.purpose = 'upload' THEN 'upload' ELSE 'edit' END AS purpose,
           CASE WHEN NOT f.mac_is_local THEN f.mac END AS mac, f.cpu_id, f.disk_serial, f.memory_serial
    FROM core.fingerprints AS f
    LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
    WHERE NOT f.is_on_site AND (f.owner = 'buyer' OR f.bidder_id IS NOT NULL)
),
told AS (
    SELECT lot_id, purpose, coalesce(mac, 'no MAC') AS mac, cpu_id, disk_serial
    FROM machines
    WHERE owner = 'bidder' AND cpu_id IS NOT NULL AND disk_serial IS NOT NULL
    GROUP BY lot_id, purpose, coalesce(mac, 'no MAC'), cpu_id, disk_serial
    HAVING count(DISTINCT bidder_id) > 1
),
marked AS (
    SELECT m.lot_id, m.bidder_id, m.owner, m.mac, m.cpu_id, m.disk_serial, m.memory_serial,
           CASE WHEN t.lot_id IS NULL THEN '' ELSE ' of ' || m.bidder_id END AS mark
    FROM machines AS m
    LEFT JOIN told AS t
      ON t.lot_id = m.lot_id AND t.purpose = m.purpose AND t.mac = coalesce(m.mac, 'no MAC')
     AND t.cpu_id = m.cpu_id AND t.disk_serial = m.disk_serial
),
codes AS (
    SELECT lot_id, bidder_id, owner, 'MAC ' || mac AS code, mark FROM marked WHERE mac IS NOT NULL
    UNION
    SELECT lot_id, bidder_id, owner, 'CPU ' || cpu_id, mark FROM marked WHERE cpu_id IS NOT NULL
    UNION
    SELECT lot_id, bidder_id, owner, 'disk ' || disk_serial, mark FROM marked WHERE disk_serial IS NOT NULL
    UNION
    SELECT lot_id, bidder_id, owner, 'memory ' || memory_serial, mark
    FROM marked
    WHERE memory_serial IS NOT NULL
),
buyers_own AS (
    SELECT DISTINCT lot_id, code FROM codes WHERE owner = 'buyer'
)
SELECT c.lot_id, c.bidder_id, c.code || c.mark AS shared_value
FROM codes AS c
LEFT JOIN buyers_own AS b ON b.lot_id = c.lot_id AND b.code = c.code
WHERE c.owner = 'bidder' AND b.lot_id IS NULL
"""
)


NEEDS = held(
    SQL,
    "no hardware codes of bid files (the buyer's and uploads on site not counted)",
    "无投标文件硬件信息（招标人文件自带的、现场上传的不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which files of at least two bidders carry a hardware code."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
