"""What the OCDS indicators measure, before any comparison: one row per process or organisation.

Schema ``ocds`` holds every contracting process once:

- ``processes``: process (number), ocid, tender_status, method, details, tenderers, starts_at,
  start_kind, ends_at, end_kind, buyer_id, entity_id, class, tender_currency, has_bids, has_awards,
  is_divided (has lots, or bids or awards of several organisations).
  Moments are microseconds since 1970; their kind is ``zoned``, ``local``, ``date``, ``unreadable`` or
  NULL, and only two moments of one kind are compared.
- ``bids``: process, bid (place in the release), status, amount, currency, dated_at, date_kind,
  tenderer_id (NULL unless the bid has exactly one tenderer), tenderer_set (all ids as one text).
- ``bid_tenderers``: process, bid, tenderer_id.
- ``awards``: process, award, status, suppliers (how many), supplier_id (NULL unless exactly one).
- ``award_suppliers``: process, award, supplier_id.
- ``award_items``: process, award, item_class.

Schema ``lots`` is there where a process is divided. It has the same tables but the last, for competitions: each lot
is one, and each process without lots. A joint bid or award has one tenderer or supplier there, named by all its members.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import pandas as pd
import pyarrow as pa

from detectors.interface import Engine

#: Judged at all. A bid counts as submitted unless it was only invited or was withdrawn.
_SHARED = """
kept AS (
    SELECT process, class, tender_currency, buyer_id, entity_id
    FROM {schema}.processes
    WHERE coalesce(tender_status, '') <> 'cancelled' AND {is_included}
),
submitted AS (
    SELECT process, bid, status, amount, currency, tenderer_id, tenderer_set
    FROM {schema}.bids
    WHERE status NOT IN ('invited', 'withdrawn')
),
priced AS (
    SELECT process, bid, status, amount, currency, tenderer_id
    FROM submitted
    WHERE amount IS NOT NULL
      AND currency IS NOT NULL
      AND (CAST($currency AS VARCHAR) IS NULL OR currency = $currency)
),
award AS (
    SELECT process,
           count(*) FILTER (WHERE status = 'active')                                       AS active,
           count(*) FILTER (WHERE status NOT IN ('active', 'cancelled', 'unsuccessful'))   AS unsettled,
           max(CASE WHEN status = 'active' THEN suppliers END)                             AS suppliers,
           max(CASE WHEN status = 'active' THEN supplier_id END)                           AS supplier_id
    FROM {schema}.awards
    GROUP BY process
),
decided AS (
    SELECT process, supplier_id
    FROM award
    WHERE active = 1 AND unsettled = 0 AND suppliers = 1 AND supplier_id IS NOT NULL
),
market AS (
    SELECT k.process,
           k.class,
           CASE WHEN p.currencies = 1 THEN p.currency ELSE k.tender_currency END AS currency
    FROM kept AS k
    LEFT JOIN (
        SELECT process, count(DISTINCT currency) AS currencies, min(currency) AS currency
        FROM priced
        GROUP BY process
    ) AS p ON p.process = k.process
)
"""

_PROCESSES = """
WITH {shared},
ranked AS (
    SELECT p.process, p.currency, p.amount, p.tenderer_id, p.tenderer_id = d.supplier_id AS is_winner,
           row_number() OVER (PARTITION BY p.process, p.tenderer_id = d.supplier_id
                              ORDER BY p.amount, p.bid) AS place
    FROM priced AS p
    JOIN decided AS d ON d.process = p.process
    WHERE p.status = 'valid' AND p.tenderer_id IS NOT NULL
),
gap AS (
    SELECT process,
           count(DISTINCT currency)                                          AS gap_currencies,
           min(currency)                                                     AS gap_currency,
           max(CASE WHEN is_winner AND place = 1 THEN amount END)            AS winning_price,
           max(CASE WHEN NOT is_winner AND place = 1 THEN amount END)        AS second_price,
           max(CASE WHEN NOT is_winner AND place = 1 THEN tenderer_id END)   AS runner_up_id
    FROM ranked
    GROUP BY process
),
lowest AS (
    SELECT process,
           count(DISTINCT currency)                                              AS currencies,
           max(CASE WHEN status = 'valid' THEN 1 ELSE 0 END)                     AS has_valid_price,
           max(CASE WHEN place = 1 AND status = 'disqualified' THEN 1 ELSE 0 END) AS is_lowest_disqualified
    FROM (
        SELECT process, currency, status, row_number() OVER (PARTITION BY process ORDER BY amount, bid) AS place
        FROM priced
    ) AS p
    GROUP BY process
),
equal_price AS (
    SELECT process, max(sets) AS most_at_one_price
    FROM (
        SELECT process, count(DISTINCT tenderer_set) AS sets
        FROM submitted
        WHERE amount IS NOT NULL
        GROUP BY process, currency, amount
        HAVING currency IS NOT NULL
    ) AS p
    GROUP BY process
),
rival AS (
    SELECT process, max(sets) AS priced_rivals
    FROM (
        SELECT process, count(DISTINCT tenderer_set) AS sets
        FROM submitted
        WHERE amount IS NOT NULL
        GROUP BY process, currency
        HAVING currency IS NOT NULL
    ) AS p
    GROUP BY process
),
bidder AS (
    SELECT process,
           count(*) FILTER (WHERE is_submitted = 1)                    AS bidders,
           count(*) FILTER (WHERE is_valid = 1)                        AS valid_bidders,
           count(*) FILTER (WHERE is_disqualified = 1 AND is_valid = 0) AS others_disqualified,
           max(CASE WHEN is_valid = 1 THEN tenderer_id END)            AS valid_bidder_id
    FROM (
        SELECT t.process, t.tenderer_id,
               max(CASE WHEN b.status = 'valid' THEN 1 ELSE 0 END)                        AS is_valid,
               max(CASE WHEN b.status = 'disqualified' THEN 1 ELSE 0 END)                 AS is_disqualified,
               max(CASE WHEN b.status NOT IN ('invited', 'withdrawn') THEN 1 ELSE 0 END)  AS is_submitted
        FROM {schema}.bid_tenderers AS t
        JOIN {schema}.bids AS b ON b.process = t.process AND b.bid = t.bid
        GROUP BY t.process, t.tenderer_id
    ) AS s
    GROUP BY process
),
winner AS (
    SELECT s.process, count(DISTINCT s.supplier_id) AS winners, max(s.supplier_id) AS winner_id
    FROM {schema}.award_suppliers AS s
    JOIN {schema}.awards AS a ON a.process = s.process AND a.award = s.award
    WHERE a.status = 'active'
    GROUP BY s.process
),
late AS (
    SELECT process,
           count(*)                                AS winning_bids,
           count(*) FILTER (WHERE is_late IS NULL) AS undated_bids,
           count(*) FILTER (WHERE is_late)         AS late_bids
    FROM ({won}) AS w
    GROUP BY process
)
SELECT p.process, p.ocid, p.tender_status, p.method, p.details, p.tenderers,
       p.starts_at, p.start_kind, p.ends_at, p.end_kind, p.has_bids, p.has_awards, p.is_divided,
       m.class, m.currency, coalesce(b.bidders, p.tenderers) AS bidders,
       a.active, a.unsettled, a.suppliers, a.supplier_id,
       g.gap_currencies, g.gap_currency, g.winning_price, g.second_price, g.runner_up_id,
       l.currencies, l.has_valid_price, l.is_lowest_disqualified,
       e.most_at_one_price, r.priced_rivals,
       b.valid_bidders, b.others_disqualified, b.valid_bidder_id, w.winners, w.winner_id,
       t.winning_bids, t.undated_bids, t.late_bids
