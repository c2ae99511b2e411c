"""What became of one file, as ``report.json`` beside its typed rows says it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class SectionReport:
    """What became of the records of one section, before other files are considered.

    ``left_out``: records of which no rule made a row, because of ``only_when``; ``without_row``: by table, of how many
    records its rules made none. ``read_as_empty``: placeholders by column. ``unread``: by column, how many texts could
    not be read and were taken as empty, and one of them.
    """

    name: str
    records: int
    refused: int = 0
    left_out: int = 0
    without_row: dict[str, int] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
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

    def add_unread(self, column: str, count: int, example: str) -> None:
        """Count texts of a column that could not be read and were taken as empty, with one of them."""
        before, first = self.unread.get(column, (0, example))
        self.unread[column] = (before + count, first)


@dataclass
class FileReport:
    """The account of one file, stored as ``report.json`` beside its rows.

    ``state`` is ``readable`` or ``refused``; a refused file has no rows and says why.
    """

    file_name: str
    raw_sha: str
    state: str = "readable"
    code: str | None = None
    reason: str | None = None
    reason_zh: str | None = None
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
