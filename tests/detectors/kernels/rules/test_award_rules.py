import re
import tomllib
from fractions import Fraction
from itertools import combinations
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import REPO

from detectors.kernels.rules.award_rules import (
    benchmark,
    counted_bids,
    price_scores,
    ranks,
    rules,
    winner,
)
from detectors.kernels.rules.opening_draws import draw

TEXT = (REPO / "data" / "reference" / "award_rules.toml").read_text(encoding="utf-8")
RULES = rules(tomllib.loads(TEXT))
GONE = np.nan

# Most examples are in yuan with a ceiling of 10,000.00; the kernels take fen.
CEILING = 1_000_000


def of(id, prices, ceiling=CEILING, **drawn):
    draws = {letter: np.array([value]) for letter, value in drawn.items()}
    return benchmark(RULES[id], np.array([prices], float), np.array([ceiling], float), draws).item()


def scored(id, prices, bench, ceiling=CEILING):
    given = np.array([prices], float), np.array([ceiling], float), np.array([bench], float)
    return price_scores(RULES[id], *given)[0].tolist()


def won(id, prices, scores, other=None):
    other = [0.0] * len(prices) if other is None else other
    given = (np.array([each], float) for each in (prices, scores, other))
    return winner(RULES[id], *given).item()


# --- the benchmark, worked by hand -----------------------------------------------------------------


def test_the_lowest_price_rule_has_no_benchmark():
    assert np.isnan(of("lowest", [870_000, 860_000]))


def test_ceiling_and_mean_are_mixed_by_k_and_c():
    # Counted, edges included: 850,000 870,000 890,000 900,000, mean B = 877,500.
    # 1,000,000 x 0.88 x 0.55 = 484,000; 877,500 x 0.45 = 394,875; together 878,875.
    prices = [840_000, 850_000, 870_000, 890_000, 900_000, 910_000]
    assert of("ceiling_mean_mix", prices, K=0.88, C=0.45) == 878_875


@pytest.mark.parametrize("c", [0.0, 0.5])
def test_without_a_bid_in_range_the_mix_is_ceiling_times_k(c):
    # Every bid lies outside 850,000 to 900,000: C counts as 0, 1,000,000 x 0.87.
    assert of("ceiling_mean_mix", [849_999, 900_001], K=0.87, C=c) == 870_000


def test_the_mix_is_rounded_once_half_up():
    # 1,000,001 x 0.86 x 0.5 = 430,000.43; 860,000.6667 x 0.5 = 430,000.3333: .7633 goes up,
    # though each part alone would be cut.
    prices = [860_001, 860_001, 860_000]
    assert of("ceiling_mean_mix", prices, ceiling=1_000_001, K=0.86, C=0.5) == 860_001
    # 1,000,000 x 0.86 x 0.4 = 344,000; 860,000.5 x 0.6 = 516,000.3: .3 is cut.
    assert of("ceiling_mean_mix", [860_001, 860_000], K=0.86, C=0.6) == 860_000
    # 1,000,000 x 0.86 x 0.5 = 430,000; 860,001 x 0.5 = 430,000.5; exactly half goes up.
    assert of("ceiling_mean_mix", [860_001], K=0.86, C=0.5) == 860_001


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([10_000], 9_450),  # 10,000 x 0.945
        ([10_000, 10_400, 10_600], 9_765),  # three are not trimmed: 31,000 / 3 x 0.945
        ([10_000, 10_400, 10_600, 12_000], 9_923),  # 10,400 and 10,600 stay: 10,500 x 0.945 = 9,922.5
    ],
)
def test_the_drawn_discount_takes_f_off_the_trimmed_mean(prices, expected):
    assert of("drawn_discount", prices, F=0.055) == expected


def test_the_drawn_factor_multiplies_the_mean():
    # 30,002 / 3 x 0.97 = 9,700.6467
    assert of("drawn_factor", [10_000, 10_001, 10_001], K=0.97) == 9_701


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([90_000], 90_000),
        ([90_000, 100_000, 101_000, 102_000], 98_250),  # four: 393,000 / 4
        ([90_000, 100_000, 101_000, 102_000, 150_000], 101_000),  # five: 303,000 / 3
        ([90_000, 100_000, 101_000, 102_000, 103_000, 150_000], 101_500),  # six: 406,000 / 4
        ([90_000, 90_000, 101_000, 150_000, 150_000], 113_667),  # one of each tie: 341,000 / 3 = 113,666.67
    ],
)
def test_the_trimmed_mean_drops_both_ends_from_five_bids_on(prices, expected):
    assert of("trimmed_mean", prices) == expected


