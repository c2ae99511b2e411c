import pytest

ID = "watchlist.regional_findings"
LOT = "lot opened_on\nL1 2026-06-30"
BIDS = "lot bidder\nL1 A\nL1 B"
FINDINGS = """
    party  decision_no  reason    issuer_region_code  is_bidding_ban  starts_on   revoked_on
    A      D-1          串通投标  410821              false           2024-02-01  -
    A      D-2          弄虚作假  410122              false           2025-11-20  -
"""


def test_flags_findings_of_two_regions_within_three_years(market):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS)
    assert market.judged(ID) == {"L1/A": True, "L1/B": False}
    assert market.flagged_together(ID) == [{"A"}]


def test_flags_a_ban_whatever_its_reason(market):
    market.lots(LOT).bids(BIDS).penalties(
        FINDINGS.replace("弄虚作假  410122              false", "其他 410122 true")
    )
    assert market.judged(ID)["L1/A"] is True


def test_flags_a_member_of_a_joint_venture(market):
    market.lots(LOT).bids("lot bidder\nL1 B").bid_members("lot bidder party\nL1 B A").penalties(FINDINGS)
    assert market.judged(ID)["L1/A"]


@pytest.mark.parametrize(("starts_on", "expected"), [("2023-06-30", True), ("2023-06-29", False)])
def test_three_years_are_inclusive_of_the_same_day(market, starts_on, expected):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("2024-02-01", starts_on))
    assert market.judged(ID)["L1/A"] is expected


def test_number_of_regions_is_inclusive(market):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS)
    assert market.judged(ID, min_regions=2)["L1/A"] is True
    assert market.judged(ID, min_regions=3)["L1/A"] is False


def test_leaves_two_findings_of_one_region_alone(market):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("410122", "410821"))
    assert market.judged(ID)["L1/A"] is False


@pytest.mark.parametrize("containing", ["410000", "410800"])
def test_leaves_a_province_or_city_beside_its_own_county_alone(market, containing):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("410122", containing))
    assert market.judged(ID)["L1/A"] is False


def test_leaves_one_decision_that_was_entered_in_two_regions_alone(market):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("D-2", "D-1"))
    assert market.judged(ID)["L1/A"] is False


def test_leaves_findings_about_other_matters_alone(market):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("弄虚作假", "拖欠工资"))
    assert market.judged(ID)["L1/A"] is False


@pytest.mark.parametrize(("revoked_on", "expected"), [("2026-07-01", True), ("2026-06-30", False)])
def test_leaves_a_finding_alone_from_the_day_of_its_revocation(market, revoked_on, expected):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("2025-11-20  -", f"2025-11-20 {revoked_on}"))
    assert market.judged(ID)["L1/A"] is expected


def test_cannot_judge_where_no_region_of_any_office_is_known(market):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("410122", "-").replace("410821", "-"))
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"no penalty states the region of its office": 1}


def test_cannot_judge_a_bidder_known_by_name_only(market):
    market.lots(LOT).bids("lot bidder\nL1 name:X").penalties(FINDINGS.replace("A   ", "name:X"))
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"no bidder known by code": 1}


def test_sentence_names_regions_and_decisions(market):
    english, chinese = market.lots(LOT).bids(BIDS).penalties(FINDINGS).says(ID, "L1/A")
    assert "regions 410122, 410821, decisions D-1, D-2" in english
    assert "2 个地区" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a decision whose office's region is not stated")
def test_misses_a_decision_without_a_region(market):
    market.lots(LOT).bids(BIDS).penalties(FINDINGS.replace("410122", "-"))
    assert market.judged(ID)["L1/A"]
