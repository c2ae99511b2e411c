import json

import numpy as np
import pandas as pd
import pytest
from command_line import bidwatch

from pipelines.workshop import local_labels, plain_models

WORDS = ("--lot", "lot", "--price", "price", "--label", "label", "--award", "lowest")


@pytest.fixture
def bids(tmp_path, monkeypatch):
    """A file of 310 lots of four bids, of which every third has label 1 and closer bids."""
    monkeypatch.setattr(plain_models, "TREES", 4)
    monkeypatch.setattr(plain_models, "ROUND_TREES", 4)
    monkeypatch.setattr(local_labels, "REPEATS", 1)
    rng = np.random.default_rng(1)
    label = np.repeat(np.arange(310) % 3 == 0, 4).astype(int)
    price = 1000 * np.exp(rng.normal(0, np.where(label == 1, 0.05, 0.1)))
    frame = pd.DataFrame({"lot": np.repeat(np.arange(310), 4), "price": price, "label": label})
    frame["lot"] = "=" + frame["lot"].astype(str)
    frame.to_csv(tmp_path / "bids.csv", index=False)
    return tmp_path / "bids.csv"


def test_evaluate_writes_figures_picture_page_scores_and_model(bids, tmp_path):
    done = bidwatch("evaluate", "--bids", bids, *WORDS, "--out", tmp_path / "out", "--lang", "zh")
    assert done.returncode == 0, done.stderr
    assert "310 个标段" in done.stdout
    assert "后来的标段：未评估" in done.stderr
    measured = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert measured["lots"] == 310
    assert set(measured["splits"]["lot"]) >= {
        "auc",
        "balanced_accuracy",
        "average_precision",
        "brier",
        "ece",
        "tpr_at_fpr_05",
        "precision_top_10",
    }
    page = (tmp_path / "out" / "evaluation.html").read_text(encoding="utf-8")
    assert "评估结果" in page
    assert "<svg" in page
    assert "<script" not in page
    assert "不作为认定违法事实的依据" in page
    assert (tmp_path / "out" / "reliability.svg").read_text(encoding="utf-8").startswith("<svg")
    scores = pd.read_csv(tmp_path / "out" / "scores.csv")
    assert scores["lot"].str.startswith("'=").all()  # no spreadsheet runs the name of a lot
    assert plain_models.read(tmp_path / "out" / "model.json")["lots"] == 310


def test_evaluate_names_what_a_person_can_mend(bids, tmp_path):
    done = bidwatch("evaluate", "--bids", bids, *WORDS, "--bidder", "firm", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "no column 'firm' (--bidder)" in done.stderr.replace("\n", "")
    assert not (tmp_path / "out").exists()
