"""Records that come one at a time, kept on disk as Arrow until they are asked for.

XML, JSON and workbooks are parsed once, before anybody knows which columns the last record will
bring. So rows are written out in small Arrow files, each with the columns it has, and the batches
of a section put them under the section's full set of columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from pipelines.intake.readers import MAX_UNREADABLE, RAW_PATH, RAW_ROW, FileRefused, Section, Unreadable

#: What is held in memory per section before it is written out.
_HELD_ROWS = 10_000
_HELD_CHARS = 32 * 2**20

#: The national standard has under 100 record tags, and under 100 fields in one of them.
_MAX_SECTIONS = 500
_MAX_COLUMNS = 2_000

Row = Mapping[str, str | None]


@dataclass
class _Pile:
    columns: dict[str, None] = field(default_factory=dict)  # an ordered set
    parts: list[Path] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    raw_rows: list[int] = field(default_factory=list)
    raw_paths: list[str] = field(default_factory=list)
    chars: int = 0


class Spool:
    """The sections and unreadable records of one file while it is being parsed."""

    def __init__(self, work: Path) -> None:
        self.unreadable: list[Unreadable] = []
        self._work = work
        self._piles: dict[str, _Pile] = {}

    def declare(self, section: str, columns: Sequence[str]) -> None:
        """Make a section exist, with these columns, even if it gets no records."""
        self._piles.setdefault(section, _Pile()).columns.update(dict.fromkeys(columns))

    def add(self, section: str, raw_row: int, raw_path: str, row: Row) -> None:
        """Keep one record; its keys become columns of the section.

        Raises:
            FileRefused: there are more sections or columns than any standard has.
        """
        pile = self._piles.setdefault(section, _Pile())
        pile.columns.update(dict.fromkeys(row))
        if len(self._piles) > _MAX_SECTIONS or len(pile.columns) > _MAX_COLUMNS:
            raise FileRefused(
                "TOO_MANY_NAMES",
                f"more than {_MAX_SECTIONS} kinds of records, or {_MAX_COLUMNS:,} fields in one; "
                "names seem to hold data, export the file again",
                f"记录类型超过 {_MAX_SECTIONS} 种或字段超过 {_MAX_COLUMNS:,} 个，名称中似有数据；请重新导出",
            )
        pile.rows.append(row)
        pile.raw_rows.append(raw_row)
        pile.raw_paths.append(raw_path)
        pile.chars += sum(map(len, filter(None, row.values())))
        if len(pile.rows) >= _HELD_ROWS or pile.chars >= _HELD_CHARS:
            self._write(pile)

    def refuse(self, record: Unreadable) -> None:
        """Keep one unreadable record.

        Raises:
            FileRefused: there are more than ``MAX_UNREADABLE`` of them.
        """
        self.unreadable.append(record)
        if len(self.unreadable) > MAX_UNREADABLE:
            raise FileRefused(
                "TOO_MANY_UNREADABLE",
                f"more than {MAX_UNREADABLE:,} records cannot be taken apart, the last: "
                f"{record.raw_path}: {record.reason}",
                f"超过 {MAX_UNREADABLE:,} 条记录无法解析，最后一条：{record.raw_path}：{record.reason_zh}",
            )

    def sections(self) -> list[Section]:
        """Return what was kept, sections in the order in which they first appeared."""
        for pile in self._piles.values():
            if pile.rows:
                self._write(pile)
        return [_section(name, pile) for name, pile in self._piles.items()]

    def _write(self, pile: _Pile) -> None:
        arrays = [pa.array([row.get(name) for row in pile.rows], pa.string()) for name in pile.columns]
        arrays += [pa.array(pile.raw_rows, pa.int64()), pa.array(pile.raw_paths, pa.string())]
        batch = pa.record_batch(arrays, names=[*pile.columns, RAW_ROW, RAW_PATH])
        part = self._work / f"part-{len(list(self._work.glob('part-*')))}.arrow"
        with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        pile.parts.append(part)
        pile.rows, pile.raw_rows, pile.raw_paths, pile.chars = [], [], [], 0


def _section(name: str, pile: _Pile) -> Section:
    columns = tuple(pile.columns)
    parts = tuple(pile.parts)

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        for part in parts:
            with pa.memory_map(str(part)) as source:
                batch = pa.ipc.open_file(source).get_batch(0)
                full = pa.record_batch(
                    [
                        batch[column]
                        if column in batch.schema.names
                        else pa.nulls(batch.num_rows, pa.string())
                        for column in (*columns, RAW_ROW, RAW_PATH)
                    ],
                    names=[*columns, RAW_ROW, RAW_PATH],
                )
                for start in range(0, full.num_rows, size):
                    yield full.slice(start, size)

    return Section(name, columns, batches)
