"""Open Contracting Data Standard 1.1 to seven flat sections, one text column a leaf.

The reader takes release packages, record packages (the compiled release; without one, the releases in
the record), arrays of them, single releases, and lines that each hold one of these. The releases of one
``ocid`` are merged first, see ``processes``: a record is an element of the process as it stands after the
last release of the file.

A column is named after its OCDS path inside the release, without array positions: ``bids/details/id``.
Every row begins with ``ocid``, ``id`` and ``date`` of its release.

==========  =========================================================  ===========================
section     one row per                                                special columns
==========  =========================================================  ===========================
tenders     process with a ``tender``
lots        element of ``tender.lots``; one with an empty id where      all columns of tenders too
            a tender has no lots, with the tender's title, status
            and value
bids        element of ``bids.details`` x related lot                   ``bids/details/relatedLot``;
                                                                       ``.../tenderers/id`` and
                                                                       ``name`` of the first
tenderers   tenderer x related lot of each bid that several make        ``.../bidder/id`` and ``name``:
            together                                                   the first tenderer
awards      element of ``awards`` x supplier x related lot              ``awards/relatedLot``; all in
                                                                       ``awards/relatedLots`` and
                                                                       ``relatedBids``
contracts   element of ``contracts`` x supplier x related lot of the    supplier and lot columns of
            award it names, if that stands in the same process          ``awards``
parties     element of ``parties``                                      ``parties/roles``
==========  =========================================================  ===========================

Several values in one column are joined with ``;``. A related lot is empty where none is named and the tender
does not have just one, like the id of a lot that a tender does not have. An award over several lots gives each
of them its full value: ``awards/relatedLots`` shows that.

``parties`` fill what is left out and cannot be mistaken: the name to an id; the buyer by its role, else the
procuring entity; the supplier of an award by the bid that it names, else by its role where there is one award
and one supplier.

``raw_row`` runs inside the section. A release that cannot be taken apart is an unreadable record of
section ``tenders``; an element that is no object, one of its own section.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.intake.readers import (
    MAX_RAW_TEXT,
    FileRule,
    Reading,
    Unreadable,
    coherence,
    decoding,
    strict_json,
)
from pipelines.intake.readers.ocds_columns import ARRAYS, COLUMNS, FROM_ELEMENT, FROM_RELEASE
from pipelines.intake.readers.ocds_releases import Releases
from pipelines.intake.readers.processes import Release
from pipelines.intake.readers.spooling import Spool

_PATHS = tuple(dict.fromkeys(path for paths in FROM_RELEASE.values() for path in paths))

_Row = dict[str, str | None]


@dataclass
class _Sink:
    """Numbers what is found and hands it to the spool."""

    spool: Spool
    place: str = ""
    rows: Counter[str] = field(default_factory=Counter)

    def add(self, section: str, place: str, row: _Row) -> None:
        self.rows[section] += 1
        self.spool.add(section, self.rows[section], f"{self.place}, {place}", row)

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
    found_in_file = Releases.of(path, encoding, work)
    findings = coherence.Findings()
    merged = undated = 0
    for place, found, text in found_in_file.processes():
        if isinstance(found, strict_json.Fault):
            sink.refuse("tenders", place, found, text)
        else:
            merged += len(found.numbers) > 1
            undated += found.is_undated
            sink.place = place
            findings.sift(found.release, place)
            _take_apart(found.release, sink)
    return Reading(
        spool.sections(),
        spool.unreadable,
        [f"encoding {encoding}", *findings.notes(), *_notes(found_in_file, merged, undated)],
    )


def _notes(read: Releases, merged: int, undated: int) -> Iterator[str]:
    if merged:
        yield (
            f"同一 ocid 的多份 release 已合并：{merged:,} 个流程 / releases of one ocid were merged:"
            f" {merged:,} processes"
        )
    if undated:
        yield (
            f"{undated:,} 份 release 没有日期，按最早版本入库 / {undated:,} releases have no date and count as older"
            " than any that has one"
        )
    yield f"{read.releases} releases"


def _take_apart(release: Release, sink: _Sink) -> None:
    who = _Known.of(release)
    release = _with_buyer(release, who)
    tender = release.get("tender")
    said = {path: _leaf(release, path) for path in _PATHS}
    of_release = {section: {path: said[path] for path in paths} for section, paths in FROM_RELEASE.items()}
    if isinstance(tender, dict):
        sink.add("tenders", "tender", of_release["tenders"])
        if not tender.get("lots"):
            only = {f"tender/lots/{leaf}": _leaf(tender, leaf) for leaf in FROM_ELEMENT["lots"]}
            sink.add("lots", "tender", {**of_release["lots"], **only, "tender/lots/id": ""})
    elif tender is not None:
        sink.refuse("tenders", f"{sink.place}, tender", _NOT_AN_OBJECT, str(strict_json.text_of(tender)))
    for section, array in ARRAYS.items():
        for place, element in _elements(release, section, sink):
            own = {f"{array}/{leaf}": _leaf(element, leaf) for leaf in FROM_ELEMENT[section]}
            for special in _special(section, element, who):
                sink.add(section, place, {**of_release[section], **own, **special})
            if section == "bids":
                for special in _together(element, who):
                    sink.add("tenderers", place, {**of_release["tenderers"], **special})


@dataclass(frozen=True)
class _Known:
    """What a release says in one place and leaves out in others.

    Attributes:
        names: names of parties by id.
        roles: parties by role.
        lots: ids of the lots that the tender has.
        bids, awards: by id.
    """

    names: dict[str | None, set[str]]
    roles: dict[str, list[Release]]
    lots: list[str]
    bids: dict[str | None, Release]
    awards: dict[str | None, Release]

    @classmethod
    def of(cls, release: Release) -> _Known:
        names: dict[str | None, set[str]] = {}
        roles: dict[str, list[Release]] = {}
        for party in _objects(release.get("parties")):
            if name := _leaf(party, "name"):
                names.setdefault(_leaf(party, "id"), set()).add(name)
            listed = party.get("roles")
            for role in listed if isinstance(listed, list) else [listed]:
                if isinstance(role, str):
                    roles.setdefault(role, []).append(party)
        lots = [_leaf(lot, "id") or "" for lot in _objects(_value(release, "tender/lots"))]
        bids, awards = (
            {_leaf(one, "id"): one for one in _objects(_value(release, path))}
            for path in ("bids/details", "awards")
        )
        return cls(names, roles, lots, bids, awards)

    def named(self, organisation: Release) -> Release:
        """Return a reference to an organisation with its name, if one party alone has the id."""
        names = self.names.get(_leaf(organisation, "id"), set())
        is_known = organisation.get("id") and not organisation.get("name") and len(names) == 1
        return organisation | {"name": next(iter(names))} if is_known else organisation

    def with_role(self, role: str) -> Release:
        """Return the one party with the role, or nothing."""
        parties = self.roles.get(role, [])
        return {name: parties[0].get(name) for name in ("id", "name")} if len(parties) == 1 else {}

    def tenderers(self, bid: Release) -> list[Release]:
        """Return who makes a bid, with their names."""
        return [self.named(one) for one in _objects(bid.get("tenderers"))]

    def suppliers(self, award: Release) -> list[Release]:
        """Return who gets an award, with their names."""
        named = [self.named(one) for one in _objects(award.get("suppliers"))]
        if named or not award or strict_json.text_of(award.get("status")) in ("cancelled", "unsuccessful"):
            return named
        bids = award.get("relatedBids") or []
        if len(bids) == 1 and len(found := self.tenderers(self.bids.get(bids[0], {}))) == 1:
            return found
        return [one] if len(self.awards) == 1 and (one := self.with_role("supplier")) else []

    def related_lots(self, element: Release) -> list[str]:
        """Return the ids of the lots an element names; the tender's only lot, or an empty id, where it names none."""
        return element.get("relatedLots") or (self.lots if len(self.lots) == 1 else [""])