FROM {schema}.processes AS p
LEFT JOIN market AS m ON m.process = p.process
LEFT JOIN award AS a ON a.process = p.process
LEFT JOIN gap AS g ON g.process = p.process
LEFT JOIN lowest AS l ON l.process = p.process
LEFT JOIN equal_price AS e ON e.process = p.process
LEFT JOIN rival AS r ON r.process = p.process
LEFT JOIN bidder AS b ON b.process = p.process
LEFT JOIN winner AS w ON w.process = p.process
LEFT JOIN late AS t ON t.process = p.process
ORDER BY p.process
"""

#: Valid bids of which a tenderer is an awarded supplier; late is NULL where no comparison is possible.
_WON = """
SELECT DISTINCT b.process, b.bid, t.tenderer_id,
       CASE WHEN b.date_kind = p.end_kind THEN b.dated_at > p.ends_at END AS is_late
FROM {schema}.bids AS b
JOIN {schema}.processes AS p ON p.process = b.process
JOIN {schema}.bid_tenderers AS t ON t.process = b.process AND t.bid = b.bid
JOIN {schema}.award_suppliers AS s ON s.process = b.process AND s.supplier_id = t.tenderer_id
JOIN {schema}.awards AS a ON a.process = s.process AND a.award = s.award
WHERE b.status = 'valid' AND a.status = 'active'
"""

_LATE_TENDERERS = """
SELECT DISTINCT process, tenderer_id FROM ({won}) AS w WHERE is_late ORDER BY process, tenderer_id
"""

_EQUAL_TENDERERS = """
WITH {shared},
equal_price AS (
    SELECT process, currency, amount
    FROM submitted
    WHERE amount IS NOT NULL AND currency IS NOT NULL
    GROUP BY process, currency, amount
    HAVING count(DISTINCT tenderer_set) > 1
)
SELECT DISTINCT t.process, t.tenderer_id
FROM equal_price AS e
JOIN submitted AS b ON b.process = e.process AND b.currency = e.currency AND b.amount = e.amount
JOIN {schema}.bid_tenderers AS t ON t.process = b.process AND t.bid = b.bid
ORDER BY 1, 2
"""

_SUBMITTING = """
WITH {shared}
SELECT DISTINCT p.ocid, t.tenderer_id AS id
FROM kept AS k
JOIN {schema}.processes AS p ON p.process = k.process
JOIN submitted AS b ON b.process = k.process
JOIN {schema}.bid_tenderers AS t ON t.process = b.process AND t.bid = b.bid
ORDER BY 1, 2
"""

_REFUSING = """
WITH {shared}
SELECT DISTINCT p.ocid, k.{organisation} AS id
FROM kept AS k
JOIN {schema}.processes AS p ON p.process = k.process
JOIN submitted AS b ON b.process = k.process
WHERE k.{organisation} IS NOT NULL AND b.status = 'disqualified'
ORDER BY 1
"""

#: Every organisation query gives one row per id, class and currency; the numbers add up over these.
_WINS = """
WITH {shared}
SELECT t.tenderer_id AS id, m.class, m.currency,
       count(DISTINCT t.process)                                             AS processes,
       count(DISTINCT CASE WHEN b.status = 'valid' AND b.tenderer_id IS NOT NULL
                            AND d.process IS NOT NULL THEN t.process END)    AS bids,
       count(DISTINCT CASE WHEN b.status = 'valid'
                            AND b.tenderer_id = d.supplier_id THEN t.process END) AS wins
