"""The states of a complaint, the steps by which people move it, and which clocks each step starts and stops.

States, items and conclusions are those of the complaint records on provincial platforms. No state moves by itself: a
complaint that nobody took in is listed as deemed accepted (视为受理), and people move its state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Regime(StrEnum):
    """The law that a complaint goes by."""

    TENDERING = "tendering"
    PROCUREMENT = "procurement"


REGIMES_ZH = {Regime.TENDERING: "招标投标", Regime.PROCUREMENT: "政府采购"}


class ComplaintState(StrEnum):
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
    ComplaintState.ARRIVED: "待签收",
    ComplaintState.TAKEN_IN: "待受理",
    ComplaintState.REFUSED: "不予受理",
    ComplaintState.HANDLING: "待处理",
    ComplaintState.DECIDED: "已处理",
    ComplaintState.WITHDRAWING: "申请撤诉",
    ComplaintState.NOT_WITHDRAWN: "不予撤诉",
    ComplaintState.WITHDRAWN: "同意撤诉",
    ComplaintState.CANCELLED: "撤销",
}

#: The numbers of the states in the platforms' records, 1 to 9, in this order.
STATE_CODES = {state: number for number, state in enumerate(ComplaintState, 1)}

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
class ComplaintStep:
    """One thing that people do with a complaint.

    Attributes:
        verb: its name on the command line.
        before: the states in which it is possible.
        after: the state that it leads to; None: the state stays.
        zh: its Chinese name.
        needs: what must be said with it.
        regime: the law that has it; None: both.
    """

    verb: str
    before: tuple[ComplaintState, ...]
    after: ComplaintState | None
    zh: str
    needs: tuple[str, ...] = ()
    regime: Regime | None = None


_WAITING = (ComplaintState.ARRIVED, ComplaintState.TAKEN_IN)
_UNDER_WAY = (ComplaintState.HANDLING, ComplaintState.NOT_WITHDRAWN)
_UNDECIDED = (ComplaintState.HANDLING, ComplaintState.WITHDRAWING, ComplaintState.NOT_WITHDRAWN)

STEPS = (
    ComplaintStep("sign", (ComplaintState.ARRIVED,), ComplaintState.TAKEN_IN, "签收"),
    ComplaintStep("ask-correction", (ComplaintState.TAKEN_IN,), None, "要求补正", ("reason",)),
    ComplaintStep("corrected", (ComplaintState.TAKEN_IN,), None, "收到补正"),
    ComplaintStep("accept", (ComplaintState.TAKEN_IN,), ComplaintState.HANDLING, "受理"),
    ComplaintStep("refuse", (ComplaintState.TAKEN_IN,), ComplaintState.REFUSED, "不予受理", ("reason",)),
    ComplaintStep("cancel", _WAITING, ComplaintState.CANCELLED, "撤销", ("reason",)),
    ComplaintStep("notify", (ComplaintState.REFUSED,), None, "送达不予受理通知书", ("document",)),
    ComplaintStep("copies", _UNDECIDED, None, "发出答复通知书及副本", (), Regime.PROCUREMENT),
    ComplaintStep("suspend", _UNDECIDED, None, "开始扣除期间", ("ground", "reason")),
    ComplaintStep("resume", _UNDECIDED, None, "结束扣除期间"),
    ComplaintStep("decide", _UNDER_WAY, ComplaintState.DECIDED, "作出处理决定", ("conclusion", "document")),
    ComplaintStep("withdraw", _UNDER_WAY, ComplaintState.WITHDRAWING, "申请撤诉", ("reason",)),
    ComplaintStep("grant", (ComplaintState.WITHDRAWING,), ComplaintState.WITHDRAWN, "同意撤诉"),
    ComplaintStep(
        "deny", (ComplaintState.WITHDRAWING,), ComplaintState.NOT_WITHDRAWN, "不予撤诉", ("reason",)
    ),
    ComplaintStep("serve", (ComplaintState.DECIDED,), None, "送达处理决定"),
    ComplaintStep("publish", (ComplaintState.DECIDED,), None, "公开处理决定"),
)

#: The periods in which to accept and to decide.
ACCEPTANCE = {Regime.TENDERING: "TS02", Regime.PROCUREMENT: "ZC04"}
DECISION = {Regime.TENDERING: "TS03", Regime.PROCUREMENT: "ZC07a"}

#: What each step does to the clocks: ``begin``, or the outcome with which it ends them. ``receive`` is the arrival. The time
#: to decide counts from the receipt: a complaint that is in order counts as accepted on the day on which it came.
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


def possible(state: ComplaintState, regime: Regime) -> tuple[ComplaintStep, ...]:
    """Return what people can do with a complaint in a state, in the order of `STEPS`."""
    return tuple(step for step in STEPS if state in step.before and step.regime in (None, regime))


def step_of(state: ComplaintState, regime: Regime, verb: str) -> ComplaintStep:
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
