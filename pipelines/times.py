"""Time, in one place: the clock on the wall, moments as text, and which day it is in China.

What is written down is UTC, ISO 8601. Days are days of Asia/Shanghai.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

#: Days here are days of this zone.
LOCAL = ZoneInfo("Asia/Shanghai")


def now() -> str:
    """Return the time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def today() -> date:
    """Return the day that it is in Shanghai."""
    return datetime.now(LOCAL).date()


def instant(text: str) -> datetime:
    """Return an ISO time as UTC.

    Raises:
        ValueError: it cannot be read, or has no zone.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time; write 2026-06-30T09:00:00+08:00") from error
    if read.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write 2026-06-30T09:00:00+08:00")
    return read.astimezone(UTC)


def day_of(at: datetime | str) -> date:
    """Return the day that it is in Shanghai at a time; a text is read as `instant` reads it."""
    return (instant(at) if isinstance(at, str) else at).astimezone(LOCAL).date()


def morning_of(on: date) -> datetime:
    """Return the first moment of a day in Shanghai, as UTC."""
    return datetime.combine(on, time(), LOCAL).astimezone(UTC)


def local_text(at: str | None) -> str:
    """Return a UTC time as it is written here: ``2026-11-22 09:30:00``, Beijing time; empty for none."""
    return instant(at).astimezone(LOCAL).strftime("%Y-%m-%d %H:%M:%S") if at else ""
