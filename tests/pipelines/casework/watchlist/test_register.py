"""The watch list and the blacklist: who is listed, for how long, and what a removal stops."""

import json
from datetime import date, timedelta

import pytest

from pipelines.casework.acts import Act
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.due_dates import months_after
from pipelines.casework.watchlist import credit_repair, register, sheets
from pipelines.casework.watchlist.effects import expire_and_remove, for_snapshot
from pipelines.casework.watchlist.proposals import Proposal
from pipelines.settings import Home
from pipelines.store import opened

FIRM = "91410821000000001X"
TOKEN = "h1:" + "AB" * 16

WATCH = {
    "list": "watch",
    "subject_kind": "firm",
    "subject_id": FIRM,
    "name": "某建设公司",
    "reason": "两次疑似围标预警",
    "basis": "联席会议纪要〔2026〕3号",
    "starts_on": date(2026, 6, 1),
    "ends_on": date(2026, 12, 31),
    "review_on": date(2026, 9, 1),
}
BLACK = {
    "list": "black",
    "subject_kind": "firm",
    "subject_id": FIRM,
    "name": "某建设公司",
    "reason": "串通投标",
    "basis": "招标投标法第五十三条",
    "starts_on": date(2026, 1, 10),
    "ends_on": date(2027, 1, 9),
    "document_no": "修住建罚〔2026〕5号",
    "authority": "县住房和城乡建设局",
    "decided_on": date(2026, 1, 10),
    "severity": "general",
    "is_bidding_ban": True,
}
MET = frozenset({"duties", "promise"})


@pytest.fixture
def store(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        yield store


def act(reason="", on="2026-06-02", actor="张三", key=None):
    return Act(actor=actor, at=f"{on}T02:00:00+00:00", reason=reason, key=key)


def listed(store, facts=WATCH, on="2026-06-02", **changed):
    id = register.propose(store, act("列入", on), Proposal(**facts | changed))
    return register.approve(store, act(on=on, actor="李四"), id)


def state(store, id):
    return register.entries(store.con, id)[0].state


def repaired(store, id, on="2026-05-01", **changed):
    given = {"document_no": "修复〔2026〕1号", "authority": BLACK["authority"], "met": MET} | changed
    return register.repair(store, act("已整改", on), id, **given)


def night(store, as_of, actor="night"):
    with store.transaction() as con:
        return expire_and_remove(con, date.fromisoformat(as_of), at=f"{as_of}T20:00:00+00:00", actor=actor)


def flag(store, fp, facts, detector="watchlist.active_ban", is_current=1, party=FIRM):
    """A signal of a night, with its evidence."""
    con = store.con
    con.execute(
        "INSERT OR IGNORE INTO snapshot VALUES ('s1', '2026-06-01', '{}', 'x', '2026-06-01T20:00:00+00:00')"
    )
    con.execute("INSERT OR IGNORE INTO case_ (id, scope) VALUES ('C1', 'L1')")
    con.execute(
        "INSERT INTO signal (fp, detector, identity_version, scope, entities, first_snapshot, first_as_of, case_id,"
        " is_current) VALUES (?, ?, 1, 'L1', ?, 's1', '2026-06-01', 'C1', ?)",
        (fp, detector, json.dumps([party]), is_current),
    )
    con.execute(
        "INSERT INTO evidence (fp, ev_hash, n, snapshot, detector_version, limits_version, body)"
        " VALUES (?, 'e', 1, 's1', 'v', 'l', ?)",
        (fp, json.dumps({"facts": facts, "sources": []}, ensure_ascii=False)),
    )


# --- what each list must have ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "changed", "message"),
    [
        (WATCH, {"reason": " "}, "needs a reason"),
        (WATCH, {"basis": ""}, "needs a basis"),
        (WATCH, {"review_on": None}, "needs a review date"),
        (WATCH, {"review_on": date(2027, 1, 1)}, "needs a review date"),
        (WATCH, {"ends_on": date(2026, 5, 1)}, "before it begins"),
        (WATCH, {"document_no": "修住建罚〔2026〕5号"}, "belongs on the blacklist"),
        (WATCH, {"is_bidding_ban": True}, "belongs on the blacklist"),
        (BLACK, {"document_no": ""}, "needs its decision"),
        (BLACK, {"authority": " "}, "needs its decision"),
        (BLACK, {"decided_on": None}, "needs its decision"),
        (BLACK, {"severity": ""}, "needs its decision"),
        (BLACK, {"severity": "grave"}, "'grave' is no class"),
        (BLACK, {"starts_on": date(2026, 1, 9)}, "before its decision"),
        (WATCH, {"list": "grey"}, "no list 'grey'"),
        (WATCH, {"subject_kind": "person", "subject_id": "张三"}, "listed by token"),
        (WATCH, {"subject_kind": "person", "subject_id": TOKEN, "name": "张三"}, "are masked"),
        (
            WATCH,
            {
                "subject_kind": "expert",
                "subject_id": TOKEN,
                "name": "张*",
                "shown_code": "410821199001011234",
            },
            "are masked",
        ),
    ],
)
def test_an_entry_without_what_its_list_needs_is_refused(facts, changed, message):
    with pytest.raises(ValueError, match=message):
        Proposal(**facts | changed)


