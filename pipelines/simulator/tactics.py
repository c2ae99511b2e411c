"""What a ring does to a lot's prices, tactic by tactic.

Every tactic is a plan of asks (shares of the ceiling price) for the ring's seats; seat 0 is the firm that is
to win. `plan` gives the greedy plan of a ring that fears nobody, or one that its care moves towards
honest prices (`care.Care`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipelines.simulator.bidding import EXPECTED, HIGHEST

FIRST_PRICE = ("lowest", "comprehensive", "price_share")
MEANS = ("trimmed_mean", "trimmed_by_count", "drawn_factor", "drawn_discount")


@dataclass(frozen=True)
class Tactic:
    """A way to rig a lot.

    ``rules`` it pays under; ``sizes`` fewest, usual and most members; ``seats`` the least number of them in a
    rigged lot and the share of the lot's bids they take; ``outsiders`` the least number of others.
    """

    key: str
    title_zh: str
    rules: tuple[str, ...]
    sizes: tuple[int, int, int]
    seats: tuple[int, float]
    outsiders: int
    role: str


TACTICS = (
    Tactic("cover_bids", "陪标", FIRST_PRICE, (3, 5, 10), (2, 0.95), 0, "cover"),
    Tactic("rotation", "轮流坐庄", FIRST_PRICE, (3, 5, 8), (3, 0.95), 0, "cover"),
    Tactic("market_split", "划分市场", FIRST_PRICE, (2, 4, 8), (1, 0.0), 2, "cover"),
    Tactic(
        "ladder",
        "报价梯度",
        ("ceiling_mean_mix", "drawn_factor", "drawn_discount"),
        (5, 7, 20),
        (5, 0.6),
        1,
        "ladder",
    ),
    Tactic("mean_shift", "拉抬均价", MEANS, (5, 7, 20), (5, 0.6), 1, "cluster"),
    Tactic("support_bids", "支撑报价", (*MEANS, "range_mean"), (3, 4, 8), (3, 0.35), 4, "support"),
    Tactic("losers_for_hire", "陪标专业户", FIRST_PRICE, (3, 4, 12), (2, 0.5), 2, "loser_for_hire"),
    Tactic("vertical", "招标方勾结", FIRST_PRICE, (2, 2, 5), (1, 0.3), 2, "cover"),
    Tactic("late_just_below", "泄露后压线", ("lowest",), (2, 2, 3), (1, 0.0), 3, "cover"),
    Tactic("payback", "分包补偿", ("lowest", "comprehensive"), (3, 5, 8), (2, 0.9), 0, "cover"),
    # A ring that does nothing: the machinery alone must leave no trace.
    Tactic("none", "对照", (*FIRST_PRICE, *EXPECTED), (5, 8, 12), (2, 0.0), 0, "honest"),
)
KEYS = tuple(tactic.key for tactic in TACTICS)


def plan(tactic: str, rng: np.random.Generator, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """Return the ask of every seat of lots that are rigged by this tactic.

    ``seats``: one row a seat, with ``place`` (0 the designated winner), ``seats`` (how many the ring has in
    the lot), the honest ``ask``, ``lot_row``, ``rule``, ``scatter``, ``belief`` and ``spread`` of the lot,
    ``outside`` (number of the others) and ``lowest_outside`` (their lowest ask, NaN where there is none).
    ``care``, one a seat: 0 the greedy plan, 1 prices that look like honest ones; the same random numbers are
    drawn for any care, so that two plans of one generator state can be compared. Shares of the ceiling price.
    """
    return _PLANS[tactic](_PerLot(rng, seats["lot_row"].to_numpy()), seats, care)


class _PerLot:
    """Random numbers that all seats of a lot share (`lot`), or that every seat has for itself (`own`)."""

    def __init__(self, rng: np.random.Generator, row: np.ndarray) -> None:
        self.rng = rng
        self.lots, self.place = np.unique(row, return_inverse=True)

    def lot(self, low: float, high: float) -> np.ndarray:
        return np.asarray(self.rng.uniform(low, high, len(self.lots))[self.place])

    def own(self, low: float, high: float) -> np.ndarray:
        return np.asarray(self.rng.uniform(low, high, len(self.place)))

    def normal(self) -> np.ndarray:
        return np.asarray(self.rng.normal(0, 1, len(self.place)))

    def below_ceiling(self, asks: np.ndarray) -> np.ndarray:
        """Return the asks; those above the ceiling price move to somewhere just below it."""
        return np.asarray(np.where(asks > HIGHEST, HIGHEST - self.own(0, 0.012), asks))

    def of_first(self, seats: pd.DataFrame, values: np.ndarray) -> np.ndarray:
        """Return for every seat the value of its lot's seat 0."""
        first = seats["place"].eq(0).to_numpy()
        held = np.empty(len(self.lots))
        held[self.place[first]] = values[first]
        return np.asarray(held[self.place])


