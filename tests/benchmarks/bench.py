"""`make bench`: the night's heavy parts against the floor of the same run.

Every line is CPU seconds (user and system, children included) of a fresh process, the median of
several runs taken in turns, and its ratio to the floor: the plain typed ``read_csv`` for ingest, a bare
``GROUP BY`` for the detectors, the load of its tables for the simulated county. Peak memory is the resident
memory of that process.
"""

from __future__ import annotations

import argparse
import codecs
import csv
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

from pipelines import duck, files

LOTS_PER_BID = 1 / 5.5
SOURCE = """
title = "benchmark"
country = "CN"
time_zone = "Asia/Shanghai"
[[file]]
match = ["*.csv"]
format = "delimited"
published = true
[[record]]
section = "rows"
table = "bids"
version.updated_at = { from = ["DATA_TIMESTAMP"], formats = ["%Y%m%d%H%M%S"] }
[record.columns]
lot_id = { from = ["BID_SECTION_CODE"] }
bidder_code = { from = ["BIDDER_ORG_CODE"] }
bidder_name = { from = ["BIDDER_NAME"] }
price = { from = ["BID_PRICE"], unit_from = ["PRICE_UNIT"], units = { "0" = 1, "1" = 10000 } }
currency = { constant = "CNY" }
submitted_at = { from = ["CHECKIN_TIME"], formats = ["%Y%m%d%H%M%S"] }
duration_days = { from = ["TIME_LIMIT"] }
project_manager = { from = ["BID_MANAGER"] }
project_manager_id = { from = ["PM_CODE"] }
operator_phone = { from = ["BIDDER_OPERATION_PERSON_CON"] }
"""
COLUMNS = (
    "BID_SECTION_CODE",
    "TENDER_PROJECT_CODE",
    "BIDDER_ORG_CODE",
    "BIDDER_NAME",
    "BID_PRICE",
    "PRICE_UNIT",
    "CHECKIN_TIME",
    "TIME_LIMIT",
    "BID_MANAGER",
    "PM_CODE",
    "BIDDER_OPERATION_PERSON_CON",
    "MARGIN_PAY_FORM",
    "BIDDER_REGION_CODE",
    "REMARK",
    "DATA_TIMESTAMP",
)


def main() -> None:
    """Run every variant in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--variant", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.variant:
        VARIANTS[chosen.variant](chosen.folder)
        return
    with tempfile.TemporaryDirectory(prefix="bidwatch-bench-") as name:
        folder = Path(name)
        write_bids(folder, chosen.rows)
        (folder / "lots").write_text(str(int(chosen.rows * LOTS_PER_BID)), encoding="utf-8")
        make_county(folder, folder / "county")
        measured: dict[str, list[tuple[float, float, float]]] = {variant: [] for variant in VARIANTS}
        for _ in range(chosen.repeats):
            for variant in VARIANTS:
                measured[variant].append(measure(variant, folder))
    print(f"{chosen.rows:,} bids, median of {chosen.repeats}; load {os.getloadavg()[0]:.1f}")
    print(f"{'variant':46} {'CPU s':>8} {'wall s':>8} {'ratio':>7} {'peak MiB':>9}")
    for variant, runs in measured.items():
        cpu, wall, peak = (statistics.median(column) for column in zip(*runs, strict=True))
        floor = statistics.median(run[0] for run in measured[FLOORS[variant]])
        print(f"{variant:46} {cpu:8.2f} {wall:8.2f} {cpu / floor:7.2f} {peak:9.0f}")


def measure(variant: str, folder: Path) -> tuple[float, float, float]:
    """Run one variant in its own process: CPU seconds, wall seconds, peak MiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, __file__, "--variant", variant, "--folder", str(folder)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{variant}\n{done.stderr}")
    if variant == "detectors: all":
        sys.stderr.write(done.stderr)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = json.loads(done.stdout.splitlines()[-1])["peak_mib"]
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, peak)


