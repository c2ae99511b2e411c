"""Random inspection draws, from plan to published result: what is promised before, and can be checked after."""

import csv
import io
import json
import math
import re
import subprocess
import sys
import zipfile
from datetime import date
from fractions import Fraction

import pytest

from pipelines.casework.acts import Act
from pipelines.casework.draws import conflicts, draws, inspection_rates, inspections, plans, pools, sheets
from pipelines.casework.draws.inspections import error_rate_estimate
from pipelines.store import opened
from reports.handed_out import replay_draw

SEED = bytes(range(32))
AS_OF = date(2026, 6, 30)


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        fill(store)
        yield store


def act(reason="", day=1, key=None, hour=2, month=6):
    return Act(actor="张三", at=f"2026-{month:02d}-{day:02d}T{hour:02d}:00:00+00:00", reason=reason, key=key)


def fill(store):
    risks = {"H": "high", "M": "mid_high", "L": "low"}
    things = [
        {
            "object_id": f"{letter}{n}",
            "name": f"{letter}{n}工程",
            "kind": "lot",
            "field": "工程建设",
            "risk_class": risk,
        }
        for letter, risk in risks.items()
        for n in range(6)
    ]
    things.append(
        {"object_id": "G1", "name": "采购一", "kind": "project", "field": "政府采购", "risk_class": "low"}
    )
    officers = [
        {
            "officer_id": f"P{n}",
            "name": f"人员{n}",
            "unit": "发改委",
            "certificate_no": f"1611{n:04d}",
            "fields": "工程建设",
        }
        for n in range(5)
    ]
    for pool, members in ((pools.OBJECTS, things), (pools.OFFICERS, officers)):
        pools.take_over(store, act(), pool, [pools.checked(pool, member) for member in members])


def plan(store, **changed):
    values = {
        "year": 2026,
        "batch": "1",
        "fields": ("工程建设",),
        "item": "招标投标活动",
        "methods": ("书面检查",),
        "rates": inspection_rates.rates_of("henan_2021", {"risk": {"mid": Fraction(1)}}),
        "rate_set": "henan_2021",
        "random": 4,
        "period": (date(2026, 1, 1), date(2026, 12, 31)),
        "due_on": date(2026, 7, 31),
    } | changed
    return plans.add(store, act(), plans.InspectionPlan(**values))


def drawn(store, seed=SEED, day=2, **changed):
    id = plan(store, **changed)
    draws.commit(store, act(day=day), id, seed)
    draws.run(store, act(day=day, hour=3), id)
    return id


def verbs(store):
    return [json.loads(row["body"])["verb"] for row in store.rows("SELECT body FROM audit ORDER BY seq")]


def entry(store, verb):
    bodies = (json.loads(row["body"]) for row in store.rows("SELECT body FROM audit ORDER BY seq"))
    return [body for body in bodies if body["verb"] == verb][-1]


def picks(store, id):
    return {row["object_id"]: row for row in store.rows("SELECT * FROM draw_pick WHERE draw = ?", id)}


def team(store, id, object_id):
    rows = store.rows(
        "SELECT officer_id FROM draw_officer WHERE draw = ? AND object_id = ? AND until IS NULL",
        id,
        object_id,
    )
    return [row["officer_id"] for row in rows]


def visited(store, id):
    return [o for o, row in picks(store, id).items() if row["arm"] != "manual" and not row["carried_from"]]


# --- commitment ------------------------------------------------------------------------------------------------------


def test_the_log_has_the_hashes_before_the_draw_and_the_seed_only_after(store):
    id = plan(store)
    announced = draws.commit(store, act(day=2), id)
    told = entry(store, "draw_committed")
    secret = store.rows("SELECT seed FROM draw_commitment")[0]["seed"]
    assert told["commitment_sha256"] == announced
    assert told["seed_sha256"] == replay_draw.sums(bytes.fromhex(secret))["sha256"]
    assert set(told["files"]) == set(replay_draw.INPUTS)
    assert all(len(sums["sm3"]) == 64 for sums in told["files"].values())
    assert secret not in str([row["body"] for row in store.rows("SELECT body FROM audit")])
    assert "seed.hex" not in sheets.export(store, id, AS_OF)
    draws.run(store, act(day=3), id)
    assert entry(store, "draw_drawn")["seed"] == secret
    assert verbs(store).index("draw_committed") < verbs(store).index("draw_drawn")


