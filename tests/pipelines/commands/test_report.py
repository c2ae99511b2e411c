"""Papers and reports at the desk: the file of a referral, requests and replies, ledger, figures, data for channels."""

import csv
import hashlib
import io
import json
import re
import subprocess
import sys

import docx
import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from pipelines.casework.acts import Act
from pipelines.casework.cases import cases
from pipelines.casework.referrals import referrals
from pipelines.commands import refer_papers, report
from pipelines.store import opened
from reports.canonical_json import canonical_json

AT = "2026-06-30T02:00:00+00:00"
NUMBER = "修发改函〔2026〕12号"
LOT = "E4108210001000001001001"
FACTS = {"value": 2, "holders": 5}

refer = refer_papers.papers_app


@pytest.fixture
def home(tmp_path):
    root = tmp_path / "home"
    (root / "published").mkdir(parents=True)
    con = duckdb.connect(str(root / "published" / "s1.duckdb"))
    con.execute("CREATE SCHEMA core")
    con.execute(
        f"""
        CREATE TABLE core.lots AS SELECT '{LOT}' AS lot_id, 'A01' AS project_type, 'E1' AS tender_id,
            '示例小学教学楼' AS tender_name, '=1+1标段' AS lot_name, 'D1' AS deal_code, '示例县教育局' AS buyer_name,
            '114108210000000001' AS buyer_code, '示例代理' AS agency_name, '91410821MA0000000A' AS agency_code,
            TIMESTAMP '2026-06-20 01:30:00' AS opening_at, DATE '2026-06-20' AS opened_on, '410821' AS region_code,
            'construction' AS procurement_regime, 12345678.9::DECIMAL(20, 6) AS ceiling_price_cny,
            NULL::VARCHAR AS supervisor_name, NULL::VARCHAR AS supervisor_code
        """
    )
    con.execute(
        f"CREATE TABLE core.bids AS SELECT '{LOT}' AS lot_id, 'P' || n AS bidder_id, n = 1 AS is_winner,"
        " (100 + n)::DECIMAL(20, 6) AS price_cny, 'h1:' || n AS agent FROM range(1, 6) AS r (n)"
    )
    con.execute(
        f"CREATE TABLE core.awards AS SELECT '{LOT}' AS lot_id, 'P1' AS winner_id, 101::DECIMAL(20, 6) AS price_cny"
    )
    con.execute(
        "CREATE TABLE core.parties AS SELECT 'P' || n AS party_id, '甲' || n || '公司' AS name, '9141082100000000' || n AS"
        " party_code FROM range(1, 6) AS r (n)"
    )
    con.execute("CREATE TABLE core.file_parts AS SELECT '王五说' AS text")
    con.close()
    sha = "a" * 64
    body = canonical_json({"facts": FACTS, "sources": [["deposits.account", sha, "rows", 3]]})
    with opened(root / "control.sqlite") as store, store.transaction() as con:
        con.execute("INSERT INTO snapshot VALUES ('s1', '2026-06-30', '{}', '', ?)", (AT,))
        con.execute("INSERT INTO current VALUES (1, 's1')")
        con.execute("INSERT INTO arrival VALUES (1, 'centre', 'deposits.csv', ?, ?, '张三')", (sha, AT))
        con.execute(
            "INSERT INTO file (raw_sha, source, name, bytes, first_arrival) VALUES (?, 'centre', 'deposits.csv', 1, 1)",
            (sha,),
        )
        con.execute("INSERT INTO case_ (id, scope) VALUES ('C1', ?)", (LOT,))
        con.execute(
            "INSERT INTO signal (fp, detector, identity_version, scope, lot_id, entities, first_snapshot, first_as_of,"
            " case_id) VALUES ('S1', 'contacts.deposit_account', 1, ?, ?, '[\"P1\",\"P2\"]', 's1', '2026-06-30', 'C1')",
            (LOT, LOT),
        )
        con.execute("INSERT INTO evidence VALUES ('S1', 'e1', 1, 's1', 'd', 'l', ?)", (body,))
    return root


@pytest.fixture
def approved(home):
    def do(to="housing", basis="HOUSING-A01", approve=True):
        with opened(home / "control.sqlite") as store:
            by = {name: Act(actor=name, at=AT, reason="开标记录已核对") for name in ("张三", "王局")}
            cases.move(store, by["张三"], "C1", "take", {})
            cases.move(store, by["张三"], "C1", "confirm", {"second officer": "李四"})
            referrals.draft(store, by["张三"], "C1", to, basis, [])
            if approve:
                referrals.answer(store, by["王局"], "C1", "approve", {})
        return "C1"

    return do


