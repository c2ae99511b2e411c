import base64
import hashlib
import json
import sqlite3

import pytest

from pipelines import audit
from pipelines.store import opened

AT = "2026-06-30T02:00:00Z"

# The leaves and roots that Certificate Transparency implementations of RFC 6962 are tested with.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def recursive_root(leaves):
    """RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + recursive_root(leaves[:split]) + recursive_root(leaves[split:])).digest()


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        yield store


def note(store, **changes):
    entry = {"at": AT, "actor": "night", "verb": "publish", "subject": "s1"} | changes
    with store.transaction() as con:
        audit.append(con, **entry)


@pytest.mark.parametrize("size", range(9))
def test_the_root_is_that_of_certificate_transparency(size):
    assert audit.tree_hash(LEAVES[:size]).hex() == ROOTS[size]


def test_the_root_follows_the_standard_for_every_size():
    leaves = [str(number).encode() for number in range(64)]
    for size in range(65):
        assert audit.tree_hash(leaves[:size]) == recursive_root(leaves[:size])


def test_an_entry_says_who_did_what_to_which_thing(store):
    note(store, actor="张三", verb="receive", subject="ab12", source="county")
    (row,) = store.rows("SELECT body FROM audit")
    assert json.loads(row["body"]) == {
        "seq": 0,
        "at": AT,
        "actor": "张三",
        "verb": "receive",
        "object": "ab12",
        "source": "county",
    }


@pytest.mark.parametrize("actor", ["", "  "])
def test_an_action_without_an_actor_fails_as_a_whole(store, actor):
    with pytest.raises(ValueError, match="needs an actor"), store.transaction() as con:
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', 'L1')")
        audit.append(con, at=AT, actor=actor, verb="publish", subject="s")
    assert store.rows("SELECT * FROM audit") == []
    assert store.rows("SELECT * FROM case_") == []


def test_details_cannot_pose_as_number_or_object(store):
    note(store)
    note(store, subject="s2", seq=0, object="another")
    body = json.loads(store.rows("SELECT body FROM audit WHERE seq = 1")[0]["body"])
    assert (body["seq"], body["object"]) == (1, "s2")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET body = 'x'",
        "UPDATE audit SET seq = 7 WHERE seq = 0",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit (seq, body) VALUES (0, 'x')",
        "REPLACE INTO audit (seq, body) VALUES (0, 'x')",
        "INSERT INTO audit (seq, body) VALUES (9, 'x')",
        "INSERT INTO audit (seq, body) VALUES (-1, 'x')",
        "INSERT INTO audit (seq, body) VALUES (0, 'x') ON CONFLICT (seq) DO UPDATE SET body = 'x'",
    ],
)
def test_the_log_only_grows(store, statement):
    note(store)
    before = audit.checkpoint(store.con)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store.con.execute(statement)
    assert audit.checkpoint(store.con) == before


def test_a_checkpoint_names_the_log_its_size_and_its_root(store):
    for number in range(5):
        note(store, subject=f"s{number}")
    bodies = [row["body"].encode() for row in store.rows("SELECT body FROM audit ORDER BY seq")]
    root = base64.b64encode(recursive_root(bodies)).decode()
    assert audit.checkpoint(store.con) == f"bidwatch/audit\n5\n{root}\n"


def test_a_rewritten_entry_no_longer_agrees_with_the_checkpoint(store):
    note(store)
    note(store, subject="s2")
    store.con.execute("DROP TRIGGER audit_is_never_changed")  # the owner of the file can do this
    store.con.execute("UPDATE audit SET body = replace(body, 's1', 's9') WHERE seq = 0")
    root = audit.tree_hash([body.encode() for body in audit.entries(store.con)])
    assert audit.checkpoint_text(2, root) != audit.checkpoint(store.con)


# --- growing and proving ---------------------------------------------------------------------------


def test_the_checkpoint_of_a_growing_log_is_that_of_all_its_entries(store):
    for number in range(40):
        note(store, subject=f"s{number}")
        leaves = [body.encode() for body in audit.entries(store.con)]
        assert audit.checkpoint(store.con) == audit.checkpoint_text(number + 1, recursive_root(leaves))


def test_a_store_that_has_no_edge_yet_gets_it(store):
    for number in range(11):
        note(store, subject=f"s{number}")
    before = audit.checkpoint(store.con)
    store.con.execute("DELETE FROM audit_edge")
    assert audit.checkpoint(store.con) == before
    note(store)
    leaves = [body.encode() for body in audit.entries(store.con)]
    assert audit.checkpoint(store.con) == audit.checkpoint_text(12, recursive_root(leaves))


def recursive_path(index, leaves):
    """RFC 6962, section 2.1.1, word by word."""
    if len(leaves) <= 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*recursive_path(index, leaves[:split]), recursive_root(leaves[split:])]
    return [*recursive_path(index - split, leaves[split:]), recursive_root(leaves[:split])]


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 13, 33])
def test_the_path_follows_the_standard(size):
    leaves = [str(number).encode() for number in range(size)]
    for index in range(size):
        assert audit.path(leaves, index) == recursive_path(index, leaves)
