"""Makes values from strangers harmless where people look at them: sheets, terminals, pages.

Names, titles and codes come from bidders. A name may be a spreadsheet formula, hold a terminal escape, or reverse the text
around it. Every value passes through `cell` into a spreadsheet and through `terminal` onto a screen. Both keep every
character readable; the exact text of a value stands in ``alerts.jsonl``.

The masks are those of the regulator's lists: ``410***********1234``, ``138****5678``, ``****1234``, ``张*``. A value that
has not the form of its kind is hidden altogether.
"""

from __future__ import annotations

import re
import unicodedata

#: First characters that make WPS, Excel or LibreOffice read a text as a formula. Compared after
#: NFKC, so that ＝ ＋ － ＠ and the small forms ﹦ ﹢ ﹣ ﹫ count as well.
FORMULA_STARTS = frozenset("=+-@")
_CONTROL_STARTS = frozenset("\t\r\n")

#: Unicode categories without a glyph of their own: controls, format characters (zero-width,
#: bidi), lone surrogates, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_NOT_XML = frozenset("\ufffe\uffff")

_MOBILE = re.compile(r"(?:(?:\+|00)?86)?(1\d{10})")
_LANDLINE = re.compile(r"(0\d{2,3})[-\s]?(\d{7,8})")
_ID_NUMBER = re.compile(r"\d{17}[\dXx]|\d{15}")
_ACCOUNT = re.compile(r"[0-9A-Za-z]{8,}")


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


def mask_person(name: str) -> str:
    """Return the first character of a personal name and a star: ``张*``, whatever its length."""
    seen = "".join(character for character in name if not _is_blank(character))
    return f"{seen[0]}*" if seen else ""


def mask_phone(phone: str) -> str:
    """Return ``138****5678`` for a mobile number, ``0391-***0001`` for a landline, else ``****``."""
    plain = phone.strip()
    if mobile := _MOBILE.fullmatch(re.sub(r"[-\s]", "", plain)):
        return f"{mobile[1][:3]}****{mobile[1][-4:]}"
    if landline := _LANDLINE.fullmatch(plain):
        area, number = landline.groups()
        return f"{area}-{'*' * (len(number) - 4)}{number[-4:]}"
    return "****" if plain else ""


def mask_id(number: str) -> str:
    """Return ``410***********1234`` for an identity number of 18 or 15 places, else ``****``."""
    plain = number.strip()
    if _ID_NUMBER.fullmatch(plain):
        return f"{plain[:3]}{'*' * (len(plain) - 7)}{plain[-4:]}"
    return "****" if plain else ""


def mask_account(account: str) -> str:
    """Return ``****1234`` for an account of eight places or more, else ``****``."""
    plain = re.sub(r"[-\s]", "", account)
    if _ACCOUNT.fullmatch(plain):
        return f"****{plain[-4:]}"
    return "****" if plain else ""


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in _UNSEEN


def _visible(character: str) -> str:
    if unicodedata.category(character) in _UNSEEN or character in _NOT_XML:
        return character.encode("unicode_escape").decode("ascii")
    return character
