import csv
from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.intake import mapping, readers
from pipelines.simulator import deliveries, truth

BIDS = ("TENDER_LIST", "ZJ_TENDER_LIST", "PURCHASE_TENDER_LIST")
ABOUT_BIDS = (
    *BIDS,
    "BIDDER_MARGIN_INFO",
    "TENDER_FILE_BUYYER_INFO",
    "BIDDER_PROJECT_MEMBER",
    "BID_DOC_CHARACT_CODE",
    "ZJ_EVALUATION_RESULT",
    "BID_OPEN_DETAIL",
    "TENDER_CANDIDATE",
    "BID_EVALUATION_EXPERT",
)

pytestmark = pytest.mark.trial
LOT_ID = ("BID_SECTION_CODE", "PURCHASE_SECTION_CODE")
#: A lot of each channel that draws no dirt, and one that opens before the first night.
HOUSING, OLD, EXCHANGE, PROCUREMENT = 8, 29, 14, 11


def lot_of(record):
    return next((record.fields[name] for name in LOT_ID if name in record.fields), None)


def lot_id(lot):
    return f"E4108210000000{lot:03d}001001"


def only(records, tag, lot, **fields):
    found = [
        one
        for one in records
        if one.tag == tag and lot_of(one) == lot_id(lot) and fields.items() <= one.fields.items()
    ]
    assert len(found) == 1, found
    return found[0].fields


def values(world, query):
    return [row[0] for row in world.execute(query).fetchall()]


def evening(day):
    return datetime.combine(day, time(23))


def stamped(record):
    return datetime.strptime(record.fields["DATA_TIMESTAMP"], "%Y%m%d%H%M%S")  # noqa: DTZ007 (local, as delivered)