@pytest.mark.parametrize(
    ("bids", "expected"),
    [
        (1, 9_500),  # 10,000 x 0.95
        (4, 10_925),  # 11,500 x 0.95
        (5, 11_400),  # 12,000 x 0.95
        (6, 11_400),  # 15,000 is dropped: 12,000 x 0.95
        (7, 12_350),  # 16,000 and 10,000 are dropped: 13,000 x 0.95
    ],
)
def test_trimming_by_count_drops_the_highest_at_six_and_both_ends_from_seven(bids, expected):
    assert of("trimmed_by_count", [10_000 + 1_000 * each for each in range(bids)]) == expected


def test_the_range_mean_counts_bids_on_the_edges_and_none_beyond():
    # 900,000 and 950,000 are counted: 1,850,000 / 2.
    assert of("range_mean", [899_999, 900_000, 950_000, 950_001]) == 925_000


def test_an_edge_that_is_no_whole_fen_is_not_rounded():
    # 90 % of 1,000,001 is 900,000.9 and 95 % is 950,000.95.
    assert np.isnan(of("range_mean", [900_000, 950_001], ceiling=1_000_001))
    assert of("range_mean", [900_001], ceiling=1_000_001) == 900_001
    assert of("range_mean", [950_000], ceiling=1_000_001) == 950_000


def test_comprehensive_evaluation_takes_five_percent_off_the_mean():
    assert of("comprehensive", [100_000, 110_000, 120_000]) == 104_500  # 110,000 x 0.95


def test_price_share_takes_the_lowest_bid():
    assert of("price_share", [100_000, GONE, 80_000, 90_000]) == 80_000


@pytest.mark.parametrize("id", [id for id in RULES if id not in ("lowest", "ceiling_mean_mix")])
def test_no_bid_no_benchmark(id):
    drawn = dict.fromkeys(RULES[id].drawn, 0.9)
    assert np.isnan(of(id, [GONE, GONE], **drawn))


def test_an_unknown_ceiling_or_draw_leaves_the_benchmark_unknown():
    assert np.isnan(of("ceiling_mean_mix", [870_000], ceiling=GONE, K=0.88, C=0.45))
    assert np.isnan(of("ceiling_mean_mix", [870_000], K=GONE, C=0.45))
    assert np.isnan(of("range_mean", [920_000], ceiling=GONE))
    assert np.isnan(of("drawn_discount", [870_000], F=GONE))
    assert of("trimmed_mean", [870_000], ceiling=GONE) == 870_000


# --- the scores and the winner, worked by hand ------------------------------------------------------


def test_points_are_lost_on_both_sides_alike_under_the_mix():
    # 878,875: 840,000 is 4.42327 % off, 870,000 1.00981 %, 890,000 1.26582 %.
    prices = [840_000, 870_000, 878_875, 890_000]
    assert scored("ceiling_mean_mix", prices, 878_875) == [55.58, 58.99, 60.0, 58.73]


def test_points_are_lost_faster_above_than_below():
    # 10,000 is 2.40655 % above 9,765: 20 - 2.41. 9,500 is 2.71377 % below: 20 - 1.36.
    assert scored("drawn_discount", [10_000, 9_500], 9_765) == [17.59, 18.64]
    # 1 % above costs 0.5, 1 % below 0.3.
    assert scored("drawn_factor", [10_100, 9_900], 10_000) == [99.5, 99.7]
    # 1 % above costs 1.2, 1 % below 0.8.
    assert scored("trimmed_by_count", [10_100, 9_900], 10_000) == [98.8, 99.2]
    # 110,000 is 5.26316 % above 104,500, 100,000 is 4.30622 % below: 50 - 2.15311.
    assert scored("comprehensive", [110_000, 100_000], 104_500) == [44.74, 47.85]


def test_a_score_is_rounded_half_up():
    # 0.1 point per percent below 10,000: 9,995 scores 59.995, 9,985 scores 59.985, 9,984 scores 59.984.
    assert scored("trimmed_mean", [9_995, 9_985, 9_984], 10_000) == [60.0, 59.99, 59.98]


