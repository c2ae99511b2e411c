"""The figures that README quotes are those that the command wrote last."""

import json
import sys

from places import REPO

BENCHMARKS = REPO / "tests" / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
import label_markets  # noqa: E402

RESULTS = json.loads((BENCHMARKS / "label_markets.json").read_text(encoding="utf-8"))


def test_readme_quotes_the_table_of_make_evaluate():
    table = "\n".join(label_markets.lines(RESULTS))
    assert f"```\n{table}\n```" in (REPO / "README.md").read_text(encoding="utf-8")


def test_the_score_without_labels_beats_low_dispersion():
    zero = [RESULTS[name]["splits"]["zero_label"] for name in label_markets.TO_BEAT]
    gains = [each["auc"] - each["low_cv_auc"] for each in zero]
    assert sum(gains) / len(gains) >= 0.03
    assert min(gains) >= -0.01


def test_the_calibration_error_holds_where_lots_are_many():
    many = {name: found for name, found in RESULTS.items() if found["lots"] >= 1000}
    assert many
    assert all(found["splits"]["lot"]["ece"] <= 0.03 for found in many.values())
