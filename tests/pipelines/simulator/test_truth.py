import csv
from collections import defaultdict

import pytest

from pipelines.simulator import truth

pytestmark = pytest.mark.trial

BIDS = ("TENDER_LIST", "ZJ_TENDER_LIST", "PURCHASE_TENDER_LIST")
CODE = "SELECT code FROM world.firms WHERE firm = {}"


@pytest.fixture
def rigged(world):
    """Ring 0 rigs lot 8 and gives up lot 14; lot 20 has innocent look-alikes."""
    world.execute(
        """
        INSERT INTO world.rings VALUES (0, 'cover', 2, 0, [4, 3, 5], 1, -1, DATE '2026-01-01', DATE '2026-12-31',
                                        ['edit_hardware', 'account']);
        INSERT INTO world.rigged VALUES (8, 0, 'cover', 2, 3, FALSE, 123456), (14, 0, 'cover', 2, 4, TRUE, 50);
        INSERT INTO world.links VALUES (8, 'edit_hardware', 0, [4, 3], FALSE, 'one computer'),
            (20, 'placeholders', -1, [0, 1, 2, 3], TRUE, 'fillers'),
            (20, 'agency_phone', -1, [1, 2], TRUE, 'typed by the agency');
        UPDATE world.bids SET ring = 0, role = CASE firm WHEN 3 THEN 'winner' ELSE 'cover' END
        WHERE lot = 8 AND firm IN (3, 4, 5);
        UPDATE world.bids SET partner = 9, code_form = 1 WHERE lot = 8 AND firm = 4;
        """
    )
    return world


@pytest.fixture
def told(rigged, deliver, tmp_path, nights):
    """The truth files of the rigged county as rows, and the records that were delivered."""

    class Told:
        records = deliver(rigged, nights)

        def __init__(self):
            truth.write_truth(rigged, tmp_path / "out")

        def rows(self, name):
            text = (tmp_path / "out" / "truth" / f"{name}.csv").read_bytes().decode("utf-8")
            assert not text.startswith("\ufeff")
            return list(csv.DictReader(text.splitlines()))

        def code(self, firm):
            return rigged.execute(CODE.format(firm)).fetchall()[0][0]

    return Told()


def lot_id(lot):
    return f"E4108210000000{lot:03d}001001"


def test_a_ring_is_listed_with_its_members_and_what_it_took(told):
    (ring,) = told.rows("rings")
    assert ring["members"] == ";".join(told.code(firm) for firm in (4, 3, 5))
    assert (ring["tactic"], ring["care"], ring["evidence"]) == ("cover", "2", "edit_hardware;account")
    assert (ring["lots_rigged"], ring["lots_forgone"], ring["price_given_up_cny"]) == ("1", "1", "1235.06")
    assert ring["buyer"]
    assert not ring["agency"]


def test_every_lot_is_listed_and_says_whether_it_was_rigged(told):
    lots = {row["lot_id"]: row for row in told.rows("lots")}
    assert len(lots) == 40
    rigged, forgone, honest = lots[lot_id(8)], lots[lot_id(14)], lots[lot_id(20)]
    assert (rigged["is_rigged"], rigged["is_forgone"], rigged["ring"]) == ("yes", "no", "0")
    assert rigged["designated"] == rigged["winner"] == told.code(3)
    assert (rigged["winner_price_cny"], rigged["winner_cost_cny"]) == ("900000.00", "850000.00")
    assert rigged["price_given_up_cny"] == "1234.56"
    assert (forgone["is_rigged"], forgone["is_forgone"]) == ("no", "yes")
    assert (honest["is_rigged"], honest["is_forgone"], honest["ring"]) == ("no", "no", "")
    assert honest["look_alikes"] == "agency_phone;placeholders"
    assert {row["bids"] for row in lots.values()} == {"4"}
    assert rigged["opening_at"] == "2026-05-09 09:00:00"


