"""Bids with a label per lot, read from a table of strangers and brought into numbers that a model may learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.kernels.prices import lot_features
from detectors.kernels.prices.blocks import blocks
from detectors.kernels.prices.lot_features import Award
from detectors.kernels.prices.lot_score import lot_scores
from pipelines import duck
from pipelines.values.literals import quoted

#: Lots with fewer bids show no price beside another.
MIN_BIDS = 2
#: Features of the estimate and the winner, where these columns are named.
ESTIMATE = ("lowest_to_estimate", "mean_to_estimate", "above_estimate_share")
WINNER = ("winner_place", "winner_above_lowest")
READERS = {".csv": "read_csv({}, header = true, all_varchar = true)", ".parquet": "read_parquet({})"}
METHODS = {"lowest": "lowest_price", "average": "average_price"}


@dataclass(frozen=True)
class Columns:
    """Which column of the file holds what; None where the file has no such column."""

    lot: str
    price: str
    label: str
    bidder: str | None = None
    date: str | None = None
    estimate: str | None = None
    winner: str | None = None


@dataclass(frozen=True)
class LabelledLots:
    """Lots that can be learnt from, in the order of their ids.

    Attributes:
        ids: of the lots, shape (lots,).
        labels: 0 or 1, shape (lots,).
        matrix: features, NaN where undefined, shape (lots, features).
        names: of the features.
        bids: number of bids of each lot, shape (lots,).
        screens: of `lot_scores`, with its ``score`` and ``cv``, indexed as the lots.
        dates: of the lots, or None where no column is named.
        bidders: one row per bid, ``lot`` (position) and ``bidder``, or None.
        left_out: what was left out of the file, by reason, with counts.
        price_step: of which prices are multiples, None if there is none.
    """

    ids: NDArray[np.object_]
    labels: NDArray[np.int_]
    matrix: NDArray[np.float64]
    names: tuple[str, ...]
    bids: NDArray[np.int64]
    screens: pd.DataFrame
    dates: pd.Series | None
    bidders: pd.DataFrame | None
    left_out: Mapping[str, int] = field(default_factory=dict)
    price_step: float | None = None


def read_lots(path: Path, columns: Columns, award: Award) -> LabelledLots:
    """Read a table with one row per bid.

    Args:
        path: .csv (with headings) or .parquet.
        columns: what its columns hold. The label is 0 or 1, the same in all rows of a lot.
        award: what decides the lots.

    Raises:
        ValueError: no such column, a label that is not 0 or 1, a lot with two labels, no lot of two bids; the message
            names the column, a row and what to do.
    """
    return lots_of(_table(path, columns), award, str(path))


def lots_of(bids: pd.DataFrame, award: Award, where: str = "bids") -> LabelledLots:
    """Bring bids into lots.

    Args:
        bids: one row per bid; ``lot``, ``price``, ``label`` and, where known, ``bidder``, ``date``, ``estimate``,
            ``winner``, all as delivered.
        award: what decides the lots.
        where: for messages.

    Raises:
        ValueError: as for `read_lots`.
    """
    left_out: dict[str, int] = {}
    has_lot = bids["lot"].notna() & bids["lot"].astype(str).str.strip().ne("")
    left_out["bids_without_lot"] = int((~has_lot).sum())
    bids = bids[has_lot].assign(lot=bids["lot"][has_lot].astype(str))
    labels = _labels(bids, where)
    price = _numbers(bids["price"])
    left_out["prices_unread"] = int((~np.isfinite(price)).sum())
    left_out["prices_not_positive"] = int((price <= 0).sum())
    # Sorted by lot and price: the order of the file may give the label away.
    good = bids.assign(price=price)[np.isfinite(price) & (price > 0)].sort_values(["lot", "price"])
    sizes = good.groupby("lot", sort=True).size()
    left_out["lots_of_one_bid"] = int((sizes < MIN_BIDS).sum())
    left_out["lots_without_a_price"] = int(bids["lot"].nunique() - len(sizes))
    good = good[good["lot"].map(sizes) >= MIN_BIDS]
    sizes = sizes[sizes >= MIN_BIDS]
    if len(sizes) == 0:
        raise ValueError(f"{where}: no lot has {MIN_BIDS} positive prices, so there is nothing to learn from")
    prices = good["price"].to_numpy(dtype="float64")
    step = lot_features.price_step(prices)
    names = list(lot_features.names(award))
    extra = [*(ESTIMATE if "estimate" in good else ()), *(WINNER if "winner" in good else ())]
    matrix = np.full((len(sizes), len(names)), np.nan)
    for block in blocks(sizes.to_numpy()):
        found = lot_features.features(prices[block.rows], award, step)
        matrix[block.lots] = np.column_stack([found[name] for name in names])
    by_lot = good.groupby("lot", sort=True)
    more = _estimates(good) if "estimate" in good else pd.DataFrame(index=sizes.index)
    if "winner" in good:
        more = more.join(_winners(good))
    screens = pd.DataFrame(matrix, columns=names)[["cv", "cvl", "kurt"]].assign(
        bids=sizes.to_numpy(), award_method=METHODS[award], currency="", **{"class": ""}
    )
    code = pd.Series(np.arange(len(sizes)), index=sizes.index)
    return LabelledLots(
        ids=sizes.index.to_numpy(dtype=object),
        labels=labels[sizes.index].to_numpy(dtype=int),
        matrix=np.column_stack([matrix, more.to_numpy(dtype="float64")]) if extra else matrix,
        names=(*names, *extra),
        bids=sizes.to_numpy(),
        screens=screens.join(lot_scores(screens)),
        dates=_dates(by_lot["date"].first(), where) if "date" in good else None,
        bidders=_bidders(good, code) if "bidder" in good else None,
        left_out={reason: count for reason, count in left_out.items() if count},
        price_step=step,
    )


def _table(path: Path, columns: Columns) -> pd.DataFrame:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path}: a table must be .csv or .parquet; save it as one of these")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    con = duck.connect()
    try:
        rows = con.sql(f"SELECT * FROM {reader.format(quoted(str(path)))}")
        wanted = {name: column for name, column in vars(columns).items() if column is not None}
        for name, column in wanted.items():
            if column not in rows.columns:
                there = ", ".join(rows.columns)
                raise ValueError(f"{path}: no column {column!r} (--{name}); its columns are: {there}")
        found: pd.DataFrame = rows.df()
    except duckdb.Error as error:
        raise ValueError(f"{path}: cannot be read as a table: {str(error).splitlines()[0]}") from None
    finally:
        con.close()
    return pd.DataFrame({name: found[column] for name, column in wanted.items()})


def _labels(bids: pd.DataFrame, where: str) -> pd.Series:
    """Return the label of every lot; refuse what is not one clear label."""
    label = _numbers(bids["label"])
    wrong = ~label.isin((0, 1))
    if wrong.any():
        first = bids["label"][wrong].iloc[0]
        raise ValueError(
            f"{where}: a label must be 0 or 1; row {int(np.argmax(wrong)) + 1} has {first!r} ({int(wrong.sum())} such rows)."
            " Leave lots out that nobody judged"
        )
    by_lot = label.groupby(bids["lot"])
    mixed = by_lot.min() < by_lot.max()
    if mixed.any():
        raise ValueError(
            f"{where}: {int(mixed.sum())} lots have rows with different labels, such as lot {mixed.idxmax()!r};"
            " a label is of a lot: give all its rows the same one"
        )
    return by_lot.first().astype(int)


def _numbers(column: pd.Series) -> pd.Series:
    if column.dtype == bool:
        return column.astype("float64")
    return pd.to_numeric(column, errors="coerce").astype("float64")


def _dates(column: pd.Series, where: str) -> pd.Series:
    """Dates as text or timestamps, days as 20240131, or seconds since 1970."""
    number = (
        pd.to_numeric(column, errors="coerce") if not pd.api.types.is_datetime64_any_dtype(column) else None
    )
    if number is None:
        return column
    if number.notna().all():
        days = number.between(19000101, 21001231).all()
        texts = number.astype("int64").astype(str)
        return pd.to_datetime(texts, format="%Y%m%d") if days else pd.to_datetime(number, unit="s")
    moments = pd.to_datetime(column, errors="coerce", format="ISO8601")
    if moments.isna().any():
        first = column[moments.isna()].iloc[0]
        raise ValueError(
            f"{where}: the date {first!r} is not read; write 2024-01-31, 20240131 or seconds since 1970"
        )
    return moments


def _estimates(bids: pd.DataFrame) -> pd.DataFrame:
    estimate = _numbers(bids["estimate"])
    ratio = bids["price"] / estimate.where(estimate > 0)
    by_lot = ratio.groupby(bids["lot"], sort=True)
    above = (ratio > 1).astype(float).where(ratio.notna()).groupby(bids["lot"], sort=True)
    return pd.DataFrame(dict(zip(ESTIMATE, (by_lot.min(), by_lot.mean(), above.mean()), strict=True)))


def _winners(bids: pd.DataFrame) -> pd.DataFrame:
    by_lot = bids.groupby("lot", sort=True)["price"]
    place = (by_lot.rank() - 1) / (by_lot.transform("size") - 1)
    above = bids["price"] / by_lot.transform("min") - 1
    won = _numbers(bids["winner"]) == 1
    both = pd.DataFrame(dict(zip(WINNER, (place.where(won), above.where(won)), strict=True)))
    return both.groupby(bids["lot"], sort=True).first()


def _bidders(bids: pd.DataFrame, code: pd.Series) -> pd.DataFrame:
    known = bids.loc[bids["bidder"].notna(), ["lot", "bidder"]]
    pairs = pd.DataFrame({"lot": known["lot"].map(code), "bidder": known["bidder"].astype(str)})
    return pairs.drop_duplicates(ignore_index=True)
