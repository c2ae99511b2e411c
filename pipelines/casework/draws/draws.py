"""The draw of a plan (双随机) and the commitment before it. What follows is in `inspections`.

Commitment: the pools are frozen to bytes and the seed is fixed. Their hashes go into the audit log before anybody can
know who is drawn. Draw: `reports.handed_out.replay_draw`, which anybody can run again. A draw that was committed to is
drawn once.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines import audit, times
from pipelines.casework.acts import Act, once
from pipelines.casework.draws import conflicts, pools
from pipelines.casework.draws.plans import plan_of, require, states
from pipelines.store import Store
from reports.canonical_json import canonical_json
from reports.handed_out import replay_draw
from reports.handed_out.replay_draw import ALGORITHM, INPUTS, SEPARATOR

#: Bytes of a seed: as many as the hash has, so that nobody can find it from its hash.
SEED_BYTES = 32


def commit(store: Store, act: Act, id: str, seed: bytes | None = None) -> str:
    """Freeze the pools, fix the seed, and put their hashes into the audit log.

    Args:
        store: the control store.
        act: who, when.
        id: of the plan.
        seed: 32 bytes, for tests; None: from the system's random source.

    Returns:
        SHA-256 of ``commitment.json``, to be announced before the draw.

    Raises:
        ValueError: it was committed before, another draw of the item waits, the pools are empty, a class
            has no rate, or an object has too few officers.
    """

    def do(con: sqlite3.Connection) -> str:
        document = require(con, id, "planned")
        waiting = [
            other
            for other, state in states(con).items()
            if state == "committed" and plan_of(con, other)["item"] == document["item"]
        ]
        if waiting:
            raise ValueError(f"{waiting[0]} of the same item waits to be drawn: run it, or give it up first")
        frozen = freeze(con, document)
        tables = {name: replay_draw.read_table(name, frozen[name]) for name in INPUTS if name != "plan.json"}
        if not tables["objects.csv"]:
            raise ValueError(f"no object of {'、'.join(document['fields'])} stands in the pool")
        replay_draw.check_officers(replay_draw.read_plan(frozen["plan.json"]), tables)
        secret = secrets.token_bytes(SEED_BYTES) if seed is None else seed
        promise = {
            "algorithm": ALGORITHM,
            "draw": id,
            "committed_at": act.at,
            "given_up": _given_up(con, document),
            "seed_sha256": hashlib.sha256(secret).hexdigest(),
            "files": {name: replay_draw.sums(content) for name, content in sorted(frozen.items())},
        }
        content = canonical_json(promise).encode() + b"\n"
        announced = hashlib.sha256(content).hexdigest()
        con.execute(
            "INSERT INTO draw_commitment (draw, seed, seed_sha256, commitment_sha256, at, actor)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (id, secret.hex(), promise["seed_sha256"], announced, act.at, act.actor),
        )
        _keep(con, id, {**frozen, "commitment.json": content})
        audit.append(
            con,
            at=act.at,
            actor=act.actor,
            verb="draw_committed",
            subject=id,
            **promise | {"draw": id},
            commitment_sha256=announced,
        )
        return announced

    return once(store, act, "draw_commit", id, {}, do)


def freeze(con: sqlite3.Connection, document: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files that a draw is made from, as the pools stand now; rows by id."""
    fields = set(document["fields"])
    objects = [o for o in pools.standing(con, pools.OBJECTS) if o["field"] in fields]
    officers = [o for o in pools.standing(con, pools.OFFICERS) if fields & set(o["fields"].split(SEPARATOR))]
    here = {o["object_id"] for o in objects}
    known = {o["officer_id"] for o in officers}
    barred = [
        {"officer_id": officer, "object_id": thing}
        for officer, thing in sorted(conflicts.standing(con))
        if officer in known and thing in here
    ]
    excluded = [row for row in drawn_before(con, document) if row["object_id"] in here]
    tables: dict[str, Sequence[Mapping[str, str]]] = {
        "objects.csv": [pools.published(o) for o in objects],
        "officers.csv": [pools.published(o) for o in officers],
        "conflicts.csv": barred,
        "excluded.csv": excluded,
    }
    files = {name: replay_draw.table_bytes(name, rows) for name, rows in tables.items()}
    return {"plan.json": canonical_json(document).encode() + b"\n", **files}


