"""Decides which desks receive the alerts of a lot.

In this order: the supervisor named in the record (监督部门), the installation's own rule for the
region (``routing.csv`` in its home), the default division of duties in ``data/reference/routing.csv``
(basis: 招标投标法实施条例 §4; local government may decide otherwise). The coordinating office
(发展和改革委员会) always gets a copy, and alone receives what cannot be placed.
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines import reference

ROUTING = reference.SHIPPED / "routing.csv"
_COLUMNS = ("project_type_prefix", "recipient_id", "name_zh", "basis")

#: An installation's own division of duties, in its home: as the default, with a region in front.
OVERRIDES = "routing.csv"
_OVERRIDE_COLUMNS = ("region_code", *_COLUMNS)

UNPLACED_ZH = "未能确定主管部门"
_BY_RECORD_ZH = "记录载明的监督部门"
COPY_ZH = "抄送综合协调部门"

#: A folder name that is safe on every system it may be copied to; Windows keeps some names for itself.
_FOLDER = re.compile(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.IGNORECASE
)


@dataclass(frozen=True)
class Office:
    """A desk that receives alerts, and why. ``slug`` is its folder name: letters, digits, ``._-``."""

    slug: str
    name_zh: str
    basis_zh: str


#: (region code, project type prefix) -> office: an installation's own rules.
Overrides = Mapping[tuple[str, str], Office]


@dataclass(frozen=True)
class Division:
    """The default division of duties: offices by project type prefix, and the coordinating office."""

    offices: Mapping[str, Office]
    coordinator: Office


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


def load_division(path: Path = ROUTING) -> Division:
    """Return the default division of duties.

    Raises:
        ValueError: a column or the row of the coordinating office (empty prefix) is missing, a prefix
            stands there twice, or a recipient id cannot be a folder name.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
            raise ValueError(f"{path.name}: column {missing[0]!r} is missing; it needs {', '.join(_COLUMNS)}")
        offices: dict[str, Office] = {}
        for row in reader:
            where = f"{path.name}, line {reader.line_num}"
            prefix, slug = row["project_type_prefix"], row["recipient_id"]
            if prefix in offices:
                raise ValueError(f"{where}: project_type_prefix {prefix!r} stands there twice; keep one row")
            if not _FOLDER.fullmatch(slug):
                raise ValueError(
                    f"{where}: recipient_id {slug!r} cannot be a folder name; use a-z, 0-9, . _ -"
                )
            offices[prefix] = Office(slug, row["name_zh"], row["basis"])
    if "" not in offices:
        raise ValueError(
            f"{path.name}: no row with an empty project_type_prefix; name the coordinating office"
        )
    coordinator = offices.pop("")
    return Division(offices, coordinator)


def load_overrides(path: Path) -> dict[tuple[str, str], Office]:
    """Return an installation's own rules, none where it has no such file.

    The file has the columns region_code (6 digits), project_type_prefix (empty: every type), recipient_id,
    name_zh and basis (the local document that decides so).

    Raises:
        ValueError: the file cannot be read as UTF-8, a column is missing, a rule stands there twice, a value
            is empty or wrong, or an office has two names; the message names the line.
    """
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            rows = [(reader.line_num, row) for row in reader]
        except UnicodeDecodeError:
            raise ValueError(f"{path}: not UTF-8; save it as CSV UTF-8 (逗号分隔)") from None
    if missing := [column for column in _OVERRIDE_COLUMNS if column not in (reader.fieldnames or ())]:
        raise ValueError(f"{path}: column {missing[0]!r} is missing; it needs {', '.join(_OVERRIDE_COLUMNS)}")
    found: dict[tuple[str, str], Office] = {}
    names: dict[str, str] = {}
    for line, row in rows:
        where = f"{path}, line {line}"
        region, prefix, slug, name, basis = ((row[column] or "").strip() for column in _OVERRIDE_COLUMNS)
        if not re.fullmatch("[1-9][0-9]{5}", region):
            raise ValueError(f"{where}: region_code {region!r} is no code of six digits, such as 410821")
        if (region, prefix) in found:
            raise ValueError(
                f"{where}: a rule for {region} {prefix or 'every type'} stands there already; keep one"
            )
        if not _FOLDER.fullmatch(slug):
            raise ValueError(f"{where}: recipient_id {slug!r} cannot be a folder name; use a-z, 0-9, . _ -")
        if not (name and basis):
            raise ValueError(f"{where}: name_zh and basis must be filled; the basis is the local document")
        if names.setdefault(slug, name) != name:
            raise ValueError(f"{where}: {slug} is called {names[slug]} above and {name} here; use one name")
        found[region, prefix] = Office(slug, name, f"本地规则：{basis}")
    return found


def recipients(
    lots: Iterable[LotFacts],
    division: Division,
    overrides: Overrides,
) -> list[Route]:
    """Return who receives the alerts of each lot, by lot and recipient.

    Args:
        lots: each lot once.
        division: the default division of duties.
        overrides: the installation's own rules, (region code, project type prefix) -> office. A
            region counts for those below it (``410800`` for ``410821``), an empty prefix for every type;
            the nearest region wins, then the longest prefix.

    Returns:
        One route per lot and recipient, the copy to the coordinating office included. A recipient has
        one name in all routes.
    """
    routes = [route for lot in lots for route in _of_lot(lot, division, overrides)]
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


def _of_lot(lot: LotFacts, division: Division, overrides: Overrides) -> tuple[Route, ...]:
    coordinator = division.coordinator
    office = (
        _named(lot, coordinator)
        or _overridden(lot, overrides)
        or _longest_prefix(division.offices, lot.project_type or "")
    )
    if office is None:
        return (_route(lot, coordinator, note_zh=UNPLACED_ZH),)
    if office.slug == coordinator.slug:
        return (_route(lot, office),)
    return (_route(lot, office), _route(lot, replace(coordinator, basis_zh=COPY_ZH)))


def _route(lot: LotFacts, office: Office, note_zh: str = "") -> Route:
    return Route(
        lot_id=lot.lot_id,
        recipient=office.slug,
        name_zh=office.name_zh,
        basis_zh=office.basis_zh,
        note_zh=note_zh,
    )


def _named(lot: LotFacts, coordinator: Office) -> Office | None:
    """Return the supervisor named in the record; the coordinating office is known by its name."""
    if lot.supervisor_name == coordinator.name_zh:
        return replace(coordinator, basis_zh=_BY_RECORD_ZH)
    slug = folder_name(lot.supervisor_code, lot.supervisor_name)
    return Office(slug, lot.supervisor_name or lot.supervisor_code or slug, _BY_RECORD_ZH) if slug else None


def _overridden(lot: LotFacts, overrides: Overrides) -> Office | None:
    code = lot.region_code or ""
    for region in dict.fromkeys((code, f"{code[:4]}00", f"{code[:2]}0000")):
        rules = {prefix: office for (where, prefix), office in overrides.items() if where == region}
        if office := _longest_prefix(rules, lot.project_type or ""):
            return office
    return None


def _longest_prefix(offices: Mapping[str, Office], project_type: str) -> Office | None:
    fitting = [prefix for prefix in offices if project_type.startswith(prefix)]
    return offices[max(fitting, key=len)] if fitting else None
