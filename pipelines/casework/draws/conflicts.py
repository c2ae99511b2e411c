"""Officers who must stay away from an object of inspection (回避), and on which ground."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from pipelines.casework.acts import Act, once
from pipelines.casework.draws import pools
from pipelines.casework.draws.pools import OBJECTS, OFFICERS
from pipelines.store import Store

#: Why an officer stays away from an object. Codes and no free text: the grounds are personal.
GROUNDS_ZH: Mapping[str, str] = {
    "relative": "近亲属关系",
    "interest": "利害关系",
    "former_post": "曾任职",
    "earlier_handling": "曾经办该事项",
    "own_request": "本人申请回避",
    "other": "其他可能影响公正的关系",
}


def add(store: Store, act: Act, officer_id: str, object_id: str, ground: str) -> str:
    """Write down that an officer must not inspect an object (回避).

    Raises:
        ValueError: the ground is unknown, one of both is in no pool, or the conflict stands already.
    """
    if ground not in GROUNDS_ZH:
        listed = ", ".join(f"{code} {zh}" for code, zh in GROUNDS_ZH.items())
        raise ValueError(f"{ground!r} is no ground; choose one of {listed}")
    subject = f"{officer_id} {object_id}"

    def do(con: sqlite3.Connection) -> str:
        for pool, id in ((OFFICERS, officer_id), (OBJECTS, object_id)):
            if not pools.standing(con, pool, ids=[id]):
                raise ValueError(f"{id} does not stand in the pool ({pool.title_zh})")
        if (officer_id, object_id) in standing(con):
            raise ValueError(f"{officer_id} stays away from {object_id} already")
        con.execute(
            "INSERT INTO officer_conflict (officer_id, object_id, ground, since, since_by) VALUES (?, ?, ?, ?, ?)",
            (officer_id, object_id, ground, act.at, act.actor),
        )
        return subject

    return once(store, act, "conflict_add", subject, {"ground": ground}, do)


def end(store: Store, act: Act, officer_id: str, object_id: str) -> str:
    """Write down that a conflict has ended.

    Raises:
        ValueError: no reason, or no such conflict stands.
    """
    if not act.reason.strip():
        raise ValueError("ending a conflict needs a reason: --reason TEXT")

    def do(con: sqlite3.Connection) -> str:
        ended = con.execute(
            "UPDATE officer_conflict SET until = ?, until_by = ?, until_reason = ?"
            " WHERE officer_id = ? AND object_id = ? AND until IS NULL",
            (act.at, act.actor, act.reason, officer_id, object_id),
        )
        if not ended.rowcount:
            raise ValueError(f"no conflict between {officer_id} and {object_id} stands")
        return f"{officer_id} {object_id}"

    return once(store, act, "conflict_end", f"{officer_id} {object_id}", {}, do)


def standing(con: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """Return (officer id, object id) -> ground of every conflict that stands."""
    rows = con.execute(
        "SELECT officer_id, object_id, ground FROM officer_conflict WHERE until IS NULL ORDER BY 1, 2"
    ).fetchall()
    return {(row["officer_id"], row["object_id"]): row["ground"] for row in rows}
