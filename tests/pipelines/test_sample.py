"""The committed sample county: what it holds, and that nobody in it can be real."""

import csv
import io
import re
import shlex
import zipfile
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from places import REPO

from pipelines.intake import bronze, mapping
from pipelines.simulator.care import usual_care
from pipelines.simulator.look_alikes import KINDS
from pipelines.simulator.tactics import TACTICS
from pipelines.simulator.writing import write_county

pytestmark = pytest.mark.slow

COMMITTED = REPO / "data" / "sample"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "README.md"
    }


def parts(workbook):
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def texts():
    decoded = {}
    for path, content in files(COMMITTED).items():
        if path.endswith(".xlsx"):
            decoded[path] = "\n".join(part.decode() for part in parts(content).values())
        else:
            try:
                decoded[path] = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                decoded[path] = content.decode("gb18030")
    return decoded


def truth(name):
    with (COMMITTED / "truth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_committed_files_are_the_generated_ones(tmp_path):
    line = next(
        line for line in (REPO / "Makefile").read_text("utf-8").splitlines() if line.startswith("SAMPLE")
    )
    words = shlex.split(line.partition(":=")[2])
    said = {name.removeprefix("--"): int(value) for name, value in zip(words[::2], words[1::2], strict=True)}
    write_county(tmp_path, **said, form="exchange", care=usual_care())
    made, stored = files(tmp_path), files(COMMITTED)
    assert stored.keys() == made.keys()
    for path, content in made.items():
        # Workbooks are compared unpacked: compression may differ between versions of zlib.
        same = parts(stored[path]) == parts(content) if path.endswith(".xlsx") else stored[path] == content
        assert same, f"{path} is out of date: run make sample"


def test_sample_is_small_and_comes_in_thirty_nights():
    assert sum(path.stat().st_size for path in COMMITTED.rglob("*") if path.is_file()) <= 2_000_000
    nights = {re.search(r"_(2026\d{4})[_.]", path)[1] for path in files(COMMITTED / "inbox")}
    assert min(nights) == "20260601"
    assert max(nights) == "20260630"
    assert len(nights) > 15  # no night without news leaves a file
    kinds = {Path(path).suffix for path in files(COMMITTED / "inbox")}
    assert kinds == {".csv", ".jsonl", ".xml", ".xlsx"}


def test_every_tactic_and_every_look_alike_is_there():
    opened = {row["lot_id"] for row in truth("lots") if row["opening_at"][:10] < "2026-06-30"}
    rigged = {row["tactic"] for row in truth("lots") if row["is_rigged"] == "yes" and row["lot_id"] in opened}
    assert rigged == {tactic.key for tactic in TACTICS} - {"none"}
    alike = {row["what"] for row in truth("links") if row["innocent"] == "yes" and row["lot_id"] in opened}
    assert alike == {
        *KINDS,
        "norm_prices",
        "niche_market",
        "re_tender",
        "affiliates",
        "one_time_bidders",
        "ban_ended",
        "ban_withdrawn",
    }
    assert {row["care"] for row in truth("rings")} == set("01234")


def test_every_credit_code_fits_its_check_digit_and_lies_in_the_synthetic_range(texts):
    codes = {code for text in texts.values() for code in re.findall(r"\b[0-9A-Z]{8}YL[0-9A-Z]{8}\b", text)}
    assert len(codes) > 300
    misfits = [
        code
        for code in codes
        if sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17])) % 31
        != (31 - ALPHABET.index(code[17])) % 31
    ]
    assert len(misfits) == len([row for row in truth("records") if row["code"] == "CHECK_DIGIT"])
    with (REPO / "data" / "reference" / "regions.csv").open(encoding="utf-8", newline="") as file:
        regions = {row["region_code"] for row in csv.DictReader(file)}
    assert {code[2:8] for code in codes} <= regions


