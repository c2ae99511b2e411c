"""What a person does, done once: one transaction, one entry in the audit log, and the same answer to the same key."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipelines import audit
from pipelines.store import Store
from reports.canonical_json import canonical_json


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who does something, when, and why.

    Attributes:
        actor: name or account of the person.
        at: UTC time, ISO 8601.
        reason: in the person's words; empty where none is asked for.
        key: chosen by the caller; the same key again gives the same answer and does nothing.
    """

    actor: str
    at: str
    reason: str = ""
    key: str | None = None


def once(
    store: Store,
    act: Act,
    verb: str,
    subject: str,
    payload: Mapping[str, object],
    do: Callable[[sqlite3.Connection], str],
) -> str:
    """Do something in one transaction, with its entry in the audit log.

    Args:
        store: the control store.
        act: who, when, why, and under which key.
        verb, subject: what is done to which thing, as the audit log names it.
        payload: everything that tells this step from another, as JSON values without personal data. It stands in
            the audit log.
        do: what is done; returns the answer to the caller (an id, or empty).

    Returns:
        What ``do`` returned, now or the first time.

    Raises:
        ValueError: the key was used for something else, or ``do`` refuses.
    """
    digest = hashlib.sha256(
        canonical_json([verb, subject, act.actor, act.reason, dict(payload)]).encode()
    ).hexdigest()
    with store.transaction() as con:
        if act.key is not None:
            known = con.execute("SELECT digest, answer FROM act_key WHERE key = ?", (act.key,)).fetchall()
            if known and known[0]["digest"] != digest:
                raise ValueError(
                    f"the key {act.key!r} was used for another step; the same key repeats the same step only"
                )
            if known:
                return str(known[0]["answer"])
        answer = do(con)
        told = {"reason": act.reason} if act.reason else {}
        audit.append(con, at=act.at, actor=act.actor, verb=verb, subject=subject or answer, **told, **payload)
        if act.key is not None:
            con.execute(
                "INSERT INTO act_key (key, digest, answer) VALUES (?, ?, ?)", (act.key, digest, answer)
            )
    return answer
