"""Delimited text (CSV, tab, semicolon, bar): one section, one record a row.

Two parsers read the file. The standard library's ``csv``, in strict mode, says how many fields each
record has; a record with another number than the header is unreadable, and a quote that is never
closed refuses the file. Arrow's reader then delivers the columns, in streaming batches. Where the
two do not find the same number of good records, the file is refused.

``raw_row`` is the number of the record with the header (normally) as 1, blank lines included, so
that it equals the row a spreadsheet program shows.

The separator is the one of ``, TAB ; |`` that splits the header into more than one name. If none
or several of them do, the file is refused.

A sheet that somebody keeps by hand and saves as text (a title above the header, labels, two tables) is read as a
workbook's sheet is, see ``layout``; a file without a header has its names in the mapping (``columns``).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import compress, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from pipelines.intake.readers import (
    MAX_RAW_TEXT,
    MAX_UNREADABLE,
    RAW_PATH,
    RAW_ROW,
    FileRefused,
    FileRule,
    Reading,
    Section,
    Unreadable,
    decoding,
    headings,
    layout,
    section_name,
)
from pipelines.intake.readers.spooling import Spool

SEPARATORS = (",", "\t", ";", "|")

#: Characters in one field: longer than any text field of the national standard.
MAX_FIELD_CHARS = 2**20

#: Bytes in one record; it bounds what one line can make the parsers hold.
_MAX_RECORD_BYTES = 4 * 2**20
_HEADER_CHARS = 2**20

#: Sheets kept by hand are far smaller; larger files are exports.
MAX_SHEET_BYTES = 32 * 2**20

_NUMBER = re.compile(r"[+-]?[\d,]*[.]?\d+%?")
_TEXT_MARK = re.compile(r'="([^"]*)"')

_Counts = npt.NDArray[np.int32]


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take a delimited file apart; see ``readers.read``."""
    encoding = decoding.stated_or_found(path, rule)
    _refuse_long_lines(path)
    csv.field_size_limit(MAX_FIELD_CHARS)
    delimiter = delimiter_of(path, encoding, rule)
    if is_kept_by_hand(path, encoding, delimiter, rule):
        return _read_sheet(path, encoding, delimiter, rule, file_name, work)
    widths, has_line_breaks = _field_counts(path, encoding, delimiter)
    widths[: rule.skip] = 0
    header_at = -1 if rule.columns else int(np.argmax(widths > 0))
    is_record = widths > 0
    is_record[: header_at + 1] = False
    place = "record" if has_line_breaks else "line"
    columns = _columns(path, encoding, delimiter, rule, f"{place} {header_at + 1}")
    is_padded = _padded(path, encoding, delimiter, is_record & (widths > len(columns)), len(columns))
    is_good = is_record & (widths == len(columns)) | is_padded
    name = section_name(rule, file_name)

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        rows = np.flatnonzero(is_good) + 1
        if not len(rows):
            return
        utf8 = decoding.as_utf8(path, encoding, work)
        if is_padded.any():
            utf8 = _without_padding(utf8, delimiter, is_padded, len(columns), work)
        taken = 0
        skipped = max(header_at + 1, rule.skip)
        for batch in _arrow_batches(utf8, columns, delimiter, skipped, has_line_breaks):
            for start in range(0, batch.num_rows, size):
                part = batch.slice(start, size)
                if taken + part.num_rows > len(rows):
                    raise _disagreement()
                yield _without_text_marks(_addressed(part, rows[taken : taken + part.num_rows], place))
                taken += part.num_rows
        if taken != len(rows):
            raise _disagreement()

    unreadable = _unreadable(path, encoding, delimiter, name, place, is_record & ~is_good, len(columns))
    blank = int(np.count_nonzero(widths == 0)) - rule.skip
    return Reading([Section(name, columns, batches)], unreadable, _notes(path, encoding, blank_lines=blank))


