"""What headings usually mean: the names of the built-in mappings, of the table schemas, and of ``known_headings.toml``.

A heading is compared as at night (`headings.base_name`). What no list has may resemble a known name: `rapidfuzz` says how
much, and two rules of the field say when likeness misleads. 招标人 (who buys) and 投标人 (who bids) differ by one
character of three, and 投标人代码 and 投标人名称 by two of five.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rapidfuzz import fuzz, process

from pipelines.intake import mapping
from pipelines.intake.readers.headings import LEVELS, base_name
from pipelines.intake.schema import DERIVED, table_schemas

EXACT = 100
#: Of a heading of two rows, such as 投标报价 over 首轮, whose upper row alone is known.
BY_UPPER_ROW = 90
#: Of a name that resembles a known one at least so much: 投标单位名 and 投标单位 are 89 of 100 alike.
ALIKE = 75
#: Two columns that a heading resembles almost equally: nobody but a person can tell which.
TOO_CLOSE = 6

_FILE = Path(__file__).parent / "known_headings.toml"

#: Whose a column is. A heading about a buyer never means a bidder; those of the second group must agree entirely.
_SIDES = {
    "招标": "buyer",
    "采购": "buyer",
    "业主": "buyer",
    "建设单位": "buyer",
    "发包": "buyer",
    "投标": "bidder",
    "响应": "bidder",
    "供应商": "bidder",
    "中标": "winner",
    "成交": "winner",
    "开标": "opening",
    "评标": "evaluation",
    "评审": "evaluation",
}
_SUBJECTS = (
    "代理",
    "候选",
    "保证金",
    "合同",
    "联系",
    "监督",
    "经理",
    "负责人",
    "法定代表",
    "联合体",
    "专家",
    "限价",
    "预算",
)
#: What a column holds, by how its heading ends.
_KINDS = {
    "phone": re.compile(r"(?:电话|手机|手机号码?|联系方式)$"),
    "document": re.compile(r"(?:证件号|身份证|身份证号|证件号码|身份证号码)$"),
    "count": re.compile(r"(?:数量|家数|人数)$"),
    "number": re.compile(r"(?:编号|编码|代码|号码|序号|号|code|id|no)$"),
    "time": re.compile(r"(?:时间|日期|时刻|截止|date|time)$"),
    "amount": re.compile(r"(?:价|价格|金额|价款|总额|限额|造价|price|amount)$"),
    "share": re.compile(r"(?:率|比例|系数)$"),
    "reason": re.compile(r"(?:原因|理由)$"),
    "name": re.compile(r"(?:名称|名|人|单位|机构|企业|公司|全称|name)$"),
}
_NAME_ENDING = re.compile(r"(?:单位名称|企业名称|名称|全称)$")


@dataclass(frozen=True)
class Guess:
    """Our column that a heading may mean, and how alike they are: `EXACT`, or less of 100. ``rank``: which list has it."""

    column: str
    score: int
    rank: int = 0


@dataclass(frozen=True)
class Vocabulary:
    """Known names of every table's columns.

    Attributes:
        names: table -> compared name -> our column -> rank of the list that has it, 0 for the first.
        nothing, lot_numbers: compared names of what no table needs, and of a lot's number inside its project.
        words: our column -> what a cell says -> our value.
        patterns: (table, column) -> patterns that mappings take its value out of a text with.
    """

    names: Mapping[str, Mapping[str, Mapping[str, int]]]
    nothing: frozenset[str]
    lot_numbers: frozenset[str]
    words: Mapping[str, Mapping[str, str]]
    patterns: Mapping[tuple[str, str], tuple[str, ...]]

    def guesses(self, heading: str, table: str) -> list[Guess]:
        """Return which columns of a table a heading may mean, the likeliest first.

        A heading of two rows is known by both of them or by the lower one; by the upper one it is guessed. A field inside an
        object (``bid.投标报价``) is known by its own name. One that a table
        knows resembles nothing in another: 统一社会信用代码 is no 招标人代码.
        """
        if compared(heading) in self.nothing | self.lot_numbers:
            return []
        upper, *lower = heading.split(LEVELS)
        parts = [heading, *lower, upper, *heading.split(".")[1:][-1:]]
        for part in map(compared, parts):
            if known := self.names[table].get(part):
                score = BY_UPPER_ROW if lower and part == compared(upper) else EXACT
                return sorted(
                    (Guess(c, score, rank) for c, rank in known.items()), key=lambda guess: guess.rank
                )
        # What stands around a record of JSON says many things of the answer that it came in: code, total, page.
        is_around = heading.startswith("../")
        if is_around or any(part in names for part in map(compared, parts) for names in self.names.values()):
            return []
        found: dict[str, Guess] = {}
        for guess in self._alike(compared(upper), table):
            found.setdefault(guess.column, guess)
        return sorted(found.values(), key=lambda guess: (-guess.score, guess.column))

    def _alike(self, name: str, table: str) -> Iterator[Guess]:
        known = {each: _stem(each) for each in self.names[table] if may_be_one(name, each)}
        alike = process.extract(_stem(name), known, scorer=fuzz.ratio, score_cutoff=ALIKE, limit=None)
        for _, score, each in alike:
            for column, rank in self.names[table][each].items():
                yield Guess(column, min(int(score), EXACT - 1), rank)


def compared(heading: str) -> str:
    """Return a heading as it is compared: its name without unit, brackets of no meaning, ``head:``, ``../``, blanks and
    underscores."""
    bare = heading.removeprefix("head:").lstrip("./")
    return re.sub(r"[\s_-]", "", base_name(bare)[0]).casefold()


def may_be_one(name: str, other: str) -> bool:
    """Tell whether two names can mean the same at all: they speak of one side and one kind of thing."""
    sides, others = ({side for word, side in _SIDES.items() if word in each} for each in (name, other))
    if not (sides <= others or others <= sides):
        return False
    if any((word in name) != (word in other) for word in _SUBJECTS):
        return False
    kinds = [kind_of(each) for each in (name, other)]
    return None in kinds or kinds[0] == kinds[1]


def kind_of(name: str) -> str | None:
    """Return what a column of this name holds, or None where its ending does not say."""
    return next((kind for kind, ending in _KINDS.items() if ending.search(name)), None)


def _stem(name: str) -> str:
    return _NAME_ENDING.sub("", name) or name


@cache
def known() -> Vocabulary:
    """Return everything that is known without the sender's help."""
    more = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    nothing, lot_numbers, words = more.pop("nothing"), more.pop("lot_number"), more.pop("words")
    ranked = _names(more)
    said: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    patterns: dict[tuple[str, str], list[str]] = defaultdict(list)
    for schema in table_schemas().values():
        for column in schema.columns.values():
            if column.type == "boolean":
                for value, texts in words.items():
                    for text in texts:
                        said[column.name][text].add(value)
    for rule in (rule for name in mapping.names() for rule in mapping.load(name).records):
        for column_name, value in rule.columns.items():
            for text, ours in value.values.items():
                said[column_name][text].add(ours)
            if value.pattern and value.pattern not in patterns[rule.table, column_name]:
                patterns[rule.table, column_name].append(value.pattern)
    return Vocabulary(
        names=ranked,
        nothing=frozenset(map(compared, nothing)),
        lot_numbers=frozenset(map(compared, lot_numbers)),
        # A code such as 1 means another thing with every sender, and so does a word with two meanings.
        words={
            column: {
                text: next(iter(ours))
                for text, ours in found.items()
                if len(ours) == 1 and not text.isdigit()
            }
            for column, found in said.items()
        },
        patterns={place: tuple(found) for place, found in patterns.items()},
    )


