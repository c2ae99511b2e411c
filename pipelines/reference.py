"""Reference data: facts that the program looks up, and what an installation puts over them.

One rule for all: ``<home>/reference/<name>`` adds to or replaces rows of the package's file of that name. A row of a CSV
takes the place of the shipped row with the same key (`KEYS`), a table of a TOML that of the shipped table of the same
name, a limit in ``thresholds.toml`` that of the shipped limit, a mapping in ``sources/`` that of the built-in one; what
is new is added. A file of any other name is an error: nothing that a county wrote down is left aside in silence.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from detectors import overlay
from reports.canonical_json import canonical_json

#: The files that an installation may put rows over, and the columns that tell their rows apart.
KEYS: Mapping[str, tuple[str, ...]] = {
    "offices.csv": ("office",),
    "placeholders.csv": ("value", "kind"),
    "powers.csv": ("power",),
    "routing.csv": ("region_code", "project_type_prefix"),
    "workdays.csv": ("date",),
}
#: What else may stand in the folder: tables, the limits of detectors, mappings.
OTHERS = ("award_rules.toml", "thresholds.toml", "sources")


@dataclass(frozen=True)
class Row:
    """One row: where it stands, for messages, its values, and whether it is the installation's own."""

    where: str
    values: Mapping[str, str]
    is_local: bool


@dataclass(frozen=True)
class Overlay:
    """What an installation put over one file: so many rows, tables or files are new, so many take a place."""

    name: str
    added: int
    replaced: int


@dataclass(frozen=True)
class Reference:
    """The reference data in force in one installation; without one, what comes with the program.

    ``local`` is the folder ``<home>/reference``.
    """

    local: Path | None = None

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a CSV file, the installation's own in the place of those with the same key.

        Raises:
            ValueError: a file is not UTF-8, a column is missing or unknown, or a key stands there twice; the message
                names the file and the line.
        """
        rows = {_key(name, row): row for row in _read(name, overlay.SHIPPED / name, is_local=False)}
        if own := self.file(name):
            rows |= {_key(name, row): row for row in _read(name, own, is_local=True)}
        return list(rows.values())

    def tables(self, name: str) -> dict[str, Any]:
        """Return the tables of a TOML file, the installation's own in the place of those of the same name.

        Raises:
            ValueError: a file cannot be read; the message names it.
        """
        shipped = overlay.read_toml(overlay.SHIPPED / name)
        own = self.file(name)
        return overlay.put_over(shipped, overlay.read_toml(own)) if own else shipped

    def file(self, name: str) -> Path | None:
        """Return the installation's own file of a name, if there is one."""
        return overlay.own(self.local, name)

    def digest(self, name: str) -> str:
        """Return the hash of what a CSV or TOML file says, with what the installation put over it.

        Raises:
            ValueError: it holds a value that no reference file needs, such as ``nan``; the message names the file.
        """
        own = self.file(name)
        return _digest(
            self, name, *(_stamp(path) for path in (overlay.SHIPPED / name, *([own] if own else [])))
        )

    def overlays(self) -> list[Overlay]:
        """Return what the installation put over the package's files, by name.

        Raises:
            ValueError: a file there has a name that nothing reads, or cannot be read.
        """
        found = []
        for path in sorted(self.local.iterdir()) if self.local and self.local.is_dir() else ():
            if path.name.startswith("."):
                continue
            if path.name not in (*KEYS, *OTHERS):
                raise ValueError(
                    f"{path}: nothing reads a file of this name; it may be {', '.join((*KEYS, *OTHERS))}"
                )
            own, shipped = self._names(path)
            if own:
                found.append(Overlay(path.name, len(own - shipped), len(own & shipped)))
        return found

    def _names(self, path: Path) -> tuple[set[object], set[object]]:
        """Return what tells the parts of a local file or folder apart, and the same of the shipped one."""
        name = path.name
        if name in KEYS:
            return (
                {_key(name, row) for row in _read(name, path, is_local=True)},
                {_key(name, row) for row in _read(name, overlay.SHIPPED / name, is_local=False)},
            )
        if name == "sources":
            return {each.name for each in path.glob("*.toml")}, {
                each.name for each in (Path(__file__).parent / "intake" / "sources").glob("*.toml")
            }
        if name == "thresholds.toml":
            limits = {
                (family, detector, limit)
                for family, detectors in overlay.read_toml(path).items()
                for detector, values in detectors.items()
                for limit in values
            }
            return set(limits), set(limits)
        return set(overlay.read_toml(path)), set(overlay.read_toml(overlay.SHIPPED / name))


def _key(name: str, row: Row) -> tuple[str, ...]:
    return tuple(row.values[column] for column in KEYS.get(name, tuple(row.values)))


@cache
def _digest(known: Reference, name: str, *_stamps: tuple[Path, int, int]) -> str:
    said: object = known.tables(name) if name.endswith(".toml") else [row.values for row in known.rows(name)]
    try:
        return hashlib.sha256(canonical_json(said).encode()).hexdigest()
    except ValueError as error:
        raise ValueError(f"{name}: {error}; write a finite number, a text or a date") from error


def _stamp(path: Path) -> tuple[Path, int, int]:
    """Return what tells that a file was changed since it was read."""
    stat = path.stat()
    return path, stat.st_mtime_ns, stat.st_size


def _read(name: str, path: Path, *, is_local: bool) -> tuple[Row, ...]:
    return _parsed(name, is_local, *_stamp(path))


@cache
def _parsed(name: str, is_local: bool, path: Path, _changed_ns: int, _size: int) -> tuple[Row, ...]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            read = [(reader.line_num, row) for row in reader]
        except UnicodeDecodeError:
            raise ValueError(f"{path}: not UTF-8; save it as CSV UTF-8 (逗号分隔)") from None
    columns = tuple(reader.fieldnames or ())
    if is_local:
        _check_columns(path, columns, next(csv.reader([_head(overlay.SHIPPED / name)])))
    rows = [
        Row(f"{path}, line {line}", {column: (row[column] or "").strip() for column in columns}, is_local)
        for line, row in read
    ]
    _refuse_twins(name, rows)
    return tuple(rows)


def _check_columns(path: Path, columns: Iterable[str], wanted: list[str]) -> None:
    given = list(columns)
    for column in wanted:
        if column not in given:
            raise ValueError(f"{path}: column {column!r} is missing; it needs {', '.join(wanted)}")
    for column in given:
        if column not in wanted:
            raise ValueError(f"{path}: column {column!r} is not known; it needs {', '.join(wanted)}")


def _refuse_twins(name: str, rows: list[Row]) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in rows if name in KEYS else ():
        key = _key(name, row)
        if key in seen:
            told = ", ".join(f"{column} {value!r}" for column, value in zip(KEYS[name], key, strict=True))
            raise ValueError(f"{row.where}: {told} stands there twice; keep one row")
        seen.add(key)


def _head(path: Path) -> str:
    with path.open(encoding="utf-8-sig") as file:
        return file.readline()