def test_every_seed_is_another(store):
    seeds = set()
    for batch in range(5):
        draws.commit(store, act(), plan(store, batch=str(batch), item=f"事项{batch}"))
    seeds = {row["seed"] for row in store.rows("SELECT seed FROM draw_commitment")}
    assert len(seeds) == 5
    assert {len(seed) for seed in seeds} == {64}


@pytest.mark.parametrize(
    "name", ["objects.csv", "officers.csv", "plan.json", "excluded.csv", "commitment.json"]
)
def test_a_frozen_file_that_was_changed_stops_the_draw(store, name):
    id = plan(store)
    draws.commit(store, act(day=2), id)
    store.con.execute("UPDATE draw_file SET content = CAST(content || ' ' AS BLOB) WHERE name = ?", (name,))
    with pytest.raises(ValueError, match="the draw is refused"):
        draws.run(store, act(day=3), id)
    assert picks(store, id) == {}


def test_a_seed_that_was_changed_stops_the_draw(store):
    id = plan(store)
    draws.commit(store, act(day=2), id)
    store.con.execute("UPDATE draw_commitment SET seed = ?", (bytes(32).hex(),))
    with pytest.raises(ValueError, match="the seed was changed"):
        draws.run(store, act(day=3), id)


def test_a_commitment_made_anew_behind_the_log_stops_the_draw(store):
    id = plan(store)
    draws.commit(store, act(day=2), id)
    promise = json.loads(draws.files(store.con, id)["commitment.json"])
    seed = bytes(32)
    content = json.dumps(promise | {"seed_sha256": replay_draw.sums(seed)["sha256"]}).encode()
    store.con.execute("UPDATE draw_file SET content = ? WHERE name = 'commitment.json'", (content,))
    store.con.execute(
        "UPDATE draw_commitment SET seed = ?, commitment_sha256 = ?",
        (seed.hex(), replay_draw.sums(content)["sha256"]),
    )
    with pytest.raises(ValueError, match="not the one in the audit log"):
        draws.run(store, act(day=3), id)


def test_the_pools_may_change_after_the_commitment_and_the_draw_does_not_see_it(store):
    id = plan(store)
    draws.commit(store, act(day=2), id, SEED)
    for n in range(6):
        pools.retire(store, act("已竣工", day=2), pools.OBJECTS, f"L{n}")
    draws.run(store, act(day=3), id)
    with opened(store._path.with_name("other.sqlite")) as other:
        fill(other)
        assert visited(other, drawn(other)) == visited(store, id)


def test_steps_come_in_their_order_and_once(store):
    id = plan(store)
    with pytest.raises(ValueError, match=r"is planned .*needs committed"):
        draws.run(store, act(), id)
    draws.commit(store, act(), id)
    with pytest.raises(ValueError, match=r"is committed .*needs planned"):
        draws.commit(store, act(), id)
    draws.run(store, act(hour=3), id)
    with pytest.raises(ValueError, match=r"is drawn .*needs committed"):
        draws.run(store, act(hour=3), id)
    with pytest.raises(ValueError, match=r"is drawn .*needs planned or committed"):
        plans.void(store, act("不满意"), id)
    with pytest.raises(ValueError, match="no draw SJ2026-999"):
        draws.run(store, act(), "SJ2026-999")


def test_a_commitment_that_was_given_up_is_named_by_the_next_one(store):
    first = plan(store)
    draws.commit(store, act(), first)
    second = plan(store, batch="2")
    with pytest.raises(ValueError, match=f"{first} of the same item waits"):
        draws.commit(store, act(), second)
    with pytest.raises(ValueError, match="needs a reason"):
        plans.void(store, act(), first)
    plans.void(store, act("名录库有误"), first)
    draws.commit(store, act(), second)
    assert json.loads(draws.files(store.con, second)["commitment.json"])["given_up"] == [first]
    assert draws.files(store.con, first)


