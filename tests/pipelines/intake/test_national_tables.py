import datetime as dt
from decimal import Decimal

import pytest

from pipelines.intake import mapping

FIRM, OTHER, HOLDER = "91410821YL012HL49M", "91410821YL012HLC4E", "91410821YL012HNL0M"
#: In the form of an identity number, with the check digit of a credit code: it is nobody's number.
PERSON = "410821199003070020"
AT = "20260603090000"
NIGHT = "2026-06-30 16:00:00"  # midnight in Shanghai, as UTC

HEADERS = {
    "ZJ_EVALUATION_RESULT": "BID_SECTION_CODE,BIDDER_NAME,BIDDER_ORG_CODE,PRICE_SCORE,OTHER_SCORE,TOTAL_SCORE,RANK,"
    "IS_VETO,VETO_REASON_DETAIL",
    "BID_OPEN_DETAIL": "BID_SECTION_CODE,ROLL_BALL_LIST,VALUE_RESULT,BENCHMARK_PRICE",
    "LEGAL_RELATION_INFO": "LEGAL_CODE,LEGAL_NAME,HOLDER_CODE,HOLDER_NAME,RELATION,SHARE,START_DATE,END_DATE",
    "SUBCONTRACT_INFO": "BID_SECTION_CODE,CONTRACTOR_NAME,CONTRACTOR_CODE,SUBCONTRACTOR_NAME,SUBCONTRACTOR_CODE,"
    "SUBCONTRACT_PRICE,PRICE_UNIT,PRICE_CURRENCY,SIGN_TIME",
    "BHXX_CONTRACT_MEMBER": "BID_SECTION_CODE,CONTRACTOR_NAME,CONTRACTOR_CODE,POSITION,NAME,ID_CARD_NO",
    "PAYMENT_INFO": "BID_SECTION_CODE,PAYMENT_CODE,PAYEE_NAME,PAYEE_CODE,PAY_AMOUNT,PRICE_UNIT,PRICE_CURRENCY,PAY_TIME",
    "SOCIAL_INSURANCE_INFO": "LEGAL_NAME,LEGAL_CODE,ID_CARD_NO,INSURED_START,INSURED_END",
    "TENDER_EVALUATION": "BID_SECTION_CODE,EXPERT_NAME,ID_CARD,BIDDER_NAME,BIDDER_ORG_CODE,EXPERT_SCORE",
    "BIDDER_QUALIFICATION": "BID_SECTION_CODE,BIDDER_NAME,BIDDER_ORG_CODE,CERTIFICATE_NO,QUALIFICATION_TYPE,"
    "QUALIFICATION_LEVEL",
    "BIDDER_PERFORMANCE": "BID_SECTION_CODE,BIDDER_NAME,BIDDER_ORG_CODE,PERFORMANCE_NO,PROJECT_NAME,"
    "CLAIMED_SECTION_CODE,CONTRACT_PRICE,PRICE_UNIT,PRICE_CURRENCY,CONTRACT_SIGN_TIME",
    "TENDERER_EX_INFO": "LEGAL_NAME,LEGAL_CODE,CERTIFICATE_NO,QUALIFICATION_TYPE,QUALIFICATION_LEVEL,VALID_START,VALID_END",
    "BHXX_CONSTRUCT_ALTER": "BID_SECTION_CODE,ALTER_CODE,ALTER_ITEM,UNIT,QUANTITY_BEFORE,QUANTITY_AFTER,AMOUNT_BEFORE,"
    "AMOUNT_AFTER,PRICE_UNIT,PRICE_CURRENCY,APPROVE_TIME",
    "BHXX_COMPLETE_ACCEPT": "BID_SECTION_CODE,ACCEPT_TIME,SETTLE_PRICE,PRICE_UNIT,PRICE_CURRENCY",
    "LETTER_OF_GUARANTEE": "BID_SECTION_CODE,BIDDER_NAME,BIDDER_ORG_CODE,GUARANTEE_NO,INSURER,PAYER_ACCOUNT",
    "TENDER_ABNORMITY_REPORT": "BID_SECTION_CODE,EXCEPITON_TYPE,EXCEPITON_REASON",
    "BID_PRICED_ITEM": "BID_SECTION_CODE,BIDDER_NAME,BIDDER_ORG_CODE,ITEM_CODE,UNIT,UNIT_PRICE,IS_PUBLISHED_PRICE",
    "LEGAL_PERSON_BASE": "LEGAL_CODE,LEGAL_NAME,LEGAL_REPRESENT,REPRESENT_ID,REPRESENT_PHONE,REGISTER_DATE",
}


