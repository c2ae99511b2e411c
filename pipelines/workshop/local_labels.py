"""How well labelled lots can be told apart, measured in ways that do not flatter.

A lot is never split: its rows share the label, so rows drawn at random would let a model recognise a lot by another of its
bids (balanced accuracy 100 instead of 81 on one real market). Three splits answer three questions: a lot that was not
seen (``lot``), the future (``time``), firms that were not seen (``bidder``). Beside them stands the score that
needs no label (``zero_label``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from sklearn import metrics
from sklearn.model_selection import StratifiedKFold

from pipelines.workshop import plain_models
from pipelines.workshop.labelled_bids import LabelledLots

Column = NDArray[np.float64]
Places = NDArray[np.int_]

FOLDS = 5
REPEATS = 3
PAST_SHARE = 0.6  # of the lots: the model learns from them and judges the later ones
MIN_LABELLED = 10  # lots of each label; with fewer there is nothing to learn
MIN_TESTED = 5  # lots of each label; with fewer, an area under the curve says nothing
ECE_BINS = 5  # with equally many lots each; more bins would measure chance
PICTURE_BINS = 10
TOP_SHARE = 0.1
FALSE_POSITIVE_RATE = 0.05
SEED = 0

Report = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        metrics: as written to ``metrics.json``.
        scores: one row per lot: lot, bids, label, rank (1 is the first to look at, by models that did not see the lot),
            probability (only where there are lots enough), zero_label (see `lot_score`; null without one).
        reliability: one row per bin of the lot split: lots, said, seen (mean score, share of label 1); empty where the
            score is no probability.
        model: learnt from all lots, plain JSON.
    """

    metrics: Report
    scores: pd.DataFrame
    reliability: pd.DataFrame
    model: plain_models.Plain


def evaluate(lots: LabelledLots) -> Evaluation:
    """Learn from labelled lots, and say how far that goes.

    Returns:
        the metrics, and a model of all lots. AUC, TPR at a false-positive rate of 5 %, precision in the first tenth and
        average precision are means over folds and repeats; balanced accuracy is taken at the cut that was best among the lots
        learnt from; ``brier`` and ``ece`` (`ECE_BINS` bins of equally many lots) are of all unseen scores of a repeat.

    Raises:
        ValueError: fewer than `MIN_LABELLED` lots of a label.
    """
    positives = int(lots.labels.sum())
    if min(positives, len(lots.labels) - positives) < MIN_LABELLED:
        raise ValueError(
            f"{positives} lots have the label 1 and {len(lots.labels) - positives} the label 0: at least {MIN_LABELLED} of each"
            " are needed; judge more lots before a model can learn from them"
        )
    is_probability = plain_models.is_enough(len(lots.labels), positives)
    by_lot, unseen = _repeated(lots, is_probability)
    splits: Report = {"lot": by_lot, "time": None, "bidder": None, "zero_label": None}
    reasons: dict[str, str] = {}
    measured: Report = {
        "lots": len(lots.labels),
        "positives": positives,
        "base_rate": positives / len(lots.labels),
        "left_out": dict(lots.left_out),
        "price_step": lots.price_step,
        "probability": {
            "given": is_probability,
            "reason": None
            if is_probability
            else f"fewer than {plain_models.MIN_LOTS} lots or {plain_models.MIN_POSITIVES} with label 1: scores rank only",
        },
        "splits": splits,
        "reasons": reasons,
    }
    for name, found in (
        ("time", _forward(lots, is_probability)),
        ("bidder", _unseen_firms(lots, is_probability)),
        ("zero_label", _zero_label(lots)),
    ):
        if isinstance(found, str):
            reasons[name] = found
        else:
            splits[name] = found
    mean = unseen.mean(axis=0)
    scores = pd.DataFrame({"lot": lots.ids, "bids": lots.bids, "label": lots.labels})
    scores["rank"] = pd.Series(-mean).rank(method="min").astype(int)
    if is_probability:
        scores["probability"] = expit(mean)
    scores["zero_label"] = lots.screens["score"].to_numpy()
    return Evaluation(
        measured,
        scores,
        reliability(lots.labels, expit(unseen[0]), PICTURE_BINS) if is_probability else pd.DataFrame(),
        _fit(lots, np.arange(len(lots.labels)), SEED),
    )


# ---- the splits