def test_a_repeated_key_does_not_draw_a_new_seed(store):
    id = plan(store)
    assert draws.commit(store, act(key="c"), id) == draws.commit(store, act(key="c"), id)
    assert draws.run(store, act(key="r", hour=3), id) == draws.run(store, act(key="r", hour=4), id)


def test_an_object_with_too_few_officers_stops_the_commitment(store):
    for n in range(4):
        conflicts.add(store, act(), f"P{n}", "L3", "interest")
    with pytest.raises(ValueError, match=r"object L3: 1 officer\(s\) may inspect it, 2 are needed"):
        draws.commit(store, act(), plan(store))


def test_a_class_without_a_rate_stops_the_commitment(store):
    pools.add(
        store, act(), pools.OBJECTS, {"object_id": "X1", "name": "某工程", "kind": "lot", "field": "工程建设"}
    )
    with pytest.raises(ValueError, match="object X1: the plan has no rate for risk class ''"):
        draws.commit(store, act(), plan(store))


def test_only_the_fields_of_the_plan_take_part(store):
    id = drawn(store, rates={"risk": {c: Fraction(1) for c in ("high", "mid_high", "low")}, "credit": {}})
    assert len(picks(store, id)) == 18
    assert "G1" not in picks(store, id)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"officers_per_object": 1}, "at least two officers"),
        ({"random": 0}, "random draw needs"),
        ({"random": Fraction(3, 2)}, "random draw needs"),
        ({"fields": ()}, "names its fields"),
        ({"item": " "}, "names its batch"),
        ({"methods": ("电话",)}, "'电话' is no method"),
        ({"period": (date(2026, 12, 31), date(2026, 1, 1))}, "before it begins"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(store, changed, message):
    with pytest.raises(ValueError, match=message):
        plan(store, **changed)


# --- the list ----------------------------------------------------------------------------------------------------------


def test_what_was_drawn_in_the_period_is_not_drawn_again_and_its_result_counts(store):
    everything = {"risk": {c: Fraction(1) for c in ("high", "mid_high", "low")}, "credit": {}}
    first = drawn(store, rates=everything)
    inspections.enter_result(store, act(day=3), first, "H1", "open", None)
    second = drawn(store, batch="2", random=18, day=4, rates=everything)
    assert {row["carried_from"] for row in picks(store, second).values()} == {first}
    assert visited(store, second) == []
    assert inspections.random_outcomes(store.con, second).count("open") == 1
    with pytest.raises(ValueError, match=f"enter its result in {first}"):
        inspections.enter_result(store, act(day=5), second, "H1", "clean", None)
    other = drawn(store, item="评标专家", day=6, rates=everything)
    assert len(visited(store, other)) == 18


def test_a_new_period_begins_anew(store):
    everything = {"risk": {c: Fraction(1) for c in ("high", "mid_high", "low")}, "credit": {}}
    drawn(store, rates=everything)
    second = drawn(store, rates=everything, period=(date(2026, 6, 3), date(2026, 12, 31)), day=4)
    assert len(visited(store, second)) == 18


def test_an_object_added_by_hand_stands_apart_and_keeps_its_chance(store):
    id = drawn(store)
    absent = next(f"L{n}" for n in range(6) if f"L{n}" not in picks(store, id))
    with pytest.raises(ValueError, match="needs a reason"):
        inspections.add_object(store, act(day=3), id, absent)
    officers = inspections.add_object(store, act("群众举报线索", day=3), id, absent)
    assert len(set(officers)) == 2
    assert (picks(store, id)[absent]["arm"], picks(store, id)[absent]["reason"]) == ("manual", "群众举报线索")
    assert absent.encode() not in draws.files(store.con, id)["drawn.csv"]
    before = {row["object_id"] for row in draws.drawn_before(store.con, plans.plan_of(store.con, id))}
    assert absent not in before
    drawn_sheet, added_sheet, _ = sheets.sheets(store, id, AS_OF)
    assert absent not in str(drawn_sheet.rows)
    assert added_sheet.rows[0][-2:] == ["群众举报线索", "张三"]
    with pytest.raises(ValueError, match="on the list of"):
        inspections.add_object(store, act("再加", day=3), id, absent)


def test_nobody_chooses_who_replaces_an_officer(store):
    id = drawn(store)
    thing = visited(store, id)[0]
    first, second = team(store, id, thing)
    conflicts.add(store, act(day=3), first, thing, "relative")
    third = inspections.replace_officer(store, act("回避", day=3), id, thing, first)
    assert set(team(store, id, thing)) == {second, third}
    assert third not in (first, second)
    with pytest.raises(ValueError, match="does not inspect"):
        inspections.replace_officer(store, act("再换", day=3), id, thing, first)
    assert (thing, first) == tuple(sheets.sheets(store, id, AS_OF)[2].rows[0][:2])


def test_a_replacement_is_refused_where_no_officer_is_left(store):
    id = drawn(store)
    thing = visited(store, id)[0]
    for _ in range(3):
        inspections.replace_officer(store, act("生病", day=3), id, thing, team(store, id, thing)[0])
    with pytest.raises(ValueError, match=rf"object {thing}: 0 officer\(s\)"):
        inspections.replace_officer(store, act("生病", day=3), id, thing, team(store, id, thing)[0])
    assert len(team(store, id, thing)) == 2


# --- results and publication -----------------------------------------------------------------------------------------


def test_a_result_starts_five_working_days_and_its_publication_stops_them(store):
    id = drawn(store)
    thing, other = visited(store, id)[:2]
    # 18 June 2026 is a Thursday; 19 June is the Dragon Boat Festival.
    inspections.enter_result(store, act(day=18), id, thing, "clean", "2026-06-18T10:00:00+08:00")
    inspections.enter_result(store, act(day=18), id, other, "corrected", "2026-06-18T10:00:00+08:00")

    def seen(object_id, as_of):
        return next(row for row in sheets.listed_objects(store, id, as_of) if row.object_id == object_id)

    assert seen(thing, AS_OF).deadline.due.moved_on == date(2026, 6, 26)
    assert seen(thing, date(2026, 6, 24)).deadline.workdays_left == 2
    assert (seen(thing, date(2026, 6, 26)).late_zh, seen(thing, date(2026, 6, 27)).late_zh) == ("否", "是")
    inspections.note_publication(store, act(day=25), id, [thing], None, channel="县政府门户网站")
    inspections.note_publication(store, act(day=29), id, [], "2026-06-29T09:00:00+08:00", channel="公示系统")
    assert (seen(thing, AS_OF).late_zh, seen(other, AS_OF).late_zh) == ("否", "是")
    assert seen(other, AS_OF).channel == "公示系统"


def test_a_result_may_be_withheld_only_with_its_reason(store):
    id = drawn(store)
    thing = visited(store, id)[0]
    inspections.enter_result(store, act(day=3), id, thing, "open", None)
    with pytest.raises(ValueError, match="say where it was made public"):
        inspections.note_publication(store, act(day=4), id, [thing], None)
    with pytest.raises(ValueError, match="say where it was made public"):
        inspections.note_publication(
            store, act(day=4), id, [thing], None, channel="网站", withheld="涉及商业秘密"
        )
    inspections.note_publication(store, act(day=4), id, [thing], None, withheld="涉及商业秘密")
    (row,) = [row for row in sheets.listed_objects(store, id, AS_OF) if row.object_id == thing]
    assert (row.withheld, row.deadline.outcome) == ("涉及商业秘密", "lapsed")


def test_a_correction_needs_a_reason_and_is_published_again(store):
    id = drawn(store)
    thing = visited(store, id)[0]
    inspections.enter_result(store, act(day=3), id, thing, "clean", None)
    inspections.note_publication(store, act(day=4), id, [thing], None, channel="网站")
    with pytest.raises(ValueError, match="is public already"):
        inspections.note_publication(store, act(day=4), id, [thing], None, channel="网站")
    with pytest.raises(ValueError, match="correcting it needs a reason"):
        inspections.enter_result(store, act(day=5), id, thing, "open", None)
    inspections.enter_result(store, act("复核", day=5), id, thing, "open", None)
    assert inspections.note_publication(store, act(day=6), id, [], None, channel="网站") == [thing]
    assert len(store.rows("SELECT * FROM draw_result")) == 2


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("2026-06-01T10:00:00+08:00", "before the draw"),
        ("2026-06-29T10:00:00+08:00", "still to come"),
        ("2026-06-03", "no time zone"),
    ],
)
def test_an_inspection_is_done_between_its_draw_and_now(store, at, message):
    id = drawn(store)
    with pytest.raises(ValueError, match=message):
        inspections.enter_result(store, act(day=4), id, visited(store, id)[0], "clean", at)


