"""What offices answer: filled-in alert lists come back, row by row, and become labels (反馈). No state moves by itself.

Every answer is a row and stays; of one alert the last answer of an office counts. A row is taken, unchanged (it
says nothing, or what was said before), or refused with the reason; a refused row does not stop the others.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pipelines.casework.acts import Act, once
from pipelines.intake import receiving
from pipelines.intake.sandbox import Filled, Sandbox
from pipelines.settings import Home
from pipelines.store import Store
from reports.alert_list import CONCLUSIONS_ZH, STATES_ZH

#: What an officer may write under 核查结论 -> label; the label itself is understood, too.
LABELS = {zh: label for label, zh in CONCLUSIONS_ZH.items()} | {label: label for label in CONCLUSIONS_ZH}

#: Fingerprints of signals look like this.
_ALERT_ID = re.compile("S[A-Z2-7]{16}")

#: A spreadsheet counts days from here, and has shown a date as such a number where a format was lost.
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 (local time of the office)
_SERIALS = range(36_526, 73_051)  # 2000 to 2100

#: Deliveries with any alert of a JSON list.
_WITH_ALERTS = "SELECT did FROM delivery_item WHERE fp IN (SELECT value FROM json_each(?))"

_DELIVERY = re.compile(r"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")
_MOMENT = re.compile(
    r"(?P<y>20\d\d)(?:[-/.年])(?P<m>\d{1,2})(?:[-/.月])(?P<d>\d{1,2})日?"
    r"(?:[ T]*(?P<h>\d{1,2})(?:[:时])(?P<min>\d{1,2})(?:[:分]?(?P<s>\d{1,2})?秒?)?(?:\.\d+)?)?"
)
_COMPACT = re.compile(r"(?P<y>20\d\d)(?P<m>\d\d)(?P<d>\d\d)(?:(?P<h>\d\d)(?P<min>\d\d)(?P<s>\d\d)?)?")


@dataclass(frozen=True)
class Answer:
    """What one row says. ``answered_at``: local time of the office, ISO, the hour only where it was given."""

    state_zh: str = ""
    label: str | None = None
    reviewer: str = ""
    answered_at: str | None = None
    note: str = ""


@dataclass(frozen=True)
class RowOutcome:
    """What became of one row. ``outcome``: ``taken``, ``unchanged`` or ``refused``; ``problem`` says why refused."""

    place: str
    alert_id: str
    did: str | None
    outcome: str
    problem: str
    answer: Answer


class AnsweredList(NamedTuple):
    """Whose list came back, what became of its rows, and what in the file was left aside."""

    office: str
    rows: list[RowOutcome]
    notes: list[str]


@dataclass(frozen=True)
class SentAlert:
    """An alert as an office got it: in which delivery, on which night, and with which note in the list."""

    did: str
    as_of: date
    note: str


def take_back(
    home: Home,
    store: Store,
    act: Act,
    path: Path,
    on: date,
    *,
    recipient: str | None = None,
    did: str | None = None,
) -> AnsweredList:
    """Take back one filled-in list.

    Args:
        home: of the installation; the file is kept under ``raw``.
        store: the control store.
        act: who brings it.
        path: the file, xlsx or CSV; read in the shut-in child.
        on: the day on which it came.
        recipient: the office, where the file does not show it.
        did: the delivery, likewise.

    Returns:
        The office, what became of every row, and what was left aside. The same file again gives the same and
        writes nothing.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file cannot be read, holds no alert, or does not show whose answer it is.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    if did is not None and not store.rows("SELECT 1 FROM outbox WHERE did = ?", did):
        raise ValueError(f"no delivery {did}; `bidwatch deliver list` shows them")
    file_sha = receiving.keep(home, path)[0]
    with Sandbox() as sandbox:
        form = sandbox.take_back(Filled(str(home.raw / file_sha), path.name))
    rows: list[dict[str, str]] = form["rows"]
    if not rows:
        raise ValueError(f"{path.name}: no row with an alert's number under 预警编号")
    named = (
        [did]
        if did
        else [*form["deliveries"], *_DELIVERY.findall(path.absolute().parent.name + " " + path.name)]
    )
    ids = [comparable(row["alert_id"]) for row in rows]
    office, answered = _office(store, path.name, ids, named, recipient)
    is_known = "SELECT number FROM receipt WHERE recipient = ? AND file_sha = ?"
    if known := store.rows(is_known, office, file_sha):
        return AnsweredList(office, rows_of(store, known[0]["number"]), form["notes"])
    sent = alerts_sent(store, office, ids, answered)
    judged = check_rows(rows, sent, _said(store, office), _fps(store), office)

    def do(con: sqlite3.Connection) -> str:
        if con.execute(is_known, (office, file_sha)).fetchall():
            raise ValueError(f"{path.name} is being taken back by somebody else just now; it is not lost")
        number = con.execute(
            "INSERT INTO receipt (recipient, file_sha, file_name, received_on, at, actor) VALUES (?, ?, ?, ?, ?, ?)",
            (office, file_sha, path.name, on.isoformat(), act.at, act.actor),
        ).lastrowid
        con.executemany(
            "INSERT INTO receipt_row (receipt, place, alert_id, did, outcome, problem, state_zh, label, reviewer,"
            " answered_at, note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    number,
                    row.place,
                    row.alert_id,
                    row.did,
                    row.outcome,
                    row.problem,
                    row.answer.state_zh,
                    row.answer.label,
                    row.answer.reviewer,
                    row.answer.answered_at,
                    row.answer.note,
                )
                for row in judged
            ],
        )
        return str(number)

    counts = Counter(row.outcome for row in judged)
    once(store, act, "receipt", "", {"office": office, "file": file_sha, "on": on.isoformat(), **counts}, do)
    return AnsweredList(office, judged, form["notes"])


