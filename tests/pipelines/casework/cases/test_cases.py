import json

import pytest

from pipelines.casework.cases import cases
from pipelines.casework.cases.cases import assign, bring, case_of, merge, move, unmerge
from pipelines.casework.cases.states import DISMISSALS_ZH, STEPS, CaseState

#: All that any step asks for.
EVERYTHING = {
    "code": "data_error",
    "second officer": "李四",
    "document": "修发改函〔2026〕12号",
    "recipient": "housing",
    "basis": "POWER-1",
    "outcome": "已立案",
}
VERBS = sorted({step.verb for step in STEPS})
LEGAL = {(step.before, step.verb): step.after for step in STEPS}


def state(store, id="C1"):
    return case_of(store.con, id).state


def log(store):
    return [json.loads(row["body"]) for row in store.rows("SELECT body FROM audit ORDER BY seq")]


@pytest.mark.parametrize(("before", "verb"), sorted(LEGAL))
def test_every_listed_step_leads_where_the_table_says(store, case, by, before, verb):
    case(state=before)
    move(store, by(reason="因"), "C1", verb, EVERYTHING)
    assert state(store) == LEGAL[before, verb]
    (entry,) = log(store)
    assert (entry["verb"], entry["object"], entry["actor"]) == (verb, "C1", "张三")


def test_every_other_step_is_refused_and_the_possible_ones_are_named(store, case, by):
    for at, before in enumerate(CaseState):
        id = case(f"C{at}", state=before)
        for verb in VERBS:
            if (before, verb) in LEGAL:
                continue
            with pytest.raises(ValueError, match="not possible in state") as refused:
                move(store, by(reason="因"), id, verb, EVERYTHING)
            assert all(step.verb in str(refused.value) for step in STEPS if step.before is before)
    assert log(store) == []


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step.before}-{step.verb}")
def test_a_step_without_what_it_needs_is_refused_and_says_what(store, case, by, step):
    case(state=step.before)
    for need in step.needs:
        given = {name: value for name, value in EVERYTHING.items() if name != need}
        with pytest.raises(ValueError, match=f"needs: {need}"):
            move(store, by(reason="" if need == "reason" else "因"), "C1", step.verb, given)
    assert state(store) == step.before


def test_the_decision_keeps_the_evidence_that_the_person_saw(store, case, by):
    case()
    move(store, by(), "C1", "take", {})
    (decision,) = store.rows("SELECT * FROM decision")
    assert json.loads(decision["seen"]) == [["SC1", "eC1"]]
    assert (decision["before"], decision["after"], decision["rev"]) == ("new", "reviewing", 1)


def test_who_takes_a_case_owns_it(store, case, by):
    case()
    move(store, by("王五"), "C1", "take", {})
    assert case_of(store.con, "C1").owner == "王五"
    assign(store, by(), "C1", "赵六")
    assert case_of(store.con, "C1").owner == "赵六"


def test_the_second_of_two_people_who_saw_the_same_revision_is_refused(store, case, by):
    case()
    move(store, by(), "C1", "take", {}, rev=0)
    move(store, by("李四", "缺开标记录"), "C1", "need-info", {}, rev=1)
    with pytest.raises(ValueError, match="changed meanwhile"):
        move(store, by("王五", "没有问题"), "C1", "back", {}, rev=1)
    assert state(store) == CaseState.WAITING


def test_the_same_key_moves_a_case_once(store, case, by):
    case()
    assert move(store, by(key="k"), "C1", "take", {}) == "reviewing"
    assert move(store, by(key="k"), "C1", "take", {}) == "reviewing"
    assert case_of(store.con, "C1").rev == 1


@pytest.mark.parametrize("code", ["because", ""])
def test_a_case_is_set_aside_for_a_listed_reason_only(store, case, by, code):
    case(state="reviewing")
    with pytest.raises(ValueError, match=r"needs: code|no reason to set a case aside"):
        move(store, by(reason="因"), "C1", "dismiss", {"code": code})


