"""Plain JSON: one document, or one a line; the records stand where the mapping's path leads.

==================  ==============================================================================
path                records
==================  ==============================================================================
(empty)             the elements of the document, if it is an array; else the document itself
``data.items``      the elements of the array ``items`` in ``data``
``lots[].bids``     the elements of ``bids`` of each element of ``lots``
``[].bids``         the same, where the document itself is the array
==================  ==============================================================================

Columns are the fields under their names; a field inside an object is ``bidder.name``, one of the object around the
record ``../lot_no``, and one of the object around that ``../../project``. Several texts or numbers in an array are joined with
``;``, arrays of anything else stay JSON text. Numbers keep their digits and never become floating point.

``raw_row`` counts the records of the section. ``raw_path`` counts as jq does, from 0: ``lots[0].bids[2]``. In lines, a
broken line is one unreadable record; a broken document is refused as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.intake.readers import (
    MAX_RAW_TEXT,
    RAW_PATH,
    RAW_ROW,
    FileRefused,
    FileRule,
    Reading,
    Unreadable,
    decoding,
    section_name,
    strict_json,
)
from pipelines.intake.readers.spooling import Spool

#: Characters of one document, which is in memory as a whole; its values take ten times that.
MAX_DOCUMENT_CHARS = 64 * 2**20

#: The largest power of ten that is written out: amounts have 20 digits.
_MAX_EXPONENT = 40

_PATH = re.compile(r"(\[\]|[^.\[\]]+(\[\])?)(\.[^.\[\]]+(\[\])?)*")

Row = dict[str, str | None]


@dataclass(frozen=True)
class Step:
    """One name on a path, and whether an array stands there. The array that a document is has no name."""

    name: str
    is_array: bool


class _Ambiguous(Exception):
    """A value that is no record, or one that can be read in two ways."""

    def __init__(self, code: str, reason: str, reason_zh: str) -> None:
        super().__init__(reason)
        self.said = strict_json.Fault(code, reason, reason_zh)


class _Level:
    """An object around records: what ``../`` reaches of it, and of those around it with one ``../`` more."""

    def __init__(self, owner: dict[str, Any], records: list[Any], outer: _Level | None) -> None:
        self._owner, self._records, self._outer = owner, records, outer

    @cached_property
    def row(self) -> Row:
        """Columns of the object without the records themselves. Raises ``_Ambiguous``."""
        row: Row = {}
        _flatten(self._owner, "../", row, without=self._records)
        return row | {f"../{name}": text for name, text in (self._outer.row if self._outer else {}).items()}


@dataclass(frozen=True)
class _Found:
    """A value that is a record or stands in the way of one, its place, and the objects around it."""

    value: Any
    place: str
    around: _Level | None
    is_record: bool


class Decoder(strict_json.Decoder):
    """Decodes strictly; numbers with an exponent, as some programs write amounts, are written out exactly."""

    def _number(self, digits: str) -> str | None:
        mantissa, mark, exponent = digits.lower().partition("e")
        if mark and len(mantissa) <= _MAX_EXPONENT and abs(int(exponent[:6])) <= _MAX_EXPONENT:
            return f"{Decimal(digits):f}"
        return super()._number(digits)


def steps_of(path: str) -> tuple[Step, ...]:
    """Return the steps of a path; its last name is an array, with or without brackets.

    Raises:
        ValueError: it is no path.
    """
    if path and not _PATH.fullmatch(path):
        raise ValueError(f"{path!r} is no path to records such as 'data.items' or 'lots[].bids'")
    parts = path.split(".") if path else []
    steps = [Step(part.removesuffix("[]"), part.endswith("[]")) for part in parts]
    return (*steps[:-1], Step(steps[-1].name, is_array=True)) if steps else ()


def sections_of(rule: FileRule, file_name: str) -> list[tuple[str, tuple[Step, ...]]]:
    """Return each section and the path to its records."""
    flat = section_name(rule, file_name)
    return [(name or flat, steps_of(path)) for name, path in rule.records or (("", ""),)]


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take a JSON file apart; see ``readers.read``."""
    encoding = decoding.stated_or_found(path, rule)
    taking = _Taking(Spool(work), sections_of(rule, file_name))
    if strict_json.is_lines(path, encoding):
        _take_lines(path, encoding, taking)
    else:
        for document in documents(path, encoding):
            taking.take(document, "")
    taking.refuse_without_arrays()
    return Reading(
        taking.spool.sections(), taking.spool.unreadable, [f"encoding {encoding}", *taking.notes()]
    )


