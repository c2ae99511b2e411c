from datetime import date

from pipelines.casework.acts import Act
from pipelines.casework.cases import cases
from pipelines.casework.clocks import start_stop
from pipelines.casework.figures import case_tables, duty_tables, report_tables
from pipelines.casework.figures.report_periods import ReportPeriod
from pipelines.casework.referrals import assistance, referrals

FIRST_HALF = ReportPeriod(date(2026, 1, 1), date(2026, 6, 30), date(2026, 6, 30))
SECOND_HALF = ReportPeriod(date(2026, 7, 1), date(2026, 12, 31), date(2026, 12, 31))


def act(actor="张三", on="2026-06-30", reason="因为"):
    return Act(actor=actor, at=f"{on}T02:00:00+00:00", reason=reason)


def cells(table):
    return {row[0]: dict(zip(table.headings[1:], row[1:], strict=True)) for row in table.rows}


def confirmed(store, id, on="2026-06-30"):
    cases.move(store, act(on=on), id, "take", {})
    cases.move(store, act(on=on), id, "confirm", {"second officer": "李四"})


def referred(store, id, on, document="修发改函〔2026〕12号"):
    confirmed(store, id, on)
    referrals.draft(store, act(on=on), id, "police", "POLICE-223", [])
    referrals.answer(store, act("王局", on), id, "approve", {})
    referrals.answer(store, act(on=on), id, "send", {"document": document})


def test_the_last_evening_in_shanghai_belongs_to_the_period(store, case):
    case("C1")
    late = Act(actor="张三", at="2026-06-30T15:59:59+00:00")  # 23:59:59 in Shanghai
    cases.move(store, late, "C1", "take", {})
    case("C2")
    cases.move(store, Act(actor="张三", at="2026-06-30T16:00:00+00:00"), "C2", "take", {})
    assert cells(case_tables.cases(store, FIRST_HALF)) == {
        "待初核": {"期末数": 1, "其中期内新增": 1},
        "初核中": {"期末数": 1, "其中期内新增": 1},
        "合计": {"期末数": 2, "其中期内新增": 2},
    }
    assert cells(case_tables.cases(store, SECOND_HALF))["初核中"] == {"期末数": 2, "其中期内新增": 0}


def test_alerts_are_counted_by_family_and_grade_on_the_night_they_were_first_seen(store, case):
    case("C1")
    case("C2")
    found = cells(case_tables.alerts(store, FIRST_HALF))
    assert found["报价形态"] == {"A": 0, "B": 2, "C": 0, "规则已停用": 0, "合计": 2}
    assert case_tables.alerts(store, SECOND_HALF).rows == []


def test_an_alert_of_a_rule_that_is_gone_still_counts(store, case):
    case("C1")
    store.con.execute("UPDATE signal SET detector = 'prices.of_old'")
    assert cells(case_tables.alerts(store, FIRST_HALF))["报价形态"]["规则已停用"] == 1


def test_outcomes_of_the_period(store, case):
    for id in ("C1", "C2", "C3"):
        case(id)
    confirmed(store, "C1")
    cases.move(store, act(), "C2", "take", {})
    cases.move(store, act(), "C2", "dismiss", {"code": "data_error"})
    cases.move(store, act(on="2026-07-01"), "C3", "take", {})
    found = cells(case_tables.outcomes(store, FIRST_HALF))
    assert {name: row["次数"] for name, row in found.items() if row["次数"]} == {
        "初核属实": 1,
        "排除：数据有误": 1,
    }


def test_referrals_stand_by_office_and_kind_each_with_its_own_answers(store, case):
    case("C1")
    referred(store, "C1", "2026-06-01")
    referrals.answer(store, act(on="2026-06-03"), "C1", "return", {})
    referrals.draft(store, act(on="2026-06-04"), "C1", "housing", "HOUSING-A01", [])
    referrals.answer(store, act("王局", "2026-07-02"), "C1", "approve", {})
    found = cells(case_tables.referrals(store, FIRST_HALF))
    assert {step: n for step, n in found["公安局（移送公安机关）"].items() if n} == {
        "提出": 1,
        "批准": 1,
        "移送": 1,
        "退回": 1,
    }
    assert {step: n for step, n in found["住房和城乡建设局（移送行业监管部门）"].items() if n} == {"提出": 1}
    later = cells(case_tables.referrals(store, SECOND_HALF))
    assert {step: n for step, n in later["合计"].items() if n} == {"批准": 1}


