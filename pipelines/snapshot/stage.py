"""Bronze to the stage tables of a snapshot: the current version of every record that may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import duckdb

from pipelines.intake.schema import TableSchema, table_schemas
from pipelines.snapshot import completing, linking, rounds
from pipelines.times import LOCAL
from pipelines.values.literals import listed
from pipelines.values.time_texts import local_day, midnight_after

#: What a snapshot knows of the office's own lists.
LISTED = {
    "entry_id": "VARCHAR",
    "list": "VARCHAR",
    "subject_kind": "VARCHAR",
    "subject_id": "VARCHAR",
    "document_no": "VARCHAR",
    "authority": "VARCHAR",
    "is_bidding_ban": "BOOLEAN",
    "starts_on": "DATE",
    "ends_on": "DATE",
    "review_on": "DATE",
    "is_in_effect": "BOOLEAN",
}


@dataclass(frozen=True)
class Arrival:
    """A file of bronze rows: its raw hash, the number of its first delivery, and the time zone of its sender.

    The number only decides which of two equal rows is called the duplicate in the accounts.
    """

    raw_sha: str
    arrival: int
    time_zone: str = str(LOCAL)


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Create the schemas and every ``stage`` table, empty."""
    for name in ("stage", "core", "feat", "risk"):
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    con.execute("CREATE OR REPLACE TABLE stage.arrivals (raw_sha VARCHAR, arrival BIGINT, time_zone VARCHAR)")
    rounds.find(con, {})
    linking.set_judgements(con, ())
    set_listed(con, ())
    con.execute(
        "CREATE OR REPLACE TABLE stage.refused_bids (lot_id VARCHAR, bidder VARCHAR, raw_sha VARCHAR, raw_section VARCHAR,"
        " raw_row BIGINT)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE stage.undated (table_name VARCHAR, raw_sha VARCHAR, lots BIGINT, records BIGINT)"
    )
    completing.create(con)
    for schema in table_schemas().values():
        columns = ", ".join(f"{name} {type}" for name, type in schema.duckdb_columns().items())
        con.execute(f"CREATE OR REPLACE TABLE stage.{schema.table} ({columns})")
    con.execute("DROP TABLE IF EXISTS stage.openings")


def set_listed(con: duckdb.DuckDBPyConnection, entries: Iterable[Mapping[str, object]]) -> None:
    """Fill ``stage.listed_parties`` with the entries of the office's lists, by the names in ``LISTED``."""
    columns = ", ".join(f"{name} {type}" for name, type in LISTED.items())
    con.execute(f"CREATE OR REPLACE TABLE stage.listed_parties ({columns})")
    if rows := [[entry[name] for name in LISTED] for entry in entries]:
        con.executemany(f"INSERT INTO stage.listed_parties VALUES ({', '.join('?' * len(LISTED))})", rows)


def load(
    con: duckdb.DuckDBPyConnection, bronze: dict[str, list[Path]], arrivals: Iterable[Arrival], cutoff: str
) -> None:
    """Fill ``stage`` with the current version of every record in the bronze files.

    The newest version of a key wins, by the sender's own version time; arrival order plays no
    part, so late and repeated deliveries converge. Two sections (a notice and an opening record)
    complete each other, and so do partial versions, which may say only what changed: a cell has the
    value of the newest that fills it. Two different values of one cell at the same time are a
    conflict of that cell: it is empty, and ``stage.conflicts`` has both, until a person settles it. A record that is deleted
    and not deleted at the same time, or whose required column is in conflict, is not used at all.
    ``stage.versions`` says what became of every row, ``stage.undated`` which are held back without end, because nothing
    says when their lot is opened.

    Args:
        con: an empty work database.
        bronze: table -> Parquet files of typed rows, see ``bronze``.
        arrivals: the files.
        cutoff: UTC time as ``YYYY-MM-DD HH:MM:SS``; what is secret until an opening that lies at
            or after it is held back.
    """
    create(con)
    con.execute(
        "CREATE OR REPLACE TABLE stage.versions (table_name VARCHAR, raw_sha VARCHAR, raw_section VARCHAR,"
        " raw_row BIGINT, fate VARCHAR)"
    )
    if arrived := sorted(map(astuple, arrivals)):
        con.executemany("INSERT INTO stage.arrivals VALUES (?, ?, ?)", arrived)
    rounds.find(con, bronze)
    # What is public comes first: it says which lots are opened and decided. What belongs to an owner comes
    # last: only the index of what may be shown says whose it is.
    delivered = [schema for schema in table_schemas().values() if bronze.get(schema.table)]
    for schema in delivered:
        if not schema.secret_until:
            _resolve_versions(con, schema, bronze[schema.table], cutoff)
    find_openings(con)
    for schema in delivered:
        if schema.secret_until in ("opening", "result"):
            _resolve_versions(con, schema, bronze[schema.table], cutoff)
    _find_refused_bids(con, bronze.get("refused", []), cutoff)
    _find_owned_files(con, bronze.get("files", []))
    for schema in delivered:
        if schema.secret_until == "owner":
            _resolve_versions(con, schema, bronze[schema.table], cutoff)


