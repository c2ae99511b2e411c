import datetime as dt
import itertools
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import duck
from pipelines.snapshot import core, stage

pytestmark = pytest.mark.usefixtures("unchecked")

A, B = "91410821MA40000018", "91410821MA40000026"
LOTS = "lot,ceiling,opening,at\n"
BIDS = "lot,code,name,price,submitted,at\n"
OPENED = "2026-06-01 09:30"


@pytest.fixture
def opened(county):
    """Lots L1, L2, L3 were opened on 1 June 2026."""
    county.read(LOTS + "".join(f"L{i},1000000,{OPENED},20260501000000\n" for i in (1, 2, 3)), "lots_1.csv")
    return county


# --- versions ----------------------------------------------------------------------------------

VERSIONS = {
    "first": BIDS + f"L1,{A},甲,100,,20260301120000\nL2,{A},甲,1,,20260301120000\n",
    "corrected": BIDS + f"L1,{A},甲,90,,20260302120000\n",
    "the same again": "code,lot,name,price,submitted,at\n" + f"{A},L1,甲,90.00,,2026-03-02 12:00:00\n",
    "late": BIDS + f"L1,{A},甲,80,,20260301180000\n",
}


def test_the_newest_version_counts_whatever_came_first(opened):
    lots = list(opened.files.values())
    files = [opened.read(text) for text in VERSIONS.values()]
    for order in list(itertools.permutations(files))[::2]:
        night = opened.night(order=lots + list(order))
        assert night.rows("SELECT lot_id, price FROM stage.bids ORDER BY lot_id") == [
            ("L1", Decimal("90")),
            ("L2", Decimal("1")),
        ]


def test_every_order_of_arrival_gives_the_same_tables(opened):
    opened.read("lot,code,name,price,day,at\n" + f"L1,{A},甲,90,2026-06-03,20260603000000\n", "awards_1.csv")
    for text in VERSIONS.values():
        opened.read(text)
    files = list(opened.files.values())
    expected = opened.night().content()
    assert len(expected["stage.bids"]) == 2
    for order in (files[::-1], files[2:] + files[:2], [files[k] for k in (3, 0, 5, 2, 4, 1)]):
        assert opened.night(order=list(order)).content() == expected


def test_repeated_arrivals_change_nothing_but_the_account(opened):
    first = opened.read(VERSIONS["first"])
    before = opened.night().content(with_origin=False)
    again = opened.read(VERSIONS["first"])
    assert again is first, "the same bytes are the same file"
    other = opened.read(VERSIONS["first"] + "\n")
    night = opened.night()
    assert night.content(with_origin=False) == before
    assert night.account(first) == {"loaded": 2, "duplicate": 0, "conflict": 0, "held": 0}
    assert night.account(other) == {"loaded": 0, "duplicate": 2, "conflict": 0, "held": 0}


def test_of_two_equal_records_the_later_arrival_is_the_duplicate(opened):
    (first, second) = opened.read(VERSIONS["first"]), opened.read(VERSIONS["first"] + "\n")
    lots = next(iter(opened.files.values()))
    for order in ([lots, first, second], [lots, second, first]):
        night = opened.night(order=order)
        assert [night.account(one)["duplicate"] for one in order] == [0, 0, 2]


def test_the_same_record_twice_in_one_file_is_one_duplicate(opened):
    one = opened.read(BIDS + f"L1,{A},甲,100,,20260301120000\n" * 3)
    assert opened.night().account(one) == {"loaded": 1, "duplicate": 2, "conflict": 0, "held": 0}


def test_two_values_of_one_cell_at_one_time_are_a_conflict_of_that_cell(opened):
    one = opened.read(BIDS + f"L1,{A},甲,100,,20260301120000\nL2,{A},甲,5,,20260301120000\n")
    two = opened.read(BIDS + f"L1,{A},甲,999,,20260301120000\n")
    night = opened.night()
    assert night.rows("SELECT lot_id, bidder_name, price FROM core.bids ORDER BY 1") == [
        ("L1", "甲", None),
        ("L2", "甲", Decimal("5")),
    ]
    assert night.rows(
        "SELECT table_name, column_name, value, raw_sha FROM stage.conflicts ORDER BY value"
    ) == [
        ("bids", "price", "100.000000", one.raw_sha),
        ("bids", "price", "999.000000", two.raw_sha),
    ]
    assert night.account(one) == {"loaded": 2, "duplicate": 0, "conflict": 0, "held": 0}
    assert night.account(two) == {"loaded": 1, "duplicate": 0, "conflict": 0, "held": 0}


