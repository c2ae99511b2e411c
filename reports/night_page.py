"""The night on one page: what came in, what was refused, what was flagged, what went out.

It is one HTML file without script, link or picture, made to be read in two minutes on a screen, or printed and filed. Names
come from strangers: in every text, markup is escaped and invisible characters are written out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.alert_list import LEVEL_BY_GRADE, STATEMENT_ZH, Alert, by_strength
from reports.cells import terminal

TEMPLATES = Path(__file__).parent / "templates"

#: How many alerts stand on the page, the strongest first. The others are counted and stand in the lists.
ALERTS_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class FileOutcome:
    """What became of one received file, in records. ``reason``, ``reason_zh``: why it was refused."""

    file_name: str
    source: str
    state: str
    records: int
    loaded: int
    duplicate: int
    refused: int
    held: int
    reason: str = ""
    reason_zh: str = ""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Rows refused for one reason. ``example`` is where one of them stands in its file."""

    code: str
    reason: str
    reason_zh: str
    count: int
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class ExpectationOutcome:
    """One expectation about one table: how many rows were checked, how many were not as expected."""

    table: str
    expectation: str
    severity: str
    checked: int
    unexpected: int
    ok: bool


@dataclass(frozen=True, kw_only=True)
class GateOutcome:
    """One condition of publishing: what was counted, and how much is allowed."""

    name: str
    name_zh: str
    count: float
    limit: float
    passed: bool


@dataclass(frozen=True, kw_only=True)
class DetectorOutcome:
    """How many units a detector judged and flagged; ``not_judged`` says why it judged no more."""

    id: str
    title: str
    title_zh: str
    grade: str
    judged: int
    flagged: int
    not_judged: str = ""


@dataclass(frozen=True)
class Hub:
    """A value that so many unrelated firms share that it is no evidence, and where it was left out."""

    detector: str
    value: str
    bidders: int
    lots: int
    left_out_of_lots: int


@dataclass(frozen=True, kw_only=True)
class DeliveryLine:
    """One folder in the outbox. ``held``: it is not written yet and waits until a person releases it."""

    recipient: str
    name_zh: str
    rows: int
    path: str
    held: bool = False


@dataclass(frozen=True)
class ClockLine:
    """A period of the law that ends soon or has ended: what it is about, what must be done, until when."""

    object: str
    act_zh: str
    due: str
    stage_zh: str


@dataclass(frozen=True, kw_only=True)
class NightPage:
    """All facts on the page of one night.

    ``notes`` stand at the top, such as that a source is incomplete; ``remarks`` stand below the files.
    """

    snapshot: str
    as_of: date
    files: Sequence[FileOutcome]
    refusals: Sequence[Refusal]
    expectations: Sequence[ExpectationOutcome]
    gates: Sequence[GateOutcome]
    detectors: Sequence[DetectorOutcome]
    hubs: Sequence[Hub]
    alerts: Sequence[Alert]
    deliveries: Sequence[DeliveryLine]
    clocks: Sequence[ClockLine] = ()
    notes: Sequence[str] = ()
    remarks: Sequence[str] = ()


def page_html(page: NightPage) -> str:
    """Return the page as HTML text, to be stored as UTF-8."""
    by_level = Counter(alert.level for alert in page.alerts)
    ranked = sorted(page.alerts, key=by_strength)
    return page_of(
        "night.html",
        page=page,
        statement_zh=STATEMENT_ZH,
        closed=[gate for gate in page.gates if not gate.passed],
        records=sum(file.records for file in page.files),
        loaded=sum(file.loaded for file in page.files),
        duplicate=sum(file.duplicate for file in page.files),
        refused=sum(file.refused for file in page.files),
        held=sum(file.held for file in page.files),
        levels=[(level, grade, by_level[level]) for grade, level in LEVEL_BY_GRADE.items()],
        shown=ranked[:ALERTS_SHOWN],
        failed=[result for result in page.expectations if not result.ok],
        met=[result for result in page.expectations if result.ok],
    )


def page_of(template: str, **facts: object) -> str:
    """Return a page made from one of the house's templates; markup in its texts is escaped."""
    return _PAGES.get_template(template).render(**facts)


def _shown(value: object) -> object:
    """Write out invisible characters of every text that goes into a page."""
    return terminal(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_PAGES = Environment(
    loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters["thousands"] = lambda number: f"{round(number, 4):,}"
