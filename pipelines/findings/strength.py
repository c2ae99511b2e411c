"""How strong a signal is, and what several signals of one matter are worth together, in nats.

A signal's share is how seldom such a thing is seen: its p-value where the detector has one, else the share of the judged
units that the detector flags tonight, which needs no assumption. Signals of one family look at the same thing, so their
shares are combined as p-values that may depend on each other (Cauchy combination: the mean of tan((1/2 - p) pi));
families are added up, each capped, so that none decides alone. This orders lists. It is no probability.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import duckdb
import numpy as np

from detectors.interface import SEPARATOR

#: A family counts for at most so much: prices rank and corroborate, a shared device or person weighs.
MOST_OF_PRICES = 2.0
MOST_OF_A_FAMILY = 6.0

#: No share is taken to be smaller: a p-value of a model is not exact so far out.
LEAST_SHARE = 1e-6

SHARES = f"""
WITH counted AS (
    SELECT detector, count(*) AS judged, count(*) FILTER (flagged) AS flagged FROM risk.screened GROUP BY detector
)
SELECT s.detector, s.unit, coalesce(s.entities, ''),
       greatest(min(coalesce(s.p_value, (c.flagged + 0.5) / (c.judged + 1))), {LEAST_SHARE}), s.entities IS NOT NULL
FROM risk.screened AS s JOIN counted AS c ON c.detector = s.detector
WHERE s.flagged
GROUP BY ALL
"""


def shares(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], tuple[float, bool]]:
    """Return, for every flagged row, how seldom such a thing is seen, and whether it names firms.

    Returns:
        by detector, unit and sorted firms (joined with ``;``, empty where none is named).
    """
    return {
        (detector, unit, SEPARATOR.join(sorted(entities.split(SEPARATOR))) if entities else ""): (
            share,
            is_named,
        )
        for detector, unit, entities, share, is_named in con.execute(SHARES).fetchall()
    }


def combined(shares: Iterable[float]) -> float:
    """Return one share for several that may depend on each other.

    >>> round(combined([0.01]), 4)
    0.01
    """
    values = np.clip(np.fromiter(shares, float), LEAST_SHARE, 0.5)
    return float(np.clip(0.5 - np.arctan(np.tan((0.5 - values) * np.pi).mean()) / np.pi, LEAST_SHARE, 1))


def nats(share: float) -> float:
    """Return the strength of a signal that is seen so seldom: minus the logarithm, to two digits."""
    return round(-math.log(share), 2)


def most_of(family: str) -> float:
    """Return for how much a family counts at most, in nats."""
    return MOST_OF_PRICES if family == "prices" else MOST_OF_A_FAMILY


def by_family(found: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Return what each family gives, in nats, the most first.

    Args:
        found: family and share of each signal.
    """
    shares: dict[str, list[float]] = {}
    for family, share in found:
        shares.setdefault(family, []).append(share)
    given = {family: min(-float(np.log(combined(each))), most_of(family)) for family, each in shares.items()}
    return dict(sorted(given.items(), key=lambda item: (-item[1], item[0])))


def total(given: Mapping[str, float]) -> float:
    """Return the sum of what families give."""
    return float(sum(given.values()))
