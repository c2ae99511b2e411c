"""A county small enough to read: CSV text in, rows and reasons out.

The mapping below is a sender of the exchange records as tables, one file a section
(``bids_1.csv`` holds section ``bids``).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import sample_night as sample

from pipelines import duck
from pipelines.intake import bronze
from pipelines.intake.file_report import FileReport
from pipelines.intake.schema import table_schemas
from pipelines.snapshot import core, linking, stage

KEY = bytes(range(32))

COUNTY = """
title = "a county"
country = "CN"
time_zone = "Asia/Shanghai"

[[file]]
match = ["public_*.csv"]
format = "delimited"
section = "counted"
published = true

[[file]]
match = ["*.csv"]
format = "delimited"
section = "stem"

[[file]]
match = ["*.jsonl"]
format = "exchange"

[[record]]
section = "lots"
table = "lots"
version.updated_at = { from = ["at"] }
version.deleted = { from = ["change"], values = ["3"] }
[record.columns]
lot_id = { from = ["lot"] }
tender_id = { from = ["tender"] }
re_tender_no = { from = ["times"] }
ceiling_price = { from = ["ceiling"], unit = 1 }
currency = { constant = "CNY" }
region_code = { from = ["region"] }
deal_code = { from = ["deal"] }
opening_at = { from = ["opening"] }

[[record]]
section = "counted"
table = "lots"
version.updated_at = { from = ["at"] }
[record.columns]
lot_id = { from = ["lot"] }
bidder_count = { from = ["bidders"] }

[[record]]
section = "documents"
table = "documents"
version.updated_at = { from = ["at"] }
[record.columns]
lot_id = { from = ["lot"] }
opening_at = { from = ["opening"] }

[[record]]
section = "bids"
table = "bids"
version.updated_at = { from = ["at"] }
version.deleted = { from = ["change"], values = ["3"] }
[record.columns]
lot_id = { from = ["lot"] }
bidder_code = { from = ["code"] }
bidder_name = { from = ["name"] }
bid_ref = { from = ["ref"] }
price = { from = ["price"], unit = 1 }
currency = { constant = "CNY" }
price_form = { from = ["form"], values = { "1" = "amount", "2" = "rate" } }
submitted_at = { from = ["submitted"] }
rank = { from = ["rank"] }
joint_venture_codes = { from = ["partners"] }
agent = { from = ["agent"] }
agent_phone = { from = ["phone"] }
operator_phone = { from = ["operator phone"] }
project_manager_id = { from = ["manager id"] }

[[record]]
section = "awards"
table = "awards"
version.updated_at = { from = ["at"] }
[record.columns]
lot_id = { from = ["lot"] }
winner_code = { from = ["code"] }
winner_name = { from = ["name"] }
price = { from = ["price"], unit = 1 }
currency = { constant = "CNY" }
awarded_on = { from = ["day"] }

[[record]]
section = "experts"
table = "experts"
[record.columns]
lot_id = { from = ["lot"] }
expert = { from = ["expert"] }

[[record]]
section = "traces"
table = "fingerprints"
[record.columns]
lot_id = { from = ["lot"] }
bidder_name = { from = ["name"] }
owner = { constant = "bidder" }
purpose = { from = ["purpose"] }
file_ref = { from = ["file"] }
mac = { from = ["mac"] }
cpu_id = { from = ["cpu"] }
disk_serial = { from = ["disk"] }
dongle = { from = ["dongle"] }

[[record]]
section = "deposits"
table = "deposits"
[record.columns]
lot_id = { from = ["lot"] }
bidder_name = { from = ["name"] }
form = { from = ["form"], values = { "保函" = "guarantee", "转账" = "transfer" } }
account = { from = ["account"] }
"""


@dataclass
class Bronze:
    """What became of one file."""

    folder: Path
    report: FileReport
    raw_sha: str

    def rows(self, table: str = "bids") -> list[dict]:
        """Rows that were taken, in file order; times beyond Python's calendar would fail here."""
        path = self.folder / f"{table}.parquet"
        return pq.read_table(path).to_pylist() if path.exists() else []

    def values(self, column: str, table: str = "bids") -> list:
        return [row[column] for row in self.rows(table)]

    @property
    def refused(self) -> list[dict]:
        return self.rows("refused")

    @property
    def codes(self) -> list[tuple[int, str, str]]:
        """(row, column, reason code) of every refusal."""
        return [(row["raw_row"], row["column_name"], row["code"]) for row in self.refused]


