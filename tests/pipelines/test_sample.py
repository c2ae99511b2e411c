import csv
import io
import re
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import bronze, mapping
from pipelines.sample.county import TRADES, County, document_number
from pipelines.sample.delivery import Sample
from pipelines.sample.planting import plant

COMMITTED = Path(__file__).parents[2] / "data" / "sample"
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.fixture(scope="module")
def sample():
    return Sample()


@pytest.fixture(scope="module")
def texts(sample):
    decoded = {}
    for path, content in sample.files.items():
        if path.endswith(".xlsx"):
            decoded[path] = "\n".join(part.decode() for part in parts(content).values())
        else:
            is_old = path.endswith("TENDER_LIST_20260131.csv") and "/TENDER_LIST" in path
            decoded[path] = content.decode("gb18030" if is_old else "utf-8-sig")
    return decoded


def parts(workbook):
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def truth(sample, name):
    return list(csv.DictReader(io.StringIO(sample.files[f"truth/{name}.csv"].decode())))


def test_same_seed_writes_the_same_bytes(sample):
    assert Sample().files == sample.files


def test_another_seed_writes_another_county():
    plant(other := County(1))
    plant(same := County(1))
    assert [lot.ceiling for lot in other.lots] == [lot.ceiling for lot in same.lots]
    assert [lot.ceiling for lot in other.lots] != [lot.ceiling for lot in County().lots]


def test_committed_files_are_the_generated_ones(sample):
    stored = {
        str(path.relative_to(COMMITTED)): path.read_bytes() for path in COMMITTED.rglob("*") if path.is_file()
    }
    stored.pop("README.md")
    assert stored.keys() == sample.files.keys()
    for path, content in sample.files.items():
        # Workbooks are compared unpacked: compression may differ between versions of zlib.
        same = parts(stored[path]) == parts(content) if path.endswith(".xlsx") else stored[path] == content
        assert same, f"{path} is out of date: run python -m pipelines.sample --out data/sample"


def test_sample_is_small():
    assert sum(path.stat().st_size for path in COMMITTED.rglob("*") if path.is_file()) <= 2_000_000


def test_every_credit_code_fits_its_check_digit_and_lies_in_the_synthetic_range(sample, texts):
    wrong = {row["what"] for row in truth(sample, "records") if row["code"] == "CHECK_DIGIT"}
    assert len(wrong) == 1
    codes = Counter(
        code for text in texts.values() for code in re.findall(r"\b[0-9A-Z]{8}YL[0-9A-Z]{8}\b", text)
    )
    assert len(codes) > 100
    assert {code[2:10] for code in codes} == {"419999YL"}
    misfits = [
        code for code in codes if sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17])) % 31
        != (31 - ALPHABET.index(code[17])) % 31
    ]  # fmt: skip
    assert len(misfits) == 1
    assert codes[misfits[0]] == 1


def test_every_document_number_fits_its_check_digit():
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1)
    for number in range(0, 12_000, 7):
        digits = [10 if c == "X" else int(c) for c in document_number(number)]
        assert sum(d * w for d, w in zip(digits, weights, strict=True)) % 11 == 1


def test_nothing_personal_in_it_can_be_real(texts):
    text = "\n".join(texts.values())
    assert {number[:10] for number in re.findall(r"\b\d{17}[\dX]\b", text)} == {"9999991850"}
    phones = set(re.findall(r"(?<![\d.])1\d{10}(?!\d)", text))
    assert {phone for phone in phones if not phone.startswith("12")} == {"13800138000"}
    assert {".".join(ip.split(".")[:3]) for ip in re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)} == {"192.0.2"}


def test_every_organisation_is_marked_as_invented(texts):
    named = re.compile(r"(?:BIDDER_NAME|BUYER_NAME|TENDERER_NAME|TENDER_AGENCY_NAME|BODY_NAME|LEGAL_NAME)")
    for path, text in texts.items():
        if not path.startswith("inbox/national") or not path.endswith(".csv"):
            continue
        for row in csv.DictReader(io.StringIO(text)):
            names = [cell for column, cell in row.items() if named.search(column) and cell not in ("", "无")]
            assert all("样例" in name for name in names), (path, names)


def test_lowest_price_lots_are_enough_for_a_reference_class():
    plant(county := County())
    usable = [lot for lot in county.lots if lot.method == "经评审的最低投标价法" and len(lot.bids) >= 4]
    assert len(usable) > 201


def test_truth_names_lots_and_firms_that_are_delivered(sample, texts):
    delivered = "\n".join(text for path, text in texts.items() if path.startswith("inbox"))
    for row in truth(sample, "links"):
        assert row["lot_id"] in delivered
        assert all(code in delivered for code in row["parties"].split(";"))
    assert {row["innocent"] for row in truth(sample, "links")} == {"yes", "no"}


def test_a_banned_firm_bids_only_where_the_truth_says_so(sample):
    banned = {row["parties"] for row in truth(sample, "links") if row["what"] == "ban"}
    lots = {row["lot_id"] for row in truth(sample, "links") if row["what"] == "ban"}
    seen = {lot.lot_id for lot in sample.county.lots for bid in lot.bids if bid.firm.code in banned}
    assert len(banned) == 3
    assert seen == lots


def test_honest_firms_differ_in_every_code(sample):
    firms = [firm for trade in TRADES for firm in sample.county.firms[trade]]
    assert len({firm.code for firm in firms}) == len({firm.name for firm in firms}) == len(firms)


@pytest.mark.parametrize("name", ["TENDER_LIST_20260531.csv", "SECTION_20260531.csv"])
def test_night_refuses_exactly_the_records_that_the_truth_says(sample, tmp_path, name):
    toml = mapping.BUILT_IN / "national.toml"
    path = COMMITTED / "inbox" / "national" / name
    report = bronze.make(bronze.Job(str(path), "f" * 64, name, str(toml), str(tmp_path), "00" * 32))
    assert report.state == "readable", report.reason
    refused = pq.read_table(tmp_path / "refused.parquet").to_pylist()
    expected = [
        row["code"] for row in truth(sample, "records") if row["file"] == name and row["fate"] == "refused"
    ]
    assert sorted(row["code"] for row in refused) == sorted(expected)
    assert report.refused == len(expected)
