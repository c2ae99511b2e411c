"""What became of one file, as ``report.json`` beside its typed rows says it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.intake.schema import table_schemas
from pipelines.times import LOCAL

#: What is said of a lot may stand in its own record, in its tender's, or in its document's.
_OF_A_LOT = ("lots", "tenders", "documents")


@dataclass(frozen=True)
class Lack:
    """A column of ours, as ``table.column``, that nothing fills though much depends on it, and what that costs."""

    column: str
    name_zh: str
    cost: str
    cost_zh: str


def lacks(missing: Iterable[str], found: Iterable[str]) -> list[Lack]:
    """Return which of the missing columns cost something, each fact once.

    Args:
        missing, found: ``table.column`` of what is not there, and of what is. What a tender or a document says of its lot
            makes up for the lot's own column, and the day of an event (``_on``) for its moment (``_at``).
    """
    there = {_fact(name) for name in found}
    lacking = {}
    for name in missing:
        table, column_name = fact = _fact(name)
        column = table_schemas()[table].columns.get(column_name)
        if fact not in there and column and column.without and column.without_zh:
            lacking[fact] = Lack(name, column.zh, column.without, column.without_zh)
            there.add(fact)
    return list(lacking.values())


def never_mapped(mapped: Collection[str]) -> list[Lack]:
    """Return the columns that cost something and are filled by no rule of a mapping that delivers bids or lots.

    Args:
        mapped: ``table.column`` of everything that the mapping fills.
    """
    fed = {name.partition(".")[0] for name in mapped}
    tables = (["bids"] if "bids" in fed else []) + (["lots"] if fed & {"bids", *_OF_A_LOT} else [])
    return lacks((f"{table}.{name}" for table in tables for name in table_schemas()[table].columns), mapped)


def _fact(name: str) -> tuple[str, str]:
    """Return the table and column that stand for what ``table.column`` says."""
    table, _, column = name.partition(".")
    of = "lots" if table in _OF_A_LOT else table
    moment = column.removesuffix("_on") + "_at"
    return of, moment if column.endswith("_on") and moment in table_schemas()[of].columns else column


@dataclass
class SectionReport:
    """What became of the records of one section, before other files are considered.

    ``columns``: ``table.column`` -> the file's columns that it is read from, or none for a constant. ``read_as_empty``:
    placeholders by column. ``unread``: by column, how many texts could not be read and were taken as
    empty, and one of them. ``left_out``: records of which no rule made a row, because of ``only_when``; ``without_row``: by
    table, of how many records its rules made none.
    """

    name: str
    records: int
    refused: int = 0
    left_out: int = 0
    without_row: dict[str, int] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    columns: dict[str, list[str]] = field(default_factory=dict)
    unknown_columns: list[str] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    read_as_empty: dict[str, int] = field(default_factory=dict)
    unread: dict[str, tuple[int, str]] = field(default_factory=dict)

    def said_of_left_out(self) -> list[str]:
        """Say for a person which records the mapping's ``only_when`` leaves out."""
        said = [
            f"{self.name}: 按映射的 only_when，{count:,}条记录不生成 {table} 行 / by only_when of the mapping, {count:,} records"
            f" make no row of {table}"
            for table, count in sorted(self.without_row.items())
        ]
        if self.left_out:
            said.append(
                f"{self.name}: {self.left_out:,}条记录未采用，不计入记录数 / {self.left_out:,} records make no row at all and"
                " are not counted"
            )
        return said

    def lacks(self) -> list[Lack]:
        """Return the mapped columns that this section does not have and that cost something."""
        return lacks(self.missing_columns, self.columns)

    def add_unread(self, column: str, count: int, example: str) -> None:
        """Count texts of a column that could not be read and were taken as empty, with one of them."""
        before, first = self.unread.get(column, (0, example))
        self.unread[column] = (before + count, first)


@dataclass
class FileReport:
    """The account of one file, stored as ``report.json`` beside its rows.

    ``state`` is ``readable`` or ``refused``; a refused file has no rows and says why. ``time_zone`` is the sender's.
    """

    file_name: str
    raw_sha: str
    state: str = "readable"
    code: str | None = None
    reason: str | None = None
    reason_zh: str | None = None
    time_zone: str = str(LOCAL)
    notes: list[str] = field(default_factory=list)
    sections: list[SectionReport] = field(default_factory=list)
    expectations: list[dict[str, object]] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Physical records of the file, without those that its mapping leaves out."""
        return sum(section.records - section.left_out for section in self.sections)

    @property
    def left_out(self) -> int:
        """Records that the mapping leaves out."""
        return sum(section.left_out for section in self.sections)

    @property
    def refused(self) -> int:
        """Records that the reader or the table schema refused."""
        return sum(section.refused for section in self.sections)

    @staticmethod
    def load(folder: Path) -> FileReport:
        """Read back ``report.json``."""
        raw = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        sections = [SectionReport(**section) for section in raw.pop("sections")]
        return FileReport(sections=sections, **raw)
