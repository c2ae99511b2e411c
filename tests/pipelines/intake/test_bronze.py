import json
import shutil
import sqlite3
from decimal import Decimal

import pytest
from places import REPO

from detectors import closure, overlay
from pipelines import reference, vault
from pipelines.intake import bronze, mapping, schema
from pipelines.intake.file_report import FileReport
from pipelines.intake.schema import table_schemas

HEAD = "lot,code,name,ref,price,form,submitted,rank,partners,agent,phone,operator phone,manager id,at\n"
FIRM = "91410821MA40000018"


def bid(
    lot="L1",
    code="",
    name="甲公司",
    ref="",
    price="100",
    form="1",
    submitted="",
    rank="",
    partners="",
    agent="",
    phone="",
    operator="",
    manager="",
    at="20260301120000",
):
    return (
        ",".join(
            [
                lot,
                code,
                name,
                ref,
                price,
                form,
                submitted,
                rank,
                partners,
                agent,
                phone,
                operator,
                manager,
                at,
            ]
        )
        + "\n"
    )


def test_a_good_row_is_typed_and_knows_where_it_came_from(county):
    taken = county.read(HEAD + bid(price="1234.56", code=FIRM))
    (row,) = taken.rows()
    assert (row["lot_id"], row["bidder"], row["price"], row["currency"]) == (
        "L1",
        FIRM,
        Decimal("1234.56"),
        "CNY",
    )
    assert (row["raw_sha"], row["raw_section"], row["raw_row"]) == (taken.raw_sha, "bids", 2)
    assert taken.report.state == "readable"
    assert (taken.report.records, taken.report.refused) == (1, 0)


def test_a_refused_row_says_what_where_why_and_in_both_languages(county):
    taken = county.read(HEAD + bid(lot="L7", at="gestern", name="无"))
    assert taken.rows() == []
    bidder, time = sorted(taken.refused, key=lambda row: row["column_name"])
    assert (time["raw_section"], time["raw_row"], time["raw_path"]) == ("bids", 2, "line 2")
    assert (time["column_name"], time["code"]) == ("updated_at", "UNREADABLE_VALUE")
    assert time["reason"] == "updated_at: 'gestern' cannot be read as timestamp"
    assert time["reason_zh"] == "版本时间“gestern”无法识别"
    assert bidder["code"] == "MISSING_VALUE"
    assert json.loads(time["raw_text"])["lot"] == "L7", "the whole record, as delivered"
    assert taken.report.refused == 1, "one record, refused for two reasons"


def test_a_cell_that_cannot_be_read_costs_that_cell_and_is_counted(county):
    bids = bid(price="弃标") + bid(price="未解密", rank="first") + bid(price="0.00") + bid(price="-1")
    taken = county.read(HEAD + bids + bid(form="7"))
    assert taken.refused == []
    assert taken.values("bidder") == ["name:甲公司"] * 5, "participation is not lost"
    assert taken.values("price_unread") == ["弃标", "未解密", "0.00", "-1", None], "zero is no price"
    assert [price is None for price in taken.values("price")] == [True, True, True, True, False]
    (section,) = FileReport.load(taken.folder).sections
    assert section.unread == {
        "bids.price": [4, "-1"],
        "bids.price_form": [1, "7"],
        "bids.rank": [1, "first"],
    }


def test_every_kind_of_refusal_names_its_column(county):
    taken = county.read(
        HEAD
        + bid(lot="", price="5")
        + bid(name="无")
        + bid(code=FIRM[:-1] + "3")
        + bid(code="123")
        + bid(at="20260230120000")
        + bid(at="")
        + bid(code="123456789", manager="410821199001010011")
        + "L1,too,short\n"
    )
    assert taken.codes == [
        (9, "", "FIELD_COUNT"),
        (2, "lot_id", "MISSING_VALUE"),
        (3, "bidder", "MISSING_VALUE"),
        (4, "bidder_code", "CHECK_DIGIT"),
        (5, "bidder_code", "CODE_FORM"),
        (6, "updated_at", "UNREADABLE_VALUE"),
        (7, "updated_at", "UNREADABLE_VALUE"),
    ]
    assert [row["raw_row"] for row in taken.rows()] == [8], "old codes and doubtful ID numbers only warn"
    assert (taken.report.records, taken.report.refused) == (8, 7)
    for row in taken.refused:
        assert len(row["reason"]) > 10
        assert any("\u4e00" <= letter <= "\u9fff" for letter in row["reason_zh"])