def _with_buyer(release: Release, known: _Known) -> Release:
    """Return the release with its buyer and procuring entity, where its parties tell them."""

    def filled(said: Any, role: str) -> Release:
        is_said = isinstance(said, dict) and (said.get("id") or said.get("name"))
        return known.named(said) if is_said else known.with_role(role)

    tender = release.get("tender")
    entity = filled(_value(release, "tender/procuringEntity"), "procuringEntity")
    buyer = filled(release.get("buyer"), "buyer") or entity
    whole = release | {"buyer": buyer}
    return whole | {"tender": tender | {"procuringEntity": entity}} if isinstance(tender, dict) else whole


_NOT_AN_OBJECT = strict_json.Fault("NOT_AN_OBJECT", "a JSON object is expected here", "此处应为 JSON 对象")
_NOT_A_LIST = strict_json.Fault("NOT_A_LIST", "a JSON array is expected here", "此处应为 JSON 数组")


def _elements(release: dict[str, Any], section: str, sink: _Sink) -> Iterator[tuple[str, dict[str, Any]]]:
    place = ARRAYS[section].replace("/", ".")
    array = _value(release, ARRAYS[section])
    if not array:
        return
    if not isinstance(array, list):
        sink.refuse(section, f"{sink.place}, {place}", _NOT_A_LIST, str(strict_json.text_of(array)))
        return
    for at, element in enumerate(array):
        if isinstance(element, dict):
            yield f"{place}[{at}]", element
        else:
            where = f"{sink.place}, {place}[{at}]"
            sink.refuse(section, where, _NOT_AN_OBJECT, str(strict_json.text_of(element)))


