"""Rates of inspection: those that places published, and those of a plan."""

from fractions import Fraction

import pytest

from pipelines.casework.draws import inspection_rates


def test_the_default_set_leaves_chance_in_every_class():
    of_class = inspection_rates.rates_of(inspection_rates.default_set(), {})["risk"]
    assert of_class == {
        "high": Fraction(3, 10),
        "mid_high": Fraction(1, 10),
        "mid": Fraction(1, 50),
        "low": Fraction(1, 100),
    }


def test_a_span_needs_its_rate_and_keeps_it_inside():
    with pytest.raises(ValueError, match="say the rate, such as --rate credit:A=1/20"):
        inspection_rates.rates_of("lindian_2024", {})
    own = {"credit": {"A": Fraction(1, 20), "B": Fraction(1, 5), "C": Fraction(1, 2), "D": Fraction(1)}}
    assert inspection_rates.rates_of("lindian_2024", own)["credit"]["C"] == Fraction(1, 2)
    with pytest.raises(ValueError, match="credit class C: 1/5 lies outside 21/100 to 3/5"):
        inspection_rates.rates_of("lindian_2024", {"credit": own["credit"] | {"C": Fraction(1, 5)}})


@pytest.mark.parametrize(
    ("text", "share"), [("30%", (3, 10)), ("0.3", (3, 10)), ("3/10", (3, 10)), ("0.1%", (1, 1000))]
)
def test_a_share_is_read_exactly(text, share):
    assert inspection_rates.parse_rate(text) == Fraction(*share)


@pytest.mark.parametrize("text", ["", "120%", "2", "1/0", "-5%", "三成", "1e-3"])
def test_a_word_that_is_no_share_is_refused(text):
    with pytest.raises(ValueError, match="rate"):
        inspection_rates.parse_rate(text)


def test_own_rates_are_read_by_dimension_and_class():
    found = inspection_rates.parse_own_rates(["risk:high=30%", "risk:low=0", "credit:D=3/4"])
    assert found == {"risk": {"high": Fraction(3, 10), "low": 0}, "credit": {"D": Fraction(3, 4)}}


@pytest.mark.parametrize("text", ["high=1", "risk:=1", "risk:high", "other:high=1"])
def test_an_own_rate_of_no_class_says_how_to_write_one(text):
    with pytest.raises(ValueError, match=r"write risk:high=30% or credit:D=3/4"):
        inspection_rates.parse_own_rates([text])


def test_the_random_draw_takes_a_number_or_a_share():
    assert inspection_rates.parse_random("10") == 10
    assert inspection_rates.parse_random("5%") == Fraction(1, 20)
