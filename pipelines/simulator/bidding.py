"""Honest prices: what a firm asks if it knows its own cost and the award rule, and nothing of its rivals.

Prices are shares of the ceiling price (`ask`) until `written` makes whole fen of them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipelines.simulator.population import Population

#: Rules with a benchmark: where honest bidders expect it (share of the ceiling), and how far they scatter.
EXPECTED = {
    "ceiling_mean_mix": (0.874, 0.010),
    "range_mean": (0.925, 0.011),
    "trimmed_mean": (0.935, 0.014),
    "trimmed_by_count": (0.935, 0.014),
    "drawn_factor": (0.94, 0.013),
    "drawn_discount": (0.94, 0.013),
}
SHOCK = 0.012  # standard deviation of the cost shock that a market shares in a period
LEAST_MARKUP = 0.01
BY_RATE_HABIT = 0.12  # of the lots: bidders first choose a discount of two decimals, then multiply
LOSS_TAKEN = 0.03  # an average-price bidder goes below its cost by this much at most
LOWEST, HIGHEST = 0.4, 0.9995


def common_facts(people: Population, period: int, lots: pd.DataFrame) -> pd.DataFrame:
    """Return the lots with what all bidders of a lot share.

    ``shock``: cost shock of the market; ``belief`` and ``spread``: where they expect the benchmark, as a
    share of the ceiling, and how far they scatter around it (NaN without one); ``thinks_in_rates``.
    """
    rng = people.streams.of("common facts", period)
    known = np.array([EXPECTED.get(name, (np.nan, np.nan)) for name in lots["rule"]])
    return lots.assign(
        shock=rng.normal(0, SHOCK, people.markets)[lots["market"]],
        belief=known[:, 0] + rng.normal(0, 0.35, len(lots)) * known[:, 1],
        spread=known[:, 1] * np.exp(rng.normal(0, 0.35, len(lots))),
        thinks_in_rates=lots["is_by_rate"].to_numpy() | (rng.random(len(lots)) < BY_RATE_HABIT),
    )


def priced(
    rng: np.random.Generator, lots: pd.DataFrame, bids: pd.DataFrame, count: np.ndarray
) -> pd.DataFrame:
    """Return the bids with ``cost_share`` and the honest ``ask``, both shares of the lot's ceiling price.

    ``count`` is the number of bids that each bidder expects. Where the lowest price or scores decide: cost
    and a markup that falls with the number of bidders, as in a first-price auction. Where a benchmark
    decides: the bidder's guess of it, but not far below its cost.
    """
    facts = lots[["cost_share", "shock", "scatter", "belief", "spread"]].to_numpy()[row_of(lots, bids)]
    share, shock, scatter, belief, spread = facts.T
    own = rng.normal(0, 1, len(bids)) * scatter
    cost = share * np.exp(shock + bids["relative_cost"].to_numpy() + own)
    first_price = cost * (1 + LEAST_MARKUP + 1.2 * scatter / np.sqrt(count))
    guess = np.maximum(belief + spread * rng.normal(0, 1, len(bids)), cost * (1 - LOSS_TAKEN))
    ask = np.where(np.isnan(guess), first_price, guess)
    # Nobody may ask more than the ceiling price; a bidder that would stays just below it.
    below = rng.exponential(0.006, len(bids)) + (1 - HIGHEST)
    ask = np.clip(np.where(ask > HIGHEST, 1 - below, ask), LOWEST, HIGHEST)
    return bids.assign(cost_share=cost, ask=ask)


def written(people: Population, lots: pd.DataFrame, bids: pd.DataFrame) -> pd.DataFrame:
    """Return the bids with ``price_fen``, ``cost_fen`` and ``discount`` (percent, where the lot is bid so).

    A price is the sum of a bill of quantities, to the fen; some firms round it, some like eights, and
    in some lots everybody starts from a discount of two decimals: honest ties come from there.
    """
    row = row_of(lots, bids)
    ceiling = lots["ceiling_fen"].to_numpy()[row]
    ask = bids["ask"].to_numpy()
    exact = np.round(ask * ceiling)
    habit, is_large = people.habit[bids["firm"]], exact > 5_000_000
    rounded = np.select(
        [habit == 1, (habit == 2) & is_large, (habit == 3) & is_large, (habit == 4) & is_large],
        [
            np.round(exact / 100) * 100,
            np.round(exact / 10_000) * 10_000,
            np.floor(exact / 100_000) * 100_000 + 88_800,
            np.round(exact / 100_000) * 100_000,
        ],
        exact,
    )
    discount = np.round((1 - ask) * 100, 2)
    by_rate = np.round((100 - discount) / 100 * ceiling)
    # A ring that works out its numbers together writes them as they are (`is_exact`).
    price = np.where(bids["is_exact"], exact, rounded)
    price = np.where(lots["thinks_in_rates"].to_numpy()[row] & ~bids["is_exact"], by_rate, price)
    return bids.assign(
        price_fen=np.minimum(price, ceiling).astype(np.int64),
        cost_fen=np.round(bids["cost_share"] * ceiling).astype(np.int64),
        discount=np.where(lots["is_by_rate"].to_numpy()[row], discount, np.nan),
    )


def put(frame: pd.DataFrame, places: np.ndarray, **columns: npt.ArrayLike) -> None:
    """Change columns of a frame at these places."""
    for name, values in columns.items():
        changed = frame[name].to_numpy(copy=True)
        changed[places] = values
        frame[name] = changed


def row_of(lots: pd.DataFrame, bids: pd.DataFrame) -> np.ndarray:
    """Return the place in ``lots`` of every bid's lot (lots of a period are numbered without gaps)."""
    return np.asarray(bids["lot"].to_numpy() - lots["lot"].iloc[0])
