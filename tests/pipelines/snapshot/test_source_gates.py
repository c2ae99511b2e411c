"""A source that used to load and now does not: its delivery waits for a person, the others go on."""

import json
from dataclasses import asdict
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.intake.file_report import FileReport, SectionReport
from pipelines.intake.schema import table_schemas
from pipelines.settings import Home
from pipelines.snapshot import source_gates
from pipelines.store import opened
from reports.canonical_json import canonical_json

AT = "2026-07-01T00:00:00+00:00"


class House:
    """A home into which files come as bronze, and whose nights only judge the gates of sources."""

    def __init__(self, root, store):
        self.home = Home(root)
        self.store = store

    def bring(
        self, name, records, refused=0, *, source="centre", state="readable", bids=(), lots=(), bronze="b1"
    ):
        """A file of so many records was read; ``bids`` are (lot, price), ``lots`` (lot, ceiling)."""
        raw_sha = f"{name:a<64}"
        folder = self.home.bronze_of(raw_sha, bronze)
        folder.mkdir(parents=True)
        sections = [SectionReport("rows", records, refused)] if state == "readable" else []
        code = None if state == "readable" else "MISSING_COLUMN"
        report = FileReport(name, raw_sha, state, code, sections=sections)
        (folder / "report.json").write_text(canonical_json(asdict(report)))
        for table, column, rows in (("bids", "price", bids), ("lots", "ceiling_price", lots)):
            if rows:
                self._write(folder, table, column, rows)
        with self.store.transaction() as con:
            if not con.execute("SELECT 1 FROM file WHERE raw_sha = ?", (raw_sha,)).fetchall():
                con.execute(
                    "INSERT INTO arrival (source, name, raw_sha, received_at, actor) VALUES (?, ?, ?, ?, 'x')",
                    (source, name, raw_sha, AT),
                )
                con.execute(
                    "INSERT INTO file (raw_sha, source, name, bytes, first_arrival)"
                    " VALUES (?, ?, ?, 1, (SELECT max(id) FROM arrival))",
                    (raw_sha, source, name),
                )
            con.execute(
                "UPDATE file SET bronze = ?, state = ?, code = ? WHERE raw_sha = ?",
                (bronze, "received" if state == "readable" else "refused", code, raw_sha),
            )

    def _write(self, folder, table, column, rows):
        columns = {name: [None] * len(rows) for name in table_schemas()[table].duckdb_columns()}
        columns |= {"lot_id": [lot for lot, _ in rows], column: [Decimal(price) for _, price in rows]}
        columns |= {"is_deleted": [False] * len(rows)}
        typed = {
            "lot_id": pa.string(), column: pa.decimal128(18, 2), "is_deleted": pa.bool_(), "price_form": pa.string()
        }  # fmt: skip
        pq.write_table(
            pa.table(
                {name: pa.array(columns[name], type) for name, type in typed.items() if name in columns}
            ),
            folder / f"{table}.parquet",
        )

    def night(self):
        """Judge what came, and write down what a night writes down."""
        gates = source_gates.closed(self.home, self.store)
        kept_out = {sha for gate in gates for sha in gate.files}
        with self.store.transaction() as con:
            for row in self.store.rows(
                "SELECT * FROM file WHERE state <> 'refused' AND passed IS NOT 'left out'"
            ):
                report = FileReport.load(self.home.bronze_of(row["raw_sha"], row["bronze"]))
                if row["raw_sha"] not in kept_out:
                    con.execute(
                        "UPDATE file SET state = 'loaded', records = ?, loaded = ?, duplicate = 0, refused = ?, held = 0"
                        " WHERE raw_sha = ?",
                        (report.records, report.records - report.refused, report.refused, row["raw_sha"]),
                    )
            source_gates.let_pass(con, gates)
            con.execute(
                "INSERT INTO night (as_of, state, summary, last_arrival, finished_at)"
                " VALUES ('2026-07-01', 'published', '{}', (SELECT coalesce(max(id), 0) FROM arrival), ?)",
                (AT,),
            )
        return gates

    def said(self):
        return [(gate.source, gate.reason) for gate in self.night()]


@pytest.fixture
def house(tmp_path):
    with opened(tmp_path / "control.sqlite") as store:
        yield House(tmp_path, store)


def test_a_delivery_of_which_everything_is_refused_is_left_out_until_a_person_accepts_it(house):
    house.bring("good", 40)
    house.bring("other", 40, source="court")
    assert house.said() == []
    house.bring("bad", 50, 50)
    house.bring("fine", 50, source="court")
    told = [("centre", "50 of 50 records are refused; before, 0.0%")]
    assert house.said() == told
    assert house.said() == told, "the next night says it again"
    decided = {"actor": "张三", "reason": "", "at": AT}
    assert source_gates.decide(house.store, "centre", accepts=True, **decided) == 1
    assert house.said() == []
    entry = json.loads(house.store.rows("SELECT body FROM audit ORDER BY seq DESC LIMIT 1")[0]["body"])
    assert (entry["actor"], entry["verb"], entry["object"]) == ("张三", "accept_source", "centre")


