"""The opening: coefficient draw, benchmark, scores, winner; then notice, contract and subcontract.

Benchmark and scores come from `detectors.kernels.rules.award_rules`, which the detectors also use: they are facts
of the tender document, not of the simulation.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from detectors.kernels.rules import award_rules, opening_draws
from detectors.kernels.rules.award_rules import AwardRule
from pipelines.reference import Reference
from pipelines.simulator.bidding import put, row_of
from pipelines.simulator.market import DAY
from pipelines.simulator.population import EXPERTS_OF_A_COUNTY, FIRST_EXPERT, Population
from pipelines.simulator.segments import SEGMENTS

BANDS = (16, 128, 2048)  # upper limits: lots with similar numbers of bids are computed together
REJECTED_SHARE = 0.015  # of honest bids
REJECTED_BY_FRIENDS = 0.85  # of the outsiders where the buyer helps the ring
FRIENDS_BONUS = 0.06  # of the other points
REASONS = np.array(
    ["资格条件不符合要求", "未响应工期要求", "投标文件未按要求签章", "业绩证明材料不全"], dtype=object
)
SUBCONTRACT_SHARE = 0.08  # of honest works
FEWEST_BIDS = 3  # 招标投标法 article 28, 条例 article 44


@cache
def rules() -> dict[str, AwardRule]:
    """Return the award rules by id."""
    return award_rules.rules(Reference().tables("award_rules.toml"))


def opened(
    people: Population, period: int, lots: pd.DataFrame, bids: pd.DataFrame, chosen: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return lots and bids with everything that the openings of a period brought.

    Lots get draws, balls, benchmark_fen, is_failed, winner, winner_fen; bids get price_score, other_score,
    score, rank, veto.
    """
    rng = people.streams.of("opening", period)
    row = row_of(lots, bids)
    count = np.bincount(row, minlength=len(lots))
    lots = lots.assign(is_failed=count < FEWEST_BIDS, draws=None, balls=None, benchmark_fen=np.nan)
    bids = bids.assign(
        veto=_rejections(rng, lots, bids, chosen), price_score=np.nan, other_score=np.nan, rank=0
    )
    # Luck is drawn here for all bids at once, so that no lot's luck depends on another lot's rule.
    luck = rng.normal(0, 1, len(bids))
    friend = chosen[chosen["tactic"].eq("vertical") & ~chosen["is_forgone"]]
    bonus_of = np.zeros(len(lots))
    bonus_of[friend["lot_row"]] = FRIENDS_BONUS * (1 - friend["honest_share"])
    bonus = np.where(bids["seat"].eq(0), bonus_of[row], 0)
    inside = np.arange(len(bids)) - np.r_[0, np.cumsum(count)][row]
    for rule in rules().values():
        is_of_rule = (lots["rule"] == rule.id).to_numpy() & ~lots["is_failed"].to_numpy()
        for least, most in zip((0, *BANDS[:-1]), BANDS, strict=True):
            here = np.flatnonzero(is_of_rule & (count > least) & (count <= most))
            if not len(here):
                continue
            place_of = np.full(len(lots), -1)
            place_of[here] = np.arange(len(here))
            mine = np.flatnonzero(place_of[row] >= 0)
            lot, column = place_of[row[mine]], inside[mine]
            prices = np.full((len(here), count[here].max()), np.nan)
            valid = bids["veto"].isna().to_numpy()[mine]
            prices[lot[valid], column[valid]] = bids["price_fen"].to_numpy()[mine][valid]
            other = np.full(prices.shape, 0.0)
            other[lot, column] = _other_scores(people, rule, bids.iloc[mine], luck[mine], bonus[mine])
            ceilings = lots["ceiling_fen"].to_numpy(dtype=float)[here]
            draws = opening_draws.draw(rule, rng, award_rules.counted_bids(rule, prices, ceilings))
            benchmarks = award_rules.benchmark(rule, prices, ceilings, draws)
            scores = award_rules.price_scores(rule, prices, ceilings, benchmarks)
            ranks = award_rules.ranks(rule, prices, scores, other)
            put(
                lots,
                here,
                draws=opening_draws.written(draws).to_numpy(zero_copy_only=False),
                benchmark_fen=benchmarks,
            )
            put(bids, mine, rank=ranks[lot, column])
            if rule.scoring:
                put(
                    bids,
                    mine,
                    price_score=scores[lot, column],
                    other_score=np.where(valid, other[lot, column], np.nan),
                )
    # Where the rule can score no price (range_mean without a bid in range), nobody wins and the lot fails.
    ranked = np.bincount(row, weights=bids["rank"].eq(1), minlength=len(lots)) > 0
    lots["is_failed"] |= ~ranked
    lots["balls"] = _balls(lots)
    bids["score"] = np.round(bids["price_score"] + bids["other_score"], 2)
    won = bids["rank"].eq(1).to_numpy()
    lots["winner"], lots["winner_fen"] = -1, 0
    put(lots, row[won], winner=bids["firm"].to_numpy()[won], winner_fen=bids["price_fen"].to_numpy()[won])
    return lots, bids


