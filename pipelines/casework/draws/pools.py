"""The two pools of 双随机, objects of inspection and officers, with their history.

The row of a member that changes or leaves is closed and kept: who stood in a pool can be told for any time.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.casework import risk_classes
from pipelines.casework.acts import Act, once
from pipelines.store import Store
from reports.canonical_json import canonical_json
from reports.cells import cell
from reports.handed_out.replay_draw import SEPARATOR

#: What an object of inspection can be (notice, article 6: market parties, projects, acts of trading).
KINDS_ZH: Mapping[str, str] = {
    "firm": "企业",
    "agency": "代理机构",
    "buyer": "招标人",
    "project": "项目",
    "lot": "标段",
    "act": "交易行为",
}


Member = dict[str, str]

_ID = re.compile(r"[^\W_][\w.:/（）()·-]{0,99}")
_WORD = re.compile(r"[^\s/|;,]{1,30}")


@dataclass(frozen=True)
class Pool:
    """One of the two pools.

    Attributes:
        table: of the control store.
        columns: name -> heading in Chinese; the first one is the id.
        scope: the column that an import can be limited to.
        codes: column -> what gives its codes with their Chinese names.
        may_be_empty: columns that need no value.
    """

    table: str
    title_zh: str
    columns: Mapping[str, str]
    scope: str
    codes: Mapping[str, Callable[[], Mapping[str, str]]] = field(default_factory=dict)
    may_be_empty: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        """Name of the id column."""
        return next(iter(self.columns))

    def names_zh(self, column: str) -> Mapping[str, str]:
        """Return the codes of a column with their Chinese names; none for a column of free text."""
        return self.codes[column]() if column in self.codes else {}


OBJECTS = Pool(
    "pool_object",
    "检查对象名录库",
    {
        "object_id": "对象编号",
        "name": "名称",
        "kind": "类型",
        "field": "领域",
        "unit": "所属单位",
        "risk_class": "风险等级",
        "credit_class": "信用等级",
    },
    scope="field",
    codes={"kind": lambda: KINDS_ZH, "risk_class": risk_classes.names_zh},
    may_be_empty=frozenset({"unit", "risk_class", "credit_class"}),
)
OFFICERS = Pool(
    "pool_officer",
    "执法检查人员名录库",
    {
        "officer_id": "人员编号",
        "name": "姓名",
        "unit": "单位",
        "certificate_no": "执法证号",
        "fields": "执法领域",
    },
    scope="unit",
)


@dataclass(frozen=True)
class PoolChange:
    """What an import does to a pool: ids that come, change and go."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    retired: tuple[str, ...]


def checked(pool: Pool, given: Mapping[str, str]) -> Member:
    """Return a member as the pool keeps it: trimmed, with codes for Chinese words.

    Raises:
        ValueError: a value is missing or cannot stand in its column.
    """
    member = {name: given.get(name, "").strip() for name in pool.columns}
    for name, value in member.items():
        heading = f"{name} ({pool.columns[name]})"
        if not value and name not in pool.may_be_empty:
            raise ValueError(f"{heading} is missing")
        member[name] = {zh: code for code, zh in pool.names_zh(name).items()}.get(value, value)
        if name == "kind" and member[name] not in KINDS_ZH:
            listed = ", ".join(f"{code} {zh}" for code, zh in KINDS_ZH.items())
            raise ValueError(f"{heading}: {value!r} is none of {listed}")
        if name.endswith("_class") and value and not _WORD.fullmatch(value):
            raise ValueError(f"{heading}: {value!r} is no class; use a word without blanks / | ; ,")
    if not _ID.fullmatch(member[pool.key]):
        raise ValueError(
            f"{pool.key} ({pool.columns[pool.key]}): {member[pool.key]!r} cannot be an id; begin with a letter or"
            " digit, then letters, digits and . : / - _ ( ), at most 100"
        )
    if "fields" in member:
        words = {word.strip() for word in re.split("[;；、]", member["fields"])} - {""}
        member["fields"] = SEPARATOR.join(sorted(words))
    return member