def documents(path: Path, encoding: str) -> Iterator[Any]:
    """Yield the documents of a file: one, or several one behind the other.

    Raises:
        FileRefused: it is too large, or not JSON from the first to the last character.
    """
    with path.open(encoding=encoding, newline="") as file:
        text = file.read(MAX_DOCUMENT_CHARS + 1)
    if len(text) > MAX_DOCUMENT_CHARS:
        raise FileRefused(
            "DOCUMENT_TOO_LARGE",
            f"the document has more than {MAX_DOCUMENT_CHARS:,} characters; deliver one record a line (JSON lines)",
            f"JSON 文件超过 {MAX_DOCUMENT_CHARS:,} 字符；请改为每行一条记录（JSON lines）",
        )
    decoder = Decoder()
    at = _next(text, 0)
    while at < len(text):
        try:
            document, at = decoder.decode(text, at)
        except strict_json.NotJson as error:
            raise FileRefused(
                "BROKEN_JSON",
                f"character {at + error.valid + 1}: {error}; the document is damaged or cut, export it again",
                f"第 {at + error.valid + 1} 个字符处 JSON 有误（{error}）；文件已损坏或被截断，请重新导出",
            ) from None
        if fault := decoder.fault():
            raise FileRefused(
                fault.code,
                f"the document: {fault.reason}; export it again",
                f"JSON 文件：{fault.reason_zh}；请重新导出",
            )
        yield document
        at = _next(text, at)


def _next(text: str, at: int) -> int:
    """Return where the next character stands that is no blank."""
    while at < len(text) and text[at] in " \t\r\n\ufeff":
        at += 1
    return at


def line_value(decoder: Decoder, text: str | None) -> tuple[Any, strict_json.Fault | None]:
    """Return the value of a line, or what is wrong with it."""
    if text is None:
        most = strict_json.MAX_RECORD_CHARS
        return None, strict_json.Fault(
            "LINE_TOO_LONG", f"the line is longer than {most:,}", f"该行超过 {most:,} 个字符"
        )
    try:
        value, end = decoder.decode(text)
    except strict_json.NotJson as error:
        return None, strict_json.Fault("NOT_JSON", f"the line is not JSON: {error}", "该行不是合法的 JSON")
    if end != len(text):
        return None, strict_json.Fault("NOT_JSON", "text follows the JSON value", "JSON 之后有多余文字")
    return value, decoder.fault()


def _take_lines(path: Path, encoding: str, taking: _Taking) -> None:
    decoder = Decoder()
    for number, text in strict_json.lines(path, encoding):
        value, fault = line_value(decoder, text)
        if fault:
            taking.refuse(taking.sections[0][0], f"line {number}", fault, text or "")
        else:
            taking.take(value, f"line {number}")


