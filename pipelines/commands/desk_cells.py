"""Cells that several desks show: the end of a clock, what is left of it, the basis of a rule."""

from __future__ import annotations

from pipelines.casework.clocks import due_dates
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.clocks.due_dates import Stage
from pipelines.commands.texts import Both, Lang

STOPPED = Both("停算", "stopped")
LATE = Both("超 {days}", "{days} late")
MOVED = Both("顺延 {day}", "or {day}")
PROVISIONAL = Both("暂定", "provisional")
NOT_SEEN = Both("（待核）", " (to be checked)")


def remaining(clock: Deadline, lang: Lang) -> str:
    """Return how many working days are left, as text; how many it is late if it is overdue."""
    if clock.outcome is not None:
        return ""
    if clock.stage is Stage.SUSPENDED:
        return STOPPED.in_(lang)
    if clock.stage is Stage.OVERDUE:
        return LATE.in_(lang).format(days=-clock.workdays_left)
    return str(max(clock.workdays_left, 0))


def due_cell(clock: Deadline, lang: Lang) -> str:
    """Return the end of a clock as one text: the earlier reading, the later one, whether it is provisional."""
    first, moved = due_dates.end_text(clock.due, clock.rule.unit)
    later = MOVED.in_(lang).format(day=moved) if moved else ""
    provisional = PROVISIONAL.in_(lang) if clock.due.is_provisional else ""
    return " ".join(filter(None, (first, later, provisional)))


def basis_cell(basis: str, seen: bool, lang: Lang) -> str:
    """Return the basis of a rule, marked where it was not checked against its source."""
    return basis if seen else basis + NOT_SEEN.in_(lang)