def test_records_of_one_time_complete_each_other(opened):
    opened.read(BIDS + f"L1,{A},甲,,,20260301120000\n")
    opened.read(BIDS + f"L1,{A},,100,20260228120000,20260301120000\n")
    opened.read(BIDS + f"L1,{A},甲,x,,20260301120000\n")
    night = opened.night()
    assert night.rows("SELECT bidder_name, price, submitted_at IS NULL FROM stage.bids") == [
        ("甲", Decimal("100"), False)
    ]
    assert night.rows("SELECT * FROM stage.conflicts") == []


def test_a_notice_and_an_opening_record_of_a_lot_complete_each_other(county):
    """Each file knows what the other does not; the later one wins where both do."""
    head = "lot,tender,ceiling,at\n"
    county.read(head + "L1,T1,500,20260301120000\nL2,T1,,20260301120000\n", "lots_1.csv")
    county.read("lot,bidders,at\nL1,4,\nL2,5,20260302120000\n", "public_1.csv")
    night = county.night()
    assert night.rows("SELECT lot_id, tender_id, ceiling_price, bidder_count FROM core.lots ORDER BY 1") == [
        ("L1", "T1", Decimal("500"), 4),
        ("L2", "T1", None, 5),
    ]
    county.read(head + "L1,T1,600,20260303120000\n", "lots_2.csv")
    assert county.night().rows("SELECT ceiling_price, bidder_count FROM core.lots WHERE lot_id = 'L1'") == [
        (Decimal("600"), 4)
    ]


def test_a_newer_version_ends_a_conflict(opened):
    one = opened.read(BIDS + f"L1,{A},甲,100,,20260301120000\nL1,{A},甲,999,,20260301120000\n")
    opened.read(BIDS + f"L1,{A},甲,500,,20260301120001\n")
    night = opened.night()
    assert night.values("SELECT price FROM stage.bids") == [Decimal("500")]
    assert night.account(one) == {"loaded": 2, "duplicate": 0, "conflict": 0, "held": 0}


CHANGES = "lot,code,name,price,change,at\n"


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_deleted_record_is_gone_and_comes_back_with_a_newer_version(opened, is_reversed):
    texts = [
        CHANGES + f"L1,{A},甲,100,1,20260301120000\nL2,{A},甲,7,1,20260301120000\n",
        CHANGES + f"L1,{A},甲,100,3,20260302120000\n",
    ]
    files = [opened.read(text) for text in (reversed(texts) if is_reversed else texts)]
    night = opened.night()
    assert night.values("SELECT lot_id FROM core.bids") == ["L2"]
    assert sum(night.account(one)["loaded"] for one in files) == 3, "nothing is erased from the account"
    opened.read(CHANGES + f"L1,{A},甲,110,2,20260303120000\n")
    assert opened.night().values("SELECT price FROM core.bids WHERE lot_id = 'L1'") == [Decimal("110")]


def test_deleted_and_changed_at_one_time_is_a_conflict(opened):
    one = opened.read(CHANGES + f"L1,{A},甲,100,3,20260301120000\nL1,{A},甲,100,1,20260301120000\n")
    night = opened.night()
    assert night.rows("SELECT * FROM stage.bids") == []
    assert night.account(one)["conflict"] == 2


def test_without_a_version_time_two_contents_are_a_conflict_and_equal_ones_are_not(opened):
    opened.mapping = opened.mapping.replace(
        'table = "bids"\nversion.updated_at = { from = ["at"] }', 'table = "bids"'
    )
    same = opened.read(BIDS + f"L1,{A},甲,100,,\n" * 2)
    other = opened.read(BIDS + f"L2,{A},甲,100,,\nL2,{A},甲,200,,\n")
    night = opened.night()
    assert night.rows("SELECT lot_id, price FROM stage.bids ORDER BY 1") == [
        ("L1", Decimal("100")),
        ("L2", None),
    ]
    assert (night.account(same)["duplicate"], night.account(other)["loaded"]) == (1, 2)


# --- accounting --------------------------------------------------------------------------------

