"""Prices of two firms move together, or against each other, lot after lot.

Why it matters
    What one independent bidder asks, compared with the middle of the lot, says nothing about what
    another asks. Where one hand writes two bids, the second follows the first: always a little above it, or
    high whenever the first is low.

Looks innocent when
    - the two have the same costs: the same suppliers, the same distance to the site, the same norms;
    - they price with the same consultant, each for itself;
    - one reacts to a known rival (it knows that the other is strong in one kind of work).

Blind spots
    Rings that add noise. Pairs with few joint lots. Firms that take turns as winner and cover: high and low cancel
    out. Lots with an unknown award method. Rings that fill their lots alone: the middle of the lot is theirs.

Sources
    All such tests rest on this: independent bids do not move together. The form, without cost data, is this
    project's own. Among exchangeable bids of a lot with n bids the deviations from the lot's
    mean correlate with -1/(n - 1): that is subtracted. Fisher's transformation gives the p-value.

    In the Korean records 9.9 % of 6,778 pairs had p <= .05. Deviations dealt anew among the bidders of each lot give 4.3 to
    4.9 %, so the test is right for independent bids. One firm's series set against the other's at other times gives 6.1 %:
    firms change their habits slowly, and two such series meet in a wave by chance. The rest is dependence in the
    same lots: weak (a correlation of some .09), of both signs, and plain in long records only, as among firms that are alike
    or unlike in costs and methods. It is no sign of an agreement. So the dependence that is usual among the pairs of the
    records is measured on all but the most unusual of them and added to the variance of chance: that is this project's
    own, too. With it 1.6 % have p <= .01 (4.0 % before), and 9 pairs are flagged (61 before).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import ndtr, ndtri

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.firms.joint_lots import joint_lots
from detectors.kernels.firms.pairs import Pairs, frequent_pairs, pair_sums, q_values
from detectors.kernels.prices.blocks import valid_bids

DETECTOR = Detector(
    title="Prices of two firms move together lot after lot",
    title_zh="两家企业报价在多个标段异常联动",
    unit="pair",
    measures="correlation of the two firms' log prices, as deviations from the mean of the lot, no unit",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=("bids.price", "bids.is_valid", "lots.award_method"),
    says="In {joint_lots} joint lots (limit {min_joint_lots}) the two firms' deviations from the lot's mean price"
    " correlate with {value:+.2f}, independent bids with {usual:+.2f}; probability {p_value:.2g}, adjusted for {pairs} pairs"
    " {q_value:.2g}, limit {max_q:.2f}; a spread of {spread:.2f} that is usual among all pairs is allowed for.",
    says_zh="两家企业在 {joint_lots} 个共同标段（阈值 {min_joint_lots} 个）中，报价相对标段均价的偏离相关系数为 {value:+.2f}"
    "（独立报价应为 {usual:+.2f}），概率 {p_value:.2g}，按 {pairs} 对企业校正后 {q_value:.2g}（阈值 {max_q:.2f}；"
    "已计入各企业对之间通常的差异 {spread:.2f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "joint_lots": 23,
    "value": 0.81,
    "usual": -0.22,
    "p_value": 1.3e-7,
    "pairs": 4_310,
    "q_value": 0.0006,
    "spread": 0.05,
}

#: Shares of the pairs that must not be rarer than so: what more unusual pairs do does not count as usual.
CENTRAL = (0.2, 0.1, 0.05)

#: From fewer pairs no usual dependence can be told from that of a few.
ENOUGH_PAIRS = 100


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 4  # valid bids in a lot; with fewer the lot's mean is the pair's own
    min_joint_lots: int = 10  # lots in which both bid
    max_q: float = 0.05  # expected false share among the flagged pairs (Benjamini-Hochberg)


JUDGED = """
SELECT lot_id FROM feat.lot_prices WHERE award_method IS NOT NULL AND cv > 0
"""

# The valid bids in lots that are judged and have enough of them.
PRICED = """
SELECT b.lot_id, b.bidder_id
FROM core.bids AS b
JOIN feat.lot_prices AS p ON p.lot_id = b.lot_id
WHERE b.is_valid AND b.price > 0 AND p.award_method IS NOT NULL AND p.cv > 0 AND p.bids >= $min_bids
"""


NEEDS = (
    Need(
        "no valid price in a lot with a known award method and enough prices that differ",
        "未在评标办法明确、有效报价家数足够且报价有差异的标段报价",
        f"SELECT bidder_id AS unit FROM ({PRICED}) AS priced",
    ),
    Need(
        "valid prices in too few such lots",
        "在此类标段的有效报价次数不足",
        f"SELECT bidder_id AS unit FROM ({PRICED}) AS priced GROUP BY bidder_id HAVING count(*) >= $min_joint_lots",
    ),
    Need(
        "met no other firm in enough such lots, or always asks the same beside the others",
        "与任何其他企业的共同标段不足，或其相对报价始终不变",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every pair of firms with enough joint lots of a known award method."""
    firms, came, deviations, usual = _deviations(engine, limits.min_bids)
    pairs = frequent_pairs(came, limits.min_joint_lots)
    n = pairs.joint.astype(np.float64)
    value = _correlation(deviations, came, pairs, n)
    expected = -pair_sums(usual, came, pairs) / n
    # An exact multiple has no finite transform.
    distance = np.arctanh(np.clip(value, -0.999999, 0.999999)) - np.arctanh(expected)
    spread = _usual_spread(distance, n)
    p_value = np.minimum(2 * ndtr(-np.abs(distance) / np.sqrt(1 / (n - 3) + spread**2)), 1.0)
    named = pd.Series(firms[pairs.first] + SEPARATOR + firms[pairs.second], dtype="str")
    frame = pd.DataFrame(
        {
            "unit": named,
            "entities": named,
            "value": value,
            "p_value": p_value,
            "joint_lots": pairs.joint,
            "usual": expected,
            "spread": spread,
        }
    )
    # A firm that always stands at the same place does not move: nothing can be said of it.
    frame = frame[np.isfinite(p_value)].reset_index(drop=True)
    q_value = q_values(frame["p_value"].to_numpy(), len(frame))
    flagged = q_value <= limits.max_q
    judged_lots = engine.run(JUDGED)["lot_id"].to_pandas()
    judged: pd.DataFrame = frame.assign(
        pairs=len(frame),
        q_value=q_value,
        lot_ids=joint_lots(engine, frame.loc[flagged, "unit"], judged_lots),
        flagged=flagged,
    )
    return judged


