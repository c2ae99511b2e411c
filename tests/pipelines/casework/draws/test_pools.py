"""The two pools: kept up to date, and nothing is lost."""

import json

import pytest

from pipelines.casework.acts import Act
from pipelines.casework.draws import conflicts, pools
from pipelines.casework.draws.pools import OBJECTS, OFFICERS
from pipelines.store import opened

LIST = """对象编号,名称,类型,领域,风险等级,信用等级,所属单位
L1,县医院门诊楼工程,标段,工程建设,高,A,县医院
L2,城南道路工程,lot,工程建设,low,,
91410000000000001X,某建设公司,企业,工程建设,中,B,
"""


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        yield store


def act(reason="", day=1, key=None):
    return Act(actor="张三", at=f"2026-03-{day:02d}T02:00:00+00:00", reason=reason, key=key)


def lot(id="L1", **changed):
    return {
        "object_id": id,
        "name": "某工程",
        "kind": "lot",
        "field": "工程建设",
        "risk_class": "high",
    } | changed


def written(tmp_path, text, encoding="utf-8-sig"):
    file = tmp_path / "pool.csv"
    file.write_bytes(text.encode(encoding))
    return file


def ids(store, pool=OBJECTS, at=None):
    return [member[pool.key] for member in pools.standing(store.con, pool, at=at)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030"])
def test_a_list_with_chinese_headings_and_words_is_read(tmp_path, encoding):
    first, second, third = pools.read_list(written(tmp_path, LIST, encoding), OBJECTS)
    assert first == {
        "object_id": "L1",
        "name": "县医院门诊楼工程",
        "kind": "lot",
        "field": "工程建设",
        "unit": "县医院",
        "risk_class": "high",
        "credit_class": "A",
    }
    assert (second["risk_class"], third["kind"], third["risk_class"]) == ("low", "firm", "mid")


def test_an_import_adds_what_is_new_changes_what_changed_and_retires_what_is_gone(store, tmp_path):
    members = pools.read_list(written(tmp_path, LIST), OBJECTS)
    pools.take_over(store, act(), OBJECTS, members)
    later = [members[0] | {"risk_class": "low"}, members[1], pools.checked(OBJECTS, lot("L9"))]
    change = pools.take_over(store, act("年度调整", day=2), OBJECTS, later, retire=1)
    assert change == pools.PoolChange(("L9",), ("L1",), ("91410000000000001X",))
    assert ids(store) == ["L1", "L2", "L9"]
    gone = pools.history(store.con, OBJECTS, "91410000000000001X")
    assert (gone[0]["until_reason"], gone[0]["until_by"]) == ("年度调整", "张三")
    assert [row["risk_class"] for row in pools.history(store.con, OBJECTS, "L1")] == ["high", "low"]


def test_who_stood_in_a_pool_at_any_time_can_be_told(store):
    pools.add(store, act(day=1), OBJECTS, lot("L1"))
    pools.add(store, act(day=3), OBJECTS, lot("L2"))
    pools.retire(store, act("已竣工", day=5), OBJECTS, "L1")
    at = [f"2026-03-{day:02d}T12:00:00+00:00" for day in (1, 3, 5)]
    assert [ids(store, at=when) for when in at] == [["L1"], ["L1", "L2"], ["L2"]]


def test_half_a_list_does_not_empty_a_pool(store, tmp_path):
    members = pools.read_list(written(tmp_path, LIST), OBJECTS)
    pools.take_over(store, act(), OBJECTS, members)
    with pytest.raises(
        ValueError, match=r"2 members would be retired, such as 91410000000000001X, L2; .*--retire 2"
    ):
        pools.take_over(store, act("更新"), OBJECTS, members[:1])
    with pytest.raises(ValueError, match="needs a reason"):
        pools.take_over(store, act(), OBJECTS, members[:1], retire=2)
    assert len(ids(store)) == 3


def test_a_list_of_one_field_leaves_the_other_fields_alone(store):
    pools.add(store, act(), OBJECTS, lot("L1"))
    pools.add(store, act(), OBJECTS, lot("G1", field="政府采购"))
    new = [pools.checked(OBJECTS, lot("G2", field="政府采购"))]
    change = pools.take_over(store, act("更新", day=2), OBJECTS, new, only="政府采购", retire=1)
    assert (change.added, change.retired) == (("G2",), ("G1",))
    with pytest.raises(ValueError, match="L5: its field"):
        pools.take_over(store, act(), OBJECTS, [pools.checked(OBJECTS, lot("L5"))], only="政府采购")


def test_a_member_that_moves_to_another_field_is_one_member(store):
    pools.add(store, act(), OBJECTS, lot("L1"))
    moved = [pools.checked(OBJECTS, lot("L1", field="政府采购"))]
    change = pools.take_over(store, act(day=2), OBJECTS, moved, only="政府采购")
    assert (change.added, change.changed) == ((), ("L1",))
    assert [member["field"] for member in pools.standing(store.con, OBJECTS)] == ["政府采购"]


def test_history_cannot_be_deleted(store):
    pools.add(store, act(), OBJECTS, lot("L1"))
    with pytest.raises(Exception, match="history of the pools is kept"):
        store.con.execute("DELETE FROM pool_object")


def test_the_same_facts_again_are_refused_and_the_same_key_is_not(store):
    assert pools.add(store, act(key="k"), OBJECTS, lot("L1")) == pools.add(
        store, act(key="k"), OBJECTS, lot("L1")
    )
    with pytest.raises(ValueError, match="already"):
        pools.add(store, act(), OBJECTS, lot("L1"))


def test_an_import_under_a_key_is_done_once(store):
    members = [pools.checked(OBJECTS, lot("L1"))]
    first = pools.take_over(store, act(key="k"), OBJECTS, members)
    assert pools.take_over(store, act(key="k"), OBJECTS, members) == first
    assert len(pools.history(store.con, OBJECTS, "L1")) == 1


def test_retiring_needs_a_reason_and_a_member(store):
    pools.add(store, act(), OBJECTS, lot("L1"))
    with pytest.raises(ValueError, match="needs a reason"):
        pools.retire(store, act(), OBJECTS, "L1")
    with pytest.raises(ValueError, match="L2 does not stand in the pool"):
        pools.retire(store, act("已竣工"), OBJECTS, "L2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("对象编号,名称,类型,领域\nL1,甲,标段\n", "line 2: 3 values, 4 columns"),
        ("对象编号,名称,类型,领域\nL1,,标段,工程\n", r"line 2: name \(名称\) is missing"),
        ("对象编号,名称,类型,领域\nL1,甲,飞机,工程\n", "line 2: kind .*'飞机' is none of firm 企业"),
        ("对象编号,名称,类型\nL1,甲,标段\n", "the columns are object_id, name, kind; wanted"),
        ("对象编号,名称,类型,领域,星级\n", "the columns are"),
        ("对象编号,名称,类型,领域\n-1,甲,标段,工程\n", "'-1' cannot be an id"),
        ("对象编号,名称,类型,领域\nL|1,甲,标段,工程\n", r"'L\|1' cannot be an id"),
        ("对象编号,名称,类型,领域,风险等级\nL1,甲,标段,工程,高/低\n", "is no class"),
        ("对象编号,名称,类型,领域\n", "no rows"),
    ],
)
def test_a_bad_list_is_refused_by_row_and_column(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        pools.read_list(written(tmp_path, text), OBJECTS)


def test_a_member_twice_in_a_list_is_refused(store):
    with pytest.raises(ValueError, match="L1 stands twice"):
        pools.take_over(store, act(), OBJECTS, [pools.checked(OBJECTS, lot("L1"))] * 2)


def test_officers_have_fields_in_one_order_and_no_personal_fact_in_the_log(store):
    pools.add(
        store,
        act(),
        OFFICERS,
        {
            "officer_id": "P1",
            "name": "李四",
            "unit": "住建局",
            "certificate_no": "16110001",
            "fields": "政府采购；工程建设",
        },
    )
    (officer,) = pools.standing(store.con, OFFICERS)
    assert officer["fields"] == "工程建设;政府采购"
    (entry,) = (row["body"] for row in store.rows("SELECT body FROM audit"))
    assert "16110001" not in entry
    assert json.loads(entry)["object"] == "P1"


def test_a_conflict_stands_until_it_ends(store):
    pools.add(store, act(), OBJECTS, lot("L1"))
    pools.add(
        store,
        act(),
        OFFICERS,
        {"officer_id": "P1", "name": "李四", "unit": "住建局", "certificate_no": "1", "fields": "工程建设"},
    )
    conflicts.add(store, act(), "P1", "L1", "relative")
    with pytest.raises(ValueError, match="already"):
        conflicts.add(store, act(), "P1", "L1", "other")
    with pytest.raises(ValueError, match="is no ground"):
        conflicts.add(store, act(), "P1", "L1", "因为他们是同学")
    with pytest.raises(ValueError, match="P9 does not stand"):
        conflicts.add(store, act(), "P9", "L1", "relative")
    assert conflicts.standing(store.con) == {("P1", "L1"): "relative"}
    conflicts.end(store, act("已离任", day=2), "P1", "L1")
    assert conflicts.standing(store.con) == {}
    assert len(store.rows("SELECT * FROM officer_conflict")) == 1


def test_a_name_that_is_a_formula_is_harmless_in_published_files():
    assert pools.published({"name": "=cmd|'/C calc'!A0"})["name"].startswith("'=")