def report_peak() -> None:
    """Print the largest resident memory of this process or any of its children."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({"peak_mib": peak / 1024}))


# ---- the variants


def read_csv_floor(folder: Path) -> None:
    """The plain typed read of the same file into a DuckDB file."""
    con = duckdb.connect(str(folder / f"floor-{os.getpid()}.duckdb"), config={"threads": 2})
    con.execute(
        "CREATE TABLE bids AS SELECT * FROM read_csv(?, header = true,"
        " types = {'BID_PRICE': 'DECIMAL(20,6)'}, ignore_errors = true)",
        [str(folder / "bids.csv")],
    )
    con.execute("CHECKPOINT")
    con.close()
    report_peak()


def ingest(folder: Path) -> None:
    """From raw to bronze as every night does it: hash, two counts, conversion, table schema, refusal."""
    _ingest(folder, refused=True)


def ingest_without_expectations(folder: Path) -> None:
    """The same without Great Expectations, to see what the expectations cost."""
    from pipelines.intake import checking

    checking.check = lambda schema, checks, rows: []
    _ingest(folder, refused=False)


def _ingest(folder: Path, *, refused: bool) -> None:
    from pipelines.intake import bronze

    source = folder / "bench.toml"
    source.write_text(SOURCE, encoding="utf-8")
    out = folder / f"bronze-{os.getpid()}"
    out.mkdir()
    raw = folder / "bids.csv"
    report = bronze.make(bronze.Job(str(raw), files.sha256(raw), raw.name, str(source), str(out), "00" * 32))
    if report.state != "readable" or bool(report.refused) is not refused:
        raise SystemExit(f"the benchmark's file was not read as meant: {report}")
    report_peak()


def group_by_floor(folder: Path) -> None:
    """A bare GROUP BY over the prices."""
    con = duckdb.connect(str(folder / "market.duckdb"), read_only=True, config={"threads": 2})
    con.sql(
        "SELECT lot_id, count(*), sum(price), min(price), max(price) FROM core.bids GROUP BY lot_id"
    ).to_arrow_table()
    con.close()
    report_peak()


def all_detectors(folder: Path) -> None:
    """Every detector over the market, results stored."""
    from detectors import registry
    from pipelines.snapshot import screening

    copy = folder / f"market-{os.getpid()}.duckdb"
    shutil.copy(folder / "market.duckdb", copy)
    con = duck.connect(copy)
    screening.prepare(con)
    for detector in registry.load():
        started = time.process_time()
        done = screening.screen(con, detector)
        sys.stderr.write(
            f"{detector.id}: {time.process_time() - started:.2f} s, {done.judged} judged, {done.flagged} flagged\n"
        )
    con.close()
    copy.unlink()
    report_peak()


def load_county(folder: Path) -> None:
    """The delivered tables of a county into a DuckDB file, all text; the old system's are transcoded first."""
    con = duckdb.connect(str(folder / f"county-{os.getpid()}.duckdb"), config={"threads": 2})
    for path in sorted((folder / "county" / "inbox" / "national").glob("*.csv")):
        with path.open("rb") as file:
            is_old = file.read(3) != codecs.BOM_UTF8
        if is_old:
            plain = folder / f"plain-{os.getpid()}.csv"
            with (
                path.open(encoding="gb18030", newline="") as old,
                plain.open("w", encoding="utf-8", newline="") as new,
            ):
                shutil.copyfileobj(old, new, 1 << 20)
            path = plain
        con.execute(f"CREATE OR REPLACE TABLE t AS SELECT * FROM read_csv('{path}', all_varchar = true)")
    con.execute("CHECKPOINT")
    con.close()
    report_peak()


def simulate(folder: Path) -> None:
    """Write a county of as many bids as CSV, with its truth."""
    out = folder / f"county-{os.getpid()}"
    make_county(folder, out)
    shutil.rmtree(out)
    report_peak()


def make_county(folder: Path, out: Path) -> None:
    """Write a county of one night as CSV."""
    from pipelines.simulator.care import usual_care
    from pipelines.simulator.writing import write_county

    lots = int((folder / "lots").read_text(encoding="utf-8"))
    write_county(out, seed=1, lots=lots, nights=1, form="csv", care=usual_care())


VARIANTS = {
    "ingest: floor, plain typed read_csv": read_csv_floor,
    "ingest: raw to bronze, without the expectations": ingest_without_expectations,
    "ingest: raw to bronze": ingest,
    "detectors: floor, bare GROUP BY": group_by_floor,
    "detectors: all": all_detectors,
    "simulate: floor, load of the county into DuckDB": load_county,
    "simulate: county as CSV, with its truth": simulate,
}
FLOORS = {
    variant: next(f for f in VARIANTS if f.split(":")[0] == variant.split(":")[0]) for variant in VARIANTS
}


# ---- the data


