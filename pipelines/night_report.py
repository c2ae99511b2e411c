"""Gathers the facts of a night for its page and writes the page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from detectors import registry
from pipelines import duck
from pipelines.casework.clocks import deadlines, due_dates
from pipelines.findings.matters import expected_false
from pipelines.intake import receiving
from pipelines.intake.file_report import FileReport
from pipelines.publishing import Night, files_of
from pipelines.settings import Home
from pipelines.snapshot.screening import COUNTED_ZH, Unjudged
from pipelines.store import Store
from reports import night_page

#: Widely shared values that stand on the page; all of them are in ``risk.hubs`` of the snapshot.
HUBS_SHOWN = 20

#: Things left in the inbox that stand on the page.
LEFT_SHOWN = 50

#: A source that sent something before each of so many nights is missed when it sends nothing.
USUAL_NIGHTS = 5

#: Files that stand on the page with records that nothing dates.
FILES_SHOWN = 20

#: Reasons why a detector could not judge that stand on the page; all of them are in ``risk.unjudged``.
REASONS_SHOWN = 2


def write(home: Home, store: Store, night: Night) -> Night:
    """Write ``reports/night_<as_of>.html`` and return the night with its path."""
    files = files_of(store, night.as_of)
    reports = [
        FileReport.load(home.bronze / row["raw_sha"] / row["bronze"]) for row in files if row["bronze"]
    ]
    accounts = {account["raw_sha"]: account for account in night.files}
    page = night_page.page_html(
        night_page.NightPage(
            snapshot=night.snapshot or "—",
            as_of=date.fromisoformat(night.as_of),
            files=[_outcome(row, accounts.get(row["raw_sha"], {})) for row in files],
            refusals=refusals(home, files),
            expectations=_expectations(reports),
            gates=[
                night_page.GateOutcome(
                    name=gate.holds, name_zh=gate.holds_zh, count=gate.violations, limit=0, passed=gate.passed
                )
                for gate in night.gates
            ],
            detectors=_detectors(night, home.reference.local),
            hubs=_hubs(home, night),
            alerts=night.alerts,
            deliveries=_deliveries(store, night),
            clocks=_clocks(store, date.fromisoformat(night.as_of)),
            notes=[
                *_rings(night),
                *_notes(night, files),
                *silent_sources(store, night.as_of),
                *_of_snapshot(home, night),
                *_left_behind(home),
            ],
            remarks=remarks(reports),
        )
    )
    path = home.reports / f"night_{night.as_of}.html"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)
    return replace(night, page=path)


def refusals(home: Home, files: Iterable[sqlite3.Row]) -> list[night_page.Refusal]:
    """Return the refused rows of the given files by reason; values are not shown."""
    paths = [
        str(path)
        for row in files
        if row["bronze"]
        and (path := home.bronze / row["raw_sha"] / row["bronze"] / "refused.parquet").is_file()
    ]
    if not paths:
        return []
    return refusals_in(paths)


def refusals_in(paths: Sequence[str]) -> list[night_page.Refusal]:
    """Return the refused rows of ``refused.parquet`` files by reason, the commonest first; values are not shown."""
    con = duck.connect()
    try:
        rows = con.execute(
            """
            SELECT code, column_name,
                   CASE WHEN code = 'UNREADABLE_VALUE' THEN column_name || ' cannot be read' ELSE min(reason) END,
                   CASE WHEN code = 'UNREADABLE_VALUE' THEN column_name || '无法识别' ELSE min(reason_zh) END,
                   count(*), min(raw_path)
            FROM read_parquet($paths)
            GROUP BY code, column_name
            ORDER BY count(*) DESC, code, column_name
            """,
            {"paths": paths},
        ).fetchall()
    finally:
        con.close()
    return [
        night_page.Refusal(code=code, reason=reason, reason_zh=reason_zh, count=count, example=example)
        for code, _, reason, reason_zh, count, example in rows
    ]


def _outcome(file: sqlite3.Row, account: Mapping[str, object]) -> night_page.FileOutcome:
    return night_page.FileOutcome(
        file_name=file["name"],
        source=file["source"],
        state=file["state"],
        **{
            name: int(str(account.get(name, 0)))
            for name in ("records", "loaded", "duplicate", "refused", "held")
        },
        reason=file["reason"] or "",
        reason_zh=file["reason_zh"] or "",
    )


def _expectations(reports: list[FileReport]) -> list[night_page.ExpectationOutcome]:
    sums: dict[tuple[str, str, str], list[int]] = {}
    for report in reports:
        for outcome in report.expectations:
            name = f"{outcome['expectation']} · {outcome['column']} · {outcome['code']}"
            counts = sums.setdefault((str(outcome["table"]), name, str(outcome["severity"])), [0, 0])
            counts[0] += int(str(outcome["checked"]))
            counts[1] += int(str(outcome["unexpected"]))
    return [
        night_page.ExpectationOutcome(
            table=table,
            expectation=name,
            severity=severity,
            checked=checked,
            unexpected=unexpected,
            ok=not unexpected,
        )
        for (table, name, severity), (checked, unexpected) in sorted(sums.items())
    ]


def _detectors(night: Night, local: Path | None) -> list[night_page.DetectorOutcome]:
    facts = {detector.id: detector.facts for detector in registry.load(local=local)}
    return [
        night_page.DetectorOutcome(
            id=screened.id,
            title=facts[screened.id].title,
            title_zh=facts[screened.id].title_zh,
            grade=str(facts[screened.id].grade),
            judged=screened.judged,
            flagged=screened.flagged,
            not_judged=_not_judged(screened.unjudged),
        )
        for screened in night.screened
    ]


def _not_judged(unjudged: Sequence[Unjudged]) -> str:
    """Return why a detector could not judge, the reason with most units first, in one line."""
    told = [
        f"{each.units:,} {COUNTED_ZH[each.counted]}：{each.lack_zh}"
        for each in sorted(unjudged, key=lambda each: -each.units)
    ]
    return "；".join(told[:REASONS_SHOWN]) + (
        f"；另有 {len(told) - REASONS_SHOWN} 种原因" if len(told) > REASONS_SHOWN else ""
    )


def _hubs(home: Home, night: Night) -> list[night_page.Hub]:
    """Return the values that count for nothing because many unrelated firms share them, the widest first."""
    if not night.screened or night.snapshot is None:
        return []
    con = duck.open_snapshot(home.snapshot(night.snapshot))
    try:
        rows = con.execute(
            "SELECT detector, value, bidders, lots, left_out_of_lots FROM risk.hubs"
            " ORDER BY left_out_of_lots DESC, bidders DESC, detector, value LIMIT $shown",
            {"shown": HUBS_SHOWN},
        ).fetchall()
    finally:
        con.close()
    return [night_page.Hub(*row) for row in rows]


def _rings(night: Night) -> list[str]:
    """Return how many rings stand on the list, and how many of them are expected to be false."""
    if not night.listed:
        return []
    false = expected_false(night.listed)
    firms = len({firm for matter in night.listed for firm in matter.firms})
    return [
        f"疑似团伙{len(night.listed)}起（涉及企业{firms}家），其中预期误报不超过{false:.1f}起 / {len(night.listed)} rings of"
        f" {firms} firms on the list, at most {false:.1f} of them expected to be false"
    ]


def silent_sources(store: Store, as_of: str) -> list[str]:
    """Return which sources sent nothing since the night before, though they did before each of the nights before it."""
    ends = store.rows(
        "SELECT max(last_arrival) AS last FROM night WHERE as_of <= ? GROUP BY as_of ORDER BY as_of DESC LIMIT ?",
        as_of,
        USUAL_NIGHTS + 2,
    )
    bounds = [row["last"] for row in ends] + [0]
    if len(bounds) < USUAL_NIGHTS + 2:
        return []
    nights: dict[str, set[int]] = {}
    for row in store.rows("SELECT source, id FROM arrival WHERE id > ?", bounds[USUAL_NIGHTS + 1]):
        nights.setdefault(row["source"], set()).add(sum(row["id"] <= bound for bound in bounds))
    usual = set(range(2, USUAL_NIGHTS + 2))
    return [
        f"来源 {source} 今晚没有报送，此前{USUAL_NIGHTS}晚每晚都有 / source {source} sent nothing tonight; it did before each of"
        f" the {USUAL_NIGHTS} nights before"
        for source, seen in sorted(nights.items())
        if usual <= seen and 1 not in seen
    ]


def _of_snapshot(home: Home, night: Night) -> list[str]:
    """Return what is to be said of the records of the snapshot."""
    if night.snapshot is None:
        return []
    con = duck.open_snapshot(home.snapshot(night.snapshot))
    try:
        return [*_undated(con), *_unplaced(con), *_incomplete(con), *_unrelated_names(con)]
    finally:
        con.close()


def _undated(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return, for each file, the records that are held back because nothing says when their lot is opened."""
    rows = con.execute(
        """
        SELECT a.name, max(u.lots), sum(u.records) FROM stage.undated AS u JOIN stage.accounts AS a ON a.raw_sha = u.raw_sha
        GROUP BY a.name, a.raw_sha ORDER BY a.name, a.raw_sha
        """
    ).fetchall()
    told = [
        f"{name}：{lots:,}个标段没有开标时间，其{records:,}条记录一直暂缓，请补报开标时间 / {lots:,} lots have no opening"
        f" time, their {records:,} records are held back until one comes"
        for name, lots, records in rows[:FILES_SHOWN]
    ]
    more = len(rows) - FILES_SHOWN
    return [*told, *([f"另有{more:,}个文件同样 / so in {more:,} more files"] if more > 0 else [])]