def test_warnings_are_counted_and_the_row_loads(county):
    taken = county.read(HEAD + bid(code="123456789") + bid(price="4000000000") + bid())
    found = {
        row["code"]: (row["severity"], row["unexpected"], row["checked"]) for row in taken.report.expectations
    }
    assert found["OLD_CODE"] == ("warning", 1, 3)
    assert found["PRICE_ABOVE_3_BILLION"] == ("warning", 1, 3)
    assert found["CODE_FORM"] == ("critical", 0, 3)
    assert len(taken.rows()) == 3
    assert taken.refused == []


def test_a_record_that_feeds_two_tables_is_refused_as_a_whole(county):
    county.mapping += """
[[record]]
section = "bids"
table = "lots"
[record.columns]
lot_id = { from = ["lot"] }
tender_id = { from = ["rank"] }
"""
    stray = bid(lot="L".ljust(23, "1"), rank="2" * 20)
    taken = county.read(HEAD + stray + bid(lot="", rank="") + bid(lot="L2", rank="5"))
    assert taken.values("lot_id") == taken.values("lot_id", "lots") == ["L2"]
    assert taken.codes == [(2, "lot_belongs_to_tender", "LOT_NOT_IN_TENDER"), (3, "lot_id", "MISSING_VALUE")]
    assert (taken.report.records, taken.report.refused) == (3, 2)


def test_a_section_that_the_mapping_does_not_know_is_refused_and_counted(county):
    taken = county.read("a,b\n1,2\n3,4\n", "ghosts_1.csv")
    assert taken.codes == [(2, "", "NO_RECORD_RULE"), (3, "", "NO_RECORD_RULE")]
    assert "'ghosts'" in taken.refused[0]["reason"]
    assert "bids" in taken.refused[0]["reason"]
    assert json.loads(taken.refused[1]["raw_text"])["b"] == "4"
    assert (taken.report.records, taken.report.refused) == (2, 2)
    assert taken.report.sections[0].unknown_columns == ["a", "b"]


def test_unknown_columns_are_recorded_and_missing_ones_too(county):
    taken = county.read("lot,name,price,at,Ghost\nL1,甲,5,20260301120000,x\n")
    (section,) = taken.report.sections
    assert section.unknown_columns == ["Ghost"]
    assert "bids.rank" in section.missing_columns
    assert "bids.bidder_name" not in section.missing_columns
    assert taken.values("rank") == [None]


def test_placeholders_are_counted_by_the_senders_column(county):
    taken = county.read(
        HEAD + bid(phone="无", rank="/") + bid(lot="L2", phone="13800138000") + bid(lot="L3", phone="5")
    )
    counted = taken.report.sections[0].read_as_empty
    assert (counted["phone"], counted["rank"]) == (2, 1)
    assert "price" not in counted


@pytest.mark.parametrize(
    ("header", "code", "names"),
    [
        (HEAD.replace("lot,", "section,"), "MISSING_COLUMN", ["'lot'", "section"]),
        (HEAD.replace("code,name", "firm id,firm"), "MISSING_COLUMN", ["'code' or 'name'", "firm id"]),
        (HEAD.replace(",at", ",when"), "MISSING_COLUMN", ["'at'"]),
        (HEAD.replace("rank", "price（元）"), "DOUBLED_COLUMN", ["'price'", "price（元）"]),
        (HEAD.replace("rank", "price"), None, ["price"]),
    ],
)
def test_a_missing_renamed_or_doubled_column_refuses_the_file_by_name(county, header, code, names):
    taken = county.read(header + bid())
    assert taken.report.state == "refused"
    assert code in (None, taken.report.code)
    assert all(name in str(taken.report.reason) for name in names)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in str(taken.report.reason_zh))
    assert [file.name for file in taken.folder.iterdir()] == ["report.json"], "nothing of it is kept"
    assert (taken.report.records, taken.report.sections) == (0, [])


def test_a_file_whose_name_fits_no_rule_is_refused(county):
    assert county.read(HEAD + bid(), "bids.pdf").report.code == "NO_FILE_RULE"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"\x00\x01\x02", b"PK\x03\x04", "\u200b".encode()])
def test_whatever_a_file_holds_becomes_a_report(county, content):
    taken = county.read(content)
    assert taken.report.state == "refused"
    assert taken.report.code
    assert FileReport.load(taken.folder) == taken.report


