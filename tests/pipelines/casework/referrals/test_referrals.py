from datetime import date

import pytest

from pipelines.casework.cases.cases import case_of, move
from pipelines.casework.cases.states import CaseState
from pipelines.casework.clocks import deadlines
from pipelines.casework.referrals.referrals import answer, copies, draft, latest, of_case

POLICE = ("police", "POLICE-223")


def at(day, hour=2):
    return f"2026-06-{day:02}T{hour:02}:00:00+00:00"


@pytest.fixture
def drafted(store, case, by):
    """A confirmed case that 张三 proposed to hand to the police on 1 June, a Monday."""
    case(state="confirmed")
    draft(store, by("张三", at=at(1)), "C1", *POLICE, ["A01"])
    return "C1"


def running(store, on="2026-06-30"):
    return {
        (each.object, each.rule.rule_id) for each in deadlines.open_deadlines(store, date.fromisoformat(on))
    }


def step(store, by, verb, actor="李四", day=2, reason="", hour=2, **given):
    return answer(store, by(actor, reason, at=at(day, hour)), "C1", verb, given)


def test_who_proposes_does_not_approve(store, drafted, by):
    for verb in ("approve", "reject"):
        with pytest.raises(ValueError, match="another person"):
            step(store, by, verb, actor="张三", reason="因")
    assert step(store, by, "approve") == "approved"
    assert latest(store.con, "C1").approver == "李四"


def test_the_head_has_three_days_and_the_police_get_it_within_24_hours(store, drafted, by):
    assert running(store) == {("RC1-1", "YS01")}
    step(store, by, "approve", day=2)
    assert running(store) == {("RC1-1", "YS02")}
    step(store, by, "send", day=2, hour=9, document="修发改移〔2026〕3号")
    assert running(store) == {("RC1-1", "YS05a")}
    ends = {each.rule.rule_id: each.outcome for each in deadlines.all_deadlines(store, date(2026, 6, 30))}
    assert ends == {"YS01": "met", "YS02": "met", "YS05a": None}
    assert latest(store.con, "C1").document_no == "修发改移〔2026〕3号"


def test_a_refusal_may_be_put_to_review_within_three_days(store, drafted, by):
    step(store, by, "approve"), step(store, by, "send", day=3, document="修发改移〔2026〕3号")
    step(store, by, "no-case", day=5, reason="不构成犯罪")
    assert running(store) == {("RC1-1", "YS06")}
    step(store, by, "reconsider", day=6, reason="有新证据")
    assert running(store) == {("RC1-1", "YS07")}
    step(store, by, "uphold", day=8, reason="维持")
    assert running(store) == {("RC1-1", "YS08")}
    step(store, by, "reconsider", day=9, reason="提请检察院监督")
    step(store, by, "accept", day=12)
    assert running(store) == {("RC1-1", "YS09")}
    step(store, by, "feedback", day=14, outcome="已立案侦查")
    assert running(store) == set()
    assert step(store, by, "close", day=15) == "closed"


def test_a_refused_case_goes_to_the_regulator_and_no_clock_is_left(store, drafted, by):
    step(store, by, "approve"), step(store, by, "send", day=3, document="修发改移〔2026〕3号")
    step(store, by, "no-case", day=5, reason="情节轻微，不构成犯罪")
    draft(store, by("张三", at=at(6)), "C1", "housing", "HOUSING-A01", ["A01"])
    assert [(each.id, each.kind) for each in of_case(store.con, "C1")] == [
        ("RC1-1", "police"),
        ("RC1-2", "regulator"),
    ]
    assert running(store) == set()
    assert case_of(store.con, "C1").state == CaseState.DRAFTED


def test_closing_a_refused_case_lets_the_review_lapse(store, drafted, by):
    step(store, by, "approve"), step(store, by, "send", day=3, document="修发改移〔2026〕3号")
    step(store, by, "no-case", day=5, reason="不构成犯罪")
    step(store, by, "close", day=6, reason="同意公安机关意见")
    outcomes = {each.rule.rule_id: each.outcome for each in deadlines.all_deadlines(store, date(2026, 6, 30))}
    assert outcomes["YS06"] == "lapsed"


def test_a_proposal_that_is_not_approved_goes_back(store, drafted, by):
    assert step(store, by, "reject", reason="证据不足") == "confirmed"
    assert running(store) == set()
    draft(store, by("张三", at=at(4)), "C1", *POLICE, ["A01"])
    assert [each.approver for each in of_case(store.con, "C1")] == [None, None]


def test_an_office_without_the_power_gets_nothing(store, case, by):
    case(state="confirmed")
    with pytest.raises(ValueError, match="powers for A07"):
        draft(store, by(), "C1", "housing", "HOUSING-A01", ["A07"])
    assert (of_case(store.con, "C1"), case_of(store.con, "C1").state) == ([], CaseState.CONFIRMED)


def test_what_the_store_itself_refuses(store, drafted):
    with pytest.raises(Exception, match="CHECK"):
        store.con.execute("UPDATE referral SET approver = proposer")


def test_a_number_that_could_not_be_found_again_is_refused(store, drafted, by):
    step(store, by, "approve")
    with pytest.raises(ValueError, match="hexagonal"):
        step(store, by, "send", day=3, document="修发改移[2026]3号")
    assert case_of(store.con, "C1").state == CaseState.APPROVED


def test_copies_follow_the_office(store, drafted, case, by):
    assert copies(store.reference, latest(store.con, "C1")) == ["procuratorate", "development-reform"]
    case("C2", state="confirmed")
    draft(store, by(), "C2", "discipline", "DISCIPLINE-18", ["A01"])
    assert copies(store.reference, latest(store.con, "C2")) == []


def test_a_case_that_the_own_office_files_has_no_referral(store, case, by):
    case(state="confirmed")
    assert step(store, by, "file", document="修发改立〔2026〕1号") == "accepted"
    assert running(store) == {("C1", "CF01")}
    assert step(store, by, "feedback", day=3, outcome="罚款") == "feedback"
    assert (of_case(store.con, "C1"), running(store)) == ([], set())


def test_a_case_that_the_own_office_filed_cannot_be_returned_to_it(store, case, by):
    case(state="confirmed")
    step(store, by, "file", document="修发改立〔2026〕1号")
    with pytest.raises(ValueError, match="no other office has it"):
        step(store, by, "return", day=3, reason="不属管辖")
    assert running(store) == {("C1", "CF01")}


def test_a_returned_case_that_the_own_office_files_is_not_written_to_the_old_referral(store, drafted, by):
    step(store, by, "approve"), step(store, by, "send", day=3, document="修发改移〔2026〕3号")
    step(store, by, "return", day=4, reason="不属管辖")
    step(store, by, "recheck", day=5)
    step(store, by, "confirm", day=6, reason="属实", **{"second officer": "王五"})
    step(store, by, "file", day=7, document="修发改立〔2026〕1号")
    step(store, by, "feedback", day=8, outcome="罚款")
    assert (of_case(store.con, "C1")[0].outcome, running(store)) == (None, set())


def test_a_step_under_a_key_starts_its_clock_once(store, drafted, by):
    for _ in range(2):
        answer(store, by("李四", at=at(2), key="k"), "C1", "approve", {})
    assert running(store) == {("RC1-1", "YS02")}
    with pytest.raises(ValueError, match="not possible"):
        move(store, by("李四"), "C1", "approve", {})
