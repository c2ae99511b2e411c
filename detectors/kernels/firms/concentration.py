"""Wins with one partner: does a firm win more with a buyer, an agency or an expert than elsewhere?

Who bids where is not judged: a firm near its buyer bids there often and lawfully. What is judged is
how often it wins where it bids with that partner, given how many others bid there, how often it
wins elsewhere, and how much firms differ in strength.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, gamma

from detectors.interface import Engine, Need

#: Strengths at which the chance of a record is computed: how exact the sums are.
NODES = 41

#: Pairs computed at a time: keeps the temporary arrays in tens of megabytes.
STEP = 50_000

#: Follows ``WITH partners AS (...)``, which gives ``lot_id`` and ``partner_id``, one row each. A lot
#: counts where somebody won and somebody lost; each bidder of a lot with n bids is expected to
#: win 1/n of it.
RECORD = """,
decided AS (
    SELECT lot_id, count(*) AS bids, CAST(sum(CASE WHEN is_winner THEN 1 ELSE 0 END) AS BIGINT) AS winners
    FROM core.bids
    GROUP BY lot_id
),
record AS (
    SELECT b.lot_id, b.bidder_id, CASE WHEN b.is_winner THEN 1 ELSE 0 END AS is_won,
           CAST(d.winners AS DOUBLE) / NULLIF(d.bids, 0) AS expected
    FROM core.bids AS b
    JOIN decided AS d ON d.lot_id = b.lot_id
    WHERE d.winners > 0 AND d.bids > d.winners
)
"""

#: Follows `RECORD`; one row per partner and bidder.
WINS = """,
career AS (
    SELECT bidder_id, count(*) AS lots, CAST(sum(is_won) AS BIGINT) AS wins, sum(expected) AS expected,
           sum(expected * (1 - expected)) AS variance
    FROM record
    GROUP BY bidder_id
),
together AS (
    SELECT p.partner_id, r.bidder_id, count(*) AS lots, CAST(sum(r.is_won) AS BIGINT) AS wins, sum(r.expected) AS expected,
           string_agg(r.lot_id, ';' ORDER BY r.lot_id) AS lot_ids
    FROM record AS r
    JOIN partners AS p ON p.lot_id = r.lot_id
    GROUP BY p.partner_id, r.bidder_id
)
SELECT t.partner_id, t.bidder_id, t.lots, t.wins, t.expected, t.lot_ids,
       c.lots AS career_lots, c.wins AS career_wins, c.expected AS career_expected, c.variance
