"""Files that went wrong once, each for a whole kind; the names, codes and numbers in them are invented.

``tests/cases`` holds them as they were delivered.
"""

import datetime as dt
import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
import sample_night
from typer.testing import CliRunner

from detectors.collusion import co_bidding
from pipelines.cli import app
from pipelines.intake import mapping
from pipelines.settings import Home
from pipelines.snapshot import screening

CASES = Path(__file__).parents[2] / "cases"


@pytest.fixture
def opening_sheets(make_county, tmp_path, unchecked):
    return make_county(tmp_path, (mapping.BUILT_IN / "opening_sheets.toml").read_text(encoding="utf-8"))


def read(county, name):
    path = CASES / name
    return county.read(path.read_bytes(), path.name)


def bids_by_lot(one):
    found = {}
    for row in one.rows():
        found.setdefault(row["lot_id"], []).append(row["price"])
    return found


@pytest.mark.parametrize(
    ("name", "bids"),
    [
        ("sheets/n1_two_lots.xlsx", {"N1-A": 4, "N1-B": 4}),
        ("sheets/n2_price_head.xlsx", {"N2-A": 4}),
        ("sheets/n4_merged.xlsx", {"N4-A": 4}),
        ("sheets/a1_dispimg.xlsx", {"H1-A": 4}),
        ("sheets/a5_two_level.xlsx", {"H1-A": 4}),
        ("sheets/a7_duration.xlsx", {"H1-A": 4}),
        ("csv/c1_title.csv", {"H1-C1": 4}),
        ("csv/c3_eq.csv", {"H1-C3": 4}),
        ("csv/c4b_trailing.csv", {"H1-C1": 4}),
    ],
)
def test_every_bid_is_read_with_its_price_into_its_own_lot(opening_sheets, name, bids):
    one = read(opening_sheets, name)
    assert one.report.state == "readable", one.report.reason
    assert {lot: len(prices) for lot, prices in bids_by_lot(one).items()} == bids
    assert all(price for prices in bids_by_lot(one).values() for price in prices)
    assert one.refused == []


def test_a_duration_in_words_costs_the_duration_only(opening_sheets):
    assert read(opening_sheets, "sheets/a7_duration.xlsx").values("duration_days") == [180, None, 90, None]


def test_the_second_lot_of_a_sheet_has_not_the_ceiling_of_the_first(opening_sheets):
    rows = read(opening_sheets, "sheets/n1_two_lots.xlsx").rows("lots")
    assert {(row["lot_id"], row["ceiling_price"]) for row in rows} == {
        ("N1-A", Decimal(1200000)),
        ("N1-B", None),
    }


def test_two_files_about_one_lot_complete_each_other(make_county, tmp_path, unchecked):
    folder = CASES / "detection" / "two_files_one_lot"
    county = make_county(tmp_path, mapping=(folder / "mapping.toml").read_text(encoding="utf-8"))
    files = [county.read((folder / name).read_bytes(), name) for name in ("notices.csv", "openings.csv")]
    night = county.night()
    assert night.rows("SELECT lot_id, award_method, bidder_count, opened_on FROM core.lots ORDER BY 1") == [
        ("L1", "lowest_price", 4, dt.date(2026, 1, 5)),
        ("L2", "lowest_price", 5, dt.date(2026, 1, 6)),
        ("L3", "lowest_price", 6, dt.date(2026, 1, 7)),
    ]
    assert [night.account(one)["loaded"] for one in files] == [3, 3]


@pytest.mark.parametrize("trade, judged", [("with_class", 2_365), ("without_class", 0)])
def test_pairs_of_two_honest_trades_are_told_apart_or_not_judged(
    make_county, tmp_path, unchecked, trade, judged
):
    folder = CASES / "detection" / "no_class"
    county = make_county(tmp_path, mapping=(folder / f"{trade}.toml").read_text(encoding="utf-8"))
    for name in ("lots.csv", "bids.csv"):
        county.read((folder / name).read_bytes(), name)
    night = county.night("2026-12-31 00:00:00")
    assert night.values("SELECT count(*) FROM core.bids") == [6_844]
    frame = co_bidding.screen(screening.measure(night.con), co_bidding.Limits())
    assert (len(frame), frame["flagged"].sum()) == (judged, 0)


def test_a_second_round_of_a_lot_has_its_own_bidders(opening_sheets):
    read(opening_sheets, "sheets/b2_round1.xlsx")
    read(opening_sheets, "sheets/b3_round2.xlsx")
    night = opening_sheets.night()
    assert night.rows("SELECT lot_id, re_tender_no, opened_on FROM core.lots ORDER BY 1") == [
        ("B2-A", 1, dt.date(2026, 5, 6)),
        ("B2-A#2", 2, dt.date(2026, 5, 28)),
    ]
    bidders = dict(
        night.rows("SELECT lot_id, list(bidder_name ORDER BY bidder_name) FROM core.bids GROUP BY 1")
    )
    assert bidders == {
        "B2-A": ["河州酉丙建设有限公司", "河州酉乙建设有限公司", "河州酉甲建设有限公司"],
        "B2-A#2": ["河州戌丁建设有限公司", "河州戌戊建设有限公司", "河州酉乙建设有限公司"],
    }
    assert night.rows("SELECT count(*) FROM stage.conflicts") == [(0,)]


def test_members_of_a_joint_venture_are_known_by_their_names(opening_sheets):
    read(opening_sheets, "sheets/s4_jv.xlsx")
    night = opening_sheets.night()
    members = "SELECT party_id FROM core.bid_members WHERE is_joint_venture_member ORDER BY 1"
    firms = ("甲建设", "乙设计院", "丙建设", "丁设计", "戊建设", "己设计")
    assert night.values(members) == sorted(f"name:河州{firm}有限公司" for firm in firms)
    twice = (
        "SELECT party_id FROM core.bid_members WHERE lot_id = 'S4-A' GROUP BY party_id"
        " HAVING count(DISTINCT bidder_id) > 1"
    )
    assert night.values(twice) == ["name:河州甲建设有限公司"], "it bids alone and inside a venture"


