"""The lists as an office keeps them: 重点关注对象名单 for internal use, 黑名单 with the decisions that it rests on."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date

import duckdb

from pipelines import duck
from pipelines.casework import risk_classes
from pipelines.casework.clocks.due_dates import months_after
from pipelines.casework.watchlist import credit_repair, register
from pipelines.casework.watchlist.proposals import LISTS_ZH, SUBJECTS_ZH
from pipelines.casework.watchlist.register import STATES_ZH, ListEntry
from pipelines.settings import Home
from pipelines.store import Store
from reports.office_sheet import Sheet

WATCH_NOTE_ZH = "内部名单，不对外公开；列入不代表存在违法事实。"
BLACK_NOTE_ZH = "依据生效决定列入；到期、修复或撤销后停止公示和惩戒。"

_YEARS = 3  # 近三年处罚次数


@dataclass(frozen=True)
class SubjectRecord:
    """What is on record about a subject. None: no snapshot is published, so nobody counted."""

    alerts: int
    penalties: int | None
    last_decision: str


def watch_sheet(home: Home, store: Store, as_of: date, *, everything: bool = False) -> Sheet:
    """Return the watch list on a day: proposed and listed entries, or all there ever were."""
    headings = (
        "序号",
        "对象类型",
        "名称",
        "统一社会信用代码(人员用脱敏证件号)",
        "列入原因",
        "触发规则",
        "历史预警次数",
        "近三年处罚次数",
        "最近处罚文号",
        "关联对象",
        "风险等级",
        "列入时间",
        "复评日期",
        "到期日期",
        "关注措施",
        "状态",
        "移出时间",
        "移出原因",
        "批准人",
        "编号",
    )
    found = listed_entries(store.con, "watch", as_of, everything=everything)
    known = subject_records(home, store, found, as_of)
    rows = [
        (
            str(number),
            SUBJECTS_ZH[str(e.facts["subject_kind"])],
            str(e.facts["name"]),
            code_of(e),
            str(e.facts["reason"]),
            str(e.facts["rule"]),
            str(known[e.id].alerts),
            "" if (counted := known[e.id].penalties) is None else str(counted),
            known[e.id].last_decision,
            str(e.facts["related"]),
            risk_classes.name_zh(str(e.facts["risk_class"])),
            _of(e, "effective_on", "listed"),
            str(e.review_on),
            str(e.ends_on),
            str(e.facts["measures"]),
            state_zh(e, as_of),
            *_removal(e),
            _of(e, "actor", "listed"),
            e.id,
        )
        for number, e in enumerate(found, start=1)
    ]
    return Sheet(LISTS_ZH["watch"], headings, rows, WATCH_NOTE_ZH)


def black_sheet(store: Store, as_of: date, *, everything: bool = False, public: bool = False) -> Sheet:
    """Return the blacklist on a day.

    Args:
        store: the control store.
        as_of: the day.
        everything: also entries that ended.
        public: only entries that are published on that day (`is_public`).
    """
    headings = (
        "序号",
        "编号",
        "对象类型",
        "名称",
        "统一社会信用代码(人员用脱敏证件号)",
        "列入原因",
        "列入依据",
        "决定文号",
        "决定机关",
        "决定日期",
        "失信等级",
        "是否限制投标",
        "限制起始",
        "限制截止",
        "公示截止",
        "最早可修复日期",
        "状态",
        "移出时间",
        "移出原因",
        "移出文号",
        "批准人",
    )
    found = listed_entries(store.con, "black", as_of, everything=everything)
    rows = [
        (
            str(number),
            e.id,
            SUBJECTS_ZH[str(e.facts["subject_kind"])],
            str(e.facts["name"]),
            code_of(e),
            str(e.facts["reason"]),
            str(e.facts["basis"]),
            str(e.facts["document_no"]),
            str(e.facts["authority"]),
            str(e.facts["decided_on"]),
            dishonesty_class(e).title_zh,
            "是" if e.facts["is_bidding_ban"] else "否",
            str(e.facts["starts_on"]),
            str(e.ends_on),
            _published_until(e),
            str(dishonesty_class(e).repairable_on(_decided(e))),
            state_zh(e, as_of),
            *_removal(e),
            _of(e, "document_no", "repaired", "revoked"),
            _of(e, "actor", "listed"),
        )
        for number, e in enumerate((e for e in found if not public or is_public(e, as_of)), start=1)
    ]
    return Sheet(LISTS_ZH["black"], headings, rows, BLACK_NOTE_ZH)


def is_public(entry: ListEntry, as_of: date) -> bool:
    """Tell whether a blacklist entry is published on a day: in effect, of a published class, and not past its longest."""
    return (
        entry.is_in_effect(as_of)
        and dishonesty_class(entry).is_published
        and as_of <= dishonesty_class(entry).published_until(_decided(entry))
    )


def listed_entries(con: sqlite3.Connection, list: str, as_of: date, *, everything: bool) -> list[ListEntry]:
    """Return the entries of a list by id: those proposed or listed that have not ended by a day, or all."""
    return [
        entry
        for entry in register.entries(con)
        if entry.facts["list"] == list
        and (everything or (entry.state in ("proposed", "listed") and as_of <= entry.ends_on))
    ]


def subject_records(
    home: Home, store: Store, found: list[ListEntry], as_of: date
) -> dict[str, SubjectRecord]:
    """Return what is on record about the subjects of entries, by entry id.

    Penalties are those of the current snapshot that began within three years before the day.
    """
    alerts = {
        row["party"]: row["alerts"]
        for row in store.rows(
            "SELECT j.value AS party, count(*) AS alerts FROM signal, json_each(signal.entities) AS j GROUP BY j.value"
        )
    }
    decisions = _decisions(home, store, [str(entry.facts["subject_id"]) for entry in found])
    since = months_after(as_of, -12 * _YEARS)
    known = {}
    for entry in found:
        subject = str(entry.facts["subject_id"])
        mine = (
            None
            if decisions is None
            else [no for no, on in decisions.get(subject, ()) if on is not None and since <= on <= as_of]
        )
        last = "" if not mine else mine[-1]
        known[entry.id] = SubjectRecord(alerts.get(subject, 0), None if mine is None else len(mine), last)
    return known


def state_zh(entry: ListEntry, as_of: date) -> str:
    """Return the state of an entry; after its last day it counts as expired, also before the night says so."""
    if entry.state == "listed" and entry.ends_on < as_of:
        return STATES_ZH["expired"]
    return STATES_ZH[entry.state]


def dishonesty_class(entry: ListEntry) -> credit_repair.DishonestyClass:
    """Return the class of dishonesty of a blacklist entry."""
    return credit_repair.dishonesty_class_of(str(entry.facts["severity"]))


def code_of(entry: ListEntry) -> str:
    """Return the code of a subject as the lists show it: the masked number of a person; nothing where there is no code."""
    subject = str(entry.facts["subject_id"])
    return str(entry.facts["shown_code"]) or ("" if subject.startswith(("name:", "h1:")) else subject)


def _decided(entry: ListEntry) -> date:
    return date.fromisoformat(str(entry.facts["decided_on"]))


def _published_until(entry: ListEntry) -> str:
    if not dishonesty_class(entry).is_published:
        return "不公示"
    return str(min(dishonesty_class(entry).published_until(_decided(entry)), entry.ends_on))


def _of(entry: ListEntry, name: str, *states: str) -> str:
    event = entry.event(*states)
    return str(event[name]) if event else ""


def _removal(entry: ListEntry) -> tuple[str, str]:
    ended = entry.event("expired", "repaired", "revoked")
    if ended is None:
        return "", ""
    return _of(entry, "effective_on", "removed"), f"{STATES_ZH[str(ended['state'])]}：{ended['reason']}"


def _decisions(
    home: Home, store: Store, subjects: list[str]
) -> dict[str, list[tuple[str, date | None]]] | None:
    """Return the decisions on parties in the current snapshot, the oldest first; None where there is none."""
    snapshot = store.current_snapshot()
    if snapshot is None or not home.snapshot(snapshot).is_file():
        return None
    con: duckdb.DuckDBPyConnection = duck.open_snapshot(home.snapshot(snapshot))
    try:
        rows = con.execute(
            "SELECT party_id, decision_no, min(starts_on) FROM core.penalties"
            " WHERE party_id IN (SELECT unnest($ids)) AND revoked_on IS NULL"
            " GROUP BY party_id, decision_no ORDER BY min(starts_on) NULLS FIRST, decision_no",
            {"ids": subjects},
        ).fetchall()
    finally:
        con.close()
    found: dict[str, list[tuple[str, date | None]]] = {}
    for party, decision_no, on in rows:
        found.setdefault(party, []).append((decision_no, on))
    return found
