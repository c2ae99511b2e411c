"""Loads the table schemas: what a table of typed rows holds (``schemas/<table>.toml``).

``schemas/README.md`` explains the file; `TYPES` below is the closed list of column types.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "schemas"

#: Column type -> DuckDB type of the converted value.
#: Personal types become keyed tokens; the clear text goes to the vault only.
TYPES: Mapping[str, str] = {
    "code": "VARCHAR",  # identifier, as written but for NFKC
    "codes": "VARCHAR",  # several of them in one field, upper case, joined by ';', no placeholders
    "text": "VARCHAR",
    "prose": "VARCHAR",  # running text: personal numbers inside it become tokens, see masking
    "choice": "VARCHAR",  # one of `values`, through the mapping's dictionary
    "currency": "VARCHAR",  # ISO 4217
    "money": "DECIMAL(20,6)",  # in the row's currency; for CNY in yuan
    "integer": "BIGINT",
    "share": "DOUBLE",  # 0..1
    "score": "DECIMAL(12,6)",  # points given in an evaluation
    "timestamp": "TIMESTAMP",  # UTC
    "date": "DATE",  # local date of the sender
    "boolean": "BOOLEAN",
    "region": "VARCHAR",  # GB/T 2260
    "party_code": "VARCHAR",  # unified social credit code, or the sender's own scheme
    "party_codes": "VARCHAR",  # several, joined by ';'
    "party": "VARCHAR",  # party code, else 'name:' + compared name; brings `<column>_key`
    "first_of": "VARCHAR",  # the first filled one of `columns`
    "unread": "VARCHAR",  # the text as delivered of column `of`, where no value could be read from it
    "person": "VARCHAR",
    "phone": "VARCHAR",
    "id_number": "VARCHAR",
    "account": "VARCHAR",
    "email": "VARCHAR",
}
PERSONAL = frozenset({"person", "phone", "id_number", "account", "email"})
#: Columns whose text as delivered is not shown.
GUARDED = PERSONAL | {"prose"}
DERIVED = frozenset({"party", "first_of", "unread"})

#: What every typed row carries besides its own columns.
PROVENANCE: Mapping[str, str] = {
    "record_key": "VARCHAR",  # two rows with this key are versions of one record
    "row_hash": "VARCHAR",  # sha256 of the typed values: equal content, equal hash
    "updated_at": "TIMESTAMP",  # the sender's own version time, UTC; null if it has none
    "is_deleted": "BOOLEAN",  # tombstone
    "is_partial": "BOOLEAN",  # the sender may say only what changed: an empty column keeps its older value
    "is_public": "BOOLEAN",  # the sender publishes only what was opened already
    "raw_sha": "VARCHAR",
    "raw_section": "VARCHAR",
    "raw_row": "BIGINT",
}


@dataclass(frozen=True)
class Column:
    """One column of a table schema.

    ``in_dispute``: what two different values at one time count as, by default nothing. ``is_positive``: an amount of zero or
    below is no amount, and not read. ``without``: what it costs when a sender does not deliver the column.
    """

    name: str
    type: str
    zh: str
    required: bool = False
    values: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    of: str | None = None
    code: str | None = None
    name_column: str | None = None
    key_default: str | None = None
    on_unknown: str = "critical"
    published_only: bool = False
    in_dispute: bool | None = None
    is_positive: bool = False
    without: str | None = None
    without_zh: str | None = None


@dataclass(frozen=True)
class Expectation:
    """One Great Expectations expectation, with the words for a person."""

    type: str
    kwargs: Mapping[str, object]
    severity: str
    code: str
    reason: str
    reason_zh: str
    column: str


@dataclass(frozen=True)
class TableSchema:
    """One table of typed rows."""

    table: str
    about: str
    about_zh: str
    key: tuple[str, ...]
    secret_until: str | None
    columns: Mapping[str, Column]
    facts: Mapping[str, str]
    expectations: tuple[Expectation, ...]
    version: str

    def duckdb_columns(self) -> dict[str, str]:
        """Return name and DuckDB type of every column of a typed row, provenance last."""
        typed: dict[str, str] = {}
        for column in self.columns.values():
            typed[column.name] = TYPES[column.type]
            if column.type == "party":
                typed[f"{column.name}_key"] = "VARCHAR"
        return typed | dict(PROVENANCE)

    def must_be_read(self, column: Column) -> bool:
        """Tell whether a record is worth nothing without this column: it is required, or part of the key."""
        return column.required or column.name in self.key

    @property
    def parties(self) -> list[Column]:
        """Columns that name an organisation."""
        return [column for column in self.columns.values() if column.type == "party"]


@cache
def table_schemas() -> Mapping[str, TableSchema]:
    """Return every table schema by table name, in alphabetical order.

    Raises:
        ValueError: a schema file has an unknown type, key, or setting.
    """
    return {path.stem: _load(path) for path in sorted(FOLDER.glob("*.toml"))}


def _load(path: Path) -> TableSchema:
    text = path.read_bytes()
    raw = tomllib.loads(text.decode())
    columns = {name: _column(path, name, spec) for name, spec in raw.pop("columns").items()}
    expectations = tuple(_expectation(path, spec) for spec in raw.pop("expectations", []))
    try:
        schema = TableSchema(
            table=path.stem,
            about=raw.pop("about"),
            about_zh=raw.pop("about_zh"),
            key=tuple(raw.pop("key")),
            secret_until=raw.pop("secret_until", None),
            columns=columns,
            facts=raw.pop("facts", {}),
            expectations=expectations,
            version=hashlib.sha256(text).hexdigest()[:12],
        )
    except KeyError as missing:
        raise ValueError(f"{path.name}: {missing} is missing") from None
    if raw:
        raise ValueError(f"{path.name}: unknown setting {sorted(raw)[0]!r}")
    if strangers := [name for name in schema.key if name not in columns]:
        raise ValueError(f"{path.name}: the key names {strangers[0]!r}, which is not a column")
    for column in schema.columns.values():
        is_filled = column.required or column.key_default is not None
        if column.name in schema.key and not is_filled:
            raise ValueError(f"{path.name}: key column {column.name!r} is neither required nor defaulted")
    return schema


def _column(path: Path, name: str, spec: Mapping[str, object]) -> Column:
    known = dict(spec)
    if known.get("type") not in TYPES:
        raise ValueError(f"{path.name}: column {name!r} has unknown type {known.get('type')!r}")
    if "name" in known:
        known["name_column"] = known.pop("name")
    for listed in ("values", "columns"):
        if listed in known:
            known[listed] = tuple(known[listed])  # type: ignore[arg-type]
    try:
        return Column(name=name, **known)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"{path.name}: column {name!r}: {error}") from None


def _expectation(path: Path, spec: Mapping[str, object]) -> Expectation:
    kwargs = spec["kwargs"]
    if spec.get("severity") not in ("critical", "warning") or not isinstance(kwargs, dict):
        raise ValueError(f"{path.name}: expectation {spec.get('code')!r} needs a severity and kwargs")
    column = str(kwargs.get("column") or kwargs.get("column_A"))
    return Expectation(column=column, **spec)  # type: ignore[arg-type]
