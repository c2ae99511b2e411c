"""A step on a case, as ``review`` and ``refer`` share it: do it, say where the case stands and what may come next."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework.acts import Act
from pipelines.casework.cases.states import STATES_ZH, CaseState, possible
from pipelines.casework.referrals import referrals
from pipelines.commands.options import HomeOption
from pipelines.commands.output import err
from pipelines.commands.texts import AND, Both, Lang, word
from pipelines.store import opened

STANDS = Both("{case}：{state}", "{case}: {state}")
NEXT = Both("  bidwatch {group} {verb} {case}{needs}  {step_zh}", "  bidwatch {group} {verb} {case}{needs}")
NEEDS = Both("（{needs}）", " ({needs})")
NEEDS_ZH = {
    "reason": "理由",
    "second officer": "第二名经办人",
    "code": "排除原因",
    "document": "文号",
    "recipient": "接收单位",
    "basis": "权责依据",
    "outcome": "处理结果",
}

RevOption = Annotated[
    int | None, typer.Option("--rev", help="The revision that you saw; refused if somebody was faster.")
]

#: Verbs that are steps of a referral; the others belong to the review.
REFER = frozenset(
    {
        "draft",
        "approve",
        "reject",
        "send",
        "accept",
        "return",
        "no-case",
        "recheck",
        "reconsider",
        "uphold",
        "feedback",
        "close",
    }
)


def step(
    home: HomeOption, act: Act, case: str, verb: str, given: dict[str, str], rev: int | None, lang: Lang
) -> None:
    """Do a step on a case and say where it stands and what is possible then."""
    with opened(settings.installed(home).control) as store:
        state = referrals.answer(store, act, case, verb, given, rev=rev)
    say_next(CaseState(state), case, lang)


def say_next(state: CaseState, case: str, lang: Lang) -> None:
    """Say where a case stands and which steps are possible."""
    err.print(STANDS.in_(lang).format(case=case, state=word(STATES_ZH, state, lang)))
    for each in possible(state):
        needs = AND.in_(lang).join(word(NEEDS_ZH, need, lang) for need in each.needs)
        said = NEXT.in_(lang).format(
            group="refer" if each.verb in REFER else "review",
            verb=each.verb,
            case=case,
            needs=NEEDS.in_(lang).format(needs=needs) if needs else "",
            step_zh=each.zh,
        )
        err.print(said, soft_wrap=True)
