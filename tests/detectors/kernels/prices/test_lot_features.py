import numpy as np
import pytest

from detectors.kernels.prices.lot_features import DIGITS, features, names, price_step

RNG = np.random.default_rng(3)


def block(lots, n):
    return np.sort(np.round(RNG.uniform(900, 1100, (lots, n)), 2), axis=1)


@pytest.mark.parametrize("rate", [1.0, 0.84, 0.92, 7.1])
def test_the_step_of_prices_survives_a_conversion(rate):
    prices = RNG.integers(1_000, 90_000, 300) * 5.0
    assert price_step(prices * rate) == pytest.approx(5 * rate)


def test_prices_without_a_step_have_none():
    assert price_step(RNG.uniform(1_000, 2_000, 300) * np.pi) is None


@pytest.mark.parametrize("award", ["lowest", "average"])
@pytest.mark.parametrize("n", [2, 3, 5, 40])
def test_every_number_of_bids_gives_the_same_features(award, n):
    found = features(block(4, n), award, 0.01)
    assert tuple(found) == names(award)
    assert {column.shape for column in found.values()} == {(4,)}


def test_only_the_size_and_the_digits_change_with_the_currency():
    prices = block(6, 8)
    ours, theirs = features(prices, "average", 0.01), features(prices * 7.1, "average", 0.071)
    for name in names("average"):
        if name not in ("log_mean", "log_lowest"):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_digits_count_how_round_a_price_is():
    found = features(np.array([[1500.0, 2000.0, 2000.01]]), "lowest", 0.01)
    assert found["tens_lowest"][0] == 4  # 150000 cents
    assert found["tens_second"][0] == 5
    assert found["tens_highest"][0] == 0
    assert found["fives_lowest"][0] == 5


def test_without_a_step_digits_are_undefined():
    found = features(block(3, 4), "lowest", None)
    assert all(np.isnan(found[name]).all() for name in DIGITS)
