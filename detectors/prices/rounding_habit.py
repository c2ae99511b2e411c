"""Several bids of a lot are round numbers although their bidders do not usually round.

Why it matters
    Who prices a bill of quantities ends at odd fen, bid after bid. A price that somebody else named, or
    that was made up, is round. Several firms that leave their habit in the same lot have
    something in common there.

Looks innocent when
    - the tender document asks for round amounts, or the work is too small to be priced in detail:
      then all bidders round, also those whose habit is not known;
    - a firm has changed its habit, with a new cost engineer or new software;
    - prices are negotiated down to a round number in the last round.
    For these reasons what many comparable lots show is no signal, and the signal only corroborates.

Blind spots
    Firms with fewer other bids than a habit needs. Firms that always round. Odd prices of firms that
    usually round. Discounts rounded to a share of the ceiling. Lots without a known award method.

Sources
    The share of rounded bids in a firm's other bids, and the exact distribution of their number in a lot,
    are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, PRICES, WHOLE_LOT, enough_prices
from detectors.kernels.prices.blocks import valid_bids
from detectors.kernels.prices.reference_classes import commonness
from detectors.kernels.prices.rounding import amount_unit

DETECTOR = Detector(
    title="Several bidders round their prices against their own habit",
    title_zh="多家投标人报价取整，与其自身报价习惯不符",
    unit="lot",
    measures="bids rounded to few digits, among bidders whose habit is known, number",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=("REG-40-4",),
    evidence=("bids.price", "bids.bidder_id", "bids.is_valid", "lots.award_method", "lots.class"),
    says="{value:.0f} of {known} bids whose bidders' habit is known (at least {min_own_bids} other bids each) have at most"
    " {max_digits} digits; from their habits {expected:.2f} are expected, so many with probability {p_value:.2g},"
    " limit {max_p:.4f}.",
    says_zh="{known} 家有报价习惯可查的投标人（各有至少 {min_own_bids} 次其他报价）中，{value:.0f} 家报价取整至 {max_digits} "
    "位以内有效数字；按其习惯预期 {expected:.2f} 家，出现此情形的概率为 {p_value:.2g}（阈值 {max_p:.4f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 4,
    "known": 6,
    "expected": 0.31,
    "p_value": 0.00012,
}


NEEDS = (
    BIDS,
    WHOLE_LOT,
    PRICES,
    AWARD_METHOD,
    enough_prices("min_known"),
    Need("too few bidders with enough other bids to show a habit", "有足够其他报价可看出习惯的投标人不足"),
)


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    max_digits: int = 3  # digits of a round price: 1,230,000 has three
    min_own_bids: int = 20  # other bids of a firm, from which its habit is known
    min_known: int = 2  # bids of the lot whose bidders' habit is known
    min_rounded: int = 2  # of them rounded: one is a change of habit and no pattern
    max_p: float = 0.001  # probability if every firm kept its habit
    min_reference_lots: int = 200  # other lots needed to say what is usual in a market
    max_common_share: float = 0.05  # of comparable lots that show the same: a market's habit


LOTS = """
SELECT lot_id AS unit, bids, award_method, currency, class, year
FROM feat.lot_prices
WHERE award_method IS NOT NULL AND bids >= $min_known
ORDER BY lot_id
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known award method and enough bids of firms whose habit is known."""
    lots: pd.DataFrame = engine.run(LOTS, {"min_known": limits.min_known}).to_pandas()
    bids = valid_bids(engine)
    at = pc.index_in(bids.lot_id.cast(pa.string()), value_set=pa.array(lots["unit"], pa.string()))
    frame = pd.DataFrame(
        {
            "lot": np.repeat(at.to_numpy(zero_copy_only=False), bids.bids),
            "bidder": bids.bidder_id.to_numpy(zero_copy_only=False),
            "is_round": digits(bids.price) <= limits.max_digits,
        }
    )
    own = frame.groupby("bidder", sort=False)["is_round"]
    others = own.transform("size") - 1
    # The rule of succession: a firm that was never seen to round may still do it once.
    frame["habit"] = (own.transform("sum") - frame["is_round"] + 1) / (others + 2)
    frame = frame[(others >= limits.min_own_bids) & frame["lot"].notna()].sort_values(["lot", "bidder"])
    groups = frame.groupby("lot")
    known, rounded = groups.size(), groups["is_round"].sum()
    names = frame[frame["is_round"]].groupby("lot")["bidder"].agg(SEPARATOR.join)
    at_lot = known.index.to_numpy(dtype=np.int64)
    result = lots.iloc[at_lot].assign(
        entities=names.reindex(known.index).to_numpy(),
        value=rounded.to_numpy(dtype=np.float64),
        p_value=_tails(
            frame["habit"].to_numpy(), np.asarray(known, dtype=np.int64), np.asarray(rounded, dtype=np.int64)
        ),
        known=known.to_numpy(),
        expected=groups["habit"].sum().to_numpy(),
    )
    result = result[result["known"] >= limits.min_known].reset_index(drop=True)
    is_found = (result["value"] >= limits.min_rounded) & (result["p_value"] <= limits.max_p)
    result = result.join(commonness(result, is_found, limits.min_reference_lots))
    result["entities"] = result["entities"].astype("str")
    result["flagged"] = is_found & ~(result["common_share"] > limits.max_common_share)
    return result.drop(columns=["award_method", "currency", "class", "year", "bids"])


def digits(prices: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many digits a price has without the zeros at its end: 3 for 1,230,000.

    Args:
        prices: positive, to the cent, shape (bids,).
    """
    cents = np.maximum(np.rint(prices * 100), 1).astype(np.int64)
    leading = cents // amount_unit(cents[:, None])
    return np.asarray(np.floor(np.log10(leading) + 1e-9).astype(np.int64) + 1)


def _tails(
    chances: NDArray[np.float64], sizes: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the probability of at least ``counts`` hits in each group of independent events, exactly.

    Args:
        chances: of the events, those of one group contiguous, shape (events,).
        sizes: events of each group, shape (groups,).
        counts: hits, shape (groups,).
    """
    tails = np.ones(len(sizes))
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1])).astype(np.int64)
    for size in np.unique(sizes).tolist():
        here = np.flatnonzero(sizes == size)
        table = np.zeros((len(here), size + 1))
        table[:, 0] = 1.0
        for place in range(size):
            chance = chances[starts[here] + place][:, None]
            table[:, 1:] = table[:, 1:] * (1 - chance) + table[:, :-1] * chance
            table[:, :1] *= 1 - chance
        at_least = table[:, ::-1].cumsum(axis=1)[:, ::-1]
        tails[here] = at_least[np.arange(len(here)), counts[here]]
    return np.minimum(tails, 1.0)
