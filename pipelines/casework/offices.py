"""Offices and what each may do: the list of powers and duties (权责清单) that every referral is checked against."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines import reference

REFERENCE = reference.SHIPPED

#: What a referral can be, and its Chinese name.
KINDS_ZH = {
    "regulator": "移送行业监管部门",
    "police": "移送公安机关",
    "discipline": "移送纪检监察机关",
    "other": "转送其他部门",
}


@dataclass(frozen=True)
class Office:
    """An office that works on public resource trading. ``copies_to``: who is always told when it gets a case."""

    office: str
    name_zh: str
    name_en: str
    role: str
    copies_to: tuple[str, ...]
    basis: str
    seen: bool


@dataclass(frozen=True)
class Power:
    """One line of the list: what an office may do with matters of which projects, and by which provision.

    ``seen`` is false where the provision was not at hand, or the county's own list decides (待核).
    """

    power: str
    office: str
    project_type_prefix: str
    kind: str
    matter_zh: str
    matter_en: str
    basis: str
    seen: bool


@cache
def offices(path: Path = REFERENCE / "offices.csv") -> dict[str, Office]:
    """Return the offices by id.

    Raises:
        ValueError: an id stands there twice, or a copy goes to an office that is not there.
    """
    found: dict[str, Office] = {}
    for row in _rows(path):
        if row["office"] in found:
            raise ValueError(f"{path.name}: office {row['office']!r} stands there twice; keep one row")
        copies = tuple(filter(None, row["copies_to"].split(";")))
        found[row["office"]] = Office(
            row["office"],
            row["name_zh"],
            row["name_en"],
            row["role"],
            copies,
            row["basis"],
            row["seen"] == "yes",
        )
    for office in found.values():
        if unknown := set(office.copies_to) - set(found):
            raise ValueError(f"{path.name}: {office.office} copies to {min(unknown)!r}, which has no row")
    return found


@cache
def powers(path: Path = REFERENCE / "powers.csv") -> dict[str, Power]:
    """Return the list of powers and duties by id.

    Raises:
        ValueError: an id stands there twice, its office is unknown, or its kind is.
    """
    found: dict[str, Power] = {}
    for row in _rows(path):
        power = Power(**row | {"seen": row["seen"] == "yes"})  # type: ignore[arg-type]
        if power.power in found:
            raise ValueError(f"{path.name}: power {power.power!r} stands there twice; keep one row")
        if power.office not in offices():
            raise ValueError(f"{path.name}, {power.power}: offices.csv has no {power.office!r}")
        if power.kind not in KINDS_ZH:
            raise ValueError(
                f"{path.name}, {power.power}: kind {power.kind!r} is none of {', '.join(KINDS_ZH)}"
            )
        found[power.power] = power
    return found


def checked(recipient: str, power_id: str, project_types: Iterable[str]) -> tuple[Office, Power]:
    """Return the office and the power by which it takes a case.

    Args:
        recipient: the office.
        power_id: of the list.
        project_types: of the lots of the case; none where the records name none.

    Raises:
        ValueError: the office is unknown, has no such power, or the power does not cover these projects;
            the message names the offices that have one.
    """
    types = sorted(set(project_types))
    known = offices()
    if recipient not in known:
        raise ValueError(f"no office {recipient!r}; there are: {', '.join(sorted(known))}")
    power = powers().get(power_id)
    if power is None or power.office != recipient:
        own = ", ".join(
            f"{each.power} {each.matter_zh}" for each in powers().values() if each.office == recipient
        )
        raise ValueError(
            f"{recipient} has no power {power_id!r} in the list (权责清单); it has: {own or 'none'}"
        )
    if outside := [each for each in types if not each.startswith(power.project_type_prefix)]:
        fit = sorted(
            each.power
            for each in powers().values()
            if each.project_type_prefix and outside[0].startswith(each.project_type_prefix)
        )
        raise ValueError(
            f"{power_id} covers projects {power.project_type_prefix}…, the case has {outside[0]};"
            f" powers for {outside[0]}: {', '.join(fit) or 'none'}"
        )
    return known[recipient], power


def members() -> list[Office]:
    """Return the offices that are told of penalties and results (notice 127 of 2021, article 17), by id."""
    return sorted(offices().values(), key=lambda office: office.office)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
