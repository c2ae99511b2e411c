"""The project manager named in the award is not the one in the winner's bid.

Why it matters
    A strong manager wins the points and another one runs the work. The first may have been lent for the tender.

Looks innocent when
    - the manager left the firm or fell ill, and the buyer agreed to the change;
    - the bid named several managers for several sections;
    - a document number was mistyped in one of the two records.

Blind spots
    Changes after the award, because no record of who is on the site is delivered. Managers with a name but no
    document number in one of the records. Where such changes are usual, nothing is flagged.

Sources
    招标投标法实施条例 §42 (false data on staff). It does not name the change of a manager, so this is an
    indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD

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
    max_market_share: float = 0.05  # of awards that differ; of more: the records do not mean the same


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


NEEDS = (
    AWARD,
    Need(
        "award names no manager by document number",
        "中标结果无项目负责人证件号码",
        "SELECT lot_id AS unit FROM core.awards WHERE project_lead_id IS NOT NULL",
    ),
    Need(
        "no bid of the winner that names its manager by document number",
        "中标人投标记录无项目负责人证件号码",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every award whose manager, and the manager of the winning bid, have document numbers."""
    frame: pd.DataFrame = engine.run(SQL).to_pandas()
    market_share = float(frame["value"].mean()) if len(frame) else 0.0
    is_replaced = frame["value"] >= limits.min_replaced
    return frame.assign(
        lots=len(frame),
        market_share=market_share,
        flagged=is_replaced & (market_share <= limits.max_market_share),
    )
