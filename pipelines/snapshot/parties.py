"""The judgements of people on which parties are one: they count from the next night on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from detectors.kernels.firms.party_names import Limits, resolve
from pipelines import audit, duck
from pipelines.duck import DuckDBEngine
from pipelines.settings import Home
from pipelines.snapshot import linking
from pipelines.store import Store


def judged(store: Store) -> list[linking.PartyJudgement]:
    """Return the judgements that stand."""
    rows = store.rows("SELECT left_id, right_id, verdict FROM party_judgement ORDER BY number")
    return linking.standing((row["left_id"], row["right_id"], row["verdict"]) for row in rows)


def judge(
    home: Home, store: Store, one: str, other: str, verdict: str, *, reason: str, actor: str, at: str
) -> None:
    """Write down what a person decided about two parties.

    Args:
        home: the installation.
        store: its control store.
        one, other: party ids: a code, or ``name:`` and the compared name.
        verdict: one of `linking.VERDICTS`.
        reason: why, for those who ask later.
        actor: who decides.
        at: UTC time, ISO 8601.

    Raises:
        ValueError: no reason, an id that no record has, nothing to undo, or a contradiction with what
            stands.
    """
    if not reason.strip():
        raise ValueError("a judgement needs a reason: --reason TEXT")
    _known(home, store, one, other)
    left, right = sorted((one, other))
    with store.transaction() as con:
        rows = con.execute(
            "SELECT left_id, right_id, verdict FROM party_judgement ORDER BY number"
        ).fetchall()
        before = [(row["left_id"], row["right_id"], row["verdict"]) for row in rows]
        of_pair = [judgement for *pair, judgement in before if pair == [left, right]]
        if verdict == "undone" and (not of_pair or of_pair[-1] == "undone"):
            raise ValueError(f"nothing to undo: no judgement on {left} and {right} stands")
        linking.standing([*before, (left, right, verdict)])
        con.execute(
            "INSERT INTO party_judgement (left_id, right_id, verdict, reason, at, actor) VALUES (?, ?, ?, ?, ?, ?)",
            (left, right, verdict, reason, at, actor),
        )
        audit.append(
            con, at=at, actor=actor, verb=f"judge_{verdict}", subject=f"{left} {right}", reason=reason
        )


def proposals(home: Home, store: Store) -> tuple[pd.DataFrame, int]:
    """Return the pairs of the current snapshot that a person may decide, and how many names were left out.

    Columns as `detectors.kernels.firms.party_names.judged` gives them. Names are left out where too many are alike
    but for one character.

    Raises:
        FileNotFoundError: no snapshot is published yet.
    """
    rows = store.rows("SELECT left_id, right_id, verdict FROM party_judgement ORDER BY number")
    judgements = pd.DataFrame(
        [tuple(row) for row in rows], columns=["left_id", "right_id", "verdict"], dtype="str"
    )
    places = {row.values["name_zh"] for row in home.reference.rows("regions.csv")}
    con = duck.open_snapshot(_snapshot(home, store))
    try:
        return resolve(DuckDBEngine(con), places, judgements, Limits())
    finally:
        con.close()


def _snapshot(home: Home, store: Store) -> Path:
    return home.snapshot(store.published_snapshot())


def _known(home: Home, store: Store, *ids: str) -> None:
    """Refuse ids that no record of the current snapshot has."""
    con = duck.open_snapshot(_snapshot(home, store))
    try:
        found = con.execute(
            "SELECT party FROM stage.party_links WHERE party IN (SELECT unnest($ids))"
            " UNION SELECT party_id FROM stage.party_links WHERE party_id IN (SELECT unnest($ids))",
            {"ids": list(ids)},
        ).fetchall()
    finally:
        con.close()
    if unknown := sorted(set(ids) - {id for (id,) in found}):
        raise ValueError(f"no record names a party {unknown[0]!r}; `bidwatch parties propose` shows ids")
