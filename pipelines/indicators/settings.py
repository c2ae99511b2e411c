"""The settings file of ``bidwatch indicators``: INI, with the names that OCDS Cardinal uses.

A file with a section for an indicator (``[R024]``) computes only the indicators that have one; without
any such section, or without a file, all are computed. A section that is not known changes nothing and is
named. A name that is not known in a known section is an error: a misspelt threshold must not pass for a default.
"""

from __future__ import annotations

import configparser
import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from detectors.ocds.indicators import Limits
from detectors.ocds.reasons import TITLES


@dataclass(frozen=True)
class Preparation:
    """What is mended in a release before it is judged.

    Attributes:
        defaults_currency, defaults_bid_status, defaults_award_status: where a price, bid or award has none.
        codelists_bid_status, codelists_award_status: code in the data -> code of the standard.
        redactions_amount: bid amounts that stand for nothing.
        redactions_organization_id: ids that stand for nothing.
        corrections_award_status_by_contract_status: an award of which every contract is cancelled is cancelled.
        modifications_move_auctions: bids of a release without any stand in the stages of its auctions.
        modifications_prefix_buyer_or_procuring_entity_id: put before ids that do not begin with it.
        modifications_prefix_tenderer_or_supplier_id: the same.
        modifications_split_procurement_method_details: only what stands before this text counts.
    """

    defaults_currency: str | None = None
    defaults_bid_status: str | None = None
    defaults_award_status: str | None = None
    codelists_bid_status: dict[str, str] = field(default_factory=dict)
    codelists_award_status: dict[str, str] = field(default_factory=dict)
    redactions_amount: frozenset[float] = frozenset()
    redactions_organization_id: frozenset[str] = frozenset()
    corrections_award_status_by_contract_status: bool = False
    modifications_move_auctions: bool = False
    modifications_prefix_buyer_or_procuring_entity_id: str = ""
    modifications_prefix_tenderer_or_supplier_id: str = ""
    modifications_split_procurement_method_details: str | None = None


@dataclass(frozen=True)
class Settings:
    """What a settings file says; ``not_supported`` are its sections that change nothing."""

    limits: Limits = field(default_factory=Limits)
    preparation: Preparation = field(default_factory=Preparation)
    not_supported: tuple[str, ...] = ()


def _text(text: str) -> str:
    if not text:
        raise ValueError("a value is missing")
    return text


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("|") if part)


