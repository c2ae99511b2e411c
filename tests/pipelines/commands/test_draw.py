"""Double random inspections at the desk: what a person types, and what it answers."""

import csv
import io
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from pipelines.commands.draw import app
from pipelines.store import opened

POOL = "对象编号,名称,类型,领域,风险等级\n" + "".join(
    f"{letter}{n},{letter}{n}工程,标段,工程建设,{risk}\n"
    for letter, risk in (("H", "高"), ("L", "低"))
    for n in range(6)
)


@pytest.fixture
def home(tmp_path):
    root = tmp_path / "home"
    root.mkdir()
    with opened(root / "control.sqlite"):
        pass
    return root


def say(home, *words):
    runner = CliRunner()
    return runner.invoke(app, [*map(str, words), "--home", str(home)])


def done(home, *words):
    said = say(home, *words)
    assert said.exit_code == 0, f"{said.output}{said.exception}"
    return said


def filled(home, tmp_path):
    (tmp_path / "pool.csv").write_text(POOL, encoding="utf-8-sig")
    done(home, "pool-object", "import", tmp_path / "pool.csv", "--actor", "张三")
    for n in range(4):
        done(
            home,
            "pool-officer",
            "add",
            f"P{n}",
            "--name",
            f"人员{n}",
            "--unit",
            "发改委",
            "--certificate",
            f"1611{n}",
            "--field",
            "工程建设",
            "--actor",
            "张三",
        )


def drawn(home, tmp_path):
    filled(home, tmp_path)
    planned = done(
        home,
        "plan",
        "--item",
        "招标投标活动",
        "--field",
        "工程建设",
        "--random",
        "3",
        "--as-of",
        "2026-06-30",
        "--rate",
        "risk:high=50%",
        "--method",
        "书面检查",
        "--period-to",
        "2027-12-31",
    )
    id = planned.stdout.strip()
    assert f"bidwatch draw commit {id}" in planned.stderr
    announced = done(home, "commit", id).stdout.strip()
    assert len(announced) == 64
    done(home, "run", id)
    return id, announced


def objects(home, id):
    return {
        row["object"]: row
        for row in json.loads(done(home, "show", id, "--format", "json", "--lang", "en").stdout)
    }


def test_a_draw_from_the_pools_to_the_replayed_folder(home, tmp_path):
    id, announced = drawn(home, tmp_path)
    thing = next(iter(objects(home, id)))
    said = done(home, "result", id, thing, "corrected", "--note", "资料不全", "--lang", "en")
    assert "working days left: 5" in said.stderr
    done(home, "publish", id, "--channel", "县政府门户网站")
    absent = next(
        f"{letter}{n}" for letter in "HL" for n in range(6) if f"{letter}{n}" not in objects(home, id)
    )
    assert len(done(home, "add", id, absent, "--reason", "群众举报").stdout.split()) == 2
    assert objects(home, id)[thing]["published"]
    folder = tmp_path / "公示"
    done(home, "export", id, folder)
    replayed = subprocess.run(
        [sys.executable, folder / "replay_draw.py", folder, announced], capture_output=True, text=True
    )
    assert replayed.returncode == 0, replayed.stdout


def test_the_table_fits_and_says_the_error_rate(home, tmp_path):
    id, _ = drawn(home, tmp_path)
    said = done(home, "show", id).stdout
    assert "纯随机抽取 3 个对象，尚无可用结果" in said
    for thing in objects(home, id):
        done(home, "result", id, thing, "clean")
    assert "发现问题 0 个；问题发现率 0.0%" in done(home, "show", id).stdout
    for words in (["list"], ["rates"], ["show", id], ["pool-object", "list"], ["pool-officer", "list"]):
        for lang in ("zh", "en"):
            lines = done(home, *words, "--lang", lang).stdout.splitlines() if words != ["rates"] else []
            assert all(len(line) <= 100 for line in lines)


def test_the_whole_list_comes_as_csv(home, tmp_path):
    id, _ = drawn(home, tmp_path)
    rows = list(csv.DictReader(io.StringIO(done(home, "show", id, "--format", "csv").stdout)))
    assert {row["抽查计划编号"] for row in rows} == {id}
    assert {row["产生方式"] for row in rows} == {"随机抽取"}


