import numpy as np
import pytest

from detectors.kernels.prices.rounding import amount_unit, discount_unit, lucky_unit, of_one_base

FINEST = 0.0001  # share of the ceiling
BASE = (40, 130, 1000)  # percents of a base, cents


@pytest.mark.parametrize(
    ("prices", "unit"),
    [([950_000_00, 960_000_00], 10_000_00), ([950_000_00, 951_234_50], 10), ([123], 1), ([100], 100)],
)
def test_amount_unit_is_the_largest_power_of_ten_that_divides_all(prices, unit):
    assert amount_unit(np.array([prices])).tolist() == [unit]


@pytest.mark.parametrize(
    ("share", "step"), [(0.95, 0.01), (0.955, 0.001), (0.9555, 0.0001), (0.95555, 0.0), (1.0, 0.01)]
)
def test_discount_unit_is_the_coarsest_step_of_the_ceiling(share, step):
    ceiling = 1_234_567_891.0  # cents
    cents = np.array([[round(ceiling * share)]])
    assert discount_unit(cents, np.array([ceiling]), FINEST).tolist() == [step * ceiling]


@pytest.mark.parametrize(
    ("cents", "unit"),
    [(688_800, 100_000), (1_888, 1_000), (999_900, 1_000_000), (123_400, 1), (1_238, 1), (1_277, 1)],
)
def test_two_or_more_lucky_digits_count_as_rounded(cents, unit):
    assert lucky_unit(np.array([cents]), 2).tolist() == [unit]


def test_prices_are_no_discount_without_a_ceiling():
    assert discount_unit(np.array([[95]]), np.array([np.nan]), FINEST).tolist() == [0.0]


FEE = 123_456_78.9  # of a norm, in cents


@pytest.mark.parametrize(
    ("percents", "found"),
    [
        ([80, 80, 85, 75], True),
        ([100, 70], True),
        ([80, 80, 85, 77.3], False),  # one of them has another price
        ([80, 80, 80], False),  # equal prices alone say nothing of a base
    ],
)
def test_whole_percents_of_one_unknown_base_are_known_by_their_ratios(percents, found):
    cents = np.array([[round(FEE * percent / 100) for percent in percents]])
    assert of_one_base(cents, *BASE).tolist() == [found]


def test_small_prices_are_no_percents_of_a_base():
    assert of_one_base(np.array([[801, 803, 850]]), *BASE).tolist() == [False]


def test_independent_prices_have_no_base():
    cents = np.random.default_rng(4).integers(50_000_00, 80_000_00, (2_000, 3))
    assert not of_one_base(cents, *BASE).any()
