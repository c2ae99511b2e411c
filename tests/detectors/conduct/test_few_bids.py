import pytest

ID = "conduct.few_bids"
LOT = """
    lot  tender_id  re_tender_no  bidder_count
    L1   T1         1             -
"""
TENDER = """
    tender_id  tender_mode  is_legally_mandatory
    T1         open         -
"""
BIDS = """
    lot  bidder  is_winner
    L1   A       true
    L1   B       false
"""


def test_flags_a_tender_awarded_with_two_bidders(market):
    market.lots(LOT).tenders(TENDER).bids(BIDS)
    assert market.judged(ID) == {"L1": True}


def test_flags_an_award_that_only_the_notice_shows(market):
    market.lots(LOT).tenders(TENDER).bids(BIDS.replace("true", "false")).awards("lot winner_id\nL1 A")
    assert market.judged(ID) == {"L1": True}


def test_flags_a_mandatory_tender_whose_mode_is_unknown(market):
    market.lots(LOT).tenders(TENDER.replace("open", "-   ").replace("-\n", "true\n")).bids(BIDS)
    assert market.judged(ID) == {"L1": True}


def test_limit_is_inclusive(market):
    market.lots(LOT).tenders(TENDER).bids(BIDS).bids("lot bidder\nL1 C")
    assert market.judged(ID) == {"L1": False}
    assert market.judged(ID, max_bidders=3) == {"L1": True}


def test_leaves_alone_a_lot_whose_sender_counted_more_bidders(market):
    market.lots(LOT.replace("1             -", "1 3")).tenders(TENDER).bids(BIDS)
    assert market.judged(ID) == {"L1": False}


def test_leaves_alone_three_bidders_of_whom_two_were_rejected(market):
    three = "lot bidder is_winner is_valid\nL1 A true true\nL1 B false false\nL1 C false false"
    assert market.lots(LOT).tenders(TENDER).bids(three).judged(ID) == {"L1": False}


def test_cannot_judge_a_lot_without_an_award(market):
    assert market.lots(LOT).tenders(TENDER).bids(BIDS.replace("true", "false")).judged(ID) == {}
    assert market.lacks(ID) == {"not awarded, or the winner is unknown": 1}


def test_cannot_judge_a_purchase_that_is_not_known_to_be_a_tender(market):
    assert market.lots(LOT).tenders(TENDER.replace("open", "-   ")).bids(BIDS).judged(ID) == {}
    assert market.lacks(ID) == {"not known to be tendered, or in another currency": 1}


def test_cannot_judge_a_lot_in_another_currency(market):
    abroad = LOT.replace("bidder_count", "bidder_count currency").replace("1             -", "1 - USD")
    assert market.lots(abroad).tenders(TENDER).bids(BIDS).judged(ID) == {}
    assert market.lacks(ID) == {"not known to be tendered, or in another currency": 1}


def test_sentence_names_the_round(market):
    english, chinese = market.lots(LOT).tenders(TENDER).bids(BIDS).says(ID, "L1")
    assert "2 bidder(s) at the opening" in english and "tender round: 1" in english
    assert "招标轮次：1" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: three bids of which two were never meant to win")
def test_misses_helpers_that_fill_the_number(market):
    three = "lot bidder is_winner price\nL1 A true 100\nL1 B false 990\nL1 C false 991"
    assert market.lots(LOT).tenders(TENDER).bids(three).judged(ID) == {"L1": True}
