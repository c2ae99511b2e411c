"""Does a source still deliver what it used to? Its gate closes for a delivery that says otherwise.

A centre changes a word, a column or a unit, and from that night on its records are refused, missing or a factor
10,000 off. What such a delivery holds is left out until a person has looked: ``nightly --accept SOURCE`` lets it
in, ``--leave-out SOURCE`` keeps it out for good. Other sources go on. Where the files were in the current snapshot
before (a mapping or the program was changed), leaving them out would empty it: then nothing is published.

A delivery is what a source brought between two nights.
"""

from __future__ import annotations

import math
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from statistics import median

import duckdb
from scipy.stats import binom

from pipelines import audit, duck
from pipelines.intake.file_report import FileReport
from pipelines.settings import Home
from pipelines.store import Store

#: A gate closes when at least this share of a delivery is refused …
REFUSED_SHARE = 1 / 3
#: … and so many refusals have at most this probability at the source's usual share (binomial).
MAX_P = 0.001

#: A delivery is small below this part of the median of the last deliveries, if none of them was as small.
VOLUME_SHARE = 0.1
VOLUME_DELIVERIES = 20  # how many are looked back at
MIN_DELIVERIES = 3
USUAL_RECORDS = 20  # of less there is no tenth

#: The middle lot's middle bid lies within this factor of its ceiling; fen, jiao or 万元 for 元 lie outside.
CEILING_FACTOR = 20.0
#: Without ceilings, the middle price lies within this factor of the source's earlier one.
PRICE_FACTOR = 1000.0
MIN_PRICES = 20

#: ``file.passed`` of a file that a person left out.
LEFT_OUT = "left out"


@dataclass(frozen=True)
class ClosedGate:
    """A delivery that is left out, and why.

    Attributes:
        source: who delivered it.
        files: raw hashes of its files.
        records: records in them; a file that was refused as a whole stands for as many as a file of this source has.
        uncounted: how many files were refused as a whole.
        reason, reason_zh: what was measured, in a sentence without a full stop.
        was_current: the current snapshot holds some of these files, so leaving them out would take them away.
    """

    source: str
    files: tuple[str, ...]
    records: int
    uncounted: int
    reason: str
    reason_zh: str
    was_current: bool


@dataclass(frozen=True)
class _History:
    """What a source brought that passed: records, how many of them were refused, records of a file, of a delivery."""

    records: int
    refused: int
    file_size: int
    volumes: tuple[int, ...]
    bronze: tuple[Path, ...]


def closed(home: Home, store: Store) -> list[ClosedGate]:
    """Return the deliveries that do not pass the gate of their source, by source and in order of arrival."""
    ends = [row["last_arrival"] for row in store.rows("SELECT last_arrival FROM night ORDER BY last_arrival")]
    files = store.rows("SELECT * FROM file WHERE passed IS NOT ? ORDER BY source, first_arrival", LEFT_OUT)
    if all(file["passed"] == _standing(file) for file in files):
        return []
    found = []
    con = duck.connect()
    try:
        for source, of_source in groupby(files, key=lambda file: str(file["source"])):
            delivered = list(of_source)
            history = _history(home, delivered, ends)
            waiting = [file for file in delivered if file["passed"] != _standing(file)]
            for _, group in groupby(waiting, key=lambda file: bisect_left(ends, file["first_arrival"])):
                if gate := _judged(home, con, source, list(group), history):
                    found.append(gate)
    finally:
        con.close()
    return found


def decide(store: Store, source: str, *, accepts: bool, actor: str, reason: str, at: str) -> int:
    """Let what waits at the gate of a source pass, or leave it out for good. Returns how many files that were.

    Only files that were read already are meant: nobody can have looked at others.

    Args:
        store: the control store.
        source: who delivered them.
        accepts: True to let them pass.
        actor: name of the person who says so.
        reason: in the person's words.
        at: UTC time, ISO 8601.

    Raises:
        ValueError: nothing of this source waits.
    """
    waiting = [
        file["raw_sha"]
        for file in store.rows("SELECT * FROM file WHERE source = ? AND passed IS NOT ?", source, LEFT_OUT)
        if file["passed"] != _standing(file) and _standing(file) != "received"
    ]
    if not waiting:
        raise ValueError(
            f"nothing of source {source!r} waits at its gate; a night says on its first line what does"
        )
    with store.transaction() as con:
        passed = "coalesce(bronze, code)" if accepts else f"'{LEFT_OUT}'"
        con.executemany(f"UPDATE file SET passed = {passed} WHERE raw_sha = ?", [(sha,) for sha in waiting])
        audit.append(
            con,
            at=at,
            actor=actor,
            verb="accept_source" if accepts else "leave_out_source",
            subject=source,
            reason=reason,
            files=sorted(waiting),
        )
    return len(waiting)


