"""What a person types, and what it answers."""

import csv
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import unicodedata

import pytest
from command_line import bidwatch
from places import REPO
from sample_night import BIDWATCH, INBOX, without_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def home(sample_night, tmp_path_factory):
    return sample_night.copy(tmp_path_factory.mktemp("cli"))


def started(*words, key, cwd):
    """Start the installed command in a process of its own, as a shell does."""
    return subprocess.run(
        [BIDWATCH, *map(str, words)],
        capture_output=True,
        text=True,
        env=without_settings() | {"BIDWATCH_KEY": str(key)},
        cwd=cwd,
        timeout=300,
    )


def asked(home, *words):
    done = bidwatch(*words, "--home", home, key=home.parent / "key")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_night_ends_with_what_was_found_and_where_it_lies(home):
    said = (home.parent / "said").read_text(encoding="utf-8")
    for wanted in (
        "alerts.csv",
        "alerts.xlsx",
        "night_2026-06-30.html",
        "contacts.edit_hardware",
        "不作为认定违法事实的依据",
    ):
        assert wanted in said
    assert max(len(line) for line in said.splitlines() if not line.startswith(("CSV", "xlsx", "page"))) <= 100


def test_the_key_is_made_outside_the_home_and_only_the_owner_reads_it(home):
    key = home.parent / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    assert not [
        path
        for path in home.rglob("*")
        if path.is_file() and path.read_bytes().strip() == key.read_bytes().strip()
    ]
    # A snapshot has tokens only and may be read by the analysts' group; nothing is open to others.
    assert not [path for path in home.rglob("*") if path.stat().st_mode & 0o007]
    secret = [path for path in home.rglob("*") if "published" not in path.parts and path.name != "published"]
    assert not [path for path in secret if path.stat().st_mode & 0o077]


def test_alerts_are_listed_for_people_and_for_programs(home):
    listed = json.loads(asked(home, "alerts", "list", "--format", "json"))
    assert listed
    assert listed[0]["grade"] == "A"
    rows = list(csv.DictReader(io.StringIO(asked(home, "alerts", "list", "--format", "csv"))))
    assert [row["alert"] for row in rows] == [row["alert"] for row in listed]
    only = json.loads(
        asked(home, "alerts", "list", "--format", "json", "--detector", "contacts", "--grade", "a")
    )
    assert {row["detector"].split(".")[0] for row in only} == {"contacts"}


def test_an_alert_is_shown_with_its_law_its_innocent_explanations_and_its_rows(home):
    listed = json.loads(
        asked(home, "alerts", "list", "--format", "json", "--detector", "contacts.deposit_account")
    )
    alert = listed[0]["alert"]
    shown = asked(home, "alerts", "show", alert)
    assert "Looks innocent when" in shown
    assert "第四十条" in shown
    traced = asked(home, "alerts", "trace", alert)
    assert "BIDDER_MARGIN_INFO" in traced
    assert "sha256" in traced
    assert "development-reform" in traced
    assert "***" in traced  # the account itself stays in the vault
    exact = json.loads(asked(home, "alerts", "trace", alert, "--format", "json"))
    assert {source["file"] for source in exact["sources"]}


def test_refused_rows_are_listed_with_place_reason_and_remedy(home):
    listed = json.loads(asked(home, "quarantine", "list", "--format", "json"))
    codes = {"CHECK_DIGIT", "TAKEN_AS_EMPTY", "LOT_NOT_IN_TENDER", "CONFLICT_EQUAL_TIME"}
    assert codes <= {row["code"] for row in listed}
    assert all(row["reason"] and row["原因"] and row["first at"] for row in listed)
    with (INBOX.parent / "truth" / "records.csv").open(encoding="utf-8", newline="") as file:
        dirty = {row["what"]: row["file"] for row in csv.DictReader(file)}
    both = asked(home, "quarantine", "show", dirty["two versions with one time stamp"])
    assert both.count("CONFLICT_EQUAL_TIME") == 2  # the two versions stand beside each other
    shown = asked(home, "quarantine", "show", dirty["price 12,3x"])
    assert "0.00" in shown, "one of the texts of the column that were not read: 12,3x is another"
    assert "999999" not in shown  # document numbers are masked


def test_status_and_doctor_say_that_all_is_well(home):
    assert "published" in asked(home, "status")
    assert "no fault found" in asked(home, "doctor")