def _repeated(lots: LabelledLots, is_probability: bool) -> tuple[Report, Column]:
    """Whole lots in folds, several times; also the unseen scores, shape (repeats, lots)."""
    unseen = np.empty((REPEATS, len(lots.labels)))
    folds, wholes = [], []
    for repeat in range(REPEATS):
        split = StratifiedKFold(FOLDS, shuffle=True, random_state=repeat)
        for train, test in split.split(lots.matrix, lots.labels):
            found, unseen[repeat, test] = _judged(lots, train, test, repeat)
            folds.append(found)
        wholes.append(_calibration(lots.labels, unseen[repeat], is_probability))
    report = _mean(folds) | _mean(wholes)
    report["auc_sd"] = float(np.std([each["auc"] for each in folds]))
    return report | {"folds": FOLDS, "repeats": REPEATS, "low_cv_auc": _low_cv(lots, lots.bids >= 2)}, unseen


def _forward(lots: LabelledLots, is_probability: bool) -> Report | str:
    """Learn from the earlier lots, judge the later ones; lots of one moment stay together."""
    if lots.dates is None:
        return "no column of dates was named (--date)"
    if lots.dates.isna().any():
        return f"{int(lots.dates.isna().sum())} lots have no date"
    moment = lots.dates.to_numpy()
    last = np.sort(moment)[max(int(PAST_SHARE * len(moment)) - 1, 0)]
    train, test = np.flatnonzero(moment <= last), np.flatnonzero(moment > last)
    if lack := _lack(lots, train, test):
        return lack
    found, unseen = _judged(lots, train, test, SEED)
    found |= _calibration(lots.labels[test], unseen, is_probability)
    return found | {"train_lots": len(train), "test_lots": len(test), "train_until": str(last)[:10]}


def _unseen_firms(lots: LabelledLots, is_probability: bool) -> Report | str:
    """Judge lots by models that never met one of their firms."""
    if lots.bidders is None:
        return "no column of bidders was named (--bidder)"
    unseen = np.full(len(lots.labels), np.nan)
    folds, learnt = [], []
    for train, test in firm_folds(lots.bidders, len(lots.labels)):
        if _lack(lots, train, test, least=1):
            continue
        found, unseen[test] = _judged(lots, train, test, SEED)
        folds.append(found)
        learnt.append(len(train))
    judged = np.flatnonzero(np.isfinite(unseen))
    if not folds or min(np.bincount(lots.labels[judged], minlength=2)) < MIN_TESTED:
        return (
            f"the firms meet so often that too few lots are left that share no firm: {len(judged)} lots could be judged,"
            f" with {int(lots.labels[judged].sum())} of label 1; {MIN_TESTED} of each label are needed"
        )
    report = _mean(folds) | _calibration(lots.labels[judged], unseen[judged], is_probability)
    return report | {"folds": len(folds), "train_lots": int(np.mean(learnt)), "test_lots": len(judged)}


def firm_folds(bidders: pd.DataFrame, lots: int) -> Iterator[tuple[Places, Places]]:
    """Split lots so that no firm of a test lot stands in a training lot.

    Firms that meet often stay together (communities of the graph of joint lots, heaviest first into the emptiest fold); a
    lot belongs to the fold of most of its firms. Training lots with a firm of a test lot are left out.

    Args:
        bidders: ``lot`` (position) and ``bidder``, one row per pair.
        lots: how many lots there are.

    Yields:
        positions of training and test lots.
    """
    pairs = bidders.merge(bidders, on="lot")
    met = pairs[pairs["bidder_x"] < pairs["bidder_y"]].groupby(["bidder_x", "bidder_y"]).size()
    graph = nx.Graph()
    graph.add_nodes_from(sorted(bidders["bidder"].unique()))
    graph.add_weighted_edges_from(met.reset_index().itertuples(index=False, name=None))
    communities = nx.community.louvain_communities(graph, seed=SEED)
    count = bidders["bidder"].value_counts()
    weighed = sorted(communities, key=lambda firms: (-int(count[list(firms)].sum()), min(firms)))
    fold: dict[str, int] = {}
    load = [0] * FOLDS
    for firms in weighed:
        emptiest = int(np.argmin(load))
        load[emptiest] += int(count[list(firms)].sum())
        fold |= dict.fromkeys(firms, emptiest)
    placed = bidders.assign(fold=bidders["bidder"].map(fold))
    of_lot = placed.groupby("lot")["fold"].agg(lambda folds: folds.mode().iloc[0])
    every = np.arange(lots)
    for number in range(FOLDS):
        test = of_lot.index[of_lot == number].to_numpy()
        firms_of_test = set(bidders.loc[bidders["lot"].isin(test), "bidder"])
        shared = bidders.loc[bidders["bidder"].isin(firms_of_test), "lot"]
        known = np.setdiff1d(every, shared)
        yield np.intersect1d(known, of_lot.index.to_numpy()), test