PEOPLE = {
    "person": "欧阳测试",
    "phone": "13912345678",
    "operator phone": "+86 137 0000 1111",
    "id_number": "41082119900101001X",
}


def test_people_are_tokens_everywhere_but_in_the_sealed_file(county):
    row = {
        "agent": PEOPLE["person"],
        "phone": PEOPLE["phone"],
        "operator": PEOPLE["operator phone"],
        "manager": PEOPLE["id_number"],
    }
    taken = county.read(
        HEAD + bid(**row) + bid(at="x", **row) + bid(phone="打13912345678找张三丰", agent="张三丰")
    )
    spellings = [*PEOPLE.values(), "13700001111", "张三丰"]
    open_files = [
        file for file in taken.folder.iterdir() if file.name not in ("sealed.parquet", "refused.parquet")
    ]
    assert {file.name for file in open_files} == {"bids.parquet", "report.json"}
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in open_files] + [str(taken.rows())]
    texts += [str([(row["reason"], row["reason_zh"]) for row in taken.refused])]
    texts += [
        (taken.folder / "sealed.parquet").read_bytes().decode("utf-8", "replace"),
        str(taken.rows("sealed")),
    ]
    for spelling in spellings:
        assert not any(spelling in text for text in texts)
    (good, third) = taken.rows()
    assert all(
        good[column].startswith("h1:")
        for column in ("agent", "agent_phone", "operator_phone", "project_manager_id")
    )
    assert third["agent_phone"].startswith("h1:"), "digits among words are a phone"


def test_a_personal_value_that_cannot_be_read_is_counted_and_not_shown(county):
    taken = county.read(HEAD + bid(phone="找张三丰"))
    assert taken.refused == []
    assert taken.report.sections[0].unread == {"bids.agent_phone": (1, "")}


def test_the_vault_opens_a_token_with_the_right_key_only(county, tmp_path):
    taken = county.read(HEAD + bid(agent=PEOPLE["person"], phone=PEOPLE["phone"]))
    database = tmp_path / "vault.sqlite"
    vault.store(database, [taken.folder / "sealed.parquet"])
    (row,) = taken.rows()
    assert vault.reveal(database, county.key, row["agent"]) == PEOPLE["person"]
    assert vault.reveal(database, county.key, row["agent_phone"]) == PEOPLE["phone"]
    assert vault.reveal(database, county.key, "h1:unknown") is None
    with pytest.raises(ValueError, match="another key"):
        vault.reveal(database, b"another key of thirty-two bytes.", row["agent"])
    con = sqlite3.connect(database)
    assert PEOPLE["phone"] not in str(con.execute("SELECT * FROM value").fetchall())
    con.close()


