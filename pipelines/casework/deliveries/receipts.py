"""Filled-in alert lists that come back from offices (反馈), row by row. They become labels and move no state.

Every answer is kept as a row; the last answer of an office to an alert counts. A row is taken, unchanged (it says
nothing, or what was said before), or refused with the reason. A refused row does not stop the others.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

from pipelines.casework.acts import Act, once
from pipelines.casework.deliveries.answers import Answer, RowOutcome, SentAlert, check_rows, comparable
from pipelines.intake import receiving
from pipelines.intake.sandbox import Filled, Sandbox
from pipelines.settings import Home
from pipelines.store import Store

#: Deliveries with any alert of a JSON list.
_WITH_ALERTS = "SELECT delivery_id FROM delivery_item WHERE fp IN (SELECT value FROM json_each(?))"

_DELIVERY = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")


class AnsweredList(NamedTuple):
    """A list that came back: whose it is, what became of its rows, and what in the file was left aside."""

    office: str
    rows: list[RowOutcome]
    notes: list[str]


def take_back(
    home: Home,
    store: Store,
    act: Act,
    path: Path,
    on: date,
    *,
    recipient: str | None = None,
    delivery_id: str | None = None,
) -> AnsweredList:
    """Take back one filled-in list.

    Args:
        home: of the installation; the file is kept under ``raw``.
        store: the control store.
        act: who brings it.
        path: the file, xlsx or CSV; it is read in the sandbox.
        on: the day on which it came.
        recipient: the office, where the file does not show it.
        delivery_id: the delivery, where the file does not show it.

    Returns:
        The office, what became of every row, and what was left aside. The same file again gives the same and
        writes nothing.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file cannot be read, holds no alert, or does not show whose answer it is.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    if delivery_id is not None and not store.rows("SELECT 1 FROM outbox WHERE delivery_id = ?", delivery_id):
        raise ValueError(f"no delivery {delivery_id}; `bidwatch deliver list` shows them")
    with path.open("rb") as file:
        file_sha = receiving.keep(home, file.fileno())[0]
    with Sandbox() as sandbox:
        form = sandbox.take_back(Filled(str(home.raw / file_sha), path.name))
    rows: list[dict[str, str]] = form["rows"]
    if not rows:
        raise ValueError(f"{path.name}: no row with an alert's number under 预警编号")
    named = (
        [delivery_id]
        if delivery_id
        else [*form["deliveries"], *_DELIVERY.findall(path.absolute().parent.name + " " + path.name)]
    )
    ids = [comparable(row["alert_id"]) for row in rows]
    office, answered = _whose_answer(store, path.name, ids, named, recipient)
    is_known = "SELECT number FROM receipt WHERE recipient = ? AND file_sha = ?"
    if known := store.rows(is_known, office, file_sha):
        return AnsweredList(office, rows_of(store, known[0]["number"]), form["notes"])
    sent = alerts_sent(store, office, ids, answered)
    checked = check_rows(rows, sent, _last_answers(store, office), _alert_ids(store), office)

    def do(con: sqlite3.Connection) -> str:
        if con.execute(is_known, (office, file_sha)).fetchall():
            raise ValueError(f"{path.name} is being taken back by somebody else just now; it is not lost")
        number = con.execute(
            "INSERT INTO receipt (recipient, file_sha, file_name, received_on, at, actor) VALUES (?, ?, ?, ?, ?, ?)",
            (office, file_sha, path.name, on.isoformat(), act.at, act.actor),
        ).lastrowid
        _write_rows(con, number, checked)
        return str(number)

    counts = Counter(row.outcome for row in checked)
    once(store, act, "receipt", "", {"office": office, "file": file_sha, "on": on.isoformat(), **counts}, do)
    return AnsweredList(office, checked, form["notes"])


def _write_rows(con: sqlite3.Connection, receipt: int | None, rows: Iterable[RowOutcome]) -> None:
    con.executemany(
        "INSERT INTO receipt_row (receipt, place, alert_id, delivery_id, outcome, problem, state_zh, label, reviewer,"
        " answered_at, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                receipt,
                row.place,
                row.alert_id,
                row.delivery_id,
                row.outcome,
                row.problem,
                row.answer.state_zh,
                row.answer.label,
                row.answer.reviewer,
                row.answer.answered_at,
                row.answer.note,
            )
            for row in rows
        ],
    )


