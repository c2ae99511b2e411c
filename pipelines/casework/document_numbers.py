"""Numbers of official papers (发文字号), such as ``修发改函〔2026〕12号``: the office's mark, the year, the running number.

The brackets are 〔〕, the year has four digits, and there is no 第 and no leading zero. A number that is typed otherwise
could not be found again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_WHOLE = re.compile(r"([^\d\s〔〕\[\]()（）【】]+)〔([0-9]{4})〕([1-9][0-9]{0,4})号")
_OTHER_BRACKETS = {"[": "]", "(": ")", "（": "）", "【": "】", "［": "］", "<": ">", "﹝": "﹞"}
_EXAMPLE = "修发改函〔2026〕12号"


@dataclass(frozen=True)
class DocumentNumber:
    """One number: the office's mark (机关代字), the year, the running number."""

    mark: str
    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.mark}〔{self.year}〕{self.number}号"


def parse(text: str) -> DocumentNumber:
    """Return what a number says.

    Raises:
        ValueError: it is not written as such numbers are; the message says what is wrong.
    """
    whole = text.strip()
    found = _WHOLE.fullmatch(whole)
    if found and "第" not in found[1]:
        return DocumentNumber(found[1], int(found[2]), int(found[3]))
    raise ValueError(
        f"document number {text!r}: {_fault(whole)}; write it as {_EXAMPLE} / 文号应写作 {_EXAMPLE}"
    )


def _fault(text: str) -> str:
    if not text:
        return "it is empty"
    if wrong := next((mark for mark in _OTHER_BRACKETS if mark in text), None):
        return f"the year stands in {wrong}{_OTHER_BRACKETS[wrong]}, it belongs in hexagonal brackets 〔〕"
    if "第" in text:
        return "there is no 第 in a document number"
    if "〔" not in text or "〕" not in text:
        return "the year in hexagonal brackets 〔〕 is missing"
    mark, _, rest = text.partition("〔")
    year, _, number = rest.partition("〕")
    if not mark.strip():
        return "the mark of the office before the year is missing"
    if re.fullmatch(r"[0-9]{2}", year):
        return f"the year {year!r} has two digits, it needs four"
    if not re.fullmatch(r"[0-9]{4}", year):
        return f"{year!r} is no year"
    if not number.endswith("号"):
        return "号 at the end is missing"
    if re.fullmatch(r"0[0-9]*号", number):
        return "the number has a leading zero"
    if not re.fullmatch(r"[0-9]+号", number):
        return f"{number[:-1]!r} is no number"
    return "blanks, brackets or digits stand where they do not belong"
