"""Which signals an agreement (抑制) keeps from the offices, and for how long. ``casework.suppressions`` makes them.

A suppressed signal stays what it is and is listed; only the deliveries leave it out. It comes back by itself
when the agreement ends, for another detector, another lot, or with a firm that was not agreed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.findings.signals import Signal

#: Any detector, or any lot.
ANY = "*"

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """One agreement.

    Attributes:
        number: of the agreement.
        detector, lot_id: what it is about; ``*`` for any, but not both without firms.
        entities: party ids; a signal with any other firm is not covered. None of them: whichever firms.
        code, reason: why, as a case is dismissed (`casework.cases.states.DISMISSALS_ZH`).
        case_id: the case in which it was agreed, if any.
        starts_on, ends_on: first and last day.
        ended_on: the day on which a person ended it: it no longer held then.
        actor: who agreed.
    """

    number: int
    detector: str
    lot_id: str
    entities: tuple[str, ...]
    code: str
    reason: str
    case_id: str | None
    starts_on: date
    ends_on: date
    ended_on: date | None
    actor: str

    @property
    def last_day(self) -> date:
        """The last day on which it holds."""
        return self.ends_on if self.ended_on is None else min(self.ends_on, self.ended_on - _DAY)

    def holds_on(self, on: date) -> bool:
        """Tell whether it holds on a day."""
        return self.starts_on <= on <= self.last_day

    def is_about(self, signal: Signal) -> bool:
        """Tell whether it covers the detector and all firms of a signal, whatever its lots."""
        return self.detector in (ANY, signal.detector) and (
            not self.entities or (bool(signal.entities) and set(signal.entities) <= set(self.entities))
        )


def quiet_until(agreed: Iterable[Suppression], signal: Signal, on: date) -> date | None:
    """Return the last day on which a signal is suppressed, None if it is not on ``on``.

    A signal about several lots is suppressed only where every one of them is covered.
    """
    holding = [each for each in agreed if each.holds_on(on) and each.is_about(signal)]
    last_days = [
        max((each.last_day for each in holding if each.lot_id in (ANY, lot)), default=None)
        for lot in signal.lots or (ANY,)
    ]
    known = [day for day in last_days if day is not None]
    return min(known) if len(known) == len(last_days) else None


def came_back(agreed: Sequence[Suppression], signal: Signal, told_on: date, on: date) -> bool:
    """Tell whether a signal was suppressed after an office was told of it, and is no longer."""
    ends = {each.last_day for each in agreed if each.is_about(signal)}
    return quiet_until(agreed, signal, on) is None and any(
        told_on <= end < on and quiet_until(agreed, signal, end) is not None for end in ends
    )
