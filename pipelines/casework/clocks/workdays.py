"""Which days the offices of China work: Monday to Friday, and what the State Council arranges otherwise.

A year without its arrangement is reckoned from the holidays of the law alone, and marked provisional (暂定).
"""

from __future__ import annotations

import csv
import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

from pipelines.reference import Reference

COLUMNS = ("date", "is_workday", "status", "notice")

#: Every year has had more rest days on weekdays than this: fewer is half an arrangement.
FEWEST_REST_DAYS = 10

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True)
class Day:
    """One day that is not what its weekday says: a rest day, or a weekend day that is worked (调休上班)."""

    on: date
    is_workday: bool
    is_official: bool
    notice: str


@dataclass(frozen=True)
class Workdays:
    """A calendar. ``version`` names its content; ``official_years`` have their arrangement."""

    days: Mapping[date, bool]
    official_years: frozenset[int]
    version: str

    def is_workday(self, on: date) -> bool:
        """Tell whether offices work on a day; every day has an answer, see `is_provisional`."""
        return self.days.get(on, on.weekday() < _SATURDAY)

    def is_provisional(self, first: date, last: date) -> bool:
        """Tell whether a year between two days, both included, still lacks its arrangement."""
        return any(year not in self.official_years for year in range(first.year, last.year + 1))

    def next_workday(self, on: date) -> date:
        """Return the day itself if it is worked, else the next that is."""
        while not self.is_workday(on):
            on += _DAY
        return on

    def count(self, after: date, until: date) -> int:
        """Return how many days are worked after one day, up to and including another."""
        return self._worked_until(until) - self._worked_until(after)

    def _worked_until(self, on: date) -> int:
        # Day 1 of the calendar was a Monday.
        weeks, days = divmod(on.toordinal(), 7)
        return weeks * 5 + min(days, 5) + self._changes[bisect_right(self._changed, on)]

    @cached_property
    def _changed(self) -> list[date]:
        return sorted(on for on, works in self.days.items() if works != (on.weekday() < _SATURDAY))

    @cached_property
    def _changes(self) -> list[int]:
        """How many worked days the arrangements add, up to and without each changed day."""
        return list(accumulate((1 if self.days[on] else -1 for on in self._changed), initial=0))


@cache
def shipped() -> tuple[Day, ...]:
    """Return the days of ``data/reference/workdays.csv``."""
    return tuple(_day(row.where, row.values) for row in Reference().rows("workdays.csv"))


def read(path: Path) -> list[Day]:
    """Read a file of days.

    Raises:
        FileNotFoundError: there is none.
        ValueError: a column is missing, a value cannot be read, or a day stands there twice.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no calendar {path}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: the columns must be {', '.join(COLUMNS)}")
        days = [_day(f"{path}, line {reader.line_num}", row) for row in reader]
    twice = [on for on, times in Counter(day.on for day in days).items() if times > 1]
    if twice:
        raise ValueError(f"{path}: {min(twice)} stands there twice")
    return days


def calendar(own: Iterable[Day] = ()) -> Workdays:
    """Return the shipped calendar with the days of an installation put over it.

    Args:
        own: an official day counts before a shipped one. The first official days of a year make the
            year official, and what was reckoned for it falls away.

    Raises:
        ValueError: a year would become official with half of its arrangement.
    """
    over = list(own)
    official = {day.on.year for day in shipped() if day.is_official}
    new = {day.on.year for day in over if day.is_official} - official
    for year in sorted(new):
        rests = sum(
            day.on.year == year and not day.is_workday and day.on.weekday() < _SATURDAY for day in over
        )
        if rests < FEWEST_REST_DAYS:
            raise ValueError(
                f"the arrangement of {year} names {rests} rest days from Monday to Friday; no year had so few:"
                " give all days of the State Council's notice, the weekend days that are worked as well"
            )
    days = {day.on: day for day in shipped() if day.on.year not in new}
    for day in over:
        if day.is_official or day.on.year not in official | new:
            days[day.on] = day
    text = "\n".join(f"{on} {day.is_workday} {day.is_official}" for on, day in sorted(days.items()))
    return Workdays(
        days={on: day.is_workday for on, day in days.items()},
        official_years=frozenset(official | new),
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
    )


def _day(place: str, row: Mapping[str, str]) -> Day:
    try:
        on = date.fromisoformat(row["date"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}, column date: {row['date']!r} is no date; write 2027-01-01") from error
    if row["is_workday"] not in ("yes", "no"):
        raise ValueError(f"{place}, column is_workday: {row['is_workday']!r}; write yes or no")
    if row["status"] not in ("official", "provisional"):
        raise ValueError(f"{place}, column status: {row['status']!r}; write official or provisional")
    return Day(on, row["is_workday"] == "yes", row["status"] == "official", row["notice"] or "")
