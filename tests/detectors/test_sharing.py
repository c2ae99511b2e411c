import pyarrow as pa

from detectors.sharing import LISTED, shared


def held(text):
    rows = [line.split() for line in text.strip().splitlines()]
    columns = ("lot_id", "bidder_id", "shared_value")
    return pa.table(
        {name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(columns)}
    )


def test_one_row_per_lot_and_set_of_bidders():
    found = shared(held("L1 A x\nL1 B x\nL1 A y\nL1 B y\nL1 B z\nL1 C z\nL2 A x\nL2 D q"), 50)
    rows = found[["unit", "entities", "value", "shared_count", "shared_values"]].to_numpy().tolist()
    assert rows[:2] == [["L1", "A;B", 2.0, 2, "x; y"], ["L1", "B;C", 2.0, 1, "z"]]
    assert rows[2][0] == "L2"
    assert rows[2][2:] == [0.0, 0, ""]


def test_a_lot_with_one_holder_is_not_judged():
    assert shared(held("L1 A x\nL1 A y"), 50).empty


def test_one_bidder_with_the_same_value_twice_shares_with_nobody():
    assert shared(held("L1 A x\nL1 A x\nL1 B y"), 50)["value"].tolist() == [0.0]


def test_value_of_more_holders_than_allowed_is_left_out_and_counted():
    text = "L1 A x\nL1 B x\nL2 C x\nL2 D w"
    assert shared(held(text), 3)["value"].tolist() == [2.0, 0.0]
    found = shared(held(text), 2)
    assert found["value"].tolist() == [0.0, 0.0]
    assert found["left_out"].tolist() == [1, 1]


def test_holders_are_counted_over_all_lots_once_each():
    found = shared(held("L1 A x\nL1 B x\nL2 A x\nL2 B x\nL3 A x\nL3 C q"), 50)
    assert found["most_holders"].tolist() == [2, 2, 0]


def test_a_long_list_of_values_is_cut_but_counted():
    text = "\n".join(f"L1 {bidder} v{number:02}" for bidder in "AB" for number in range(LISTED + 3))
    found = shared(held(text), 50)
    assert found["shared_count"].tolist() == [LISTED + 3]
    assert found["shared_values"][0].endswith("; …")


def test_order_of_the_rows_plays_no_part():
    text = "L1 A x\nL1 B x\nL1 C y\nL2 A y\nL2 B y\nL2 C z"
    shuffled = "\n".join(reversed(text.splitlines()))
    assert shared(held(text), 50).equals(shared(held(shuffled), 50))