def check_rows(
    rows: Sequence[Mapping[str, str]],
    sent: Mapping[str, SentAlert],
    said: Mapping[str, Answer],
    known: Iterable[str],
    office: str,
) -> list[RowOutcome]:
    """Decide about every row of a list that came back.

    Args:
        rows: as `receipt_forms.Form` has them.
        sent: alert id -> how the office got it.
        said: alert id -> what the office said last.
        known: every alert id there is.
        office: whose answer it is, for the messages.
    """
    everything = set(known)
    judged = [_check_row(row, sent, everything, office) for row in rows]
    answers: dict[str, set[Answer]] = {}
    for row in judged:
        if row.outcome == "taken":
            answers.setdefault(row.alert_id, set()).add(row.answer)
    seen = dict(said)
    final = []
    for row in judged:
        if row.outcome == "taken" and len(answers[row.alert_id]) > 1:
            problem = "the list answers this alert twice, differently 同一预警有两种不同的反馈"
            final.append(replace(row, outcome="refused", problem=problem))
        elif row.outcome == "taken" and seen.get(row.alert_id) == row.answer:
            final.append(replace(row, outcome="unchanged"))
        else:
            final.append(row)
            if row.outcome == "taken":
                seen[row.alert_id] = row.answer
    return final


def _check_row(
    row: Mapping[str, str], sent: Mapping[str, SentAlert], known: set[str], office: str
) -> RowOutcome:
    alert_id = comparable(row["alert_id"])
    got = sent.get(alert_id)
    said = RowOutcome(row["place"], alert_id, None if got is None else got.did, "refused", "", Answer())
    # What stood under 备注 when the list was sent is no answer.
    note = "" if got is not None and row["note"] == got.note else row["note"]
    is_blank = not (note or row["state_zh"] or row["conclusion_zh"] or row["reviewer"] or row["feedback_at"])
    if row["problem"]:
        return replace(said, problem=row["problem"])
    if is_blank and (got is not None or not _ALERT_ID.fullmatch(alert_id)):
        # not filled in, or a remark under the table
        return replace(said, outcome="unchanged")
    if got is None:
        problem = (
            f"this alert was never sent to {office} 该预警未送达该单位"
            if alert_id in known
            else "no alert has this number 没有此预警编号"
        )
        return replace(said, problem=problem)
    try:
        answer = _answer(row, note)
        if answer.answered_at is not None and answer.answered_at[:10] < got.as_of.isoformat():
            raise ValueError(
                f"反馈时间 {answer.answered_at} lies before the delivery of {got.as_of} 早于送达"
            )
    except ValueError as error:
        return replace(said, problem=str(error))
    return replace(said, outcome="taken", answer=answer)


def _answer(row: Mapping[str, str], note: str) -> Answer:
    conclusion, state = _word(row["conclusion_zh"]), _word(row["state_zh"])
    label = LABELS.get(conclusion) or LABELS.get(conclusion.lower())
    if conclusion and label is None:
        raise ValueError(f"核查结论 {conclusion!r} is none of: {'、'.join(CONCLUSIONS_ZH.values())}")
    if state and state not in STATES_ZH:
        raise ValueError(f"核查状态 {state!r} is none of: {'、'.join(STATES_ZH)}")
    if label is not None:
        if state and state != STATES_ZH[-1]:
            raise ValueError(f"核查状态 is {state}, and there is a conclusion already 状态与结论不一致")
        state = STATES_ZH[-1]
    return Answer(state, label, row["reviewer"].strip(), moment(row["feedback_at"]), note)