def _zero_label(lots: LabelledLots) -> Report | str:
    has_score = lots.screens["score"].notna().to_numpy()
    if len(np.unique(lots.labels[has_score])) < 2:
        return "too few lots of three bids and more to compare with one another"
    score = lots.screens["score"].to_numpy()[has_score]
    return {
        "auc": _auc(lots.labels[has_score], score),
        "low_cv_auc": _low_cv(lots, has_score),
        "lots": int(has_score.sum()),
    }


def _low_cv(lots: LabelledLots, chosen: NDArray[np.bool_]) -> float:
    return _auc(lots.labels[chosen], -lots.screens["cv"].to_numpy()[chosen])


# ---- judging


def _fit(lots: LabelledLots, train: Places, seed: int) -> plain_models.Plain:
    return plain_models.fit(lots.matrix[train], lots.labels[train], lots.names, seed)


def _judged(lots: LabelledLots, train: Places, test: Places, seed: int) -> tuple[Report, Column]:
    model = _fit(lots, train, seed)
    score = plain_models.score(model, lots.matrix[test])
    is_found = score >= model["cut"]
    return ranking(lots.labels[test], score) | {
        "balanced_accuracy": _balanced(lots.labels[test], is_found)
    }, score


def ranking(labels: Places, score: Column) -> Report:
    """Return how well scores order lots: auc, average_precision, tpr_at_fpr_05, precision_top_10."""
    first = np.argsort(-score, kind="stable")[: max(int(np.ceil(TOP_SHARE * len(score))), 1)]
    if len(np.unique(labels)) < 2:
        return dict.fromkeys(("auc", "average_precision", "tpr_at_fpr_05"), np.nan) | {
            "precision_top_10": float(labels[first].mean())
        }
    false, true, _ = metrics.roc_curve(labels, score)
    return {
        "auc": _auc(labels, score),
        "average_precision": float(metrics.average_precision_score(labels, score)),
        "tpr_at_fpr_05": float(true[false <= FALSE_POSITIVE_RATE].max()),
        "precision_top_10": float(labels[first].mean()),
    }


def _balanced(labels: Places, is_found: NDArray[np.bool_]) -> float:
    if len(np.unique(labels)) < 2:
        return float("nan")
    return float(metrics.balanced_accuracy_score(labels, is_found))


def reliability(labels: Places, probability: Column, bins: int) -> pd.DataFrame:
    """Return, bin by bin of equally many lots, what was said and what was seen: lots, said, seen."""
    order = np.argsort(probability, kind="stable")
    return pd.DataFrame(
        [
            {"lots": len(part), "said": probability[part].mean(), "seen": labels[part].mean()}
            for part in np.array_split(order, bins)
            if len(part)
        ]
    )


def _calibration(labels: Places, score: Column, is_probability: bool) -> Report:
    if not is_probability:
        return {"brier": None, "ece": None}
    probability = expit(score)
    bins = reliability(labels, probability, ECE_BINS)
    gap = (bins["said"] - bins["seen"]).abs()
    return {
        "brier": float(np.mean((probability - labels) ** 2)),
        "ece": float((gap * bins["lots"]).sum() / bins["lots"].sum()),
    }


def _lack(lots: LabelledLots, train: Places, test: Places, least: int = MIN_TESTED) -> str:
    learnt = np.bincount(lots.labels[train], minlength=2)
    tested = np.bincount(lots.labels[test], minlength=2)
    if min(learnt) < plain_models.ROUNDS or (min(tested) if least > 1 else len(test)) < least:
        return (
            f"too few lots of a label: {learnt[1]} of {len(train)} to learn from and {tested[1]} of {len(test)} to judge"
            f" have label 1"
        )
    return ""


def _auc(labels: Places, score: Column) -> float:
    return float(metrics.roc_auc_score(labels, score))


def _mean(reports: list[Report]) -> Report:
    frame = pd.DataFrame(reports)
    return {str(name): None if frame[name].isna().all() else float(frame[name].mean()) for name in frame}
