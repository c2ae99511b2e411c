"""Text to typed rows, as SQL over one batch of a section.

Every conversion is exact or it does not happen: text that cannot be read leaves its column empty
and is named in ``unread``, which the contract refuses. Nothing here decides what is refused.

Personal values leave this module only as keyed tokens (HMAC-SHA256, RFC 2104); the clear text is
returned apart, for the vault.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.contract import DERIVED, PERSONAL, PROVENANCE, TYPES, Column, Contract, contracts
from pipelines.mapping import HEADER_UNITS, Mapping, RecordRule, Value, base_name, find_column
from pipelines.readers import RAW_PATH, RAW_ROW, FileRefused

#: Joins the parts of keys and hashes; cannot stand in a value, control characters are refused.
UNIT_SEPARATOR = "chr(31)"
#: Between and inside the entries of ``unread``.
ENTRY, FIELD = "\x1e", "\x1f"

TIMES = (
    "%Y%m%d%H%M%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日%H时%M分",
)
DATES = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日")
TRUE = ("1", "T", "TRUE", "Y", "YES", "是", "有")
FALSE = ("0", "F", "FALSE", "N", "NO", "否", "没有")

# GB 32100-2015: alphabet without I, O, S, V, Z; weights 3^i mod 31.
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# GB 11643-1999.
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


@dataclass(frozen=True)
class References:
    """Reference data and secrets that conversions need.

    Attributes:
        placeholders: kind -> upper-case texts that stand for nothing; ``any`` counts everywhere.
        regions: the region codes that exist (GB/T 2260).
        key: secret key of the tokens, 32 bytes.
    """

    placeholders: dict[str, frozenset[str]]
    regions: frozenset[str]
    key: bytes


@dataclass(frozen=True)
class Plan:
    """How one rule converts one section of one file.

    Attributes:
        sql: SELECT over the registered batch ``records``.
        sources: the file's columns that are read, in the order of ``n0``, ``n1`` …
        checks: GX checks by column type: (column, kind).
        personal: (column, kind) of the columns that become tokens.
        missing: our columns whose sender's column is not in this file.
    """

    contract: Contract
    rule: RecordRule
    sql: str
    sources: tuple[str, ...]
    checks: tuple[tuple[str, str], ...]
    personal: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]


def plan(
    mapping: Mapping, rule: RecordRule, columns: tuple[str, ...], references: References, *, public: bool
) -> Plan:
    """Work out how ``rule`` converts a section that has these columns.

    Raises:
        FileRefused: a required column is missing, two columns mean the same, or a unit is not
            stated.
    """
    contract = contracts()[rule.table]
    builder = _Builder(mapping, columns, references)
    texts: list[str] = []
    typed: list[str] = []
    unread: list[str] = []
    checks: list[tuple[str, str]] = []
    missing: list[str] = []
    for column in contract.columns.values():
        if column.type in DERIVED:
            continue
        value = rule.columns.get(column.name)
        found = builder.words(column, value) if value else None
        if found is None:
            if value is not None:
                missing.append(column.name)
            default = "''" if column.key_default == "" else "NULL"
            typed.append(f"CAST({default} AS {TYPES[column.type]}) AS {column.name}")
            continue
        assert value is not None
        words, original = found
        texts += [f"{words} AS x_{column.name}", f"{original} AS w_{column.name}"]
        expression = builder.typed(column, value, f"x_{column.name}")
        if column.key_default is not None:
            expression = f"coalesce({expression}, '{column.key_default}')"
        typed.append(f"{expression} AS {column.name}")
        shown = "''" if column.type in PERSONAL else f"left(w_{column.name}, 60)"
        unread.append(
            f"CASE WHEN w_{column.name} IS NOT NULL AND {expression} IS NULL"
            f" THEN '{column.name}{FIELD}' || {shown} END"
        )
        if check := builder.check(column, f"x_{column.name}"):
            typed.append(f"{check} AS {column.name}_check")
            checks.append((column.name, column.type))
    for column in contract.columns.values():
        if column.type == "party":
            texts += builder.party_words(column, rule, contract)
            typed += builder.party(column, rule)
    stamps = builder.stamps(rule)
    derived = [
        f"coalesce({', '.join(c.columns)}) AS {c.name}"
        for c in contract.columns.values()
        if c.type == "first_of"
    ]
    facts = [f"{sql} AS {name}" for name, sql in contract.facts.items()]
    filled = f"WHERE coalesce({', '.join(f'{c}::VARCHAR' for c in rule.only_with)}) IS NOT NULL"
    kept = [name for name in contract.duckdb_columns() if name not in PROVENANCE]
    hashed = ", ".join(f"coalesce(CAST({name} AS VARCHAR), chr(0))" for name in kept)
    keyed = ", ".join(f"coalesce(CAST({name} AS VARCHAR), '')" for name in contract.key)
    extra = [f"{name}_check" for name, _ in checks] + list(contract.facts)
    sql = f"""
        WITH words AS (
            SELECT {RAW_ROW}, {RAW_PATH}, {", ".join(texts + stamps.texts)} FROM records
        ),
        typed AS (
            SELECT *, {", ".join(typed + stamps.typed)},
                   concat_ws('{ENTRY}', {", ".join([*unread, *stamps.unread, "NULL"])}) AS unread_text
            FROM words
        ),
        derived AS (SELECT *{"".join(", " + d for d in derived)} FROM typed),
        facts AS (SELECT *{"".join(", " + f for f in facts)} FROM derived)
        SELECT {", ".join(kept)},
               concat_ws({UNIT_SEPARATOR}, {keyed}) AS record_key,
               sha256(concat_ws({UNIT_SEPARATOR}, {hashed})) AS row_hash,
               updated_at, coalesce(is_deleted, FALSE) AS is_deleted,
               {"TRUE" if public else "FALSE"} AS is_public,
               {RAW_ROW}, {RAW_PATH}, nullif(unread_text, '') AS unread
               {"".join(", " + name for name in extra)}
        FROM facts
        {filled if rule.only_with else ""}
        ORDER BY {RAW_ROW}
    """
    return Plan(
        contract=contract,
        rule=rule,
        sql=sql,
        sources=tuple(builder.sources),
        checks=tuple(checks),
        personal=tuple(
            (c.name, c.type)
            for c in contract.columns.values()
            if c.type in PERSONAL and c.name in rule.columns and c.name not in missing
        ),
        missing=tuple(missing),
    )


def records(batch: pa.RecordBatch, sources: Iterable[str]) -> pa.Table:
    """Return the batch with the read columns as ``t0`` (trimmed) and ``n0`` (also NFKC)."""
    arrays: list[pa.Array] = [batch.column(RAW_ROW), batch.column(RAW_PATH)]
    names = [RAW_ROW, RAW_PATH]
    for i, source in enumerate(sources):
        trimmed = pc.utf8_trim_whitespace(batch.column(source))
        is_ascii = pc.all(pc.string_is_ascii(trimmed)).as_py() is not False
        arrays += [trimmed, trimmed if is_ascii else pc.utf8_normalize(trimmed, form="NFKC")]
        names += [f"t{i}", f"n{i}"]
    return pa.table(arrays, names=names)


def convert(con: duckdb.DuckDBPyConnection, plan: Plan, batch: pa.RecordBatch) -> pa.Table:
    """Return the typed rows of one batch, with their checks, facts and ``unread``."""
    con.register("records", records(batch, plan.sources))
    try:
        return con.sql(plan.sql).to_arrow_table()
    finally:
        con.unregister("records")


def clear_text(
    con: duckdb.DuckDBPyConnection, plan: Plan, batch: pa.RecordBatch, mapping: Mapping, references: References
) -> pa.Table | None:
    """Return the distinct personal values of a batch for the vault: kind, token, text."""
    builder = _Builder(mapping, tuple(batch.schema.names), references)
    parts = []
    for name, kind in plan.personal:
        found = builder.words(plan.contract.columns[name], plan.rule.columns[name])
        if found is None:
            continue
        plain = builder.normalised(kind, found[0])
        parts.append(f"SELECT DISTINCT '{kind}' AS kind, {builder.token(kind, plain)} AS token, {plain} AS text"
                     f" FROM records WHERE {plain} IS NOT NULL")  # fmt: skip
    if not parts:
        return None
    con.register("records", records(batch, builder.sources))
    try:
        return con.sql(" UNION ".join(parts)).to_arrow_table()
    finally:
        con.unregister("records")


@dataclass(frozen=True)
class _Stamps:
    texts: list[str]
    typed: list[str]
    unread: list[str]


class _Builder:
    """Writes the SQL of single columns and remembers which source columns they read."""

    def __init__(self, mapping: Mapping, columns: tuple[str, ...], references: References) -> None:
        self._mapping = mapping
        self._columns = columns
        self._references = references
        self.sources: list[str] = []

    def words(self, column: Column, value: Value, *, compared: bool = False) -> tuple[str, str] | None:
        """SQL of the column's text after placeholders and dictionaries, and of the text before.

        Free text stays as delivered, unless it is wanted for comparing (NFKC). None when the
        sender's column is not in this file.
        """
        plain = self._text(value, value.required, normalised=compared or column.type != "text")
        if plain is None:
            return None
        for taken in value.strip:
            plain = f"replace({plain}, {_quoted(taken)}, '')"
        if value.strip:
            plain = f"trim({plain})"
        if value.pattern:
            plain = f"array_to_string(regexp_extract_all({plain}, {_quoted(value.pattern)}, 1), ';')"
        nothing = self._references.placeholders.get("any", frozenset()) | self._references.placeholders.get(
            _placeholder_kind(column), frozenset()
        )
        listed = ", ".join(_quoted(text) for text in sorted(nothing | {""}))
        original = f"CASE WHEN upper({plain}) NOT IN ({listed}) THEN {plain} END"
        words = original
        if value.prefix:
            words = f"{_quoted(value.prefix)} || {words}"
        if value.values:
            cases = " ".join(f"WHEN {_quoted(k)} THEN {_quoted(v)}" for k, v in value.values.items())
            words = f"CASE {words} {cases} END"
        return words, original

    def typed(self, column: Column, value: Value, x: str) -> str:
        """SQL of the typed value; NULL where the text cannot be read."""
        match column.type:
            case "text" | "choice" | "code":
                return x
            case "codes" | "party_codes":
                return f"nullif(trim(regexp_replace(upper({x}), '[;,；，、\\s]+', ';', 'g'), ';'), '')"
            case "currency":
                return f"CASE WHEN regexp_full_match({x}, '[A-Z]{{3}}') THEN {x} END"
            case "party_code":
                return f"upper(regexp_replace({x}, '\\s', '', 'g'))"
            case "region":
                return x
            case "money":
                return self._money(value, x)
            case "integer":
                return f"CASE WHEN regexp_full_match({x}, '[+-]?[0-9]+(\\.0+)?') THEN TRY_CAST({x} AS BIGINT) END"
            case "share":
                factor = value.unit if value.unit is not None else self._header_unit(value)
                number = f"TRY_CAST(replace({x}, '%', '') AS DOUBLE)"
                return f"CASE WHEN isfinite({number}) THEN {number} * {factor} END"
            case "timestamp":
                return self._timestamp(value, x)
            case "date":
                return f"CAST({self._moment(value.formats or (*DATES, *TIMES), x)} AS DATE)"
            case "boolean":
                yes, no = (", ".join(_quoted(word) for word in words) for words in (TRUE, FALSE))
                return f"CASE WHEN upper({x}) IN ({yes}) THEN TRUE WHEN upper({x}) IN ({no}) THEN FALSE END"
            case _ if column.type in PERSONAL:
                plain = self.normalised(column.type, x)
                return f"CASE WHEN {plain} IS NOT NULL THEN {self.token(column.type, plain)} END"
        raise ValueError(f"no conversion for type {column.type!r}")

    def check(self, column: Column, x: str) -> str | None:
        """SQL of the column's ``_check``: 'ok', what is wrong, or NULL; None when nothing is checked."""
        if self._mapping.country != "CN":
            return None
        code = f"upper(regexp_replace({x}, '\\s', '', 'g'))"
        if column.type == "party_code":
            return (
                f"CASE WHEN {code} IS NULL THEN NULL"
                f" WHEN regexp_full_match({code}, '[{_USCC_ALPHABET}]{{18}}') THEN"
                f" CASE WHEN {_uscc_check(code)} THEN 'ok' ELSE 'check_digit' END"
                f" WHEN regexp_full_match({code}, '[0-9]{{15}}|[0-9A-Z]{{8}}-?[0-9X]') THEN 'old' ELSE 'form' END"
            )
        if column.type == "id_number":
            return (
                f"CASE WHEN {code} IS NULL THEN NULL"
                f" WHEN regexp_full_match({code}, '[0-9]{{17}}[0-9X]') AND {_id_check(code)} THEN 'ok'"
                " ELSE 'check_digit' END"
            )
        if column.type == "region":
            listed = ", ".join(_quoted(code) for code in sorted(self._references.regions))
            return f"CASE WHEN {x} IS NULL THEN NULL WHEN left({x}, 6) IN ({listed}) THEN 'ok' ELSE 'unknown' END"
        return None

    def party(self, column: Column, rule: RecordRule) -> list[str]:
        """SQL of a party column and its compared name."""
        name = f"x_{column.name}_name" if self._named(column, rule) else "CAST(NULL AS VARCHAR)"
        coded = column.code if column.code in rule.columns else None
        code = (
            f"upper(regexp_replace(x_{coded}, '\\s', '', 'g'))"
            if coded and self._has(rule.columns[coded])
            else "CAST(NULL AS VARCHAR)"
        )
        key = f"nullif(regexp_replace(upper({name}), '[\\s·・]', '', 'g'), '')"
        party = f"coalesce({code}, 'name:' || {key})"
        if column.key_default is not None:
            party = f"coalesce({party}, '{column.key_default}')"
        return [f"{party} AS {column.name}", f"{key} AS {column.name}_key"]

    def party_words(self, column: Column, rule: RecordRule, contract: Contract) -> list[str]:
        """SQL of the party's name as compared, where the file has one."""
        value = self._named(column, rule)
        found = self.words(contract.columns[str(column.name_column)], value, compared=True) if value else None
        return [f"{found[0]} AS x_{column.name}_name"] if found else []

    def _named(self, column: Column, rule: RecordRule) -> Value | None:
        value = rule.columns.get(str(column.name_column))
        return value if value and self._has(value) else None

    def stamps(self, rule: RecordRule) -> _Stamps:
        """SQL of ``updated_at`` and ``is_deleted``."""
        texts, typed, unread = [], [], []
        stamp = self._text(rule.updated_at, required=True, normalised=True) if rule.updated_at else None
        if stamp is None:
            typed.append("CAST(NULL AS TIMESTAMP) AS updated_at")
        else:
            assert rule.updated_at is not None
            texts.append(f"nullif({stamp}, '') AS x_updated_at")
            moment = self._timestamp(rule.updated_at, "x_updated_at")
            typed.append(f"{moment} AS updated_at")
            unread.append(f"CASE WHEN {moment} IS NULL THEN 'updated_at{FIELD}' || coalesce(x_updated_at, '') END")
        deleted = self._text(rule.deleted, required=False, normalised=True) if rule.deleted else None
        if deleted is None:
            typed.append("FALSE AS is_deleted")
        else:
            listed = ", ".join(_quoted(word) for word in rule.deleted_values)
            typed.append(f"{'x_deleted'} IN ({listed}) AS is_deleted")
            texts.append(f"{deleted} AS x_deleted")
        return _Stamps(texts, typed, unread)

    def token(self, kind: str, plain: str) -> str:
        """SQL of HMAC-SHA256(key, kind 0x1f text), as ``h1:`` and 32 hex digits."""
        inner, outer = _hmac_pads(self._references.key)
        digest = f"sha256(unhex('{inner}') || encode('{kind}' || {UNIT_SEPARATOR} || {plain}))"
        return f"'h1:' || left(sha256(unhex('{outer}') || unhex({digest})), 32)"

    def normalised(self, kind: str, x: str) -> str:
        """SQL of the form in which two spellings of one personal value are equal."""
        match kind:
            case "phone":
                return f"nullif(regexp_replace(regexp_replace({x}, '^(\\+|00)86', ''), '[^0-9]', '', 'g'), '')"
            case "account":
                return f"nullif(regexp_replace(upper({x}), '[^0-9A-Z]', '', 'g'), '')"
            case "email":
                return f"lower({x})"
            case _:
                return f"nullif(regexp_replace(upper({x}), '\\s', '', 'g'), '')"

    def _has(self, value: Value) -> bool:
        return self._text(value, required=False, normalised=True) is not None

    def _text(self, value: Value, required: bool, normalised: bool) -> str | None:
        """SQL of the text as delivered (trimmed), or None when its column is not in the file."""
        if value.constant is not None:
            return _quoted(value.constant)
        if value.row:
            return f"CAST({RAW_ROW} AS VARCHAR)"
        if value.join:
            parts = [self._source(names, required, normalised) for names in value.join]
            if None in parts:
                return None
            return f" || {_quoted(value.separator)} || ".join(str(part) for part in parts)
        return self._source(value.source, required, normalised)

    def _source(self, names: tuple[str, ...], required: bool, normalised: bool) -> str | None:
        column = find_column(names, self._columns)
        if column is None:
            if required:
                raise FileRefused(
                    "MISSING_COLUMN",
                    f"no column called {' or '.join(map(repr, names))}; the file has {', '.join(self._columns)}",
                    f"缺少列 {' 或 '.join(names)}；文件中的列为 {'、'.join(self._columns)}",
                )
            return None
        if column not in self.sources:
            self.sources.append(column)
        return f"{'n' if normalised else 't'}{self.sources.index(column)}"

    def _money(self, value: Value, x: str) -> str:
        number = f"replace(regexp_replace({x}, '^[¥￥]\\s*|\\s*元$', '', 'g'), ',', '')"
        form = "'[¥￥]?\\s*[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\\.[0-9]+)?\\s*元?'"
        exact = f"TRY_CAST({number} AS DECIMAL(38,15))"
        factor = self._factor(value)
        amount = f"({exact} * {factor})"
        if value.decimals is not None:
            amount = f"round({amount}, {value.decimals})"
        fitted = f"TRY_CAST({amount} AS DECIMAL(20,6))"
        # More decimals than money holds would be cut in silence: such a number is not read.
        return f"CASE WHEN regexp_full_match({x}, {form}) AND {fitted} = {amount} THEN {fitted} END"

    def _factor(self, value: Value) -> str:
        if value.unit is not None:
            return _number(value.unit)
        if value.unit_in_header:
            return _number(self._header_unit(value))
        unit = self._source(value.unit_from, required=True, normalised=True)
        cases = " ".join(f"WHEN {_quoted(k)} THEN {_number(v)}" for k, v in value.units.items())
        return f"CASE {unit} {cases} END"

    def _header_unit(self, value: Value) -> float:
        column = find_column(value.source, self._columns)
        unit = base_name(column)[1] if column else None
        if unit is None:
            raise FileRefused(
                "UNIT_NOT_STATED",
                f"column {column!r} does not state its unit; write it in brackets, as in {column}（元）",
                f"列 {column} 未注明单位；请在列名后加括号注明，例如 {column}（元）",
            )
        return HEADER_UNITS[unit]

    def _timestamp(self, value: Value, x: str) -> str:
        if value.formats == ("iso",):
            return f"timezone('UTC', TRY_CAST({x} AS TIMESTAMPTZ))"
        if value.formats == ("epoch",):
            return f"epoch_ms(TRY_CAST({x} AS BIGINT) * 1000)"
        moment = self._moment(value.formats or TIMES, x)
        return f"timezone('UTC', timezone('{self._mapping.time_zone}', {moment}))"

    def _moment(self, formats: tuple[str, ...], x: str) -> str:
        if formats == ("iso",):
            return f"timezone('{self._mapping.time_zone}', TRY_CAST({x} AS TIMESTAMPTZ))"
        if formats == ("epoch",):
            return f"timezone('{self._mapping.time_zone}', timezone('UTC', epoch_ms(TRY_CAST({x} AS BIGINT) * 1000)))"
        listed = ", ".join(_quoted(f) for f in formats)
        moment = f"try_strptime({x}, [{listed}])"
        return f"CASE WHEN year({moment}) BETWEEN 1900 AND 9999 THEN {moment} END"


def _placeholder_kind(column: Column) -> str:
    device = {"mac": "mac", "cpu_id": "cpu", "disk_serial": "disk"}
    return device.get(column.name, column.type)


def _uscc_check(code: str) -> str:
    terms = " + ".join(
        f"(instr('{_USCC_ALPHABET}', substr({code}, {i + 1}, 1)) - 1) * {w}" for i, w in enumerate(_USCC_WEIGHTS)
    )
    return f"substr('{_USCC_ALPHABET}', (31 - ({terms}) % 31) % 31 + 1, 1) = substr({code}, 18, 1)"


def _id_check(code: str) -> str:
    terms = " + ".join(f"CAST(substr({code}, {i + 1}, 1) AS INTEGER) * {w}" for i, w in enumerate(_ID_WEIGHTS))
    return f"substr('{_ID_CHECKS}', ({terms}) % 11 + 1, 1) = substr({code}, 18, 1)"


def _hmac_pads(key: bytes) -> tuple[str, str]:
    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    return bytes(b ^ 0x36 for b in block).hex(), bytes(b ^ 0x5C for b in block).hex()


def _number(value: float) -> str:
    return format(value, "f").rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