def test_doctor_finds_a_changed_raw_file(home, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    raw = sorted((copy / "raw").iterdir())[0]
    raw.chmod(0o600)
    raw.write_bytes(raw.read_bytes() + b" ")
    done = bidwatch("doctor", "--home", copy, key=home.parent / "key")
    assert done.returncode == 4
    assert "was changed" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("receive", "--source", "national", "no-such-file.csv"), "no file no-such-file.csv"),
        (("receive", "--source", "../x", "README.md"), "cannot be a source"),
        (("sources", "check", "nobody", "README.md"), "no mapping called 'nobody'"),
        (("alerts", "show", "SXXXX"), "no signal 'SXXXX'"),
        (("detectors", "explain", "prices.nothing"), "no detector called 'prices.nothing'"),
        (("quarantine", "show", "nothing.csv"), "no file called 'nothing.csv'"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_without_a_traceback(home, words, message):
    place = () if words[0] == "detectors" else ("--home", home)
    done = bidwatch(*words, *place, key=home.parent / "key")
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_key_that_others_may_read_stops_the_night(tmp_path):
    key = tmp_path / "key"
    key.write_text("42" * 32)
    key.chmod(0o644)
    done = started("nightly", "--home", tmp_path / "home", "--as-of", "2026-06-30", key=key, cwd=REPO)
    assert done.returncode == 2
    assert "chmod 400" in done.stderr


def test_sources_check_keeps_nothing_and_says_what_would_load(tmp_path):
    file = INBOX / "national" / "ZJ_TENDER_LIST_20260601.csv"
    (tmp_path / "empty").mkdir()
    done = started("sources", "check", "national", file, key=tmp_path / "key", cwd=tmp_path / "empty")
    assert done.returncode == 1
    assert "CHECK_DIGIT" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]
    assert not list((tmp_path / "empty").iterdir())


def test_the_installed_command_starts(tmp_path):
    done = started("--help", key=tmp_path / "key", cwd=tmp_path)
    assert done.returncode == 0
    assert "标哨" in done.stdout
    assert done.stderr == ""


def test_every_command_explains_itself():
    for words in (
        (),
        ("nightly",),
        ("receive",),
        ("alerts",),
        ("alerts", "trace"),
        ("sources", "check"),
        ("quarantine",),
    ):
        done = bidwatch(*words, "--help")
        assert done.returncode == 0
        assert "Traceback" not in done.stderr


def test_a_stricter_limit_is_shown_before_a_night_runs_with_it(home):
    limits = home / "reference" / "thresholds.toml"
    limits.parent.mkdir(exist_ok=True)
    limits.write_text("[contacts.same_phone]\nmin_bidders = 50\n")
    rows = list(csv.DictReader(io.StringIO(asked(home, "detectors", "diff", "--format", "csv"))))
    limits.unlink()
    assert rows and {(row["detector"], row["change"]) for row in rows} == {("contacts.same_phone", "removed")}
    assert all(row["case"] for row in rows)


def test_detectors_are_listed_and_explained():
    assert "prices.ladder" in bidwatch("detectors", "list").stdout
    said = bidwatch("detectors", "explain", "prices.ladder").stdout
    assert "Looks innocent when" in said
    assert "第四十条" in said


@pytest.mark.parametrize("notebook", sorted(path.name for path in (REPO / "notebooks").glob("*.py")))
def test_a_notebook_runs_on_the_published_snapshot(home, notebook):
    done = subprocess.run(
        [sys.executable, REPO / "notebooks" / notebook],
        capture_output=True,
        text=True,
        env=os.environ | {"BIDWATCH_HOME": str(home)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_a_fault_of_the_program_is_not_taken_for_a_night_with_refused_rows(tmp_path):
    code = (
        "from pipelines import cli, night\n"
        "def broken(*words, **options): raise ZeroDivisionError('a fault')\n"
        "night.run = broken\n"
        "cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "nightly", "--home", tmp_path, "--as-of", "2026-06-30"],
        capture_output=True,
        text=True,
        cwd=REPO,
        env=os.environ | {"BIDWATCH_KEY": str(tmp_path / "key")},
    )
    assert done.returncode == 70
    assert "ZeroDivisionError: a fault" in done.stderr


# --- who is who -----------------------------------------------------------------------------------


def test_a_person_decides_on_a_proposed_pair_and_can_take_it_back(home):
    proposed = json.loads(asked(home, "parties", "propose", "--format", "json"))
    pair = [proposed[0]["id"], proposed[0]["other id"]]
    asked(home, "parties", "same", *pair, "--reason", "同一统一代码的旧组织机构代码", "--actor", "analyst")
    left = json.loads(asked(home, "parties", "propose", "--format", "json"))
    assert pair not in [[row["id"], row["other id"]] for row in left]
    asked(home, "parties", "undo", *reversed(pair), "--reason", "核对后有误", "--actor", "analyst")
    assert json.loads(asked(home, "parties", "propose", "--format", "json")) == proposed
    decided = json.loads(asked(home, "parties", "list", "--format", "json"))
    assert [(row["verdict"], row["who"]) for row in decided] == [("same", "analyst"), ("undone", "analyst")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("same", "X", "Y", "--reason", "r"), "no record names a party 'X'"),
        (("undo", "X", "Y", "--reason", " "), "needs a reason"),
    ],
)
def test_a_judgement_without_reason_or_about_nobody_is_refused(home, words, said):
    done = bidwatch("parties", *words, "--home", home, key=home.parent / "key")
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