@pytest.fixture
def national(county):
    """A county that delivers the national records; lot L1 was opened, lot L9 is not yet."""
    county.mapping = (mapping.BUILT_IN / "national.toml").read_text(encoding="utf-8")
    county.read(
        "BID_SECTION_CODE,BID_OPEN_TIME,DATA_TIMESTAMP\n"
        "L1,20260601093000,20260501000000\nL9,20260715093000,20260501000000\n",
        "TENDER_FILE_CLARI_MODI_1.csv",
    )
    return county


def deliver(county, tag, *rows, at=AT, header=None, change="1"):
    header = header or HEADERS[tag.removeprefix("SL_")]
    lines = [f"{header},DATA_TIMESTAMP,TITLE/DATA_TYPE", *(f"{row},{at},{change}" for row in rows)]
    return county.read("\n".join(lines) + "\n", f"{tag}_{len(county.files)}.csv")


GOOD = {
    "ZJ_EVALUATION_RESULT": ("scores", f"L1,甲公司,{FIRM},40,50,90,1,0,"),
    "BID_OPEN_DETAIL": ("opening_draws", "L1,,K=0.9,900000"),
    "BID_PRICED_ITEM": ("priced_items", f"L1,甲公司,{FIRM},010101001001,m3,45.67,0"),
    "TENDER_ABNORMITY_REPORT": ("failures", "L1,1,有效投标不足三家"),
    "LEGAL_RELATION_INFO": ("relations", f"{FIRM},甲公司,{HOLDER},丙集团,2,60,20200101,"),
    "SUBCONTRACT_INFO": ("subcontracts", f"L1,甲公司,{FIRM},乙公司,{OTHER},9000,0,156,20260610"),
    "BHXX_CONTRACT_MEMBER": ("contract_members", f"L1,甲公司,{FIRM},项目负责人,张三,{PERSON}"),
    "PAYMENT_INFO": ("payments", f"L1,P-1,甲公司,{FIRM},9000,0,156,20260610"),
    "SOCIAL_INSURANCE_INFO": ("insured_people", f"甲公司,{FIRM},{PERSON},20250101,"),
    "BIDDER_QUALIFICATION": ("stated_certificates", f"L1,甲公司,{FIRM},D141000001,建筑工程施工总承包,二级"),
    "BIDDER_PERFORMANCE": ("claimed_works", f"L1,甲公司,{FIRM},1,中学教学楼,L0,950,1,156,20240310"),
    "TENDERER_EX_INFO": (
        "qualifications",
        f"甲公司,{FIRM},D141000001,建筑工程施工总承包,三级,20220101,20261231",
    ),
    "BHXX_CONSTRUCT_ALTER": ("changes", "L1,B-1,土方开挖,m3,1000,2600,50000,130000,0,156,20260910"),
    "BHXX_COMPLETE_ACCEPT": ("acceptances", "L1,20270301,1050000,0,156"),
}


@pytest.mark.parametrize("tag", GOOD)
def test_a_deleted_record_is_gone_and_a_newer_one_brings_it_back(national, tag):
    table, row = GOOD[tag]
    for at, change, expected in [("20260602", "1", 1), ("20260603", "3", 0), ("20260604", "2", 1)]:
        deliver(national, tag, row, at=f"{at}120000", change=change)
        assert len(national.night(NIGHT).rows(f"SELECT * FROM core.{table}")) == expected


# --- evaluation ----------------------------------------------------------------------------------


