import csv
import io
import json

import pytest
from typer.testing import CliRunner

from pipelines import settings
from pipelines.commands.complaints import app
from pipelines.store import opened

NAME, PHONE = "欧阳测试", "13912345678"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "keys" / "home.key"))
    monkeypatch.setattr("pipelines.times.now", lambda: "2026-12-31T02:00:00+00:00")
    where = settings.Home(tmp_path / "home").prepare()
    with opened(where.control) as store, store.transaction() as con:
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', 'L1')")
    return where


@pytest.fixture
def bidwatch(home):
    def run(*args, input=None, fails=None):
        result = CliRunner().invoke(app, [*args, "--home", str(home.root)], input=input)
        if fails is not None:
            assert fails in str(result.exception)
        elif result.exception is not None:
            raise result.exception
        return result

    return run


@pytest.fixture
def received(bidwatch):
    def run(*more):
        return bidwatch(
            "receive",
            "--office",
            "housing",
            "--item",
            "4",
            "--against",
            "1",
            "--project",
            "某道路工程",
            "--received",
            "2026-06-01 10:00",
            "--actor",
            "李四",
            *more,
            input=f"{NAME}\n{PHONE}\n",
        )

    return run


@pytest.fixture
def handled(bidwatch, received):
    received()
    for verb, when in (("sign", "2026-06-01 11:00"), ("accept", "2026-06-03 10:00")):
        bidwatch(verb, "TS-2026-0001", "--at", when, "--actor", "李四")


def test_a_complaint_is_taken_in_and_the_next_steps_are_named(received):
    result = received()
    assert "TS-2026-0001　投诉人-2026-0001" in result.stdout
    assert "sign (签收), cancel (撤销)" in result.stderr
    assert "应当先向招标人提出异议" in result.stderr
    assert "应当先向招标人提出异议" not in received("--objected").stderr
    english = received("--lang", "en").stderr
    assert "an objection to the tenderer must come first" in english
    assert "must come first" not in received("--objected", "--lang", "en").stderr


def test_a_complaint_from_receipt_to_publication(bidwatch, handled):
    step = ("TS-2026-0001", "--actor", "李四", "--at")
    bidwatch("suspend", *step, "2026-06-08", "--ground", "appraisal", "--reason", "委托鉴定")
    shown = bidwatch("show", "TS-2026-0001", "--as-of", "2026-06-09")
    assert "鉴定" in shown.stdout
    assert "resume (结束扣除期间), decide" in shown.stderr
    assert "suspend" not in shown.stderr
    bidwatch("resume", *step, "2026-06-15")
    bidwatch("decide", *step, "2026-07-20 15:00", "--conclusion", "2", "--document", "修住建投〔2026〕1号")
    bidwatch("serve", *step, "2026-07-21")
    bidwatch("publish", *step, "2026-07-22")
    bidwatch("link", "TS-2026-0001", "C1", "--actor", "李四")
    (row,) = csv.DictReader(io.StringIO(bidwatch("list", "--format", "csv").stdout))
    assert row["投诉人代号"] == "投诉人-2026-0001"
    assert (row["投诉事项"], row["受理结论"], row["处理结论"]) == ("评标结果", "受理", "部分属实")
    assert (row["受理截止"], row["处理截止"]) == ("2026-06-04", "2026-07-21")
    assert row["扣除期间"] == "鉴定 2026-06-08至2026-06-15"
    assert (row["决定书文号"], row["决定时间"]) == ("修住建投〔2026〕1号", "2026-07-20 15:00")
    assert (row["状态"], row["关联案件"]) == ("已处理", "C1")


def test_withdrawal(bidwatch, handled):
    step = ("TS-2026-0001", "--actor", "李四", "--at")
    bidwatch("withdraw", *step, "2026-06-08", "--reason", "已达成谅解")
    for lang, stands, rests in (("zh", "同意撤诉", "无后续步骤"), ("en", "withdrawn", "at rest")):
        result = bidwatch("grant", *step, "2026-06-09", "--key", "k", "--lang", lang)
        assert stands in result.stdout
        assert rests in result.stderr


