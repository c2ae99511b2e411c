"""Codes of organisations, persons and devices, as SQL over a column of texts in NFKC.

Weights and alphabets are those of the standards: unified social credit code (GB 32100-2015) and
citizen identity number (GB 11643-1999).
"""

from __future__ import annotations

from pipelines.values.literals import listed

#: Without I, O, S, V and Z.
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: 3^i mod 31.
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"

#: Arguments of regexp_replace that take off blanks and invisible format characters.
_BLANKS = "'[\\s\\p{Cf}]', '', 'g'"

#: What fills a field of a code that has none.
_FILLER = "[0\\pP\\pS\\s]+|F{3,}|X{3,}"


def unspaced(x: str) -> str:
    """SQL of a code without blanks; upper and lower case are two different codes."""
    return f"regexp_replace({x}, {_BLANKS})"


def compact(x: str) -> str:
    """SQL of a code in upper case without blanks."""
    return unspaced(f"upper({x})")


def is_nobody(x: str, nothing: frozenset[str]) -> str:
    """SQL that is true for a code that stands for nothing, also behind the prefix of a register (``PE-RUC-<NA>``).

    Zeros and signs stand for nothing in any number, and so do three or more of F or X.

    Args:
        x: SQL of the text.
        nothing: upper-case texts that stand for nothing.
    """
    bare = f"regexp_replace(upper({x}), '^[A-Z]{{2,3}}-[A-Z][A-Z0-9_]*-', '')"
    return (
        f"(upper({x}) IN ({listed(nothing)}) OR {bare} IN ({listed(nothing)})"
        f" OR regexp_full_match({bare}, '{_FILLER}'))"
    )


def chinese_party(x: str) -> str:
    """SQL of an organisation's code; 12345678-9 and 123456789 are one old organisation code."""
    return f"regexp_replace({compact(x)}, '^([0-9A-Z]{{8}})-([0-9X])$', '\\1\\2')"


def party_mark(code: str) -> str:
    """SQL of the mark of a Chinese organisation's code: ok, check_digit (it does not fit), old (9 or 15 places), form."""
    total = _weighted(code, _USCC_ALPHABET, _USCC_WEIGHTS)
    check = f"substr('{_USCC_ALPHABET}', (31 - ({total}) % 31) % 31 + 1, 1)"
    return (
        f"CASE WHEN regexp_full_match({code}, '[{_USCC_ALPHABET}]{{18}}')"
        f" THEN CASE WHEN {check} = substr({code}, 18, 1) THEN 'ok' ELSE 'check_digit' END"
        f" WHEN regexp_full_match({code}, '[0-9]{{15}}|[0-9A-Z]{{8}}[0-9X]') THEN 'old'"
        f" WHEN {code} IS NOT NULL THEN 'form' END"
    )


def id_mark(code: str) -> str:
    """SQL of the mark of a citizen's identity number: ok, or check_digit (it does not fit)."""
    check = f"substr('{_ID_CHECKS}', ({_weighted(code, '0123456789', _ID_WEIGHTS)}) % 11 + 1, 1)"
    return (
        f"CASE WHEN regexp_full_match({code}, '[0-9]{{17}}[0-9X]') AND {check} = substr({code}, 18, 1)"
        f" THEN 'ok' WHEN {code} IS NOT NULL THEN 'check_digit' END"
    )


def _weighted(code: str, alphabet: str, weights: tuple[int, ...]) -> str:
    """SQL of the weighted sum. Defined for any text: SQL may evaluate it before it looks at the form."""
    return " + ".join(
        f"(instr('{alphabet}', substr({code}, {place}, 1)) - 1) * {weight}"
        for place, weight in enumerate(weights, 1)
    )


#: Kinds of codes of which zeros stand for nothing in any number.
_FILLED = frozenset({"mac", "ip", "cpu", "disk", "party_code"})


def members(x: str, nothing: frozenset[str], kind: str, *, keeps_case: bool = False) -> str:
    """SQL of the codes in one field, joined by ';'; NULL where none of them stands for anything.

    Lists of one record belong together place by place (the MAC and the CPU of the second machine), so
    a code that stands for nothing leaves its place empty.

    Args:
        x: SQL of the text.
        nothing: upper-case texts that stand for nothing.
        kind: ``mac``, ``ip`` and ``party_code`` have no blanks inside, so a blank parts two of them; in
            other codes (a serial number) it belongs to the spelling.
        keeps_case: upper and lower case are two different codes.
    """
    has_no_blanks = kind in ("mac", "ip", "party_code")
    between = "\\s*[;,|、]\\s*|\\s+" if has_no_blanks else "\\s*[;,|、\\r\\n\\t]\\s*"
    empty = listed("".join(text.split()) for text in nothing)
    bare = "regexp_replace(m, '[:.-]', '', 'g')" if kind == "mac" else "m"
    split = f"regexp_split_to_array({x if keeps_case else f'upper({x})'}, '{between}')"
    parts = f"list_transform({split}, lambda m: {unspaced('m')})"
    is_empty = f"m IN ({empty}) OR {bare} IN ({empty})"
    if kind in _FILLED:
        is_empty = f"{is_nobody('m', nothing)} OR {is_empty}"
    filled = f"lambda m: CASE WHEN {is_empty} THEN '' ELSE m END"
    found = f"array_to_string(list_transform({parts}, {filled}), ';')"
    return f"CASE WHEN replace({found}, ';', '') <> '' THEN {found} END"
