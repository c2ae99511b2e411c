"""What one row of a filled-in alert list says, and whether it can be taken. No store, no file: rows in, outcomes out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from reports.alert_list import CONCLUSIONS_ZH, STATES_ZH

#: What an officer may write under 核查结论 -> label. The label itself is understood as well.
_LABELS = {zh: label for label, zh in CONCLUSIONS_ZH.items()} | {label: label for label in CONCLUSIONS_ZH}

#: Fingerprints of signals look like this.
_ALERT_ID = re.compile("S[A-Z2-7]{16}")

#: A spreadsheet counts days from here, and has shown a date as such a number where a format was lost.
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 (local time of the office)
_SERIALS = range(36_526, 73_051)  # 2000 to 2100

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
    delivery_id: str | None
    outcome: str
    problem: str
    answer: Answer


@dataclass(frozen=True)
class SentAlert:
    """An alert as an office got it: in which delivery, on which night, and with which note in the list."""

    delivery_id: str
    as_of: date
    note: str


def check_rows(
    rows: Sequence[Mapping[str, str]],
    sent: Mapping[str, SentAlert],
    said: Mapping[str, Answer],
    known: Iterable[str],
    office: str,
) -> list[RowOutcome]:
    """Return what becomes of every row of a list that came back.

    Args:
        rows: as `pipelines.intake.readers.receipt_form.Form` has them.
        sent: alert id -> how the office got it.
        said: alert id -> what the office said last.
        known: every alert id there is.
        office: whose answer it is, for the messages.
    """
    everything = set(known)
    checked = [_check_row(row, sent, everything, office) for row in rows]
    answers: dict[str, set[Answer]] = {}
    for row in checked:
        if row.outcome == "taken":
            answers.setdefault(row.alert_id, set()).add(row.answer)
    seen = dict(said)
    final = []
    for row in checked:
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
    said = RowOutcome(
        row["place"], alert_id, None if got is None else got.delivery_id, "refused", "", Answer()
    )
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
    label = _LABELS.get(conclusion) or _LABELS.get(conclusion.lower())
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
