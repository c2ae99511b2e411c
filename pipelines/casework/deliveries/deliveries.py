"""Deliveries after the night wrote them: held and released, sent again, corrected, answered or not.

`pipelines.findings.outbox` chooses what goes out and makes the folders. Here people act on them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from detectors import registry
from pipelines import files, times
from pipelines.casework.acts import Act, once
from pipelines.casework.clocks import stored
from pipelines.casework.clocks.workdays import Workdays
from pipelines.findings import alerts, outbox
from pipelines.settings import Home
from pipelines.store import Store

#: An office answers within so many working days of the delivery; after that it is asked again. The notice of 2021 sets no
#: period.
ANSWER_WITHIN_WORKDAYS = 10

STATES_ZH = {"held": "暂缓待放行", "pending": "待写出", "written": "已送达", "answered": "已反馈"}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery as it stands.

    Attributes:
        delivery_id, recipient, name_zh, as_of: which, to whom, of which night.
        state: a key of `STATES_ZH`; ``answered``: the office answered to at least one alert in it.
        is_results: results for a member office instead of alerts.
        rows, copies, answered: alerts (or results) in it, how many of them as copies, how many answered.
        supersedes, superseded_by: the delivery that it corrects, and the one that corrects it.
        hold: (new signals, most), where its night had more than usual.
        workdays_left: of `ANSWER_WITHIN_WORKDAYS`, below 0 where the answer is late. None where no answer is awaited:
            it is here, the delivery has only copies or results, or a correction went out.
    """

    delivery_id: str
    recipient: str
    name_zh: str
    as_of: date
    state: str
    is_results: bool
    rows: int
    copies: int
    answered: int
    supersedes: str | None
    superseded_by: str | None
    hold: tuple[int, int] | None
    workdays_left: int | None

    @property
    def is_late(self) -> bool:
        """Whether the answer is overdue."""
        return self.workdays_left is not None and self.workdays_left < 0


#: Every delivery with how many of its alerts its office answered by a day.
_DELIVERIES = """
WITH answered AS (
    SELECT r.recipient, w.alert_id, max(r.received_on) AS last
    FROM receipt_row AS w
    JOIN receipt AS r ON r.number = w.receipt
    WHERE w.outcome = 'taken' AND r.received_on <= ?
    GROUP BY r.recipient, w.alert_id
),
counted AS (
    SELECT o.delivery_id, count(*) AS items, count(a.alert_id) AS answered
    FROM delivery_item AS i
    JOIN outbox AS o ON o.delivery_id = i.delivery_id
    LEFT JOIN answered AS a
        ON a.recipient = o.recipient AND a.alert_id = i.fp AND a.last >= o.as_of
    GROUP BY o.delivery_id
)
SELECT o.delivery_id, o.recipient, o.as_of, o.state, o.facts, coalesce(c.items, 0) AS items,
       coalesce(c.answered, 0) AS answered, h.new_signals, h.most, l.at AS released_at
FROM outbox AS o
LEFT JOIN counted AS c ON c.delivery_id = o.delivery_id
LEFT JOIN delivery_hold AS h ON h.delivery_id = o.delivery_id
LEFT JOIN delivery_release AS l ON l.delivery_id = o.delivery_id
ORDER BY o.as_of DESC, o.recipient, o.delivery_id
"""


def listed(store: Store, on: date) -> list[Delivery]:
    """Return every delivery as it stands on a day, the newest night first."""
    rows = store.rows(_DELIVERIES, on.isoformat())
    facts = {row["delivery_id"]: json.loads(row["facts"]) for row in rows}
    corrected = {
        each["supersedes"]: delivery_id for delivery_id, each in facts.items() if each.get("supersedes")
    }
    calendar = stored.known_calendar(store.con)
    return [
        _delivery(row, facts[row["delivery_id"]], corrected.get(row["delivery_id"]), calendar, on)
        for row in rows
    ]


