"""The search over a snapshot: its rings as tables of schema ``risk``, with what speaks for each and what would clear it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd

from detectors.interface import SEPARATOR
from detectors.registry import Loaded
from pipelines.duck import DuckDBEngine
from pipelines.rings import DESK_Q, LIST_Q, innocence
from pipelines.rings.content import tie_events
from pipelines.rings.finding import Found, board_of, false_share, find
from pipelines.rings.market import Market, kinds_of_ties, read
from pipelines.rings.scoring import Board, Pool
from pipelines.rings.search import LEAST_SCORE, Group

#: Of the decoys: the same snapshot gives the same rings on every machine.
SEED = 1

#: What the evidence of prices is called beside the kinds of ties.
PRICES = "prices"

#: Digits of a score in nats, so that a sum in another order is the same text.
DIGITS = 2

TABLES = """
CREATE OR REPLACE TABLE risk.rings (
    ring INTEGER, score DOUBLE, q DOUBLE, by_price DOUBLE, by_ties DOUBLE, firms INTEGER, lots INTEGER,
    parts VARCHAR, clears VARCHAR, checks VARCHAR
);
CREATE OR REPLACE TABLE risk.ring_firms (
    ring INTEGER, party_id VARCHAR, is_core BOOLEAN, lots INTEGER, tied_lots INTEGER
);
CREATE OR REPLACE TABLE risk.ring_lots (ring INTEGER, lot_id VARCHAR, members INTEGER, kinds VARCHAR);
CREATE OR REPLACE TABLE risk.ring_search (seed INTEGER, decoys INTEGER, decoy_scores VARCHAR, least_score DOUBLE);
"""


def search(con: duckdb.DuckDBPyConnection, detectors: Sequence[Loaded]) -> int:
    """Search a screened snapshot for rings and store them; return how many are kept.

    ``risk.rings``: one row per ring, the strongest first (``ring`` counts from 1): score in nats; ``q``, the expected false
    share of the list down to it; what prices and ties give; ``parts``, the score without each kind of evidence;
    ``clears``, the fewest kinds without which the ring would not be on the list; ``checks``, innocent explanations with
    what was counted. ``risk.ring_firms``, ``risk.ring_lots``: who and where, with the kinds of ties (joined by ``;``).
    ``risk.ring_search``: the decoys.
    """
    con.execute(TABLES)
    market = read(DuckDBEngine(con), kinds_of_ties(detectors))
    found = find(market, SEED) if len(market.lot_id) else Found((), (), 0, ())
    rings = [(group, q) for group, q in zip(found.groups, found.q, strict=True) if q <= DESK_Q]
    con.execute(
        "INSERT INTO risk.ring_search VALUES (?, ?, ?, ?)",
        [
            SEED,
            found.decoys,
            json.dumps([round(each, DIGITS) for each in found.decoy_scores]),
            least_score(found),
        ],
    )
    if not rings:
        return 0
    firms, lots = _firms(market, rings), _lots(market, rings)
    for name, frame in (("risk.ring_firms", firms), ("risk.ring_lots", lots)):
        con.register("found", frame)
        con.execute(f"INSERT INTO {name} SELECT * FROM found ORDER BY ALL")
        con.unregister("found")
    checks = innocence.checks(con)
    needed, used = least_score(found), np.zeros(len(market.lot_id), bool)
    board = board_of(market)
    for place, (group, q) in enumerate(rings, 1):
        left = board.without(used)
        whole, without = _without_each(left, group)
        clears = _clearing(left, group, without, max(needed, LEAST_SCORE))
        used[list(group.lots)] = True
        con.execute(
            "INSERT INTO risk.rings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                place,
                round(group.score, DIGITS),
                round(q, 4),
                round(whole["price"], DIGITS),
                round(whole["ties"], DIGITS),
                len(group.firms) + len(group.joined),
                len(group.lots),
                json.dumps({kind: round(score, DIGITS) for kind, score in without.items()}),
                json.dumps(clears),
                json.dumps(checks[place], ensure_ascii=False),
            ],
        )
    return len(rings)


def least_score(found: Found) -> float:
    """Return the score that a single ring would need to stand on the list: more than `LIST_Q` of the decoys reach it."""
    asked = sorted({round(score, DIGITS) for score in found.decoy_scores}, reverse=True)
    least = 0.0
    for score in asked:
        share = false_share([Group((), score + 10**-DIGITS)], np.array(found.decoy_scores), found.decoys)
        if share[0] > LIST_Q:
            break
        least = score
    return least


def _without_each(board: Board, group: Group) -> tuple[dict[str, float], dict[str, float]]:
    """Return what prices and ties give a ring, and its score without prices and without each kind of tie.

    Args:
        board: without the lots that stronger rings explain.
        group: the ring.
    """
    market = board.market
    whole = _parts(board, group)
    present = np.unique(market.tie_kind[np.isin(market.tie_lot, np.array(group.lots))])
    without = {PRICES: whole["score"] - whole["price"]}
    for kind in present.tolist():
        without[market.kinds[kind]] = _parts(_lacking(board, [kind]), group)["score"]
    return whole, dict(sorted(without.items(), key=lambda item: (item[1], item[0])))


def _clearing(board: Board, group: Group, without: Mapping[str, float], needed: float) -> list[str]:
    """Return the kinds of evidence, those that give most first, without which the score falls below what is needed."""
    left: list[str] = []
    for kind in without:
        left.append(kind)
        kinds = [board.market.kinds.index(each) for each in left if each != PRICES]
        parts = _parts(_lacking(board, kinds), group)
        if parts["score"] - (parts["price"] if PRICES in left else 0) <= needed:
            break
    return left


def _lacking(board: Board, kinds: Sequence[int]) -> Board:
    """Return the board without some kinds of ties."""
    less = board.market.keeping(~np.isin(board.market.tie_kind, kinds))
    return board.holding(replace(board.content, ties=tie_events(less)))


def _parts(board: Board, group: Group) -> dict[str, float]:
    pool = Pool.of(board, np.array(group.firms))
    everybody = np.ones((1, len(pool.firms)), bool)
    parts = pool.parts(everybody)
    return {
        "score": float(pool.score(everybody, parts)[0]),
        "price": float(parts["price"][0]),
        "ties": float(parts["ties"][0]),
    }


def _firms(market: Market, rings: Sequence[tuple[Group, float]]) -> pd.DataFrame:
    rows = []
    tied = np.zeros(len(market.lot), bool)
    tied[market.tied_bid] = True
    for place, (group, _) in enumerate(rings, 1):
        inside = np.isin(market.lot, np.array(group.lots))
        for firm in sorted(group.firms + group.joined):
            of = inside & (market.firm == firm)
            rows.append(
                (place, market.firm_id[firm], firm in group.firms, int(of.sum()), int((of & tied).sum()))
            )
    return pd.DataFrame(rows, columns=["ring", "party_id", "is_core", "lots", "tied_lots"])


def _lots(market: Market, rings: Sequence[tuple[Group, float]]) -> pd.DataFrame:
    rows = []
    for place, (group, _) in enumerate(rings, 1):
        is_member = np.isin(market.firm, np.array(group.firms + group.joined))
        members = np.bincount(market.lot[is_member], minlength=len(market.lot_id))
        of = is_member[market.tied_bid] & np.isin(market.tie_lot[market.tied_tie], np.array(group.lots))
        tied = np.bincount(market.tied_tie[of], minlength=len(market.tie_lot)) >= 2
        for lot in group.lots:
            kinds = sorted(
                {market.kinds[kind] for kind in market.tie_kind[tied & (market.tie_lot == lot)].tolist()}
            )
            rows.append((place, market.lot_id[lot], int(members[lot]), SEPARATOR.join(kinds)))
    return pd.DataFrame(rows, columns=["ring", "lot_id", "members", "kinds"])