class _Taking:
    """Takes the records of every section out of one document after the other."""

    def __init__(self, spool: Spool, sections: list[tuple[str, tuple[Step, ...]]]) -> None:
        self.spool = spool
        self.sections = sections
        self._counts = dict.fromkeys((name for name, _ in sections), 0)
        self._walks = {name: _Walk() for name, _ in sections}
        self._names: dict[str, None] | None = None

    def take(self, document: Any, line: str) -> None:
        """Take the records of one document; ``line`` says where it stands, if it is one of many."""
        names = document if isinstance(document, dict) else {}
        self._names = (self._names or {}) | dict.fromkeys(names)
        for section, steps in self.sections:
            for found in self._walks[section].down(document, steps):
                place = ": ".join(filter(None, (line, found.place))) or "the document"
                try:
                    row = _row(found)
                except _Ambiguous as problem:
                    text = json.dumps(found.value, ensure_ascii=False)
                    self.refuse(section, place, problem.said, text)
                else:
                    self._counts[section] += 1
                    self.spool.add(section, self._counts[section], place, row)

    def refuse(self, section: str, place: str, fault: strict_json.Fault, text: str) -> None:
        """Keep what cannot be taken apart as an unreadable record."""
        self._counts[section] += 1
        number = self._counts[section]
        self.spool.refuse(
            Unreadable(section, number, place, fault.code, fault.reason, fault.reason_zh, text[:MAX_RAW_TEXT])
        )

    def refuse_without_arrays(self) -> None:
        """Refuse a file of documents of which none has what a path of the mapping leads to."""
        if self._names is None or any(walk.has_arrived for walk in self._walks.values()):
            return
        names = ", ".join(list(self._names)[:20]) or "-"
        raise FileRefused(
            "NO_RECORDS",
            f"no path of the mapping leads to records; the document has: {names}; correct `records` in [[file]]",
            f"映射的 records 路径未找到记录；文件中的字段为 {names}；请修改 [[file]] 中的 records",
        )

    def notes(self) -> list[str]:
        """Name the sections whose path leads to nothing."""
        missing = [name for name, walk in self._walks.items() if not walk.has_arrived]
        return [f"section {name}: nothing at its path 路径下没有记录" for name in missing]


class _Walk:
    """Walks down the path of one section; ``has_arrived`` tells whether any document has what it leads to."""

    def __init__(self) -> None:
        self.has_arrived = False

    def down(self, document: Any, steps: tuple[Step, ...]) -> Iterator[_Found]:
        """Yield what stands at the end of the steps, and whatever stands in the way."""
        if not steps and isinstance(document, list):
            steps = (Step("", is_array=True),)
        return self._below(document, steps, "", document, None)

    def _below(
        self, value: Any, steps: tuple[Step, ...], place: str, owner: Any, around: _Level | None
    ) -> Iterator[_Found]:
        if not steps:
            self.has_arrived = True
            yield _Found(value, place, around, is_record=True)
            return
        step, rest = steps[0], steps[1:]
        inner = value
        if step.name:
            if not isinstance(value, dict):
                yield _Found(value, place, around, is_record=False)
                return
            inner, place = value.get(step.name), f"{place}.{step.name}".lstrip(".")
        if inner is None and step.name:
            return
        if not step.is_array:
            yield from self._below(inner, rest, place, owner, around)
        elif not isinstance(inner, list):
            yield _Found(inner, place, around, is_record=False)
        else:
            self.has_arrived = self.has_arrived or not rest
            outer = _Level(owner, inner, around) if isinstance(owner, dict) else around
            for number, element in enumerate(inner):
                yield from self._below(element, rest, f"{place}[{number}]", element, outer)


def _row(found: _Found) -> Row:
    if not found.is_record:
        raise _Ambiguous(
            "NO_ARRAY", "the path of the records does not lead on from here", "records 路径在此中断"
        )
    if not isinstance(found.value, dict):
        raise _Ambiguous("NOT_AN_OBJECT", "the record is not a JSON object", "该记录不是 JSON 对象")
    row: Row = {}
    _flatten(found.value, "", row)
    return row | (found.around.row if found.around else {})


def _flatten(value: dict[str, Any], prefix: str, row: Row, without: list[Any] | None = None) -> None:
    """Put the fields of an object into a row, those of objects inside it under dotted names."""
    for key, inner in value.items():
        name = prefix + key
        if inner is without and without is not None:
            continue
        if isinstance(inner, dict) and inner:
            _flatten(inner, f"{name}.", row, without)
            continue
        if name in row or name in (RAW_ROW, RAW_PATH):
            raise _Ambiguous(
                "DUPLICATE_FIELD",
                f"two fields are called {name[:100]}",
                f"字段 {name[:100]} 重复或为系统保留",
            )
        row[name] = _text(inner)


def _text(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ";".join(value)
    return strict_json.text_of(value)
