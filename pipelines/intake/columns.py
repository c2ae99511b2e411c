"""The SQL of single columns: which source column is read, what stands for nothing, how a type is read."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass

from pipelines.intake.mapping import Mapping, RecordRule
from pipelines.intake.mapping_columns import Value
from pipelines.intake.readers import RAW_ROW, FileRefused
from pipelines.intake.readers.headings import MONEY_UNITS, SHARE_UNITS, find_column, unit_of
from pipelines.intake.schema import GUARDED, PERSONAL, Column, TableSchema
from pipelines.intake.splitting import SPLIT_PLACE
from pipelines.values import amounts, codes, masking, time_texts, tokens
from pipelines.values.literals import listed, number, quoted

#: Joins the parts of keys and hashes. Every control character of a file becomes this one, and a
#: value that holds it is not read, so no part can contain it.
UNIT_SEPARATOR = "chr(31)"
#: Between and inside the entries of ``unread``.
ENTRY, FIELD = "\x1e", "\x1f"

#: What a decimal comma turns round.
_COMMA_AND_POINT = ",."

#: Units that a heading may state, by type.
UNITS_OF: Dictionary[str, Dictionary[str, float]] = {"money": MONEY_UNITS, "share": SHARE_UNITS}

TRUE = ("1", "T", "TRUE", "Y", "YES", "是", "有")
FALSE = ("0", "F", "FALSE", "N", "NO", "否", "没有")


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
class Stamps:
    """SQL of a record's version: texts, typed columns, and what of them is unread."""

    texts: list[str]
    typed: list[str]
    unread: list[str]


