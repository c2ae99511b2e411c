from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from reports.canonical_json import canonical_json


def test_a_value_has_one_text_only():
    assert canonical_json({"b": "甲", "a": [1, None]}) == '{"a":[1,null],"b":"甲"}'
    assert canonical_json({"a": [1, None], "b": "甲"}) == '{"a":[1,null],"b":"甲"}'


def test_people_can_have_it_on_several_lines():
    assert canonical_json({"b": 1, "a": [2]}, indent=2) == '{\n  "a": [\n    2\n  ],\n  "b": 1\n}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.50"), '"1.50"'),
        (Decimal("1E+3"), '"1000"'),
        (date(2026, 11, 22), '"2026-11-22"'),
        (datetime(2026, 11, 22, 1, 30, tzinfo=UTC), '"2026-11-22T01:30:00Z"'),
        (datetime(2026, 11, 22, 9, 30, tzinfo=timezone(timedelta(hours=8))), '"2026-11-22T01:30:00Z"'),
        (datetime(2026, 11, 22, 1, 30), '"2026-11-22T01:30:00Z"'),  # noqa: DTZ001
        ("甲\ud800", '"甲\\ud800"'),
    ],
)
def test_amounts_and_times_are_exact_texts(value, text):
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), object()])
def test_a_value_that_json_does_not_know_is_refused(value):
    with pytest.raises(ValueError):
        canonical_json(value)
