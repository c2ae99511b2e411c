"""Where the tables of a sheet are: headers, labels above them, records, remarks.

A sheet kept by hand is more than one table: a title and labels above the header (``标段编号：XYZ``), a header of two
rows, a second lot below the first with labels of its own, a sum and signatures below. Each header or repeated label
begins a *block*, and a record belongs to the labels of its own block. Structure is never taken for a remark: rows that
follow a text which is no label lose the labels above it, so that they are refused and not given to another lot.

Both the reader and the second count of ``counting`` ask here; each brings cells that it read by itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.intake.readers import UNREADABLE, FileRule, headings

#: Title and labels of an opening record take ten rows or so.
HEADER_WITHIN_ROWS = 40

#: Names of the expected header that must stand in one row, so that a title is not taken for it.
MIN_HEADER_NAMES = 2

#: A remark in the column of names is longer than a name of a firm, or says that it is one.
_LONGEST_NAME = 60

#: ``标段编号：`` at the beginning or behind a gap; blanks inside spread the label (``标 段：``).
_LABEL = re.compile(r"(?:^|\s{2,}|\n)\s*([^\W\d](?:[^\s：:]|[ \u3000](?=\S)){0,19})\s?[：:]")
_GAP = re.compile(r"[\s\u3000]{2,}")
#: Rows that sum up the table.
_SUM = re.compile(
    r"(?:合计|总计|小计|共计|总和|汇总|平均(?:值|价|报价|数)?|(?:评标)?基准价|最[高低](?:价|报价|限价)|最[高低]投标限价"
    r"|sub-?total|total|sum|average|mean)[:：]?.{0,12}",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"[(（【\[*※]?\s*(?:备注|说明|注|附注|以上|以下|本表|本页|空白|此处|note|remark)", re.IGNORECASE
)


@dataclass(frozen=True)
class Row:
    """One row of a sheet: the cells that are not blank, by column from 0, and which of them are text.

    ``in_doubt``: columns that hold a formula or an error; they are in neither of the others.
    """

    number: int
    cells: Mapping[int, str]
    texts: frozenset[int]
    in_doubt: frozenset[int] = frozenset()

    @property
    def text(self) -> str:
        """What a person reads in the row."""
        return " ".join(self.cells[column].strip() for column in sorted(self.cells))


@dataclass(frozen=True)
class Block:
    """One table: its columns by position, the labels that hold for its records (``head:…``), the rows of these."""

    columns: Mapping[int, str]
    head: Mapping[str, str]
    records: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """The tables of a sheet and what else stands in it: (row number, text)."""

    blocks: list[Block] = field(default_factory=list)
    notes: list[tuple[int, str]] = field(default_factory=list)


def lay_out(rows: Iterable[Row], rule: FileRule, place: str) -> Layout:
    """Find the tables of a sheet.

    Args:
        rows: the rows that are not blank, in order.
        rule: names of the header, and of what the mapping reads.
        place: what a row's number stands behind in messages, such as ``sheet 开标, row``.

    Returns:
        no block where no header stands in the first ``HEADER_WITHIN_ROWS`` rows.

    Raises:
        FileRefused: a column that is read has a name that stands twice.
    """
    found = list(rows)
    at = _header_at(found, rule)
    if at is None:
        return Layout()
    return _Sheet(rule, found, place).read_from(at)


def records(block: Block, rows: Mapping[int, Row]) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield row number and texts by column name of each record of a block, with the labels that hold for it."""
    for number in block.records:
        row = rows[number]
        texts: dict[str, str | None] = dict.fromkeys(block.columns.values(), "")
        for column in sorted({*row.cells, *row.in_doubt}):
            name = block.columns.get(column) or f"column:{headings.column_letters(column + 1)}"
            texts[name] = row.cells.get(column, "") or _doubt(column, number)
        yield number, {**texts, **block.head}


def _doubt(column: int, number: int) -> str:
    at = f"{headings.column_letters(column + 1)}{number}"
    return f"{UNREADABLE}单元格 {at} 为公式或错误值，请粘贴为数值 / cell {at} is a formula or an error, paste it as a value"


