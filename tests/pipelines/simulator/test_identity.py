import csv
import ipaddress
import unicodedata
from datetime import datetime

import duckdb
import pytest
from defusedxml import ElementTree
from places import REPO

from pipelines.values import codes

IDENTITY = (REPO / "pipelines" / "simulator" / "identity.sql").read_text(encoding="utf-8")
PLACEHOLDERS = REPO / "data" / "reference" / "placeholders.csv"
REGIONS = REPO / "data" / "reference" / "regions.csv"

USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100, without I, O, S, V, Z
NUMBERS_TO_2_32 = (
    "SELECT unnest([0, 1, 255, 256, 65535, 65536, 16777216, 2147483647, 2147483648, 4294967295])"
)
PEOPLE = "SELECT unnest(range(0, 16464000, 53)) UNION ALL SELECT unnest(range(900000000, 900010000))"
LAST_PEOPLE = "SELECT unnest([16463999, 900000000, 900335999])"


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"python_enable_replacements": False}) as con:
        con.execute(IDENTITY)
        yield con


def one(con, expression):
    return con.execute(f"SELECT {expression}").fetchall()[0][0]


def texts(con, expression, numbers):
    """The texts of an expression over n, for every n that the query gives."""
    return [row[0] for row in con.execute(f"SELECT {expression} FROM ({numbers}) AS numbers(n)").fetchall()]


def stands_for_nothing(kind):
    with PLACEHOLDERS.open(encoding="utf-8") as file:
        return {row["value"].upper() for row in csv.DictReader(file) if row["kind"] in (kind, "any")}


def organisation_check(body):
    values = [int(letter, 36) for letter in body]
    rest = 11 - sum(a * b for a, b in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def credit_check(body):
    total = sum(USCC.index(letter) * 3**place for place, letter in enumerate(body))
    return USCC[-total % 31]


def id_check(body):
    return "10X98765432"[sum(int(digit) * 2 ** (17 - i) for i, digit in enumerate(body)) % 11]


# --- firms


def test_both_check_characters_of_a_credit_code_fit(con):
    found = texts(con, "credit_code('91', '410821', n)", "SELECT unnest(range(0, 887503681, 887503))")
    for code in found:
        assert code.startswith("91410821YL")
        assert set(code) <= set(USCC)
        assert code[16] == organisation_check(code[8:16])
        assert code[17] == credit_check(code[:17])


def test_the_night_finds_nothing_wrong_with_a_credit_code(con):
    marks = texts(con, codes.party_mark("credit_code('12', '110000', n)"), "SELECT unnest(range(2000))")
    assert set(marks) == {"ok"}


def test_no_two_firms_have_one_code(con):
    numbers = "SELECT unnest(range(50000)) UNION ALL SELECT unnest(range(887453681, 887503681))"
    found = texts(con, "credit_code('91', '410821', n)", numbers)
    assert len(set(found)) == len(found) == 100_000


def test_the_organisation_code_is_the_part_inside_the_credit_code(con):
    for n in (0, 30, 31, 12345, 887503680):
        assert one(con, f"credit_code('91', '410821', {n})")[8:17] == one(con, f"organisation_code({n})")


def test_old_registration_numbers_have_fifteen_digits_and_no_region(con):
    found = texts(con, "old_registration_number(n)", "SELECT unnest([0, 7, 999999999])")
    assert found == ["999999000000000", "999999000000007", "999999999999999"]
    assert "999999" not in REGIONS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("form", "written"),
    [(0, "样例(修武)云程有限公司"), (2, "样例旧名有限公司"), (3, "样例(修武)云程有限公司第一分公司")],
)
def test_a_name_is_written_in_its_form(con, form, written):
    assert one(con, f"written_name('样例(修武)云程有限公司', '样例旧名有限公司', {form})") == written


def test_full_width_brackets_and_blanks_leave_the_name_the_same(con):
    written = one(con, "written_name('样例(修武)云程有限公司', NULL, 1)")
    assert "（" in written
    assert written != written.strip()
    assert "".join(unicodedata.normalize("NFKC", written).split()) == "样例(修武)云程有限公司"


def test_a_firm_that_was_never_renamed_has_no_former_name_to_write(con):
    assert one(con, "written_name('样例云程有限公司', NULL, 2)") == "样例云程有限公司"


def test_a_code_is_written_in_its_form(con):
    written = texts(con, "written_code('credit', 'organisation', 'old', n)", "SELECT unnest(range(4))")
    assert written == ["credit", "organisation", "old", None]


# --- people


def test_document_numbers_have_their_check_digit_and_nobody_alive(con):
    for number in texts(con, "person_id(n)", "SELECT unnest(range(0, 16464000, 9973))"):
        assert number[:6] == "999999"
        assert datetime.strptime(number[6:14], "%Y%m%d").year in range(1850, 1900)  # noqa: DTZ007
        assert number[17] == id_check(number[:17])


