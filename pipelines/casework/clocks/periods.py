"""The periods of the law (期限), as data: what starts each, what must be done, how long it is, and whose duty it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from pipelines.reference import Reference


class Unit(StrEnum):
    """What a period is counted in."""

    HOUR = "hour"
    DAY = "day"
    WORKDAY = "workday"
    MONTH = "month"
    YEAR = "year"


UNITS_ZH = {
    Unit.HOUR: "小时",
    Unit.DAY: "日",
    Unit.WORKDAY: "个工作日",
    Unit.MONTH: "个月",
    Unit.YEAR: "年",
}


class PeriodKind(StrEnum):
    """What part of handling a complaint a period belongs to, if any."""

    ACCEPTANCE = "acceptance"
    STEP = "step"
    CONCLUSION = "conclusion"
    OTHER = "other"


class DelayKind(StrEnum):
    """The kinds of delay that article 10 of the county's notice assesses every year."""

    ACCEPTANCE = "late_acceptance"
    HANDLING = "late_handling"
    NOT_CONCLUDED = "not_concluded"
    OTHER = "other"


DELAYS_ZH = {
    DelayKind.ACCEPTANCE: "逾期受理",
    DelayKind.HANDLING: "超期办理",
    DelayKind.NOT_CONCLUDED: "逾期未办结",
    DelayKind.OTHER: "其他超期",
}


DUTIES_ZH = {
    "regulator": "监管部门",
    "police": "公安机关",
    "tenderer": "招标人",
    "purchaser": "采购人",
    "bidder": "投标人",
    "supplier": "供应商",
}


GROUNDS_ZH = {
    "inspection": "检验",
    "testing": "检测",
    "appraisal": "鉴定",
    "expert_review": "专家评审",
    "objection": "异议答复期间",
}


@dataclass(frozen=True, kw_only=True)
class PeriodRule:
    """One period of the law, a row of ``data/reference/deadlines.csv``.

    Attributes:
        rule_id: such as ``TS02``; a letter follows where one provision has several periods.
        regime: ``tendering``, ``procurement``, or ``all``.
        starts_zh, starts_en, act_zh, act_en: the event that starts it, and what must be done.
        length, unit: how long.
        at_least: a minimum (such as 20 days to bid) rather than a time limit.
        moves: read so that a last day on a rest day moves to the next working day.
        kind: see `PeriodKind`.
        duty_of: whose duty it is, a key of `DUTIES_ZH`.
        stops: grounds on which it stands still, keys of `GROUNDS_ZH`.
        extends: the rule whose clock it may take over, with approval; it counts from the same start.
        basis: instrument and article.
        seen: the text was checked; otherwise it is shown as 待核.
    """

    rule_id: str
    regime: str
    starts_zh: str
    starts_en: str
    act_zh: str
    act_en: str
    length: int
    unit: Unit
    at_least: bool
    moves: bool
    kind: PeriodKind
    duty_of: str
    stops: tuple[str, ...]
    extends: str | None
    basis: str
    seen: bool

    @property
    def duty_zh(self) -> str:
        """Whose duty it is, in Chinese."""
        return DUTIES_ZH[self.duty_of]

    @property
    def length_zh(self) -> str:
        """The length in Chinese: 3个工作日."""
        return f"{'不少于' if self.at_least else ''}{self.length}{UNITS_ZH[self.unit]}"

    @property
    def length_en(self) -> str:
        """The length in English: 3 workdays."""
        plural = "" if self.length == 1 else "s"
        return f"{'at least ' if self.at_least else ''}{self.length} {self.unit}{plural}"

    def late(self, *, is_done: bool) -> DelayKind:
        """Return which delay it is when the period has run out, with the act done late or not at all."""
        match self.kind:
            case PeriodKind.ACCEPTANCE:
                return DelayKind.ACCEPTANCE
            case PeriodKind.STEP:
                return DelayKind.HANDLING
            case PeriodKind.CONCLUSION:
                return DelayKind.HANDLING if is_done else DelayKind.NOT_CONCLUDED
            case PeriodKind.OTHER:
                return DelayKind.OTHER


@cache
def rules() -> dict[str, PeriodRule]:
    """Return the rules by id, in the order of the file."""
    return {row.values["rule_id"]: _rule(row.values) for row in Reference().rows("deadlines.csv")}


def rule_of(rule_id: str) -> PeriodRule:
    """Return a rule.

    Raises:
        ValueError: there is none of this id.
    """
    try:
        return rules()[rule_id]
    except KeyError as error:
        raise ValueError(f"no period {rule_id!r}; `bidwatch deadlines rules` lists them") from error


def cited(rule_id: str) -> tuple[str, str, str]:
    """Return what a period wants, how long it gives, and by which provision, as a letter cites it in Chinese."""
    rule = rule_of(rule_id)
    return rule.act_zh, rule.length_zh, rule.basis + ("" if rule.seen else "（待核）")


def _rule(row: Mapping[str, str]) -> PeriodRule:
    return PeriodRule(
        rule_id=row["rule_id"],
        regime=row["regime"],
        starts_zh=row["starts_zh"],
        starts_en=row["starts_en"],
        act_zh=row["act_zh"],
        act_en=row["act_en"],
        length=int(row["length"]),
        unit=Unit(row["unit"]),
        at_least=row["sense"] == "at_least",
        moves=row["moves"] == "yes",
        kind=PeriodKind(row["kind"]),
        duty_of=row["duty_of"],
        stops=tuple(filter(None, row["stops"].split(";"))),
        extends=row["extends"] or None,
        basis=row["basis"],
        seen=row["seen"] == "yes",
    )
