"""The cells of a sheet's rows as the second count finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pipelines.intake.readers.layout import Row


@dataclass
class Cells:
    """What stands in one row: its filled cells by column from 0, which of them are text, and what cannot be read."""

    filled: dict[int, str] = field(default_factory=dict)
    texts: set[int] = field(default_factory=set)
    in_doubt: set[int] = field(default_factory=set)  # formulas and errors


def finished(rows: Mapping[int, Cells], merged: Iterable[tuple[int, int, int]]) -> list[Row]:
    """Return rows by their number as those that are not blank.

    Args:
        rows: what stands in each row, by its number from 1.
        merged: top row, bottom row and first column from 0 of each merged area; its cell stands in each of the rows.
    """
    for row in rows.values():
        row.filled = {column: text for column, text in row.filled.items() if column not in row.in_doubt}
        row.texts -= row.in_doubt
    filled = {number: row for number, row in rows.items() if row.filled or row.in_doubt}
    for top, bottom, column in merged:
        above = rows.get(top, Cells())
        for number in range(top + 1, bottom + 1):
            below = filled.get(number)
            if below and column in above.filled and column not in {*below.filled, *below.in_doubt}:
                below.filled[column] = above.filled[column]
                below.texts |= above.texts & {column}
    return [
        Row(number, row.filled, frozenset(row.texts), frozenset(row.in_doubt))
        for number, row in sorted(filled.items())
    ]
