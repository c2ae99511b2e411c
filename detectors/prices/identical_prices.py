"""Bids of one lot share the same total, or the same last digits.

Why it matters
    The last digits of a price that is the sum of many items fall anywhere. Two bidders who end in
    the same non-round digits, or in the same total, rarely did so independently.

Looks innocent when
    - bidders round: 1,000,000 twice means nothing. Digits only count below the rounding of the
      shared price itself;
    - they choose lucky digits (吉利数): 6,888 and 1,666 count as rounded below the repeated digit;
    - both quote the same round discount from the ceiling (95 % of 1,234,567.89 is no round number).
      Such prices count as rounded to the discount;
    - the fee is prescribed, or the discounts are from an estimate that was not delivered. Then the bids
      of the lot are whole percents of one base, or many lots of the market share endings: neither is a
      signal. One total of all bids is no signal either where many comparable lots are whole percents of
      one base;
    - there are many bidders: the probability is for the number of bids in the lot.

Blind spots
    Cover bids rounded on purpose, or all of them whole percents of one price. Copies with other
    digits at the end. A market in which copied prices are the rule. Prescribed fees and hidden
    discounts in a market with too few lots.

Sources
    招标投标法实施条例 §40(4) 投标报价呈规律性差异. Ties alone are common (they were found in a third of
    one real market's tenders), so roundness and number of bids must be allowed for. The formula is
    this project's own. Of 278 real Italian average-price lots (García Rodríguez et al. 2022) 65 %
    share such endings, competitive or not: hence the comparison with the market.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import comb

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Severity, Status
from detectors.kernels.needs import AWARD_METHOD, BIDS, ENOUGH_PRICES, PRICES
from detectors.kernels.prices.blocks import Block, LotBids, valid_bids
from detectors.kernels.prices.reference_classes import commonness
from detectors.kernels.prices.rounding import amount_unit, discount_unit, lucky_unit, of_one_base

DETECTOR = Detector(
    title="Bids share the same total or the same last digits",
    title_zh="报价总额或尾数相同",
    unit="lot",
    measures="bids of the lot that share the same last digits, number",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.EXPERIMENTAL,
    legal_basis=("REG-40-4", "ORDER87-37-4"),
    evidence=("bids.price", "bids.is_valid", "lots.award_method", "lots.ceiling_price"),
    says="{value:.0f} of {bids} bids end in the same digits {ending} (different totals: {totals}); among"
    " {bids} independent bids the probability is at most {p_value:.2g}, limit {max_p:.4f}.",
    says_zh="{bids} 家报价中有 {value:.0f} 家尾数同为 {ending}（不同总额 {totals} 个）；{bids} 家独立报价出现"
    "此情形的概率不超过 {p_value:.2g}（阈值 {max_p:.4f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 3,
    "bids": 6,
    "ending": "2345.67",
    "totals": 3,
    "p_value": 2e-05,
}


# Two equal totals are two equal totals, whatever else was bid: incomplete lots are judged too.
NEEDS = (
    BIDS,
    replace(PRICES, sql="SELECT lot_id AS unit FROM feat.priced_lots"),
    AWARD_METHOD,
    replace(ENOUGH_PRICES, sql="SELECT lot_id AS unit FROM feat.priced_lots WHERE bids >= $min_bids"),
)


Cents = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bids: int = 2  # valid bids in the lot
    assumed_cv: float = 0.01  # honest spread / price, where all bids are equal and show none
    finest_discount: float = 0.0001  # share of the ceiling; a finer discount is no round one
    min_lucky_digits: int = 2  # equal lucky digits in a row; a price that ends in them was chosen
    min_base_percent: int = 40  # percent; below it nobody bids on a prescribed fee
    max_base_percent: int = 130  # percent; above it nobody bids on a prescribed fee
    min_percent_cents: int = 1000  # cents in a percent of a fee; of a smaller one every price is a multiple
    max_p: float = 0.001  # probability among independent bids
    min_reference_lots: int = 200  # other lots needed to say what is usual in a market
    max_common_share: float = 0.05  # of comparable lots that share endings too: a market's habit


# The ceiling only serves to recognise a round discount, so it is used whatever its currency.
JUDGED = """
SELECT p.lot_id AS unit, p.bids, p.award_method, p.currency, p.class, p.year,
       CAST(l.ceiling_price AS DOUBLE) AS ceiling_price
FROM feat.priced_lots AS p
JOIN core.lots AS l ON l.lot_id = p.lot_id
WHERE p.award_method IS NOT NULL AND p.bids >= $min_bids
"""


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a known award method and at least ``min_bids`` valid bids.

    ``p_value`` is 1 where no two bids share a non-round ending; else the bound of `chance` for the
    least likely shared ending, times the number of different shared endings.
    """
    judged: pd.DataFrame = engine.run(JUDGED, {"min_bids": limits.min_bids}).to_pandas()
    bids = valid_bids(engine)
    read = [_tied(bids, block, limits) for block in bids.blocks(limits.min_bids)]
    frame = judged.merge(_endings([tied for tied, _ in read], bids, judged, limits), on="unit", how="left")
    frame["value"] = frame["value"].astype("float64").fillna(0.0)
    frame["p_value"] = frame["p_value"].fillna(1.0)
    frame["totals"] = frame["totals"].fillna(0).astype("int64")
    is_found = (frame["p_value"] <= limits.max_p) & ~_at_a_fee(frame, bids, [fee for _, fee in read], limits)
    frame = frame.join(commonness(frame, is_found, limits.min_reference_lots))
    frame["flagged"] = is_found & ~(frame["common_share"] > limits.max_common_share)
    columns = ["unit", "entities", "value", "p_value", "reference_class", "flagged"]
    columns += ["bids", "ending", "totals", "reference_lots", "common_share"]
    return frame[columns].sort_values("unit", ignore_index=True)


