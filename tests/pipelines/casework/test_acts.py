import json

import pytest

from pipelines.casework.acts import Act, once
from pipelines.store import opened

AT = "2026-06-30T02:00:00+00:00"


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        yield store


def open_case(store, id="C1", key=None, actor="张三"):
    def do(con):
        con.execute("INSERT INTO case_ (id, scope) VALUES (?, ?)", (id, id))
        return id

    return once(store, Act(actor=actor, at=AT, key=key), "open", id, {"level": "red"}, do)


def test_a_step_and_its_audit_entry_are_one(store):
    assert open_case(store) == "C1"
    (entry,) = (json.loads(row["body"]) for row in store.rows("SELECT body FROM audit"))
    assert (entry["actor"], entry["verb"], entry["object"], entry["level"]) == ("张三", "open", "C1", "red")


def test_the_same_key_repeats_the_answer_and_not_the_step(store):
    assert [open_case(store, key="k1"), open_case(store, key="k1")] == ["C1", "C1"]
    assert len(store.rows("SELECT * FROM case_")) == len(store.rows("SELECT * FROM audit")) == 1


def test_a_key_is_not_taken_for_another_step(store):
    open_case(store, key="k1")
    with pytest.raises(ValueError, match="used for another step"):
        open_case(store, id="C2", key="k1")
    assert [row["id"] for row in store.rows("SELECT id FROM case_")] == ["C1"]


def test_a_step_of_nobody_is_not_done(store):
    with pytest.raises(ValueError, match="needs an actor"):
        open_case(store, actor=" ")
    assert store.rows("SELECT * FROM case_") == []


def test_a_step_that_fails_leaves_nothing(store):
    open_case(store)
    with pytest.raises(Exception, match="UNIQUE"):
        open_case(store, key="k2")
    assert store.rows("SELECT * FROM act_key") == []
    assert len(store.rows("SELECT * FROM audit")) == 1