def done(app, home, *words):
    said = CliRunner().invoke(app, [*map(str, words), "--home", str(home)])
    assert said.exit_code == 0, f"{said.output}{said.exception!r}"
    return said


def refused(app, home, *words):
    said = CliRunner().invoke(app, [*map(str, words), "--home", str(home)])
    assert isinstance(said.exception, ValueError | FileNotFoundError), said.output
    return str(said.exception)


def said_in(path):
    document = docx.Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in document.paragraphs] + cells


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def test_the_file_of_a_referral_can_be_checked_with_nothing_but_python(home, approved, tmp_path):
    folder = tmp_path / "papers"
    done(
        refer,
        home,
        "file",
        approved(),
        "--to",
        folder,
        "--document",
        NUMBER,
        "--on",
        "2026-07-01",
        "--actor",
        "张三",
    )
    assert {path.name for path in folder.iterdir()} == {
        "移送函.docx",
        "调查报告.docx",
        "移送材料清单.xlsx",
        "送达回证.docx",
        "线索明细.xlsx",
        "evidence.jsonl",
        "proof.json",
        "verify_log.py",
        "CHECKPOINT",
        "MANIFEST.json",
        "SHA256SUMS",
        "SM3SUMS",
    }
    for name, algorithm in (("SHA256SUMS", "sha256"), ("SM3SUMS", "sm3")):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            digest, _, file = line.partition("  ")
            assert hashlib.new(algorithm, (folder / file).read_bytes()).hexdigest() == digest
    checked = subprocess.run(
        [sys.executable, "verify_log.py", "entry", "proof.json", "CHECKPOINT"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout
    assert "write-file" in checked.stdout


def test_the_log_entry_that_is_proved_names_the_sums_of_the_papers(home, approved, tmp_path):
    folder = tmp_path / "papers"
    done(refer, home, "file", approved(), "--to", folder, "--actor", "张三")
    manifest = json.loads((folder / "MANIFEST.json").read_bytes())
    entry = json.loads(json.loads((folder / "proof.json").read_bytes())["entry"])
    names = set(manifest["files"]) - {"proof.json", "verify_log.py", "CHECKPOINT"}
    lines = "".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)
    )
    assert (
        entry["contents_sha256"] == hashlib.sha256(lines.encode()).hexdigest() == manifest["contents_sha256"]
    )


def test_the_same_file_again_is_the_same_bytes_and_the_log_has_both(home, approved, tmp_path):
    approved()
    for name, actor in (("one", "张三"), ("two", "赵六")):
        done(refer, home, "file", "C1", "--to", tmp_path / name, "--document", NUMBER, "--actor", actor)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    assert one == two
    with opened(home / "control.sqlite") as store:
        assert [row["actor"] for row in store.rows("SELECT actor FROM referral_file ORDER BY number")] == [
            "张三",
            "赵六",
        ]


def test_the_letter_names_the_lot_the_firms_the_law_and_the_two_who_reviewed(home, approved, tmp_path):
    done(
        refer,
        home,
        "file",
        approved(),
        "--to",
        tmp_path / "p",
        "--document",
        NUMBER,
        "--office",
        "修武县发展和改革委员会",
    )
    whole = "\n".join(said_in(tmp_path / "p" / "移送函.docx"))
    for wanted in (
        "关于移送示例小学教学楼项目疑似围标串标线索的函",
        NUMBER,
        "甲1公司（91410821000000001）",
        "经张三、李四初核",
        "第四十条第（六）项",
        "deposits.csv",
        "5 家投标人中有 2 家",
        "仅供核查参考，不作为认定违法事实的依据",
    ):
        assert wanted in whole
    assert "抄送" not in whole  # only the office that signs would get a copy


def test_a_file_for_the_police_is_named_as_order_310_names_it(home, approved, tmp_path):
    done(refer, home, "file", approved("police", "POLICE-223"), "--to", tmp_path / "p")
    whole = "\n".join(said_in(tmp_path / "p" / "涉嫌犯罪案件移送书.docx"))
    assert "抄送：人民检察院。" in whole
    assert re.search("决定是否立案：3日", whole)
    assert "　　〔　　　　〕　　号" in whole


def test_a_file_that_nobody_approved_says_that_it_is_a_draft(home, approved, tmp_path):
    done(refer, home, "file", approved(approve=False), "--to", tmp_path / "p")
    assert any(line.endswith("（送审稿）") for line in said_in(tmp_path / "p" / "移送函.docx"))