def test_a_person_is_listed_masked(store):
    id = listed(store, subject_kind="person", subject_id=TOKEN, name="张*", shown_code="410***********1234")
    sheet = sheets.watch_sheet(Home(store._path.parent), store, date(2026, 6, 30))
    assert sheet.rows[0][2:4] == ("张*", "410***********1234")
    assert TOKEN not in str(sheet.rows)
    assert state(store, id) == "listed"


def test_the_log_holds_no_fact_of_a_person(store):
    listed(store, subject_kind="person", subject_id=TOKEN, name="张*", shown_code="410***********1234")
    log = "".join(row["body"] for row in store.rows("SELECT body FROM audit"))
    assert "张*" not in log
    assert TOKEN not in log


# --- states -----------------------------------------------------------------------------------------------------------


def test_somebody_else_approves(store):
    id = register.propose(store, act("列入"), Proposal(**WATCH))
    assert state(store, id) == "proposed"
    with pytest.raises(ValueError, match=f"张三 proposed {id}; somebody else"):
        register.approve(store, act(), id)
    register.approve(store, act(actor="李四"), id)
    assert [each["state"] for each in register.entries(store.con, id)[0].events] == ["proposed", "listed"]


def test_a_proposal_has_no_effect(store):
    register.propose(store, act("列入"), Proposal(**WATCH))
    assert for_snapshot(store.con, date(2026, 6, 30)) == []


def test_nobody_is_listed_twice(store):
    listed(store)
    with pytest.raises(ValueError, match="已列入 already: ZD2026-0001"):
        register.propose(store, act("再列"), Proposal(**WATCH))
    first = listed(store, BLACK)
    with pytest.raises(ValueError, match=f"already: {first}"):
        register.propose(store, act("再列"), Proposal(**BLACK))
    assert listed(store, BLACK, document_no="修住建罚〔2026〕6号") == "HM2026-0002"


def test_a_removed_subject_can_be_listed_anew_and_keeps_its_past(store):
    first = listed(store)
    register.revoke(store, act("核实无误"), first)
    night(store, "2026-06-03")
    second = listed(store, on="2026-06-05")
    assert (state(store, first), state(store, second)) == ("removed", "listed")


def test_a_dropped_proposal_is_kept(store):
    id = register.propose(store, act("列入"), Proposal(**BLACK))
    register.revoke(store, act("证据不足"), id)
    assert state(store, id) == "revoked"
    assert for_snapshot(store.con, date(2026, 6, 30)) == []


def test_steps_of_an_ended_entry_are_refused(store):
    id = listed(store)
    with pytest.raises(ValueError, match="needs a reason"):
        register.revoke(store, act(), id)
    register.revoke(store, act("核实无误"), id)
    for step in (
        lambda: register.revoke(store, act("再撤"), id),
        lambda: register.approve(store, act(actor="李四"), id),
        lambda: register.review(store, act("续"), id, date(2026, 9, 1), date(2026, 12, 1)),
    ):
        with pytest.raises(ValueError, match=f"{id} is revoked"):
            step()
    with pytest.raises(ValueError, match="no entry ZD2026-0009"):
        register.revoke(store, act("x"), "ZD2026-0009")


@pytest.mark.parametrize("table", ["list_entry", "list_event"])
def test_history_can_neither_be_changed_nor_deleted(store, table):
    listed(store)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET actor = 'x'"):
        with pytest.raises(Exception, match="history of the lists is kept"):
            store.con.execute(statement)


def test_the_same_key_proposes_once(store):
    once = [register.propose(store, act("列入", key="k"), Proposal(**WATCH)) for _ in range(2)]
    assert once == ["ZD2026-0001"] * 2
    assert len(register.entries(store.con)) == 1


# --- review and expiry -----------------------------------------------------------------------------------------------


def test_a_review_sets_the_next_one_and_the_end(store):
    id = listed(store)
    register.review(store, act("仍需关注", on="2026-09-01"), id, date(2026, 12, 1), date(2027, 3, 31))
    entry = register.entries(store.con, id)[0]
    assert (entry.review_on, entry.ends_on) == (date(2026, 12, 1), date(2027, 3, 31))
    assert entry.is_in_effect(date(2027, 3, 31))
    for review_on, ends_on in ((date(2026, 6, 1), date(2027, 1, 1)), (date(2027, 2, 1), date(2027, 1, 1))):
        with pytest.raises(ValueError, match="must lie after today"):
            register.review(store, act("续"), id, review_on, ends_on)


