"""Options that commands share, each declared once: where, which day, in which form and language, who acts and why."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines import times
from pipelines.casework.acts import Act
from pipelines.casework.cases.states import DISMISSALS_ZH
from pipelines.commands.texts import Lang
from pipelines.times import LOCAL

DAY = ["%Y-%m-%d"]
MOMENT = ["%Y-%m-%d", "%Y-%m-%d %H:%M"]

#: Who acts where nobody is named.
ACTING = os.environ.get("USER") or "operator"


class Format(StrEnum):
    """What a listing is printed as."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class Panel(StrEnum):
    """The groups of ``bidwatch --help``, in their order."""

    NIGHT = "The night 夜间运行"
    RECORDS = "Records and who is who 数据与主体"
    SIGNALS = "What the machine saw 疑似线索"
    CASES = "Cases and what leaves the house 线索办理"
    DUTIES = "Other duties of the desk 监管事项"
    PROOF = "What can be checked later 留痕"


def choices(names_zh: dict[int, str] | dict[str, str]) -> str:
    """Return what may be chosen, for a help text: each code with its Chinese name."""
    return "; ".join(f"{code} {zh}" for code, zh in names_zh.items())


HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Folder of the installation. Default: BIDWATCH_HOME, else ./workspace.",
        show_default=False,
    ),
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=DAY, help="Which day. Default: today in Asia/Shanghai."),
]
AtOption = Annotated[
    datetime | None, typer.Option("--at", formats=MOMENT, help="When, in Asia/Shanghai. Default: now.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="table for people; csv or json for programs.")]
LangOption = Annotated[
    Lang, typer.Option("--lang", envvar="BIDWATCH_LANG", help="What people read, in Chinese or English.")
]
RowsOption = Annotated[int, typer.Option("--rows", help="How many to show; csv and json have all.")]
ActorOption = Annotated[str, typer.Option("--actor", help="Who does it, for the audit log.")]
#: With a default it may be left out; without one it must be given.
ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason", help="Why, in your words and without personal data: it stands in the audit log."
    ),
]
KeyOption = Annotated[
    str | None, typer.Option("--key", help="Any text; the same key again repeats the answer, not the step.")
]
CaseArgument = Annotated[
    str, typer.Argument(metavar="CASE", help="The case's number 线索编号, from `review list`.")
]
SigningOption = Annotated[
    str, typer.Option("--office", help="Who signs. Default: the coordinating office of the reference table.")
]
GradeOption = Annotated[str | None, typer.Option("--grade", help="Only this grade of evidence: A, B or C.")]
RecipientOption = Annotated[str | None, typer.Option("--recipient", help="Only to this office.")]
DismissalOption = Annotated[str, typer.Option("--code", help=f"Why: {choices(DISMISSALS_ZH)}.")]
YearArgument = Annotated[int, typer.Argument(help="The year in which the period ended.")]


def act_by(actor: str, reason: str = "", key: str | None = None) -> Act:
    """Return what somebody does now."""
    return Act(actor=actor, at=times.now(), reason=reason, key=key)


def today(as_of: datetime | None) -> tuple[date, datetime]:
    """Return the day asked for and the moment of it to judge by: now, or the day's first."""
    if as_of is not None:
        return as_of.date(), times.morning_of(as_of.date())
    at = datetime.now(LOCAL)
    return at.date(), at


def utc(at: datetime | None) -> str | None:
    """Return a time that was typed, in Shanghai, as UTC text; None if none was."""
    return at.replace(tzinfo=LOCAL).astimezone(UTC).isoformat() if at else None


def for_reader(lang: Lang, format: Format) -> Lang:
    """Return the language of a listing whose names stay English for programs."""
    return lang if format is Format.TABLE else Lang.EN