def test_a_file_for_the_discipline_office_is_about_people_in_office_and_nobody_gets_a_copy(
    home, approved, tmp_path
):
    done(refer, home, "file", approved("discipline", "DISCIPLINE-18"), "--to", tmp_path / "p")
    lines = said_in(tmp_path / "p" / "移送函.docx")
    assert "关于移送示例小学教学楼项目涉及公职人员的问题线索的函" in lines
    assert not any(line.startswith("抄送") for line in lines)


def test_there_is_no_file_for_a_referral_that_was_turned_down(home, approved, tmp_path):
    approved(approve=False)
    with opened(home / "control.sqlite") as store:
        referrals.answer(store, Act(actor="王局", at=AT, reason="证据不足"), "C1", "reject", {})
    assert "not approved" in refused(refer, home, "file", "C1", "--to", tmp_path / "p")


def test_a_case_that_was_sent_keeps_number_and_day_of_the_sending(home, approved, tmp_path):
    approved()
    with opened(home / "control.sqlite") as store:
        referrals.answer(store, Act(actor="张三", at=AT), "C1", "send", {"document": NUMBER})
    done(refer, home, "file", "C1", "--to", tmp_path / "p", "--on", "2026-12-31")
    lines = said_in(tmp_path / "p" / "移送函.docx")
    assert NUMBER in lines
    assert any("2026年6月30日" in line and len(line) < 20 for line in lines)
    assert "not as" in refused(
        refer, home, "file", "C1", "--to", tmp_path / "q", "--document", "修发改函〔2026〕99号"
    )


def test_the_file_has_the_evidence_that_was_approved_and_says_that_there_is_more(home, approved, tmp_path):
    approved()
    body = canonical_json(
        {"facts": FACTS | {"value": 4}, "sources": [["deposits.account", "a" * 64, "rows", 9]]}
    )
    with opened(home / "control.sqlite") as store, store.transaction() as con:
        con.execute("INSERT INTO evidence VALUES ('S1', 'e2', 2, 's1', 'd2', 'l2', ?)", (body,))
    said = done(refer, home, "file", "C1", "--to", tmp_path / "p")
    record = json.loads((tmp_path / "p" / "evidence.jsonl").read_bytes())
    assert (record["facts"]["value"], record["detector_version"], record["limits_version"]) == (2, "d", "l")
    assert "limits" not in record  # those of today are not those of that version
    assert "有新证据" in said.stderr


def test_nothing_is_overwritten_and_nothing_logged_where_there_is_no_referral(home, approved, tmp_path):
    assert "on no referral" in refused(refer, home, "file", "C1", "--to", tmp_path / "p")
    assert not (tmp_path / "p").exists()
    approved()
    assert "is there already" in refused(refer, home, "file", "C1", "--to", tmp_path)
    assert "hexagonal" in refused(
        refer, home, "file", "C1", "--to", tmp_path / "p", "--document", "修发改函[2026]12号"
    )
    with opened(home / "control.sqlite") as store:
        assert store.rows("SELECT * FROM referral_file") == []


def test_a_request_for_assistance_from_asking_to_the_return(home, approved, tmp_path):
    approved()
    asked = done(
        refer,
        home,
        "assist",
        "ask",
        "C1",
        "--document",
        "修发改函〔2026〕13号",
        "--facts",
        "五家账户相同",
        "--matter",
        "查询账户",
        "--grounds",
        "无权查询",
        "--material",
        "转账记录",
        "--at",
        "2026-06-29",
        "--actor",
        "张三",
    )
    id = asked.stdout.strip()
    assert f"bidwatch refer assist letter {id}" in asked.stderr
    done(refer, home, "assist", "letter", id, "--to", tmp_path / "p")
    assert "关于请予协助办理示例小学教学楼项目有关事项的函" in said_in(tmp_path / "p" / "协助办理函.docx")
    table = done(refer, home, "assist", "list", "--as-of", "2026-06-30").stdout
    assert "待回复" in table
    assert max(map(len, table.splitlines())) <= 100
    listed = json.loads(
        done(
            refer, home, "assist", "list", "--as-of", "2026-06-30", "--format", "json", "--lang", "en"
        ).stdout
    )
    assert listed[0]["return due"] == "2026-07-06"
    done(refer, home, "assist", "return", id, "--reason", "不属职能", "--actor", "张三")
    assert "已退回" in done(refer, home, "assist", "list").stdout


