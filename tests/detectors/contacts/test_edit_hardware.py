import pytest

ID = "contacts.edit_hardware"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
FILES = """
    lot  bidder  purpose  mac           cpu_id  disk_serial
    L1   A       edit     001B21AABBCC  CPU-1   DISK-1
    L1   B       pricing  001B21AABBCC  CPU-1   DISK-1
    L1   C       edit     001B21DDEEFF  CPU-3   DISK-3
"""


def test_flags_the_same_three_codes_and_names_the_bidders(market):
    market.bids(BIDS).fingerprints(FILES)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_flags_processor_and_disk_where_neither_file_has_a_mac(market):
    assert market.bids(BIDS).fingerprints(FILES.replace("001B21AABBCC", "-")).judged(ID) == {"L1": True}


def test_flags_every_set_of_bidders_in_a_row_of_its_own(market):
    four = FILES.replace("001B21DDEEFF", "001B21AABB00").replace("-3", "-4")
    four += "L1 D edit 001B21AABB00 CPU-4 DISK-4"
    market.bids(BIDS).bids("lot bidder\nL1 D").fingerprints(four)
    assert market.flagged_together(ID) == [{"A", "B"}, {"C", "D"}]


@pytest.mark.parametrize(
    ("code", "other"), [("001B21AABBCC", "001B21AABBC0"), ("CPU-1", "CPU-2"), ("DISK-1", "DISK-2")]
)
def test_leaves_two_equal_codes_of_three_alone(market, code, other):
    files = FILES.replace(code, other, 1)
    assert market.bids(BIDS).fingerprints(files).judged(ID) == {"L1": False}


def test_leaves_hardware_of_the_buyers_own_file_alone(market):
    own = """
        lot  bidder  owner  purpose  mac           cpu_id  disk_serial
        L1   -       buyer  pricing  001B21AABBCC  CPU-1   DISK-1
    """
    files = FILES + "    L1 A edit 001B21000001 CPU-8 DISK-8\n    L1 B edit 001B21000002 CPU-9 DISK-9\n"
    assert market.bids(BIDS).fingerprints(files).fingerprints(own).judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").fingerprints(FILES)
    assert market.judged(ID) == {"L1": False}


def test_leaves_the_same_machine_in_different_lots_alone(market):
    files = FILES.replace("L1   B", "L2   B") + "    L2 C edit 001B21DDEEFF CPU-3 DISK-3\n"
    files += "    L1 C edit 001B21DDEEFF CPU-3 DISK-3\n"
    assert market.bids(BIDS).bids("lot bidder\nL2 B\nL2 C").fingerprints(files).judged(ID) == {
        "L1": False,
        "L2": False,
    }


def test_leaves_uploads_alone(market):
    uploads = FILES.replace("edit   ", "upload ").replace("pricing", "upload ")
    assert market.bids(BIDS).fingerprints(uploads).judged(ID) == {}


def test_leaves_codes_held_by_very_many_bidders_alone_and_counts_them(market):
    cloned = "lot bidder mac cpu_id disk_serial\n" + "\n".join(
        f"L{n} B{n} 001B21AABBCC CPU-1 DISK-1" for n in range(2, 51)
    )
    market.bids(BIDS).fingerprints(FILES).fingerprints(cloned)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert (row["flagged"], row["left_out"]) == (False, 1)


def test_a_locally_administered_mac_counts_as_absent(market):
    virtual = """
        lot  bidder  mac           mac_is_local  cpu_id  disk_serial
        L1   A       0A0027000001  true          CPU-1   DISK-1
        L1   B       0A0027000002  true          CPU-1   DISK-1
    """
    assert market.bids(BIDS).fingerprints(virtual).judged(ID) == {"L1": True}
    other_disk = virtual.replace(
        "000002  true          CPU-1   DISK-1", "000001  true          CPU-1   DISK-2"
    )
    assert "DISK-2" in other_disk
    market.con.execute("DELETE FROM core.fingerprints")
    assert market.fingerprints(other_disk).judged(ID) == {"L1": False}


def test_cannot_judge_files_without_processor_or_disk(market):
    assert (
        market.lots("lot\nL1")
        .bids(BIDS)
        .fingerprints(FILES.replace("CPU-1", "-").replace("CPU-3", "-"))
        .judged(ID)
        == {}
    )
    assert market.lacks(ID) == {"no processor and disk codes of bid files": 1}


def test_cannot_judge_one_bidders_file(market):
    assert market.lots("lot\nL1").bids(BIDS).fingerprints("\n".join(FILES.splitlines()[:3])).judged(ID) == {}
    assert market.lacks(ID) == {"only one bidder of the lot has them delivered": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).fingerprints(FILES)
    assert market.judged(ID, min_bidders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=2) == {"L1": True}
    assert market.judged(ID, max_holders=1) == {"L1": False}


SHOP = "lot bidder purpose mac cpu_id disk_serial\n" + "\n".join(
    f"L{n} B{n} edit 001B21AABBCC CPU-1 DISK-1" for n in range(2, 9)
)


def test_leaves_a_shops_computer_of_many_unrelated_bidders_alone_and_names_it(market):
    market.bids(BIDS).fingerprints(FILES).fingerprints(SHOP)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"], row["left_out"]) == ("001B21AABBCC / CPU-1 / DISK-1", 9, 1)


def test_flags_a_computer_of_as_many_bidders_where_two_of_them_meet_more_than_others(market):
    met = [f"T{n} {bidder} edit - CPU-{bidder}{n} DISK-{bidder}{n}" for n in range(10) for bidder in "AB"]
    alone = [f"T{n} X{n} edit - CPU-X{n} DISK-X{n}" for n in range(10)]
    elsewhere = "\n".join(["lot bidder purpose mac cpu_id disk_serial", *met, *alone])
    market.bids(BIDS).fingerprints(FILES).fingerprints(SHOP).fingerprints(elsewhere)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert row["flagged"]
    assert row["most_holders"] == 9
    assert row["meeting_odds"] >= 2


def test_sentence_shows_the_codes(market):
    english, chinese = market.bids(BIDS).fingerprints(FILES).says(ID, "L1")
    assert (
        "2 of 3 bidders' files carry the same MAC / CPU / disk codes: 001B21AABBCC / CPU-1 / DISK-1"
        in english
    )
    assert "3 家投标人中有 2 家" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a file with a MAC against one without")
def test_misses_a_mac_on_one_side_only(market):
    assert market.bids(BIDS).fingerprints(FILES.replace("001B21AABBCC", "-", 1)).judged(ID) == {"L1": True}
