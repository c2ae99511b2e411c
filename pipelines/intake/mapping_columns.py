"""How one column of a mapping is filled: where its text comes from, and what it may mean."""

from __future__ import annotations

import re
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.intake.schema import DERIVED, Column, TableSchema


@dataclass(frozen=True)
class Value:
    """Where one column's text comes from, and how it is read.

    Exactly one of ``source``, ``join``, ``first_filled``, ``constant``, ``row`` and ``place`` is set. Money needs exactly one
    of ``unit``, ``unit_from``, ``unit_in_header`` and ``unit_in_cell``: a unit is never guessed.
    """

    source: tuple[str, ...] = ()
    join: tuple[tuple[str, ...], ...] = ()
    first_filled: tuple[tuple[str, ...], ...] = ()
    constant: str | None = None
    row: bool = False
    place: bool = False
    separator: str = "/"
    prefix: str = ""
    required: bool = False
    values: Dictionary[str, str] = field(default_factory=dict)
    formats: tuple[str, ...] = ()
    unit: float | None = None
    unit_from: tuple[str, ...] = ()
    units: Dictionary[str, float] = field(default_factory=dict)
    unit_in_header: bool = False
    unit_in_cell: Dictionary[str, float] = field(default_factory=dict)
    decimal: str = "."
    decimals: int | None = None
    strip: tuple[str, ...] = ()
    pattern: str | None = None


def value_of(
    where: str, schema: TableSchema, name: str, spec: object, dictionaries: Dictionary[str, object]
) -> Value:
    """Return what a mapping says of one of our columns.

    Args:
        where: the place in the mapping, for messages.
        schema, name: the table and its column.
        spec: the setting as TOML has it.
        dictionaries: ``[dictionaries]`` of the mapping.

    Raises:
        ValueError: it cannot mean anything.
    """
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
    value = plain_value(known, where)
    if value.required is False and schema.columns[name].required:
        value = Value(**{**value.__dict__, "required": True})
    _check_meaning(where, schema.columns[name], value)
    return value


def _check_meaning(where: str, column: Column, value: Value) -> None:
    """Refuse a setting that the column's type cannot mean, so that no setting is silently ignored."""
    in_cell = bool(value.unit_in_cell)
    stated = [value.unit is not None, bool(value.unit_from), value.unit_in_header, in_cell].count(True)
    if column.type == "money" and stated != 1:
        raise ValueError(
            f"{where}: money needs one of unit, unit_from with units, unit_in_header, unit_in_cell"
        )
    if column.type == "share" and (stated != 1 or value.unit_from or in_cell):
        raise ValueError(f"{where}: a share needs one of unit, unit_in_header")
    if column.type not in ("money", "share") and stated:
        raise ValueError(f"{where}: a {column.type} has no unit")
    if bool(value.unit_from) != bool(value.units):
        raise ValueError(f"{where}: unit_from and units belong together")
    if len({word.lower() for word in value.unit_in_cell}) < len(value.unit_in_cell):
        raise ValueError(f"{where}: unit_in_cell has one word in two cases, which mean the same")
    if value.decimal != "." and (
        value.decimal != "," or column.type not in ("money", "share", "score", "integer")
    ):
        raise ValueError(f'{where}: decimal is "," and for money, share, score or integer')
    for factor in (value.unit, *value.units.values(), *value.unit_in_cell.values()):
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


def plain_value(spec: dict[str, object], where: str) -> Value:
    """Return a value whose setting is well formed; what its column's type allows is not asked. Raises ``ValueError``."""
    known = dict(spec)
    if "from" in known:
        known["source"] = known.pop("from")
    if "with" in known:
        known["separator"] = known.pop("with")
    for listed in ("source", "formats", "strip", "unit_from"):
        if listed in known:
            known[listed] = texts(known[listed])
    for nested in ("join", "first_filled"):
        if nested in known:
            known[nested] = tuple(texts(part) for part in known[nested])  # type: ignore[attr-defined]
    if "constant" in known:
        known["constant"] = str(known["constant"])
    if "unit_in_cell" in known and not isinstance(known["unit_in_cell"], dict):
        raise ValueError(f'{where}: write unit_in_cell = {{ "word behind the number" = factor }}')
    if "values" in known:
        known["values"] = {str(k): str(v) for k, v in known["values"].items()}  # type: ignore[attr-defined]
    try:
        value = Value(**known)  # type: ignore[arg-type]
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from None
    given = [value.source, value.join, value.first_filled, value.constant is not None, value.row, value.place]
    if [bool(each) for each in given].count(True) != 1:
        raise ValueError(f"{where}: needs exactly one of from, join, first_filled, constant, row, place")
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


def texts(value: object) -> tuple[str, ...]:
    """Return one text or a list of texts as a tuple. Raises ``TypeError`` for anything else."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple):
        raise TypeError(f"{value!r} is neither a text nor a list of texts")
    return tuple(str(part) for part in value)