def _covers(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """The winner asks more, far more where it has no rivals; the others stand close together a step above it.

    With care the winner asks less, and the others scatter above it as honest losers do.
    """
    has_rivals = seats["outside"].to_numpy() > 0
    uplift = np.where(has_rivals, draw.lot(-0.02, 0.01), draw.lot(0.04, 0.10)) * (1 - care)
    step, jitter = draw.lot(0.012, 0.028), draw.own(0, 0.008)
    above = (1 - care) * (step + jitter) + care * (
        0.003 + np.abs(draw.normal()) * 1.4 * seats["scatter"].to_numpy()
    )
    honest = draw.of_first(seats, seats["ask"].to_numpy())
    winner = np.minimum(honest * (1 + uplift), (HIGHEST - 0.001) / (1 + step + 0.008))
    return np.where(seats["place"] == 0, winner, draw.below_ceiling(winner * (1 + above)))


def _alone(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """The others stay away, and the firm to which the buyer belongs asks a little more."""
    return np.asarray(np.minimum(seats["ask"].to_numpy() * (1 + draw.lot(0.0, 0.02) * (1 - care)), 0.992))


def _ladder(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """Even steps over the range in which the drawn benchmark can fall; with care uneven ones."""
    is_mix = seats["rule"].eq("ceiling_mean_mix").to_numpy()
    middle = np.where(is_mix, 0.876, seats["belief"])
    half = np.where(is_mix, 0.018, 0.020) * draw.lot(0.9, 1.1)
    step = 2 * half / np.maximum(seats["seats"].to_numpy() - 1, 1)
    return np.asarray(middle - half + step * (seats["place"].to_numpy() + care * 0.8 * draw.normal()))


def _cluster(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """Most members press the mean up from one spot; the winner waits where the mean will be."""
    belief, spread = seats["belief"].to_numpy(), seats["spread"].to_numpy()
    spot = belief + spread * draw.lot(1.2, 2.0) * (1 - care)
    around = draw.own(-0.0008, 0.0008) + care * spread * draw.normal()
    winner = belief + 0.55 * (spot - belief) + care * spread * 0.3 * draw.normal()
    return np.asarray(np.where(seats["place"] == 0, winner, draw.below_ceiling(spot + around)))


def _supports(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """A few members bid far out on one side, so that the mean moves towards the winner."""
    side = np.where(draw.lot(0, 1) < 0.7, 1.0, -1.0)
    belief, spread = seats["belief"].to_numpy(), seats["spread"].to_numpy()
    far = spread * draw.lot(2.8, 3.8) * (1 - 0.7 * care)
    around = draw.own(-0.002, 0.002) + care * spread * draw.normal()
    support = draw.below_ceiling(np.maximum(belief + side * far + around, 0.6))
    return np.asarray(np.where(seats["place"] == 0, belief + side * spread * 0.5 * (1 - care), support))


def _losers(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """The hired losers stay well above the firm that pays them."""
    above = (1 - care) * draw.own(0.03, 0.08) + care * np.abs(draw.normal()) * seats["scatter"].to_numpy()
    client = seats["lowest_outside"].fillna(seats["ask"]).to_numpy()
    return np.asarray(np.minimum(client * (1.001 + above), HIGHEST - draw.own(0, 0.004)))


def _vertical(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """The buyer's own firm fears nobody and asks close to the ceiling price; its helpers stand a step above it."""
    honest = draw.of_first(seats, seats["ask"].to_numpy())
    winner = np.minimum(honest * (1 + draw.lot(0.03, 0.08) * (1 - care)), 0.985)
    above = draw.own(0.004, 0.012) + care * np.abs(draw.normal()) * seats["scatter"].to_numpy()
    return np.where(seats["place"] == 0, winner, draw.below_ceiling(winner * (1 + above)))


def _late(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    """The firm knows its rivals' prices and asks just below the lowest; with care it leaves a wider gap."""
    below = draw.lot(0.0008, 0.005) + care * draw.lot(0.005, 0.03)
    return np.asarray(seats["lowest_outside"].fillna(seats["ask"]).to_numpy() * (1 - below))


def _honest(draw: _PerLot, seats: pd.DataFrame, care: np.ndarray) -> np.ndarray:
    return seats["ask"].to_numpy()


_PLANS = {
    "cover_bids": _covers,
    "rotation": _covers,
    "market_split": _alone,
    "ladder": _ladder,
    "mean_shift": _cluster,
    "support_bids": _supports,
    "losers_for_hire": _losers,
    "vertical": _vertical,
    "late_just_below": _late,
    "payback": _covers,
    "none": _honest,
}
