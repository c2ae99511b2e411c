"""Rates of inspection by class (抽查比例): those that places published, and those that a plan sets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from pipelines.reference import Reference
from reports.handed_out.replay_draw import DIMENSIONS

#: dimension (risk, credit) -> class -> share of it that is drawn.
Rates = Mapping[str, Mapping[str, Fraction]]

_RATE = re.compile(r"(\d+(?:\.\d+)?)(%?)|(\d+)/(\d+)")


@dataclass(frozen=True)
class PublishedRate:
    """What a place published for one class.

    Attributes:
        rate_set: id of all rates that the place published.
        dimension: ``risk`` or ``credit``.
        lowest, highest: shares of the class; equal where the place named one.
        seen: the text of ``basis`` was at hand; otherwise it is shown as 待核.
    """

    rate_set: str
    is_default: bool
    title_zh: str
    dimension: str
    class_: str
    lowest: Fraction
    highest: Fraction
    frequency_zh: str
    basis: str
    seen: bool


@cache
def published_rates() -> tuple[PublishedRate, ...]:
    """Return the rows of ``data/reference/inspection_rates.csv``."""
    return tuple(
        PublishedRate(
            rate_set=row["rate_set"],
            is_default=row["is_default"] == "yes",
            title_zh=row["title_zh"],
            dimension=row["dimension"],
            class_=row["class"],
            lowest=Fraction(row["lowest"]),
            highest=Fraction(row["highest"]),
            frequency_zh=row["frequency_zh"],
            basis=row["basis"],
            seen=row["seen"] == "yes",
        )
        for row in (each.values for each in Reference().rows("inspection_rates.csv"))
    )


def default_set() -> str:
    """Return the id of the set that a plan takes where it names none."""
    return next(span.rate_set for span in published_rates() if span.is_default)


def parse_rate(text: str) -> Fraction:
    """Read an exact share: ``30%``, ``0.3`` or ``3/10``.

    Raises:
        ValueError: it is none, or does not lie from 0 to 1.
    """
    found = _RATE.fullmatch(text.strip())
    if not found or found[4] == "0":
        raise ValueError(f"{text!r} is no rate; write 30%, 0.3 or 3/10")
    rate = (
        Fraction(found[1]) / (100 if found[2] else 1) if found[1] else Fraction(int(found[3]), int(found[4]))
    )
    if rate > 1:
        raise ValueError(f"the rate {text!r} is more than the whole; write 30%, 0.3 or 3/10")
    return rate


def parse_own_rates(given: Iterable[str]) -> Rates:
    """Read the rates that a plan sets itself, such as ``risk:high=30%`` and ``credit:D=3/4``.

    Raises:
        ValueError: one names no class of a dimension, or gives no rate.
    """
    found: dict[str, dict[str, Fraction]] = {dimension: {} for dimension in DIMENSIONS}
    for text in given:
        name, _, rate = text.partition("=")
        dimension, _, of = name.partition(":")
        if dimension not in found or not of or not rate:
            raise ValueError(f"--rate {text!r}: write risk:high=30% or credit:D=3/4")
        found[dimension][of] = parse_rate(rate)
    return found


def parse_random(text: str) -> int | Fraction:
    """Read how much the random draw takes: ``10`` objects, or a share of all."""
    return int(text) if text.isascii() and text.isdigit() else parse_rate(text)


def rates_of(rate_set: str, own: Rates) -> Rates:
    """Return the rates of a plan: those of a published set, and those that the plan sets itself.

    Args:
        rate_set: id of a set, or empty: the plan's own rates alone.
        own: dimension -> class -> share; for a class whose published rate is a span it must lie inside.

    Raises:
        ValueError: there is no such set, a span has no own rate, an own rate lies outside its span, or there are no
            rates at all.
    """
    found: dict[str, dict[str, Fraction]] = {
        dimension: dict(own.get(dimension, {})) for dimension in DIMENSIONS
    }
    of_set = [span for span in published_rates() if span.rate_set == rate_set]
    if rate_set and not of_set:
        known = ", ".join(sorted({span.rate_set for span in published_rates()}))
        raise ValueError(f"no set of rates {rate_set!r}; there are {known}")
    for span in of_set:
        of_class = found[span.dimension]
        if span.class_ not in of_class and span.lowest < span.highest:
            raise ValueError(
                f"{rate_set} gives {span.lowest} to {span.highest} for {span.dimension} class {span.class_}:"
                f" say the rate, such as --rate {span.dimension}:{span.class_}={span.highest}"
            )
        rate = of_class.setdefault(span.class_, span.lowest)
        if span.lowest < span.highest and not span.lowest <= rate <= span.highest:
            raise ValueError(
                f"{span.dimension} class {span.class_}: {rate} lies outside {span.lowest} to {span.highest}"
                f" of {rate_set}; take another set or none"
            )
    if not any(found.values()):
        raise ValueError("a plan needs rates: name a set or give --rate")
    return found