def _padded(
    path: Path, encoding: str, delimiter: str, is_wide: npt.NDArray[np.bool_], width: int
) -> npt.NDArray[np.bool_]:
    """Return which records have only separators too many at their end."""
    is_padded = np.zeros_like(is_wide)
    if is_wide.any():
        for place, row in compress(enumerate(_records(path, encoding, delimiter)), is_wide):
            is_padded[place] = not any(cell.strip() for cell in row[width:])
    return is_padded


def _without_padding(
    path: Path, delimiter: str, is_padded: npt.NDArray[np.bool_], width: int, work: Path
) -> Path:
    """Write the file once more, without the separators too many."""
    plain = work / "without_padding.csv"
    with plain.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        for row, padded in zip(_records(path, "utf-8", delimiter), is_padded, strict=True):
            writer.writerow(row[:width] if padded else row)
    return plain


def _columns(path: Path, encoding: str, delimiter: str, rule: FileRule, place: str) -> tuple[str, ...]:
    if rule.columns:
        return headings.checked(rule.columns, "the mapping's columns")
    header = next(filter(None, islice(_records(path, encoding, delimiter), rule.skip, None)))
    return headings.checked(headings.named(header, rule.wanted), place)


def is_kept_by_hand(path: Path, encoding: str, delimiter: str, rule: FileRule) -> bool:
    """Tell whether a file is a sheet that somebody keeps by hand, saved as text, and not the export of a program.

    It is, if labels above the table are wanted, or if the header is not the first line; then ``layout`` finds its
    tables. Such a file is small.
    """
    if rule.columns or path.stat().st_size > MAX_SHEET_BYTES:
        return False
    if any(name.startswith("head:") for name in rule.wanted):
        return True
    names = layout.expected(rule)
    try:
        first = list(
            islice(_records(path, encoding, delimiter), rule.skip, rule.skip + layout.HEADER_WITHIN_ROWS)
        )
    except csv.Error:
        return False
    filled = [row for row in first if row]
    return (
        bool(names and filled)
        and not layout.is_header(filled[0], names)
        and any(layout.is_header(row, names) for row in filled)
    )


def sheet_rows(path: Path, encoding: str, delimiter: str, rule: FileRule) -> Iterator[layout.Row]:
    """Yield the lines of a sheet saved as text that are not blank; what is no number is a text."""
    for number, row in enumerate(_records(path, encoding, delimiter), 1):
        cells = {column: _unmarked(cell) for column, cell in enumerate(row) if cell.strip()}
        if cells and number > rule.skip:
            texts = frozenset(column for column, cell in cells.items() if not _NUMBER.fullmatch(cell.strip()))
            yield layout.Row(number, cells, texts)


def _read_sheet(
    path: Path, encoding: str, delimiter: str, rule: FileRule, file_name: str, work: Path
) -> Reading:
    section = section_name(rule, file_name)
    try:
        rows = {row.number: row for row in sheet_rows(path, encoding, delimiter, rule)}
    except csv.Error as error:
        raise _broken(path, encoding, delimiter, str(error)) from None
    found = layout.lay_out(rows.values(), rule, "line")
    if not found.blocks:
        names = layout.expected(rule)
        raise FileRefused(
            "NO_HEADER",
            f"no header in the first {layout.HEADER_WITHIN_ROWS} lines; looked for at least"
            f" {layout.needed(names)} of: {'、'.join(names[:20])}",
            f"前 {layout.HEADER_WITHIN_ROWS} 行未找到表头（至少需以下列名中的 {layout.needed(names)} 个："
            f"{'、'.join(names[:20])}）；无表头的文件请在映射中写明 columns",
        )
    spool = Spool(work)
    for block in found.blocks:
        spool.declare(section, [*block.columns.values(), *block.head])
        for number, texts in layout.records(block, rows):
            spool.add(section, number, f"line {number}", texts)
    notes = _notes(path, encoding, blank_lines=0) + [f"line {number}: {text}" for number, text in found.notes]
    return Reading(spool.sections(), spool.unreadable, notes)