def moment(text: str) -> str | None:
    """Return a date or time as an officer or a spreadsheet writes it, as ISO text; None for an empty one.

    Understood are 2026-06-30, 2026/6/30, 2026.6.30, 2026年6月30日, 20260630, each with or without a time behind it, and
    the number of days that a spreadsheet keeps (46203.5).

    Raises:
        ValueError: none of these, or no such day.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        return None
    try:
        if re.fullmatch(r"\d{5}(\.\d+)?", plain) and int(float(plain)) in _SERIALS:
            return _shown(_FIRST_DAY + timedelta(seconds=round(float(plain) * 86_400)))
        found = _MOMENT.fullmatch(plain) or _COMPACT.fullmatch(plain)
        if found is None:
            raise ValueError
        year, month, day, hour, minute, second = (
            int(found[key] or 0) for key in ("y", "m", "d", "h", "min", "s")
        )
        return _shown(datetime(year, month, day, hour, minute, second))  # noqa: DTZ001 (local time of the office)
    except ValueError:
        raise ValueError(f"反馈时间 {text!r} is no date; write 2026-06-30 or 2026-06-30 09:30") from None


def _shown(at: datetime) -> str:
    return (
        at.date().isoformat()
        if at.time() == datetime.min.time()
        else at.isoformat(sep=" ", timespec="minutes")
    )


def comparable(alert_id: str) -> str:
    """Return an alert's number without blanks, width, case, invisible characters or a leading quote."""
    seen = unicodedata.normalize("NFKC", alert_id)
    return "".join(each for each in seen if each.isprintable() and not each.isspace()).lstrip("'’‘").upper()


def _word(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).strip("。.")


def _office(
    store: Store, file_name: str, alert_ids: Iterable[str], named: Iterable[str], recipient: str | None
) -> tuple[str, set[str]]:
    """Return whose answer a list is, and to which deliveries, where it shows that.

    The office is as told, or that of the delivery that the list names, else found by the alerts in it.

    A copy of a list answers nothing by itself: of two offices that got the same alerts, the one in charge answers.
    """
    sent: dict[str, set[str]] = {}
    listed = sorted(set(alert_ids))
    for row in store.rows(
        f"SELECT did, fp FROM delivery_item WHERE did IN ({_WITH_ALERTS})", json.dumps(listed)
    ):
        sent.setdefault(row["did"], set()).add(row["fp"])
    deliveries = {
        row["did"]: (str(row["recipient"]), json.loads(row["copies"] or "[]"))
        for row in store.rows(
            "SELECT did, recipient, json_extract(facts, '$.copies') AS copies FROM outbox WHERE state = 'written'"
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
    got = {did: copies for did, (_, copies) in deliveries.items() if ids & sent.get(did, set())}
    same = {did for did in got if sent[did] == ids}
    whole = {deliveries[did][0] for did in same}
    in_charge = {deliveries[did][0] for did, copies in got.items() if (ids & sent[did]) - set(copies)}
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
    """Return those alerts that an office got, in the last delivery that has them, or the last of those answered."""
    first = set(answered)
    notes: dict[tuple[str, str], str] = {}
    rows = store.rows(
        f"SELECT did, as_of, alerts FROM outbox WHERE did IN ({_WITH_ALERTS}) AND recipient = ?"
        " AND state = 'written' ORDER BY as_of, rowid",
        json.dumps(sorted(set(alert_ids))),
        office,
    )
    for row in sorted(rows, key=lambda row: row["did"] in first):
        for listed in json.loads(row["alerts"]):
            notes[row["did"], listed["alert_id"]] = listed["note"]
    days = {row["did"]: date.fromisoformat(row["as_of"]) for row in rows}
    return {fp: SentAlert(did, days[did], note) for (did, fp), note in notes.items()}


def rows_of(store: Store, receipt: int) -> list[RowOutcome]:
    """Return what became of the rows of a list."""
    return [
        RowOutcome(row["place"], row["alert_id"], row["did"], row["outcome"], row["problem"], _read(row))
        for row in store.rows("SELECT * FROM receipt_row WHERE receipt = ? ORDER BY rowid", receipt)
    ]


def _said(store: Store, office: str) -> dict[str, Answer]:
    """Return what an office said last of each alert."""
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


def _fps(store: Store) -> list[str]:
    return [row["fp"] for row in store.rows("SELECT fp FROM signal")]


def answered_cases(store: Store) -> set[str]:
    """Return the cases of which an office said something after the last step of a person on them."""
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
    """Return what offices said of the alerts of a case and of those merged into it, the oldest first."""
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