GOOD = st.builds(
    "{},,甲公司{},{},,2026030{}120000".format,
    st.sampled_from(["L1", "L2"]),
    st.sampled_from("AB"),
    st.sampled_from(["100", "100.00", "200"]),
    st.integers(1, 3),
)
BROKEN = st.sampled_from(
    [
        "L1,,甲,x,,20260301120000",
        "L1,,甲",
        ",,甲,5,,20260301120000",
        "L1,,无,5,,20260301120000",
        "L1,,甲,0,,20260301120000",
        "L1,,甲,5,,",
        "L1,,甲,5,2026-02-30,20260301120000",
    ]
)
FILE = st.lists(GOOD | BROKEN, max_size=12).map(lambda lines: BIDS + "".join(line + "\n" for line in lines))


@pytest.fixture
def really_checked(monkeypatch):
    """Undo ``unchecked``: here refusals matter."""
    monkeypatch.undo()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(FILE, min_size=1, max_size=3))
def test_every_record_is_loaded_or_a_duplicate_or_refused(
    really_checked, make_county, tmp_path_factory, files
):
    county = make_county(tmp_path_factory.mktemp("county"))
    for text in files:
        county.read(text)
    night = county.night()
    for text, one in zip(dict.fromkeys(files), county.files.values(), strict=True):
        fates = night.account(one)
        assert one.report.records == text.count("\n") - 1
        refused = one.report.refused + fates["conflict"]
        assert one.report.records == fates["loaded"] + fates["duplicate"] + refused
        assert fates["held"] <= fates["loaded"]
        assert len({row["raw_row"] for row in one.refused}) == one.report.refused
    current = night.values("SELECT count(*) FROM stage.bids")[0]
    assert current <= 4, "two lots, two bidders"


def test_a_record_of_two_tables_is_one_record_in_the_account(opened):
    opened.mapping += (
        '\n[[record]]\nsection = "bids"\ntable = "awards"\n[record.columns]\nlot_id = { from = ["lot"] }\n'
        'winner_name = { from = ["name"] }\n'
    )
    one = opened.read(BIDS + "L1,,甲,100,,20260301120000\nL1,,乙,100,,20260301120000\n")
    assert opened.night().account(one) == {"loaded": 2, "duplicate": 0, "conflict": 0, "held": 0}


# --- held back ---------------------------------------------------------------------------------

NIGHT, NEXT = "2026-06-30 16:00:00", "2026-07-01 16:00:00"  # midnight in Shanghai, as UTC
SECRET_BID = BIDS + f"L9,{A},甲,100,,20260301120000\n"


def nothing_of(night, *words):
    """No table of the night, not even of the stage, has these words."""
    tables = night.rows("SELECT table_schema || '.' || table_name FROM information_schema.tables")
    for (table,) in tables:
        text = str(night.rows(f"SELECT * FROM {table}"))
        assert not [word for word in words if word in text], table
    return True


OPENINGS = {
    "last second": "2026-06-30 23:59:59",
    "at the cutoff": "2026-07-01 00:00:00",
    "tomorrow": "2026-07-01 09:30",
    "later": "2026-07-02 00:00",
    "no time": "",
}


def test_who_takes_part_is_not_known_before_the_opening(county):
    lots = county.read(
        LOTS + "".join(f"{lot},1000,{at},20260501000000\n" for lot, at in OPENINGS.items()), "lots_1.csv"
    )
    bids = county.read(BIDS + "".join(f"{lot},,{lot} 公司,100,,20260301120000\n" for lot in OPENINGS))
    traces = county.read(
        "lot,name,purpose,mac\n" + "".join(f"{lot},{lot} 公司,edit,MAC {lot}\n" for lot in OPENINGS),
        "traces_1.csv",
    )
    night, later = county.night(NIGHT), county.night(NEXT)
    for table in ("bids", "fingerprints"):
        shown = f"SELECT DISTINCT lot_id FROM core.{table} ORDER BY 1"
        assert night.values(shown) == ["last second"]
        assert later.values(shown) == ["at the cutoff", "last second", "tomorrow"]
    for one in (bids, traces):
        assert night.account(one) == {"loaded": 5, "duplicate": 0, "conflict": 0, "held": 4}
        assert later.account(one)["held"] == 2
    assert night.account(lots)["held"] == 0
    assert len(night.rows("SELECT * FROM core.lots")) == 5, "that there is a lot is public"
    hidden = [
        name
        for lot in OPENINGS
        if lot != "last second"
        for name in (f"{lot} 公司", f"{lot}公司".replace(" ", ""))
    ]
    assert nothing_of(night, *hidden, *map(str.upper, hidden), "MACTOMORROW", "MACNOTIME")


