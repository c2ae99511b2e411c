"""The states of a case, and the steps by which people move it. The machine moves none of them.

One table of steps is all there is: what it does not list is refused, with the steps that are possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
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
    State.NEW: "待初核",
    State.REVIEWING: "初核中",
    State.WAITING: "补充材料",
    State.DISMISSED: "排除",
    State.CONFIRMED: "初核属实",
    State.DRAFTED: "拟移送",
    State.APPROVED: "已批准",
    State.REFERRED: "已移送",
    State.ACCEPTED: "受理/立案",
    State.RETURNED: "退回",
    State.NOT_FILED: "不予立案",
    State.RECONSIDERING: "复议/监督",
    State.FEEDBACK: "已反馈",
    State.CLOSED: "办结",
}

#: Nothing is left to do in these; a clock that still runs for such a case is a fault.
AT_REST = frozenset({State.DISMISSED, State.CLOSED})

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
class Step:
    """One way from a state to another.

    Attributes:
        verb: its name on the command line: ``review take``, ``refer approve``.
        before, after: the states that it leads from and to.
        zh: its Chinese name.
        needs: what must be said with it.
    """

    verb: str
    before: State
    after: State
    zh: str
    needs: tuple[str, ...] = ()


STEPS = (
    Step("take", State.NEW, State.REVIEWING, "领取初核"),
    Step("need-info", State.REVIEWING, State.WAITING, "要求补充材料", ("reason",)),
    Step("back", State.WAITING, State.REVIEWING, "材料补齐"),
    Step("dismiss", State.REVIEWING, State.DISMISSED, "排除", ("code", "reason")),
    Step("confirm", State.REVIEWING, State.CONFIRMED, "初核属实", ("reason", "second officer")),
    Step("reopen", State.DISMISSED, State.REVIEWING, "重新初核", ("reason",)),
    Step("reopen", State.CLOSED, State.REVIEWING, "重新初核", ("reason",)),
    Step("file", State.CONFIRMED, State.ACCEPTED, "本部门立案", ("document",)),
    Step("draft", State.CONFIRMED, State.DRAFTED, "拟移送", ("recipient", "basis")),
    Step("draft", State.RETURNED, State.DRAFTED, "拟移送其他单位", ("recipient", "basis")),
    Step("draft", State.NOT_FILED, State.DRAFTED, "拟移送其他单位", ("recipient", "basis")),
    Step("draft", State.FEEDBACK, State.DRAFTED, "拟移送其他单位", ("recipient", "basis")),
    Step("reject", State.DRAFTED, State.CONFIRMED, "不批准移送", ("reason",)),
    Step("approve", State.DRAFTED, State.APPROVED, "批准移送"),
    Step("send", State.APPROVED, State.REFERRED, "移送", ("document",)),
    Step("accept", State.REFERRED, State.ACCEPTED, "对方受理/立案"),
    Step("return", State.REFERRED, State.RETURNED, "对方退回", ("reason",)),
    Step("no-case", State.REFERRED, State.NOT_FILED, "对方不予立案", ("reason",)),
    Step("recheck", State.RETURNED, State.REVIEWING, "退回后重新初核"),
    Step("reconsider", State.NOT_FILED, State.RECONSIDERING, "提请复议/监督", ("reason",)),
    Step("accept", State.RECONSIDERING, State.ACCEPTED, "复议后立案"),
    Step("uphold", State.RECONSIDERING, State.NOT_FILED, "维持不予立案", ("reason",)),
    Step("return", State.ACCEPTED, State.RETURNED, "对方受理后退回", ("reason",)),
    Step("feedback", State.ACCEPTED, State.FEEDBACK, "反馈处理结果", ("outcome",)),
    Step("close", State.FEEDBACK, State.CLOSED, "办结"),
    Step("close", State.NOT_FILED, State.CLOSED, "办结", ("reason",)),
)

_BY_WAY = {(step.before, step.verb): step for step in STEPS}


def possible(state: State) -> tuple[Step, ...]:
    """Return the steps that lead out of a state, in the order in which they are listed."""
    return tuple(step for step in STEPS if step.before is state)


def step_of(state: State, verb: str) -> Step:
    """Return the step that a verb means in a state.

    Raises:
        ValueError: the state has no such step; the message names those that it has.
    """
    step = _BY_WAY.get((state, verb))
    if step is None:
        ways = ", ".join(f"{step.verb} ({step.zh})" for step in possible(state)) or "none"
        raise ValueError(f"{verb!r} is not possible in state {state} ({STATES_ZH[state]}); possible: {ways}")
    return step
