"""Every indicator by hand: flagged, left alone, not computable. Letters: W winner, L loser, D disqualified."""

import json
import random

import numpy as np
import pytest

from detectors.ocds.fences import Rule, fences, quantiles
from detectors.ocds.indicators import Limits
from detectors.ocds.reasons import NOTES, REASONS, TITLES
from pipelines.indicators.reading import compute
from pipelines.indicators.settings import Preparation

OPEN = {"procurementMethod": "open"}


def bid(*tenderers, price=None, status="valid", currency="CNY", **more):
    value = {} if price is None else {"value": {"amount": price, "currency": currency}}
    return {"status": status, "tenderers": [{"id": one} for one in tenderers], **value, **more}


def award(*suppliers, status="active", classes=()):
    items = [{"classification": {"id": one}} for one in classes]
    return {"status": status, "suppliers": [{"id": one} for one in suppliers], "items": items}


def process(ocid, bids=None, awards=None, tender=None, buyer=None):
    release = {"ocid": ocid, "tender": tender or {}}
    if bids is not None:
        release["bids"] = {"details": bids}
    if awards is not None:
        release["awards"] = awards
    if buyer is not None:
        release["buyer"] = {"id": buyer}
    return release


def gap(ocid, next_price, price=100, currency="CNY", awards=None, **more):
    """W wins at ``price``; L asks ``next_price``."""
    bids = [bid("W", price=price, currency=currency), bid("L", price=next_price, currency=currency)]
    return process(ocid, bids, awards or [award("W")], **more)


@pytest.fixture
def assessed(tmp_path):
    def assess_releases(releases, threads=2, **limits):
        path = tmp_path / "releases.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in releases), encoding="utf-8")
        return compute([path], Limits(**limits), Preparation(), threads=threads).assessment

    return assess_releases


def flags(assessment, code, group="OCID"):
    found = assessment.flags
    found = found[(found["code"] == code) & (found["group"] == group)]
    return dict(zip(found["id"], found["value"], strict=True))


def reasons(assessment, code, group="OCID"):
    found = assessment.not_computable
    found = found[(found["code"] == code) & (found["group"] == group)]
    return dict(zip(found["reason"], found["units"], strict=True))


def counts(assessment, code, group="OCID"):
    found = assessment.coverage.set_index(["code", "group"]).loc[(code, group)]
    return found["units"], found["applied"], found["flagged"]


# --- quartiles and fences -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "q1", "q3"),
    [
        (
            [1, 2, 3, 4, 5],
            5 / 3,
            13 / 3,
        ),  # h = 16/3 / 4 + 1/3 = 1.667: two thirds from the first to the second
        ([0, 100, 100, 100, 100], 200 / 3, 100),
        ([0, 1], 0, 1),  # h = 0.917 and 2.083 lie outside: the ends
        ([7], 7, 7),
        ([4, 1, 3, 2], 17 / 12, 43 / 12),  # order does not matter
    ],
)
def test_quartiles_are_of_type_8(values, q1, q3):
    values = np.array(values, dtype=float)
    groups = np.zeros(len(values), dtype=np.int64)
    assert quantiles(values, groups, 0.25) == pytest.approx([q1])
    assert quantiles(values, groups, 0.75) == pytest.approx([q3])
    assert quantiles(values, groups, 0.75) == pytest.approx(
        [np.quantile(values, 0.75, method="median_unbiased")]
    )


def test_each_group_has_its_own_quartiles():
    values = np.array([0, 10, 100, 20, 100, 30.0])
    groups = np.array([0, 1, 0, 1, 0, 1])
    assert quantiles(values, groups, 0.25) == pytest.approx([100 / 6, 35 / 3])


def test_a_fence_is_one_and_a_half_ranges_away():
    values, groups = np.array([0, 100, 100, 100, 100.0]), np.zeros(5, dtype=np.int64)
    low = fences(values, groups, Rule("low", None))
    high = fences(100 - values, groups, Rule("high", None))
    assert low["fence"].tolist() == pytest.approx([200 / 3 - 50])
    assert high["fence"].tolist() == pytest.approx([100 / 3 + 50])


# --- R003 ---------------------------------------------------------------------------------------------


def period(ocid, start, end, **tender):
    return process(ocid, tender={"tenderPeriod": {"startDate": start, "endDate": end}, **tender})


def test_r003_flags_fewer_than_fifteen_whole_days(assessed):
    found = assessed(
        [
            period("14 days 23 hours", "2026-03-01T09:00:00+08:00", "2026-03-16T08:00:00+08:00"),
            period("15 days", "2026-03-01T09:00:00+08:00", "2026-03-16T09:00:00+08:00"),
            period(
                "15 days by the clock of another zone", "2026-03-01T09:00:00+08:00", "2026-03-16T01:00:00Z"
            ),
            period("14 days in another zone", "2026-03-01T09:00:00+08:00", "2026-03-16T00:59:59.999999Z"),
        ]
    )
    assert flags(found, "R003") == {"14 days 23 hours": 1.0, "14 days in another zone": 1.0}
    assert counts(found, "R003") == (4, 4, 2)


