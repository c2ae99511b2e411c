"""The one JSON text of a value, for everything that is hashed, signed, logged or compared byte by byte."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal


def canonical_json(value: object, *, indent: int | None = None) -> str:
    """Return a value as JSON with sorted keys and no blanks: equal values, equal texts.

    Decimals become their exact text, times UTC ``2026-11-22T01:30:00Z``. A lone surrogate stays the
    escape that it was in the source, so the text can always be written as UTF-8.

    Args:
        value: what JSON knows, and decimals, dates and times (without a zone: UTC).
        indent: for a text that people read: every entry on its own line, set in by so many blanks a level.

    Raises:
        ValueError: a number is not finite, or a value has no JSON form.
    """
    text = json.dumps(
        value,
        sort_keys=True,
        ensure_ascii=False,
        allow_nan=False,
        default=_plain,
        separators=(",", ":") if indent is None else (",", ": "),
        indent=indent,
    )
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(value: object) -> object:
    match value:
        case Decimal() if value.is_finite():
            return f"{value:f}"
        case datetime():
            utc = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            return utc.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
    raise ValueError(f"{value!r} has no canonical JSON form")
