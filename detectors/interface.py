"""What a detector file holds, and what it gets and gives.

A detector is a module with five names: ``DETECTOR`` (a `Detector`), ``Limits`` (a frozen
dataclass of every number that decides), ``EXAMPLE`` (values for its sentences, shown in the
catalogue), ``NEEDS`` (what a unit must have to be judged, see `Need`) and ``screen(engine, limits)``, and a
docstring with the sections *Why it matters*, *Looks innocent when*, *Blind spots*, *Sources*. There is no
base class and nothing to register: the path is the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

#: Columns of every screen, beside its own evidence columns. `completed` adds those of `MAY_BE_LEFT_OUT`.
SCREEN_COLUMNS = ("unit", "entities", "value", "p_value", "reference_class", "flagged")

#: Columns that a screen need not spell out: without ``entities`` the signal is about every bidder in the lot.
MAY_BE_LEFT_OUT = {"entities": "str", "p_value": "float64", "reference_class": "str"}

#: Units that lie in one lot: the lot itself, or ``lot/party``. A screen about any other unit says in
#: ``lot_ids`` on which lots a flagged row rests, so that its evidence can be traced and its desk be found.
IN_LOT = ("lot", "lot_party")

#: Between the party ids in ``entities`` and the lots in ``lot_ids``. Ids never hold it.
SEPARATOR = ";"


class Grade(StrEnum):
    """How strong the evidence is in law (证据强度)."""

    A = "A"  # a statutory presumption, still rebuttable
    B = "B"  # a strong indicator
    C = "C"  # statistical ranking and corroboration only


class Severity(StrEnum):
    """How serious the matter is if the signal is true. Says nothing about how likely that is."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Status(StrEnum):
    """How far the detector itself is trusted. Earned by evidence, never by age."""

    EXPERIMENTAL = "experimental"  # not yet measured outside its own tests
    TEST = "test"  # no obvious false flags on a limited set
    STABLE = "stable"  # false flags measured and low on honest and on real unlabelled data


@dataclass(frozen=True, kw_only=True)
class Detector:
    """The facts about a detector that people read. Everything shown to a person comes from here.

    Attributes:
        title, title_zh: what is seen, as a neutral statement.
        unit: what one row of the screen is about: ``lot``, ``pair``, ``ring``, ``party``,
            ``lot_party`` or ``buyer``.
        measures: what ``value`` is, with its unit.
        grade: strength of the evidence in law.
        severity: how serious if true.
        status: how far the detector is trusted.
        legal_basis: ids in ``data/reference/legal_basis.csv``.
        evidence: the source columns a signal rests on, as ``table.column`` of schema ``core``;
            a trace goes back to exactly these cells.
        says, says_zh: one sentence of measured numbers; placeholders are evidence columns,
            ``value``, ``p_value`` or fields of ``Limits``.
        identity_version: moves only when the meaning of a signal changes.
    """

    title: str
    title_zh: str
    unit: str
    measures: str
    grade: Grade
    severity: Severity
    status: Status
    legal_basis: tuple[str, ...]
    evidence: tuple[str, ...]
    says: str
    says_zh: str
    identity_version: int = 1


#: What is counted where nothing could be judged, by the unit of the detector: its name, and all that there are.
COUNTED = {
    "lot": ("lots", "SELECT lot_id AS unit FROM core.lots"),
    "lot_party": ("lots", "SELECT lot_id AS unit FROM core.lots"),
    "pair": ("firms", "SELECT DISTINCT bidder_id AS unit FROM core.bids"),
    "ring": ("firms", "SELECT DISTINCT bidder_id AS unit FROM core.bids"),
    "party": ("firms", "SELECT DISTINCT bidder_id AS unit FROM core.bids"),
    "buyer": ("buyers", "SELECT DISTINCT buyer_code AS unit FROM core.lots WHERE buyer_code IS NOT NULL"),
}


@dataclass(frozen=True)
class Need:
    """What a lot, a firm or a buyer (see `COUNTED`) must have before a detector can judge it.

    The needs of a detector stand in the order in which they are asked: who lacks the first is counted there and not
    asked further, so that judged and not judged add up to all there are. A need is a condition that every judged unit
    fulfils; what the kernel asks for beyond them (enough comparable lots) is a last need without SQL.

    Attributes:
        lack, lack_zh: what is said of those that lack it, such as ``no valid prices``.
        sql: portable SELECT of one column ``unit``: those that have it; fields of ``Limits`` as ``$name``. Empty, in the
            last need only: who fulfils all others and could not be judged all the same.
    """

    lack: str
    lack_zh: str
    sql: str = ""


def completed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a screen's frame with the columns of `MAY_BE_LEFT_OUT`, null where the screen has none."""
    absent = {
        name: pd.Series(None, index=frame.index, dtype=type)
        for name, type in MAY_BE_LEFT_OUT.items()
        if name not in frame.columns
    }
    return frame.assign(**absent)


class Engine(Protocol):
    """Runs portable SQL over the published tables (schemas ``core`` and ``feat``).

    The text must run unchanged on DuckDB and on Spark: no QUALIFY, no lambda, no struct or list
    syntax, ``NULLIF`` around every divisor, ``NULLS LAST`` and a unique tie-breaker in every
    ORDER BY, ``$name`` for parameters.
    """

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Return the result of one SELECT."""
        ...

    def reference(self, name: str) -> Mapping[str, Any]:
        """Return the tables of a TOML file of the reference data in force, such as ``award_rules.toml``.

        A module that asks for one names it in ``REFERENCE_DATA``: it is part of the version of what uses it.
        """
        ...


class Screen(Protocol):
    """``screen`` of a detector module.

    Returns a frame with one row per unit that could be judged and the columns of
    ``SCREEN_COLUMNS`` (``p_value`` and ``reference_class`` may be null) plus evidence columns of
    plain type, ``lot_ids`` among them where the unit is none of ``IN_LOT``. A unit may appear in
    several rows when several groups of entities were judged in it. A unit without a row could not be
    judged.
    """

    def __call__(self, engine: Engine, limits: object) -> pd.DataFrame:
        """Judge every unit that can be judged; flag with one inclusive comparison at the end."""
        ...