def test_a_step_that_is_not_possible_names_those_that_are(bidwatch, received):
    received()
    bidwatch("decide", "TS-2026-0001", "--conclusion", "1", "--document", "d", fails="possible: sign (签收)")


def test_a_listing_fits_a_hundred_columns_in_both_languages(bidwatch, received):
    received()
    for lang in ("zh", "en"):
        text = bidwatch("list", "--as-of", "2026-06-05", "--lang", lang).stdout
        wide = [sum(1 + (ord(each) > 0x2E80) for each in line) for line in text.splitlines()]
        assert max(wide) <= 100
    assert "deemed" in text


def test_a_complaint_that_nobody_took_in_is_deemed_accepted(bidwatch, received):
    received()
    result = bidwatch("list", "--as-of", "2026-06-05", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert (row["状态"], row["受理结论"], row["预警状态"]) == ("待签收", "视为受理", "超期")
    assert "视为受理" in result.stderr


def test_a_listing_can_be_narrowed_to_a_state(bidwatch, handled, received):
    received()
    for state in ("handling", "待处理"):
        rows = json.loads(bidwatch("list", "--state", state, "--format", "json").stdout)
        assert [row["id"] for row in rows] == ["TS-2026-0001"]


def test_one_complaint_is_shown_with_its_history(bidwatch, handled):
    result = bidwatch("show", "TS-2026-0001", "--as-of", "2026-06-05")
    assert all(word in result.stdout for word in ("某道路工程", "签收", "受理", "李四", "2026-06-03 10:00"))
    assert "decide (作出处理决定)" in result.stderr
    shown = json.loads(bidwatch("show", "TS-2026-0001", "--as-of", "2026-06-05", "--format", "json").stdout)
    assert (shown["state_code"], shown["decision"]["due"]) == (4, "2026-07-14")
    assert [event["verb"] for event in shown["events"]] == ["sign", "accept"]
    bidwatch("show", "TS-2026-0001", "--as-of", "2026-05-31", fails="came after 2026-05-31")


def test_the_year_is_counted_by_office_and_kind(bidwatch, received):
    received()
    (row,) = json.loads(bidwatch("year", "2026", "--as-of", "2026-07-20", "--format", "json").stdout)
    assert row == {"承办单位": "housing", "逾期受理": 1, "超期办理": 0, "逾期未办结": 1}


def test_no_listing_log_or_file_tells_who_complained(bidwatch, handled, home):
    outputs = [
        bidwatch(command, *args, "--format", form).output
        for form in ("table", "csv", "json")
        for command, args in (("list", ()), ("show", ("TS-2026-0001",)), ("year", ("2026",)))
    ]
    shown = bidwatch("reveal", "TS-2026-0001", "--reason", "核实情况", "--actor", "李四").stdout
    assert NAME in shown
    assert PHONE in shown
    with opened(home.control) as store:
        log = [row["body"] for row in store.rows("SELECT body FROM audit")]
    assert json.loads(log[-1])["verb"] == "reveal_complainant"
    files = [path.read_bytes() for path in home.root.rglob("*") if path.is_file()]
    for secret in (NAME, PHONE):
        assert not any(secret in text for text in (*outputs, *log))
        assert not any(secret.encode() in content for content in files)


def test_a_reason_that_tells_who_complained_is_refused(bidwatch, received):
    received()
    bidwatch("cancel", "TS-2026-0001", "--reason", f"{NAME}撤回", fails="write 投诉人-2026-0001 instead")


def test_links_are_taken_back_with_a_reason(bidwatch, received):
    received()
    bidwatch("link", "TS-2026-0001", "C1")
    bidwatch("unlink", "TS-2026-0001", "C1", "--reason", "另一标段")
    (row,) = json.loads(bidwatch("list", "--format", "json").stdout)
    assert row["cases"] == []


def test_the_same_key_takes_a_complaint_in_once(received, home):
    for _ in range(2):
        assert "TS-2026-0001" in received("--key", "k1").stdout
    with opened(home.control) as store:
        assert len(store.rows("SELECT * FROM complaint")) == 1
