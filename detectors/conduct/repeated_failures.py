"""A buyer's or agency's tenders of one kind fail far more often than others do.

Why it matters
    A failed tender can be followed by talks with one firm. A ring that stays away makes tenders fail
    until the ceiling rises or the way of buying changes; so does a buyer whose conditions nobody meets.

Looks innocent when
    - the work is remote, small or badly paid, and few want it;
    - the ceiling is too low for the market;
    - failures are common in the class: so the buyer is compared with other buyers of the same class.

Blind spots
    A single tender that fails twice or three times: few failures have no small probability. Failures
    that are not reported. A class in which one buyer has nearly all lots.

Sources
    Repeated failed tenders are among the clue models used by provinces; 招标投标法实施条例 §44 makes a tender with fewer
    than three bidders fail. The hypergeometric comparison is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from scipy.stats import hypergeom

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Buyer's tenders fail unusually often",
    title_zh="同一招标人项目招标失败异常频繁",
    unit="buyer",
    measures="failed lots of the buyer in the class, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=("failures.kind", "lots.buyer_code", "lots.class", "lots.re_tender_no"),
    says="{value:.0f} of the buyer's {lots} lots of class {market_class} failed or were given up, {rounds} of them"
    " repeats; elsewhere {other_failed} of {other_lots}: probability {p_value:.2g} (limits {min_failed}"
    " lots, {max_p:.3f}).",
    says_zh="该招标人类别 {market_class} 的 {lots} 个标段中有 {value:.0f} 个招标失败或终止（其中再次招标 {rounds} 个）；其他招标"
    "人为 {other_lots} 个中 {other_failed} 个，出现此情形的概率为 {p_value:.2g}（阈值：{min_failed} 个、{max_p:.3f}），"
    "属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 7,
    "lots": 22,
    "market_class": "A08",
    "rounds": 3,
    "other_failed": 31,
    "other_lots": 900,
    "p_value": 0.0002,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_failed: int = 3  # failed lots of the buyer
    min_reference_lots: int = 200  # lots of other buyers in the class
    max_p: float = 0.001  # probability of as many failures


# Without one report of a failure nobody knows that failures are reported at all.
SQL = """
WITH failed AS (
    SELECT DISTINCT lot_id FROM core.failures WHERE kind IN ('failed', 'terminated')
),
counted AS (
    SELECT l.buyer_code, l.class AS market_class, count(*) AS lots, count(f.lot_id) AS failed,
           string_agg(f.lot_id, ';' ORDER BY f.lot_id) AS lot_ids,
           CAST(sum(CASE WHEN f.lot_id IS NOT NULL AND CAST(l.re_tender_no AS VARCHAR) NOT IN ('', '0', '1')
                         THEN 1 ELSE 0 END) AS BIGINT) AS rounds
    FROM core.lots AS l
    LEFT JOIN failed AS f ON f.lot_id = l.lot_id
    WHERE l.buyer_code IS NOT NULL AND EXISTS (SELECT 1 FROM failed)
    GROUP BY l.buyer_code, l.class
)
SELECT buyer_code, market_class, lots, failed, rounds, lot_ids,
       CAST(sum(lots) OVER (PARTITION BY market_class) AS BIGINT) AS class_lots,
       CAST(sum(failed) OVER (PARTITION BY market_class) AS BIGINT) AS class_failed
FROM counted
ORDER BY buyer_code, market_class
"""


NEEDS = (
    Need(
        "no failed tender reported in all the records",
        "全部数据中无招标失败或终止记录",
        "SELECT buyer_code AS unit FROM core.lots WHERE EXISTS"
        " (SELECT 1 FROM core.failures WHERE kind IN ('failed', 'terminated'))",
    ),
    Need("too few lots of other buyers in its classes", "其他招标人同类标段不足"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded buyer in every class with enough lots of other buyers; the unit is buyer/class."""
    rows: pd.DataFrame = engine.run(SQL).to_pandas()
    rows = rows[rows["class_lots"] - rows["lots"] >= limits.min_reference_lots].reset_index(drop=True)
    p_value = hypergeom.sf(rows["failed"] - 1, rows["class_lots"], rows["class_failed"], rows["lots"])
    return pd.DataFrame(
        {
            "unit": (rows["buyer_code"] + "/" + rows["market_class"]).astype("str"),
            "value": rows["failed"].astype("float64"),
            "p_value": pd.Series(p_value, index=rows.index, dtype="float64"),
            "reference_class": ("class " + rows["market_class"]).astype("str"),
            "lot_ids": rows["lot_ids"].astype("str"),
            "market_class": rows["market_class"].astype("str"),
            "lots": rows["lots"],
            "rounds": rows["rounds"],
            "other_lots": rows["class_lots"] - rows["lots"],
            "other_failed": rows["class_failed"] - rows["failed"],
            "flagged": (rows["failed"] >= limits.min_failed) & (p_value <= limits.max_p),
        }
    )
