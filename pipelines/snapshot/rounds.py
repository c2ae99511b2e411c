"""Rounds of a lot: what failed and was tendered again (二次招标) often keeps its number, and is opened on another day.

A round is told from a corrected date by its offers: they are other ones. Where records state their version, a newer
one moves the opening, and there is no round. The first round keeps the lot's number, the
second is ``<number>#2``. Only opening records tell of rounds: records that state the day of the opening and an offer
(a sheet, a row of a ledger). Everything else that is delivered about such a lot goes to a round by the record or the
file that it came with, else by its date, else by the bidders that it names: a file, else a row, whose firms bid in one
round alone is of that round. What is left goes to the last, and ``stage.unplaced`` says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from pipelines.intake.schema import TableSchema
from pipelines.values.literals import listed
from pipelines.values.time_texts import local_day

#: Two opening days are one round, with a corrected date, if at least this share of the shorter list of offers is equal.
SAME_OFFERS = 0.5

#: The day of the opening, where the sender is.
_OPENED_ON = f"coalesce(opening_on, {local_day('opening_at', 'time_zone')})"

#: Where a row's date puts it: what comes before an opening belongs to the next one, what comes after it to the last one.
_BEFORE = {
    "lots": _OPENED_ON,
    "documents": local_day("opening_at", "time_zone"),
    "document_purchases": local_day("purchased_at", "time_zone"),
    "deposits": local_day("paid_at", "time_zone"),
    "bids": local_day("submitted_at", "time_zone"),
    "fingerprints": local_day("submitted_at", "time_zone"),
}
_AFTER = {
    "candidates": "published_on",
    "awards": "awarded_on",
    "contracts": "signed_on",
    "subcontracts": "signed_on",
    "changes": "approved_on",
    "payments": "paid_on",
    "acceptances": "accepted_on",
}


def find(con: duckdb.DuckDBPyConnection, bronze: Mapping[str, Sequence[Path]]) -> None:
    """Create ``stage.rounds`` (lot_id, number, round_no, first_on, last_on), and which records are of which round.

    Args:
        con: the work database.
        bronze: table -> Parquet files of typed rows.
    """
    con.execute(
        "CREATE OR REPLACE TABLE stage.rounds (lot_id VARCHAR, number VARCHAR, round_no INTEGER, first_on DATE, last_on DATE)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE round_files (raw_sha VARCHAR, number VARCHAR, round_no INTEGER)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE round_bidders (number VARCHAR, round_no INTEGER, firm VARCHAR)")
    con.execute(
        "CREATE OR REPLACE TABLE stage.unplaced (table_name VARCHAR, raw_sha VARCHAR, lots BIGINT, records BIGINT)"
    )
    lots, bids = bronze.get("lots"), bronze.get("bids")
    if not lots or not bids:
        return
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE opening_records AS
        WITH opened AS (
            SELECT raw_sha, raw_section, raw_row, lot_id, {_OPENED_ON} AS opened_on
            FROM read_parquet([{listed(map(str, lots))}]) JOIN stage.arrivals USING (raw_sha)
            WHERE NOT is_deleted AND updated_at IS NULL
        ),
        twice AS (SELECT lot_id FROM opened GROUP BY lot_id HAVING count(DISTINCT opened_on) > 1)
        SELECT o.*, b.bidder, b.bidder_key, b.price
        FROM opened AS o
        JOIN read_parquet([{listed(map(str, bids))}]) AS b USING (raw_sha, raw_section, raw_row, lot_id)
        WHERE o.lot_id IN (SELECT lot_id FROM twice) AND o.opened_on IS NOT NULL AND NOT b.is_deleted
        """
    )
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE round_days AS
        WITH offers AS (SELECT DISTINCT lot_id, opened_on, bidder, price FROM opening_records),
        days AS (
            SELECT lot_id, opened_on, count(*) AS offers,
                   lag(opened_on) OVER (PARTITION BY lot_id ORDER BY opened_on) AS before_on,
                   lag(count(*)) OVER (PARTITION BY lot_id ORDER BY opened_on) AS offers_before
            FROM offers GROUP BY lot_id, opened_on
        ),
        repeated AS (
            SELECT d.lot_id, d.opened_on, count(*) AS equal
            FROM days AS d
            JOIN offers AS n ON n.lot_id = d.lot_id AND n.opened_on = d.opened_on
            JOIN offers AS b ON b.lot_id = d.lot_id AND b.opened_on = d.before_on
                            AND b.bidder = n.bidder AND b.price IS NOT DISTINCT FROM n.price
            GROUP BY d.lot_id, d.opened_on
        )
        SELECT d.lot_id, d.opened_on,
               CAST(1 + sum(CASE WHEN d.before_on IS NULL
                                   OR coalesce(r.equal, 0) >= {SAME_OFFERS} * least(d.offers, d.offers_before)
                                 THEN 0 ELSE 1 END)
                        OVER (PARTITION BY d.lot_id ORDER BY d.opened_on) AS INTEGER) AS round_no
        FROM days AS d
        LEFT JOIN repeated AS r ON r.lot_id = d.lot_id AND r.opened_on = d.opened_on
        """
    )
    con.execute(
        """
        INSERT INTO stage.rounds
        SELECT CASE WHEN round_no = 1 THEN lot_id ELSE lot_id || '#' || round_no END, lot_id, round_no,
               min(opened_on), max(opened_on)
        FROM round_days
        WHERE lot_id IN (SELECT lot_id FROM round_days WHERE round_no > 1)
        GROUP BY lot_id, round_no
        ORDER BY lot_id, round_no
        """
    )
    con.execute(
        """
        CREATE OR REPLACE TEMP TABLE round_records AS
        SELECT DISTINCT o.raw_sha, o.raw_section, o.raw_row, o.lot_id, d.round_no
        FROM opening_records AS o JOIN round_days AS d USING (lot_id, opened_on)
        WHERE o.lot_id IN (SELECT number FROM stage.rounds)
        """
    )
    con.execute(
        """
        INSERT INTO round_files
        SELECT raw_sha, lot_id, min(round_no) FROM round_records
        GROUP BY raw_sha, lot_id HAVING min(round_no) = max(round_no)
        """
    )
    con.execute(
        """
        INSERT INTO round_bidders
        SELECT DISTINCT lot_id, round_no, unnest([bidder, 'name:' || bidder_key])
        FROM opening_records JOIN round_days USING (lot_id, opened_on)
        WHERE lot_id IN (SELECT number FROM stage.rounds)
        """
    )
    con.execute("DROP TABLE opening_records")
    con.execute("DROP TABLE round_days")


def rows_of(con: duckdb.DuckDBPyConnection, schema: TableSchema, files: Iterable[Path]) -> str:
    """Return SQL of the rows of a table's files, with the lot of their round as ``lot_id``, also in ``record_key``.

    Fills ``stage.unplaced`` with how many of them went to the last round because nothing says whose they are.
    """
    rows = f"read_parquet([{listed(map(str, files))}])"
    if "lot_id" not in schema.columns or not con.execute("SELECT 1 FROM stage.rounds LIMIT 1").fetchall():
        return rows
    dated = "NULL"
    if before := _BEFORE.get(schema.table):
        dated = f"(SELECT min(r.round_no) FROM stage.rounds AS r WHERE r.number = t.lot_id AND r.last_on >= {before})"
    elif after := _AFTER.get(schema.table):
        dated = f"(SELECT max(r.round_no) FROM stage.rounds AS r WHERE r.number = t.lot_id AND r.first_on <= {after})"
    firms = [name for party in schema.parties for name in (party.name, f"'name:' || {party.name}_key")]
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE placed AS
        WITH last AS (SELECT number, max(round_no) AS round_no FROM stage.rounds GROUP BY number),
        told AS (
            SELECT t.*, coalesce(o.round_no, f.round_no, {dated}) AS told_no, l.round_no AS last_no,
                   list_sort(list_distinct(list_filter([{", ".join(firms) or "CAST(NULL AS VARCHAR)"}], lambda x: x <> '')))
                       AS firms
            FROM {rows} AS t
            JOIN stage.arrivals AS a ON a.raw_sha = t.raw_sha
            JOIN last AS l ON l.number = t.lot_id
            LEFT JOIN round_records AS o ON o.raw_sha = t.raw_sha AND o.raw_section = t.raw_section
                                        AND o.raw_row = t.raw_row AND o.lot_id = t.lot_id
            LEFT JOIN round_files AS f ON f.raw_sha = t.raw_sha AND f.number = t.lot_id
        ),
        -- A row fits a round in which one of its firms bid; a file fits the rounds that all its rows fit.
        fits AS (
            SELECT t.raw_sha, t.raw_section, t.raw_row, t.record_key, t.lot_id, b.round_no
            FROM told AS t JOIN round_bidders AS b ON b.number = t.lot_id AND list_contains(t.firms, b.firm)
            WHERE t.told_no IS NULL
            GROUP BY ALL
        ),
        one_of_row AS (
            SELECT raw_sha, raw_section, raw_row, record_key, lot_id, min(round_no) AS round_no FROM fits GROUP BY ALL
            HAVING count(*) = 1
        ),
        sizes AS (SELECT raw_sha, lot_id, count(*) AS records FROM told WHERE told_no IS NULL GROUP BY ALL),
        of_file AS (SELECT raw_sha, lot_id, round_no, count(*) AS records FROM fits GROUP BY ALL),
        one_of_file AS (
            SELECT raw_sha, lot_id, min(round_no) AS round_no FROM of_file JOIN sizes USING (raw_sha, lot_id, records)
            GROUP BY ALL HAVING count(*) = 1
        )
        SELECT t.* EXCLUDE (told_no, firms),
               coalesce(t.told_no, f.round_no, o.round_no) AS round_no
        FROM told AS t
        LEFT JOIN one_of_file AS f ON f.raw_sha = t.raw_sha AND f.lot_id = t.lot_id
        LEFT JOIN one_of_row AS o ON o.raw_sha = t.raw_sha AND o.raw_section = t.raw_section AND o.raw_row = t.raw_row
                                 AND o.record_key = t.record_key AND o.lot_id = t.lot_id
        """
    )
    con.execute(
        """
        INSERT INTO stage.unplaced
        SELECT $table_name, raw_sha, count(DISTINCT lot_id), count(*) FROM placed WHERE round_no IS NULL
        GROUP BY raw_sha ORDER BY raw_sha
        """,
        {"table_name": schema.table},
    )
    return f"""(
        SELECT p.* EXCLUDE (round_no, last_no) REPLACE (
                   r.lot_id AS lot_id, r.lot_id || substr(p.record_key, length(p.lot_id) + 1) AS record_key
               )
        FROM placed AS p JOIN stage.rounds AS r ON r.number = p.lot_id AND r.round_no = coalesce(p.round_no, p.last_no)
        UNION ALL BY NAME
        SELECT * FROM {rows} WHERE lot_id NOT IN (SELECT number FROM stage.rounds)
    )"""
