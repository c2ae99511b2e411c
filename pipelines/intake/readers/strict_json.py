"""JSON from strangers: every key once, no NaN, numbers as their digits, bounded depth and size.

Faults that leave the value's end clear (a repeated key, ``NaN``) are collected, so that a stream
goes on behind the record that has them; only text that is not JSON at all raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, TextIO

from pipelines.intake.readers import FileRefused

#: The deepest real structure (OCDS with extensions) has about ten levels.
MAX_DEPTH = 32

#: Characters in one record: a release with thousands of bids is about a megabyte.
MAX_RECORD_CHARS = 16 * 2**20

#: Digits in one number; money has 20, and some parsers crash at 4,300.
MAX_NUMBER_CHARS = 1_000

#: An object with one of these is a release or record itself, and an array in it belongs to it.
_OF_ONE_RECORD = frozenset({"ocid", "compiledRelease"})

_CHUNK_CHARS = 2**16
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Fault:
    """Why a JSON value is not taken: code and the reason in two languages."""

    code: str
    reason: str
    reason_zh: str


class NotJson(Exception):
    """The text is not a JSON value; ``valid`` characters of it could begin one."""

    def __init__(self, what: str, valid: int = 0) -> None:
        super().__init__(what)
        self.valid = valid


class Decoder:
    """Decodes values one by one; ``fault`` tells what was wrong with the last one."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._json = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=self._number,
            parse_int=self._number,
            parse_constant=self._constant,
        )

    def decode(self, text: str, at: int = 0) -> tuple[Any, int]:
        """Return the value that begins at ``at`` and where it ends; numbers come as ``str``.

        Raises:
            NotJson: there is no complete JSON value.
        """
        self._faults.clear()
        try:
            value, end = self._json.raw_decode(text, at)
        except json.JSONDecodeError as error:
            valid = error.pos - at
            raise NotJson(f"{error.msg} at character {valid + 1}", valid) from None
        except RecursionError:
            raise NotJson("nested too deep") from None
        if _depth(value) > MAX_DEPTH:
            self._faults.append(
                Fault("TOO_DEEP", f"nested deeper than {MAX_DEPTH} levels", f"嵌套超过 {MAX_DEPTH} 层")
            )
        elif _SURROGATE.search(text, at, end) and not _is_unicode(value):
            self._faults.append(
                Fault("BROKEN_TEXT", "half of a surrogate pair is not a character", "含有不完整的代理对字符")
            )
        return value, end

    def fault(self) -> Fault | None:
        """Return the first fault of the value decoded last."""
        return self._faults[0] if self._faults else None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            names = sorted(name for name, _ in pairs)
            repeated = next(one for one, other in pairwise(names) if one == other)[:100]
            self._faults.append(
                Fault("DUPLICATE_KEY", f"the key {repeated!r} stands twice", f"键“{repeated}”重复")
            )
        return value

    def _number(self, digits: str) -> str | None:
        if len(digits) > MAX_NUMBER_CHARS:
            self._faults.append(
                Fault(
                    "NUMBER_TOO_LONG",
                    f"a number has {len(digits)} characters",
                    f"数字长达 {len(digits)} 个字符",
                )
            )
        return digits

    def _constant(self, name: str) -> str | None:
        self._faults.append(Fault("NOT_A_NUMBER", f"{name} is not a JSON number", f"{name} 不是合法的数字"))
        return name


