"""What follows a draw: objects added by hand, officers replaced, results, their publication, and the error rate.

The clock of publication (SJ01a: five working days, article 7 of the notice of 2021) starts when an inspection is done.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines import times
from pipelines.casework.acts import Act, once
from pipelines.casework.clocks import start_stop
from pipelines.casework.draws import conflicts, draws, plans, pools
from pipelines.store import Store
from reports.handed_out import replay_draw
from reports.handed_out.replay_draw import SEPARATOR

#: Period of publication: data/reference/deadlines.csv.
PUBLICATION_RULE = "SJ01a"

#: What an inspection can end with.
OUTCOMES_ZH: Mapping[str, str] = {
    "clean": "未发现问题",
    "corrected": "发现问题已责令改正",
    "open": "发现问题待后续处理",
    "refused": "不配合检查",
    "gone": "无法联系或已不存在",
}

#: Outcomes that say whether something was wrong. The other outcomes leave that open.
WRONG: Mapping[str, bool] = {"clean": False, "corrected": True, "open": True}


@dataclass(frozen=True)
class ErrorRateEstimate:
    """The share of objects with something wrong, from a random draw.

    Attributes:
        drawn: objects of the random draw.
        judged: those with a result that says whether something was wrong.
        found: those with something wrong.
        share: found / judged; NaN where nothing was judged.
        low, high: exact bounds. ``low`` counts objects without a verdict as clean and ``high`` counts them as wrong,
            so the bounds hold whatever an inspection of these would have shown.
        level: confidence.
    """

    drawn: int
    judged: int
    found: int
    share: float
    low: float
    high: float
    level: float


def error_rate_estimate(outcomes: Sequence[str | None], level: float = 0.95) -> ErrorRateEstimate:
    """Estimate the share of all objects with something wrong, from the random draw alone.

    Objects that were drawn by risk alone are left out: they were chosen because something is more likely there. Objects
    that both draws hit count, because the random draw chose them as well.

    Args:
        outcomes: one an object of the random draw, codes of ``OUTCOMES_ZH``; None: no result yet.
        level: confidence, 0 to 1.

    Returns:
        The estimate with the bounds of Clopper and Pearson (1934). They are exact for draws with replacement. Here
        nothing is drawn twice, so they are a little wider than needed and never narrower.

    Raises:
        ValueError: an outcome is unknown, or the level does not lie between 0 and 1.
    """
    from scipy.stats import binomtest

    if not 0 < level < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {level}")
    if unknown := {outcome for outcome in outcomes if outcome is not None} - set(OUTCOMES_ZH):
        raise ValueError(f"{min(unknown)!r} is no outcome; there are {', '.join(OUTCOMES_ZH)}")
    judged = [WRONG[outcome] for outcome in outcomes if outcome is not None and outcome in WRONG]
    drawn, found, left_open = len(outcomes), sum(judged), len(outcomes) - len(judged)
    if not drawn:
        return ErrorRateEstimate(0, 0, 0, math.nan, 0.0, 1.0, level)
    low = binomtest(found, drawn).proportion_ci(level, method="exact").low
    high = binomtest(found + left_open, drawn).proportion_ci(level, method="exact").high
    share = found / len(judged) if judged else math.nan
    return ErrorRateEstimate(drawn, len(judged), found, share, float(low), float(high), level)


def random_outcomes(con: sqlite3.Connection, id: str) -> list[str | None]:
    """Return the outcome of every object of a random draw; of an object that was drawn earlier, its outcome there."""
    rows = con.execute(
        "SELECT (SELECT outcome FROM draw_result AS r WHERE r.draw = coalesce(p.carried_from, p.draw)"
        " AND r.object_id = p.object_id ORDER BY number DESC LIMIT 1) AS outcome"
        " FROM draw_pick AS p WHERE p.draw = ? AND p.arm IN ('random', 'both') ORDER BY p.object_id",
        (id,),
    ).fetchall()
    return [row["outcome"] for row in rows]


def add_object(store: Store, act: Act, id: str, object_id: str) -> list[str]:
    """Put an object on a list by hand. It is never counted as drawn; its officers are found by tickets all the same.

    Returns:
        The ids of its officers.

    Raises:
        ValueError: no reason is given, nothing was drawn yet, the object is on the list already or in no pool, or it has
            too few officers.
    """
    if not act.reason.strip():
        raise ValueError("an object that was not drawn needs a reason to be added: --reason TEXT")

    def do(con: sqlite3.Connection) -> str:
        plans.require(con, id, "drawn")
        if con.execute(
            "SELECT 1 FROM draw_pick WHERE draw = ? AND object_id = ?", (id, object_id)
        ).fetchall():
            raise ValueError(f"{object_id} is on the list of {id} already")
        draws.put_on_list(con, id, object_id, "manual", act, reason=act.reason)
        team = _next_officers(con, id, object_id, int(plans.plan_of(con, id)["officers_per_object"]))
        draws.assign_officers(con, id, object_id, team, act)
        return SEPARATOR.join(team)

    return once(store, act, "draw_add", id, {"added": object_id}, do).split(SEPARATOR)


def replace_officer(store: Store, act: Act, id: str, object_id: str, officer_id: str) -> str:
    """Let the next officer by ticket take the place of one who cannot come, and return the id of the next.

    Raises:
        ValueError: no reason, the officer does not inspect the object, or nobody is left.
    """
    if not act.reason.strip():
        raise ValueError("replacing an officer needs a reason: --reason TEXT")

    def do(con: sqlite3.Connection) -> str:
        plans.require(con, id, "drawn")
        ended = con.execute(
            "UPDATE draw_officer SET until = ?, until_by = ?, until_reason = ?"
            " WHERE draw = ? AND object_id = ? AND officer_id = ? AND until IS NULL",
            (act.at, act.actor, act.reason, id, object_id, officer_id),
        )
        if not ended.rowcount:
            raise ValueError(f"{officer_id} does not inspect {object_id} in {id}")
        team = _next_officers(con, id, object_id, 1)
        draws.assign_officers(con, id, object_id, team, act)
        return team[0]

    return once(store, act, "draw_replace", id, {"of": object_id, "officer": officer_id}, do)


def enter_result(
    store: Store, act: Act, id: str, object_id: str, outcome: str, finished_at: str | None, note: str = ""
) -> str:
    """Enter what an inspection found, and start the clock of publication. The last result of an object counts.

    Args:
        store: the control store.
        act: who, when; a reason where an earlier result is corrected.
        id, object_id: of the draw and the object.
        outcome: a code of ``OUTCOMES_ZH``.
        finished_at: time at which the inspection was done, ISO 8601 with its zone; None: just now.
        note: in the officer's words; stays in the control store.

    Raises:
        ValueError: the object is not inspected in this draw, the outcome is unknown, the time lies before the
            draw or after the entry, or a correction has no reason.
    """
    if outcome not in OUTCOMES_ZH:
        raise ValueError(
            f"{outcome!r} is no outcome; choose {', '.join(f'{c} {zh}' for c, zh in OUTCOMES_ZH.items())}"
        )
    done_at = times.instant(finished_at or act.at)

    def do(con: sqlite3.Connection) -> str:
        plans.require(con, id, "drawn")
        ((drawn_at,),) = con.execute("SELECT at FROM draw_run WHERE draw = ?", (id,)).fetchall()
        if not times.instant(drawn_at) <= done_at <= times.instant(act.at):
            raise ValueError(
                f"{object_id}: done at {done_at.isoformat()}, which is before the draw ({drawn_at}) or still to come"
            )
        _visited(con, id, object_id)
        is_correction = bool(_last_result(con, id, object_id))
        if is_correction and not act.reason.strip():
            raise ValueError(f"{object_id} has a result already; correcting it needs a reason: --reason TEXT")
        con.execute(
            "INSERT INTO draw_result (draw, object_id, outcome, note, finished_at, at, actor)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (id, object_id, outcome, note, done_at.isoformat(), act.at, act.actor),
        )
        if not is_correction:
            start_stop.begin(con, clock_name(id, object_id), PUBLICATION_RULE, done_at.isoformat())
        return outcome

    content = {"of": object_id, "outcome": outcome, "finished_at": finished_at}
    return once(store, act, "draw_result", id, content, do)


def note_publication(
    store: Store,
    act: Act,
    id: str,
    object_ids: Sequence[str],
    published_at: str | None,
    *,
    channel: str = "",
    withheld: str = "",
) -> list[str]:
    """Write down that results were made public, or that the law forbids it, and stop the clock of publication.

    Args:
        store: the control store.
        act: who, when.
        id: of the draw.
        object_ids: which results; none: all that have one and are not public yet.
        published_at: when, ISO 8601 with its zone; None: just now.
        channel: where (公示渠道).
        withheld: instead of a channel: why it must not be made public (依法不适合公开).

    Returns:
        The ids of the objects.

    Raises:
        ValueError: neither or both of channel and withheld, an object without a result, one that is public
            already, a time before the result, or nothing to publish.
    """
    if bool(channel.strip()) == bool(withheld.strip()):
        raise ValueError("say where it was made public (--channel), or why it must not be (--withhold)")
    when = times.instant(published_at or act.at)
    if when > times.instant(act.at):
        raise ValueError(f"published at {published_at}, which is still to come; say so when it is done")

    def do(con: sqlite3.Connection) -> str:
        plans.require(con, id, "drawn")
        chosen = list(object_ids) or [row["object_id"] for row in _unpublished(con, id)]
        if not chosen:
            raise ValueError(f"{id}: no result waits for publication")
        waiting = {row["object_id"]: row["number"] for row in _unpublished(con, id)}
        for object_id in chosen:
            _visited(con, id, object_id)
            if object_id not in waiting:
                why = "is public already" if _last_result(con, id, object_id) else "has no result yet"
                raise ValueError(f"{object_id} of {id} {why}")
            con.execute(
                "INSERT INTO draw_publication (draw, object_id, result, channel, withheld, published_at, at, actor)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (id, object_id, waiting[object_id], channel, withheld, when.isoformat(), act.at, act.actor),
            )
            outcome = "lapsed" if withheld else "met"
            start_stop.end(
                con, clock_name(id, object_id), PUBLICATION_RULE, when.isoformat(), outcome=outcome
            )
        return "|".join(chosen)

    content = {
        "of": list(object_ids),
        "channel": channel,
        "withheld": withheld,
        "published_at": published_at,
    }
    return once(store, act, "draw_publish", id, content, do).split("|")


def clock_name(id: str, object_id: str) -> str:
    """Return the name under which the clock of an object's publication runs."""
    return f"draw:{id}/{object_id}"