def test_no_score_falls_below_the_floor():
    assert scored("drawn_discount", [12_000, 11_999, 20_000], 10_000) == [0.0, 0.01, 0.0]


def test_a_bid_below_the_range_gets_flat_points():
    # 950,001 is 2.70281 % above 925,000, 900,000 is 2.70270 % below: 60 - 1.35135.
    assert scored("range_mean", [899_999, 900_000, 950_001], 925_000) == [40.0, 58.65, 57.3]


def test_flat_points_need_no_benchmark():
    assert scored("range_mean", [800_000, GONE], GONE)[0] == 40.0
    assert np.isnan(scored("range_mean", [960_000, GONE], GONE)).all()


def test_price_share_points_are_in_proportion_to_the_lowest_price():
    # 80,000 / 90,000 x 30 = 26.6667
    assert scored("price_share", [80_000, 90_000, 100_000], 80_000) == [30.0, 26.67, 24.0]


def test_the_lowest_price_rule_gives_no_points_and_the_lowest_price_wins():
    assert np.isnan(scored("lowest", [870_000, 860_000], GONE)).all()
    assert won("lowest", [870_000, GONE, 860_000], [GONE] * 3) == 2


def test_both_scores_together_decide():
    assert won("comprehensive", [110_000, 100_000], [44.74, 47.85]) == 1
    assert won("comprehensive", [110_000, 100_000], [44.74, 47.85], [40.0, 36.88]) == 0


def test_equal_sums_go_to_the_lower_price_and_then_to_the_first_place():
    # 59.37 + 35.20 and 59.27 + 35.30 are the same sum, though not in binary fractions.
    assert won("comprehensive", [102, 101], [59.37, 59.27], [35.20, 35.30]) == 1
    assert won("comprehensive", [101, 101], [59.27, 59.37], [35.30, 35.20]) == 0
    assert won("lowest", [GONE, 101, 101], [GONE] * 3) == 1


def test_nobody_wins_where_no_bid_has_a_score():
    assert won("range_mean", [960_000, GONE], [GONE, GONE]) == -1
    assert won("lowest", [GONE, GONE], [GONE, GONE]) == -1


def test_ranks_begin_with_the_winner_and_leave_out_who_has_no_score():
    prices = np.array([[103.0, 102, GONE, 101, 101]])
    scores = np.array([[55.0, 58, GONE, 55, 55]])
    assert ranks(RULES["comprehensive"], prices, scores, np.zeros((1, 5))).tolist() == [[4, 1, 0, 2, 3]]


# --- exact, whatever the order and size -------------------------------------------------------------

LOTS = st.lists(st.integers(1, 10**14) | st.integers(850_000, 950_000), min_size=1, max_size=12)


def by_fractions(rule, prices, ceiling, drawn):
    values = {letter: Fraction(str(value)) for letter, value in {**rule.fixed, **drawn}.items()}
    if rule.range_share:
        low, high = (Fraction(str(share)) * ceiling for share in rule.range_share)
        prices = [price for price in prices if low <= price <= high]
    prices = sorted(prices)
    if rule.basis == "lowest_bid":
        return prices[0]
    for bids, highest, lowest in reversed(rule.trimming):
        if len(prices) >= bids:
            prices = prices[lowest : len(prices) - highest]
            break
    if rule.basis == "ceiling_and_mean":
        weight = values["C"] if prices else 0
        mean = Fraction(sum(prices), max(len(prices), 1))
        return floor(ceiling * values["K"] * (1 - weight) + mean * weight + Fraction(1, 2))
    if not prices:
        return None
    factor = values.get("K", 1) * (1 - values.get("F", 0))
    return floor(Fraction(sum(prices), len(prices)) * factor + Fraction(1, 2))


@pytest.mark.parametrize("id", [id for id in RULES if id != "lowest"])
@settings(deadline=None)
@given(prices=LOTS, ceiling=st.integers(1, 10**14) | st.just(CEILING), data=st.data())
def test_benchmarks_are_exact_for_prices_up_to_a_trillion_yuan(id, prices, ceiling, data):
    rule = RULES[id]
    drawn = {letter: data.draw(st.sampled_from(values)) for letter, values in rule.drawn.items()}
    expected = by_fractions(rule, prices, ceiling, drawn)
    found = of(id, prices, ceiling, **drawn)
    assert np.isnan(found) if expected is None else found == expected


