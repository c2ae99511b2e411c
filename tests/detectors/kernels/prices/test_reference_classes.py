import numpy as np
import pandas as pd
import pytest

from detectors.kernels.prices.reference_classes import commonness, placed


def lots(count, **columns):
    frame = {"award_method": "lowest_price", "currency": "CNY", "class": "A01", "bids": 5, "year": 2026}
    return pd.DataFrame(frame | {"value": np.arange(1.0, count + 1)} | columns, index=range(count))


def test_p_value_counts_the_lots_at_least_as_far_out():
    found = placed(lots(4), "value", "low", 3)
    assert found["p_value"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert found["reference_lots"].tolist() == [3, 3, 3, 3]
    assert placed(lots(4), "value", "high", 3)["p_value"].tolist() == [1.0, 0.75, 0.5, 0.25]


def test_ties_count_against_being_unusual():
    assert placed(lots(4, value=[1.0, 1.0, 2.0, 3.0]), "value", "low", 3)["p_value"].tolist() == [
        0.5,
        0.5,
        0.75,
        1.0,
    ]


def test_the_lot_itself_is_not_its_reference():
    assert placed(lots(4), "value", "low", 4)["p_value"].isna().all()


def test_narrow_class_is_used_where_it_is_large_enough():
    found = placed(lots(10, year=[2025] * 4 + [2026] * 6), "value", "low", 5)
    assert found["reference_class"].tolist() == (
        ["lowest_price | CNY | class A01 | 5 bids"] * 4
        + ["lowest_price | CNY | class A01 | 5 bids | 2026"] * 6
    )
    assert found["p_value"].tolist()[4:] == pytest.approx([n / 6 for n in range(1, 7)])
    assert found["p_value"].tolist()[:4] == pytest.approx([n / 10 for n in range(1, 5)])


@pytest.mark.parametrize(
    ("column", "other", "label"),
    [
        ("year", 2025, "lowest_price | CNY | class A01 | 5 bids"),
        ("bids", 9, "lowest_price | CNY | class A01"),
        ("class", "B02", "lowest_price | CNY"),
    ],
)
def test_class_is_widened_step_by_step(column, other, label):
    frame = lots(8)
    frame[column] = [frame.loc[0, column]] * 4 + [other] * 4
    found = placed(frame, "value", "low", 7)
    assert set(found["reference_class"]) == {label}


@pytest.mark.parametrize(("column", "other"), [("currency", "USD"), ("award_method", "average_price")])
def test_currency_and_award_method_are_never_mixed(column, other):
    frame = lots(8)
    frame[column] = [frame.loc[0, column]] * 4 + [other] * 4
    assert placed(frame, "value", "low", 7)["p_value"].isna().all()


def test_unknown_award_method_and_missing_values_are_not_judged_and_judge_nobody():
    frame = lots(6)
    frame.loc[0, "award_method"] = None
    frame.loc[1, "value"] = np.nan
    found = placed(frame, "value", "low", 3)
    assert found["p_value"].isna().tolist() == [True, True, False, False, False, False]
    assert set(found["reference_lots"].dropna()) == {3}


def test_honest_lots_are_flagged_at_the_nominal_rate():
    frame = lots(5_000, value=np.random.default_rng(1).normal(size=5_000))
    assert (placed(frame, "value", "low", 200)["p_value"] <= 0.05).mean() == pytest.approx(0.05, abs=1e-3)


def test_common_share_leaves_the_lot_itself_out():
    frame = lots(5)
    found = commonness(frame, pd.Series([True, True, False, False, False]), 4)
    assert found["common_share"].tolist() == [0.25, 0.25, 0.5, 0.5, 0.5]


def test_common_share_is_unknown_without_enough_lots():
    assert commonness(lots(5), pd.Series([True] * 5), 5)["common_share"].isna().all()


def test_no_lots_are_placed_without_complaint():
    assert placed(lots(0), "value", "low", 3).empty
    assert commonness(lots(0), pd.Series([], dtype=bool), 3).empty
