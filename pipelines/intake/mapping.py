"""Loads the mappings: how one sender's names become ours (``sources/<source>.toml``).

A new trading centre is a new mapping and no code; ``sources/README.md`` explains the file. A home
may hold its own mappings in ``<home>/sources``; they come before the built-in ones.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.intake.readers import FileRefused, FileRule, section_name
from pipelines.intake.readers.headings import base_name
from pipelines.intake.schema import DERIVED, GUARDED, Column, TableSchema, table_schemas

BUILT_IN = Path(__file__).parent / "sources"

FORMATS = ("delimited", "workbook", "exchange", "ocds", "parquet", "document")


@dataclass(frozen=True)
class Value:
    """Where one column's text comes from, and how it is read.

    Exactly one of ``source``, ``join``, ``first_filled``, ``constant`` and ``row`` is set. Money needs exactly one
    of ``unit``, ``unit_from`` and ``unit_in_header``: a unit is never guessed.
    """

    source: tuple[str, ...] = ()
    join: tuple[tuple[str, ...], ...] = ()
    first_filled: tuple[tuple[str, ...], ...] = ()
    constant: str | None = None
    row: bool = False
    separator: str = "/"
    prefix: str = ""
    required: bool = False
    values: Dictionary[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    unit: float | None = None
    unit_from: tuple[str, ...] = ()
    units: Dictionary[str, float] = field(default_factory=dict)
    unit_in_header: bool = False
    decimals: int | None = None
    strip: tuple[str, ...] = ()
    pattern: str | None = None


@dataclass(frozen=True)
class RecordRule:
    """Which table the records of a section become, and how."""

    section: str
    table: str
    columns: Dictionary[str, Value]
    updated_at: Value | None = None
    deleted: Value | None = None
    deleted_values: tuple[str, ...] = ()
    is_partial: bool = False
    only_with: tuple[str, ...] = ()

    def names(self, columns: Collection[str] | None = None) -> list[str]:
        """Return the sender's names that this rule reads, for some of our columns or for all."""
        values = [value for name, value in self.columns.items() if columns is None or name in columns]
        if columns is None:
            values += filter(None, (self.updated_at, self.deleted))
        return [
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
                for section in _texts(spec.get("section", "rows"))
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
    known = {key: _texts(value) if key in ("match", "header") else value for key, value in spec.items()}
    try:
        rule = FileRule(**known)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"{path.name}: [[file]] {error}") from None
    if rule.format not in FORMATS:
        raise ValueError(
            f"{path.name}: [[file]] there is no format {rule.format!r}; there are {', '.join(FORMATS)}"
        )
    return rule


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
    only_with = _texts(known.pop("only_with", ()))
    if known or not isinstance(columns, dict) or not isinstance(version, dict):
        raise ValueError(f"{where}: unknown setting {sorted(known)}")
    values = {
        name: _value(f"{where}.{name}", schema, name, spec, dictionaries) for name, spec in columns.items()
    }
    _require_columns(where, schema, values)
    if strangers := [name for name in only_with if name not in values]:
        raise ValueError(f"{where}: only_with names {strangers[0]!r}, which this rule does not fill")
    deleted = dict(version.get("deleted", {}))
    deleted_values = tuple(deleted.pop("values", ()))
    return RecordRule(
        section=section,
        table=table,
        columns=values,
        updated_at=(
            _plain({"required": True} | version["updated_at"], f"{where}.version")
            if "updated_at" in version
            else None
        ),
        deleted=_plain(deleted, f"{where}.version") if deleted else None,
        deleted_values=deleted_values,
        is_partial=bool(version.get("partial", False)),
        only_with=only_with,
    )


def _require_columns(where: str, schema: TableSchema, values: Dictionary[str, Value]) -> None:
    for column in schema.columns.values():
        if column.type in DERIVED:
            sources = column.columns or (column.code, column.name_column)
            filled = any(name in values for name in sources)
        else:
            filled = column.name in values
        if column.required and not filled:
            raise ValueError(f"{where}: column {column.name!r} is required and has no source")