def test_a_secret_bid_is_not_even_in_the_bytes_of_the_published_file(county, tmp_path):
    county.read(LOTS + "L9,1000,2026-07-15 09:30,20260501000000\n", "lots_1.csv")
    secret = county.read(BIDS + "".join(f"L9,,秘密公司{i},{i + 1},,20260301120000\n" for i in range(500)))
    path = tmp_path / "published.duckdb"
    con = duck.connect(path)
    stage.load(con, {"bids": [secret.folder / "bids.parquet"]}, [stage.Arrival(secret.raw_sha, 1)], NIGHT)
    core.build(con)
    con.close()
    assert "秘密公司".encode() not in path.read_bytes()


def test_a_bid_for_an_unknown_lot_is_held_back(county):
    one = county.read(SECRET_BID)
    night = county.night(NIGHT)
    assert night.account(one)["held"] == 1
    assert nothing_of(night, A, "甲")


def test_superseded_conflicting_and_deleted_bids_of_a_secret_lot_stay_secret_too(county):
    county.read(LOTS + "L9,1000,2026-07-15 09:30,20260501000000\n", "lots_1.csv")
    county.read(BIDS + f"L9,{A},甲,100,,20260301120000\nL9,{A},甲,90,,20260302120000\n")
    county.read(BIDS + f"L9,{B},乙,100,,20260301120000\nL9,{B},乙,90,,20260301120000\n")
    county.read(CHANGES + "L9,,丙公司,100,3,20260301120000\n")
    assert nothing_of(county.night(NIGHT), A, B, "甲", "乙", "丙")


def test_a_clarification_moves_the_opening_and_the_latest_counts(county):
    county.read(LOTS + "L9,1000,2026-06-20 09:30,20260501000000\n", "lots_1.csv")
    county.read(SECRET_BID)
    assert len(county.night(NIGHT).rows("SELECT * FROM core.bids")) == 1
    county.read("lot,opening,at\nL9,2026-07-15 09:30,20260610000000\n", "documents_1.csv")
    assert county.night(NIGHT).rows("SELECT * FROM core.bids") == []
    county.read("lot,opening,at\nL9,2026-06-25 09:30,20260612000000\n", "documents_2.csv")
    county.read("lot,opening,at\nL9,2026-07-20 09:30,20260611000000\n", "documents_3.csv")
    night = county.night(NIGHT)
    assert len(night.rows("SELECT * FROM core.bids")) == 1
    assert night.values("SELECT opened_on FROM core.lots") == [dt.date(2026, 6, 25)]


def test_what_a_sender_has_published_is_not_held_back(county):
    county.mapping = county.mapping.replace('section = "stem"', 'section = "stem"\npublished = true')
    one = county.read(SECRET_BID)
    night = county.night(NIGHT)
    assert night.account(one)["held"] == 0
    assert len(night.rows("SELECT * FROM core.bids")) == 1


def test_a_bid_that_another_sender_has_published_is_no_secret_any_more(county):
    one = county.read(SECRET_BID)
    county.mapping = county.mapping.replace('section = "stem"', 'section = "stem"\npublished = true')
    two = county.read(SECRET_BID + "\n")
    for order in ([one, two], [two, one]):
        night = county.night(NIGHT, order=order)
        assert len(night.rows("SELECT * FROM core.bids")) == 1
        assert [night.account(each)["held"] for each in order] == [0, 0]
        assert [night.account(each)["duplicate"] for each in order] == [0, 1]


def test_experts_are_secret_until_the_result_not_only_until_the_opening(opened):
    one = opened.read("lot,expert\nL1,评标专家\n", "experts_1.csv")
    assert opened.night(NIGHT).account(one)["held"] == 1
    assert opened.night(NIGHT).rows("SELECT * FROM core.experts") == []
    award = "lot,code,name,price,day,at\n" + f"L1,{A},甲,90,{{}},20260603000000\n"
    opened.read(award.format("2026-07-01"), "awards_1.csv")
    assert opened.night(NIGHT).rows("SELECT * FROM core.experts") == []
    assert len(opened.night(NEXT).rows("SELECT * FROM core.experts")) == 1


# --- core --------------------------------------------------------------------------------------