def test_scores_of_a_bid_reach_core_in_points_with_rank_and_veto(national):
    deliver(
        national,
        "ZJ_EVALUATION_RESULT",
        f"L1,甲公司,{FIRM},38.5,51.25,89.75,1,0,",
        f"L1,乙公司,{OTHER},,,,/,1,未按要求盖章",
    )
    rows = national.night(NIGHT).rows(
        "SELECT lot_id, bidder_id, price_score, other_score, total_score, rank, is_vetoed, veto_reason FROM core.scores"
    )
    assert rows == [
        ("L1", FIRM, Decimal("38.5"), Decimal("51.25"), Decimal("89.75"), 1, False, None),
        ("L1", OTHER, None, None, None, None, True, "未按要求盖章"),
    ]


@pytest.mark.parametrize(
    ("numbers", "column", "code"),
    [
        ("-1,50,49,1", "price_score", "SCORE_NEGATIVE"),
        ("40,-0.5,39.5,1", "other_score", "SCORE_NEGATIVE"),
        ("40,50,-90,1", "total_score", "SCORE_NEGATIVE"),
        ("40,50,90,0", "rank", "RANK_NOT_POSITIVE"),
    ],
)
def test_a_score_that_cannot_be_is_refused_and_its_column_named(national, numbers, column, code):
    one = deliver(national, "ZJ_EVALUATION_RESULT", f"L1,甲公司,,{numbers},0,", "L1,乙公司,,0,0,0,1,0,")
    assert one.codes == [(2, column, code)]
    assert one.values("bidder", "scores") == ["name:乙公司"]


def test_a_score_that_cannot_be_read_is_empty_and_counted(national):
    one = deliver(national, "ZJ_EVALUATION_RESULT", "L1,甲公司,,四十,50,90,1,0,")
    assert one.values("price_score", "scores") == [None]
    assert one.report.sections[0].unread == {"scores.price_score": (1, "四十")}


def test_a_score_without_a_bidder_is_refused(national):
    one = deliver(national, "ZJ_EVALUATION_RESULT", "L1,/,无,40,50,90,1,0,")
    assert one.codes == [(2, "bidder", "MISSING_VALUE")]


# --- draws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["BID_OPEN_DETAIL", "SL_BID_OPEN_DETAIL"])
def test_what_was_drawn_stays_as_delivered_beside_the_benchmark_in_yuan(national, tag):
    deliver(national, tag, "L1,３号球；7号球,K=0.88;C=0.45,1234567.89")
    assert national.night(NIGHT).rows(
        "SELECT lot_id, ball_list, drawn_values, benchmark_price, currency, benchmark_price_cny FROM core.opening_draws"
    ) == [("L1", "３号球；7号球", "K=0.88;C=0.45", Decimal("1234567.89"), "CNY", Decimal("1234567.89"))]


def test_a_benchmark_of_zero_is_none_and_counted(national):
    one = deliver(national, "BID_OPEN_DETAIL", "L1,,K=0.9,0", "L2,,K=0.9,/")
    assert one.values("benchmark_price", "opening_draws") == [None, None]
    assert one.report.sections[0].unread == {"opening_draws.benchmark_price": (1, "0")}


def test_a_later_correction_of_a_draw_counts(national):
    deliver(national, "BID_OPEN_DETAIL", "L1,,K=0.86,900000", at="20260601120000")
    deliver(national, "BID_OPEN_DETAIL", "L1,,K=0.88,910000", at="20260602120000")
    assert national.night(NIGHT).values("SELECT drawn_values FROM core.opening_draws") == ["K=0.88"]


# --- priced items --------------------------------------------------------------------------------


def test_priced_items_reach_core_with_their_leading_zeros_and_what_was_published(national):
    deliver(
        national,
        "BID_PRICED_ITEM",
        f"L1,甲公司,{FIRM},010101001001,m3,45.67,0",
        f"L1,甲公司,{FIRM},010101001002,t,3200,1",
        f"L1,甲公司,{FIRM},010101001003,,/,",
    )
    assert national.night(NIGHT).rows(
        "SELECT lot_id, bidder_id, item_code, unit, unit_price, is_published_price FROM core.priced_items"
    ) == [
        ("L1", FIRM, "010101001001", "m3", Decimal("45.67"), False),
        ("L1", FIRM, "010101001002", "t", Decimal("3200"), True),
        ("L1", FIRM, "010101001003", None, None, False),
    ]