def test_r003_says_which_periods_it_cannot_measure(assessed):
    found = assessed(
        [
            process("none"),
            period("no end", "2026-03-01T09:00:00+08:00", None),
            period("dates", "2026-03-01", "2026-03-02"),
            period("no zone", "2026-03-01T09:00:00", "2026-03-02T09:00:00"),
            period("nonsense", "2026-02-30T09:00:00Z", "2026-03-02T09:00:00Z"),
            period("cancelled", "2026-03-01T09:00:00Z", "2026-03-02T09:00:00Z", status="cancelled"),
        ]
    )
    assert flags(found, "R003") == {}
    assert reasons(found, "R003") == {"NO_PERIOD": 2, "PERIOD_UNREADABLE": 3, "CANCELLED": 1}


def test_r003_takes_a_threshold_for_each_method(assessed):
    nine_days = ("2026-03-01T09:00:00Z", "2026-03-10T09:00:00Z")
    found = assessed(
        [
            period("urgent", *nine_days, procurementMethod="open", procurementMethodDetails="urgent"),
            period("usual", *nine_days, procurementMethod="open", procurementMethodDetails="usual"),
            period("direct", *nine_days, procurementMethod="direct"),
        ],
        r003_threshold=10,
        r003_procurement_methods=("open",),
        r003_procurement_method_details=(("urgent", 9),),
    )
    assert flags(found, "R003") == {"usual": 1.0}
    assert reasons(found, "R003") == {"METHOD_NOT_CHOSEN": 1}


# --- R018 ---------------------------------------------------------------------------------------------


def test_r018_flags_one_tenderer_under_a_competitive_method(assessed):
    found = assessed(
        [
            process("one", tender={**OPEN, "numberOfTenderers": 1}),
            process("two", tender={**OPEN, "numberOfTenderers": 2}),
            process("direct", tender={"procurementMethod": "direct", "numberOfTenderers": 1}),
            process("no method", tender={"numberOfTenderers": 1}),
            process("no number", tender=OPEN),
            process("negative", tender={**OPEN, "numberOfTenderers": -1}),
            process("text", tender={**OPEN, "numberOfTenderers": "1"}),
        ]
    )
    assert flags(found, "R018") == {"one": 1.0}
    assert reasons(found, "R018") == {"METHOD_NOT_CHOSEN": 2, "NO_NUMBER_OF_TENDERERS": 3}


# --- R024 and R058 ------------------------------------------------------------------------------------


def test_r024_flags_a_gap_at_or_below_the_lower_fence(assessed):
    found = assessed([gap("tie", 100), *(gap(f"far {n}", 200) for n in range(4))])
    assert found.meta["R024"] == {"q1": 0.6667, "q3": 1.0, "lower_fence": 0.1667}
    assert flags(found, "R024") == {"tie": 0.0}
    assert flags(found, "R024", "Tenderer") == {"W": 0.0, "L": 0.0}
    assert counts(found, "R024") == (5, 5, 1)


def test_r058_flags_a_gap_at_or_above_the_upper_fence(assessed):
    found = assessed([gap("far", 200), *(gap(f"tie {n}", 100) for n in range(4))])
    assert found.meta["R058"] == {"q1": 0.0, "q3": 0.3333, "upper_fence": 0.8333}
    assert flags(found, "R058") == {"far": 1.0}
    assert flags(found, "R058", "Tenderer") == {"W": 0.0}


def test_thresholds_stand_for_fences_and_are_inclusive(assessed):
    found = assessed([gap("a", 105), gap("b", 125), gap("c", 150)], r024_threshold=0.25, r058_threshold=0.25)
    assert flags(found, "R024") == {"a": 0.05, "b": 0.25}
    assert flags(found, "R058") == {"b": 0.25, "c": 0.5}
    assert found.meta == {"R024": {"lower_fence": 0.25}, "R058": {"upper_fence": 0.25}} | {
        code: found.meta[code] for code in found.meta if code not in ("R024", "R058")
    }


def test_r024_keeps_silent_where_a_quarter_of_the_gaps_are_zero(assessed):
    found = assessed([*(gap(f"tie {n}", 100) for n in range(3)), gap("far", 200)])
    assert flags(found, "R024") == {}
    assert reasons(found, "R024") == {"FENCE_NOT_POSITIVE": 4}
    assert counts(found, "R024") == (4, 0, 0)


def test_r024_flags_all_at_the_fence_where_all_gaps_are_equal_and_says_so(assessed):
    found = assessed([gap(f"same {n}", 110) for n in range(5)])
    assert len(flags(found, "R024")) == 5
    assert set(found.notes[found.notes["code"] == "R024"]["note"]) == {"ZERO_RANGE"}