def test_the_night_finds_nothing_wrong_with_a_document_number(con):
    assert set(texts(con, codes.id_mark("person_id(n)"), f"{PEOPLE} LIMIT 5000")) == {"ok"}


@pytest.mark.parametrize("text", ["person_id(n)", "phone(person_phone_number(n))"])
def test_no_two_people_share_a_document_number_or_a_phone(con, text):
    found = texts(con, text, f"{PEOPLE} UNION ({LAST_PEOPLE})")
    assert len(set(found)) == len(found) > 320_000


def test_people_share_names_by_chance_only(con):
    found = texts(con, "person_name(n)", "SELECT unnest(range(36000))")
    assert all(name.startswith("样例") and len(name) == 4 for name in found)
    named_alike = [found.count(name) for name in sorted(set(found))[:100]]
    assert len(set(found)) > 3500
    assert max(named_alike) < 30  # ten on average


def test_people_with_neighbouring_numbers_share_a_name_no_more_often_than_others(con):
    for distance in (1, 2, 14, 60, 3600):
        same = f"person_name(n) = person_name(n + {distance})"
        assert sum(texts(con, same, "SELECT unnest(range(36000))")) < 30  # ten on average


def test_planted_namesakes_share_nothing_but_the_name(con):
    numbers = "SELECT unnest(range(900000000, 900010000))"
    assert set(texts(con, "person_name(n)", numbers)) == {"样例同名"}
    assert "样例同名" not in texts(con, "person_name(n)", "SELECT unnest(range(36000))")


def test_phones_have_eleven_digits_that_begin_with_12(con):
    numbers = f"{PEOPLE} UNION ({LAST_PEOPLE})"
    people = set(texts(con, "phone(person_phone_number(n))", numbers))
    agencies = set(texts(con, "phone(agency_phone_number(n))", "SELECT unnest(range(100000))"))
    assert all(len(phone) == 11 and phone.isdigit() and phone.startswith("12") for phone in people | agencies)
    assert not people & agencies
    assert not (people | agencies) & stands_for_nothing("phone")


# --- computers


def test_a_mac_belongs_to_one_computer_and_is_administered_by_a_maker(con):
    numbers = f"{NUMBERS_TO_2_32} UNION SELECT unnest(range(0, 4294967296, 429499))"
    found = texts(con, "mac(n)", numbers)
    assert len(set(found)) == len(found) > 10_000
    for mac in found:
        octets = [int(octet, 16) for octet in mac.split("-")]
        assert len(octets) == 6
        assert octets[:2] == [0xD0, 0x00]
        assert octets[0] & 0b11 == 0  # neither administered locally nor a group


def test_a_disk_belongs_to_one_computer(con):
    numbers = f"{NUMBERS_TO_2_32} UNION SELECT unnest(range(0, 4294967296, 429499))"
    found = texts(con, "disk(n)", numbers)
    assert len(set(found)) == len(found) > 10_000


def test_twelve_models_of_processor_serve_all_computers(con):
    found = texts(con, "cpu(n)", "SELECT unnest(range(1200))")
    assert {found.count(model) for model in set(found)} == {100}
    assert len(set(found)) == 12


@pytest.mark.parametrize("computer", [0, 999, 4321, 2**31])
def test_a_virtual_adapter_hides_the_mac_of_a_computer_and_nothing_else(con, computer):
    assert one(con, f"mac({-1000 - computer})") == "6A-A3-55-00-00-01"
    assert one(con, f"disk({-1000 - computer})") == one(con, f"disk({computer})")
    assert one(con, f"cpu({-1000 - computer})") == one(con, f"cpu({computer})")


def test_the_virtual_adapter_is_administered_locally(con):
    assert int(one(con, "mac(-1000)")[:2], 16) & 0b10


def test_no_address_belongs_to_anybody(con):
    ordinary = texts(con, "ip(n)", "SELECT unnest(range(0, 1000000, 7)) UNION SELECT 999999999")
    shared = texts(con, "ip(n)", "SELECT unnest(range(1000000000, 1010000000, 97))")
    assert not any(ipaddress.ip_address(address).is_global for address in {*ordinary, *shared})
    assert not set(ordinary) & set(shared)
    assert all(ipaddress.ip_address(a) in ipaddress.ip_network("100.64.0.0/10") for a in set(shared))


def test_131072_addresses_in_a_row_differ(con):
    found = texts(con, "ip(n)", "SELECT unnest(range(500000, 631072))")
    assert len(set(found)) == 131072


def test_software_writes_dongle_and_computer_as_one_element(con):
    entry = ElementTree.fromstring(one(con, "machine_xml(4321, 17)"))
    assert entry.tag == "R"
    assert entry.attrib == {
        "JMSXLH": one(con, "dongle(17)"),
        "WKDZ": one(con, "mac(4321)"),
        "CPUXLH": one(con, "cpu(4321)"),
        "YPXLH": one(con, "disk(4321)"),
    }


