"""Raw bytes to bronze: typed rows, refused rows with a reason, and the account of both.

A pure function of the bytes, their mapping, the contracts, the code and the secret key. Runs in
the limited child process of ``sandbox``; nothing here looks at a clock or at another file.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from detectors.closure import closure, code_hash
from pipelines import reference, vault
from pipelines.intake import refusals, schema
from pipelines.intake.columns import References
from pipelines.intake.conversion import Plan, clear_text, convert, plan, read_as_empty
from pipelines.intake.file_report import FileReport, SectionReport
from pipelines.intake.mapping import Mapping, load_file
from pipelines.intake.readers import RAW_ROW, FileRefused, Section, read
from pipelines.intake.readers.counting import count_records
from pipelines.intake.schema import PROVENANCE, contracts

REFERENCE = reference.SHIPPED
REFERENCE_DATA = ("placeholders.csv", "regions.csv")
BATCH_ROWS = 250_000  # keeps a child below 2 GiB; the contract takes at most 500,000 at a time


@dataclass(frozen=True)
class Job:
    """One file to read. Crosses the process boundary as JSON."""

    raw: str
    raw_sha: str
    file_name: str
    mapping: str
    out: str
    key: str


@cache
def code_version() -> str:
    """Hash of everything but the mapping that decides how bytes become rows."""
    data = [*sorted(schema.FOLDER.glob("*.toml")), *(REFERENCE / name for name in REFERENCE_DATA)]
    return code_hash(closure("pipelines.intake.bronze"), [path.read_bytes() for path in data])


def version(mapping: Mapping, file_name: str, key: bytes) -> str:
    """Name of the bronze folder of one file: equal inputs, equal name."""
    parts = (code_version(), mapping.source, mapping.version, file_name, vault.key_id(key))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def load_references(key: bytes) -> References:
    """Read the placeholders and region codes of ``data/reference``."""
    placeholders: dict[str, set[str]] = {}
    with (REFERENCE / "placeholders.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            placeholders.setdefault(row["kind"], set()).add(row["value"].upper())
    with (REFERENCE / "regions.csv").open(encoding="utf-8", newline="") as file:
        regions = frozenset(row["region_code"] for row in csv.DictReader(file))
    return References({kind: frozenset(values) for kind, values in placeholders.items()}, regions, key)


def make(job: Job) -> FileReport:
    """Read one file and write its bronze into ``job.out``.

    Writes ``<table>.parquet``, ``refused.parquet``, ``sealed.parquet`` and ``report.json``. Never
    raises for what a file may hold: that becomes a report with state ``refused``.
    """
    out = Path(job.out)
    report = FileReport(file_name=job.file_name, raw_sha=job.raw_sha)
    work = out / "work"
    work.mkdir()
    try:
        _read(job, out, work, report)
    except FileRefused as refusal:
        _empty(out)
        report.sections, report.expectations = [], []
        report.state, report.code = "refused", refusal.code
        report.reason, report.reason_zh = refusal.reason, refusal.reason_zh
    for leftover in sorted(work.rglob("*"), reverse=True):
        leftover.rmdir() if leftover.is_dir() else leftover.unlink()
    work.rmdir()
    (out / "report.json").write_text(
        json.dumps(asdict(report), ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8"
    )
    return report


def _empty(out: Path) -> None:
    for file in out.glob("*.parquet"):
        file.unlink()


def _read(job: Job, out: Path, work: Path, report: FileReport) -> None:
    from pipelines.duck import connect

    mapping = load_file(Path(job.mapping))
    rule = mapping.rule_for(job.file_name)
    references = load_references(bytes.fromhex(job.key))
    for name in ("read", "count"):
        (work / name).mkdir()
    reading = read(Path(job.raw), rule, job.file_name, work / "read")
    counted = count_records(Path(job.raw), rule, job.file_name, work / "count")
    report.notes = reading.notes
    writer = _Writer(out, job.raw_sha)
    tally = _Tally()
    con = connect(memory_limit="1GB")
    con.execute(f"SET temp_directory = '{work}'")
    # Lists of placeholders stand in every column. A join for each of them, which the optimizer makes, costs more
    # than comparing: 0.5 s against 0.3 s for 1,345 bids, 4.3 s against 3.3 s of two cores for 269,000.
    con.execute("SET disabled_optimizers = 'in_clause'")
    names = list(dict.fromkeys([s.name for s in reading.sections] + [u.section for u in reading.unreadable]))
    try:
        for name in names:
            sections = [section for section in reading.sections if section.name == name]
            unreadable = [record for record in reading.unreadable if record.section == name]
            account = SectionReport(name=name, records=0, refused=len(unreadable))
            seen = len(unreadable)
            writer.refuse(refusals.unreadable(unreadable))
            for section in sections:
                seen += _section(con, mapping, rule.published, section, references, writer, account, tally)
            account.records = counted.get(name, 0)
            report.sections.append(account)
            _check_law(name, account.records, seen)
        for name in sorted(counted.keys() - set(names)):
            _check_law(name, counted[name], 0)
    finally:
        con.close()
        writer.close()
    report.expectations = tally.rows()
    vault.seal(out / "sealed.parquet", writer.clear, references.key)


def _check_law(section: str, counted: int, seen: int) -> None:
    """The accounting law, first half: the reader saw every record that the other count found."""
    if counted != seen:
        raise FileRefused(
            "COUNTS_DISAGREE",
            f"section {section}: {counted} records were counted and {seen} were read;"
            " the file may be cut or oddly quoted, ask the sender for it again",
            f"{section}：独立计数为{counted}条，读取为{seen}条，文件可能被截断或引号有误，请发送方重新提供",
        )


def _section(
    con: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    published: bool,
    section: Section,
    references: References,
    writer: _Writer,
    account: SectionReport,
    tally: _Tally,
) -> int:
    """Convert, check and write one section. Returns the number of records in it."""
    rules = [rule for rule in mapping.records if rule.section == section.name]
    if not rules:
        return _refuse_section(con, section, writer, account, mapping)
    plans = [plan(mapping, rule, section.columns, references, public=published) for rule in rules]
    used = {source for each in plans for source in each.sources}
    for listed, more in (
        (account.tables, [each.contract.table for each in plans]),
        (account.unknown_columns, [name for name in section.columns if name not in used]),
        (account.missing_columns, [f"{p.contract.table}.{name}" for p in plans for name in p.missing]),
    ):
        listed += [name for name in more if name not in listed]
    records = 0
    for batch in _regrouped(section):
        records += batch.num_rows
        for source, count in read_as_empty(plans, batch).items():
            account.read_as_empty[source] = account.read_as_empty.get(source, 0) + count
        if batch.num_rows:
            account.refused += _batch(con, mapping, section.name, plans, batch, references, writer, tally)
    return records


def _regrouped(section: Section) -> Iterator[pa.Table]:
    """Yield the section in batches as large as may be: a reader's own are often smaller.

    The reader's batches stay as chunks, over which DuckDB works in parallel.
    """
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in section.batches(BATCH_ROWS):
        if waiting and rows + batch.num_rows > BATCH_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
        waiting.append(batch)
        rows += batch.num_rows
    if waiting:
        yield pa.Table.from_batches(waiting)


def _batch(
    con: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    section: str,
    plans: list[Plan],
    batch: pa.Table,
    references: References,
    writer: _Writer,
    tally: _Tally,
) -> int:
    """Write the good rows of one batch and refuse the others; a record is refused as a whole."""
    from pipelines.intake.checking import check

    typed = [convert(con, each, batch) for each in plans]
    refused: list[pa.Table] = []
    for each, rows in zip(plans, typed, strict=True):
        if not rows.num_rows:
            continue
        for outcome in check(each.contract, each.checks, rows):
            tally.add(each.contract.table, outcome)
            if outcome.expectation.severity == "critical" and len(outcome.positions):
                named = rows.take(pa.array(outcome.positions))
                refused.append(refusals.broken(con, each.contract, section, outcome.expectation, named))
    bad = pa.concat_tables(refused) if refused else None
    bad_rows = pc.unique(bad.column(RAW_ROW).combine_chunks()) if bad else pa.array([], pa.int64())
    if bad is not None:
        writer.refuse(refusals.with_raw_text(con, bad, batch))
    for each, rows in zip(plans, typed, strict=True):
        good = (
            rows.filter(pc.invert(pc.is_in(rows.column(RAW_ROW), value_set=bad_rows)))
            if len(bad_rows)
            else rows
        )
        writer.write(each.contract.table, section, good)
        if each.personal and (clear := clear_text(con, each, batch, mapping, references)) is not None:
            writer.clear.append(clear)
    return len(bad_rows)


def _refuse_section(
    con: duckdb.DuckDBPyConnection,
    section: Section,
    writer: _Writer,
    account: SectionReport,
    mapping: Mapping,
) -> int:
    """Refuse every record of a section that the mapping does not know."""
    known = sorted({rule.section for rule in mapping.records})
    records = 0
    for batch in _regrouped(section):
        records += batch.num_rows
        if batch.num_rows:
            bad = refusals.unmapped(section.name, known, batch)
            writer.refuse(refusals.with_raw_text(con, bad, batch))
    account.refused += records
    account.unknown_columns += [name for name in section.columns if name not in account.unknown_columns]
    return records


class _Writer:
    """Writes the Parquet files of one bronze folder, batch by batch."""

    def __init__(self, out: Path, raw_sha: str) -> None:
        self._out = out
        self._raw_sha = raw_sha
        self._writers: dict[str, pq.ParquetWriter] = {}
        self.clear: list[pa.Table] = []

    def write(self, table: str, section: str, rows: pa.Table) -> None:
        """Append good rows of a table."""
        if not rows.num_rows:
            return
        typed = contracts()[table].duckdb_columns()
        origin = {
            "raw_sha": pa.repeat(self._raw_sha, rows.num_rows),
            "raw_section": pa.repeat(section, rows.num_rows),
        }
        columns = [origin[name] if name in origin else rows.column(name) for name in typed]
        assert set(PROVENANCE) <= set(typed)
        self._append(table, pa.table(columns, names=list(typed)))

    def refuse(self, rows: pa.Table) -> None:
        """Append refused rows."""
        if rows.num_rows:
            self._append("refused", rows.select(refusals.REFUSED.names).cast(refusals.REFUSED))

    def close(self) -> None:
        """Finish every file."""
        for writer in self._writers.values():
            writer.close()

    def _append(self, name: str, rows: pa.Table) -> None:
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(
                self._out / f"{name}.parquet", rows.schema, compression="zstd"
            )
        self._writers[name].write_table(rows)


class _Tally:
    """Adds up the outcomes of every batch, for the night page."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, ...], dict[str, object]] = {}

    def add(self, table: str, outcome: object) -> None:
        from pipelines.intake.checking import Outcome

        assert isinstance(outcome, Outcome)
        expectation = outcome.expectation
        row = self._sums.setdefault(
            (table, expectation.type, expectation.column, expectation.code),
            {
                "table": table,
                "expectation": expectation.type,
                "column": expectation.column,
                "severity": expectation.severity,
                "code": expectation.code,
                "reason": expectation.reason,
                "reason_zh": expectation.reason_zh,
                "checked": 0,
                "unexpected": 0,
            },
        )
        row["checked"] = int(str(row["checked"])) + outcome.checked
        row["unexpected"] = int(str(row["unexpected"])) + int(np.size(outcome.positions))

    def rows(self) -> list[dict[str, object]]:
        return list(self._sums.values())
