"""Deliveries after they were written down: held and released, sent again, corrected, answered or not; results for all.

`outbox` chooses what goes out and makes the folders; here people act on them.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from detectors import registry
from pipelines import alerts, audit, outbox, warehouse
from pipelines.casework import deadlines, offices, referrals
from pipelines.casework.acting import Act, once
from pipelines.moments import LOCAL
from pipelines.settings import Home
from pipelines.store import Store
from reports.alert_list import canonical_json
from reports.results_list import Result, results_id

#: An office answers within so many working days of the delivery; later it is asked again. The notice sets no period:
#: change it here.
ANSWER_WITHIN_WORKDAYS = 10

STATES_ZH = {"held": "暂缓待放行", "pending": "待写出", "written": "已送达", "answered": "已反馈"}

#: The own office, where it filed a case itself.
OWN_ZH = "本部门"


#: Penalties that ended before the day and took effect earlier than this before it are no news.
PENALTIES_BACK = timedelta(days=183)

PENALTIES = """
SELECT party_id || ' ' || record_no || ' ' || kind || CASE WHEN revoked_on IS NULL THEN '' ELSE ' revoked' END AS penalty,
       coalesce(party_name, '') || ' ' || party_id AS scope,
       coalesce(issuer_name, '') AS office_zh, coalesce(basis, '') AS basis, coalesce(decision_no, '') AS document_no,
       concat_ws('；', reason, action, CASE WHEN ends_on IS NULL THEN '自 ' || starts_on || ' 起'
                                           ELSE '自 ' || starts_on || ' 至 ' || ends_on END,
                 '撤销日期 ' || revoked_on) AS outcome,
       CAST(starts_on AS VARCHAR) AS noted_on
FROM core.penalties
WHERE starts_on <= $last AND (starts_on >= $first OR ends_on IS NULL OR ends_on >= $last)
ORDER BY penalty
"""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One delivery as it stands.

    Attributes:
        did, recipient, name_zh, as_of: which, to whom, of which night.
        state: a key of `STATES_ZH`; ``answered``: the office said something of at least one of its alerts.
        is_results: results for a member office instead of alerts.
        rows, copies, answered: alerts (or results) in it, how many of them as copies, how many answered.
        supersedes, superseded_by: the delivery that it corrects, and the one that corrects it.
        hold: (new signals, most), where its night had more than usual.
        workdays_left: of `ANSWER_WITHIN_WORKDAYS`, below 0 where the answer is late; None where none is awaited: it
            is here, or there are only copies or results, or a correction went out.
    """

    did: str
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


def listed(store: Store, on: date) -> list[Delivery]:
    """Return every delivery as it stands on a day, the newest night first."""
    rows = store.rows(
        """
        WITH answered AS (
            SELECT r.recipient, w.alert_id, max(r.received_on) AS last
            FROM receipt_row AS w
            JOIN receipt AS r ON r.number = w.receipt
            WHERE w.outcome = 'taken' AND r.received_on <= ?
            GROUP BY r.recipient, w.alert_id
        ),
        counted AS (
            SELECT o.did, count(*) AS items, count(a.alert_id) AS answered
            FROM delivery_item AS i
            JOIN outbox AS o ON o.did = i.did
            LEFT JOIN answered AS a
                ON a.recipient = o.recipient AND a.alert_id = i.fp AND a.last >= o.as_of
            GROUP BY o.did
        )
        SELECT o.did, o.recipient, o.as_of, o.state, o.facts, coalesce(c.items, 0) AS items,
               coalesce(c.answered, 0) AS answered, h.new_signals, h.most, l.at AS released_at
        FROM outbox AS o
        LEFT JOIN counted AS c ON c.did = o.did
        LEFT JOIN delivery_hold AS h ON h.did = o.did
        LEFT JOIN delivery_release AS l ON l.did = o.did
        ORDER BY o.as_of DESC, o.recipient, o.did
        """,
        on.isoformat(),
    )
    facts = {row["did"]: json.loads(row["facts"]) for row in rows}
    corrected = {each["supersedes"]: did for did, each in facts.items() if each.get("supersedes")}
    calendar = deadlines.calendar(store.con)
    found = []
    for row in rows:
        said = facts[row["did"]]
        results = said.get("results")
        copies = len(said.get("copies", ()))
        state = row["state"]
        if state == "pending" and row["new_signals"] is not None and row["released_at"] is None:
            state = "held"
        if row["answered"]:
            state = "answered"
        night = date.fromisoformat(row["as_of"])
        since = night if row["released_at"] is None else _day(row["released_at"])
        awaited = (
            state == "written" and results is None and copies < row["items"] and row["did"] not in corrected
        )
        found.append(
            Delivery(
                did=row["did"],
                recipient=row["recipient"],
                name_zh=said["name_zh"],
                as_of=night,
                state=state,
                is_results=results is not None,
                rows=row["items"] if results is None else len(results),
                copies=copies,
                answered=row["answered"],
                supersedes=said.get("supersedes"),
                superseded_by=corrected.get(row["did"]),
                hold=None if row["new_signals"] is None else (row["new_signals"], row["most"]),
                workdays_left=ANSWER_WITHIN_WORKDAYS - calendar.count(since, on) if awaited else None,
            )
        )
    return found


