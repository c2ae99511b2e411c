"""Labels of alerts: what people said about each, with the evidence that they saw, as it was known on a day.

They come from the lists that offices sent back and from the decisions at the own desk. What became known later is left
out: a detector is judged by what could be known.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from pipelines import times
from pipelines.store import Store
from reports.alert_list import CONCLUSIONS_ZH

#: Who said it, if not an office that got a list.
DESK = "desk"

#: Reasons for dismissing a case that say what its alerts were. The other reasons leave that open.
_OF_DISMISSALS = {
    "lawful_explained": "lawful_explained",
    "data_error": "data_error",
    "entity_wrong_match": "wrong_match",
    "duplicate": "duplicate",
}


@dataclass(frozen=True)
class AlertLabel:
    """What somebody said about one alert.

    Attributes:
        alert_id, ev_hash: the alert, and the evidence that the person saw.
        detector, detector_version, limits_version: what raised it, as it was then.
        scope, case_id: what it is about.
        label: a key of `CONCLUSIONS_ZH`.
        said_by: the office, or `DESK`.
        known_on: the day on which it became known here; the list may name another.
        delivery_id: the delivery that was answered.
    """

    alert_id: str
    ev_hash: str
    detector: str
    detector_version: str
    limits_version: str
    scope: str
    case_id: str
    label: str
    label_zh: str
    said_by: str
    known_on: str
    delivery_id: str


def labels(store: Store, as_of: date) -> list[AlertLabel]:
    """Return the last label that each office and the own desk gave to each alert until the end of a day."""
    said: dict[tuple[str, str], tuple[str, str | None, str, str]] = {}
    for row in store.rows(
        "SELECT r.recipient, r.received_on, w.alert_id, w.label, w.delivery_id, i.ev_hash"
        " FROM receipt_row AS w JOIN receipt AS r ON r.number = w.receipt"
        " JOIN delivery_item AS i ON i.delivery_id = w.delivery_id AND i.fp = w.alert_id"
        " WHERE w.outcome = 'taken' AND r.received_on <= ? ORDER BY w.rowid",
        as_of.isoformat(),
    ):
        said[row["recipient"], row["alert_id"]] = (
            row["ev_hash"],
            row["label"],
            row["received_on"],
            row["delivery_id"],
        )
    for row in store.rows(
        "SELECT * FROM decision WHERE verb IN ('dismiss', 'confirm', 'reopen') ORDER BY number"
    ):
        known_on = times.day_of(row["at"])
        if known_on > as_of:
            continue
        label = _of_decision(row["verb"], json.loads(row["details"]))
        for fp, ev_hash in json.loads(row["seen"]):
            said[DESK, fp] = (ev_hash, label, known_on.isoformat(), "")
    facts = {
        (row["fp"], row["ev_hash"]): row
        for row in store.rows(
            "SELECT s.fp, e.ev_hash, s.detector, s.scope, s.case_id, e.detector_version, e.limits_version"
            " FROM signal AS s JOIN evidence AS e ON e.fp = s.fp"
        )
    }
    found = []
    for (said_by, fp), (ev_hash, label, on, delivery_id) in said.items():
        if label is None:
            continue
        of = facts[fp, ev_hash]
        found.append(
            AlertLabel(
                fp,
                ev_hash,
                of["detector"],
                of["detector_version"],
                of["limits_version"],
                of["scope"],
                of["case_id"],
                label,
                CONCLUSIONS_ZH[label],
                said_by,
                on,
                delivery_id,
            )
        )
    return sorted(found, key=lambda each: (each.alert_id, each.said_by))


def _of_decision(verb: str, details: dict[str, str]) -> str | None:
    """Return the label of a decision; None takes an earlier label back."""
    if verb == "confirm":
        return "confirmed"
    return _OF_DISMISSALS.get(details["code"]) if verb == "dismiss" else None
