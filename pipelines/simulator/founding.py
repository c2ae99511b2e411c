"""How rings are founded: their tactic and care, their market, members and life, and how many lots they want."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from pipelines.simulator.care import FAINT_EVIDENCE, PLAIN_EVIDENCE, Care
from pipelines.simulator.market import HISTORY_DAYS, OTHER_TRADE, Market, apart
from pipelines.simulator.population import LOTS_OF_A_COUNTY, OFFICES, SMALL_COUNTY
from pipelines.simulator.segments import NICHE, SEGMENTS
from pipelines.simulator.tactics import FIRST_PRICE, KEYS, TACTICS, Tactic

MOST_MEMBERS = 20
RINGS_OF_A_LOT = 0.003
LOTS_OF_A_RING = 28.0  # middle number of lots that a ring rigs in its life
NEAR_TRADE = 0.35  # how far a lot may lie from the ring's own trade, on the circle of trades

COLUMNS = (
    "ring",
    "tactic",
    "care",
    "market",
    "region",
    "is_regional",
    "size",
    "trade",
    "buyer",
    "start",
    "end",
    "honest_share",
    "forgone_share",
    "leak_share",
    "evidence",
)


def founded(market: Market, count: int, care: Sequence[Care]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the rings of a county and their members.

    Args:
        market: the honest market of the county.
        count: number of rings; they take the tactics in turn.
        care: the levels that they have, in turn.

    Returns:
        One row per ring with `COLUMNS` and ``rate`` (share of the lots open to it that it rigs); firms of shape
        (rings, `MOST_MEMBERS`), -1 beyond the ring's size.
    """
    founder = _Founder(market, market.population.streams.of("rings"))
    members = np.full((count, MOST_MEMBERS), -1, np.int64)
    rows = []
    for ring in range(count):
        tactic = TACTICS[ring % len(TACTICS)]
        level = care[(ring + 2 + ring // len(TACTICS)) % len(care)]
        row, firms = founder.ring(tactic, level)
        members[ring, : len(firms)] = firms
        rows.append({"ring": ring, **row})
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["rate"] = [founder.rate(row) for _, row in table.iterrows()]
    return table, members


def reach(market: Market) -> float:
    """Return how far from its own trade a ring goes; in a small county it takes all trades."""
    return NEAR_TRADE if market.population.lots >= SMALL_COUNTY else 0.5


@dataclass
class _Founder:
    """Draws one ring after the other; no firm is in two rings where there are enough firms."""

    market: Market
    rng: np.random.Generator
    used: set[int] = field(default_factory=set)
    deck: list[str] = field(default_factory=list)

    def ring(self, tactic: Tactic, care: Care) -> tuple[dict[str, object], np.ndarray]:
        """Return the facts of a ring, and its firms."""
        people, rng = self.market.population, self.rng
        market = self._home(tactic)
        trade, firms = self._members(tactic, market)
        life = float(np.clip(np.exp(rng.normal(np.log(400), 0.5)), 120, 720))
        spare = max(HISTORY_DAYS - life, 1)
        # In a small county rings live until the end, because bidding is electronic only then.
        start = self.market.first_day + spare * (
            rng.uniform(0, 1) if people.lots >= SMALL_COUNTY else rng.uniform(0.9, 1)
        )
        region = market // len(SEGMENTS)
        buyer = region * len(OFFICES) + int(rng.integers(0, 4))
        return {
            "tactic": tactic.key,
            "care": care.level,
            "market": market,
            "region": region,
            "is_regional": tactic.rules[0] not in FIRST_PRICE,
            "size": len(firms),
            "trade": trade,
            "buyer": buyer if tactic.key == "vertical" else -1,
            "start": int(start),
            "end": int(start + life),
            "honest_share": care.honest_share[tactic.key],
            "forgone_share": care.forgone_share[tactic.key],
            "leak_share": care.leak_share,
            "evidence": self._evidence(tactic, care),
        }, firms

    def _home(self, tactic: Tactic) -> int:
        """Return the market in which a ring lives: a region and a segment with fitting award rules."""
        people = self.market.population
        share = np.array([s.share * sum(w for rule, w in s.rules if rule in tactic.rules) for s in SEGMENTS])
        share[NICHE] = 0
        segment = self.rng.choice(len(SEGMENTS), p=share / share.sum())
        return int(self.rng.integers(0, len(people.regions)) * len(SEGMENTS) + segment)

    def _members(self, tactic: Tactic, market: int) -> tuple[float, np.ndarray]:
        """Return the trade of a ring and its firms.

        A ring is made of firms that bid often, do the same kind of work and would meet anyway; losers for hire are
        shells that hardly bid by themselves.
        """
        people, rng = self.market.population, self.rng
        fewest, usual, most = tactic.sizes
        size = int(np.clip(np.round(np.exp(rng.normal(np.log(usual), 0.35))), fewest, most))
        local = people.first_of[market] + np.arange(people.count_of[market])
        fit = local[(people.level[local] <= 2) & (people.banned[local, 0] == 0) & (people.owner[local] < 0)]
        free = fit[~np.isin(fit, list(self.used))]
        fit = free if len(free) >= fewest else fit
        trade = rng.uniform(0, 1)
        far = OTHER_TRADE * apart(people.trade[fit], trade) ** 2
        is_shell = tactic.key == "losers_for_hire"
        liking = -4 * people.activity[fit] - 0.05 * far if is_shell else people.activity[fit] - far
        chance = np.exp(liking - liking.max())
        members = rng.choice(fit, min(size, len(fit)), replace=False, p=chance / chance.sum())
        self.used.update(members.tolist())
        return trade, members

    def _evidence(self, tactic: Tactic, care: Care) -> list[str]:
        """Deal a ring its kinds of evidence, from a deck of all kinds, so that each kind occurs."""
        if tactic.key == "none":
            return []
        plain: list[str] = []
        while len(plain) < care.plain_evidence * (tactic.seats[0] > 1):  # one seat leaves no common trace
            if not self.deck:
                self.deck = [str(kind) for kind in self.rng.permutation(PLAIN_EVIDENCE)]
            kind = self.deck.pop()
            plain += [kind] * (kind not in plain)
        faint = self.rng.choice(FAINT_EVIDENCE, care.faint_evidence, replace=False)
        return plain + [str(kind) for kind in faint]

    def rate(self, ring: pd.Series) -> float:
        """Return the share of the lots open to it that a ring rigs, so that it gets its number of lots."""
        if ring.tactic == "none":
            return 1.0  # every lot in which two of its members happen to meet
        people = self.market.population
        tactic = TACTICS[KEYS.index(ring.tactic)]
        chosen = SEGMENTS[:5] if ring.is_regional else [SEGMENTS[ring.market % len(SEGMENTS)]]
        share = sum(s.share * sum(w for rule, w in s.rules if rule in tactic.rules) for s in chosen)
        fitting = people.lots / len(people.regions) * share * (ring.end - ring.start) / HISTORY_DAYS
        # A buyer's ring gets only its buyer's lots, a ring of one trade its part of the circle of trades.
        fitting *= 0.2 if ring.buyer >= 0 else 1.0 if ring.is_regional else 2 * reach(self.market)
        wanted = np.clip(np.exp(self.rng.normal(np.log(LOTS_OF_A_RING), 0.5)), 8, 90)
        wanted *= min(1.0, people.lots / LOTS_OF_A_COUNTY + 0.05)  # a small county has few lots for a ring
        return float(min(0.85, max(wanted, 3.5) / max(fitting, 1e-9)))
