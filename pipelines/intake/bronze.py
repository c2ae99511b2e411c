"""Raw bytes to bronze: typed rows, refused rows with a reason, and the account of both.

A pure function of the bytes, their mapping, the table schemas, the code and the secret key. Runs in
the limited child process of ``sandbox``; nothing here looks at a clock or at another file.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from detectors.closure import closure, code_hash
from pipelines import duck, vault
from pipelines.intake import refusals, schema
from pipelines.intake.bronze_writer import BronzeWriter, ExpectationTally
from pipelines.intake.columns import References
from pipelines.intake.conversion import (
    ConversionPlan,
    clear_text,
    convert,
    plan,
    read_as_empty,
    undecided,
    uneven,
    unread_cells,
)
from pipelines.intake.file_report import FileReport, SectionReport
from pipelines.intake.mapping import Mapping, load_file
from pipelines.intake.readers import RAW_ROW, FileRefused, Reading, Section, read
from pipelines.intake.readers.counting import count_records
from pipelines.reference import Reference
from reports.canonical_json import canonical_json

#: What is read of the reference data: part of the name of the bronze.
REFERENCE_DATA = ("placeholders.csv", "regions.csv")
BATCH_ROWS = 250_000  # keeps a child below 2 GiB; `checking` takes at most 500,000 at a time


@dataclass(frozen=True)
class Job:
    """One file to read. Crosses the process boundary as JSON. ``local``: the installation's own reference data."""

    raw: str
    raw_sha: str
    file_name: str
    mapping: str
    out: str
    key: str
    local: str = ""


@cache
def code_version() -> str:
    """Hash of everything but the mapping that decides how bytes become rows."""
    tables = sorted(schema.FOLDER.glob("*.toml"))
    return code_hash(closure("pipelines.intake.bronze"), [path.read_bytes() for path in tables])


def version(mapping: Mapping, file_name: str, key: bytes, known: Reference) -> str:
    """Name of the bronze folder of one file: equal inputs, equal name."""
    facts = (known.digest(name) for name in REFERENCE_DATA)
    parts = (code_version(), *facts, mapping.source, mapping.version, file_name, vault.key_id(key))
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def load_references(key: bytes, known: Reference) -> References:
    """Return the placeholders and region codes in force."""
    placeholders: dict[str, set[str]] = {}
    for row in known.rows("placeholders.csv"):
        placeholders.setdefault(row.values["kind"], set()).add(row.values["value"].upper())
    regions = frozenset(row.values["region_code"] for row in known.rows("regions.csv"))
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
        _read_file(job, work, report)
    except FileRefused as refusal:
        for written in out.glob("*.parquet"):
            written.unlink()
        report.sections, report.expectations = [], []
        report.state, report.code = "refused", refusal.code
        report.reason, report.reason_zh = refusal.reason, refusal.reason_zh
    shutil.rmtree(work)
    (out / "report.json").write_text(canonical_json(asdict(report), indent=1) + "\n", encoding="utf-8")
    return report


def _read_file(job: Job, work: Path, report: FileReport) -> None:
    """Take the file apart, count its records a second time, and write section after section."""
    mapping = load_file(Path(job.mapping))
    report.time_zone = mapping.time_zone
    rule = mapping.rule_for(job.file_name)
    references = load_references(bytes.fromhex(job.key), Reference(Path(job.local) if job.local else None))
    for name in ("read", "count"):
        (work / name).mkdir()
    reading = read(Path(job.raw), rule, job.file_name, work / "read")
    counted = count_records(Path(job.raw), rule, job.file_name, work / "count")
    report.notes = reading.notes
    with (
        closing(duck.connect(memory_limit="1GB")) as con,
        closing(BronzeWriter(Path(job.out), job.raw_sha)) as writer,
    ):
        con.execute(f"SET temp_directory = '{work}'")
        # Lists of placeholders stand in every column. A join for each of them, which the optimizer makes, costs more
        # than comparing: 0.5 s against 0.3 s for 1,345 bids, 4.3 s against 3.3 s of two cores for 269,000.
        con.execute("SET disabled_optimizers = 'in_clause'")
        intake = _Intake(mapping, rule.published, references, con, writer, ExpectationTally())
        found = dict.fromkeys([s.name for s in reading.sections] + [u.section for u in reading.unreadable])
        for name in found:
            report.sections.append(intake.take_in(name, reading, counted.get(name, 0)))
        for name in sorted(counted.keys() - found.keys()):
            _check_law(name, counted[name], 0)
    report.notes += [said for section in report.sections for said in section.said_of_left_out()]
    report.expectations = intake.tally.rows()
    vault.seal(Path(job.out) / "sealed.parquet", writer.clear, references.key)