def _delivery(
    row: sqlite3.Row, facts: Mapping[str, Any], superseded_by: str | None, calendar: Workdays, on: date
) -> Delivery:
    results, copies = facts.get("results"), len(facts.get("copies", ()))
    state = row["state"]
    if state == "pending" and row["new_signals"] is not None and row["released_at"] is None:
        state = "held"
    if row["answered"]:
        state = "answered"
    night = date.fromisoformat(row["as_of"])
    since = night if row["released_at"] is None else times.day_of(row["released_at"])
    is_awaited = state == "written" and results is None and copies < row["items"] and superseded_by is None
    return Delivery(
        delivery_id=row["delivery_id"],
        recipient=row["recipient"],
        name_zh=facts["name_zh"],
        as_of=night,
        state=state,
        is_results=results is not None,
        rows=row["items"] if results is None else len(results),
        copies=copies,
        answered=row["answered"],
        supersedes=facts.get("supersedes"),
        superseded_by=superseded_by,
        hold=None if row["new_signals"] is None else (row["new_signals"], row["most"]),
        workdays_left=ANSWER_WITHIN_WORKDAYS - calendar.count(since, on) if is_awaited else None,
    )


def release(store: Store, act: Act, delivery_ids: Iterable[str] = ()) -> list[str]:
    """Let held deliveries go; the folders are made by `outbox.write`.

    Args:
        store: the control store.
        act: who lets them go, and why.
        delivery_ids: which; all that are held, if none is named.

    Returns:
        Those that went.

    Raises:
        ValueError: no reason, nothing is held, or one that is named is not.
    """
    if not act.reason.strip():
        raise ValueError("releasing held deliveries needs a reason: --reason TEXT")
    named = sorted(set(delivery_ids))

    def do(con: sqlite3.Connection) -> str:
        held = {
            row["delivery_id"]
            for row in con.execute(
                "SELECT delivery_id FROM delivery_hold WHERE delivery_id NOT IN (SELECT delivery_id FROM delivery_release)"
            ).fetchall()
        }
        if not held:
            raise ValueError("no delivery is held")
        if strange := sorted(set(named) - held):
            raise ValueError(f"{strange[0]} is not held; held are: {', '.join(sorted(held))}")
        going = named or sorted(held)
        con.executemany(
            "INSERT INTO delivery_release (delivery_id, reason, at, actor) VALUES (?, ?, ?, ?)",
            [(did, act.reason, act.at, act.actor) for did in going],
        )
        return " ".join(going)

    return once(store, act, "release", "outbox", {"deliveries": named}, do).split()


def resend(home: Home, store: Store, act: Act, delivery_id: str, to: Path | None = None) -> Path:
    """Make the folder of a delivery once more, with the same bytes.

    Args:
        home: of the installation.
        store: the control store.
        act: who does it.
        delivery_id: the delivery.
        to: a folder in which to put it, such as a stick; by default its place in the outbox, where a whole
            folder is left as it is and a damaged one is replaced.

    Returns:
        The folder.

    Raises:
        ValueError: no such delivery, one that was not sent yet, or one that this version of the software
            would write otherwise than it was.
        FileExistsError: ``to`` has such a folder with other content.
    """
    row = _row(store, delivery_id)
    contents = outbox.files(row)
    made = store.rows("SELECT manifest_sha256 FROM delivery_made WHERE delivery_id = ?", delivery_id)
    if row["state"] != "written":
        raise ValueError(f"{delivery_id} was not sent yet; `bidwatch deliver list` shows where it stands")
    kept = outbox.folder_of(home, row)
    if made and made[0]["manifest_sha256"] != outbox.manifest_sum(contents):
        # Written by an earlier version: only the folder itself has those bytes.
        contents = files_in(kept) if kept.is_dir() else {}
        if not contents or outbox.manifest_sum(contents) != made[0]["manifest_sha256"]:
            raise ValueError(
                f"{delivery_id} was written by another version of bidwatch and its folder is gone or damaged;"
                " the same bytes cannot be made: `bidwatch deliver correct` sends a new list"
            )
    folder = kept if to is None else to / kept.name
    is_whole = folder.is_dir() and files_in(folder) == contents
    if to is not None and folder.exists() and not is_whole:
        raise FileExistsError(f"{folder} is there already with other content")
    once(store, act, "resend", delivery_id, {"recipient": row["recipient"]}, lambda _: "")
    if not is_whole:
        shutil.rmtree(folder, ignore_errors=True)
        files.make_folder(folder, contents)
    return folder


