"""Text to times and dates, as SQL over a column of texts in NFKC: unambiguous, or NULL."""

from __future__ import annotations

import re

from pipelines.values.literals import once, quoted

TIMES = (
    "%Y%m%d%H%M%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H:%M",
    "%Y年%m月%d日%H时%M分",
)
DATES = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日", "%Y.%m.%d")

#: Times as centres write them: 2026年5月6日上午9时30分, 2026.05.06 09:30 (北京时间), 2026-05-06T09:30.
_AFTERNOON = "下午|晚上|傍晚|PM|pm"
_HALVES = f"上午|早上|早晨|凌晨|中午|AM|am|{_AFTERNOON}"
_WRITTEN = (
    "([0-9]{4})[年./-]([0-9]{1,2})[月./-]([0-9]{1,2})日?[T,，]?"
    "([0-9]{1,2})(?:[:时点]([0-9]{1,2})?)(?:[:分]([0-9]{1,2})?)?秒?整?"
)

_ISO_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ISO_LOCAL = _ISO_DATE + "[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
_ISO_OFFSET = _ISO_LOCAL + "([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"

#: Serial numbers of spreadsheets: of a day, and of a time, whose part behind the point is not nothing.
_SERIAL = "[0-9]{1,7}([.][0-9]{1,15})?"
_SERIAL_TIME = "[0-9]{1,7}[.]0{0,14}[1-9][0-9]{0,14}"

#: Digits of a directive of strptime, where nothing separates it from the next.
_DIGITS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}


def local_day(moment: str, zone: str) -> str:
    """SQL of the day that it is in a zone at a moment, both SQL; the moment is TIMESTAMP in UTC."""
    return f"CAST(timezone({zone}, timezone('UTC', {moment})) AS DATE)"


def midnight_after(day: str, zone: str) -> str:
    """SQL of the moment, as TIMESTAMP in UTC, at which a day is over in a zone, both SQL."""
    return f"timezone('UTC', timezone({zone}, {day} + INTERVAL 1 DAY))"


def timestamp(x: str, formats: tuple[str, ...], zone: str) -> str:
    """SQL of a time as TIMESTAMP in UTC.

    Args:
        x: SQL of the text. A date alone is no time.
        formats: of strptime, with ``serial`` for the day number of a spreadsheet (1900 system), or ``iso`` or ``epoch``
            (seconds) alone; none: ``TIMES``.
        zone: time zone of every text that does not state its own.
    """
    if formats == ("iso",):
        return _plausible(f"timezone('UTC', {_instant(x, zone)})")
    if formats == ("epoch",):
        return _plausible(_epoch(x))
    local = (
        _in_formats(x, formats, _SERIAL_TIME)
        if formats
        else f"coalesce({_local(x, TIMES)}, {_plausible(_written(x))})"
    )
    return f"timezone('UTC', timezone('{zone}', {local}))"


def date(x: str, formats: tuple[str, ...], zone: str) -> str:
    """SQL of a DATE; of a time, the day it was in ``zone``. Arguments as for ``timestamp``."""
    if formats == ("iso",):
        moment = (
            f"CASE WHEN regexp_full_match({x}, '{_ISO_DATE}') THEN TRY_CAST({x} AS TIMESTAMP)"
            f" ELSE timezone('{zone}', {_instant(x, zone)}) END"
        )
        return f"CAST({_plausible(moment)} AS DATE)"
    if formats == ("epoch",):
        return f"CAST(timezone('{zone}', timezone('UTC', {_plausible(_epoch(x))})) AS DATE)"
    if formats:
        return f"CAST({_in_formats(x, formats, _SERIAL)} AS DATE)"
    return f"CAST(coalesce({_local(x, (*DATES, *TIMES))}, {_plausible(_written(x))}) AS DATE)"


def _in_formats(x: str, formats: tuple[str, ...], serial: str) -> str:
    """SQL of a time in formats of strptime, or as a serial number of this pattern."""
    written = tuple(each for each in formats if each != "serial")
    found = [_local(x, written)] if written else []
    if len(written) < len(formats):
        found.append(_plausible(_serial(x, serial)))
    return f"coalesce({', '.join(found)})"


