import pytest

ID = "contacts.purchase_trace"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
PURCHASES = """
    lot  bidder  purchase_ip  purchase_browser  download_ip  download_browser
    L1   A       198.18.0.1   X-1               198.18.0.7   Y-1
    L1   B       198.18.0.2   X-1               198.18.0.1   X-1
    L1   C       198.18.0.3   X-1               198.18.0.3   X-1
"""


def test_flags_who_downloads_where_another_bought(market):
    market.bids(BIDS).document_purchases(PURCHASES)
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]


def test_leaves_the_same_browser_at_different_addresses_alone(market):
    assert market.bids(BIDS).document_purchases(PURCHASES.replace("0.1 ", "0.4 ", 1)).judged(ID) == {
        "L1": False
    }


def test_leaves_the_same_address_with_different_browsers_alone(market):
    market.bids(BIDS).document_purchases(PURCHASES.replace("0.1   X-1", "0.1   X-2", 1))
    assert market.judged(ID) == {"L1": False}


def test_leaves_the_members_of_one_joint_venture_alone(market):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B").document_purchases(PURCHASES)
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_trace_of_many_unrelated_bidders_alone_and_names_it(market):
    carrier = "lot bidder purchase_ip purchase_browser\n" + "\n".join(
        f"L{n} B{n} 198.18.0.1 X-1" for n in range(2, 9)
    )
    market.bids(BIDS).document_purchases(PURCHASES).document_purchases(carrier)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert not row["flagged"]
    assert (row["hub"], row["hub_bidders"]) == ("198.18.0.1 / X-1", 9)


def test_cannot_judge_without_addresses(market):
    assert (
        market.lots("lot\nL1")
        .bids(BIDS)
        .document_purchases("lot bidder account\nL1 A h1:a\nL1 B h1:b")
        .judged(ID)
        == {}
    )
    assert market.lacks(ID) == {"no addresses from which tender documents were bought or fetched": 1}


def test_limits_are_inclusive(market):
    market.bids(BIDS).document_purchases(PURCHASES)
    assert market.judged(ID, min_bidders=2, few_holders=2, max_holders=2) == {"L1": True}
    assert market.judged(ID, min_bidders=3) == {"L1": False}
    assert market.judged(ID, max_holders=1) == {"L1": False}


@pytest.mark.xfail(strict=True, reason="blind spot: a record with a browser against one without")
def test_misses_a_browser_on_one_side_only(market):
    market.bids(BIDS).document_purchases(PURCHASES.replace("0.1   X-1", "0.1   -", 1))
    assert market.judged(ID) == {"L1": True}
