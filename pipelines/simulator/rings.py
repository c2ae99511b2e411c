"""Rings at work: which lots they rig in a period, and whom they seat there at which price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from pipelines.simulator.bidding import priced, row_of
from pipelines.simulator.care import Care
from pipelines.simulator.founding import MOST_MEMBERS, founded, reach
from pipelines.simulator.market import DAY, Market, apart
from pipelines.simulator.segments import SEGMENTS
from pipelines.simulator.tactics import KEYS, TACTICS, plan

LARGEST_CEILING_CNY = 8e7  # rings keep out of lots that only the highest qualification may take


@dataclass
class Rings:
    """All rings of the county (none where it is honest) and what they did so far."""

    market: Market
    count: int
    care: Sequence[Care]  # the levels that rings have, in turn
    table: pd.DataFrame = field(init=False)
    members: np.ndarray = field(init=False)  # (rings, MOST_MEMBERS) firms, -1 beyond the ring's size
    turns: np.ndarray = field(init=False)  # lots rigged so far

    def __post_init__(self) -> None:
        self.turns = np.zeros(self.count, np.int64)
        self.table, self.members = founded(self.market, self.count, self.care)

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
        near = apart(pairs["trade_lot"], pairs["trade"]) <= reach(self.market)
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
        """Say which lots have enough outsiders and, for rings that do nothing, two members."""
        count = np.bincount(row_of(lots, bids), minlength=len(lots))[pairs["lot_row"]]
        least = pairs["tactic"].map({t.key: max(3, t.outsiders + 1) for t in TACTICS}).to_numpy()
        # A ring that wants to fill a lot takes only lots with at most one bidder more than it has members.
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
        # The inner circle nearly always comes, the others as needed.
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
        # A split market means fewer bids; elsewhere their number stays what it was.
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