def test_what_is_left_out_for_good_is_told_no_more_and_does_not_pass(house):
    house.bring("good", 40)
    house.night()
    house.bring("bad", 50, 50)
    house.night()
    source_gates.decide(house.store, "centre", accepts=False, actor="张三", reason="", at=AT)
    assert house.said() == []
    assert house.store.rows("SELECT state FROM file WHERE name = 'bad'")[0]["state"] == "received"


def test_nothing_that_waits_is_nothing_to_decide_on(house):
    house.bring("good", 40)
    house.night()
    with pytest.raises(ValueError, match="nothing of source 'centre' waits"):
        source_gates.decide(house.store, "centre", accepts=True, actor="张三", reason="", at=AT)


@pytest.mark.parametrize(
    ("records", "refused", "is_closed"),
    [
        (8, 4, True),  # one new remark word refuses half of a sheet
        (13_978, 6_887, True),
        (8, 1, False),  # one bad row in a sheet is no change of the source
        (100, 20, False),  # less than a third: told as refused rows
        (1, 1, False),  # one document that cannot be read, of a source with few of them
    ],
)
def test_a_share_of_refusals_closes_the_gate_if_the_source_used_to_load(house, records, refused, is_closed):
    for number in range(4):
        house.bring(f"good{number}", 10, 1 if records == 1 else 0)
        house.night()
    house.bring("tonight", records, refused)
    assert bool(house.night()) is is_closed


def test_a_source_whose_records_are_often_refused_is_judged_by_its_own_past(house):
    for number in range(4):
        house.bring(f"usual{number}", 50, 20)
        house.night()
    house.bring("tonight", 50, 22)
    assert house.said() == []


def test_a_first_delivery_closes_its_gate_only_when_nothing_of_it_loads(house):
    house.bring("half", 8, 4, source="a")
    house.bring("all", 8, 8, source="b")
    assert house.said() == [("b", "8 of 8 records are refused")]


def test_a_file_refused_as_a_whole_counts_as_the_records_that_such_a_file_has(house):
    for number in range(3):
        house.bring(f"good{number}", 20)
        house.night()
    house.bring("renamed", 0, state="refused")
    (gate,) = house.night()
    assert (gate.records, gate.uncounted) == (20, 1)
    assert gate.reason == (
        "an estimated 20 of 20 records are refused (files refused as a whole, not counted: 1, each taken for 20 records);"
        " before, 0.0%"
    )
    assert gate.reason_zh == "约20条记录中拒收20条（1个文件整体拒收，未计数，每个按20条估算），此前拒收率0.0%"


def test_a_corrected_delivery_passes_beside_the_bad_one(house):
    house.bring("good", 40)
    house.night()
    house.bring("bad", 50, 50)
    house.night()
    house.bring("corrected", 50)
    assert [gate.files for gate in house.night()] == [(f"{'bad':a<64}",)]


def test_a_tenth_of_the_usual_volume_closes_the_gate(house):
    for number, records in enumerate((300, 420, 90, 350)):
        house.bring(f"night{number}", records)
        assert house.said() == []
    house.bring("short", 30)
    assert house.said() == [("centre", "30 records came; usually 325")]


def test_a_small_delivery_is_usual_where_one_was_before(house):
    for number, records in enumerate((300, 12, 350, 400)):
        house.bring(f"night{number}", records)
        house.night()
    house.bring("short", 20)
    assert house.said() == []


def test_bids_far_off_their_ceilings_close_the_gate_and_no_price_is_told(house):
    house.bring("good", 2, lots=[("L1", 1_000_000)], bids=[("L1", 930_000)])
    assert house.said() == []
    house.bring("drifted", 3, lots=[("L2", 1_000_000)], bids=[("L2", 93), ("L2", 95)])
    said = "the middle lot's bids are about 1/10,000 of its ceiling price: is the unit right?"
    assert house.said() == [("centre", said)]


def test_prices_without_ceilings_are_held_against_earlier_ones(house):
    house.bring("good", 30, bids=[(f"L{n}", 500_000 + n) for n in range(30)])
    house.night()
    house.bring("drifted", 30, bids=[(f"M{n}", 50 + n) for n in range(30)])
    assert house.said() == [
        ("centre", "the middle price is about 1/10,000 of what it was: is the unit right?")
    ]


def test_files_of_the_current_snapshot_that_load_no_more_are_told_as_such(house):
    """A mapping was changed: to leave them out would empty the snapshot."""
    house.bring("good", 40)
    house.night()
    house.bring("good", 40, 40, bronze="b2")
    assert [gate.was_current for gate in house.night()] == [True]