def test_a_unit_price_below_zero_is_refused_and_zero_is_not(national):
    one = deliver(national, "BID_PRICED_ITEM", f"L1,甲公司,{FIRM},01,m3,-1,0", f"L1,甲公司,{FIRM},02,m3,0,0")
    assert one.codes == [(2, "unit_price", "UNIT_PRICE_NEGATIVE")]
    assert one.values("item_code", "priced_items") == ["02"]


def test_priced_items_of_a_lot_that_is_not_open_are_held_back(national):
    deliver(national, "BID_PRICED_ITEM", f"L9,甲公司,{FIRM},01,m3,1,0", f"L1,甲公司,{FIRM},01,m3,1,0")
    assert national.night(NIGHT).values("SELECT lot_id FROM core.priced_items") == ["L1"]


# --- abnormal reports ----------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["EXCEPITON", "EXCEPTION"])
def test_an_abnormal_report_says_what_became_of_the_lot_under_either_spelling(national, spelling):
    header = f"BID_SECTION_CODE,{spelling}_TYPE,{spelling}_REASON"
    reports = ("L1,1,有效投标不足三家", "L1,2,/", "L1,3,", "L1,9,其他情形")
    one = deliver(national, "TENDER_ABNORMITY_REPORT", *reports, "L1,4,不明", header=header)
    assert (6, "kind", "UNREADABLE_VALUE") in one.codes
    assert national.night(NIGHT).rows("SELECT lot_id, kind, reason FROM core.failures ORDER BY kind") == [
        ("L1", "failed", "有效投标不足三家"),
        ("L1", "other", "其他情形"),
        ("L1", "terminated", None),
        ("L1", "withdrawn", None),
    ]


def test_scores_draws_and_failures_of_an_unopened_lot_are_held_back(national):
    files = [
        deliver(national, "ZJ_EVALUATION_RESULT", f"L9,甲公司,{FIRM},40,50,90,1,0,"),
        deliver(national, "BID_OPEN_DETAIL", "L9,,K=0.9,900000"),
        deliver(national, "TENDER_ABNORMITY_REPORT", "L9,2,仅甲公司一家报名"),
    ]
    night, later = national.night(NIGHT), national.night("2026-07-15 16:00:00")
    assert [night.account(one)["held"] for one in files] == [1, 1, 1]
    for table in ("scores", "opening_draws", "failures"):
        assert night.rows(f"SELECT * FROM stage.{table}") == []
        assert later.values(f"SELECT lot_id FROM core.{table}") == ["L9"]
    assert night.rows("SELECT * FROM core.parties") == []


# --- relations -----------------------------------------------------------------------------------


def test_a_share_in_percent_becomes_a_part_of_one(national):
    deliver(
        national,
        "LEGAL_RELATION_INFO",
        f"{FIRM},甲公司,{HOLDER},丙集团,2,51,20200101,",
        f"{OTHER},乙公司,{HOLDER},丙集团,1,33.5%,20200101,20231231",
        f"{HOLDER},丙集团,{OTHER},乙公司,3,/,20240101,",
    )
    night = national.night(NIGHT)
    assert night.rows(
        "SELECT party_id, holder_id, kind, holder_share, starts_on, ends_on FROM core.relations ORDER BY party_id"
    ) == [
        (FIRM, HOLDER, "control", 0.51, dt.date(2020, 1, 1), None),
        (OTHER, HOLDER, "shareholding", pytest.approx(0.335), dt.date(2020, 1, 1), dt.date(2023, 12, 31)),
        (HOLDER, OTHER, "management", None, dt.date(2024, 1, 1), None),
    ]
    assert night.values("SELECT name FROM core.parties ORDER BY party_id") == ["甲公司", "乙公司", "丙集团"]


