import gzip
import io
import sqlite3
import zipfile
import zlib

import duckdb
import pyarrow as pa
import pytest

from pipelines.intake.readers import FileRefused, FileRule, sniffing

CSV = "标段编号,投标人名称\nL1,甲公司\nL2,乙公司\n".encode()


def test_gzip_and_zstd_deliver_what_they_hold(taking):
    expected = taking(CSV, "delimited").rows
    assert taking(gzip.compress(CSV), "delimited").rows == expected
    assert taking(pa.compress(CSV, codec="zstd", asbytes=True), "delimited").rows == expected


def test_gzip_members_one_behind_the_other_are_one_file(taking):
    packed = gzip.compress(CSV[:20]) + gzip.compress(CSV[20:])
    assert taking(packed, "delimited").rows == taking(CSV, "delimited").rows


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(CSV)[:-4],
        gzip.compress(CSV)[:-8] + b"\0\0\0\0" + gzip.compress(CSV)[-4:],
        pa.compress(CSV * 99, codec="zstd", asbytes=True)[:-9],
    ],
    ids=["cut", "wrong checksum", "cut zstd"],
)
def test_a_damaged_archive_is_refused(refusal, packed):
    assert refusal(packed, "delimited") == "DAMAGED_ARCHIVE"


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path):
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(b"0" * 2**20) for _ in range(64)) + packer.flush()
    (tmp_path / "bomb").write_bytes(bomb)
    (tmp_path / "work").mkdir()
    with pytest.raises(FileRefused) as refused:
        sniffing.unpacked(tmp_path / "bomb", tmp_path / "work")
    assert refused.value.code == "EXPANDS_TOO_FAR"
    assert (tmp_path / "work" / "unpacked").stat().st_size <= sniffing.MAX_RATIO * len(bomb)


def test_an_archive_in_an_archive_is_refused(refusal):
    assert refusal(gzip.compress(gzip.compress(CSV)), "delimited") == "NESTED_ARCHIVE"


def test_a_zip_of_tables_is_refused(refusal):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("bids.csv", CSV)
    assert refusal(packed.getvalue(), "delimited") == "ARCHIVE"
    assert refusal(packed.getvalue(), "workbook") == "ARCHIVE"


def test_databases_under_a_table_name_are_refused(refusal, tmp_path):
    with sqlite3.connect(tmp_path / "bids.csv") as db:
        db.execute("CREATE TABLE bids (price)")
    db.close()
    assert refusal(tmp_path / "bids.csv", "delimited") == "DATABASE"
    duckdb.connect(str(tmp_path / "other.csv")).close()
    assert refusal(tmp_path / "other.csv", "delimited") == "DATABASE"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"\n  \n", "EMPTY_FILE"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "OLD_OFFICE"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "BINARY"),
        (b"<!DOCTYPE html><html><body>login</body></html>", "WEB_PAGE"),
        (b"PAR1 and then the transfer broke off", "CUT_FILE"),
        (b"PK\x03\x04 and then the transfer broke off", "DAMAGED_ARCHIVE"),
    ],
)
def test_other_things_are_refused_by_their_content(refusal, content, code):
    assert refusal(content, "delimited") == code


@pytest.mark.parametrize("text", ["<DES/>", "\ufeff\n <DES/>", '{"TITLE": 1}', "[1]"])
def test_content_that_the_mapping_does_not_expect_is_refused(refusal, text):
    assert refusal(text.encode(), "delimited") == "FORMAT_MISMATCH"
    assert refusal(text.encode("utf-16"), "delimited") == "FORMAT_MISMATCH"


def test_a_table_under_the_name_of_a_workbook_is_a_table(tmp_path):
    (tmp_path / "开标记录.xlsx").write_bytes(CSV)
    assert sniffing.sniff(tmp_path / "开标记录.xlsx") == "delimited"
    with pytest.raises(FileRefused, match="delimited"):
        sniffing.admitted(tmp_path / "开标记录.xlsx", FileRule(("*",), "workbook"), tmp_path)