def _rejections(
    rng: np.random.Generator, lots: pd.DataFrame, bids: pd.DataFrame, chosen: pd.DataFrame
) -> np.ndarray:
    """Return why each bid was rejected, None where it was not; no lot loses its only bid."""
    row = row_of(lots, bids)
    vertical = chosen["tactic"].eq("vertical") & ~chosen["is_forgone"]
    honest_share = pd.Series(chosen.loc[vertical, "honest_share"].to_numpy(), chosen.loc[vertical, "lot_row"])
    share = np.full(len(lots), REJECTED_SHARE)
    share[honest_share.index] = REJECTED_BY_FRIENDS * (1 - honest_share) + REJECTED_SHARE
    rejected = (rng.random(len(bids)) < share[row]) & bids["seat"].eq(-1).to_numpy()
    left = np.bincount(row, weights=~rejected, minlength=len(lots))
    rejected &= left[row] > 0
    reason = REASONS[rng.integers(0, len(REASONS), len(bids))]
    reason[~rejected] = None
    return reason


def _other_scores(
    people: Population, rule: AwardRule, bids: pd.DataFrame, luck: np.ndarray, bonus: np.ndarray
) -> np.ndarray:
    """Return the points for all but the price: mostly the firm, a little the committee."""
    spread = 0.045 if rule.family == "comprehensive_score" else 0.006
    quality = people.quality[bids["firm"]]
    share = 0.86 + spread * (0.8 * quality + 0.6 * luck) + bonus
    return np.asarray(np.round(np.clip(share, 0.3, 1) * rule.other_points, 2))


def _balls(lots: pd.DataFrame) -> np.ndarray:
    """Return the list of the balls that lay in the drum, where something was drawn."""
    written = {
        rule.id: "；".join(
            f"{letter}:{','.join(f'{v:g}' for v in values)}" for letter, values in rule.drawn.items()
        )
        for rule in rules().values()
    }
    drawn = lots["rule"].map(written).to_numpy(dtype=object)
    drawn[lots["draws"].isna()] = None
    return drawn


