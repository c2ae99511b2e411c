import numpy as np
import pandas as pd
import pytest

from detectors.collusion.upload_times import Limits, screen

ID = "collusion.upload_times"
BIDS = """
    lot  bidder  submitted_at
    L1   A       2026-02-27T02:00:00
    L1   B       2026-02-27T02:00:20
    L1   C       2026-02-27T02:00:41
    L1   D       2026-03-01T08:00:00
"""
LOT = """
    lot  opening_at           opened_on
    L1   2026-03-02T01:00:00  2026-03-02
"""


def town(market, lots=300, size=5, opened="2026-03-02 01:00:00", seed=1):
    """Lots ``H...`` whose bids come as they do: many days before, most in the last hours."""
    rng = np.random.default_rng(seed)
    lot = np.repeat([f"H{number:04}" for number in range(lots)], size)
    seconds = np.where(
        rng.random(len(lot)) < 0.5, rng.exponential(2e5, len(lot)), rng.exponential(2e4, len(lot))
    )
    market.append("lots", pd.DataFrame({"lot_id": np.unique(lot), "opening_at": opened}))
    return market.append(
        "bids",
        pd.DataFrame(
            {
                "lot_id": lot,
                "bidder_id": [f"F{n:04}" for n in range(len(lot))],
                "submitted_at": pd.Timestamp(opened)
                - pd.to_timedelta(np.maximum(seconds.round(), 60), unit="s"),
            }
        ),
    )


def test_cannot_judge_an_open_auction_where_bids_answer_each_other(market):
    town(market).lots(LOT).bids(BIDS)
    market.con.execute("UPDATE core.bids SET lances = 2 WHERE lot_id = 'L1' AND bidder_id = 'D'")
    assert "L1" not in market.judged(ID)
    assert market.lacks(ID) == {
        "a bidder with several bids: an open auction, in which bids answer each other": 1
    }


def test_flags_three_bids_within_a_minute_days_before_the_opening(market):
    town(market).lots(LOT).bids(BIDS)
    assert market.judged(ID) == {"L1": True}
    assert {"A", "B", "C"} in market.flagged_together(ID)


def test_leaves_alone_bids_that_come_minutes_apart(market):
    apart = BIDS.replace("02:00:20", "02:06:20").replace("02:00:41", "02:13:41")
    assert town(market).lots(LOT).bids(apart).judged(ID) == {"L1": False}


def test_leaves_two_bids_of_the_last_hour_alone(market):
    rush = """
        lot  bidder  submitted_at
        L1   A       2026-03-02T00:20:00
        L1   B       2026-03-02T00:20:30
        L1   C       2026-03-01T20:00:00
        L1   D       2026-02-28T08:00:00
    """
    assert town(market).lots(LOT).bids(rush).judged(ID) == {"L1": False}


def test_leaves_two_close_bids_among_very_many_alone(market):
    town(market, lots=300).lots(LOT)
    rng = np.random.default_rng(9)
    seconds = np.sort(rng.exponential(8e4, 60)).round() + 60
    market.append(
        "bids",
        pd.DataFrame(
            {
                "lot_id": "L1",
                "bidder_id": [f"B{n}" for n in range(60)],
                "submitted_at": pd.Timestamp("2026-03-02 01:00:00") - pd.to_timedelta(seconds, unit="s"),
            }
        ),
    )
    assert (np.diff(seconds) <= 60).any()
    assert market.judged(ID) == {"L1": False}


def test_honest_bids_are_flagged_no_more_often_than_they_should(market):
    for size, opened in ((3, "2026-03-02 01:00:00"), (8, "2026-03-02 06:00:00")):
        lots = pd.Series([f"{size}-{number}" for number in range(900)])
        rng = np.random.default_rng(size)
        seconds = rng.exponential(3e4, 900 * size).round() + 60
        market.append("lots", pd.DataFrame({"lot_id": lots, "opening_at": opened}))
        bids = pd.DataFrame(
            {"lot_id": lots.repeat(size).to_numpy(), "bidder_id": [f"F{n}" for n in range(900 * size)]}
        )
        market.append(
            "bids", bids.assign(submitted_at=pd.Timestamp(opened) - pd.to_timedelta(seconds, unit="s"))
        )
    frame = screen(market.engine, Limits())
    assert len(frame) == 1800
    assert frame["flagged"].mean() <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / 1800)


def test_cannot_judge_with_too_few_comparable_lots(market):
    assert town(market, lots=199).lots(LOT).bids(BIDS).judged(ID) == {}
    assert market.lacks(ID) == {"too few comparable lots": 200}


def test_cannot_judge_without_the_moments(market):
    town(market).lots(LOT.replace("2026-03-02T01:00:00", "-")).bids(BIDS)
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"moment of the opening unknown": 1}


def test_cannot_judge_one_bid(market):
    assert town(market).lots(LOT).bids("\n".join(BIDS.splitlines()[:3])).judged(ID) == {}
    assert market.lacks(ID) == {"the moments of fewer than two bids are known": 1}


def test_limits_are_inclusive(market):
    town(market).lots(LOT).bids(BIDS)
    p_value = market.screen(ID).set_index("unit").loc["L1", "p_value"]
    assert market.judged(ID, max_p=p_value) == {"L1": True}
    assert market.judged(ID, max_p=np.nextafter(p_value, 0)) == {"L1": False}
    rows = market.screen(ID, {"max_gap_seconds": 21}).set_index("unit")
    assert rows.loc["L1", "value"] == 3
    assert market.screen(ID, {"max_gap_seconds": 20}).set_index("unit").loc["L1", "value"] == 2
    assert market.screen(ID, {"longest_series": 2}).set_index("unit").loc["L1", "value"] == 2
    assert market.judged(ID, min_reference_lots=300) == {"L1": True}
    assert market.judged(ID, min_reference_lots=301) == {}


def test_sentence_gives_the_measured_numbers(market):
    english, chinese = town(market).lots(LOT).bids(BIDS).says(ID, "L1")
    assert "3 of 4 bids were handed in within 41 seconds" in english
    assert "71.0 hours before the opening" in english
    assert "4 家投标人中有 3 家" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a ring that waits a few minutes between uploads")
def test_misses_uploads_two_minutes_apart(market):
    slow = BIDS.replace("02:00:20", "02:02:20").replace("02:00:41", "02:04:41")
    assert town(market).lots(LOT).bids(slow).judged(ID) == {"L1": True}
