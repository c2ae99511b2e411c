import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from places import SAMPLE
from scipy.stats import binom

from detectors import registry
from detectors.interface import Grade
from pipelines import duck
from pipelines.simulator.writing import LAST_NIGHT
from pipelines.workshop import evaluation, trust

# Ring 1 rigged L1 for A and gave up L4. Ring 2, which does nothing, met in L3. Ring 3, whose members own each other,
# rigged L5 for X, which is not a member. Z bid in L2 under a ban.
RINGS = """
    ring tactic     care members evidence
    1    cover_bids 0    A;B;C   same_ip
    2    none       1    D;E     -
    3    payback    4    F;G     ownership;same_ip
"""
LOTS = """
    lot_id ring designated is_rigged is_forgone
    L1     1    A          yes       no
    L2     -    -          no        no
    L3     2    -          no        no
    L4     1    -          no        yes
    L5     3    X          yes       no
"""
LINKS = """
    lot_id parties ring innocent
    L1     A;B     1    no
    L2     Z       -    no
    L2     A;B     -    yes
"""


def parsed(text):
    header, *lines = (line.split() for line in text.strip().splitlines())
    return pd.DataFrame(lines, columns=header, dtype="str").replace("-", None)


@pytest.fixture
def truth():
    return evaluation.Truth(parsed(RINGS), parsed(LOTS), parsed(LINKS))


@pytest.fixture
def seen(truth):
    def see(kind, *rows):
        """Rows are (unit, entities, flagged) of one detector."""
        table = pa.table(
            {
                "detector": ["d.one"] * len(rows),
                "unit": [row[0] for row in rows],
                "entities": pa.array([row[1] for row in rows], pa.string()),
                "flagged": [row[2] for row in rows],
            }
        )
        return evaluation.seen(table, {"d.one": kind}, truth)

    return see


def true_units(seen):
    return set(seen.units.loc[seen.units["is_true"], "unit"])


def rings_hit(seen):
    return set(seen.hits["ring"])


# --- which ring a flag is about -------------------------------------------------------------------


def test_a_row_that_names_no_firm_concerns_the_ring_that_acted_in_the_lot(seen):
    found = seen("lot", ("L1", None, True), ("L2", None, True), ("L5", None, True))
    assert true_units(found) == {"L1", "L5"}
    assert rings_hit(found) == {"1", "3"}


def test_a_lot_that_a_ring_gave_up_does_not_concern_it(seen):
    found = seen("lot", ("L4", None, True), ("L4", "A;B", True))
    assert true_units(found) == set()
    assert rings_hit(found) == set()


@pytest.mark.parametrize(
    ("named", "is_true"),
    [("A", True), ("A;B", True), ("A;B;Y", True), ("A;Y", False), ("Y", False), ("Y;W", False)],
)
def test_a_row_concerns_the_ring_if_it_names_two_of_its_firms_or_one_alone(seen, named, is_true):
    assert true_units(seen("lot", ("L1", named, True))) == ({"L1"} if is_true else set())


def test_the_firm_that_was_to_win_belongs_to_the_ring_only_in_that_lot(seen):
    found = seen("lot", ("L5", "F;X", True), ("L1", "A;X", True), ("L2", "F;X", True))
    assert true_units(found) == {"L5"}


def test_members_named_in_another_lot_concern_the_ring_only_if_they_own_each_other(seen):
    found = seen("lot", ("L2", "A;B", True), ("L4", "F;G", True))
    assert true_units(found) == {"L4"}
    assert rings_hit(found) == {"3"}


def test_a_party_in_a_lot_concerns_the_ring_that_acted_there(seen):
    found = seen("lot_party", ("L1/A", "A", True), ("L1/Y", "Y", True), ("L2/A", "A", True))
    assert true_units(found) == {"L1/A"}


def test_pairs_and_groups_concern_a_ring_by_two_members_and_parties_by_one(seen):
    pairs = seen("pair", ("A;B", "A;B", True), ("A;F", "A;F", True), ("buyer/F", "F", True))
    assert true_units(pairs) == {"A;B", "buyer/F"}
    assert true_units(seen("ring", ("A;C;Y", "A;C;Y", True), ("A;F;Y", "A;F;Y", True))) == {"A;C;Y"}
    assert true_units(seen("party", ("G", "G", True), ("Y", "Y", True))) == {"G"}


def test_buyers_concern_no_ring(seen):
    found = seen("buyer", ("A", "A", True), ("L1", None, True))
    assert true_units(found) == set()
    assert rings_hit(found) == set()


def test_a_flag_on_a_ring_that_does_nothing_is_a_hit_but_not_true(seen):
    found = seen("lot", ("L3", None, True))
    assert true_units(found) == set()
    assert rings_hit(found) == {"2"}


def test_a_fact_that_needs_no_ring_is_true_of_the_firm_it_names(seen):
    found = seen("lot_party", ("L2/Z", "Z", True), ("L2/A", "A", True), ("L1/Z", "Z", True))
    assert true_units(found) == {"L2/Z"}
    assert rings_hit(found) == set()


