"""Models as plain JSON: scikit-learn grows the trees, and everything scores from the JSON alone.

A model is a few *members* (forests, boosted trees, a linear one) and their weights. How to weigh them is learnt from what
they say of lots that they did not see: each of four rounds grows them on three quarters of the lots and scores the rest.
So the score is calibrated without a lot judging itself. Same lots, same seed, same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from detectors.kernels.prices.lot_features import CORE, DIGITS

Column = NDArray[np.float64]
Matrix = NDArray[np.float64]
Plain = dict[str, Any]

FORMAT = "bidwatch lot model 1"
MIN_LOTS = 300  # with fewer, a score ranks and is no probability
MIN_POSITIVES = 50
ROUNDS = 4
TREES = 120  # of each forest
ROUND_TREES = 40  # in a round, which only weighs
BOOSTED = 100
SHAPE_FROM = 150  # lots; with fewer, a forest over all distances and quantiles learns chance
BOOSTED_FROM = 1000  # lots; with fewer, boosted trees only blur the forests
MISSING = -99.0  # stands for an undefined feature in trees: below every defined one
EDGE = 0.01  # members say nothing surer than this or its opposite
LINEAR_FROM_STDS = 3.0  # a linear member sees no feature further out than so many standard deviations


def fit(matrix: Matrix, labels: NDArray[np.int_], names: Sequence[str], seed: int) -> Plain:
    """Learn a model from labelled lots.

    Args:
        matrix: one row per lot, one column per feature, NaN where undefined, shape (lots, features).
        labels: 0 or 1, shape (lots,), at least `ROUNDS` of each.
        names: of the columns, see `detectors.kernels.prices.lot_features`.
        seed: of everything random.

    Returns:
        the model; `json.dumps` and back changes nothing. ``cut`` is the score that told the unseen lots apart best, by
        balanced accuracy.

    Raises:
        ValueError: too few lots of one label.
    """
    if min(np.bincount(labels, minlength=2)) < ROUNDS:
        raise ValueError(f"fewer than {ROUNDS} lots of one label: nothing can be learnt")
    sees = {
        "core": [place for place, name in enumerate(names) if name in CORE],
        "shape": [place for place, name in enumerate(names) if name not in DIGITS],
        "all": list(range(len(names))),
    }
    folds = StratifiedKFold(ROUNDS, shuffle=True, random_state=seed).split(matrix, labels)
    with threadpool_limits(1):  # sums in one order
        members = _grown(matrix, labels, sees, seed, TREES, len(labels))
        unseen = np.empty((len(labels), len(members)))
        for number, (train, rest) in enumerate(folds):
            few = _grown(matrix[train], labels[train], sees, seed * ROUNDS + number, ROUND_TREES, len(labels))
            unseen[rest] = _log_odds(few, matrix[rest])
        if len(labels) >= SHAPE_FROM:
            learnt = LogisticRegression(C=0.1).fit(unseen, labels)
            weights, intercept = learnt.coef_[0], float(learnt.intercept_[0])
        else:  # too few lots to say which member is the better one
            weights, intercept = np.full(len(members), 1 / len(members)), 0.0
    false, true, cuts = roc_curve(labels, intercept + unseen @ weights)
    return {
        "format": FORMAT,
        "features": list(names),
        "lots": len(labels),
        "positives": int(labels.sum()),
        "weights": weights.tolist(),
        "intercept": intercept,
        "cut": float(cuts[np.argmax(true - false)]),
        "members": members,
    }


def score(model: Plain, matrix: Matrix) -> Column:
    """Return the log odds of lots from the plain model, the larger the more like lots with label 1: they rank.

    Args:
        model: of `fit`, or read back from JSON.
        matrix: one row per lot, columns as ``model["features"]``.

    Returns:
        shape (lots,).
    """
    if len(matrix) == 0:
        return np.empty(0)
    total = np.full(len(matrix), model["intercept"])
    for weight, said in zip(model["weights"], _log_odds(model["members"], matrix).T, strict=True):
        total += weight * said
    return total


def probability(model: Plain, matrix: Matrix) -> Column:
    """Return the probability of label 1 of lots, in the market and award method of the model, shape (lots,).

    Raises:
        ValueError: the model learnt from too few lots to give one.
    """
    if not is_enough(model["lots"], model["positives"]):
        raise ValueError(
            f"the model learnt from {model['lots']} lots, {model['positives']} with label 1: below {MIN_LOTS} lots or"
            f" {MIN_POSITIVES} with label 1 it ranks and gives no probability"
        )
    result: Column = expit(score(model, matrix))
    return result


def is_enough(lots: int, positives: int) -> bool:
    """Say whether so many lots, and of them with label 1, can bear a probability."""
    return lots >= MIN_LOTS and positives >= MIN_POSITIVES


def write(model: Plain, path: Path) -> None:
    """Write a model; equal models are equal bytes."""
    path.write_text(json.dumps(model, separators=(",", ":"), allow_nan=False) + "\n", encoding="utf-8")


def read(path: Path) -> Plain:
    """Read a model that `write` wrote.

    Raises:
        ValueError: it is no such file.
    """
    model: Plain = json.loads(path.read_text(encoding="utf-8"))
    if model.get("format") != FORMAT:
        raise ValueError(f"{path}: no model of this version ({FORMAT})")
    return model


# ---- growing the members


def _grown(
    matrix: Matrix,
    labels: NDArray[np.int_],
    sees: Mapping[str, list[int]],
    seed: int,
    trees: int,
    all_lots: int,
) -> list[Plain]:
    """Grow the members that so many lots in all can bear."""
    members = [_forest(matrix, labels, seed, sees["core"], trees, 2), _linear(matrix, labels, sees["all"])]
    if all_lots >= SHAPE_FROM:
        members.append(_forest(matrix, labels, seed, sees["shape"], trees, 1))
    if all_lots >= BOOSTED_FROM:
        members.append(_boosted(matrix, labels, seed, sees["all"]))
    return members


def _forest(
    matrix: Matrix, labels: NDArray[np.int_], seed: int, columns: list[int], trees: int, smallest_leaf: int
) -> Plain:
    grown = ExtraTreesClassifier(
        trees,
        min_samples_leaf=max(smallest_leaf, len(labels) // 500),
        max_features=0.5,
        class_weight="balanced",
        random_state=seed,
        n_jobs=1,
    ).fit(_filled(matrix[:, columns]), labels)
    plain = [
        {
            "feature": [columns[place] if place >= 0 else -1 for place in tree.feature.tolist()],
            "threshold": tree.threshold.tolist(),
            "left": tree.children_left.tolist(),
            "right": tree.children_right.tolist(),
            "value": tree.value[:, 0, 1].tolist(),
        }
        for tree in (each.tree_ for each in grown.estimators_)
    ]
    return {"kind": "forest", "trees": plain}


def _boosted(matrix: Matrix, labels: NDArray[np.int_], seed: int, columns: list[int]) -> Plain:
    grown = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=BOOSTED,
        max_leaf_nodes=8,
        min_samples_leaf=10,
        l2_regularization=1.0,
        max_features=0.3,
        early_stopping=False,
        random_state=seed,
    ).fit(_filled(matrix[:, columns]), labels)
    trees = [
        {
            "feature": np.where(nodes["is_leaf"], -1, nodes["feature_idx"]).tolist(),
            "threshold": np.where(nodes["is_leaf"], 0.0, nodes["num_threshold"]).tolist(),
            "left": nodes["left"].tolist(),
            "right": nodes["right"].tolist(),
            "value": nodes["value"].tolist(),
        }
        for nodes in (each[0].nodes for each in grown._predictors)
    ]
    return {"kind": "boosted", "start": float(grown._baseline_prediction[0, 0]), "trees": trees}


def _linear(matrix: Matrix, labels: NDArray[np.int_], columns: list[int]) -> Plain:
    matrix = matrix[:, columns]
    defined = np.isfinite(matrix)
    count = np.maximum(defined.sum(axis=0), 1)
    mean = np.where(defined, matrix, 0.0).sum(axis=0) / count
    deviation = np.sqrt((np.where(defined, matrix - mean, 0.0) ** 2).sum(axis=0) / count)
    deviation = np.where(deviation > 0, deviation, 1.0)
    fitted = LogisticRegression(C=0.1, max_iter=1000).fit(_standard(matrix, mean, deviation), labels)
    return {
        "kind": "linear",
        "columns": columns,
        "mean": mean.tolist(),
        "deviation": deviation.tolist(),
        "weights": fitted.coef_[0].tolist(),
        "intercept": float(fitted.intercept_[0]),
    }


# ---- scoring


def member_score(member: Plain, matrix: Matrix) -> Column:
    """Return what one member says of lots: a share of votes (forest) or a probability, shape (lots,)."""
    if member["kind"] == "linear":
        mean, deviation = np.asarray(member["mean"]), np.asarray(member["deviation"])
        total = np.full(len(matrix), member["intercept"])
        seen = _standard(matrix[:, member["columns"]], mean, deviation)
        for weight, column in zip(member["weights"], seen.T, strict=True):
            total += weight * column
        linear: Column = expit(total)
        return linear
    filled = _filled(matrix)
    start = member.get("start", 0.0)
    total = np.full(len(matrix), start)
    for tree in member["trees"]:
        total += _leaf_values(tree, filled)
    voted: Column = total / len(member["trees"]) if member["kind"] == "forest" else expit(total)
    return voted


def _log_odds(members: list[Plain], matrix: Matrix) -> Matrix:
    said = np.column_stack([member_score(member, matrix) for member in members])
    result: Matrix = logit(np.clip(said, EDGE, 1 - EDGE))
    return result


def _leaf_values(tree: Plain, filled: NDArray[np.float32]) -> Column:
    """Walk all rows down a tree together; children of a leaf are never asked for."""
    feature, threshold = np.asarray(tree["feature"]), np.asarray(tree["threshold"])
    left, right = np.asarray(tree["left"]), np.asarray(tree["right"])
    at = np.zeros(len(filled), dtype=np.int64)
    open_rows = np.flatnonzero(feature[at] >= 0)
    while len(open_rows):
        here = at[open_rows]
        goes_left = filled[open_rows, feature[here]] <= threshold[here]
        at[open_rows] = np.where(goes_left, left[here], right[here])
        open_rows = open_rows[feature[at[open_rows]] >= 0]
    values: Column = np.asarray(tree["value"])[at]
    return values


def _filled(matrix: Matrix) -> NDArray[np.float32]:
    """Return what trees see. Single precision: scikit-learn's forests compare in it."""
    return np.where(np.isfinite(matrix), matrix, MISSING).astype(np.float32)


def _standard(matrix: Matrix, mean: Column, deviation: Column) -> Matrix:
    standard = np.where(np.isfinite(matrix), (matrix - mean) / deviation, 0.0)
    return np.clip(standard, -LINEAR_FROM_STDS, LINEAR_FROM_STDS)
