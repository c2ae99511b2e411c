import math

import numpy as np
import pandas as pd
import pytest

ID = "conduct.agency_winner"
COLUMN = "agency_code"


def market_with(market, won, partner="P1", elsewhere=0):
    """200 firms in 600 lots of four, each won by chance, and firm A, which wins ``won`` of 8 with one partner.

    ``elsewhere``: lots of 8 with other partners that it wins too.
    """
    rng = np.random.default_rng(3)
    lots = [
        (f"H{number:03}", f"P{number % 5 + 2}", rng.choice(200, 4, replace=False)) for number in range(600)
    ]
    frame = pd.DataFrame(
        [
            (lot, other, f"F{firm:03}", place == 0)
            for lot, other, firms in lots
            for place, firm in enumerate(firms)
        ]
        + [
            (f"L{number}", partner, firm, (firm == "A") == (number < won))
            for number in range(8)
            for firm in ("A", f"F{number:03}")
        ]
        + [(f"L{number}", partner, f"F{number + 50:03}", False) for number in range(8)]
        + [
            (f"M{number}", "P9", firm, (firm == "A") == (number < elsewhere))
            for number in range(8)
            for firm in ("A", f"F{number + 20:03}")
        ]
        + [(f"M{number}", "P9", f"F{number + 70:03}", False) for number in range(8)],
        columns=["lot_id", COLUMN, "bidder_id", "is_winner"],
    )
    market.append("lots", frame[["lot_id", COLUMN]].drop_duplicates().reset_index(drop=True))
    return market.append("bids", frame.drop(columns=[COLUMN]))


def test_flags_a_firm_that_wins_all_with_one_and_little_elsewhere(market):
    market_with(market, 8)
    assert market.judged(ID)["P1/A"]
    assert {"A"} in market.flagged_together(ID)


def test_leaves_alone_a_firm_that_wins_its_share(market):
    assert not market_with(market, 3).judged(ID)["P1/A"]


def test_leaves_alone_a_firm_that_wins_as_much_elsewhere(market):
    judged = market_with(market, 8, elsewhere=8).judged(ID)
    assert not judged["P1/A"] and not judged["P9/A"]


def test_leaves_an_honest_market_alone(market):
    judged = market_with(market, 2).judged(ID, min_lots=1, min_wins=1)
    assert len(judged) > 500
    assert np.mean(list(judged.values())) <= 0.003


def test_cannot_judge_a_firm_with_few_lots_together(market):
    assert "P1/A" not in market_with(market, 8).judged(ID, min_lots=9)
    assert market.lacks(ID, min_lots=100) == {"too few lots with any one agency": 201}


def test_cannot_judge_lots_without_a_winner(market):
    market_with(market, 8).con.execute("UPDATE core.bids SET is_winner = FALSE")
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"no lot whose winner is known and in which somebody lost": 201}


def test_cannot_judge_an_unknown_partner(market):
    market_with(market, 8).con.execute(f"UPDATE core.lots SET {COLUMN} = NULL WHERE {COLUMN} = 'P1'")
    assert not [unit for unit in market.judged(ID) if unit.startswith("P1/")]
    market.con.execute(f"UPDATE core.lots SET {COLUMN} = NULL")
    assert market.lacks(ID) == {"the agency's code is missing in all of its lots": 201}


def test_number_of_wins_is_inclusive(market):
    market_with(market, 8)
    assert market.judged(ID, min_wins=8)["P1/A"]
    assert not market.judged(ID, min_wins=9)["P1/A"]


def test_limit_is_inclusive(market):
    p_value = market_with(market, 8).screen(ID).set_index("unit").loc["P1/A", "p_value"]
    assert market.judged(ID, max_p=p_value)["P1/A"]
    assert not market.judged(ID, max_p=math.nextafter(p_value, 0))["P1/A"]


@pytest.mark.xfail(strict=True, reason="blind spot: a firm that wins everywhere by the same means")
def test_misses_a_firm_favoured_everywhere(market):
    assert market_with(market, 8, elsewhere=8).judged(ID)["P1/A"]