def _special(section: str, element: Release, known: _Known) -> list[_Row]:
    """Return one row's special columns for each combination that makes a row."""
    if section == "bids":
        first = next(iter(known.tenderers(element)), {})
        return [
            {**_organisation("bids/details/tenderers", first), "bids/details/relatedLot": lot}
            for lot in known.related_lots(element)
        ]
    if section == "parties":
        roles = element.get("roles")
        return [{"parties/roles": _joined(roles if isinstance(roles, list) else [roles])}]
    if section == "lots":
        return [{}]
    award = element
    if section == "contracts":
        named = _leaf(element, "awardID")
        award = known.awards.get(named, {}) if named else {}
    lots = known.related_lots(award)
    more = {"awards/relatedBids": _joined(award.get("relatedBids") or [])} if section == "awards" else {}
    return [
        {
            **_organisation("awards/suppliers", supplier),
            "awards/relatedLots": _joined(lots),
            "awards/relatedLot": lot,
            **more,
        }
        for supplier in known.suppliers(award) or [{}]
        for lot in lots
    ]


def _together(bid: Release, known: _Known) -> list[_Row]:
    """Return the special columns of every tenderer of a bid that several make together."""
    tenderers = known.tenderers(bid)
    return [
        {
            "bids/details/id": _leaf(bid, "id"),
            **_organisation("bids/details/bidder", tenderers[0]),
            **_organisation("bids/details/tenderers", tenderer),
            "bids/details/relatedLot": lot,
        }
        for tenderer in (tenderers if len(tenderers) > 1 else [])
        for lot in known.related_lots(bid)
    ]


def _organisation(path: str, reference: Release) -> _Row:
    return {f"{path}/id": _leaf(reference, "id"), f"{path}/name": _leaf(reference, "name")}


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of an array; a single object counts as an array of one."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]


def _joined(values: list[Any]) -> str:
    return ";".join(text for value in values if (text := strict_json.text_of(value)))


def _leaf(value: Release, path: str) -> str | None:
    text = strict_json.text_of(_value(value, path))
    return _plain_digits(text) if text and path.endswith("amount") else text


def _plain_digits(text: str) -> str:
    """Return 1.5E6, as some programs write a number of JSON, in plain digits."""
    if not _POWER.fullmatch(text):
        return text
    number = Decimal(text)
    return f"{number:f}" if abs(number.adjusted()) < 20 else text


_POWER = re.compile(r"-?[0-9]{1,40}([.][0-9]{1,40})?[eE][+-]?[0-9]{1,3}")


def _value(value: Any, path: str) -> Any:
    for name in path.split("/"):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
