"""A matter keeps its case from night to night, and nobody's work is moved."""

import pytest

from pipelines.casework.cases import cases, opening
from pipelines.findings.matters import Kind, Matter


@pytest.fixture
def night(store):
    """Runs the cases of a night; returns the case of every signal."""
    number = 0

    def run(*matters):
        nonlocal number
        number += 1
        snapshot = f"n{number}"
        with store.transaction() as con:
            con.execute("INSERT INTO snapshot VALUES (?, '2026-06-30', '{}', '', '')", (snapshot,))
            found = opening.assign(con, list(matters), snapshot)
            con.execute("UPDATE signal SET is_current = 0")
            for fp, case in found.items():
                con.execute(
                    "INSERT INTO signal (fp, detector, identity_version, scope, entities, first_snapshot, first_as_of,"
                    " case_id) VALUES (?, 'd', 1, 'x', '[]', ?, '2026-06-30', ?)"
                    " ON CONFLICT (fp) DO UPDATE SET case_id = excluded.case_id, is_current = 1",
                    (fp, snapshot, case),
                )
        return found

    return run


def matter(scope, *signals, kind=Kind.FIRMS, score=5.0, lots=("L1", "L2")):
    return Matter(kind, scope, tuple(scope.split(";")), lots, signals, score, None, {"families": {}})


def events(store):
    return [
        (row["verb"], row["case_id"], row["other"])
        for row in store.rows("SELECT verb, case_id, other FROM case_event ORDER BY number")
    ]


def test_a_ring_that_gains_a_firm_and_a_lot_is_the_same_case(store, night):
    first = night(matter("A;B", "S1", "S2"))
    second = night(matter("A;B;C", "S1", "S2", "S3", kind=Kind.RING, lots=("L1", "L2", "L3")))
    assert set(first.values()) == set(second.values())
    assert [verb for verb, _, _ in events(store)] == ["opened", "changed"]


def test_the_same_night_again_writes_nothing_new(store, night):
    night(matter("A;B", "S1", "S2"))
    night(matter("A;B", "S1", "S2"))
    assert [verb for verb, _, _ in events(store)] == ["opened"]


def test_lot_cases_that_nobody_touched_become_the_ring_they_are_of(store, night):
    """The cases of a home of yesterday, one a lot, are carried over."""
    old = night(*(matter(f"L{n}", f"S{n}", kind=Kind.LOT, lots=(f"L{n}",)) for n in range(5)))
    assert len(set(old.values())) == 5
    new = night(matter("A;B;C", *(f"S{n}" for n in range(5)), kind=Kind.RING))
    (case,) = set(new.values())
    assert case in old.values()
    merged = store.rows("SELECT id FROM case_ WHERE merged_into = ?", case)
    assert len(merged) == 4
    assert sorted(verb for verb, _, _ in events(store)) == ["changed", *["merged"] * 4, *["opened"] * 5]


def test_what_was_merged_stands_for_itself_again_when_the_ring_is_gone(store, night):
    night(*(matter(f"L{n}", f"S{n}", kind=Kind.LOT, lots=(f"L{n}",)) for n in range(3)))
    night(matter("A;B", "S0", "S1", "S2", kind=Kind.RING))
    again = night(*(matter(f"L{n}", f"S{n}", kind=Kind.LOT, lots=(f"L{n}",)) for n in range(3)))
    assert len(set(again.values())) == 3
    assert store.rows("SELECT 1 FROM case_ WHERE merged_into IS NOT NULL") == []
    assert store.rows("SELECT count(*) FROM case_")[0][0] == 3


def test_a_case_that_a_person_took_keeps_its_signals_and_its_state(store, night, by):
    first = night(matter("L1", "S1", kind=Kind.LOT, lots=("L1",)))
    cases.move(store, by(), first["S1"], "take", {})
    second = night(matter("A;B;C", "S1", "S2", "S3", "S4", kind=Kind.RING))
    assert second["S1"] == first["S1"]
    assert cases.case_of(store.con, first["S1"]).state == "reviewing"
    (ring,) = {case for fp, case in second.items() if fp != "S1"}
    assert ring != first["S1"]
    assert ("overlaps", ring, first["S1"]) in events(store)


def test_a_case_under_review_grows_with_its_matter(store, night, by):
    first = night(matter("A;B", "S1", "S2", "S3"))
    cases.move(store, by(), first["S1"], "take", {})
    second = night(matter("A;B;C", "S1", "S2", "S3", "S4", kind=Kind.RING))
    assert set(second.values()) == set(first.values())


def test_two_cases_under_review_are_never_merged_by_the_machine(store, night, by):
    first = night(matter("A;B", "S1", "S2"), matter("C;D", "S3", "S4"))
    for case in sorted(set(first.values())):
        cases.move(store, by(), case, "take", {})
    second = night(matter("A;B;C;D", "S1", "S2", "S3", "S4", kind=Kind.RING))
    assert second == first
    assert {row["state"] for row in store.rows("SELECT state FROM case_")} == {"reviewing"}
    assert store.rows("SELECT 1 FROM case_ WHERE merged_into IS NOT NULL") == []


def test_what_a_person_merged_stays_merged(store, night, by):
    first = night(matter("A;B", "S1", "S2"), matter("C;D", "S3", "S4"))
    cases.merge(store, by(reason="同一事项"), first["S3"], first["S1"])
    second = night(matter("A;B", "S1", "S2"), matter("C;D", "S3", "S4", "S5"))
    assert second["S3"] == first["S3"]
    assert cases.case_of(store.con, first["S3"]).merged_into == first["S1"]


def test_a_matter_without_signals_has_a_case_all_the_same(store, night):
    """A ring that prices alone speak for, no single lot of which is flagged."""
    night(matter("A;B;C", kind=Kind.RING, score=9.0))
    night(matter("A;B;C", kind=Kind.RING, score=9.0))
    ((case,),) = [tuple(row) for row in store.rows("SELECT case_id FROM matter")]
    assert [row["id"] for row in store.rows("SELECT id FROM case_")] == [case]


def test_another_order_of_the_matters_gives_the_same_cases(store, night):
    one = matter("A;B", "S1", "S2", score=3.0)
    other = matter("C;D", "S3", score=3.0)
    assert night(one, other) == night(other, one)
