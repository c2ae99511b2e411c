import json

import numpy as np
import pytest

from detectors.kernels.prices.lot_features import names
from pipelines.workshop import plain_models

NAMES = names("lowest")


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(plain_models, "TREES", 8)
    monkeypatch.setattr(plain_models, "ROUND_TREES", 4)
    monkeypatch.setattr(plain_models, "BOOSTED", 6)
    monkeypatch.setattr(plain_models, "BOOSTED_FROM", 200)


def lots(count, seed=1):
    """Lots whose label hangs on the second feature; every tenth value is undefined."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, len(NAMES)))
    labels = (matrix[:, 1] + rng.normal(0, 0.5, count) > 0.3).astype(int)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    return matrix, labels


def test_a_model_that_went_through_json_scores_the_same_to_the_last_bit(tmp_path):
    matrix, labels = lots(300)
    model = plain_models.fit(matrix, labels, NAMES, 0)
    plain_models.write(model, tmp_path / "model.json")
    again = plain_models.read(tmp_path / "model.json")
    assert {member["kind"] for member in again["members"]} == {"forest", "boosted", "linear"}
    assert (plain_models.score(model, matrix) == plain_models.score(again, matrix)).all()


def test_the_same_lots_give_the_same_bytes():
    matrix, labels = lots(300)
    first, second = (json.dumps(plain_models.fit(matrix, labels, NAMES, 5)) for _ in range(2))
    assert first == second
    assert first != json.dumps(plain_models.fit(matrix, labels, NAMES, 6))


@pytest.mark.parametrize("kind", ["ExtraTreesClassifier", "HistGradientBoostingClassifier"])
def test_plain_trees_say_exactly_what_scikit_learn_says(monkeypatch, kind):
    grown = []

    class Watched(getattr(plain_models, kind)):
        def fit(self, *args):
            grown.append(self)
            return super().fit(*args)

    monkeypatch.setattr(plain_models, kind, Watched)
    matrix, labels = lots(300)
    columns = list(range(len(NAMES)))
    if kind == "ExtraTreesClassifier":
        member = plain_models._forest(matrix, labels, 1, columns, 8, 1)
    else:
        member = plain_models._boosted(matrix, labels, 1, columns)
    fresh, _ = lots(500, seed=2)
    theirs = grown[0].predict_proba(plain_models._filled(fresh))[:, 1]
    assert (plain_models.member_score(member, fresh) == theirs).all()


def test_few_lots_rank_and_have_no_probability():
    matrix, labels = lots(299)
    model = plain_models.fit(matrix, labels, NAMES, 0)
    assert len(plain_models.score(model, matrix)) == 299
    with pytest.raises(ValueError, match="below 300 lots or 50 with label 1"):
        plain_models.probability(model, matrix)


def test_few_positives_have_no_probability_either():
    assert not plain_models.is_enough(4000, 49)
    assert plain_models.is_enough(300, 50)


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.json: no model of this version"):
        plain_models.read(tmp_path / "x.json")
