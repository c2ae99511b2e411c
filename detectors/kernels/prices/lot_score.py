"""One score per lot from its prices alone, without labels: by how much it should be looked at before its like.

The rule is fixed and goes by the award method, because the same spread means different things:

lowest price
    Cover bids are written around one number, so all bids and the losing bids lie close together (Imhof 2017). Both must:
    the weaker of the two counts, as in ``prices.low_dispersion``. Three bids lie close together by chance more often than
    eight: the logarithm of a sample variance of d degrees of freedom is too low by log(d/2) - psi(d/2) and has the
    variance psi'(d/2), so both are taken into account.
average price
    An honest bidder guesses the benchmark and sometimes misses it by far; a ring sets it and need not guess. So its lots
    have a low spread and light tails: the sum of the normal scores of low ``cv`` and low ``kurt``.

Lots of other award methods, with fewer than three bids or with too few others to compare with have no score. It ranks;
it is no probability and no evidence.

Measured
    By `make evaluate`, on four markets whose labels were looked at to choose between the weaker and the mean of the two
    spreads, and between ``kurt`` and the range as a measure of tails; only one of them awards by an average.

Source
    Low dispersion: Imhof (2017). That a group moves the benchmark: Conley and Decarolis, Detecting bidders groups in
    collusive auctions. The moments of the logarithm of a sample variance follow from the chi-square distribution.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.special import ndtri, polygamma, psi

from detectors.interface import Engine

Column = NDArray[np.float64]

LOTS = (
    "SELECT lot_id, award_method, currency, class, bids, cv, cvl, kurt FROM feat.lot_prices ORDER BY lot_id"
)

MIN_BIDS = 3
#: Other lots of which the usual spread is learnt.
MIN_REFERENCE_LOTS = 30
#: Lots are compared inside the first of these that is large enough. The award method is never dropped.
LEVELS = (("award_method", "currency", "class"), ("award_method", "currency"))
#: Equal prices have no logarithm of a spread: they count as this much closer than the closest others.
CLOSER = 2.0


def lot_scores(lots: pd.DataFrame) -> pd.DataFrame:
    """Rank lots among their like.

    Args:
        lots: one row per lot with ``award_method`` (``lowest_price``, ``average_price``, others or null), ``currency``,
            ``class``, ``bids`` (valid ones) and the screens ``cv``, ``cvl``, ``kurt``, as in ``feat.lot_prices``.

    Returns:
        A frame with the index of ``lots``: ``score``, the share of the other lots of its reference class that are no more
        unusual (0 to 1, the larger the more unusual; ties count half), and ``reference_lots``; null without a score.
    """
    result = pd.DataFrame({"score": np.nan, "reference_lots": pd.NA}, index=lots.index)
    result["reference_lots"] = result["reference_lots"].astype("Int64")
    usable = lots[(lots["bids"] >= MIN_BIDS) & lots["award_method"].isin(tuple(_RULES)) & lots["cv"].notna()]
    is_open = pd.Series(True, index=usable.index)
    for level in LEVELS:
        for key, group in usable.groupby(list(level), dropna=False, sort=False, observed=True):
            chosen = group.index[is_open[group.index]]
            if len(group) <= MIN_REFERENCE_LOTS or len(chosen) == 0:
                continue
            unusual = pd.Series(_RULES[key[0]](group), index=group.index)
            share = (unusual.rank() - 1) / (len(group) - 1)
            result.loc[chosen, "score"] = share[chosen]
            result.loc[chosen, "reference_lots"] = len(group) - 1
            is_open[chosen] = False
    return result


def scored_lots(engine: Engine) -> pa.Table:
    """Return ``feat.lot_scores``: one row per lot of ``feat.lot_prices`` that has a score.

    Columns: ``lot_id``; ``score`` (0 to 1, the larger the more unusual among its like); ``reference_lots``. It orders lots
    for people who look; no detector flags by it.
    """
    lots: pd.DataFrame = engine.run(LOTS).to_pandas()
    found = lots[["lot_id"]].join(lot_scores(lots)).dropna(subset="score")
    return pa.Table.from_pandas(found, preserve_index=False)


def closeness(variation: Column, degrees: Column) -> Column:
    """Return how far a spread lies below the usual one, in standard deviations, larger is closer.

    Args:
        variation: coefficients of variation of lots of one market, shape (lots,), zero where all prices are equal.
        degrees: degrees of freedom of each: bids less one, shape (lots,).

    Returns:
        (usual - log variance) / its standard deviation, shape (lots,): the variance of lots around the usual level, which is
        what the spread of all lots leaves over the sampling variance, plus the sampling variance of that number of bids.
    """
    positive = variation[variation > 0]
    floor = positive.min() / CLOSER if len(positive) else 1.0
    sampling = polygamma(1, degrees / 2)
    level = 2 * np.log(np.maximum(variation, floor)) - (psi(degrees / 2) - np.log(degrees / 2))
    between = max(level.var() - sampling.mean(), 0.0)
    closer: Column = (np.median(level) - level) / np.sqrt(between + sampling)
    return closer


def _lowest_price(lots: pd.DataFrame) -> Column:
    bids = lots["bids"].to_numpy(dtype="float64")
    of_all = closeness(lots["cv"].to_numpy(), bids - 1)
    # The spread of two losing bids has one degree of freedom.
    of_losing = closeness(lots["cvl"].to_numpy(), bids - 2)
    weaker: Column = np.minimum(of_all, of_losing)
    return weaker


def _average_price(lots: pd.DataFrame) -> Column:
    # Three bids, or equal ones, have no tails: neither light nor heavy.
    tails = lots["kurt"].fillna(lots["kurt"].median()).fillna(0.0)
    return _normal_scores(-lots["cv"]) + _normal_scores(-tails)


def _normal_scores(values: pd.Series) -> Column:
    scores: Column = ndtri((values.rank().to_numpy() - 0.5) / len(values))
    return scores


_RULES: dict[Any, Any] = {"lowest_price": _lowest_price, "average_price": _average_price}
