import hashlib
import json
from collections import Counter

import pyarrow.parquet as pq
import pytest
from places import REAL_DATA

from pipelines import duck
from pipelines.intake import bronze, mapping
from pipelines.snapshot import stage

KEY = "00" * 32
LOT = "E4108210000000001001001"
CODE = "91410821YL012HL49M"


def make(source, path, out):
    out.mkdir(parents=True)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    toml = mapping.BUILT_IN / f"{source}.toml"
    report = bronze.make(bronze.Job(str(path), sha, path.name, str(toml), str(out), KEY))
    return report, {file.stem: pq.read_table(file) for file in out.glob("*.parquet")}


@pytest.fixture
def deliver(tmp_path):
    def deliver(source, file_name, text):
        path = tmp_path / file_name
        path.write_text(text, encoding="utf-8")
        report, tables = make(source, path, tmp_path / f"out {file_name}")
        rows = {name: table.to_pylist() for name, table in tables.items()}
        rows["refused"] = [(row["column_name"], row["code"]) for row in rows.get("refused", [])]
        return report, rows

    return deliver


def des(tag, data_type="1", **fields):
    context = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    title = (
        f"<TITLE><DATA_KEY>K1</DATA_KEY><DATA_EN>{tag}</DATA_EN><DATA_TYPE>{data_type}</DATA_TYPE></TITLE>"
    )
    return f"<DES>{title}<CONTEXT>{context}<DATA_TIMESTAMP>20260601090000</DATA_TIMESTAMP></CONTEXT></DES>"


@pytest.mark.parametrize("source", mapping.names())
def test_every_mapping_loads_and_says_who_sends(source):
    loaded = mapping.load(source)
    assert loaded.title
    sections = {rule.section for rule in loaded.files}
    if "stem" not in sections and all(
        rule.format in ("parquet", "workbook", "delimited") for rule in loaded.files
    ):
        assert sections == {rule.section for rule in loaded.records}


def test_sets_of_published_records_hold_nothing_back():
    sources = [name for name in mapping.names() if name not in ("national", "opening_sheets", "bid_files")]
    assert [
        (name, rule.match) for name in sources for rule in mapping.load(name).files if not rule.published
    ] == []


def test_national_reads_the_records_of_the_specification():
    assert {(rule.section, rule.table) for rule in mapping.load("national").records} == {
        ("TENDER_PROJECT", "tenders"),
        ("SECTION", "lots"),
        ("TENDER_FILE_CLARI_MODI", "documents"),
        # road, water, information, industry and fishing-port copies of the bidder list
        *((f"{industry}_TENDER_LIST", "bids") for industry in ("JT", "SL", "XX", "GY", "YG")),
        ("TENDER_LIST", "bids"),
        ("ZJ_TENDER_LIST", "bids"),
        ("BID_DOC_CHARACT_CODE", "fingerprints"),
        ("ZJ_BIDDER_MAKE_TOOL_INFO", "fingerprints"),
        ("BUYER_DOC_CHARACT_CODE", "fingerprints"),
        ("BIDDER_PROJECT_MEMBER", "people"),
        ("BIDDER_MARGIN_INFO", "deposits"),
        ("LETTER_OF_GUARANTEE", "deposits"),
        ("TENDER_FILE_BUYYER_INFO", "document_purchases"),
        ("BID_EVALUATION_EXPERT", "experts"),
        ("BID_OPEN_DETAIL", "opening_draws"),
        *((f"{industry}_BID_OPEN_DETAIL", "opening_draws") for industry in ("ZJ", "JT", "SL")),
        ("ZJ_EVALUATION_RESULT", "scores"),
        ("BID_PRICED_ITEM", "priced_items"),
        ("BIDDER_QUALIFICATION", "stated_certificates"),
        ("BIDDER_PERFORMANCE", "claimed_works"),
        ("TENDER_EVALUATION", "expert_scores"),
        ("BID_FILE", "bid_files"),
        ("TENDER_ABNORMITY_REPORT", "failures"),
        ("TENDER_CANDIDATE", "candidates"),
        ("WIN_RESULT_ANNO", "awards"),
        ("CONTRACT_PERFORMANCE", "contracts"),
        ("BHXX_CONTRACT_MEMBER", "contract_members"),
        ("SUBCONTRACT_INFO", "subcontracts"),
        ("BHXX_CONSTRUCT_ALTER", "changes"),
        ("BHXX_COMPLETE_ACCEPT", "acceptances"),
        ("PAYMENT_INFO", "payments"),
        ("SOCIAL_INSURANCE_INFO", "insured_people"),
        ("LEGAL_PERSON_BASE", "parties"),
        ("LEGAL_RELATION_INFO", "relations"),
        ("TENDERER_EX_INFO", "qualifications"),
        ("BLACK_LIST", "penalties"),
        ("WITHDRAW_BLACK_LIST", "penalties"),
        ("VIOLATING_LAWS_RULES_INFO", "penalties"),
        ("PURCHASE_PROJECT", "tenders"),
        ("PURCHASE_PROJECT", "lots"),
        ("PURCHASE_PROJECT", "documents"),
        ("PURCHASE_TENDER_LIST", "bids"),
        ("BID_DEAL_ANNOUNCE", "awards"),
    }


