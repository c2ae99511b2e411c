import datetime as dt
import hashlib
import hmac
import string
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipelines import duck
from pipelines.intake import bronze, conversion, mapping
from pipelines.intake.conversion import ENTRY, FIELD
from pipelines.intake.readers import FileRefused
from pipelines.reference import Reference

KEY = bytes(range(32))
USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"


FIRST_RULE = """
[[file]]
match = ["*"]
format = "delimited"
[[record]]
table = "awards"
[record.columns]
lot_id = { constant = "L" }
winner_name = { constant = "甲" }
"""


@pytest.fixture(scope="module")
def convert(tmp_path_factory):
    """Read texts through one rule: columns of a mapping, texts by column of the sender -> typed rows."""
    con = duck.connect()
    references, plans = {}, {}

    def converted(columns, texts, table="bids", rule="", country="CN", zone="Asia/Shanghai", key=KEY):
        if "lot_id" not in columns:
            columns += '\nlot_id = { constant = "L1" }'
        if table in ("bids", "fingerprints", "scores") and "bidder_" not in columns:
            columns += '\nbidder_name = { constant = "甲公司" }'
        text = (
            f'title = "x"\ncountry = "{country}"\ntime_zone = "{zone}"\n{FIRST_RULE}'
            f'[[record]]\ntable = "{table}"\n{rule}\n[record.columns]\n{columns}\n'
        )
        texts = {name: values if isinstance(values, list) else [values] for name, values in texts.items()}
        if (where := (text, tuple(texts), key)) not in plans:
            path = tmp_path_factory.mktemp("sources") / "centre.toml"
            path.write_text(text, encoding="utf-8")
            loaded = mapping.load_file(path)
            known = references.setdefault(key, bronze.load_references(key, Reference()))
            plan = conversion.plan(loaded, loaded.records[-1], tuple(texts), known, public=False)
            plans[where] = loaded, plan, known
        loaded, converted.plan, known = plans[where]
        count = len(next(iter(texts.values())))
        batch = pa.table(
            {name: pa.array(values, pa.string()) for name, values in texts.items()}
            | {"raw_row": pa.array(range(1, count + 1), pa.int64()), "raw_path": pa.array(["x"] * count)}
        )
        converted.clear_text = lambda: conversion.clear_text(con, converted.plan, batch, loaded, known)
        rows = conversion.convert(con, converted.plan, batch).to_pylist()
        # What could not be read, whether it costs the record or only the cell.
        return [row | {"unread": row["unread"] or row["unread_optional"]} for row in rows]

    return converted


def utc(*parts):
    """The database's times are UTC and carry no zone."""
    return dt.datetime(*parts, tzinfo=dt.UTC).replace(tzinfo=None)


@pytest.fixture(scope="module")
def price(convert):
    """Read one or many price texts; None stands for a text that is refused."""

    def prices(texts, setting="unit = 1", header="price", **more):
        columns = f'price = {{ from = ["price"], {setting} }}\nwinner_name = {{ constant = "甲" }}'
        rows = convert(columns, {header: texts} | more, table="awards")
        read = [None if row["unread"] else row["price"] for row in rows]
        assert all(row["unread"].startswith(f"price{FIELD}") for row in rows if row["unread"])
        return read[0] if isinstance(texts, str) else read

    return prices


# --- money -------------------------------------------------------------------------------------


def test_ten_thousands_become_yuan_by_the_flag_of_the_row(price):
    flag = 'unit_from = ["PRICE_UNIT", "PRICE_UINT"], units = { "0" = 1, "1" = 10000 }'
    assert price(["1234567.89", "123.456789"], flag, PRICE_UINT=["0", "1"]) == [
        Decimal("1234567.89"),
        Decimal("1234567.89"),
    ]


def test_a_flag_that_is_not_in_the_mapping_is_refused_and_quoted(convert):
    flag = 'price = { from = ["price"], unit_from = ["unit"], units = { "0" = 1, "1" = 10000 } }'
    rows = convert(flag, {"price": ["5", "5", ""], "unit": ["2", "", "2"]})
    assert [row["price"] for row in rows] == [None, None, None]
    assert [row["unread"] for row in rows] == [f"price{FIELD}5 (2)", f"price{FIELD}5 ()", None]


@pytest.mark.parametrize(
    ("header", "yuan"),
    [
        ("投标报价（元）", "12.5"),
        ("投标报价(万元)", "125000"),
        ("投标报价（亿元）", "1250000000"),
        ("投标报价（千元）", "12500"),
    ],
)
def test_the_header_may_state_the_unit(convert, header, yuan):
    (row,) = convert('price = { from = ["投标报价"], unit_in_header = true }', {header: "12.5"})
    assert row["price"] == Decimal(yuan)


@pytest.mark.parametrize("header", ["投标报价", "投标报价（%）"])
def test_a_header_without_a_unit_of_money_refuses_the_file(convert, header):
    with pytest.raises(FileRefused) as refused:
        convert('price = { from = ["投标报价"], unit_in_header = true }', {header: "12.5"})
    assert refused.value.code == "UNIT_NOT_STATED"
    assert "投标报价（元）" in refused.value.reason
    assert "投标报价（元）" in refused.value.reason_zh


@pytest.mark.parametrize(
    ("cells", "yuan"),
    [
        (
            ["102万元", "1,286.50 万元", "1040000元（含税）", "弃标", "/"],
            ["1020000", "12865000", "1040000", None, None],
        ),
        (["壹佰万元整", ""], [None, None]),
    ],
)
def test_cells_may_state_the_unit_that_the_heading_does_not(convert, cells, yuan):
    rows = convert('price = { from = ["投标报价"], unit_in_header = true }', {"投标报价": cells})
    assert [row["price"] for row in rows] == [text and Decimal(text) for text in yuan]


