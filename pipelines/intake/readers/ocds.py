"""Open Contracting Data Standard 1.1 to six flat sections, one text column a leaf.

The reader takes a release package, a record package (the compiled release; without one, the releases in
the record), an array of releases, one release, and lines that each hold one of these.

A column is named after its OCDS path inside the release, without array positions: ``bids/details/id``.
Every row begins with ``ocid``, ``id`` and ``date`` of its release.

==========  =========================================================  ===========================
section     one row per                                                special columns
==========  =========================================================  ===========================
tenders     release with a ``tender``
lots        element of ``tender.lots``; one with an empty id where      all columns of tenders too
            a tender has no lots
bids        element of ``bids.details`` x related lot                   ``bids/details/relatedLot``;
                                                                       ``.../tenderers/id`` and
                                                                       ``name`` of the first,
                                                                       ``.../tenderers`` all ids
awards      element of ``awards`` x supplier x related lot              ``awards/relatedLot``; all in
                                                                       ``awards/relatedLots``
contracts   element of ``contracts`` x supplier x related lot of the    supplier and lot columns of
            award it names, if that stands in the same release          ``awards``
parties     element of ``parties``                                      ``parties/roles``
==========  =========================================================  ===========================

Several values in one column are joined with ``;``. A related lot is an id, or an object with ``id`` or
``lotId``; it is empty where none is named, like the id of a lot that a tender does not have. An
award over several lots gives each of them its full value: ``awards/relatedLots`` shows that.

``raw_row`` runs inside the section. A release that cannot be taken apart is an unreadable record of
section ``tenders``; an element that is no object, one of its own section.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.intake.readers import (
    MAX_RAW_TEXT,
    FileRefused,
    FileRule,
    Reading,
    Unreadable,
    decoding,
    strict_json,
)
from pipelines.intake.readers.spooling import Spool

_RELEASE = ("ocid", "id", "date")
_TENDER = (
    "tender/id",
    "tender/title",
    "tender/status",
    "tender/procurementMethod",
    "tender/procurementMethodDetails",
    "tender/mainProcurementCategory",
    "tender/awardCriteria",
    "tender/value/amount",
    "tender/value/currency",
    "tender/numberOfTenderers",
    "tender/tenderPeriod/startDate",
    "tender/tenderPeriod/endDate",
    "tender/awardPeriod/startDate",
    "tender/awardPeriod/endDate",
    "tender/bidOpening/date",
    "buyer/id",
    "buyer/name",
    "tender/procuringEntity/id",
    "tender/procuringEntity/name",
)

#: Columns read from the release, for each section.
_FROM_RELEASE = {
    "tenders": _RELEASE + _TENDER,
    "lots": _RELEASE + _TENDER,
    "bids": (*_RELEASE, "tender/id"),
    "awards": (*_RELEASE, "tender/id"),
    "contracts": (*_RELEASE, "tender/id"),
    "parties": _RELEASE,
}

#: Where the elements of a section stand, and the columns read from each of them.
_ARRAY = {
    "lots": "tender/lots",
    "bids": "bids/details",
    "awards": "awards",
    "contracts": "contracts",
    "parties": "parties",
}
_FROM_ELEMENT = {
    "lots": ("id", "title", "status", "value/amount", "value/currency"),
    "bids": ("id", "date", "status", "value/amount", "value/currency"),
    "awards": ("id", "date", "status", "value/amount", "value/currency", "relatedBid"),
    "contracts": (
        "id",
        "awardID",
        "status",
        "dateSigned",
        "value/amount",
        "value/currency",
        "period/startDate",
        "period/endDate",
    ),
    "parties": (
        "id",
        "name",
        "identifier/scheme",
        "identifier/id",
        "identifier/legalName",
        "contactPoint/name",
        "contactPoint/telephone",
        "contactPoint/email",
        "address/streetAddress",
        "address/locality",
        "address/region",
        "address/postalCode",
        "address/countryName",
    ),
}
_SUPPLIER = ("awards/suppliers/id", "awards/suppliers/name", "awards/relatedLots", "awards/relatedLot")
_SPECIAL = {
    "bids": (
        "bids/details/tenderers/id",
        "bids/details/tenderers/name",
        "bids/details/tenderers",
        "bids/details/relatedLot",
    ),
    "awards": _SUPPLIER,
    "contracts": _SUPPLIER,
    "parties": ("parties/roles",),
}

#: Every section's columns.
COLUMNS: dict[str, tuple[str, ...]] = {
    section: (
        *from_release,
        *(f"{_ARRAY[section]}/{leaf}" for leaf in _FROM_ELEMENT.get(section, ())),
        *_SPECIAL.get(section, ()),
    )
    for section, from_release in _FROM_RELEASE.items()
}

PACKAGES = frozenset({"releases", "records"})

_Row = dict[str, str | None]


@dataclass
class _Sink:
    """Numbers what is found and hands it to the spool."""

    spool: Spool
    release: int = 0
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, section: str, place: str, row: _Row) -> None:
        self.rows[section] += 1
        self.spool.add(section, self.rows[section], f"release {self.release}, {place}", row)

    def refuse(self, section: str, place: str, fault: strict_json.Fault, text: str) -> None:
        self.rows[section] += 1
        self.spool.refuse(
            Unreadable(
                section,
                self.rows[section],
                place,
                fault.code,
                fault.reason,
                fault.reason_zh,
                text[:MAX_RAW_TEXT],
            )
        )


def read(path: Path, rule: FileRule, file_name: str, work: Path) -> Reading:
    """Take an OCDS file apart; see ``readers.read``."""
    encoding = decoding.encoding_of(path)
    spool = Spool(work)
    for section, columns in COLUMNS.items():
        spool.declare(section, columns)
    sink = _Sink(spool)
    for place, found, text in releases(path, encoding):
        sink.release += 1
        if isinstance(found, strict_json.Fault):
            sink.refuse("tenders", place, found, text)
        else:
            _take_apart(found, sink)
    return Reading(spool.sections(), spool.unreadable, [f"encoding {encoding}", f"{sink.release} releases"])


def releases(
    path: Path,
    encoding: str,
    decoder: strict_json.Decoder | None = None,
    walk: Callable[..., Iterator[tuple[str, Any, str]]] = strict_json.elements,
) -> Iterator[tuple[str, dict[str, Any] | strict_json.Fault, str]]:
    """Yield (place, release or why there is none, JSON text) in file order.

    The place is ``line 7``, ``releases[6]``, ``records[6]``, ``[6]``, or ``document`` for a lone release;
    several releases of one line or record have the same place. ``walk`` is ``strict_json.documents`` where
    one file may hold several packages.

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
    for array, value, text in walk(path, encoding, decoder, PACKAGES):
        place = "document" if array == "." else f"{array}[{found_in[array]}]"
        found_in[array] += 1
        if array == "." and not _is_ocds(value):
            raise FileRefused(
                "NOT_OCDS",
                "no OCDS: there are no releases, records, ocid or compiledRelease; deliver an OCDS file",
                "JSON 不是 OCDS 数据（没有 releases、records、ocid 或 compiledRelease）；请提供 OCDS 文件",
            )
        for found in [fault] if (fault := decoder.fault()) else _of_value(value):
            yield place, found, text


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
    if isinstance(value, dict) and not _is_ocds(value):
        packages = [value[name] for name in sorted(PACKAGES) if isinstance(value.get(name), list)]
        if packages:
            return [found for package in packages for element in package for found in _of_value(element)]
    return _of_value(value)


