"""Figures by which a detector is trusted or not: what is true of its flags, what it finds, what it flags falsely.

From the rows that `evaluation.seen` sets beside the truth of a simulated county, and from the units judged in
real markets. `tests/benchmarks/detector_report.py` prints them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import beta

from detectors.interface import Grade
from detectors.registry import Loaded
from pipelines.workshop.evaluation import Truth

FALSE_SHARE = 0.01  # of judged honest units that may be flagged, where the detector names no probability
BLIND_FLAGS = 10  # in a county with rings; fewer are too few to compare with chance
REAL_SHARE = (
    0.05  # of a real market, but for what labels call collusive: a detector that flags more is experimental
)
REAL_UNITS = 20  # judged units of a real market below which a single flag is more than that share
CONFIDENCE = 0.95


def precision(units: pd.DataFrame) -> pd.DataFrame:
    """Return, by detector: judged, flagged, true (units), precision (true / flagged), base.

    ``base`` is the share of all judged units that are of a ring: what flagging blindly would give.
    """
    found: pd.DataFrame = units.groupby("detector").agg(
        judged=("unit", "size"),
        flagged=("is_flagged", "sum"),
        true=("is_true", "sum"),
        base=("is_of_ring", "mean"),
    )
    return found.assign(precision=found["true"] / found["flagged"].where(found["flagged"] > 0))


def false_flags(units: pd.DataFrame) -> pd.DataFrame:
    """Return, by detector: judged, false (flagged units that are not true), share, low, high.

    ``low`` and ``high`` are one-sided bounds of the share, each at `CONFIDENCE`, as if units were independent.
    """
    is_false = units["is_flagged"] & ~units["is_true"]
    by = is_false.groupby(units["detector"])
    found = pd.DataFrame({"judged": by.size(), "false": by.sum()})
    low, high = bounds(found["false"].to_numpy(), found["judged"].to_numpy())
    return found.assign(share=found["false"] / found["judged"], low=low, high=high)


def bounds(count: np.ndarray, of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact lower and upper bound of a share, each one-sided at `CONFIDENCE`.

    Args:
        count: of ``of`` things, shape (n,), 0 <= count <= of, of > 0.

    Source:
        Clopper and Pearson's exact binomial limits, as quantiles of the beta distribution.
    """
    low = np.where(count > 0, beta.ppf(1 - CONFIDENCE, np.maximum(count, 1), of - count + 1), 0.0)
    high = np.where(count < of, beta.ppf(CONFIDENCE, count + 1, np.maximum(of - count, 1)), 1.0)
    return low, high


def gate(detector: Loaded) -> float:
    """Return the share of honest units that a detector may flag.

    One in a hundred for grades A and B; for C its nominal probability, where it names one.
    """
    limits = detector.limits
    if detector.facts.grade is not Grade.C:
        return FALSE_SHARE
    return float(getattr(limits, "max_p", getattr(limits, "max_q", FALSE_SHARE)))


def verdict(judged: int, share: float, low: float, gate: float) -> str:
    """Say whether a share of false flags passes its gate.

    Args:
        judged: honest units.
        share, low: of `false_flags`.
        gate: of `gate`.

    Returns:
        ``holds``; ``over`` (chance can explain it) or ``fails``; ``few``: no flag at all among so few units would
        still leave the upper bound above the gate; ``no units``.
    """
    if not judged:
        return "no units"
    if share > gate:
        return "over" if low <= gate else "fails"
    return "few" if (1 - gate) ** judged > 1 - CONFIDENCE else "holds"


