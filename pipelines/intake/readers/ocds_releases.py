"""The releases of a file of the Open Contracting Data Standard, wherever they stand in it, and the processes they are of.

Decoding is most of the work, and what becomes of a release depends on all that come after it. So a file is decoded
once, and what is read of its releases is written down beside it, in a form that is read back ten times as fast.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from pipelines.intake.readers import FileRefused, processes, strict_json
from pipelines.intake.readers.processes import Process, Release

PACKAGES = frozenset({"releases", "records"})


@dataclass
class Releases:
    """The releases of a file, decoded once.

    Attributes:
        stamps: by ocid.
        releases: how many there are, broken ones included.
        elements: how many elements of top-level arrays they stand in.
    """

    stamps: dict[str, list[processes.Stamp]]
    kept: Path
    releases: int = 0
    elements: int = 0

    @classmethod
    def of(cls, path: Path, encoding: str, work: Path) -> Releases:
        """Decode the file, and keep what is read of its releases in a private folder.

        Raises:
            FileRefused: as ``releases`` does, or no release has a date and their order matters.
        """
        read = cls({}, work / "releases")
        last = last_told = ""
        with read.kept.open("w", encoding="ascii") as kept:
            for place, found, text in releases(path, encoding):
                read.elements += place != last and not place.startswith("document")
                last = place
                if found is None:
                    continue
                read.releases += 1
                told: tuple[Any, ...] = astuple(found) if isinstance(found, strict_json.Fault) else ()
                is_told = bool(told)
                if isinstance(found, dict):
                    stamp = processes.stamp(read.releases, found)
                    read.stamps.setdefault(found["ocid"], []).append(stamp)
                    told, is_told = (processes.slim(found),), stamp.date is None
                # Only what may be refused needs its text; a line or record may hold many releases, and is kept once.
                kept.write(
                    json.dumps((place, text if is_told and place != last_told else None, *told)) + "\n"
                )
                last_told = place if is_told else last_told
        processes.refuse_undated(read.stamps)
        return read

    def processes(self) -> Iterator[tuple[str, Process | strict_json.Fault, str]]:
        """Yield (place, process or why there is none, JSON text), a process where its last release stands."""
        waiting: dict[str, list[tuple[processes.Stamp, Release]]] = {}
        text = ""
        with self.kept.open(encoding="ascii") as kept:
            for number, line in enumerate(kept, 1):
                place, said, *found = json.loads(line)
                text = text if said is None else said
                if len(found) > 1:
                    yield place, strict_json.Fault(*found), text
                    continue
                (release,) = found
                stamps = self.stamps[release["ocid"]]
                held = waiting.setdefault(release["ocid"], [])
                if number in processes.undated(stamps):
                    yield place, processes.UNDATED, text
                else:
                    held.append((next(one for one in stamps if one.number == number), release))
                if number == stamps[-1].number:
                    del waiting[release["ocid"]]
                    for process in processes.together(held):
                        numbers = ", ".join(map(str, process.numbers[:5])) + (
                            " …" if process.numbers[5:] else ""
                        )
                        yield f"release {numbers}", process, ""


def releases(
    path: Path, encoding: str, decoder: strict_json.Decoder | None = None
) -> Iterator[tuple[str, Release | strict_json.Fault | None, str]]:
    """Yield (place, release or why there is none, JSON text) in file order; None for an empty package.

    The place is ``line 7``, ``releases[6]``, ``records[6]``, ``[6]``, or ``document`` for a lone release;
    several releases of one line or record have the same place.

    Raises:
        FileRefused: the document is not JSON, or is no OCDS.
    """
    decoder = decoder or strict_json.Decoder()
    if strict_json.is_lines(path, encoding):
        for number, text in strict_json.lines(path, encoding):
            for found in _of_line(decoder, text):
                yield f"line {number}", found, text or ""
        return
    found_in: Counter[str] = Counter()
    for array, value, text in strict_json.elements(path, encoding, decoder, PACKAGES):
        found_in[array] += 1
        place = f"{array}[{found_in[array] - 1}]"
        if array == ".":
            place = "document" if found_in[array] == 1 else f"document {found_in[array]}"
        if array == "." and not _is_ocds(value):
            raise FileRefused(
                "NOT_OCDS",
                "no OCDS: there are no releases, records, ocid or compiledRelease; deliver an OCDS file",
                "JSON 不是 OCDS 数据（没有 releases、records、ocid 或 compiledRelease）；请提供 OCDS 文件",
            )
        found_here = [fault] if (fault := decoder.fault()) else _of_value(value)
        for found in found_here:
            yield place, found, text
        if not found_here:
            yield place, None, text


def _of_line(decoder: strict_json.Decoder, text: str | None) -> list[dict[str, Any] | strict_json.Fault]:
    if text is None:
        most = strict_json.MAX_RECORD_CHARS
        return [
            strict_json.Fault(
                "LINE_TOO_LONG", f"the line is longer than {most:,} characters", f"该行超过 {most:,} 个字符"
            )
        ]
    try:
        value, end = decoder.decode(text)
    except strict_json.NotJson as error:
        return [strict_json.Fault("NOT_JSON", f"the line is not JSON: {error}", "该行不是合法的 JSON")]
    if end != len(text):
        return [strict_json.Fault("NOT_JSON", "text follows the JSON value", "JSON 之后有多余文字")]
    if fault := decoder.fault():
        return [fault]
    return _of_value(value)


def _is_ocds(value: Any) -> bool:
    return isinstance(value, dict) and any(name in value for name in ("ocid", "compiledRelease"))


def _of_value(value: Any) -> list[dict[str, Any] | strict_json.Fault]:
    """Return the releases of one value, which is a release, a record, or a package of them."""
    if not isinstance(value, dict):
        return [
            strict_json.Fault("NOT_AN_OBJECT", "a release must be a JSON object", "release 必须是 JSON 对象")
        ]
    if not _is_ocds(value):
        packages = [value[name] for name in sorted(PACKAGES) if isinstance(value.get(name), list)]
        if packages:
            return [found for package in packages for element in package for found in _of_value(element)]
    if isinstance(compiled := value.get("compiledRelease"), dict):
        # The record may be the only one that says which process it is.
        return _of_value({"ocid": value.get("ocid")} | compiled | {"tag": ["compiled"]})
    if isinstance(value.get("releases"), list):
        # A record may only link to its releases: a link has an address and no ocid.
        embedded = [one for one in value["releases"] if isinstance(one, dict) and "ocid" in one]
        if embedded and len(embedded) == len(value["releases"]):
            return list(embedded)
        return [
            strict_json.Fault(
                "LINKED_RELEASES",
                "the record only links to releases; deliver it with compiledRelease or the releases",
                "该 record 仅含 release 链接；请提供 compiledRelease 或完整的 release",
            )
        ]
    if isinstance(value.get("versionedRelease"), dict):
        return _of_value(
            {"ocid": value.get("ocid")} | processes.newest(value["versionedRelease"]) | {"tag": ["compiled"]}
        )
    if not isinstance(value.get("ocid"), str) or not value["ocid"].strip():
        return [strict_json.Fault("NO_OCID", "the release has no ocid", "release 没有 ocid")]
    return [value]
