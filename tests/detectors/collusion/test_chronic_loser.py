import numpy as np
import pandas as pd
import pytest

ID = "collusion.chronic_loser"


def town(market, lots=40, price=1_300_000, wins=0, firms=40, method="lowest_price", is_winner=True):
    """``firms`` firms of different strength in 400 lots of 5, and X, who bids in ``lots`` of them."""
    rng = np.random.default_rng(2)
    strength = rng.normal(0, 0.02, firms)
    rows = []
    for lot in range(400):
        rows += [
            (f"L{lot:03}", f"F{firm:02}", 1e6 * np.exp(strength[firm] + rng.normal(0, 0.05)))
            for firm in rng.choice(firms, 4, replace=False)
        ]
        if lot < lots:
            rows.append((f"L{lot:03}", "X", 100_000 + lot if lot < wins else price + lot))
    bids = pd.DataFrame(rows, columns=["lot_id", "bidder_id", "price"])
    lowest = bids.groupby("lot_id")["price"].transform("min") == bids["price"]
    market.append("lots", pd.DataFrame({"lot_id": bids["lot_id"].unique(), "award_method": method}))
    return market.append("bids", bids.assign(is_winner=lowest & is_winner))


def test_flags_a_firm_that_bids_high_and_never_wins(market):
    judged = town(market).judged(ID)
    assert judged["X/A01"] is True
    assert sum(judged.values()) == 1


def test_leaves_alone_a_firm_that_wins_its_share(market):
    assert town(market, wins=6).judged(ID)["X/A01"] is False


def test_leaves_an_unlucky_firm_with_usual_prices_alone(market):
    town(market, price=1_010_000)
    market.con.execute("UPDATE core.bids SET is_winner = FALSE WHERE bidder_id = 'X'")
    row = market.screen(ID).set_index("entities").loc["X"]
    assert row["p_value"] <= 0.05
    assert not row["flagged"]


def test_cannot_judge_nine_lots(market):
    assert "X/A01" not in town(market, lots=9).judged(ID)
    assert market.lacks(ID) == {"bid for too few such lots of one class": 1}


def test_cannot_judge_a_class_with_too_few_firms(market):
    assert town(market, firms=28).judged(ID) == {}
    assert market.lacks(ID) == {"too few firms of its class with as many lots": 29}


@pytest.mark.parametrize("method", ["average_price", "-"])
def test_cannot_judge_where_a_high_price_is_no_sign_of_losing(market, method):
    assert town(market, method=None if method == "-" else method).judged(ID) == {}
    assert market.lacks(ID) == {"no valid price in a lot awarded by the lowest price or by scores": 41}


def test_cannot_judge_lots_without_a_known_winner(market):
    assert town(market, is_winner=False).judged(ID) == {}
    assert market.lacks(ID) == {"no such lot with a known winner, losing bids and one currency": 41}


def test_a_few_wins_are_no_surprise_where_firms_differ_much(market):
    calm = town(market).screen(ID).set_index("entities").loc["X"]
    # Half of the firms now win everything: to win nothing is no longer rare.
    market.con.execute("UPDATE core.bids SET is_winner = FALSE")
    market.con.execute(
        "UPDATE core.bids SET is_winner = TRUE WHERE bid_id IN (SELECT min(bid_id) FROM core.bids GROUP BY lot_id)"
    )
    wild = market.screen(ID).set_index("entities").loc["X"]
    assert wild["spread"] > calm["spread"]
    assert wild["p_value"] > calm["p_value"]


def test_limits_are_inclusive(market):
    row = town(market).screen(ID).set_index("entities").loc["X"]
    for name, limit, beyond in (
        ("max_p", row["p_value"], np.nextafter(row["p_value"], 0)),
        ("min_position", row["position"], np.nextafter(row["position"], 2)),
    ):
        assert market.judged(ID, **{name: limit})["X/A01"] is True
        assert market.judged(ID, **{name: beyond})["X/A01"] is False
    assert "X/A01" in market.judged(ID, min_lots=40, min_firms=1)
    assert "X/A01" not in market.judged(ID, min_lots=41, min_firms=1)
    assert "X/A01" in market.judged(ID, min_firms=41)
    assert market.judged(ID, min_firms=42) == {}


def test_sentence_gives_the_measured_numbers(market):
    english, chinese = town(market).says(ID, "X/A01")
    assert "0 wins in 40 lots (limit 10 lots) where equal chances give 8.0" in english
    assert "参加 40 个标段" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a loser that wins now and then for cover")
def test_misses_a_loser_that_sometimes_wins(market):
    assert town(market, wins=5).judged(ID)["X/A01"] is True
