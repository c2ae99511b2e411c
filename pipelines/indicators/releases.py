"""Files as OCDS releases: what the reader of the intake finds in them, made fit to be judged.

Lines, packages, arrays and records are taken as the intake takes them; several documents in one file and standard
input too. What holds no release is left out and named. A value that cannot be meant (``NaN``, a price in quotes, the
year 9999) is counted and taken as missing: the release is judged without it.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.intake.readers import FileRefused, decoding, ocds_releases, sniffing, strict_json

#: Left-out releases and replaced ones that are named one by one; all are counted.
MAX_NAMED = 1_000

#: The name of standard input, on the command line and where a place is named.
STDIN = "-"
STDIN_NAME = "standard input"

#: Values that are used as missing: what they are, in two languages.
UNUSED = {
    "AMOUNT_INEXACT": (
        "prices have more digits than can be told apart",
        "报价的位数超出可区分的精度",
    ),
    "AMOUNT_NOT_A_NUMBER": (
        "prices are no JSON numbers, such as a text in quotes",
        "报价不是 JSON 数字（例如带引号的文本）",
    ),
    "COUNT_NOT_A_NUMBER": (
        "numbers of tenderers are no whole JSON numbers",
        "投标人数不是 JSON 整数",
    ),
    "DATE_IMPOSSIBLE": (
        "dates are before 1950 or after 2199, which are placeholders",
        "日期早于 1950 年或晚于 2199 年，属占位值",
    ),
    "NOT_FINITE": (
        "numbers are NaN, infinite or longer than 1,000 digits",
        "数字为 NaN、无穷大或超过 1,000 位",
    ),
}


@dataclass(frozen=True)
class LeftOut:
    """What was found in the place of a release and not used."""

    place: str
    code: str
    reason: str
    reason_zh: str


@dataclass
class Input:
    """What the files held.

    Attributes:
        files: their names.
        found: releases, and what stands in the place of one.
        releases: releases among them.
        processes: releases used, one for each ocid.
        left_out: code -> how many were left out.
        named: the first of them.
        replaced: releases that were not used because a later one has the same ocid.
        named_replaced: the first of them: ocid, place and place of the one used.
        unused: code of ``UNUSED`` -> values taken as missing.
        amounts_not_positive: bid amounts of zero or below, often placeholders; used as they are.
        unknown_statuses: (``bid`` or ``award``, status that the standard does not have) -> how many; the
            first ones only.
    """

    files: list[str] = field(default_factory=list)
    found: int = 0
    releases: int = 0
    processes: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    named: list[LeftOut] = field(default_factory=list)
    replaced: int = 0
    named_replaced: list[tuple[str, str, str]] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)
    amounts_not_positive: int = 0
    unknown_statuses: Counter[tuple[str, str]] = field(default_factory=Counter)


def releases(path: Path, taken: Input, work: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, release) and count in ``taken`` what was left out.

    Args:
        path: a file, plain or compressed with gzip or zstd; ``-`` is standard input.
        taken: what was read so far.
        work: a private folder for what has to be unpacked.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or no JSON.
    """
    name = STDIN_NAME if str(path) == STDIN else path.name
    taken.files.append(name)
    try:
        text, encoding = readable(path, work)
        if _is_blank(text, encoding):
            return
        for place, found, _ in ocds_releases.releases(text, encoding, Numbers(taken)):
            if found is None:
                continue
            taken.found += 1
            at = f"{name}, {place}"
            fault = found if isinstance(found, strict_json.Fault) else _fault(found)
            if fault is None:
                assert isinstance(found, dict)
                yield at, found
                continue
            taken.left_out[fault.code] += 1
            if len(taken.named) < MAX_NAMED:
                taken.named.append(LeftOut(at, fault.code, fault.reason, fault.reason_zh))
    except FileRefused as refused:
        raise ValueError(f"{name}: {refused.reason}") from None


def _is_blank(path: Path, encoding: str) -> bool:
    return path.stat().st_size < 1 << 20 and not path.read_text(encoding=encoding).strip()


def readable(path: Path, work: Path) -> tuple[Path, str]:
    """Return a plain file with what ``path`` holds, and its encoding.

    Bytes that are no text in any encoding are written out, as ``\\xff``: their own line then is no JSON, and the other
    lines count.
    """
    if str(path) == STDIN:
        path = work / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    elif not path.is_file():
        raise FileNotFoundError(f"no file {path}; name a file with OCDS releases, or - for standard input")
    plain = sniffing.unpacked(path, work)
    try:
        return plain, decoding.encoding_of(plain)
    except FileRefused:
        mended = work / "mended"
        with (
            plain.open(encoding="utf-8-sig", errors="backslashreplace", newline="") as source,
            mended.open("w", encoding="utf-8", newline="") as target,
        ):
            shutil.copyfileobj(source, target)
        return mended, "utf-8"


class Digits(str):
    """A JSON number, as its digits: so that "1" and 1 stay different."""


class Numbers(strict_json.Decoder):
    """Decodes numbers as ``Digits``, and those that are none as missing values."""

    def __init__(self, taken: Input) -> None:
        super().__init__()
        self._taken = taken

    def _number(self, digits: str) -> str | None:
        if len(digits) <= strict_json.MAX_NUMBER_CHARS:
            return Digits(digits)
        self._taken.unused["NOT_FINITE"] += 1
        return None

    def _constant(self, name: str) -> None:
        self._taken.unused["NOT_FINITE"] += 1


def _fault(release: dict[str, Any]) -> strict_json.Fault | None:
    ocid = release.get("ocid")
    if isinstance(ocid, str) and not isinstance(ocid, Digits) and ocid:
        return None
    return strict_json.Fault(
        "NO_OCID", "the release has no ocid that is a text", "release 没有文本形式的 ocid"
    )
