"""Everybody can draw again; nobody can change anything unseen."""

import json
import os
import subprocess
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.handed_out import replay_draw

SCRIPT = Path(replay_draw.__file__)
SEED = bytes(range(32))
GOLDEN = Path(__file__).parent / "expected" / "draw"

PLAN = {
    "algorithm": "bidwatch-draw/1",
    "draw": "SJ2026-001",
    "fields": ["工程建设"],
    "rates": {"risk": {"high": "1/2", "low": "1/10"}, "credit": {}},
    "random": {"rate": "1/5"},
    "officers_per_object": 2,
    "beacon": "",
}


def thing(id, risk="low", field="工程建设", unit="", name=None):
    return {
        "object_id": id,
        "name": name or f"对象{id}",
        "kind": "lot",
        "field": field,
        "unit": unit,
        "risk_class": risk,
        "credit_class": "",
    }


def officer(id, fields="工程建设", unit="发改委"):
    return {
        "officer_id": id,
        "name": f"人员{id}",
        "unit": unit,
        "certificate_no": f"证{id}",
        "fields": fields,
    }


THINGS = [thing(f"H{n}", "high") for n in range(7)] + [thing(f"L{n}") for n in range(13)]
OFFICERS = [officer(f"P{n}") for n in range(5)]


def frozen(plan=PLAN, objects=THINGS, officers=OFFICERS, conflicts=(), excluded=()):
    tables = {
        "objects.csv": objects,
        "officers.csv": officers,
        "conflicts.csv": conflicts,
        "excluded.csv": excluded,
    }
    content = {name: replay_draw.table_bytes(name, rows) for name, rows in tables.items()}
    return content | {"plan.json": json.dumps(plan, ensure_ascii=False).encode()}


def drawn(seed=SEED, beacon="", **changed):
    files = replay_draw.results(frozen(**changed), seed, beacon)
    rows = replay_draw.read_table("drawn.csv", files["drawn.csv"])
    quotas = replay_draw.read_table("quotas.csv", files["quotas.csv"])
    return {row["object_id"]: row for row in rows}, quotas


def seeds(count):
    return [n.to_bytes(32, "big") for n in range(count)]


def publish(folder, seed=SEED, beacon="", **changed):
    files = frozen(**changed)
    commitment = {
        "draw": "SJ2026-001",
        "seed_sha256": replay_draw.sums(seed)["sha256"],
        "files": {name: replay_draw.sums(content) for name, content in files.items()},
    }
    files |= replay_draw.results(files, seed, beacon)
    files["commitment.json"] = json.dumps(commitment).encode()
    files["seed.hex"] = f"{seed.hex()}\n".encode()
    if beacon:
        files["beacon.txt"] = f"{beacon}\n".encode()
    sums = "".join(f"{replay_draw.sums(content)['sha256']}  {name}\n" for name, content in files.items())
    folder.mkdir(exist_ok=True)
    for name, content in (files | {"SHA256SUMS": sums.encode()}).items():
        (folder / name).write_bytes(content)
    return folder


def replay(folder, *words, python=sys.executable, **env):
    return subprocess.run(
        [python, SCRIPT, folder, *words], capture_output=True, text=True, env=env, encoding="utf-8"
    )


# --- the golden folder -----------------------------------------------------------------------------------------


def test_the_golden_draw_never_changes():
    files = {name: (GOLDEN / name).read_bytes() for name in replay_draw.INPUTS}
    for name, content in replay_draw.results(files, SEED, "").items():
        assert content == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONHASHSEED": "1", "TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8"},
        {
            "PYTHONHASHSEED": "77",
            "TZ": "America/New_York",
            "LC_ALL": "POSIX",
            "PYTHONUTF8": "0",
            "PYTHONCOERCECLOCALE": "0",
        },
    ],
)
def test_another_computer_gives_the_same_bytes(env):
    said = replay(GOLDEN, **env)
    assert (said.returncode, said.stdout[:2]) == (0, "OK"), said.stdout + said.stderr