def add(store: Store, act: Act, pool: Pool, given: Mapping[str, str]) -> str:
    """Put a member into a pool, or change one that stands there; return its id.

    Raises:
        ValueError: a value does not fit, or nothing would change.
    """
    member = checked(pool, given)
    id = member[pool.key]

    def do(con: sqlite3.Connection) -> str:
        before = standing(con, pool, ids=[id])
        if before == [member]:
            raise ValueError(f"{id} stands in the pool ({pool.title_zh}) with these facts already")
        if before:
            _close(con, pool, id, act)
        _open(con, pool, member, act)
        return id

    return once(store, act, f"{pool.table}_set", id, {"content_sha256": _digest([member])}, do)


def retire(store: Store, act: Act, pool: Pool, id: str) -> str:
    """Take a member out of a pool and return its id. Its history stays.

    Raises:
        ValueError: no reason, or it does not stand there.
    """
    if not act.reason.strip():
        raise ValueError("taking out of a pool needs a reason: --reason TEXT")

    def do(con: sqlite3.Connection) -> str:
        if not standing(con, pool, ids=[id]):
            raise ValueError(f"{id} does not stand in the pool ({pool.title_zh})")
        _close(con, pool, id, act)
        return id

    return once(store, act, f"{pool.table}_retire", id, {}, do)


def difference(
    con: sqlite3.Connection, pool: Pool, members: Sequence[Member], only: str | None = None
) -> PoolChange:
    """Return what an import would do.

    Args:
        con: the control store.
        pool: one of the pools.
        members: the whole pool as it should be, or the whole part ``only``.
        only: value of the pool's scope column: the rest of the pool is left alone.

    Raises:
        ValueError: a member stands there twice, or belongs to another part.
    """
    wanted = {member[pool.key]: member for member in members}
    if len(wanted) < len(members):
        ids = [member[pool.key] for member in members]
        double = next(id for place, id in enumerate(ids) if id in ids[:place])
        raise ValueError(f"{double} stands twice in the list; keep one row")
    if only is not None and (others := [id for id, member in wanted.items() if member[pool.scope] != only]):
        raise ValueError(f"{others[0]}: its {pool.scope} ({pool.columns[pool.scope]}) is not {only!r}")
    everywhere = {member[pool.key]: member for member in standing(con, pool)}
    before = {id for id, member in everywhere.items() if only is None or member[pool.scope] == only}
    return PoolChange(
        added=tuple(sorted(wanted.keys() - everywhere.keys())),
        changed=tuple(sorted(id for id in wanted.keys() & everywhere.keys() if wanted[id] != everywhere[id])),
        retired=tuple(sorted(before - wanted.keys())),
    )


def take_over(
    store: Store, act: Act, pool: Pool, members: Sequence[Member], *, only: str | None = None, retire: int = 0
) -> PoolChange:
    """Make a pool, or one part of it, what a list says: new members come, missing ones are retired.

    Args:
        store: the control store.
        act: who, when, why; a reason is due where members are retired.
        pool, members, only: as for `difference`.
        retire: how many members the person expects to be retired. Another number is refused, so that half a list does
            not empty a pool.

    Raises:
        ValueError: as for `difference`; or the number to retire is another one, or has no reason.
    """

    def do(con: sqlite3.Connection) -> str:
        change = difference(con, pool, members, only)
        if len(change.retired) != retire:
            raise ValueError(
                f"{len(change.retired)} members would be retired, such as {', '.join(change.retired[:3]) or '-'};"
                f" if that is right, say so: --retire {len(change.retired)}"
            )
        if change.retired and not act.reason.strip():
            raise ValueError("retiring members needs a reason: --reason TEXT")
        by_id = {member[pool.key]: member for member in members}
        for id in (*change.changed, *change.retired):
            _close(con, pool, id, act)
        for id in (*change.added, *change.changed):
            _open(con, pool, by_id[id], act)
        return canonical_json([change.added, change.changed, change.retired])

    content = {"list_sha256": _digest(members), "only": only, "retire": retire}
    answer = once(store, act, f"{pool.table}_import", pool.table, content, do)
    return PoolChange(*(tuple(ids) for ids in json.loads(answer)))