def let_pass(con: sqlite3.Connection, gates: Iterable[ClosedGate]) -> None:
    """Note, in the transaction of the night, that every file passed but those at a closed gate."""
    kept = [sha for gate in gates for sha in gate.files]
    marks = ", ".join("?" * len(kept))
    con.execute(
        "UPDATE file SET passed = coalesce(bronze, code)"
        f" WHERE passed IS NOT ? AND passed IS NOT coalesce(bronze, code) AND raw_sha NOT IN ({marks})",
        (LEFT_OUT, *kept),
    )


def _standing(file: sqlite3.Row) -> str:
    """What a file is read as now: its bronze, or the code of its refusal; what changes is judged again."""
    return str(file["bronze"] or file["code"] or "received")


def _history(home: Home, files: Sequence[sqlite3.Row], ends: Sequence[int]) -> _History:
    past = [file for file in files if file["passed"] is not None]
    loaded = [file for file in past if file["records"] is not None]
    size = max(1, round(median([file["records"] for file in loaded]))) if loaded else 1
    whole = size * (len(past) - len(loaded))
    volumes = [
        sum(file["records"] or 0 for file in group)
        for _, group in groupby(past, key=lambda file: bisect_left(ends, file["first_arrival"]))
    ]
    return _History(
        records=sum(file["records"] for file in loaded) + whole,
        refused=sum(file["refused"] for file in loaded) + whole,
        file_size=size,
        volumes=tuple(volumes[-VOLUME_DELIVERIES:]),
        bronze=tuple(home.bronze_of(file["raw_sha"], file["bronze"]) for file in loaded if file["bronze"]),
    )


def _judged(
    home: Home, con: duckdb.DuckDBPyConnection, source: str, files: list[sqlite3.Row], history: _History
) -> ClosedGate | None:
    """Return the closed gate of one delivery, or None."""
    records = refused = uncounted = 0
    folders = []
    for file in files:
        if file["state"] == "refused":
            # Nobody counted what is in it.
            uncounted += 1
            records += history.file_size
            refused += history.file_size
            continue
        folder = home.bronze_of(file["raw_sha"], file["bronze"])
        report = FileReport.load(folder)
        records += report.records
        refused += report.refused
        folders.append(folder)
    is_new = all(file["passed"] is None for file in files)
    reason = (
        _refusals(records, refused, uncounted, history)
        or (_volume(records, history) if is_new else None)
        or _drift(con, folders, history)
    )
    if reason is None:
        return None
    return ClosedGate(
        source=source,
        files=tuple(file["raw_sha"] for file in files),
        records=records,
        uncounted=uncounted,
        reason=reason[0],
        reason_zh=reason[1],
        was_current=any(file["passed"] is not None and file["records"] is not None for file in files),
    )


def _refusals(records: int, refused: int, uncounted: int, history: _History) -> tuple[str, str] | None:
    """Return why so many refusals close the gate: the probability of them at the usual share is small.

    What is said of the records of files that nobody could count is called an estimate. A source that has never loaded
    anything has no usual share; then only a delivery of which nothing loads is left out.
    """
    if not refused or refused < REFUSED_SHARE * records:
        return None
    usual = (history.refused + 0.5) / (history.records + 1)
    is_first = not history.records
    if refused < records if is_first else binom.sf(refused - 1, records, usual) > MAX_P:
        return None
    before = "" if is_first else f"; before, {history.refused / history.records:.1%}"
    before_zh = "" if is_first else f"，此前拒收率{history.refused / history.records:.1%}"
    about, about_zh, how, how_zh = "", "", "", ""
    if uncounted:
        about, about_zh = "an estimated ", "约"
        how = f" (files refused as a whole, not counted: {uncounted:,}, each taken for {history.file_size:,} records)"
        how_zh = f"（{uncounted:,}个文件整体拒收，未计数，每个按{history.file_size:,}条估算）"
    return (
        f"{about}{refused:,} of {records:,} records are refused{how}{before}",
        f"{about_zh}{records:,}条记录中拒收{refused:,}条{how_zh}{before_zh}",
    )