def test_old_pythons_give_the_same_bytes():
    # Whatever other Pythons of 3.9 or later are here.
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    others = [path for path in versions.glob("3.*/bin/python3") if int(path.parts[-3].split(".")[1]) >= 9]
    if not others:
        pytest.skip("no other Python on this machine")
    for python in others:
        said = replay(GOLDEN, python=python)
        assert said.returncode == 0, f"{python}: {said.stdout}{said.stderr}"


def test_needs_nothing_but_the_standard_library(tmp_path):
    copy = tmp_path / "replay_draw.py"
    copy.write_bytes(SCRIPT.read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", "-S", copy, GOLDEN], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


# --- any change is found ----------------------------------------------------------------------------------------


def faults_after(folder, name, change):
    content = (folder / name).read_bytes()
    changed = change(content)
    assert changed != content
    (folder / name).write_bytes(changed)
    return replay_draw.faults(folder)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("seed.hex", b"00", b"01"),
        ("plan.json", b"1/10", b"1/9"),
        ("objects.csv", b"L0,", b"L00,"),
        ("officers.csv", b"P0", b"P9"),
        ("conflicts.csv", b"object_id\n", b"object_id\nP0,L1\n"),
        ("excluded.csv", b"drawn_on\n", b"drawn_on\nH1,SJ2025-009,2025-05-05\n"),
        ("drawn.csv", b"P", b"Q"),
        ("quotas.csv", b"risk", b"Risk"),
    ],
)
def test_any_change_is_found(tmp_path, name, before, after):
    folder = publish(tmp_path / "draw")
    assert replay_draw.faults(folder) == []
    assert any(name in fault for fault in faults_after(folder, name, lambda c: c.replace(before, after, 1)))


def test_a_change_is_found_also_where_the_sums_were_made_anew(tmp_path):
    folder = publish(tmp_path / "draw")
    (folder / "SHA256SUMS").unlink()
    found = faults_after(folder, "plan.json", lambda content: content.replace(b'"1/2"', b'"1/1"'))
    assert found[0].startswith("plan.json is not the file that was committed to")
    assert "drawn.csv is not what the seed and the pools give" in found


def test_a_commitment_made_afterwards_is_not_the_announced_one(tmp_path):
    announced = replay_draw.sums((publish(tmp_path / "first") / "commitment.json").read_bytes())["sha256"]
    other = publish(tmp_path / "second", seed=bytes(32))
    assert replay(tmp_path / "first", announced).returncode == 0
    said = replay(other, announced)
    assert said.returncode == 1
    assert "not the one that was announced" in said.stdout


def test_a_folder_that_does_not_read_is_no_agreement(tmp_path):
    folder = publish(tmp_path / "draw")
    (folder / "objects.csv").write_bytes(b"\xff\xfe nonsense")
    assert replay(folder).returncode == 2
    assert replay(tmp_path / "nowhere").returncode == 2


# --- chances -----------------------------------------------------------------------------------------------------


def test_the_order_of_rows_has_no_effect():
    conflicts = [{"officer_id": "P0", "object_id": "H1"}, {"officer_id": "P1", "object_id": "L1"}]
    backwards = {"objects": THINGS[::-1], "officers": OFFICERS[::-1], "conflicts": conflicts[::-1]}
    assert drawn(conflicts=conflicts) == drawn(**backwards)


@given(count=st.integers(0, 60), part=st.fractions(0, 1, max_denominator=50), coin=st.integers(0, 2**256 - 1))
def test_a_number_drawn_is_the_expected_one_up_or_down(count, part, coin):
    number = replay_draw.number_drawn(count * part, coin)
    assert abs(number - count * part) < 1
    assert 0 <= number <= count


