import numpy as np
import pyarrow as pa
import pytest
from places import known_rules

from detectors.kernels.rules.award_rules import LETTERS
from detectors.kernels.rules.opening_draws import draw, parse, written

RULES = known_rules()
NONE = np.nan


@pytest.mark.parametrize("id", RULES)
def test_every_value_of_the_rule_is_drawn_and_no_other(id):
    drawn = draw(RULES[id], np.random.default_rng(1), np.full(2_000, 3))
    for letter in LETTERS:
        assert set(drawn[letter][~np.isnan(drawn[letter])]) == set(RULES[id].drawn.get(letter, ()))


def test_without_a_bid_in_range_k_comes_from_other_values_and_c_is_zero():
    drawn = draw(RULES["ceiling_mean_mix"], np.random.default_rng(1), np.zeros(2_000, dtype=np.int64))
    assert set(drawn["K"]) == {0.85, 0.86, 0.87, 0.88, 0.89}
    assert set(drawn["C"]) == {0.0}


def test_drawn_values_are_written_in_one_form():
    draws = {
        "K": np.array([0.88, NONE, NONE]),
        "F": np.array([NONE, 0.055, NONE]),
        "C": np.array([0.45, NONE, NONE]),
    }
    assert written(draws).to_pylist() == ["K=0.88;C=0.45", "F=0.055", None]


@pytest.mark.parametrize("id", RULES)
def test_what_is_written_is_read_back_exactly(id):
    drawn = draw(RULES[id], np.random.default_rng(2), np.arange(500) % 2)
    read = parse(written(drawn))
    for letter in LETTERS:
        np.testing.assert_array_equal(read[letter], drawn[letter])


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "K",
        "K=",
        "K=88%",
        "K=0.88123",
        "K=0.88;K=0.89",
        "K=0.88C=0.45",
        ";K=0.88",
        "K=0.88 ",
        "D=0.1",
    ],
)
def test_a_text_of_another_form_holds_nothing(text):
    assert all(np.isnan(values).all() for values in parse(pa.array([text], pa.string())).values())
