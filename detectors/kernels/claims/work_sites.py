"""Awarded lots that one person leads, and how many of them run at the same time.

The award names the person who leads a lot. Where it does not, the winner's bid does. Persons are compared by
document number and never by name. A lot runs from the signing of its contract for as many days as the winner's
bid promises.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from detectors.interface import Engine, Need

LED = """
WITH signed AS (
    SELECT lot_id, supplier_id, min(signed_on) AS signed_on
    FROM core.contracts
    WHERE signed_on IS NOT NULL
    GROUP BY lot_id, supplier_id
),
leads AS (
    SELECT lot_id, winner_id, max(project_lead_id) AS project_lead_id
    FROM core.awards
    GROUP BY lot_id, winner_id
)
SELECT b.lot_id, b.bidder_id, coalesce(a.project_lead_id, b.project_manager_id) AS manager_id,
       s.signed_on, b.duration_days
FROM signed AS s
JOIN core.bids AS b ON b.lot_id = s.lot_id AND b.bidder_id = s.supplier_id
LEFT JOIN leads AS a ON a.lot_id = s.lot_id AND a.winner_id = s.supplier_id
WHERE b.duration_days > 0 AND coalesce(a.project_lead_id, b.project_manager_id) IS NOT NULL
ORDER BY b.lot_id, b.bidder_id
"""


#: What a lot under contract must have so that it is known who leads it, and when it runs.
NEEDS = (
    Need(
        "day of signing unknown",
        "签约日期不明",
        "SELECT lot_id AS unit FROM core.contracts WHERE signed_on IS NOT NULL",
    ),
    Need(
        "no bid of the contractor with a duration",
        "中标单位投标记录或投标工期不明",
        "SELECT c.lot_id AS unit FROM core.contracts AS c"
        " JOIN core.bids AS b ON b.lot_id = c.lot_id AND b.bidder_id = c.supplier_id WHERE b.duration_days > 0",
    ),
    Need(
        "manager's document number unknown",
        "项目负责人证件号码不明",
        f"SELECT lot_id AS unit FROM ({LED}) AS led",
    ),
)


def sites(engine: Engine) -> pd.DataFrame:
    """Return one row per lot under contract whose manager and duration are known.

    `NEEDS` names what the others lack. Columns: ``lot_id``, ``bidder_id`` (the contractor), ``manager_id``
    (token), ``signed_on`` and ``ends_on`` (dates, both days included), ``firms`` (contractors for whom the
    manager leads any lot), ``lots`` (lots he leads), ``same_firm`` and ``other_firms`` (his other lots that run
    on at least one day of this one, for this contractor and for others).
    """
    rows: pd.DataFrame = engine.run(LED).to_pandas()
    first = pd.to_datetime(rows["signed_on"])
    last = first + pd.to_timedelta(rows["duration_days"].astype("float64") - 1, unit="D")
    start, end = _days(first), _days(last)
    by_manager = _running(_groups(rows, ["manager_id"]), start, end)
    by_firm = _running(_groups(rows, ["manager_id", "bidder_id"]), start, end)
    return rows.drop(columns=["duration_days"]).assign(
        signed_on=first,
        ends_on=last,
        firms=rows.groupby("manager_id")["bidder_id"].transform("nunique"),
        lots=rows.groupby("manager_id")["lot_id"].transform("nunique"),
        same_firm=by_firm - 1,
        other_firms=by_manager - by_firm,
    )


def _groups(rows: pd.DataFrame, keys: list[str]) -> NDArray[np.int64]:
    return np.asarray(rows.groupby(keys, sort=False).ngroup(), dtype=np.int64)


def _days(dates: pd.Series) -> NDArray[np.int64]:
    return dates.to_numpy().astype("datetime64[D]").astype(np.int64)


def _running(group: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many spans of the same group share a day with each span, itself included.

    They are those that began by its end, less those that ended before its start. Two sorted searches find
    them, however many lots a person leads.
    """
    if len(group) == 0:
        return np.empty(0, dtype=np.int64)
    origin = int(start.min())
    width = int(end.max()) - origin + 2
    key = group * width
    begun = np.searchsorted(np.sort(key + start - origin), key + end - origin, side="right")
    ended = np.searchsorted(np.sort(key + end - origin), key + start - origin, side="left")
    running: NDArray[np.int64] = (begun - ended).astype(np.int64)
    return running