@pytest.mark.parametrize(
    ("count", "part"), [(7, Fraction(1, 2)), (13, Fraction(1, 10)), (3, Fraction(1, 3)), (5, Fraction(1))]
)
def test_the_chance_of_an_object_is_exactly_its_rate(count, part):
    # The coin is uniform on 0 .. 2**256 - 1; count how many of its values give each number.
    expected = count * part
    whole = replay_draw.number_drawn(expected, 2**256 - 1)
    rest = expected - whole
    threshold = -(-rest.numerator * 2**256 // rest.denominator)  # coins below it give one more
    assert replay_draw.number_drawn(expected, threshold) == whole
    assert threshold == 0 or replay_draw.number_drawn(expected, threshold - 1) == whole + 1
    mean = whole + Fraction(threshold, 2**256)
    assert abs(mean / count - part) <= Fraction(1, 2**256)


def test_over_many_seeds_every_object_is_drawn_as_often_as_its_rate_says():
    runs = 3_000
    objects = [thing(f"H{n}", "high") for n in range(3)] + [thing(f"L{n}") for n in range(4)]
    risk, random = Counter(), Counter()
    for seed in seeds(runs):
        rows, _ = drawn(seed, objects=objects)
        risk.update(id for id, row in rows.items() if row["risk_ticket"])
        random.update(id for id, row in rows.items() if row["random_ticket"])
    # Five standard deviations of a binomial: one of 14 objects outside by chance in 100 000 such tests. The
    # seeds are fixed, so the test never changes its mind.
    for counted, rate in ((risk, {"H": 0.5, "L": 0.1}), (random, {"H": 0.2, "L": 0.2})):
        for one in objects:
            p = rate[one["object_id"][0]]
            assert abs(counted[one["object_id"]] - runs * p) < 5 * (runs * p * (1 - p)) ** 0.5


def test_the_random_draw_does_not_look_at_the_class_or_at_what_risk_drew():
    runs = 3_000
    objects = [thing("H0", "high"), thing("H1", "high"), thing("L0"), thing("L1")]
    plan = PLAN | {"random": {"number": 1}}
    both = 0
    for seed in seeds(runs):
        rows, _ = drawn(seed, objects=objects, plan=plan)
        (hit,) = [row for row in rows.values() if row["random_ticket"]]
        both += bool(hit["risk_ticket"])
    # The random object is one of four: it was drawn by risk with the mean rate of the four.
    p = (0.5 + 0.5 + 0.1 + 0.1) / 4
    assert abs(both - runs * p) < 5 * (runs * p * (1 - p)) ** 0.5


def test_a_rate_of_one_draws_everybody_and_zero_nobody():
    plan = PLAN | {"rates": {"risk": {"high": "1", "low": "0"}, "credit": {}}, "random": {"number": 1}}
    rows, _ = drawn(plan=plan)
    assert {id for id, row in rows.items() if row["risk_ticket"]} == {f"H{n}" for n in range(7)}


def test_two_classes_count_by_the_higher_rate():
    plan = PLAN | {
        "rates": {"risk": {"low": "1/10"}, "credit": {"A": "0", "D": "1"}},
        "random": {"number": 1},
    }
    objects = [thing("X1") | {"credit_class": "D"}, thing("X2") | {"credit_class": "A"}]
    _, quotas = drawn(plan=plan, objects=objects)
    assert [(q["stratum"], q["rate"]) for q in quotas if q["arm"] == "risk"] == [
        ("low/A", "1/10"),
        ("low/D", "1"),
    ]


def test_a_class_without_a_rate_is_refused():
    with pytest.raises(
        ValueError, match="object X1: the plan has no rate for risk class 'mid'; it has high, low"
    ):
        drawn(objects=[thing("X1", "mid")])


# --- once in a period ----------------------------------------------------------------------------------------------


def test_what_was_drawn_in_the_period_is_not_visited_again_and_still_counts_for_the_random_draw():
    plan = PLAN | {"rates": {"risk": {"high": "1", "low": "1"}, "credit": {}}, "random": {"rate": "1"}}
    rows, quotas = drawn(
        plan=plan, excluded=[{"object_id": "H1", "drawn_in": "SJ2026-000", "drawn_on": "2026-02-02"}]
    )
    assert rows["H1"] | {"random_ticket": ""} == {
        "object_id": "H1",
        "stratum": "high",
        "rate": "1",
        "risk_ticket": "",
        "random_ticket": "",
        "carried_from": "SJ2026-000",
        "officers": "",
    }
    assert len(rows) == 20
    assert [q["excluded"] for q in quotas] == ["1", "0", "0"]


# --- officers --------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    barred=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 19)), max_size=25),
)
def test_no_officer_has_a_conflict_and_every_object_has_two(seed, barred):
    officers = [officer(f"P{n}") for n in range(7)]
    ids = [one["object_id"] for one in THINGS]
    conflicts = [{"officer_id": f"P{o}", "object_id": ids[t]} for o, t in sorted(barred)]
    if any(sum(row["object_id"] == id for row in conflicts) > 5 for id in ids):
        return
    rows, _ = drawn(seed, officers=officers, conflicts=conflicts)
    for id, row in rows.items():
        team = row["officers"].split(";")
        assert len(team) == len(set(team)) == 2
        assert not {(one, id) for one in team} & {(c["officer_id"], c["object_id"]) for c in conflicts}