def test_a_share_that_changed_is_two_relations_though_delivered_at_once(national):
    one = deliver(
        national,
        "LEGAL_RELATION_INFO",
        f"{FIRM},甲公司,{HOLDER},丙集团,1,20,20200101,20231231",
        f"{FIRM},甲公司,{HOLDER},丙集团,1,40,20240101,",
    )
    night = national.night(NIGHT)
    assert night.account(one)["conflict"] == 0
    assert night.values("SELECT holder_share FROM core.relations ORDER BY starts_on") == [0.2, 0.4]


IMPOSSIBLE = {
    f"{HOLDER},丙集团,1,100.01,20200101,": ("holder_share", "SHARE_NOT_POSSIBLE"),
    f"{HOLDER},丙集团,1,-1,20200101,": ("holder_share", "SHARE_NOT_POSSIBLE"),
    f"{HOLDER},丙集团,4,10,20200101,": ("kind", "UNREADABLE_VALUE"),
    f"{HOLDER},丙集团,1,10,20200101,20191231": ("ends_after_start", "ENDS_BEFORE_START"),
    f"{HOLDER},丙集团,1,10,/,": ("starts_on", "MISSING_VALUE"),
    f"{FIRM},甲公司,2,100,20200101,": ("holder_is_another", "HOLDER_IS_PARTY"),
    "/,张三,1,10,20200101,": ("holder_code", "MISSING_VALUE"),
    f"{PERSON},张三,1,10,20200101,": ("holder_is_organisation", "HOLDER_IS_PERSON"),
}


@pytest.mark.parametrize("row", IMPOSSIBLE)
def test_a_relation_that_cannot_be_is_refused(national, row):
    whole = f"{OTHER},乙公司,{HOLDER},丙集团,1,100,20200101,"
    one = deliver(national, "LEGAL_RELATION_INFO", f"{FIRM},甲公司,{row}", whole)
    assert (2, *IMPOSSIBLE[row]) in one.codes
    assert {row for row, *_ in one.codes} == {2}
    assert one.values("party", "relations") == [OTHER]


def test_a_natural_person_never_becomes_an_organisation(national):
    one = deliver(
        national,
        "LEGAL_RELATION_INFO",
        f"{FIRM},甲公司,/,张三,1,10,20200101,",
        f"{FIRM},甲公司,{PERSON},张三,1,10,20200101,",
    )
    assert one.codes == [
        (2, "holder_code", "MISSING_VALUE"),
        (3, "holder_is_organisation", "HOLDER_IS_PERSON"),
    ]
    night = national.night(NIGHT)
    assert night.rows("SELECT * FROM core.parties") == night.rows("SELECT * FROM core.relations") == []


# --- after the contract --------------------------------------------------------------------------


def test_a_person_is_the_same_token_in_the_contract_and_in_the_insurance(national):
    deliver(national, "BHXX_CONTRACT_MEMBER", f"L1,甲公司,{FIRM},项目负责人,张三,{PERSON}")
    deliver(national, "SOCIAL_INSURANCE_INFO", f"乙公司,{OTHER},{PERSON},20250101,20261231")
    night = national.night(NIGHT)
    assert night.rows("SELECT lot_id, contractor_id, role FROM core.contract_members") == [
        ("L1", FIRM, "项目负责人")
    ]
    assert night.rows("SELECT party_id, starts_on, ends_on FROM core.insured_people") == [
        (OTHER, dt.date(2025, 1, 1), dt.date(2026, 12, 31))
    ]
    (token,) = night.values("SELECT person_id FROM core.contract_members")
    assert token != PERSON
    assert night.values("SELECT person_id FROM core.insured_people") == [token]


def test_an_insurance_that_ends_before_it_starts_is_refused(national):
    one = deliver(national, "SOCIAL_INSURANCE_INFO", f"甲公司,{FIRM},{PERSON},20250101,20241231")
    assert one.codes == [(2, "ends_after_start", "ENDS_BEFORE_START")]


