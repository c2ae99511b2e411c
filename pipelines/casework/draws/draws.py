"""双随机: a plan, its commitment before the draw, and the draw. What follows is in `inspections`.

Commitment: the pools are frozen to bytes and the seed is fixed; their hashes go into the audit log before anybody
can know who is drawn. Draw: `reports.handed_out.replay_draw`, which everybody can run again. A draw that was committed
to is drawn once; a plan that is given up stays on record with its commitment.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from pipelines import audit, times
from pipelines.casework.acts import Act, once
from pipelines.casework.draws import pools
from pipelines.casework.draws.inspection_rates import Rates
from pipelines.store import Store
from reports.handed_out import replay_draw
from reports.handed_out.replay_draw import ALGORITHM, DIMENSIONS, INPUTS, SEPARATOR

#: Bytes of a seed: as many as the hash has, so that nobody can find it from its hash.
SEED_BYTES = 32

METHODS_ZH = ("网络监测", "书面检查", "实地核查", "委托专业机构检查")  # notice, article 7

#: States of a draw: planned, committed, drawn, void.
STATES_ZH: Mapping[str, str] = {
    "planned": "已计划",
    "committed": "已封存",
    "drawn": "已抽取",
    "void": "已作废",
}


@dataclass(frozen=True, kw_only=True)
class InspectionPlan:
    """What is drawn: one batch of a year's inspection plan (年度抽查工作计划).

    Attributes:
        year, batch: of the plan, such as 2026 and ``1``.
        fields: 抽查领域; objects and officers of these fields take part.
        item: 抽查事项. An object that was drawn for it in the period is not drawn again.
        methods: 检查方式, from ``METHODS_ZH``.
        rates: share of every class that is drawn.
        rate_set: where the rates come from; empty: set by the plan alone.
        random: the random draw over all objects: a number (int) or a share (Fraction).
        officers_per_object: two or more.
        period: first and last day in which an object is drawn once.
        due_on: when the inspections should be done; None: not set.
        beacon: a public source, named before its value is known (a lottery draw, numbers called out in
            the meeting), whose value is mixed with the seed; empty: none.
    """

    year: int
    batch: str
    fields: tuple[str, ...]
    item: str
    methods: tuple[str, ...]
    rates: Rates
    rate_set: str
    random: int | Fraction
    officers_per_object: int = 2
    period: tuple[date, date]
    due_on: date | None = None
    beacon: str = ""

    def __post_init__(self) -> None:
        if not self.fields or not all(word.strip() and SEPARATOR not in word for word in self.fields):
            raise ValueError("a plan names its fields (抽查领域)")
        if not self.item.strip() or not self.batch.strip():
            raise ValueError("a plan names its batch (批次) and its item (抽查事项)")
        if unknown := set(self.methods) - set(METHODS_ZH):
            raise ValueError(
                f"{min(unknown)!r} is no method of inspection; choose from {'、'.join(METHODS_ZH)}"
            )
        if self.officers_per_object < 2:
            raise ValueError("at least two officers inspect an object (执法人员不得少于两人)")
        if self.random <= 0 or (isinstance(self.random, Fraction) and self.random > 1):
            raise ValueError("the random draw needs a number of at least 1, or a share above 0 and up to 1")
        if self.period[0] > self.period[1]:
            raise ValueError(f"the period ends on {self.period[1]}, before it begins on {self.period[0]}")

    def document(self, id: str) -> dict[str, Any]:
        """Return the plan as it is published; shares are exact fractions."""
        drawn = {"number": self.random} if isinstance(self.random, int) else {"rate": str(self.random)}
        return {
            "algorithm": ALGORITHM,
            "draw": id,
            "year": self.year,
            "batch": self.batch,
            "fields": list(self.fields),
            "item": self.item,
            "methods": list(self.methods),
            "rate_set": self.rate_set,
            "rates": {d: {name: str(rate) for name, rate in self.rates[d].items()} for d in DIMENSIONS},
            "random": drawn,
            "officers_per_object": self.officers_per_object,
            "period": [day.isoformat() for day in self.period],
            "due_on": self.due_on.isoformat() if self.due_on else "",
            "beacon": self.beacon,
        }


def plan(store: Store, act: Act, wanted: InspectionPlan) -> str:
    """Write a plan down. Returns its id (抽查计划编号), such as ``SJ2026-003``."""

    def do(con: sqlite3.Connection) -> str:
        before = con.execute("SELECT count(*) FROM draw WHERE id LIKE ?", (f"SJ{wanted.year}-%",)).fetchall()
        id = f"SJ{wanted.year}-{before[0][0] + 1:03d}"
        document = audit.canonical(wanted.document(id))
        con.execute(
            "INSERT INTO draw (id, plan, at, actor) VALUES (?, ?, ?, ?)", (id, document, act.at, act.actor)
        )
        return id

    return once(store, act, "draw_plan", "", {"plan": wanted.document("")}, do)


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
        content = audit.canonical(promise).encode() + b"\n"
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
    conflicts = [
        {"officer_id": officer, "object_id": thing}
        for officer, thing in sorted(pools.conflicts(con))
        if officer in known and thing in here
    ]
    excluded = [row for row in drawn_before(con, document) if row["object_id"] in here]
    tables: dict[str, Sequence[Mapping[str, str]]] = {
        "objects.csv": [pools.published(o) for o in objects],
        "officers.csv": [pools.published(o) for o in officers],
        "conflicts.csv": conflicts,
        "excluded.csv": excluded,
    }
    files = {name: replay_draw.table_bytes(name, rows) for name, rows in tables.items()}
    return {"plan.json": audit.canonical(document).encode() + b"\n", **files}


def drawn_before(con: sqlite3.Connection, document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the objects that were drawn for the same item in the period, by id, with the last draw.

    Objects that a person added do not count: nobody is taken out of a draw by adding him to another.
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
            pick(con, id, row["object_id"], arm, act, carried_from=row["carried_from"] or None)
            send(con, id, row["object_id"], [o for o in row["officers"].split(SEPARATOR) if o], act)
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


def void(store: Store, act: Act, id: str) -> str:
    """Give a plan up that was not drawn; what was committed stays on record.

    Raises:
        ValueError: no reason, or it was drawn.
    """
    if not act.reason.strip():
        raise ValueError("giving a plan up needs a reason: --reason TEXT")

    def do(con: sqlite3.Connection) -> str:
        require(con, id, "planned", "committed")
        con.execute(
            "INSERT INTO draw_void (draw, reason, at, actor) VALUES (?, ?, ?, ?)",
            (id, act.reason, act.at, act.actor),
        )
        return id

    return once(store, act, "draw_void", id, {}, do)


def states(con: sqlite3.Connection) -> dict[str, str]:
    """Return the state of every draw, by id."""
    rows = con.execute(
        "SELECT id, CASE WHEN v.draw IS NOT NULL THEN 'void' WHEN r.draw IS NOT NULL THEN 'drawn'"
        " WHEN c.draw IS NOT NULL THEN 'committed' ELSE 'planned' END AS state"
        " FROM draw LEFT JOIN draw_void AS v ON v.draw = id LEFT JOIN draw_run AS r ON r.draw = id"
        " LEFT JOIN draw_commitment AS c ON c.draw = id ORDER BY id"
    ).fetchall()
    return {row["id"]: row["state"] for row in rows}


def require(con: sqlite3.Connection, id: str, *wanted: str) -> dict[str, Any]:
    """Return the plan of a draw that is in one of these states.

    Raises:
        ValueError: there is none, or it is in another state.
    """
    state = states(con).get(id)
    if state is None:
        raise ValueError(f"no draw {id}; `bidwatch draw list` shows them")
    if state not in wanted:
        raise ValueError(f"{id} is {state} ({STATES_ZH[state]}); this step needs {' or '.join(wanted)}")
    return plan_of(con, id)


def plan_of(con: sqlite3.Connection, id: str) -> dict[str, Any]:
    """Return the plan of a draw as it is published."""
    ((text,),) = con.execute("SELECT plan FROM draw WHERE id = ?", (id,)).fetchall()
    return dict(json.loads(text))


def files(con: sqlite3.Connection, id: str) -> dict[str, bytes]:
    """Return the files that a draw has so far: name -> bytes."""
    rows = con.execute("SELECT name, content FROM draw_file WHERE draw = ? ORDER BY name", (id,)).fetchall()
    return {row["name"]: row["content"] for row in rows}


def _given_up(con: sqlite3.Connection, document: Mapping[str, Any]) -> list[str]:
    """Return the draws of the year's item that were committed to and not drawn: a reader should ask why."""
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


def pick(
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


def send(con: sqlite3.Connection, id: str, object_id: str, team: Sequence[str], act: Act) -> None:
    """Give an object officers, inside the caller's transaction."""
    con.executemany(
        "INSERT INTO draw_officer (draw, object_id, officer_id, since) VALUES (?, ?, ?, ?)",
        [(id, object_id, officer, act.at) for officer in team],
    )
