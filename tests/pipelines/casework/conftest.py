"""A control store with cases, and people who work on them."""

import pytest

from pipelines.casework.acting import Act
from pipelines.store import opened

AT = "2026-06-30T02:00:00+00:00"


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        with store.transaction() as con:
            con.execute(
                "INSERT INTO snapshot (id, as_of, manifest, logical_hash, published_at)"
                " VALUES ('s1', '2026-06-30', '{}', '', ?)",
                (AT,),
            )
        yield store


@pytest.fixture
def case(store):
    """Opens a case with one signal and returns its id."""

    def open_(id="C1", state="new", lot=None):
        with store.transaction() as con:
            con.execute(
                "INSERT INTO case_ (id, scope, state) VALUES (?, ?, ?)", (id, lot or f"lot {id}", state)
            )
            con.execute(
                "INSERT INTO signal (fp, detector, identity_version, scope, entities, first_snapshot, first_as_of, case_id)"
                " VALUES (?, 'prices.ladder', 1, ?, '[\"A\",\"B\"]', 's1', '2026-06-30', ?)",
                (f"S{id}", lot or f"lot {id}", id),
            )
            con.execute(
                "INSERT INTO evidence (fp, ev_hash, n, snapshot, detector_version, limits_version, body)"
                " VALUES (?, ?, 1, 's1', 'd', 'l', '{}')",
                (f"S{id}", f"e{id}"),
            )
        return id

    return open_


@pytest.fixture
def by():
    """An act of somebody at 02:00 UTC on 30 June 2026."""

    def act(actor="张三", reason="", key=None, at=AT):
        return Act(actor=actor, at=at, reason=reason, key=key)

    return act