def test_a_blacklist_entry_is_not_reviewed(store):
    with pytest.raises(ValueError, match="repaired or revoked, not reviewed"):
        register.review(store, act("续"), listed(store, BLACK), date(2026, 9, 1), date(2026, 12, 1))


@pytest.mark.parametrize(
    ("as_of", "effect"),
    [("2026-05-31", False), ("2026-06-01", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_the_first_and_the_last_day_count_in_full(store, as_of, effect):
    listed(store, on="2026-05-20")
    assert bool(for_snapshot(store.con, date.fromisoformat(as_of))) is effect


def test_the_night_lets_an_entry_expire_and_says_so(store):
    id = listed(store)
    flag(store, "S1", {"entry_ids": id}, "watchlist.listed", is_current=0)
    assert night(store, "2026-12-31") == []
    assert night(store, "2027-01-01") == [f"{id} 已移出重点关注对象名单（到期），停止标记 1 条"]
    events = register.entries(store.con, id)[0].events
    assert [each["state"] for each in events] == ["proposed", "listed", "expired", "removed"]
    assert [each["effective_on"] for each in events[2:]] == ["2027-01-01", "2027-01-01"]
    assert night(store, "2027-01-02") == []
    log = [json.loads(row["body"]) for row in store.rows("SELECT body FROM audit ORDER BY seq")]
    assert [(each["verb"], each["object"]) for each in log[-2:]] == [("list_expire", id), ("list_remove", id)]
    assert log[-1]["flags"] == ["S1"]


# --- repair ------------------------------------------------------------------------------------------------------------


def test_a_repair_needs_its_shortest_time_its_conditions_and_its_authority(store):
    id = listed(store, BLACK, on="2026-02-01")
    with pytest.raises(ValueError, match="can be repaired from 2026-04-10 on, 3 months after"):
        repaired(store, id, on="2026-04-09")
    with pytest.raises(ValueError, match="a repair needs 已作出信用承诺"):
        repaired(store, id, met=frozenset({"duties"}))
    with pytest.raises(ValueError, match="谁认定、谁修复"):
        repaired(store, id, authority="县发展和改革委员会")
    with pytest.raises(ValueError, match="needs its document number"):
        repaired(store, id, document_no="")
    repaired(store, id, on="2026-04-10")
    assert state(store, id) == "repaired"


def test_a_watch_entry_is_no_sanction_to_repair(store):
    with pytest.raises(ValueError, match="no sanction"):
        repaired(store, listed(store))


@pytest.mark.parametrize(
    ("severity", "first", "last"),
    [
        ("minor", "2026-01-31", "2026-04-30"),
        ("general", "2026-04-30", "2027-01-31"),
        ("serious", "2027-01-31", "2029-01-31"),
    ],
)
def test_the_classes_count_from_the_date_of_the_document(severity, first, last):
    rule, decided_on = credit_repair.dishonesty_class_of(severity), date(2026, 1, 31)
    assert (str(rule.repairable_on(decided_on)), str(rule.published_until(decided_on))) == (first, last)


def test_a_leap_day_keeps_its_month():
    assert months_after(date(2024, 2, 29), 12) == date(2025, 2, 28)
    assert months_after(date(2026, 1, 10), -36) == date(2023, 1, 10)


def test_publication_stops_by_itself_before_the_sanction_does(store):
    id = listed(store, BLACK, on="2026-02-01", ends_on=date(2027, 6, 30))
    (entry,) = register.entries(store.con, id)
    assert sheets.is_public(entry, date(2027, 1, 10))
    assert not sheets.is_public(entry, date(2027, 1, 11))
    assert entry.is_in_effect(date(2027, 1, 11))
    minor = listed(store, BLACK, severity="minor", document_no="轻微〔2026〕1号")
    assert not sheets.is_public(register.entries(store.con, minor)[0], date(2026, 2, 1))


# --- what a removal stops ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["repaired", "revoked"])
def test_a_lifted_decision_reaches_the_snapshot_so_that_delivered_records_raise_nothing(store, how):
    id = listed(store, BLACK, on="2026-02-01")
    (before,) = for_snapshot(store.con, date(2026, 5, 1))
    assert (before["is_in_effect"], before["is_bidding_ban"], before["document_no"]) == (
        True,
        True,
        BLACK["document_no"],
    )
    if how == "repaired":
        repaired(store, id)
    else:
        register.revoke(store, act("复议撤销", "2026-05-01"), id, "修政复〔2026〕2号")
    (after,) = for_snapshot(store.con, date(2026, 5, 1))
    assert (after["entry_id"], after["is_in_effect"]) == (id, False)


def test_a_ban_that_ran_out_leaves_the_delivered_record_to_its_own_dates(store):
    listed(store, BLACK, on="2026-02-01")
    assert for_snapshot(store.con, BLACK["ends_on"] + timedelta(days=1)) == []


def test_an_entry_is_not_called_removed_while_a_flag_of_it_stands(store):
    id = listed(store, BLACK, on="2026-02-01")
    flag(store, "S1", {"entry_ids": id, "decision_no": "另一文号"})
    flag(store, "S2", {"entry_ids": "", "decision_no": BLACK["document_no"]})
    flag(store, "S3", {"entry_ids": "", "decision_no": BLACK["document_no"]}, party="另一公司")
    flag(store, "S4", {"entry_ids": f"{id}1", "decision_no": "另一文号"})
    flag(store, "S5", {"entry_ids": id}, "collusion.price_ladder")
    repaired(store, id)
    assert night(store, "2026-05-01") == [f"{id} 已修复，仍有 2 条标记未停止，请核查"]
    assert state(store, id) == "repaired"
    store.con.execute("UPDATE signal SET is_current = 0 WHERE fp IN ('S1', 'S2')")
    assert night(store, "2026-05-02") == [f"{id} 已移出黑名单（修复），停止标记 2 条"]
    assert json.loads(register.entries(store.con, id)[0].events[-1]["flags"]) == ["S1", "S2"]


def test_an_annulled_decision_starts_the_clock_of_its_withdrawal_and_the_removal_stops_it(store):
    id = listed(store, BLACK, on="2026-02-01")
    with pytest.raises(ValueError, match="name the document that annulled it"):
        register.revoke(store, act("复议撤销", "2026-05-06"), id)
    register.revoke(store, act("复议撤销", "2026-05-06"), id, "修政复〔2026〕2号")
    (clock,) = deadlines.open_deadlines(store, date(2026, 5, 6))
    assert (clock.object, clock.rule.rule_id) == (f"list:{id}", "CF02")
    night(store, "2026-05-07")
    assert deadlines.open_deadlines(store, date(2026, 5, 8)) == []


# --- sheets -----------------------------------------------------------------------------------------------------------


def test_the_watch_list_has_the_columns_of_the_office(store):
    id = listed(
        store, rule="collusion.price_ladder", risk_class="high", measures="跟踪项目", related="某公司"
    )
    flag(store, "S1", {}, "collusion.price_ladder")
    sheet = sheets.watch_sheet(Home(store._path.parent), store, date(2026, 6, 30))
    assert " | ".join(sheet.headings[:-1]) == (
        "序号 | 对象类型 | 名称 | 统一社会信用代码(人员用脱敏证件号) | 列入原因 | 触发规则 | 历史预警次数 | 近三年处罚次数"
        " | 最近处罚文号 | 关联对象 | 风险等级 | 列入时间 | 复评日期 | 到期日期 | 关注措施 | 状态 | 移出时间 | 移出原因 | 批准人"
    )
    assert sheet.rows == [
        (
            "1",
            "企业",
            "某建设公司",
            FIRM,
            "两次疑似围标预警",
            "collusion.price_ladder",
            "1",
            "",
            "",
            "某公司",
            "高",
            "2026-06-02",
            "2026-09-01",
            "2026-12-31",
            "跟踪项目",
            "已列入",
            "",
            "",
            "李四",
            id,
        ),
    ]


def test_who_left_shows_only_with_the_whole_history(store):
    id = listed(store)
    register.revoke(store, act("核实无误"), id)
    night(store, "2026-06-03")
    home = Home(store._path.parent)
    assert sheets.watch_sheet(home, store, date(2026, 6, 30)).rows == []
    (row,) = sheets.watch_sheet(home, store, date(2026, 6, 30), everything=True).rows
    assert row[15:19] == ("已移出", "2026-06-03", "撤销：核实无误", "李四")


def test_an_entry_past_its_last_day_shows_as_expired_before_any_night(store):
    id = listed(store)
    (entry,) = register.entries(store.con, id)
    assert sheets.state_zh(entry, date(2027, 1, 1)) == "到期"
    assert sheets.watch_sheet(Home(store._path.parent), store, date(2027, 1, 1)).rows == []


def test_the_blacklist_says_when_it_can_be_repaired(store):
    listed(store, BLACK, on="2026-02-01")
    sheet = sheets.black_sheet(store, date(2026, 6, 30), public=True)
    (row,) = (dict(zip(sheet.headings, row, strict=True)) for row in sheet.rows)
    wanted = {
        "决定文号": "修住建罚〔2026〕5号",
        "失信等级": "一般",
        "是否限制投标": "是",
        "公示截止": "2027-01-09",
        "最早可修复日期": "2026-04-10",
    }
    assert {name: row[name] for name in wanted} == wanted
