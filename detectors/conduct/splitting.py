"""A buyer's lots pile up just below a threshold of the law.

Why it matters
    A job above the threshold must be tendered in full form. Cut into parts just below it, it need not
    be. Whoever cuts jobs shows lots just below the threshold and none just above.

Looks innocent when
    - budgets are handed out in round sums below the threshold;
    - the buyer's jobs are all of one size that happens to lie there;
    - smaller lots are more frequent than larger ones everywhere: so the share just below, among the
      lots near the threshold, is compared with that of other buyers and with one half.

Blind spots
    Parts that never reach the trading centre: to stay away from it is the purpose of splitting. Parts much
    smaller than the threshold. Other thresholds than the one set here. Parts bought under other buyers'
    codes.

Sources
    A provincial platform's rule on splitting (违规拆解): parts below 4 million yuan that together lie above.
    The binomial comparison is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Buyer's lots pile up just below a threshold",
    title_zh="同一招标人标段金额集中于限额以下",
    unit="buyer",
    measures="lots of the buyer and class just below the threshold, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=(),
    evidence=(
        "lots.estimate_price",
        "lots.ceiling_price_cny",
        "lots.buyer_code",
        "lots.class",
        "lots.opened_on",
    ),
    says="In {year} {value:.0f} lots of the buyer (class {market_class}) lie up to {band_share:.0%} below"
    " {threshold_cny:,} CNY, {total_cny:,.0f} CNY in all, and {above} as far above; usual is a share of"
    " {usual_share:.1%} below ({reference_lots} lots of others): probability {p_value:.2g} (limits"
    " {min_lots} lots, {max_p:.3f}).",
    says_zh="{year} 年该招标人（类别 {market_class}）有 {value:.0f} 个标段金额低于 {threshold_cny:,} 元且差距在 {band_share:.0%} "
    "以内，合计 {total_cny:,.0f} 元，高于限额且差距相同的有 {above} 个；其他招标人 {reference_lots} 个标段中限额以下占 "
    "{usual_share:.1%}，出现此情形的概率为 {p_value:.2g}（阈值：{min_lots} 个、{max_p:.3f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "year": 2026,
    "value": 12,
    "market_class": "A08",
    "total_cny": 46800000.0,
    "above": 0,
    "usual_share": 0.52,
    "reference_lots": 140,
    "p_value": 0.0004,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    threshold_cny: int = 4_000_000  # from which a job must be tendered in full form, in yuan
    band_share: float = 0.1  # width of the bands below and above, share of the threshold
    min_lots: int = 5  # lots just below, of one buyer, class and year
    min_usual_share: float = 0.5  # of the lots near the threshold below it, where others have fewer
    max_p: float = 0.001  # probability of so many below among those near the threshold


SQL = """
WITH sized AS (
    SELECT lot_id, buyer_code, class AS market_class, CAST(EXTRACT(YEAR FROM opened_on) AS INTEGER) AS year,
           CAST(coalesce(ceiling_price_cny, CASE WHEN currency = 'CNY' THEN estimate_price END) AS DOUBLE)
               / $threshold_cny AS size
    FROM core.lots
    WHERE buyer_code IS NOT NULL AND opened_on IS NOT NULL
)
SELECT buyer_code, market_class, year,
       CAST(sum(CASE WHEN size < 1 THEN 1 ELSE 0 END) AS BIGINT) AS below,
       CAST(sum(CASE WHEN size >= 1 THEN 1 ELSE 0 END) AS BIGINT) AS above,
       sum(CASE WHEN size < 1 THEN size ELSE 0 END) AS total,
       string_agg(CASE WHEN size < 1 THEN lot_id END, ';' ORDER BY lot_id) AS lot_ids
FROM sized
WHERE size >= 1 - $band_share AND size < 1 + $band_share
GROUP BY buyer_code, market_class, year
ORDER BY buyer_code, market_class, year
"""


NEEDS = (
    Need(
        "day of opening unknown in all its lots",
        "所有标段开标日期不明",
        "SELECT buyer_code AS unit FROM core.lots WHERE opened_on IS NOT NULL",
    ),
    Need(
        "no ceiling price or estimate in yuan",
        "无人民币最高投标限价或估算价",
        "SELECT buyer_code AS unit FROM core.lots WHERE opened_on IS NOT NULL AND"
        " coalesce(ceiling_price_cny, CASE WHEN currency = 'CNY' THEN estimate_price END) IS NOT NULL",
    ),
    Need("no lot near the threshold", "无金额接近限额的标段"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded buyer, class and year with lots near the threshold; the unit is buyer/class/year."""
    chosen = {"threshold_cny": limits.threshold_cny, "band_share": limits.band_share}
    rows: pd.DataFrame = engine.run(SQL, chosen).to_pandas()
    counts = rows[["below", "above"]]
    others = counts.sum() - counts.groupby(rows["buyer_code"]).transform("sum")
    reference_lots = others.sum(axis=1)
    share_below = ((others["below"] + 1) / (reference_lots + 2)).astype("float64")
    usual = np.maximum(share_below, limits.min_usual_share)
    p_value = binom.sf(rows["below"] - 1, counts.sum(axis=1), usual)
    return pd.DataFrame(
        {
            "unit": (
                rows["buyer_code"] + "/" + rows["market_class"] + "/" + rows["year"].astype("str")
            ).astype("str"),
            "value": rows["below"].astype("float64"),
            "p_value": pd.Series(p_value, index=rows.index, dtype="float64"),
            "lot_ids": rows["lot_ids"].astype("str"),
            "market_class": rows["market_class"].astype("str"),
            "year": rows["year"],
            "above": rows["above"],
            "total_cny": rows["total"] * limits.threshold_cny,
            "usual_share": usual,
            "reference_lots": reference_lots,
            "flagged": (rows["below"] >= limits.min_lots) & (p_value <= limits.max_p),
        }
    )