# --- the desk -------------------------------------------------------------------------------------


@pytest.fixture
def desk(home, tmp_path):
    """A copy of the installation whose cases may be moved."""
    shutil.copytree(home, tmp_path / "home")
    shutil.copy(home.parent / "key", tmp_path / "key")
    return tmp_path / "home"


def listed(home, *words):
    return json.loads(asked(home, *words, "--format", "json", "--lang", "en"))


def test_the_queue_shows_what_fired_and_the_strongest_with_most_at_stake_first(home):
    found = listed(home, "review", "list", "--as-of", "2026-06-30")
    assert [row["gr"] for row in found] == sorted(row["gr"] for row in found)
    assert all(row["fired"] for row in found)
    only = listed(home, "review", "list", "--grade", "b")
    assert {row["gr"] for row in only} == {"B"}
    assert listed(home, "review", "list", "--owner", "张三") == []


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("words", [("review", "list"), ("review", "workload"), ("deadlines", "list")])
def test_what_the_desk_shows_fits_a_hundred_columns(home, words, lang):
    words = words if words[1] == "workload" else (*words, "--lang", lang)
    lines = asked(home, *words).splitlines()
    width = [sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line.rstrip()) for line in lines]
    assert max(width) <= 100


def test_a_case_goes_from_the_queue_to_the_police_and_back_step_by_step(desk):
    case = listed(desk, "review", "list")[0]["case"]
    for who, words in (
        ("张三", ("review", "take", case)),
        ("张三", ("review", "confirm", case, "--second", "李四", "--reason", "开标记录已核对")),
        ("张三", ("refer", "draft", case, "--to", "police", "--basis", "POLICE-223")),
        ("王局", ("refer", "approve", case)),
        ("张三", ("refer", "send", case, "--document", "修发改移〔2026〕3号")),
        ("张三", ("refer", "accept", case)),
        ("张三", ("refer", "feedback", case, "--outcome", "已立案侦查")),
        ("张三", ("refer", "close", case)),
    ):
        asked(desk, *words, "--actor", who)
    (row,) = listed(desk, "refer", "list")
    for lang in ("zh", "en"):
        for office, count in (("police", 1), ("housing", 0)):
            words = ("refer", "list", "--recipient", office, "--lang", lang, "--format", "json")
            assert len(json.loads(asked(desk, *words))) == count
    assert (row["state"], row["proposer"], row["approver"], row["outcome"]) == (
        "closed",
        "张三",
        "王局",
        "已立案侦查",
    )
    assert [
        said["what"] for said in json.loads(asked(desk, "audit", "list", "--about", case, "--format", "json"))
    ] == [
        "take",
        "confirm",
        "draft",
        "approve",
        "send",
        "accept",
        "feedback",
        "close",
    ]
    assert case not in {row["case"] for row in listed(desk, "review", "list")}
    assert "已立案侦查" in asked(desk, "review", "show", case, "--format", "json")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("review", "confirm", "{}", "--second", "李四", "--reason", "因"), "possible: take (领取初核)"),
        (("review", "dismiss", "{}", "--code", "because", "--reason", "因"), "possible: take (领取初核)"),
        (("refer", "draft", "{}", "--to", "police", "--basis", "HOUSING-A01"), "it has: POLICE-223"),
        (("review", "take", "C0"), "no case C0"),
        (("review", "take", "{}", "--rev", "7"), "you saw 7"),
    ],
)
def test_what_is_not_possible_is_refused_and_says_what_is(desk, words, said):
    case = listed(desk, "review", "list")[0]["case"]
    done = bidwatch(*(word.format(case) for word in words), "--home", desk, key=desk.parent / "key")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_after_a_step_the_next_ones_are_named(desk):
    case = listed(desk, "review", "list")[0]["case"]
    words = ("review", "take", case, "--home", desk, "--actor", "张三", "--key", "k")
    done = bidwatch(*words, "--lang", "en", key=desk.parent / "key")
    assert f"bidwatch review confirm {case} (reason, second officer)" in done.stderr
    done = bidwatch(*words, key=desk.parent / "key")
    assert f"bidwatch review confirm {case}（理由、第二名经办人）  初核属实" in done.stderr


def test_a_merged_case_shows_in_the_other_and_comes_out_again(desk):
    one, other = (row["case"] for row in listed(desk, "review", "list")[:2])
    asked(desk, "review", "merge", other, "--into", one, "--reason", "同一批企业")
    assert other not in {row["case"] for row in listed(desk, "review", "list")}
    assert f"merged into {one}" in asked(desk, "review", "show", other, "--lang", "en")
    asked(desk, "review", "unmerge", other, "--reason", "不是一回事")
    assert other in {row["case"] for row in listed(desk, "review", "list")}