def test_a_payment_names_its_payee_and_its_amount_in_yuan(national):
    deliver(
        national,
        "PAYMENT_INFO",
        f"L1,P-1,甲公司,{FIRM},12.5,1,156,20260610",
        f"L1,P-2,乙公司,{OTHER},9000,0,840,20260715",
    )
    assert national.night(NIGHT).rows(
        "SELECT payment_no, payee_id, amount, currency, amount_cny, paid_on FROM core.payments"
    ) == [
        ("P-1", FIRM, Decimal("125000"), "CNY", Decimal("125000"), dt.date(2026, 6, 10)),
        ("P-2", OTHER, Decimal("9000"), "USD", None, dt.date(2026, 7, 15)),
    ]


def test_a_payment_of_nothing_has_no_amount(national):
    one = deliver(national, "PAYMENT_INFO", f"L1,P-1,甲公司,{FIRM},0,0,156,20260610")
    assert one.values("amount", "payments") == [None]
    assert one.report.sections[0].unread == {"payments.amount": (1, "0 (0)")}


def test_a_change_of_a_contract_says_what_was_and_what_is_of_one_item(national):
    deliver(
        national,
        "BHXX_CONSTRUCT_ALTER",
        "L1,B-1,土方开挖,m3,1000.5,2600,5,13,1,156,20260910",
        "L1,B-2,/,,,,/,90000,0,156,/",
    )
    assert national.night(NIGHT).rows(
        "SELECT change_no, item, quantity_before, quantity_after, amount_before, amount_after, approved_on"
        " FROM core.changes"
    ) == [
        (
            "B-1",
            "土方开挖",
            Decimal("1000.5"),
            Decimal("2600"),
            Decimal("50000"),
            Decimal("130000"),
            dt.date(2026, 9, 10),
        ),
        ("B-2", None, None, None, None, Decimal("90000"), None),
    ]


def test_a_quantity_below_zero_is_refused(national):
    one = deliver(national, "BHXX_CONSTRUCT_ALTER", "L1,B-1,土方开挖,m3,1000,-1,,,0,156,20260910")
    assert one.codes == [(2, "quantity_after", "QUANTITY_NEGATIVE")]


def test_an_acceptance_brings_its_day_and_the_settled_price_in_yuan(national):
    deliver(national, "BHXX_COMPLETE_ACCEPT", "L1,20270301,105,1,156")
    assert national.night(NIGHT).rows("SELECT lot_id, accepted_on, settled_price FROM core.acceptances") == [
        ("L1", dt.date(2027, 3, 1), Decimal("1050000"))
    ]


# --- what a bid states of its bidder ---------------------------------------------------------------


def test_a_certificate_has_one_class_in_the_bid_and_in_the_register(national):
    deliver(national, "BIDDER_QUALIFICATION", f"L1,甲公司,{FIRM},D141000001,建筑工程施工总承包,贰级")
    deliver(
        national, "TENDERER_EX_INFO", f"乙公司,{OTHER},D141000001,建筑工程施工总承包,二级,20220101,20261231"
    )
    night = national.night(NIGHT)
    assert night.rows("SELECT bidder_id, certificate_no, class FROM core.stated_certificates") == [
        (FIRM, "D141000001", "class_2")
    ]
    assert night.rows(
        "SELECT party_id, certificate_no, class, valid_from, valid_to FROM core.qualifications"
    ) == [(OTHER, "D141000001", "class_2", dt.date(2022, 1, 1), dt.date(2026, 12, 31))]


def test_a_class_in_other_words_is_empty_rather_than_guessed(national):
    one = deliver(national, "BIDDER_QUALIFICATION", f"L1,甲公司,{FIRM},D141000001,,四级")
    assert one.values("class", "stated_certificates") == [None]
    assert one.report.sections[0].unread == {"stated_certificates.class": (1, "四级")}


