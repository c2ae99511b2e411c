import math

import pandas as pd
import pytest

ID = "conduct.repeated_failures"


def market_with(market, failed, kind="failed", others=400):
    """Buyer P1 with 10 lots of which ``failed`` failed; ``others`` lots of 20 other buyers, 2 % of them failed."""
    lots = [(f"L{number}", "P1") for number in range(10)]
    lots += [(f"O{number:03}", f"B{number % 20:02}") for number in range(others)]
    market.append("lots", pd.DataFrame(lots, columns=["lot_id", "buyer_code"]))
    gone = [f"L{number}" for number in range(failed)] + [f"O{number:03}" for number in range(0, others, 50)]
    return market.append("failures", pd.DataFrame({"lot_id": gone, "kind": kind}))


def test_flags_a_buyer_whose_tenders_keep_failing(market):
    judged = market_with(market, failed=5).judged(ID)
    assert [unit for unit, flag in judged.items() if flag] == ["P1/A01"]


def test_leaves_a_buyer_alone_with_one_failure(market):
    assert not market_with(market, failed=1).judged(ID)["P1/A01"]


def test_leaves_withdrawn_notices_alone(market):
    assert market_with(market, failed=5, kind="withdrawn").judged(ID) == {}


def test_cannot_judge_before_any_failure_was_reported(market):
    market_with(market, failed=5).con.execute("DELETE FROM core.failures")
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"no failed tender reported in all the records": 21}


def test_cannot_judge_a_class_with_few_lots_of_others(market):
    assert "P1/A01" not in market_with(market, failed=5, others=199).judged(ID)
    assert market.lacks(ID) == {"too few lots of other buyers in its classes": 20}


def test_counts_repeats_among_the_failures(market):
    market_with(market, failed=5).con.execute(
        "UPDATE core.lots SET re_tender_no = 2 WHERE lot_id IN ('L1', 'L9')"
    )
    english, chinese = market.says(ID, "P1/A01")
    assert "1 of them repeats" in english
    assert "再次招标 1 个" in chinese


def test_number_of_failures_is_inclusive(market):
    market_with(market, failed=5)
    assert market.judged(ID, min_failed=5)["P1/A01"]
    assert not market.judged(ID, min_failed=6)["P1/A01"]


def test_limit_is_inclusive(market):
    p_value = market_with(market, failed=5).screen(ID).set_index("unit").loc["P1/A01", "p_value"]
    assert market.judged(ID, max_p=p_value)["P1/A01"]
    assert not market.judged(ID, max_p=math.nextafter(p_value, 0))["P1/A01"]


@pytest.mark.xfail(strict=True, reason="blind spot: a single tender that fails again and again")
def test_misses_two_failures_of_one_tender(market):
    assert market_with(market, failed=2).judged(ID)["P1/A01"]
