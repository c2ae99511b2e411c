"""Parquet: one section, one record a row, every column as exact text.

==================  =========================================================================
type                text
==================  =========================================================================
text, dictionary    as it is
integer, decimal    its digits, ``-12``, ``12.50``
floating point      the shortest digits that give the same number, without exponent:
                    ``0.1``, ``100``, ``0.0000001``; ``nan``, ``inf``, ``-inf``
boolean             ``true``, ``false``
date                ``2026-05-01``
timestamp           ``2026-05-01 09:30:00``, fractions only where they are not zero, and the
                    offset where the type has a zone: ``2026-05-01 09:30:00+0800``, ``...Z``
time                ``09:30:00``, fractions only where they are not zero
binary              the text, if it is UTF-8
null                null
==================  =========================================================================

Nested types, durations and intervals have no such text: the file is refused with the column's name.
``raw_row`` is the number of the row, from 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipelines.intake.readers import (
    RAW_PATH,
    RAW_ROW,
    FileRefused,
    FileRule,
    Reading,
    Section,
    headings,
    section_name,
)

#: Run lengths let a few bytes claim any number of rows; a province has a few million bids a year.
MAX_ROWS = 100_000_000

#: Bytes of all columns before decoding, which a row group states; more would not fit the disk.
MAX_EXPANDED_BYTES = 2 * 2**30

_DIRECT = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_integer,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_null,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take a Parquet file apart; see ``readers.read``."""
    try:
        with pq.ParquetFile(path) as file:
            schema, metadata = file.schema_arrow, file.metadata
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from None
    columns = headings.checked(schema.names, "the Parquet schema")
    for column in schema:
        if not _has_text(column.type):
            raise FileRefused(
                "COLUMN_TYPE",
                f"column {column.name}: the type {column.type} has no plain text; export it as text",
                f"列“{column.name}”的类型 {column.type} 无法转为文本；请导出为文本或数字",
            )
    expanded = sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
    if metadata.num_rows > MAX_ROWS or expanded > MAX_EXPANDED_BYTES:
        raise FileRefused(
            "EXPANDS_TOO_FAR",
            f"the file claims {metadata.num_rows:,} rows and {expanded:,} bytes; deliver it in parts",
            f"文件声称有 {metadata.num_rows:,} 行、{expanded:,} 字节；请分批提供",
        )

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        first = 1
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(size):
                    yield _as_text(batch, columns, first)
                    first += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _damaged(error) from None

    return Reading([Section(section_name(rule, file_name), columns, batches)])


def _damaged(error: Exception) -> FileRefused:
    return FileRefused(
        "DAMAGED_PARQUET",
        f"the Parquet file is damaged ({error}); deliver it again",
        f"Parquet 文件已损坏（{error}）；请重新提供",
    )


def _has_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _has_text(kind.value_type)
    others = (pa.types.is_floating, pa.types.is_decimal, pa.types.is_timestamp, pa.types.is_time)
    return any(is_kind(kind) for is_kind in (*_DIRECT, *others))


def _as_text(batch: pa.RecordBatch, columns: tuple[str, ...], first: int) -> pa.RecordBatch:
    rows = pa.array(np.arange(first, first + batch.num_rows), pa.int64())
    paths = pc.binary_join_element_wise("row", rows.cast(pa.string()), " ")
    texts = [_column_text(column) for column in batch.columns]
    return pa.record_batch([*texts, rows, paths], names=[*columns, RAW_ROW, RAW_PATH])


def _column_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _column_text(column.dictionary_decode())
    if pa.types.is_floating(kind):
        return _plain_numbers(column.cast(pa.string()))
    if pa.types.is_decimal(kind):
        return _plain_numbers(column.cast(pa.string()))
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        text = column.cast(pa.string())
        text = pc.replace_substring_regex(text, r"\.0+(\D.*)?$", r"\1")
        return pc.replace_substring_regex(text, r"(\.\d*[1-9])0+(\D.*)?$", r"\1\2")
    text = column.cast(pa.string())
    text.validate(full=True)
    return text


def _plain_numbers(text: pa.Array) -> pa.Array:
    """Write out the few numbers that come with an exponent."""
    has_exponent = pc.match_substring_regex(text, "[eE]")
    if not pc.any(has_exponent).as_py():
        return text
    plain = [f"{Decimal(number.as_py()):f}" for number in text.filter(has_exponent)]
    return pc.replace_with_mask(text, pc.fill_null(has_exponent, False), pa.array(plain, pa.string()))
