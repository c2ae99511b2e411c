"""Who there is: firms with costs, capacity and habits, buyers, agencies."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from pipelines.reference import Reference
from pipelines.simulator.segments import NICHE, SEGMENTS
from pipelines.simulator.streams import Streams

LOTS_OF_A_COUNTY = 4000  # on average: from 6,000 lots on there are two counties
SMALL_COUNTY = 1000  # lots; a smaller one went electronic late, so that it fits into a repository
LARGEST_OPENING = 2000  # bids; the largest Hangzhou opening of 2023 had 1,979
HOME = "410821"
OFFICES = (
    "住房建设中心",
    "城市管理局",
    "公路服务中心",
    "水务中心",
    "教育局",
    "卫生健康局",
    "农业农村局",
    "文化旅游局",
    "产业园区管委会",
    "城投公司",
    "交投公司",
    "乡村振兴中心",
)
AGENCIES_OF_A_COUNTY = 8
PEOPLE_OF_A_FIRM = 16  # numbers of the persons of firm f: 16 f .. 16 f + 15
EXPERTS_OF_A_COUNTY = 60
FIRST_EXPERT = 15_000_000  # person numbers of experts; below them are the people of firms and rings
_FIRST, _SECOND = "云山川林泉石松竹梅岭溪谷", "程远达恒信嘉和安泰弘"
_THIRD = "兴隆源通瑞祥盛华丰茂"


@dataclass
class Population:
    """Firms, buyers and agencies of ``lots`` lots; firms as arrays, one place a firm.

    A market is a county times a segment. Its own firms stand together, from ``first_of`` on
    ``count_of`` places; visitors of a segment, who bid once or a few times, stand behind all of them.
    """

    lots: int
    streams: Streams
    market: np.ndarray = field(init=False)
    efficiency: np.ndarray = field(init=False)  # log of the firm's cost against the middle firm's
    capacity_cny: np.ndarray = field(init=False)  # work that it can carry at one time
    activity: np.ndarray = field(init=False)  # log of its eagerness to bid
    level: np.ndarray = field(init=False)  # qualification: 1 may take every size, 3 only small lots
    quality: np.ndarray = field(init=False)  # what committees score beside the price, in standard deviations
    place: np.ndarray = field(init=False)  # (firms, 2) position, in units of the county's width
    owner: np.ndarray = field(init=False)
    owner_share: np.ndarray = field(init=False)
    trade: np.ndarray = field(init=False)  # what kind of work it does best, a point on a circle of length 1
    habit: np.ndarray = field(
        init=False
    )  # its prices end in: 0 fen, 1 yuan, 2 hundreds, 3 lucky eights, 4 thousands
    banned: np.ndarray = field(init=False)  # (firms, 2) first and last day of a ban, days since 1970; 0 none
    withdrawn: np.ndarray = field(init=False)  # day on which the ban was withdrawn, 0 never

    def __post_init__(self) -> None:
        rng = self.streams.of("population")
        self.regions = _regions(max(1, round(self.lots / LOTS_OF_A_COUNTY)))
        self.markets = len(self.regions) * len(SEGMENTS)
        busy = min(1.0, self.lots / len(self.regions) / 2000) ** 0.6
        counts = [
            segment.firms if place == NICHE else max(12, round(segment.firms * busy))
            for place, segment in enumerate(SEGMENTS)
        ]
        self.count_of = np.tile(counts, len(self.regions))
        self.first_of = np.concatenate([[0], np.cumsum(self.count_of)[:-1]])
        self.largest_opening = min(LARGEST_OPENING, max(12, self.lots // 8))
        visitors = [
            _next_prime(
                int(max(30, self.largest_opening * 1.2 * (s.open_share > 0), self.lots * s.share * 0.15))
            )
            for s in SEGMENTS
        ]
        self.locals = int(self.count_of.sum())
        self.visitors_of = np.array(visitors)
        self.first_visitor_of = self.locals + np.concatenate([[0], np.cumsum(visitors)[:-1]])
        count = self.locals + sum(visitors)
        # A visitor's market is that of the first county: it says the segment, not where the visitor lives.
        self.market = np.concatenate(
            [np.repeat(np.arange(self.markets), self.count_of), np.repeat(np.arange(len(SEGMENTS)), visitors)]
        ).astype(np.int32)
        self.efficiency = rng.normal(0, 0.02, count)
        self.capacity_cny = 10 ** rng.normal(7.4, 0.5, count)
        self.activity = rng.normal(0, 1.5, count)
        self.quality = rng.normal(0, 1, count)
        self.level = rng.choice([1, 2, 3], count, p=[0.3, 0.45, 0.25])
        self.level[self.segment == NICHE] = 1
        self.place = rng.uniform(0, 1, (count, 2))
        self.trade = rng.uniform(0, 1, count)
        self.habit = rng.choice(5, count, p=[0.52, 0.20, 0.13, 0.05, 0.10])
        self._give_owners(rng)
        self._give_bans(rng)

    @property
    def count(self) -> int:
        """Number of firms."""
        return len(self.market)

    @property
    def segment(self) -> np.ndarray:
        """Segment of every firm."""
        return np.asarray(self.market % len(SEGMENTS))

    @cached_property
    def buyers(self) -> int:
        """Number of buyers."""
        return len(self.regions) * len(OFFICES)

    def _give_owners(self, rng: np.random.Generator) -> None:
        """Let one local firm in twelve belong to another firm of its market (affiliates)."""
        self.owner = np.full(self.count, -1, np.int32)
        self.owner_share = np.zeros(self.count)
        firms = np.flatnonzero((rng.random(self.count) < 1 / 12) & (self.segment != NICHE))
        firms = firms[firms < self.locals]
        market = self.market[firms]
        owner = self.first_of[market] + (rng.random(len(firms)) * self.count_of[market]).astype(int)
        # No chains: an owner is not owned.
        good = (owner != firms) & ~np.isin(owner, firms)
        self.owner[firms[good]] = owner[good]
        self.owner_share[firms[good]] = rng.choice([0.2, 0.35, 0.51, 0.67, 1.0], int(good.sum()))

    def _give_bans(self, rng: np.random.Generator) -> None:
        """Ban one local firm in forty for a year; a third of the bans are withdrawn early."""
        self.banned = np.zeros((self.count, 2), np.int32)
        self.withdrawn = np.zeros(self.count, np.int32)
        firms = np.flatnonzero((rng.random(self.count) < 1 / 40) & (self.segment != NICHE))
        firms = firms[firms < self.locals]
        start = (date(2024, 10, 1) - date(1970, 1, 1)).days + rng.integers(0, 500, len(firms))
        self.banned[firms, 0], self.banned[firms, 1] = start, start + 364
        early = firms[rng.random(len(firms)) < 1 / 3]
        self.withdrawn[early] = self.banned[early, 0] + rng.integers(90, 250, len(early))

    def relatives(self) -> np.ndarray:
        """Return the number of every firm's group: its owner's, or its own."""
        own = np.arange(self.count, dtype=np.int32)
        return np.where(self.owner >= 0, self.owner, own)

    def firms_table(self, owner: np.ndarray, owner_share: np.ndarray) -> pa.Table:
        """Return the rows of `world.firms`, with the registered owners; the SQL adds the codes."""
        firm = np.arange(self.count)
        segment = self.segment
        inside = firm - self.first_of[self.market]
        is_local = firm < self.locals
        inside = np.where(is_local, inside, firm - self.first_visitor_of[segment])
        region = self.market // len(SEGMENTS)
        rng = self.streams.of("registry")
        away = _regions(len(self.regions) + 200)[len(self.regions) :]
        home = [self.regions[r] for r in region]
        abroad = [away[i] for i in rng.integers(0, len(away), self.count)]
        codes, names = zip(
            *(h if local else a for h, a, local in zip(home, abroad, is_local, strict=True)), strict=True
        )
        called = [_called(i) for i in range(int(inside.max()) + 1)]
        kinds = [s.kind for s in SEGMENTS]
        names_now = [
            f"{name}样例{called[i]}{kinds[s]}有限公司"
            for name, i, s in zip(names, inside, segment, strict=True)
        ]
        renamed = rng.random(self.count) < 0.02
        former = [
            f"{name}样例{called[i]}{kinds[s]}有限责任公司" if changed else None
            for name, i, s, changed in zip(names, inside, segment, renamed, strict=True)
        ]
        founded = np.datetime64("1998-01-01") + rng.integers(0, 9500, self.count).astype("timedelta64[D]")
        return pa.table(
            {
                "firm": pa.array(firm, pa.int32()),
                "market": pa.array(self.market),
                "region_code": pa.array(codes),
                "segment": pa.array([SEGMENTS[s].key for s in segment]),
                "name": pa.array(names_now),
                "former_name": pa.array(former, pa.string()),
                "head": pa.array(firm * PEOPLE_OF_A_FIRM, pa.int32()),
                "owner": pa.array(owner, pa.int32()),
                "owner_share": pa.array(owner_share),
                "registered_on": pa.array(founded),
                "is_local": pa.array(is_local),
                "level": pa.array(self.level, pa.int32()),
            }
        )

    def buyers_table(self) -> pa.Table:
        """Return the rows of `world.buyers`; the SQL adds the codes."""
        made = [(code, f"{name}样例{office}") for code, name in self.regions for office in OFFICES]
        codes, names = zip(*made, strict=True)
        return pa.table(
            {"buyer": pa.array(range(len(made)), pa.int32()), "name": names, "region_code": codes}
        )

    def agencies_table(self) -> pa.Table:
        """Return the rows of `world.agencies`; the SQL adds codes and phones."""
        made = [
            (code, f"{name}样例招标代理第{n + 1}有限公司")
            for code, name in self.regions
            for n in range(AGENCIES_OF_A_COUNTY)
        ]
        codes, names = zip(*made, strict=True)
        return pa.table(
            {"agency": pa.array(range(len(made)), pa.int32()), "name": names, "region_code": codes}
        )


def _regions(count: int) -> list[tuple[str, str]]:
    """Return code and name of that many counties: the sample's own first, its neighbours, then all others."""
    listed = pd.DataFrame([row.values for row in Reference().rows("regions.csv")])
    counties = listed[listed["level"].eq("county")].copy()
    code = counties["region_code"]
    counties["order"] = np.select(
        [code.eq(HOME), code.str[:4].eq(HOME[:4]), code.str[:2].eq(HOME[:2])], [0, 1, 2], 3
    )
    counties = counties.sort_values(["order", "region_code"], kind="stable").head(count)
    short = counties["name_zh"].str.replace("[县市区]$", "", regex=True)
    names = short.where(short.str.len() > 1, counties["name_zh"])
    return list(zip(counties["region_code"], names, strict=True))


def _called(number: int) -> str:
    """Return the given name of the ``number``-th firm of a market: two characters, three from number 120 on."""
    pair = _FIRST[number % len(_FIRST)] + _SECOND[number // len(_FIRST) % len(_SECOND)]
    rest, text = number // (len(_FIRST) * len(_SECOND)), ""
    while rest:
        rest, digit = divmod(rest - 1, len(_THIRD))
        text += _THIRD[digit]
    return pair + text


def _next_prime(number: int) -> int:
    while any(number % divisor == 0 for divisor in range(2, int(number**0.5) + 1)):
        number += 1
    return number