def _unmarked(cell: str) -> str:
    """Return a cell without the ``="..."`` with which a spreadsheet is told that it is text."""
    return found[1] if (found := _TEXT_MARK.fullmatch(cell)) else cell


def _without_text_marks(batch: pa.RecordBatch) -> pa.RecordBatch:
    for place, name in enumerate(batch.schema.names):
        column = batch.column(place)
        if pa.types.is_string(column.type) and pc.any(pc.starts_with(column, '="')).as_py():
            plain = pc.replace_substring_regex(column, '^="([^"]*)"$', r"\1")
            batch = batch.set_column(place, name, plain)
    return batch


def _refuse_long_lines(path: Path) -> None:
    """Bound what one call of ``csv`` can read: no stretch of bytes this long without a line end."""
    with path.open("rb") as file:
        while len(chunk := file.read(_MAX_RECORD_BYTES // 2)) == _MAX_RECORD_BYTES // 2:
            if b"\n" not in chunk and b"\r" not in chunk:
                raise FileRefused(
                    "LINE_TOO_LONG",
                    f"a line is longer than {_MAX_RECORD_BYTES // 2:,} bytes, which is no table; export it",
                    f"有一行超过 {_MAX_RECORD_BYTES // 2:,} 字节，不是表格；请重新导出",
                )


def delimiter_of(path: Path, encoding: str, rule: FileRule) -> str:
    """Return the separator, decided from the header alone.

    Raises:
        FileRefused: none or several of ``SEPARATORS`` split it.
    """
    with path.open(encoding=encoding, newline="") as file:
        start = "".join(file.readlines(_HEADER_CHARS)[rule.skip :])[:_HEADER_CHARS]
    names = layout.expected(rule)
    found = [delimiter for delimiter in SEPARATORS if _splits(start, delimiter)]
    if names and len(found) != 1:
        # A title stands above the header, or a name holds a separator: the names that are expected decide.
        found = [delimiter for delimiter in SEPARATORS if _has_header(start, delimiter, names)] or found
    if len(found) == 1:
        return found[0]
    if not found:
        raise FileRefused(
            "NO_DELIMITER",
            "the header is not split by comma, tab, semicolon or bar, or one of its quotes is not closed; "
            "export the table again as CSV",
            "表头未以逗号、制表符、分号或竖线分隔，或引号未闭合；请重新导出为 CSV",
        )
    raise FileRefused(
        "AMBIGUOUS_DELIMITER",
        f"the header can be split by {' and by '.join(map(repr, found))}; "
        "put column names that hold one of them in double quotes",
        f"表头可按 {'、'.join(map(repr, found))} 分隔，无法确定；请将含有这些符号的列名用双引号括起",
    )


def _splits(start: str, delimiter: str) -> bool:
    """Say whether the header has several names, none of them torn out of its quotes."""
    rows = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, strict=True)
    try:
        names: list[str] = next(filter(None, rows), [])
    except csv.Error:
        return False
    return len(names) > 1 and not any(name.count('"') % 2 for name in names)


def _has_header(start: str, delimiter: str, names: Sequence[str]) -> bool:
    """Say whether one of the first lines is the header, if they are split this way."""
    rows = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, strict=True)
    try:
        return any(layout.is_header(row, names) for row in islice(rows, layout.HEADER_WITHIN_ROWS))
    except csv.Error:
        return False


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    with path.open(encoding=encoding, newline="") as file:
        yield from csv.reader(file, delimiter=delimiter, strict=True)


