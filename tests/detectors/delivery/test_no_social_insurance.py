import pytest

ID = "delivery.no_social_insurance"
LOT = "lot\nL1"
BIDS = "lot bidder\nL1 A\nL1 B"
CONTRACT = "lot contract_no supplier_id signed_on\nL1 C1 A 2026-03-20"
MEMBERS = """
    lot  contractor_id  person_id
    L1   A              h1:m
    L1   A              h1:q
"""
INSURED = """
    party  person_id  starts_on   ends_on
    A      h1:m       2025-01-01  -
    A      h1:q       2025-01-01  -
"""


def with_usual_contracts(market, contracts=100):
    """Contracts whose manager is insured by the contractor."""
    rows = range(contracts)
    market.contracts(
        "lot contract_no supplier_id signed_on\n" + "\n".join(f"H{row} C F{row} 2026-03-20" for row in rows)
    )
    market.contract_members(
        "lot contractor_id person_id\n" + "\n".join(f"H{row} F{row} h1:{row}" for row in rows)
    )
    return market.insured_people(
        "party person_id starts_on\n" + "\n".join(f"F{row} h1:{row} 2025-01-01" for row in rows)
    )


def test_flags_a_head_whom_another_firm_insures(market):
    with_usual_contracts(market).lots(LOT).bids(BIDS).contracts(CONTRACT).contract_members(MEMBERS)
    market.insured_people(INSURED.replace("A      h1:q", "B      h1:q"))
    assert market.judged(ID) == {"L1/A": True}
    assert market.screen(ID).set_index("unit").loc["L1/A", ["value", "elsewhere"]].tolist() == [1, 1]


def test_flags_the_manager_whom_the_award_names(market):
    with_usual_contracts(market).lots(LOT).bids(BIDS).contracts(CONTRACT)
    market.awards("lot winner_id project_lead_id\nL1 A h1:x").insured_people(INSURED)
    assert market.judged(ID) == {"L1/A": True}


def test_leaves_insured_people_alone(market):
    with_usual_contracts(market).lots(LOT).bids(BIDS).contracts(CONTRACT).contract_members(MEMBERS)
    assert market.insured_people(INSURED).judged(ID) == {"L1/A": False}


def test_leaves_people_of_a_partner_alone(market):
    with_usual_contracts(market).lots(LOT).bids(BIDS).bid_members("lot bidder party\nL1 A P")
    market.contracts(CONTRACT).contract_members(MEMBERS).insured_people(
        INSURED.replace("A      h1:q", "P      h1:q")
    )
    assert market.judged(ID) == {"L1/A": False}


def test_leaves_alone_a_market_whose_records_are_incomplete(market):
    with_usual_contracts(market, contracts=10).lots(LOT).bids(BIDS).contracts(CONTRACT).contract_members(
        MEMBERS
    )
    assert market.insured_people(INSURED.replace("A      h1:q", "B      h1:q")).judged(ID) == {"L1/A": False}


@pytest.mark.parametrize(("ends_on", "expected"), [("2026-03-20", False), ("2026-03-19", True)])
def test_last_day_of_the_insurance_is_inclusive(market, ends_on, expected):
    with_usual_contracts(market).lots(LOT).bids(BIDS).contracts(CONTRACT).contract_members(MEMBERS)
    market.insured_people(INSURED.replace("h1:q       2025-01-01  -", f"h1:q 2025-01-01 {ends_on}"))
    assert market.judged(ID) == {"L1/A": expected}


def test_cannot_judge_a_contractor_of_whose_insurance_nothing_is_known(market):
    with_usual_contracts(market).lots(LOT).bids(BIDS).contracts(CONTRACT).contract_members(MEMBERS)
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"nobody known whom the contractor insures": 1}


def test_cannot_judge_without_a_signing_day(market):
    with_usual_contracts(market).lots(LOT).bids(BIDS).contracts(CONTRACT.replace("2026-03-20", "-"))
    assert market.contract_members(MEMBERS).insured_people(INSURED).judged(ID) == {}
    assert market.lacks(ID) == {"day of signing unknown": 1}


@pytest.mark.xfail(strict=True, reason="blind spot: people who are insured for the look of it")
def test_misses_people_insured_on_paper(market):
    with_usual_contracts(market).lots(LOT).bids(BIDS).contracts(CONTRACT).contract_members(MEMBERS)
    assert market.insured_people(INSURED).judged(ID) == {"L1/A": True}