def _resolve_versions(
    con: duckdb.DuckDBPyConnection, schema: TableSchema, files: Iterable[Path], cutoff: str
) -> None:
    """Choose the current version of every record and say what became of every row.

    A secret row is held back here, in a temporary table: what was once written into the database
    file stays in its bytes, even after DELETE.

    ``copy_no`` orders equal rows by origin, not by arrival, so the row that stands for a record
    (and its lineage) is the same whatever came first. ``repeat_no`` orders them by arrival.
    """
    columns = ", ".join(schema.duckdb_columns())
    kept = ", ".join(
        f"CASE WHEN is_public THEN {name} END AS {name}"
        if name in schema.columns and schema.columns[name].published_only
        else name
        for name in schema.duckdb_columns()
    )
    equal = "record_key, row_hash, is_deleted, updated_at"
    is_open = f"(n.is_published OR {_is_open(schema)})"
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE delivered AS
        WITH numbered AS (
            SELECT {columns},
                   row_number() OVER (
                       PARTITION BY {equal} ORDER BY is_public DESC, raw_sha, raw_section, raw_row
                   ) AS copy_no,
                   row_number() OVER (
                       PARTITION BY {equal} ORDER BY arrival, raw_sha, raw_section, raw_row
                   ) AS repeat_no,
                   rank() OVER (
                       PARTITION BY record_key, raw_section, CASE WHEN is_partial THEN row_hash END
                       ORDER BY updated_at DESC NULLS LAST
                   ) AS age,
                   coalesce(updated_at, '-infinity'::TIMESTAMP) AS stated_at,
                   bool_or(is_public) OVER (PARTITION BY {equal}) AS is_published
            FROM {rounds.rows_of(con, schema, files)} JOIN stage.arrivals USING (raw_sha)
        ),
        newest AS (
            SELECT record_key, count(DISTINCT row_hash) AS contents,
                   max(stated_at) FILTER (WHERE is_deleted) AS deleted_at, max(stated_at) FILTER (WHERE NOT is_deleted) AS live_at
            FROM numbered
            WHERE age = 1
            GROUP BY record_key
        )
        SELECT n.*, w.contents,
               CASE WHEN n.repeat_no > 1 THEN 'duplicate'
                    WHEN n.age > 1 THEN 'superseded'
                    WHEN w.deleted_at = w.live_at THEN 'conflict'
                    WHEN w.deleted_at > w.live_at OR w.live_at IS NULL
                    THEN CASE WHEN n.is_deleted THEN 'deleted' ELSE 'superseded' END
                    WHEN n.is_deleted THEN 'superseded'
                    WHEN NOT {is_open} THEN 'held'
                    ELSE 'current' END AS fate,
               n.copy_no = 1 AND n.age = 1 AND NOT n.is_deleted AND {is_open}
                   AND coalesce(w.live_at > w.deleted_at, TRUE) AS is_shown
        FROM numbered AS n
        JOIN newest AS w ON w.record_key = n.record_key
        """,
        {"cutoff": cutoff} if schema.secret_until in ("opening", "result") else None,
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE shown AS SELECT {kept}, stated_at, contents FROM delivered WHERE is_shown"
    )
    con.execute(
        f"INSERT INTO stage.{schema.table} SELECT {columns} FROM shown WHERE contents = 1 ORDER BY record_key"
    )
    if con.execute("SELECT 1 FROM shown WHERE contents > 1 LIMIT 1").fetchall():
        completing.complete(con, schema)
    con.execute(
        "INSERT INTO stage.versions SELECT $table_name, raw_sha, raw_section, raw_row, fate FROM delivered",
        {"table_name": schema.table},
    )
    if schema.secret_until == "opening":
        # No night shows these: nothing says when their lot is opened.
        con.execute(
            """
            INSERT INTO stage.undated
            SELECT $table_name, raw_sha, count(DISTINCT lot_id), count(*) FROM delivered
            WHERE fate = 'held' AND lot_id NOT IN (SELECT lot_id FROM stage.openings WHERE public_at IS NOT NULL)
            GROUP BY raw_sha ORDER BY raw_sha
            """,
            {"table_name": schema.table},
        )
    con.execute("DROP TABLE delivered")
    con.execute("DROP TABLE shown")


def account(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """Return what became of the readable records: raw hash -> loaded, duplicate, conflict, held.

    A record may feed several tables. It is a duplicate when all its rows are, a conflict when any
    of its rows is, held when any of its rows waits for an opening; held records count as loaded.
    """
    rows = con.execute(
        """
        WITH records AS (
            SELECT raw_sha, raw_section, raw_row,
                   bool_and(fate = 'duplicate') AS is_duplicate,
                   bool_or(fate = 'conflict') AS is_conflict,
                   bool_or(fate = 'held') AS is_held
            FROM stage.versions
            GROUP BY raw_sha, raw_section, raw_row
        )
        SELECT raw_sha,
               count(*) FILTER (WHERE NOT is_duplicate AND NOT is_conflict) AS loaded,
               count(*) FILTER (WHERE is_duplicate) AS duplicate,
               count(*) FILTER (WHERE is_conflict) AS conflict,
               count(*) FILTER (WHERE is_held AND NOT is_conflict AND NOT is_duplicate) AS held
        FROM records
        GROUP BY raw_sha
        """
    ).fetchall()
    return {
        raw_sha: dict(zip(("loaded", "duplicate", "conflict", "held"), counts, strict=True))
        for raw_sha, *counts in rows
    }


def find_openings(con: duckdb.DuckDBPyConnection) -> None:
    """Create ``stage.openings``, unless it is there: when each lot is opened, by its newest document.

    opening_at is UTC; opened_on the date where the sender is (Asia/Shanghai for one that is not known). A lot with only
    a date counts as opened when that day is over there.
    """
    con.execute(
        f"""
        CREATE TABLE IF NOT EXISTS stage.openings AS
        WITH known AS (
            SELECT lot_id FROM stage.lots UNION SELECT lot_id FROM stage.documents
        ),
        dated AS (
            SELECT k.lot_id, coalesce(d.opening_at, l.opening_at, t.opening_at) AS opening_at, l.opening_on,
                   CASE WHEN d.opening_at IS NOT NULL THEN d.raw_sha
                        WHEN l.opening_at IS NOT NULL OR l.opening_on IS NOT NULL THEN l.raw_sha
                        ELSE t.raw_sha END AS raw_sha
            FROM known AS k
            LEFT JOIN stage.lots AS l ON l.lot_id = k.lot_id
            LEFT JOIN stage.documents AS d ON d.lot_id = k.lot_id
            LEFT JOIN stage.tenders AS t ON t.tender_id = l.tender_id
        ),
        placed AS (
            SELECT d.*, coalesce(a.time_zone, '{LOCAL}') AS time_zone
            FROM dated AS d LEFT JOIN stage.arrivals AS a ON a.raw_sha = d.raw_sha
        )
        SELECT lot_id, opening_at,
               coalesce(opening_on, {local_day("opening_at", "time_zone")}) AS opened_on,
               coalesce(opening_at, {midnight_after("opening_on", "time_zone")}) AS public_at
        FROM placed
        ORDER BY lot_id
        """
    )


def _find_refused_bids(con: duckdb.DuckDBPyConnection, files: Iterable[Path], cutoff: str) -> None:
    """Fill ``stage.refused_bids``: bids of opened lots that were refused, unless the bidder's bid came in otherwise."""
    if not (paths := [str(path) for path in files]):
        return
    con.execute(
        f"""
        INSERT INTO stage.refused_bids
        WITH refused AS (
            SELECT DISTINCT coalesce(r.lot_id, f.lot_id) AS lot_id, f.bidder, f.raw_sha, f.raw_section, f.raw_row
            FROM read_parquet([{listed(paths)}]) AS f
            LEFT JOIN round_files AS o ON o.raw_sha = f.raw_sha AND o.number = f.lot_id
            LEFT JOIN stage.rounds AS r ON r.number = o.number AND r.round_no = o.round_no
            WHERE f.lot_id IS NOT NULL
        )
        SELECT r.lot_id, r.bidder, r.raw_sha, r.raw_section, r.raw_row
        FROM refused AS r
        JOIN stage.openings AS o ON o.lot_id = r.lot_id AND o.public_at < $cutoff::TIMESTAMP
        WHERE NOT EXISTS (SELECT 1 FROM stage.bids AS b WHERE b.lot_id = r.lot_id AND b.bidder = r.bidder)
        ORDER BY ALL
        """,
        {"cutoff": cutoff},
    )


