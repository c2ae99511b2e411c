import pytest

ID = "watchlist.listed"
LOT = "lot opened_on\nL1 2026-06-30"
BIDS = "lot bidder\nL1 A\nL1 B"
ENTRY = "entry_id list party starts_on ends_on review_on is_in_effect\nZD1 {list} A {starts_on} 2026-12-31 2026-09-01 {effect}"


def entry(list="watch", starts_on="2026-06-01", effect="true"):
    return ENTRY.format(list=list, starts_on=starts_on, effect=effect)


def test_flags_a_listed_bidder(market):
    market.lots(LOT).bids(BIDS).listed_parties(entry())
    assert market.judged(ID) == {"L1/A": True, "L1/B": False}


@pytest.mark.parametrize(("opened_on", "expected"), [("2026-05-31", False), ("2026-06-01", True)])
def test_limit_is_inclusive_of_the_first_day(market, opened_on, expected):
    market.lots(LOT.replace("2026-06-30", opened_on)).bids(BIDS).listed_parties(entry())
    assert market.judged(ID)["L1/A"] is expected


def test_leaves_alone_a_bidder_whose_entry_has_ended(market):
    market.lots(LOT).bids(BIDS).listed_parties(entry()).listed_parties(
        entry(effect="false").replace(" A ", " B ")
    )
    assert market.judged(ID) == {"L1/A": True, "L1/B": False}


def test_leaves_the_blacklist_to_its_own_detector(market):
    market.lots(LOT).bids(BIDS).listed_parties(entry().replace(" A ", " C ")).listed_parties(entry("black"))
    assert market.judged(ID)["L1/A"] is False


def test_cannot_judge_without_a_list(market):
    assert market.lots(LOT).bids(BIDS).judged(ID) == {}
    assert market.lacks(ID) == {"no watch list in effect": 1}


@pytest.mark.xfail(strict=True, reason="blind spot: lots opened before the entry began")
def test_misses_a_lot_opened_before_the_entry(market):
    market.lots(LOT).bids(BIDS).listed_parties(entry(starts_on="2026-07-01"))
    assert market.judged(ID)["L1/A"]
