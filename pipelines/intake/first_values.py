"""How the texts of a column would be read: tried with the SQL of the night, on the texts of a first look.

A setting that only the sender knows, such as the unit of a price, is asked and not chosen: its line stays commented out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from pipelines.intake.columns import FALSE, TRUE, References
from pipelines.intake.first_look import FirstLook, SeenColumn
from pipelines.intake.readers.headings import MONEY_UNITS, SHARE_UNITS, unit_of
from pipelines.intake.schema import GUARDED, Column
from pipelines.intake.vocabulary import Vocabulary, compared
from pipelines.values import amounts, codes, time_texts
from pipelines.values.literals import quoted

ZONE = "Asia/Shanghai"

#: A column with more different words than this is running text and no code.
MOST_WORDS = 30

#: Labels above a table, or fields beside an amount, that state its unit; as they are compared.
_UNIT_LABELS = frozenset(
    ("单位", "金额单位", "货币单位", "计量单位", "价格单位", "报价单位", "priceunit", "unit")
)

#: Digits of seconds since 1970, from 1973 on.
_EPOCH_DIGITS = 9

#: Forms of times and days besides those that are read without being named.
_OTHER_TIMES = (
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
)
_OTHER_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%y-%m-%d", "%y/%m/%d")


@dataclass(frozen=True)
class Doubt:
    """What a person must know or decide about a line, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Setting:
    """How a column is read.

    Attributes:
        text: settings behind ``from``, in TOML, beginning with a comma; empty if there are none.
        words: word of the sender -> ours, None where nobody knows; becomes a dictionary.
        unread: texts that would not be read.
        of: how many texts were tried.
        doubts: what a person must know.
        is_open: the line cannot stand without a person's answer.
    """

    text: str = ""
    words: tuple[tuple[str, str | None], ...] = ()
    unread: tuple[str, ...] = ()
    of: int = 0
    doubts: tuple[Doubt, ...] = ()
    is_open: bool = False

    @property
    def is_plausible(self) -> bool:
        """Tell whether most of the texts are what such a column holds."""
        return 2 * len(self.unread) <= self.of


