import pytest

ID = "watchlist.active_ban"
LOT = """
    lot  opened_on
    L1   2026-06-30
"""
BIDS = """
    lot  bidder
    L1   A
    L1   B
"""
BAN = """
    party  decision_no  issuer_name  starts_on   ends_on     revoked_on
    A      D-1          Bureau       2026-01-01  2026-12-31  -
"""


def test_flags_a_ban_in_force_on_the_day_of_opening(market):
    market.lots(LOT).bids(BIDS).penalties(BAN)
    assert market.judged(ID) == {"L1/A": True, "L1/B": False}
    assert market.flagged_together(ID) == [{"A"}]


def test_flags_a_banned_member_of_a_joint_venture(market):
    market.lots(LOT).bids("lot bidder\nL1 B").bid_members("lot bidder party\nL1 B A").penalties(BAN)
    assert market.judged(ID) == {"L1/A": True, "L1/B": False}


def test_flags_a_ban_without_a_known_end(market):
    assert market.lots(LOT).bids(BIDS).penalties(BAN.replace("2026-12-31", "-")).judged(ID)["L1/A"]


@pytest.mark.parametrize(
    ("opened_on", "expected"),
    [("2025-12-31", False), ("2026-01-01", True), ("2026-12-31", True), ("2027-01-01", False)],
)
def test_limit_is_inclusive_of_the_first_and_the_last_day(market, opened_on, expected):
    market.lots(LOT.replace("2026-06-30", opened_on)).bids(BIDS).penalties(BAN)
    assert market.judged(ID)["L1/A"] is expected


@pytest.mark.parametrize(("revoked_on", "expected"), [("2026-07-01", True), ("2026-06-30", False)])
def test_leaves_a_ban_alone_from_the_day_of_its_revocation(market, revoked_on, expected):
    market.lots(LOT).bids(BIDS).penalties(BAN.replace("2026-12-31  -", f"2026-12-31 {revoked_on}"))
    assert market.judged(ID)["L1/A"] is expected


def test_leaves_a_record_that_is_no_ban_alone(market):
    violation = BAN.replace("revoked_on", "revoked_on is_bidding_ban").replace("31  -", "31 - false")
    assert market.lots(LOT).bids(BIDS).penalties(violation).judged(ID) == {"L1/A": False, "L1/B": False}


def test_counts_several_bans_once_per_bidder(market):
    second = BAN.replace("D-1", "D-2").replace("2026-12-31", "2028-12-31")
    market.lots(LOT).bids(BIDS).penalties(BAN).penalties(second)
    row = market.screen(ID).set_index("unit").loc["L1/A"]
    assert (row["value"], row["decision_no"]) == (2, "D-2")


def test_cannot_judge_without_a_day_of_opening(market):
    assert market.lots("lot opened_on\nL1 -").bids(BIDS).penalties(BAN).judged(ID) == {}
    assert market.lacks(ID) == {"day of opening unknown": 1}


def test_cannot_judge_a_bidder_known_by_name_only(market):
    market.lots(LOT).bids("lot bidder\nL1 name:X\nL1 B").penalties(BAN.replace("A   ", "name:X"))
    assert market.judged(ID) == {"L1/B": False}


def test_cannot_judge_before_any_list_was_delivered(market):
    assert market.lots(LOT).bids(BIDS).judged(ID) == {}
    assert market.lacks(ID) == {"no penalties delivered and no blacklist kept": 1}


def test_sentence_names_the_decision_and_its_days(market):
    english, chinese = market.lots(LOT).bids(BIDS).penalties(BAN).says(ID, "L1/A")
    assert "D-1 of Bureau, 2026-01-01 to 2026-12-31" in english
    assert "开标日 2026-06-30" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: the successor of a banned firm")
def test_misses_a_successor_under_a_new_code(market):
    market.lots(LOT).bids("lot bidder\nL1 A2\nL1 B").penalties(BAN)
    assert market.judged(ID)["L1/A2"]


ENTRY = "entry_id party document_no authority starts_on ends_on is_in_effect\nHM1 A D-1 Office 2026-01-01 2026-12-31 {effect}"


def test_flags_a_ban_of_the_offices_own_blacklist(market):
    market.lots(LOT).bids(BIDS).listed_parties(ENTRY.format(effect="true"))
    assert market.judged(ID) == {"L1/A": True, "L1/B": False}
    row = market.screen(ID).set_index("unit").loc["L1/A"]
    assert (row["decision_no"], row["issuer_name"], row["entry_ids"]) == ("D-1", "Office", "HM1")


def test_counts_a_decision_once_that_is_delivered_and_listed(market):
    market.lots(LOT).bids(BIDS).penalties(BAN).listed_parties(ENTRY.format(effect="true"))
    assert market.screen(ID).set_index("unit").loc["L1/A"]["value"] == 1


def test_leaves_alone_a_delivered_ban_that_was_lifted_in_the_blacklist(market):
    market.lots(LOT).bids(BIDS).penalties(BAN).listed_parties(ENTRY.format(effect="false"))
    assert market.judged(ID) == {"L1/A": False, "L1/B": False}