def noted(tmp_path, world, name="out"):
    truth.write_truth(world, tmp_path / name)
    with (tmp_path / name / "truth" / "records.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---- a record says what the world says


def test_every_bid_is_delivered_as_the_world_has_it(world, deliver, tmp_path, last_night):
    records = deliver(world, last_night)
    dirty = {row["lot_id"] for row in noted(tmp_path, world) if row["section"] in BIDS}
    sent = {
        (lot_of(one), one.fields["BIDDER_ORG_CODE"]): one.fields
        for one in records
        if one.tag in BIDS and lot_of(one) not in dirty
    }
    rows = world.execute(
        "SELECT l.lot_id, f.code, f.name, b.price_fen, l.is_ten_thousand, b.submitted_at, b.duration_days, l.opening_at"
        " FROM world.bids AS b JOIN world.lots AS l USING (lot) JOIN world.firms AS f USING (firm)"
    ).fetchall()
    expected = {row[:2]: row[2:] for row in rows if row[0] not in dirty and row[-1].date() <= last_night[0]}
    assert sent.keys() == expected.keys()
    assert len(sent) > 50
    for key, (name, price_fen, is_ten_thousand, submitted_at, duration, _) in expected.items():
        fields = sent[key]
        unit = 10_000 if is_ten_thousand else 1
        assert fields["BIDDER_NAME"] == name
        assert fields["PRICE_UNIT"] == ("1" if is_ten_thousand else "0")
        assert Decimal(fields["BID_PRICE"]) * unit * 100 == price_fen
        assert fields["CHECKIN_TIME"] == f"{submitted_at:%Y%m%d%H%M%S}"
        assert fields.get("TIME_LIMIT", "120") == str(duration)


def test_people_and_machines_of_a_bid_are_its_own(world, deliver, last_night):
    world.execute("UPDATE world.bids SET has_buyers_entry = TRUE WHERE lot = 8 AND firm = 3")
    world.execute("UPDATE world.lots SET buyer_machine = 77, buyer_dongle = 78 WHERE lot = 8")
    records = deliver(world, last_night)
    (manager, agent, phone, mac, entry, own, edit) = world.execute(
        "SELECT person_id(49), person_id(52), phone(52), mac(31), machine_xml(77, 78), machine_xml(32, 3),"
        " machine_xml(30, -1)"
    ).fetchall()[0]
    bid = only(records, "ZJ_TENDER_LIST", HOUSING, BIDDER_NAME="修武样例3号有限公司")
    assert (bid["ID_CARD"], bid["AUTH_ID_CARD"], bid["AUTH_CONTACT_NUMBER"]) == (manager, agent, phone)
    trace = only(records, "BID_DOC_CHARACT_CODE", HOUSING, BIDDER_NAME="修武样例3号有限公司")
    assert trace["MAC_ADDRESS"] == mac
    assert trace["VALUATION_XML"] == entry + own
    assert trace["MAKE_TOOL_XML"] == edit
    assert only(records, "BUYER_DOC_CHARACT_CODE", HOUSING)["VALUATION_XML"] == entry


def test_lots_tenders_and_documents_are_delivered_as_the_world_has_them(world, deliver, last_night):
    records = deliver(world, last_night)
    section = only(records, "SECTION", EXCHANGE)
    assert section["TENDER_PROJECT_CODE"] == lot_id(EXCHANGE)[:20]
    assert section["UNIFIED_DEAL_CODE"].startswith("A99-")
    assert Decimal(section["CONTRACT_RECKON_PRICE"]) == Decimal(102000000 + 14 * 12345) / 100
    tender = next(
        one.fields
        for one in records
        if one.tag == "TENDER_PROJECT" and one.fields["PROJECT_CODE"] == lot_id(EXCHANGE)[:17]
    )
    assert tender["TENDERER_CODE"] == values(world, "SELECT code FROM world.buyers WHERE buyer = 0")[0]
    assert tender["TENDER_AGENCY_NAME"] == "修武样例代理0"
    document = only(records, "TENDER_FILE_CLARI_MODI", EXCHANGE)
    assert document["BID_OPEN_TIME"] == "20260515090000"
    assert document["EVALUATING_METHOD"] == "经评审的最低投标价法"
    assert Decimal(document["MARGIN_AMOUNT"]) == 20_000
    purchase = only(records, "PURCHASE_PROJECT", PROCUREMENT)
    assert Decimal(purchase["PROGRAM_BUDGET"]) == Decimal(100000000 + 11 * 12345) / 100
    assert purchase["BID_OPEN_TIME"] == "20260512090000"


def test_results_name_the_winner_in_its_registered_form(world, deliver, last_night):
    world.execute("UPDATE world.bids SET name_form = 3, code_form = 1 WHERE lot = 14 AND firm = 4")
    world.execute(
        "UPDATE world.lots SET subcontractor = 9, subcontract_fen = 1234500, subcontracted_at = signed_at WHERE lot = 14"
    )
    records = deliver(world, last_night)
    code = values(world, "SELECT code FROM world.firms WHERE firm = 4")[0]
    award = only(records, "WIN_RESULT_ANNO", EXCHANGE)
    assert (award["WIN_BIDDER_NAME"], award["WIN_BIDDER_CODE"]) == ("修武样例4号有限公司", code)
    assert Decimal(award["BID_AMOUNT"]) == 900_000
    assert only(records, "CONTRACT_PERFORMANCE", EXCHANGE)["BIDDER_CODE"] == code
    subcontract = only(records, "SUBCONTRACT_INFO", EXCHANGE)
    assert subcontract["SUBCONTRACTOR_NAME"] == "修武样例9号有限公司"
    assert Decimal(subcontract["SUBCONTRACT_PRICE"]) == 12_345
    assert only(records, "BID_DEAL_ANNOUNCE", PROCUREMENT)["WIN_BID_PRICE"] == "900000.00"
    bid = only(records, "TENDER_LIST", EXCHANGE, BIDDER_ORG_CODE=code[8:17])
    assert bid["BIDDER_NAME"] == "修武样例4号有限公司第一分公司"
    candidates = [one for one in records if one.tag == "TENDER_CANDIDATE" and lot_of(one) == lot_id(EXCHANGE)]
    assert [one.fields["WIN_CANDIDATE_ORDER"] for one in candidates] == ["1", "2", "3"]
    assert candidates[0].fields["WIN_CANDIDATE_CODE"] == code[8:17]


def test_a_discount_and_a_price_in_the_wrong_unit_are_written_as_they_were_typed(
    world, deliver, tmp_path, last_night
):
    world.execute("UPDATE world.lots SET is_by_rate = TRUE WHERE lot = 14")
    world.execute("UPDATE world.bids SET discount = 8.5 WHERE lot = 14")
    world.execute("UPDATE world.bids SET is_wrong_unit = TRUE WHERE lot = 8 AND firm = 3")
    records = deliver(world, last_night)
    rate = only(records, "TENDER_LIST", EXCHANGE, BIDDER_NAME="修武样例4号有限公司")
    assert (rate["BID_PRICE"], rate["PRICE_FORM_CODE"], rate["OTHER_BID_PRICE"]) == ("/", "2", "下浮率8.50%")
    wrong = only(records, "ZJ_TENDER_LIST", HOUSING, BIDDER_NAME="修武样例3号有限公司")
    assert (wrong["BID_PRICE"], wrong["PRICE_UNIT"]) == ("90.000000", "0")
    what = {(row["lot_id"], row["what"], row["fate"]) for row in noted(tmp_path, world)}
    assert (lot_id(14), "prices are discounts, not amounts", "loaded") in what
    assert (lot_id(8), "price in 万元 under a flag that says 元", "loaded") in what


def test_scores_rejections_and_draws_are_delivered(world, deliver, last_night):
    world.execute(
        "UPDATE world.lots SET draws = 'K=0.88;C=0.45', balls = '3,5', benchmark_fen = 91234567.4 WHERE lot = 14"
    )
    world.execute("UPDATE world.bids SET price_score = 58.5, other_score = 38, score = 96.5 WHERE lot = 14")
    world.execute(
        "UPDATE world.bids SET rank = NULL, score = NULL, veto = '未提交保证金' WHERE lot = 14 AND firm = 7"
    )
    records = deliver(world, last_night)
    draw = only(records, "BID_OPEN_DETAIL", EXCHANGE)
    assert draw["VALUE_RESULT"] == "K=0.88;C=0.45"
    assert (draw["ROLL_BALL_LIST"], draw["BENCHMARK_PRICE"]) == ("3,5", "912345.67")
    first = only(records, "ZJ_EVALUATION_RESULT", EXCHANGE, RANK="1")
    assert [first[name] for name in ("PRICE_SCORE", "OTHER_SCORE", "TOTAL_SCORE", "IS_VETO")] == [
        "58.50",
        "38.00",
        "96.50",
        "0",
    ]
    rejected = only(records, "ZJ_EVALUATION_RESULT", EXCHANGE, IS_VETO="1")
    assert (rejected["BIDDER_NAME"], rejected["VETO_REASON_DETAIL"]) == (
        "修武样例7号有限公司",
        "未提交保证金",
    )


def test_both_members_of_a_joint_venture_have_a_fingerprint(world, deliver, last_night):
    world.execute("UPDATE world.bids SET partner = 9 WHERE lot = 14 AND firm = 4")
    records = deliver(world, last_night)
    partner = values(world, "SELECT code FROM world.firms WHERE firm = 9")[0]
    bid = only(records, "TENDER_LIST", EXCHANGE, BIDDER_NAME="修武样例4号有限公司")
    assert bid["UNION_ORGAN_SET_CODE"] == partner
    lead = only(records, "BID_DOC_CHARACT_CODE", EXCHANGE, BIDDER_NAME="修武样例4号有限公司")
    other = only(records, "BID_DOC_CHARACT_CODE", EXCHANGE, BIDDER_ORG_CODE=partner)
    same = ("MAC_ADDRESS", "MAKE_TOOL_XML", "VALUATION_XML", "BID_DOCUMENT_MD5", "FILE_CREATE_CODE")
    assert [lead[name] for name in same] == [other[name] for name in same]
    assert lead["DATA_KEY"] != other["DATA_KEY"]


def test_without_electronic_bidding_there_are_no_traces(world, deliver, last_night):
    world.execute("UPDATE world.lots SET has_traces = FALSE WHERE lot = 14")
    tags = {one.tag for one in deliver(world, last_night) if lot_of(one) == lot_id(14)}
    assert not tags & {"BID_DOC_CHARACT_CODE", "BIDDER_MARGIN_INFO", "TENDER_FILE_BUYYER_INFO"}
    assert {"TENDER_LIST", "BIDDER_PROJECT_MEMBER"} <= tags


def test_a_failed_lot_is_reported_and_has_no_result(world, deliver, last_night):
    world.execute(
        "UPDATE world.lots SET status = 'failed', shown_at = NULL, signed_at = NULL, winner = -1 WHERE lot = 14"
    )
    records = deliver(world, last_night)
    assert only(records, "TENDER_ABNORMITY_REPORT", 14)["EXCEPITON_TYPE"] == "1"
    tags = {one.tag for one in records if lot_of(one) == lot_id(14)}
    assert not tags & {"WIN_RESULT_ANNO", "CONTRACT_PERFORMANCE", "TENDER_CANDIDATE", "BID_EVALUATION_EXPERT"}


def test_register_and_blacklist_come_first_whole_and_then_as_changes(world, deliver, nights):
    world.execute("UPDATE world.firms SET registered_on = DATE '2025-04-20' WHERE firm = 3")
    world.execute(
        "INSERT INTO world.bans VALUES (0, 2, 'H1', '修样罚1号', '串通投标', '禁止投标', '样例局', '2026-01-05', '2027-01-04',"
        " '2026-01-05 18:00:00', '2026-05-30 18:00:00')"
    )
    records = deliver(world, nights)
    names = [
        (one.night, one.fields["LEGAL_NAME"])
        for one in records
        if one.tag == "LEGAL_PERSON_BASE" and one.key == "YL01100000000030000000"
    ]
    renamed_on = date(2025, 4, 20) + timedelta(days=403)
    assert names == [(nights[0], "修武样例旧名有限公司"), (renamed_on, "修武样例3号有限公司")]
    ban, withdrawal = (
        next(one for one in records if one.tag == tag) for tag in ("BLACK_LIST", "WITHDRAW_BLACK_LIST")
    )
    assert (ban.night, ban.fields["CONFINED_END"]) == (nights[0], "20270104")
    assert withdrawal.night == date(2026, 5, 30)
    assert withdrawal.fields["BLACKLIST_CODE"] == ban.fields["BLACKLIST_CODE"]
    relation = next(one for one in records if one.tag == "LEGAL_RELATION_INFO").fields
    assert (relation["RELATION"], relation["SHARE"]) == ("2", "51.00")


# ---- which night


def test_all_nights_together_carry_what_one_night_carries(world, deliver, nights):
    apart = deliver(world, nights, name="apart")
    at_once = deliver(world, nights[-1:], name="at_once")
    assert {one.night for one in at_once} == {nights[-1]}
    assert Counter(one.content for one in apart) == Counter(one.content for one in at_once)
    assert len({one.night for one in apart}) == len(nights)


def test_what_is_known_is_delivered_once_and_the_rest_is_dirt(world, deliver, tmp_path, nights):
    records = deliver(world, nights)
    known = "opening_at + INTERVAL 3 HOURS <= TIMESTAMP '2026-06-05 23:00:00'"
    expected = Counter(
        {
            "SECTION": values(
                world,
                "SELECT count(*) FROM world.lots WHERE regime = 'construction'"
                " AND published_at <= TIMESTAMP '2026-06-05 23:00:00'",
            )[0],
            "BIDS": values(
                world, f"SELECT count(*) FROM world.bids JOIN world.lots USING (lot) WHERE {known}"
            )[0],
            # Firms that bid or belong to one another, one change of name, two agencies, two buyers.
            "LEGAL_PERSON_BASE": values(
                world,
                "SELECT count(*) FROM (SELECT firm FROM world.bids UNION"
                " SELECT unnest([firm, owner]) FROM world.firms WHERE owner >= 0)",
            )[0]
            + 1
            + 2
            + 2,
        }
    )
    noted_rows = noted(tmp_path, world)
    assert {row["fate"] for row in noted_rows} == {
        "refused",
        "duplicate",
        "conflict",
        "completes",
        "replaces",
        "deletes",
        "held",
    }
    for row in noted_rows:
        # A deletion needs the mistaken bid too; the lots of the last day are held whole and are no dirt.
        more = {"deletes": 2}.get(row["fate"], 0 if "day of the last night" in row["what"] else 1)
        expected["BIDS" if row["section"] in BIDS else row["section"]] += more
    found = Counter("BIDS" if one.tag in BIDS else one.tag for one in records)
    assert {tag: found[tag] for tag in ("SECTION", "BIDS", "LEGAL_PERSON_BASE")} == {
        tag: expected[tag] for tag in ("SECTION", "BIDS", "LEGAL_PERSON_BASE")
    }
    spoilt = {"SECTION", "TENDER_PROJECT", *BIDS, "LEGAL_PERSON_BASE"}
    keys = Counter((one.tag, one.key) for one in records if one.tag not in spoilt)
    assert set(keys.values()) == {1}


def test_nothing_about_a_bid_is_delivered_before_its_opening(world, deliver, tmp_path, nights):
    world.execute(
        "UPDATE world.lots SET first_opening_at = opening_at - INTERVAL 4 DAYS, moved_at = opening_at - INTERVAL 5 DAYS"
        " WHERE lot = 30"
    )
    records = deliver(world, nights)
    opening_at = dict(world.execute("SELECT lot_id, opening_at FROM world.lots").fetchall())
    early = [one for one in records if one.tag in ABOUT_BIDS and evening(one.night) < opening_at[lot_of(one)]]
    held = [row for row in noted(tmp_path, world) if row["what"] == "lot not opened on the last night"]
    assert [(one.file, one.tag, lot_of(one)) for one in early] == [
        (row["file"], row["section"], row["lot_id"]) for row in held
    ]
    assert len(early) == 1


def test_a_night_carries_what_became_known_since_the_one_before(world, deliver, nights):
    for one in deliver(world, nights):
        is_again = one.tag in ("SECTION", "TENDER_PROJECT")  # may stand there again, with its old time
        weekly = one.file.endswith(".csv") and one.night != nights[0]
        since = evening(one.night) - timedelta(days=7 if weekly else 1)
        assert stamped(one) <= evening(one.night), one
        assert one.night == nights[0] or is_again or stamped(one) > since, one


def test_a_moved_opening_is_a_newer_version_of_the_document(world, deliver, tmp_path, nights):
    world.execute(
        "UPDATE world.lots SET first_opening_at = opening_at - INTERVAL 4 DAYS, moved_at = opening_at - INTERVAL 5 DAYS"
        " WHERE lot IN (30, 31)"
    )
    records = deliver(world, nights)
    first, second = (
        one for one in records if one.tag == "TENDER_FILE_CLARI_MODI" and lot_of(one) == lot_id(30)
    )
    assert (first.fields["BID_OPEN_TIME"], first.fields.get("POST_OPEN_TIME")) == ("20260527090000", None)
    assert second.fields["POST_OPEN_TIME"] == "20260531090000"
    assert (first.night, second.night) == (nights[0], date(2026, 5, 26))
    assert (first.key, second.fields["TITLE/DATA_TYPE"]) == (second.key, "2")
    budget = [one for one in records if one.tag == "PURCHASE_PROJECT" and lot_of(one) == lot_id(31)]
    assert [one.fields["BID_OPEN_TIME"] for one in budget] == ["20260528090000", "20260601090000"]
    moved = {row["lot_id"] for row in noted(tmp_path, world) if row["what"] == "opening moved"}
    assert moved == {lot_id(30), lot_id(31)}


# ---- which file


def test_channels_have_their_formats_and_encodings(world, deliver, tmp_path, nights):
    records = deliver(world, nights)
    channel = dict(world.execute("SELECT lot_id, channel FROM world.lots").fetchall())
    folder = tmp_path / "out" / "inbox" / "national"
    has_mark = {path.name: path.read_bytes().startswith(b"\xef\xbb\xbf") for path in folder.glob("*.csv")}
    old_nights = set()
    for one in records:
        # The code of a stray lot belongs to no lot of the county.
        of = channel.get(lot_of(one)) or channel.get(one.fields.get("TENDER_PROJECT_CODE", "") + "001")
        if one.night == nights[0]:
            assert has_mark[one.file] == (of != "old_system"), one
        else:
            suffix = {"old_system": "csv", "procurement": "jsonl", "housing": "jsonl"}.get(of, "xml")
            assert one.file.endswith(suffix), one
            if of == "old_system":
                assert not has_mark[one.file]
                old_nights.add(one.night)
    assert old_nights == {date(2026, 5, 27), date(2026, 6, 3), date(2026, 6, 5)}
    for path in folder.glob("*.csv"):
        path.read_bytes().decode("utf-8-sig" if has_mark[path.name] else "gb18030")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_form_holds_the_same_records(world, deliver, nights, form):
    exchange = deliver(world, nights, name="exchange")
    tables = deliver(world, nights, form, name=form)
    assert {Path(one.file).suffix for one in tables} == {f".{form}"}
    assert Counter((one.night, one.content) for one in tables) == Counter(
        (one.night, one.content) for one in exchange
    )


def test_records_stand_in_the_order_in_which_they_became_known(world, deliver, nights):
    by_file = {}
    for one in deliver(world, nights):
        by_file.setdefault((one.file, one.tag), []).append(stamped(one))
    for (_, tag), times in by_file.items():
        # What is delivered again keeps its old time.
        assert times == sorted(times) or tag in ("SECTION", "TENDER_PROJECT")


def test_long_tables_are_cut_and_every_part_keeps_its_section(world, deliver, nights, monkeypatch):
    whole = deliver(world, nights[-1:], "csv", name="whole")
    monkeypatch.setattr(deliveries, "ROWS_OF_A_TABLE", 20)
    cut = deliver(world, nights[-1:], "csv", name="cut")
    assert Counter(one.content for one in cut) == Counter(one.content for one in whole)
    files = Counter(one.file for one in cut if one.tag == "TENDER_LIST")
    assert len(files) > 3
    assert max(files.values()) <= 20
    rule = next(rule for rule in mapping.load("national").files if rule.format == "delimited")
    assert {readers.section_name(rule, name) for name in files} == {"TENDER_LIST"}


def test_a_lot_kept_by_hand_comes_only_as_its_opening_sheet(world, deliver, tmp_path, nights):
    world.execute("UPDATE world.lots SET channel = 'sheet' WHERE lot IN (8, 29, 38)")
    records = deliver(world, nights)
    assert not [one for one in records if lot_of(one) in (lot_id(8), lot_id(29))]
    names = sorted(path.name for path in (tmp_path / "out" / "inbox" / "opening_sheets").iterdir())
    assert names == [f"开标记录表_20260520_{lot_id(8)}.xlsx", f"开标记录表_20260530_{lot_id(29)}.xlsx"]


def test_the_same_world_gives_the_same_bytes_whatever_the_threads(world, deliver, tmp_path, nights):
    world.execute("UPDATE world.lots SET channel = 'sheet' WHERE lot = 8")

    def content(name, threads):
        world.execute(f"SET threads = {threads}")
        deliver(world, nights, name=name)
        truth.write_truth(world, tmp_path / name)
        root = tmp_path / name
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    assert content("one", 1) == content("four", 4)


def test_the_key_of_a_record_tells_its_dataset(world, deliver, nights):
    records = deliver(world, nights)
    assert {(one.tag, one.key[4:7]) for one in records} <= set(deliveries.TAGS.items())
    assert {len(one.key) for one in records} == {22}
    assert {path.stem for path in (deliveries.HERE / "tags").iterdir()} == set(deliveries.TAGS)


# ---- the night that reads it


def test_the_night_treats_every_dirty_record_as_the_truth_says(world, deliver, tmp_path, nights, make_county):
    (tmp_path / "county").mkdir()
    text = (mapping.BUILT_IN / "national.toml").read_text(encoding="utf-8")
    county = make_county(tmp_path / "county", mapping=text)
    deliver(world, nights[-1:], "csv")
    rows = noted(tmp_path, world)
    read = {}
    for path in sorted((tmp_path / "out" / "inbox" / "national").iterdir()):
        read[path.name] = county.read(path.read_bytes(), path.name)
        assert read[path.name].report.state == "readable", read[path.name].report.reason
    for name, file in read.items():
        refused = sorted(row["code"] for row in file.refused)
        assert refused == sorted(
            row["code"] for row in rows if (row["file"], row["fate"]) == (name, "refused")
        )
    night = county.night("2026-06-04 16:00:00")  # the last night's midnight, in UTC
    fates = Counter(night.rows("SELECT table_name, fate FROM stage.versions"))
    lots_with = {
        fate: [row["lot_id"] for row in rows if row["fate"] == fate]
        for fate in ("held", "deletes", "conflict")
    }
    assert fates["bids", "duplicate"] == sum(
        row["fate"] == "duplicate" and row["section"] in BIDS for row in rows
    )
    assert night.values("SELECT count(*) FROM stage.conflicts") == [2 * len(lots_with["conflict"])]
    assert set(night.values("SELECT column_name FROM stage.conflicts")) == {"duration_days"}
    assert fates["bids", "deleted"] == len(lots_with["deletes"])
    assert fates["bids", "superseded"] == sum(row["fate"] in ("replaces", "deletes") for row in rows)
    shown = {lot for (lot,) in night.rows("SELECT DISTINCT lot_id FROM core.bids")}
    opened = values(world, "SELECT lot_id FROM world.lots WHERE opening_at < TIMESTAMP '2026-06-05 00:00:00'")
    assert shown == set(opened)
    assert lots_with["held"]
    prices = {
        (lot, code): fen
        for lot, code, fen in night.rows(
            "SELECT lot_id, bidder_id, CAST(price_cny * 100 AS BIGINT) FROM core.bids"
        )
    }
    right = {
        (lot, code): fen
        for lot, code, fen in world.execute(
            "SELECT lot_id, code, price_fen FROM world.bids JOIN world.lots USING (lot) JOIN world.firms USING (firm)"
            " WHERE opening_at < TIMESTAMP '2026-06-05 00:00:00'"
        ).fetchall()
    }
    assert prices == right, "no bid and no price is lost for a cell that is wrong or in conflict"
