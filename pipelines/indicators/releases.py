"""Lines of a file as OCDS releases: a compiled release, a record with its ``compiledRelease``, or a package of either.

A line that holds none of these is left out and named; the others count.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.intake.readers import strict_json

#: Left-out lines and replaced releases that are named one by one; all are counted.
MAX_NAMED = 1_000


@dataclass(frozen=True)
class LeftOut:
    """A line that was not used."""

    line: int
    code: str
    reason: str
    reason_zh: str


@dataclass
class Input:
    """What the file held.

    Attributes:
        lines: lines with something on them.
        releases: releases found in them.
        processes: releases used, one for each ocid.
        left_out: code -> lines.
        named: the first left-out lines.
        replaced: releases that were not used because a later one has the same ocid.
        named_replaced: the first of them: ocid, line and line of the one used.
        amounts_inexact: bid amounts with more digits than can be told apart; used as missing.
        amounts_not_positive: bid amounts of zero or below, often placeholders; used as they are.
        unknown_statuses: (``bid`` or ``award``, status that the standard does not have) -> how many; the
            first ones only.
    """

    lines: int = 0
    releases: int = 0
    processes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    named: list[LeftOut] = field(default_factory=list)
    replaced: int = 0
    named_replaced: list[tuple[str, int, int]] = field(default_factory=list)
    amounts_inexact: int = 0
    amounts_not_positive: int = 0
    unknown_statuses: Counter[tuple[str, str]] = field(default_factory=Counter)


def releases(path: Path, taken: Input) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, release) and count in ``taken`` what was left out.

    Raises:
        ValueError: the file is compressed and damaged.
    """
    decoder = _Decoder()
    for line, raw in _lines(path):
        taken.lines += 1
        for found in _of_line(decoder, raw):
            if isinstance(found, strict_json.Fault):
                taken.left_out[found.code] += 1
                if len(taken.named) < MAX_NAMED:
                    taken.named.append(LeftOut(line, found.code, found.reason, found.reason_zh))
            else:
                yield line, found


def _lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield (line number, bytes) of every line that is not blank; None for one that is too long."""
    most = strict_json.MAX_RECORD_CHARS
    try:
        with (
            pa.input_stream(str(path), compression="detect") as stream,
            io.BufferedReader(stream, 2**20) as file,
        ):
            number = 0
            while line := file.readline(most):
                number += 1
                if len(line) == most and not line.endswith(b"\n"):
                    while (rest := file.readline(most)) and not rest.endswith(b"\n"):
                        pass
                    yield number, None
                elif line := line.strip(b"\xef\xbb\xbf \t\r\n" if number == 1 else b" \t\r\n"):
                    yield number, line
    except OSError as error:
        raise ValueError(f"{path.name}: cannot be read to its end ({error}); export it again") from None


class Digits(str):
    """A JSON number, as its digits: so that "1" and 1 stay different."""


class _Decoder(strict_json.Decoder):
    def _number(self, digits: str) -> str:
        return Digits(super()._number(digits))


def _of_line(decoder: _Decoder, raw: bytes | None) -> list[dict[str, Any] | strict_json.Fault]:
    """Return the releases in a line, or why it has none."""
    if raw is None:
        most = strict_json.MAX_RECORD_CHARS
        return [strict_json.Fault("LINE_TOO_LONG", f"longer than {most:,} bytes", f"该行超过 {most:,} 字节")]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        return [strict_json.Fault("NOT_UTF8", f"not UTF-8 at byte {error.start + 1}", "该行不是 UTF-8 文本")]
    try:
        value, end = decoder.decode(text)
    except strict_json.NotJson as error:
        return [strict_json.Fault("NOT_JSON", f"not JSON: {error}", "该行不是合法的 JSON")]
    if end != len(text):
        return [strict_json.Fault("NOT_JSON", "text follows the JSON value", "JSON 之后有多余文字")]
    if fault := decoder.fault():
        return [fault]
    if isinstance(value, dict) and not {"ocid", "compiledRelease"} & value.keys():
        packages = [value[name] for name in ("releases", "records") if isinstance(value.get(name), list)]
        if packages:
            return [_release(element) for package in packages for element in package]
    return [_release(value)]


def _release(value: Any) -> dict[str, Any] | strict_json.Fault:
    """Return a release, or the compiled one of a record."""
    if not isinstance(value, dict):
        return strict_json.Fault("NO_RELEASE", "JSON, but not an object", "是 JSON，但不是对象")
    if "compiledRelease" in value:
        return _release(value["compiledRelease"])
    if isinstance(value.get("releases"), list):
        return strict_json.Fault(
            "NOT_COMPILED",
            "a record without compiledRelease; compile it first",
            "record 没有 compiledRelease，请先合并",
        )
    ocid = value.get("ocid")
    if not isinstance(ocid, str) or isinstance(ocid, Digits) or not ocid:
        return strict_json.Fault(
            "NO_RELEASE", "no release: ocid is not a text", "没有文本形式的 ocid，不是 release"
        )
    return value
