"""A repeated tender brings the same firms in the same order of prices, though their first prices were close.

Why it matters
    When a first round fails, everybody prices anew, and firms that asked nearly the same may come out in any
    order. Where the winner and the others' places are agreed, the order stays, however close it was.

Looks innocent when
    - the firms' costs differ: then the first prices lie apart, and the order had to stay. So the chance
      starts from the first prices themselves, and each firm moves as firms of other repeated lots did;
    - everybody hands in the old bid again: a firm whose price did not change, or changed by the same
      share as another's, has not priced anew and is not counted;
    - the first prices were published, and nobody changed much.

Blind spots
    First rounds with fewer than three bidders, which must not be opened and so leave no prices. Fewer than
    five firms in both rounds: even the same order of four comes by luck too often. Rings whose losers stay
    away from the second round, or whose members all ask the same share more. Repeated lots under another number whose
    name was changed, or that stand in another tender. Markets with few repeated lots: they do not show how much
    firms move.

Sources
    Kawai and Nakabayashi (2022): in about 42,000 Japanese auctions the lowest bidder of the first round stayed the
    lowest too often, most plainly where the first round was close. 招标投标法实施条例 §44 (fewer than three bidders are not
    opened). The chance of the order of all firms, from the market's own movements, is this project's own.
    It is on the safe side, because first prices that were low by luck rise more than others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from detectors.interface import SEPARATOR, Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Same order of prices in a failed and a repeated round, though the first prices were close",
    title_zh="重新招标中同一批投标人报价排序异常保持不变",
    unit="lot",
    measures="rank correlation of the prices of the firms in both rounds, -1 to 1",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "bids.price",
        "bids.is_valid",
        "lots.re_tender_no",
        "lots.first_round_id",
        "lots.tender_id",
        "lots.lot_name",
    ),
    says="{firms} firms priced round {round_no} of the lot anew after round {first_lot} (limit {min_firms}; {newcomers}"
    " came new, {gone} stayed away). Their order of prices kept a rank correlation of {value:.2f}; from first prices"
    " {gap_share:.2%} apart in the middle, and as {reference_bids} firms in other repeated lots moved (limit"
    " {min_reference_bids}), so much of the order stays with probability {p_value:.2g} (limit {max_p:.3f}).",
    says_zh="{first_lot} 之后第 {round_no} 次招标有 {firms} 家企业重新报价（阈值 {min_firms} 家；新增 {newcomers} 家，"
    "未再参加 {gone} 家），两次报价排序的秩相关为 {value:.2f}；首次报价相邻差距中位数为 {gap_share:.2%}，"
    "按其他重新招标中 {reference_bids} 家企业的报价变动（阈值 {min_reference_bids} 家）推算，"
    "排序保持至此的概率为 {p_value:.2g}（阈值 {max_p:.3f}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "firms": 7,
    "round_no": 2,
    "first_lot": "E4108210000000302001001",
    "newcomers": 0,
    "gone": 0,
    "value": 1.0,
    "gap_share": 0.0031,
    "reference_bids": 640,
    "p_value": 0.0015,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_firms: int = 5  # firms that priced both rounds, anew in the second
    min_reference_bids: int = 200  # bids priced anew in other repeated lots
    draws: int = 1999  # second rounds drawn at random
    max_p: float = 0.01  # probability of as much order


# Rounds have one number, or else one name in one tender. Where a name stands twice in a round, it is not clear which lot
# is meant.
ROUNDS = """
WITH known AS (
    SELECT lot_id, first_round_id, tender_id, lot_name, coalesce(re_tender_no, 1) AS round_no
    FROM core.lots
    WHERE award_method IS NOT NULL
),
rounds AS (
    SELECT 1 AS place, first_round_id AS series, round_no, lot_id
    FROM known
    WHERE first_round_id IN (SELECT first_round_id FROM known GROUP BY first_round_id HAVING count(*) > 1)
    UNION ALL
    SELECT 2, tender_id || chr(31) || lot_name, round_no, min(lot_id)
    FROM known
    WHERE tender_id IS NOT NULL AND lot_name IS NOT NULL
    GROUP BY tender_id, lot_name, round_no
    HAVING count(*) = 1
),
repeated AS (
    SELECT s.lot_id, s.round_no, f.lot_id AS first_lot
    FROM rounds AS f
    JOIN rounds AS s ON s.place = f.place AND s.series = f.series AND s.round_no = f.round_no + 1
    QUALIFY row_number() OVER (PARTITION BY s.lot_id ORDER BY s.place) = 1
)
"""

SQL = (
    ROUNDS
    + """,
