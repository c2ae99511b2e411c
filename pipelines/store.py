"""The control store: SQLite, the only place where what happened is written down.

Every write is one transaction; writers queue behind a file lock, because SQLite's own busy
handler is not fair.
"""

from __future__ import annotations

import fcntl
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.reference import Reference
from pipelines.settings import Damaged, Home

#: Every station has the tables that it keeps beside its modules.
SCHEMA = tuple(sorted(Path(__file__).parent.rglob("control.sql")))

#: Goes up with every change of the schema: an older store gets what it lacks when it is opened.
VERSION = 8

#: What tables of an older store lack, by the version that brought it.
CHANGES = {
    3: (
        "ALTER TABLE case_ ADD COLUMN origin TEXT NOT NULL DEFAULT 'night'",
        "ALTER TABLE case_ ADD COLUMN owner TEXT",
        "ALTER TABLE case_ ADD COLUMN merged_into TEXT REFERENCES case_",
        "ALTER TABLE case_ ADD COLUMN revisit_on TEXT",
        "ALTER TABLE case_ DROP COLUMN flags",
    ),
    # What comes in is an arrival, what goes out a delivery.
    4: (
        "DROP VIEW IF EXISTS delivery_item",
        "ALTER TABLE delivery RENAME TO arrival",
        "ALTER TABLE file RENAME COLUMN first_delivery TO first_arrival",
        "ALTER TABLE night RENAME COLUMN last_delivery TO last_arrival",
        "ALTER TABLE outbox RENAME COLUMN did TO delivery_id",
        "ALTER TABLE outbox_item RENAME COLUMN did TO delivery_id",
        "ALTER TABLE outbox_repeat RENAME COLUMN did TO delivery_id",
        "ALTER TABLE delivery_hold RENAME COLUMN did TO delivery_id",
        "ALTER TABLE delivery_release RENAME COLUMN did TO delivery_id",
        "ALTER TABLE delivery_made RENAME COLUMN did TO delivery_id",
        "ALTER TABLE result_item RENAME COLUMN did TO delivery_id",
        "ALTER TABLE penalty_item RENAME COLUMN did TO delivery_id",
        "ALTER TABLE receipt_row RENAME COLUMN did TO delivery_id",
    ),
    # What was published before there were gates of sources has passed them.
    6: (
        "ALTER TABLE file ADD COLUMN passed TEXT",
        "UPDATE file SET passed = coalesce(bronze, code) WHERE state <> 'received'",
    ),
    # A case was one lot; now that it may be several, a signal says itself which one it is about.
    8: (
        "ALTER TABLE signal ADD COLUMN lot_id TEXT",
        "ALTER TABLE signal ADD COLUMN strength REAL",
        "UPDATE signal SET lot_id = (SELECT scope FROM case_ WHERE id = case_id) WHERE NOT EXISTS (SELECT 1 FROM evidence"
        " AS e WHERE e.fp = signal.fp AND json_extract(e.body, '$.facts.lot_ids') IS NOT NULL)",
    ),
}


class Store:
    """One open control store: `transaction` to write, `rows` to read, and nothing else that others need.

    ``tests/pipelines/test_every_store.py`` is what another database has to pass.

    Raises:
        Damaged: there is no store, or an empty one, beside files that were taken in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._refuse_lost(is_new=not path.exists() or not path.stat().st_size)
        self.con = sqlite3.connect(path, isolation_level=None, timeout=30)
        self.con.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self.con.execute(f"PRAGMA {pragma}")
        found = self.rows("PRAGMA user_version")[0][0]
        self._refuse_lost(is_new=not found)
        if found < VERSION:
            with self.transaction():
                for version in range(found + 1, VERSION + 1) if found else ():
                    for statement in CHANGES.get(version, ()):
                        if self._concerns(statement):
                            self.con.execute(statement)
                # executescript would commit at once: run the statements one by one instead.
                for script in SCHEMA:
                    for statement in _statements(script.read_text(encoding="utf-8")):
                        self.con.execute(statement)
                self.con.execute(f"PRAGMA user_version = {VERSION}")

    def _refuse_lost(self, *, is_new: bool) -> None:
        """Refuse a new store beside files that were taken in: theirs is lost."""
        home = Home(self._path.parent)
        if is_new and home.has_raw_files():
            raise Damaged(home.lost_store())

    def _concerns(self, statement: str) -> bool:
        """Tell whether this store has the table that a change is about; what it lacks, its schema makes afterwards."""
        table = re.match(r"(?:ALTER TABLE|UPDATE) (\w+)", statement)
        return table is None or bool(
            self.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", table[1])
        )

    @property
    def reference(self) -> Reference:
        """The reference data in force in the installation that this store belongs to."""
        return Reference(self._path.parent / "reference")

    def close(self) -> None:
        """Close the store."""
        self.con.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write: all of it or nothing."""
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.con.execute("BEGIN IMMEDIATE")
            try:
                yield self.con
            except BaseException:
                self.con.execute("ROLLBACK")
                raise
            self.con.execute("COMMIT")

    def rows(self, sql: str, *parameters: object) -> list[sqlite3.Row]:
        """Return every row of a query."""
        return self.con.execute(sql, parameters).fetchall()

    def published_snapshot(self) -> str:
        """Return the id of the snapshot that readers use.

        Raises:
            FileNotFoundError: nothing is published yet.
        """
        snapshot = self.current_snapshot()
        if snapshot is None:
            raise FileNotFoundError(
                f"nothing is published in {self._path.parent} yet; run `bidwatch nightly`"
            )
        return snapshot

    def current_snapshot(self) -> str | None:
        """Return the id of the snapshot that readers use."""
        found = self.rows("SELECT snapshot FROM current")
        return found[0]["snapshot"] if found else None


def _statements(script: str) -> Iterator[str]:
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open the control store at ``path`` and close it afterwards."""
    store = Store(path)
    try:
        yield store
    finally:
        store.close()
