"""Text to amounts, as SQL over a column of texts in NFKC: exact, or NULL."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.values.literals import number as literal
from pipelines.values.literals import once, quoted

#: Amounts are multiplied by their unit as DECIMAL(38,15), never as floating point.
_DECIMALS = 15


#: Units that a cell may state behind its number, as factors to yuan. 元 says nothing new where the column is in yuan,
#: and contradicts one in 万元.
UNITS = {
    "元": 1,
    "千元": 1_000,
    "万": 10_000,
    "万元": 10_000,
    "百万": 1_000_000,
    "百万元": 1_000_000,
    "亿": 10**8,
    "亿元": 10**8,
}
_ASIDE = r"整?(?:\s*\((?:不?含税价?|不?含增值税|人民币|小写|RMB)\))?$"
_CURRENCY = r"^(?:人民币|RMB|CNY|¥)\s*:?\s*"
#: 小写:1000000元 大写:壹佰万元整, in either order.
_FIGURES = r"^(?:\(?大写\)?[^0-9]*)?\(?小写\)?\s*:?\s*"
_IN_WORDS = r"[\s,;]*\(?大写\)?[^0-9]*$"


def money(x: str, factor: str | None, decimals: int | None) -> str:
    """SQL of an amount as DECIMAL(20,6).

    Args:
        x: SQL of the text: digits, thousands commas, a sign, the currency before it, its own unit behind it (102万元),
            which comes before the column's, and (含税) or the like.
        factor: SQL of the unit, such as ``10000``; with None, only what states its own unit is read.
        decimals: round to that many; None reads no number with more than six decimals.
    """
    plain = _bare(x)
    cases = " ".join(f"WHEN '{unit}' THEN {own}" for unit, own in UNITS.items())
    units = "|".join(sorted(UNITS, key=len, reverse=True))
    unit = f"CASE part.unit {cases}{f' ELSE {factor}' if factor else ''} END"
    amount = _product("replace(part.number, ',', '')", unit, decimals)
    # A number that says 元 where the header or the flag says 万元 is not read.
    exact = once(
        f"regexp_extract({plain}, '^({_form(decimals)})\\s*({units})?$', ['number', 'unit'])",
        "part",
        f"CASE WHEN {factor} = 1 OR part.unit <> '元' THEN {_fitted(amount)} END"
        if factor
        else _fitted(amount),
    )
    # Nearly every amount is plain digits in yuan; it needs no wide arithmetic to be exact.
    if decimals is not None or factor is None:
        return exact
    return (
        f"CASE WHEN {factor} = 1 AND regexp_full_match({x}, '[0-9]{{1,14}}([.][0-9]{{1,6}})?')"
        f" THEN TRY_CAST({x} AS DECIMAL(20,6)) ELSE {exact} END"
    )


def money_in_own_unit(x: str, units: Mapping[str, float], decimals: int | None) -> str:
    """SQL of an amount as DECIMAL(20,6) that states its unit itself, as in ``390.6 Jt``.

    Args:
        x: SQL of the text: as for ``money``, with a word of ``units`` behind the number, in any case.
        units: word -> factor; the word ``""`` is for numbers that state none.
        decimals: as for ``money``.
    """
    plain = _bare(x)
    written = f"regexp_extract({plain}, '^[+-]?[0-9.,]*[0-9]')"
    stated = f"lower(trim(regexp_extract({plain}, '^[+-]?[0-9.,]*[0-9](.*)$', 1)))"
    cases = " ".join(f"WHEN {quoted(word.lower())} THEN {literal(factor)}" for word, factor in units.items())
    amount = _product(f"replace({written}, ',', '')", f"CASE {stated} {cases} END", decimals)
    return f"CASE WHEN regexp_full_match({written}, '{_form(decimals)}') THEN {_fitted(amount)} END"


def _bare(x: str) -> str:
    """SQL of the text without the currency before it, without 整 and (含税) behind it, and without the amount in words."""
    figures = f"regexp_replace(regexp_replace({x}, '{_IN_WORDS}', ''), '{_FIGURES}', '')"
    plain = f"CASE WHEN contains({x}, '写') THEN {figures} ELSE {x} END"
    return f"regexp_replace(regexp_replace({plain}, '{_ASIDE}', ''), '{_CURRENCY}', '')"


def _fitted(amount: str) -> str:
    """SQL of an amount as money; more decimals than money holds would be cut in silence: such a number is not read."""
    return once(
        amount,
        "amount",
        "CASE WHEN TRY_CAST(amount AS DECIMAL(20,6)) = amount THEN TRY_CAST(amount AS DECIMAL(20,6)) END",
    )


def _form(decimals: int | None) -> str:
    """Return the pattern of a number, with commas between thousands or without."""
    fraction = f"[0-9]{{1,{_DECIMALS}}}0*" if decimals is None else "[0-9]+"
    return f"[+-]?(?:[0-9]+|[0-9]{{1,3}}(?:,[0-9]{{3}})+)(?:[.]{fraction})?"


def _product(number: str, factor: str, decimals: int | None) -> str:
    """SQL of plain digits times a factor. A number of forty digits overflows, and is unreadable like any other text."""
    if decimals is None:
        return f"TRY(TRY_CAST({number} AS DECIMAL(38,{_DECIMALS})) * {factor})"
    number = f"regexp_replace({number}, '([.][0-9]{{{_DECIMALS}}})[0-9]+$', '\\1')"
    return f"round(TRY(TRY_CAST({number} AS DECIMAL(38,{_DECIMALS})) * {factor}), {decimals})"


def share(x: str, factor: str | None) -> str:
    """SQL of a share as DOUBLE; a text with a percent sign states its own unit, others are in ``factor``.

    With None, only what has a percent sign is read.
    """
    number = f"TRY_CAST(regexp_extract({x}, '^[0-9.+-]+') AS DOUBLE)"
    return (
        f"CASE WHEN regexp_full_match({x}, '[+-]?[0-9]{{1,15}}([.][0-9]+)?\\s*%?')"
        f" THEN {number} * CASE WHEN suffix({x}, '%') THEN 0.01{f' ELSE {factor}' if factor else ''} END END"
    )


def integer(x: str) -> str:
    """SQL of a whole number as BIGINT; 12.0 is one, 1e3 and 12.5 are not."""
    return f"CASE WHEN regexp_full_match({x}, '[+-]?[0-9]+([.]0+)?') THEN TRY_CAST({x} AS BIGINT) END"


def score(x: str) -> str:
    """SQL of points as DECIMAL(12,6): plain digits and a sign; more decimals are not cut but unread."""
    return (
        f"CASE WHEN regexp_full_match({x}, '[+-]?[0-9]{{1,6}}([.][0-9]{{1,6}}0*)?')"
        f" THEN TRY_CAST({x} AS DECIMAL(12,6)) END"
    )
