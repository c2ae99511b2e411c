"""The watch list and the blacklist at the desk."""

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from pipelines.commands.watchlist import app
from pipelines.store import opened

FIRM = "91410821000000001X"
WATCH = (
    FIRM,
    "--name",
    "某建设公司",
    "--reason",
    "两次疑似围标预警",
    "--basis",
    "联席会议纪要〔2026〕3号",
    "--from",
    "2026-06-01",
    "--review",
    "2099-09-01",
    "--until",
    "2099-12-31",
    "--actor",
    "张三",
)
BLACK = (
    FIRM,
    "--name",
    "某建设公司",
    "--reason",
    "串通投标",
    "--basis",
    "招标投标法第五十三条",
    "--document",
    "修住建罚〔2025〕5号",
    "--authority",
    "县住建局",
    "--decided",
    "2025-01-10",
    "--class",
    "serious",
    "--from",
    "2025-01-10",
    "--until",
    "2099-01-09",
    "--bars-bidding",
    "--actor",
    "张三",
)


@pytest.fixture
def home(tmp_path):
    root = tmp_path / "home"
    root.mkdir()
    with opened(root / "control.sqlite"):
        pass
    return root


def say(home, *words):
    return CliRunner().invoke(app, [*map(str, words), "--home", str(home)])


def done(home, *words):
    said = say(home, *words)
    assert said.exit_code == 0, f"{said.output}{said.exception}"
    return said


def listed(home, verb="propose", words=WATCH):
    proposed = done(home, verb, *words)
    id = proposed.stdout.strip()
    assert f"watchlist approve {id}" in proposed.stderr
    assert "已列入" in done(home, "approve", id, "--actor", "李四").stderr
    return id


def test_an_entry_is_proposed_approved_shown_and_revoked(home):
    id = listed(home)
    (row,) = json.loads(done(home, "list", "--format", "json").stdout)
    assert (row["名称"], row["状态"], row["批准人"]) == ("某建设公司", "已列入", "李四")
    said = done(home, "revoke", id, "--reason", "核实无误", "--lang", "en")
    assert "flags stop with the next night" in said.stderr
    assert json.loads(done(home, "list", "--format", "json").stdout) == []
    history = json.loads(done(home, "show", id, "--format", "json").stdout)
    assert [each["状态"] for each in history] == ["拟列入", "已列入", "撤销"]


def test_a_list_says_what_is_due(home):
    id = listed(home)
    said = done(home, "list", "--as-of", "2099-09-02")
    assert f"待复评：{id}" in said.stderr
    early = done(home, "list", "--as-of", "2026-06-30", "--lang", "en")
    assert "workdays" in early.stdout
    assert all(len(line) <= 100 for line in early.stdout.splitlines())


def test_a_blacklist_entry_is_repaired_by_the_office_that_made_it(home):
    id = listed(home, "ban", BLACK)
    assert f"HM{id[2:6]}-0001" == id
    refused = say(home, "repair", id, "--reason", "整改", "--document", "修复1号", "--authority", "县住建局")
    assert "义务已履行、已作出信用承诺" in str(refused.exception)
    done(
        home,
        "repair",
        id,
        "--reason",
        "整改",
        "--document",
        "修复1号",
        "--authority",
        "县住建局",
        "--duties-done",
        "--promise-made",
    )
    rows = json.loads(done(home, "list", "--list", "black", "--all", "--format", "json").stdout)
    assert [(row["状态"], row["移出文号"]) for row in rows] == [("修复", "修复1号")]


def test_a_review_keeps_an_entry(home):
    id = listed(home)
    done(home, "review", id, "--reason", "仍需关注", "--review", "2100-01-01", "--until", "2100-06-30")
    (row,) = json.loads(done(home, "list", "--format", "json").stdout)
    assert (row["复评日期"], row["到期日期"]) == ("2100-01-01", "2100-06-30")


def test_lists_are_written_as_files_and_the_watch_list_is_never_public(home, tmp_path):
    listed(home)
    listed(home, "ban", BLACK)
    done(home, "export", tmp_path / "out", "--as-of", "2026-06-30")
    said = done(home, "export", tmp_path / "out", "--list", "black", "--public", "--as-of", "2026-06-30")
    assert len(said.stdout.splitlines()) == 2
    text = (tmp_path / "out" / "黑名单_20260630.csv").read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["决定文号"] == "修住建罚〔2025〕5号"
    refused = say(home, "export", tmp_path / "out", "--public")
    assert "never published" in str(refused.exception)


def test_the_rules_of_repair_are_shown(home):
    said = CliRunner().invoke(app, ["rules", "--format", "json", "--lang", "en"])
    assert [(row["class"], row["min months"], row["max months"]) for row in json.loads(said.stdout)] == [
        ("minor", 0, 3),
        ("general", 3, 12),
        ("serious", 12, 36),
    ]


def test_the_same_key_proposes_once(home):
    assert (
        done(home, "propose", *WATCH, "--key", "k").stdout
        == done(home, "propose", *WATCH, "--key", "k").stdout
    )


def test_a_missing_document_is_refused_before_anything_happens(home):
    said = say(home, "ban", *(word if word != "修住建罚〔2025〕5号" else "" for word in BLACK))
    assert isinstance(said.exception, ValueError)
    assert json.loads(done(home, "list", "--list", "black", "--all", "--format", "json").stdout) == []
