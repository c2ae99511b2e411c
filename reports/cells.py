"""Makes values from strangers harmless where people look at them: sheets, terminals, pages.

Names, titles and codes come from bidders. A name may be a spreadsheet formula, hold a terminal escape, or reverse the text
around it. Every value passes through `cell` into a spreadsheet and through `terminal` onto a screen. Both keep every
character readable; the exact text of a value stands in ``alerts.jsonl``.
"""

from __future__ import annotations

import unicodedata

#: First characters that make WPS, Excel or LibreOffice read a text as a formula. Compared after
#: NFKC, so that ＝ ＋ － ＠ and the small forms ﹦ ﹢ ﹣ ﹫ count as well.
FORMULA_STARTS = frozenset("=+-@")
_CONTROL_STARTS = frozenset("\t\r\n")

#: Unicode categories without a glyph of their own: controls, format characters (zero-width,
#: bidi), lone surrogates, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NOT_XML = frozenset("\ufffe\uffff")


def terminal(text: str) -> str:
    r"""Return ``text`` with every invisible character written out, as ``\x1b`` or ``\u202e``.

    What remains has no line break, no escape sequence and no change of direction. Print it as plain
    text: markup such as rich's ``[red]`` is left alone.
    """
    return "".join(_visible(character) for character in text)


def cell(text: str) -> str:
    """Return ``text`` as it may stand in a spreadsheet cell, in CSV as in xlsx.

    A text that a spreadsheet could run gets a ``'`` in front; invisible characters are written out. A second pass changes
    nothing. Numbers belong in numeric columns and do not pass through here.
    """
    seen = "".join(character for character in text if not _is_blank(character))
    runs = unicodedata.normalize("NFKC", seen[:1])[:1] in FORMULA_STARTS or text[:1] in _CONTROL_STARTS
    return ("'" if runs else "") + terminal(text)


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in _UNSEEN


def _visible(character: str) -> str:
    if unicodedata.category(character) in _UNSEEN or character in _NOT_XML:
        return character.encode("unicode_escape").decode("ascii")
    return character