def _field_counts(path: Path, encoding: str, delimiter: str) -> tuple[_Counts, bool]:
    """Return the number of fields of each record (0: blank line), and whether any spans lines."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            widths = np.fromiter(map(len, reader), dtype=np.int32)
        except csv.Error as error:
            raise _broken(path, encoding, delimiter, str(error)) from None
        return widths, reader.line_num != len(widths)


def _broken(path: Path, encoding: str, delimiter: str, error: str) -> FileRefused:
    """Find where the record begins that cannot be parsed; only the way to a refusal is this slow."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        begins = 1
        try:
            for _ in reader:
                begins = reader.line_num + 1
        except csv.Error:
            pass
    what, what_zh = {
        "unexpected end of data": ("a quote is opened and never closed", "引号未闭合"),
        f"field larger than field limit ({MAX_FIELD_CHARS})": (
            f"a field is longer than {MAX_FIELD_CHARS:,} characters; is a quote not closed?",
            f"字段超过 {MAX_FIELD_CHARS:,} 个字符，可能引号未闭合",
        ),
    }.get(error, ("text follows a closing quote", "引号闭合后仍有文字"))
    return FileRefused(
        "BROKEN_QUOTES",
        f"line {begins}: {what} ({error}); correct the line or export the table again",
        f"第 {begins} 行：{what_zh}；请改正该行或重新导出",
    )


def _arrow_batches(
    path: Path, columns: tuple[str, ...], delimiter: str, skipped: int, has_line_breaks: bool
) -> Iterator[pa.RecordBatch]:
    try:
        yield from arrow_csv.open_csv(
            path,
            read_options=arrow_csv.ReadOptions(
                column_names=columns, skip_rows_after_names=skipped, block_size=_MAX_RECORD_BYTES
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=has_line_breaks,
                invalid_row_handler=lambda row: "skip",
            ),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string())),
        )
    except pa.ArrowInvalid as error:
        raise FileRefused(
            "RECORD_TOO_LONG",
            f"a record is longer than {_MAX_RECORD_BYTES:,} bytes ({error}); shorten it",
            f"有记录超过 {_MAX_RECORD_BYTES:,} 字节；请缩短该记录",
        ) from None


def _addressed(batch: pa.RecordBatch, rows: npt.NDArray[np.int64], place: str) -> pa.RecordBatch:
    numbers = pa.array(rows, pa.int64())
    paths = pc.binary_join_element_wise(place, numbers.cast(pa.string()), " ")
    return batch.append_column(RAW_ROW, numbers).append_column(RAW_PATH, paths)


def _disagreement() -> FileRefused:
    return FileRefused(
        "PARSERS_DISAGREE",
        "two parsers find different numbers of records; export it again, every field in double quotes",
        "两种解析方式得到的记录数不同；请将所有字段加双引号后重新导出",
    )


def _unreadable(
    path: Path,
    encoding: str,
    delimiter: str,
    section: str,
    place: str,
    is_bad: npt.NDArray[np.bool_],
    width: int,
) -> list[Unreadable]:
    bad = int(np.count_nonzero(is_bad))
    if not bad:
        return []
    if bad > MAX_UNREADABLE:
        raise FileRefused(
            "TOO_MANY_UNREADABLE",
            f"{bad:,} records do not have {width} fields like the header; export the table again",
            f"{bad:,} 条记录的字段数与表头（{width} 列）不符；请重新导出",
        )
    return [
        Unreadable(
            section,
            number,
            f"{place} {number}",
            "FIELD_COUNT",
            f"{len(row)} fields where the header has {width}; is a separator inside a field not quoted?",
            f"有 {len(row)} 个字段，而表头有 {width} 个；字段内的分隔符是否未加引号？",
            _as_text(row, delimiter),
        )
        for number, row in compress(enumerate(_records(path, encoding, delimiter), 1), is_bad)
    ]


def _as_text(row: list[str], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="").writerow(row)
    return text.getvalue()[:MAX_RAW_TEXT]


def _notes(path: Path, encoding: str, blank_lines: int) -> list[str]:
    notes = [f"encoding {encoding}"]
    if blank_lines:
        notes.append(f"{blank_lines} blank lines, not counted as records")
    with path.open("rb") as file:
        file.seek(-1, 2)
        # In UTF-16 the line end's other byte may stand last.
        if file.read() not in (b"\n", b"\r", b"\0"):
            notes.append("the last line has no line end: was the file cut?")
    return notes
