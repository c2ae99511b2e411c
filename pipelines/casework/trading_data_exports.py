"""Exports of trading data to police, discipline and audit (article 15 of the notice of 2021), and their ledger.

The tables of the current snapshot that are records of trading go out as Parquet and as CSV; persons stay tokens. The
texts inside bid files stay here, because they name persons. Bids that have not been opened are in no snapshot.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines import duck
from pipelines.casework.acts import Act, once
from pipelines.files import sync_folder
from pipelines.settings import Home
from pipelines.snapshot import core
from pipelines.store import Store
from reports.canonical_json import canonical_json
from reports.office_sheet import Sheet, csv_bytes

CHANNELS_ZH = {"police": "公安机关", "discipline": "纪检监察机关", "audit": "审计机关"}

#: What stands inside bid files, with names of persons in running text; and the office's own list, which is no trading data.
KEPT_BACK = frozenset({"file_parts", "file_properties", "file_images", "listed_parties"})
TABLES = tuple(table for table in core.tables() if table not in KEPT_BACK)

_BATCH_ROWS = 100_000
#: First characters that a spreadsheet would run: those of `reports.cells`, as a pattern of DuckDB.
_RUNS = "'^(?:[\\t\\r\\n]|[\\s\\p{Cc}\\p{Cf}\\p{Z}]*[=+\\-@＝＋－＠﹦﹢﹣﹫])'"


@dataclass(frozen=True)
class TradingDataExport:
    """One line of the ledger of exports. ``at``: UTC time; ``manifest_sha256``: of MANIFEST.json, which has all sums."""

    number: int
    channel: str
    purpose: str
    snapshot: str
    tables: int
    rows: int
    manifest_sha256: str
    at: str
    actor: str


def write(home: Home, store: Store, act: Act, channel: str, folder: Path) -> TradingDataExport:
    """Write the data of the current snapshot into a new folder, and a line into the ledger.

    The folder appears whole, and only after the ledger has it.

    Args:
        home: the installation.
        store: the control store.
        act: who hands it out, and why: the purpose.
        channel: a key of `CHANNELS_ZH`.
        folder: a new folder.

    Raises:
        ValueError: no such channel, no purpose, or the folder is there.
        FileNotFoundError: nothing is published.
    """
    if channel not in CHANNELS_ZH:
        raise ValueError(f"no channel {channel!r}; there are: {', '.join(CHANNELS_ZH)}")
    if not act.reason.strip():
        raise ValueError("say for which purpose the data is handed out: --reason TEXT")
    if folder.exists():
        raise ValueError(f"{folder} is there already; name a new folder")
    snapshot = store.published_snapshot()
    half = folder.absolute().parent / f".{folder.name}"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True, mode=0o700)
    try:
        counts, manifest = _contents(home.snapshot(snapshot), half, channel, snapshot)
        number = _write_down(store, act, channel, snapshot, counts, manifest)
    except BaseException:
        # Data that is not in the ledger does not stay on the disk.
        shutil.rmtree(half)
        raise
    half.rename(folder)
    sync_folder(folder.absolute().parent)
    return next(each for each in exports(store) if each.number == number)


def _write_down(
    store: Store, act: Act, channel: str, snapshot: str, counts: Mapping[str, int], manifest: bytes
) -> int:
    digest, rows = hashlib.sha256(manifest).hexdigest(), sum(counts.values())

    def do(con: sqlite3.Connection) -> str:
        number = con.execute(
            "INSERT INTO export_ledger (channel, purpose, snapshot, tables, rows, manifest_sha256, at, actor)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING number",
            (channel, act.reason, snapshot, len(counts), rows, digest, act.at, act.actor),
        ).fetchall()[0][0]
        return str(number)

    said = {"channel": channel, "snapshot": snapshot, "rows": rows, "manifest_sha256": digest}
    return int(once(store, act, "export-data", snapshot, said, do))


def exports(store: Store) -> list[TradingDataExport]:
    """Return the ledger of exports, the oldest first."""
    return [TradingDataExport(**row) for row in store.rows("SELECT * FROM export_ledger ORDER BY number")]


def data_dictionary(con: duckdb.DuckDBPyConnection) -> Sheet:
    """Return every column of every table with its type and the description of its table (数据字典)."""
    rows = []
    for table in _present(con):
        described = _header(table)
        for name, type in _columns(con, table):
            rows.append((f"core.{table}", name, type, described))
    return Sheet("数据字典", ("表", "字段", "类型", "表的说明（原文）"), rows)


def _contents(snapshot: Path, folder: Path, channel: str, id: str) -> tuple[dict[str, int], bytes]:
    """Write every file and return the rows of every table and the manifest."""
    con = duck.open_snapshot(snapshot)
    try:
        counts = {table: _table(con, table, folder) for table in _present(con)}
        (folder / "数据字典.csv").write_bytes(csv_bytes(data_dictionary(con)))
    finally:
        con.close()
    files = {path.name: path for path in sorted(folder.iterdir())}
    manifest = (
        canonical_json(
            {
                "channel": channel,
                "name_zh": CHANNELS_ZH[channel],
                "snapshot": id,
                "persons_zh": "自然人姓名、证件号码、电话、账号均为代号（同一人同一代号），不含明文",
                "kept_back": sorted(KEPT_BACK),
                "not_in_this_snapshot": sorted(set(TABLES) - set(counts)),
                "rows": counts,
                "files": {
                    name: {"bytes": path.stat().st_size, "sha256": _sum("sha256", path)}
                    for name, path in files.items()
                },
            },
            indent=2,
        ).encode()
        + b"\n"
    )
    (folder / "MANIFEST.json").write_bytes(manifest)
    files["MANIFEST.json"] = folder / "MANIFEST.json"
    for algorithm, name in (("sha256", "SHA256SUMS"), ("sm3", "SM3SUMS")):
        lines = [f"{_sum(algorithm, path)}  {file}\n" for file, path in sorted(files.items())]
        (folder / name).write_text("".join(lines), encoding="utf-8")
    sync_folder(folder)
    return counts, manifest


def _table(con: duckdb.DuckDBPyConnection, table: str, folder: Path) -> int:
    """Write one table as Parquet and as CSV, in a fixed order, and return its rows."""
    columns = _columns(con, table)
    exact = ", ".join(f'"{name}"' for name, _ in columns)
    shown = ", ".join(_shown(name, type) for name, type in columns)
    rows = 0
    reader = con.sql(f"SELECT {exact} FROM core.{table} ORDER BY ALL").to_arrow_reader(_BATCH_ROWS)
    with pa.parquet.ParquetWriter(folder / f"{table}.parquet", reader.schema, compression="zstd") as parquet:
        for batch in reader:
            parquet.write_batch(batch)
            rows += batch.num_rows
    texts = con.sql(f"SELECT {shown} FROM core.{table} ORDER BY ALL").to_arrow_reader(_BATCH_ROWS)
    with (folder / f"{table}.csv").open("wb") as file:
        file.write(b"\xef\xbb\xbf")
        options = pa.csv.WriteOptions(quoting_style="all_valid", eol="\r\n")
        with pa.csv.CSVWriter(file, texts.schema, write_options=options) as written:
            for batch in texts:
                written.write_batch(batch)
    return rows


def _shown(name: str, type: str) -> str:
    """Return a column as text that a spreadsheet shows and does not run."""
    if type != "VARCHAR":
        return f'CAST("{name}" AS VARCHAR) AS "{name}"'
    return f"""CASE WHEN regexp_matches("{name}", {_RUNS}) THEN '''' || "{name}" ELSE "{name}" END AS "{name}\""""


def _present(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the tables that the snapshot has; one of an earlier version has fewer."""
    return [table for table in TABLES if _columns(con, table)]


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    rows = con.execute(
        "SELECT column_name, data_type FROM duckdb_columns() WHERE schema_name = 'core' AND table_name = $table"
        " ORDER BY column_index",
        {"table": table},
    ).fetchall()
    return [(name, type) for name, type in rows]


def _header(table: str) -> str:
    """Return the comment at the top of the table's SQL file."""
    text = (core.FOLDER / f"{table}.sql").read_text(encoding="utf-8")
    found = re.match(r"(?:-- .*\n)+", text)
    return " ".join(line.removeprefix("-- ") for line in found[0].splitlines()) if found else ""


def _sum(algorithm: str, path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