@pytest.mark.parametrize(
    ("reason", "release"),
    [
        ("CANCELLED", gap("x", 100, tender={"status": "cancelled"})),
        ("NO_AWARDS", process("x", [bid("W", price=1)])),
        ("NO_BIDS", process("x", None, [award("W")])),
        ("AWARD_NOT_FINAL", gap("x", 100, awards=[award("W"), award("X", status="pending")])),
        ("AWARD_NOT_FINAL", gap("x", 100, awards=[award("W"), award("X", status="?")])),
        ("NO_ACTIVE_AWARD", gap("x", 100, awards=[award("W", status="unsuccessful")])),
        ("SEVERAL_AWARDS", gap("x", 100, awards=[award("W"), award("W")])),
        ("SUPPLIERS_NOT_ONE", gap("x", 100, awards=[award("W", "L")])),
        (
            "SEVERAL_CURRENCIES",
            process("x", [bid("W", price=1), bid("L", price=2, currency="USD")], [award("W")]),
        ),
        ("NO_WINNING_PRICE", gap("x", 100, awards=[award("somebody else")])),
        ("NO_WINNING_PRICE", process("x", [bid("W"), bid("L", price=2)], [award("W")])),
        (
            "NO_WINNING_PRICE",
            process("x", [bid("W", price=1, status="disqualified"), bid("L", price=2)], [award("W")]),
        ),
        ("NO_WINNING_PRICE", process("x", [bid("W", "V", price=1), bid("L", price=2)], [award("W")])),
        ("NO_WINNING_PRICE", gap("x", "110", price="100")),
        (
            "NO_SECOND_PRICE",
            process("x", [bid("W", price=1), bid("L", price=2, status="pending")], [award("W")]),
        ),
        (
            "NO_SECOND_PRICE",
            process("x", [bid("W", price=1), bid("L", price=2, currency=None)], [award("W")]),
        ),
        ("WINNER_NOT_LOWEST", gap("x", 99)),
        ("PRICE_NOT_POSITIVE", gap("x", 1, price=0)),
    ],
)
def test_price_gaps_say_why_they_are_not_measured(assessed, reason, release):
    found = assessed([release])
    for code in ("R024", "R058"):
        assert reasons(found, code) == {reason: 1}
        assert counts(found, code) == (1, 0, 0)
        assert code not in found.meta


def test_the_lowest_of_the_winners_own_bids_counts_and_old_awards_do_not(assessed):
    bids = [bid("W", price=120), bid("W", price=100), bid("L", price=110)]
    awards = [award("C", status="cancelled"), award("W"), award("U", status="unsuccessful")]
    found = assessed([process("x", bids, awards)], r024_threshold=1.0)
    assert flags(found, "R024") == {"x": 0.1}


def test_prices_are_compared_only_where_the_method_lets_them_compete(assessed):
    releases = [gap(kind, 100, tender={"procurementMethodDetails": kind}) for kind in ("lottery", "auction")]
    left_out = assessed(releases, r024_threshold=1.0, no_price_comparison_procurement_methods=("lottery",))
    chosen = assessed(releases, r024_threshold=1.0, price_comparison_procurement_methods=("auction",))
    for found in (left_out, chosen):
        assert flags(found, "R028") == {"auction": 1.0}
        assert reasons(found, "R036") == reasons(found, "R024") == {"METHOD_NOT_CHOSEN": 1}
    excluded = assessed(releases, exclusions_procurement_method_details=("lottery", "it's"))
    assert reasons(excluded, "R003") == {"EXCLUDED_BY_SETTINGS": 1, "NO_PERIOD": 1}


# --- R025 ---------------------------------------------------------------------------------------------


def test_r025_flags_a_frequent_bidder_that_hardly_wins(assessed):
    # F bids ten times and wins two; N bids once in vain; eight others bid once and win. Shares 0, 0.2, 1 x 8:
    # q1 = 0.2 + 11/12 x 0.8 = 0.9333, q3 = 1, fence 0.8333; the 75th percentile of the bids is 1.
    releases = [
        process(f"{n}", [bid("F"), bid(f"S{n}")], [award("F" if n == 8 else f"S{n}")]) for n in range(9)
    ]
    releases.append(process("three bids count once", [bid("F")] * 3, [award("F")]))
    found = assessed(releases)
    assert found.meta["R025"] == {"q1": 0.9333, "q3": 1.0, "lower_fence": 0.8333, "upper_fence": 1.0}
    assert flags(found, "R025", "Tenderer") == {"F": 0.2, "S8": 0.0}
    rare = assessed(releases, r025_percentile=100)
    assert flags(rare, "R025", "Tenderer") == {"F": 0.2}
    strict = assessed(releases, r025_threshold=0.1)
    assert flags(strict, "R025", "Tenderer") == {"S8": 0.0}