def _is_ocds(value: Any) -> bool:
    return isinstance(value, dict) and any(name in value for name in ("ocid", "compiledRelease"))


def _of_value(value: Any) -> list[dict[str, Any] | strict_json.Fault]:
    """Return the releases of one element of a package, which is a release or a record."""
    if not isinstance(value, dict):
        return [
            strict_json.Fault("NOT_AN_OBJECT", "a release must be a JSON object", "release 必须是 JSON 对象")
        ]
    if isinstance(value.get("compiledRelease"), dict):
        return [value["compiledRelease"]]
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
    if not isinstance(value.get("ocid"), str):
        return [strict_json.Fault("NO_OCID", "the release has no ocid", "release 没有 ocid")]
    return [value]


def _take_apart(release: dict[str, Any], sink: _Sink) -> None:
    tender = release.get("tender")
    if isinstance(tender, dict):
        sink.add("tenders", "tender", _leaves(release, _FROM_RELEASE["tenders"]))
        if not tender.get("lots"):
            row = _leaves(release, _FROM_RELEASE["lots"])
            sink.add("lots", "tender", {**row, "tender/lots/id": ""})
    elif tender is not None:
        sink.refuse(
            "tenders", f"release {sink.release}, tender", _NOT_AN_OBJECT, str(strict_json.text_of(tender))
        )
    awards: dict[str | None, dict[str, Any]] = {}
    for section, array in _ARRAY.items():
        common = _leaves(release, _FROM_RELEASE[section])
        for place, element in _elements(release, section, sink):
            own = {f"{array}/{leaf}": _leaf(element, leaf) for leaf in _FROM_ELEMENT[section]}
            if section == "awards":
                awards[strict_json.text_of(element.get("id"))] = element
            named = strict_json.text_of(element.get("awardID")) if section == "contracts" else None
            award = awards.get(named, {}) if named else {}
            for special in _special(section, element, award):
                sink.add(section, place, {**common, **own, **special})