@pytest.mark.parametrize("flag", ["PRICE_UNIT", "PRICE_UINT"])
def test_national_price_takes_its_unit_from_the_flag_under_either_spelling(deliver, flag):
    _, rows = deliver(
        "national",
        "TENDER_LIST_20260601.csv",
        f"BID_SECTION_CODE,BIDDER_NAME,BID_PRICE,{flag},DATA_TIMESTAMP\n"
        "L1,甲公司,12.5,1,20260601090000\n"
        "L1,乙公司,12.5,0,20260601090000\n"
        "L1,丙公司,12.5,2,20260601090000\n",
    )
    assert [str(row["price"]) for row in rows["bids"]] == ["125000.000000", "12.500000", "None"]
    assert rows["bids"][2]["price_unread"] == "12.5"


def test_national_rate_is_kept_as_text_and_its_placeholder_price_is_empty(deliver):
    _, rows = deliver(
        "national",
        "TENDER_LIST_20260601.csv",
        "BID_SECTION_CODE,BIDDER_NAME,BID_PRICE,PRICE_UNIT,PRICE_FORM_CODE,OTHER_BID_PRICE,DATA_TIMESTAMP\n"
        "L1,甲公司,/,0,2,下浮率8.5%,20260601090000\n",
    )
    (bid,) = rows["bids"]
    assert (bid["price"], bid["price_form"], bid["other_price"]) == (None, "rate", "下浮率8.5%")


def test_national_record_of_type_3_is_a_deletion(deliver):
    fields = {"BID_SECTION_CODE": LOT, "BIDDER_NAME": "甲公司", "BIDDER_ORG_CODE": CODE}
    text = f"<R>{des('TENDER_LIST', **fields)}{des('TENDER_LIST', '3', **fields)}</R>"
    _, rows = deliver("national", "exchange.xml", text)
    assert [row["is_deleted"] for row in rows["bids"]] == [False, True]
    assert len({row["record_key"] for row in rows["bids"]}) == 1


def test_national_upload_pricing_and_authoring_computers_are_kept_apart(deliver):
    fields = {
        "BID_SECTION_CODE": LOT,
        "BIDDER_ORG_CODE": CODE,
        "MAC_ADDRESS": "D0-00-00-00-00-01",
        "VALUATION_XML": '<R JMSXLH="K7" WKDZ="D0-00-00-00-00-02" CPUXLH="C2" YPXLH="H2"/>',
        "MAKE_TOOL_XML": "<R><WKDZ>D0-00-00-00-00-03</WKDZ><CPUXLH>C3</CPUXLH></R>",
    }
    _, rows = deliver("national", "exchange.xml", f"<R>{des('BID_DOC_CHARACT_CODE', **fields)}</R>")
    made = {row["purpose"]: (row["mac"], row["cpu_id"], row["dongle"]) for row in rows["fingerprints"]}
    assert made == {
        "upload": ("D0-00-00-00-00-01", None, None),
        "pricing": ("D0-00-00-00-00-02", "C2", "K7"),
        "edit": ("D0-00-00-00-00-03", "C3", None),
    }


