"""What a heading says: its name, the unit it states, and which of the mapping's names it is.

The search for the header of a sheet and the search for a column ask the same question here, so that they cannot
disagree: a heading that makes a row the header is also found as a column.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache

from pipelines.intake.readers import RAW_PATH, RAW_ROW, FileRefused

#: Units that a heading may state, as a factor to the base unit.
MONEY_UNITS = {"元": 1, "千元": 1_000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}
SHARE_UNITS = {"%": 0.01}
HEADING_UNITS = MONEY_UNITS | SHARE_UNITS

#: Between the two levels of a heading of two rows, as in ``投标报价 > 小写``. No sheet writes it.
LEVELS = " > "

#: Units as headings write them, inside brackets or behind the name.
_UNIT_WORDS = {unit: unit for unit in HEADING_UNITS} | {
    "千": "千元",
    "万": "万元",
    "百万": "百万元",
    "亿": "亿元",
    "人民币元": "元",
    "百分比": "%",
    "百分数": "%",
}
_CURRENCY = r"(?:人民币|RMB|CNY|¥)"
_STATED = re.compile(
    rf"(?:不?含税价?[,，、/;；])?(?:(?:金额|货币|计量)?单位|币种)?[:：]?(?:{_CURRENCY})?[:：/,，、]?"
    rf"(?P<unit>元|千元?|百万元?|万元?|亿元?|%|百分[比数])?[/,，、:：]?(?:{_CURRENCY}|整|不?含税价?)?"
)
#: What brackets may add to a heading without making it another one.
_NEUTRAL = re.compile(
    r"(?:小写|数字|阿拉伯数字|数值|金额|含税价?|含增值税|必填|全称|名称|盖章|公章|加盖公章|签章|\*){1,2}"
)
_BRACKETS = re.compile(r"[(\[【](?P<said>[^()\[\]【】]*)[)\]】]$")
#: Behind the name without brackets: ``投标报价:万元``, ``投标报价/元``, ``投标报价万元``.
_BEHIND = re.compile(
    rf"(?<=.)(?:[:：/,，、_—-](?:单位[:：]?)?|单位[:：]?)?(?:{_CURRENCY})?(?P<unit>千元|百万元|万元|亿元|元)$"
)


def checked(names: Sequence[str], place: str) -> tuple[str, ...]:
    """Return the names as found.

    Args:
        names: the header.
        place: where it stands, for the message, e.g. ``line 1``.

    Raises:
        FileRefused: a name is empty, stands twice (blanks around it do not make it another
            name), or is one that the reader adds itself.
    """
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise FileRefused(
                "EMPTY_COLUMN",
                f"{place}: column {number} has no name; name it or delete it",
                f"{place}：第 {number} 列没有列名；请补充列名或删除该列",
            )
    repeated = [name for name, times in Counter(name.strip() for name in names).items() if times > 1]
    if repeated:
        raise FileRefused(
            "DUPLICATE_COLUMN",
            f"{place}: the column name {repeated[0]!r} stands twice; rename or delete one of them",
            f"{place}：列名“{repeated[0]}”重复；请重命名或删除其中之一",
        )
    for name in names:
        if name in (RAW_ROW, RAW_PATH):
            raise FileRefused(
                "RESERVED_COLUMN",
                f"{place}: the column name {name!r} is used by bidwatch itself; rename it",
                f"{place}：列名“{name}”为系统保留；请重命名",
            )
    return tuple(names)


def named(names: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Return the names of a header so that each stands once; only names that are read must be unambiguous.

    A column without a name becomes ``column:C``, and one that nobody reads and whose name stands twice ``name (2)``.

    Args:
        names: the header, blank where it has none.
        wanted: the names that the mapping reads; without any, every name may be read.
    """
    seen: Counter[str] = Counter()
    result = []
    for number, name in enumerate(names, 1):
        name = name.strip()
        if not name or name in (RAW_ROW, RAW_PATH):
            name = f"column:{column_letters(number)}"
        seen[name] += 1
        is_read = not wanted or is_one_of(name, wanted)
        result.append(name if seen[name] == 1 or is_read else f"{name} ({seen[name]})")
    return result


@lru_cache(maxsize=4096)
def base_name(heading: str) -> tuple[str, str | None]:
    """Split a heading into the compared name and the unit it states.

    ``投标报价（万元）`` gives ``("投标报价", "万元")``, ``投标报价（人民币：元）（小写）`` gives ``("投标报价", "元")``.
    Brackets that may make it another thing, as in ``投标报价（大写）`` or ``报价（元/吨）``, are part of the name.
    """
    plain = "".join(unicodedata.normalize("NFKC", heading).split()).strip("*※")
    name, unit = plain, None
    while found := _BRACKETS.search(name):
        stated = _STATED.fullmatch(found["said"])
        if not found.start() or not (stated or _NEUTRAL.fullmatch(found["said"])):
            break
        if stated and stated["unit"]:
            if unit is not None:
                break
            unit = _UNIT_WORDS[stated["unit"]]
        name = name[: found.start()]
    if unit is None and name not in _UNIT_WORDS and (found := _BEHIND.search(name)):
        return name[: found.start()], found["unit"]
    return name, unit


def find_column(names: Iterable[str], columns: Sequence[str]) -> str | None:
    """Return the one column of a file that goes by one of ``names``, or None.

    A unit or the like behind the name does not matter. Case does where it must, and the lower level of a heading of two
    rows is looked at last.

    Raises:
        FileRefused: two columns of the file go by these names.
    """
    names = set(names)
    for found in _found(names, columns):
        if len(found) > 1:
            raise FileRefused(
                "DOUBLED_COLUMN",
                f"columns {', '.join(map(repr, found))} mean the same; keep one of them",
                f"列 {'、'.join(found)} 含义相同，请只保留一列",
            )
        if found:
            return found[0]
    return None


def is_one_of(heading: str, names: Collection[str]) -> bool:
    """Tell whether a heading goes by one of ``names``, as ``find_column`` would find it."""
    return any(_found(set(names), (heading,)))


def unit_of(column: str) -> str | None:
    """Return the unit that a column's heading states, in either of its levels."""
    return next(
        filter(None, (base_name(level)[1] for level in (column, *reversed(column.split(LEVELS))))), None
    )


def _found(names: set[str], columns: Sequence[str]) -> tuple[list[str], ...]:
    """Return the columns that go by ``names``: as written, in other case, by the lower of their levels."""
    wanted = {base_name(name)[0] for name in names} | names
    folded = {name.casefold() for name in wanted}
    return (
        [column for column in columns if column in wanted or base_name(column)[0] in wanted],
        [column for column in columns if base_name(column)[0].casefold() in folded],
        [
            column
            for column in columns
            if LEVELS in column and base_name(column.rpartition(LEVELS)[2])[0].casefold() in folded
        ],
    )


def joined(parent: str, child: str) -> str:
    """Return the name of a column whose heading has two levels, such as ``投标报价（元）`` over ``小写``."""
    parent, child = parent.strip(), child.strip()
    if not child or not parent or parent == child:
        return parent or child
    plain = "".join(unicodedata.normalize("NFKC", child).split())
    if _NEUTRAL.fullmatch(plain) or _STATED.fullmatch(plain):
        return f"{parent}（{child}）"
    name, unit = base_name(child)
    if unit and _NEUTRAL.fullmatch(name):
        return f"{parent}（{name}）（{unit}）"
    return f"{parent}{LEVELS}{child}"


def column_letters(number: int) -> str:
    """Return ``A`` for 1, ``AB`` for 28."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
