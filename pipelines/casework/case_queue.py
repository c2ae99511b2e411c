"""The queue of cases: each with what fired, the money at stake, the office in charge, and what is due."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipelines.casework import suppressions
from pipelines.casework.cases.cases import Case
from pipelines.casework.cases.states import AT_REST, CaseState
from pipelines.casework.clocks import deadlines
from pipelines.casework.clocks.deadlines import Deadline
from pipelines.casework.clocks.due_dates import Stage
from pipelines.casework.deliveries import receipts
from pipelines.findings import outbox
from pipelines.findings.alerts import Current
from pipelines.findings.matters import Matter
from pipelines.findings.suppression import quiet_until
from pipelines.rings import LIST_Q
from pipelines.store import Store
from reports.alert_list import Alert, by_strength

FLAGS_ZH = {
    "new_evidence": "有新证据",
    "not_seen_now": "当前数据中未再出现",
    "overdue": "超期",
    "revisit": "到期复看",
    "answered": "接收单位已反馈",
    "suppressed": "抑制期内",
}


@dataclass(frozen=True)
class QueuedCase:
    """One case in the queue.

    Attributes:
        case: as it stands.
        matter: what the current snapshot shows of it as a whole; None where that is nothing.
        alerts: what fired in it now, the strongest first; those of cases merged into it, too.
        lots: of these alerts, and of the matter.
        money_cny: award prices of the lots, else their ceiling prices, summed; None where neither is known.
        baskets: offices in charge of the lots.
        flags: keys of `FLAGS_ZH`: what a person should look at. A flag moves no state.
        clock: the clock of the case that ends first.
        referrals: ids of its referrals, the oldest first.
    """

    case: Case
    matter: Matter | None
    alerts: tuple[Alert, ...]
    lots: tuple[str, ...]
    money_cny: Decimal | None
    baskets: tuple[str, ...]
    flags: tuple[str, ...]
    clock: Deadline | None
    referrals: tuple[str, ...]

    @property
    def grade(self) -> str:
        """The strongest grade of evidence, ``-`` where nothing fires now."""
        return self.alerts[0].grade if self.alerts else "-"

    @property
    def is_listed(self) -> bool:
        """Whether it is a ring of the list whose false share is stated."""
        return self.matter is not None and self.matter.q is not None and self.matter.q <= LIST_Q


def queued_cases(store: Store, now: Current, as_of: date) -> list[QueuedCase]:
    """Return every case that is not merged into another, those to work on first at the top.

    Cases at rest come last. The others: first the rings of the list, by strength; then by grade, by strength, and by the
    money at stake.

    Args:
        store: the control store.
        now: what the current snapshot shows.
        as_of: the day.
    """
    merged = {row["id"]: row["merged_into"] for row in store.rows("SELECT id, merged_into FROM case_")}
    fired: dict[str, list[str]] = {}
    for row in store.rows("SELECT fp, case_id FROM signal WHERE is_current = 1 ORDER BY fp"):
        fired.setdefault(merged[row["case_id"]] or row["case_id"], []).append(row["fp"])
    seen = {
        row["case_id"]: {tuple(pair) for pair in json.loads(row["seen"])}
        for row in store.rows("SELECT case_id, seen FROM decision ORDER BY number")
    }
    referrals: dict[str, list[str]] = {}
    for row in store.rows("SELECT id, case_id FROM referral ORDER BY rowid"):
        referrals.setdefault(row["case_id"], []).append(row["id"])
    clocks: dict[str, Deadline] = {}
    for clock in deadlines.open_deadlines(store, as_of):
        clocks.setdefault(clock.object, clock)
    charge = _in_charge(now)
    answered = receipts.answered_cases(store)
    agreed = suppressions.agreed(store)
    found = []
    for row in store.rows("SELECT * FROM case_ WHERE merged_into IS NULL ORDER BY id"):
        case = Case(**dict(row) | {"state": CaseState(row["state"])})
        fps = fired.get(case.id, [])
        matter = now.matters.get(case.id)
        of_matter = matter.lots if matter is not None else ()
        lots = tuple(sorted({lot for fp in fps for lot in now.signals[fp].lots}.union(of_matter)))
        evidence = {(fp, now.signals[fp].ev_hash) for fp in fps}
        own = referrals.get(case.id, [])
        running = [clocks[id] for id in (case.id, *own) if id in clocks]
        first = min(running, key=lambda clock: clock.due.due_at, default=None)
        told = ["answered"] if case.id in answered else []
        if fps and all(quiet_until(agreed, now.signals[fp], as_of) for fp in fps):
            told.append("suppressed")
        found.append(
            QueuedCase(
                case=case,
                matter=matter,
                alerts=tuple(sorted((now.rows[fp] for fp in fps), key=by_strength)),
                lots=lots,
                money_cny=_money(lots, now.facts.lots),
                baskets=tuple(sorted({office for lot in lots for office in charge.get(lot, ())})),
                flags=tuple(
                    _flags(case, evidence, seen.get(case.id), first, as_of, told, is_found=matter is not None)
                ),
                clock=first,
                referrals=tuple(own),
            )
        )
    return sorted(found, key=_order)


def workload(cases: Iterable[QueuedCase]) -> Counter[str]:
    """Return how many cases each owner has that are not at rest; under an empty name those without an owner."""
    return Counter(each.case.owner or "" for each in cases if each.case.state not in AT_REST)


def _flags(
    case: Case,
    evidence: set[tuple[str, str]],
    seen: set[tuple[str, str]] | None,
    clock: Deadline | None,
    as_of: date,
    told: Iterable[str],
    *,
    is_found: bool,
) -> list[str]:
    flags = list(told)
    if seen is not None and evidence - seen:
        flags.append("new_evidence")
    if case.origin == "night" and not evidence and not is_found:
        flags.append("not_seen_now")
    if clock is not None and clock.stage is Stage.OVERDUE:
        flags.append("overdue")
    if case.revisit_on is not None and case.revisit_on <= as_of.isoformat():
        flags.append("revisit")
    return flags


def _order(queued: QueuedCase) -> tuple[bool, bool, str, float, Decimal, str]:
    return (
        queued.case.state in AT_REST,
        not queued.is_listed,
        "" if queued.is_listed else queued.grade if queued.alerts else "Z",
        -(queued.matter.score if queued.matter is not None else 0.0),
        -(queued.money_cny or Decimal(0)),
        queued.case.id,
    )


def _money(lots: Iterable[str], facts: Mapping[str, Mapping[str, object]]) -> Decimal | None:
    known = []
    for lot in lots:
        of_lot = facts.get(lot, {})
        price = of_lot.get("award_price_cny") or of_lot.get("ceiling_price_cny")
        if isinstance(price, Decimal):
            known.append(price)
    return sum(known, Decimal(0)) if known else None


def _in_charge(now: Current) -> dict[str, list[str]]:
    """Return the offices in charge of every lot, without those that only get a copy."""
    coordinator = now.division.coordinator.slug
    charge: dict[str, list[str]] = {}
    for lot, routes in outbox.routes_by_lot(now.facts, now.division).items():
        offices = [route.recipient for route in routes]
        charge[lot] = [office for office in offices if office != coordinator] or offices
    return charge
