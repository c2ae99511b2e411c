"""A tender was awarded although fewer than three firms had bid.

Why it matters
    With fewer than three bidders the bids must not be opened and the tender is repeated. A lot that
    is awarded all the same had no competition, whoever arranged it.

Looks innocent when
    - the lot is a repeated tender, for which the authority has approved another way of buying: the
      sentence says whether it is a repeat;
    - bids of the lot were lost on the way or refused as unreadable: compare with the opening record;
    - the way of buying is no tender. Only lots known to be tendered, or of tenders that the law makes
      mandatory, are judged.

Blind spots
    Three bids of which two were never meant to win. Lots whose way of buying or currency is unknown. Lots that
    were opened with fewer than three bids and then given up: they have no award.

Sources
    招标投标法实施条例 §44 (投标人少于三个的，不得开标).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD, BIDS

DETECTOR = Detector(
    title="Tender awarded with fewer bidders than the law asks for",
    title_zh="投标人少于三个仍然定标",
    unit="lot",
    measures="bidders of the lot, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-44",),
    evidence=(
        "bids.bidder_id",
        "bids.is_winner",
        "awards.winner_id",
        "lots.bidder_count",
        "lots.missing_bids",
        "lots.re_tender_no",
        "tenders.tender_mode",
        "tenders.is_legally_mandatory",
    ),
    says="{value:.0f} bidder(s) at the opening (limit {max_bidders}), {valid_bids} valid bid(s), and the lot was"
    " awarded; tender round: {round}.",
    says_zh="开标时投标人 {value:.0f} 家（阈值 {max_bidders} 家），有效投标 {valid_bids} 家，仍已定标；招标轮次：{round}。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"value": 2, "valid_bids": 2, "round": "1"}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    max_bidders: int = 2  # bidders with which a tender must not be opened


# Bids that were refused, or that the sender counted and did not deliver, are bids. The law is
# Chinese: lots in another currency are not under it.
SQL = """
WITH awarded AS (
    SELECT lot_id FROM core.awards
    UNION
    SELECT lot_id FROM core.bids WHERE is_winner
),
bidders AS (
    SELECT lot_id, count(*) AS bidders, CAST(sum(CASE WHEN is_valid THEN 1 ELSE 0 END) AS BIGINT) AS valid_bids
    FROM core.bids
    GROUP BY lot_id
)
SELECT l.lot_id AS unit,
       CAST(CASE WHEN l.bidder_count > b.bidders + coalesce(l.missing_bids, 0) THEN l.bidder_count
                 ELSE b.bidders + coalesce(l.missing_bids, 0) END AS DOUBLE) AS value,
       b.valid_bids,
       coalesce(CAST(l.re_tender_no AS VARCHAR), '—') AS round
FROM core.lots AS l
JOIN bidders AS b ON b.lot_id = l.lot_id
JOIN awarded AS a ON a.lot_id = l.lot_id
JOIN core.tenders AS t ON t.tender_id = l.tender_id
WHERE (t.tender_mode IN ('open', 'invited') OR t.is_legally_mandatory) AND l.currency = 'CNY'
ORDER BY l.lot_id
"""


NEEDS = (
    BIDS,
    AWARD,
    Need(
        "not known to be tendered, or in another currency",
        "非招标方式、采购方式不明，或非人民币计价",
        "SELECT l.lot_id AS unit FROM core.lots AS l JOIN core.tenders AS t ON t.tender_id = l.tender_id"
        " WHERE (t.tender_mode IN ('open', 'invited') OR t.is_legally_mandatory) AND l.currency = 'CNY'",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every awarded lot in yuan with bids that is known to have been tendered."""
    frame: pd.DataFrame = engine.run(SQL).to_pandas()
    return frame.assign(flagged=frame["value"] <= limits.max_bidders)