def test_members_of_a_joint_venture_stand_beside_the_bidder(opened):
    opened.read("lot,code,name,price,partners,at\n" + f"L1,{A},甲,100,{A};{B},20260301120000\n")
    assert opened.night().rows("SELECT party_id, is_joint_venture_member FROM core.bid_members") == [
        (A, False),
        (B, True),
    ]


def test_a_renamed_firm_is_one_party_with_two_names(opened):
    opened.read(
        BIDS
        + f"L1,{A},甲公司,100,,20260301120000\nL2,{A},甲集团,100,,20260301120000\n"
        + f"L3,{A},甲集团,100,,20260301120000\n"
    )
    night = opened.night()
    assert night.rows("SELECT party_id, party_code, name FROM core.parties") == [(A, A, "甲集团")]
    assert night.values("SELECT name FROM core.party_names ORDER BY name") == ["甲公司", "甲集团"]


def test_a_name_without_a_code_is_linked_to_the_only_code_of_that_name(opened):
    opened.read(BIDS + f"L1,{A},甲公司（河南）,100,,20260301120000\nL2,,甲 公司(河南),100,,20260301120000\n")
    night = opened.night()
    assert night.rows("SELECT lot_id, bidder_id FROM core.bids ORDER BY lot_id") == [("L1", A), ("L2", A)]


def test_a_name_with_two_codes_is_linked_to_neither(opened):
    opened.read(
        BIDS
        + f"L1,{A},甲公司,100,,20260301120000\nL1,{B},甲公司,101,,20260301120000\n"
        + "L2,,甲公司,100,,20260301120000\n"
    )
    assert opened.night().values("SELECT bidder_id FROM core.bids WHERE lot_id = 'L2'") == ["name:甲公司"]


def test_two_firms_are_never_one_because_both_left_the_code_empty(opened):
    opened.read(BIDS + "L1,无,甲公司,100,,20260301120000\nL1,/,乙公司,100,,20260301120000\n")
    assert opened.night().values("SELECT bidder_id FROM core.bids ORDER BY 1") == [
        "name:乙公司",
        "name:甲公司",
    ]


def test_the_last_lance_of_a_bidder_is_its_bid(opened):
    opened.read(
        "lot,code,name,ref,price,submitted,at\n"
        + "".join(
            f"L1,{A},甲,{ref},{price},{at},20260301120000\n"
            for ref, price, at in [
                (1, 100, "2026-06-01 09:00"),
                (2, 80, "2026-06-01 09:20"),
                (3, 90, "2026-06-01 09:10"),
            ]
        )
    )
    assert opened.night().rows("SELECT price, lances FROM core.bids") == [(Decimal("80"), 3)]


def test_a_rate_is_never_a_price(opened):
    opened.read(
        "lot,code,name,price,form,at\n" + f"L1,{A},甲,8.5,2,20260301120000\nL1,{B},乙,100,1,20260301120000\n"
    )
    assert opened.night().rows(
        "SELECT price_form, price, price_cny, is_valid FROM core.bids ORDER BY bidder_id"
    ) == [
        ("rate", None, None, False),
        ("amount", Decimal("100"), Decimal("100"), True),
    ]


BY_FORM = """
[[record]]
section = "results"
table = "{table}"
[record.columns]
lot_id = {{ from = ["lot"] }}
{party}_name = {{ from = ["name"] }}
price = {{ from = ["price"], unit = 1 }}
currency = {{ constant = "CNY" }}
price_form = {{ from = ["form"], values = {{ "1" = "amount", "2" = "rate", "3" = "unit_price" }} }}
"""


@pytest.mark.parametrize(("table", "party"), [("awards", "winner"), ("candidates", "candidate")])
def test_a_rate_or_unit_price_of_a_result_is_never_a_price(opened, table, party):
    opened.mapping += BY_FORM.format(table=table, party=party)
    opened.read("lot,name,price,form\nL1,甲,8.5,2\nL1,乙,100,1\nL1,丙,77,\nL1,丁,3,3\n", "results_1.csv")
    found = opened.night().rows(f"SELECT {party}_name, price, price_form FROM core.{table}")
    assert sorted(found) == [
        ("丁", None, "unit_price"),
        ("丙", Decimal("77"), "amount"),
        ("乙", Decimal("100"), "amount"),
        ("甲", None, "rate"),
    ]


