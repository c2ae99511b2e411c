import pytest

ID = "delivery.two_sites"
LOTS = "lot\nL1\nL2"
BIDS = """
    lot  bidder  duration_days  project_manager_id
    L1   A       100            h1:m
    L2   B       100            h1:m
"""
CONTRACTS = """
    lot  contract_no  supplier_id  signed_on
    L1   C1           A            2026-01-01
    L2   C2           B            2026-03-01
"""


def test_flags_a_manager_of_two_contractors_at_once(market):
    market.lots(LOTS).bids(BIDS).contracts(CONTRACTS)
    assert market.judged(ID) == {"L1/A": True, "L2/B": True}


def test_flags_the_manager_whom_the_award_names(market):
    other = BIDS.replace("h1:m\n    L2", "h1:other\n    L2")
    market.lots(LOTS).bids(other).contracts(CONTRACTS).awards("lot winner_id project_lead_id\nL1 A h1:m")
    assert market.judged(ID) == {"L1/A": True, "L2/B": True}


@pytest.mark.parametrize(("signed_on", "expected"), [("2026-04-10", True), ("2026-04-11", False)])
def test_last_day_is_inclusive(market, signed_on, expected):
    market.lots(LOTS).bids(BIDS).contracts(CONTRACTS.replace("2026-03-01", signed_on))
    assert market.judged(ID) == {"L1/A": expected, "L2/B": expected}


def test_leaves_one_contractor_with_two_lots_alone(market):
    same = CONTRACTS.replace("B ", "A ")
    market.lots(LOTS).bids(BIDS.replace("B ", "A ")).contracts(same)
    assert market.judged(ID) == {"L1/A": False, "L2/A": False}


def test_leaves_alone_a_number_that_stands_for_many_firms(market):
    for number in range(6):
        market.lots(f"lot\nL{number}")
        market.bids(f"lot bidder duration_days project_manager_id\nL{number} F{number} 100 h1:zero")
        market.contracts(f"lot contract_no supplier_id signed_on\nL{number} C F{number} 2026-01-01")
    assert not any(market.judged(ID).values())
    assert all(market.judged(ID, max_firms=6).values())


def test_cannot_judge_without_a_duration(market):
    market.lots(LOTS).bids(BIDS.replace("100            h1:m\n    L2", "-  h1:m\n    L2")).contracts(
        CONTRACTS
    )
    assert market.judged(ID) == {"L2/B": False}
    assert market.lacks(ID) == {"no bid of the contractor with a duration": 1}


def test_cannot_judge_without_a_signing_day(market):
    market.lots(LOTS).bids(BIDS).contracts(CONTRACTS.replace("2026-01-01", "-"))
    assert market.judged(ID) == {"L2/B": False}
    assert market.lacks(ID) == {"day of signing unknown": 1}


def test_counts_every_other_lot_once(market):
    market.lots(LOTS).bids(BIDS).contracts(CONTRACTS).contracts(CONTRACTS.replace("C2", "C3"))
    frame = market.screen(ID).set_index("unit")
    assert frame["value"].to_dict() == {"L1/A": 1, "L2/B": 1}


@pytest.mark.xfail(strict=True, reason="blind spot: a manager without a document number")
def test_misses_a_manager_known_by_name_only(market):
    named = BIDS.replace("project_manager_id", "project_manager")
    assert market.lots(LOTS).bids(named).contracts(CONTRACTS).judged(ID)["L1/A"]