def test_a_claimed_work_names_its_own_lot_and_its_price_in_yuan(national):
    one = deliver(
        national,
        "BIDDER_PERFORMANCE",
        f"L1,甲公司,{FIRM},1,中学教学楼,L0,950,1,156,20240310",
        f"L1,甲公司,{FIRM},2,省外厂房,,30000000,0,156,20230105",
        f"L1,甲公司,{FIRM},3,本项目,L1,1,0,156,20260601",
    )
    assert one.codes == [(4, "is_another_lot", "CLAIMS_ITS_OWN_LOT")]
    assert national.night(NIGHT).rows(
        "SELECT bidder_id, work_no, claimed_lot_id, price, signed_on FROM core.claimed_works"
    ) == [
        (FIRM, "1", "L0", Decimal("9500000"), dt.date(2024, 3, 10)),
        (FIRM, "2", None, Decimal("30000000"), dt.date(2023, 1, 5)),
    ]


def test_certificates_and_records_of_a_lot_that_is_not_open_are_held_back(national):
    deliver(national, "BIDDER_QUALIFICATION", f"L9,甲公司,{FIRM},D141000001,,二级")
    deliver(national, "BIDDER_PERFORMANCE", f"L9,甲公司,{FIRM},1,中学教学楼,L0,950,1,156,20240310")
    night, later = national.night(NIGHT), national.night("2026-07-15 16:00:00")
    for table in ("stated_certificates", "claimed_works"):
        assert night.rows(f"SELECT * FROM stage.{table}") == []
        assert later.values(f"SELECT lot_id FROM core.{table}") == ["L9"]


def test_what_an_expert_gave_is_held_back_until_the_result_and_names_nobody(national):
    deliver(national, "TENDER_EVALUATION", f"L1,张三,{PERSON},甲公司,{FIRM},43.5")
    assert national.night(NIGHT).rows("SELECT * FROM stage.expert_scores") == []
    national.read(
        f"BID_SECTION_CODE,WIN_BIDDER_CODE,WIN_BIDDER_NAME,NOTICE_SEND_TIME,DATA_TIMESTAMP\n"
        f"L1,{FIRM},甲公司,20260605,20260605090000\n",
        "WIN_RESULT_ANNO_1.csv",
    )
    night = national.night(NIGHT)
    ((lot, token, bidder, score),) = night.rows(
        "SELECT lot_id, expert_id, bidder_id, score FROM core.expert_scores"
    )
    assert (lot, bidder, score) == ("L1", FIRM, Decimal("43.5"))
    assert token.startswith("h1:") and PERSON not in str(night.content())


def test_the_account_that_paid_for_a_guarantee_is_a_token_beside_the_guarantor(national):
    deliver(
        national,
        "LETTER_OF_GUARANTEE",
        f"L1,甲公司,{FIRM},G-1,某保险公司,6222 0000 1111",
        f"L1,乙公司,{OTHER},G-2,某保险公司,622200001111",
    )
    rows = national.night(NIGHT).rows("SELECT is_guarantee, account, premium_account FROM core.deposits")
    assert [row[:2] for row in rows] == [(True, None), (True, None)]
    assert rows[0][2].startswith("h1:") and rows[0][2] == rows[1][2]


# --- subcontracts --------------------------------------------------------------------------------


def test_a_subcontract_names_both_firms_and_its_price_in_yuan(national):
    deliver(
        national,
        "SUBCONTRACT_INFO",
        f"L1,甲公司,{FIRM},乙公司,{OTHER},12.5,1,156,20260610120000",
        f"L1,甲公司,{FIRM},乙公司,{OTHER},9000,0,156,20260715",
        f"L1,甲公司,{FIRM},丙集团,{HOLDER},9000,0,840,20260715",
    )
    assert national.night(NIGHT).rows(
        "SELECT contractor_id, subcontractor_id, price, currency, price_cny, signed_on FROM core.subcontracts"
    ) == [
        (FIRM, OTHER, Decimal("125000"), "CNY", Decimal("125000"), dt.date(2026, 6, 10)),
        (FIRM, OTHER, Decimal("9000"), "CNY", Decimal("9000"), dt.date(2026, 7, 15)),
        (FIRM, HOLDER, Decimal("9000"), "USD", None, dt.date(2026, 7, 15)),
    ]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (f"甲公司,{FIRM},9000,0,156,20260610", "subcontractor_is_another", "SUBCONTRACTOR_IS_CONTRACTOR"),
        ("/,/,9000,0,156,20260610", "subcontractor", "MISSING_VALUE"),
        (f"乙公司,{OTHER},9000,0,156,/", "signed_on", "MISSING_VALUE"),
    ],
)
def test_a_subcontract_that_cannot_be_is_refused(national, row, column, code):
    good = f"L2,甲公司,{FIRM},乙公司,{OTHER},9000,0,156,20260610"
    one = deliver(national, "SUBCONTRACT_INFO", f"L1,甲公司,{FIRM},{row}", good)
    assert (2, column, code) in one.codes
    assert {row for row, *_ in one.codes} == {2}
    assert one.values("lot_id", "subcontracts") == ["L2"]