def test_an_innocent_look_alike_is_not_true(seen):
    assert true_units(seen("lot", ("L2", "A;B", True))) == set()


def test_nothing_is_true_or_found_without_a_flag(seen):
    found = seen("lot", ("L1", None, False), ("L2", "Z", False))
    assert true_units(found) == set()
    assert found.hits.empty
    assert list(found.units["is_of_ring"]) == [True, False]


def test_a_unit_judged_in_several_rows_counts_once_and_is_true_only_by_a_flagged_row(seen):
    found = seen("lot", ("L1", "Y;W", True), ("L1", "A;B", False))
    assert len(found.units) == 1
    assert list(found.units[["is_flagged", "is_true", "is_of_ring"]].iloc[0]) == [True, False, True]


# --- figures ---------------------------------------------------------------------------------------


def units(flags, detector="d.one", lots=None, true=()):
    return pd.DataFrame(
        {
            "detector": detector,
            "unit": [f"U{place}" for place in range(len(flags))],
            "lot_id": lots or [None] * len(flags),
            "is_flagged": [bool(flag) for flag in flags],
            "is_true": [place in true for place in range(len(flags))],
            "is_of_ring": [place in true for place in range(len(flags))],
        }
    )


def test_precision_is_the_true_share_of_flags_and_base_that_of_all_units(seen):
    found = seen("lot", ("L1", None, True), ("L2", None, True), ("L3", None, False), ("L5", None, False))
    row = trust.precision(found.units).loc["d.one"]
    assert list(row[["judged", "flagged", "true", "precision", "base"]]) == [4, 2, 1, 0.5, 0.5]


def test_precision_of_nothing_flagged_is_unknown():
    assert np.isnan(trust.precision(units([0, 0])).loc["d.one", "precision"])


def test_false_flags_leave_true_ones_out():
    row = trust.false_flags(units([1, 1, 0, 0], true=(0,))).loc["d.one"]
    assert list(row[["judged", "false", "share"]]) == [4, 1, 0.25]
    assert row["low"] < 0.25 < row["high"]


@pytest.mark.parametrize(("count", "of"), [(1, 10), (3, 7), (12, 2_000)])
def test_at_its_bounds_a_share_gives_the_count_with_a_chance_of_one_in_twenty(count, of):
    low, high = (bound[0] for bound in trust.bounds(np.array([count]), np.array([of])))
    assert binom.sf(count - 1, of, low) == pytest.approx(0.05)
    assert binom.cdf(count, of, high) == pytest.approx(0.05)


def test_bounds_of_none_and_of_all_reach_the_end():
    low, high = trust.bounds(np.array([0, 299]), np.array([299, 299]))
    assert (low[0], high[1]) == (0.0, 1.0)
    assert high[0] == pytest.approx(1 - 0.05 ** (1 / 299))
    assert low[1] == pytest.approx(0.05 ** (1 / 299))


def detector(grade, **limits):
    return SimpleNamespace(id="d.one", facts=SimpleNamespace(grade=grade), limits=SimpleNamespace(**limits))


def test_the_gate_is_the_nominal_probability_of_grade_c_alone():
    assert trust.gate(detector(Grade.C, max_p=0.05)) == 0.05
    assert trust.gate(detector(Grade.C, max_q=0.05)) == 0.05
    assert trust.gate(detector(Grade.C, min_bids=3)) == 0.01
    assert trust.gate(detector(Grade.B, max_p=0.05)) == 0.01
    assert trust.gate(detector(Grade.A)) == 0.01


def test_a_share_at_the_gate_holds_and_above_it_chance_tells_over_from_fails():
    assert trust.verdict(1_000, 0.01, 0.008, 0.01) == "holds"
    assert trust.verdict(1_000, 0.011, 0.009, 0.01) == "over"
    assert trust.verdict(1_000, 0.03, 0.02, 0.01) == "fails"


def test_a_gate_of_one_in_a_hundred_needs_299_units_to_hold():
    assert trust.verdict(298, 0.0, 0.0, 0.01) == "few"
    assert trust.verdict(299, 0.0, 0.0, 0.01) == "holds"
    assert trust.verdict(0, float("nan"), float("nan"), 0.01) == "no units"


def gates(honest, **markets):
    found = trust.gates([detector(Grade.B)], honest, markets)
    return found.loc["d.one"]


def test_a_detector_that_flags_few_honest_units_and_little_of_real_markets_passes():
    row = gates(units([1] + [0] * 299), here=units([1] + [0] * 19), there=units([0] * 20))
    assert (row["verdict"], row["real_set"], row["real_share"], row["passes"]) == (
        "holds",
        "here",
        0.05,
        True,
    )


def test_a_detector_that_flags_more_honest_units_does_not_pass():
    assert gates(units([1] * 9 + [0] * 291))[["verdict", "passes"]].tolist() == ["fails", False]
    assert gates(units([1] * 4 + [0] * 296))[["verdict", "passes"]].tolist() == ["over", False]


