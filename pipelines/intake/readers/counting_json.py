"""How many records plain JSON holds, by ijson's events, or by the lengths of arrays where it is one a line."""

from __future__ import annotations

import codecs
from collections import Counter
from pathlib import Path
from typing import Any

import ijson

from pipelines.intake.readers import FileRefused, FileRule, decoding, strict_json
from pipelines.intake.readers.plain_json import Decoder, Step, line_value, sections_of


def count(path: Path, rule: FileRule, file_name: str, work: Path) -> dict[str, int]:
    """Count the records of each section, with what stands where records should be."""
    encoding = decoding.stated_or_found(path, rule)
    sections = sections_of(rule, file_name)
    if strict_json.is_lines(path, encoding):
        return _lines(path, encoding, sections)
    plain = decoding.as_utf8(path, encoding, work)
    return {section: _events(plain, steps) for section, steps in sections}


def _lines(path: Path, encoding: str, sections: list[tuple[str, tuple[Step, ...]]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    decoder = Decoder()
    for _, text in strict_json.lines(path, encoding):
        value, fault = line_value(decoder, text)
        if fault:
            counts[sections[0][0]] += 1
            continue
        for section, steps in sections:
            is_array = not steps and isinstance(value, list)
            counts[section] += len(value) if is_array else _lengths([value], steps)
    return counts


def _lengths(values: list[Any], steps: tuple[Step, ...]) -> int:
    """Add up the arrays at the end of the steps, level by level, and every value that bars the way."""
    barred = 0
    for step in steps:
        objects = values if not step.name else [one for one in values if isinstance(one, dict)]
        barred += len(values) - len(objects)
        inner = [one.get(step.name) for one in objects] if step.name else objects
        inner = [one for one in inner if one is not None or not step.name]
        if step.is_array:
            arrays = [one for one in inner if isinstance(one, list)]
            barred += len(inner) - len(arrays)
            inner = [one for array in arrays for one in array]
        values = inner
    return barred + len(values)


def _events(path: Path, steps: tuple[Step, ...]) -> int:
    """Count the values that begin at the end of the steps, and those of a wrong kind on the way there."""
    counting = _Counting(steps)
    with path.open("rb") as file:
        file.seek(len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0)
        try:
            for event, value in ijson.basic_parse(file, multiple_values=True):
                counting.take(event, value)
        except (ijson.JSONError, UnicodeDecodeError, ArithmeticError) as error:
            raise FileRefused(
                "BROKEN_JSON", f"the document is not JSON: {error}", f"不是合法的 JSON：{error}"
            ) from None
    return counting.found


class _Counting:
    """Follows the events of a document. Each open array or object knows which step its values are at, if any."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.found = 0
        self._given = self._steps = steps
        self._open: list[int | None] = []
        self._is_map: list[bool] = []
        self._at: int | None = 0

    def take(self, event: str, value: Any) -> None:
        """Take the next event of ``ijson.basic_parse``."""
        if event == "map_key":
            at = self._open[-1]
            self._at = at if at is not None and self._steps[at].name == value else None
        elif event in ("end_map", "end_array"):
            self._open.pop()
            self._is_map.pop()
        else:
            if not self._open:
                is_array = event == "start_array" and not self._given
                self._steps = (Step("", is_array=True),) if is_array else self._given
            inside = self._begin(event)
            if event in ("start_map", "start_array"):
                self._open.append(inside)
                self._is_map.append(event == "start_map")

    def _begin(self, event: str) -> int | None:
        """Count a value if it is a record or bars the way; return the step that its own values are at."""
        is_field = bool(self._open) and self._is_map[-1]
        at = (self._at if is_field else self._open[-1]) if self._open else 0
        if at is None or (is_field and event == "null"):
            return None
        if is_field:
            if self._steps[at].is_array:
                self.found += event != "start_array"
                return at + 1 if event == "start_array" else None
            at += 1
        elif at < len(self._steps) and not self._steps[at].name:
            self.found += event != "start_array"
            return at + 1 if event == "start_array" else None
        if at == len(self._steps):
            self.found += 1
            return None
        self.found += event != "start_map"
        return at if event == "start_map" else None
