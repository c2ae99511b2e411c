"""Decides which desks receive the alerts of a lot.

In this order: the supervisor named in the record (监督部门), the rule for the region, the division of duties by
project type: ``routing.csv`` of the reference data, over which an installation puts its own rows (basis:
招标投标法实施条例 §4; local government may decide otherwise). The coordinating office
(发展和改革委员会) always gets a copy, and alone receives what cannot be placed.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipelines.reference import Reference

#: The file of `pipelines.reference` that says which office is in charge of what.
ROUTING = "routing.csv"

_COLUMNS = ("region_code", "project_type_prefix", "recipient_id", "name_zh", "basis")

UNPLACED_ZH = "未能确定主管部门"
_BY_RECORD_ZH = "记录载明的监督部门"
COPY_ZH = "抄送综合协调部门"

#: A folder name that is safe on every system it may be copied to; Windows keeps some names for itself.
_FOLDER = re.compile(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.IGNORECASE
)


@dataclass(frozen=True)
class Recipient:
    """A desk that receives alerts, and why. ``slug`` is its folder name: letters, digits, ``._-``."""

    slug: str
    name_zh: str
    basis_zh: str


@dataclass(frozen=True)
class Division:
    """The division of duties.

    Attributes:
        offices: by project type prefix, wherever the lot lies.
        coordinator: the coordinating office (综合协调部门).
        regional: by region code and project type prefix. A region counts for those below it (``410800`` for ``410821``),
            an empty prefix for every type; the nearest region wins, then the longest prefix.
    """

    offices: Mapping[str, Recipient]
    coordinator: Recipient
    regional: Mapping[tuple[str, str], Recipient]


@dataclass(frozen=True, kw_only=True)
class LotFacts:
    """What routing needs to know of a lot, as in ``core.lots``. None means: not delivered."""

    lot_id: str
    project_type: str | None
    region_code: str | None
    supervisor_code: str | None
    supervisor_name: str | None


@dataclass(frozen=True, kw_only=True)
class Route:
    """One lot goes to one recipient. ``note_zh`` is for the recipient to read; often empty."""

    lot_id: str
    recipient: str
    name_zh: str
    basis_zh: str
    note_zh: str = ""


def load_division(known: Reference) -> Division:
    """Return the division of duties in force: the default, and the installation's own rows over it.

    The rows of an installation name a region (six digits) or none, and the local document that decides so.

    Raises:
        ValueError: no row names the coordinating office (no region, empty prefix), a value is empty or wrong, or an
            office has two names; the message names the file and the line.
    """
    offices: dict[str, Recipient] = {}
    regional: dict[tuple[str, str], Recipient] = {}
    names: dict[str, str] = {}
    for row in known.rows(ROUTING):
        region, prefix, slug, name, basis = (row.values[column] for column in _COLUMNS)
        if region and not re.fullmatch("[1-9][0-9]{5}", region):
            raise ValueError(f"{row.where}: region_code {region!r} is no code of six digits, such as 410821")
        if not _FOLDER.fullmatch(slug):
            raise ValueError(
                f"{row.where}: recipient_id {slug!r} cannot be a folder name; use a-z, 0-9, . _ -"
            )
        if not (name and basis):
            raise ValueError(
                f"{row.where}: name_zh and basis must be filled; the basis is the local document"
            )
        if row.is_local and names.setdefault(slug, name) != name:
            raise ValueError(
                f"{row.where}: {slug} is called {names[slug]} above and {name} here; use one name"
            )
        office = Recipient(slug, name, f"本地规则：{basis}" if row.is_local else basis)
        if region:
            regional[region, prefix] = office
        else:
            offices[prefix] = office
    if "" not in offices:
        raise ValueError(f"{ROUTING}: no row with an empty project_type_prefix; name the coordinating office")
    coordinator = offices.pop("")
    return Division(offices, coordinator, regional)


def recipients(
    lots: Iterable[LotFacts],
    division: Division,
) -> list[Route]:
    """Return who receives the alerts of each lot, by lot and recipient.

    Args:
        lots: each lot once.
        division: who is in charge of what.

    Returns:
        One route per lot and recipient, the copy to the coordinating office included. A recipient has
        one name in all routes.
    """
    routes = [route for lot in lots for route in _of_lot(lot, division)]
    names: dict[str, str] = {}
    for route in routes:
        names[route.recipient] = min(names.get(route.recipient, route.name_zh), route.name_zh)
    named = [replace(route, name_zh=names[route.recipient]) for route in routes]
    return sorted(named, key=lambda route: (route.lot_id, route.recipient))


def folder_name(code: str | None, name: str | None) -> str | None:
    """Return the folder of a delivered office: its code, else an id made of its code and name.

    The id depends on the delivered text only, so the same office gets the same folder every night.
    Returns None when neither was delivered.
    """
    if code and _FOLDER.fullmatch(code):
        return code
    if not (code or name):
        return None
    compared = "".join(unicodedata.normalize("NFKC", name or code or "").upper().split())
    return f"office-{hashlib.sha256(compared.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}"


def _of_lot(lot: LotFacts, division: Division) -> tuple[Route, ...]:
    coordinator = division.coordinator
    office = (
        _named(lot, coordinator)
        or _regional(lot, division)
        or _longest_prefix(division.offices, lot.project_type or "")
    )
    if office is None:
        return (_route(lot, coordinator, note_zh=UNPLACED_ZH),)
    if office.slug == coordinator.slug:
        return (_route(lot, office),)
    return (_route(lot, office), _route(lot, replace(coordinator, basis_zh=COPY_ZH)))


def _route(lot: LotFacts, office: Recipient, note_zh: str = "") -> Route:
    return Route(
        lot_id=lot.lot_id,
        recipient=office.slug,
        name_zh=office.name_zh,
        basis_zh=office.basis_zh,
        note_zh=note_zh,
    )


def _named(lot: LotFacts, coordinator: Recipient) -> Recipient | None:
    """Return the supervisor named in the record; the coordinating office is known by its name."""
    if lot.supervisor_name == coordinator.name_zh:
        return replace(coordinator, basis_zh=_BY_RECORD_ZH)
    slug = folder_name(lot.supervisor_code, lot.supervisor_name)
    return (
        Recipient(slug, lot.supervisor_name or lot.supervisor_code or slug, _BY_RECORD_ZH) if slug else None
    )


def _regional(lot: LotFacts, division: Division) -> Recipient | None:
    code = lot.region_code or ""
    for region in dict.fromkeys((code, f"{code[:4]}00", f"{code[:2]}0000")):
        rules = {prefix: office for (where, prefix), office in division.regional.items() if where == region}
        if office := _longest_prefix(rules, lot.project_type or ""):
            return office
    return None


def _longest_prefix(offices: Mapping[str, Recipient], project_type: str) -> Recipient | None:
    fitting = [prefix for prefix in offices if project_type.startswith(prefix)]
    return offices[max(fitting, key=len)] if fitting else None
