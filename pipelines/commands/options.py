"""Options that many commands share: who acts, why, under which key, on which day, in which language."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated

import typer

from pipelines import times
from pipelines.times import LOCAL

ActorOption = Annotated[str, typer.Option("--actor", help="Who does it, for the audit log.")]

#: Who acts where nobody is named.
ACTING = os.environ.get("USER") or "operator"


class Lang(StrEnum):
    """Language of a listing."""

    ZH = "zh"
    EN = "en"


LangOption = Annotated[Lang, typer.Option("--lang", help="Labels in Chinese or English.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Any text; the same key again repeats the answer, not the step.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Which day. Default: today in Asia/Shanghai."),
]
MOMENTS = ["%Y-%m-%d", "%Y-%m-%d %H:%M"]
AtOption = Annotated[
    datetime | None, typer.Option("--at", formats=MOMENTS, help="When, in Asia/Shanghai. Default: now.")
]


def today(as_of: datetime | None) -> tuple[date, datetime]:
    """Return the day asked for and the moment of it to judge by: now, or the day's first."""
    if as_of is not None:
        return as_of.date(), times.morning_of(as_of.date())
    at = datetime.now(LOCAL)
    return at.date(), at


def utc(at: datetime | None) -> str | None:
    """Return a time that was typed, in Shanghai, as UTC text; None if none was."""
    return at.replace(tzinfo=LOCAL).astimezone(UTC).isoformat() if at else None