def write_bids(folder: Path, rows: int) -> None:
    """Write a CSV of bids as a centre exports it (one row in a thousand broken) and the market behind it."""
    chance = np.random.default_rng(20260630)
    lots = int(rows * LOTS_PER_BID)
    sizes = 1 + chance.multinomial(rows - lots, np.full(lots, 1 / lots))
    lot = np.repeat(np.arange(lots), sizes)
    firm = chance.integers(0, max(rows // 50, 50), len(lot))
    level = np.exp(chance.normal(14, 1, lots))
    price = np.round(level[lot] * (1 - 0.15 * chance.beta(2, 4, len(lot))), 2)
    codes = np.array([credit_code(n) for n in range(firm.max() + 1)])
    with (folder / "bids.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for n in range(len(lot)):
            code = codes[firm[n]]
            writer.writerow(
                (
                    f"E4108210001{lot[n]:09d}001",
                    f"E4108210001{lot[n]:09d}",
                    code,
                    f"样例第{firm[n]:06d}号建设有限公司",
                    "12,3x" if n % 1000 == 7 else f"{price[n]:.2f}",
                    "0",
                    f"202606{1 + n % 28:02d}09{n % 60:02d}30",
                    90 + n % 300,
                    # three project managers and one operator a firm
                    f"样例{firm[n]}{chr(0x4E00 + n % 3)}",
                    f"{10**17 + firm[n] * 10 + n % 3}",
                    f"1990{firm[n]:07d}",
                    "转账",
                    "410821",
                    "备注" * (n % 30),
                    "20260629120000",
                )
            )
    market(folder, lots, lot, firm, codes, price, level)


def credit_code(n: int) -> str:
    """Return an invented unified social credit code with a right check digit."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    body = f"91410821YY{n:07d}"
    total = sum(alphabet.index(letter) * weight for letter, weight in zip(body, weights, strict=True))
    return body + alphabet[(31 - total % 31) % 31]


def market(folder: Path, lots: int, lot, firm, codes, price, level) -> None:  # type: ignore[no-untyped-def]
    """Write the core tables that the detectors read: prices, devices, deposits, people, a ban list."""
    import pyarrow as pa

    from pipelines.snapshot import core, stage

    con = duck.connect(folder / "market.duckdb")
    stage.create(con)
    core.build(con)
    bids = pa.table({"lot": lot, "bidder_id": codes[firm], "price": price, "firm": firm})
    con.register("drawn", bids)
    con.register("drawn_lots", pa.table({"lot": np.arange(lots), "ceiling": level * 1.02}))
    con.execute(
        """
        INSERT INTO core.lots BY NAME
        SELECT 'L' || lpad(CAST(lot AS VARCHAR), 9, '0') AS lot_id, 'A08' AS class, 'CNY' AS currency,
               CASE WHEN lot % 10 < 7 THEN 'lowest_price' ELSE 'average_price' END AS award_method,
               CAST(ceiling AS DECIMAL(20,6)) AS ceiling_price, DATE '2026-01-01' + CAST(lot % 170 AS INTEGER) AS opened_on,
               'construction' AS procurement_regime
        FROM drawn_lots ORDER BY 1
        """
    )
    con.execute(
        """
        INSERT INTO core.bids BY NAME
        SELECT lot_id || '/' || bidder_id AS bid_id, lot_id, bidder_id, bidder_id AS bidder_name,
               CAST(min(price) AS DECIMAL(20,6)) AS price, 'CNY' AS currency, 'amount' AS price_form,
               TRUE AS is_valid, FALSE AS is_winner, 1 AS lances
        FROM (SELECT 'L' || lpad(CAST(lot AS VARCHAR), 9, '0') AS lot_id, bidder_id, price FROM drawn)
        GROUP BY lot_id, bidder_id ORDER BY lot_id, bidder_id
        """
    )
    con.execute(
        "INSERT INTO core.bid_members BY NAME SELECT lot_id, bidder_id, bidder_id AS party_id,"
        " FALSE AS is_joint_venture_member FROM core.bids"
    )
    con.execute(
        """
        INSERT INTO core.fingerprints BY NAME
        SELECT b.lot_id, b.bidder_id, 'bidder' AS owner, p.purpose, '' AS file_ref, FALSE AS is_on_site,
               upper(left(md5(b.bidder_id || 'm'), 12)) AS mac, FALSE AS mac_is_local,
               md5(b.bidder_id || 'c') AS cpu_id, md5(b.bidder_id || 'd') AS disk_serial,
               CASE WHEN p.purpose = 'pricing' THEN md5(b.bidder_id || 'k') END AS dongle
        FROM core.bids AS b, (VALUES ('edit'), ('pricing'), ('upload')) AS p (purpose)
        """
    )
    con.execute(
        "INSERT INTO core.deposits BY NAME SELECT lot_id, bidder_id, '' AS payment_ref, 'transfer' AS form,"
        " FALSE AS is_guarantee, 'h1:' || left(md5(bidder_id || 'a'), 32) AS account FROM core.bids"
    )
    con.execute(
        """
        INSERT INTO core.people BY NAME
        SELECT lot_id, bidder_id, r.role, 'h1:' || left(md5(bidder_id || r.role || 'n'), 32) AS person,
               'h1:' || left(md5(bidder_id || r.role), 32) AS person_id,
               'h1:' || left(md5(bidder_id || r.role || 'p'), 32) AS phone, 'bids' AS source
        FROM core.bids, (VALUES ('project_manager'), ('agent')) AS r (role)
        """
    )
    con.execute(
        "INSERT INTO core.penalties BY NAME SELECT party_id, '样例〔2026〕' || row_number() OVER () || '号' AS decision_no,"
        " 'blacklist' AS kind, TRUE AS is_bidding_ban, DATE '2026-03-01' AS starts_on, DATE '2026-04-01' AS ends_on"
        " FROM (SELECT DISTINCT party_id FROM core.bid_members WHERE hash(party_id) % 200 = 0)"
    )
    con.execute("CHECKPOINT")
    con.close()


if __name__ == "__main__":
    main()