def everything(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_equal_inputs_give_equal_bytes(county):
    text = HEAD + "".join(
        bid(
            lot=f"L{i % 7}",
            name=f"公司{i}",
            price=str(i % 11),
            code="" if i % 11 else "123",
            agent=f"人{i % 5}",
            phone=f"1390000{i:04}",
            rank="x" * (i % 13 == 0),
        )
        for i in range(200)
    )
    first = county.read(text)
    assert {"bids.parquet", "refused.parquet", "sealed.parquet", "report.json"} == set(
        everything(first.folder)
    )
    county.files.clear()
    assert everything(county.read(text).folder) == everything(first.folder)


@pytest.fixture
def copy_of_the_code(tmp_path, monkeypatch):
    """The project in another place, where a test may change it."""
    for top in ("pipelines", "detectors", "reports", "data/reference"):
        shutil.copytree(REPO / top, tmp_path / top, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    monkeypatch.setattr(schema, "FOLDER", tmp_path / "pipelines" / "intake" / "schemas")
    monkeypatch.setattr(overlay, "SHIPPED", tmp_path / "data" / "reference")
    yield tmp_path
    forget()


def forget():
    bronze.code_version.cache_clear()
    closure.source.cache_clear()
    closure.imports.cache_clear()


def version_of(folder, name="bids.csv", key=bytes(32), mapping_text=None):
    forget()
    path = folder / "centre.toml"
    path.write_text(mapping_text or mapping.path_of("national").read_text(encoding="utf-8"), encoding="utf-8")
    return bronze.version(mapping.load_file(path), name, key, reference.Reference())


@pytest.mark.parametrize(
    "changed",
    [
        "pipelines/intake/schemas/bids.toml",
        "pipelines/intake/readers/delimited.py",
        "pipelines/intake/conversion.py",
        "pipelines/values/codes.py",
        "pipelines/values/amounts.py",
        "pipelines/values/time_texts.py",
        "pipelines/values/tokens.py",
        "pipelines/intake/checking.py",
        "pipelines/vault.py",
        "data/reference/placeholders.csv",
        "data/reference/regions.csv",
    ],
)
def test_what_decides_about_rows_is_in_the_name_of_the_bronze(copy_of_the_code, changed):
    before = version_of(copy_of_the_code)
    assert version_of(copy_of_the_code) == before
    path = copy_of_the_code / changed
    more = {"placeholders.csv": b"nothing,any,test\n", "regions.csv": b"990000,X,province,,2026\n"}
    path.write_bytes(path.read_bytes() + more.get(path.name, b"\n"))
    assert version_of(copy_of_the_code) != before


@pytest.mark.parametrize(
    "changed",
    [
        "pipelines/intake/receiving.py",
        "pipelines/snapshot/stage.py",
        "pipelines/intake/returned_list.py",
        "detectors/kernels/firms/pairs.py",
    ],
)
def test_what_decides_nothing_about_rows_leaves_the_name_of_the_bronze(copy_of_the_code, changed):
    before = version_of(copy_of_the_code)
    path = copy_of_the_code / changed
    path.write_bytes(path.read_bytes() + b"# a remark\n")
    assert version_of(copy_of_the_code) == before


def test_mapping_key_and_file_name_are_in_the_name_of_the_bronze(tmp_path):
    text = mapping.path_of("national").read_text(encoding="utf-8")
    names = [
        version_of(tmp_path),
        version_of(tmp_path, name="bids_2.csv"),
        version_of(tmp_path, key=bytes(31) + b"\1"),
        version_of(tmp_path, mapping_text=text + "# a remark\n"),
    ]
    assert len(set(names)) == 4
    assert names[0] == version_of(tmp_path)


def test_every_module_that_reads_a_file_is_in_the_version():
    used = set(closure.closure("pipelines.intake.bronze"))
    readers = {path.stem for path in (REPO / "pipelines/intake/readers").glob("*.py")} - {"__init__"}
    assert {f"pipelines.intake.readers.{name}" for name in readers} <= used
    assert {"pipelines.intake.conversion", "pipelines.values.masking", "pipelines.vault"} <= used


def test_the_exchange_record_as_json_lines(county):
    county.mapping = mapping.path_of("national").read_text(encoding="utf-8")
    record = {
        "TITLE": {"DATA_EN": "TENDER_LIST", "DATA_TYPE": "1", "DATA_KEY": "k1"},
        "CONTEXT": {
            "BID_SECTION_CODE": "E4108210001000001001001",
            "BIDDER_ORG_CODE": FIRM,
            "BIDDER_NAME": "甲公司",
            "BID_PRICE": "123.4567",
            "PRICE_UINT": "1",
            "PRICE_CURRENCY": "156",
            "PRICE_FORM_CODE": "1",
            "DATA_TIMESTAMP": "20260301120000",
        },
    }
    other = {**record, "TITLE": {**record["TITLE"], "DATA_EN": "NEW_TAG"}}
    lines = "\n".join(json.dumps(each, ensure_ascii=False) for each in (record, other)) + "\n"
    taken = county.read(lines, "x.jsonl")
    (row,) = taken.rows()
    assert (row["price"], row["currency"], row["is_deleted"]) == (Decimal("1234567"), "CNY", False)
    assert [(row["raw_section"], row["code"]) for row in taken.refused] == [("NEW_TAG", "NO_RECORD_RULE")]
    assert taken.report.records == 2


def test_a_file_larger_than_one_batch_is_read_in_parts(county, monkeypatch):
    monkeypatch.setattr(bronze, "BATCH_ROWS", 3)
    taken = county.read(HEAD + "".join(bid(lot=f"L{i}", name="甲公司" if i % 4 else "无") for i in range(10)))
    assert [row["raw_row"] for row in taken.refused] == [2, 6, 10]
    assert taken.values("lot_id") == ["L1", "L2", "L3", "L5", "L6", "L7", "L9"]
    checked = {row["code"]: row["checked"] for row in taken.report.expectations}
    assert checked["CODE_FORM"] == 10


def test_every_table_of_the_schemas_can_be_written(county):
    taken = county.read(HEAD + bid())
    assert list(taken.rows()[0]) == list(table_schemas()["bids"].duckdb_columns())