class ColumnSql:
    """Writes the SQL of single columns and remembers which source columns they read."""

    def __init__(self, mapping: Mapping, columns: tuple[str, ...], references: References) -> None:
        self._mapping = mapping
        self._columns = columns
        self._references = references
        self.sources: list[str] = []

    def words(
        self, column: Column, value: Value, *, compared: bool = False, alias: str | None = None
    ) -> tuple[str, str] | None:
        """SQL of the column's text after placeholders and dictionaries, and of the text before.

        Free text stays as delivered, unless it is wanted for comparing (NFKC). None when the
        sender's column is not in this file. With an ``alias`` for the second, the first is written over it: a
        statement of half the length takes half the time to plan.
        """
        is_normalised = compared or column.type not in ("text", "prose")
        plain = self._text(value, value.required, is_normalised)
        if plain is None:
            return None
        for taken in value.strip:
            plain = f"replace({plain}, {quoted(_compared(taken, is_normalised))}, '')"
        if value.strip:
            plain = f"trim({plain})"
        if value.pattern:
            plain = f"array_to_string(regexp_extract_all({plain}, {quoted(value.pattern)}, 1), ';')"
        elif column.type in ("codes", "party_codes"):
            plain = f"rtrim({plain}, ';,、| ')"
        original = self._filled(column, plain)
        text = words = alias or original
        if value.prefix:
            words = f"{quoted(value.prefix)} || {words}"
        if value.decimal == ",":
            words = f"translate({words}, '{_COMMA_AND_POINT}', '{_COMMA_AND_POINT[::-1]}')"
        if value.values:
            cases = " ".join(
                f"WHEN {quoted(_compared(k, is_normalised).lower())} THEN {quoted(v)}"
                for k, v in value.values.items()
            )
            words = f"CASE lower({words}) {cases} END"
        return f"CASE WHEN NOT contains({text}, {UNIT_SEPARATOR}) THEN {words} END", original

    def _filled(self, column: Column, plain: str) -> str:
        """SQL of the text, NULL where it stands for nothing."""
        kind = _placeholder_kind(column)
        nothing = self._nothing(column) | {""}
        is_nothing = f"upper({plain}) IN ({listed(nothing)})"
        if column.type == "party_code":
            is_nothing = codes.is_nobody(plain, nothing)
        filled = f"CASE WHEN NOT {is_nothing} THEN {plain} END"
        if column.type not in ("codes", "party_codes"):
            return filled
        keeps_case = column.type == "party_codes" and self._mapping.country != "CN"
        return codes.members(filled, nothing, kind, keeps_case=keeps_case)

    def read_from(self, value: Value) -> list[str]:
        """Return the file's columns that a value is read from; none if it is a constant or the record's number."""
        names = filter(None, (value.source, value.unit_from, *value.join, *value.first_filled))
        return list(dict.fromkeys(filter(None, (find_column(each, self._columns) for each in names))))

    def placeholders(self, schema: TableSchema, rule: RecordRule) -> dict[str, frozenset[str]]:
        """Return the file's columns that the rule reads and the texts in them that stand for nothing."""
        nothing: dict[str, frozenset[str]] = {}
        for name, value in rule.columns.items():
            own = self._nothing(schema.columns[name])
            for names in (value.source, *value.join, *value.first_filled):
                if names and (column := find_column(names, self._columns)):
                    nothing[column] = nothing.get(column, frozenset()) | own
        return nothing

    def _nothing(self, column: Column) -> frozenset[str]:
        """The texts that stand for nothing in a column; in running text 无 is a word like any other."""
        own = self._own_placeholders(column)
        return own if column.type == "prose" else own | self._references.placeholders.get("any", frozenset())

    def _own_placeholders(self, column: Column) -> frozenset[str]:
        return self._references.placeholders.get(_placeholder_kind(column), frozenset())

    def shown(self, column: Column, value: Value) -> str:
        """SQL of the text that a reason quotes; nothing of what may be personal."""
        if column.type in GUARDED:
            return "''"
        shown = f"replace(left(w_{column.name}, 60), {UNIT_SEPARATOR}, '\ufffd')"
        return f"{shown} || ' (' || coalesce(u_{column.name}, '') || ')'" if value.unit_from else shown

    def typed(self, column: Column, value: Value, x: str) -> str:
        """SQL of the typed value; NULL where the text cannot be read."""
        match column.type:
            case "text" | "code" | "codes" | "region":
                return x
            case "choice":
                return f"CASE WHEN {x} IN ({listed(column.values)}) THEN {x} END" if column.values else x
            case "prose":
                return masking.masked(self._references.key, x, self._references.placeholders)
            case "currency":
                return f"CASE WHEN regexp_full_match({x}, '[A-Z]{{3}}') THEN {x} END"
            case "party_code":
                return self._party_code(x)
            case "party_codes":
                return x
            case "money":
                amount = self._money(column, value, x)
                return f"nullif(greatest({amount}, 0), 0)" if column.is_positive else amount
            case "integer":
                return amounts.integer(x)
            case "score":
                return amounts.score(x)
            case "share":
                factor = value.unit if value.unit is not None else self._header_unit(value, SHARE_UNITS)
                return amounts.share(x, None if factor is None else number(factor))
            case "timestamp":
                return time_texts.timestamp(x, value.formats, self._mapping.time_zone)
            case "date":
                return time_texts.date(x, value.formats, self._mapping.time_zone)
            case "boolean":
                yes, no = (f"upper({x}) IN ({listed(words)})" for words in (TRUE, FALSE))
                return f"CASE WHEN {yes} THEN TRUE WHEN {no} THEN FALSE END"
            case _ if column.type in PERSONAL:
                return f"d_{column.name}.token"
        raise ValueError(f"no conversion for type {column.type!r}")

    def _money(self, column: Column, value: Value, x: str) -> str:
        if value.unit_in_cell:
            units = {_as_read(word, value): factor for word, factor in value.unit_in_cell.items()}
            return amounts.money_in_own_unit(x, units, value.decimals)
        return amounts.money(x, self._factor(column, value), value.decimals)

    def without_unit(self, column: Column, value: Value, x: str) -> str | None:
        """SQL that is true for an amount of which nothing states the unit; None where the mapping or the heading does."""
        if not value.unit_in_header or self._header_unit(value, UNITS_OF[column.type]) is not None:
            return None
        read = amounts.money(x, "1", value.decimals) if column.type == "money" else amounts.share(x, "1")
        own = amounts.money(x, None, value.decimals) if column.type == "money" else amounts.share(x, None)
        return f"{read} IS NOT NULL AND {own} IS NULL"

    def per_distinct_value(self, column: Column, distinct: str) -> str | None:
        """SELECT of what is costly, computed once for each ``x`` of ``distinct``: token, is_nothing and mark."""
        once, parts = [], []
        if column.type in PERSONAL:
            once.append(f"{tokens.normalised(column.type, 'x')} AS plain")
            spelt = (
                tokens.normalised(column.type, quoted(text))
                for text in sorted(self._own_placeholders(column))
            )
            is_nothing = " OR ".join(["FALSE", *(f"coalesce(plain = {text}, FALSE)" for text in spelt)])
            token = tokens.token(self._references.key, quoted(column.type), "plain")
            parts.append(f"CASE WHEN plain IS NOT NULL AND NOT ({is_nothing}) THEN {token} END AS token")
            parts.append(f"{is_nothing} AS is_nothing")
        if checked := self.check(column):
            form, mark = checked
            once.append(f"{form} AS checked")
            parts.append(f"{mark} AS mark")
        # Named below, for a check digit names its text at every place: written out, most of a statement was that.
        read = f"SELECT x, {', '.join(once)} FROM ({distinct})"
        return f"SELECT x, {', '.join(parts)} FROM ({read})" if parts else None

    def is_unread(self, column: Column) -> str:
        """SQL that is true where there is a text and no value was read from it."""
        unread = f"w_{column.name} IS NOT NULL AND {column.name} IS NULL"
        return f"{unread} AND {column.name}_is_nothing IS NOT TRUE" if column.type in PERSONAL else unread

    def check(self, column: Column) -> tuple[str, str] | None:
        """SQL of the form in which ``x`` is checked, and of the column's ``_check`` over that ``checked``.

        The second is 'ok', what is wrong, or NULL; None when nothing is checked.
        """
        if self._mapping.country != "CN":
            return None
        if column.type == "party_code":
            return codes.chinese_party("x"), codes.party_mark("checked")
        if column.type == "id_number":
            return codes.compact("x"), codes.id_mark("checked")
        if column.type == "region":
            known = "(SELECT region_code FROM regions)"
            mark = (
                f"CASE WHEN left(checked, 6) IN {known} THEN 'ok' WHEN checked IS NOT NULL THEN 'unknown' END"
            )
            return "x", mark
        return None

    def party(self, column: Column, rule: RecordRule) -> str:
        """SQL of a party column, over the typed columns: the code, else the compared name."""
        has_code = column.code in rule.columns and self._has(rule.columns[str(column.code)])
        parts = [str(column.code)] if has_code else []
        parts.append(f"'name:' || {column.name}_key")
        if column.key_default is not None:
            parts.append(quoted(column.key_default))
        return f"coalesce({', '.join(parts)}) AS {column.name}"

    def party_key(self, column: Column, rule: RecordRule) -> str:
        """SQL of the name as it is compared: upper case, no blanks and dots."""
        name = f"compared_{column.name}" if self._named(column, rule) else "CAST(NULL AS VARCHAR)"
        return f"nullif(regexp_replace(upper({name}), '[\\s\\p{{Cf}}·・]', '', 'g'), '') AS {column.name}_key"

    def party_words(self, column: Column, rule: RecordRule, schema: TableSchema) -> list[str]:
        """SQL of the party's name as compared, where the file has one."""
        value = self._named(column, rule)
        found = self.words(schema.columns[str(column.name_column)], value, compared=True) if value else None
        return [f"{found[0]} AS compared_{column.name}"] if found else []

    def _named(self, column: Column, rule: RecordRule) -> Value | None:
        value = rule.columns.get(str(column.name_column))
        return value if value and self._has(value) else None

    def stamps(self, rule: RecordRule) -> Stamps:
        """SQL of ``updated_at`` and ``is_deleted``."""
        texts, typed, unread = [], [], []
        version = rule.updated_at
        stamp = self._text(version, required=version.required, normalised=True) if version else None
        if stamp is None:
            typed.append("CAST(NULL AS TIMESTAMP) AS updated_at")
        else:
            assert version is not None
            texts.append(f"nullif({stamp}, '') AS x_updated_at")
            zone = self._mapping.time_zone
            moment = time_texts.timestamp("x_updated_at", version.formats, zone)
            # A day alone is enough to tell which of two versions is the newer.
            day = f"CAST({time_texts.date('x_updated_at', version.formats, zone)} AS TIMESTAMP)"
            typed.append(f"coalesce({moment}, timezone('UTC', timezone('{zone}', {day}))) AS updated_at")
            shown = f"replace(coalesce(x_updated_at, ''), {UNIT_SEPARATOR}, '\ufffd')"
            is_unread = (
                "updated_at IS NULL"
                if version.required
                else "updated_at IS NULL AND x_updated_at IS NOT NULL"
            )
            unread.append(f"CASE WHEN {is_unread} THEN 'updated_at{FIELD}' || {shown} END")
        deleted = self._text(rule.deleted, required=False, normalised=True) if rule.deleted else None
        if deleted is None:
            typed.append("FALSE AS is_deleted")
        else:
            texts.append(f"{deleted} AS x_deleted")
            typed.append(f"x_deleted IN ({listed(map(_compared, rule.deleted_values))}) AS is_deleted")
        return Stamps(texts, typed, unread)

    def conditions(self, rule: RecordRule) -> list[str]:
        """SQL of what must hold of a record for the rule to make a row of it."""
        return [
            f"lower(coalesce({self._source((name,), required=True, normalised=True)}, ''))"
            f" IN ({listed(_compared(word).strip().lower() for word in words)})"
            for name, words in rule.only_when.items()
        ]

    def deciding(self, rule: RecordRule) -> tuple[str, ...]:
        """Return the file's columns that decide whether the rule makes a row."""
        return tuple(str(find_column((name,), self._columns)) for name in rule.only_when)

    def columns_to_split(self, rule: RecordRule) -> tuple[tuple[str, ...], str] | None:
        """Return the file's columns whose cells hold several values, and what separates these."""
        if rule.split is None:
            return None
        found = []
        for names in (rule.split.source, *rule.split.beside):
            self._source(names, required=True, normalised=False)
            found.append(str(find_column(names, self._columns)))
        return tuple(found), rule.split.at

    def require_one_of(self, schema: TableSchema, column: Column, rule: RecordRule) -> None:
        """Refuse a file that has none of the columns which a required column is made of."""
        candidates = column.columns or (str(column.code), str(column.name_column))
        values = [rule.columns[name] for name in candidates if name in rule.columns]
        if not any(self._has(value) for value in values):
            self._source(
                tuple(name for value in values for name in value.source), required=True, normalised=True
            )

    def _party_code(self, x: str) -> str:
        return codes.chinese_party(x) if self._mapping.country == "CN" else codes.unspaced(x)

    def _has(self, value: Value) -> bool:
        return self._text(value, required=False, normalised=True) is not None

    def _text(self, value: Value, required: bool, normalised: bool) -> str | None:
        """SQL of the text as delivered (trimmed), or None when its column is not in the file."""
        if value.constant is not None:
            return quoted(value.constant)
        if value.row or value.place:
            return f"CAST({RAW_ROW if value.row else SPLIT_PLACE} AS VARCHAR)"
        if value.join:
            parts = [self._source(names, required, normalised) for names in value.join]
            if None in parts:
                return None
            return f" || {quoted(value.separator)} || ".join(str(part) for part in parts)
        if value.first_filled:
            nothing = listed(self._references.placeholders.get("any", frozenset()) | {""})
            found = [self._source(names, False, normalised) for names in value.first_filled]
            filled = [f"CASE WHEN upper({part}) NOT IN ({nothing}) THEN {part} END" for part in found if part]
            return f"coalesce({', '.join(filled)})" if filled else None
        return self._source(value.source, required, normalised)

    def _source(self, names: tuple[str, ...], required: bool, normalised: bool) -> str | None:
        column = find_column(names, self._columns)
        if column is None:
            if required:
                raise FileRefused(
                    "MISSING_COLUMN",
                    f"no column called {' or '.join(map(repr, names))};"
                    f" the file has {', '.join(self._columns)}",
                    f"缺少列 {' 或 '.join(names)}；文件中的列为 {'、'.join(self._columns)}",
                )
            return None
        if column not in self.sources:
            self.sources.append(column)
        return f"{'n' if normalised else 't'}{self.sources.index(column)}"

    def unit(self, value: Value) -> str:
        """SQL of the column that states the unit."""
        return str(self._source(value.unit_from, required=True, normalised=True))

    def _factor(self, column: Column, value: Value) -> str | None:
        """SQL of the unit of a column's amounts; None where each cell must state its own."""
        if value.unit is not None:
            return number(value.unit)
        if value.unit_in_header:
            factor = self._header_unit(value, MONEY_UNITS)
            return None if factor is None else number(factor)
        cases = " ".join(f"WHEN {quoted(_compared(k))} THEN {number(v)}" for k, v in value.units.items())
        return f"CASE u_{column.name} {cases} END"

    def _header_unit(self, value: Value, units: Dictionary[str, float]) -> float | None:
        unit = unit_of(str(find_column(value.source, self._columns)))
        return units.get(unit) if unit else None


def _placeholder_kind(column: Column) -> str:
    # What a maker writes into an empty serial number is the same in disks, memory and dongles.
    # What office programs fill in by themselves differs in authors and in other properties of a document.
    named = {
        "mac": "mac",
        "ip": "ip",
        "cpu_id": "cpu",
        "author": "author",
        "words": "property",
    } | dict.fromkeys(("disk_serial", "memory_serial", "dongle"), "disk")
    return "party_code" if column.type == "party_codes" else named.get(column.name, column.type)


def _compared(text: str, is_normalised: bool = True) -> str:
    """Return a mapping's word in the form of the text that it is compared with."""
    return unicodedata.normalize("NFKC", text) if is_normalised else text


def _as_read(unit: str, value: Value) -> str:
    """Return a unit of the mapping in the form of a cell in which decimal comma and point have changed places."""
    plain = _compared(unit).strip()
    turned = str.maketrans(_COMMA_AND_POINT, _COMMA_AND_POINT[::-1])
    return plain.translate(turned) if value.decimal == "," else plain