def test_r025_says_who_has_no_bid_that_can_be_judged(assessed):
    found = assessed(
        [
            process("decided", [bid("A"), bid("B", "C")], [award("A")]),
            process("open", [bid("D")], [award("D"), award("D", status="pending")]),
            process("refused", [bid("E", status="disqualified")], [award("A")]),
        ]
    )
    assert counts(found, "R025", "Tenderer") == (5, 1, 1)
    assert reasons(found, "R025", "Tenderer") == {"NO_DECIDED_BID": 4}


# --- R028 ---------------------------------------------------------------------------------------------


def test_r028_flags_different_tenderers_at_one_price(assessed):
    found = assessed(
        [
            process(
                "equal", [bid("A", price=5), bid("B", price=5.0, status="disqualified"), bid("C", price=6)]
            ),
            process(
                "withdrawn", [bid("A", price=5), bid("D", price=5, status="withdrawn"), bid("E", price=6)]
            ),
            process("currencies", [bid("F", price=5), bid("G", price=5, currency="USD")]),
            process("decimals", [bid("H", price=5), bid("I", price=5.01)]),
        ]
    )
    assert flags(found, "R028") == {"equal": 1.0}
    assert flags(found, "R028", "Tenderer") == {"A": 1.0, "B": 1.0}
    assert reasons(found, "R028") == {"FEWER_THAN_TWO_PRICES": 1}


def test_r028_does_not_compare_a_tenderer_with_itself(assessed):
    found = assessed(
        [
            process("twice", [bid("A", price=5), bid("A", price=5)]),
            process("a consortium in another order", [bid("A", "B", price=5), bid("B", "A", price=5)]),
            process("no names", [bid("A", price=5), bid(price=5)]),
            process("no bids"),
        ]
    )
    assert flags(found, "R028") == {}
    assert reasons(found, "R028") == {"FEWER_THAN_TWO_PRICES": 3, "NO_BIDS": 1}


# --- R030 ---------------------------------------------------------------------------------------------


def dated(ocid, date, deadline="2026-03-15T09:00:00+08:00", tenderer="W", awards=None):
    bids = [bid(tenderer, date=date)]
    return process(ocid, bids, awards or [award("W")], {"tenderPeriod": {"endDate": deadline}})


def test_r030_compares_moments_not_texts(assessed):
    found = assessed(
        [
            dated("ten o'clock in another zone", "2026-03-15T02:00:00Z"),
            dated("one second late", "2026-03-15T09:00:01+08:00"),
            dated("nine sharp in another zone", "2026-03-15T10:00:00+09:00"),
            dated("in time", "2026-03-15T09:00:00+08:00"),
            dated("a loser's", "2026-03-16T09:00:00+08:00", tenderer="L", awards=[award("W"), award("X")]),
        ]
    )
    assert flags(found, "R030") == {"ten o'clock in another zone": 1.0, "one second late": 1.0}
    assert flags(found, "R030", "Tenderer") == {"W": 1.0}
    assert reasons(found, "R030") == {"NO_WINNING_BID": 1}


def test_r030_does_not_compare_a_day_with_a_moment(assessed):
    found = assessed(
        [
            dated("a moment, a day", "2026-03-15T23:00:00+08:00", deadline="2026-03-15"),
            dated("no zone", "2026-03-15T23:00:00"),
            dated("no date", None),
            dated("no deadline", "2026-03-15T09:00:00Z", deadline=None),
            dated("nonsense", "2026-03-15T09:00:00Z", deadline="soon"),
            dated("days", "2026-03-16", deadline="2026-03-15"),
            dated("the same day", "2026-03-15", deadline="2026-03-15"),
            dated("pending", "2026-03-16", deadline="2026-03-15", awards=[award("W", status="pending")]),
        ]
    )
    assert flags(found, "R030") == {"days": 1.0}
    assert reasons(found, "R030") == {"BID_UNDATED": 3, "NO_DEADLINE": 2, "NO_ACTIVE_AWARD": 1}


# --- R035 and R036 ------------------------------------------------------------------------------------


def refused(*tenderers):
    return [bid(one, status="disqualified") for one in tenderers]


def test_r035_counts_the_others_that_were_all_disqualified(assessed):
    releases = [
        process("one", [bid("W"), *refused("D")], [award("W")]),
        process("two", [bid("W"), bid("W"), *refused("D", "E", "E", "W")], [award("W"), award("W")]),
        process("a second valid bidder", [bid("W"), bid("L"), *refused("D")], [award("W")]),
        process("nobody refused", [bid("W"), bid("P", status="pending")], [award("W")]),
        process("another won", [bid("V"), *refused("D")], [award("S")]),
    ]
    found = assessed(releases)
    assert flags(found, "R035") == {"one": 1.0, "two": 2.0}
    assert flags(found, "R035", "Tenderer") == {"W": 0.0}
    assert counts(found, "R035") == (5, 5, 2)
    assert flags(assessed(releases, r035_threshold=2), "R035") == {"two": 2.0}