def needed(names: Sequence[str]) -> int:
    """Return how many of the expected names a header must have."""
    return min(MIN_HEADER_NAMES, len(names))


def expected(rule: FileRule) -> tuple[str, ...]:
    """Return the names that a header may have: those of the rule, or all that the mapping reads."""
    return rule.header or tuple(name for name in rule.wanted if not name.startswith("head:"))


def is_header(texts: Iterable[str], names: Sequence[str]) -> bool:
    """Tell whether a row of texts is the header."""
    return _names_in(texts, names) >= needed(names)


def pairs(cells: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return label and value pairs of one row's filled cells, and the texts that are neither.

    ``标段编号：XYZ`` in one cell, or a label and its value side by side. A value ends at a gap of two blanks: what
    stands behind it is a text of its own.
    """
    found: list[tuple[str, str]] = []
    rest: list[str] = []
    waiting = list(reversed(cells))
    while waiting:
        cell = waiting.pop()
        labels = list(_LABEL.finditer(cell))
        ends = [label.start() for label in labels[1:]] + [len(cell)]
        said = [(label[1], cell[label.end() : end].strip()) for label, end in zip(labels, ends, strict=False)]
        said = said or [(cell, "")]
        if not said[-1][1] and waiting and not _LABEL.search(waiting[-1]):
            said[-1] = (said[-1][0], waiting.pop())
        for label, text in said:
            value, *more = _GAP.split(text) if text else [""]
            if value:
                found.append((re.sub(r"\s+", "", label), value))
            rest += more if value else [label]
        if labels and labels[0].start():
            rest.append(cell[: labels[0].start()].strip())
    return found, rest


class _Sheet:
    """Walks down one sheet, row by row."""

    def __init__(self, rule: FileRule, rows: list[Row], place: str) -> None:
        self._rule = rule
        self._rows = rows
        self._place = place
        self._expected = expected(rule)
        self._layout = Layout()
        self._titles: set[str] = set()
        #: Labels above the first table in their order; None where several values stood there.
        self._head: dict[str, str | None] = {}
        #: Labels that were read since the last record, for the table that follows.
        self._next_head: dict[str, str | None] | None = None
        self._stray_text = False
        self._last_number: int | None = None

    def read_from(self, header: int) -> Layout:
        """Read the labels above the header at a place, and everything below it."""
        for row in self._rows[:header]:
            self._take_title(row)
        place = self._begin(header, self._head)
        while place < len(self._rows):
            row = self._rows[place]
            if self._is_header(row):
                place = self._begin(place, self._head_of_next(place))
                continue
            if labelled := self._labels_of_next(row):
                self._take_labels(row, *labelled)
            elif self._is_record(row):
                self._take_record(row)
            else:
                self._take_remark(row)
            place += 1
        return self._layout

    def _note(self, row: Row, text: str) -> None:
        if text:
            self._layout.notes.append((row.number, text))

    def _take_title(self, row: Row) -> None:
        found, rest = pairs(_texts_of(row))
        for label, value in found:
            if self._head.get(label, value) != value:
                self._note(row, f"{label} stands above the header with several values, not used")
                self._head[label] = None
            else:
                self._head[label] = value
        if row.in_doubt:
            self._note(row, "公式或错误值，未使用 / a formula or an error, not used")
        self._titles.update(rest)
        for text in rest:
            self._note(row, text)

    # --- headers -----------------------------------------------------------------------------------------------------

    def _is_header(self, row: Row) -> bool:
        if set(row.texts) != set(row.cells) or not row.cells:
            return False
        if not self._expected:
            first = self._layout.blocks[0].columns
            return len(row.cells) > 1 and all(
                first.get(column) == text.strip() for column, text in row.cells.items()
            )
        return _names_in(row.cells.values(), self._expected) >= needed(self._expected)

    def _begin(self, place: int, head: Mapping[str, str | None]) -> int:
        """Begin a block with the header at a place; return the place below it."""
        row = self._rows[place]
        texts, after = {column: text.strip() for column, text in row.cells.items()}, place + 1
        if two := _two_levels(self._rows, place, self._expected):
            texts, after = two, place + 2
        for column in row.in_doubt:
            self._note(
                row, f"{headings.column_letters(column + 1)}: 列名是公式或错误值 / the heading is a formula"
            )
        used = [name for name in self._rule.wanted if not name.startswith("head:")]
        given = [texts.get(column, "") for column in range(max(texts) + 1)]
        names = headings.checked(headings.named(given, used), f"{self._place} {row.number}")
        columns = {column: name for column, name in enumerate(names) if texts.get(column)}
        self._layout.blocks.append(Block(columns, _without_conflicts(head)))
        self._next_head, self._stray_text, self._last_number = None, False, None
        return after

    def _head_of_next(self, place: int) -> Mapping[str, str | None]:
        """Return the labels of a table whose header stands at a place below another table."""
        if self._next_head is not None:
            return self._next_head
        # The header repeated on every printed page: the same table goes on, and so do its numbers.
        last = self._layout.blocks[-1]
        below = place + (2 if _two_levels(self._rows, place, self._expected) else 1)
        goes_on = below < len(self._rows) and self._carries_on(self._rows[below])
        return _unprefixed(last.head if goes_on else self._without_keys(last.head))

    # --- labels between the tables -----------------------------------------------------------------------------------

    def _labels_of_next(self, row: Row) -> tuple[list[tuple[str, str]], list[str]] | None:
        """Return the pairs of a row that begins another lot, with its other texts; None for any other row."""
        known = {*self._head, *(name[5:] for name in self._rule.wanted if name.startswith("head:"))}
        if not known or row.in_doubt or not row.cells:
            return None
        found, rest = pairs(_texts_of(row))
        return (found, rest) if found and headings.is_one_of(found[0][0], known) else None

    def _take_labels(self, row: Row, found: list[tuple[str, str]], rest: list[str]) -> None:
        if self._next_head is None:
            self._next_head = self._above(found[0][0])
        self._next_head.update(found)
        for text in rest:
            self._note(row, text)
        last = self._layout.blocks[-1]
        self._layout.blocks.append(Block(last.columns, _without_conflicts(self._next_head)))
        self._stray_text, self._last_number = False, None

    def _above(self, label: str) -> dict[str, str | None]:
        """Return the labels that stood above the first one of this name: they hold for the whole sheet.

        What stood below it, such as a ceiling price, was said of the first lot alone.
        """
        kept: dict[str, str | None] = {}
        for known, value in self._head.items():
            if headings.base_name(known)[0] == headings.base_name(label)[0]:
                return kept
            kept[known] = value
        return {}

    # --- records and remarks -----------------------------------------------------------------------------------------

    def _is_record(self, row: Row) -> bool:
        """Tell whether a row below the header is a record: it fills a column that is read, and is no sum or remark."""
        columns = self._layout.blocks[-1].columns
        used = {column for column, name in columns.items() if self._is_read(name)}
        filled = {*row.cells, *row.in_doubt}
        if used and not filled & used:
            return False
        if row.cells and (first := min(row.cells)) in row.texts and _SUM.fullmatch(_plain(row.cells[first])):
            return False
        if row.in_doubt or set(row.cells) != set(row.texts):
            return True
        if all(_LABEL.match(text.strip()) for text in row.cells.values()):
            return False
        required = {
            column for column, name in columns.items() if headings.is_one_of(name, self._rule.required)
        }
        if required and not filled & required:
            return False  # words in a row that names no bidder
        return len(row.cells) > 1 or not self._is_remark(row, min(columns), used)

    def _is_remark(self, row: Row, first_column: int, used: set[int]) -> bool:
        """Tell whether a lone text is a remark; in a column that is read it may be a bidder without a price."""
        [(column, text)] = row.cells.items()
        if re.fullmatch(r"[\d.,\s]+", text):
            return False
        if not self._rule.wanted:
            return column == first_column
        return column not in used or bool(_REMARK.match(text.strip())) or len(text) > _LONGEST_NAME

    def _is_read(self, name: str) -> bool:
        return not self._rule.wanted or headings.is_one_of(name, self._rule.wanted)

    def _take_record(self, row: Row) -> None:
        if self._stray_text and not self._carries_on(row):
            last = self._layout.blocks[-1]
            self._layout.blocks.append(Block(last.columns, self._without_keys(last.head)))
            self._note(
                row,
                "上方文字不是可识别的标签，以下各行不沿用表头上方信息 / the text above is no label: what stands above the"
                " table is not used for the rows from here on",
            )
        self._stray_text, self._next_head = False, None
        self._last_number = self._number(row)
        self._layout.blocks[-1].records.append(row.number)

    def _take_remark(self, row: Row) -> None:
        self._note(row, row.text)
        is_text = bool(row.texts) and not _SUM.match(_plain(row.text))
        self._stray_text = self._stray_text or (is_text and row.text not in self._titles)

    def _carries_on(self, row: Row) -> bool:
        """Tell whether a record carries on the numbers (序号) of the one before it."""
        return self._last_number is not None and self._number(row) == self._last_number + 1

    def _number(self, row: Row) -> int | None:
        text = row.cells.get(min(self._layout.blocks[-1].columns), "").strip()
        return int(text) if re.fullmatch(r"\d{1,6}", text) else None

    def _without_keys(self, head: Mapping[str, str]) -> dict[str, str]:
        """Return the labels without which nobody can tell whose the rows are: none, if the lot is one of them."""
        keys = {name.removeprefix("head:") for name in self._rule.keys}
        says_whose = not keys or any(headings.is_one_of(name[5:], keys) for name in head)
        return {} if says_whose else dict(head)


def _texts_of(row: Row) -> list[str]:
    return [row.cells[column].strip() for column in sorted(row.cells)]


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _without_conflicts(head: Mapping[str, str | None]) -> dict[str, str]:
    return {f"head:{label}": value for label, value in head.items() if value is not None}


def _unprefixed(head: Mapping[str, str]) -> dict[str, str | None]:
    return {name[5:]: value for name, value in head.items()}


def _header_at(rows: Sequence[Row], rule: FileRule) -> int | None:
    """Return the place of the first header among the rows."""
    names = expected(rule)
    for place, row in enumerate(rows):
        if row.number > HEADER_WITHIN_ROWS:
            return None
        if not names:
            return place
        two = _two_levels(rows, place, names) or {}
        if max(_names_in(texts, names) for texts in (row.cells.values(), two.values())) >= needed(names):
            return place
    return None


def _names_in(texts: Iterable[str], names: Sequence[str]) -> int:
    """Return how many of the texts are names of the header, each name counted once."""
    return len({headings.base_name(text)[0] for text in texts if headings.is_one_of(text, names)})


def _two_levels(rows: Sequence[Row], place: int, names: Sequence[str]) -> dict[int, str] | None:
    """Return the names of a header of two rows by column, None if the row below is no second level.

    It is one if it stands under headings that span several columns, repeats or leaves empty the others, and one of the
    ``names`` comes of it. A title above a header spans everything and is none.
    """
    row = rows[place]
    below = rows[place + 1] if place + 1 < len(rows) else None
    if below is None or below.number != row.number + 1 or len(row.cells) < 2:
        return None
    if not below.cells or set(below.cells) != set(below.texts) or set(row.cells) != set(row.texts):
        return None
    parents: dict[int, str] = {}
    for column in range(max((*row.cells, *below.cells)) + 1):
        parents[column] = row.cells.get(column, parents.get(column - 1, "")).strip()
    spans = {
        column
        for column in below.cells
        if parents[column] and parents[column] in (parents.get(column - 1), parents.get(column + 1))
    }
    repeated = {column for column in below.cells if below.cells[column].strip() == parents[column]}
    if len(spans) < 2 or set(below.cells) - spans - repeated or set(below.cells) == repeated:
        return None
    joined = {
        column: headings.joined(parents[column], below.cells.get(column, ""))
        for column in sorted({*row.cells, *below.cells})
    }
    alone = [text for column, text in joined.items() if column not in spans]
    if not _names_in(alone, names) or not _names_in([joined[column] for column in spans], names):
        return None
    return joined