def release(store: Store, act: Act, dids: Iterable[str] = ()) -> list[str]:
    """Let held deliveries go; the folders are made by `outbox.write`.

    Args:
        store: the control store.
        act: who lets them go, and why.
        dids: which; all that are held, if none is named.

    Returns:
        Those that went.

    Raises:
        ValueError: no reason, nothing is held, or one that is named is not.
    """
    if not act.reason.strip():
        raise ValueError("releasing held deliveries needs a reason: --reason TEXT")
    named = sorted(set(dids))

    def do(con: sqlite3.Connection) -> str:
        held = {
            row["did"]
            for row in con.execute(
                "SELECT did FROM delivery_hold WHERE did NOT IN (SELECT did FROM delivery_release)"
            ).fetchall()
        }
        if not held:
            raise ValueError("no delivery is held")
        if strange := sorted(set(named) - held):
            raise ValueError(f"{strange[0]} is not held; held are: {', '.join(sorted(held))}")
        going = named or sorted(held)
        con.executemany(
            "INSERT INTO delivery_release (did, reason, at, actor) VALUES (?, ?, ?, ?)",
            [(did, act.reason, act.at, act.actor) for did in going],
        )
        return " ".join(going)

    return once(store, act, "release", "outbox", {"deliveries": named}, do).split()


def resend(home: Home, store: Store, act: Act, did: str, to: Path | None = None) -> Path:
    """Make the folder of a delivery once more, with the same bytes.

    Args:
        home: of the installation.
        store: the control store.
        act: who does it.
        did: the delivery.
        to: a folder in which to put it, such as a stick; by default its place in the outbox, where a whole
            folder is left as it is and a damaged one is replaced.

    Returns:
        The folder.

    Raises:
        ValueError: no such delivery, one that was not sent yet, or one that this version of the software
            would write otherwise than it was.
        FileExistsError: ``to`` has such a folder with other content.
    """
    row = _row(store, did)
    contents = outbox.files(row)
    made = store.rows("SELECT manifest_sha256 FROM delivery_made WHERE did = ?", did)
    if row["state"] != "written":
        raise ValueError(f"{did} was not sent yet; `bidwatch deliver list` shows where it stands")
    kept = outbox.folder_of(home, row)
    if made and made[0]["manifest_sha256"] != outbox.manifest_sum(contents):
        # Written by an earlier version: only the folder itself has those bytes.
        contents = files_in(kept) if kept.is_dir() else {}
        if not contents or outbox.manifest_sum(contents) != made[0]["manifest_sha256"]:
            raise ValueError(
                f"{did} was written by another version of bidwatch and its folder is gone or damaged;"
                " the same bytes cannot be made: `bidwatch deliver correct` sends a new list"
            )
    folder = kept if to is None else to / kept.name
    is_whole = folder.is_dir() and files_in(folder) == contents
    if to is not None and folder.exists() and not is_whole:
        raise FileExistsError(f"{folder} is there already with other content")
    once(store, act, "resend", did, {"recipient": row["recipient"]}, lambda _: "")
    if not is_whole:
        shutil.rmtree(folder, ignore_errors=True)
        outbox.materialise(folder, contents)
    return folder


