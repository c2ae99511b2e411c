"""Rules of credit repair (信用修复): how long a decision is published, and when it may be repaired."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache

from pipelines.casework.clocks.due_dates import months_after
from pipelines.reference import Reference

#: What a repair needs besides the shortest publication.
NEEDS_ZH = {"duties": "义务已履行", "promise": "已作出信用承诺"}


@dataclass(frozen=True)
class DishonestyClass:
    """One class of dishonesty (失信等级). Months count from the date of the document."""

    id: str
    title_zh: str
    is_published: bool
    min_months: int
    max_months: int
    needs: tuple[str, ...]
    basis: str
    seen: bool

    def repairable_on(self, decided_on: date) -> date:
        """Return the first day on which a decision may be repaired."""
        return months_after(decided_on, self.min_months)

    def published_until(self, decided_on: date) -> date:
        """Return the day on which publication stops by itself."""
        return months_after(decided_on, self.max_months)


@cache
def dishonesty_classes() -> dict[str, DishonestyClass]:
    """Return the rows of ``data/reference/credit_repair.csv``, by class."""
    return {
        row["class"]: DishonestyClass(
            row["class"],
            row["class_zh"],
            row["is_published"] == "yes",
            int(row["min_months"]),
            int(row["max_months"]),
            tuple(row["needs"].split(";")),
            row["basis"],
            row["seen"] == "yes",
        )
        for row in (each.values for each in Reference().rows("credit_repair.csv"))
    }


def dishonesty_class_of(id: str) -> DishonestyClass:
    """Return a class.

    Raises:
        ValueError: there is none of this id.
    """
    if id not in dishonesty_classes():
        known = ", ".join(f"{each.id} {each.title_zh}" for each in dishonesty_classes().values())
        raise ValueError(f"{id!r} is no class of dishonesty; choose one of {known}")
    return dishonesty_classes()[id]
