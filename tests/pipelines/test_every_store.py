"""What a control store must do, whichever database is behind it. Add another one to `STORES` to test it."""

import multiprocessing
import os
import signal
import sqlite3
import time

import pytest

from pipelines import audit
from pipelines.casework.acts import Act
from pipelines.casework.cases.cases import case_of, move
from pipelines.store import Store

AT = "2026-06-30T02:00:00+00:00"
STORES = {"sqlite": lambda folder: Store(folder / "control.sqlite")}


@pytest.fixture(params=STORES)
def make(request, tmp_path):
    """Opens the same store as often as it is called."""
    opened = []

    def make_():
        opened.append(STORES[request.param](tmp_path))
        return opened[-1]

    yield make_
    for store in opened:
        store.close()


def add(store, id="C1"):
    with store.transaction() as con:
        con.execute("INSERT INTO case_ (id, scope) VALUES (?, ?)", (id, id))


def ids(store):
    return [row["id"] for row in store.rows("SELECT id FROM case_ ORDER BY id")]


def test_rows_are_read_by_name_and_values_are_never_part_of_the_statement(make):
    store = make()
    add(store, "'; DROP TABLE case_; --")
    (row,) = store.rows("SELECT id, rev FROM case_ WHERE id = ?", "'; DROP TABLE case_; --")
    assert (row["id"], row["rev"]) == ("'; DROP TABLE case_; --", 0)


def test_what_fails_leaves_nothing(make):
    store = make()
    with pytest.raises(RuntimeError), store.transaction() as con:
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', 'C1')")
        raise RuntimeError
    assert ids(store) == []
    add(store)
    assert ids(store) == ["C1"]


def test_others_see_a_step_when_it_is_whole(make):
    writer, reader = make(), make()
    with writer.transaction() as con:
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', 'C1')")
        assert ids(reader) == []
    assert ids(reader) == ["C1"]


def test_two_writers_take_turns(make, tmp_path):
    make()
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(_add_some, [(tmp_path, number) for number in range(3)])
    assert len(ids(make())) == 30


def _add_some(job):
    folder, number = job
    store = STORES["sqlite"](folder)
    for place in range(10):
        add(store, f"C{number}-{place}")
    store.close()


def test_the_second_of_two_who_saw_the_same_revision_is_refused(make):
    one, other = make(), make()
    add(one)
    seen = case_of(other.con, "C1").rev
    move(one, Act(actor="张三", at=AT), "C1", "take", {}, rev=seen)
    with pytest.raises(ValueError, match="changed meanwhile"):
        move(other, Act(actor="李四", at=AT), "C1", "take", {}, rev=seen)


def test_a_killed_writer_leaves_whole_steps_and_no_lock(make, tmp_path):
    make()
    child = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(tmp_path,))
    child.start()
    time.sleep(0.4)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    store = make()
    entries = audit.entries(store.con)
    assert len(entries) == len(ids(store)) > 0
    add(store, "after")
    assert audit.checkpoint(store.con) == audit.checkpoint_text(
        len(entries), audit.tree_hash([entry.encode() for entry in entries])
    )


def _write_for_ever(folder):
    store = STORES["sqlite"](folder)
    number = 0
    while True:
        with store.transaction() as con:
            con.execute("INSERT INTO case_ (id, scope) VALUES (?, ?)", (f"C{number}", f"C{number}"))
            audit.append(con, at=AT, actor="张三", verb="open", subject=f"C{number}")
        number += 1


def test_who_proposes_cannot_approve_whatever_the_program_says(make):
    store = make()
    add(store)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as con:
        con.execute(
            "INSERT INTO referral (id, case_id, kind, recipient, name_zh, basis, proposer, approver)"
            " VALUES ('R1', 'C1', 'police', 'police', '公安局', 'POLICE-223', '张三', '张三')"
        )


@pytest.mark.parametrize("statement", ["DELETE FROM audit", "UPDATE audit SET body = '{}'"])
def test_the_log_cannot_be_changed(make, statement):
    store = make()
    with store.transaction() as con:
        audit.append(con, at=AT, actor="张三", verb="open", subject="C1")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), store.transaction() as con:
        con.execute(statement)


# --- an older store --------------------------------------------------------------------------------


def test_an_older_store_gets_what_it_lacks_and_keeps_what_it_has(tmp_path):
    with sqlite3.connect(tmp_path / "control.sqlite") as con:
        con.execute(
            "CREATE TABLE case_ (id TEXT PRIMARY KEY, scope TEXT NOT NULL UNIQUE, state TEXT NOT NULL DEFAULT 'new',"
            " rev INTEGER NOT NULL DEFAULT 0, flags TEXT NOT NULL DEFAULT '[]') STRICT"
        )
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', 'L1')")
        con.execute("PRAGMA user_version = 2")
    store = Store(tmp_path / "control.sqlite")
    old = case_of(store.con, "C1")
    columns = {"id", "scope", "state", "rev", "origin", "owner", "merged_into", "revisit_on"}
    assert (old.scope, old.origin, old.owner) == ("L1", "night", None)
    fresh = Store(tmp_path / "fresh.sqlite")
    for each in (store, fresh):
        assert {row["name"] for row in each.rows("PRAGMA table_info(case_)")} == columns
        each.close()
    again = Store(tmp_path / "control.sqlite")
    assert ids(again) == ["C1"]
    again.close()