def test_a_missing_dongle_or_computer_is_not_written(con):
    assert "JMSXLH" not in ElementTree.fromstring(one(con, "machine_xml(4321, -1)")).attrib
    assert one(con, "machine_xml(-1, 17)") == ""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("dongle(n)", "range(20000)"),
        ("dongle(n)", "[99999999, 100000000, 2147483648]"),
        ("account(n)", "range(20000)"),
        ("account(n)", "[0, 1, 10, 100, 1000, 999999999999]"),
        ("file_code(n)", "[0, 9, 10, 99, 9999999999999, 10000000000000]"),
        ("file_md5(n, 1)", "range(20000)"),
        ("file_md5(1, n)", "range(20000)"),
    ],
)
def test_dongles_accounts_and_files_are_all_different(con, text, count):
    found = texts(con, text, f"SELECT unnest({count})")
    assert len(set(found)) == len(found)


def test_lot_11_firm_1_and_lot_1_firm_11_have_different_files(con):
    assert one(con, "file_md5(11, 1)") != one(con, "file_md5(1, 11)")


def test_account_numbers_have_16_to_19_digits_and_are_never_that_of_the_insurer(con):
    numbers = "SELECT unnest([0, 1, 2, 3, 888877776665, 888877776666, 888877776667, 88887777666])"
    found = texts(con, "account(n)", numbers)
    assert all(number.isdigit() and number.startswith("9999") for number in found)
    assert {len(number) for number in found} == {16, 17, 18, 19}
    assert one(con, "account(-2)") not in found


# --- nothing, fillers, and numbers that mean nothing


@pytest.mark.parametrize(
    "macro",
    ["person_name", "person_id", "phone", "mac", "cpu", "disk", "ip", "dongle", "account", "file_code"],
)
def test_minus_one_is_nothing(con, macro):
    assert one(con, f"{macro}(-1)") is None


def test_without_a_number_there_is_no_phone(con):
    assert one(con, "phone(person_phone_number(-1))") is None


@pytest.mark.parametrize(
    ("filler", "kind"),
    [
        ("phone(-2)", "phone"),
        ("mac(-2)", "mac"),
        ("cpu(-2)", "cpu"),
        ("disk(-2)", "disk"),
        ("ip(-2)", "ip"),
        ("dongle(-2)", "disk"),
        ("account(-3)", "account"),
    ],
)
def test_fillers_are_known_to_stand_for_nothing(con, filler, kind):
    assert one(con, filler).upper() in stands_for_nothing(kind)


@pytest.mark.parametrize(
    "text",
    [
        "credit_code('91', '410821', -1)",
        "organisation_code(887503681)",
        "old_registration_number(1000000000)",
        "person_name(16464000)",
        "person_id(16464000)",
        "person_id(900336000)",
        "person_phone_number(-2)",
        "phone(1000000000)",
        "mac(-3)",
        "mac(4294967296)",
        "cpu(-999)",
        "disk(4294967296)",
        "machine_xml(-999, 1)",
        "ip(-3)",
        "dongle(-3)",
        "account(1000000000000)",
        "account(-4)",
        "file_code(-2)",
    ],
)
def test_a_number_without_meaning_is_an_error(con, text):
    with pytest.raises(duckdb.Error, match=r"computer|person|number|phone|address|dongle|account|file"):
        one(con, text)


# --- the same on every machine


@pytest.mark.parametrize(
    "text",
    [
        "person_name(n)",
        "person_id(n)",
        "mac(n)",
        "disk(n)",
        "ip(n)",
        "phone(n)",
        "account(n)",
        "organisation_code(n)",
    ],
)
def test_a_number_has_one_text_whatever_its_type(con, text):
    numbers = "SELECT CAST(unnest([0, 1, 16463999]) AS {})"
    assert texts(con, text, numbers.format("INTEGER")) == texts(con, text, numbers.format("BIGINT"))


def test_texts_stay_as_they_were(con):
    assert one(con, "credit_code('91', '410821', 100)") == "91410821YL0000370F"
    assert texts(con, "person_name(n)", "SELECT unnest(range(3))") == ["样例云程", "样例宝勤", "样例溪鹏"]
    assert one(con, "person_id(1)") == "999999188011239718"
    assert one(con, "machine_xml(4321, 17)") == (
        '<R JMSXLH="YL00000017" WKDZ="D0-00-00-00-10-E1" CPUXLH="BFEBFBFF00040652" YPXLH="YLD000010E1"/>'
    )


def test_every_cursor_has_the_macros(con):
    assert one(con.cursor(), "phone(0)") == "12000000000"