def test_every_bid_is_listed_with_its_role_and_how_it_was_written(told):
    bids = {(row["lot_id"], row["bidder_code"]): row for row in told.rows("bids")}
    assert len(bids) == 160
    cover = bids[lot_id(8), told.code(4)]
    assert (cover["ring"], cover["role"], cover["partner_code"]) == ("0", "cover", told.code(9))
    assert (cover["name_form"], cover["code_form"], cover["is_wrong_unit"]) == ("0", "1", "no")
    assert (cover["price_cny"], cover["is_winner"]) == ("912345.67", "no")
    honest = bids[lot_id(9), told.code(4)]
    assert (honest["ring"], honest["role"], honest["is_winner"]) == ("", "", "yes")


def test_sent_on_is_the_night_whose_files_hold_the_bid(told):
    found = defaultdict(set)
    for one in told.records:
        if one.tag in BIDS:
            lot = one.fields.get("BID_SECTION_CODE") or one.fields["PURCHASE_SECTION_CODE"]
            found[lot, one.key[-7:]].add(f"{one.night}")
    firm = {told.code(number): f"{number:07d}" for number in range(20)}
    nights = set()
    for row in told.rows("bids"):
        came = found[row["lot_id"], firm[row["bidder_code"]]]
        assert (min(came) if came else "") == row["sent_on"], row
        nights.add(row["sent_on"])
    assert "" in nights
    assert len(nights) > 10


def test_bids_of_an_opening_sheet_have_a_name_and_no_code(rigged, deliver, tmp_path, nights):
    rigged.execute("UPDATE world.lots SET channel = 'sheet' WHERE lot = 21")
    deliver(rigged, nights)
    truth.write_truth(rigged, tmp_path / "out")
    with (tmp_path / "out" / "truth" / "bids.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["lot_id"] == lot_id(21)]
    assert {(row["code_form"], row["sent_on"]) for row in rows} == {("3", "2026-05-22")}


def test_traces_and_look_alikes_are_listed_with_their_firms(told):
    rows = {row["what"]: row for row in told.rows("links")}
    assert rows["edit_hardware"] == {
        "lot_id": lot_id(8),
        "what": "edit_hardware",
        "parties": f"{told.code(4)};{told.code(3)}",
        "ring": "0",
        "innocent": "no",
        "note": "one computer",
    }
    assert (rows["placeholders"]["innocent"], rows["placeholders"]["ring"]) == ("yes", "")
    assert rows["placeholders"]["parties"].count(";") == 3


def test_every_dirty_record_stands_in_the_file_that_the_truth_names(told):
    there = {(one.file, one.tag, one.fields.get("BID_SECTION_CODE", "")) for one in told.records}
    there |= {(one.file, one.tag, one.fields.get("PURCHASE_SECTION_CODE", "")) for one in told.records}
    rows = told.rows("records")
    assert len(rows) > 15
    for row in rows:
        is_tender = row["section"] == "TENDER_PROJECT"
        assert (row["file"], row["section"], row["lot_id"]) in there or is_tender, row
    values = {row["what"]: row for row in rows}
    spoilt = [one for one in told.records if one.fields.get("BID_PRICE") == "12,3x"]
    assert [(one.file, one.fields["BID_SECTION_CODE"]) for one in spoilt] == [
        (values["price 12,3x"]["file"], values["price 12,3x"]["lot_id"])
    ]
    assert values["price 12,3x"]["fate"] == "completes"


def test_a_record_is_not_looked_for_in_the_file_of_the_next_night(world, deliver, tmp_path, nights):
    world.execute(
        "UPDATE world.lots SET is_by_rate = TRUE, opening_at = TIMESTAMP '2026-05-20 09:00:00' WHERE lot = 17"
    )
    records = deliver(world, nights)
    truth.write_truth(world, tmp_path / "out")
    with (tmp_path / "out" / "truth" / "records.csv").open(encoding="utf-8", newline="") as file:
        files = [row["file"] for row in csv.DictReader(file) if row["lot_id"] == lot_id(17)]
    assert files == ["TENDER_LIST_20260520_2.csv"]
    assert {
        one.file for one in records if one.tag == "TENDER_LIST" and lot_id(17) in one.fields.values()
    } == set(files)