class FirstValues:
    """Tries settings on the texts of a first look."""

    def __init__(
        self, look: FirstLook, known: Vocabulary, references: References, con: duckdb.DuckDBPyConnection
    ) -> None:
        self._look = look
        self._known = known
        self._nothing = references.placeholders.get("any", frozenset()) | {""}
        self._con = con

    def setting(self, table: str, column: Column, seen: SeenColumn) -> Setting:
        """Return how a column of the file is read as a column of ours."""
        texts = self._texts(seen)
        if column.type in GUARDED:
            return Setting(of=len(texts))
        match column.type:
            case "money":
                found = self._money(seen, texts)
            case "share":
                found = self._share(seen, texts)
            case "integer":
                found = self._integer(table, column, texts)
            case "score":
                found = Setting(unread=self._unread(amounts.score("x"), texts))
            case "timestamp":
                found = self._time(texts)
            case "date":
                found = self._day(texts)
            case "choice" | "boolean" | "currency":
                found = self._words(column, texts)
            case "party_code":
                found = Setting(unread=self._unread(codes.chinese_party("x"), texts))
            case _:
                found = Setting()
        return replace(found, of=len(texts))

    def holds_days_only(self, seen: SeenColumn) -> bool:
        """Tell whether the texts of a column are days without an hour."""
        texts = self._texts(seen)
        no_time = len(self._unread(time_texts.timestamp("x", (), ZONE), texts)) == len(texts)
        return bool(texts) and no_time and not self._day(texts).unread

    def leaves_empty(self, seen: SeenColumn, records: int) -> bool:
        """Tell whether some records have nothing in a column, or what stands for nothing."""
        return seen.filled < records or any(_plain(text).upper() in self._nothing for text in seen.values)

    def _texts(self, seen: SeenColumn) -> list[str]:
        return list(dict.fromkeys(t for t in map(_plain, seen.values) if t.upper() not in self._nothing))

    def _unread(self, typed: str, texts: Sequence[str]) -> tuple[str, ...]:
        """Return the texts ``x`` of which the SQL gives no value."""
        if not texts:
            return ()
        self._con.register("tried", pa.table({"n": range(len(texts)), "x": pa.array(texts, pa.string())}))
        try:
            rows = self._con.execute(f"SELECT x FROM tried WHERE ({typed}) IS NULL ORDER BY n").fetchall()
        finally:
            self._con.unregister("tried")
        return tuple(text for (text,) in rows)

    def _money(self, seen: SeenColumn, texts: list[str]) -> Setting:
        # Whatever the unit is, a number is a number; a text that names its own unit is read in any.
        unread = self._unread(amounts.money("x", "1", None), texts)
        if unit_of(seen.name) in MONEY_UNITS:
            return Setting(", unit_in_header = true", unread=unread)
        for label in self._look.columns:
            if (
                compared(label.name) in _UNIT_LABELS
                and label.values
                and set(label.values) <= set(MONEY_UNITS)
            ):
                units = ", ".join(f'"{unit}" = {factor}' for unit, factor in MONEY_UNITS.items())
                return Setting(f', unit_from = ["{label.name}"], units = {{ {units} }}', unread=unread)
        if (
            texts
            and len(unread) < len(texts)
            and self._unread(amounts.money("x", None, None), texts) == unread
        ):
            return Setting(_units_in_cells(texts), unread=unread)
        asked = Doubt(
            "列名未注明单位，元填 1，万元填 10000", "the unit is not stated: 1 for yuan, 10000 for 万元"
        )
        return Setting(", unit = 1", unread=unread, doubts=(asked,), is_open=True)

    def _share(self, seen: SeenColumn, texts: list[str]) -> Setting:
        unread = self._unread(amounts.share("x", "1"), texts)
        if unit_of(seen.name) in SHARE_UNITS:
            return Setting(", unit_in_header = true", unread=unread)
        if texts and all(text.endswith("%") for text in texts):
            return Setting(", unit = 0.01", unread=unread)
        asked = Doubt(
            "列名未注明单位，百分数填 0.01，小数填 1",
            "the unit is not stated: 0.01 for per cent, 1 for a share",
        )
        return Setting(", unit = 0.01", unread=unread, doubts=(asked,), is_open=True)

    def _integer(self, table: str, column: Column, texts: list[str]) -> Setting:
        best = Setting(unread=self._unread(amounts.integer("x"), texts))
        for pattern in self._known.patterns.get((table, column.name), ()):
            taken = f"array_to_string(regexp_extract_all(x, {quoted(pattern)}, 1), ';')"
            unread = self._unread(amounts.integer(taken), texts)
            if len(unread) < len(best.unread) and "'" not in pattern:
                best = Setting(f", pattern = '{pattern}'", unread=unread)
        return best

    def _time(self, texts: list[str]) -> Setting:
        unread = self._unread(time_texts.timestamp("x", (), ZONE), texts)
        if not unread:
            return Setting()
        found = self._formats(
            [("iso",), _counted(texts), *((each,) for each in _OTHER_TIMES)], texts, is_day=False
        )
        if found is None and not self._unread(time_texts.date("x", (), ZONE), texts):
            only = Doubt("只有日期，没有时刻，此列读不出时间", "days without an hour: no time is read")
            return Setting(unread=unread, doubts=(only,))
        return found or Setting(unread=unread)

    def _day(self, texts: list[str]) -> Setting:
        unread = self._unread(time_texts.date("x", (), ZONE), texts)
        if not unread:
            return Setting()
        found = self._formats(
            [("iso",), _counted(texts), *((each,) for each in _OTHER_DAYS)], texts, is_day=True
        )
        return found or Setting(unread=unread)

    def _formats(self, tried: list[tuple[str, ...]], texts: list[str], *, is_day: bool) -> Setting | None:
        """Return the formats that read every text; a question where several do: 03/04 may be two days."""
        read = time_texts.date if is_day else time_texts.timestamp
        fitting = [formats for formats in tried if not self._unread(read("x", formats, ZONE), texts)]
        if not fitting:
            return None
        text = f', formats = ["{fitting[0][0]}"]'
        if len(fitting) == 1:
            return Setting(text)
        others = "、".join(formats[0] for formats in fitting[1:])
        asked = Doubt(f"格式无法确定，也可能是 {others}", f"the order is not certain, perhaps {others}")
        return Setting(text, doubts=(asked,), is_open=True)

    def _words(self, column: Column, texts: list[str]) -> Setting:
        plain = dict.fromkeys(TRUE, "true") | dict.fromkeys(FALSE, "false")
        own = {value.upper(): value for value in column.values} | (plain if column.type == "boolean" else {})
        if column.type == "currency":
            own = {text: text for text in texts if text.isascii() and text.isalpha() and len(text) == 3}
        if all(text.upper() in own for text in texts):
            return Setting()
        if len(texts) > MOST_WORDS:
            asked = Doubt(
                f"超过 {MOST_WORDS} 种不同文字，请写 pattern 和 dictionary",
                f"more than {MOST_WORDS} different texts: write a pattern and a dictionary",
            )
            return Setting(unread=tuple(texts), doubts=(asked,), is_open=True)
        known = self._known.words.get(column.name, {})
        # 不通过 holds 通过: what says yes or no is known as a whole or not at all.
        in_part = column.type == "choice"
        said = tuple(
            (text, own.get(text.upper()) or _meaning(text, known, in_part=in_part)) for text in texts
        )
        unknown = tuple(text for text, ours in said if ours is None)
        return Setting(words=said, unread=unknown, is_open=len(unknown) == len(texts))


def _units_in_cells(texts: Sequence[str]) -> str:
    """Return the setting for cells that all state their own unit, with the units that they state."""
    behind = {found[1] for text in texts if (found := re.search(r"[0-9]\s*(\D+?)\s*(?:整|\(|$)", text))}
    units = {unit: factor for unit, factor in amounts.UNITS.items() if unit in behind}
    listed = ", ".join(f'"{unit}" = {factor}' for unit, factor in units.items())
    return f", unit_in_cell = {{ {listed} }}"


def _counted(texts: Sequence[str]) -> tuple[str]:
    """Return what numbers count: days of a spreadsheet, or seconds, which have more digits."""
    is_day = all(len(text.partition(".")[0]) < _EPOCH_DIGITS for text in texts)
    return ("serial",) if is_day else ("epoch",)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _meaning(text: str, known: Mapping[str, str], *, in_part: bool) -> str | None:
    """Return what a text means: a known word, or the first known word in it, the longest of those that begin there."""
    if text in known or not in_part:
        return known.get(text)
    places = [(text.find(word), -len(word), ours) for word, ours in known.items() if word in text]
    return min(places)[2] if places else None