def _next_officers(con: sqlite3.Connection, id: str, object_id: str, number: int) -> list[str]:
    """Return the next officers of an object after the draw: by the tickets of the draw and the conflicts of today."""
    thing = next(iter(pools.standing(con, pools.OBJECTS, ids=[object_id])), None)
    if thing is None:
        raise ValueError(f"{object_id} does not stand in the pool ({pools.OBJECTS.title_zh})")
    kept = draws.files(con, id)
    document = replay_draw.read_plan(kept["plan.json"])
    (drawn,) = con.execute(
        "SELECT seed, beacon FROM draw_commitment AS c JOIN draw_run AS r ON r.draw = c.draw WHERE c.draw = ?",
        (id,),
    ).fetchall()
    key = replay_draw.drawing_key(document, bytes.fromhex(drawn["seed"]), drawn["beacon"])
    sent = con.execute(
        "SELECT object_id, officer_id, until FROM draw_officer WHERE draw = ?", (id,)
    ).fetchall()
    load = Counter(row["officer_id"] for row in sent if row["until"] is None)
    # An officer who was on this object before does not come back to it.
    out = {row["officer_id"] for row in sent if row["object_id"] == object_id}
    barred = replay_draw.barred(
        {"officer_id": officer, "object_id": thing_id} for officer, thing_id in conflicts.standing(con)
    )
    now = [pools.published(officer) for officer in pools.standing(con, pools.OFFICERS)]
    candidates = [
        o for o in replay_draw.able(pools.published(thing), now, barred) if o["officer_id"] not in out
    ]
    return replay_draw.assigned(key, document, thing, candidates, load, number)