def gates(
    detectors: Sequence[Loaded], honest: pd.DataFrame, markets: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Return, by detector: false flags on the honest county, the gate, the worst real market, and whether it passes.

    Columns: those of `false_flags`; gate; verdict; real_share, real_set (of the market of which it flags most, among
    those with `REAL_UNITS` judged units); passes: the verdict holds, and no more than `REAL_SHARE` of any such
    market is flagged.

    Args:
        detectors: those to judge.
        honest: units of `evaluation.seen` of a county without rings.
        markets: real markets; detector, unit, is_flagged, one row per detector and unit. Where there is a column
            is_collusive, the units of which it is true are left out: to flag them is no fault.
    """
    table = false_flags(honest).reindex([detector.id for detector in detectors])
    table[["judged", "false"]] = table[["judged", "false"]].fillna(0).astype("int64")
    table["gate"] = [gate(detector) for detector in detectors]
    table["verdict"] = [
        verdict(*row) for row in table[["judged", "share", "low", "gate"]].itertuples(index=False)
    ]
    table["real_share"], table["real_set"] = np.nan, ""
    for name, market in markets.items():
        units = market[~market["is_collusive"].eq(True)] if "is_collusive" in market else market
        by = units.groupby("detector")["is_flagged"]
        share = by.mean().where(by.size() >= REAL_UNITS).reindex(table.index)
        is_worst = share.notna() & ~(share <= table["real_share"])
        table.loc[is_worst, "real_share"], table.loc[is_worst, "real_set"] = share[is_worst], name
    table["passes"] = table["verdict"].eq("holds") & ~table["real_share"].gt(REAL_SHARE)
    return table


def held_back(gates: pd.DataFrame, precision: pd.DataFrame) -> pd.Series:
    """Say why a detector stays experimental; an empty text where it earned the status test.

    Reasons: the verdict that is not ``holds``; ``loud`` (more than `REAL_SHARE` of a real market); ``blind``
    (`BLIND_FLAGS` flags or more in a county with rings, of which fewer are true than of all judged units).

    Args:
        gates: of `gates`.
        precision: of `precision`, by detector; without a value where the truth does not judge its units.
    """
    found = precision.reindex(gates.index)
    is_blind = (found["flagged"] >= BLIND_FLAGS) & (found["precision"] < found["base"])
    loud = pd.Series("loud", index=gates.index).where(gates["real_share"] > REAL_SHARE, "")
    blind = pd.Series("blind", index=gates.index).where(is_blind, "")
    why = gates["verdict"].where(gates["verdict"] != "holds", loud)
    return why.where(why != "", blind).astype("str")


def rings_seen(hits: pd.DataFrame, detectors: Iterable[str], truth: Truth) -> pd.DataFrame:
    """Return one row per detector and ring that acted: what was seen of the ring.

    Columns: detector, ring, tactic, care; lots (in which it acted), lots_seen (of them, those with a hit in
    the lot), is_found (any hit).

    Args:
        hits: of `evaluation.seen`; ``detector`` may hold another word, such as ``two`` of `twice`.
        detectors: the values of ``detector`` to report.
        truth: of the same county.
    """
    acted = truth.lots[truth.lots["ring"].notna() & truth.lots["is_forgone"].eq("no")]
    rings = truth.rings[["ring", "tactic", "care"]].merge(
        acted.groupby("ring").size().rename("lots"), left_on="ring", right_index=True
    )
    names = pd.DataFrame({"detector": sorted(detectors)}, dtype="str")
    there = hits.merge(acted[["ring", "lot_id"]], on=["ring", "lot_id"])
    lots = there.groupby(["detector", "ring"])["lot_id"].nunique()
    found = hits.groupby(["detector", "ring"]).size().gt(0)
    both = names.merge(rings, how="cross").join(lots.rename("lots_seen"), on=["detector", "ring"])
    both = both.join(found.rename("is_found"), on=["detector", "ring"])
    return both.assign(
        lots_seen=both["lots_seen"].fillna(0).astype("int64"), is_found=both["is_found"].eq(True)
    )


def twice(hits: pd.DataFrame, families: Mapping[str, str]) -> pd.DataFrame:
    """Return the hits on rings, and on lots, that detectors of two families share; ``detector`` is then 'two'.

    Args:
        hits: of `evaluation.seen`.
        families: by detector.
    """
    family = hits["detector"].map(families)
    by_ring = family.groupby(hits["ring"]).nunique()
    by_lot = family.groupby([hits["ring"], hits["lot_id"]]).nunique()  # hits without a lot drop out here
    lots = by_lot[by_lot > 1].index.to_frame(index=False)
    rings = pd.DataFrame({"ring": by_ring[by_ring > 1].index, "lot_id": None})
    return pd.concat([rings, lots], ignore_index=True).assign(detector="two")


def lots_flagged(units: pd.DataFrame, strong: Collection[str], families: Mapping[str, str]) -> pd.Series:
    """Return how many lots have a false flag of a ``strong`` detector, and how many have some of ``two`` families.

    Args:
        units: of `evaluation.seen`.
        strong: ids of detectors.
        families: by detector.
    """
    false = units[units["is_flagged"] & ~units["is_true"]].dropna(subset="lot_id")
    of_lot = false["detector"].map(families).groupby(false["lot_id"]).nunique()
    by_strong = false.loc[false["detector"].isin(strong), "lot_id"].nunique()
    return pd.Series({"strong": by_strong, "two": int((of_lot > 1).sum())})