def _volume(records: int, history: _History) -> tuple[str, str] | None:
    """Return why so few records close the gate."""
    if len(history.volumes) < MIN_DELIVERIES:
        return None
    usual = median(history.volumes)
    if usual < USUAL_RECORDS or records >= VOLUME_SHARE * usual or records >= min(history.volumes):
        return None
    return f"{records:,} records came; usually {usual:,.0f}", f"仅报送{records:,}条记录，通常为{usual:,.0f}条"


def _drift(
    con: duckdb.DuckDBPyConnection, folders: Sequence[Path], history: _History
) -> tuple[str, str] | None:
    """Return why the prices of a delivery are in another unit: against their ceilings, else against earlier prices."""
    bids = _tables(folders, "bids")
    if not bids:
        return None
    earlier = _tables(history.bronze, "bids")
    lots = _tables([*history.bronze, *folders], "lots")
    if lots:
        price, ceiling = _middle_lot(con, bids, lots)
        if price and ceiling:
            was = _middle_lot(con, earlier, lots) if earlier else (None, None)
            always = bool(was[0] and was[1] and not 1 / CEILING_FACTOR <= was[0] / was[1] <= CEILING_FACTOR)
            if 1 / CEILING_FACTOR <= price / ceiling <= CEILING_FACTOR or always:
                return None
            factor = _power_of_ten(price / ceiling)
            return (
                f"the middle lot's bids are about {factor} of its ceiling price: is the unit right?",
                f"居中标段的报价约为最高投标限价的{factor}，请核对金额单位",
            )
    now, count = _middle_price(con, bids)
    then, count_then = _middle_price(con, earlier) if earlier else (0.0, 0)
    if min(count, count_then) < MIN_PRICES or 1 / PRICE_FACTOR <= now / then <= PRICE_FACTOR:
        return None
    factor = _power_of_ten(now / then)
    return (
        f"the middle price is about {factor} of what it was: is the unit right?",
        f"报价中位数约为此前的{factor}，请核对金额单位",
    )


def _power_of_ten(ratio: float) -> str:
    """Return a ratio by its power of ten alone: bids are secret until the opening (招标投标法 §22)."""
    power = round(math.log10(ratio))
    return f"{10**power:,}" if power >= 0 else f"1/{10**-power:,}"


def _tables(folders: Iterable[Path], table: str) -> list[str]:
    return [str(path) for folder in folders if (path := folder / f"{table}.parquet").is_file()]


#: Prices that are amounts, without records that are taken back.
_AMOUNTS = "price > 0 AND coalesce(price_form, 'amount') = 'amount' AND NOT is_deleted"


def _middle_lot(
    con: duckdb.DuckDBPyConnection, bids: list[str], lots: list[str]
) -> tuple[float | None, float | None]:
    """Return middle bid and ceiling of the lot whose ratio of both is the middle one."""
    row = con.execute(
        f"""
        WITH priced AS (
            SELECT lot_id, median(CAST(price AS DOUBLE)) AS price FROM read_parquet($bids) WHERE {_AMOUNTS} GROUP BY lot_id
        ),
        limited AS (
            SELECT lot_id, max(CAST(ceiling_price AS DOUBLE)) AS ceiling FROM read_parquet($lots)
            WHERE ceiling_price > 0 GROUP BY lot_id
        ),
        ranked AS (
            SELECT price, ceiling, row_number() OVER (ORDER BY price / ceiling, lot_id) AS place, count(*) OVER () AS lots
            FROM priced JOIN limited USING (lot_id)
        )
        SELECT price, ceiling FROM ranked WHERE place = (lots + 1) // 2
        """,
        {"bids": bids, "lots": lots},
    ).fetchone()
    return (row[0], row[1]) if row else (None, None)


def _middle_price(con: duckdb.DuckDBPyConnection, bids: list[str]) -> tuple[float, int]:
    """Return the median price of all bids and how many have one."""
    row = con.execute(
        f"SELECT coalesce(median(CAST(price AS DOUBLE)), 0), count(*) FROM read_parquet($bids) WHERE {_AMOUNTS}",
        {"bids": bids},
    ).fetchall()[0]
    return float(row[0]), int(row[1])