@dataclass(frozen=True)
class _Intake:
    """What one file is read with and where its rows go. The methods lead from a section to its batches.

    ``public``: the sender publishes only what was opened already.
    """

    mapping: Mapping
    public: bool
    references: References
    con: duckdb.DuckDBPyConnection
    writer: BronzeWriter
    tally: ExpectationTally

    def take_in(self, name: str, reading: Reading, counted: int) -> SectionReport:
        """Write every record of the sections called ``name`` and account for them."""
        unreadable = [record for record in reading.unreadable if record.section == name]
        self.writer.refuse(refusals.unreadable(unreadable))
        account = SectionReport(name=name, records=counted, refused=len(unreadable))
        seen = len(unreadable)
        for section in reading.sections:
            if section.name == name:
                seen += self._take_section(section, account)
        _check_law(name, counted, seen)
        return account

    def _take_section(self, section: Section, account: SectionReport) -> int:
        """Convert, check and write one section. Returns the number of records in it."""
        rules = [rule for rule in self.mapping.records if rule.section == section.name]
        if not rules:
            return self._refuse_section(section, account)
        plans = [
            plan(self.mapping, rule, section.columns, self.references, public=self.public) for rule in rules
        ]
        used = {source for each in plans for source in each.sources}
        for listed, more in (
            (account.tables, [each.schema.table for each in plans]),
            (account.unknown_columns, [name for name in section.columns if name not in used]),
            (account.missing_columns, [f"{p.schema.table}.{name}" for p in plans for name in p.missing]),
        ):
            listed += [name for name in dict.fromkeys(more) if name not in listed]
        for each in plans:
            for name, sources in each.columns.items():
                known = account.columns.setdefault(f"{each.schema.table}.{name}", [])
                known += [column for column in sources if column not in known]
        records = 0
        for batch in _regrouped(section):
            records += batch.num_rows
            for source, count in read_as_empty(plans, batch).items():
                account.read_as_empty[source] = account.read_as_empty.get(source, 0) + count
            if batch.num_rows:
                account.refused += self._take_batch(section.name, plans, batch, account)
        return records

    def _take_batch(
        self, section: str, plans: list[ConversionPlan], batch: pa.Table, account: SectionReport
    ) -> int:
        """Write the good rows of one batch and refuse the others; a record is refused as a whole."""
        typed = [convert(self.con, each, batch) for each in plans]
        refused = [
            broken
            for each, rows in zip(plans, typed, strict=True)
            if rows.num_rows
            for broken in self._check(section, each, rows)
        ]
        refused += [
            refusals.undecided(section, column, records)
            for each in plans
            for column, records in undecided(each, batch)
        ]
        refused += [
            refusals.uneven(section, each.split[0], records)
            for each in plans
            if each.split and (records := uneven(self.con, each, batch)) is not None and records.num_rows
        ]
        bad_rows = pa.array([], pa.int64())
        if refused:
            bad = pa.concat_tables(refused)
            bad_rows = pc.unique(bad.column(RAW_ROW).combine_chunks())
            told = refusals.with_raw_text(self.con, bad, batch)
            bids = [rows for each, rows in zip(plans, typed, strict=True) if each.schema.table == "bids"]
            self.writer.refuse(refusals.with_bid(told, bids[0]) if bids else told)
        _count_left_out(plans, typed, bad_rows, batch, account)
        for each, rows in zip(plans, typed, strict=True):
            good = rows
            if len(bad_rows):
                good = rows.filter(pc.invert(pc.is_in(rows.column(RAW_ROW), value_set=bad_rows)))
            self.writer.write(each.schema.table, section, good)
            for column, count, example in unread_cells(self.con, good):
                account.add_unread(f"{each.schema.table}.{column}", count, example)
            if each.personal:
                taken = batch
                if each.rule.only_when:  # nobody keeps what the mapping leaves out
                    taken = batch.filter(pc.is_in(batch.column(RAW_ROW), value_set=rows.column(RAW_ROW)))
                clear = clear_text(self.con, each, taken, self.mapping, self.references)
                self.writer.clear += [] if clear is None else [clear]
        return len(bad_rows)

    def _check(self, section: str, plan: ConversionPlan, rows: pa.Table) -> Iterator[pa.Table]:
        """Count what every expectation found; yield the rows that break a critical one."""
        from pipelines.intake.checking import check

        for outcome in check(plan.schema, plan.checks, rows):
            self.tally.add(plan.schema.table, outcome)
            if outcome.expectation.severity == "critical" and len(outcome.positions):
                named = rows.take(pa.array(outcome.positions))
                yield refusals.broken(self.con, plan.schema, section, outcome.expectation, named)

    def _refuse_section(self, section: Section, account: SectionReport) -> int:
        """Refuse every record of a section that the mapping does not know."""
        known = sorted({rule.section for rule in self.mapping.records})
        records = 0
        for batch in _regrouped(section):
            records += batch.num_rows
            if batch.num_rows:
                bad = refusals.unmapped(section.name, known, batch)
                self.writer.refuse(refusals.with_raw_text(self.con, bad, batch))
        account.refused += records
        account.unknown_columns += [name for name in section.columns if name not in account.unknown_columns]
        return records


def _count_left_out(
    plans: list[ConversionPlan],
    typed: list[pa.Table],
    bad_rows: pa.Array,
    batch: pa.Table,
    account: SectionReport,
) -> None:
    """Count the records of which a rule made no row because of its ``only_when``, and those of which no rule made one."""
    if not any(each.rule.only_when for each in plans):
        return
    made = [pa.concat_arrays([*rows.column(RAW_ROW).chunks, bad_rows]) for rows in typed]
    for each, rows in zip(plans, made, strict=True):
        if missing := batch.num_rows - len(pc.unique(rows)) if each.rule.only_when else 0:
            table = each.schema.table
            account.without_row[table] = account.without_row.get(table, 0) + missing
    if all(each.rule.only_when or each.rule.only_with for each in plans):
        account.left_out += batch.num_rows - len(pc.unique(pa.concat_arrays(made)))


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


def _check_law(section: str, counted: int, seen: int) -> None:
    """The accounting law, first half: the reader saw every record that the other count found."""
    if counted != seen:
        raise FileRefused(
            "COUNTS_DISAGREE",
            f"section {section}: {counted} records were counted and {seen} were read;"
            " the file may be cut or oddly quoted, ask the sender for it again",
            f"{section}：独立计数为{counted}条，读取为{seen}条，文件可能被截断或引号有误，请发送方重新提供",
        )