def test_what_is_not_on_the_list_or_has_no_result_is_refused(store):
    id = drawn(store)
    with pytest.raises(ValueError, match="G1 is not on the list"):
        inspections.enter_result(store, act(day=4), id, "G1", "clean", None)
    thing = visited(store, id)[0]
    with pytest.raises(ValueError, match="'fine' is no outcome"):
        inspections.enter_result(store, act(day=4), id, thing, "fine", None)
    with pytest.raises(ValueError, match="has no result yet"):
        inspections.note_publication(store, act(day=4), id, [thing], None, channel="网站")
    with pytest.raises(ValueError, match="no result waits"):
        inspections.note_publication(store, act(day=4), id, [], None, channel="网站")


# --- the error rate ----------------------------------------------------------------------------------------------------


def test_only_the_random_draw_estimates_the_error_rate(store):
    id = drawn(
        store,
        random=12,
        rates=inspection_rates.rates_of(
            "", {"risk": {"high": Fraction(1), "mid_high": Fraction(0), "low": Fraction(0)}}
        ),
    )
    arms = {object_id: row["arm"] for object_id, row in picks(store, id).items()}
    assert set(arms.values()) == {"risk", "random", "both"}
    for object_id, arm in arms.items():
        inspections.enter_result(store, act(day=4), id, object_id, "open" if arm == "risk" else "clean", None)
    outcomes = inspections.random_outcomes(store.con, id)
    assert outcomes == ["clean"] * 12
    assert error_rate_estimate(outcomes).share == 0.0