def _value(
    where: str, schema: TableSchema, name: str, spec: object, dictionaries: Dictionary[str, object]
) -> Value:
    if name not in schema.columns or schema.columns[name].type in DERIVED:
        raise ValueError(f"{where}: {schema.table} has no such column to fill")
    if not isinstance(spec, dict):
        raise ValueError(f"{where}: write {{ from = [...] }}, {{ constant = ... }} or {{ join = [...] }}")
    known = dict(spec)
    if "dictionary" in known:
        chosen = dictionaries.get(str(known.pop("dictionary")))
        if not isinstance(chosen, dict):
            raise ValueError(f"{where}: names a dictionary that is not in [dictionaries]")
        known["values"] = chosen
    value = _plain(known, where)
    if value.required is False and schema.columns[name].required:
        value = Value(**{**value.__dict__, "required": True})
    _check_meaning(where, schema.columns[name], value)
    return value


def _check_meaning(where: str, column: Column, value: Value) -> None:
    """Refuse a setting that the column's type cannot mean, so that no setting is silently ignored."""
    stated = [value.unit is not None, bool(value.unit_from), value.unit_in_header].count(True)
    if column.type == "money" and stated != 1:
        raise ValueError(f"{where}: money needs one of unit, unit_from with units, unit_in_header")
    if column.type == "share" and (stated != 1 or value.unit_from):
        raise ValueError(f"{where}: a share needs one of unit, unit_in_header")
    if column.type not in ("money", "share") and stated:
        raise ValueError(f"{where}: a {column.type} has no unit")
    if bool(value.unit_from) != bool(value.units):
        raise ValueError(f"{where}: unit_from and units belong together")
    for factor in (value.unit, *value.units.values()):
        if factor is not None and not _is_factor(factor):
            raise ValueError(f"{where}: the unit {factor!r} is no number above zero with up to six decimals")
    if value.decimals is not None and (column.type != "money" or value.decimals not in range(7)):
        raise ValueError(f"{where}: decimals is for money, from 0 to 6")
    if value.formats and column.type not in ("timestamp", "date"):
        raise ValueError(f"{where}: a {column.type} has no formats")
    words = [*value.values.values(), *([] if value.constant is None else [value.constant])]
    if column.values and (strangers := [word for word in words if word not in column.values]):
        raise ValueError(f"{where}: {strangers[0]!r} is none of {', '.join(column.values)}")


def _is_factor(factor: object) -> bool:
    """Say whether amounts can be multiplied by it exactly; a bool is no number."""
    is_number = isinstance(factor, int | float) and not isinstance(factor, bool)
    return is_number and 0 < Decimal(str(factor)) == round(Decimal(str(factor)), 6)


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


def _plain(spec: dict[str, object], where: str) -> Value:
    known = dict(spec)
    if "from" in known:
        known["source"] = known.pop("from")
    if "with" in known:
        known["separator"] = known.pop("with")
    for listed in ("source", "formats", "strip", "unit_from"):
        if listed in known:
            known[listed] = _texts(known[listed])
    for nested in ("join", "first_filled"):
        if nested in known:
            known[nested] = tuple(_texts(part) for part in known[nested])  # type: ignore[attr-defined]
    if "constant" in known:
        known["constant"] = str(known["constant"])
    if "values" in known:
        known["values"] = {str(k): str(v) for k, v in known["values"].items()}  # type: ignore[attr-defined]
    try:
        value = Value(**known)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None
    given = [value.source, value.join, value.first_filled, value.constant is not None, value.row]
    if [bool(each) for each in given].count(True) != 1:
        raise ValueError(f"{where}: needs exactly one of from, join, first_filled, constant, row")
    if len(value.formats) > 1 and {"iso", "epoch"} & set(value.formats):
        raise ValueError(f"{where}: 'iso' and 'epoch' each stand alone in formats")
    if value.pattern is not None:
        _check_pattern(where, value.pattern)
    return value


def _check_pattern(where: str, pattern: str) -> None:
    try:
        pc.match_substring_regex(pa.scalar(""), pattern)  # RE2, the same engine as DuckDB's
        groups = re.compile(pattern).groups
    except (pa.ArrowInvalid, re.error) as error:
        raise ValueError(f"{where}: pattern: {error}") from None
    if groups != 1:
        raise ValueError(f"{where}: pattern needs one pair of round brackets around what is wanted")


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is neither a text nor a list of texts")
    return tuple(str(part) for part in value)
