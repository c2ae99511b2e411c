"""The project manager named in the award is not the one in the winner's bid.

Why it matters
    A strong manager wins the points, another one runs the work: the first was lent for the tender.

Looks innocent when
    - the manager left the firm or fell ill, and the buyer agreed to the change;
    - the bid named several managers for several sections;
    - a document number was mistyped in one of the two records.

Blind spots
    Changes after the award: records of who is on the site are not delivered. Managers with a name but
    no document number in one of the records. A market in which changes are usual: they are told as such.

Sources
    Replacement of the manager as a post-award signal: this project's notes (project manager replaced or
    on two sites). 招标投标法实施条例 §42 (false data on staff).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status

DETECTOR = Detector(
    title="Project manager in the award differs from the one in the winner's bid",
    title_zh="中标结果载明的项目负责人与投标文件不一致",
    unit="lot_party",
    measures="managers named in the award who do not stand in the bid, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("awards.project_lead_id", "bids.project_manager_id"),
    says="The award names a manager with another document number than the winner's bid ({value:.0f}, limit"
    " {min_replaced}); so do {market_share:.2%} of the {lots} awards that can be compared (limit"
    " {max_market_share:.0%}).",
    says_zh="中标结果载明的项目负责人证件号码与中标人投标文件不一致（{value:.0f}，阈值 {min_replaced}）；可比对的 {lots} 项中标"
    "结果中不一致的占 {market_share:.2%}（阈值 {max_market_share:.0%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"value": 1, "market_share": 0.004, "lots": 2400}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_replaced: int = 1  # managers of the award who do not stand in the bid
    max_market_share: float = 0.05  # of awards that differ; above it the records do not mean the same


SQL = """
WITH named AS (
    SELECT a.lot_id, a.winner_id,
           max(CASE WHEN a.project_lead_id = b.project_manager_id THEN 0 ELSE 1 END) AS replaced
    FROM core.awards AS a
    JOIN core.bids AS b ON b.lot_id = a.lot_id AND b.bidder_id = a.winner_id
    WHERE a.project_lead_id IS NOT NULL AND b.project_manager_id IS NOT NULL
    GROUP BY a.lot_id, a.winner_id
)
SELECT lot_id || '/' || winner_id AS unit, winner_id AS entities, CAST(replaced AS DOUBLE) AS value
FROM named
ORDER BY lot_id, winner_id
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every award whose manager, and the manager of the winning bid, have document numbers."""
    frame: pd.DataFrame = engine.run(SQL).to_pandas()
    nothing = pd.Series(None, index=frame.index, dtype="str")
    market_share = float(frame["value"].mean()) if len(frame) else 0.0
    is_replaced = frame["value"] >= limits.min_replaced
    return frame.assign(
        p_value=nothing.astype("float64"),
        reference_class=nothing,
        lots=len(frame),
        market_share=market_share,
        flagged=is_replaced & (market_share <= limits.max_market_share),
    )
