"""Text to typed rows, as SQL over one batch of a section.

Every conversion is exact or it does not happen: text that cannot be read leaves its column empty and is named in
``unread``, which the table schema refuses, or, where the record is worth something without it, in ``unread_optional``,
which is counted. Nothing here decides what is refused.

Personal values leave this module only as keyed tokens (HMAC-SHA256, RFC 2104); the clear text is
returned separately, for the vault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.intake.columns import ENTRY, FIELD, UNIT_SEPARATOR, UNITS_OF, ColumnSql, References, Stamps
from pipelines.intake.mapping import Mapping, RecordRule
from pipelines.intake.mapping_columns import Value
from pipelines.intake.readers import RAW_PATH, RAW_ROW, FileRefused
from pipelines.intake.readers.headings import base_name
from pipelines.intake.schema import (
    DERIVED,
    GUARDED,
    PERSONAL,
    PROVENANCE,
    TYPES,
    Column,
    TableSchema,
    table_schemas,
)
from pipelines.intake.splitting import SPLIT_PLACE, split_cells, uneven_records
from pipelines.values import masking, tokens
from pipelines.values.literals import quoted

_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"


#: Up to so many rows it costs less to copy them than to make a relation of a long statement, which is bound and taken
#: apart word by word before it runs: 26 ms of CPU instead of 66 for a dozen bids.
COPIED_ROWS = 20_000

#: Characters kept of a text that could not be read: a few words (弃标, 未在规定时间内解密).
LONGEST_UNREAD = 60


@dataclass(frozen=True)
class ConversionPlan:
    """How one rule converts one section of one file.

    Attributes:
        sql: SELECT over the registered batch ``records``.
        sources: the file's columns that are read, in the order of ``n0``, ``n1`` …
        checks: GX checks by column type: (column, kind).
        personal: (column, kind) of the columns that become tokens or hold some.
        columns: our columns that are filled -> the file's columns that they are read from.
        missing: our columns whose sender's column is not in this file.
        placeholders: the file's columns and the texts in them that are read as empty.
        regions: one column, the region codes that exist.
        deciding: the file's columns that decide whether a record makes a row.
        split: the file's columns whose cells hold several values, and the characters between these.
        without_unit: columns of ours whose heading states no unit, so that each cell must.
    """

    schema: TableSchema
    rule: RecordRule
    sql: str
    sources: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    personal: tuple[tuple[str, str], ...]
    columns: dict[str, list[str]]
    missing: tuple[str, ...]
    placeholders: dict[str, frozenset[str]]
    regions: pa.Table
    deciding: tuple[str, ...]
    split: tuple[tuple[str, ...], str] | None
    without_unit: tuple[str, ...]


def plan(
    mapping: Mapping, rule: RecordRule, columns: tuple[str, ...], references: References, *, public: bool
) -> ConversionPlan:
    """Work out how ``rule`` converts a section that has these columns.

    Raises:
        FileRefused: a required column is missing, or one that decides about rows, or two columns mean the same.
    """
    schema = table_schemas()[rule.table]
    builder = ColumnSql(mapping, columns, references)
    clauses = _Clauses()
    for column in schema.columns.values():
        if column.type not in DERIVED:
            value = rule.columns.get(column.name)
            clauses.add(builder, column, value, must_be_read=schema.must_be_read(column))
    for column in schema.columns.values():
        if column.type in DERIVED and column.required:
            builder.require_one_of(schema, column, rule)
        if column.type == "unread":
            clauses.typed.append(_unread_text(column, clauses.missing, rule))
        if column.type == "party":
            clauses.texts += builder.party_words(column, rule, schema)
            clauses.typed.append(builder.party_key(column, rule))
    clauses.add_stamps(builder.stamps(rule))
    derived = [builder.party(column, rule) for column in schema.parties]
    conditions, split = builder.conditions(rule), builder.columns_to_split(rule)
    return ConversionPlan(
        schema=schema,
        rule=rule,
        sql=_select(schema, rule, clauses, derived, conditions, public=public),
        sources=tuple(builder.sources),
        checks=tuple(clauses.checks),
        personal=tuple(
            (c.name, c.type)
            for c in schema.columns.values()
            if c.type in GUARDED and c.name in rule.columns and c.name not in clauses.missing
        ),
        columns={
            name: builder.read_from(v) for name, v in rule.columns.items() if name not in clauses.missing
        },
        missing=tuple(clauses.missing),
        placeholders=builder.placeholders(schema, rule),
        regions=_region_table(references.regions),
        deciding=builder.deciding(rule),
        split=split,
        without_unit=tuple(clauses.without_unit),
    )


def _unread_text(column: Column, missing: list[str], rule: RecordRule) -> str:
    """SQL of what was delivered where no value could be read from it."""
    is_there = column.of in rule.columns and column.of not in missing
    text = f"CASE WHEN {column.of} IS NULL THEN left(replace(w_{column.of}, {UNIT_SEPARATOR}, ''), {LONGEST_UNREAD}) END"
    return f"{text if is_there else 'CAST(NULL AS VARCHAR)'} AS {column.name}"


@dataclass
class _Clauses:
    """The SQL of a conversion, gathered column by column.

    Attributes:
        texts: columns of ``texts``: the text as delivered (``w_``), its unit (``u_``).
        words: columns of ``words``: the text after dictionaries (``x_``).
        distincts, joins: what is computed once a distinct value, and its join to the rows.
        typed: columns of ``typed``.
        unread, unread_optional: an entry for every value that was not read, of columns that must be read and of others.
        checks, without_unit, missing: as in ``ConversionPlan``.
    """

    texts: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    distincts: list[str] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)
    typed: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    unread_optional: list[str] = field(default_factory=list)
    checks: list[tuple[str, str]] = field(default_factory=list)
    without_unit: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, builder: ColumnSql, column: Column, value: Value | None, *, must_be_read: bool) -> None:
        """Add one column; ``value`` says where its text comes from."""
        name = column.name
        found = builder.words(column, value, alias=f"w_{name}") if value else None
        if value is None or found is None:
            if value is not None:
                self.missing.append(name)
            self.typed.append(f"CAST(NULL AS {TYPES[column.type]}) AS {name}")
            return
        words, original = found
        self.texts.append(f"{original} AS w_{name}")
        self.words.append(f"{words} AS x_{name}")
        if value.unit_from:
            self.texts.append(f"{builder.unit(value)} AS u_{name}")
        distinct = f"SELECT DISTINCT x_{name} AS x FROM words WHERE x_{name} IS NOT NULL"
        if computed := builder.per_distinct_value(column, distinct):
            self.distincts.append(f"d_{name} AS ({computed})")
            self.joins.append(f"LEFT JOIN d_{name} ON d_{name}.x = words.x_{name}")
        self.typed.append(f"{builder.typed(column, value, f'x_{name}')} AS {name}")
        if lacking := builder.without_unit(column, value, f"x_{name}"):
            self.typed.append(f"{lacking} AS {name}_without_unit")
            self.without_unit.append(name)
        if column.type in PERSONAL:
            self.typed.append(f"d_{name}.is_nothing AS {name}_is_nothing")
        shown = builder.shown(column, value)
        entries = self.unread if must_be_read else self.unread_optional
        entries.append(f"CASE WHEN {builder.is_unread(column)} THEN '{name}{FIELD}' || {shown} END")
        if builder.check(column):
            self.typed.append(f"d_{name}.mark AS {name}_check")
            self.checks.append((name, column.type))

    def add_stamps(self, stamps: Stamps) -> None:
        """Add the version of the record."""
        self.texts += stamps.texts
        self.typed += stamps.typed
        self.unread += stamps.unread


def _select(
    schema: TableSchema,
    rule: RecordRule,
    clauses: _Clauses,
    derived: list[str],
    conditions: list[str],
    *,
    public: bool,
) -> str:
    """SQL from the registered batch to typed rows: words, typed values, defaults, derived columns, facts, keys."""
    columns = schema.columns.values()
    derived = derived + [
        f"coalesce({', '.join(c.columns)}) AS {c.name}" for c in columns if c.type == "first_of"
    ]
    replaced = ", ".join(
        f"coalesce({c.name}, '{c.key_default}') AS {c.name}"
        for c in columns
        if c.key_default is not None and c.type != "party"
    )
    defaults = f"REPLACE ({replaced})" if replaced else ""
    facts = [f"{sql} AS {name}" for name, sql in schema.facts.items()]
    filled = f"WHERE coalesce({', '.join(f'{c}::VARCHAR' for c in rule.only_with)}) IS NOT NULL"
    kept = [name for name in schema.duckdb_columns() if name not in PROVENANCE]
    # Named, so that empty columns need no place: concat_ws passes over NULL.
    hashed = ", ".join(f"'{name}=' || CAST({name} AS VARCHAR)" for name in kept)
    keyed = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in schema.key)
    place = [SPLIT_PLACE] if rule.split else []
    extra = [f"{name}_check" for name, _ in clauses.checks] + list(schema.facts) + place
    extra += [f"{name}_without_unit" for name in clauses.without_unit]
    return f"""
        WITH texts AS (
            SELECT {", ".join([RAW_ROW, RAW_PATH, *place, *clauses.texts])} FROM records
            {"WHERE " + " AND ".join(conditions) if conditions else ""}
        ),
        words AS (SELECT *{"".join(", " + word for word in clauses.words)} FROM texts),
        {"".join(distinct + ", " for distinct in clauses.distincts)}
        typed AS (
            SELECT words.*, {", ".join(clauses.typed)} FROM words {" ".join(clauses.joins)}
        ),
        judged AS (
            SELECT * {defaults},
                   concat_ws('{ENTRY}', {", ".join([*clauses.unread, "NULL"])}) AS unread_text,
                   concat_ws('{ENTRY}', {", ".join([*clauses.unread_optional, "NULL"])}) AS unread_optional_text
            FROM typed
        ),
        derived AS (SELECT *{"".join(", " + d for d in derived)} FROM judged),
        facts AS (SELECT *{"".join(", " + f for f in facts)} FROM derived)
        SELECT {", ".join(kept)},
               concat_ws({UNIT_SEPARATOR}, {keyed}) AS record_key,
               sha256(concat_ws({UNIT_SEPARATOR}, {hashed})) AS row_hash,
               updated_at, coalesce(is_deleted, FALSE) AS is_deleted,
               {rule.is_partial} AS is_partial, {"TRUE" if public else "FALSE"} AS is_public,
               {RAW_ROW}, {RAW_PATH}, nullif(unread_text, '') AS unread,
               nullif(unread_optional_text, '') AS unread_optional
               {"".join(", " + name for name in extra)}
        FROM facts
        {filled if rule.only_with else ""}
    """


def records(batch: pa.Table, sources: Iterable[str]) -> pa.Table:
    """Return the batch with the read columns as ``t0`` (trimmed) and ``n0`` (also NFKC).

    Control characters become UNIT_SEPARATOR, except tab and line ends.
    """
    names = [name for name in (RAW_ROW, RAW_PATH, SPLIT_PLACE) if name in batch.column_names]
    arrays: list[pa.ChunkedArray] = [batch.column(name) for name in names]
    for i, source in enumerate(sources):
        trimmed = _without_controls(pc.utf8_trim_whitespace(batch.column(source)))
        is_ascii = pc.all(pc.string_is_ascii(trimmed)).as_py() is not False
        arrays += [trimmed, trimmed if is_ascii else pc.utf8_normalize(trimmed, form="NFKC")]
        names += [f"t{i}", f"n{i}"]
    return pa.table(arrays, names=names)


def _without_controls(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    # Few columns of few files hold any byte below a blank: looking first saves the regular expression.
    for chunk in texts.chunks:
        characters = chunk.buffers()[2]
        if characters and np.frombuffer(characters, np.uint8).min() < ord(" "):
            return pc.replace_substring_regex(texts, _CONTROL, "\x1f")
    return texts


def convert(con: duckdb.DuckDBPyConnection, plan: ConversionPlan, batch: pa.Table) -> pa.Table:
    """Return the typed rows of one batch, with their checks, facts and ``unread``.

    Raises:
        FileRefused: neither the heading nor the cell states the unit of an amount.
    """
    con.register("records", records(_split(con, plan, batch), plan.sources))
    con.register("regions", plan.regions)
    try:
        rows: pa.Table = (
            con.execute(plan.sql).to_arrow_table()
            if batch.num_rows <= COPIED_ROWS
            else con.sql(plan.sql).to_arrow_table()
        )
    finally:
        con.unregister("records")
        con.unregister("regions")
    for name in plan.without_unit:
        _require_units(plan, name, rows)
    if plan.split:
        return rows.sort_by([(RAW_ROW, "ascending"), (SPLIT_PLACE, "ascending")])
    # Threads may give the rows in any order; mostly they are in order already.
    order = rows.column(RAW_ROW).to_numpy()
    return rows if np.all(order[:-1] < order[1:]) else rows.take(pa.array(np.argsort(order)))


def _require_units(plan: ConversionPlan, name: str, rows: pa.Table) -> None:
    """Refuse a file of which some amounts have no unit; no reason quotes them, for bids are secret until the opening."""
    bare = rows.filter(rows.column(f"{name}_without_unit"))
    if not bare.num_rows:
        return
    row = pc.min(bare.column(RAW_ROW)).as_py()
    column = plan.columns[name][0]
    units = "、".join(UNITS_OF[plan.schema.columns[name].type])
    example = f"{base_name(column)[0]}（{units.partition('、')[0]}）"
    raise FileRefused(
        "UNIT_NOT_STATED",
        f"neither the heading of column {column!r} nor its cell of record {row} states one of the units {units}; write it in"
        f" brackets behind the heading, as in {example}, or behind every number",
        f"列“{column}”及其第 {row} 条记录的单元格均未注明单位（{units}）；请在列名后加括号注明，例如 {example}，"
        "或在每个数字后注明",
    )


def _split(con: duckdb.DuckDBPyConnection, plan: ConversionPlan, batch: pa.Table) -> pa.Table:
    return split_cells(con, batch, *plan.split) if plan.split else batch


def undecided(plan: ConversionPlan, batch: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the columns that decide about rows with the records of which nobody can read them, such as a formula."""
    for column in plan.deciding:
        unreadable = batch.filter(pc.match_substring_regex(batch.column(column), _CONTROL))
        if unreadable.num_rows:
            yield column, unreadable


