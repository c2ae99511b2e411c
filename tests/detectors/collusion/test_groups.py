import numpy as np
import pandas as pd
import pytest

ID = "collusion.groups"
GROUP = "A;B;C"


def town(market, groups=40, together=12, outside=0, uneven=0):
    """Groups of three with ties to the next group, and A, B and C, who meet in lots of their own.

    ``outside``: lots in which A and B each meet a firm of a group; ``uneven``: more lots of A and B.
    """
    rng = np.random.default_rng(1)
    lots = []
    for number in range(groups):
        a, b, c = (f"G{number:02}{member}" for member in "abc")
        after = f"G{(number + 1) % groups:02}b"
        lots += [(a, b, c)] * 12 + [(a, b)] * (number % 7) + [(a, after), (c, after)] * (5 + number % 5)
    lots += [("A", "B", "C")] * together + [("A", "B")] * uneven + [("A", "G00b"), ("B", "G01b")] * outside
    seats = [
        (f"L{number:04}", firm)
        for number, firms in enumerate(lots)
        for firm in (*firms, *(f"S{n:03}" for n in rng.choice(400, 4 - len(firms), replace=False)))
    ]
    frame = pd.DataFrame(seats, columns=["lot_id", "bidder_id"])
    market.append("lots", pd.DataFrame({"lot_id": frame["lot_id"].unique(), "opened_on": "2026-03-02"}))
    return market.append("bids", frame)


def test_flags_a_group_that_keeps_to_itself(market):
    flagged = town(market).flagged_together(ID)
    assert {"A", "B", "C"} in flagged
    assert len(flagged) <= 0.1 * 41


def test_leaves_alone_a_group_that_meets_others_too(market):
    assert town(market, outside=9).judged(ID)[GROUP] is False


def test_leaves_alone_a_group_whose_members_meet_unevenly(market):
    assert town(market, uneven=9).judged(ID)[GROUP] is False


def test_cannot_judge_with_too_few_other_groups(market):
    assert town(market, groups=20).judged(ID) == {}
    lacks = market.lacks(ID)
    assert lacks.keys() == {
        "bid for too few tenders",
        "in no group of three firms that keep meeting, or too few such groups to compare",
    }
    assert lacks["in no group of three firms that keep meeting, or too few such groups to compare"] >= 63


def test_cannot_judge_firms_that_met_four_times(market):
    assert GROUP not in town(market, together=4).judged(ID)


def test_limits_are_inclusive(market):
    row = town(market).screen(ID).set_index("unit").loc[GROUP]
    assert market.judged(ID, max_p=row["p_value"])[GROUP] is True
    assert market.judged(ID, max_p=np.nextafter(row["p_value"], 0))[GROUP] is False
    groups = int(row["reference_groups"])
    assert GROUP in market.judged(ID, min_groups=groups)
    assert market.judged(ID, min_groups=groups + 1) == {}


def test_sentence_gives_the_measured_numbers(market):
    english, chinese = town(market).says(ID, GROUP)
    assert "3 firms: 100% of their joint bidding lies inside the group" in english
    assert "coherence 1.000" in english
    assert "3 家企业的共同投标有 100%" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: two firms are no group")
def test_misses_two_firms_that_keep_to_themselves(market):
    assert town(market, together=0, uneven=20).judged(ID)["A;B"] is True
