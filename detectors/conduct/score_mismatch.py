"""The announced benchmark, points or ranks are not those that the lot's own award rule gives.

Why it matters
    Where a formula decides, anybody can compute the result again from the opened bids and what was
    drawn. A result that the formula does not give was made in another way.

Looks innocent when
    - provisional sums (暂列金额) are taken off the ceiling, or prices are corrected before they are
      scored: the numbers delivered are then not the ones the committee used;
    - bids were rejected that the delivered data still call valid, or the other way round;
    - the wording says nothing of full points or rounding and the centre has its own way: then every
      such lot of the centre differs, and always in the same way;
    - somebody typed a wrong figure: both figures stand in the sentence.

Blind spots
    Lots whose wording is not, character by character, that of a known rule. Lots whose drawn values are
    unknown, or of which nothing was announced. What was drawn is taken as announced. Points for
    anything but the price cannot be computed.

Sources
    The rules and where each was read: ``data/reference/award_rules.toml``. That evaluating by other
    standards than the tender document's is a matter for the supervisor: 招标投标法实施条例 §71(3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS
from detectors.kernels.rules.award_rules import Numbers, price_scores
from detectors.kernels.rules.ruled_lots import RECOGNISED, WHOLE_FEN, WORDING, RuledLots, ruled_lots

DETECTOR = Detector(
    title="Announced evaluation result differs from what the award rule gives",
    title_zh="公布的评标结果与按评标办法重新计算的结果不一致",
    unit="lot",
    measures="announced benchmark, price points and ranks that differ from those computed, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "bids.price",
        "bids.is_valid",
        "scores.price_score",
        "scores.other_score",
        "scores.rank",
        "scores.is_vetoed",
        "candidates.rank",
        "opening_draws.drawn_values",
        "opening_draws.benchmark_price",
        "documents.evaluation_method",
        "lots.ceiling_price",
    ),
    says="{value:.0f} of {compared} announced figures (limit {min_figures}) are not those that the rule “{rule}” gives"
    " from {bids} bids and the draw: benchmark {announced_benchmark} announced, {computed_benchmark} computed;"
    " largest difference in price points {announced_score} announced, {computed_score} computed; {ranks_off} ranks.",
    says_zh="按评标办法（{rule}）由 {bids} 家报价及抽取结果重新计算，公布的 {compared} 个数值中有 {value:.0f} 个不一致"
    "（阈值 {min_figures} 个）：评标基准价公布 {announced_benchmark}、计算 {computed_benchmark}；报价得分差异最大者"
    "公布 {announced_score}、计算 {computed_score}；名次不一致 {ranks_off} 个，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 7,
    "compared": 11,
    "rule": "Mean times a drawn factor (平均价乘以抽取的K值)",
    "bids": 5,
    "announced_benchmark": "1,021,000.00",
    "computed_benchmark": "1,007,300.00",
    "announced_score": "99.35",
    "computed_score": "98.67",
    "ranks_off": 2,
}


NEEDS = (
    BIDS,
    WHOLE_FEN,
    WORDING,
    RECOGNISED,
    Need(
        "the committee's result was not delivered",
        "未提供评标委员会评审结果",
        "SELECT DISTINCT lot_id AS unit FROM core.scores",
    ),
    Need(
        "no benchmark, price points or ranks announced, or what was drawn is unknown",
        "未公布评标基准价、报价得分和名次，或抽取结果不明",
    ),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    benchmark_rounding_cny: float = 0.01  # difference that rounding on the way can make
    score_rounding_points: float = 0.01  # difference that rounding on the way can make
    min_figures: int = 1  # announced figures that differ by more than that


#: Floating-point noise in differences of numbers with two decimals.
NOISE = 1e-6

NOTHING = "—"


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known rule and draw of which a benchmark, price points or ranks were announced.

    Without the committee's result nobody knows which bids it rejected: such a lot is not judged.
    """
    compared = [_compared(lots, limits) for lots in ruled_lots(engine)]
    frame = pd.concat([_NOTHING, *compared], ignore_index=True)
    frame = frame[(frame["compared"] > 0) & frame["is_evaluated"].astype(bool)]
    frame = frame.drop(columns="is_evaluated").sort_values("unit", ignore_index=True)
    return frame.assign(flagged=frame["value"] >= limits.min_figures)