def correct(home: Home, store: Store, act: Act, did: str) -> str:
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
    row = _row(store, did)
    facts = json.loads(row["facts"])
    if "results" in facts:
        raise ValueError(f"{did} has results, no alerts; note the right result and send results again")
    if row["state"] != "written":
        raise ValueError(f"{did} was not sent yet; `bidwatch deliver list` shows where it stands")
    now = alerts.current(home, store)
    routes = outbox.routes_by_lot(now.facts, now.overrides)
    items = [
        (now.signals[fp], route)
        for fp in _fps(store, did)
        if fp in now.signals
        for route in outbox.routes_of(now.signals[fp], routes)
        if route.recipient == row["recipient"]
    ]
    known = {detector.id: detector for detector in registry.load()}
    prepared = outbox.compose(
        row["recipient"], items, now.rows, known, name_zh=facts["name_zh"], supersedes=did
    )
    if _said(prepared.alerts, prepared.records) == _said(row["alerts"], row["records"]):
        raise ValueError(
            f"{did} would read the same; to send the same bytes again: bidwatch deliver resend {did}"
        )
    snapshot = store.rows("SELECT s.* FROM snapshot AS s JOIN current AS c ON c.snapshot = s.id")[0]

    def do(con: sqlite3.Connection) -> str:
        later = con.execute(
            "SELECT did FROM outbox WHERE json_extract(facts, '$.supersedes') = ?", (did,)
        ).fetchall()
        if later:
            raise ValueError(f"{did} is corrected by {later[0]['did']}; correct that one")
        as_of = date.fromisoformat(snapshot["as_of"])
        outbox.enqueue(con, [prepared], snapshot["id"], as_of, at=act.at, actor=act.actor)
        return prepared.did

    return once(store, act, "correct", did, {"recipient": row["recipient"]}, do)


def penalties(home: Home, store: Store, as_of: date) -> dict[str, Result]:
    """Return the penalties and bans of the current snapshot that are in force on a day, or began in the half year before.

    By party, number and kind of the record, in the form of a result; a revocation is told of anew.

    Raises:
        FileNotFoundError: nothing is published yet.
    """
    snapshot = store.current_snapshot()
    if snapshot is None:
        raise FileNotFoundError("nothing is published yet; run `bidwatch nightly`")
    con = warehouse.open_snapshot(home.snapshot(snapshot))
    try:
        rows = con.execute(PENALTIES, {"first": as_of - PENALTIES_BACK, "last": as_of}).fetchall()
    finally:
        con.close()
    keys = ("case_id", "scope", "office_zh", "basis", "document_no", "outcome", "noted_on")
    return {penalty: dict(zip(keys, ("", *said), strict=True)) for penalty, *said in rows}


