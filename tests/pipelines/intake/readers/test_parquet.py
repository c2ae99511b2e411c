import datetime as dt
import io
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

SHANGHAI = ZoneInfo("Asia/Shanghai")


def stored(table, **options):
    content = io.BytesIO()
    pq.write_table(table, content, **options)
    return content.getvalue()


@pytest.mark.parametrize(
    ("values", "type_", "texts"),
    [
        (["𠮷", "", None], pa.string(), ["𠮷", "", None]),
        ([911100006000373416, -1, None], pa.int64(), ["911100006000373416", "-1", None]),
        ([2**64 - 1], pa.uint64(), ["18446744073709551615"]),
        (
            [0.1, 100.0, 1e20, 1e-7, -0.5, None],
            pa.float64(),
            ["0.1", "100", "1" + "0" * 20, "0.0000001", "-0.5", None],
        ),
        ([0.1], pa.float32(), ["0.1"]),
        ([float("nan"), float("inf"), float("-inf")], pa.float64(), ["nan", "inf", "-inf"]),
        ([Decimal("12.50"), None], pa.decimal128(20, 6), ["12.500000", None]),
        ([True, False, None], pa.bool_(), ["true", "false", None]),
        ([dt.date(2026, 5, 1)], pa.date32(), ["2026-05-01"]),
        (
            [dt.datetime.fromisoformat("2026-05-01 09:30"), None],
            pa.timestamp("us"),
            ["2026-05-01 09:30:00", None],
        ),
        ([dt.datetime.fromisoformat("2026-05-01 09:30:00.5")], pa.timestamp("us"), ["2026-05-01 09:30:00.5"]),
        (
            [dt.datetime(2026, 5, 1, 9, 30, tzinfo=SHANGHAI)],
            pa.timestamp("us", "Asia/Shanghai"),
            ["2026-05-01 09:30:00+0800"],
        ),
        ([dt.time(9, 30)], pa.time64("us"), ["09:30:00"]),
        ([None, None], pa.null(), [None, None]),
        (["甲".encode()], pa.binary(), ["甲"]),
        (["甲", "乙", "甲"], pa.dictionary(pa.int32(), pa.string()), ["甲", "乙", "甲"]),
    ],
)
def test_every_type_has_one_exact_text(taking, values, type_, texts):
    taken = taking(stored(pa.table({"c": pa.array(values, type_)})), "parquet")
    assert [row["c"] for row in taken.records()] == texts
    assert taken.paths() == [f"row {number}" for number in range(1, len(texts) + 1)]


@pytest.mark.parametrize("kind", [pa.list_(pa.int64()), pa.struct([("x", pa.int64())]), pa.duration("s")])
def test_types_without_a_plain_text_are_refused_by_the_columns_name(taking, refusal, kind):
    content = stored(pa.table({"报价明细": pa.nulls(1, kind)}))
    assert refusal(content, "parquet") == "COLUMN_TYPE"
    with pytest.raises(Exception, match="报价明细"):
        taking(content, "parquet")


def test_bytes_that_are_not_text_are_refused(refusal):
    assert refusal(stored(pa.table({"c": pa.array([b"\xff"], pa.binary())})), "parquet") == "DAMAGED_PARQUET"


def test_a_column_name_that_stands_twice_is_refused(refusal):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["c", "c"])
    assert refusal(stored(table), "parquet") == "DUPLICATE_COLUMN"


def test_row_numbers_go_on_over_row_groups(taking):
    taken = taking(stored(pa.table({"c": list(range(10))}), row_group_size=4), "parquet")
    assert [(row["raw_row"], row["c"]) for row in taken.rows["rows"]] == [(n + 1, str(n)) for n in range(10)]


def test_an_empty_table_keeps_its_columns(taking):
    taken = taking(stored(pa.table({"c": pa.array([], pa.string())})), "parquet")
    assert taken.columns == {"rows": ("c",)}
    assert taken.records() == []


def test_a_damaged_or_cut_file_is_refused(refusal):
    content = stored(pa.table({"c": [str(number) for number in range(1000)]}), compression="zstd")
    damaged = bytearray(content)
    damaged[100:140] = bytes(40)
    assert refusal(bytes(damaged), "parquet") == "DAMAGED_PARQUET"
    assert refusal(content[:-40], "parquet") == "CUT_FILE"


def test_a_real_file_is_read_whole(taking, real_data):
    taken = taking(real_data / "china" / "huainan_opening_1.parquet", "parquet", size=100)
    assert len(taken.records()) == 151
