"""The states of a case, and the steps by which people move it. The machine moves none.

`STEPS` lists every step. Another step is refused, and the message names those that are possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands."""

    NEW = "new"
    REVIEWING = "reviewing"
    WAITING = "waiting"
    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"
    DRAFTED = "drafted"
    APPROVED = "approved"
    REFERRED = "referred"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    NOT_FILED = "not_filed"
    RECONSIDERING = "reconsidering"
    FEEDBACK = "feedback"
    CLOSED = "closed"


STATES_ZH = {
    CaseState.NEW: "待初核",
    CaseState.REVIEWING: "初核中",
    CaseState.WAITING: "补充材料",
    CaseState.DISMISSED: "排除",
    CaseState.CONFIRMED: "初核属实",
    CaseState.DRAFTED: "拟移送",
    CaseState.APPROVED: "已批准",
    CaseState.REFERRED: "已移送",
    CaseState.ACCEPTED: "受理/立案",
    CaseState.RETURNED: "退回",
    CaseState.NOT_FILED: "不予立案",
    CaseState.RECONSIDERING: "复议/监督",
    CaseState.FEEDBACK: "已反馈",
    CaseState.CLOSED: "办结",
}

#: Nothing is left to do in these states. A clock that still runs for such a case is a fault.
AT_REST = frozenset({CaseState.DISMISSED, CaseState.CLOSED})

#: Why a case is set aside: a closed list, code to Chinese.
DISMISSALS_ZH = {
    "lawful_explained": "有合法合理解释",
    "data_error": "数据有误",
    "entity_wrong_match": "主体匹配有误",
    "below_materiality": "情节或金额轻微",
    "duplicate": "与其他案件重复",
    "out_of_scope": "不属本部门职责",
    "insufficient_now": "目前证据不足（定期复看）",
}


@dataclass(frozen=True)
class CaseStep:
    """One step from a state to another.

    Attributes:
        verb: its name on the command line: ``review take``, ``refer approve``.
        before, after: the states that it leads from and to.
        zh: its Chinese name.
        needs: what must be said with it.
    """

    verb: str
    before: CaseState
    after: CaseState
    zh: str
    needs: tuple[str, ...] = ()


STEPS = (
    CaseStep("take", CaseState.NEW, CaseState.REVIEWING, "领取初核"),
    CaseStep("need-info", CaseState.REVIEWING, CaseState.WAITING, "要求补充材料", ("reason",)),
    CaseStep("back", CaseState.WAITING, CaseState.REVIEWING, "材料补齐"),
    CaseStep("dismiss", CaseState.REVIEWING, CaseState.DISMISSED, "排除", ("code", "reason")),
    CaseStep("confirm", CaseState.REVIEWING, CaseState.CONFIRMED, "初核属实", ("reason", "second officer")),
    CaseStep("reopen", CaseState.DISMISSED, CaseState.REVIEWING, "重新初核", ("reason",)),
    CaseStep("reopen", CaseState.CLOSED, CaseState.REVIEWING, "重新初核", ("reason",)),
    CaseStep("file", CaseState.CONFIRMED, CaseState.ACCEPTED, "本部门立案", ("document",)),
    CaseStep("draft", CaseState.CONFIRMED, CaseState.DRAFTED, "拟移送", ("recipient", "basis")),
    CaseStep("draft", CaseState.RETURNED, CaseState.DRAFTED, "拟移送其他单位", ("recipient", "basis")),
    CaseStep("draft", CaseState.NOT_FILED, CaseState.DRAFTED, "拟移送其他单位", ("recipient", "basis")),
    CaseStep("draft", CaseState.FEEDBACK, CaseState.DRAFTED, "拟移送其他单位", ("recipient", "basis")),
    CaseStep("reject", CaseState.DRAFTED, CaseState.CONFIRMED, "不批准移送", ("reason",)),
    CaseStep("approve", CaseState.DRAFTED, CaseState.APPROVED, "批准移送"),
    CaseStep("send", CaseState.APPROVED, CaseState.REFERRED, "移送", ("document",)),
    CaseStep("accept", CaseState.REFERRED, CaseState.ACCEPTED, "对方受理/立案"),
    CaseStep("return", CaseState.REFERRED, CaseState.RETURNED, "对方退回", ("reason",)),
    CaseStep("no-case", CaseState.REFERRED, CaseState.NOT_FILED, "对方不予立案", ("reason",)),
    CaseStep("recheck", CaseState.RETURNED, CaseState.REVIEWING, "退回后重新初核"),
    CaseStep("reconsider", CaseState.NOT_FILED, CaseState.RECONSIDERING, "提请复议/监督", ("reason",)),
    CaseStep("accept", CaseState.RECONSIDERING, CaseState.ACCEPTED, "复议后立案"),
    CaseStep("uphold", CaseState.RECONSIDERING, CaseState.NOT_FILED, "维持不予立案", ("reason",)),
    CaseStep("return", CaseState.ACCEPTED, CaseState.RETURNED, "对方受理后退回", ("reason",)),
    CaseStep("feedback", CaseState.ACCEPTED, CaseState.FEEDBACK, "反馈处理结果", ("outcome",)),
    CaseStep("close", CaseState.FEEDBACK, CaseState.CLOSED, "办结"),
    CaseStep("close", CaseState.NOT_FILED, CaseState.CLOSED, "办结", ("reason",)),
)

_BY_WAY = {(step.before, step.verb): step for step in STEPS}


def possible(state: CaseState) -> tuple[CaseStep, ...]:
    """Return the steps that lead out of a state, in the order in which they are listed."""
    return tuple(step for step in STEPS if step.before is state)


def step_of(state: CaseState, verb: str) -> CaseStep:
    """Return the step that a verb means in a state.

    Raises:
        ValueError: the state has no such step; the message names those that it has.
    """
    step = _BY_WAY.get((state, verb))
    if step is None:
        ways = ", ".join(f"{step.verb} ({step.zh})" for step in possible(state)) or "none"
        raise ValueError(f"{verb!r} is not possible in state {state} ({STATES_ZH[state]}); possible: {ways}")
    return step