def test_one_number_without_a_unit_refuses_the_file_and_is_named_by_its_place(convert):
    with pytest.raises(FileRefused) as refused:
        convert('price = { from = ["投标报价"], unit_in_header = true }', {"投标报价": ["102万元", "987654"]})
    assert refused.value.code == "UNIT_NOT_STATED"
    assert "987654" not in refused.value.reason + refused.value.reason_zh, "it may be secret"


def test_shares_may_state_their_unit_in_the_cells(convert):
    share = 'discount_share = { from = ["下浮率"], unit_in_header = true }'
    rows = convert(share, {"下浮率": ["7.25%", "无"]}, table="lots")
    assert [row["discount_share"] for row in rows] == [pytest.approx(0.0725), None]
    with pytest.raises(FileRefused):
        convert(share, {"下浮率": ["7.25%", "7.25"]}, table="lots")


def test_a_constant_factor_is_exact(price):
    assert price("0.07", "unit = 10000") == Decimal("700")
    assert price("12345", "unit = 0.01") == Decimal("123.45")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,234,567.89", "1234567.89"),
        ("１，２３４．５６", "1234.56"),
        ("￥1234.5", "1234.5"),
        ("¥ 1234.5", "1234.5"),
        ("1234.5元", "1234.5"),
        ("1234.5 元", "1234.5"),
        ("小写：1234.5元 大写：壹仟贰佰叁拾肆元伍角", "1234.5"),
        ("大写：壹仟贰佰叁拾肆元伍角；小写：￥1,234.5", "1234.5"),
        ("  7 ", "7"),
        ("0", "0"),
        ("-5", "-5"),
        ("+5", "5"),
        ("0005", "5"),
        ("12345678901234.123456", "12345678901234.123456"),
        ("123456789012.345678", "123456789012.345678"),
        ("0.000001", "0.000001"),
        ("1.10000000000000000000000", "1.1"),
    ],
)
def test_an_amount_is_read_exactly(price, text, value):
    assert price(text) == Decimal(value)


@pytest.mark.parametrize(
    "text",
    [
        "1e3",
        "1E+3",
        "NaN",
        "inf",
        "-Infinity",
        "0x10",
        "1_000",
        "1 000",
        "12,34",
        "1,2345",
        ",5",
        "1.",
        ".5",
        "1.2.3",
        "5万2千",
        "十万元",
        "100-200",
        "约100",
        "--5",
        "壹佰元整",
        "100%",
        "$5",
        "5 USD",
        "123456789012345",
        "12345678901234567890123",
        "9" * 60,
        "0.0000001",
        "1.0000000000000001",
    ],
)
def test_what_is_not_plainly_an_amount_is_refused(price, text):
    assert price(text) is None


def test_an_amount_that_overflows_in_its_unit_is_refused_and_not_a_crash(price):
    assert price(["99999999999999", "12345678901234567890123", "1"], "unit = 100000000") == [
        None,
        None,
        Decimal("100000000"),
    ]


def test_a_text_that_says_yuan_is_not_multiplied_by_ten_thousand(price):
    assert price(["123元", "123"], "unit = 10000") == [None, Decimal("1230000")]


def test_more_decimals_are_refused_unless_the_mapping_says_to_round(price):
    assert price(["10.1234567", "0.30000000000000004"]) == [None, None]
    assert price(["10.1234567", "0.30000000000000004"], "unit = 1, decimals = 2") == [
        Decimal("10.12"),
        Decimal("0.30"),
    ]
    assert price(["2.005", "-2.005", "2.00499999999999999999999"], "unit = 1, decimals = 2") == [
        Decimal("2.01"),
        Decimal("-2.01"),
        Decimal("2.00"),
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.decimals(min_value=0, max_value=10**14 - 1, places=6), min_size=1, max_size=60))
def test_every_amount_comes_out_as_it_went_in(price, amounts):
    assert price([f"{amount:f}" for amount in amounts]) == amounts


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.decimals(min_value=0, max_value=10**9, places=9), min_size=1, max_size=60),
    st.sampled_from([10_000, 100_000_000, 1_000]),
)
def test_units_multiply_exactly_or_not_at_all(price, amounts, unit):
    expected = [
        amount * unit if amount * unit == round(amount * unit, 6) and amount * unit < 10**14 else None
        for amount in amounts
    ]
    assert price([f"{amount:f}" for amount in amounts], f"unit = {unit}") == expected


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.sampled_from("0123456789.,-+eE ¥元%"), max_size=12), min_size=1, max_size=60))
def test_no_text_is_read_as_another_number(price, texts):
    for text, read in zip(texts, price(texts), strict=True):
        if read is not None:
            plain = text.strip().removeprefix("¥").strip().removesuffix("元").strip().replace(",", "")
            assert Decimal(plain) == read


def test_a_share_may_be_a_percentage(convert):
    setting = 'discount_share = { from = ["下浮率"], unit = 0.01 }'
    rows = convert(setting, {"下浮率": ["8.5", "8.5%", "８.５％", "NaN", "1e400", "8.5%%"]}, table="lots")
    assert [row["discount_share"] for row in rows] == [0.085, 0.085, 0.085, None, None, None]
    (row,) = convert(
        'discount_share = { from = ["下浮率"], unit_in_header = true }', {"下浮率（%）": "8.5"}, table="lots"
    )
    assert row["discount_share"] == 0.085
    (row,) = convert('discount_share = { from = ["下浮率"], unit = 1 }', {"下浮率": "8.5%"}, table="lots")
    assert row["discount_share"] == 0.085, "a percent sign states its own unit"