def ranks_off(totals: Numbers, ranks: Numbers, rounding: float) -> Numbers:
    """Return for every bid whether another total belongs to its announced rank: 1 yes, 0 no.

    Totals that differ by no more than rounding may stand in either order.

    Args:
        totals: what ranks the bids, highest first, NaN where unknown, shape (lots, n).
        ranks: as announced, 1 for the first, NaN where there is none, shape (lots, n).
        rounding: difference of totals that rounding can make.

    Returns:
        Shape (lots, n), NaN where the rank was not announced. A lot whose totals are not all known, or
        whose ranks go beyond its bids, so that others were ranked with them, is NaN as a whole.
    """
    n = totals.shape[1]
    descending = -np.sort(-totals, axis=1)
    is_usable = (~np.isnan(totals).any(axis=1) & ~(ranks > n).any(axis=1))[:, None] & (ranks >= 1)
    place = np.where(is_usable, ranks, 1).astype(np.int64) - 1
    expected = np.take_along_axis(descending, place, axis=1)
    return np.where(is_usable, (np.abs(totals - expected) > rounding + NOISE).astype(np.float64), np.nan)


def _compared(lots: RuledLots, limits: Limits) -> pd.DataFrame:
    """Compare lots of one rule and size."""
    rule = lots.rule
    benchmark_gap = np.abs(lots.announced_benchmarks - lots.benchmarks) / 100
    scores = price_scores(rule, lots.prices, lots.ceilings, lots.benchmarks)
    score_gap = np.abs(lots.price_scores - scores)
    if rule.scoring is None:
        off = ranks_off(-lots.prices, lots.ranks, 0.0)
    else:
        off = ranks_off(scores + lots.other_scores, lots.ranks, limits.score_rounding_points)
    figures = np.concatenate(
        [
            _differs(benchmark_gap[:, None], limits.benchmark_rounding_cny),
            _differs(score_gap, limits.score_rounding_points),
            off,
        ],
        axis=1,
    )
    worst = np.where(np.isnan(score_gap), -1, score_gap).argmax(axis=1)[:, None]
    return pd.DataFrame(
        {
            "unit": lots.lot_id,
            "is_evaluated": lots.is_evaluated,
            "value": np.nansum(figures, axis=1),
            "rule": f"{rule.title} ({rule.title_zh})",
            "bids": lots.bids,
            "compared": (~np.isnan(figures)).sum(axis=1),
            "announced_benchmark": _written(lots.announced_benchmarks / 100),
            "computed_benchmark": _written(lots.benchmarks / 100),
            "announced_score": _written(np.take_along_axis(lots.price_scores, worst, axis=1)[:, 0]),
            "computed_score": _written(np.take_along_axis(scores, worst, axis=1)[:, 0]),
            "ranks_off": np.nansum(off, axis=1).astype(np.int64),
        }
    )


def _differs(gaps: Numbers, rounding: float) -> Numbers:
    return np.where(np.isnan(gaps), np.nan, (gaps > rounding + NOISE).astype(np.float64))


def _written(values: Numbers) -> list[str]:
    return [NOTHING if np.isnan(value) else f"{value:,.2f}" for value in values.tolist()]


_NOTHING = pd.DataFrame(
    {
        "unit": pd.Series(dtype="str"),
        "is_evaluated": pd.Series(dtype="bool"),
        "value": pd.Series(dtype="float64"),
        "rule": pd.Series(dtype="str"),
        "bids": pd.Series(dtype="int64"),
        "compared": pd.Series(dtype="int64"),
        "announced_benchmark": pd.Series(dtype="str"),
        "computed_benchmark": pd.Series(dtype="str"),
        "announced_score": pd.Series(dtype="str"),
        "computed_score": pd.Series(dtype="str"),
        "ranks_off": pd.Series(dtype="int64"),
    }
)