def _names(more: Mapping[str, Mapping[str, list[str]]]) -> dict[str, dict[str, dict[str, int]]]:
    """Return the names by table, from the most to the least certain list: schemas, known headings, mappings."""
    found: dict[str, dict[str, dict[str, int]]] = {table: defaultdict(dict) for table in table_schemas()}

    def add(table: str, column: str, name: str, rank: int) -> None:
        found[table][compared(name)].setdefault(column, rank)

    for schema in table_schemas().values():
        for column in schema.columns.values():
            if column.type not in DERIVED:
                add(schema.table, column.name, column.zh, 0)
                add(schema.table, column.name, column.name, 0)
    for table, columns in more.items():
        for column_name, headings in columns.items():
            for heading in headings:
                for other in _tables_of(table, column_name):
                    add(other, column_name, heading, 1)
    for rule in (rule for name in mapping.names() for rule in mapping.load(name).records):
        for column_name, value in rule.columns.items():
            for names in (value.source, *value.first_filled):
                for name in names:
                    for other in _tables_of(rule.table, column_name):
                        add(other, column_name, name, 2)
    return found


def _tables_of(table: str, column: str) -> list[str]:
    """Return the tables in which a column goes by the same names: who bids is called the same in all, else the table alone."""
    if column not in ("bidder_code", "bidder_name"):
        return [table]
    return [schema.table for schema in table_schemas().values() if column in schema.columns]