FROM {schema}.bid_tenderers AS t
JOIN submitted AS b ON b.process = t.process AND b.bid = t.bid
JOIN market AS m ON m.process = t.process
LEFT JOIN decided AS d ON d.process = t.process
GROUP BY t.tenderer_id, m.class, m.currency
"""

_DISQUALIFIED_TENDERERS = """
WITH {shared}
SELECT t.tenderer_id AS id, m.class, m.currency,
       count(DISTINCT t.process)                                             AS processes,
       count(*)                                                              AS submitted,
       count(*) FILTER (WHERE b.status = 'disqualified')                     AS disqualified
FROM {schema}.bid_tenderers AS t
JOIN submitted AS b ON b.process = t.process AND b.bid = t.bid
JOIN market AS m ON m.process = t.process
GROUP BY t.tenderer_id, m.class, m.currency
"""

_DISQUALIFIED_BUYERS = """
WITH {shared}
SELECT k.{organisation} AS id, m.class, m.currency,
       count(DISTINCT k.process)                                             AS processes,
       count(b.bid)                                                          AS submitted,
       count(b.bid) FILTER (WHERE b.status = 'disqualified')                 AS disqualified
FROM kept AS k
JOIN market AS m ON m.process = k.process
LEFT JOIN submitted AS b ON b.process = k.process
WHERE k.{organisation} IS NOT NULL
GROUP BY k.{organisation}, m.class, m.currency
"""

_SUPPLIES = """
WITH {shared}
SELECT s.supplier_id AS id, m.class, m.currency,
       count(DISTINCT CASE WHEN i.process IS NOT NULL THEN s.process END)    AS processes