def correct(home: Home, store: Store, act: Act, delivery_id: str) -> str:
    """Write a new delivery that puts right an earlier one; both stay.

    The new list has those alerts of the old one that the current snapshot still shows and that still belong to
    this office, as they read now.

    Returns:
        The id of the new delivery.

    Raises:
        ValueError: no reason, no such delivery, one that is corrected already or was never sent, or nothing in
            it that would read otherwise.
    """
    if not act.reason.strip():
        raise ValueError("a correction needs a reason: --reason TEXT")
    row = _row(store, delivery_id)
    facts = json.loads(row["facts"])
    if "results" in facts:
        raise ValueError(
            f"{delivery_id} has results, no alerts; note the right result and send results again"
        )
    if row["state"] != "written":
        raise ValueError(f"{delivery_id} was not sent yet; `bidwatch deliver list` shows where it stands")
    now = alerts.current(home, store)
    routes = outbox.routes_by_lot(now.facts, now.division)
    items = [
        (now.signals[fp], route)
        for fp in _fps(store, delivery_id)
        if fp in now.signals
        for route in outbox.routes_of(now.signals[fp], routes)
        if route.recipient == row["recipient"]
    ]
    known = {detector.id: detector for detector in registry.load(local=store.reference.local)}
    prepared = outbox.compose(
        row["recipient"], items, now.rows, known, name_zh=facts["name_zh"], supersedes=delivery_id
    )
    if _said(prepared.alerts, prepared.records) == _said(row["alerts"], row["records"]):
        raise ValueError(
            f"{delivery_id} would read the same; to send the same bytes again: bidwatch deliver resend {delivery_id}"
        )
    snapshot = store.rows("SELECT s.* FROM snapshot AS s JOIN current AS c ON c.snapshot = s.id")[0]

    def do(con: sqlite3.Connection) -> str:
        later = con.execute(
            "SELECT delivery_id FROM outbox WHERE json_extract(facts, '$.supersedes') = ?", (delivery_id,)
        ).fetchall()
        if later:
            raise ValueError(f"{delivery_id} is corrected by {later[0]['delivery_id']}; correct that one")
        as_of = date.fromisoformat(snapshot["as_of"])
        outbox.enqueue(con, [prepared], snapshot["id"], as_of, at=act.at, actor=act.actor)
        return prepared.delivery_id

    return once(store, act, "correct", delivery_id, {"recipient": row["recipient"]}, do)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return file name -> content of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _row(store: Store, delivery_id: str) -> sqlite3.Row:
    rows = store.rows("SELECT * FROM outbox WHERE delivery_id = ?", delivery_id)
    if not rows:
        raise ValueError(f"no delivery {delivery_id}; `bidwatch deliver list` shows them")
    return rows[0]


def _fps(store: Store, delivery_id: str) -> list[str]:
    return [
        row["fp"]
        for row in store.rows("SELECT fp FROM delivery_item WHERE delivery_id = ? ORDER BY fp", delivery_id)
    ]


def _said(listed: str, records: str) -> object:
    """Return what a list says of its alerts, without the day on which the rows were written and why they came."""
    rows = [
        {key: value for key, value in row.items() if key not in ("alerted_at", "note")}
        for row in json.loads(listed)
    ]
    return (
        sorted(rows, key=lambda row: str(row["alert_id"])),
        sorted(json.loads(records), key=lambda record: str(record["alert_id"])),
    )