def _unplaced(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return how many records of lots that were opened twice do not say of which round they are."""
    ((files, records),) = con.execute(
        "SELECT count(DISTINCT raw_sha), sum(records) FROM stage.unplaced"
    ).fetchall()
    if not files:
        return []
    return [
        f"多次开标的标段：{files:,}个文件的{records:,}条记录没有日期，投标人也不能说明属于哪一次招标，暂归最后一次，请核对 /"
        f" {records:,} records in {files:,} files are of lots that were opened more than once, and neither a day nor a bidder"
        " says of which round: they count to the last"
    ]


def _incomplete(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return how many lots are incomplete and what is missing."""
    ((lots, missing, refused, unread),) = con.execute(
        "SELECT count(*), sum(missing_bids), sum(refused_bids), sum(unread_prices) FROM core.lots WHERE is_incomplete"
    ).fetchall()
    if not lots:
        return []
    return [
        f"投标不完整的标段{lots:,}个（缺{missing:,}个投标，其中被拒收{refused:,}个；报价未能识别{unread:,}个），整标段的价格规则"
        f"不作判定 / {lots:,} lots are incomplete ({missing:,} bids missing, {refused:,} refused, {unread:,} prices unread):"
        " screens of whole lots keep away"
    ]


def _unrelated_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return, for each source, the codes that link nobody because they carry unrelated names."""
    rows = con.execute(
        """
            SELECT a.source, count(DISTINCT u.code), arg_max(u.code, u.names), max(u.names)
            FROM stage.unrelated_names AS u JOIN stage.accounts AS a ON a.raw_sha = u.raw_sha
            GROUP BY a.source
            ORDER BY a.source
            """
    ).fetchall()
    return [
        f"{source}：{codes:,}个主体代码对应互不相关的名称（如 {code} 对应{names:,}个名称），不据此认定为同一主体 /"
        f" {codes:,} codes carry unrelated names ({code} carries {names:,}) and link nobody: ask the sender for"
        " codes of a register"
        for source, codes, code, names in rows
    ]


def _deliveries(store: Store, night: Night) -> list[night_page.DeliveryLine]:
    return [
        night_page.DeliveryLine(
            recipient=row["recipient"],
            name_zh=json.loads(row["facts"])["name_zh"],
            rows=row["items"],
            path=str(Path("outbox") / row["recipient"] / f"{row['as_of']}_{row['delivery_id']}"),
            held=row["state"] == "pending",
        )
        for row in store.rows(
            "SELECT o.*, (SELECT count(*) FROM delivery_item AS i WHERE i.delivery_id = o.delivery_id) AS items FROM outbox AS o"
            " WHERE snapshot = ? AND json_extract(facts, '$.results') IS NULL ORDER BY recipient, delivery_id",
            night.snapshot,
        )
    ]


def _clocks(store: Store, as_of: date) -> list[night_page.ClockLine]:
    """Return the clocks of which to warn, the most urgent first."""
    warned = []
    for each in deadlines.warnings(store, as_of):
        first, later = due_dates.end_text(each.due, each.rule.unit)
        due = f"{first}（或 {later}）" if later else first
        warned.append(
            night_page.ClockLine(
                each.object,
                each.rule.act_zh,
                due + ("（暂定）" if each.due.is_provisional else ""),
                due_dates.STAGES_ZH[each.stage],
            )
        )
    return warned


def _notes(night: Night, files: Iterable[sqlite3.Row]) -> list[str]:
    notes = [
        f"关口关闭：来源 {gate.source}：{gate.reason_zh}；{len(gate.files):,}个文件"
        f"（{'约' if gate.uncounted else ''}{gate.records:,}条记录）未纳入，待专人核对 / GATE CLOSED: source {gate.source}:"
        f" {gate.reason}; left out until a person has looked: `bidwatch nightly --accept {gate.source} --actor NAME`"
        for gate in night.closed
    ]
    if night.state == "blocked":
        closed = "；".join(f"{gate.holds_zh}（{gate.violations}）" for gate in night.gates if gate.blocks)
        notes.append(
            f"今晚未发布，仍使用上一版数据：{closed} / not published, the last snapshot stays current"
        )
    if night.state == "unchanged":
        notes.append("今晚没有新数据 / nothing new tonight")
    if night.held is not None:
        notes.append(
            f"新增疑似线索{night.held.new_signals:,}条，超过上限{night.held.most:,}条：已入库，送达暂缓，待人工放行 /"
            " far more new signals than usual: published, deliveries wait for `bidwatch deliver release --reason`"
        )
    if night.suppressed:
        notes.append(
            f"抑制期内、未送达的疑似线索：{night.suppressed:,}条 / suppressed by agreement, not sent:"
            " `bidwatch suppress list`"
        )
    notes += night.lists
    notes += [f"规则待修正 / detector to mend: {said}" for each in night.screened for said in each.misstated]
    refused = [file["name"] for file in files if file["state"] == "refused"]
    if refused:
        listed = "、".join(refused[:5]) + (" …" if len(refused) > 5 else "")
        notes.append(
            f"数据不完整：{len(refused)}个文件被拒收（{listed}）/ INCOMPLETE: whole files were refused"
        )
    return notes


def _left_behind(home: Home) -> list[str]:
    """Return what still lies in the inbox because it cannot be taken in."""
    left = receiving.survey(home.inbox)[1]
    told = [f"未接收 / left in the inbox: {each.name}：{each.reason_zh} / {each.reason}" for each in left]
    more = [f"另有 {len(left) - LEFT_SHOWN} 项未接收 / more are left"] if len(left) > LEFT_SHOWN else []
    return told[:LEFT_SHOWN] + more


def remarks(reports: Sequence[FileReport]) -> list[str]:
    """Return what is said below the files: first what they lack that much depends on, then what is merely told."""
    told = [
        f"{report.file_name} {section.name}: 未找到{lack.name_zh}（{lack.column}），{lack.cost_zh} /"
        f" {lack.column} not found: {lack.cost}"
        for report in reports
        for section in report.sections
        for lack in section.lacks()
    ]
    for report in reports:
        unknown = sorted({name for section in report.sections for name in section.unknown_columns})
        if unknown:
            shown = ", ".join(unknown[:12]) + (" …" if len(unknown) > 12 else "")
            told.append(f"{report.file_name}: 未使用的列 / columns not used: {shown}")
        for section in report.sections:
            if section.read_as_empty:
                counts = ", ".join(
                    f"{name} {count:,}" for name, count in sorted(section.read_as_empty.items())
                )
                told.append(
                    f"{report.file_name} {section.name}: 占位值按空值处理 / placeholders read as empty: {counts}"
                )
            if section.unread:
                cells = ", ".join(
                    f"{name} {count:,}（{example}）" if example else f"{name} {count:,}"
                    for name, (count, example) in sorted(section.unread.items())
                )
                told.append(
                    f"{report.file_name} {section.name}: 无法识别、按空值处理 / could not be read, taken as empty: {cells}"
                )
        told += [f"{report.file_name}: {note}" for note in report.notes if not note.startswith("encoding")]
    return told
