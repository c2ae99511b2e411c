"""The ledger of complaints (投诉台账): one row a complaint, with code names only."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime

from pipelines import times
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.clocks.due_dates import WARNED, Stage
from pipelines.casework.clocks.periods import GROUNDS_ZH
from pipelines.casework.complaints.states import ACCEPTANCE, DECISION, ComplaintState, Regime
from pipelines.store import Store

_WAITING = (ComplaintState.ARRIVED, ComplaintState.TAKEN_IN)


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """One complaint. Times are UTC, ISO 8601; None where the step was not done.

    Attributes:
        id: its number.
        complainant: the code name.
        regime, state, rev: as it stands.
        channel, office, item, respondent_type, respondent, tender_id, project, lot_id, has_objected: as
            taken in, see `complaints.ReceivedComplaint`.
        received_at, signed_at, accepted_at, refused_at, decided_at, served_at, published_at: times of the steps.
        acceptance, decision: the clocks of accepting and of deciding.
        is_deemed_accepted: nobody accepted or refused it in time, so it counts as accepted (视为受理).
        suspensions: ground in Chinese, first day, day on which time counted again (None: still on).
        conclusion: a key of `CONCLUSIONS_ZH`.
        document: number of the decision.
        handler: the officer who took the last step of substance.
        cases: the cases that it is linked to.
    """

    id: str
    complainant: str
    regime: Regime
    state: ComplaintState
    rev: int
    channel: str
    office: str
    item: int
    respondent_type: int
    respondent: str
    tender_id: str
    project: str
    lot_id: str
    has_objected: bool
    received_at: str
    signed_at: str | None
    accepted_at: str | None
    refused_at: str | None
    decided_at: str | None
    served_at: str | None
    published_at: str | None
    acceptance: Deadline
    decision: Deadline
    is_deemed_accepted: bool
    suspensions: tuple[tuple[str, date, date | None], ...]
    conclusion: int | None
    document: str
    handler: str
    cases: tuple[str, ...]

    @property
    def clock(self) -> Deadline | None:
        """The clock that people look at: of accepting, then of deciding; None when neither runs."""
        first = (self.acceptance, self.decision) if self.state in _WAITING else (self.decision,)
        return next((each for each in first if each.outcome is None), None)

    @property
    def warning(self) -> Stage | None:
        """The stage of the clock that is most urgent, or None when none runs."""
        stages = [each.stage for each in (self.acceptance, self.decision) if each.outcome is None]
        return min(
            stages, key=lambda each: WARNED.index(each) if each in WARNED else len(WARNED), default=None
        )


def ledger(store: Store, as_of: date, at: datetime | None = None) -> list[LedgerRow]:
    """Return the complaints that had been received by the end of a day, the newest first.

    Args:
        store: the control store.
        as_of: the day by which the clocks are judged.
        at: the moment of that day; None: its first.
    """
    running: dict[tuple[str, str], Deadline] = {}
    for each in deadlines.all_deadlines(store, as_of, at):
        running[each.object, each.rule.rule_id] = each
    events: dict[str, list[sqlite3.Row]] = {}
    for row in store.rows("SELECT * FROM complaint_event ORDER BY number"):
        events.setdefault(row["complaint"], []).append(row)
    cases: dict[str, list[str]] = {}
    for row in store.rows(
        "SELECT complaint, case_id FROM complaint_case WHERE unlinked_at IS NULL ORDER BY number"
    ):
        cases.setdefault(row["complaint"], []).append(row["case_id"])
    return [
        _entry(row, events.get(row["id"], []), running, tuple(cases.get(row["id"], ())))
        for row in store.rows("SELECT * FROM complaint ORDER BY received_at DESC, id DESC")
        if times.day_of(datetime.fromisoformat(row["received_at"])) <= as_of
    ]


def _entry(
    row: sqlite3.Row,
    events: list[sqlite3.Row],
    running: dict[tuple[str, str], Deadline],
    cases: tuple[str, ...],
) -> LedgerRow:
    last = {event["verb"]: event for event in events}
    regime, state = Regime(row["regime"]), ComplaintState(row["state"])
    acceptance = running[row["id"], ACCEPTANCE[regime]]
    decision = running[row["id"], DECISION[regime]]
    decided = json.loads(last["decide"]["details"]) if "decide" in last else {}

    def time_of(verb: str) -> str | None:
        return last[verb]["done_at"] if verb in last else None

    return LedgerRow(
        **{
            name: row[name]
            for name in (
                "id",
                "complainant",
                "rev",
                "channel",
                "office",
                "item",
                "respondent_type",
                "respondent",
                "tender_id",
                "project",
                "lot_id",
                "received_at",
            )
        },
        regime=regime,
        state=state,
        has_objected=bool(row["has_objected"]),
        signed_at=time_of("sign"),
        accepted_at=time_of("accept"),
        refused_at=time_of("refuse"),
        decided_at=time_of("decide"),
        served_at=time_of("serve"),
        published_at=time_of("publish"),
        acceptance=acceptance,
        decision=decision,
        is_deemed_accepted=state in _WAITING and acceptance.stage is Stage.OVERDUE,
        suspensions=tuple(
            (GROUNDS_ZH[each.ground], each.from_on, each.to_on) for each in decision.suspensions
        ),
        conclusion=int(decided["conclusion"]) if decided else None,
        document=decided.get("document", ""),
        handler=events[-1]["actor"] if events else "",
        cases=cases,
    )