def test_national_file_without_pricing_data_gives_no_pricing_computer(deliver):
    fields = {"BID_SECTION_CODE": LOT, "BIDDER_ORG_CODE": CODE, "CPU_ID": "C1", "VALUATION_XML": "无"}
    _, rows = deliver("national", "exchange.xml", f"<R>{des('BID_DOC_CHARACT_CODE', **fields)}</R>")
    assert [row["purpose"] for row in rows["fingerprints"]] == ["upload"]


def test_first_known_word_of_the_evaluation_text_decides_and_an_unknown_text_decides_nothing(deliver):
    texts = {
        "经评审的最低投标价法": "lowest_price",
        "合理低价法（基准价随机下浮）": "average_price",
        "综合评估法，价格分以最低价为满分": "comprehensive_score",
        "抽签法": None,
    }
    lines = [f"L{n},{text},20260601090000" for n, text in enumerate(texts)]
    _, rows = deliver(
        "national",
        "TENDER_FILE_CLARI_MODI_1.csv",
        "BID_SECTION_CODE,EVALUATING_METHOD,DATA_TIMESTAMP\n" + "\n".join(lines) + "\n",
    )
    assert {row["evaluation_method"]: row["award_method"] for row in rows["documents"]} == texts


def test_only_a_restriction_that_speaks_of_bidding_is_a_bidding_ban(deliver):
    _, rows = deliver(
        "national",
        "BLACK_LIST_1.csv",
        "BLACKLIST_CODE,BODY_NAME,CONFINED_ACTION,DATA_TIMESTAMP\n"
        "H1,甲公司,一年内禁止参加投标,20260601090000\n"
        "H2,乙公司,限制乘坐飞机,20260601090000\n",
    )
    assert [row["is_bidding_ban"] for row in rows["penalties"]] == [True, None]


SHEET = (
    '标段编号,投标人名称,{},最高投标限价（元）,工期（日历天）\nL1,甲公司,"1,234.5","20,000,000",90日历天\n'
)


def test_opening_sheet_reads_the_unit_in_the_header_of_its_price(deliver):
    _, rows = deliver("opening_sheets", "sheet.csv", SHEET.format("投标报价（万元）"))
    (bid,), (lot,) = rows["bids"], rows["lots"]
    assert (str(bid["price"]), bid["duration_days"]) == ("12345000.000000", 90)
    assert str(lot["ceiling_price"]) == "20000000.000000"


def test_opening_sheet_without_a_unit_is_refused_as_a_whole(deliver):
    report, _ = deliver("opening_sheets", "sheet.csv", SHEET.format("投标报价"))
    assert (report.state, report.code) == ("refused", "UNIT_NOT_STATED")


def test_ocds_lot_and_bid_are_joined_by_ocid_and_lot(deliver):
    bid = {
        "id": "b1",
        "status": "disqualified",
        "relatedLots": ["A"],
        "tenderers": [{"id": "X-1", "name": "Firm"}],
        "value": {"amount": 5, "currency": "EUR"},
    }
    release = {
        "ocid": "o1",
        "id": "r1",
        "date": "2026-06-01T09:00:00+08:00",
        "tender": {"id": "t", "awardCriteria": "priceOnly", "lots": [{"id": "A"}]},
        "bids": {"details": [bid]},
    }
    _, rows = deliver("ocds", "releases.jsonl", json.dumps(release) + "\n")
    (lot,), (bid,), (tender,) = rows["lots"], rows["bids"], rows["tenders"]
    assert lot["lot_id"] == bid["lot_id"] == "o1/A"
    assert (bid["is_valid"], tender["award_method"]) == (False, "lowest_price")


