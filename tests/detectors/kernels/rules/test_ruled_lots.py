import numpy as np
import pandas as pd
import pytest
from places import known_rules

from detectors.kernels.rules.ruled_lots import RECOGNISED, has_rule, ruled_lots

RULES = known_rules()


def lot(market, name="L1", rule="drawn_factor", drawn="K=0.98", prices=(960400, 999600, 1040000), **columns):
    market.append(
        "lots",
        pd.DataFrame({"lot_id": [name], "award_method": RULES[rule].family, "ceiling_price": 1_200_000.0}),
    )
    market.append("documents", pd.DataFrame({"lot_id": [name], "evaluation_method": RULES[rule].method_text}))
    market.append("opening_draws", pd.DataFrame({"lot_id": [name], "drawn_values": [drawn]}))
    bidders = [f"B{number}" for number in range(len(prices))]
    return market.append(
        "bids", pd.DataFrame({"lot_id": name, "bidder_id": bidders, "price": prices} | columns)
    )


def found(market, **arguments):
    return {str(name): lots for lots in ruled_lots(market.engine, **arguments) for name in lots.lot_id}


def test_every_known_wording_is_read_as_its_own_rule(market):
    for id in RULES:
        lot(market, name=id, rule=id)
    assert {name: lots.rule.id for name, lots in found(market).items()} == {id: id for id in RULES}


def test_the_need_of_a_rule_finds_the_lots_that_are_read_as_it(market):
    for id in RULES:
        lot(market, name=id, rule=id)
    lot(market, name="other")
    market.con.execute("UPDATE core.documents SET evaluation_method = 'as agreed' WHERE lot_id = 'other'")
    for need, expected in (
        (RECOGNISED, set(RULES)),
        (has_rule("", "", "r.is_drawn"), {id for id, rule in RULES.items() if rule.drawn}),
    ):
        assert set(market.engine.run(need.sql)["unit"].to_pylist()) == expected


def test_wordings_are_all_different():
    assert len({rule.method_text for rule in RULES.values()}) == len(RULES)


def test_prices_and_benchmark_are_whole_fen(market):
    lots = found(lot(market))["L1"]
    assert lots.prices.tolist() == [[96040000, 99960000, 104000000]]
    assert lots.benchmarks.tolist() == [98000000]
    assert lots.ceilings.tolist() == [120000000]
    assert lots.bids == 3


@pytest.mark.parametrize("drawn", [None, "K=1.5", "F=0.05", "K=0.98;"])
def test_without_a_readable_draw_there_is_no_benchmark(market, drawn):
    assert np.isnan(found(lot(market, drawn=drawn))["L1"].benchmarks).all()


def test_lots_of_one_rule_and_size_come_together_and_keep_their_own_bids(market):
    for number in range(4):
        lot(market, name=f"L{number}", prices=(900000 + number, 950000, 990000))
    lot(market, name="BIG", prices=(900000, 910000, 920000, 930000))
    lots = found(market)
    assert lots["L0"] is lots["L3"]
    assert lots["BIG"] is not lots["L0"]
    assert lots["L0"].prices[:, 0].tolist() == [90000000, 90000100, 90000200, 90000300]


def test_small_lots_can_be_left_out(market):
    assert found(lot(market), min_bids=4) == {}


@pytest.mark.parametrize(
    "columns",
    [
        {"currency": ["CNY", "USD", "CNY"]},
        {"price": [960400.005, 999600, 1040000]},
        {"price": [2e12, 1e6, 1e6]},
    ],
    ids=["two currencies", "parts of a fen", "above a trillion"],
)
def test_lots_that_cannot_be_computed_in_fen_are_left_out(market, columns):
    assert found(lot(market, **columns)) == {}


def test_bids_without_effect_are_left_out(market):
    lot(market, is_valid=[True, False, True])
    assert found(market)["L1"].prices.tolist() == [[96040000, 104000000]]


def test_no_lots_give_nothing(market):
    assert found(market) == {}