def test_a_case_that_the_own_office_files_counts_for_no_other_office(store, case):
    case("C1")
    referred(store, "C1", "2026-06-01")
    referrals.answer(store, act(on="2026-06-02"), "C1", "return", {})
    referrals.answer(store, act(on="2026-06-03"), "C1", "recheck", {})
    cases.move(store, act(on="2026-06-04"), "C1", "confirm", {"second officer": "李四"})
    referrals.answer(store, act(on="2026-06-05"), "C1", "file", {"document": "修发改案〔2026〕1号"})
    referrals.answer(store, act(on="2026-06-06"), "C1", "feedback", {"outcome": "罚款"})
    found = cells(case_tables.referrals(store, FIRST_HALF))
    assert found["合计"]["反馈结果"] == 0
    assert cells(case_tables.outcomes(store, FIRST_HALF))["本部门立案"] == {"次数": 1}


def test_clocks_kept_and_missed_by_whose_duty_they_are(store, case):
    case("C1")
    referred(store, "C1", "2026-06-01")
    case("C2")
    referred(store, "C2", "2026-06-01", "修发改函〔2026〕14号")
    referrals.answer(store, act(on="2026-06-03"), "C1", "no-case", {})
    found = cells(duty_tables.kept_and_missed(store, FIRST_HALF))
    # The police answered C1 in time and C2 not at all; nobody asked for the review of C1 within three days.
    assert found["公安机关"] == {"按期": 1, "逾期受理": 0, "超期办理": 0, "逾期未办结": 0, "其他超期": 1}
    assert found["监管部门"]["按期"] == 4
    assert found["监管部门"]["其他超期"] == 1
    assert duty_tables.kept_and_missed(store, SECOND_HALF).rows == []


def test_requests_for_assistance_and_those_that_came_back_late(store, case):
    case("C1", state="reviewing")
    ids = [
        assistance.ask(
            store,
            act(on="2026-06-30"),
            "C1",
            document=f"修发改函〔2026〕{n}号",
            facts="甲",
            matter="乙",
            grounds="丙",
            materials=["丁"],
            received_at="2026-06-10T02:00:00+00:00",
        )
        for n in (1, 2, 3)
    ]
    assistance.answer(store, act(), ids[0], "已查")
    assistance.send_back(store, act(on="2026-06-29"), ids[1], "不属职能")
    found = {name: row["件数"] for name, row in cells(case_tables.assistance(store, FIRST_HALF)).items()}
    assert found == {"公安机关收到": 3, "书面反馈": 1, "退回": 1, "其中超过5个工作日退回": 1, "期末待回复": 1}


def test_every_table_says_what_it_counts_and_an_empty_store_has_figures_too(store):
    found = report_tables.tables(store, FIRST_HALF)
    assert len({table.title_zh for table in found}) == len(found) == 10
    assert all(table.note_zh.endswith("。") for table in found)
    assert all(value == 0 for table in found for row in table.rows for value in row[1:])


def test_a_case_from_outside_counts_from_the_day_it_was_registered(store):
    cases.bring(store, act(on="2026-07-03"), "某项目", "公安局〔2026〕3号")
    assert case_tables.cases(store, FIRST_HALF).rows == []
    assert cells(case_tables.cases(store, SECOND_HALF))["待初核"] == {"期末数": 1, "其中期内新增": 1}


def insert(store, table, *rows):
    with store.transaction() as con:
        for row in rows:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            con.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))


def complaint(id, office="housing", regime="tendering", at="2026-06-01T02:00:00+00:00"):
    return {
        "id": id,
        "complainant": f"T{id}",
        "regime": regime,
        "channel": "online",
        "received_at": at,
        "office": office,
        "item": 4,
        "respondent_type": 1,
        "respondent": "",
        "tender_id": "",
        "project": "",
        "lot_id": "",
        "has_objected": 1,
    }


def event(id, rev, verb, at, details="{}"):
    return {
        "complaint": id,
        "rev": rev,
        "verb": verb,
        "before": "",
        "after": "",
        "done_at": at,
        "details": details,
        "reason": "",
        "at": at,
        "actor": "张三",
    }


