"""Loads the mappings: how one sender's names become ours (``sources/<source>.toml``).

A new trading centre is a new mapping and no code; ``sources/README.md`` explains the file. A home
may hold its own mappings in ``<home>/sources``; they come before the built-in ones.
"""

from __future__ import annotations

import codecs
import hashlib
import tomllib
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.intake.mapping_columns import Value, plain_value, texts, value_of
from pipelines.intake.readers import FileRefused, FileRule, section_name
from pipelines.intake.readers.headings import base_name
from pipelines.intake.readers.plain_json import steps_of
from pipelines.intake.schema import DERIVED, GUARDED, TableSchema, table_schemas

BUILT_IN = Path(__file__).parent / "sources"

FORMATS = ("delimited", "workbook", "exchange", "ocds", "json", "parquet", "document")

#: Settings of ``[[file]]`` that only some formats can mean.
_MEANT_FOR = {
    "header": ("delimited", "workbook"),
    "skip": ("delimited",),
    "columns": ("delimited",),
    "encoding": ("delimited", "json"),
    "records": ("json",),
}


@dataclass(frozen=True)
class Split:
    """A column whose cells hold several values: ``source`` names it, ``at`` are the characters between them.

    ``beside``: the names of other columns, whose cells hold as many values in the same order.
    """

    source: tuple[str, ...]
    at: str
    beside: tuple[tuple[str, ...], ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return the names of every column that is split."""
        return tuple(name for names in (self.source, *self.beside) for name in names)


@dataclass(frozen=True)
class RecordRule:
    """Which table the records of a section become, and how.

    Attributes:
        only_with: our columns; no row where all of them are empty.
        only_when: sender's column -> the words that it may hold; no row where one of the columns holds another.
        split: the columns of which every value becomes a row of its own.
    """

    section: str
    table: str
    columns: Dictionary[str, Value]
    updated_at: Value | None = None
    deleted: Value | None = None
    deleted_values: tuple[str, ...] = ()
    is_partial: bool = False
    only_with: tuple[str, ...] = ()
    only_when: Dictionary[str, tuple[str, ...]] = field(default_factory=dict)
    split: Split | None = None

    def names(self, columns: Collection[str] | None = None) -> list[str]:
        """Return the sender's names that this rule reads, for some of our columns or for all."""
        values = [value for name, value in self.columns.items() if columns is None or name in columns]
        more: list[str] = []
        if columns is None:
            values += filter(None, (self.updated_at, self.deleted))
            more = [*self.only_when, *(self.split.names() if self.split else ())]
        return more + [
            name
            for value in values
            for names in (value.source, value.unit_from, *value.join, *value.first_filled)
            for name in names
        ]


@dataclass(frozen=True)
class Mapping:
    """One sender."""

    source: str
    title: str
    country: str
    time_zone: str
    files: tuple[FileRule, ...]
    records: tuple[RecordRule, ...]
    version: str

    def personal_columns(self) -> frozenset[str]:
        """Return the compared names of the sender's columns that hold personal values, or text with such."""
        return self._columns_of(GUARDED)

    def prose_columns(self) -> frozenset[str]:
        """Return the compared names of the sender's columns that hold running text."""
        return self._columns_of(frozenset({"prose"}))

    def _columns_of(self, types: frozenset[str]) -> frozenset[str]:
        return frozenset(
            base_name(name)[0]
            for rule in self.records
            for column, value in rule.columns.items()
            if table_schemas()[rule.table].columns[column].type in types
            for names in (value.source, *value.join, *value.first_filled)
            for name in names
        )

    def rule_for(self, file_name: str) -> FileRule:
        """Return the first file rule whose pattern fits, with the names that are read in such a file.

        Raises:
            FileRefused: no rule fits.
        """
        for rule in self.files:
            if any(fnmatch(file_name.lower(), pattern.lower()) for pattern in rule.match):
                read = [each for each in self.records if each.section == section_name(rule, file_name)]
                return replace(
                    rule,
                    is_chinese=self.country == "CN",
                    wanted=_once(name for each in read for name in each.names()),
                    keys=_once(name for each in read for name in each.names({"lot_id"})),
                    required=_once(
                        name for each in read for name in each.names(_required(each) - {"lot_id"})
                    ),
                )
        patterns = ", ".join(pattern for rule in self.files for pattern in rule.match)
        raise FileRefused(
            "NO_FILE_RULE",
            f"source {self.source!r} expects files named {patterns}; rename the file or add a [[file]] rule",
            f"来源 {self.source} 只接收名称形如 {patterns} 的文件，请改名或在映射中增加规则",
        )


def load(source: str, home_sources: Path | None = None) -> Mapping:
    """Return the mapping called ``source``.

    Raises:
        FileNotFoundError: there is no such mapping.
        ValueError: the mapping says something that it cannot mean; the message names the place.
    """
    return load_file(path_of(source, home_sources))


def path_of(source: str, home_sources: Path | None = None) -> Path:
    """Return the file of the mapping called ``source``; raises as ``load`` does."""
    for folder in filter(None, (home_sources, BUILT_IN)):
        path = folder / f"{source}.toml"
        if path.is_file():
            return path
    raise FileNotFoundError(f"no mapping called {source!r}; there are {', '.join(names(home_sources))}")


def names(home_sources: Path | None = None) -> list[str]:
    """Return the names of every mapping."""
    folders = filter(None, (home_sources, BUILT_IN))
    return sorted({path.stem for folder in folders for path in folder.glob("*.toml")})


def load_file(path: Path) -> Mapping:
    """Read one mapping file. Raises ``ValueError`` as ``load`` does."""
    return _load(Path(path.name), path.read_bytes())


@lru_cache  # a sender has many files
def _load(path: Path, content: bytes) -> Mapping:
    try:
        raw = tomllib.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    dictionaries = raw.pop("dictionaries", {})
    try:
        mapping = Mapping(
            source=path.stem,
            title=raw.pop("title"),
            country=raw.pop("country"),
            time_zone=raw.pop("time_zone"),
            files=tuple(_file_rule(path, spec) for spec in raw.pop("file")),
            records=tuple(
                _record_rule(path, spec | {"section": section}, dictionaries)
                for spec in raw.pop("record")
                for section in texts(spec.get("section", "rows"))
            ),
            version=hashlib.sha256(content).hexdigest()[:12],
        )
    except KeyError as missing:
        raise ValueError(f"{path.name}: {missing} is missing") from None
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{path.name}: a setting has the wrong shape: {error}") from None
    if raw:
        raise ValueError(f"{path.name}: unknown setting {sorted(raw)[0]!r}")
    try:
        ZoneInfo(mapping.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{path.name}: no time zone called {mapping.time_zone!r}") from None
    seen: set[str] = set()
    for rule in mapping.records:
        if rule.section not in seen and rule.only_with:
            raise ValueError(f"{path.name}: the first rule of section {rule.section!r} may not use only_with")
        seen.add(rule.section)
    return mapping


def _file_rule(path: Path, spec: dict[str, object]) -> FileRule:
    known = {key: texts(value) if key in ("match", "header") else value for key, value in spec.items()}
    where = f"{path.name}: [[file]]"
    if "records" in known:
        known["records"] = _paths(where, known["records"])
    try:
        rule = FileRule(**known)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"{where} {error}") from None
    if rule.format not in FORMATS:
        raise ValueError(f"{where} there is no format {rule.format!r}; there are {', '.join(FORMATS)}")
    try:
        codecs.lookup(rule.encoding or "utf-8")
    except LookupError:
        raise ValueError(f"{where} there is no encoding {rule.encoding!r}") from None
    for setting, formats in _MEANT_FOR.items():
        if setting in spec and rule.format not in formats:
            raise ValueError(
                f"{where} {setting} is for {' and '.join(formats)}, and this format is {rule.format}"
            )
    return rule


def _paths(where: str, spec: object) -> tuple[tuple[str, str], ...]:
    paths: dict[object, object] = spec if isinstance(spec, dict) else {"": spec}
    found = []
    for section, path in paths.items():
        if not isinstance(path, str):
            raise ValueError(f'{where} write records = "path", or records = {{ section = "path" }}')
        try:
            steps_of(path)
        except ValueError as error:
            raise ValueError(f"{where} records: {error}") from None
        found.append((str(section), path))
    return tuple(found)


def _record_rule(path: Path, spec: dict[str, object], dictionaries: Dictionary[str, object]) -> RecordRule:
    known = dict(spec)
    table = str(known.pop("table"))
    section = str(known.pop("section", "rows"))
    where = f"{path.name}: [[record]] {section} -> {table}"
    if table not in table_schemas():
        raise ValueError(f"{where}: no table called {table!r}; there are {', '.join(table_schemas())}")
    schema = table_schemas()[table]
    columns = known.pop("columns")
    version = known.pop("version", {})
    only_with = texts(known.pop("only_with", ()))
    only_when = _conditions(where, known.pop("only_when", {}))
    split = _split(where, known.pop("split", None))
    if both := [name for name in only_when if split and name in split.names()]:
        raise ValueError(f"{where}: only_when asks for whole records, and {both[0]!r} is split")
    if known or not isinstance(columns, dict) or not isinstance(version, dict):
        raise ValueError(f"{where}: unknown setting {sorted(known)}")
    values = {
        name: value_of(f"{where}.{name}", schema, name, spec, dictionaries) for name, spec in columns.items()
    }
    _require_columns(where, schema, values)
    if split is None and any(value.place for value in values.values()):
        raise ValueError(
            f"{where}: place is the place among the values of a cell, and this rule has no split"
        )
    if strangers := [name for name in only_with if name not in values]:
        raise ValueError(f"{where}: only_with names {strangers[0]!r}, which this rule does not fill")
    deleted = dict(version.get("deleted", {}))
    deleted_values = tuple(deleted.pop("values", ()))
    return RecordRule(
        section=section,
        table=table,
        columns=values,
        updated_at=(
            plain_value({"required": True} | version["updated_at"], f"{where}.version")
            if "updated_at" in version
            else None
        ),
        deleted=plain_value(deleted, f"{where}.version") if deleted else None,
        deleted_values=deleted_values,
        is_partial=bool(version.get("partial", False)),
        only_with=only_with,
        only_when=only_when,
        split=split,
    )


def _conditions(where: str, spec: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(spec, dict):
        raise ValueError(f'{where}: write only_when = {{ "sender\'s column" = ["word", ...] }}')
    conditions = {str(name): texts(words) for name, words in spec.items()}
    if empty := [name for name, words in conditions.items() if not words]:
        raise ValueError(f"{where}: only_when allows {empty[0]!r} no word at all")
    return conditions


def _split(where: str, spec: object) -> Split | None:
    if spec is None:
        return None
    if not isinstance(spec, dict) or set(spec) - {"beside"} != {"from", "at"}:
        raise ValueError(f'{where}: write split = {{ from = ["sender\'s column"], at = "、;" }}')
    beside = spec.get("beside", [])
    if not isinstance(beside, list) or not all(isinstance(names, list) for names in beside):
        raise ValueError(
            f'{where}: write beside = [["sender\'s column", "or its other name"], ["next column"]]'
        )
    at = spec["at"]
    if not isinstance(at, str) or not at or any(mark.isalnum() or mark in "()（）" for mark in at):
        raise ValueError(
            f"{where}: split needs at, a text of the characters between the values: no letters or brackets"
        )
    return Split(texts(spec["from"]), at, tuple(map(texts, beside)))


def _require_columns(where: str, schema: TableSchema, values: Dictionary[str, Value]) -> None:
    for column in schema.columns.values():
        if column.type in DERIVED:
            sources = column.columns or (column.code, column.name_column)
            filled = any(name in values for name in sources)
        else:
            filled = column.name in values
        if column.required and not filled:
            raise ValueError(f"{where}: column {column.name!r} is required and has no source")


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _required(rule: RecordRule) -> set[str]:
    """Return the columns of which a record must fill one, such as a bidder's code and name."""
    return {
        name
        for column in table_schemas()[rule.table].columns.values()
        if column.required
        for name in (
            (column.columns or (column.code, column.name_column))
            if column.type in DERIVED
            else (column.name,)
        )
        if name
    }