@pytest.mark.parametrize("id", [id for id in RULES if id != "lowest"])
@settings(deadline=None)
@given(prices=LOTS, bench=st.integers(1, 10**14) | st.integers(850_000, 950_000))
def test_scores_are_exact_for_prices_up_to_a_trillion_yuan(id, prices, bench):
    rule = RULES[id]

    def expected(price):
        if rule.below_range_points is not None and price < Fraction(str(rule.range_share[0])) * CEILING:
            return rule.below_range_points
        if rule.scoring == "proportion":
            points = Fraction(bench, price) * Fraction(str(rule.points))
        else:
            rate = rule.lost_above if price > bench else rule.lost_below
            points = rule.points - Fraction(abs(price - bench), bench) * 100 * Fraction(str(rate))
        return max(floor(points * 100 + Fraction(1, 2)), rule.floor_points * 100) / 100

    assert scored(id, prices, bench) == [expected(price) for price in prices]


@pytest.mark.parametrize("id", RULES)
@settings(deadline=None)
@given(prices=LOTS, data=st.data())
def test_the_order_of_the_bids_does_not_matter(id, prices, data):
    rule = RULES[id]
    drawn = {letter: values[0] for letter, values in rule.drawn.items()}
    order = data.draw(st.permutations(range(len(prices))))
    shuffled = [prices[place] for place in order]
    bench = of(id, prices, **drawn)
    np.testing.assert_equal(of(id, shuffled, **drawn), bench)
    scores, moved = scored(id, prices, bench), scored(id, shuffled, bench)
    np.testing.assert_array_equal(moved, [scores[place] for place in order])
    first, second = won(id, prices, scores), won(id, shuffled, moved)
    assert (first < 0 and second < 0) or prices[first] == shuffled[second]


@pytest.mark.parametrize("id", [id for id in RULES if id != "lowest"])
@settings(deadline=None)
@given(
    prices=st.lists(st.integers(800_000, 1_000_000), min_size=1, max_size=9),
    scale=st.sampled_from([7, 10_000]),
)
def test_prices_in_another_unit_give_the_same_benchmark_in_that_unit(id, prices, scale):
    drawn = {letter: values[-1] for letter, values in RULES[id].drawn.items()}
    small = of(id, prices, **drawn)
    large = of(id, [price * scale for price in prices], CEILING * scale, **drawn)
    assert abs(large - small * scale) <= scale / 2 + 0.5 or (np.isnan(small) and np.isnan(large))


@settings(deadline=None)
@given(prices=LOTS)
def test_a_pure_mean_lies_among_the_bids(prices):
    assert min(prices) <= of("trimmed_mean", prices) <= max(prices)


@pytest.mark.parametrize("id", RULES)
def test_all_lots_without_all_groups_are_computed_in_one_call(id):
    rng = np.random.default_rng(5)
    rule, prices = RULES[id], np.rint(rng.normal(900_000, 20_000, (4, 8)))
    ceilings = np.full(4, float(CEILING))
    draws = draw(rule, rng, counted_bids(rule, prices, ceilings))
    groups = list(combinations(range(8), 2))
    without = np.stack([prices] * len(groups))
    for place, group in enumerate(groups):
        without[place, :, list(group)] = np.nan
    at_once = benchmark(rule, without, ceilings, draws)
    assert at_once.shape == (len(groups), 4)
    scores = price_scores(rule, without, ceilings, at_once)
    winners = winner(rule, without, scores, np.zeros((4, 8)))
    for place, group in enumerate(groups):
        left = np.delete(prices, group, axis=1)
        alone = benchmark(rule, left, ceilings, draws)
        np.testing.assert_array_equal(at_once[place], alone)
        alone_winner = winner(rule, left, price_scores(rule, left, ceilings, alone), np.zeros_like(left))
        for lot in range(4):
            assert without[place, lot, winners[place, lot]] == left[lot, alone_winner[lot]]


# --- the file of the rules --------------------------------------------------------------------------


@pytest.mark.parametrize("id", RULES)
def test_pipelines_finds_the_family_of_the_rule_in_its_wording(id):
    mapping = tomllib.loads(
        (REPO / "pipelines" / "intake" / "sources" / "national.toml").read_text(encoding="utf-8")
    )
    columns = [
        record["columns"]["award_method"]
        for record in mapping["record"]
        if "award_method" in record["columns"]
    ]
    assert columns
    for column in columns:
        word = re.match(column["pattern"], RULES[id].method_text)[1]
        assert mapping["dictionaries"][column["dictionary"]][word] == RULES[id].family