def after_award(
    people: Population, period: int, lots: pd.DataFrame, bids: pd.DataFrame, chosen: pd.DataFrame
) -> pd.DataFrame:
    """Return the lots with notice, contract and subcontract (times in local seconds, -1 none)."""
    rng = people.streams.of("after the award", period)
    count = len(lots)
    shown = (lots["opening"].to_numpy() // DAY + rng.integers(4, 8, count)) * DAY + 16 * 3600
    is_late = rng.random(count) < 0.03
    signed = (
        shown + np.where(is_late, rng.integers(31, 60, count), rng.integers(8, 28, count)) * DAY - 5 * 3600
    )
    changed = np.where(rng.random(count) < 0.02, rng.uniform(0.96, 1.0, count), 1.0)
    won = lots["winner"].to_numpy() >= 0
    lots = lots.assign(
        shown=np.where(won, shown, -1),
        signed=np.where(won, signed, -1),
        contract_fen=np.round(lots["winner_fen"] * changed).astype(np.int64),
    )
    # An honest subcontractor is a firm of the market that did not bid for the lot.
    market = lots["market"].to_numpy()
    firm = people.first_of[market] + rng.integers(0, people.count_of[market])
    came = np.isin(
        lots["lot"].to_numpy() * np.int64(people.count) + firm,
        bids["lot"].to_numpy(dtype=np.int64) * people.count + bids["firm"].to_numpy(),
    )
    is_works = np.isin(lots["segment"], [i for i, s in enumerate(SEGMENTS) if s.class_code in ("A08", "A09")])
    lets = won & is_works & (rng.random(count) < SUBCONTRACT_SHARE) & ~came
    part = rng.uniform(0.05, 0.3, count)
    paid = chosen[chosen["tactic"].eq("payback") & ~chosen["is_forgone"]]
    lets[paid["lot_row"]] = False
    back = _paid_back(rng, lots, bids, paid)
    firm[back["lot_row"]], lets[back["lot_row"]] = back["firm"], True
    part[back["lot_row"]] = rng.uniform(0.2, 0.4, len(back))
    return lots.assign(
        subcontractor=np.where(lets, firm, -1),
        subcontract_fen=np.where(lets, np.round(lots["winner_fen"] * part, -4), 0).astype(np.int64),
        subcontracted=np.where(lets, lots["signed"] + rng.integers(15, 60, count) * DAY, -1),
    )


def _paid_back(
    rng: np.random.Generator, lots: pd.DataFrame, bids: pd.DataFrame, paid: pd.DataFrame
) -> pd.DataFrame:
    """Return lot_row and firm where the ring won and the contract pays one of its losers; care makes it rarer."""
    seats = bids[bids["seat"].ge(0)].assign(lot_row=row_of(lots, bids)[bids["seat"].ge(0)])
    seats = seats.merge(paid[["lot_row", "honest_share"]], on="lot_row")
    winner = lots["winner"].to_numpy()[seats["lot_row"]]
    ring_won = (
        pd.Series(seats["firm"].to_numpy() == winner).groupby(seats["lot_row"].to_numpy()).transform("any")
    )
    losers = seats[ring_won.to_numpy() & (seats["firm"].to_numpy() != winner)]
    losers = losers.drop_duplicates("lot_row")
    paid_back: pd.DataFrame = losers[rng.random(len(losers)) < 0.9 * (1 - losers["honest_share"])]
    return paid_back


def seats_of_experts(people: Population, period: int, lots: pd.DataFrame) -> pd.DataFrame:
    """Return one row a seat on the committees: 3 experts for small lots, 5 for others, drawn without repetition."""
    rng = people.streams.of("experts", period)
    size = np.where(lots["ceiling_fen"] < 400_000_000, 3, 5)
    size = np.where(lots["is_failed"], 0, size)
    rows = np.repeat(np.arange(len(lots)), size)
    inside = np.arange(len(rows)) - np.repeat(np.cumsum(size) - size, size)
    start = rng.integers(0, EXPERTS_OF_A_COUNTY, len(lots))
    step = rng.choice([7, 11, 13, 17, 19, 23, 29, 31], len(lots))  # coprime to the number of experts
    county = lots["market"].to_numpy() // len(SEGMENTS)
    expert = (
        FIRST_EXPERT
        + county[rows] * EXPERTS_OF_A_COUNTY
        + (start[rows] + inside * step[rows]) % EXPERTS_OF_A_COUNTY
    )
    return pd.DataFrame(
        {"lot": lots["lot"].to_numpy()[rows], "expert": expert, "seat": inside + 1, "is_chair": inside == 0}
    )