def test_points_are_plain_numbers_read_exactly_or_not_at_all(convert):
    good, bad = ["38.5", "0", "100.00000000", "-1.25"], ["1,000", "38.1234567", "1e2", "38.5分", "1000000"]
    rows = convert('price_score = { from = ["s"] }', {"s": good + bad}, table="scores")
    assert [row["price_score"] for row in rows] == [*map(Decimal, good), *[None] * len(bad)]
    assert [row["unread"] is None for row in rows] == [True] * len(good) + [False] * len(bad)


def test_a_whole_number_is_nothing_else(convert):
    texts = ["30", "30.0", "+30", "030", "30.5", "3e1", "99999999999999999999", "30天", "三十"]
    rows = convert('rank = { from = ["rank"] }', {"rank": texts})
    assert [row["rank"] for row in rows] == [30, 30, 30, 30, None, None, None, None, None]
    (row,) = convert('duration_days = { from = ["工期"], strip = ["日历天", "天"] }', {"工期": "30 日历天"})
    assert row["duration_days"] == 30


# --- codes -------------------------------------------------------------------------------------


def test_a_code_stays_text(convert):
    rows = convert(
        'bid_ref = { from = ["no"] }', {"no": ["007", "0", "1E5", "９1", "12345678901234567890123"]}
    )
    assert [row["bid_ref"] for row in rows] == ["007", "0", "1E5", "91", "12345678901234567890123"]


def uscc(seventeen):
    """GB 32100-2015: weights 3^i mod 31 over an alphabet without I, O, S, V, Z."""
    total = sum(USCC.index(letter) * pow(3, place, 31) for place, letter in enumerate(seventeen))
    return seventeen + USCC[(31 - total % 31) % 31]


VALID = uscc("91410821MA4000001")


def marks(convert, codes, **more):
    rows = convert('bidder_code = { from = ["code"] }', {"code": codes}, **more)
    return [row["bidder_code_check"] for row in rows]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(st.sampled_from(USCC), min_size=17, max_size=17), min_size=1, max_size=40))
def test_every_credit_code_made_by_the_standard_is_good(convert, codes):
    assume("1" * 17 not in codes)
    assert set(marks(convert, [uscc(code) for code in codes])) <= {"ok", None}


@settings(max_examples=20, deadline=None)
@given(st.text(st.sampled_from(USCC), min_size=17, max_size=17), st.integers(0, 17))
def test_any_wrong_character_of_a_credit_code_is_noticed(convert, seventeen, place):
    good = uscc(seventeen)
    typos = [good[:place] + letter + good[place + 1 :] for letter in USCC if letter != good[place]]
    assert set(marks(convert, typos)) <= {"check_digit", None}


def test_a_code_of_any_other_form_is_named(convert):
    codes = [
        VALID,
        VALID.lower(),
        f" {VALID[:8]} {VALID[8:]}",
        VALID[:-1],
        VALID + "1",
        VALID.replace("M", "I"),
        "无码",
    ]
    assert marks(convert, codes) == ["ok", "ok", "ok", "form", "form", "form", "form"]


def test_old_codes_are_marked_as_old(convert):
    codes = ["410821000012345", "12345678-9", "123456789", "MA400000X", "12345678"]
    assert marks(convert, codes) == ["old", "old", "old", "old", "form"]


def test_one_organisation_code_is_one_party_however_it_is_written(convert):
    codes = ["12345678-9", "123456789", "１２３４５６７８９"]
    rows = convert('bidder_code = { from = ["code"] }', {"code": codes})
    assert {row["bidder"] for row in rows} == {"123456789"}


def test_codes_of_other_countries_are_not_judged_by_chinese_rules(convert):
    rows = convert(
        'bidder_code = { from = ["code"] }', {"code": "12345678-9"}, country="AM", zone="Asia/Yerevan"
    )
    assert rows[0]["bidder"] == "12345678-9"
    assert "bidder_code_check" not in rows[0]


