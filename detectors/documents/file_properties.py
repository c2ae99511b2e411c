"""Bid files of different bidders carry the same author, company, template or document code.

Why it matters
    Office programs and PDF makers write into a file who made it, on whose licence, from which template and when.
    If the files of two bidders name the same author, company or document, they were likely made in one place.

Looks innocent when
    - the file was handed out. Values that the buyer's files or a template carry are taken out before;
    - a copy shop, a service company or a supplier made a part for several bidders. A value of many bidders is
      left out, counted and named, unless they meet more often than strangers do;
    - a catalogue, a certificate or a norm is attached as its publisher made it. Such values are left out in the
      same way;
    - every program of one kind writes the value (a template called Normal, midnight as the time). The known
      values of this kind are left out, and the others are common.

Blind spots
    Files whose properties were wiped, or that come from a program that writes none. An author is a name and not a
    person, so namesakes count. A service company or publisher that few bidders have used so far looks rare.

Sources
    招标投标法实施条例 §40(1) (bid files prepared by the same unit or person). No text counts equal properties as a
    case of it, so this is an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Bid files of different bidders carry the same author, company, template or document code",
    title_zh="不同投标人的投标文件作者、单位、模板等文件属性相同",
    unit="lot",
    measures="bidders of the lot whose files carry the same property, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-1",),
    evidence=("bid_files.file_hash", "bid_files.file_name"),
    says="Files of {value:.0f} of {holders} bidders carry the same properties: {shared_values} ({shared_count} in"
    " common; limit {min_bidders} bidders); over all lots {most_holders} bidders carry the most common of them.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的文件属性相同：{shared_values}（共 {shared_count} 项，阈值 {min_bidders} "
    "家）；其中最常见的一项，全部标段中共有 {most_holders} 家投标人的文件带有，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_values": "author: h1:00000000000000000000000000000000; company: X Consulting",
    "shared_count": 2,
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same property
    few_holders: int = 5  # bidders over all lots; a value of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; values of more are left out


# Only properties that can show where a file was made are taken. The program, its maker and the title cannot. A time
# counts to the second, and midnight only means a day. Normal is the template that comes with the program.
SQL = (
    ONE_BID
    + """,
stated AS (
    SELECT file_sha, property || ': ' || trim(value) AS shared_value
    FROM core.file_properties
    WHERE property IN ('author', 'last_modified_by', 'company', 'template', 'document_id', 'installation_id',
                       'created_at', 'modified_at')
      AND trim(value) <> ''
      AND NOT (property = 'template' AND lower(trim(value)) LIKE 'normal%')
      AND NOT (property IN ('created_at', 'modified_at') AND value LIKE '%00:00:00%')
),
buyers_own AS (
    SELECT DISTINCT f.lot_id, s.shared_value
    FROM core.bid_files AS f
    JOIN stated AS s ON s.file_sha = f.file_sha
    WHERE f.kind <> 'bid'
)
SELECT DISTINCT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id, s.shared_value
FROM core.bid_files AS f
JOIN stated AS s ON s.file_sha = f.file_sha
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
LEFT JOIN buyers_own AS b ON b.shared_value = s.shared_value AND (b.lot_id = f.lot_id OR b.lot_id IS NULL)
WHERE f.kind = 'bid' AND f.bidder_id IS NOT NULL AND b.shared_value IS NULL
"""
)


NEEDS = held(
    SQL,
    "no author, company, template, code or time in bid files (the buyer's not counted)",
    "投标文件无作者、单位、模板、编号、时间等属性（招标人文件自带的不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which files of at least two bidders carry such a property."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