#: Real set -> files, refused records and why, cells in conflict. What is left is counted, not hidden.
SETS = {
    "japan_tsuchiura": (["japan_tsuchiura/bids.parquet"], {}, {}),
    "korea_heritage": (
        ["korea_heritage/bids_2022_2024.parquet", "korea_heritage/tenders_2022_2024.parquet"],
        {},
        {},
    ),
    "huainan_openings": ([f"china/huainan_opening{n}.parquet" for n in ("_1", "_3", "s")], {}, {}),
    "lishui": (["china/lishui_opening_bids.parquet", "china/lishui_openings.parquet"], {}, {}),
    "hangzhou": (
        [f"china/hangzhou_{name}.parquet" for name in ("openings", "tender_notices", "joined")],
        {},
        {},
    ),
    "brazil_parana": (
        [
            f"brazil_parana/{name}_{year}.parquet"
            for name in ("participants", "tenders")
            for year in (2023, 2024)
        ],
        {},
        # Ranked twice and disqualified for two reasons at once; two names at once.
        {
            "bids.rank": 10,
            "bids.price": 16,
            "bids.rejection_reason": 4,
            "parties.party_name": 162,
            "parties.party_key": 154,
        },
    ),
    "brazil_comprasnet": (["brazil_comprasnet/bids.parquet"], {}, {}),
    "garcia2022": (
        [
            f"garcia2022/{name}.parquet"
            for name in ("brazil", "italy", "switzerland_gr_see_gaster", "united_states")
        ],
        {},
        {},
    ),
    "worldbank": (
        ["worldbank/bids.parquet", "worldbank/contracts.parquet"],
        {("bidder", "MISSING_VALUE"): 83},
        # One firm in two roles, one contract with two prices.
        {
            "bids.is_winner": 190,
            "bids.is_valid": 232,
            "bids.bidder_name": 36,
            "bids.currency": 20,
            "bids.price": 80,
        },
    ),
    "armenia_ocds": (["ocds/armenia_releases.jsonl.zst"], {}, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("source", SETS)
def test_real_set_is_read_and_what_is_refused_or_in_conflict_is_known(source, tmp_path):
    files, refused, conflicts = SETS[source]
    if not (REAL_DATA / files[0]).exists():
        pytest.skip(f"no real data in {REAL_DATA}; set BIDWATCH_REAL_DATA")
    found, stored, arrivals = Counter(), {}, []
    for place, name in enumerate(files):
        report, tables = make(source, REAL_DATA / name, tmp_path / str(place))
        assert report.state == "readable", report.reason
        arrivals.append(stage.Arrival(report.raw_sha, place, report.time_zone))
        refusals = tables.pop("refused", None)
        for row in refusals.to_pylist() if refusals else []:
            found[row["column_name"], row["code"]] += 1
        for table in tables.keys() - {"sealed"}:
            stored.setdefault(table, []).append(tmp_path / str(place) / f"{table}.parquet")
    assert found == refused
    con = duck.connect()
    stage.load(con, stored, arrivals, "2026-06-29 16:00:00")
    whole = con.execute("SELECT count(*) FROM stage.versions WHERE fate = 'conflict'").fetchall()
    assert whole == [(0,)], "a conflict costs its cell, not the record"
    cells = "SELECT table_name || '.' || column_name, count(*) FROM stage.conflicts GROUP BY 1"
    assert dict(con.execute(cells).fetchall()) == conflicts


@pytest.mark.parametrize(
    ("postponed", "hour"), [("20260701090000", "2026-07-01 01:00"), ("/", "2026-06-01 01:00")]
)
def test_a_postponed_opening_counts_from_its_new_time(deliver, postponed, hour):
    """The old time still stands in the record: believing it would show bids before they are opened."""
    one = des(
        "TENDER_FILE_CLARI_MODI",
        BID_SECTION_CODE=LOT,
        BID_OPEN_TIME="20260601090000",
        POST_OPEN_TIME=postponed,
    )
    _, rows = deliver("national", "clarification.xml", one)
    assert [f"{row['opening_at']:%Y-%m-%d %H:%M}" for row in rows["documents"]] == [hour]
