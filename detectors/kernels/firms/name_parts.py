"""What the name of an organisation is made of: places, brand and trade, form of the legal person, branch."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from detectors.kernels.firms.traditional import SIMPLIFIED, TRADITIONAL

_TO_SIMPLIFIED = str.maketrans(TRADITIONAL, SIMPLIFIED)

#: Endings of place names that are left out in short forms.
_PLACE_ENDINGS = (
    "特别行政区",
    "自治区",
    "自治州",
    "自治县",
    "地区",
    "省",
    "市",
    "县",
    "区",
    "州",
    "盟",
    "旗",
)
_LONGEST_PLACE = 12  # characters, of the longest short form in data/reference/regions.csv

_MARKS = re.compile(r"[\W_]+")
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
_BRANCH = re.compile(
    r"^(.+?(?:公司|院|厂|所|中心|集团))(.*(?:分公司|分院|分所|分厂|办事处|项目部|经理部|营业部))$"
)
_FORMS = (
    (re.compile(r"股份有限公司$|股份公司$"), "股份"),
    (re.compile(r"有限责任公司$|有限公司$"), "有限"),
    (re.compile(r"公司$"), "公司"),
)
_NUMERALS = re.compile(r"[0-9一二三四五六七八九十]")


def taken_apart(names: pd.Series, places: Collection[str]) -> pd.DataFrame:
    """Take names of organisations apart into what can be compared.

    Args:
        names: as delivered, not null.
        places: names of regions, long forms (``焦作市``); their short forms count, too.

    Returns:
        Aligned with ``names``: ``place`` (the places at the front or in brackets, short, blank between
        them), ``core`` (brand and trade), ``numerals`` (in the core), ``form`` (of the legal person:
        有限, 股份, 公司 or empty), ``branch`` (what follows the head office's name).
    """
    known = {short for place in places for short in (place, _short(place))}
    plain = names.str.normalize("NFKC").str.translate(_TO_SIMPLIFIED).str.upper()
    distinct = plain.drop_duplicates()
    rows = [_parts(name, known) for name in distinct]
    columns = ["place", "core", "numerals", "form", "branch"]
    parts = pd.DataFrame(rows, index=distinct.to_numpy(), columns=columns, dtype="str")
    return parts.reindex(plain.to_numpy()).set_axis(names.index)


def _short(place: str) -> str:
    for ending in _PLACE_ENDINGS:
        if place.endswith(ending) and len(place) - len(ending) >= 2:
            return place.removesuffix(ending)
    return place


def _parts(name: str, known: set[str]) -> tuple[str, str, str, str, str]:
    """Return place, core, numerals, form and branch of one name in simplified, half-width characters."""
    places = [inside for inside in _IN_BRACKETS.findall(name) if inside in known]
    for place in places:
        name = name.replace(f"({place})", "")
    name = _MARKS.sub("", name)
    branch = ""
    if found := _BRANCH.match(name):
        name, branch = found[1], found[2]
    form = ""
    for ending, form_name in _FORMS:
        if ending.search(name):
            name, form = ending.sub("", name), form_name
            break
    while place := _leading_place(name, known):
        places.append(place)
        name = name[len(place) :]
    shorts = sorted({_short(place) for place in places})
    return " ".join(shorts), name, "".join(_NUMERALS.findall(name)), form, branch


def _leading_place(name: str, known: set[str]) -> str:
    """Return the longest place at the front that leaves at least two characters of the name."""
    for length in range(min(_LONGEST_PLACE, len(name) - 2), 1, -1):
        if name[:length] in known:
            return name[:length]
    return ""