def test_a_detector_that_flags_more_than_one_in_twenty_of_a_real_market_does_not_pass():
    row = gates(units([0] * 300), here=units([0] * 50), there=units([1, 1] + [0] * 37))
    assert (row["verdict"], row["real_set"], row["passes"]) == ("holds", "there", False)


def test_what_labels_call_collusive_may_be_flagged_and_the_rest_of_that_market_counts():
    labelled = units([1] * 10 + [0] * 40).assign(is_collusive=[True] * 10 + [False] * 40)
    assert gates(units([0] * 300), here=labelled)["real_share"] == 0
    labelled["is_collusive"] = [True] * 7 + [False] * 33 + [None] * 10
    row = gates(units([0] * 300), here=labelled)
    assert (row["real_share"], row["passes"]) == (3 / 43, False)


def test_a_real_market_of_fewer_than_twenty_judged_units_decides_nothing():
    row = gates(units([0] * 300), here=units([1] + [0] * 18))
    assert np.isnan(row["real_share"])
    assert row["passes"]


def test_a_detector_that_can_judge_nothing_does_not_pass():
    row = gates(units([0, 0], detector="d.other"))
    assert (row["judged"], row["verdict"], row["passes"]) == (0, "no units", False)


def test_a_detector_that_holds_the_gate_and_is_no_worse_than_chance_earns_its_status():
    table = trust.gates([detector(Grade.B)], units([0] * 300), {})
    found = pd.DataFrame({"flagged": [10], "precision": [0.3], "base": [0.3]}, index=table.index)
    assert trust.held_back(table, found).tolist() == [""]


@pytest.mark.parametrize(
    ("change", "found", "why"),
    [
        ({"verdict": "over"}, {}, "over"),
        ({"real_share": 0.06}, {}, "loud"),
        ({}, {"precision": 0.2}, "blind"),
        ({}, {"precision": 0.2, "flagged": 9}, ""),
        ({}, {"precision": float("nan"), "base": float("nan")}, ""),
    ],
)
def test_the_reason_that_holds_a_detector_back_is_given(change, found, why):
    table = trust.gates([detector(Grade.B)], units([0] * 300), {}).assign(**change)
    values = {"flagged": 10, "precision": 0.5, "base": 0.3} | found
    assert trust.held_back(table, pd.DataFrame([values], index=table.index)).tolist() == [why]


def test_recall_counts_the_lots_in_which_the_ring_acted(seen, truth):
    hits = seen("lot", ("L1", None, True), ("L4", "F;G", True)).hits
    found = trust.rings_seen(hits, ["d.one"], truth).set_index("ring")
    assert found["lots"].to_dict() == {"1": 1, "2": 1, "3": 1}
    assert found["lots_seen"].to_dict() == {"1": 1, "2": 0, "3": 0}  # L4 is not of ring 3
    assert found["is_found"].to_dict() == {"1": True, "2": False, "3": True}


def test_a_detector_without_hits_has_found_none_of_the_rings(truth):
    found = trust.rings_seen(parsed(HITS), ["d.one"], truth)
    assert list(found["ring"]) == ["1", "2", "3"]
    assert not found["is_found"].any()


HITS = """
    detector ring lot_id
    a.one    1    L1
    a.two    1    L1
    b.one    1    L9
    a.one    3    L5
    b.one    3    L5
    b.one    2    -
"""
FAMILIES = {"a.one": "a", "a.two": "a", "b.one": "b"}


def test_two_detectors_of_one_family_are_no_second_witness(truth):
    both = trust.twice(parsed(HITS), FAMILIES)
    found = trust.rings_seen(both, ["two"], truth).set_index("ring")
    assert found["is_found"].to_dict() == {"1": True, "2": False, "3": True}
    assert found["lots_seen"].to_dict() == {"1": 0, "2": 0, "3": 1}  # in L1 one family alone


def test_honest_lots_are_counted_by_strong_flags_and_by_two_families():
    judged = pd.concat(
        [
            units([1, 1, 0], "a.one", ["L1", "L2", "L3"]),
            units([1, 1], "a.two", ["L1", "L4"]),
            units([1, 1], "b.one", ["L2", "L5"], true=(1,)),
            units([1], "b.one", [None]),
        ]
    )
    found = trust.lots_flagged(judged, ["a.one"], FAMILIES)
    assert found.to_dict() == {"strong": 2, "two": 1}


# --- running ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_inbox_is_built_and_screened_by_every_detector_and_stays_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "key"))
    inbox = tmp_path / "inbox"
    shutil.copytree(SAMPLE / "inbox" / "opening_sheets", inbox / "opening_sheets")
    before = sorted(inbox.rglob("*"))
    snapshot = evaluation.built(inbox, tmp_path / "home", LAST_NIGHT)
    seconds = evaluation.screened(snapshot)
    assert list(seconds.index) == registry.ids()
    assert (seconds >= 0).all()
    assert sorted(inbox.rglob("*")) == before
    assert evaluation.rows_of(snapshot).column_names == ["detector", "unit", "entities", "flagged"]
    with duck.connect(snapshot, read_only=True) as con:
        assert con.execute("SELECT count(*) FROM core.bids").fetchall()[0][0] >= 3