def test_a_refusal_of_the_police_is_answered_with_a_letter_first_to_them_then_to_the_procuratorate(
    home, approved, tmp_path
):
    approved("police", "POLICE-223")
    ask = ("objection", "C1", "--grounds", "五家账户相同", "--way")
    assert "no refusal" in refused(refer, home, *ask, "reconsideration", "--to", tmp_path / "x")
    with opened(home / "control.sqlite") as store:
        for verb, given, reason in (("send", {"document": NUMBER}, ""), ("no-case", {}, "事实不清")):
            referrals.answer(store, Act(actor="张三", at=AT, reason=reason), "C1", verb, given)
    done(refer, home, *ask, "reconsideration", "--to", tmp_path / "one")
    lines = said_in(tmp_path / "one" / "提请复议函.docx")
    assert "关于提请复议示例小学教学楼项目不予立案决定的函" in lines
    assert "公安局：" in lines
    assert any(f"2026年6月30日以{NUMBER}移送" in line and "理由为：事实不清。" in line for line in lines)
    assert any("国务院令第310号第九条" in line and "期限3日" in line for line in lines)
    with opened(home / "control.sqlite") as store:
        for verb in ("reconsider", "uphold"):
            referrals.answer(store, Act(actor="张三", at=AT, reason="仍不立案"), "C1", verb, {})
    assert "what is left is --way supervision" in refused(
        refer, home, *ask, "reconsideration", "--to", tmp_path / "x"
    )
    done(refer, home, *ask, "supervision", "--to", tmp_path / "two")
    assert "人民检察院：" in said_in(tmp_path / "two" / "立案监督建议函.docx")


def test_the_reply_to_the_police_is_written_from_the_desk(home, tmp_path):
    with opened(home / "control.sqlite") as store:
        id = cases.bring(store, Act(actor="张三", at=AT, reason="移交"), "某项目", "公安局〔2026〕3号")
    assert "no result" in refused(refer, home, "reply", id, "--document", NUMBER, "--to", tmp_path / "p")
    with opened(home / "control.sqlite") as store:
        cases.move(store, Act(actor="张三", at=AT), id, "take", {})
        cases.move(
            store, Act(actor="张三", at=AT, reason="轻微"), id, "dismiss", {"code": "below_materiality"}
        )
    done(refer, home, "reply", id, "--document", NUMBER, "--to", tmp_path / "p", "--actor", "张三")
    assert "关于某项目线索处理情况的回告" in said_in(tmp_path / "p" / "回告.docx")


def test_the_ledger_has_every_column_of_the_office_and_a_row_a_referral(home, approved, tmp_path):
    approved()
    done(refer, home, "file", "C1", "--to", tmp_path / "p", "--document", NUMBER)
    with opened(home / "control.sqlite") as store:
        referrals.answer(store, Act(actor="张三", at=AT), "C1", "send", {"document": NUMBER})
    done(
        report.app,
        home,
        "ledger",
        "--out",
        tmp_path / "out",
        "--as-of",
        "2026-06-30",
        "--office",
        "修武县发展和改革委员会",
    )
    rows = rows_of(tmp_path / "out" / "线索移送台账_20260630.csv")
    assert len(rows) == 1
    row = rows[0]
    assert len(row) == 34
    assert row["移送文号"] == NUMBER
    assert row["移送时间"] == "2026-06-30 10:00:00"
    assert row["初核人(2名)"] == "张三;李四"
    assert row["审批人"] == "王局"
    assert row["接收单位"] == "住房和城乡建设局"
    assert row["统一社会信用代码"] == "91410821000000001;91410821000000002"
    assert (
        row["证据包校验值"] == json.loads((tmp_path / "p" / "MANIFEST.json").read_bytes())["contents_sha256"]
    )
    assert (tmp_path / "out" / "线索移送台账_20260630.xlsx").exists()


def test_a_case_that_came_back_and_went_on_has_two_rows_each_with_its_own_answer(home, approved, tmp_path):
    approved()
    with opened(home / "control.sqlite") as store:
        by = Act(actor="张三", at=AT, reason="不属本单位职责")
        referrals.answer(store, by, "C1", "send", {"document": NUMBER})
        referrals.answer(store, by, "C1", "return", {})
        referrals.draft(store, by, "C1", "police", "POLICE-223", [])
    done(report.app, home, "ledger", "--out", tmp_path / "out", "--as-of", "2026-07-05")
    first, second = rows_of(tmp_path / "out" / "线索移送台账_20260705.csv")
    answer = "接收单位意见(受理/退回/立案/不予立案)"
    assert (first["接收单位"], first[answer], first["移送文号"]) == ("住房和城乡建设局", "退回", NUMBER)
    assert (second["接收单位"], second[answer], second["移送时间"]) == ("公安局", "", "")
    assert second["初核人(2名)"] == "张三;李四"
    assert second["是否超期"] == "是"  # nobody approved it within three days
    assert second["剩余(天)"] == "0"


