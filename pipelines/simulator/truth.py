"""The truth about the county, as CSV: rings, lots, bids, traces, and the dirty records.

UTF-8, one header line. Codes of several firms are joined with ``;``, facts are ``yes`` or ``no``, an empty field
means that there is nothing. Money is yuan, times are local.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipelines.values.literals import quoted

FOLDER = Path(__file__).parent / "truth_files"
TABLES = ("rings", "lots", "bids", "links", "records")


def write_truth(con: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Write ``truth/rings.csv``, ``lots.csv``, ``bids.csv``, ``links.csv`` and ``records.csv`` below ``out``.

    Args:
        con: the world, after ``deliveries.deliver``, which says on which night a bid came.
        out: the folder of the county.
    """
    (out / "truth").mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        query = (FOLDER / f"{table}.sql").read_text(encoding="utf-8")
        path = out / "truth" / f"{table}.csv"
        con.execute(f"COPY ({query}) TO {quoted(str(path))} (FORMAT csv, HEADER)")
