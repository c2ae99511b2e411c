"""Penalties and results, copied to every member office (notice 127 of 2021, article 17)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pipelines import audit, duck, times
from pipelines.casework import offices
from pipelines.casework.acts import Act, once
from pipelines.casework.referrals import referrals
from pipelines.settings import Home
from pipelines.store import Store
from reports.canonical_json import canonical_json
from reports.results_list import COLUMNS_ZH, Result, results_id

#: The own office, where it filed a case itself.
OWN_ZH = "本部门"

#: A penalty that has ended is told of if it took effect within so many days.
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


def penalties(home: Home, store: Store, as_of: date) -> dict[str, Result]:
    """Return the penalties and bans of the current snapshot that are in force on a day, or began in the half year before.

    By party, number and kind of the record, in the form of a result. A revocation is a piece of news of its own.

    Raises:
        FileNotFoundError: nothing is published yet.
    """
    con = duck.open_snapshot(home.snapshot(store.published_snapshot()))
    try:
        rows = con.execute(PENALTIES, {"first": as_of - PENALTIES_BACK, "last": as_of}).fetchall()
    finally:
        con.close()
    return {penalty: dict(zip(COLUMNS_ZH, ("", *said), strict=True)) for penalty, *said in rows}


def send(store: Store, act: Act, as_of: date, penalised: Mapping[str, Result]) -> list[str]:
    """Write one delivery to every member office with what was noted since its last one (notice, article 17).

    Results of referrals to the discipline office are left out: the person concerned may sit where the copy would go.

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
    snapshot = store.published_snapshot()

    def do(con: sqlite3.Connection) -> str:
        noted = _results(con, as_of)
        told = {tuple(row) for row in con.execute("SELECT recipient, decision FROM result_item").fetchall()}
        known = {tuple(row) for row in con.execute("SELECT recipient, penalty FROM penalty_item").fetchall()}
        made = []
        for office in offices.members(store.reference):
            new = {number: result for number, result in noted.items() if (office.office, number) not in told}
            bans = {id: result for id, result in penalised.items() if (office.office, id) not in known}
            said = [*new.values(), *bans.values()]
            if said:
                delivery_id = results_id(office.office, said)
                facts = {"name_zh": office.name_zh, "results": said}
                _write_results(con, delivery_id, office.office, facts, snapshot, as_of, act)
                con.executemany(
                    "INSERT INTO result_item (recipient, decision, delivery_id) VALUES (?, ?, ?)",
                    [(office.office, number, delivery_id) for number in new],
                )
                con.executemany(
                    "INSERT INTO penalty_item (recipient, penalty, delivery_id) VALUES (?, ?, ?)",
                    [(office.office, penalty, delivery_id) for penalty in bans],
                )
                made.append(delivery_id)
        return " ".join(made)

    payload = {"as_of": as_of.isoformat(), "penalties": len(penalised)}
    return once(store, act, "results", "outbox", payload, do).split()


def _write_results(
    con: sqlite3.Connection,
    delivery_id: str,
    recipient: str,
    facts: Mapping[str, Any],
    snapshot: str,
    as_of: date,
    act: Act,
) -> None:
    audit.append(
        con,
        at=act.at,
        actor=act.actor,
        verb="enqueue",
        subject=delivery_id,
        recipient=recipient,
        results=len(facts["results"]),
    )
    con.execute(
        "INSERT INTO outbox (delivery_id, recipient, snapshot, as_of, alerts, records, facts, checkpoint)"
        " VALUES (?, ?, ?, ?, '[]', '[]', ?, ?)",
        (delivery_id, recipient, snapshot, as_of.isoformat(), canonical_json(facts), audit.checkpoint(con)),
    )


def _results(con: sqlite3.Connection, as_of: date) -> dict[int, Result]:
    """Return what came of cases, by the step that noted it."""
    found: dict[int, Result] = {}
    rows = con.execute(
        "SELECT d.*, c.scope FROM decision AS d JOIN case_ AS c ON c.id = d.case_id WHERE d.verb = 'feedback'"
        " ORDER BY d.number"
    ).fetchall()
    for row in rows:
        noted_on = times.day_of(row["at"])
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
