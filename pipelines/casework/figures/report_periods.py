"""The half-years and years that a report counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines import times


@dataclass(frozen=True)
class ReportPeriod:
    """Days from ``first`` to ``last``, both included; ``until``: the last of them that has been."""

    first: date
    last: date
    until: date

    @property
    def times(self) -> tuple[str, str]:
        """The UTC times between which things happened, as the store writes them; the second is outside."""
        start, end = times.morning_of(self.first), times.morning_of(self.until + timedelta(days=1))
        return start.isoformat(), end.isoformat()

    def holds(self, on: date) -> bool:
        """Tell whether a day lies in the period and has been."""
        return self.first <= on <= self.until


def half_year(year: int, half: int, as_of: date) -> ReportPeriod:
    """Return a half-year, 1 or 2.

    Raises:
        ValueError: there is no such half, or it has not begun.
    """
    if half not in (1, 2):
        raise ValueError(f"a year has halves 1 and 2, not {half}")
    first, last = (
        (date(year, 1, 1), date(year, 6, 30)) if half == 1 else (date(year, 7, 1), date(year, 12, 31))
    )
    return _begun(ReportPeriod(first, last, min(last, as_of)))


def whole_year(year: int, as_of: date) -> ReportPeriod:
    """Return a year.

    Raises:
        ValueError: it has not begun.
    """
    return _begun(ReportPeriod(date(year, 1, 1), date(year, 12, 31), min(date(year, 12, 31), as_of)))


def _begun(period: ReportPeriod) -> ReportPeriod:
    if period.until < period.first:
        raise ValueError(f"the period from {period.first} to {period.last} has not begun")
    return period
