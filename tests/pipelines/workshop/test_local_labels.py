import re

import numpy as np
import pandas as pd
import pytest

from pipelines.workshop import labelled_bids, local_labels, plain_models
from pipelines.workshop.labelled_bids import Columns, lots_of, read_lots

COLUMNS = Columns("lot", "price", "label")


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(plain_models, "TREES", 8)
    monkeypatch.setattr(plain_models, "ROUND_TREES", 4)
    monkeypatch.setattr(local_labels, "REPEATS", 1)


def market(lots=80, close=0.02, seed=1):
    """Every second lot has label 1 and bids that lie ``close``; five bids a lot, thirty firms, a lot a day."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(lots) % 2, 5)
    spread = np.where(label == 1, close, 0.1)
    return pd.DataFrame(
        {
            "lot": np.repeat([f"L{number:03}" for number in rng.permutation(lots)], 5),
            "price": np.round(1000 * np.exp(rng.normal(0, spread)), 2),
            "label": label,
            "bidder": np.concatenate([rng.choice(30, 5, replace=False) for _ in range(lots)]).astype(str),
            "date": np.repeat(pd.date_range("2025-01-01", periods=lots), 5),
        }
    )


def splits(bids):
    return local_labels.evaluate(lots_of(bids, "lowest")).metrics["splits"]


def test_close_bids_are_learnt_and_seen_without_labels_too():
    found = splits(market())
    assert found["lot"]["auc"] > 0.9
    assert found["time"]["auc"] > 0.9
    assert found["zero_label"]["auc"] > 0.9


def test_labels_that_say_nothing_teach_nothing_however_the_file_is_sorted():
    """The order of rows, the numbers of lots and the same label in all rows of a lot give nothing away."""
    bids = market(lots=120, close=0.1).sort_values("label", ignore_index=True)
    bids["lot"] = "L" + bids["label"].astype(str) + bids["lot"]
    assert 0.3 < splits(bids)["lot"]["auc"] < 0.7


def test_the_order_of_rows_changes_nothing():
    bids = market()
    assert splits(bids) == splits(bids.sample(frac=1, random_state=3))


def test_a_split_whose_column_is_missing_is_null_with_its_reason():
    found = local_labels.evaluate(lots_of(market().drop(columns=["bidder", "date"]), "lowest")).metrics
    assert found["splits"]["time"] is None
    assert found["splits"]["bidder"] is None
    assert "--date" in found["reasons"]["time"]
    assert "--bidder" in found["reasons"]["bidder"]
    assert found["probability"]["given"] is False
    assert found["splits"]["lot"]["ece"] is None


def test_no_firm_of_a_test_lot_was_learnt_from():
    rng = np.random.default_rng(2)
    town = np.repeat(rng.integers(0, 8, 100), 4)  # firms of eight towns that seldom leave theirs
    pairs = pd.DataFrame(
        {"lot": np.repeat(np.arange(100), 4), "bidder": [f"{of}-{rng.integers(0, 6)}" for of in town]}
    ).drop_duplicates()
    tested = []
    for train, test in local_labels.firm_folds(pairs, 100):
        learnt = set(pairs.loc[pairs["lot"].isin(train), "bidder"])
        assert not learnt & set(pairs.loc[pairs["lot"].isin(test), "bidder"])
        assert len(train) > 50
        tested += test.tolist()
    assert sorted(tested) == list(range(100))


def test_few_lots_rank_and_get_no_probability_and_firms_that_all_meet_no_split():
    found = local_labels.evaluate(lots_of(market(), "lowest"))
    assert found.metrics["splits"]["bidder"] is None
    assert "share no firm" in found.metrics["reasons"]["bidder"]
    assert found.reliability.empty
    assert "probability" not in found.scores
    assert found.scores["rank"].min() == 1


def test_enough_lots_get_a_probability_that_is_true():
    found = local_labels.evaluate(lots_of(market(lots=300, close=0.07), "lowest"))
    assert found.metrics["probability"]["given"]
    assert found.metrics["splits"]["lot"]["ece"] < 0.1
    assert found.scores["probability"].between(0, 1).all()
    assert len(found.reliability) == local_labels.PICTURE_BINS


def test_too_few_lots_of_a_label_are_refused():
    with pytest.raises(ValueError, match=re.escape("9 lots have the label 1 and 9 the label 0: at least 10")):
        local_labels.evaluate(lots_of(market(lots=18), "lowest"))


def test_the_estimate_and_the_winner_become_features():
    bids = market(lots=4).assign(estimate=1000.0)
    bids["winner"] = (bids["price"] == bids.groupby("lot")["price"].transform("min")).astype(int)
    lots = lots_of(bids, "lowest")
    assert lots.names[-5:] == (*labelled_bids.ESTIMATE, *labelled_bids.WINNER)
    assert (lots.matrix[:, -2:] == 0).all()  # the lowest bid won


# ---- what is wrong with a file is said so that a person can mend it


def test_a_missing_column_is_named_with_those_that_exist(tmp_path):
    market().to_csv(tmp_path / "bids.csv", index=False)
    with pytest.raises(ValueError, match=r"no column 'lots' \(--lot\); its columns are: lot, price, label"):
        read_lots(tmp_path / "bids.csv", Columns("lots", "price", "label"), "lowest")


def test_csv_and_parquet_give_the_same(tmp_path):
    bids = market(lots=10)
    bids.to_csv(tmp_path / "bids.csv", index=False)
    bids.to_parquet(tmp_path / "bids.parquet")
    text, typed = (read_lots(tmp_path / name, COLUMNS, "lowest") for name in ("bids.csv", "bids.parquet"))
    np.testing.assert_array_equal(text.matrix, typed.matrix)
    np.testing.assert_array_equal(text.labels, typed.labels)


def test_a_label_that_is_not_0_or_1_is_refused_with_its_row():
    bids = market(lots=4).astype({"label": object})
    bids.loc[2, "label"] = "maybe"
    with pytest.raises(ValueError, match=r"must be 0 or 1; row 3 has 'maybe' \(1 such rows\)"):
        lots_of(bids, "lowest")


def test_a_lot_with_two_labels_is_refused():
    bids = market(lots=4)
    bids.loc[0, "label"] = 1
    with pytest.raises(
        ValueError, match=f"1 lots have rows with different labels, such as lot '{bids['lot'][0]}'"
    ):
        lots_of(bids, "lowest")


def test_prices_that_cannot_count_are_counted():
    bids = market(lots=4).astype({"price": object})
    bids.loc[0, "price"] = -5
    bids.loc[1, "price"] = "n/a"
    bids.loc[5:8, "price"] = 0  # leaves its lot with one bid
    lots = lots_of(bids, "lowest")
    assert lots.left_out == {"prices_unread": 1, "prices_not_positive": 5, "lots_of_one_bid": 1}
    assert len(lots.ids) == 3


@pytest.mark.parametrize("dates", [["20250131"], ["1738281600"], ["2025-01-31"], ["2025-01-31 08:00:00"]])
def test_dates_are_read_as_people_write_them(dates):
    lots = lots_of(market(lots=1).assign(date=dates * 5), "lowest")
    assert str(lots.dates.iloc[0])[:10] == "2025-01-31"


def test_a_date_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="the date '31/1' is not read"):
        lots_of(market(lots=1).assign(date="31/1"), "lowest")


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must be .csv or .parquet"):
        read_lots(tmp_path / "bids.xlsx", COLUMNS, "lowest")
