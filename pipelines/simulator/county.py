"""The whole county, period by period, into a DuckDB file (`world.sql`). Reads like a table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from pipelines.settings import Progress
from pipelines.simulator import bidding, look_alikes, opening, traces
from pipelines.simulator.care import Care
from pipelines.simulator.founding import RINGS_OF_A_LOT
from pipelines.simulator.market import DAY, HISTORY_DAYS, Market
from pipelines.simulator.population import SMALL_COUNTY, Population
from pipelines.simulator.rings import Rings
from pipelines.simulator.segments import SEGMENTS
from pipelines.simulator.streams import Streams
from pipelines.simulator.tactics import TACTICS

HERE = Path(__file__).parent
ELECTRONIC_DAYS_OF_A_SMALL_COUNTY = 110
MOVED_SHARE = 0.03  # of the openings are moved by a clarification
TEN_THOUSAND_SHARE = 0.08  # of the lots are recorded in 万元
#: Of the bids: written with another form of the name, of the code, or with a price in 万元 under a flag of 元.
NAME_FORM_SHARES = {1: 0.012, 3: 0.003}
CODE_FORM_SHARES = {1: 0.006, 2: 0.003, 3: 0.004}
WRONG_UNIT_SHARE = 0.001


def simulate(
    con: duckdb.DuckDBPyConnection,
    *,
    seed: int,
    lots: int,
    last_night: date,
    care: Sequence[Care],
    progress: Progress = lambda station, done, of: None,
) -> None:
    """Fill the tables of `world.sql` in ``con`` with a county of that many lots.

    ``care``: the levels of care that its rings have, in turn; no level, no ring.
    """
    con.execute((HERE / "identity.sql").read_text(encoding="utf-8"))
    con.execute((HERE / "world.sql").read_text(encoding="utf-8"))
    people = Population(lots, Streams(seed))
    market = Market(people, last_night)
    rings = Rings(market, max(len(TACTICS), round(lots * RINGS_OF_A_LOT)) if care else 0, care)
    _write_population(con, people, rings)
    turn = 0
    for period in market.periods():
        progress("the market", period, len(market.periods()))
        listed = bidding.common_facts(people, period, market.lots(period))
        listed = with_dates(people, market, period, listed)
        bids = market.entrants(period, listed)
        row = bidding.row_of(listed, bids)
        bids = bidding.priced(people.streams.of("honest prices", period), listed, bids, np.bincount(row)[row])
        bids, chosen = rings.rig(period, listed, bids)
        bids, norm_links = look_alikes.norm_prices(people, period, listed, bids)
        bids = bidding.written(people, listed, bids)
        bids = traces.honest_traces(people, period, listed, bids)
        bids, links = traces.ring_traces(rings, period, listed, bids, chosen)
        listed, bids, put_links, turn = look_alikes.placed(people, period, listed, bids, turn)
        listed, bids = opening.opened(people, period, listed, bids, chosen)
        listed = opening.after_award(people, period, listed, bids, chosen)
        market.remember_failed(listed, bids)
        won = listed["winner"].ge(0)
        market.take_on_work(
            listed.loc[won, "winner"].to_numpy(), listed.loc[won, "winner_fen"].to_numpy() / 100, period
        )
        bids = _as_recorded(people, period, listed, bids)
        _write_period(con, listed, bids, chosen, pd.concat([links, norm_links, put_links], ignore_index=True))
        _insert(con, "experts", opening.seats_of_experts(people, period, listed))
    con.execute((HERE / "natural.sql").read_text(encoding="utf-8"))


def with_dates(people: Population, market: Market, period: int, lots: pd.DataFrame) -> pd.DataFrame:
    """Return the lots with their dates before the opening, in local seconds (-1 none), and how they are recorded."""
    rng = people.streams.of("dates", period)
    count = len(lots)
    opening_at = lots["opening"].to_numpy()
    published = (opening_at // DAY - rng.integers(21, 32, count)) * DAY + 17 * 3600
    is_moved = rng.random(count) < MOVED_SHARE
    days = HISTORY_DAYS if people.lots >= SMALL_COUNTY else ELECTRONIC_DAYS_OF_A_SMALL_COUNTY
    is_electronic = opening_at // DAY >= market.first_day + HISTORY_DAYS - days
    is_works = np.isin(lots["segment"], [i for i, s in enumerate(SEGMENTS) if s.regime == "construction"])
    return lots.assign(
        published=published,
        document=published + 3600,
        first_opening=np.where(is_moved, opening_at - 7 * DAY, -1),
        moved=np.where(is_moved, opening_at - rng.integers(10, 14, count) * DAY, -1),
        is_electronic=is_electronic,
        has_traces=is_electronic & is_works & ~lots["is_hand_kept"].to_numpy(dtype=bool),
        is_ten_thousand=(rng.random(count) < TEN_THOUSAND_SHARE) & ~lots["is_by_rate"].to_numpy(dtype=bool),
        estimate_fen=np.round(lots["ceiling_fen"] * rng.uniform(1.0, 1.06, count)).astype(np.int64),
        deposit_fen=np.round(lots["ceiling_fen"] * rng.choice([0.01, 0.015, 0.02], count), -5).astype(
            np.int64
        ),
        buyer_machine=np.int64(-1),
        buyer_dongle=np.int64(-1),
    )


def _as_recorded(people: Population, period: int, lots: pd.DataFrame, bids: pd.DataFrame) -> pd.DataFrame:
    """Return the bids with how the centre wrote names, codes and units."""
    rng = people.streams.of("records", period)
    row, count = bidding.row_of(lots, bids), len(bids)

    def drawn(shares: dict[int, float]) -> np.ndarray:
        return rng.choice([0, *shares], count, p=[1 - sum(shares.values()), *shares.values()])

    name_form, code_form = drawn(NAME_FORM_SHARES), drawn(CODE_FORM_SHARES)
    # A branch signs with a code of its own, a firm without a code with its registered name.
    name_form = np.where(code_form == 3, 0, name_form)
    plain = ~lots["is_ten_thousand"].to_numpy() & ~lots["is_by_rate"].to_numpy(dtype=bool)
    return bids.assign(
        name_form=name_form,
        code_form=code_form,
        is_wrong_unit=(rng.random(count) < WRONG_UNIT_SHARE) & plain[row],
    )


# --- into the file ----------------------------------------------------------------------------


def _insert(con: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    con.register("period_rows", frame)
    con.execute(f"INSERT INTO world.{table} BY NAME SELECT * FROM period_rows")
    con.unregister("period_rows")


def _write_population(con: duckdb.DuckDBPyConnection, people: Population, rings: Rings) -> None:
    bans = np.flatnonzero(people.banned[:, 0])
    with_withdrawal = people.withdrawn[bans]
    for name, table in (
        ("firm_rows", people.firms_table(*rings.owners())),
        ("buyer_rows", people.buyers_table()),
        ("agency_rows", people.agencies_table()),
        ("ring_rows", rings.to_table()),
        (
            "ban_rows",
            pd.DataFrame(
                {
                    "firm": bans,
                    "starts": people.banned[bans, 0],
                    "ends": people.banned[bans, 1],
                    "withdrawn": with_withdrawal,
                }
            ),
        ),
    ):
        con.register(name, table)
    con.execute((HERE / "population.sql").read_text(encoding="utf-8"))
    for name in ("firm_rows", "buyer_rows", "agency_rows", "ring_rows", "ban_rows"):
        con.unregister(name)


def _write_period(
    con: duckdb.DuckDBPyConnection,
    lots: pd.DataFrame,
    bids: pd.DataFrame,
    chosen: pd.DataFrame,
    links: pd.DataFrame,
) -> None:
    facts = pd.DataFrame(
        {
            "segment": range(len(SEGMENTS)),
            "segment_key": [s.key for s in SEGMENTS],
            "segment_name": [s.name for s in SEGMENTS],
            "project_type": [s.project_type for s in SEGMENTS],
            "class_code": [s.class_code for s in SEGMENTS],
            "regime": [s.regime for s in SEGMENTS],
            "segment_channel": [s.channel for s in SEGMENTS],
            "supervisor": [s.supervisor for s in SEGMENTS],
        }
    )
    lots = lots.merge(facts, on="segment").sort_values("lot")
    lots["method_text"] = lots["rule"].map({rule.id: rule.method_text for rule in opening.rules().values()})
    bids = bids.assign(
        rank=bids["rank"].where(bids["rank"] > 0),
        **{c: bids[c].round(2) for c in ("price_score", "other_score", "score")},
    )
    chosen = chosen.assign(lot=lots["lot"].to_numpy()[chosen["lot_row"]])
    for name, frame in (
        ("lot_rows", lots),
        ("bid_rows", bids),
        ("rigged_rows", chosen),
        ("link_rows", links),
    ):
        con.register(name, frame)
    con.execute((HERE / "period.sql").read_text(encoding="utf-8"))
    for name in ("lot_rows", "bid_rows", "rigged_rows", "link_rows"):
        con.unregister(name)