#: Bronze of files that were read before, by all that it follows from.
_read_before: dict[tuple[object, ...], Path] = {}
_kept = tempfile.TemporaryDirectory(prefix="bronze-")


@dataclass
class County:
    """An installation in a folder: files go in by ``read``, a night makes the tables of all of them."""

    root: Path
    mapping: str = COUNTY
    key: bytes = KEY
    files: dict[str, Bronze] = field(default_factory=dict)

    def read(self, text: str | bytes, name: str = "bids.csv") -> Bronze:
        """Read one file. The same bytes again are the same file."""
        content = text if isinstance(text, bytes) else text.encode()
        raw_sha = hashlib.sha256(content).hexdigest()
        folder = self.root / f"{len(list(self.root.iterdir()))}"
        folder.mkdir()
        (folder / "county.toml").write_text(self.mapping, encoding="utf-8")
        (folder / "raw").write_bytes(content)
        out = folder / "bronze"
        checking = sys.modules.get("pipelines.intake.checking")
        facts = (self.mapping, raw_sha, name, self.key, bronze.BATCH_ROWS, checking and checking.check)
        if facts in _read_before:
            # A pure function of these: many tests deliver the same notice.
            shutil.copytree(_read_before[facts], out)
            report = FileReport.load(out)
        else:
            out.mkdir()
            report = bronze.make(
                bronze.Job(
                    raw=str(folder / "raw"),
                    raw_sha=raw_sha,
                    file_name=name,
                    mapping=str(folder / "county.toml"),
                    out=str(out),
                    key=self.key.hex(),
                )
            )
            kept = Path(tempfile.mkdtemp(dir=_kept.name)) / "bronze"
            _read_before[facts] = Path(shutil.copytree(out, kept))
        self.files.setdefault(raw_sha, Bronze(out, report, raw_sha))
        return self.files[raw_sha]

    def night(
        self,
        cutoff: str = "2026-07-01 00:00:00",
        *,
        order: list[Bronze] | None = None,
        judgements: list[tuple[str, str, str]] | None = None,
    ) -> Night:
        """Build stage and core of every file read so far, in the order of arrival or in ``order``."""
        files = list(self.files.values()) if order is None else order
        con = duck.connect()
        tables = {
            table: [path for one in files if (path := one.folder / f"{table}.parquet").exists()]
            for table in (*table_schemas(), "refused")
        }
        arrivals = [
            stage.Arrival(one.raw_sha, number, one.report.time_zone) for number, one in enumerate(files, 1)
        ]
        stage.load(con, tables, arrivals, cutoff)
        linking.set_judgements(con, linking.standing(judgements or []))
        core.build(con)
        return Night(con)


@dataclass
class Night:
    """The tables of one night."""

    con: duckdb.DuckDBPyConnection

    def rows(self, query: str) -> list[tuple]:
        return self.con.execute(query).fetchall()

    def values(self, query: str) -> list:
        return [row[0] for row in self.rows(query)]

    def account(self, of: Bronze) -> dict[str, int]:
        """What became of the readable records of a file."""
        nothing = {"loaded": 0, "duplicate": 0, "conflict": 0, "held": 0}
        return stage.account(self.con).get(of.raw_sha, nothing)

    def content(self, *, with_origin: bool = True) -> dict[str, list[tuple]]:
        """Every row of the current tables, in no order that matters."""
        names = [f"stage.{table}" for table in table_schemas()] + [f"core.{table}" for table in core.tables()]
        wanted = "*" if with_origin else "* EXCLUDE (raw_sha, raw_section, raw_row)"
        return {
            name: sorted(self.rows(f"SELECT {wanted} FROM {name}"), key=str)
            for name in names
            if with_origin or "raw_sha" in [row[0] for row in self.rows(f"DESCRIBE {name}")]
        }


@pytest.fixture
def county(tmp_path):
    return County(tmp_path)


@pytest.fixture
def make_county():
    """For property tests, which need a fresh folder for every example."""
    return County


def _take_everything(*_):
    return []


@pytest.fixture
def unchecked(monkeypatch):
    """Take every readable row without Great Expectations: these tests are about what comes after it."""
    monkeypatch.setattr("pipelines.intake.checking.check", _take_everything)


@pytest.fixture(scope="session")
def sample_night(tmp_path_factory):
    """The night on the sample county, which the first worker that wants it runs for all; take a copy of it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "sample_night"
    with (base / "sample_night.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "said").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            return sample.by_command(folder)
    return sample.SampleNight(folder)