def test_r035_says_why_it_cannot_judge(assessed):
    found = assessed(
        [
            process("pending", [bid("W"), *refused("D")], [award("W"), award("X", status="pending")]),
            process("two winners", [bid("W"), *refused("D")], [award("W"), award("X")]),
            process("all refused", refused("D"), [award("W")]),
            process("no supplier", [bid("W"), *refused("D")], [award()]),
        ]
    )
    assert reasons(found, "R035") == {
        "AWARD_NOT_FINAL": 1,
        "SEVERAL_WINNERS": 1,
        "NO_VALID_BIDDER": 1,
        "NO_SUPPLIER": 1,
    }


def test_r036_flags_a_disqualified_lowest_price(assessed):
    low, high = bid("D", price=1, status="disqualified"), bid("W", price=2)
    found = assessed(
        [
            process("flagged", [low, high], [award("W")]),
            process("the first of equals counts", [low, bid("W", price=1)], [award("W")]),
            process("higher refused", [bid("D", price=3, status="disqualified"), high], [award("W")]),
            process("lower pending", [low, high, bid("P", price=0.5, status="pending")], [award("W")]),
            process("lower withdrawn", [low, high, bid("P", price=0.5, status="withdrawn")], [award("W")]),
            process("no valid price", [low, bid("W")], [award("W")]),
            process("no award", [low, high], []),
            process("currencies", [low, bid("W", price=2, currency="USD")], [award("W")]),
        ]
    )
    assert flags(found, "R036") == {"flagged": 1.0, "the first of equals counts": 1.0, "lower withdrawn": 1.0}
    assert reasons(found, "R036") == {"NO_VALID_PRICE": 1, "NO_ACTIVE_AWARD": 1, "SEVERAL_CURRENCIES": 1}
    assert flags(found, "R036", "Tenderer") == {}


# --- lots and consortia -------------------------------------------------------------------------------


def lot(id, *bids, winner="W"):
    """Bids for a lot, and its award."""
    return [one | {"relatedLots": [id]} for one in bids], award(winner) | {"relatedLots": [id]}


def divided(ocid, *lots, tender=None):
    bids, awards = [one for bids, _ in lots for one in bids], [one for _, one in lots]
    return process(ocid, bids, awards, tender)


def test_each_lot_is_judged_by_its_own_bids(assessed):
    near = lot("1", bid("W", price=100), bid("L", price=101))
    far = lot("2", bid("W", price=100), bid("L", price=150), bid("D", price=90, status="disqualified"))
    found = assessed([divided("x", near, far)], r024_threshold=0.02, r058_threshold=0.4)
    assert flags(found, "R024", "Lot") == {"x#1": 0.01}
    assert flags(found, "R058", "Lot") == {"x#2": 0.5}
    assert flags(found, "R036", "Lot") == {"x#2": 1.0}
    assert flags(found, "R024") == {}
    assert reasons(found, "R024") == {"SEVERAL_AWARDS": 1}
    assert flags(found, "R024", "Tenderer") == {}  # the groups of Cardinal stay what Cardinal has


def test_equal_prices_count_inside_a_lot(assessed):
    other = lot("2", bid("L", price=100), winner="L")
    found = assessed([divided("x", lot("1", bid("W", price=100)), other)])
    assert flags(found, "R028") == {"x": 1.0}  # as Cardinal has it
    assert flags(found, "R028", "Lot") == {}
    assert reasons(found, "R028", "Lot") == {"FEWER_THAN_TWO_PRICES": 2}


def test_a_lot_says_why_it_cannot_be_judged(assessed):
    both = bid("L", price=300, relatedLots=["1", "2"])
    tender = {"lots": [{"id": "1"}, {"id": 2}, {"id": "3"}, {"id": "4", "status": "cancelled"}]}
    won = [lot("1", bid("W", price=100), bid("L", price=120)), lot("2", bid("W", price=100))]
    found = assessed(
        [divided("x", *won, ([both], award("N") | {"relatedLots": [{"id": "4"}]}), tender=tender)]
    )
    assert counts(found, "R024", "Lot")[:2] == (4, 1)
    assert reasons(found, "R024", "Lot") == {"CANCELLED": 1, "NO_AWARDS": 1, "NO_SECOND_PRICE": 1}
    # The price of a bid for both lots is that of neither.
    assert found.meta["R058"]["Lot_upper_fence"] == 0.2


def test_a_process_of_one_lot_is_judged_whole(assessed):
    release = gap("x", 101, tender={"lots": [{"id": "1"}]})
    release["awards"][0]["relatedLots"] = ["1"]
    found = assessed([release])
    assert flags(found, "R024").keys() == {"x"}
    assert "Lot" not in set(found.coverage["group"])