def _whose_answer(
    store: Store, file_name: str, alert_ids: Iterable[str], named: Iterable[str], recipient: str | None
) -> tuple[str, set[str]]:
    """Return the office whose answer a list is, and the deliveries that it answers, where it shows them.

    The office is the one that the caller names, else the one of the delivery that the list names, else the one that got
    the alerts in it. Of two offices that got the same alerts, the one in charge answers, not the one with copies.
    """
    sent: dict[str, set[str]] = {}
    listed = sorted(set(alert_ids))
    for row in store.rows(
        f"SELECT delivery_id, fp FROM delivery_item WHERE delivery_id IN ({_WITH_ALERTS})", json.dumps(listed)
    ):
        sent.setdefault(row["delivery_id"], set()).add(row["fp"])
    deliveries = {
        row["delivery_id"]: (str(row["recipient"]), json.loads(row["copies"] or "[]"))
        for row in store.rows(
            "SELECT delivery_id, recipient, json_extract(facts, '$.copies') AS copies FROM outbox WHERE state = 'written'"
        )
    }
    answered = {each for each in named if each in deliveries}
    by_delivery = {deliveries[each][0] for each in answered}
    if recipient is not None:
        if recipient not in {office for office, _ in deliveries.values()}:
            raise ValueError(
                f"nothing was ever sent to {recipient!r}; `bidwatch deliver list` shows the offices"
            )
        if by_delivery and recipient not in by_delivery:
            raise ValueError(f"{file_name} belongs to a delivery to {min(by_delivery)}, not to {recipient}")
        return recipient, answered
    if len(by_delivery) == 1:
        return by_delivery.pop(), answered
    ids = set(listed) & set().union(*sent.values())
    got = {
        delivery_id: copies
        for delivery_id, (_, copies) in deliveries.items()
        if ids & sent.get(delivery_id, set())
    }
    same = {did for did in got if sent[did] == ids}
    whole = {deliveries[did][0] for did in same}
    in_charge = {
        deliveries[delivery_id][0]
        for delivery_id, copies in got.items()
        if (ids & sent[delivery_id]) - set(copies)
    }
    for offices in (whole, whole & in_charge, in_charge):
        if len(offices) == 1:
            office = offices.pop()
            return office, {did for did in same if deliveries[did][0] == office}
    among = f": {', '.join(sorted({deliveries[did][0] for did in got}))}" if got else ""
    raise ValueError(
        f"{file_name} does not show which office answers{among}; say it: --from OFFICE or --delivery DID"
    )


def alerts_sent(
    store: Store, office: str, alert_ids: Iterable[str], answered: Iterable[str] = ()
) -> dict[str, SentAlert]:
    """Return how an office got alerts, by alert id: in the last delivery that the list answers, else in the last one."""
    first = set(answered)
    notes: dict[tuple[str, str], str] = {}
    rows = store.rows(
        f"SELECT delivery_id, as_of, alerts FROM outbox WHERE delivery_id IN ({_WITH_ALERTS}) AND recipient = ?"
        " AND state = 'written' ORDER BY as_of, rowid",
        json.dumps(sorted(set(alert_ids))),
        office,
    )
    for row in sorted(rows, key=lambda row: row["delivery_id"] in first):
        for listed in json.loads(row["alerts"]):
            notes[row["delivery_id"], listed["alert_id"]] = listed["note"]
    days = {row["delivery_id"]: date.fromisoformat(row["as_of"]) for row in rows}
    return {fp: SentAlert(delivery_id, days[delivery_id], note) for (delivery_id, fp), note in notes.items()}


def rows_of(store: Store, receipt: int) -> list[RowOutcome]:
    """Return what became of the rows of a list."""
    return [
        RowOutcome(
            row["place"], row["alert_id"], row["delivery_id"], row["outcome"], row["problem"], _read(row)
        )
        for row in store.rows("SELECT * FROM receipt_row WHERE receipt = ? ORDER BY rowid", receipt)
    ]


def _last_answers(store: Store, office: str) -> dict[str, Answer]:
    """Return the last answer of an office to each alert."""
    return {
        row["alert_id"]: _read(row)
        for row in store.rows(
            "SELECT w.* FROM receipt_row AS w JOIN receipt AS r ON r.number = w.receipt"
            " WHERE r.recipient = ? AND w.outcome = 'taken' ORDER BY w.rowid",
            office,
        )
    }


def _read(row: sqlite3.Row) -> Answer:
    return Answer(row["state_zh"], row["label"], row["reviewer"], row["answered_at"], row["note"])


def _alert_ids(store: Store) -> list[str]:
    return [row["fp"] for row in store.rows("SELECT fp FROM signal")]


def answered_cases(store: Store) -> set[str]:
    """Return the cases on which an office answered after the last step of a person."""
    return {
        row["id"]
        for row in store.rows(
            """
            SELECT c.id
            FROM receipt_row AS w
            JOIN receipt AS r ON r.number = w.receipt
            JOIN signal AS s ON s.fp = w.alert_id
            JOIN case_ AS own ON own.id = s.case_id
            JOIN case_ AS c ON c.id = coalesce(own.merged_into, own.id)
            WHERE w.outcome = 'taken'
            GROUP BY c.id
            HAVING max(r.at) > coalesce((SELECT max(at) FROM decision AS d WHERE d.case_id = c.id), '')
            """
        )
    }


def answers_to(store: Store, case_id: str) -> list[sqlite3.Row]:
    """Return what offices answered to the alerts of a case and of those merged into it, the oldest first."""
    return store.rows(
        """
        SELECT r.received_on, r.recipient, w.alert_id, w.state_zh, w.label, w.reviewer, w.answered_at, w.note
        FROM receipt_row AS w
        JOIN receipt AS r ON r.number = w.receipt
        JOIN signal AS s ON s.fp = w.alert_id
        JOIN case_ AS c ON c.id = s.case_id
        WHERE w.outcome = 'taken' AND (c.id = ? OR c.merged_into = ?)
        ORDER BY w.rowid
        """,
        case_id,
        case_id,
    )