def _yes(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("true or false is expected")
    return text.lower() == "true"


def _whole(least: int = 0, most: int | None = None) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or len(text) > 9:
            raise ValueError("a whole number is expected")
        if int(text) < least or (most is not None and int(text) > most):
            raise ValueError(f"the smallest value is {least}" + (f", the largest {most}" if most else ""))
        return int(text)

    return parse


def _share(text: str) -> float:
    value = _number(text)
    if value < 0:
        raise ValueError("a share is not negative")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("a number such as 0.05 is expected")
    return value


#: Fields of Limits and Preparation -> how their text is read. A field is named after its section and
#: its name there, ``r024_threshold``; settings before the first section have no section in front.
_FIELDS: dict[str, Callable[[str], Any]] = {
    "currency": _text,
    "price_comparison_procurement_methods": _texts,
    "no_price_comparison_procurement_methods": _texts,
    "exclusions_procurement_method_details": _texts,
    "r003_threshold": _whole(),
    "r003_procurement_methods": _texts,
    "r018_procurement_methods": _texts,
    "r024_threshold": _share,
    "r025_percentile": _whole(most=100),
    "r025_threshold": _share,
    "r035_threshold": _whole(least=1),
    "r038_threshold": _share,
    "r038_minimum_submitted_bids": _whole(),
    "r038_minimum_contracting_processes": _whole(),
    "r048_digits": _whole(least=1),
    "r048_threshold": _whole(),
    "r048_minimum_contracting_processes": _whole(),
    "r058_threshold": _share,
    "defaults_currency": _text,
    "defaults_bid_status": _text,
    "defaults_award_status": _text,
    "redactions_amount": lambda text: frozenset(_number(part) for part in _texts(text)),
    "redactions_organization_id": lambda text: frozenset(_texts(text)),
    "corrections_award_status_by_contract_status": _yes,
    "modifications_move_auctions": _yes,
    "modifications_prefix_buyer_or_procuring_entity_id": _text,
    "modifications_prefix_tenderer_or_supplier_id": _text,
    "modifications_split_procurement_method_details": _text,
    # No indicator looks at these two: there is nothing to mend.
    "defaults_item_classification_scheme": _text,
    "defaults_party_roles": _yes,
}

#: Sections whose names are values of the data.
_MAPS: dict[str, Callable[[str], Any]] = {
    "R003.procurement_method_details": _whole(),
    "codelists.bid_status": _text,
    "codelists.award_status": _text,
}
_SECTIONS = (*TITLES, "exclusions", "defaults", "redactions", "corrections", "modifications", *_MAPS)
_TOP = "\x00"  # in place of the first section's name: no section of a file can have it


def load(path: Path) -> Settings:
    """Read a settings file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no INI file, or holds a name or value that is not known in its section.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no settings file {path}")
    parser = configparser.ConfigParser(
        delimiters=("=",), inline_comment_prefixes=(";", "#"), interpolation=None, default_section="\x01"
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(f"[{_TOP}]\n{path.read_text(encoding='utf-8-sig')}")
    except UnicodeDecodeError:
        raise ValueError(f"{path.name}: not UTF-8 text; save it as UTF-8") from None
    except configparser.Error as error:
        raise ValueError(f"{path.name}: {_said(error)}") from None
    found: dict[str, Any] = {}
    not_supported = tuple(one for one in parser.sections() if one not in (_TOP, *_SECTIONS))
    for section in parser.sections():
        if section in not_supported:
            continue
        if section in _MAPS:
            found[_field(section)] = {
                name: _read(path, section, name, value, _MAPS[section])
                for name, value in parser.items(section)
            }
            continue
        for name, value in parser.items(section):
            known = _names(section)
            if name not in known:
                raise ValueError(
                    f"{path.name}: {_where(section, name)} is not known; "
                    + (f"there are {', '.join(known)}" if known else "this section has no settings")
                )
            found[_field(section, name)] = _read(path, section, name, value, _FIELDS[_field(section, name)])
    if days := found.pop("r003_procurement_method_details", None):
        found["r003_procurement_method_details"] = tuple(days.items())
    if codes := tuple(code for code in TITLES if any(one.split(".")[0] == code for one in parser.sections())):
        found["codes"] = codes
    limits, preparation = Limits(**_of(Limits, found)), Preparation(**_of(Preparation, found))
    return Settings(limits, preparation, not_supported)


def _of(kind: type, found: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in found.items() if name in names}


def _field(section: str, name: str = "") -> str:
    front = "" if section == _TOP else section.replace(".", "_")
    return "_".join(part for part in (front.lower(), name) if part)


def _names(section: str) -> list[str]:
    front = _field(section)
    others = {_field(one) for one in _SECTIONS}
    return [
        name.removeprefix(f"{front}_")
        for name in _FIELDS
        if (name.startswith(f"{front}_") if front else not any(name.startswith(f"{one}_") for one in others))
    ]


def _where(section: str, name: str) -> str:
    return name if section == _TOP else f"[{section}] {name}"


def _read(path: Path, section: str, name: str, value: str, parse: Callable[[str], Any]) -> Any:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    try:
        return parse(value[1:-1] if is_quoted else value)
    except ValueError as error:
        raise ValueError(f"{path.name}: {_where(section, name)} = {value!r}: {error}") from None


def _said(error: configparser.Error) -> str:
    """Say what is wrong, with the line as a person counts it."""
    if isinstance(error, configparser.DuplicateSectionError):
        return f"line {(error.lineno or 1) - 1}: section [{error.section}] stands twice"
    if isinstance(error, configparser.DuplicateOptionError):
        return f"line {(error.lineno or 1) - 1}: {_where(error.section, error.option)} stands twice"
    if isinstance(error, configparser.ParsingError) and error.errors:
        line, text = error.errors[0]
        return f"line {line - 1}: {text} is neither a [section] nor a name = value"
    return "this is no settings file (INI)"
