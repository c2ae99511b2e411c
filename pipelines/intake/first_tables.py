"""Which tables a file of an unknown sender fills, and which of its columns becomes which of ours.

The table that explains most of the columns comes first; another one follows only if it explains a column that the ones
before it leave, so that an opening sheet becomes bids and lots and not every table that has a bidder in a lot.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from pipelines.intake import vocabulary
from pipelines.intake.first_look import FirstLook, SeenColumn
from pipelines.intake.first_values import Doubt, FirstValues, Setting
from pipelines.intake.readers.headings import base_name
from pipelines.intake.schema import DERIVED, Column, TableSchema, table_schemas
from pipelines.intake.vocabulary import EXACT, TOO_CLOSE, Guess

#: What the readers add to a heading that stands twice and that nobody reads.
_REPEATED = re.compile(r" \(\d+\)$")

#: What exports of centres mostly are: of two tables that explain as much, the first of these.
_USUAL = ("bids", "lots", "awards", "candidates", "tenders")

#: What a person must know where no column has the lot's number.
_MADE_OF_TWO = Doubt("由项目和包号组成", "made of the project and the lot's number in it")
_PROJECT_ALONE = Doubt(
    "没有标段编号，一个项目只有一个标段时才可用项目编号", "no lot number: right if a project has one lot"
)
_NUMBER_ALONE = Doubt(
    "仅有标段序号，须在该来源全部文件中唯一", "only a place: it must be unique in all files"
)
_NAME_ALONE = Doubt(
    "没有编号列，暂以名称代替，名称须唯一", "no number: the name stands for it and must be unique"
)


@dataclass(frozen=True)
class Line:
    """One line of a draft: our column, the file's columns that fill it, how alike the names are, how it is read.

    ``seen`` are several columns where only together they name the lot.
    """

    column: Column
    seen: tuple[SeenColumn, ...]
    score: int
    setting: Setting


@dataclass(frozen=True)
class TableDraft:
    """One table: the lines that fill it, and what else a heading may mean: (our column, the file's, how alike).

    ``only_with``: the party without which a record of the file makes no row of this table, such as a lot without a winner.
    """

    schema: TableSchema
    lines: tuple[Line, ...]
    perhaps: tuple[tuple[str, SeenColumn, int], ...]
    only_with: tuple[str, ...] = ()

    def filled(self) -> set[str]:
        """Return our columns that are filled without an answer of anybody."""
        return {line.column.name for line in self.lines if not line.setting.is_open}

    def read(self) -> set[str]:
        """Return the names of the file's columns that any line reads."""
        return {seen.name for line in self.lines for seen in line.seen}

    def lacks(self) -> list[Column]:
        """Return the required columns that nothing fills."""
        filled = self.filled()
        return [
            column
            for column in self.schema.columns.values()
            if column.required
            and not (
                {column.name, *column.columns, column.code, column.name_column} & filled
                if column.type in DERIVED
                else column.name in filled
            )
        ]


def tables(look: FirstLook, values: FirstValues) -> tuple[list[TableDraft], list[TableDraft]]:
    """Return the tables that the file fills, the fullest first, and those that it would fill but for a required column."""
    lot = lot_line(look)
    drafts = [_draft(schema, look, values, lot) for schema in table_schemas().values()]
    drafts.sort(
        key=lambda each: (
            _USUAL.index(each.schema.table) if each.schema.table in _USUAL else len(_USUAL),
            each.schema.table,
        )
    )
    chosen: list[TableDraft] = []
    explained: set[str] = set()
    while fitting := [each for each in drafts if not each.lacks() and _is_worth_it(each, explained)]:
        best = max(fitting, key=lambda each: _gain(each, explained))
        chosen.append(_with_its_party(best, look, values) if chosen else best)
        explained |= best.read()
        drafts.remove(best)
    return chosen, [each for each in drafts if each.lacks() and _is_worth_it(each, explained)]


def _with_its_party(draft: TableDraft, look: FirstLook, values: FirstValues) -> TableDraft:
    """Say whose rows make a row of a further table, where some records name nobody."""
    parties = {
        name for party in draft.schema.parties if party.required for name in (party.code, party.name_column)
    }
    named = [line for line in draft.lines if line.column.name in parties & draft.filled()]
    is_left_empty = all(values.leaves_empty(seen, look.records) for line in named for seen in line.seen)
    return replace(draft, only_with=tuple(line.column.name for line in named)) if is_left_empty else draft


def _gain(draft: TableDraft, explained: Collection[str]) -> float:
    """Return how much of the file a table explains that is not explained yet: a resemblance counts for half."""
    return sum(
        1 if line.score == EXACT else line.score / EXACT / 2
        for line in draft.lines
        if not {seen.name for seen in line.seen} <= set(explained)
    )


def _is_worth_it(draft: TableDraft, explained: Collection[str]) -> bool:
    """Tell whether a table says what no table before it says: a known heading that is more than a number of its records."""
    return any(
        line.score == EXACT
        and not (line.column.name in draft.schema.key and line.column.type == "code")
        and not {seen.name for seen in line.seen} <= set(explained)
        for line in draft.lines
    )


def _draft(schema: TableSchema, look: FirstLook, values: FirstValues, lot: Line | None) -> TableDraft:
    """Fill one table as far as the headings go."""
    found: dict[str, list[tuple[Guess, SeenColumn]]] = {}
    perhaps: list[tuple[str, SeenColumn, int]] = []
    for seen in look.columns:
        guesses = vocabulary.known().guesses(seen.name, schema.table)
        if not guesses or _REPEATED.search(seen.name):
            continue
        first, *others = guesses
        if others and _are_too_close(first, others[0]):
            perhaps += [(guess.column, seen, guess.score) for guess in guesses]
        else:
            found.setdefault(first.column, []).append((first, seen))
    lines = []
    for name, choices in found.items():
        choices.sort(key=lambda choice: (-choice[0].score, choice[0].rank))
        (guess, seen), *rest = choices
        line = _line(schema, name, seen, guess.score, values)
        if line is not None:
            rivals = [other.name for like, other in rest if like.score == guess.score]
            lines.append(_undoubled(_with_rivals(line, rivals), look))
        perhaps += [(name, other, like.score) for like, other in rest]
    if "lot_id" in schema.columns:
        lines = [line for line in lines if line.column.name != "lot_id"]
        lines += [lot] if lot else []
    order = list(schema.columns)
    lines.sort(key=lambda line: order.index(line.column.name))
    return TableDraft(schema, tuple(lines), tuple(perhaps))


def _are_too_close(first: Guess, second: Guess) -> bool:
    """Tell whether nobody but a person can say which of two columns a heading means."""
    return first.score - second.score < TOO_CLOSE and (first.score < EXACT or first.rank == second.rank)


def _line(schema: TableSchema, name: str, seen: SeenColumn, score: int, values: FirstValues) -> Line | None:
    """Return the line of one column; None where a mere resemblance holds other things than the column."""
    if name.endswith("_at") and (day := f"{name.removesuffix('_at')}_on") in schema.columns:
        name = day if values.holds_days_only(seen) else name
    column = schema.columns[name]
    setting = values.setting(schema.table, column, seen)
    return None if score < EXACT and not setting.is_plausible else Line(column, (seen,), score, setting)


def _with_rivals(line: Line, rivals: Sequence[str]) -> Line:
    """Say that other columns of the file go by names of the same column of ours."""
    if not rivals:
        return line
    doubt = Doubt(f"也可能是 {'、'.join(rivals)}", f"or {', '.join(rivals)}")
    return replace(line, setting=replace(line.setting, doubts=(*line.setting.doubts, doubt)))


def _undoubled(line: Line, look: FirstLook) -> Line:
    """Ask where another column of the file has the same name but for its unit: such a file is refused at night."""
    name = _once(line.seen[0].name)
    same = [each.name for each in look.columns if _once(each.name) == name]
    if len(same) == 1:
        return line
    doubt = Doubt(
        f"列 {'、'.join(same)} 含义相同，文件中只能保留一列",
        f"columns {', '.join(same)} mean the same: keep one of them",
    )
    setting = replace(line.setting, doubts=(*line.setting.doubts, doubt), is_open=True)
    return replace(line, setting=setting)


def _once(heading: str) -> str:
    """Return the name that two columns may not share: a unit makes no other column, nor does the number of a repeated one."""
    return base_name(_REPEATED.sub("", heading))[0].casefold()


def lot_line(look: FirstLook) -> Line | None:
    """Return the line that says whose the rows are, the same in every table; None where the file does not say.

    It is the lot's number, else the project's with or without the lot's place in it, else a name.
    """
    column = table_schemas()["lots"].columns["lot_id"]
    known = vocabulary.known()
    projects = _exactly(look, "tender_id")
    guesses = [
        (guess, seen)
        for seen in look.columns
        if seen not in projects
        for table, schema in table_schemas().items()
        if "lot_id" in schema.columns
        for guess in known.guesses(seen.name, table)[:1]
        if guess.column == "lot_id"
    ]
    if guesses:
        guess, seen = min(guesses, key=lambda each: (-each[0].score, each[0].rank))
        return Line(column, (seen,), guess.score, Setting())
    numbers = [seen for seen in look.columns if vocabulary.compared(seen.name) in known.lot_numbers]
    tenders = _exactly(look, "tender_name")
    names = _exactly(look, "lot_name") or tenders
    if numbers and (projects or tenders):
        return Line(column, ((projects or tenders)[0], numbers[0]), 0, Setting(doubts=(_MADE_OF_TWO,)))
    for alone, doubt in ((projects, _PROJECT_ALONE), (numbers, _NUMBER_ALONE), (names, _NAME_ALONE)):
        if alone:
            return Line(column, (alone[0],), 0, Setting(doubts=(doubt,)))
    return None


def _exactly(look: FirstLook, column: str) -> list[SeenColumn]:
    """Return the columns of the file that go by a name of a column of lots."""
    known = vocabulary.known()
    return [
        seen
        for seen in look.columns
        for guess in known.guesses(seen.name, "lots")[:1]
        if guess.score == EXACT and guess.column == column
    ]
