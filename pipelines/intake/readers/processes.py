"""Releases of one contracting process to one release, by the merge rules of OCDS 1.1.

A process is published in parts: a release for the tender, one for the bids, one for the award. The last word on every
field counts, objects in arrays are told apart by ``id``, null takes away, and what a release does not name stays.
A compiled release stands for all that came before it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.intake.readers import FileRefused, strict_json

#: The fields of a release that are not merged, but said anew of the whole; `ocdsmerge` would fetch the schema for them.
_MERGE_RULES = {("id",): "omitWhenMerged", ("date",): "omitWhenMerged", ("tag",): "omitWhenMerged"}

#: Arrays of objects that are read. Others are left out before merging: they cost memory, and publishers number
#: documents and items so carelessly that hardly two releases could be merged.
_ARRAYS = frozenset({"parties", "lots", "details", "tenderers", "awards", "suppliers", "contracts"})

Release = dict[str, Any]


@dataclass(frozen=True)
class Process:
    """What a file says of one process.

    Attributes:
        numbers: which releases of the file, counted from 1, oldest first.
        parts: these releases, or the compiled one and what came after it.
        release: the parts as one.
        is_undated: it is a lone release without a date.
    """

    numbers: tuple[int, ...]
    parts: tuple[Release, ...]
    release: Release
    is_undated: bool = False


@dataclass(frozen=True)
class Stamp:
    """What the order of releases depends on: number in the file, date if it can be read, whether it is compiled."""

    number: int
    date: datetime | None
    is_compiled: bool


def stamp(number: int, release: Release) -> Stamp:
    """Return the stamp of a release."""
    tags = release.get("tag")
    return Stamp(
        number, moment(release.get("date")), "compiled" in (tags if isinstance(tags, list) else [tags])
    )


def slim(release: Release) -> Release:
    """Return the release with what is read of it, and one way to write it.

    Tenderers and suppliers are arrays of objects, and related lots and bids an array of ids, where there are any.
    """
    return {name: _slim(name, value) for name, value in release.items() if _is_read(name, value)}


def together(stamped: Iterable[tuple[Stamp, Release]]) -> Iterator[Process]:
    """Yield the process of all releases of one ocid, or each release by itself where they cannot be merged.

    They cannot where two objects of one array have one id, or where something is a text here and an object there:
    merging would make one bid of two.
    """
    ordered = sorted(stamped, key=lambda one: (one[0].date or _NEVER, one[0].number))
    last = max((at for at, (one, _) in enumerate(ordered) if one.is_compiled), default=0)
    parts = tuple(release for _, release in ordered[last:])
    numbers = tuple(one.number for one, _ in ordered)
    if len(parts) == 1:
        yield Process(
            numbers, parts, parts[0], is_undated=ordered[-1][0].date is None and not parts[0].get("date")
        )
    elif (release := _merged(parts)) is not None:
        yield Process(numbers, parts, release)
    else:
        for one, release in ordered[last:]:
            yield Process((one.number,), (release,), release)


def newest(versioned: Any) -> Any:
    """Return a versioned release with the newest version of every field."""
    if isinstance(versioned, dict):
        return {name: newest(value) for name, value in versioned.items()}
    if not isinstance(versioned, list) or not versioned:
        return versioned
    if all(isinstance(one, dict) and "releaseDate" in one and "value" in one for one in versioned):
        return max(versioned, key=lambda one: str(one["releaseDate"]))["value"]
    return [newest(one) for one in versioned]


def undated(stamps: Iterable[Stamp]) -> set[int]:
    """Return which releases of one ocid cannot be put in order, by number."""
    listed = list(stamps)
    return {one.number for one in listed if one.date is None} if len(listed) > 1 else set()


def refuse_undated(stamps: dict[str, list[Stamp]]) -> None:
    """Refuse a file of which no release has a date, if the order of some matters."""
    found = [one for each in stamps.values() for one in each]
    repeated = next((ocid for ocid, each in stamps.items() if len(each) > 1), None)
    if repeated is not None and not any(one.date for one in found):
        raise FileRefused(
            "NO_RELEASE_DATES",
            f"none of the {len(found):,} releases has a date, and {repeated[:100]} has several, so nobody can say which"
            " of them is the newest; export the releases with their dates, or compiled ones",
            f"{len(found):,} 份 release 均无日期（date），而 {repeated[:100]} 有多份，无法判断先后；请导出带日期的 release"
            " 或 compiledRelease",
        )


UNDATED = strict_json.Fault(
    "NO_RELEASE_DATE",
    "the release has no date that can be read, and the file has others of its ocid: nobody can say which is newer",
    "该 release 没有可识别的日期（date），而文件中同一 ocid 有多份 release，无法判断先后",
)

_NEVER = datetime.min.replace(tzinfo=UTC)


def moment(text: Any) -> datetime | None:
    """Return a time of ISO 8601, or None; one without an offset counts as UTC."""
    try:
        found = datetime.fromisoformat(text.strip())
    except (AttributeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_read(name: str, value: Any) -> bool:
    if not isinstance(value, list) or name in _ARRAYS or name in _RELATED:
        return True
    return not any(isinstance(one, dict) for one in value)


#: Spellings of one field in versions of the standard and its extensions.
_RELATED = {
    "relatedLot": "relatedLots",
    "relatedLots": "relatedLots",
    "relatedBid": "relatedBids",
    "relatedBids": "relatedBids",
}


#: Fields that are arrays of objects, also where a publisher writes one object.
_PARTIES = ("tenderers", "suppliers")


def _slim(name: str, value: Any) -> Any:
    if name in _PARTIES:
        value = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    if isinstance(value, list):
        return [_slim("", one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {
        key: _slim(key, inner) if isinstance(inner, dict | list) or key in _PARTIES else inner
        for key, inner in value.items()
        if key not in _RELATED and _is_read(key, inner)
    }
    if _RELATED.keys().isdisjoint(value):
        return found
    for key in sorted(_RELATED.keys() & value.keys()):
        ids = [
            one.get("id") or one.get("lotId") if isinstance(one, dict) else one for one in _listed(value[key])
        ]
        found[_RELATED[key]] = [text for one in ids if (text := strict_json.text_of(one))] or found.get(
            _RELATED[key]
        )
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _merged(parts: Iterable[Release]) -> Release | None:
    # Loaded here: it brings a library for the network, which nobody needs who reads no releases.
    from ocdsmerge import CompiledRelease
    from ocdsmerge.exceptions import DuplicateIdValueWarning, OCDSMergeError

    whole = CompiledRelease(merge_rules=_MERGE_RULES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DuplicateIdValueWarning)
            for part in parts:
                if not _is_regular(part):
                    return None
                whole.append(part)
                # The library takes away single values; null also takes away an object or array as a whole.
                if removed := [path for path, value in whole.data.items() if value is None]:
                    whole.data = {
                        path: value
                        for path, value in whole.data.items()
                        if not any(path[: len(gone)] == gone for gone in removed)
                    }
            release: Release = whole.asdict()
    except (DuplicateIdValueWarning, OCDSMergeError):
        return None
    return release


def _is_regular(release: Release) -> bool:
    """Say whether everything that is read is an object or an array of objects, as the standard has it."""
    tender, bids = release.get("tender"), release.get("bids")
    if not all(one is None or isinstance(one, dict) for one in (tender, bids, release.get("buyer"))):
        return False
    arrays = [release.get(name) for name in ("parties", "awards", "contracts")]
    arrays += [(tender or {}).get("lots"), (bids or {}).get("details")]
    return all(
        one is None or (isinstance(one, list) and all(isinstance(each, dict) for each in one))
        for one in arrays
    )
