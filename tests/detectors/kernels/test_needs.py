"""Who has what a need asks for, and who lacks it: each on the smallest market that tells them apart."""

import pytest

from detectors.kernels import needs

LOTS = "lot\nL1\nL2"


@pytest.fixture
def having(market):
    """Ask which units of the market have a need."""

    def ask(need, **limits):
        return sorted(set(market.engine.run(need.sql, limits or None)["unit"].to_pylist()))

    return ask


def test_bids(market, having):
    market.lots(LOTS).bids("lot bidder is_valid\nL1 A true\nL1 B false")
    assert having(needs.BIDS) == ["L1"]


def test_opening_day(market, having):
    market.lots("lot opened_on\nL1 2026-03-02\nL2 -")
    assert having(needs.OPENING_DAY) == ["L1"]


def test_award_or_a_winner_among_the_bids(market, having):
    market.lots("lot\nL1\nL2\nL3").awards("lot\nL1")
    market.bids("lot bidder is_winner\nL1 A true\nL2 A true\nL2 B true\nL3 A false")
    assert having(needs.AWARD) == ["L1", "L2"]


def test_prices_are_valid_and_in_one_currency(market, having):
    market.lots("lot\nL1\nL2\nL3\nL4").bids(
        """
        lot bidder price currency is_valid
        L1  A      90    CNY      true
        L2  A      90    CNY      true
        L2  B      80    EUR      true
        L3  A      90    CNY      false
        L4  A      -     CNY      true
        """
    )
    assert having(needs.PRICES) == ["L1"]


PRICED = """
    lot bidder price is_valid
    L1  A      90    true
    L1  B      80    true
    L1  C      70    true
    L2  A      90    true
    L2  B      80    true
    L2  C      70    false
"""


def test_enough_prices_are_counted_with_the_detector_s_own_limit(market, having):
    market.lots(LOTS).bids(PRICED)
    assert having(needs.ENOUGH_PRICES, min_bids=3) == ["L1"]
    assert having(needs.ENOUGH_PRICES, min_bids=2) == ["L1", "L2"]


def test_a_limit_of_another_name_asks_for_the_same(market, having):
    market.lots(LOTS).bids(PRICED)
    need = needs.enough_prices("min_known")
    assert having(need, min_known=3) == ["L1"]
    assert (need.lack, need.lack_zh) == (needs.ENOUGH_PRICES.lack, needs.ENOUGH_PRICES.lack_zh)


def test_award_method(market, having):
    market.lots("lot award_method\nL1 lowest_price\nL2 average_price\nL3 -")
    assert having(needs.AWARD_METHOD) == ["L1", "L2"]
    assert having(needs.LOWEST_PRICE) == ["L1"]


def test_comparable_lots_are_counted_by_the_detector_itself():
    assert needs.COMPARABLE_LOTS.sql == ""


def test_estimate_is_positive_and_in_the_currency_of_the_bids(market, having):
    market.lots(
        """
        lot currency estimate_price
        L1  CNY      100
        L2  EUR      100
        L3  CNY      0
        L4  CNY      -
        L5  CNY      100
        """
    ).bids("lot bidder price\nL1 A 90\nL2 A 90\nL3 A 90\nL4 A 90")
    assert having(needs.ESTIMATE) == ["L1"]


def test_one_penalty_lets_every_lot_be_judged(market, having):
    market.lots(LOTS)
    assert having(needs.PENALTIES) == []
    market.penalties("party\nA")
    assert having(needs.PENALTIES) == ["L1", "L2"]


def test_one_bidder_by_code_is_enough(market, having):
    market.lots(LOTS).bids("lot bidder\nL1 91410800X\nL1 name:甲\nL2 name:甲\nL2 name:乙")
    assert having(needs.CODED_BIDDER) == ["L1"]


def test_contract(market, having):
    market.lots(LOTS).contracts("lot\nL1")
    assert having(needs.CONTRACT) == ["L1"]


def test_a_shared_value_is_held_by_one_and_then_by_two_bidders(market, having):
    sql = "SELECT lot_id, bidder_id FROM core.deposits WHERE account IS NOT NULL"
    market.lots("lot\nL1\nL2\nL3").deposits(
        """
        lot bidder account
        L1  A      x
        L1  B      y
        L2  A      x
        L2  A      y
        L3  A      -
        """
    )
    one, two = needs.held(sql, "no deposit accounts", "无保证金账户")
    assert (one.lack, one.lack_zh) == ("no deposit accounts", "无保证金账户")
    assert having(one) == ["L1", "L2"]
    assert having(two) == ["L1"]
