"""Tonight's matters become cases: a matter that was here before keeps its case, whatever it gained or lost.

A case is known again by its signals. What a person has touched is never taken apart or moved: it keeps its signals, and
takes a matter only if it holds half of its signals or is about the same. Cases that nobody touched follow the matters:
they grow, are merged into a stronger one, or part again; each such step is a row of ``case_event``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.findings.matters import Matter
from reports.canonical_json import canonical_json


@dataclass
class _Known:
    """A case as it stands before the night."""

    id: str
    scope: str
    is_touched: bool
    merged_into: str | None


def assign(control: sqlite3.Connection, matters: Sequence[Matter], snapshot: str) -> dict[str, str]:
    """Give every matter its case; write down which and what the machine did with cases.

    Args:
        control: inside a transaction.
        matters: of the night.
        snapshot: which is being published.

    Returns:
        The case of every signal, by fingerprint.
    """
    known = {
        row["id"]: _Known(
            row["id"], row["scope"], bool(row["rev"]) or row["origin"] != "night", row["merged_into"]
        )
        for row in control.execute("SELECT id, scope, rev, origin, merged_into FROM case_ ORDER BY id")
    }
    by_scope = {case.scope: case.id for case in known.values()}
    before = {row["fp"]: row["case_id"] for row in control.execute("SELECT fp, case_id FROM signal")}
    case_of: dict[str, str] = {}
    claimed: set[str] = set()
    events: list[tuple[str, str, str | None]] = []
    rows = []
    for matter in sorted(matters, key=lambda each: (-each.score, each.kind, each.scope)):
        roots = Counter(_root(known, before[fp]) for fp in matter.signals if fp in before)
        chosen = _chosen(matter, roots, known, by_scope, claimed)
        if chosen is None:
            chosen = _open(control, matter, known, by_scope)
            events.append((chosen, "opened", None))
        claimed.add(chosen)
        if known[chosen].merged_into is not None:  # what a stronger matter had taken stands for itself again
            events.append((chosen, "parted", known[chosen].merged_into))
            control.execute("UPDATE case_ SET merged_into = NULL WHERE id = ?", (chosen,))
            known[chosen].merged_into = None
        for fp in matter.signals:
            held = before.get(fp)
            case_of[fp] = held if held is not None and _is_kept(known, held) else chosen
        others = sorted(other for other in roots if other != chosen and known[other].is_touched)
        events += [(chosen, "overlaps", other) for other in others]
        rows.append((chosen, matter))
    events += _emptied(control, known, before, case_of, claimed)
    _write(control, rows, events, snapshot)
    return case_of


def _root(known: Mapping[str, _Known], id: str) -> str:
    while (into := known[id].merged_into) is not None:
        id = into
    return id


def _is_kept(known: Mapping[str, _Known], id: str) -> bool:
    """Tell whether a person has touched the case or the one it is merged into: then its signals stay."""
    return known[id].is_touched or known[_root(known, id)].is_touched


def _chosen(
    matter: Matter,
    roots: Counter[str],
    known: Mapping[str, _Known],
    by_scope: Mapping[str, str],
    claimed: set[str],
) -> str | None:
    """Return the case that this matter was, None if there is none."""
    same = by_scope.get(matter.scope)
    if same is not None and known[same].is_touched:
        same = _root(known, same)
    if same is not None and same not in claimed and known[same].is_touched:
        return same
    open_to = [id for id in roots if id not in claimed]
    for fits in (
        [id for id in open_to if known[id].is_touched and 2 * roots[id] >= len(matter.signals)],
        [id for id in open_to if not known[id].is_touched],
    ):
        if fits:
            return min(fits, key=lambda id: (-roots[id], id != same, id))
    return same if same is not None and same not in claimed else None


def _open(
    control: sqlite3.Connection, matter: Matter, known: dict[str, _Known], by_scope: dict[str, str]
) -> str:
    ids = ["C" + fp[1:] for fp in matter.signals]
    ids.append("C" + base64.b32encode(hashlib.sha256(matter.scope.encode()).digest()).decode()[:16])
    id = next(
        each for each in [*ids, *(f"{ids[-1]}-{n}" for n in range(2, len(known) + 3))] if each not in known
    )
    scope = matter.scope if matter.scope not in by_scope else f"{matter.scope} ({id})"
    control.execute("INSERT INTO case_ (id, scope) VALUES (?, ?)", (id, scope))
    known[id] = _Known(id, scope, False, None)
    by_scope[scope] = id
    return id


def _emptied(
    control: sqlite3.Connection,
    known: Mapping[str, _Known],
    before: Mapping[str, str],
    case_of: Mapping[str, str],
    claimed: set[str],
) -> list[tuple[str, str, str | None]]:
    """Merge every untouched case of which all signals of tonight went into another one."""
    went: dict[str, Counter[str]] = {}
    for fp, now in case_of.items():
        held = before.get(fp)
        if held is not None and held != now:
            went.setdefault(held, Counter())[now] += 1
    events: list[tuple[str, str, str | None]] = []
    for id, into in sorted(went.items()):
        if id in claimed or known[id].is_touched or known[id].merged_into is not None:
            continue
        target = min(into, key=lambda each: (-into[each], each))
        control.execute("UPDATE case_ SET merged_into = ? WHERE id = ?", (target, id))
        known[id].merged_into = target
        events.append((id, "merged", target))
    return events


def _write(
    control: sqlite3.Connection,
    rows: Iterable[tuple[str, Matter]],
    events: Iterable[tuple[str, str, str | None]],
    snapshot: str,
) -> None:
    grown = {
        row["case_id"]: (row["firms"], row["lots"])
        for row in control.execute("SELECT case_id, firms, lots FROM matter")
    }
    control.execute("DELETE FROM matter")
    more = []
    for case, matter in rows:
        firms, lots = json.dumps(matter.firms), json.dumps(matter.lots)
        control.execute(
            "INSERT INTO matter (case_id, snapshot, kind, scope, firms, lots, score, q, facts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                case,
                snapshot,
                matter.kind,
                matter.scope,
                firms,
                lots,
                matter.score,
                matter.q,
                canonical_json(dict(matter.facts)),
            ),
        )
        if case in grown and grown[case] != (firms, lots):
            more.append((case, "changed", None))
    control.executemany(
        "INSERT INTO case_event (case_id, verb, other, snapshot) VALUES (?, ?, ?, ?)",
        [(case, verb, other, snapshot) for case, verb, other in [*events, *more]],
    )
