"""Bids of different bidders were handed in within seconds of each other.

Why it matters
    Who fills in the bids of several firms uploads them one after the other. Firms that decide for
    themselves come at their own time.

Looks innocent when
    - many bid, and most come in the last hours: some are always seconds apart. So what counts is how many
      bids of comparable lots fall between them, as long before the opening. The number of bidders of the
      lot is allowed for;
    - the platform was down, and everybody uploaded when it came back;
    - the system queues uploads, or notes the moment of a batch.

Blind spots
    A ring that waits a few minutes between uploads. Two bids in the last minutes, when everybody uploads: too
    common to stand out. Open auctions, and lots in which a bidder replaced its bid and both are delivered. Lots
    whose moment of opening is unknown. Platforms that note the day only.

Sources
    Base rate, measured on 1,028 Korean tenders: 62 % have two bids within 60 seconds and 12.5 % within 5, hence no
    fixed limit. In Brazil's federal open auctions 321 of 414 lots would be flagged, all of them lots with several
    lances of a firm, which answer each other within seconds. The moments of independent bidders, as ranks among
    comparable bids, are uniform; r neighbours of n span at most w with the chance of a beta variable with r - 1 and
    n - r + 2. No article of the law names this sign: it corroborates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, COMPARABLE_LOTS
from detectors.kernels.prices.blocks import Block, blocks

DETECTOR = Detector(
    title="Bids of different bidders handed in within seconds",
    title_zh="不同投标人递交投标文件时间异常接近",
    unit="lot",
    measures="bids in the closest series of uploads, number (0: no two within the gap)",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.submitted_at", "lots.opening_at", "lots.class"),
    says="{value:.0f} of {bids} bids were handed in within {span_seconds:.0f} seconds, gaps of at most"
    " {max_gap_seconds} seconds each, {lead_hours:.1f} hours before the opening; among {bids} independent"
    " bidders this happens with probability {p_value:.2g}, limit {max_p:.4f}"
    " ({reference_lots} comparable lots).",
    says_zh="{bids} 家投标人中有 {value:.0f} 家在开标前 {lead_hours:.1f} 小时的 {span_seconds:.0f} 秒内相继递交"
    "（相邻间隔不超过 {max_gap_seconds} 秒）；{bids} 家独立递交出现此情形的概率为 {p_value:.2g}（阈值 "
    "{max_p:.4f}，可比标段 {reference_lots} 个），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 3,
    "bids": 5,
    "span_seconds": 41,
    "lead_hours": 27.5,
    "p_value": 0.0004,
    "reference_lots": 812,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    max_gap_seconds: int = 60  # seconds between neighbours of one series
    longest_series: int = 10  # bids; a longer series is judged by its best part of this length
    min_reference_lots: int = 200  # lots whose bids say when everybody comes
    max_p: float = 0.01  # probability among as many independent bidders


#: What comparable lots have in common, from the narrowest: nights and meals lie at the same distance
#: from openings at the same hour.
LEVELS = (("class", "hour"), ("class",), ("hour",), ())

SQL = """
SELECT b.lot_id, b.bidder_id, l.class,
       CAST(EXTRACT(HOUR FROM l.opening_at) AS INTEGER) AS hour,
       b.submitted_at, l.opening_at
FROM core.bids AS b
JOIN core.lots AS l ON l.lot_id = b.lot_id
WHERE b.submitted_at IS NOT NULL AND l.opening_at IS NOT NULL AND b.submitted_at <= l.opening_at
  AND b.lot_id NOT IN (SELECT lot_id FROM core.bids WHERE lances > 1)
ORDER BY b.lot_id, b.submitted_at DESC, b.bidder_id
"""


NEEDS = (
    BIDS,
    Need(
        "moment of the opening unknown",
        "开标时间不明",
        "SELECT lot_id AS unit FROM core.lots WHERE opening_at IS NOT NULL",
    ),
    Need(
        "a bidder with several bids: an open auction, in which bids answer each other",
        "同一投标人多次报价（公开竞价，报价时间相互影响）",
        "SELECT lot_id AS unit FROM core.bids GROUP BY lot_id HAVING max(lances) = 1",
    ),
    Need(
        "the moments of fewer than two bids are known",
        "递交时间已知的投标不足两家",
        f"SELECT lot_id AS unit FROM ({SQL}) AS bids GROUP BY lot_id HAVING count(*) >= 2",
    ),
    COMPARABLE_LOTS,
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with two bids or more whose moments are known and enough comparable lots."""
    bids: pd.DataFrame = engine.run(SQL).to_pandas()
    lead = pd.to_datetime(bids["opening_at"]) - pd.to_datetime(bids["submitted_at"])
    bids = bids.assign(lead_seconds=lead.dt.total_seconds().astype("int64"))
    is_open = pd.Series(True, index=bids.index)
    found = [_NOTHING]
    for level in LEVELS:
        groups = bids.groupby(list(level), dropna=False, sort=True) if level else [((), bids)]
        for key, group in groups:
            lots = group["lot_id"].nunique()
            if lots > limits.min_reference_lots and is_open[group.index].any():
                judged = group[is_open[group.index]]
                label = " | ".join(f"{name} {value}" for name, value in zip(level, key, strict=True))
                found.append(
                    _series(judged, group["lead_seconds"], limits).assign(
                        reference_class=label or "all lots", reference_lots=lots - 1
                    )
                )
                is_open[group.index] = False
    frame = pd.concat(found, ignore_index=True).sort_values("unit", ignore_index=True)
    return frame.assign(flagged=frame["p_value"] <= limits.max_p)


