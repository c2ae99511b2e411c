import csv
import io
import json

import pytest
from typer.testing import CliRunner

from pipelines import settings
from pipelines.commands.deadlines import app
from pipelines.store import opened


@pytest.fixture
def home(tmp_path):
    where = settings.Home(tmp_path / "home").prepare()
    with opened(where.control):
        pass
    return where


@pytest.fixture
def bidwatch(home):
    def run(*args, fails=None):
        bare = args[0] == "rules"
        result = CliRunner().invoke(app, [*args] if bare else [*args, "--home", str(home.root)])
        if fails is not None:
            assert fails in str(result.exception)
        elif result.exception is not None:
            raise result.exception
        return result

    return run


def started(bidwatch, object="投诉2026-0001", rule="TS03", at="2026-06-01 10:00"):
    return bidwatch("start", object, rule, "--at", at, "--actor", "张三")


def test_a_clock_from_its_start_to_its_end(bidwatch):
    assert "2026-07-14" in started(bidwatch).stdout
    listed = bidwatch("list", "--as-of", "2026-07-13").stdout
    assert all(word in listed for word in ("投诉2026-0001", "TS03", "2026-07-14", "一日内到期"))
    bidwatch("meet", "投诉2026-0001", "TS03", "--at", "2026-07-13", "--actor", "张三")
    assert "投诉2026-0001" not in bidwatch("list", "--as-of", "2026-07-13").stdout
    assert "按期办结" in bidwatch("list", "--all", "--as-of", "2026-07-13").stdout


def test_what_may_come_next_is_said(bidwatch):
    assert "deadlines suspend 投诉2026-0001 TS03" in started(bidwatch).stderr
    assert "deadlines extend R1 YS05b" in started(bidwatch, "R1", "YS05a").stderr


def test_a_listing_fits_a_hundred_columns_in_both_languages(bidwatch):
    started(bidwatch)
    started(bidwatch, "R-2026-0001", "YS01", "2026-09-30 10:00")
    for lang in ("zh", "en"):
        text = bidwatch("list", "--as-of", "2026-09-30", "--lang", lang).stdout
        wide = [sum(1 + (ord(each) > 0x2E80) for each in line) for line in text.splitlines()]
        assert max(wide) <= 100
    assert "Clocks on 2026-09-30: 2" in text


def test_both_readings_are_shown_where_they_differ(bidwatch):
    started(bidwatch, "R1", "YS01", "2026-09-30 10:00")
    (row,) = json.loads(bidwatch("list", "--as-of", "2026-09-30", "--format", "json").stdout)
    assert (row["due"], row["due_if_moved"]) == ("2026-10-03", "2026-10-08")
    table = bidwatch("list", "--as-of", "2026-09-30").stdout
    assert all(word in table for word in ("2026-10-03", "顺延", "2026-10-08"))


def test_warnings_for_programs(bidwatch):
    started(bidwatch)
    started(bidwatch, "C2", "TS02", "2026-07-09 10:00")
    text = bidwatch("warn", "--as-of", "2026-07-13", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["object"], row["stage"], row["workdays_left"]) for row in rows] == [
        ("投诉2026-0001", "one_day", "1"),
        ("C2", "one_day", "1"),
    ]


def test_a_provisional_end_is_marked(bidwatch):
    started(bidwatch, "C1", "TS02", "2026-12-30 10:00")
    result = bidwatch("warn", "--as-of", "2027-01-04")
    assert "暂定" in result.stdout
    assert "load-calendar" in result.stderr


def test_suspension_and_resumption(bidwatch):
    started(bidwatch)
    bidwatch(
        "suspend",
        "投诉2026-0001",
        "TS03",
        "--ground",
        "appraisal",
        "--reason",
        "委托鉴定",
        "--from",
        "2026-06-08",
        "--actor",
        "张三",
    )
    assert "扣除期间" in bidwatch("list", "--as-of", "2026-06-09").stdout
    bidwatch("resume", "投诉2026-0001", "TS03", "--on", "2026-06-15", "--actor", "张三")
    assert "2026-07-21" in bidwatch("list", "--as-of", "2026-06-15").stdout


def test_extension_and_lapse(bidwatch):
    started(bidwatch, "R1", "YS05a", "2026-01-05 10:00")
    bidwatch("extend", "R1", "YS05b", "--reason", "负责人批准", "--at", "2026-01-06", "--actor", "张三")
    assert "2026-01-15" in bidwatch("list", "--as-of", "2026-01-06").stdout
    bidwatch("lapse", "R1", "YS05b", "--reason", "撤回移送", "--at", "2026-01-07", "--actor", "张三")
    assert "R1" not in bidwatch("list", "--as-of", "2026-01-07").stdout
    assert "不再办理" in bidwatch("list", "--all", "--as-of", "2026-01-07").stdout


def test_the_year_is_counted_by_kind(bidwatch):
    started(bidwatch, "a", "TS02")
    started(bidwatch, "b", "TS03")
    text = bidwatch("year", "2026", "--as-of", "2026-07-20").stdout
    assert "逾期受理 1，超期办理 0，逾期未办结 1，其他超期 0" in text


def test_the_same_key_repeats_the_answer(bidwatch, home):
    for _ in range(2):
        bidwatch("start", "C1", "TS02", "--key", "k1", "--actor", "张三")
    with opened(home.control) as store:
        assert len(store.rows("SELECT * FROM deadline")) == len(store.rows("SELECT * FROM audit")) == 1


def test_periods_of_the_law_are_listed_and_the_unchecked_marked():
    rows = json.loads(CliRunner().invoke(app, ["rules", "--format", "json"]).stdout)
    assert {row["规则"]: row["时限"] for row in rows}["ZB04"] == "不少于20日"
    assert [row["规则"] for row in rows if "待核" in row["依据"]] == ["YS10a", "YS10b", "SJ01b", "CF04"]


def test_a_minimum_is_checked(bidwatch):
    assert "符合" in bidwatch("check", "ZB04", "2026-06-01", "2026-06-21").stdout
    assert "不足" in bidwatch("check", "ZB04", "2026-06-01", "2026-06-20").stdout


def test_the_calendar_of_the_installation_is_loaded(bidwatch, home):
    days = ["01-01", "01-04", "02-05", "02-08", "02-09", "02-10", "04-05", "05-03", "05-04", "06-09", "10-01"]
    (home.root / "workdays.csv").write_text(
        "date,is_workday,status,notice\n" + "".join(f"2027-{day},no,official,n\n" for day in days),
        encoding="utf-8",
    )
    started(bidwatch, "C1", "TS02", "2026-12-30 10:00")
    words = ("load-calendar", "--reason", "国务院办公厅通知", "--actor", "张三", "--lang", "en")
    text = bidwatch(*words).stdout
    assert "new official years: 2027; clocks that changed: 1" in text
    assert "2027-01-06" in bidwatch("list", "--as-of", "2026-12-31").stdout


def test_mistakes_are_said_in_a_sentence(bidwatch):
    bidwatch("start", "C1", "TS99", fails="no period 'TS99'; `bidwatch deadlines rules` lists them")
    bidwatch("meet", "C1", "TS02", fails="no clock of TS02 is running")
    bidwatch("load-calendar", "--reason", "r", fails="no calendar")