def _visited(con: sqlite3.Connection, id: str, object_id: str) -> None:
    """Refuse an object that is not inspected in a draw."""
    rows = con.execute(
        "SELECT carried_from FROM draw_pick WHERE draw = ? AND object_id = ?", (id, object_id)
    ).fetchall()
    if not rows:
        raise ValueError(f"{object_id} is not on the list of {id}; `bidwatch draw show {id}` has it")
    if earlier := rows[0]["carried_from"]:
        raise ValueError(
            f"{object_id} is not visited again in {id}: enter its result in {earlier}, where it was drawn"
        )


def _last_result(con: sqlite3.Connection, id: str, object_id: str) -> list[sqlite3.Row]:
    return con.execute(
        "SELECT * FROM draw_result WHERE draw = ? AND object_id = ? ORDER BY number DESC LIMIT 1",
        (id, object_id),
    ).fetchall()


def _unpublished(con: sqlite3.Connection, id: str) -> list[sqlite3.Row]:
    """Return the last result of every object whose last result is not public, nor withheld."""
    return con.execute(
        "SELECT object_id, max(number) AS number FROM draw_result WHERE draw = ? GROUP BY object_id"
        " HAVING max(number) NOT IN (SELECT result FROM draw_publication) ORDER BY object_id",
        (id,),
    ).fetchall()