def standing(
    con: sqlite3.Connection, pool: Pool, *, at: str | None = None, ids: Sequence[str] | None = None
) -> list[Member]:
    """Return who stands in a pool, by id.

    Args:
        con: the control store.
        pool: one of the pools.
        at: UTC time: who stood there then. None: now.
        ids: only these.
    """
    when = "until IS NULL" if at is None else "since <= :at AND (until IS NULL OR until > :at)"
    rows = con.execute(
        f"SELECT {', '.join(pool.columns)} FROM {pool.table} WHERE {when} ORDER BY {pool.key}", {"at": at}
    ).fetchall()
    members = [dict(row) for row in rows]
    return members if ids is None else [member for member in members if member[pool.key] in ids]


def history(con: sqlite3.Connection, pool: Pool, id: str) -> list[dict[str, str | None]]:
    """Return every row that a member ever had, the oldest first."""
    rows = con.execute(f"SELECT * FROM {pool.table} WHERE {pool.key} = ? ORDER BY number", (id,)).fetchall()
    return [dict(row) for row in rows]


def published(member: Mapping[str, str]) -> Member:
    """Return a member as it stands in a published file: harmless in a spreadsheet."""
    return {name: cell(value) for name, value in member.items()}


def read_list(path: Path, pool: Pool) -> list[Member]:
    """Read a pool from a CSV file: UTF-8 or GB18030, headings in English or Chinese.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a column is missing or unknown, or a row does not fit; names the row.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    reader = csv.reader(io.StringIO(_decoded(path), newline=""), strict=True)
    names = {zh: name for name, zh in pool.columns.items()}
    try:
        headings = [names.get(heading.strip(), heading.strip()) for heading in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader if any(value.strip() for value in row)]
    except csv.Error as error:
        raise ValueError(f"{path.name}, line {reader.line_num}: {error}") from error
    required = set(pool.columns) - pool.may_be_empty
    if not required <= set(headings) <= set(pool.columns) or len(set(headings)) < len(headings):
        wanted = ", ".join(f"{name} {zh}" for name, zh in pool.columns.items())
        raise ValueError(f"{path.name}: the columns are {', '.join(headings) or 'none'}; wanted: {wanted}")
    members = []
    for line, row in rows:
        if len(row) != len(headings):
            raise ValueError(f"{path.name}, line {line}: {len(row)} values, {len(headings)} columns")
        try:
            members.append(checked(pool, dict(zip(headings, row, strict=True))))
        except ValueError as error:
            raise ValueError(f"{path.name}, line {line}: {error}") from error
    if not members:
        raise ValueError(f"{path.name}: no rows; a pool is not emptied by an empty file")
    return members


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError(f"{path.name}: neither UTF-8 nor GB18030; save it as CSV UTF-8")


def _open(con: sqlite3.Connection, pool: Pool, member: Member, act: Act) -> None:
    names = [*pool.columns, "since", "since_by", "since_reason"]
    con.execute(
        f"INSERT INTO {pool.table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        (*(member[name] for name in pool.columns), act.at, act.actor, act.reason),
    )


def _close(con: sqlite3.Connection, pool: Pool, id: str, act: Act) -> None:
    con.execute(
        f"UPDATE {pool.table} SET until = ?, until_by = ?, until_reason = ? WHERE {pool.key} = ? AND until IS NULL",
        (act.at, act.actor, act.reason, id),
    )


def _digest(members: Iterable[Member]) -> str:
    listed = sorted(canonical_json(member) for member in members)
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()