def chance(
    bids: NDArray[np.int64], sharing: NDArray[np.int64], rounding: Cents, free: Cents
) -> NDArray[np.float64]:
    """Return the largest probability that any ``sharing`` of ``bids`` independent bids share an ending.

    Args:
        bids: valid bids of the lot.
        sharing: how many of them share the ending, at least 2.
        rounding: the unit to which the shared price is rounded, in cents.
        free: the power of ten below which digits are free, in cents: not larger than the honest
            spread of the prices, so that the digits below it are evenly spread (for a normal
            spread to within 1e-8).

    Returns:
        Number of ways to choose them * (rounding / free) ** (sharing - 1), at most 1.
    """
    expected: NDArray[np.float64] = comb(bids, sharing) * (rounding / free) ** (sharing - 1)
    return np.minimum(expected, 1.0)


def _at_a_fee(frame: pd.DataFrame, bids: LotBids, fees: list[NDArray[np.int64]], limits: Limits) -> pd.Series:
    """Say of which lots all bids have one total, in a market whose bids are percents of prescribed fees."""
    of_base = bids.lot_id.take(pa.array(np.concatenate([np.empty(0, dtype=np.int64), *fees]))).to_pandas()
    usual = commonness(frame, frame["unit"].isin(of_base), limits.min_reference_lots)["common_share"]
    is_one_total = (frame["totals"] == 1) & (frame["value"] == frame["bids"])
    return is_one_total & (usual > limits.max_common_share)


def _tied(bids: LotBids, block: Block, limits: Limits) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the bids of a block that share their free digits, and its lots whose bids are percents of one base."""
    prices = bids.price[block.rows]
    cents = np.rint(prices * 100).astype(np.int64)
    spread = prices.std(axis=1, ddof=1)
    is_equal = prices.max(axis=1) == prices.min(axis=1)
    spread = np.where(is_equal, limits.assumed_cv * prices[:, 0], spread)
    free = 10 ** np.floor(np.log10(np.maximum(spread * 100, 1))).astype(np.int64)
    residue = cents % free[:, None]
    order = np.argsort(residue, axis=1, kind="stable")
    ordered = np.take_along_axis(residue, order, axis=1)
    is_same = np.zeros((len(cents), cents.shape[1] + 1), dtype=bool)
    is_same[:, 1:-1] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] > 0)
    is_of_base = of_one_base(
        cents, limits.min_base_percent, limits.max_base_percent, limits.min_percent_cents
    )
    is_same[is_of_base] = False
    lot, place = np.nonzero(is_same[:, 1:] | is_same[:, :-1])
    at = (lot, order[lot, place])
    tied = pd.DataFrame(
        {
            "lot": block.lots[lot],
            "row": block.rows[at],
            "cents": cents[at],
            "residue": residue[at],
            "free": free[lot],
        }
    )
    return tied, block.lots[is_of_base]


def _endings(tied: list[pd.DataFrame], bids: LotBids, judged: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Return the least likely shared ending of each lot that has one."""
    rows = pd.concat([_NONE_TIED, *tied], ignore_index=True)
    rows["bidder_id"] = bids.bidder_id.take(pa.array(rows["row"])).to_pandas()
    endings = (
        rows.sort_values(["lot", "residue", "bidder_id"])
        .groupby(["lot", "residue"], as_index=False)
        .agg(
            value=("row", "size"),
            totals=("cents", "nunique"),
            cents=("cents", "max"),
            free=("free", "first"),
            entities=("bidder_id", SEPARATOR.join),
        )
    )
    endings["unit"] = bids.lot_id.take(pa.array(endings["lot"])).to_pandas()
    endings = endings.merge(judged[["unit", "bids", "ceiling_price"]], on="unit")
    endings["p_value"] = chance(
        endings["bids"].to_numpy(),
        endings["value"].to_numpy(),
        _rounding(endings, limits),
        endings["free"].to_numpy(),
    )
    shared = endings.groupby("unit")["residue"].transform("size")
    endings["p_value"] = np.minimum(endings["p_value"] * shared, 1.0)
    endings["ending"] = [_digits(*pair) for pair in zip(endings["residue"], endings["free"], strict=True)]
    least = endings.sort_values(["unit", "p_value", "residue"]).drop_duplicates("unit")
    return least[["unit", "entities", "value", "p_value", "ending", "totals"]]


_NONE_TIED = pd.DataFrame(
    {name: pd.Series(dtype="int64") for name in ("lot", "row", "cents", "residue", "free")}
)


def _rounding(endings: pd.DataFrame, limits: Limits) -> Cents:
    """Return the unit to which each shared ending is rounded, as amount or as discount, in cents."""
    # Different totals cannot be the same discount.
    ceiling = endings["ceiling_price"].where(endings["totals"] == 1).to_numpy(dtype=np.float64)
    residue = endings["residue"].to_numpy()
    by_amount = np.maximum(amount_unit(residue[:, None]), lucky_unit(residue, limits.min_lucky_digits))
    by_discount = discount_unit(endings[["cents"]].to_numpy(), ceiling * 100, limits.finest_discount)
    return np.maximum(by_amount, by_discount)


def _digits(residue: int, free: int) -> str:
    """Return the shared digits as text: 234567 of 1000000 cents is ``2345.67``."""
    digits = str(residue).zfill(len(str(free)) - 1)
    return f"{digits[:-2]}.{digits[-2:]}" if len(digits) > 1 else digits