FROM {schema}.award_suppliers AS s
JOIN {schema}.awards AS a ON a.process = s.process AND a.award = s.award
JOIN market AS m ON m.process = s.process
LEFT JOIN {schema}.award_items AS i ON i.process = s.process AND i.award = s.award AND a.suppliers = 1
WHERE a.status = 'active'
GROUP BY s.supplier_id, m.class, m.currency
"""

_VARIETY = """
WITH {shared}
SELECT a.supplier_id AS id, count(DISTINCT substr(i.item_class, 1, CAST($digits AS INTEGER))) AS variety
FROM {schema}.awards AS a
JOIN kept AS k ON k.process = a.process
JOIN {schema}.award_items AS i ON i.process = a.process AND i.award = a.award
WHERE a.status = 'active' AND a.supplier_id IS NOT NULL
GROUP BY a.supplier_id
"""


class Facts:
    """Measures of the processes and organisations in a schema.

    Args:
        engine: runs the queries.
        currency: compare only prices in this currency; None: all.
        excluded_details: procurementMethodDetails of processes that are left out.
        schema: ``ocds``, or ``lots`` for competitions in place of processes.
    """

    def __init__(
        self,
        engine: Engine,
        currency: str | None,
        excluded_details: Sequence[str],
        schema: Literal["ocds", "lots"] = "ocds",
    ) -> None:
        self._engine = engine
        names = {f"excluded_{place}": details for place, details in enumerate(excluded_details)}
        listed = ", ".join(f"${name}" for name in names)
        is_included = f"(details IS NULL OR details NOT IN ({listed}))" if names else "TRUE"
        self._names = {
            "schema": schema,
            "shared": _SHARED.format(schema=schema, is_included=is_included),
            "won": _WON.format(schema=schema),
        }
        self._parameters: dict[str, object] = {"currency": currency, **names}

    def processes(self) -> pd.DataFrame:
        """Return one row per process, in their order; texts are categorical, numbers float."""
        return self._run(_PROCESSES)

    def late_tenderers(self) -> pd.DataFrame:
        """Return process and tenderer_id of awarded tenderers with a late valid bid."""
        return _frame(self._engine.run(_LATE_TENDERERS.format(**self._names)))

    def equal_tenderers(self) -> pd.DataFrame:
        """Return process and tenderer_id of tenderers at a price that different tenderers gave."""
        return self._run(_EQUAL_TENDERERS)

    def submitting(self) -> pd.DataFrame:
        """Return ocid and id of the tenderers with a submitted bid."""
        return self._run(_SUBMITTING)

    def refusing(self, organisation: str) -> pd.DataFrame:
        """Return ocid and id of the ``buyer_id`` or ``entity_id`` of processes with a disqualified bid."""
        return self._run(_REFUSING, organisation=organisation)

    def wins(self) -> pd.DataFrame:
        """Return id, class, currency, bids and wins of every tenderer; at most one each a process."""
        return _summed(self._run(_WINS))

    def disqualified(self, group: str) -> pd.DataFrame:
        """Return id, class, currency, submitted and disqualified bids of every tenderer or buyer."""
        if group == "Tenderer":
            return _summed(self._run(_DISQUALIFIED_TENDERERS))
        organisation = {"Buyer": "buyer_id", "ProcuringEntity": "entity_id"}[group]
        return _summed(self._run(_DISQUALIFIED_BUYERS, organisation=organisation))

    def supplies(self, digits: int) -> pd.DataFrame:
        """Return id, class, currency, processes and variety (distinct item classes) of every supplier."""
        suppliers = _summed(self._run(_SUPPLIES))
        sql = _VARIETY.format(**self._names)
        variety = _frame(self._engine.run(sql, {**self._parameters, "digits": digits}))
        found = suppliers["id"].map(variety.set_index("id")["variety"].astype("float64"))
        return suppliers.assign(variety=found.astype("float64").fillna(0.0))

    def _run(self, sql: str, **names: str) -> pd.DataFrame:
        return _frame(self._engine.run(sql.format(**self._names, **names), self._parameters))


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return a table with whole numbers as float and repeated texts as categories."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in ("ocid", "id"):
            columns[name] = column.to_pandas()
        elif pa.types.is_string(column.type):
            columns[name] = column.dictionary_encode().unify_dictionaries().to_pandas()
        elif name == "process" or pa.types.is_boolean(column.type):
            columns[name] = column.to_pandas()
        else:
            columns[name] = column.cast(pa.float64()).to_pandas()
    return pd.DataFrame(columns)


def _summed(parts: pd.DataFrame) -> pd.DataFrame:
    """Add up each id's numbers; its class and currency are those of most of its processes."""
    parts = parts.astype({"class": "str", "currency": "str"})
    main = parts.sort_values(
        ["id", "processes", "class", "currency"], ascending=[True, False, True, True], na_position="last"
    ).drop_duplicates("id")
    numbers = [name for name in parts.columns if name not in ("id", "class", "currency")]
    totals = parts.groupby("id", sort=True)[numbers].sum()
    return main.set_index("id")[["class", "currency"]].join(totals).reset_index()