def test_nothing_personal_in_it_can_be_real(texts):
    text = "\n".join(texts.values())
    found = set(re.findall(r"\b\d{17}[\dX]\b", text))
    numbers = {number for number in found if not number.startswith("99990000")}  # accounts
    assert len(numbers) > 300
    assert {number[:8] for number in numbers} == {"99999918"}  # no region 999999, and born before 1900
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1)
    for number in numbers:
        digits = [10 if c == "X" else int(c) for c in number]
        assert sum(d * w for d, w in zip(digits, weights, strict=True)) % 11 == 1
    phones = set(re.findall(r"(?<![\d.])1\d{10}(?![\d.])", text))
    assert {phone for phone in phones if not phone.startswith("12")} <= {"13800138000"}
    addresses = {tuple(ip.split(".")[:2]) for ip in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)}
    assert addresses <= {("198", "18"), ("198", "19"), ("100", "64")}


def test_every_organisation_is_marked_as_invented(texts):
    named = re.compile(
        r"(?:BIDDER_NAME|BUYER_NAME|TENDERER_NAME|AGENCY_NAME|BODY_NAME|LEGAL_NAME|HOLDER_NAME|PURCHASER_NAME)"
    )
    seen = 0
    for path, text in texts.items():
        if path.startswith("inbox/national") and path.endswith(".csv"):
            for row in csv.DictReader(io.StringIO(text)):
                names = [
                    cell for column, cell in row.items() if named.search(column) and cell not in ("", "无")
                ]
                assert all("样例" in re.sub(r"\s", "", name) for name in names), (path, names)
                seen += len(names)
    assert seen > 1000


def test_lowest_price_lots_are_enough_for_a_reference_class():
    usable = [
        row
        for row in truth("lots")
        if row["rule"] == "lowest" and int(row["bids"]) >= 3 and row["opening_at"][:10] < "2026-06-30"
    ]
    assert len(usable) > 201


def test_truth_names_lots_and_firms_that_are_delivered(texts):
    delivered = "\n".join(text for path, text in texts.items() if path.startswith("inbox"))
    short = {row["bidder_code"] for row in truth("bids") if row["code_form"] != "0"}
    for row in truth("links"):
        assert row["lot_id"] in delivered
        assert all(code in delivered or code in short for code in row["parties"].split(";"))


def test_a_banned_firm_bids_only_where_the_truth_says_so():
    bans = {}
    for path in (COMMITTED / "inbox" / "national").glob("BLACK_LIST_*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                bans[row["BODY_CODE"]] = (row["CONFINED_START"], row["CONFINED_END"])
    opened = {row["lot_id"]: row["opening_at"][:10].replace("-", "") for row in truth("lots")}
    during = {
        (row["lot_id"], row["bidder_code"])
        for row in truth("bids")
        if row["bidder_code"] in bans
        and bans[row["bidder_code"]][0] <= opened[row["lot_id"]] <= bans[row["bidder_code"]][1]
    }
    said = {
        (row["lot_id"], code)
        for row in truth("links")
        if row["what"] in ("ban", "ban_withdrawn")
        for code in row["parties"].split(";")
    }
    assert during <= said
    assert any(row["what"] == "ban" for row in truth("links"))


@pytest.mark.parametrize("section", ["ZJ_TENDER_LIST", "SECTION"])
def test_night_refuses_exactly_the_records_that_the_truth_says(tmp_path, section):
    name = f"{section}_{date(2026, 6, 1):%Y%m%d}.csv"
    toml = mapping.BUILT_IN / "national.toml"
    path = COMMITTED / "inbox" / "national" / name
    report = bronze.make(bronze.Job(str(path), "f" * 64, name, str(toml), str(tmp_path), "00" * 32))
    assert report.state == "readable", report.reason
    refused = pq.read_table(tmp_path / "refused.parquet").to_pylist()
    expected = [row["code"] for row in truth("records") if row["file"] == name and row["fate"] == "refused"]
    assert expected
    assert sorted(row["code"] for row in refused) == sorted(expected)
    assert report.refused == len(expected)
