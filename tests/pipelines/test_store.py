import multiprocessing
import re
import sqlite3

import pytest

from pipelines import audit
from pipelines.store import CHANGES, Store, opened

AT = "2026-06-30T02:00:00Z"


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        yield store


def snapshot(con, name="s1"):
    con.execute(
        "INSERT INTO snapshot (id, as_of, manifest, logical_hash, published_at) VALUES (?, '2026-06-30', '', '', ?)",
        (name, AT),
    )


def file(con, raw_sha="f1"):
    con.execute(
        "INSERT INTO arrival (source, name, raw_sha, received_at, actor) VALUES ('county', 'x.csv', ?, ?, 'night')",
        (raw_sha, AT),
    )
    con.execute(
        "INSERT INTO file (raw_sha, source, name, bytes, first_arrival) VALUES (?, 'county', 'x.csv', 1, 1)",
        (raw_sha,),
    )


def test_a_transaction_is_all_or_nothing(store):
    with pytest.raises(KeyboardInterrupt), store.transaction() as con:
        snapshot(con)
        raise KeyboardInterrupt
    assert store.rows("SELECT * FROM snapshot") == []
    with store.transaction() as con:
        snapshot(con)
    assert [row["id"] for row in store.rows("SELECT id FROM snapshot")] == ["s1"]


def test_what_was_written_is_there_when_the_store_is_opened_again(tmp_path):
    with opened(tmp_path / "control.sqlite") as store, store.transaction() as con:
        snapshot(con)
        con.execute("INSERT INTO current (one, snapshot) VALUES (1, 's1')")
    with opened(tmp_path / "control.sqlite") as store:
        assert store.current_snapshot() == "s1"


def test_there_is_one_current_snapshot_and_it_exists(store):
    assert store.current_snapshot() is None
    with store.transaction() as con:
        snapshot(con)
        con.execute("INSERT INTO current (one, snapshot) VALUES (1, 's1')")
    for statement in (
        "INSERT INTO current (one, snapshot) VALUES (2, 's1')",
        "INSERT INTO current (one, snapshot) VALUES (1, 's1')",
        "UPDATE current SET snapshot = 'nowhere'",
    ):
        with pytest.raises(sqlite3.IntegrityError), store.transaction() as con:
            con.execute(statement)
    assert store.current_snapshot() == "s1"


@pytest.mark.parametrize(
    ("account", "holds"),
    [
        ((10, 7, 2, 1, 0), True),
        ((10, 7, 2, 1, 7), True),
        ((10, 7, 2, 0, 0), False),
        ((10, 8, 2, 1, 0), False),
        ((10, 7, 2, 1, 8), False),
    ],
)
def test_a_file_is_loaded_only_if_every_record_is_accounted_for(store, account, holds):
    with store.transaction() as con:
        file(con)

    def load():
        with store.transaction() as con:
            con.execute(
                "UPDATE file SET state = 'loaded', records = ?, loaded = ?, duplicate = ?, refused = ?, held = ?",
                account,
            )

    if holds:
        load()
    else:
        with pytest.raises(sqlite3.IntegrityError):
            load()
    assert store.rows("SELECT state FROM file")[0]["state"] == ("loaded" if holds else "received")


def test_evidence_of_an_unknown_signal_cannot_be_written(store):
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as con:
        snapshot(con)
        con.execute("INSERT INTO evidence VALUES ('S?', 'h', 1, 's1', 'v', 'l', '{}')")
    assert store.rows("SELECT * FROM snapshot") == []


def test_a_power_failure_loses_no_commit(store):
    assert store.rows("PRAGMA synchronous")[0][0] == 2
    assert store.rows("PRAGMA journal_mode")[0][0] == "wal"


def write_many(path, who):
    with opened(path) as store:
        for number in range(20):
            with store.transaction() as con:
                audit.append(con, at=AT, actor=who, verb="try", subject=str(number))


def test_writers_of_two_processes_queue_and_the_log_has_no_gap(tmp_path):
    path = tmp_path / "control.sqlite"
    spawn = multiprocessing.get_context("fork")
    writers = [spawn.Process(target=write_many, args=(path, who)) for who in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    store = Store(path)
    assert [row["seq"] for row in store.rows("SELECT seq FROM audit ORDER BY seq")] == list(range(40))
    store.close()


def schema_of(path):
    """Columns of every table, whatever their order, and the text of everything else."""
    con = sqlite3.connect(path)
    rows = con.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    found = {}
    for type, name, sql in rows:
        columns = con.execute(f"PRAGMA table_info({name})").fetchall()
        text = " ".join(re.sub(r'"(\w+)"', r"\1", sql or "").split())
        found[type, name] = {column[1:] for column in columns} if type == "table" else text
    con.close()
    return found


@pytest.mark.parametrize("lacks", [(), ("receipt_row",)])
def test_a_store_of_version_3_gets_the_names_of_today_and_keeps_its_rows(tmp_path, lacks):
    """Version 3 called an arrival a delivery, and the id of a delivery ``did``; a table that it lacks is made."""
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    for path in (old, new):
        with opened(path):
            pass
    con = sqlite3.connect(old)
    con.execute("DROP VIEW delivery_item")
    for statement in CHANGES[4]:
        if renamed := re.fullmatch(r"ALTER TABLE (\w+) RENAME COLUMN (\w+) TO (\w+)", statement):
            con.execute(f"ALTER TABLE {renamed[1]} RENAME COLUMN {renamed[3]} TO {renamed[2]}")
    con.execute("ALTER TABLE arrival RENAME TO delivery")
    con.execute("ALTER TABLE file DROP COLUMN passed")
    con.execute("ALTER TABLE signal DROP COLUMN lot_id")
    con.execute("ALTER TABLE signal DROP COLUMN strength")
    con.execute("PRAGMA foreign_keys = OFF")
    for table in lacks:
        con.execute(f"DROP TABLE {table}")
    con.execute("INSERT INTO delivery VALUES (1, 's', 'f.csv', 'sha', '2026-06-30T00:00:00+00:00', 'x')")
    con.execute("PRAGMA user_version = 3")
    con.commit()
    con.close()
    with opened(old) as store:
        assert [row["name"] for row in store.rows("SELECT name FROM arrival")] == ["f.csv"]
        assert store.rows("SELECT delivery_id, fp FROM delivery_item") == []
    assert schema_of(old) == schema_of(new)