_NOT_AN_OBJECT = strict_json.Fault("NOT_AN_OBJECT", "a JSON object is expected here", "此处应为 JSON 对象")
_NOT_A_LIST = strict_json.Fault("NOT_A_LIST", "a JSON array is expected here", "此处应为 JSON 数组")


def _elements(release: dict[str, Any], section: str, sink: _Sink) -> Iterator[tuple[str, dict[str, Any]]]:
    place = _ARRAY[section].replace("/", ".")
    array = _value(release, _ARRAY[section])
    if not array:
        return
    if not isinstance(array, list):
        sink.refuse(section, f"release {sink.release}, {place}", _NOT_A_LIST, str(strict_json.text_of(array)))
        return
    for at, element in enumerate(array):
        if isinstance(element, dict):
            yield f"{place}[{at}]", element
        else:
            where = f"release {sink.release}, {place}[{at}]"
            sink.refuse(section, where, _NOT_AN_OBJECT, str(strict_json.text_of(element)))


def _special(section: str, element: dict[str, Any], award: dict[str, Any]) -> list[_Row]:
    """Return one row's special columns for each combination that makes a row."""
    if section == "bids":
        tenderers = _objects(element.get("tenderers"))
        first = tenderers[0] if tenderers else {}
        common = {
            "bids/details/tenderers/id": _leaf(first, "id"),
            "bids/details/tenderers/name": _leaf(first, "name"),
            "bids/details/tenderers": _joined([one.get("id") for one in tenderers]),
        }
        return [{**common, "bids/details/relatedLot": lot} for lot in _related_lots(element)]
    if section == "parties":
        roles = element.get("roles")
        return [{"parties/roles": _joined(roles if isinstance(roles, list) else [roles])}]
    if section == "lots":
        return [{}]
    source = element if section == "awards" else award
    lots = _related_lots(source)
    return [
        {
            "awards/suppliers/id": _leaf(supplier, "id"),
            "awards/suppliers/name": _leaf(supplier, "name"),
            "awards/relatedLots": _joined(lots),
            "awards/relatedLot": lot,
        }
        for supplier in _objects(source.get("suppliers")) or [{}]
        for lot in lots
    ]


def _related_lots(element: dict[str, Any]) -> list[str]:
    """Return the ids of the lots an element names, or one empty id."""
    named = element.get("relatedLots") or element.get("relatedLot")
    ids = [
        one.get("id") or one.get("lotId") if isinstance(one, dict) else one
        for one in (named if isinstance(named, list) else [named])
    ]
    return [strict_json.text_of(one) or "" for one in ids]


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of an array; a single object counts as an array of one."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]


def _joined(values: list[Any]) -> str:
    return ";".join(text for value in values if (text := strict_json.text_of(value)))


def _leaves(value: dict[str, Any], paths: tuple[str, ...]) -> _Row:
    return {path: _leaf(value, path) for path in paths}


def _leaf(value: dict[str, Any], path: str) -> str | None:
    return strict_json.text_of(_value(value, path))


def _value(value: Any, path: str) -> Any:
    for name in path.split("/"):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
