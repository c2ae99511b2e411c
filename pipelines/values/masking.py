"""Personal numbers inside running text become keyed tokens, as SQL over a column of texts.

Replaced are identity numbers, phones, e-mail addresses and account numbers; the same number gives the
token that it has in any other column. Kept are amounts, credit codes, dates, and numbers that a word
before them calls a number of something else (编号, 证书号, 代码). A run of 16 to 19 digits that nothing
explains counts as an account. Names of persons stay: no rule tells them from other words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from pipelines.values import codes, tokens
from pipelines.values.literals import listed, quoted

KINDS = ("email", "id_number", "account", "phone")

_FULL_WIDTH, _HALF_WIDTH = "０１２３４５６７８９＠", "0123456789@"

_ID_WORDS = "身份证|证件号"
_ACCOUNT_WORDS = "账号|帐号|账户|帐户|卡号|(?i:account)"
_PHONE_WORDS = "电话|手机|联系方式|传真|热线|(?i:tel|fax|phone|mobile)"
_NUMBER_WORDS = "编号|编码|代码|标段|包号|文号|合同号|证书号|证号|注册号|批号|许可|发票|图号"

_EMAIL = r"[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+"
_AMOUNT = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+\.[0-9]+"
_MOBILE = r"(?:86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}"
_FIXED = r"0[1-9][0-9]{1,2}[)）]?[- ]?[0-9]{7,8}"
_SPACED_ID = r"[0-9]{6}[- ][0-9]{8}[- ][0-9]{3}[0-9Xx]"
_CARD = r"62[0-9]{2}(?:[- ][0-9]{4}){3}(?:[- ]?[0-9]{1,3})?"
_KNOWN = f"{_MOBILE}|{_FIXED}|{_SPACED_ID}|{_CARD}"
_GAP = "[^0-9A-Za-z]{0,8}"

#: What may be a personal number, with the word before it that says what it is. Amounts are found too, so
#: that no part of them is taken for something else. RE2 takes the first alternative that fits.
_CANDIDATE = "|".join(
    (
        _EMAIL,
        rf"(?:{_ACCOUNT_WORDS}){_GAP}[0-9](?:[- ]?[0-9]){{7,29}}\b",
        rf"(?:{_ID_WORDS}|{_PHONE_WORDS}|{_NUMBER_WORDS}){_GAP}(?:(?:{_KNOWN})\b|[0-9]+(?:-[0-9]+)*[Xx]?)",
        _AMOUNT,
        rf"\b(?:{_KNOWN}|[0-9]{{11,30}}[Xx]?)\b",
    )
)

#: Born before 2013: a lot number often has the same form, with the year of the tender.
_BORN = "[0-9]{5}(?:1[89][0-9]{2}|200[0-9]|201[0-2])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]"
#: A date, perhaps behind a region code, and a serial number: how centres number their lots.
_NUMBERING = "(?:[1-8][0-9]{5})?20(?:1[3-9]|[2-9][0-9])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]*"


_OF_A_PERSON = re.compile(
    rf"{_EMAIL}|(?<![0-9])(?:{_MOBILE}|{_FIXED}|{_SPACED_ID}|{_CARD}|[1-9]{_BORN})(?![0-9])"
)


def may_be_personal(text: str) -> bool:
    """Tell whether a text may hold the number or address of a person, so that it is not shown to check a file."""
    return bool(_OF_A_PERSON.search(unicodedata.normalize("NFKC", text).upper()))


def masked(key: bytes, x: str, placeholders: Mapping[str, frozenset[str]]) -> str:
    """SQL of the text ``x`` with tokens in the place of personal numbers.

    Full-width digits become plain ones. A number that stands for nobody (13800138000) stays.

    Args:
        key: secret key of the tokens.
        x: SQL of a text.
        placeholders: kind -> texts that stand for nothing.
    """
    plain = _half_width(x)
    between = f"regexp_split_to_array({plain}, {quoted(_CANDIDATE)})"
    shown = (
        f"list_transform({_found(key, plain, placeholders)},"
        " lambda f: f.before || coalesce(f.token, f.number))"
    )
    joined = f"array_to_string(list_transform(list_zip({between}, {shown}), lambda z: z[1] || coalesce(z[2], '')), '')"
    return f"CASE WHEN {_may_hold_any(plain)} THEN {joined} ELSE {plain} END"


def clear(key: bytes, x: str, placeholders: Mapping[str, frozenset[str]]) -> str:
    """SQL of what ``masked`` replaces in ``x``: a list of ``kind``, ``token`` and ``plain``, for the vault."""
    plain = _half_width(x)
    found = f"list_filter({_found(key, plain, placeholders)}, lambda f: f.token IS NOT NULL)"
    return f"CASE WHEN {_may_hold_any(plain)} THEN {found} ELSE [] END"


def hidden(text: str) -> str:
    """Return a text for a screen, ``***`` in the place of whatever may be a personal number or address."""
    return re.sub(r"[\w.%+-]+[@＠][\w.-]+|\d[\d -]{5,}[\dXxＸｘ]", "***", text)


def _half_width(x: str) -> str:
    return f"translate({x}, '{_FULL_WIDTH}', '{_HALF_WIDTH}')"


def _may_hold_any(x: str) -> str:
    return f"regexp_matches({x}, '[0-9][0-9() )（）-]{{5}}|@')"


def _found(key: bytes, x: str, placeholders: Mapping[str, frozenset[str]]) -> str:
    """SQL of a list with an entry for each candidate: before, number, digits, kind, plain and token."""
    plain = " ".join(f"WHEN {quoted(kind)} THEN {tokens.normalised(kind, 'f.number')}" for kind in KINDS)
    nobody = listed(_bare(text) for kind in KINDS for text in placeholders.get(kind, ()))
    token = f"CASE WHEN f.plain NOT IN ({nobody}) THEN {tokens.token(key, 'f.kind', 'f.plain')} END"
    entries = (
        f"list_transform(regexp_extract_all({x}, {quoted(_CANDIDATE)}), lambda m:"
        " {m: m, before: CASE WHEN contains(m, '@') THEN '' ELSE regexp_extract(m, '^[^0-9]*') END})"
    )
    for fields in (
        {"number": "substr(f.m, length(f.before) + 1)"},
        {"digits": "regexp_replace(upper(f.number), '[^0-9X]', '', 'g')"},
        {"kind": _kind("f.before", "f.digits")},
        {"plain": f"CASE f.kind {plain} END"},
        {"token": token},
    ):
        added = ", ".join(f"{name} := {sql}" for name, sql in fields.items())
        entries = f"list_transform({entries}, lambda f: struct_insert(f, {added}))"
    return entries


def _bare(text: str) -> str:
    """Return a placeholder in the form in which numbers and addresses are compared."""
    return re.sub(r"[^0-9A-Z]", "", text.upper()) if "@" not in text else text.lower()


def _kind(before: str, digits: str) -> str:
    """SQL of what a candidate is; NULL where it stays as it is."""

    def named(words: str) -> str:
        return f"regexp_matches({before}, {quoted(words)})"

    def formed(pattern: str) -> str:
        return f"regexp_full_match({digits}, {quoted(pattern)})"

    return f"""CASE
        WHEN contains(f.m, '@') THEN 'email'
        WHEN {formed(f"[1-8]{_BORN}")} THEN 'id_number'
        WHEN {named(_ID_WORDS)} AND {formed("[0-9]{15}|[0-9]{17}[0-9X]")} THEN 'id_number'
        WHEN {named(_ACCOUNT_WORDS)} AND {formed("[0-9]{8,30}")} THEN 'account'
        WHEN {named(_PHONE_WORDS)} AND {formed("[0-9]{7,13}")} THEN 'phone'
        WHEN {named(_NUMBER_WORDS)} THEN NULL
        WHEN {formed("(86)?1[3-9][0-9]{9}|0[1-9][0-9]{9,10}")} THEN 'phone'
        WHEN NOT {formed("[0-9]{16,19}|[0-9]{17}X")} OR {formed(_NUMBERING)} THEN NULL
        WHEN {codes.party_mark(digits)} = 'ok' THEN NULL
        WHEN {formed(f"9{_BORN}")} THEN 'id_number'
        WHEN {formed("[0-9]+")} THEN 'account'
        END"""
