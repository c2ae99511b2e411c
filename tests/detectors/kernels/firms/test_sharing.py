import numpy as np
import pyarrow as pa

from detectors.kernels.firms.sharing import LISTED, shared

#: Bidders of a value that is rare whoever they are.
FEW = 5


def held(text):
    rows = [line.split() for line in text.strip().splitlines()]
    columns = ("lot_id", "bidder_id", "shared_value")
    return pa.table(
        {name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(columns)}
    )


def test_one_row_per_lot_and_set_of_bidders():
    found = shared(held("L1 A x\nL1 B x\nL1 A y\nL1 B y\nL1 B z\nL1 C z\nL2 A x\nL2 D q"), 50, FEW)
    rows = found[["unit", "entities", "value", "shared_count", "shared_values"]].to_numpy().tolist()
    assert rows[:2] == [["L1", "A;B", 2.0, 2, "x; y"], ["L1", "B;C", 2.0, 1, "z"]]
    assert rows[2][0] == "L2"
    assert rows[2][2:] == [0.0, 0, ""]


def test_a_lot_with_one_holder_is_not_judged():
    assert shared(held("L1 A x\nL1 A y"), 50, FEW).empty


def test_one_bidder_with_the_same_value_twice_shares_with_nobody():
    assert shared(held("L1 A x\nL1 A x\nL1 B y"), 50, FEW)["value"].tolist() == [0.0]


def test_value_of_more_holders_than_allowed_is_left_out_and_counted():
    text = "L1 A x\nL1 B x\nL2 C x\nL2 D w"
    assert shared(held(text), 3, FEW)["value"].tolist() == [2.0, 0.0]
    found = shared(held(text), 2, FEW)
    assert found["value"].tolist() == [0.0, 0.0]
    assert found["left_out"].tolist() == [1, 1]


def test_holders_are_counted_over_all_lots_once_each():
    found = shared(held("L1 A x\nL1 B x\nL2 A x\nL2 B x\nL3 A x\nL3 C q"), 50, FEW)
    assert found["most_holders"].tolist() == [2, 2, 0]


def test_a_long_list_of_values_is_cut_but_counted():
    text = "\n".join(f"L1 {bidder} v{number:02}" for bidder in "AB" for number in range(LISTED + 3))
    found = shared(held(text), 50, FEW)
    assert found["shared_count"].tolist() == [LISTED + 3]
    assert found["shared_values"][0].endswith("; …")


def test_order_of_the_rows_plays_no_part():
    text = "L1 A x\nL1 B x\nL1 C y\nL2 A y\nL2 B y\nL2 C z"
    shuffled = "\n".join(reversed(text.splitlines()))
    assert shared(held(text), 50, FEW).equals(shared(held(shuffled), 50, FEW))


#: Seven customers of one shop, two of them in L1; A and B meet nowhere else.
SHOP = "L1 A shop\nL1 B shop\nL1 X x\n" + "\n".join(f"M{n} C{n} shop\nM{n} D{n} d{n}" for n in range(5))


def test_common_value_of_strangers_is_left_out_counted_and_named():
    found = shared(held(SHOP), 50, few_holders=6, min_meeting_odds=2.0).set_index("unit").loc["L1"]
    assert (found["value"], found["left_out"]) == (0, 1)
    assert (found["hub"], found["hub_bidders"], found["hub_lots"]) == ("shop", 7, 6)


def test_a_presumption_keeps_a_common_value_and_says_how_common_it_is():
    found = shared(held(SHOP), 50, FEW).set_index("unit").loc["L1"]
    assert (found["value"], found["hub"]) == (2, "")
    assert (found["most_holders"], found["most_lots"], found["meeting_odds"]) == (7, 6, 1.0)


def test_a_value_of_few_is_rare_whoever_they_are():
    found = shared(held(SHOP), 50, few_holders=7, min_meeting_odds=2.0).set_index("unit").loc["L1"]
    assert found["value"] == 2
    assert np.isnan(found["meeting_odds"])


def test_common_value_of_those_who_meet_each_other_more_than_others_is_kept():
    again = "\n".join(f"N{n} A a{n}\nN{n} B b{n}\nN{n} Y{n} y{n}" for n in range(6))
    found = shared(held(f"{SHOP}\n{again}"), 50, 6, 2.0).set_index("unit").loc["L1"]
    assert found["value"] == 2
    assert found["meeting_odds"] > 10


def test_busy_bidders_that_meet_everybody_are_strangers():
    crowd = "\n".join(f"N{n} {bidder} {bidder}{n}" for n in range(9) for bidder in "ABXY")
    found = shared(held(f"{SHOP}\n{crowd}"), 50, 6, 2.0).set_index("unit").loc["L1"]
    assert found["hub"] == "shop"


def test_meeting_odds_are_those_of_the_definition():
    rng = np.random.default_rng(3)
    rows = {(lot, firm) for lot in range(60) for firm in rng.choice(30, rng.integers(2, 7), replace=False)}
    texts = [
        f"L{lot:02} F{firm:02} {'hub' if rng.random() < 0.4 else f'own{firm}'}" for lot, firm in sorted(rows)
    ]
    found = shared(held("\n".join(texts)), 50, FEW)
    found = found[found["shared_values"] == "hub"]
    np.testing.assert_allclose(found["meeting_odds"], by_definition(texts), rtol=1e-9)


def by_definition(texts):
    """Return the meeting odds of the value "hub", bidder by bidder and lot by lot."""
    rows = [line.split() for line in texts]
    lots_of, bidders_in, hub_in = {}, {}, {}
    for lot, bidder, value in rows:
        lots_of.setdefault(bidder, set()).add(lot)
        bidders_in.setdefault(lot, set()).add(bidder)
        if value == "hub":
            hub_in.setdefault(lot, set()).add(bidder)
    groups = {lot: group for lot, group in hub_in.items() if len(group) > 1}
    mates = {a: set().union(*(g for g in groups.values() if a in g)) for g in groups.values() for a in g}
    sums = np.ones(4)
    for group in groups.values():
        for a in group:
            met = able = 0.0
            for lot in lots_of[a]:
                for b in bidders_in[lot] - mates[a]:
                    met += (len(lots_of[a] & lots_of[b]) - 1) / (len(bidders_in[lot]) - 1)
                    able += (len(lots_of[b]) - 1) / (len(bidders_in[lot]) - 1)
            part = met / able if able else 0.0
            for b in group - {a}:
                elsewhere, possible = len(lots_of[a] & lots_of[b]) - 1, len(lots_of[b]) - 1
                usual = part * possible
                sums += np.array([elsewhere, possible - elsewhere, usual, possible - usual]) / (
                    len(group) - 1
                )
    return sums[0] / sums[1] / (sums[2] / sums[3])
