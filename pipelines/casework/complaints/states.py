"""The states of a complaint, the steps by which people move it, and which clocks each step starts and stops.

States, items and conclusions are those of the complaint records on provincial platforms. Nothing here moves by
itself: a complaint that nobody took in is listed as deemed accepted (视为受理), and its state is left to people.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Regime(StrEnum):
    """The law that a complaint goes by."""

    TENDERING = "tendering"
    PROCUREMENT = "procurement"


REGIMES_ZH = {Regime.TENDERING: "招标投标", Regime.PROCUREMENT: "政府采购"}


class State(StrEnum):
    """Where a complaint stands."""

    ARRIVED = "arrived"
    TAKEN_IN = "taken_in"
    REFUSED = "refused"
    HANDLING = "handling"
    DECIDED = "decided"
    WITHDRAWING = "withdrawing"
    NOT_WITHDRAWN = "not_withdrawn"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"


STATES_ZH = {
    State.ARRIVED: "待签收",
    State.TAKEN_IN: "待受理",
    State.REFUSED: "不予受理",
    State.HANDLING: "待处理",
    State.DECIDED: "已处理",
    State.WITHDRAWING: "申请撤诉",
    State.NOT_WITHDRAWN: "不予撤诉",
    State.WITHDRAWN: "同意撤诉",
    State.CANCELLED: "撤销",
}

#: The numbers of the states in the platforms' records, 1 to 9, in this order.
STATE_CODES = {state: number for number, state in enumerate(State, 1)}

CHANNELS_ZH = {"online": "线上", "offline": "线下"}

ITEMS_ZH = {
    1: "招标文件",
    2: "资格预审文件",
    3: "资格预审结果",
    4: "评标结果",
    5: "开标过程",
    6: "其他",
}

ITEMS_EN = {
    1: "tender documents",
    2: "prequalification documents",
    3: "prequalification result",
    4: "evaluation result",
    5: "bid opening",
    6: "other",
}

CONCLUSIONS_ZH = {1: "属实", 2: "部分属实", 3: "不属实"}

RESPONDENTS_ZH = {1: "招标人", 2: "招标代理机构", 3: "投标人", 4: "评标委员会", 5: "其他"}


@dataclass(frozen=True)
class Step:
    """One thing that people do with a complaint.

    Attributes:
        verb: its name on the command line.
        before: the states in which it is possible.
        after: the state that it leads to; None: the state stays.
        zh: its Chinese name.
        needs: what must be said with it.
        regime: the only law that knows it, if one.
    """

    verb: str
    before: tuple[State, ...]
    after: State | None
    zh: str
    needs: tuple[str, ...] = ()
    regime: Regime | None = None


_WAITING = (State.ARRIVED, State.TAKEN_IN)
_UNDER_WAY = (State.HANDLING, State.NOT_WITHDRAWN)
_UNDECIDED = (State.HANDLING, State.WITHDRAWING, State.NOT_WITHDRAWN)

STEPS = (
    Step("sign", (State.ARRIVED,), State.TAKEN_IN, "签收"),
    Step("ask-correction", (State.TAKEN_IN,), None, "要求补正", ("reason",)),
    Step("corrected", (State.TAKEN_IN,), None, "收到补正"),
    Step("accept", (State.TAKEN_IN,), State.HANDLING, "受理"),
    Step("refuse", (State.TAKEN_IN,), State.REFUSED, "不予受理", ("reason",)),
    Step("cancel", _WAITING, State.CANCELLED, "撤销", ("reason",)),
    Step("notify", (State.REFUSED,), None, "送达不予受理通知书", ("document",)),
    Step("copies", _UNDECIDED, None, "发出答复通知书及副本", (), Regime.PROCUREMENT),
    Step("suspend", _UNDECIDED, None, "开始扣除期间", ("ground", "reason")),
    Step("resume", _UNDECIDED, None, "结束扣除期间"),
    Step("decide", _UNDER_WAY, State.DECIDED, "作出处理决定", ("conclusion", "document")),
    Step("withdraw", _UNDER_WAY, State.WITHDRAWING, "申请撤诉", ("reason",)),
    Step("grant", (State.WITHDRAWING,), State.WITHDRAWN, "同意撤诉"),
    Step("deny", (State.WITHDRAWING,), State.NOT_WITHDRAWN, "不予撤诉", ("reason",)),
    Step("serve", (State.DECIDED,), None, "送达处理决定"),
    Step("publish", (State.DECIDED,), None, "公开处理决定"),
)

#: The periods in which to accept and to decide.
ACCEPTANCE = {Regime.TENDERING: "TS02", Regime.PROCUREMENT: "ZC04"}
DECISION = {Regime.TENDERING: "TS03", Regime.PROCUREMENT: "ZC07a"}

#: What each step does to the clocks: ``begin``, or how it ends them. ``receive`` is the arrival. The decision is
#: reckoned from the receipt: a complaint that is in order counts as accepted on the day it came.
CLOCKS: dict[Regime, dict[str, tuple[tuple[str, str], ...]]] = {
    Regime.TENDERING: {
        "receive": (("begin", "TS02"), ("begin", "TS03")),
        "accept": (("met", "TS02"),),
        "refuse": (("met", "TS02"), ("void", "TS03")),
        "cancel": (("void", "TS02"), ("void", "TS03")),
        "decide": (("met", "TS03"),),
        "grant": (("lapsed", "TS03"),),
    },
    Regime.PROCUREMENT: {
        "receive": (("begin", "ZC04"), ("begin", "ZC06"), ("begin", "ZC07a")),
        "ask-correction": (("met", "ZC04"),),
        "corrected": (("begin", "ZC04"),),
        "accept": (("met", "ZC04"),),
        "refuse": (("met", "ZC04"), ("begin", "ZC05"), ("void", "ZC06"), ("void", "ZC07a")),
        "cancel": (("void", "ZC04"), ("void", "ZC06"), ("void", "ZC07a")),
        "notify": (("met", "ZC05"),),
        "copies": (("met", "ZC06"),),
        "decide": (("met", "ZC07a"), ("lapsed", "ZC06")),
        "grant": (("lapsed", "ZC07a"), ("lapsed", "ZC06")),
    },
}


def possible(state: State, regime: Regime) -> tuple[Step, ...]:
    """Return what people can do with a complaint in a state, in the order of `STEPS`."""
    return tuple(step for step in STEPS if state in step.before and step.regime in (None, regime))


def step_of(state: State, regime: Regime, verb: str) -> Step:
    """Return the step that a verb means in a state.

    Raises:
        ValueError: it is not possible there; the message names what is.
    """
    ways = possible(state, regime)
    for step in ways:
        if step.verb == verb:
            return step
    named = ", ".join(f"{step.verb} ({step.zh})" for step in ways) or "none"
    raise ValueError(f"{verb!r} is not possible in state {state} ({STATES_ZH[state]}); possible: {named}")