def results(store: Store, act: Act, as_of: date, penalised: Mapping[str, Result]) -> list[str]:
    """Write one delivery to every member office with what was noted since the last one (notice, article 17).

    Results of what was handed to discipline are not in it: the person may sit where the copy would go.

    Args:
        store: the control store.
        act: who sends them.
        as_of: results noted until the end of this day.
        penalised: penalties of the records, of `penalties`.

    Returns:
        The deliveries, none where nothing is new to anybody.

    Raises:
        FileNotFoundError: nothing is published yet.
    """
    snapshot = store.current_snapshot()
    if snapshot is None:
        raise FileNotFoundError("nothing is published yet; run `bidwatch nightly`")

    def do(con: sqlite3.Connection) -> str:
        noted = _results(con, as_of)
        told = {tuple(row) for row in con.execute("SELECT recipient, decision FROM result_item").fetchall()}
        known = {tuple(row) for row in con.execute("SELECT recipient, penalty FROM penalty_item").fetchall()}
        made = []
        for office in offices.members():
            new = {number: result for number, result in noted.items() if (office.office, number) not in told}
            bans = {id: result for id, result in penalised.items() if (office.office, id) not in known}
            said = [*new.values(), *bans.values()]
            if said:
                did = results_id(office.office, said)
                facts = {"name_zh": office.name_zh, "results": said}
                _write_results(con, did, office.office, facts, snapshot, as_of, act)
                con.executemany(
                    "INSERT INTO result_item (recipient, decision, did) VALUES (?, ?, ?)",
                    [(office.office, number, did) for number in new],
                )
                con.executemany(
                    "INSERT INTO penalty_item (recipient, penalty, did) VALUES (?, ?, ?)",
                    [(office.office, penalty, did) for penalty in bans],
                )
                made.append(did)
        return " ".join(made)

    payload = {"as_of": as_of.isoformat(), "penalties": len(penalised)}
    return once(store, act, "results", "outbox", payload, do).split()


def files_in(folder: Path) -> dict[str, bytes]:
    """Return file name -> content of a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def _write_results(
    con: sqlite3.Connection,
    did: str,
    recipient: str,
    facts: Mapping[str, Any],
    snapshot: str,
    as_of: date,
    act: Act,
) -> None:
    audit.append(con, at=act.at, actor=act.actor, verb="enqueue", subject=did, recipient=recipient,
                 results=len(facts["results"]))  # fmt: skip
    con.execute(
        "INSERT INTO outbox (did, recipient, snapshot, as_of, alerts, records, facts, checkpoint)"
        " VALUES (?, ?, ?, ?, '[]', '[]', ?, ?)",
        (did, recipient, snapshot, as_of.isoformat(), canonical_json(facts).decode(), audit.checkpoint(con)),
    )


def _results(con: sqlite3.Connection, as_of: date) -> dict[int, Result]:
    """Return what came of cases, by the step that noted it."""
    found: dict[int, Result] = {}
    rows = con.execute(
        "SELECT d.*, c.scope FROM decision AS d JOIN case_ AS c ON c.id = d.case_id WHERE d.verb = 'feedback'"
        " ORDER BY d.number"
    ).fetchall()
    for row in rows:
        noted_on = _day(row["at"])
        if noted_on > as_of:
            continue
        way = con.execute(
            "SELECT verb, details, (SELECT count(*) FROM decision AS e WHERE e.case_id = d.case_id AND e.verb = 'draft'"
            " AND e.number <= d.number) AS drafts FROM decision AS d"
            " WHERE case_id = ? AND verb IN ('draft', 'file') AND number < ? ORDER BY number DESC LIMIT 1",
            (row["case_id"], row["number"]),
        ).fetchall()[0]
        office_zh, basis, document = OWN_ZH, "", json.loads(way["details"]).get("document", "")
        if way["verb"] == "draft":
            referral = referrals.of_case(con, row["case_id"])[way["drafts"] - 1]
            if referral.kind == "discipline":
                continue
            office_zh, basis, document = referral.name_zh, referral.basis, referral.document_no or ""
        found[row["number"]] = {
            "case_id": row["case_id"],
            "scope": row["scope"],
            "office_zh": office_zh,
            "basis": basis,
            "document_no": document,
            "outcome": json.loads(row["details"])["outcome"],
            "noted_on": noted_on.isoformat(),
        }
    return found


def _day(at: str) -> date:
    """Return the local day of a time."""
    return datetime.fromisoformat(at).astimezone(LOCAL).date()


def _row(store: Store, did: str) -> sqlite3.Row:
    rows = store.rows("SELECT * FROM outbox WHERE did = ?", did)
    if not rows:
        raise ValueError(f"no delivery {did}; `bidwatch deliver list` shows them")
    return rows[0]


def _fps(store: Store, did: str) -> list[str]:
    return [row["fp"] for row in store.rows("SELECT fp FROM delivery_item WHERE did = ? ORDER BY fp", did)]


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