def drawn_before(con: sqlite3.Connection, document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the objects that were drawn for the same item in the period, by id, with their last draw.

    Objects that a person added do not count: adding an object to one draw does not take it out of the next.
    """
    first, last = document["period"]
    rows = con.execute(
        "SELECT p.object_id, p.draw, r.at, d.plan FROM draw_pick AS p JOIN draw_run AS r ON r.draw = p.draw"
        " JOIN draw AS d ON d.id = p.draw WHERE p.arm <> 'manual' AND p.carried_from IS NULL ORDER BY r.at, p.draw"
    ).fetchall()
    found = {
        row["object_id"]: {
            "object_id": row["object_id"],
            "drawn_in": row["draw"],
            "drawn_on": times.day_of(row["at"]).isoformat(),
        }
        for row in rows
        if first <= times.day_of(row["at"]).isoformat() <= last
        and json.loads(row["plan"])["item"] == document["item"]
    }
    return [found[id] for id in sorted(found)]


def run(store: Store, act: Act, id: str, beacon: str = "") -> str:
    """Draw, once, and publish the seed in the audit log.

    Args:
        store: the control store.
        act: who, when.
        id: of the plan.
        beacon: value of the public source that the plan names, as it became known.

    Returns:
        SHA-256 of ``drawn.csv``.

    Raises:
        ValueError: there is no commitment, it was drawn before, the frozen files are not those that were
            committed to, or the public value is missing.
    """
    beacon = beacon.strip()

    def do(con: sqlite3.Connection) -> str:
        document = require(con, id, "committed")
        kept = files(con, id)
        (commitment,) = con.execute("SELECT * FROM draw_commitment WHERE draw = ?", (id,)).fetchall()
        promise = _promise(con, id, kept, commitment)
        for name in INPUTS:
            if replay_draw.sums(kept[name]) != promise["files"][name]:
                raise ValueError(f"{id}: {name} was changed after the commitment; the draw is refused")
        seed = bytes.fromhex(commitment["seed"])
        if hashlib.sha256(seed).hexdigest() != promise["seed_sha256"]:
            raise ValueError(f"{id}: the seed was changed after the commitment; the draw is refused")
        drawn = replay_draw.results(kept, seed, beacon)
        con.execute(
            "INSERT INTO draw_run (draw, beacon, at, actor) VALUES (?, ?, ?, ?)",
            (id, beacon, act.at, act.actor),
        )
        _keep(con, id, drawn)
        for row in replay_draw.read_table("drawn.csv", drawn["drawn.csv"]):
            is_risk, is_random = bool(row["risk_ticket"]), bool(row["random_ticket"])
            arm = "both" if is_risk and is_random else "risk" if is_risk else "random"
            put_on_list(con, id, row["object_id"], arm, act, carried_from=row["carried_from"] or None)
            assign_officers(
                con, id, row["object_id"], [o for o in row["officers"].split(SEPARATOR) if o], act
            )
        result = hashlib.sha256(drawn["drawn.csv"]).hexdigest()
        audit.append(
            con,
            at=act.at,
            actor=act.actor,
            verb="draw_drawn",
            subject=id,
            seed=commitment["seed"],
            item=document["item"],
            drawn_sha256=result,
        )
        return result

    return once(store, act, "draw_run", id, {"beacon": beacon}, do)


def files(con: sqlite3.Connection, id: str) -> dict[str, bytes]:
    """Return the files that a draw has so far: name -> bytes."""
    rows = con.execute("SELECT name, content FROM draw_file WHERE draw = ? ORDER BY name", (id,)).fetchall()
    return {row["name"]: row["content"] for row in rows}


def _given_up(con: sqlite3.Connection, document: Mapping[str, Any]) -> list[str]:
    """Return the draws of the same item and year that were committed to and given up. A reader should ask why."""
    rows = con.execute(
        "SELECT d.id, d.plan FROM draw AS d JOIN draw_void AS v ON v.draw = d.id"
        " JOIN draw_commitment AS c ON c.draw = d.id ORDER BY d.id"
    ).fetchall()
    plans = {row["id"]: json.loads(row["plan"]) for row in rows}
    same = ("item", "year")
    return [id for id, other in plans.items() if all(other[name] == document[name] for name in same)]


def _promise(
    con: sqlite3.Connection, id: str, kept: Mapping[str, bytes], commitment: sqlite3.Row
) -> dict[str, Any]:
    """Return the commitment, if it is the one that the audit log has."""
    content = kept["commitment.json"]
    logged = [
        json.loads(row["body"])["commitment_sha256"]
        for row in con.execute(
            'SELECT body FROM audit WHERE body LIKE \'%"verb":"draw_committed"%\''
        ).fetchall()
        if json.loads(row["body"])["object"] == id
    ]
    if {hashlib.sha256(content).hexdigest(), commitment["commitment_sha256"], *logged} != set(logged[:1]):
        raise ValueError(f"{id}: the commitment is not the one in the audit log; the draw is refused")
    return dict(json.loads(content))


def _keep(con: sqlite3.Connection, id: str, contents: Mapping[str, bytes]) -> None:
    con.executemany(
        "INSERT INTO draw_file (draw, name, content) VALUES (?, ?, ?)",
        [(id, name, content) for name, content in contents.items()],
    )


def put_on_list(
    con: sqlite3.Connection,
    id: str,
    object_id: str,
    arm: str,
    act: Act,
    *,
    carried_from: str | None = None,
    reason: str = "",
) -> None:
    """Put an object on a list, inside the caller's transaction."""
    con.execute(
        "INSERT INTO draw_pick (draw, object_id, arm, carried_from, reason, at, actor) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (id, object_id, arm, carried_from, reason, act.at, act.actor),
    )


def assign_officers(con: sqlite3.Connection, id: str, object_id: str, team: Sequence[str], act: Act) -> None:
    """Assign officers to an object, inside the caller's transaction."""
    con.executemany(
        "INSERT INTO draw_officer (draw, object_id, officer_id, since) VALUES (?, ?, ?, ?)",
        [(id, object_id, officer, act.at) for officer in team],
    )
