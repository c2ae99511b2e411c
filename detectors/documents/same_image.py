"""Bid files of different bidders hold the same image.

Why it matters
    A photograph, a scan or a drawing is made once. If two bids hold the same image, byte for byte, one bidder
    handed it to the other, or both bids were put together in one place.

Looks innocent when
    - the image is the buyer's. Images of the tender document and of templates are taken out before;
    - it is a seal of a scheme, a maker's photograph or an office program's picture that many firms use. An image
      of many bidders is left out, counted and named, unless they meet more often than strangers do;
    - it is a bullet or a line. Images of few bytes are left out;
    - both offer the same maker's product and took the photograph from its catalogue.

Blind spots
    The same picture with other bytes, because it was saved anew, cut or scanned again. Images that the program
    itself draws. A maker's photograph that few bidders have used so far looks rare.

Sources
    招标投标法实施条例 §40(4) 不同投标人的投标文件异常一致. No text counts an equal image as a case of it, so this is
    an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Bid files of different bidders hold the same image",
    title_zh="不同投标人的投标文件含有相同图片",
    unit="lot",
    measures="bidders of the lot whose files hold the same image, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-4", "ORDER87-37-4"),
    evidence=("bid_files.file_hash", "bid_files.file_name"),
    says="Files of {value:.0f} of {holders} bidders hold the same image, byte for byte ({shared_count} in common;"
    " limit {min_bidders} bidders); over all lots {most_holders} bidders have the most common of them. One stands at"
    " {first_place} and at {second_place}.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的文件含有逐字节相同的图片（共 {shared_count} 张，阈值 {min_bidders} 家）；"
    "其中最常见的一张，全部标段中共有 {most_holders} 家投标人使用，属异常指标。其一见于：{first_place}；{second_place}。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "shared_count": 3,
    "most_holders": 2,
    "first_place": "technical.docx paragraph 31 第31段",
    "second_place": "bid.docx paragraph 7 第7段",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same image
    min_bytes: int = 512  # bytes; smaller images are bullets and lines
    few_holders: int = 5  # bidders over all lots; an image of no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; images of more are left out


SQL = (
    ONE_BID
    + """,
buyers_own AS (
    SELECT DISTINCT f.lot_id, i.image_sha
    FROM core.bid_files AS f
    JOIN core.file_images AS i ON i.file_sha = f.file_sha
    WHERE f.kind <> 'bid'
)
SELECT f.lot_id, coalesce(o.bidder_id, f.bidder_id) AS bidder_id, i.image_sha AS shared_value,
       min(trim(coalesce(f.file_name, '') || ' ' || i.place)) AS place
FROM core.bid_files AS f
JOIN core.file_images AS i ON i.file_sha = f.file_sha
LEFT JOIN one_bid AS o ON o.lot_id = f.lot_id AND o.party_id = f.bidder_id
LEFT JOIN buyers_own AS b ON b.image_sha = i.image_sha AND (b.lot_id = f.lot_id OR b.lot_id IS NULL)
WHERE f.kind = 'bid' AND f.bidder_id IS NOT NULL AND b.image_sha IS NULL AND i.bytes >= $min_bytes
GROUP BY f.lot_id, coalesce(o.bidder_id, f.bidder_id), i.image_sha
"""
)


NEEDS = held(
    SQL,
    "no images in bid files (small ones and the buyer's not counted)",
    "投标文件无图片（小图、招标人的图片不计）",
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which files of at least two bidders hold an image of enough bytes."""
    images = engine.run(SQL, {"min_bytes": limits.min_bytes})
    frame = shared(images, limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    places = images.to_pandas().set_index(["lot_id", "bidder_id", "shared_value"])["place"]
    image = frame["shared_values"].str.replace("; .*", "", regex=True)
    two = frame["entities"].str.extract(f"^([^{SEPARATOR}]*){SEPARATOR}([^{SEPARATOR}]*)")
    for column, number in (("first_place", 0), ("second_place", 1)):
        at = pd.MultiIndex.from_arrays([frame["unit"], two[number], image])
        frame[column] = pd.Series(places.reindex(at).to_numpy(), dtype="str").fillna("")
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
