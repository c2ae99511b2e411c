"""Divides contracting processes into what bids compete for: schema ``lots`` of ``detectors.ocds.facts``.

Each lot is a competition, and each process without lots is one. A bid for several lots takes part in each of them
without its price, which is that of all together. A bid of which a member won inside another group is left out: it is
no rival of the winner.
"""

from __future__ import annotations

import duckdb

_TABLES = (
    """
    competitions AS
    SELECT row_number() OVER (ORDER BY process, lot NULLS FIRST) AS process, process AS whole, lot, status
    FROM (
        SELECT process, lot, status FROM ocds.lots
        UNION ALL
        SELECT process, NULL, NULL FROM ocds.processes WHERE process NOT IN (SELECT process FROM ocds.lots)
    ) AS c
    """,
    """
    awards AS
    SELECT c.process, a.award, a.status,
           CASE WHEN a.supplier_set IS NULL THEN 0 ELSE 1 END     AS suppliers,
           coalesce(a.supplier_id, a.supplier_set)                AS supplier_id,
           a.supplier_set
    FROM lots.competitions AS c
    JOIN ocds.awards AS a ON a.process = c.whole
    LEFT JOIN ocds.award_lots AS l ON l.process = a.process AND l.award = a.award AND l.lot = c.lot
    WHERE c.lot IS NULL OR l.lot IS NOT NULL
    """,
    """
    award_suppliers AS
    SELECT process, award, supplier_id FROM lots.awards WHERE supplier_id IS NOT NULL
    """,
    """
    related AS
    SELECT DISTINCT c.process, b.bid
    FROM lots.competitions AS c
    JOIN lots.awards AS a ON a.process = c.process AND a.status = 'active'
    JOIN ocds.award_suppliers AS s ON s.process = c.whole AND s.award = a.award
    JOIN ocds.bid_tenderers AS t ON t.process = c.whole AND t.tenderer_id = s.supplier_id
    JOIN ocds.bids AS b ON b.process = t.process AND b.bid = t.bid
    WHERE b.tenderer_set <> a.supplier_set
    """,
    """
    bids AS
    SELECT c.process, b.bid, b.status,
           CASE WHEN l.is_alone OR c.lot IS NULL THEN b.amount END     AS amount,
           b.currency, b.dated_at, b.date_kind,
           coalesce(b.tenderer_id, b.tenderer_set)                     AS tenderer_id,
           b.tenderer_set
    FROM lots.competitions AS c
    JOIN ocds.bids AS b ON b.process = c.whole
    LEFT JOIN ocds.bid_lots AS l ON l.process = b.process AND l.bid = b.bid AND l.lot = c.lot
    ANTI JOIN lots.related AS r ON r.process = c.process AND r.bid = b.bid
    WHERE c.lot IS NULL OR l.lot IS NOT NULL
    """,
    """
    bid_tenderers AS
    SELECT process, bid, tenderer_id FROM lots.bids WHERE tenderer_id IS NOT NULL
    """,
    """
    processes AS
    SELECT p.* REPLACE (
        c.process                                                   AS process,
        p.ocid || coalesce('#' || c.lot, '')                        AS ocid,
        CASE WHEN c.status = 'cancelled' THEN c.status ELSE p.tender_status END AS tender_status,
        CASE WHEN c.lot IS NULL THEN p.tenderers END                AS tenderers,
        p.has_bids AND (c.lot IS NULL OR c.process IN (SELECT process FROM lots.bids))       AS has_bids,
        p.has_awards AND (c.lot IS NULL OR c.process IN (SELECT process FROM lots.awards))   AS has_awards
    )
    FROM lots.competitions AS c
    JOIN ocds.processes AS p ON p.process = c.whole
    """,
)


def divide(con: duckdb.DuckDBPyConnection) -> None:
    """Make schema ``lots`` if a process has lots, or bids or awards of several organisations."""
    if con.execute("SELECT 1 FROM ocds.processes WHERE is_divided LIMIT 1").fetchone():
        con.execute("CREATE SCHEMA lots")
        for table in _TABLES:
            con.execute(f"CREATE TABLE lots.{table.strip()}")