def text_of(value: Any) -> str | None:
    """Return a decoded value as text: numbers by their digits, nested values as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def lines(path: Path, encoding: str) -> Iterator[tuple[int, str | None]]:
    """Yield (line number, text) of every line that is not blank; None for one that is too long."""
    with path.open(encoding=encoding, newline="\n") as file:
        number = 0
        while line := file.readline(MAX_RECORD_CHARS):
            number += 1
            if len(line) == MAX_RECORD_CHARS and not line.endswith("\n"):
                while (rest := file.readline(MAX_RECORD_CHARS)) and not rest.endswith("\n"):
                    pass
                yield number, None
            elif line.strip():
                yield number, line.strip()


def is_lines(path: Path, encoding: str) -> bool:
    """Say whether a file is one JSON value a line, rather than one document.

    Judged by the first ten lines that are not blank. The first of them is an object by itself, or two in
    sequence are, or the last line of the file is: in one document no such line stands in these places. So a
    broken line or two do not hide the others.
    """
    begin = [text for _, text in islice(lines(path, encoding), 10)]
    if len(begin) < 2 or (begin[0] or "").startswith("["):
        return False
    whole = [text is not None and _is_object(text) for text in begin]
    is_all = len(begin) < 10
    return whole[0] or any(one and other for one, other in pairwise(whole)) or (is_all and whole[-1])


def _is_object(text: str) -> bool:
    try:
        value, end = Decoder().decode(text)
    except NotJson:
        return False
    return isinstance(value, dict) and end == len(text)


def elements(
    path: Path, encoding: str, decoder: Decoder, arrays: frozenset[str]
) -> Iterator[tuple[str, Any, str]]:
    """Yield (array, value, JSON text) of each element of the named top-level arrays of one or more documents.

    ``array`` is ``""`` for the elements of a document that is itself an array. An object with none
    of the arrays is yielded once, whole and without its text, under ``"."``. Ask the decoder for
    the fault after each element.

    Raises:
        FileRefused: not JSON from the first to the last character.
    """
    with path.open(encoding=encoding, newline="") as file:
        yield from _Walk(file, decoder).elements(arrays)


class _Walk:
    """A position in a JSON document of which only a window is in memory."""

    def __init__(self, file: TextIO, decoder: Decoder) -> None:
        self._file = file
        self._decoder = decoder
        self._text = ""
        self._at = 0
        self._gone = 0  # characters in front of the window
        self._is_end = False

    def elements(self, arrays: frozenset[str]) -> Iterator[tuple[str, Any, str]]:
        first = self._peek()
        while True:
            if first == "[":
                yield from self._array("")
            elif first == "{":
                yield from self._object(arrays)
            else:
                raise self._broken("neither an object nor an array")
            if not (first := self._peek()):
                return

    def _object(self, arrays: frozenset[str]) -> Iterator[tuple[str, Any, str]]:
        self._at += 1
        others: dict[str, Any] = {}
        seen: set[str] = set()
        has_array = False
        if self._peek() == "}":
            self._at += 1
        else:
            while True:
                key, _ = self._value()
                if not isinstance(key, str) or self._peek() != ":":
                    raise self._broken("a key and a colon are expected")
                self._at += 1
                if key in seen:
                    raise self._broken(f"the key {key[:100]!r} stands twice")
                seen.add(key)
                if key in arrays and not seen & _OF_ONE_RECORD:
                    if self._peek() != "[":
                        raise self._broken(f"{key} must be an array")
                    has_array = True
                    yield from self._array(key)
                else:
                    others[key], _ = self._value()
                    if fault := self._decoder.fault():
                        raise self._broken(fault.reason)
                if self._closes("}"):
                    break
        if not has_array:
            yield ".", others, ""

    def _array(self, name: str) -> Iterator[tuple[str, Any, str]]:
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            value, text = self._value()
            yield name, value, text
            if self._closes("]"):
                return

    def _closes(self, bracket: str) -> bool:
        mark = self._peek()
        if mark not in (",", bracket):
            raise self._broken(f"a comma or {bracket} is expected")
        self._at += 1
        return mark == bracket

    def _value(self) -> tuple[Any, str]:
        """Decode the next value, reading on (twice as much each time) while it is incomplete."""
        self._peek()
        while True:
            try:
                value, end = self._decoder.decode(self._text, self._at)
            except NotJson as error:
                if self._is_end or len(self._text) - self._at > MAX_RECORD_CHARS:
                    raise self._broken(str(error)) from None
            else:
                if end < len(self._text) or self._is_end:
                    text = self._text[self._at : end]
                    self._at = end
                    return value, text
            self._read_on(max(_CHUNK_CHARS, len(self._text) - self._at))

    def _peek(self) -> str:
        """Return the next character that is no blank, or "" at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in " \t\r\n":
                    return self._text[self._at]
                self._at += 1
            if self._is_end:
                return ""
            self._read_on(_CHUNK_CHARS)

    def _read_on(self, chars: int) -> None:
        more = self._file.read(chars)
        self._is_end = not more
        self._gone += self._at
        self._text = self._text[self._at :] + more
        self._at = 0

    def _broken(self, what: str) -> FileRefused:
        at = self._gone + self._at + 1
        return FileRefused(
            "BROKEN_JSON",
            f"character {at}: {what}; the document is damaged or cut, export it again",
            f"第 {at} 个字符处 JSON 有误（{what}）；文件已损坏或被截断，请重新导出",
        )


def _depth(value: Any) -> int:
    """Count levels of nesting, without recursion, up to one more than is allowed."""
    depth, level = 0, [value]
    while depth <= MAX_DEPTH and (level := [one for one in level if isinstance(one, dict | list)]):
        depth += 1
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return depth


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