@settings(max_examples=30, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32))
def test_work_is_spread_evenly(seed):
    rows, _ = drawn(seed)
    load = Counter({f"P{n}": 0 for n in range(5)})
    load.update(one for row in rows.values() for one in row["officers"].split(";"))
    assert max(load.values()) - min(load.values()) <= 1


def test_every_pair_of_officers_can_come():
    objects = [thing("H0", "high")]
    plan = PLAN | {"rates": {"risk": {"high": "1"}, "credit": {}}}
    pairs = Counter(drawn(seed, objects=objects, plan=plan)[0]["H0"]["officers"] for seed in seeds(600))
    assert len({frozenset(pair.split(";")) for pair in pairs}) == 10


def test_officers_of_the_objects_own_unit_stay_away():
    officers = [officer("P0"), officer("P1"), officer("P2", unit="县医院"), officer("P3", unit="县一中")]
    objects = [thing("H0", "high", unit="县医院"), thing("H1", "high", name="县一中")]
    plan = PLAN | {"rates": {"risk": {"high": "1"}, "credit": {}}}
    for seed in seeds(20):
        rows, _ = drawn(seed, objects=objects, officers=officers, plan=plan)
        assert "P2" not in rows["H0"]["officers"]
        assert "P3" not in rows["H1"]["officers"]


def test_an_object_without_two_officers_is_named():
    officers = [officer("P0"), officer("P1", fields="政府采购"), officer("P2", fields="政府采购;工程建设")]
    conflicts = [{"officer_id": "P2", "object_id": "H3"}]
    tables = {
        name: replay_draw.read_table(name, content)
        for name, content in frozen(officers=officers, conflicts=conflicts).items()
        if name != "plan.json"
    }
    with pytest.raises(ValueError, match=r"object H3: 1 officer\(s\) may inspect it, 2 are needed"):
        replay_draw.check_officers(PLAN, tables)


# --- the public value ----------------------------------------------------------------------------------------------


def test_a_public_value_changes_the_draw_and_must_be_there(tmp_path):
    plan = PLAN | {"beacon": "福彩3D 第2026200期"}
    assert drawn(plan=plan, beacon="4 2 7") != drawn(plan=plan, beacon="4 2 8")
    with pytest.raises(ValueError, match="takes a value from '福彩3D"):
        drawn(plan=plan)
    with pytest.raises(ValueError, match="names no source"):
        drawn(beacon="4 2 7")
    folder = publish(tmp_path / "draw", plan=plan, beacon="4 2 7")
    assert replay(folder).returncode == 0
    assert faults_after(folder, "beacon.txt", lambda content: b"4 2 8\n")


def test_a_short_seed_is_refused():
    with pytest.raises(ValueError, match="31 bytes"):
        drawn(bytes(31))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("objects.csv", b"id,name\nX,Y\n", "columns must be"),
        ("conflicts.csv", b"officer_id,object_id\nP0\n", "has not 2 values"),
        ("conflicts.csv", b"officer_id,object_id\nP0,H1\nP0,H1\n", "stands there twice"),
        ("excluded.csv", b"object_id,drawn_in,drawn_on\nH|1,a,b\n", "is no id"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_refused(name, content, message):
    with pytest.raises(ValueError, match=message):
        replay_draw.read_table(name, content)