@pytest.mark.parametrize(
    ("found", "drawn_", "low", "high"),
    # Clopper and Pearson by their closed forms: nothing found 1 - 0.025**(1/n); all found 0.025**(1/n).
    [(0, 10, 0.0, 1 - 0.025 ** (1 / 10)), (10, 10, 0.025 ** (1 / 10), 1.0), (1, 1, 0.025, 1.0)],
)
def test_the_bounds_are_those_of_clopper_and_pearson(found, drawn_, low, high):
    estimate = error_rate_estimate(["corrected"] * found + ["clean"] * (drawn_ - found))
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=1e-9)
    assert estimate.share == found / drawn_


def test_the_bounds_reach_the_level_exactly_by_the_binomial():
    estimate = error_rate_estimate(["open"] * 3 + ["clean"] * 17)

    def at_least(k, n, p):
        return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))

    assert at_least(3, 20, estimate.low) == pytest.approx(0.025, abs=1e-6)
    assert 1 - at_least(4, 20, estimate.high) == pytest.approx(0.025, abs=1e-6)


def test_objects_without_a_result_widen_the_bounds_both_ways():
    whole = error_rate_estimate(["open"] * 2 + ["clean"] * 18)
    partly = error_rate_estimate(["open"] * 2 + ["clean"] * 13 + [None] * 3 + ["refused", "gone"])
    assert (partly.judged, partly.drawn, partly.share) == (15, 20, 2 / 15)
    assert partly.low == whole.low
    assert partly.high == error_rate_estimate(["open"] * 7 + ["clean"] * 13).high


def test_without_a_random_object_nothing_is_estimated():
    estimate = error_rate_estimate([])
    assert math.isnan(estimate.share)
    assert (estimate.low, estimate.high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="'bad' is no outcome"):
        error_rate_estimate(["bad"])


# --- the published folder ------------------------------------------------------------------------------------------


def exported(store, id, folder):
    sheets.write(sheets.export(store, id, AS_OF), folder)
    return folder