def _find_owned_files(con: duckdb.DuckDBPyConnection, files: Iterable[Path]) -> None:
    """Create ``stage.owned_files``: the documents that an index row names which may be shown."""
    paths = list(map(str, files))
    hashes = f"read_parquet([{listed(paths)}])" if paths else "stage.files"
    con.execute(
        f"""
        CREATE OR REPLACE TABLE stage.owned_files AS
        WITH named AS (SELECT DISTINCT lower(file_hash) AS file_hash FROM stage.bid_files)
        SELECT file_sha FROM {hashes} WHERE file_sha IN (SELECT file_hash FROM named)
        UNION
        SELECT file_sha FROM {hashes} WHERE file_md5 IN (SELECT file_hash FROM named)
        ORDER BY file_sha
        """
    )


def _is_open(schema: TableSchema) -> str:
    """SQL that is true for a row ``n`` whose lot is opened, or whose result is published.

    Before the opening nobody may learn who took part (招标投标法 §22); experts' names are secret
    until the result (§37). A row whose opening time is unknown counts as not opened. A document is
    shown with the first row of the index that names it and may be shown; a template belongs to no lot.
    """
    match schema.secret_until:
        case None:
            return "TRUE"
        case "owner":
            return "n.file_sha IN (SELECT file_sha FROM stage.owned_files)"
        case "opening":
            known = (
                "SELECT lot_id FROM stage.openings WHERE public_at < $cutoff::TIMESTAMP UNION ALL SELECT ''"
            )
        case _:
            known = "SELECT lot_id FROM stage.awards WHERE awarded_on < $cutoff::TIMESTAMP"
    return f"n.lot_id IN ({known})"