def test_the_awards_to_one_winner_have_no_sum_when_one_of_them_is_a_rate(county):
    county.mapping += BY_FORM.format(table="awards", party="winner") + 'award_ref = { from = ["no"] }\n'
    county.read("lot,name,no,price,form\nL1,甲,1,100,1\nL1,甲,2,8.5,2\n", "results_1.csv")
    assert county.night().rows("SELECT price, price_cny FROM core.awards") == [(None, None)]


def test_devices_in_one_field_are_taken_apart_and_virtual_adapters_are_marked(opened):
    opened.read(
        "lot,name,purpose,file,mac,cpu\nL1,甲,edit,f1,AA-BB-CC-DD-EE-01;00-1B-21-00-00-02,C1;C2\n"
        "L1,乙,edit,f2,6A:A3:55:00:00:01,\nL1,丙,edit,f3,00:00:00:00:00:00,C9\n",
        "traces_1.csv",
    )
    assert opened.night().rows(
        "SELECT bidder_id, mac, mac_is_local, cpu_id FROM core.fingerprints ORDER BY file_ref, cpu_id"
    ) == [
        ("name:甲", "AABBCCDDEE01", True, "C1"),
        ("name:甲", "001B21000002", False, "C2"),
        ("name:乙", "6AA355000001", True, None),
        ("name:丙", None, False, "C9"),
    ]


def test_bidders_who_left_phone_and_device_empty_share_nothing(opened):
    opened.read(
        "lot,name,price,agent,phone,at\n"
        + "".join(
            f"L1,{name},100,{person},{phone},20260301120000\n"
            for name, person, phone in [
                ("甲", "无", "无"),
                ("乙", "无", "13800138000"),
                ("丙", "/", "138-0013-8000"),
            ]
        )
    )
    opened.read(
        "lot,name,purpose,mac,cpu,disk,dongle\n"
        "L1,甲,edit,00:00:00:00:00:00,To be filled by O.E.M.,Default string,无\n"
        "L1,乙,edit,00-00-00-00-00-00;FF:FF:FF:FF:FF:FF,To be filled by O.E.M.;Default string,0,0\n"
        "L1,丙,edit,无,-,无,00000000\n",
        "traces_1.csv",
    )
    night = opened.night()
    assert night.values("SELECT bidder_id FROM core.bids ORDER BY 1") == ["name:丙", "name:乙", "name:甲"]
    assert night.rows("SELECT person, person_id, phone FROM core.people") == []
    shared = "SELECT DISTINCT mac, cpu_id, disk_serial, dongle FROM core.fingerprints"
    assert night.rows(shared) == [(None, None, None, None)]


def test_a_second_tender_of_a_lot_keeps_its_number(county):
    county.read(
        "lot,tender,times,opening,at\n" + "".join(f"L{i},T1,{i},{OPENED},20260501000000\n" for i in (1, 2)),
        "lots_1.csv",
    )
    assert county.night().rows("SELECT lot_id, tender_id, re_tender_no FROM core.lots ORDER BY 1") == [
        ("L1", "T1", 1),
        ("L2", "T1", 2),
    ]


def test_the_account_of_a_guarantee_is_marked_as_the_guarantors(opened):
    opened.read(
        "lot,name,form,account\nL1,甲,保函,6222000011112222\nL1,乙,转账,6222000011112222\n", "deposits_1.csv"
    )
    rows = opened.night().rows("SELECT bidder_id, is_guarantee, account FROM core.deposits ORDER BY 1")
    assert [row[:2] for row in rows] == [("name:乙", False), ("name:甲", True)]
    assert rows[0][2] == rows[1][2]
    assert rows[0][2].startswith("h1:")


def test_a_lot_known_only_from_its_bids_says_so(county):
    county.mapping = county.mapping.replace('section = "stem"', 'section = "stem"\npublished = true')
    county.read(SECRET_BID)
    assert county.night().rows("SELECT lot_id, has_section, ceiling_price FROM core.lots") == [
        ("L9", False, None)
    ]


def test_a_night_without_any_file_has_empty_tables(county):
    assert not any(county.night().content().values())


def test_how_many_take_part_is_shown_only_by_senders_of_what_is_public(county):
    county.read("lot,bidders,at\nL1,7,20260501000000\n", "counted_1.csv")
    county.read("lot,bidders,at\nL2,9,20260501000000\n", "public_1.csv")
    night = county.night(NIGHT)
    assert night.rows("SELECT lot_id, bidder_count FROM core.lots ORDER BY lot_id") == [
        ("L1", None),
        ("L2", 9),
    ]
