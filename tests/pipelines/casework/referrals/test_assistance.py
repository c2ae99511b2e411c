from datetime import date

import pytest

from pipelines import audit
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.due_dates import Stage
from pipelines.casework.referrals import assistance

WANTED = {
    "document": "修发改函〔2026〕13号",
    "facts": "五家投标人的保证金疑似由同一账户转出",
    "matter": "查询账户开户信息",
    "grounds": "本单位无权查询",
    "materials": ["转账记录"],
}


@pytest.fixture
def ask(store, case, by):
    def do(id="C1", key=None, **changes):
        if not store.rows("SELECT 1 FROM case_ WHERE id = ?", id):
            case(id, state="reviewing")
        return assistance.ask(store, by(key=key), id, **WANTED | changes)

    return do


def clock(store, id, on):
    return next(each for each in deadlines.all_deadlines(store, on) if each.object == id)


def test_a_request_starts_the_five_working_days_on_the_day_the_police_had_it(store, ask):
    id = ask(received_at="2026-06-24T02:00:00+00:00")
    assert clock(store, id, date(2026, 6, 30)).due.due_on == date(2026, 7, 1)
    assert assistance.request_of(store.con, id).outcome == ""


def test_a_return_after_the_sixth_day_is_a_delay_of_the_police(store, ask, by):
    id = ask(received_at="2026-06-17T02:00:00+00:00")
    assistance.send_back(store, by(), id, "不属本单位职能")
    late = deadlines.delays(store, 2026, date(2026, 7, 1))
    assert [(each.object, each.rule.duty_of) for each in late] == [(id, "police")]
    assert assistance.request_of(store.con, id).text == "不属本单位职能"


def test_an_answer_is_no_delay_however_late_because_nothing_had_to_be_returned(store, ask, by):
    id = ask(received_at="2026-06-02T02:00:00+00:00")
    assistance.answer(store, by(), id, "账户属甲公司", document="修公函〔2026〕8号")
    assert deadlines.delays(store, 2026, date(2026, 7, 1)) == []
    assert clock(store, id, date(2026, 7, 1)).stage is not Stage.OVERDUE
    found = assistance.request_of(store.con, id)
    assert (found.outcome, found.end_document_no) == ("answered", "修公函〔2026〕8号")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"facts": " "}, "案件基本情况"),
        ({"matter": ""}, "事项"),
        ({"grounds": ""}, "理由"),
        ({"materials": [" "]}, "相关证据资料"),
        ({"document": "修发改函[2026]13号"}, "hexagonal"),
        ({"received_at": "2026-07-02T02:00:00+00:00"}, "still to come"),
    ],
)
def test_a_request_without_what_article_14_names_is_refused(store, ask, changes, fault):
    with pytest.raises(ValueError, match=fault):
        ask(**changes)
    assert assistance.requests(store) == []


@pytest.mark.parametrize("state", ["new", "dismissed", "closed"])
def test_assistance_is_asked_for_only_in_a_case_under_way(store, ask, case, state):
    case("C1", state=state)
    with pytest.raises(ValueError, match="under review"):
        ask()


def test_a_request_ends_once(store, ask, by):
    id = ask()
    assistance.answer(store, by(), id, "已查")
    with pytest.raises(ValueError, match="has ended"):
        assistance.send_back(store, by(), id, "退回")
    with pytest.raises(ValueError, match="say what came back"):
        assistance.answer(store, by(), id, " ")
    with pytest.raises(ValueError, match="no request"):
        assistance.answer(store, by(), "X9", "已查")


def test_an_answer_cannot_come_before_the_request(store, ask, by):
    id = ask(received_at="2026-06-24T02:00:00+00:00")
    with pytest.raises(ValueError, match="lies before"):
        assistance.answer(store, by(), id, "已查", ended_at="2026-06-20T02:00:00+00:00")


def test_two_letters_never_have_the_same_number(store, ask):
    ask()
    with pytest.raises(ValueError, match="number of its own"):
        ask()


def test_the_same_key_asks_once(store, ask):
    assert ask(key="k") == ask(key="k")
    assert len(assistance.requests(store)) == 1


def test_what_the_letter_says_stays_out_of_the_log(store, ask, by):
    assistance.answer(store, by(), ask(), "账户属王五")
    said = "".join(audit.entries(store.con))
    assert "assist-ask" in said
    assert "assist-answered" in said
    assert not any(secret in said for secret in ("王五", WANTED["facts"], WANTED["grounds"]))
