"""Which fields of a file are filled, and how often: what one may expect of the indicators before they are computed.

Counts what OCDS Cardinal's ``coverage`` counts: every node that is not empty, by its path. Empty are null, "", [], {},
and what holds nothing but these. The path "" stands for a line, one that ends in / for an object, one that ends in []
for an element of an array, and any other for a member of an object.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pipelines.indicators.releases import MAX_NAMED, STDIN, STDIN_NAME, Input, LeftOut, Numbers, readable
from pipelines.intake.readers import FileRefused, ocds_releases, strict_json

#: Leaves no doubt which value is meant: of two members with one name the last counts.
_HARMLESS = "DUPLICATE_KEY"


def coverage(paths: Sequence[Path]) -> tuple[dict[str, int], Input]:
    """Return path -> count over all lines, in the order of the paths.

    Where a file is not one JSON value a line, each release or record of its packages and arrays counts as a line.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: one is damaged, or no JSON.
    """
    counts: Counter[str] = Counter()
    taken = Input()
    for path in paths:
        name = STDIN_NAME if str(path) == STDIN else path.name
        taken.files.append(name)
        with tempfile.TemporaryDirectory(prefix="bidwatch-") as work:
            try:
                for place, value in _values(*readable(path, Path(work)), Numbers(taken)):
                    taken.found += 1
                    if isinstance(value, strict_json.Fault):
                        taken.left_out[value.code] += 1
                        if len(taken.named) < MAX_NAMED:
                            at = f"{name}, {place}"
                            taken.named.append(LeftOut(at, value.code, value.reason, value.reason_zh))
                    else:
                        _count(value, "", counts)
            except FileRefused as refused:
                raise ValueError(f"{name}: {refused.reason}") from None
    return dict(sorted(counts.items())), taken


def _values(path: Path, encoding: str, decoder: Numbers) -> Iterator[tuple[str, Any]]:
    if _is_lines(path, encoding):
        for number, text in strict_json.lines(path, encoding):
            yield f"line {number}", _of_line(text, decoder)
        return
    for place, (_, value, _) in enumerate(
        strict_json.elements(path, encoding, decoder, ocds_releases.PACKAGES), 1
    ):
        yield f"release {place}", _or_fault(value, decoder)


def _is_lines(path: Path, encoding: str) -> bool:
    """Say whether each line is a value; here it may be any value, not only an object.

    The first line of a document over many lines ends where its text could go on; a value or a broken one does not.
    """
    begin = [text for _, text in islice(strict_json.lines(path, encoding), 2)]
    if len(begin) < 2 or begin[0] is None:
        return begin != [None]
    try:
        strict_json.Decoder().decode(begin[0])
    except strict_json.NotJson as error:
        return error.valid < len(begin[0]) or strict_json.is_lines(path, encoding)
    return True


def _of_line(text: str | None, decoder: strict_json.Decoder) -> Any:
    if text is None:
        most = strict_json.MAX_RECORD_CHARS
        return strict_json.Fault(
            "LINE_TOO_LONG", f"longer than {most:,} characters", f"该行超过 {most:,} 个字符"
        )
    try:
        value, end = decoder.decode(text)
    except strict_json.NotJson as error:
        return strict_json.Fault("NOT_JSON", f"the line is not JSON: {error}", "该行不是合法的 JSON")
    if end != len(text):
        return strict_json.Fault("NOT_JSON", "text follows the JSON value", "JSON 之后有多余文字")
    return _or_fault(value, decoder)


def _or_fault(value: Any, decoder: strict_json.Decoder) -> Any:
    fault = decoder.fault()
    return fault if fault and fault.code != _HARMLESS else value


def _count(value: Any, path: str, counts: Counter[str]) -> bool:
    """Count a node and what it holds, innermost first; say whether it holds anything."""
    if isinstance(value, dict):
        inner = f"{path}/"
        is_filled = sum(_count(one, f"{inner}{name}", counts) for name, one in value.items()) > 0
        if is_filled:
            counts[inner] += 1
    elif isinstance(value, list):
        is_filled = sum(_count(one, f"{path}[]", counts) for one in value) > 0
    else:
        is_filled = value is not None and value != ""
    if is_filled:
        counts[path] += 1
    return is_filled