def uneven(con: duckdb.DuckDBPyConnection, plan: ConversionPlan, batch: pa.Table) -> pa.Table | None:
    """Return the records whose cells, which are to be split side by side, do not hold equally many values."""
    return uneven_records(con, batch, *plan.split) if plan.split and len(plan.split[0]) > 1 else None


@cache
def _region_table(regions: frozenset[str]) -> pa.Table:
    return pa.table({"region_code": pa.array(sorted(regions), pa.string())})


def read_as_empty(plans: Iterable[ConversionPlan], batch: pa.Table) -> dict[str, int]:
    """Count the placeholders in each of the file's columns: they are read as empty, and the report says so."""
    nothing: dict[str, frozenset[str]] = {}
    for each in plans:
        for source, texts in each.placeholders.items():
            nothing[source] = nothing.get(source, frozenset()) | texts
    counts = {}
    for source, placeholders in nothing.items():
        texts = pc.utf8_upper(pc.utf8_trim_whitespace(batch.column(source)))
        found = pc.sum(pc.is_in(texts, value_set=pa.array(sorted(placeholders), pa.string()))).as_py()
        if found:
            counts[source] = int(found)
    return counts


def unread_cells(con: duckdb.DuckDBPyConnection, rows: pa.Table) -> list[tuple[str, int, str]]:
    """Return how many texts of each column could not be read and were taken as empty, with one of them."""
    if rows.column("unread_optional").null_count == rows.num_rows:
        return []
    con.register("unread_rows", rows.select(["unread_optional"]))
    try:
        return con.execute(
            f"""
            WITH entries AS (
                SELECT unnest(string_split(unread_optional, '{ENTRY}')) AS entry FROM unread_rows
            )
            SELECT split_part(entry, '{FIELD}', 1) AS column_name, count(*), min(split_part(entry, '{FIELD}', 2))
            FROM entries GROUP BY 1 ORDER BY 1
            """
        ).fetchall()
    finally:
        con.unregister("unread_rows")


