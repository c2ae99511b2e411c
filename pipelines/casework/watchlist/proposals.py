"""What a proposal for the watch list or for the blacklist must say. Neither list takes what belongs on the other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pipelines.casework.watchlist import credit_repair

LISTS_ZH: Mapping[str, str] = {"watch": "重点关注对象名单", "black": "黑名单"}
SUBJECTS_ZH: Mapping[str, str] = {
    "firm": "企业",
    "person": "人员",
    "project": "项目",
    "expert": "专家",
    "agency": "代理",
}

#: Persons are tokens (see `pipelines.values.tokens`), never names or numbers.
_PERSON = re.compile(r"h1:[0-9A-Fa-f]{32}")


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is proposed for a list. Dates are local days; first and last day are both included.

    Attributes:
        list: ``watch`` or ``black``.
        subject_kind: a code of ``SUBJECTS_ZH``.
        subject_id: party id of a firm or agency, id of a project, token of a person or expert.
        name: of a firm or project; of a person the masked one, such as 张*.
        shown_code: masked identity number of a person; empty for others.
        reason: 列入原因.
        basis: the instrument and article, or the meeting's minute.
        rule: detector or case that led to it (触发规则); may be empty.
        risk_class, measures, related: 风险等级, 关注措施, 关联对象; may be empty.
        document_no, authority, decided_on, severity: of the decision; a blacklist entry needs all four.
        is_bidding_ban: whether the decision bars from bidding.
        starts_on, ends_on: of the attention, or of the ban.
        review_on: 复评日期; a watch entry needs it.
    """

    list: str
    subject_kind: str
    subject_id: str
    name: str
    reason: str
    basis: str
    starts_on: date
    ends_on: date
    review_on: date | None = None
    shown_code: str = ""
    rule: str = ""
    risk_class: str = ""
    measures: str = ""
    related: str = ""
    document_no: str = ""
    authority: str = ""
    decided_on: date | None = None
    severity: str = ""
    is_bidding_ban: bool = False

    def __post_init__(self) -> None:
        if self.list not in LISTS_ZH or self.subject_kind not in SUBJECTS_ZH:
            raise ValueError(f"no list {self.list!r} or no kind of subject {self.subject_kind!r}")
        for what, text in (
            ("subject", self.subject_id),
            ("name", self.name),
            ("reason", self.reason),
            ("basis", self.basis),
        ):
            if not text.strip():
                raise ValueError(f"an entry of the {self.list} list needs a {what}")
        if self.ends_on < self.starts_on:
            raise ValueError(f"the entry ends on {self.ends_on}, before it begins on {self.starts_on}")
        if self.subject_kind in ("person", "expert"):
            self._check_person()
        if self.list == "watch":
            self._check_watch()
        else:
            self._check_black()

    def _check_person(self) -> None:
        if not _PERSON.fullmatch(self.subject_id):
            raise ValueError(
                "a person is listed by token (h1:…), as alerts show it; never by name or identity number"
            )
        if "*" not in self.name or (self.shown_code and "*" not in self.shown_code):
            raise ValueError("name and identity number of a person are masked: 张*, 410***********1234")

    def _check_watch(self) -> None:
        if self.review_on is None or not self.starts_on <= self.review_on <= self.ends_on:
            raise ValueError(
                "a watch entry needs a review date (复评日期) between its first and its last day"
            )
        if self.document_no or self.decided_on or self.severity or self.is_bidding_ban:
            raise ValueError(
                "a watch entry is internal and no sanction: what rests on a decision belongs on the blacklist"
            )

    def _check_black(self) -> None:
        if not (self.document_no.strip() and self.authority.strip() and self.decided_on and self.severity):
            raise ValueError(
                "a blacklist entry needs its decision: document number (文号), authority, date and class"
            )
        credit_repair.dishonesty_class_of(self.severity)
        if self.starts_on < self.decided_on:
            raise ValueError(
                f"the entry begins on {self.starts_on}, before its decision of {self.decided_on}"
            )

    def facts(self) -> dict[str, object]:
        """Return the facts as they are stored, by column."""
        days = {
            "starts_on": self.starts_on,
            "first_ends_on": self.ends_on,
            "first_review_on": self.review_on,
            "decided_on": self.decided_on,
        }
        own = {
            name: value for name, value in vars(self).items() if name not in {*days, "ends_on", "review_on"}
        }
        own["is_bidding_ban"] = int(self.is_bidding_ban)
        return own | {name: day.isoformat() if day else None for name, day in days.items()}
