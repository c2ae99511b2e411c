"""Reference classes: what is usual among comparable lots, and how unusual one lot is among them.

A fixed limit on a price screen means nothing across markets: a coefficient of variation below 5 %
is found in 97 % of one real market and 3 % of another. So a lot is placed among lots with the
same currency, award method, class, band of bidders and year; the class is widened step by step
(year, band, class are dropped) until it holds enough other lots. The currency and the award
method are never dropped: they change what a screen means.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pandas.core.groupby import SeriesGroupBy

#: First number of bids of each band; within a band screens have similar distributions. They are part of what a
#: reference class is, like `LEVELS`, and the same for every detector: so they are no limits.
BANDS = (1, 2, 3, 4, 5, 6, 8, 11, 16, 26)

#: The keys of a reference class, from the narrowest to the widest.
LEVELS = (
    ("award_method", "currency", "class", "band", "year"),
    ("award_method", "currency", "class", "band"),
    ("award_method", "currency", "class"),
    ("award_method", "currency"),
)


def placed(lots: pd.DataFrame, value: str, side: Literal["low", "high"], min_lots: int) -> pd.DataFrame:
    """Say how far out each lot lies in its reference class.

    Args:
        lots: one row per lot with ``award_method``, ``currency``, ``class``, ``bids``, ``year``
            and the column ``value``.
        value: the column to compare, any unit that is the same for all lots of one currency.
        side: ``low`` when small values are unusual, ``high`` when large ones are.
        min_lots: other lots that the class must hold.

    Returns:
        A frame with the index of ``lots`` and the columns ``p_value``, ``reference_class`` (text)
        and ``reference_lots`` (other lots in the class). ``p_value`` is (r + 1) / (m + 1), where r
        of the m other lots are at least as far out, ties included: the lot is never its own
        evidence, and the value cannot be 0. All three are null where the lot cannot be judged:
        no value, unknown award method, or too few other lots even in the widest class.
    """
    usable = lots.loc[lots[value].notna() & lots["award_method"].notna()]
    out = usable[value] if side == "low" else -usable[value]
    result = _unplaced(lots).assign(p_value=np.nan)
    for chosen, groups, classes in _classes(usable, out, min_lots):
        result.loc[chosen, ["reference_class", "reference_lots"]] = classes
        result.loc[chosen, "p_value"] = (groups.rank(method="max") / groups.transform("size")).loc[chosen]
    return result


def commonness(lots: pd.DataFrame, is_found: pd.Series, min_lots: int) -> pd.DataFrame:
    """Say how common a pattern is among the other lots of each lot's reference class.

    A pattern that is rare by chance and common in its market is a habit of that market, such as
    rounding every price in a way that the lot itself does not show.

    Args:
        lots: one row per lot, as for `placed`.
        is_found: whether the lot shows the pattern, aligned with ``lots``.
        min_lots: other lots that the class must hold.

    Returns:
        A frame with the index of ``lots`` and the columns ``common_share`` (share of the other lots
        that show it), ``reference_class`` and ``reference_lots``; null where no class is large enough.
    """
    usable = lots.loc[lots["award_method"].notna()]
    found = is_found.loc[usable.index].astype("float64")
    result = _unplaced(lots).assign(common_share=np.nan)
    for chosen, groups, classes in _classes(usable, found, min_lots):
        result.loc[chosen, ["reference_class", "reference_lots"]] = classes
        others = (groups.transform("sum") - found) / (groups.transform("size") - 1)
        result.loc[chosen, "common_share"] = others.loc[chosen]
    return result


def _unplaced(lots: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "reference_class": pd.Series(None, index=lots.index, dtype="str"),
            "reference_lots": pd.Series(pd.NA, index=lots.index, dtype="Int64"),
        }
    )


def _classes(
    lots: pd.DataFrame, values: pd.Series, min_lots: int
) -> Iterator[tuple[pd.Index, SeriesGroupBy[Any, Any], pd.DataFrame]]:
    """Give, level by level, the lots whose class is large enough there and was not before.

    The groups hold ``values`` of all lots at that level; the frame names the class of each chosen
    lot and the number of its other lots.
    """
    lots = lots.assign(band=_band(lots["bids"]))
    is_open = pd.Series(True, index=lots.index)
    for level in LEVELS:
        groups = values.groupby([lots[key] for key in level], dropna=False, sort=False, observed=True)
        size = groups.transform("size")
        chosen = lots.index[is_open & (size > min_lots)]
        if len(chosen) > 0:
            classes = pd.DataFrame(
                {
                    "reference_class": _label(lots.loc[chosen, list(level)]),
                    "reference_lots": (size.loc[chosen] - 1).astype("Int64"),
                }
            )
            yield chosen, groups, classes
            is_open.loc[chosen] = False


def _band(bids: pd.Series) -> pd.Series:
    """Return the band of bidders as text: ``3``, ``6-7``, ``26+``."""
    names = [
        f"{first}" if after - first == 1 else f"{first}-{after - 1}" for first, after in pairwise(BANDS)
    ] + [f"{BANDS[-1]}+"]
    codes = np.searchsorted(BANDS, bids.to_numpy(), side="right") - 1
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(names)), index=bids.index)


def _label(keys: pd.DataFrame) -> pd.Series:
    """Return one text per row: ``lowest_price | CNY | class A01 | 6-7 bids | 2025``."""
    words = {"class": "class {}", "band": "{} bids"}
    distinct = keys.drop_duplicates()
    texts = [
        " | ".join(
            words.get(key, "{}").format("?" if pd.isna(cell) or cell == "" else _plain(cell))
            for key, cell in zip(keys.columns, row, strict=True)
        )
        for row in distinct.itertuples(index=False)
    ]
    named = distinct.assign(label=pd.Series(texts, index=distinct.index, dtype="str"))
    return keys.merge(named, on=list(keys.columns), how="left")["label"].set_axis(keys.index)


def _plain(cell: object) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