def test_a_plan_and_a_commitment_can_be_looked_at_and_given_up(home, tmp_path):
    filled(home, tmp_path)
    id = done(home, "plan", "--item", "招标投标活动", "--field", "工程建设", "--random", "5%").stdout.strip()
    said = done(home, "show", id)
    assert json.loads(said.stdout)["rates"]["risk"]["high"] == "3/10"
    assert f"bidwatch draw commit {id}" in said.stderr
    done(home, "commit", id)
    assert "secret until the draw" in done(home, "export", id, tmp_path / "posted", "--lang", "en").stderr
    assert not (tmp_path / "posted" / "seed.hex").exists()
    done(home, "void", id, "--reason", "名录库有误")
    assert "已作废" in done(home, "list").stdout


def test_an_import_can_be_looked_at_first(home, tmp_path):
    filled(home, tmp_path)
    (tmp_path / "pool.csv").write_text("\n".join(POOL.splitlines()[:-2]) + "\n", encoding="utf-8")
    said = done(home, "pool-object", "import", tmp_path / "pool.csv", "--check", "--lang", "en")
    assert "2 retired" in said.stdout
    assert "--retire 2 --reason TEXT" in said.stderr
    refused = say(home, "pool-object", "import", tmp_path / "pool.csv")
    assert isinstance(refused.exception, ValueError)
    done(home, "pool-object", "import", tmp_path / "pool.csv", "--retire", "2", "--reason", "已竣工")
    history = json.loads(
        done(home, "pool-object", "history", "L5", "--format", "json", "--lang", "en").stdout
    )
    assert history[0]["reason"] == "已竣工"


def test_a_conflict_is_kept_by_its_code(home, tmp_path):
    filled(home, tmp_path)
    done(home, "conflict", "add", "P1", "H1", "--ground", "relative")
    (row,) = json.loads(done(home, "conflict", "list", "--format", "json").stdout)
    assert row == {"人员编号": "P1", "对象编号": "H1", "事由": "近亲属关系"}
    done(home, "conflict", "end", "P1", "H1", "--reason", "已离任")
    assert json.loads(done(home, "conflict", "list", "--format", "json").stdout) == []


def test_the_same_key_does_a_step_once(home, tmp_path):
    filled(home, tmp_path)
    words = (
        "plan",
        "--item",
        "招标投标活动",
        "--field",
        "工程建设",
        "--random",
        "5%",
        "--key",
        "k1",
        "--as-of",
        "2026-06-30",
    )
    assert done(home, *words).stdout == done(home, *words).stdout
    id = done(home, *words).stdout.strip()
    assert done(home, "commit", id, "--key", "k2").stdout == done(home, "commit", id, "--key", "k2").stdout
    done(home, "run", id, "--key", "k3")
    thing = next(iter(objects(home, id)))
    for _ in range(2):
        done(home, "result", id, thing, "clean", "--key", "k4")
        done(home, "publish", id, thing, "--channel", "网站", "--key", "k5")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["plan", "--item", "x", "--field", "y", "--random", "two"], "'two' is no rate"),
        (
            ["plan", "--item", "x", "--field", "y", "--random", "2", "--rates", "nowhere"],
            "no set of rates 'nowhere'",
        ),
        (["plan", "--item", "x", "--field", "y", "--random", "2", "--rate", "high=1"], "write risk:high=30%"),
        (["plan", "--item", "x", "--field", "y", "--random", "2", "--rates", "none"], "a plan needs rates"),
        (["run", "SJ2026-001"], "no draw SJ2026-001"),
        (["pool-object", "history", "L9"], "L9 never stood"),
    ],
)
def test_what_cannot_be_done_is_said(home, words, message):
    said = say(home, *words)
    assert isinstance(said.exception, ValueError)
    assert message in str(said.exception)


def test_an_installation_is_needed(tmp_path):
    said = say(tmp_path / "nowhere", "list")
    assert isinstance(said.exception, FileNotFoundError)
