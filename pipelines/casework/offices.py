"""Offices and what each may do: the list of powers and duties (权责清单), against which every referral is checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.reference import Reference

#: What a referral can be, and its Chinese name.
KINDS_ZH = {
    "regulator": "移送行业监管部门",
    "police": "移送公安机关",
    "discipline": "移送纪检监察机关",
    "other": "转送其他部门",
}


@dataclass(frozen=True)
class MemberOffice:
    """An office that works on public resource trading (成员单位).

    Attributes:
        copies_to: offices that get a copy of every case that it gets.
        seen: the text of ``basis`` was at hand; otherwise it is shown as 待核.
    """

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


def offices(known: Reference) -> dict[str, MemberOffice]:
    """Return the offices by id.

    Raises:
        ValueError: an id stands there twice, or a copy goes to an office that has no row.
    """
    found: dict[str, MemberOffice] = {}
    for row in (each.values for each in known.rows("offices.csv")):
        copies = tuple(filter(None, row["copies_to"].split(";")))
        found[row["office"]] = MemberOffice(
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
            raise ValueError(f"offices.csv: {office.office} copies to {min(unknown)!r}, which has no row")
    return found


def powers(known: Reference) -> dict[str, Power]:
    """Return the list of powers and duties by id.

    Raises:
        ValueError: an id stands there twice, or an office or a kind is unknown.
    """
    found: dict[str, Power] = {}
    known_offices = offices(known)
    for row in known.rows("powers.csv"):
        power = Power(**{**row.values, "seen": row.values["seen"] == "yes"})  # type: ignore[arg-type]
        if power.office not in known_offices:
            raise ValueError(f"{row.where}: offices.csv has no {power.office!r}")
        if power.kind not in KINDS_ZH:
            raise ValueError(f"{row.where}: kind {power.kind!r} is none of {', '.join(KINDS_ZH)}")
        found[power.power] = power
    return found


def competent_office(
    known: Reference, recipient: str, power_id: str, project_types: Iterable[str]
) -> tuple[MemberOffice, Power]:
    """Return the office and the power by which it takes a case.

    Args:
        known: the reference data in force.
        recipient: the office.
        power_id: of the list.
        project_types: of the lots of the case; none where the records name none.

    Raises:
        ValueError: the office is unknown, has no such power, or the power does not cover these projects;
            the message names the offices that have one.
    """
    types = sorted(set(project_types))
    everybody, listed = offices(known), powers(known)
    if recipient not in everybody:
        raise ValueError(f"no office {recipient!r}; there are: {', '.join(sorted(everybody))}")
    power = listed.get(power_id)
    if power is None or power.office != recipient:
        own = ", ".join(
            f"{each.power} {each.matter_zh}" for each in listed.values() if each.office == recipient
        )
        raise ValueError(
            f"{recipient} has no power {power_id!r} in the list (权责清单); it has: {own or 'none'}"
        )
    if outside := [each for each in types if not each.startswith(power.project_type_prefix)]:
        fit = sorted(
            each.power
            for each in listed.values()
            if each.project_type_prefix and outside[0].startswith(each.project_type_prefix)
        )
        raise ValueError(
            f"{power_id} covers projects {power.project_type_prefix}…, the case has {outside[0]};"
            f" powers for {outside[0]}: {', '.join(fit) or 'none'}"
        )
    return everybody[recipient], power


def members(known: Reference) -> list[MemberOffice]:
    """Return the offices that are told of penalties and results (article 17 of the notice of 2021), by id."""
    return sorted(offices(known).values(), key=lambda office: office.office)
