"""Rings: who is in them, which lots they rig, whom they seat there, and how careful they are."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.simulator.bidding import priced, row_of
from pipelines.simulator.market import DAY, HISTORY_DAYS, OTHER_TRADE, Market, apart
from pipelines.simulator.population import LOTS_OF_A_COUNTY, OFFICES, SMALL_COUNTY
from pipelines.simulator.segments import NICHE, SEGMENTS
from pipelines.simulator.tactics import FIRST_PRICE, KEYS, TACTICS, Tactic, plan

CARE_FILE = Path(__file__).with_name("care.toml")
MOST_MEMBERS = 20
RINGS_OF_A_LOT = 0.003
LOTS_OF_A_RING = 28.0  # middle number of lots that a ring rigs in its life
NEAR_TRADE = 0.35  # a ring keeps to lots whose kind of work is as near to its own, on the circle of trades
LARGEST_CEILING_CNY = 8e7  # rings keep out of lots that only the highest qualification may take
#: Traces that a ring can leave (`traces` leaves them), by how much they say.
PLAIN_EVIDENCE = (
    "edit_hardware",
    "upload_hardware",
    "pricing_dongle",
    "deposit_account",
    "project_manager",
    "same_agent",
    "same_operator",
    "contact_phone",
    "file_creation_id",
    "ownership",
)
FAINT_EVIDENCE = ("same_ip", "upload_minutes")


@dataclass(frozen=True)
class Care:
    """How careful a ring is: 0 careless to 4, which knows every detector and its limits.

    ``honest_share``: how far its prices are moved from the greedy plan towards honest ones, 0 to 1, by
    tactic; ``forgone_share``: of the lots it could rig, those that it gives up, by tactic.
    """

    level: int
    title_zh: str
    honest_share: Mapping[str, float]
    forgone_share: Mapping[str, float]
    plain_evidence: int  # kinds of plain traces that it leaves
    faint_evidence: int
    leak_share: float  # of its lots in which each of them is left


def usual_care() -> tuple[Care, ...]:
    """Return the care levels; what the last one pays was found by `rehearsal` and stands in care.toml."""
    paid = tomllib.loads(CARE_FILE.read_text(encoding="utf-8"))["tactic"]
    nothing = dict.fromkeys(KEYS, 0.0)
    return (
        Care(0, "不设防", nothing, nothing, 4, 2, 0.9),
        Care(1, "大意", dict.fromkeys(KEYS, 0.1), nothing, 2, 2, 0.7),
        Care(2, "谨慎", dict.fromkeys(KEYS, 0.3), nothing, 1, 1, 0.5),
        Care(3, "老练", dict.fromkeys(KEYS, 0.55), nothing, 0, 1, 0.35),
        Care(
            4,
            "知悉全部模型",
            {key: float(paid[key]["honest_share"]) for key in KEYS},
            {key: float(paid[key]["forgone_share"]) for key in KEYS},
            0,
            0,
            0.0,
        ),
    )


@dataclass
class Rings:
    """All rings of the county (none where it is honest) and what they did so far."""

    market: Market
    count: int
    care: Sequence[Care]  # the levels that rings have, in turn
    table: pd.DataFrame = field(init=False)
    members: np.ndarray = field(init=False)  # (rings, MOST_MEMBERS) firms, -1 beyond the ring's size
    turns: np.ndarray = field(init=False)  # lots rigged so far
    _deck: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        people = self.market.population
        rng = people.streams.of("rings")
        self.members = np.full((self.count, MOST_MEMBERS), -1, np.int64)
        self.turns = np.zeros(self.count, np.int64)
        rows = []
        used: set[int] = set()
        for ring in range(self.count):
            tactic = TACTICS[ring % len(TACTICS)]
            care = self.care[(ring + 2 + ring // len(TACTICS)) % len(self.care)]
            market = self._home(rng, tactic.key)
            size = int(
                np.clip(
                    np.round(np.exp(rng.normal(np.log(tactic.sizes[1]), 0.35))),
                    tactic.sizes[0],
                    tactic.sizes[2],
                )
            )
            local = people.first_of[market] + np.arange(people.count_of[market])
            fit = local[
                (people.level[local] <= 2) & (people.banned[local, 0] == 0) & (people.owner[local] < 0)
            ]
            fit = (
                fit[~np.isin(fit, list(used))]
                if len(fit) - len(used & set(fit.tolist())) >= tactic.sizes[0]
                else fit
            )
            # A ring is made of firms that bid often and do the same kind of work, who would meet anyway;
            # losers for hire are shells that hardly bid by themselves.
            trade = rng.uniform(0, 1)
            far = OTHER_TRADE * apart(people.trade[fit], trade) ** 2
            is_shell = tactic.key == "losers_for_hire"
            liking = -4 * people.activity[fit] - 0.05 * far if is_shell else people.activity[fit] - far
            chance = np.exp(liking - liking.max())
            members = rng.choice(fit, min(size, len(fit)), replace=False, p=chance / chance.sum())
            used.update(members.tolist())
            self.members[ring, : len(members)] = members
            life = float(np.clip(np.exp(rng.normal(np.log(400), 0.5)), 120, 720))
            spare = max(HISTORY_DAYS - life, 1)
            # In a small county rings live to the end: that is when it has become electronic.
            start = self.market.first_day + spare * (
                rng.uniform(0, 1) if people.lots >= SMALL_COUNTY else rng.uniform(0.9, 1)
            )
            region = market // len(SEGMENTS)
            buyer = region * len(OFFICES) + int(rng.integers(0, 4))
            rows.append(
                {
                    "ring": ring,
                    "tactic": tactic.key,
                    "care": care.level,
                    "market": market,
                    "region": region,
                    "is_regional": tactic.rules[0] not in FIRST_PRICE,
                    "size": len(members),
                    "trade": trade,
                    "buyer": buyer if tactic.key == "vertical" else -1,
                    "start": int(start),
                    "end": int(start + life),
                    "honest_share": care.honest_share[tactic.key],
                    "forgone_share": care.forgone_share[tactic.key],
                    "leak_share": care.leak_share,
                    "evidence": self._evidence(rng, tactic, care),
                }
            )
        self.table = pd.DataFrame(rows, columns=_COLUMNS)
        self.table["rate"] = [self._rate(rng, row) for _, row in self.table.iterrows()]

    @property
    def _reach(self) -> float:
        """How far from its own trade a ring goes; in a small county there is too little of each."""
        return NEAR_TRADE if self.market.population.lots >= SMALL_COUNTY else 0.5

    def _home(self, rng: np.random.Generator, tactic: str) -> int:
        people = self.market.population
        rules = TACTICS[KEYS.index(tactic)].rules
        share = np.array([s.share * sum(w for rule, w in s.rules if rule in rules) for s in SEGMENTS])
        share[NICHE] = 0
        segment = rng.choice(len(SEGMENTS), p=share / share.sum())
        return int(rng.integers(0, len(people.regions)) * len(SEGMENTS) + segment)

    def _evidence(self, rng: np.random.Generator, tactic: Tactic, care: Care) -> list[str]:
        """Deal a ring its kinds of evidence, from a deck of all kinds, so that each kind is somewhere."""
        if tactic.key == "none":
            return []
        plain: list[str] = []
        while len(plain) < care.plain_evidence * (tactic.seats[0] > 1):  # one seat leaves no common trace
            if not self._deck:
                self._deck = [str(kind) for kind in rng.permutation(PLAIN_EVIDENCE)]
            kind = self._deck.pop()
            plain += [kind] * (kind not in plain)
        return plain + [str(kind) for kind in rng.choice(FAINT_EVIDENCE, care.faint_evidence, replace=False)]

    def _rate(self, rng: np.random.Generator, ring: pd.Series) -> float:
        """Return the share of the lots open to it that a ring rigs, so that it gets its number of lots."""
        if ring.tactic == "none":
            return 1.0  # every lot in which two of its members happen to meet
        people = self.market.population
        tactic = TACTICS[KEYS.index(ring.tactic)]
        chosen = SEGMENTS[:5] if ring.is_regional else [SEGMENTS[ring.market % len(SEGMENTS)]]
        share = sum(s.share * sum(w for rule, w in s.rules if rule in tactic.rules) for s in chosen)
        fitting = people.lots / len(people.regions) * share * (ring.end - ring.start) / HISTORY_DAYS
        # Of the lots a buyer's ring gets its buyer's, a ring of one trade its part of the circle of trades.
        fitting *= 0.2 if ring.buyer >= 0 else 1.0 if ring.is_regional else 2 * self._reach
        wanted = np.clip(np.exp(rng.normal(np.log(LOTS_OF_A_RING), 0.5)), 8, 90)
        wanted *= min(1.0, people.lots / LOTS_OF_A_COUNTY + 0.05)  # small counties, short lists
        return float(min(0.85, max(wanted, 3.5) / max(fitting, 1e-9)))

    # --- a period -----------------------------------------------------------------------------

    def choose(self, period: int, lots: pd.DataFrame, bids: pd.DataFrame) -> pd.DataFrame:
        """Return the lots of a period that are rigged or given up; one row a lot, one ring a lot.

        Columns: lot_row, those of `table`, is_forgone, turn (how many the ring rigged before).
        """
        rng = self.market.population.streams.of("choice of rings", period)
        lots = lots.reset_index(drop=True)
        open_to = lots[
            lots["ceiling_fen"].le(LARGEST_CEILING_CNY * 100)
            & lots["attempt"].eq(1)
            & ~lots["is_hand_kept"]
            & ~lots["is_by_rate"]
        ].reset_index(names="lot_row")
        open_to = open_to[["lot_row", "market", "rule", "opening", "buyer", "trade"]]
        open_to["region"], open_to["day"] = open_to["market"] // len(SEGMENTS), open_to["opening"] // DAY
        works = open_to[open_to["market"] % len(SEGMENTS) < 5]
        regional = self.table["is_regional"] if len(self.table) else pd.Series(dtype=bool)
        pairs = pd.concat(
            [
                open_to.merge(
                    self.table[~regional].drop(columns="region"), on="market", suffixes=("_lot", "")
                ),
                works.drop(columns="market").merge(self.table[regional], on="region", suffixes=("_lot", "")),
            ],
            ignore_index=True,
        )
        fits = {(rule, t.key) for t in TACTICS for rule in t.rules}
        pays = [pair in fits for pair in zip(pairs["rule"], pairs["tactic"], strict=True)]
        pairs = pairs[np.array(pays, bool)]
        pairs = pairs[pairs["day"].between(pairs["start"], pairs["end"])]
        pairs = pairs[pairs["buyer"].eq(-1) | pairs["buyer"].eq(pairs["buyer_lot"])]
        near = apart(pairs["trade_lot"], pairs["trade"]) <= self._reach
        pairs = pairs[near | pairs["is_regional"] | pairs["buyer"].ge(0)]
        pairs = pairs[self._enough(pairs, lots, bids)]
        pairs = pairs.sort_values(["lot_row", "ring"], kind="stable", ignore_index=True)
        pairs = pairs[rng.random(len(pairs)) < pairs["rate"]]
        pairs = pairs.iloc[rng.permutation(len(pairs))].drop_duplicates("lot_row").sort_values("lot_row")
        pairs["is_forgone"] = rng.random(len(pairs)) < pairs["forgone_share"]
        acts = ~pairs["is_forgone"]
        before = pairs[acts].groupby("ring").cumcount()
        pairs["turn"] = (
            before.reindex(pairs.index, fill_value=0) + self.turns[pairs["ring"].to_numpy(dtype=np.int64)]
        )
        np.add.at(self.turns, pairs.loc[acts, "ring"].to_numpy(dtype=np.int64), 1)
        made: pd.DataFrame = pairs.reset_index(drop=True)
        return made

    def _enough(self, pairs: pd.DataFrame, lots: pd.DataFrame, bids: pd.DataFrame) -> np.ndarray:
        """Say where the lot has outsiders enough, and, for the ring that does nothing, two members."""
        count = np.bincount(row_of(lots, bids), minlength=len(lots))[pairs["lot_row"]]
        least = pairs["tactic"].map({t.key: max(3, t.outsiders + 1) for t in TACTICS}).to_numpy()
        # A ring that wants to fill a lot leaves those alone that have far more bidders than it has members.
        fills = pairs["tactic"].map({t.key: t.seats[1] > 0.7 for t in TACTICS}).to_numpy(dtype=bool)
        enough = (count >= least) & (~fills | (count <= pairs["size"].to_numpy() + 1))
        idle = pairs["tactic"].eq("none").to_numpy()
        if idle.any():
            seated = self.members_in(pairs[idle], lots, bids)
            enough[idle] &= seated >= 2
        return np.asarray(enough)

    def members_in(self, chosen: pd.DataFrame, lots: pd.DataFrame, bids: pd.DataFrame) -> np.ndarray:
        """Return how many members of its ring bid in each chosen lot."""
        row = chosen["lot_row"].to_numpy()
        members = self.members[chosen["ring"]]
        firms = np.int64(self.market.population.count)
        came = row_of(lots, bids) * firms + bids["firm"].to_numpy()
        return np.asarray((np.isin(row[:, None] * firms + members, came) & (members >= 0)).sum(axis=1))

    def rig(self, period: int, lots: pd.DataFrame, bids: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the period's bids with the rings' seats in them, and what the rings did, one row a lot.

        The bids get ring, role, seat (0 the designated winner, -1 no seat) and is_exact.
        """
        bids = bids.assign(ring=-1, role="honest", seat=-1, is_exact=False)
        chosen = self.choose(period, lots, bids)
        acted = chosen[~chosen["is_forgone"]].reset_index(drop=True)
        chosen["designated"], chosen["price_given_up_fen"] = -1, 0
        if acted.empty:
            return bids, chosen
        rng = self.market.population.streams.of("seats", period)
        idle = acted["tactic"].eq("none")
        bids = self._mark_idle(acted[idle], lots, bids)
        acted = acted[~idle].reset_index(drop=True)
        seats = self._seats(rng, acted, lots, bids)
        others = self._outsiders(rng, acted, seats, lots, bids)
        seats = self._priced(rng, acted, seats, others, lots)
        given_up = seats[seats["place"].eq(0)].set_index("lot_row")
        ceiling = lots["ceiling_fen"].to_numpy()[given_up.index]
        lost = pd.Series(np.round((given_up["greedy_ask"] - given_up["ask"]) * ceiling), given_up.index)
        chosen["price_given_up_fen"] = chosen["lot_row"].map(lost).fillna(0).clip(lower=0).astype(np.int64)
        chosen["designated"] = chosen["lot_row"].map(given_up["designated"]).fillna(-1).astype(int)
        kept = [
            "lot",
            "firm",
            "relative_cost",
            "partner",
            "cost_share",
            "ask",
            "ring",
            "role",
            "seat",
            "is_exact",
        ]
        bids = pd.concat([others[kept], seats[kept]], ignore_index=True)
        return bids.sort_values(["lot", "firm"], kind="stable", ignore_index=True), chosen

    def _mark_idle(self, acted: pd.DataFrame, lots: pd.DataFrame, bids: pd.DataFrame) -> pd.DataFrame:
        row = row_of(lots, bids)
        ring_of = np.full(len(lots), -1)
        ring_of[acted["lot_row"]] = acted["ring"]
        ring = ring_of[row]
        inside = (ring >= 0) & (self.members[ring] == bids["firm"].to_numpy()[:, None]).any(axis=1)
        return bids.assign(ring=np.where(inside, ring, -1))

    def _seats(
        self, rng: np.random.Generator, acted: pd.DataFrame, lots: pd.DataFrame, bids: pd.DataFrame
    ) -> pd.DataFrame:
        """Return the ring's seats: one row a seat, the designated winner at place 0."""
        count = np.bincount(row_of(lots, bids), minlength=len(lots))[acted["lot_row"]]
        facts = acted["tactic"].map({t.key: t for t in TACTICS})
        least = np.array([t.seats[0] for t in facts])
        share = np.array([t.seats[1] for t in facts])
        wanted = np.round(count * share * rng.uniform(0.8, 1.2, len(acted)))
        number = np.clip(wanted, least, acted["size"].to_numpy()).astype(int)
        leader = acted["tactic"].isin(["vertical", "late_just_below"]).to_numpy()
        turn = np.select(
            [acted["tactic"].eq("rotation"), acted["tactic"].eq("market_split"), leader],
            [acted["turn"], acted["buyer_lot"], 0],
            # The others: the same leader in two lots of three.
            np.where(rng.random(len(acted)) < 0.65, 0, rng.integers(0, 1000, len(acted))),
        )
        first = (turn % acted["size"]).to_numpy().astype(int)
        # The inner circle comes nearly always, the others as they are needed.
        key = rng.random((len(acted), MOST_MEMBERS)) + 0.3 * np.arange(MOST_MEMBERS)
        key[self.members[acted["ring"]] < 0] = np.inf
        key[np.arange(len(acted)), first] = -1
        order = np.argsort(key, axis=1, kind="stable")
        rows, place = np.nonzero(np.arange(MOST_MEMBERS) < number[:, None])
        made = acted.iloc[rows].reset_index(drop=True)
        made["acted_row"] = rows
        made["firm"] = self.members[made["ring"], order[rows, place]]
        made["place"], made["seats"] = place, number[rows]
        made["lot"] = lots["lot"].to_numpy()[made["lot_row"]]
        made["partner"] = -1
        where = lots.iloc[made["lot_row"]]
        made["relative_cost"] = self.market.relative_cost(made["firm"].to_numpy(), where)
        return made

    def _outsiders(
        self,
        rng: np.random.Generator,
        acted: pd.DataFrame,
        seats: pd.DataFrame,
        lots: pd.DataFrame,
        bids: pd.DataFrame,
    ) -> pd.DataFrame:
        """Return the bids of others: the ring's seats take the places of some of a lot's bidders."""
        row = row_of(lots, bids)
        ring_of = np.full(len(lots), -1)
        ring_of[acted["lot_row"]] = acted["ring"]
        ring = ring_of[row]
        groups = self.market.population.relatives()
        is_member = (self.members[ring] == bids["firm"].to_numpy()[:, None]).any(axis=1)
        seated = pd.Index(seats["lot"].astype(np.int64) * len(groups) + groups[seats["firm"]])
        own = bids["lot"].to_numpy().astype(np.int64) * len(groups)
        is_kin = np.isin(own + groups[bids["firm"]], seated)
        kin_of_partner = np.isin(own + groups[np.maximum(bids["partner"], 0)], seated) & bids["partner"].ge(0)
        kept = bids[(ring < 0) | ~(is_member | is_kin | kin_of_partner)]
        least = acted["tactic"].map({t.key: t.outsiders for t in TACTICS}).to_numpy()
        count = np.bincount(row, minlength=len(lots))[acted["lot_row"]]
        taken = seats.groupby("lot_row").size().reindex(acted["lot_row"]).to_numpy()
        room = np.full(len(lots), np.iinfo(np.int64).max)
        # A split market has fewer bids by what it is; elsewhere the number of bids stays what it was.
        split = acted["tactic"].eq("market_split").to_numpy()
        room[acted["lot_row"]] = np.maximum(np.where(split, np.ceil((count - 1) / 2), count - taken), least)
        kept = kept.assign(luck=rng.random(len(kept)))
        order = kept.sort_values(["lot", "luck"], kind="stable").groupby("lot").cumcount()
        made: pd.DataFrame = kept[order.reindex(kept.index) < room[row_of(lots, kept)]].drop(columns="luck")
        return made

    def _priced(
        self,
        rng: np.random.Generator,
        acted: pd.DataFrame,
        seats: pd.DataFrame,
        others: pd.DataFrame,
        lots: pd.DataFrame,
    ) -> pd.DataFrame:
        """Return the seats with their asks: the tactic's plan, moved towards honest prices by the ring's care."""
        row = row_of(lots, others)
        outside = pd.Series(others["ask"].to_numpy()).groupby(row)
        total = np.bincount(row, minlength=len(lots))[seats["lot_row"]] + seats["seats"].to_numpy()
        seats = priced(rng, lots, seats, total)
        for name in ("belief", "spread", "scatter"):
            seats[name] = lots[name].to_numpy()[seats["lot_row"]]
        seats["outside"] = total - seats["seats"].to_numpy()
        seats["lowest_outside"] = seats["lot_row"].map(outside.min())
        greedy, asked = np.empty(len(seats)), np.empty(len(seats))
        for number, tactic in enumerate(KEYS):
            here = np.flatnonzero(seats["tactic"].eq(tactic))
            if len(here):
                mine, care = seats.iloc[here], seats["honest_share"].to_numpy()[here]
                luck = int(rng.integers(0, 1 << 62))
                for target, held in ((greedy, np.zeros(len(here))), (asked, care)):
                    target[here] = plan(tactic, np.random.default_rng([luck, number]), mine, held)
        seats["greedy_ask"], seats["ask"] = greedy, asked
        seats["is_exact"] = seats["tactic"].eq("ladder") & seats["honest_share"].eq(0)
        roles = seats["tactic"].map({t.key: t.role for t in TACTICS})
        hired = seats["tactic"].eq("losers_for_hire")
        seats["role"] = np.where(
            seats["place"].eq(0) & ~hired & seats["tactic"].ne("ladder"), "winner", roles
        )
        seats["seat"] = seats["place"]
        client = others.iloc[np.lexsort((others["firm"], others["ask"], others["lot"]))].drop_duplicates(
            "lot"
        )
        client_of = seats["lot"].map(client.set_index("lot")["firm"])
        seats["designated"] = np.select(
            [hired, seats["tactic"].eq("ladder")], [client_of.fillna(-1), -1], seats["firm"]
        ).astype(int)
        return seats

    def owners(self) -> tuple[np.ndarray, np.ndarray]:
        """Return owner and share of every firm: in rings that own each other the first member holds the others."""
        people = self.market.population
        owner, share = people.owner.copy(), people.owner_share.copy()
        for ring in np.flatnonzero(["ownership" in kinds for kinds in self.table["evidence"]]):
            members = self.members[ring][self.members[ring] >= 0]
            owner[members[1:]], share[members[1:]] = members[0], 0.6
        return owner, share

    def to_table(self) -> pa.Table:
        """Return the rows of `world.rings`."""
        table = self.table
        day = np.datetime64("1970-01-01")
        return pa.table(
            {
                "ring": pa.array(table["ring"], pa.int32()),
                "tactic": pa.array(table["tactic"], pa.string()),
                "care": pa.array(table["care"], pa.int32()),
                "market": pa.array(table["market"], pa.int32()),
                "members": pa.array([m[m >= 0].tolist() for m in self.members], pa.list_(pa.int32())),
                "buyer": pa.array(table["buyer"], pa.int32()),
                "agency": pa.array([-1] * len(table), pa.int32()),
                "started_on": pa.array(day + table["start"].to_numpy(dtype="timedelta64[D]")),
                "ended_on": pa.array(day + table["end"].to_numpy(dtype="timedelta64[D]")),
                "evidence": pa.array(table["evidence"].tolist(), pa.list_(pa.string())),
            }
        )


_COLUMNS = [
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
]