def test_a_consortium_is_one_tenderer(assessed):
    joint = [bid("B", "A", price=100), bid("L", price=110), *refused("D")]
    releases = [
        process("won", joint, [award("A", "B")]),
        process("lost", [bid("W", price=100), bid("L", "M", price=120)], [award("W")]),
        process("alone", [bid("A", "B"), *refused("D", "E")], [award("A", "B")]),
        gap("plain", 130),
    ]
    found = assessed(releases, r024_threshold=0.5)
    assert flags(found, "R024", "Lot") == {"won": 0.1, "lost": 0.2, "plain": 0.3}
    assert flags(found, "R035", "Lot") == {"alone": 2.0}
    assert flags(found, "R024") == {"plain": 0.3}
    assert flags(found, "R035") == {}


def test_who_belongs_to_the_winner_is_no_rival_of_it(assessed):
    bids = [bid("A", "B", price=100), bid("A", price=100), bid("B", "C", price=101), bid("L", price=150)]
    found = assessed([process("x", bids, [award("A", "B")])], r024_threshold=0.5)
    assert flags(found, "R024", "Lot") == {"x": 0.5}
    assert flags(found, "R028", "Lot") == {}


def test_an_award_without_a_supplier_is_named_as_what_it_is(assessed):
    found = assessed(
        [
            process(
                "x",
                [bid("W", price=1, date="2026-03-01")],
                [award()],
                {"tenderPeriod": {"endDate": "2026-03-01"}},
            )
        ]
    )
    for code in ("R024", "R030", "R035", "R058"):
        assert reasons(found, code) == {"NO_SUPPLIER": 1}


# --- R038 and R048 ------------------------------------------------------------------------------------


def test_r038_flags_buyers_entities_and_tenderers_with_many_refusals(assessed):
    def tender(number):
        return {"procuringEntity": {"id": f"E{number}"}}

    # Four clean buyers, one that refuses half: q1 0, q3 1/6, fence 5/12.
    releases = [
        process(f"{n}", [bid(f"T{n}"), bid(f"T{n}")], tender=tender(n), buyer=f"B{n}") for n in range(4)
    ]
    releases.append(process("half", [bid("V"), *refused("D")], tender=tender(9), buyer="B9"))
    releases.append(process("again", [*refused("D"), bid("V")], tender=tender(9), buyer="B9"))
    found = assessed(releases)
    assert found.meta["R038"]["Buyer_upper_fence"] == 0.4167
    assert flags(found, "R038", "Buyer") == {"B9": 0.5}
    assert flags(found, "R038", "ProcuringEntity") == {"E9": 0.5}
    assert flags(found, "R038", "Tenderer") == {"D": 1.0}
    assert flags(assessed(releases, r038_threshold=0.6), "R038", "Buyer") == {}


def test_r038_leaves_out_who_has_too_few_bids(assessed):
    releases = [
        process("one bid", refused("D"), buyer="B1"),
        process("two bids", [bid("A"), *refused("A")], buyer="B2"),
        process("none", [bid("A", status="invited")], buyer="B3"),
    ]
    found = assessed(releases)
    assert flags(found, "R038", "Buyer") == {"B2": 0.5}
    assert reasons(found, "R038", "Buyer") == {"NO_BIDS": 1, "TOO_FEW_BIDS": 1}
    assert reasons(found, "R038", "Tenderer") == {"TOO_FEW_BIDS": 1}
    looser = assessed(releases, r038_minimum_submitted_bids=1, r038_minimum_contracting_processes=1)
    assert counts(looser, "R038", "Buyer") == (3, 2, 0)
    assert counts(looser, "R038", "Tenderer") == (2, 2, 0)


def test_r048_flags_a_supplier_of_many_classes(assessed):
    # Varieties 2, 1, 1, 1, 1: q1 1, q3 4/3, fence 11/6.
    releases = [process(f"{n}", awards=[award(f"S{n}", classes=["10"])]) for n in range(4)]
    releases.append(process("wide", awards=[award("F", classes=["10101500", "10999999", "11000000"])]))
    releases.append(process("shared", awards=[award("S1", "S2", classes=["30", "40", "50"])]))
    releases.append(process("pending", awards=[award("S1", status="pending", classes=["60", "70"])]))
    found = assessed(releases, r048_minimum_contracting_processes=1)
    assert flags(found, "R048", "Tenderer") == {"F": 2.0}
    assert found.meta["R048"] == {"q1": 1.0, "q3": 1.3333, "upper_fence": 1.8333}
    finer = assessed(releases, r048_minimum_contracting_processes=1, r048_digits=4, r048_threshold=3)
    assert flags(finer, "R048", "Tenderer") == {"F": 3.0}


def test_r048_wants_twenty_processes_with_classified_items(assessed):
    releases = [process(f"{n}", awards=[award("F", classes=["10"])]) for n in range(19)]
    releases.append(process("bare", awards=[award("F"), award("bare")]))
    releases.append(process("shared", awards=[award("F", "bare", classes=["10"])]))
    assert reasons(assessed(releases), "R048", "Tenderer") == {
        "TOO_FEW_PROCESSES": 1,
        "NO_CLASSIFIED_ITEM": 1,
    }
    releases.append(process("20th", awards=[award("F", classes=["10"]), award("F", classes=["10"])]))
    assert counts(assessed(releases), "R048", "Tenderer") == (2, 1, 1)