def test_every_listed_reason_sets_a_case_aside(store, case, by):
    for code in DISMISSALS_ZH:
        case(code, state="reviewing")
        given = {"code": code, "duplicate of": "C9" if code == "duplicate" else ""}
        if code == "insufficient_now":
            given["revisit on"] = "2026-12-01"
        move(store, by(reason="因"), code, "dismiss", given)
        assert state(store, code) == CaseState.DISMISSED
    assert case_of(store.con, "insufficient_now").revisit_on == "2026-12-01"


def test_not_enough_now_needs_a_day_to_look_again(store, case, by):
    case(state="reviewing")
    with pytest.raises(ValueError, match="look again"):
        move(store, by(reason="因"), "C1", "dismiss", {"code": "insufficient_now"})


def test_two_officers_confirm(store, case, by):
    case(state="reviewing")
    with pytest.raises(ValueError, match="another person"):
        move(store, by("张三", "属实"), "C1", "confirm", {"second officer": "张三"})
    move(store, by("张三", "属实"), "C1", "confirm", {"second officer": "李四"})


def test_what_belongs_to_a_step_fails_with_it(store, case, by):
    case()

    def also(con, case):
        raise ValueError("no office")

    with pytest.raises(ValueError, match="no office"):
        move(store, by(), "C1", "take", {}, also=also)
    assert state(store) == CaseState.NEW
    assert store.rows("SELECT * FROM decision") == log(store) == []


# --- merging --------------------------------------------------------------------------------------


def test_a_merged_case_comes_out_as_it_went_in(store, case, by):
    case("C1", state="reviewing")
    case("C2", state="waiting")
    merge(store, by(reason="同一批企业"), "C2", "C1")
    assert cases.evidence_of(store.con, "C1") == [["SC1", "eC1"], ["SC2", "eC2"]]
    unmerge(store, by(reason="不是一回事"), "C2")
    assert cases.evidence_of(store.con, "C1") == [["SC1", "eC1"]]
    assert (state(store, "C2"), case_of(store.con, "C2").merged_into) == (CaseState.WAITING, None)
    verbs = [(row["case_id"], row["verb"]) for row in store.rows("SELECT * FROM decision ORDER BY number")]
    assert verbs == [("C2", "merge"), ("C1", "join"), ("C2", "unmerge"), ("C1", "part")]


def test_a_merged_case_is_not_moved_itself(store, case, by):
    case("C1"), case("C2")
    merge(store, by(reason="同一批企业"), "C2", "C1")
    with pytest.raises(ValueError, match="merged into C1"):
        move(store, by(), "C2", "take", {})


@pytest.mark.parametrize(("one", "other"), [("C1", "C1"), ("C2", "C3"), ("C1", "C2"), ("C4", "C1")])
def test_a_merge_that_would_hide_something_is_refused(store, case, by, one, other):
    """C2 is merged into C1, and C4 is on its way to another office."""
    case("C1"), case("C2"), case("C3"), case("C4", state="referred")
    merge(store, by(reason="同一批企业"), "C2", "C1")
    with pytest.raises(ValueError):
        merge(store, by(reason="因"), one, other)


# --- cases that no night found ---------------------------------------------------------------------


def test_a_case_from_the_police_enters_as_new(store, by):
    id = bring(
        store, by(reason="情节轻微，不构成犯罪"), "E4108210000000302001001", "公安局 修公（经）移〔2026〕3号"
    )
    brought = case_of(store.con, id)
    assert (brought.state, brought.origin) == (CaseState.NEW, "公安局 修公（经）移〔2026〕3号")
    with pytest.raises(ValueError, match="go on there"):
        bring(store, by(reason="再次移交"), "E4108210000000302001001", "公安局")


def test_a_case_that_does_not_exist_is_refused(store, by):
    with pytest.raises(ValueError, match="no case C7"):
        move(store, by(), "C7", "take", {})