def test_firms_of_every_new_table_are_found_by_the_only_code_of_their_name(national):
    deliver(national, "LEGAL_PERSON_BASE", f"{FIRM},甲公司,,,,", f"{OTHER},乙公司,,,,")
    deliver(national, "ZJ_EVALUATION_RESULT", "L1,甲 公司,,40,50,90,1,0,")
    deliver(national, "SUBCONTRACT_INFO", "L1,甲公司,,乙公司,,9000,0,156,20260610")
    deliver(national, "LEGAL_RELATION_INFO", f",乙公司,{FIRM},甲公司,2,60,20200101,")
    night = national.night(NIGHT)
    assert night.values("SELECT bidder_id FROM core.scores") == [FIRM]
    assert night.rows("SELECT contractor_id, subcontractor_id FROM core.subcontracts") == [(FIRM, OTHER)]
    assert night.rows("SELECT party_id, holder_id FROM core.relations") == [(OTHER, FIRM)]
    assert night.values("SELECT party_id FROM core.parties ORDER BY party_id") == [FIRM, OTHER]


# --- the register of parties ---------------------------------------------------------------------


def test_the_register_gives_a_firm_its_head_as_tokens_and_its_first_day(national):
    deliver(
        national,
        "LEGAL_PERSON_BASE",
        f"{FIRM},甲公司,张三,{PERSON},13912345678,20240301",
        f"{OTHER},乙公司,张三,{PERSON},/,/",
    )
    night = national.night(NIGHT)
    rows = night.rows(
        "SELECT legal_representative, legal_representative_id, phone, registered_on FROM core.parties ORDER BY party_id"
    )
    assert all(token.startswith("h1:") for token in rows[0][:3])
    assert rows[0][:2] == rows[1][:2], "one head of two firms is found by the token"
    assert [row[3] for row in rows] == [dt.date(2024, 3, 1), None]
    assert PERSON not in str(night.content())


def test_an_e_mail_address_is_one_token_in_the_team_and_in_the_register_however_it_is_written(national):
    deliver(
        national,
        "BIDDER_PROJECT_MEMBER",
        f"L1,甲公司,{FIRM},技术负责人,张三,Office@Example.CN",
        header="BID_SECTION_CODE,BIDDER_NAME,BIDDER_ORG_CODE,POSITION,NAME,EMAIL",
    )
    deliver(
        national,
        "LEGAL_PERSON_BASE",
        f"{OTHER},乙公司,office@example.cn",
        header="LEGAL_CODE,LEGAL_NAME,EMAIL",
    )
    night = national.night(NIGHT)
    (token,) = night.values("SELECT email FROM core.people")
    assert token.startswith("h1:")
    assert night.values(f"SELECT email FROM core.parties WHERE party_id = '{OTHER}'") == [token]
    assert "example" not in str(night.content()).lower()


@pytest.mark.parametrize("tag", ["BLACK_LIST", "VIOLATING_LAWS_RULES_INFO"])
def test_a_finding_knows_the_region_of_the_office_that_made_it(national, tag):
    header = "BODY_CODE,BODY_NAME,BLACKLIST_CODE,DOCUMENT_CODE,GOVERNMENT,GOVERNMENT_REGION_CODE"
    deliver(national, tag, f"{FIRM},甲公司,B-1,D-1,某局,410821", header=header)
    assert national.night(NIGHT).values("SELECT issuer_region_code FROM core.penalties") == ["410821"]