def identity(seventeen):
    """GB 11643-1999."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return seventeen + "10X98765432"[sum(int(d) * w for d, w in zip(seventeen, weights, strict=True)) % 11]


def id_marks(convert, numbers):
    rows = convert('agent_id = { from = ["id"] }', {"id": numbers})
    return [row["agent_id_check"] for row in rows]


@settings(max_examples=25, deadline=None)
@given(st.text(st.sampled_from(string.digits), min_size=17, max_size=17), st.integers(0, 17))
def test_identity_numbers_are_checked_by_the_standard(convert, seventeen, place):
    good = identity(seventeen)
    wrong = [good[:place] + d + good[place + 1 :] for d in string.digits if d != good[place]]
    ok, *others = id_marks(convert, [good, *wrong])
    assert ok in ("ok", None)
    assert set(others) <= {"check_digit", None}


def test_whatever_stands_in_an_identity_number_is_no_crash(convert):
    assert id_marks(convert, ["E12345678", "41082119900101001Y", "护照", "1" * 300]) == ["check_digit"] * 4


def test_a_region_must_exist(convert):
    rows = convert(
        'region_code = { from = ["r"] }', {"r": ["410821", "410821000000", "990000", ""]}, table="lots"
    )
    assert [row["region_code_check"] for row in rows] == ["ok", "ok", "unknown", None]


def test_a_lot_belongs_to_its_tender_where_both_codes_are_national(convert):
    tender = "E4108210001000001001"
    lots = [tender + "001", "E9999990001000001001001", "2026-17", tender + "0011"]
    rows = convert(
        'lot_id = { from = ["lot"] }\ntender_id = { from = ["tender"] }',
        {"lot": lots, "tender": [tender] * 4},
        table="lots",
    )
    assert [row["lot_belongs_to_tender"] for row in rows] == [True, False, None, None]


# --- several codes in one field -----------------------------------------------------------------


def members(convert, column, texts):
    rows = convert(
        f'owner = {{ constant = "bidder" }}\npurpose = {{ constant = "edit" }}\nbidder_name = {{ constant = "甲" }}\n'
        f'{column} = {{ from = ["x"] }}',
        {"x": texts},
        table="fingerprints",
    )
    assert not any(row["unread"] for row in rows)
    return [row[column] for row in rows]


def test_partners_of_a_joint_venture_stand_in_one_field(convert):
    texts = [f"{VALID};91410821MA400000X2", f"{VALID}；{VALID}", f"{VALID}、", f" {VALID} ，无", "无;/", ""]
    rows = convert('joint_venture_codes = { from = ["p"] }', {"p": texts})
    read = [row["joint_venture_codes"] for row in rows]
    assert read == [f"{VALID};91410821MA400000X2", f"{VALID};{VALID}", VALID, f"{VALID};", None, None]
    assert not any(row["unread"] for row in rows)


def test_two_computers_in_one_field_stay_two(convert):
    texts = [
        "AA-BB-CC-DD-EE-01;AA-BB-CC-DD-EE-02",
        "aa:bb:cc:dd:ee:01 aa:bb:cc:dd:ee:02",
        "AABBCCDDEE01，AABBCCDDEE02;",
    ]
    assert members(convert, "mac", texts) == [
        "AA-BB-CC-DD-EE-01;AA-BB-CC-DD-EE-02",
        "AA:BB:CC:DD:EE:01;AA:BB:CC:DD:EE:02",
        "AABBCCDDEE01;AABBCCDDEE02",
    ]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("mac", "00:00:00:00:00:00"),
        ("mac", "00-00-00-00-00-00;FF:FF:FF:FF:FF:FF"),
        ("mac", "0000.0000.0000"),
        ("mac", "无;无"),
        ("cpu_id", "To be filled by O.E.M."),
        ("cpu_id", "to be filled by o.e.m.;Default string"),
        ("disk_serial", "Default string"),
        ("memory_serial", "00000000"),
        ("dongle", "0"),
        ("dongle", "无"),
        ("dongle", "；"),
    ],
)
def test_what_stands_for_no_device_is_empty_and_can_never_match(convert, column, text):
    assert members(convert, column, text) == [None]


def test_an_empty_place_in_a_list_of_devices_stays_empty(convert):
    assert members(convert, "mac", "无;AABBCCDDEE02") == [";AABBCCDDEE02"]
    assert members(convert, "cpu_id", "BFEBFBFF000906EA;To be filled by O.E.M.;178BFBFF00870F10") == [
        "BFEBFBFF000906EA;;178BFBFF00870F10"
    ]


def test_a_blank_inside_a_serial_number_parts_nothing(convert):
    assert members(convert, "disk_serial", ["wd wcc4e 1", "WDWCC4E1"]) == ["WDWCC4E1", "WDWCC4E1"]


# --- times -------------------------------------------------------------------------------------


def times(convert, texts, formats=None, zone="Asia/Shanghai"):
    setting = f', formats = ["{formats}"]' if formats else ""
    rows = convert(f'submitted_at = {{ from = ["t"]{setting} }}', {"t": texts}, zone=zone)
    assert all((row["submitted_at"] is None) == (row["unread"] is not None) for row in rows)
    return [row["submitted_at"] for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        "20260315093000",
        "2026-03-15 09:30:00",
        "2026-03-15 09:30",
        "2026/03/15 09:30",
        "2026/3/15 9:30:00",
        "2026年3月15日 09:30",
        "2026年03月15日9时30分",
        "２０２６-03-15 09:30",
    ],
)
def test_a_time_in_shanghai_is_eight_hours_earlier_in_utc(convert, text):
    assert times(convert, text) == [utc(2026, 3, 15, 1, 30)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30 09:30:00",
        "20260230093000",
        "2026-13-01 09:30",
        "2026-03-15 24:00:00",
        "2026-03-15 09:60",
        "2026-03-15",
        "20260315",
        "2026年3月15日",
        "09:30",
        "0026-03-15 09:30:00",
        "1899-12-31 09:30:00",
        "2026031509300",
        "202603150930000",
        "infinity",
        "epoch",
        "now",
        "46096.4",
        "明天上午",
    ],
)
def test_a_time_that_is_not_one_is_refused(convert, text):
    assert times(convert, text) == [None]


def test_an_iso_time_keeps_its_own_offset_and_takes_the_senders_zone_only_without_one(convert):
    texts = [
        "2026-03-15T09:30:00+08:00",
        "2026-03-15T09:30:00+0200",
        "2026-03-15T09:30:00-03",
        "2026-03-15T09:30Z",
        "2026-03-15T09:30:00.123Z",
        "2026-03-15T09:30:00",
        "2026-03-15 09:30",
    ]
    assert times(convert, texts, "iso") == [
        utc(2026, 3, 15, 1, 30),
        utc(2026, 3, 15, 7, 30),
        utc(2026, 3, 15, 12, 30),
        utc(2026, 3, 15, 9, 30),
        utc(2026, 3, 15, 9, 30, 0, 123000),
        utc(2026, 3, 15, 1, 30),
        utc(2026, 3, 15, 1, 30),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-15",
        "2026-02-30T09:30:00Z",
        "0001-01-01T00:00:00Z",
        "infinity",
        "epoch",
        "20260315T093000Z",
        "2026-03-15T09:30:00 Asia/Tokyo",
        "2026-03-15T25:30:00Z",
    ],
)
def test_an_iso_time_that_is_not_one_is_refused(convert, text):
    assert times(convert, text, "iso") == [None]


def test_seconds_since_1970_are_utc(convert):
    assert times(convert, ["1773538200", "0", "-1"], "epoch") == [
        utc(2026, 3, 15, 1, 30),
        utc(1970, 1, 1),
        utc(1969, 12, 31, 23, 59, 59),
    ]
    assert (
        times(convert, ["1773538200000", "9223372036854775807", "9" * 30, "1.5e9", "12.7"], "epoch")
        == [None] * 5
    )


def dates(convert, texts, formats=None, zone="Asia/Shanghai", country="CN"):
    setting = f', formats = ["{formats}"]' if formats else ""
    rows = convert(
        f'winner_name = {{ constant = "甲" }}\nawarded_on = {{ from = ["t"]{setting} }}',
        {"t": texts},
        table="awards",
        zone=zone,
        country=country,
    )
    assert all((row["awarded_on"] is None) == (row["unread"] is not None) for row in rows)
    return [row["awarded_on"] for row in rows]


def test_a_date_is_the_senders_local_day(convert):
    texts = ["2026-03-15", "20260315", "2026/3/15", "2026年3月15日", "2026-03-15 23:59:59", "20260315235959"]
    assert dates(convert, texts) == [dt.date(2026, 3, 15)] * 6
    assert dates(convert, ["2026-02-30", "20260230", "2026111", "2026-3", "2026"]) == [None] * 5


def test_an_iso_date_does_not_move_with_the_time_zone(convert):
    west = {"formats": "iso", "zone": "America/Asuncion", "country": "PY"}
    assert dates(convert, "2026-03-15", **west) == [dt.date(2026, 3, 15)]
    assert dates(convert, "2026-03-15T22:00:00", **west) == [dt.date(2026, 3, 15)]
    assert dates(convert, "2026-03-15T01:00:00Z", **west) == [dt.date(2026, 3, 14)]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.datetimes(utc(1992, 1, 1), utc(2100, 1, 1)), min_size=1, max_size=40))
def test_every_time_comes_out_as_it_went_in(convert, moments):
    whole = [moment.replace(microsecond=0) for moment in moments]
    utc = [moment - dt.timedelta(hours=8) for moment in whole]
    assert times(convert, [f"{moment:%Y%m%d%H%M%S}" for moment in whole]) == utc
    assert times(convert, [moment.isoformat() for moment in whole], "iso") == utc


# --- words -------------------------------------------------------------------------------------


def test_a_word_that_the_dictionary_lacks_is_named(convert):
    setting = 'award_method = { from = ["评标办法"], values = { "最低价（一）" = "lowest_price" } }'
    rows = convert(setting, {"评标办法": ["最低价（一）", "最低价(一)", "抽签", "", "无"]}, table="lots")
    assert [row["award_method"] for row in rows] == ["lowest_price", "lowest_price", None, None, None]
    assert [row["unread"] for row in rows] == [None, None, f"award_method{FIELD}抽签", None, None]


def test_yes_and_no_in_the_words_that_senders_use(convert):
    texts = ["1", "是", "有", "true", "Y", "0", "否", "没有", "false", "N", "也许", "2"]
    rows = convert('is_valid = { from = ["x"] }', {"x": texts})
    assert [row["is_valid"] for row in rows] == [True] * 5 + [False] * 5 + [None] * 2
    assert [bool(row["unread"]) for row in rows] == [False] * 10 + [True] * 2


@pytest.mark.parametrize(
    "text", ["无", "/", "-", "—", "详见公告", "n/a", "NULL", "／", "－", " 暂无 ", "", None]
)
def test_a_placeholder_is_nothing(convert, text):
    (row,) = convert(
        'rejection_reason = { from = ["x"] }\nagent_phone = { from = ["y"] }\nprice = { from = ["z"], unit = 1 }',
        {"x": [text], "y": [text], "z": [text]},
    )
    assert (row["rejection_reason"], row["agent_phone"], row["price"], row["unread"]) == (
        None,
        None,
        None,
        None,
    )


def test_free_text_stays_as_it_was_written(convert):
    (row,) = convert('rejection_reason = { from = ["x"] }', {"x": "  （一）资质　不符；ABC "})
    assert row["rejection_reason"] == "（一）资质　不符；ABC"


def test_text_is_taken_out_by_a_pattern_or_joined_from_parts(convert):
    rows = convert(
        'bid_ref = { join = [["年"], ["号"]], with = "-", prefix = "BID-" }\n'
        """joint_venture_codes = { from = ["xml"], pattern = 'CODE="([^"]*)"' }""",
        {"年": "2026", "号": "007", "xml": '<a CODE="X1"/><a CODE="X2"/>'},
    )
    assert (rows[0]["bid_ref"], rows[0]["joint_venture_codes"]) == ("BID-2026-007", "X1;X2")


def test_of_several_columns_the_first_that_is_filled_counts(convert):
    rows = convert(
        'bid_ref = { first_filled = [["编号"], ["序号", "NO"]] }',
        {"编号": ["A1", "无", "", "/"], "NO": ["B1", "B2", "B3", "-"]},
    )
    assert [row["bid_ref"] for row in rows] == ["A1", "B2", "B3", ""]


def test_quotes_in_values_and_mappings_are_only_text(convert):
    (row,) = convert('bid_ref = { from = ["x"], prefix = "o\'x;" }', {"x": "'; DROP TABLE records; --"})
    assert row["bid_ref"] == "o'x;'; DROP TABLE records; --"


def test_a_control_character_is_refused_because_it_could_part_keys(convert):
    setting = 'lot_name = { from = ["n"] }\nplace_name = { from = ["p"] }'
    rows = convert(setting, {"n": ["a\x1fb", "a", "a\tb"], "p": ["c", "b\x1ec", "x\ny"]}, table="lots")
    assert [row["unread"] for row in rows] == [f"lot_name{FIELD}a\ufffdb", f"place_name{FIELD}b\ufffdc", None]
    assert rows[2]["lot_name"] == "a\tb"


def test_a_long_text_is_quoted_only_in_part_and_each_text_on_its_own(convert):
    (row,) = convert(
        'price = { from = ["x"], unit = 1 }\nrank = { from = ["y"] }', {"x": "9" * 500, "y": "first"}
    )
    entries = [entry.split(FIELD) for entry in row["unread"].split(ENTRY)]
    assert entries == [["price", "9" * 60], ["rank", "first"]]


# --- parties -----------------------------------------------------------------------------------


def test_a_party_is_its_code_else_its_compared_name(convert):
    names = ["甲 公司（河南）", "甲公司(河南)", "甲公司（河南）\u200b", "甲·公司(河南)"]
    rows = convert('bidder_name = { from = ["n"] }', {"n": names})
    assert {row["bidder"] for row in rows} == {"name:甲公司(河南)"}
    assert [row["bidder_name"] for row in rows][:2] == names[:2], "the name itself stays as written"
    (row,) = convert(
        'bidder_code = { from = ["c"] }\nbidder_name = { from = ["n"] }', {"c": VALID, "n": "甲"}
    )
    assert (row["bidder"], row["bidder_key"]) == (VALID, "甲")


@pytest.mark.parametrize("code", ["无", "000000000000000000", "00000000-0", "/"])
def test_a_placeholder_code_makes_no_party_that_many_firms_share(convert, code):
    rows = convert(
        'bidder_code = { from = ["c"] }\nbidder_name = { from = ["n"] }', {"c": [code] * 2, "n": ["甲", "乙"]}
    )
    assert [row["bidder"] for row in rows] == ["name:甲", "name:乙"]


def test_a_row_without_code_and_name_has_no_party(convert):
    (row,) = convert('bidder_code = { from = ["c"] }\nbidder_name = { from = ["n"] }', {"c": "无", "n": "/"})
    assert row["bidder"] is None


# --- tokens ------------------------------------------------------------------------------------


def stdlib_token(kind, text, key=KEY):
    return "h1:" + hmac.new(key, kind.encode() + b"\x1f" + text.encode(), hashlib.sha256).hexdigest()[:32]


def phone_tokens(convert, texts, key=KEY):
    return [row["agent_phone"] for row in convert('agent_phone = { from = ["p"] }', {"p": texts}, key=key)]


@pytest.mark.parametrize("key", [KEY, b"k", bytes(100)])
def test_a_token_is_the_hmac_of_the_standard_library(convert, key):
    assert phone_tokens(convert, "13812345678", key) == [stdlib_token("phone", "13812345678", key)]


def test_spellings_of_one_phone_have_one_token(convert):
    spellings = [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "+8613812345678",
        "+86 138 1234 5678",
        "008613812345678",
        "86-13812345678",
        "(+86)13812345678",
        "１３８１２３４５６７８",
        "＋８６13812345678",
        "1381234567\u200b8",
    ]
    assert set(phone_tokens(convert, spellings)) == {stdlib_token("phone", "13812345678")}


def test_another_phone_kind_or_key_has_another_token(convert):
    (row,) = convert(
        'agent_phone = { from = ["p"] }\noperator_id = { from = ["i"] }\nagent = { from = ["a"] }',
        {"p": "13812345678", "i": "13812345678", "a": "13812345678"},
    )
    others = phone_tokens(convert, ["13812345679", "8613812345"])
    tokens = {
        row["agent_phone"],
        row["operator_id"],
        row["agent"],
        *others,
        *phone_tokens(convert, "13812345678", b"k"),
    }
    assert len(tokens) == 6


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20),
        min_size=1,
        max_size=30,
    )
)
def test_tokens_are_equal_where_names_are_and_nowhere_else(convert, names):
    rows = convert('agent = { from = ["n"] }', {"n": names + names[::-1]})
    tokens = [row["agent"] for row in rows]
    assert tokens == tokens[::-1]
    assert all(token is None or (token.startswith("h1:") and len(token) == 35) for token in tokens)


@pytest.mark.parametrize(
    "text", ["无", "13800138000", "+86 138 0013 8000", "１３８００１３８０００", "00000000000", "/"]
)
def test_a_phone_that_stands_for_nothing_has_no_token(convert, text):
    (row,) = convert('agent_phone = { from = ["p"] }', {"p": text})
    assert (row["agent_phone"], row["unread"]) == (None, None)


def test_an_unreadable_personal_value_is_not_quoted(convert):
    (row,) = convert('agent_phone = { from = ["p"] }', {"p": "打张三电话"})
    assert row["unread"] == f"agent_phone{FIELD}"


def test_the_vault_gets_each_clear_text_once_with_its_token(convert):
    columns = 'agent = { from = ["a"] }\nagent_phone = { from = ["p"] }'
    convert(columns, {"a": ["张 三", "张三"], "p": ["13812345678", "+86 13812345678"]})
    clear = convert.clear_text().to_pylist()
    assert sorted((row["kind"], row["token"], row["text"]) for row in clear) == [
        ("person", stdlib_token("person", "张三"), "张三"),
        ("phone", stdlib_token("phone", "13812345678"), "13812345678"),
    ]


# --- files -------------------------------------------------------------------------------------


def test_a_missing_required_column_refuses_the_file_and_names_what_is_there(convert):
    with pytest.raises(FileRefused) as refused:
        convert('bidder_name = { from = ["投标人", "投标单位"], required = true }', {"投标企业": "甲"})
    assert refused.value.code == "MISSING_COLUMN"
    for words in (refused.value.reason, refused.value.reason_zh):
        assert "投标人" in words
        assert "投标单位" in words
        assert "投标企业" in words


def test_a_file_with_neither_code_nor_name_of_the_party_is_refused(convert):
    columns = 'bidder_code = { from = ["代码"] }\nbidder_name = { from = ["名称"] }'
    with pytest.raises(FileRefused) as refused:
        convert(columns, {"投标企业": "甲"})
    assert refused.value.code == "MISSING_COLUMN"
    assert "'代码' or '名称'" in refused.value.reason


def test_a_missing_optional_column_is_said(convert):
    convert('rank = { from = ["排名"] }', {"x": "1"})
    assert convert.plan.missing == ("rank",)


VERSIONED = 'version.updated_at = { from = ["at"] }\nversion.deleted = { from = ["d"], values = ["３"] }'


def test_a_record_says_its_version_and_whether_it_was_deleted(convert):
    rows = convert('rank = { from = ["r"] }', {"r": "1", "at": "20260315093000", "d": ["3"]}, rule=VERSIONED)
    assert (rows[0]["updated_at"], rows[0]["is_deleted"]) == (utc(2026, 3, 15, 1, 30), True)
    rows = convert('rank = { from = ["r"] }', {"r": "1", "at": "2026-02-30 09:30", "d": "1"}, rule=VERSIONED)
    assert (rows[0]["unread"], rows[0]["is_deleted"]) == (f"updated_at{FIELD}2026-02-30 09:30", False)
    rows = convert('rank = { from = ["r"] }', {"r": "1"})
    assert (rows[0]["updated_at"], rows[0]["is_deleted"], rows[0]["unread"]) == (None, False, None)


def test_a_file_without_the_version_time_that_the_mapping_promises_is_refused(convert):
    with pytest.raises(FileRefused) as refused:
        convert('rank = { from = ["r"] }', {"r": "1"}, rule=VERSIONED)
    assert (refused.value.code, "'at'" in refused.value.reason) == ("MISSING_COLUMN", True)


def test_equal_content_has_an_equal_hash_and_the_row_number_is_no_content(convert):
    rows = convert(
        'rank = { from = ["r"] }\nbid_ref = { from = ["b"] }', {"r": ["1", "1", "2"], "b": ["", "无", ""]}
    )
    assert rows[0]["row_hash"] == rows[1]["row_hash"] != rows[2]["row_hash"]
    assert len({row["record_key"] for row in rows}) == 1


def test_a_rule_makes_no_row_where_all_that_it_is_about_is_empty(convert):
    rows = convert(
        'owner = { constant = "bidder" }\npurpose = { constant = "edit" }\n'
        'mac = { from = ["mac"] }\ncpu_id = { from = ["cpu"] }',
        {"mac": ["无", "AABBCCDDEE01", ""], "cpu": ["/", "", "X1"]},
        table="fingerprints",
        rule='only_with = ["mac", "cpu_id"]',
    )
    assert [row["raw_row"] for row in rows] == [2, 3]


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("102万元", "1020000"),
        ("1,286.50 万元", "12865000"),
        ("5万", "50000"),
        ("1.5亿元", "150000000"),
        ("1040000（含税）", "1040000"),
        ("￥12万元（含税）", "120000"),
        ("人民币1000元整", "1000"),
    ],
)
def test_an_amount_may_state_its_own_unit(price, text, yuan):
    assert price(text) == Decimal(yuan)
    if "万" in text or "亿" in text:
        assert price(text, "unit = 10000") == Decimal(yuan), "the cell's own unit comes before the column's"


@pytest.mark.parametrize("text", ["1000元", "人民币1000元整"])
def test_yuan_in_a_column_of_ten_thousand_yuan_is_not_guessed(price, text):
    assert price(text, "unit = 10000") is None


@pytest.mark.parametrize(
    "text",
    [
        "2026年5月6日上午9时30分",
        "2026年5月6日9:30",
        "2026.05.06 09:30",
        "2026年 5月 6日 09时30分",
        "2026-05-06T09:30:00",
        "2026-05-06 09:30（北京时间）",
        "2026年5月6日（星期三）9:30",
        "2026年05月06日 09时30分00秒",
        "2026/5/6 9:30",
    ],
)
def test_a_time_is_read_as_centres_write_it(convert, text):
    (row,) = convert('submitted_at = { from = ["t"] }', {"t": text})
    assert row["submitted_at"] == utc(2026, 5, 6, 1, 30)


def test_the_afternoon_has_its_own_hours(convert):
    texts = ["2026年5月6日下午2时", "2026年5月6日14时", "2026-05-06 2:00 PM", "2026年5月6日下午14:00"]
    rows = convert('submitted_at = { from = ["t"] }', {"t": texts})
    assert {row["submitted_at"] for row in rows} == {utc(2026, 5, 6, 6)}


@pytest.mark.parametrize(
    "text", ["2026年5月6日", "2026-5-61:30", "5月6日9时30分", "2026年5月6日25时", "明日9时30分"]
)
def test_a_time_that_may_be_two_is_not_guessed(convert, text):
    (row,) = convert('submitted_at = { from = ["t"] }', {"t": text})
    assert row["submitted_at"] is None
    assert row["unread"]


# --- numbers and days as other countries and spreadsheets write them -----------------------------


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234.567,89", "1234567.89"),
        ("390,6", "390.6"),
        ("1.234", "1234"),
        ("５．０００，５", "5000.5"),
        ("1234567", "1234567"),
        ("1,234.56", None),
        ("1.23", None),
        ("0.5", None),
    ],
)
def test_a_decimal_comma_turns_point_and_comma_round(price, text, amount):
    assert price(text, 'unit = 1, decimal = ","') == (amount and Decimal(amount))


def test_a_decimal_comma_is_for_every_kind_of_number(convert):
    (row,) = convert(
        'discount_share = { from = ["下浮率"], unit = 0.01, decimal = "," }', {"下浮率": "7,25"}, table="lots"
    )
    assert row["discount_share"] == pytest.approx(0.0725)
    (row,) = convert('price_score = { from = ["得分"], decimal = "," }', {"得分": "93,5"}, table="scores")
    assert row["price_score"] == Decimal("93.5")
    (row,) = convert('rank = { from = ["r"], decimal = "," }', {"r": "12,0"})
    assert row["rank"] == 12


MAGNITUDES = (
    'unit_in_cell = { "Jt" = 1000000, "Mrd" = 1000000000, "rb" = 1000, "Mio." = 1000000 }, decimal = ","'
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("390,6 Jt", "390600000"),
        ("390,6JT", "390600000"),
        ("Rp 1.250 rb", "1250000"),
        ("1,5 Mrd", "1500000000"),
        ("12 Mio.", "12000000"),
        ("390,6", None),
        ("390,6 T", None),
        ("390,6 Jt 2", None),
        ("Jt", None),
        ("1,2,3 Jt", None),
    ],
)
def test_a_magnitude_is_read_only_if_the_mapping_knows_it(price, text, amount):
    assert price(text, MAGNITUDES + ', strip = ["Rp"]') == (amount and Decimal(amount))


def test_an_empty_magnitude_is_for_numbers_without_one(price):
    assert price(["5", "5 M", "5.5 m"], 'unit_in_cell = { "" = 1, "M" = 1000000 }') == [
        Decimal(5),
        Decimal(5_000_000),
        Decimal(5_500_000),
    ]
    assert price("0.1234567 M", 'unit_in_cell = { "M" = 1000000 }') == Decimal("123456.7")
    assert price("0.1234567", 'unit_in_cell = { "" = 1 }') is None, "more decimals than money has"
    assert price("0.1234567", 'unit_in_cell = { "" = 1 }, decimals = 2') == Decimal("0.12")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("46143.395833333336", utc(2026, 5, 1, 9, 30)),
        ("46143.3958333333", utc(2026, 5, 1, 9, 30)),
        ("61.5", utc(1900, 3, 1, 12)),
        ("59.5", utc(1900, 2, 28, 12)),
        ("60.5", None),
        ("46143", None),
        ("46143.0", None),
        ("-1.5", None),
        ("0.5", None),
        ("9999999.5", None),
    ],
)
def test_a_serial_number_is_a_time_of_the_sender(convert, text, moment):
    # Shanghai kept its own mean time in 1900.
    (row,) = convert('submitted_at = { from = ["t"], formats = ["serial"] }', {"t": text}, zone="UTC")
    assert row["submitted_at"] == moment
    assert bool(row["unread"]) == (moment is None)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1", dt.date(1900, 1, 1)),
        ("59", dt.date(1900, 2, 28)),
        ("60", None),
        ("61", dt.date(1900, 3, 1)),
        ("46143", dt.date(2026, 5, 1)),
        ("46143.99", dt.date(2026, 5, 1)),
        ("2026/5/1", dt.date(2026, 5, 1)),
        ("20260501", None),
    ],
)
def test_serial_days_and_written_ones_may_stand_in_one_column(convert, text, day):
    columns = (
        'winner_name = { constant = "甲" }\nawarded_on = { from = ["t"], formats = ["serial", "%Y/%m/%d"] }'
    )
    (row,) = convert(columns, {"t": text}, table="awards")
    assert row["awarded_on"] == day


def test_a_serial_day_is_enough_to_tell_the_newer_version(convert):
    rule = 'version.updated_at = { from = ["at"], formats = ["serial"] }'
    rows = convert('rank = { from = ["r"] }', {"r": ["1", "2"], "at": ["46143", "46143.5"]}, rule=rule)
    assert [row["updated_at"] for row in rows] == [utc(2026, 4, 30, 16), utc(2026, 5, 1, 4)]
