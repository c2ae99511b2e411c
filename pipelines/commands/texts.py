"""What a desk says, in Chinese and in English.

A module keeps its texts together below its imports, each in both languages::

    TITLE = Both("线索 {day}：{count}", "Cases on {day}: {count}")

and a command says ``TITLE.in_(lang).format(day=day, count=3)``. What programs read, csv and json, keeps its names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")
Code = TypeVar("Code")


class Lang(StrEnum):
    """Language of what a person reads."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True)
class Both(Generic[T]):
    """One thing in both languages: a text, or the headings of a table."""

    zh: T
    en: T

    def in_(self, lang: Lang) -> T:
        """Return it in one language."""
        return self.zh if lang is Lang.ZH else self.en


def word(names_zh: Mapping[Code, str], code: Code, lang: Lang) -> str:
    """Return a code as a person reads it: its Chinese name; in English the code itself is the word."""
    return names_zh[code] if lang is Lang.ZH else str(code)


#: Between the names, the clauses and the commands of one line.
AND, COMMA, SEMICOLON = Both("、", ", "), Both("，", ", "), Both("；", "; ")
#: Every list of clues carries it; in English the Chinese formula of the office stands beside its meaning.
STATEMENT = Both(
    "本线索由数据分析产生，仅供核查参考，不作为认定违法事实的依据。",
    "Clues come from data analysis, are for checking only, and prove no violation"
    " (本线索由数据分析产生，仅供核查参考，不作为认定违法事实的依据。)",
)