def test_no_wording_of_a_rule_stands_in_that_of_another():
    texts = [rule.method_text for rule in RULES.values()]
    assert not [(one, other) for one, other in combinations(texts, 2) if one in other or other in one]


@pytest.mark.parametrize("id", RULES)
def test_every_assumed_value_is_in_the_rule(id):
    assert set(RULES[id].assumed) <= set(tomllib.loads(TEXT)[id])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('family = "lowest_price"', 'family = "cheapest"', "'lowest': family"),
        ('basis = "lowest_bid"', 'base = "lowest_bid"', "no field called 'base'"),
        ('title_zh = "综合评估法"\n', "", "'comprehensive': a field is missing.*title_zh"),
        ("fixed = { F = 0.05 }", "fixed = { G = 0.05 }", "fixed or drawn"),
        ("{ bids = 4, highest = 1, lowest = 1 }", "{ bids = 2, highest = 1, lowest = 1 }", "trimming"),
        ("range_share = [0.90, 0.95]", "range_share = [0.90]", "'range_mean'"),
        ("range_share = [0.90, 0.95]", "range_share = [0.95, 0.90]", "'range_mean'"),
        ('scoring = "proportion"', "", "scoring"),
        ("lost_above = 0.2\n", "", "lost_above"),
    ],
)
def test_a_mistake_in_the_file_is_named(before, after, message):
    assert before in TEXT
    with pytest.raises(ValueError, match=message):
        rules(tomllib.loads(TEXT.replace(before, after, 1)))


# --- what cannot be computed ------------------------------------------------------------------------


@pytest.mark.parametrize("price", [0, -1, 870_000.5, 10**14 + 1, np.inf])
def test_a_price_that_is_no_whole_sum_of_fen_is_refused(price):
    with pytest.raises(ValueError, match="whole fen"):
        of("trimmed_mean", [870_000, price])


def test_a_missing_or_impossible_coefficient_is_refused():
    with pytest.raises(ValueError, match="needs the drawn value of C"):
        of("ceiling_mean_mix", [870_000], K=0.88)
    with pytest.raises(ValueError, match="outside 0 to 1"):
        of("drawn_factor", [870_000], K=96.0)
    with pytest.raises(ValueError, match="four decimals"):
        of("drawn_factor", [870_000], K=0.96001)


# --- what the rules breed ---------------------------------------------------------------------------


def ring_share(id, spread, bids, ring_prices):
    """Share of 2,000 lots won by a ring among honest bids around 88 % of the ceiling, on price alone."""
    rng, lots, ring = np.random.default_rng(7), 2_000, len(ring_prices)
    honest = rng.normal(0.88, spread, (lots, bids - ring))
    planned = np.array(ring_prices) + rng.normal(0, 0.0002, (lots, ring))
    prices = np.rint(np.hstack([honest, planned]) * 10**9)
    ceilings = np.full(lots, 1e9)
    draws = draw(RULES[id], rng, counted_bids(RULES[id], prices, ceilings))
    scores = price_scores(RULES[id], prices, ceilings, benchmark(RULES[id], prices, ceilings, draws))
    return (winner(RULES[id], prices, scores, np.zeros_like(prices)) >= bids - ring).mean()


@pytest.mark.parametrize(("bids", "ring"), [(7, 3), (15, 5), (15, 9)])
def test_drawn_coefficients_reward_a_ladder_and_punish_a_cluster(bids, ring):
    fair = ring / bids
    assert ring_share("ceiling_mean_mix", 0.01, bids, np.linspace(0.87, 0.89, ring)) > fair + 0.05
    assert ring_share("ceiling_mean_mix", 0.01, bids, np.full(ring, 0.88)) < fair - 0.1


@pytest.mark.parametrize(("bids", "ring"), [(7, 3), (15, 5), (15, 9)])
def test_a_trimmed_mean_rewards_a_ladder_and_a_cluster(bids, ring):
    fair = ring / bids
    assert ring_share("trimmed_mean", 0.02, bids, np.linspace(0.87, 0.89, ring)) > fair + 0.05
    assert ring_share("trimmed_mean", 0.02, bids, np.full(ring, 0.88)) > fair + 0.03
