"""How well labelled lots can be told apart, on one page: figures, what they mean, and the picture of reliability.

One HTML file without script, link or outside picture. Chinese stands first, English small beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports.night_page import page_of

#: Rows of the table of figures, in their order.
FIGURES = (
    ("auc", "区分度（AUC，0.5 为随机）", "area under the curve, 0.5 is chance"),
    ("balanced_accuracy", "平衡准确率", "balanced accuracy"),
    ("average_precision", "平均精确率", "average precision"),
    ("tpr_at_fpr_05", "误报 5% 时的检出率", "share found at 5 % false alarms"),
    ("precision_top_10", "排在前 10% 的标段中为 1 的比例", "precision in the first tenth"),
    ("brier", "Brier 分数", "Brier score"),
    ("ece", "校准误差（ECE）", "calibration error"),
    ("train_lots", "学习所用标段数", "lots learnt from"),
    ("test_lots", "评估标段数", "lots judged"),
    ("low_cv_auc", "仅按变异系数排序的区分度", "low dispersion alone"),
)
SPLITS = (
    ("lot", "新标段", "unseen lots"),
    ("time", "后来的标段", "later lots"),
    ("bidder", "未见过的企业", "unseen firms"),
    ("zero_label", "无需标签的评分", "score without labels"),
)
WHY_ZH = {
    "time": "未按时间评估",
    "bidder": "未按企业评估",
    "zero_label": "未计算无标签评分",
}
LEFT_OUT = {
    "bids_without_lot": ("没有标段编号的投标", "bids without a lot"),
    "prices_unread": ("读不出的报价", "prices that could not be read"),
    "prices_not_positive": ("零或负的报价", "prices of zero or below"),
    "lots_of_one_bid": ("只有一个报价的标段", "lots of one bid"),
    "lots_without_a_price": ("没有报价的标段", "lots without a price"),
}
_SIDE = 320
_MARGIN = 46


@dataclass(frozen=True)
class ReliabilityBin:
    """Lots of about the same score: how many, their mean score, and the share of them with label 1."""

    lots: int
    said: float
    seen: float


def html(file_name: str, award: str, measured: Mapping[str, Any], bins: Sequence[ReliabilityBin]) -> str:
    """Return the page.

    Args:
        file_name: of the bids.
        award: ``lowest`` or ``average``.
        measured: as in ``metrics.json``.
        bins: of the reliability picture; none where the score is no probability.
    """
    splits = measured["splits"]
    rows = [
        (zh, en, [_shown((splits[name] or {}).get(figure)) for name, _, _ in SPLITS])
        for figure, zh, en in FIGURES
        if any((splits[name] or {}).get(figure) is not None for name, _, _ in SPLITS)
    ]
    return page_of(
        "evaluation.html",
        file_name=file_name,
        award_zh={"lowest": "最低价", "average": "平均价（基准价）"}[award],
        award=award,
        measured=measured,
        splits=SPLITS,
        rows=rows,
        reasons=[(WHY_ZH[name], reason) for name, reason in measured["reasons"].items()],
        left_out=[(*LEFT_OUT[name], count) for name, count in measured["left_out"].items()],
        picture=Markup(reliability_svg(bins)) if bins else "",
    )


def reliability_svg(bins: Sequence[ReliabilityBin]) -> str:
    """Return the reliability picture as SVG: what the score said against what was seen, one dot a bin."""
    size = _SIDE + 2 * _MARGIN

    def at(said: float, seen: float) -> tuple[float, float]:
        return _MARGIN + said * _SIDE, _MARGIN + (1 - seen) * _SIDE

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" height="{size}"'
        ' font-family="sans-serif" font-size="11" role="img" aria-label="reliability">',
        f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIDE}" height="{_SIDE}" fill="#fff" stroke="#59636e"/>',
        f'<line x1="{_MARGIN}" y1="{_MARGIN + _SIDE}" x2="{_MARGIN + _SIDE}" y2="{_MARGIN}" stroke="#b0b7bf"'
        ' stroke-dasharray="4 4"/>',
    ]
    for tenth in range(0, 11, 2):
        x, y = at(tenth / 10, tenth / 10)
        parts.append(
            f'<text x="{x:.1f}" y="{_MARGIN + _SIDE + 15}" text-anchor="middle">{tenth * 10} %</text>'
        )
        parts.append(f'<text x="{_MARGIN - 5}" y="{y + 4:.1f}" text-anchor="end">{tenth * 10} %</text>')
    line = " ".join("{:.1f},{:.1f}".format(*at(each.said, each.seen)) for each in bins)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#0b6bcb" stroke-width="1.5"/>')
    for each in bins:
        x, y = at(each.said, each.seen)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0b6bcb"><title>{each.lots} lots:'
            f" {each.said:.1%} / {each.seen:.1%}</title></circle>"
        )
    middle = _MARGIN + _SIDE / 2
    parts.append(f'<text x="{middle}" y="{size - 10}" text-anchor="middle">评分 score</text>')
    parts.append(
        f'<text x="{middle}" y="{_MARGIN - 12}" text-anchor="middle">实际为 1 的比例 share with label 1</text>'
    )
    return "\n".join([*parts, "</svg>", ""])


def _shown(value: float | int | None) -> str:
    if value is None:
        return "—"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