def _deviations(engine: Engine, min_bids: int) -> tuple[NDArray[np.object_], Any, Any, Any]:
    """Return the firms and three firm x lot tables: came, deviation, and share of the others in the mean.

    The deviation is that of the log price from the lot's mean, in standard deviations of the lot, so
    that every lot counts alike. The lot's ceiling price, where there is one, cancels.
    """
    bids = valid_bids(engine)
    is_judged = pc.is_in(bids.lot_id, value_set=engine.run(JUDGED)["lot_id"].combine_chunks())
    is_judged = is_judged.to_numpy(zero_copy_only=False)
    deviation, share = np.full(len(bids.price), np.nan), np.zeros(len(bids.price))
    for block in bids.blocks(min_bids):
        rows = block.rows[is_judged[block.lots]]
        logs = np.log(bids.price[rows])
        from_mean = logs - logs.mean(axis=1, keepdims=True)
        deviation[rows] = from_mean / from_mean.std(axis=1, keepdims=True)
        share[rows] = 1 / (rows.shape[1] - 1)
    used = np.flatnonzero(np.isfinite(deviation))
    lot = np.repeat(np.arange(len(bids.lot_id)), bids.bids)[used]
    firm, firms = pd.factorize(bids.bidder_id.take(pa.array(used)).to_pandas(), sort=True)
    came, prices, usual = (
        csr_array((values, (firm, lot)), shape=(len(firms), len(bids.lot_id)))
        for values in (np.ones(len(used)), deviation[used], share[used])
    )
    return np.asarray(firms, dtype=object), came, prices, usual


def _usual_spread(distance: NDArray[np.float64], n: NDArray[np.float64]) -> float:
    """Return how far the pairs' true correlations usually lie from those of independent bids: a standard deviation.

    It is the smallest with which no more than each share in `CENTRAL` of the pairs has a p-value as small as that share.

    Args:
        distance: of Fisher's transforms, shape (pairs,), nan where nothing can be said.
        n: joint lots, shape (pairs,).
    """
    is_known = np.isfinite(distance)
    if is_known.sum() < ENOUGH_PAIRS:
        return 0.0
    squares, chance = distance[is_known] ** 2, 1 / (n[is_known] - 3)
    needed = [np.quantile(squares / ndtri(share / 2) ** 2 - chance, 1 - share) for share in CENTRAL]
    return float(np.sqrt(max(*needed, 0.0)))


def _correlation(prices: Any, came: Any, pairs: Pairs, n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of the deviations of every pair over its joint lots."""
    squares = prices.multiply(prices).tocsr()
    one, other = pair_sums(prices, came, pairs), pair_sums(came, prices, pairs)
    spread_one = pair_sums(squares, came, pairs) - one**2 / n
    spread_other = pair_sums(came, squares, pairs) - other**2 / n
    # Rounding leaves about 1e-15 of a firm that never moves.
    both = np.where((spread_one > 1e-9) & (spread_other > 1e-9), spread_one * spread_other, np.nan)
    value: NDArray[np.float64] = (pair_sums(prices, prices, pairs) - one * other / n) / np.sqrt(both)
    return value