def clear_text(
    con: duckdb.DuckDBPyConnection,
    plan: ConversionPlan,
    batch: pa.Table,
    mapping: Mapping,
    references: References,
) -> pa.Table | None:
    """Return the distinct personal values of a batch for the vault: kind, token, text."""
    found = []
    batch = _split(con, plan, batch)
    for name, kind in plan.personal:
        builder = ColumnSql(mapping, tuple(batch.schema.names), references)
        words = builder.words(plan.schema.columns[name], plan.rule.columns[name])
        if words is None:
            continue
        delivered = records(batch, builder.sources).select(
            [f"{form}{n}" for n in range(len(builder.sources)) for form in "tn"]
        )
        con.register("records", delivered.group_by(delivered.column_names).aggregate([]))
        if kind == "prose":
            numbers = masking.clear(references.key, words[0], references.placeholders)
            sql = f"SELECT DISTINCT n.kind, n.token, n.plain AS text FROM (SELECT unnest({numbers}) AS n FROM records)"
        else:
            sql = (
                f"SELECT '{kind}' AS kind, {tokens.token(references.key, quoted(kind), 'text')} AS token, text"
                f" FROM (SELECT DISTINCT {tokens.normalised(kind, words[0])} AS text FROM records) AS plain"
                " WHERE text IS NOT NULL"
            )
        try:
            found.append(con.execute(sql).to_arrow_table())
        finally:
            con.unregister("records")
    return pa.concat_tables(found) if found else None
