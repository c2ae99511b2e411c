import math

import pytest

ID = "conduct.late_winner"


def market_with(market, lots, gap=0.0002, hour="23:00:00", firm="A"):
    """300 usual lots and ``lots`` in which the firm is lowest by ``gap`` and uploads at ``hour``."""
    market.honest()
    market.con.execute(
        "UPDATE core.bids SET submitted_at = TIMESTAMP '2026-03-01 00:00:00'"
        " + to_seconds(hash(bid_id) % 80000) WHERE lot_id LIKE 'H%'"
    )
    for number in range(lots):
        market.lots(f"lot award_method opened_on\nL{number} lowest_price 2026-03-02")
        others = "\n".join(
            f"L{number} B{place}{number} {1_000_000 + 20_000 * place} 2026-03-01T1{place}:00:00"
            for place in range(4)
        )
        low = round(1_000_000 * (1 - gap), 2)
        market.bids(f"lot bidder price submitted_at\nL{number} {firm} {low} 2026-03-01T{hour}\n{others}")
    return market


def flagged(market, **limits):
    frame = market.screen(ID, limits)
    return set(frame.loc[frame["flagged"], "unit"])


def test_flags_a_firm_that_is_last_and_just_below_again_and_again(market):
    assert flagged(market_with(market, 6)) == {"A"}


def test_leaves_alone_a_firm_that_is_only_late(market):
    assert flagged(market_with(market, 6, gap=0.04)) == set()


def test_leaves_alone_a_firm_that_is_only_close(market):
    assert flagged(market_with(market, 6, hour="09:00:00")) == set()


def test_cannot_judge_a_firm_with_few_lowest_bids(market):
    assert "A" not in set(market_with(market, 4).screen(ID)["unit"])
    lacks = market.lacks(ID, min_lots=300)
    assert lacks.keys() == {"never bid lowest there", "bid lowest in too few lots that can be compared"}
    assert sum(lacks.values()) == 217
    market.con.execute("UPDATE core.bids SET submitted_at = NULL")
    assert market.lacks(ID) == {"the moment of some bid is unknown in all these lots": 217}


def test_number_of_lots_is_inclusive(market):
    market_with(market, 6)
    assert flagged(market, min_lots=6) == {"A"}
    assert flagged(market, min_lots=7) == set()


def test_limit_is_inclusive(market):
    p_value = market_with(market, 6).screen(ID).set_index("unit").loc["A", "p_value"]
    assert flagged(market, max_p=p_value) == {"A"}
    assert flagged(market, max_p=math.nextafter(p_value, 0)) == set()


def test_sentence_tells_both_probabilities(market):
    english, chinese = market_with(market, 6).says(ID, "A")
    assert "In 6 of the 6 lots" in english and "expected" in english
    assert "6 个最后递交" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a leak used once in many lots")
def test_misses_one_leak_among_many_honest_lots(market):
    market_with(market, 1)
    for number in range(10, 22):
        market.lots(f"lot award_method opened_on\nL{number} lowest_price 2026-03-02")
        market.bids(
            "lot bidder price submitted_at\n"
            f"L{number} A 940000 2026-03-01T08:00:00\nL{number} X 1000000 2026-03-01T12:00:00\n"
            f"L{number} Y 1100000 2026-03-01T13:00:00"
        )
    assert flagged(market) == {"A"}