# ---- a ledger of results


LEDGER = """
title = "a ledger of results"
country = "CN"
time_zone = "Asia/Shanghai"

[[file]]
match = ["*.csv"]
format = "delimited"

[[record]]
table = "lots"
[record.columns]
lot_id = { from = ["标段编号"] }
buyer_name = { from = ["招标人名称"] }
ceiling_price = { from = ["最高投标限价(万元)"], unit_in_header = true }
currency = { constant = "CNY" }
opening_at = { from = ["开标开始时间"] }
bidder_count = { from = ["有效投标人数量"] }

[[record]]
table = "awards"
only_when = { "招标异常" = [""] }
[record.columns]
lot_id = { from = ["标段编号"] }
winner_name = { from = ["中标人"] }
price = { from = ["中标价格(元)"], unit_in_header = true }
currency = { constant = "CNY" }
"""


def test_a_ledger_with_units_in_its_headings_and_a_failed_lot_is_read_whole(make_county, tmp_path):
    county = make_county(tmp_path, LEDGER)
    one = read(county, "csv/ledger.csv")
    assert one.refused == []
    assert [(row["lot_id"], row["ceiling_price"]) for row in one.rows("lots")] == [
        ("L-001", Decimal(12_005_000)),
        ("L-002", Decimal(8_000_000)),
        ("L-003", Decimal(5_000_000)),
    ]
    assert [(row["lot_id"], row["price"]) for row in one.rows("awards")] == [
        ("L-001", Decimal("11234567.89")),
        ("L-002", Decimal(7_654_321)),
    ]


# ---- OCDS


@pytest.fixture
def ocds(make_county, tmp_path, unchecked):
    return make_county(tmp_path, (mapping.BUILT_IN / "ocds.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "query", "found"),
    [
        ("o1_cancelled.json", "SELECT bidder_name FROM core.bids WHERE is_winner", [("Beta Ltd",)]),
        ("o3_sentinel.json", "SELECT max(lots) FROM (SELECT count(DISTINCT lot_id) AS lots FROM core.bid_members"
         " WHERE party_id LIKE '%<NA>%' OR party_id LIKE '%NaN%' GROUP BY party_id)", [(None,)]),
        ("o4_merge.json", "SELECT lot_name, buyer_name, estimate_price::INT FROM core.lots WHERE lot_id LIKE '%L1'",
         [("Lot one", "Works Office", 50000)]),
        ("identifier32.jsonl", "SELECT count(DISTINCT bidder_id) FROM core.bids", [(1,)]),
        ("case.jsonl", "SELECT count(DISTINCT bidder_id) FROM core.bids", [(3,)]),
        ("twobids.jsonl", "SELECT DISTINCT price::INT FROM core.bids WHERE bidder_name = 'Firm A'", [(1200,)]),
        ("o6_jv.json", "SELECT bidder_id, party_id FROM core.bid_members WHERE lot_id LIKE '%JV1%' ORDER BY ALL",
         [("A1", "A1"), ("A1", "B2"), ("C1", "C1")]),
    ],
)  # fmt: skip
def test_what_countries_publish_is_read_as_it_is_meant(ocds, name, query, found):
    one = read(ocds, f"ocds/{name}")
    assert one.report.state == "readable", one.report.reason
    assert one.refused == []
    assert ocds.night().rows(query) == found


def test_releases_that_contradict_themselves_are_counted_by_kind(ocds):
    notes = [note for note in read(ocds, "ocds/pelican.jsonl").report.notes if "incoherent" in note]
    assert len(notes) == 15
    told = " ".join(notes)
    for said in (
        "before the deadline",
        "given up",
        "never bid",
        "its own contract",
        "twice its award",
        "before it starts",
    ):
        assert said in told, said


@pytest.mark.parametrize(
    "name",
    [
        "amount_ratio2.jsonl",
        "award_without_supplier.jsonl",
        "consortium17.jsonl",
        "date_0001_start.jsonl",
        "date_9999_end.jsonl",
        "lots14.jsonl",
        "pkg.json",
    ],
)
def test_no_value_stops_the_indicators(name):
    settings = CASES / "ocds" / "empty_sections.ini"
    done = CliRunner().invoke(app, ["indicators", str(CASES / "ocds" / name)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)
    with_settings = CliRunner().invoke(
        app, ["indicators", str(CASES / "ocds" / name), "--settings", str(settings)]
    )
    assert with_settings.exit_code == 0, with_settings.output


# ---- nights


def lay(home, source, name):
    folder = home.inbox / source
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(CASES / name, folder)


def test_a_night_of_an_earlier_day_takes_no_alert_and_no_grade_away(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BIDWATCH_KEY", raising=False)
    home = Home(tmp_path / "home").prepare()
    lay(home, "national", "csv/BIDDER_MARGIN_INFO_20260628.csv")
    lay(home, "opening_sheets", "sheets/b1_open0629.xlsx")
    done = sample_night.run(home, dt.date(2026, 6, 30), detectors=("contacts.deposit_account",))
    assert [(alert.lot_id, alert.grade) for alert in done.alerts] == [("B1-A", "A")]
    before = sample_night.state_of(home)
    with pytest.raises(ValueError, match="2026-06-30 is published already"):
        sample_night.run(home, dt.date(2026, 6, 28), detectors=("contacts.deposit_account",))
    assert sample_night.state_of(home) == before
