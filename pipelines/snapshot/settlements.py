"""Cells of which files say different things at one time, and what a person says is right: it counts from the next night on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines import audit, duck
from pipelines.intake.schema import GUARDED, table_schemas
from pipelines.settings import Home
from pipelines.store import Store

#: Stands for a value that may be personal.
HIDDEN = "***"


@dataclass(frozen=True)
class Said:
    """One value of a cell in conflict, and a record that says so.

    ``value`` is as the snapshot holds it: a token for a person. ``shown`` is for people.
    """

    value: str
    shown: str
    file_name: str
    raw_sha: str
    raw_section: str
    raw_row: int


@dataclass(frozen=True)
class Conflict:
    """One cell in conflict.

    Attributes:
        id: follows from the cell and its values: with another value it is another conflict.
        table, column: the cell's, by the names of the table schemas.
        key: what names the record, ``column=value``, as people may see it.
        taken: the value that a person chose, as the snapshot holds it; None while nobody has.
        said: every value, in the order of their texts.
    """

    id: str
    table: str
    column: str
    key: str
    taken: str | None
    said: tuple[Said, ...]


def standing(store: Store) -> list[tuple[str, str]]:
    """Return the settlements that stand, as conflict and value."""
    rows = store.rows(
        "SELECT conflict_id, value FROM settlement WHERE number IN (SELECT max(number) FROM settlement GROUP BY conflict_id)"
        " AND value IS NOT NULL ORDER BY conflict_id"
    )
    return [(row["conflict_id"], row["value"]) for row in rows]


def conflicts(home: Home, store: Store) -> list[Conflict]:
    """Return the cells in conflict of the current snapshot, settled ones too, by table, record and column.

    Raises:
        FileNotFoundError: no snapshot is published yet.
    """
    con = duck.open_snapshot(home.snapshot(store.published_snapshot()))
    try:
        rows = con.execute(
            """
            SELECT conflict_id, table_name, column_name, record_key, settled, value,
                   min_by(struct_pack(sha := c.raw_sha, section := c.raw_section, row := c.raw_row, name := a.name),
                          (a.name, c.raw_section, c.raw_row)) AS place
            FROM stage.conflicts AS c JOIN stage.accounts AS a ON a.raw_sha = c.raw_sha
            GROUP BY ALL ORDER BY table_name, record_key, column_name, value
            """
        ).fetchall()
    finally:
        con.close()
    found: dict[str, Conflict] = {}
    for id, table, column, key, settled, value, place in rows:
        said = Said(
            value, _shown(table, column, value), place["name"], place["sha"], place["section"], place["row"]
        )
        before = found.get(id)
        found[id] = Conflict(
            id=id,
            table=table,
            column=column,
            key=_key(table, key),
            taken=settled,
            said=(*before.said, said) if before else (said,),
        )
    return list(found.values())


def settle(
    store: Store, conflict: Conflict, take: int | None, *, reason: str, actor: str, at: str
) -> Said | None:
    """Write down which value is right, or take a settlement back.

    Args:
        store: the control store.
        conflict: of the current snapshot.
        take: number of the value, from 1; None takes the settlement back.
        reason: why, for those who ask later.
        actor: who decides.
        at: UTC time, ISO 8601.

    Raises:
        ValueError: no reason, no such value, or nothing to take back.
    """
    if not reason.strip():
        raise ValueError("a settlement needs a reason: --reason TEXT")
    if take is None and conflict.id not in dict(standing(store)):
        raise ValueError(f"nobody has settled {conflict.id}")
    if take is not None and not 1 <= take <= len(conflict.said):
        raise ValueError(
            f"{conflict.id} has the values 1 to {len(conflict.said)}, see `bidwatch quarantine conflicts`"
        )
    chosen = None if take is None else conflict.said[take - 1]
    with store.transaction() as con:
        con.execute(
            "INSERT INTO settlement (conflict_id, value, reason, at, actor) VALUES (?, ?, ?, ?, ?)",
            (conflict.id, chosen.value if chosen else None, reason, at, actor),
        )
        audit.append(
            con,
            at=at,
            actor=actor,
            verb="settle_conflict" if chosen else "unsettle_conflict",
            subject=conflict.id,
            reason=reason,
            table=conflict.table,
            column=conflict.column,
            record=conflict.key,
            taken=[chosen.raw_sha, chosen.raw_section, chosen.raw_row] if chosen else [],
        )
    return chosen


def _shown(table: str, column: str, value: str) -> str:
    """Return a value as people may see it."""
    known = table_schemas()[table].columns.get(column)
    return HIDDEN if known is None or known.type in GUARDED else value


def _key(table: str, record_key: str) -> str:
    names: Sequence[str] = table_schemas()[table].key
    parts = zip(names, record_key.split("\x1f"), strict=False)
    return " ".join(f"{name}={_shown(table, name, value)}" for name, value in parts if value)