def test_an_outsider_replays_the_published_folder(store, tmp_path):
    conflicts.add(store, act(), "P1", "H1", "relative")
    id = drawn(store)
    folder = exported(store, id, tmp_path / "公示")
    env = {
        "PYTHONHASHSEED": "5",
        "TZ": "Pacific/Auckland",
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    said = subprocess.run(
        [sys.executable, "replay_draw.py", "."], cwd=folder, env=env, capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert "agree byte for byte" in said.stdout
    assert "P1,H1" in (folder / "conflicts.csv").read_text(encoding="utf-8")
    assert "relative" not in (folder / "conflicts.csv").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="is not empty"):
        exported(store, id, folder)


def test_the_public_value_travels_with_the_folder(store, tmp_path):
    id = plan(store, beacon="福彩3D 第2026200期开奖号码")
    draws.commit(store, act(), id)
    with pytest.raises(ValueError, match="takes a value from"):
        draws.run(store, act(hour=3), id)
    draws.run(store, act(hour=3), id, " 427 ")
    assert replay_draw.faults(exported(store, id, tmp_path / "out")) == []


def test_the_list_has_the_columns_of_the_office(store):
    id = drawn(store)
    thing = visited(store, id)[0]
    inspections.enter_result(store, act(day=3), id, thing, "corrected", None)
    inspections.note_publication(store, act(day=4), id, [thing], None, channel="公示系统")
    contents = sheets.export(store, id, AS_OF)
    (row,) = [
        row
        for row in csv.DictReader(io.StringIO(contents["双随机抽查名单.csv"].decode("utf-8-sig")))
        if row["检查对象名称"] == f"{thing}工程"
    ]
    assert " ".join(row) == (
        "抽查计划编号 批次 抽查领域 抽查事项 检查对象名称 统一社会信用代码 对象类型 信用/风险等级 抽取比例 抽中概率 抽取时间"
        " 随机种子(哈希) 名录库校验值 检查人员1 执法证号1 检查人员2 执法证号2 回避说明 检查方式 检查期限 检查结果 公示时间"
        " 公示渠道 是否超期 抽取方式"
    )
    wanted = {
        "抽查计划编号": id,
        "批次": "1",
        "抽查领域": "工程建设",
        "对象类型": "标段",
        "检查结果": "发现问题已责令改正",
        "检查期限": "2026-07-31",
        "公示渠道": "公示系统",
        "是否超期": "否",
        "统一社会信用代码": "",
    }
    assert {name: row[name] for name in wanted} == wanted
    assert row["抽取时间"] == "2026-06-02 11:00:00"
    rate = {"高": ("30%", Fraction(3, 10)), "中高": ("10%", Fraction(1, 10)), "低": ("1%", Fraction(1, 100))}
    shown, risk = rate[row["信用/风险等级"]]
    assert row["抽取比例"] == shown
    assert row["抽中概率"] == sheets.percent(str(1 - (1 - risk) * (1 - Fraction(4, 18))))
    assert row["执法证号1"].startswith("1611")


def test_the_workbook_keeps_codes_as_text_and_lists_additions_apart(store):
    code = "914100000000000012"
    firm = {
        "object_id": code,
        "name": "=HYPERLINK(1)",
        "kind": "firm",
        "field": "工程建设",
        "risk_class": "low",
    }
    pools.add(store, act(), pools.OBJECTS, firm)
    id = drawn(store)
    if code not in picks(store, id):
        inspections.add_object(store, act("举报", day=3), id, code)
    content = sheets.export(store, id, AS_OF)["双随机抽查名单.xlsx"]
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        pages = [
            book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")
        ]
        texts, names = book.read("xl/sharedStrings.xml").decode(), book.read("xl/workbook.xml").decode()
    assert code in texts
    assert "'=HYPERLINK(1)" in texts
    assert [names.index(title) for title in ("双随机抽查名单", "人工增加名单", "人员更换记录")] == sorted(
        names.index(title) for title in ("双随机抽查名单", "人工增加名单", "人员更换记录")
    )
    for page in pages:
        assert "<f>" not in page
        assert not re.search(r'<c (?![^>]*t="s")[^>]*><v>', page)


def test_equal_draws_export_equal_bytes(store, tmp_path):
    id = drawn(store)
    assert sheets.export(store, id, AS_OF) == sheets.export(store, id, AS_OF)


def test_nothing_can_be_exported_before_the_commitment(store):
    with pytest.raises(ValueError, match="is planned"):
        sheets.export(store, plan(store), AS_OF)