def test_cancelled_and_excluded_processes_say_nothing_about_organisations(assessed):
    bids, awards = [bid("A"), *refused("D", "D")], [award("A", classes=["10"])]
    releases = [
        process("cancelled", bids, awards, {"status": "cancelled"}, "B1"),
        process("excluded", bids, awards, {"procurementMethodDetails": "it's a test"}, "B2"),
    ]
    found = assessed(releases, exclusions_procurement_method_details=("another", "it's a test"))
    assert all(counts(found, code, "Tenderer") == (0, 0, 0) for code in ("R025", "R038", "R048"))
    assert counts(found, "R038", "Buyer") == (0, 0, 0)


def test_an_organisation_belongs_to_the_class_of_most_of_its_processes(assessed):
    def market(ocid, category, *tenderers):
        return process(ocid, [bid(one) for one in tenderers], tender={"mainProcurementCategory": category})

    works = [market(f"works {n}", "works", "A", "B", "C") for n in range(2)]
    found = assessed(
        [*works, market("goods", "goods", "A", "D"), process("refused", refused("A"))],
        codes=("R038",),
        reference_units=2,
        r038_threshold=0.2,
        r038_minimum_submitted_bids=1,
    )
    (row,) = found.reference[found.reference["id"] == "A"].to_dict("records")
    assert row["reference_class"] == "? | class works"
    assert (row["value"], row["reference_units"]) == (0.25, 2)


# --- what holds for all of them -----------------------------------------------------------------------


def county(processes=300, seed=7):
    """Releases with everything that indicators look at, sometimes missing."""
    rng = random.Random(seed)
    made = []
    for number in range(processes):
        base, currency = rng.lognormvariate(12, 1), rng.choice(["CNY", "CNY", "CNY", "USD"])
        bids = [
            bid(
                f"T{tenderer}",
                price=rng.choice([round(base * rng.uniform(1, 1.5), -2), None]),
                currency=currency,
                status=rng.choice(["valid", "valid", "valid", "disqualified", "pending", "withdrawn"]),
                date=f"2026-03-{rng.randint(10, 17)}T09:00:00+08:00",
            )
            for tenderer in rng.sample(range(40), rng.randint(0, 6))
        ]
        priced = [one for one in bids if "value" in one and one["status"] == "valid"]
        winner = min(priced, key=lambda one: one["value"]["amount"])["tenderers"][0]["id"] if priced else "W"
        awards = [
            award(
                winner,
                status=rng.choice(["active", "active", "active", "pending"]),
                classes=[str(rng.randint(10, 30))],
            )
        ]
        tender = {
            "procurementMethod": rng.choice(["open", "direct"]),
            "numberOfTenderers": len(bids),
            "mainProcurementCategory": rng.choice(["works", "goods"]),
            "tenderPeriod": {
                "startDate": f"2026-02-{rng.randint(10, 28)}T09:00:00+08:00",
                "endDate": "2026-03-15T09:00:00+08:00",
            },
            "procuringEntity": {"id": f"E{number % 9}"},
        }
        made.append(process(f"P{number}", rng.choice([bids, bids, None]), awards, tender, f"B{number % 7}"))
    return made


def as_text(assessment):
    frames = (
        assessment.flags,
        assessment.reference,
        assessment.coverage,
        assessment.not_computable,
        assessment.notes,
    )
    return json.dumps(assessment.meta) + "".join(frame.to_csv(index=False) for frame in frames)


LOOSE = {"r048_minimum_contracting_processes": 1, "reference_units": 20, "r024_threshold": 0.02}


def test_threads_and_the_order_of_the_lines_change_nothing(assessed):
    releases = county()
    first = as_text(assessed(releases, threads=1, **LOOSE))
    assert "R024" in first
    shuffled = releases.copy()
    random.Random(1).shuffle(shuffled)
    for threads in (1, 2, 4):
        assert as_text(assessed(releases, threads=threads, **LOOSE)) == first
        assert as_text(assessed(shuffled, threads=threads, **LOOSE)) == first


def test_every_unit_is_judged_or_has_a_reason(assessed):
    found = assessed(county(), **LOOSE)
    assert set(found.coverage["code"]) == set(TITLES)
    for row in found.coverage.itertuples(index=False):
        why = reasons(found, row.code, row.group)
        assert row.applied + sum(why.values()) == row.units > 0
        assert set(why) <= set(REASONS)
        assert row.flagged == len(flags(found, row.code, row.group)) <= row.applied
    assert set(found.notes["note"]) <= set(NOTES)