def _serial(x: str, pattern: str) -> str:
    """SQL of days since the end of 1899, to the millisecond as spreadsheets show them.

    They take 1900 for a leap year (ECMA-376 18.17.4.1): number 60 is a day that never was, and the days before it have
    the next number.
    """
    days = f"TRY_CAST({x} AS DECIMAL(28,15))"
    milliseconds = f"CAST(round({days} * 86400000) AS BIGINT)"
    moment = f"epoch_ms({milliseconds} + epoch_ms(TIMESTAMP '1899-12-30') + if({days} < 60, 86400000, 0))"
    is_day = f"regexp_full_match({x}, '{pattern}') AND NOT {days} BETWEEN 60 AND 60.999999"
    return f"CASE WHEN {is_day} THEN TRY({moment}) END"


def _written(x: str) -> str:
    """SQL of a time written in words, as TIMESTAMP. Brackets behind it (北京时间) say nothing, blanks neither."""
    bare = f"regexp_replace(regexp_replace({x}, '[(][^()]*[)]', '', 'g'), '\\s', '', 'g')"
    plain = f"regexp_replace({bare}, '{_HALVES}|北京时间', '', 'g')"
    # Without a blank, 2026-5-61:30 may be two days: the day ends with 日, or the hour has two digits.
    spaced = (
        f"regexp_matches({x}, '日|[0-9]{{1,4}}[./-][0-9]{{1,2}}[./-][0-9]{{1,2}}\\s*[^0-9\\s]*[\\sT,，]')"
    )
    names = ("year", "month", "day", "hour", "minute", "second")
    parts = f"regexp_extract({plain}, '^{_WRITTEN}$', {list(names)})"
    year, month, day, hour, minute, second = (
        f"TRY_CAST(nullif(part.{name}, '') AS BIGINT)" for name in names
    )
    hour = f"{hour} + CASE WHEN {hour} < 12 AND regexp_matches({x}, '{_AFTERNOON}') THEN 12 ELSE 0 END"
    made = f"make_timestamp({year}, {month}, {day}, {hour}, coalesce({minute}, 0), coalesce({second}, 0))"
    # Without a match every part is empty, and so is the time.
    return f"CASE WHEN {spaced} THEN {once(parts, 'part', f'CASE WHEN {hour} < 24 THEN TRY({made}) END')} END"


def _instant(x: str, zone: str) -> str:
    """SQL of an ISO 8601 time as TIMESTAMPTZ."""
    return (
        f"CASE WHEN regexp_full_match({x}, '{_ISO_OFFSET}') THEN TRY_CAST({x} AS TIMESTAMPTZ)"
        f" WHEN regexp_full_match({x}, '{_ISO_LOCAL}')"
        f" THEN timezone('{zone}', TRY_CAST({x} AS TIMESTAMP)) END"
    )


def _epoch(x: str) -> str:
    seconds = f"TRY_CAST(CASE WHEN regexp_full_match({x}, '-?[0-9]+') THEN {x} END AS BIGINT)"
    return f"TRY(epoch_ms({seconds} * 1000))"


def _local(x: str, formats: tuple[str, ...]) -> str:
    # strptime takes 2026111 for a day, though it may be two: where nothing separates the parts, none
    # of their digits may be missing.
    lengths = {0} | {_digits(each) for each in formats if re.fullmatch("(%[YmdHMS])+", each)}
    is_whole = (
        f"(NOT regexp_full_match({x}, '[0-9]+') OR length({x}) IN ({', '.join(map(str, sorted(lengths)))}))"
        # DuckDB's strptime reads these as 1900-01-01.
        f" AND lower({x}) NOT IN ('epoch', 'infinity', '-infinity')"
    )
    moment = f"try_strptime({x}, [{', '.join(map(quoted, formats))}])"
    return f"CASE WHEN {is_whole} THEN {_plausible(moment)} END"


def _digits(format: str) -> int:
    return sum(_DIGITS[directive] for directive in re.findall("%.", format))


def _plausible(moment: str) -> str:
    """SQL of a time, NULL outside of the years that a record of procurement can speak of."""
    return once(moment, "moment", "CASE WHEN year(moment) BETWEEN 1900 AND 9999 THEN moment END")
