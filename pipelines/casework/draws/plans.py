"""Plans of inspection draws (抽查计划): what is drawn, from which fields, at which rates, and how far each plan has come.

A plan that is given up stays on record, with its commitment.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from pipelines.casework.acts import Act, once
from pipelines.casework.draws.inspection_rates import Rates
from pipelines.store import Store
from reports.canonical_json import canonical_json
from reports.handed_out.replay_draw import ALGORITHM, DIMENSIONS, SEPARATOR

METHODS_ZH = ("网络监测", "书面检查", "实地核查", "委托专业机构检查")  # notice, article 7

#: What can become of a plan.
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


def add(store: Store, act: Act, plan: InspectionPlan) -> str:
    """Write a plan down and return its id (抽查计划编号), such as ``SJ2026-003``."""

    def do(con: sqlite3.Connection) -> str:
        before = con.execute("SELECT count(*) FROM draw WHERE id LIKE ?", (f"SJ{plan.year}-%",)).fetchall()
        id = f"SJ{plan.year}-{before[0][0] + 1:03d}"
        document = canonical_json(plan.document(id))
        con.execute(
            "INSERT INTO draw (id, plan, at, actor) VALUES (?, ?, ?, ?)", (id, document, act.at, act.actor)
        )
        return id

    return once(store, act, "draw_plan", "", {"plan": plan.document("")}, do)


def void(store: Store, act: Act, id: str) -> str:
    """Give up a plan that was not drawn; what was committed stays on record.

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