priced AS (
    SELECT lot_id, bidder_id, CAST(price AS DOUBLE) AS price, currency
    FROM core.bids
    WHERE is_valid AND price > 0
)
SELECT r.lot_id, r.round_no, r.first_lot, x.bidder_id, x.price AS first_price, y.price AS price
FROM repeated AS r
JOIN priced AS x ON x.lot_id = r.first_lot
JOIN priced AS y ON y.lot_id = r.lot_id AND y.bidder_id = x.bidder_id AND coalesce(y.currency, '') = coalesce(x.currency, '')
ORDER BY r.lot_id, x.bidder_id
"""
)


NEEDS = (
    Need(
        "tender, name or award method of the lot unknown, or two of the name in one round",
        "标段所属项目、名称或评标办法不明，或同轮标段重名",
        f"{ROUNDS}SELECT DISTINCT lot_id AS unit FROM rounds",
    ),
    Need(
        "no repeated lot, or its round before is not in the records",
        "非重新招标标段，或无其上一轮记录",
        f"{ROUNDS}SELECT lot_id AS unit FROM repeated",
    ),
    Need(
        "too few firms with valid prices in both rounds",
        "两轮均有有效报价的企业家数不足",
        f"SELECT lot_id AS unit FROM ({SQL}) AS firms GROUP BY lot_id HAVING count(*) >= $min_firms",
    ),
    Need(
        "too few of them priced anew, here or in other repeated lots",
        "重新报价的企业家数不足，或其他重新招标标段的报价变动不足以比较",
    ),
)

BIDS = """
SELECT lot_id, count(*) AS bids FROM core.bids WHERE is_valid AND price > 0 GROUP BY lot_id
"""

#: Decimals of a change of the log price; what differs by less is the same: prices are rounded to the cent.
DIGITS = 6

Floats = NDArray[np.float64]


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every repeated lot with enough firms of the round before; the unit is the repeated lot."""
    rows: pd.DataFrame = engine.run(SQL).to_pandas()
    change = pd.Series(np.log(rows["price"] / rows["first_price"]), index=rows.index)
    alike = change.groupby([rows["lot_id"], change.round(DIGITS)]).transform("size")
    rows = rows.assign(change=change)[(change.round(DIGITS) != 0) & (alike == 1)]
    rows = rows[rows.groupby("lot_id")["lot_id"].transform("size") >= 2].reset_index(drop=True)
    by_lot = rows.groupby("lot_id")["change"]
    size = by_lot.transform("size")
    # The mean of few takes its part of each: made good, so that small and large lots move alike.
    moves = ((rows["change"] - by_lot.transform("mean")) * np.sqrt(size / (size - 1))).to_numpy()
    bids = engine.run(BIDS).to_pandas().set_index("lot_id")["bids"].to_dict()

    order = np.argsort(moves, kind="stable")
    found = []
    for lot, own in rows[size >= limits.min_firms].groupby("lot_id", sort=True):
        # In the order of their size: what is drawn does not depend on the order of lots and firms.
        others = moves[order[~np.isin(order, own.index)]]
        if len(others) < limits.min_reference_bids:
            continue
        first = np.log(own["first_price"].to_numpy())
        value = _rank_correlation(first, np.log(own["price"].to_numpy())[None, :])[0]
        head = own.iloc[0]
        found.append(
            {
                "unit": str(lot),
                "entities": SEPARATOR.join(sorted(own["bidder_id"])),
                "value": value,
                "p_value": _chance(first, value, others, str(lot), limits),
                "first_lot": head["first_lot"],
                "round_no": int(head["round_no"]),
                "firms": len(own),
                "newcomers": bids[str(lot)] - len(own),
                "gone": bids[head["first_lot"]] - len(own),
                "gap_share": float(np.median(np.diff(np.sort(first)))),
                "reference_bids": len(others),
            }
        )
    frame = pd.DataFrame(found, columns=list(_COLUMNS)).astype(_COLUMNS)
    return frame.assign(
        flagged=frame["p_value"] <= limits.max_p,
    )


def _chance(first: Floats, value: float, moves: Floats, seed: str, limits: Limits) -> float:
    """Return how often firms that move at random from their first prices keep as much of the order.

    What can no longer come down to the limit is not drawn to the end. A second run gives the same.
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    hits = drawn = 0
    for some in (limits.draws // 10, limits.draws - limits.draws // 10):
        again = first + moves[rng.integers(0, len(moves), (some, len(first)))]
        # Sums in another order may differ in the last digit.
        hits += int((_rank_correlation(first, again) >= value - 1e-9).sum())
        drawn += some
        if 1 + hits > limits.max_p * (1 + limits.draws):
            break
    return (1 + hits) / (1 + drawn)


def _rank_correlation(first: Floats, again: Floats) -> Floats:
    """Return Spearman's correlation of one first round with every second round, 0 where all first prices are equal.

    Args:
        first: prices of the first round, shape (firms,).
        again: prices of second rounds, in the same order of firms, shape (rounds, firms).
    """
    one = rankdata(first) - (len(first) + 1) / 2
    other = rankdata(again, axis=1) - (len(first) + 1) / 2
    size = np.sqrt((one**2).sum() * (other**2).sum(axis=1))
    correlation: Floats = np.divide(other @ one, size, out=np.zeros(len(again)), where=size > 0)
    return correlation


_COLUMNS = {
    "unit": "str",
    "entities": "str",
    "value": "float64",
    "p_value": "float64",
    "first_lot": "str",
    "round_no": "int64",
    "firms": "int64",
    "newcomers": "int64",
    "gone": "int64",
    "gap_share": "float64",
    "reference_bids": "int64",
}
