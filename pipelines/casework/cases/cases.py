"""Steps of people on cases: who moved which case, when, why, and on which evidence.

A step is one transaction: state, decision, clocks and audit entry are written together or not at all.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from pipelines.casework.acts import Act, once
from pipelines.casework.cases.states import AT_REST, DISMISSALS_ZH, CaseState, step_of
from pipelines.store import Store
from reports.canonical_json import canonical_json

#: What else a step does: it gets the connection inside the transaction and the case as it was.
Also = Callable[[sqlite3.Connection, "Case"], None]


@dataclass(frozen=True)
class Case:
    """One case as it stands. ``origin``: who brought it; ``revisit_on``: ISO date on which to look again after a dismissal."""

    id: str
    scope: str
    state: CaseState
    rev: int
    origin: str
    owner: str | None
    merged_into: str | None
    revisit_on: str | None


def case_of(con: sqlite3.Connection, id: str) -> Case:
    """Return a case.

    Raises:
        ValueError: there is none of this id.
    """
    rows = con.execute(
        "SELECT id, scope, state, rev, origin, owner, merged_into, revisit_on FROM case_ WHERE id = ?", (id,)
    ).fetchall()
    if not rows:
        raise ValueError(f"no case {id}; `bidwatch review list` shows the cases")
    values = dict(rows[0])
    return Case(**values | {"state": CaseState(values["state"])})


def move(
    store: Store,
    act: Act,
    case_id: str,
    verb: str,
    given: Mapping[str, str],
    *,
    rev: int | None = None,
    also: Also | None = None,
) -> str:
    """Do one step on a case.

    Args:
        store: the control store.
        act: who, when, why.
        case_id: the case.
        verb: the step, one of `states.STEPS`.
        given: what is said with it, by the names in `CaseStep.needs` (the reason is the act's).
        rev: the revision that the person saw; the step is refused if somebody was faster.
        also: what else belongs to the step.

    Returns:
        The new state.

    Raises:
        ValueError: the step is not possible now, something that it needs is missing, or the case was changed or merged
            in the meantime.
    """

    def do(con: sqlite3.Connection) -> str:
        case = _open(con, case_id, rev)
        step = step_of(case.state, verb)
        said = {**given, "reason": act.reason}
        if missing := [need for need in step.needs if not said.get(need, "").strip()]:
            raise ValueError(f"{verb} ({step.zh}) needs: {', '.join(missing)}")
        _check(given, act)
        _write(con, act, case, verb, step.after, given)
        owner = act.actor if step.after is CaseState.REVIEWING else case.owner
        con.execute(
            "UPDATE case_ SET state = ?, rev = rev + 1, owner = ?, revisit_on = ? WHERE id = ?",
            (step.after, owner, given.get("revisit on"), case_id),
        )
        if also is not None:
            also(con, case)
        return str(step.after)

    return once(store, act, verb, case_id, {"rev": rev, "given": dict(given)}, do)


def assign(store: Store, act: Act, case_id: str, owner: str) -> str:
    """Give a case to somebody; the state stays."""

    def do(con: sqlite3.Connection) -> str:
        case = _open(con, case_id, None)
        if case.state in AT_REST:
            raise ValueError(f"{case_id} is at rest ({case.state}); `review reopen` takes it up again")
        if not owner.strip():
            raise ValueError("name the person who gets the case: --to NAME")
        _write(con, act, case, "assign", case.state, {"to": owner})
        con.execute("UPDATE case_ SET owner = ?, rev = rev + 1 WHERE id = ?", (owner, case_id))
        return owner

    return once(store, act, "assign", case_id, {"to": owner}, do)


def merge(store: Store, act: Act, case_id: str, into_id: str) -> str:
    """Merge one case into another; its signals, decisions and state stay its own.

    Raises:
        ValueError: no reason is given, it is the same case, the other case is merged itself, or a referral of the case
            is under way.
    """

    def do(con: sqlite3.Connection) -> str:
        case, into = _open(con, case_id, None), _open(con, into_id, None)
        if case_id == into_id:
            raise ValueError(f"{case_id} cannot be merged with itself")
        if not act.reason.strip():
            raise ValueError("merge needs: reason")
        if case.state not in (CaseState.NEW, CaseState.REVIEWING, CaseState.WAITING, CaseState.DISMISSED):
            raise ValueError(f"{case_id} is {case.state}: only a case that is not on its way can be merged")
        inside = con.execute("SELECT id FROM case_ WHERE merged_into = ?", (case_id,)).fetchall()
        if inside:
            raise ValueError(f"{case_id} holds {inside[0]['id']}; merge that one directly")
        _write(con, act, case, "merge", case.state, {"into": into_id})
        _write(con, act, into, "join", into.state, {"joined": case_id})
        con.execute("UPDATE case_ SET merged_into = ?, rev = rev + 1 WHERE id = ?", (into_id, case_id))
        con.execute("UPDATE case_ SET rev = rev + 1 WHERE id = ?", (into_id,))
        return into_id

    return once(store, act, "merge", case_id, {"into": into_id}, do)


def unmerge(store: Store, act: Act, case_id: str) -> str:
    """Take a merged case out again; it has the state that it had before.

    Raises:
        ValueError: it is not merged, or no reason is given.
    """

    def do(con: sqlite3.Connection) -> str:
        case = case_of(con, case_id)
        if case.merged_into is None:
            raise ValueError(f"{case_id} is not merged into another case")
        if not act.reason.strip():
            raise ValueError("unmerge needs: reason")
        into = case_of(con, case.merged_into)
        _write(con, act, case, "unmerge", case.state, {"from": into.id})
        _write(con, act, into, "part", into.state, {"parted": case_id})
        con.execute("UPDATE case_ SET merged_into = NULL, rev = rev + 1 WHERE id = ?", (case_id,))
        con.execute("UPDATE case_ SET rev = rev + 1 WHERE id = ?", (into.id,))
        return str(case.state)

    return once(store, act, "unmerge", case_id, {}, do)


def bring(store: Store, act: Act, scope: str, origin: str) -> str:
    """Open a case that no night found: from the police (移交), a complaint, another office.

    Args:
        store: the control store.
        act: who, when, why.
        scope: what it is about: a lot, or a short name of the matter.
        origin: who brought it, and under which number.

    Returns:
        The id of the case; a case that already has this scope stays as it is.

    Raises:
        ValueError: no scope, no origin, or no reason.
    """

    def do(con: sqlite3.Connection) -> str:
        if not (scope.strip() and origin.strip() and act.reason.strip()):
            raise ValueError("a case needs what it is about, who brought it, and a reason")
        known = con.execute("SELECT id FROM case_ WHERE scope = ?", (scope,)).fetchall()
        if known:
            raise ValueError(f"{known[0]['id']} is about {scope} already; go on there")
        id = f"P{con.execute('SELECT count(*) FROM case_').fetchall()[0][0] + 1:06}"
        con.execute("INSERT INTO case_ (id, scope, origin) VALUES (?, ?, ?)", (id, scope, origin))
        return id

    return once(store, act, "bring", "", {"scope": scope, "origin": origin}, do)


def evidence_of(con: sqlite3.Connection, case_id: str) -> list[list[str]]:
    """Return fingerprint and evidence hash of every signal behind a case now, also of those in cases merged into it."""
    rows = con.execute(
        """
        SELECT s.fp, e.ev_hash
        FROM case_ AS c
        JOIN signal AS s ON s.case_id = c.id AND s.is_current = 1
        JOIN evidence AS e ON e.fp = s.fp
        WHERE (c.id = ? OR c.merged_into = ?)
          AND e.n = (SELECT max(n) FROM evidence AS l WHERE l.fp = s.fp)
        ORDER BY s.fp
        """,
        (case_id, case_id),
    ).fetchall()
    return [list(row) for row in rows]


def decisions_of(con: sqlite3.Connection, case_id: str) -> list[dict[str, object]]:
    """Return the decisions on a case, the oldest first, with what was said."""
    rows = con.execute("SELECT * FROM decision WHERE case_id = ? ORDER BY number", (case_id,)).fetchall()
    return [
        dict(row) | {"details": json.loads(row["details"]), "seen": json.loads(row["seen"])} for row in rows
    ]


def _open(con: sqlite3.Connection, case_id: str, rev: int | None) -> Case:
    case = case_of(con, case_id)
    if case.merged_into is not None:
        raise ValueError(f"{case_id} is merged into {case.merged_into}; go on there, or `review unmerge` it")
    if rev is not None and rev != case.rev:
        raise ValueError(
            f"{case_id} was changed meanwhile (revision {case.rev}, you saw {rev}); look at it again"
        )
    return case


def _check(given: Mapping[str, str], act: Act) -> None:
    code = given.get("code")
    if code is not None and code not in DISMISSALS_ZH:
        listed = ", ".join(f"{code} {zh}" for code, zh in DISMISSALS_ZH.items())
        raise ValueError(f"no reason to set a case aside is called {code!r}; there are: {listed}")
    if code == "insufficient_now":
        _date(given.get("revisit on", ""))
    elif given.get("revisit on"):
        raise ValueError("a date to look again belongs to insufficient_now only")
    if code == "duplicate" and not given.get("duplicate of", "").strip():
        raise ValueError("duplicate needs the case that it repeats: --of CASE")
    if given.get("second officer", "").strip() == act.actor.strip():
        raise ValueError("the second officer must be another person than the one who acts")


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            "insufficient_now needs the day on which to look again: --revisit-on YYYY-MM-DD"
        ) from error


def _write(
    con: sqlite3.Connection, act: Act, case: Case, verb: str, after: CaseState, given: Mapping[str, str]
) -> None:
    con.execute(
        "INSERT INTO decision (case_id, rev, verb, before, after, details, seen, reason, at, actor)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            case.id,
            case.rev + 1,
            verb,
            case.state,
            after,
            canonical_json(dict(given)),
            json.dumps(evidence_of(con, case.id)),
            act.reason,
            act.at,
            act.actor,
        ),
    )
