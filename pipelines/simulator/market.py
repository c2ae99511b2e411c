"""The honest market: which lots there are, and which firms bid for them.

Firms enter where they expect profit. With bids that scatter around costs, the chance to win falls
about exponentially in a firm's cost disadvantage, so the logarithm of its expected profit is linear in
its cost: efficiency, distance to the site, work in hand. Size, qualification and eagerness to bid add to it,
and a Gumbel number makes the choice random (McFadden's logit). How many enter is drawn for each lot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipelines.simulator.bidding import row_of
from pipelines.simulator.population import AGENCIES_OF_A_COUNTY, OFFICES, Population
from pipelines.simulator.segments import NICHE, SEGMENTS

DAY = 86_400
HISTORY_DAYS = 730
FUTURE_DAYS = 21  # lots whose bids are still secret on the last night
LOTS_OF_A_PERIOD = 8_000
PERIODS = 24  # at least: work in hand is brought up to date once a period
TIMES_OF_DAY = np.array([9.0, 9.5, 10.0, 14.5, 15.0, 15.5]) * 3600

DISTANCE_COST = 0.03  # of the cost, a county's width away
WORK_COST = 0.04  # of the cost, when a firm's work in hand fills its capacity
WORK_DAYS = 180  # mean time in which a contract is worked off
NEED_OF_PROFIT = 0.06  # cost disadvantage that lowers the log of the odds to enter by one
KEEPS_A_BAN = 0.8  # share of banned firms that keep away from a lot they would have bid for
OTHER_TRADE = 650.0  # how fast interest falls with the squared distance between a firm's trade and a lot's
JOINT_VENTURE_SHARE = 0.06  # of the bids on lots above JOINT_VENTURE_FROM_CNY
JOINT_VENTURE_FROM_CNY = 2e7
SEVERAL_SECTIONS_SHARE = 0.12  # of tenders that are cut into two or three lots
HAND_KEPT_SHARE = 0.01  # of works lots that are known only from an opening sheet
BY_RATE_SHARE = 0.02  # of lots that are bid as discounts


@dataclass
class Market:
    """The lots of a county and who enters them, period by period (`periods`)."""

    population: Population
    last_night: date
    work_cny: np.ndarray = field(init=False)
    failed: list[pd.DataFrame] = field(default_factory=list)
    failed_bids: list[pd.DataFrame] = field(default_factory=list)
    _tenders: int = 0

    def __post_init__(self) -> None:
        self.work_cny = np.zeros(self.population.count)
        days = (self.last_night - date(1970, 1, 1)).days
        self.first_day, self.last_day = days - HISTORY_DAYS, days + FUTURE_DAYS
        count = max(PERIODS, -(-self.population.lots // LOTS_OF_A_PERIOD))
        self.edges = np.linspace(self.first_day, self.last_day, count + 1)

    def periods(self) -> range:
        """Return the numbers of the periods."""
        return range(len(self.edges) - 1)

    # --- lots ---------------------------------------------------------------------------------

    def lots(self, period: int) -> pd.DataFrame:
        """Return the lots opened in a period, by opening time; one row a lot.

        Numbers run on from period to period. The total over all periods is ``population.lots``: a lot
        tendered again takes the place of a new one.
        """
        total, periods = self.population.lots, len(self.edges) - 1
        first, end = total * period // periods, total * (period + 1) // periods
        again = self._tendered_again(period)[: end - first]
        new = self._new_lots(period, end - first - len(again))
        lots = pd.concat([again, new], ignore_index=True)
        lots = lots.sort_values(["opening", "tender", "section"], kind="stable", ignore_index=True)
        lots.insert(0, "lot", np.arange(first, end))
        return lots

    def _new_lots(self, period: int, count: int) -> pd.DataFrame:
        rng = self.population.streams.of("lots", period)
        segment = rng.choice(len(SEGMENTS), count, p=[s.share for s in SEGMENTS])
        region = rng.integers(0, len(self.population.regions), count)
        day = rng.uniform(self.edges[period], self.edges[period + 1], count).astype(int)
        day = _working_day(day)
        # The first of a tender's sections decides for all: trade, place, day, buyer and rule.
        is_section = np.zeros(count, bool)
        starts = rng.random(count) < SEVERAL_SECTIONS_SHARE
        is_section[1:] = starts[:-1]
        is_section[2:] |= starts[:-2] & (rng.random(max(count - 2, 0)) < 0.4)
        place = np.maximum.accumulate(np.where(is_section, 0, np.arange(count)))
        made = pd.DataFrame(
            {
                "market": region[place] * len(SEGMENTS) + segment[place],
                "segment": segment[place],
                "opening": (day[place] * DAY + rng.choice(TIMES_OF_DAY, count)[place]).astype(np.int64),
                "tender": self._tenders + np.cumsum(~is_section) - 1,
                "section": np.arange(count) - place + 1,
                "attempt": 1,
                "buyer": region[place] * len(OFFICES) + _skewed(rng, len(OFFICES), count)[place],
                "agency": region[place] * AGENCIES_OF_A_COUNTY
                + _skewed(rng, AGENCIES_OF_A_COUNTY, count)[place],
            }
        )
        self._tenders += int((~is_section).sum())
        size = np.array([s.log_size for s in SEGMENTS])[made["segment"]]
        made["ceiling_fen"] = np.round(10 ** rng.normal(size[:, 0], size[:, 1]) * 100).astype(np.int64)
        rules = np.empty(count, object)
        drawn = rng.random(count)
        for number, segment_of in enumerate(SEGMENTS):
            here = np.flatnonzero(segment[place] == number)
            names, shares = zip(*segment_of.rules, strict=True)
            rules[here] = np.array(names, object)[np.searchsorted(np.cumsum(shares)[:-1], drawn[place][here])]
        made["rule"] = rules
        made["site_x"], made["site_y"] = rng.uniform(0, 1, count)[place], rng.uniform(0, 1, count)[place]
        made["trade"] = rng.uniform(0, 1, count)[place]
        made["cost_share"] = rng.uniform(0.82, 0.93, count)  # the middle firm's cost / ceiling price
        made["scatter"] = np.exp(rng.normal(np.log(0.031), 0.85, count))  # between firms' own costs
        made["bids"] = self._bids_of(rng, made)
        made["is_by_rate"] = rng.random(count) < BY_RATE_SHARE
        made["is_hand_kept"] = (
            (rng.random(count) < HAND_KEPT_SHARE) & (made["bids"] <= 12) & (made["section"] == 1)
        )
        made["is_hand_kept"] &= ~np.isin(made["segment"], _PURCHASES) & ~pd.Series(starts)
        return made

    def _bids_of(self, rng: np.random.Generator, lots: pd.DataFrame) -> np.ndarray:
        """Draw how many bids each lot gets: a few, or very many where an average attracts them."""
        count = len(lots)
        middle = np.array([s.bidders for s in SEGMENTS])[lots["segment"]] - 3
        few = 3 + rng.poisson(middle * rng.gamma(4, 0.25, count))
        few = np.where(rng.random(count) < 0.03, rng.integers(1, 3, count), few)
        open_share = np.array([s.open_share for s in SEGMENTS])[lots["segment"]]
        # An average or a drawn benchmark makes the bid a lottery ticket: far more firms take one.
        open_share = open_share * np.where(
            lots["rule"].isin(("lowest", "comprehensive", "price_share")), 0.4, 4.0
        )
        many = np.exp(rng.normal(np.log(18), 1.15, count)).astype(int) + 3
        bids = np.where(rng.random(count) < open_share, many, few)
        return np.minimum(bids, self.population.largest_opening)

    def _tendered_again(self, period: int) -> pd.DataFrame:
        """Return the failed lots whose second attempt opens in this period."""
        if not self.failed:
            return pd.DataFrame()
        waiting = pd.concat(self.failed, ignore_index=True)
        due = waiting["again"] < self.edges[period + 1] * DAY
        self.failed = [waiting[~due]]
        made: pd.DataFrame = waiting[due].drop(columns="again").reset_index(drop=True)
        day = np.maximum(waiting.loc[due, "again"].to_numpy() // DAY, int(self.edges[period]))
        made["opening"] = _working_day(day) * DAY + made["opening"] % DAY
        made["attempt"] = 2
        made["section"] += 100
        rng = self.population.streams.of("again", period)
        made["bids"] = 3 + rng.poisson(1, len(made))
        made["first_lot"] = made.pop("lot")
        return made

    def remember_failed(self, lots: pd.DataFrame, bids: pd.DataFrame) -> None:
        """Keep the failed first attempts of a period, and who bid in them."""
        failed = lots[lots["is_failed"] & lots["attempt"].eq(1)]
        kept = [c for c in _OF_NEW_LOTS if c in failed]
        again = failed[kept].assign(again=failed["opening"] + 38 * DAY)
        self.failed.append(again)
        self.failed_bids.append(bids.loc[bids["lot"].isin(failed["lot"]), ["lot", "firm"]])
        # Later periods ask only for lots that still wait for their second attempt.
        waiting = pd.concat(self.failed)["lot"]
        before = pd.concat(self.failed_bids, ignore_index=True)
        self.failed_bids = [before[before["lot"].isin(waiting)]]

    # --- who enters ---------------------------------------------------------------------------

    def entrants(self, period: int, lots: pd.DataFrame) -> pd.DataFrame:
        """Return lot, firm and relative cost of every entrant; one row a bid, by lot and firm.

        ``relative_cost`` is the log of the firm's expected cost against the middle firm's at the site.
        """
        people, rng = self.population, self.population.streams.of("entry", period)
        market = lots["market"].to_numpy()
        widest = int(people.count_of[market].max())
        firm = people.first_of[market][:, None] + np.arange(widest)
        firm = np.minimum(firm, people.locals - 1)
        cost = self.relative_cost(firm, lots)
        utility = people.activity[firm] - cost / NEED_OF_PROFIT
        ceiling = lots["ceiling_fen"].to_numpy()[:, None] / 100
        utility -= 0.5 * (np.log10(ceiling / people.capacity_cny[firm]) / 0.9) ** 2
        is_other = apart(people.trade[firm], lots["trade"].to_numpy()[:, None]) ** 2
        utility -= OTHER_TRADE * is_other * (market % len(SEGMENTS) != NICHE)[:, None]
        utility += self._bonus_of_first_attempt(lots, widest)
        utility += rng.gumbel(0, 1, utility.shape)
        needed = np.select([ceiling > 8e7, ceiling > 2e7], [1, 2], 3)
        is_out = (np.arange(widest) >= people.count_of[market][:, None]) | (people.level[firm] > needed)
        is_out |= self._is_banned(firm, lots, rng)
        utility[is_out] = -np.inf
        wanted = lots["bids"].to_numpy()
        strangers = rng.binomial(wanted, np.where(market % len(SEGMENTS) == NICHE, 0, 0.05))
        half = np.maximum(people.count_of[market] // 2, 8)  # at most half of a market enters a lot
        strangers = np.maximum(strangers, wanted - half) * (market % len(SEGMENTS) != NICHE)
        taken = np.minimum(wanted - strangers, (~is_out).sum(axis=1))
        order = np.argsort(-utility, axis=1, kind="stable")
        rows, places = np.nonzero(np.arange(widest) < taken[:, None])
        columns = order[rows, places]
        made = pd.DataFrame({"row": rows, "firm": firm[rows, columns], "relative_cost": cost[rows, columns]})
        made = pd.concat([made, self._strangers(rng, lots, strangers)], ignore_index=True)
        made["group"] = people.relatives()[made["firm"]]
        made = made.drop_duplicates(["row", "group"])  # affiliates keep out of each other's lots
        made["lot"] = lots["lot"].to_numpy()[made["row"]]
        made = made.sort_values(["lot", "firm"], kind="stable", ignore_index=True)
        made["partner"] = self._partners(rng, lots, made)
        return made[["lot", "firm", "relative_cost", "partner"]]

    def relative_cost(self, firm: np.ndarray, lots: pd.DataFrame) -> np.ndarray:
        """Return the relative cost of the firms in row i of ``firm`` (one, or several) for row i of ``lots``."""
        people = self.population
        site = lots[["site_x", "site_y"]].to_numpy()
        shape = (-1,) + (1,) * (firm.ndim - 1)
        x, y = (people.place[firm, axis] - site[:, axis].reshape(shape) for axis in (0, 1))
        load = np.minimum(self.work_cny[firm] / people.capacity_cny[firm], 2.0)
        cost = people.efficiency[firm] + DISTANCE_COST * np.hypot(x, y) + WORK_COST * load
        return np.asarray(cost)

    def _bonus_of_first_attempt(self, lots: pd.DataFrame, widest: int) -> np.ndarray:
        """Return a bonus for the firms that bid for the same lot before: they come again."""
        bonus = np.zeros((len(lots), widest), np.float32)
        if "first_lot" in lots and self.failed_bids:
            before = pd.concat(self.failed_bids, ignore_index=True)
            again = lots.reset_index(drop=True).reset_index(names="row").dropna(subset="first_lot")
            came = again.merge(before, left_on="first_lot", right_on="lot")
            inside = came["firm"].to_numpy() - self.population.first_of[came["market"]]
            is_local = (inside >= 0) & (inside < widest)
            bonus[came["row"].to_numpy()[is_local], inside[is_local]] = 8.0
        return bonus

    def _is_banned(self, firm: np.ndarray, lots: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Say which firms keep away because of a ban; some bid in spite of it."""
        people = self.population
        day = (lots["opening"].to_numpy() // DAY)[:, None]
        end = np.where(people.withdrawn > 0, people.withdrawn - 1, people.banned[:, 1])
        runs = (people.banned[firm, 0] <= day) & (day <= end[firm])
        return np.asarray(runs & (rng.random(firm.shape) < KEEPS_A_BAN))

    def _strangers(self, rng: np.random.Generator, lots: pd.DataFrame, count: np.ndarray) -> pd.DataFrame:
        """Return visitors: every k-th one of the segment from a random start, so that none enters a lot twice."""
        people, segment = self.population, lots["segment"].to_numpy()
        pool = people.visitors_of[segment]
        count = np.minimum(count, pool)
        start, step = rng.integers(0, pool), rng.integers(1, pool)
        rows = np.repeat(np.arange(len(lots)), count)
        inside = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
        firm = people.first_visitor_of[segment[rows]] + (start[rows] + inside * step[rows]) % pool[rows]
        away = rng.normal(DISTANCE_COST * 0.8, 0.015, len(rows))
        return pd.DataFrame({"row": rows, "firm": firm, "relative_cost": people.efficiency[firm] + away})

    def _partners(self, rng: np.random.Generator, lots: pd.DataFrame, bids: pd.DataFrame) -> np.ndarray:
        """Return the joint venture partner of every bid, -1 none: a firm of the market that does not bid."""
        people = self.population
        row = row_of(lots, bids)
        large = lots["ceiling_fen"].to_numpy()[row] > JOINT_VENTURE_FROM_CNY * 100
        market = lots["market"].to_numpy()[row]
        partner = people.first_of[market] + rng.integers(0, people.count_of[market])
        wants = large & (rng.random(len(bids)) < JOINT_VENTURE_SHARE)
        group, lot = people.relatives(), bids["lot"].to_numpy().astype(np.int64) * people.count
        offered = pd.Series(lot + group[partner])
        wants &= ~offered.isin(lot + group[bids["firm"]]) & ~offered.duplicated()
        return np.where(wants, partner, -1)

    def take_on_work(self, winners: np.ndarray, prices_cny: np.ndarray, period: int) -> None:
        """Add the awards of a period to the winners' work in hand; older work runs off."""
        days = self.edges[period + 1] - self.edges[period]
        self.work_cny *= np.exp(-days / WORK_DAYS)
        np.add.at(self.work_cny, winners, prices_cny)


_PURCHASES = [i for i, s in enumerate(SEGMENTS) if s.regime == "government_procurement"]
_OF_NEW_LOTS = [
    "lot",
    "market",
    "segment",
    "opening",
    "tender",
    "section",
    "attempt",
    "buyer",
    "agency",
    "ceiling_fen",
    "rule",
    "site_x",
    "site_y",
    "trade",
    "cost_share",
    "scatter",
    "is_by_rate",
    "is_hand_kept",
]


def apart(one: np.ndarray | pd.Series, other: np.ndarray | pd.Series | float) -> np.ndarray:
    """Return how far two trades lie apart on the circle of trades, 0 to 0.5."""
    gap = np.abs(np.asarray(one) - np.asarray(other))
    return np.asarray(np.minimum(gap, 1 - gap))


def _working_day(day: np.ndarray) -> np.ndarray:
    """Return Monday to Friday: Saturday and Sunday move to the Friday before."""
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    return np.asarray(day - np.maximum(weekday - 4, 0))


def _skewed(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Draw from ``count`` places, the first far more often than the last."""
    return np.asarray(np.minimum((rng.random(size) ** 1.8 * count).astype(int), count - 1))


def nights_until(last: date, nights: int) -> list[date]:
    """Return that many consecutive days, the last of them ``last``."""
    return [last - timedelta(days=nights - 1 - n) for n in range(nights)]