FROM together AS t
JOIN career AS c ON c.bidder_id = t.bidder_id
ORDER BY t.partner_id, t.bidder_id
"""


def partner_needs(partners: str, missing: tuple[str, str], few: tuple[str, str]) -> tuple[Need, Need, Need]:
    """Return what a firm needs so that its wins with one partner can be judged by `wins_together`.

    Args:
        partners: as for `wins_together`.
        missing: what is said, in English and Chinese, where no partner is known in any decided lot of the firm.
        few: the same, where the firm has too few lots with any one partner.
    """
    return (
        Need(
            "no lot whose winner is known and in which somebody lost",
            "所投标段中标人不明或无落标者",
            f"{partners}{RECORD}SELECT DISTINCT bidder_id AS unit FROM record",
        ),
        Need(*missing, f"SELECT bidder_id AS unit FROM ({partners}{RECORD}{WINS}) AS together"),
        Need(*few),
    )


def wins_together(engine: Engine, partners: str, min_lots: int, max_strength: float) -> pd.DataFrame:
    """Return how often each firm won with each partner, and how likely at least that was.

    The strength of a firm multiplies its odds of winning a lot, which are 1 to n - 1 for a firm of
    strength 1 among n bidders. Strength varies between firms as a gamma variable with mean 1; its
    spread is measured on all firms. Wins elsewhere narrow the firm's own strength down; a firm
    without lots elsewhere is judged by the spread alone. Where all others are much alike, one firm may
    still be far stronger: so a firm with enough lots elsewhere is also judged as if any strength up to
    ``max_strength`` were equally likely beforehand, and the larger probability counts.

    Args:
        engine: the tables.
        partners: ``WITH partners AS (...)`` giving ``lot_id`` and ``partner_id``.
        min_lots: lots that a firm must have bid for with a partner to be judged, and elsewhere to be
            judged by its own record.
        max_strength: most that a firm can differ from the average one, up or down, as a factor.

    Returns:
        One row per partner and bidder with ``partner_id``, ``bidder_id``, ``lots``, ``wins`` and
        ``expected`` (with the partner; wins if all bidders of a lot had equal chances), ``lot_ids``, the first
        three elsewhere (``other_*``), ``firms`` (on which the spread was measured) and ``p_value``:
        probability of at least as many wins.

    Source:
        this project's own: binomial wins with a gamma mixture of odds, spread by moments.
    """
    pairs: pd.DataFrame = engine.run(partners + RECORD + WINS).to_pandas()
    firms = pairs.drop_duplicates("bidder_id")
    judged = pairs[pairs["lots"] >= min_lots].reset_index(drop=True)
    judged = judged[["partner_id", "bidder_id", "lots", "wins", "expected", "lot_ids"]].assign(
        other_lots=judged["career_lots"] - judged["lots"],
        other_wins=judged["career_wins"] - judged["wins"],
        other_expected=(judged["career_expected"] - judged["expected"]).clip(lower=0.0),
        firms=len(firms),
    )
    strength, weight = _strengths(_spread(firms))
    among_firms = _tails(judged, strength, weight)
    any_strength = np.geomspace(1 / max_strength, max_strength, NODES)
    by_itself = _tails(judged, any_strength, np.full(NODES, 1 / NODES))
    has_record = judged["other_lots"] >= min_lots
    return judged.assign(p_value=np.where(has_record, np.maximum(among_firms, by_itself), among_firms))


def _spread(firms: pd.DataFrame) -> float:
    """Return the variance of strength between firms, by moments."""
    excess = float(((firms["career_wins"] - firms["career_expected"]) ** 2 - firms["variance"]).sum())
    squares = float((firms["career_expected"] ** 2).sum())
    # Where chance explains all, the gamma variable still needs a variance to be computed.
    return max(excess / squares if squares > 0 else 0.0, 1e-3)


def _strengths(spread: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return strengths over the whole range of the gamma variable, and their weights."""
    law = gamma(1 / spread, scale=spread)
    strength = np.geomspace(max(law.ppf(1e-6), 1e-9), law.ppf(1 - 1e-6), NODES)
    weight = law.pdf(strength) * strength  # evenly spaced in the logarithm
    return strength, weight / weight.sum()


def _tails(
    pairs: pd.DataFrame, strength: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return `_tail` of all pairs, some at a time."""
    parts = [
        _tail(pairs.iloc[first : first + STEP], strength, weight) for first in range(0, len(pairs), STEP)
    ]
    return np.concatenate([np.empty(0), *parts])


def _tail(
    pairs: pd.DataFrame, strength: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the probability of at least as many wins with the partner, given the wins elsewhere."""
    lots, wins, expected, other_lots, other_wins, other_expected = (
        pairs[name].to_numpy()[:, None]
        for name in ("lots", "wins", "expected", "other_lots", "other_wins", "other_expected")
    )
    likelihood = weight * binom.pmf(other_wins, other_lots, _chance(other_expected, other_lots, strength))
    tail = binom.sf(wins - 1, lots, _chance(expected, lots, strength))
    result: NDArray[np.float64] = (likelihood * tail).sum(axis=1) / likelihood.sum(axis=1)
    return result


def _chance(
    expected: NDArray[np.float64], lots: NDArray[np.int64], strength: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the chance of a win, at the mean equal share of the lots, for every strength."""
    share = expected / np.maximum(lots, 1)
    chance: NDArray[np.float64] = share * strength / (1 - share + share * strength)
    return chance