def test_complaints_by_law_with_their_conclusions_and_the_delays_of_each_office(store):
    insert(store, "complaint", complaint("T1"), complaint("T2", regime="procurement", office="finance"))
    insert(
        store,
        "complaint_event",
        event("T1", 1, "accept", "2026-06-12T02:00:00+00:00"),
        event("T1", 2, "decide", "2026-06-29T02:00:00+00:00", '{"conclusion": "2", "document": "x"}'),
        event("T2", 1, "refuse", "2026-07-01T02:00:00+00:00"),
    )
    with store.transaction() as con:
        start_stop.begin(con, "T1", "TS02", "2026-06-01T02:00:00+00:00")  # three working days
        start_stop.end(con, "T1", "TS02", "2026-06-12T02:00:00+00:00")
    found = cells(duty_tables.complaints_handled(store, FIRST_HALF))
    assert {name: n for name, n in found["招标投标"].items() if n} == {
        "收到": 1,
        "受理": 1,
        "作出决定": 1,
        "部分属实": 1,
    }
    assert {name: n for name, n in found["政府采购"].items() if n} == {"收到": 1}
    assert cells(duty_tables.complaints_handled(store, SECOND_HALF))["合计"]["不予受理"] == 1
    late = cells(duty_tables.complaint_delays(store, FIRST_HALF))
    assert late["住房和城乡建设局"] == {"逾期受理": 1, "超期办理": 0, "逾期未办结": 0, "其他超期": 0}


def test_the_last_conclusion_of_an_office_on_an_alert_counts(store):
    insert(
        store,
        "outbox",
        {
            "delivery_id": "d1",
            "recipient": "housing",
            "snapshot": "s1",
            "as_of": "2026-06-30",
            "alerts": "",
            "records": "",
            "facts": "",
            "checkpoint": "",
        },
    )
    lists = (
        ("a", "2026-06-10", "confirmed"),
        ("b", "2026-06-20", "data_error"),
        ("c", "2026-07-02", "confirmed"),
    )
    for number, (sha, on, label) in enumerate(lists, start=1):
        receipt = {
            "number": number,
            "recipient": "housing",
            "file_sha": sha,
            "file_name": sha,
            "received_on": on,
            "at": "",
            "actor": "张三",
        }
        insert(store, "receipt", receipt)
        insert(
            store,
            "receipt_row",
            {
                "receipt": number,
                "place": "2",
                "alert_id": "S1",
                "delivery_id": "d1",
                "outcome": "taken",
                "label": label,
            },
        )
    found = {
        name: row["条数"]
        for name, row in cells(case_tables.answers(store, FIRST_HALF)).items()
        if row["条数"]
    }
    assert found == {"数据有误": 1}
    assert cells(case_tables.answers(store, SECOND_HALF))["属实"] == {"条数": 1}


def test_inspections_count_the_draws_of_the_period_and_their_last_results(store):
    at = "2026-06-01T02:00:00+00:00"
    by = {"at": at, "actor": "张三"}
    insert(store, "draw", {"id": "D1", "plan": "{}", **by})
    insert(
        store, "draw_commitment", {"draw": "D1", "seed": "", "seed_sha256": "", "commitment_sha256": "", **by}
    )
    insert(store, "draw_run", {"draw": "D1", "beacon": "", **by})
    insert(
        store,
        "draw_pick",
        *(
            {"draw": "D1", "object_id": id, "arm": arm, **by}
            for id, arm in (("A", "risk"), ("B", "random"), ("C", "random"))
        ),
    )
    insert(
        store,
        "draw_result",
        *(
            {"draw": "D1", "object_id": id, "outcome": outcome, "note": "", "finished_at": at, **by}
            for id, outcome in (("A", "open"), ("A", "corrected"), ("B", "clean"))
        ),
    )
    insert(
        store,
        "draw_publication",
        {"draw": "D1", "object_id": "A", "result": 2, "channel": "网站", "published_at": at, **by},
    )
    found = {
        name: row["数量"]
        for name, row in cells(duty_tables.inspections(store, FIRST_HALF)).items()
        if row["数量"]
    }
    assert found == {
        "抽取批次": 1,
        "抽中对象：按风险": 1,
        "抽中对象：纯随机": 2,
        "检查结果：未发现问题": 1,
        "检查结果：发现问题已责令改正": 1,
        "已公示结果": 1,
    }
    assert {row[1] for row in duty_tables.inspections(store, SECOND_HALF).rows} == {0}
