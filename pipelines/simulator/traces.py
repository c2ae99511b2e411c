"""What every bid leaves behind: people, computers, accounts, times; and what careless rings share.

People, computers, dongles, accounts and addresses are numbers (`world.sql`, `identity.sql`). Those of a firm
follow from its number; those of rings and third parties stand in ranges of their own.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipelines.simulator.bidding import row_of
from pipelines.simulator.market import DAY
from pipelines.simulator.population import PEOPLE_OF_A_FIRM, Population
from pipelines.simulator.rings import Rings
from pipelines.simulator.segments import SEGMENTS

COMPUTERS_OF_A_FIRM = 4
DONGLES_OF_A_FIRM = 2
FIRST_RING_PERSON = 14_000_000  # below them are the firms' people, from 15,000,000 on the experts
FIRST_RING_COMPUTER = FIRST_RING_DONGLE = FIRST_RING_ACCOUNT = 1 << 30
FIRST_RING_ADDRESS = 70_000
HOUSING = ("A01", "A02", "A98")  # the project types whose system names the authorised agent
HOUR = 3600


def honest_traces(people: Population, period: int, lots: pd.DataFrame, bids: pd.DataFrame) -> pd.DataFrame:
    """Return the bids with traces that each firm leaves by itself."""
    rng = people.streams.of("traces", period)
    row, firm, count = row_of(lots, bids), bids["firm"].to_numpy(), len(bids)
    person, computer = firm * PEOPLE_OF_A_FIRM, firm * COMPUTERS_OF_A_FIRM
    facts = lots[["opening", "published"]].to_numpy()[row]
    opening, published = facts.T
    manager, operator, agent = (rng.integers(0, n, count) for n in (5, 2, 3))
    purchased = published + (rng.random(count) * np.maximum(opening - published - 6 * DAY, DAY)).astype(
        np.int64
    )
    # Half come days before, half in the last day, many of them in the last hours.
    lead = np.where(
        rng.random(count) < 0.5, rng.exponential(60 * HOUR, count), rng.exponential(10 * HOUR, count)
    )
    lead = np.clip(lead, 120, 10 * DAY).astype(np.int64)
    deposited = opening - lead - (rng.uniform(0.5, 4, count) * DAY).astype(np.int64)
    by_guarantee = rng.random(count) < 0.35
    return bids.assign(
        duration_days=(rng.integers(4, 19, len(lots)) * 30)[row],
        submitted=opening - lead,
        purchased=purchased,
        deposited=np.maximum(deposited, purchased + HOUR),
        manager=person + 1 + manager,
        leader=person + 6 + rng.integers(0, 2, count),
        operator=person + 8 + operator,
        agent=person + 10 + agent,
        operator_phone=person + 8 + operator,
        agent_phone=person + 10 + agent,
        deposit_form=np.where(by_guarantee, "电子保函", "转账"),
        account=np.where(by_guarantee, -2, firm),
        edit_machine=computer,
        upload_machine=computer + rng.integers(0, 2, count),
        pricing_machine=computer,
        dongle=firm * DONGLES_OF_A_FIRM + (rng.random(count) < 0.2),
        ip=firm,
        is_on_site=False,
        file_id=lots["lot"].to_numpy()[row].astype(np.int64) * 4096 + _inside(row),
        has_buyers_entry=False,
    )


def ring_traces(
    rings: Rings, period: int, lots: pd.DataFrame, bids: pd.DataFrame, chosen: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the bids with what their rings leaked, and the links: one row a (lot, what, firm).

    A kind of evidence of the ring shows in ``leak_share`` of its lots, on all its seats there, and only where
    the centre would see it: no electronic traces before electronic bidding, no agent outside housing.
    """
    rng = rings.market.population.streams.of("leaks", period)
    bids = _late_uploads(rng, lots, bids, chosen)
    acted = chosen[~chosen["is_forgone"]]
    left = acted[["lot_row", "ring", "leak_share", "evidence"]].explode("evidence").dropna(subset="evidence")
    left = left[rng.random(len(left)) < left["leak_share"]]
    seats = bids.loc[bids["seat"].ge(0), ["lot", "firm", "ring"]].reset_index(names="bid")
    seats["lot_row"] = row_of(lots, seats)
    seats = seats[seats.groupby("lot_row")["firm"].transform("size") > 1]
    left = left.merge(seats.drop(columns="ring"), on="lot_row")
    traced = lots["has_traces"].to_numpy()[left["lot_row"]]
    segment = lots["segment"].to_numpy()[left["lot_row"]]
    is_works = np.isin(segment, [i for i, s in enumerate(SEGMENTS) if s.regime == "construction"])
    is_housing = np.isin(segment, [i for i, s in enumerate(SEGMENTS) if s.project_type in HOUSING])
    kind = left["evidence"]
    seen = np.select(
        [
            kind.eq("same_agent"),
            kind.isin(["project_manager", "same_operator", "contact_phone", "upload_minutes"]),
            kind.eq("ownership"),
        ],
        [is_housing, is_works, True],
        traced,
    ).astype(bool)
    left = left[seen]
    ring, place = left["ring"].to_numpy(), left["bid"].to_numpy()
    shared: dict[str, dict[str, np.ndarray]] = {
        "edit_hardware": {"edit_machine": FIRST_RING_COMPUTER + ring * 2},
        "upload_hardware": {"upload_machine": FIRST_RING_COMPUTER + ring * 2 + 1},
        "pricing_dongle": {"dongle": FIRST_RING_DONGLE + ring},
        "deposit_account": {"account": FIRST_RING_ACCOUNT + ring},
        "project_manager": {"manager": FIRST_RING_PERSON + ring * 8},
        "same_agent": {
            "agent": FIRST_RING_PERSON + ring * 8 + 1,
            "agent_phone": FIRST_RING_PERSON + ring * 8 + 1,
        },
        "same_operator": {
            "operator": FIRST_RING_PERSON + ring * 8 + 2,
            "operator_phone": FIRST_RING_PERSON + ring * 8 + 2,
        },
        "contact_phone": {"operator_phone": FIRST_RING_PERSON + ring * 8 + 3},
        "file_creation_id": {"file_id": (ring + 1) << 40},
        "same_ip": {"ip": FIRST_RING_ADDRESS + ring},
    }
    for what, columns in shared.items():
        here = kind[left.index].eq(what).to_numpy()
        for column, values in columns.items():
            bids.loc[place[here], column] = values[here]
    paid = place[left["evidence"].eq("deposit_account")]
    bids.loc[paid, "deposit_form"] = "转账"
    together = left[left["evidence"].eq("upload_minutes")]
    first = together.groupby("lot_row")["bid"].transform("first")
    moment = bids["submitted"].to_numpy()[first] + together.groupby("lot_row").cumcount() * 17
    opening = lots["opening"].to_numpy()[together["lot_row"]]
    bids.loc[together["bid"], "submitted"] = np.minimum(moment, opening - 30).to_numpy()
    links = left[["lot", "evidence", "ring", "firm"]].rename(columns={"evidence": "what"})
    return bids, links.assign(is_innocent=False, note="")


def _late_uploads(
    rng: np.random.Generator, lots: pd.DataFrame, bids: pd.DataFrame, chosen: pd.DataFrame
) -> pd.DataFrame:
    """Let the firm that was told its rivals' prices upload after all of them."""
    late = chosen.loc[chosen["tactic"].eq("late_just_below") & ~chosen["is_forgone"], "lot_row"]
    row = row_of(lots, bids)
    knows = np.isin(row, late) & bids["seat"].eq(0).to_numpy()
    if knows.any():
        last = pd.Series(np.where(knows, 0, bids["submitted"])).groupby(row).max()
        opening = lots["opening"].to_numpy()[row[knows]]
        gap = opening - last[row[knows]].to_numpy()
        bids.loc[knows, "submitted"] = opening - np.maximum(
            gap * rng.uniform(0.1, 0.6, int(knows.sum())), 20
        ).astype(np.int64)
    return bids


def _inside(row: np.ndarray) -> np.ndarray:
    """Return the place of every bid inside its lot (the bids stand lot by lot)."""
    starts = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else np.empty(0, int)
    return np.asarray(np.arange(len(row)) - np.repeat(starts, np.diff(np.r_[starts, len(row)])))