def test_only_the_chosen_indicators_are_computed(assessed):
    found = assessed(county(), codes=("R018", "R038"))
    assert set(found.coverage["code"]) == {"R018", "R038"}
    assert set(found.flags["code"]) <= {"R018", "R038"}


# --- currencies ---------------------------------------------------------------------------------------


def two_markets():
    """Gaps of 0 and 1 in yuan as in the test of R024; gaps of 5 in dollars that would move its fence."""
    yuan = [gap("tie", 100), *(gap(f"far {n}", 200) for n in range(4))]
    return [*(gap(f"dollar {n}", 600, currency="USD") for n in range(20)), *yuan]


def test_fences_are_made_inside_one_currency(assessed):
    found = assessed(two_markets())
    assert "tie" in flags(found, "R024")
    assert found.meta["R024"]["CNY_lower_fence"] == 0.1667
    assert found.meta["R024"]["USD_lower_fence"] == 5.0
    assert flags(found, "R058").keys() == {f"dollar {n}" for n in range(20)}  # all equal: noted
    assert "ZERO_RANGE" in set(found.notes["note"])


def test_a_chosen_currency_leaves_the_others_out(assessed):
    found = assessed(two_markets(), currency="CNY")
    assert flags(found, "R024") == {"tie": 0.0}
    assert found.meta["R024"] == {"q1": 0.6667, "q3": 1.0, "lower_fence": 0.1667}
    assert reasons(found, "R024") == {"NO_WINNING_PRICE": 20}
    mixed = process(
        "mixed", [bid("W", price=2), bid("D", price=1, currency="USD", status="disqualified")], [award("W")]
    )
    assert flags(assessed([mixed], currency="CNY"), "R036") == {}
    assert flags(assessed([mixed], currency="USD"), "R036") == {}


# --- reference classes --------------------------------------------------------------------------------


def test_a_flag_stands_beside_those_of_its_own_class(assessed):
    # Works: gaps 1 %, ..., 9 %; goods: 50 %, ..., 90 %. In the whole file nothing stands out, among works 60 % does.
    works = [gap(f"works {n}", 100 + n, tender={"mainProcurementCategory": "works"}) for n in range(1, 10)]
    goods = [
        gap(f"goods {n}", 100 + n, tender={"mainProcurementCategory": "goods"}) for n in range(50, 91, 5)
    ]
    odd = gap("odd", 160, tender={"mainProcurementCategory": "works"})
    found = assessed([*works, odd, *goods], codes=("R058",), reference_units=5)
    assert flags(found, "R058") == {}
    (row,) = found.reference.to_dict("records")
    assert (row["id"], row["flagged"], row["reference_units"]) == ("odd", True, 9)
    assert row["reference_class"] == "CNY | class works | 2 bidders"
    assert row["common_share"] == 0
    assert row["fence"] < row["value"] == 0.6


def test_a_class_is_widened_until_it_is_large_enough_and_never_past_the_currency(assessed):
    several = [process(f"{n}", [bid(f"T{i}", price=5) for i in range(3)]) for n in range(4)]
    few = process("few", [bid("A", price=5), bid("B", price=5)])
    dollars = process("dollars", [bid("A", price=5, currency="USD"), bid("B", price=5, currency="USD")])
    found = assessed([*several, few, dollars], codes=("R028",), reference_units=3)
    classes = found.reference[found.reference["group"] == "OCID"].set_index("id")
    assert classes.loc["0", "reference_class"] == "CNY | class ? | 3 bidders"
    assert classes.loc["few", "reference_class"] == "CNY | class ?"
    assert classes.loc["few", "common_share"] == 1.0
    assert "dollars" not in classes.index
    coverage = found.coverage.set_index("code").loc["R028"]
    assert (coverage["applied"], coverage["reference_applied"]) == (6, 5)


def test_a_single_bid_is_compared_with_lots_of_any_number_of_bids(assessed):
    releases = [process(f"{n}", tender={**OPEN, "numberOfTenderers": n % 4 + 1}) for n in range(40)]
    found = assessed(releases, codes=("R018",), reference_units=5)
    assert set(found.reference["reference_class"]) == {"? | class ?"}
    assert set(found.reference["common_share"].round(3)) == {round(9 / 39, 3)}


def test_below_two_hundred_others_a_class_keeps_silent(assessed):
    releases = [period(f"{n}", "2026-03-01T09:00:00Z", "2026-03-02T09:00:00Z") for n in range(201)]
    assert len(assessed(releases, codes=("R003",)).reference) == 201
    silent = assessed(releases[1:], codes=("R003",))
    assert len(silent.reference) == 0
    assert counts(silent, "R003") == (200, 200, 200)


def test_a_class_without_spread_flags_nobody(assessed):
    found = assessed([gap(f"{n}", 110) for n in range(6)], codes=("R058",), reference_units=5)
    assert len(flags(found, "R058")) == 6
    assert found.reference["flagged"].tolist() == [False] * 6