def _series(judged: pd.DataFrame, everybody: pd.Series, limits: Limits) -> pd.DataFrame:
    """Return the rarest series of every lot, measured by the moments of all bids of the class."""
    crowd = np.sort(everybody.to_numpy())
    lead = judged["lead_seconds"].to_numpy()
    before = np.searchsorted(crowd, lead, side="left")
    through = np.searchsorted(crowd, lead, side="right")
    sizes = judged.groupby("lot_id", sort=False).size().to_numpy().astype(np.int64)
    bidders = judged["bidder_id"].to_numpy()
    lot_ids = judged["lot_id"].to_numpy()
    found = [
        _rarest(block, lead, before, through, len(crowd), limits)
        .assign(unit=lot_ids[block.rows[:, 0]])
        .pipe(_named, bidders, block)
        for block in blocks(sizes, 2)
    ]
    return pd.concat([_NOTHING, *found], ignore_index=True)


def _rarest(
    block: Block,
    lead: np.ndarray,
    before: np.ndarray,
    through: np.ndarray,
    crowd: int,
    limits: Limits,
) -> pd.DataFrame:
    """Return, lot by lot, the series that is least expected.

    A series of r of n bids that spans a share w of the crowd is expected n - r + 1 times the chance of
    one. The p-value is multiplied by the number of lengths that are looked at.
    """
    moments = lead[block.rows]
    lots, n = moments.shape
    is_near = np.diff(moments, axis=1) <= limits.max_gap_seconds
    lengths = range(2, min(n, limits.longest_series) + 1)
    rarest = np.full(lots, np.inf)
    first, size = np.zeros(lots, dtype=np.int64), np.zeros(lots, dtype=np.int64)
    is_series = np.ones((lots, n), dtype=bool)
    for r in lengths:
        is_series = is_series[:, :-1] & is_near[:, r - 2 :]
        # The bids of the crowd from the first to the last of the series, but for its own.
        between = through[block.rows[:, r - 1 :]] - before[block.rows[:, : n - r + 1]] - r + 1
        share = np.minimum(np.maximum(between, 1) / max(crowd - n + 1, 1), 1.0)
        expected = np.where(is_series, (n - r + 1) * betainc(r - 1, n - r + 2, share), np.inf)
        at = np.argmin(expected, axis=1)
        least = expected[np.arange(lots), at]
        is_rarer = least < rarest
        rarest[is_rarer], first[is_rarer], size[is_rarer] = least[is_rarer], at[is_rarer], r
    each, last = np.arange(lots), first + np.maximum(size, 1) - 1
    return pd.DataFrame(
        {
            "value": size.astype("float64"),
            "p_value": np.minimum(rarest * len(lengths), 1.0),
            "bids": n,
            "span_seconds": moments[each, last] - moments[each, first],
            "lead_hours": moments[each, first] / 3600,
            "first": first,
        }
    )


def _named(frame: pd.DataFrame, bidders: np.ndarray, block: Block) -> pd.DataFrame:
    """Name the bidders of every series; in a lot without one, nobody."""
    entities = [
        SEPARATOR.join(sorted(bidders[rows[first : first + size]])) if size else None
        for rows, first, size in zip(
            block.rows, frame["first"].tolist(), frame["value"].astype("int64").tolist(), strict=True
        )
    ]
    named = frame.assign(entities=pd.Series(entities, index=frame.index, dtype="str"))
    return named[["unit", "entities", "value", "p_value", "bids", "span_seconds", "lead_hours"]]


_NOTHING = pd.DataFrame(
    {
        "unit": pd.Series(dtype="str"),
        "entities": pd.Series(dtype="str"),
        "value": pd.Series(dtype="float64"),
        "p_value": pd.Series(dtype="float64"),
        "bids": pd.Series(dtype="int64"),
        "span_seconds": pd.Series(dtype="int64"),
        "lead_hours": pd.Series(dtype="float64"),
        "reference_class": pd.Series(dtype="str"),
        "reference_lots": pd.Series(dtype="int64"),
    }
)
