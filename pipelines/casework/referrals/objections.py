"""Letters against a refusal of the police to file a case: reconsideration, or supervision by the procuratorate.

Article 9 of State Council Order 310. A letter is a draft until the step `refer reconsider` is taken; it starts no clock.
"""

from __future__ import annotations

from pipelines import times
from pipelines.casework import offices
from pipelines.casework.cases.cases import case_of
from pipelines.casework.cases.states import STATES_ZH, CaseState
from pipelines.casework.clocks import periods
from pipelines.casework.referrals import case_findings, referrals
from pipelines.casework.referrals.ledger import decisions_by_referral
from pipelines.settings import Home
from pipelines.store import Store
from reports import letters
from reports.letters import LetterHead

#: To which office each way leads.
_RECIPIENTS = {"reconsideration": "police", "supervision": "procuratorate"}
#: The periods for objecting to a refusal, and to one that was upheld.
_AFTER_REFUSAL, _AFTER_UPHELD = "YS06", "YS08"


def letter(home: Home, store: Store, case_id: str, way: str, grounds: str, head: LetterHead) -> bytes:
    """Return the letter.

    Args:
        home: the installation.
        store: the control store.
        case_id: a case that the police did not file.
        way: ``reconsideration`` or ``supervision``.
        grounds: why a case should be filed.
        head: who writes.

    Raises:
        ValueError: the case was not refused by the police, no grounds are given, or the refusal was
            reconsidered already.
    """
    if way not in _RECIPIENTS:
        raise ValueError(f"no way {way!r}; there are: {', '.join(_RECIPIENTS)}")
    if not grounds.strip():
        raise ValueError("say why a case should be filed: --grounds TEXT")
    case, referral = case_of(store.con, case_id), referrals.latest(store.con, case_id)
    if (
        referral is None
        or referral.kind != "police"
        or case.state not in (CaseState.NOT_FILED, CaseState.RECONSIDERING)
    ):
        raise ValueError(
            f"{case_id} is {case.state} ({STATES_ZH[case.state]}): there is no refusal of the police to object to"
        )
    last = {step.verb: step for step in decisions_by_referral(store, case_id)[-1]}
    is_upheld = "uphold" in last
    if is_upheld and way == "reconsideration":
        raise ValueError(f"{case_id}: the refusal was upheld; what is left is --way supervision")
    refusal = last["uphold" if is_upheld else "no-case"]
    return letters.objection_letter(
        head,
        way=way,
        recipient_zh=offices.offices(store.reference)[_RECIPIENTS[way]].name_zh,
        subject=case_findings.project_of(home, store, case_id),
        referral=referral.id,
        sent_as=str(referral.document_no),
        sent_on=times.day_of(last["send"].at),
        answer=refusal.reason,
        answered_on=times.day_of(refusal.at),
        grounds=grounds,
        period=periods.cited(_AFTER_UPHELD if is_upheld else _AFTER_REFUSAL),
    )
