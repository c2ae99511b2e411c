"""Column names of flat files: every one present, and each once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipelines.intake.readers import RAW_PATH, RAW_ROW, FileRefused


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