def test_the_figures_name_no_firm_and_say_what_they_count(home, approved, tmp_path):
    approved()
    for words in (("half-year", "--year", 2026, "--half", 1), ("year", "--year", 2026)):
        done(report.app, home, *words, "--out", tmp_path / "out", "--as-of", "2026-12-31")
    half, year = (sorted((tmp_path / "out").glob(f"*{kind}*.docx"))[0] for kind in ("半年", "年度"))
    whole = "\n".join(said_in(half))
    assert "2026年上半年公共资源交易监管工作情况" in whole
    assert whole.count("口径：") == 10
    assert not re.search("甲[1-5]公司|91410821|张三|王局", whole + "\n".join(said_in(year)))
    assert "县人民政府：" in said_in(year)
    rows = rows_of(half.with_suffix(".csv"))
    told = {(row["表"], row["项目"], row["指标"]): row["数值"] for row in rows}
    assert told["线索移送（按接收单位和类型）", "住房和城乡建设局（移送行业监管部门）", "批准"] == "1"
    assert all(row["口径"] for row in rows)


def test_a_year_that_runs_says_until_when_it_was_counted(home, tmp_path):
    words = ("year", "--year", 2026, "--out", tmp_path / "out", "--as-of", "2026-11-22", "--lang", "en")
    said = done(report.app, home, *words)
    assert "counted until 2026-11-22" in said.stderr
    assert any(
        "统计截至2026年11月22日" in line for line in said_in(tmp_path / "out" / "年度报告数据_2026年.docx")
    )


def test_data_for_audit_goes_out_with_a_dictionary_and_stands_in_the_ledger(home, tmp_path):
    folder = tmp_path / "audit"
    done(
        report.app,
        home,
        "channel",
        "--to",
        "audit",
        "--reason",
        "年度审计",
        "--out",
        folder,
        "--actor",
        "张三",
    )
    assert pq.read_table(folder / "bids.parquet").num_rows == 5
    assert rows_of(folder / "lots.csv")[0]["lot_name"] == "'=1+1标段"
    assert pq.read_table(folder / "lots.parquet")["lot_name"][0].as_py() == "=1+1标段"
    assert not list(folder.glob("file_parts*"))
    assert "王五说".encode() not in b"".join(path.read_bytes() for path in folder.iterdir())
    assert {row["表"] for row in rows_of(folder / "数据字典.csv")} == {
        "core.lots",
        "core.bids",
        "core.awards",
        "core.parties",
    }
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, file = line.partition("  ")
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == digest
    listed = json.loads(done(report.app, home, "channels", "--format", "json", "--lang", "en").stdout)
    assert [(row["who"], row["to"], row["purpose"], row["rows"]) for row in listed] == [
        ("张三", "audit", "年度审计", 12)
    ]
    assert listed[0]["manifest"] == hashlib.sha256((folder / "MANIFEST.json").read_bytes()).hexdigest()
    with opened(home / "control.sqlite") as store:
        entry = json.loads(store.rows("SELECT body FROM audit ORDER BY seq DESC LIMIT 1")[0]["body"])
    assert (entry["verb"], entry["reason"], entry["manifest_sha256"]) == (
        "export-data",
        "年度审计",
        listed[0]["manifest"],
    )


def test_no_data_goes_out_without_a_purpose_to_an_unknown_recipient_or_under_a_used_key(home, tmp_path):
    ask = ("channel", "--out", tmp_path / "data")
    assert "purpose" in refused(report.app, home, *ask, "--to", "audit", "--reason", " ")
    assert "no channel" in refused(report.app, home, *ask, "--to", "press", "--reason", "x")
    done(
        report.app,
        home,
        "channel",
        "--out",
        tmp_path / "first",
        "--to",
        "audit",
        "--reason",
        "x",
        "--key",
        "k",
    )
    assert "key" in refused(report.app, home, *ask, "--to", "police", "--reason", "x", "--key", "k")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "home"]


def test_the_same_data_is_the_same_bytes(home, tmp_path):
    for name in ("one", "two"):
        done(report.app, home, "channel", "--out", tmp_path / name, "--to", "audit", "--reason", "x")
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    assert one == two
