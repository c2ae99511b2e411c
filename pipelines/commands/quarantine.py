"""Refused rows: what they were, where they stood, why, and what to do."""

from __future__ import annotations

import json
import sqlite3
from typing import Annotated

import typer

from pipelines import duck, settings, times
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    Format,
    FormatOption,
    HomeOption,
    LangOption,
    Panel,
    ReasonOption,
    RowsOption,
    for_reader,
)
from pipelines.commands.output import listing, out
from pipelines.commands.texts import Both, Lang
from pipelines.intake import lineage, mapping
from pipelines.intake.file_report import FileReport
from pipelines.intake.readers import RAW_ROW, headings
from pipelines.snapshot import settlements
from pipelines.store import opened
from reports.cells import terminal

REFUSED = Both("拒收", "Refused")
HEADINGS = Both(
    ("文件", "首处", "列", "代码", "行数", "原因"), ("file", "first at", "column", "code", "rows", "reason")
)
WHOLE_FILE = Both("整个文件", "whole file")
AT = Both("{section}，第 {row} 行", "{section}, row {row}")
REASON = Both("{place}，{code}：{reason}", "{place}, {code}: {reason}")
OF_COLUMN = Both("  {place}  {code}  {column}：{reason}", "  {place}  {code}  {column}: {reason}")
NOT_SHOWN = Both("（不显示）", "(not shown)")
PERSONAL = Both("（不显示：该来源的记录含个人信息）", "(not shown: this sender's records hold personal data)")
CONFLICT = "CONFLICT_EQUAL_TIME"
CONFLICT_REASON = Both(
    "同一记录的两个版本时间相同而内容不同，有分歧的内容未采用，请发送方确认",
    "two versions of one record have the same time and different content; what differs is not used:"
    " ask the sender, then `bidwatch quarantine settle`",
)
CONFLICTS = Both("同一时间的不同内容", "Different values of one time")
CONFLICT_HEADINGS = Both(
    ("编号", "列", "记录", "序号", "内容", "出处", "决定"),
    ("id", "column", "record", "no.", "value", "where", "decided"),
)
AT_FILE = Both("{file}，{section} 第 {row} 行", "{file}, {section} row {row}")
TAKEN = Both("采用", "taken")
SETTLED = Both(
    "{id}：采用“{value}”，自下一夜起生效：bidwatch nightly。撤回：bidwatch quarantine settle {id} --reason 理由",
    "{id}: '{value}' is taken from the next night on: bidwatch nightly. Take it back:"
    " bidwatch quarantine settle {id} --reason TEXT",
)
UNSETTLED = Both("{id}：已撤回，自下一夜起生效", "{id}: taken back, from the next night on")
EMPTY = "TAKEN_AS_EMPTY"
EMPTY_REASON = Both(
    "无法识别，该单元格按空值处理，记录已载入{example}",
    "cannot be read; the cell is taken as empty and the record is loaded{example}",
)
EXAMPLE = Both("，如“{text}”", ", e.g. '{text}'")

app = typer.Typer(
    name="quarantine",
    help="Rows and files that were refused, and why.",
    no_args_is_help=True,
    rich_help_panel=Panel.RECORDS,
)

FileOption = Annotated[
    str | None, typer.Option("--file", help="Only this file: its name or the start of its hash.")
]


@app.command("list")
def list_(
    home: HomeOption = None,
    file: FileOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.EN,
) -> None:
    """List refused files and rows, and cells that could not be read: by file, column and reason."""
    where = settings.installed(home)
    # Programs get the places in English.
    place = lang if format is Format.TABLE else Lang.EN
    rows: list[tuple[object, ...]] = []
    for row in _files(where, file):
        name, raw_sha = row["name"], row["raw_sha"]
        if row["state"] == "refused":
            whole = (WHOLE_FILE.in_(place), "", row["code"], None, row["reason"], row["reason_zh"])
            rows.append((name, raw_sha, *whole))
            continue
        rows += [
            (name, raw_sha, *found)
            for found in _refused(
                where,
                row,
                "SELECT min_by(raw_path, raw_row), column_name, code, count(*), min_by(reason, raw_row),"
                " min_by(reason_zh, raw_row) FROM read_parquet($path) GROUP BY column_name, code ORDER BY 4 DESC, 3, 2",
            )
        ]
        rows += [(name, raw_sha, *found) for found in _unread(where, row)]
        if conflicts := _conflicts(where, raw_sha):
            section, first = conflicts[0]
            at = AT.in_(place).format(section=section, row=first)
            reasons = (CONFLICT_REASON.en, CONFLICT_REASON.zh)
            rows.append((name, raw_sha, at, "", CONFLICT, len(conflicts), *reasons))
    if format is Format.TABLE:
        listing(
            REFUSED.in_(lang),
            HEADINGS.in_(lang),
            [
                (name, at, column, code, count, Both(zh, en).in_(lang))
                for name, _, at, column, code, count, en, zh in rows
            ],
            format,
        )
    else:
        listing("", ("file", "hash", "first at", "column", "code", "rows", "reason", "原因"), rows, format)


@app.command()
def show(
    file: Annotated[str, typer.Argument(help="Name of the file, or the start of its hash.")],
    home: HomeOption = None,
    rows: RowsOption = 50,
    lang: LangOption = Lang.EN,
) -> None:
    """Show refused rows with their text as delivered; personal values are masked."""
    where = settings.installed(home)
    for row in _files(where, file):
        out.print(f"{row['name']}  {row['raw_sha']}")
        if row["state"] == "refused":
            reason = Both(row["reason_zh"], row["reason"]).in_(lang)
            said = REASON.in_(lang).format(place=WHOLE_FILE.in_(lang), code=row["code"], reason=reason)
            out.print(f"  {said}")
            continue
        hidden = mapping.load(row["source"], where.sources).personal_columns()
        for raw_path, column, code, reason_en, reason_zh, raw_text in _refused(
            where,
            row,
            "SELECT raw_path, column_name, code, reason, reason_zh, raw_text FROM read_parquet($path)"
            " ORDER BY raw_section, raw_row LIMIT $rows",
            rows=rows,
        ):
            reason = terminal(Both(reason_zh, reason_en).in_(lang))
            out.print(OF_COLUMN.in_(lang).format(place=raw_path, code=code, column=column, reason=reason))
            out.print(f"    {terminal(masked(raw_text, hidden, lang))}", soft_wrap=True)
        for section, column, code, count, reason_en, reason_zh in _unread(where, row):
            reason = terminal(Both(reason_zh, reason_en).in_(lang))
            said = OF_COLUMN.in_(lang).format(
                place=f"{section} × {count:,}", code=code, column=column, reason=reason
            )
            out.print(said, soft_wrap=True)
        conflicts = _conflicts(where, row["raw_sha"])[:rows]
        if conflicts:
            records = lineage.records(where, row, conflicts)
            for (section, raw_row), record in zip(conflicts, records, strict=True):
                place = AT.in_(lang).format(section=section, row=raw_row)
                reason = CONFLICT_REASON.in_(lang)
                out.print(f"  {REASON.in_(lang).format(place=place, code=CONFLICT, reason=reason)}")
                text = "  ".join(f"{name}={value}" for name, value in record.items() if value)
                out.print(f"    {terminal(text)}", soft_wrap=True)


@app.command()
def conflicts(
    home: HomeOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.EN,
) -> None:
    """List cells of which files say different things at one time, each value with its number and a place."""
    where = settings.installed(home)
    with opened(where.control) as store:
        found = settlements.conflicts(where, store)
    named = for_reader(lang, format)
    listing(
        CONFLICTS.in_(named),
        CONFLICT_HEADINGS.in_(named),
        [
            (
                each.id,
                f"{each.table}.{each.column}",
                terminal(each.key),
                number,
                terminal(said.shown),
                AT_FILE.in_(named).format(file=said.file_name, section=said.raw_section, row=said.raw_row),
                TAKEN.in_(named) if said.value == each.taken else "",
            )
            for each in found
            for number, said in enumerate(each.said, 1)
        ],
        format,
    )


@app.command()
def settle(
    conflict: Annotated[str, typer.Argument(metavar="CONFLICT", help="Its id, from `quarantine conflicts`.")],
    reason: ReasonOption,
    home: HomeOption = None,
    take: Annotated[
        int | None,
        typer.Option("--take", help="Number of the value that is right. Without it: nobody has settled it."),
    ] = None,
    actor: ActorOption = ACTING,
    lang: LangOption = Lang.EN,
) -> None:
    """Say which value of a cell in conflict is right, or take that back. It counts from the next night on."""
    where = settings.installed(home)
    with opened(where.control) as store:
        by_id = {each.id: each for each in settlements.conflicts(where, store)}
        if conflict not in by_id:
            raise ValueError(
                f"no conflict {conflict!r} in the current snapshot, see `bidwatch quarantine conflicts`"
            )
        chosen = settlements.settle(store, by_id[conflict], take, reason=reason, actor=actor, at=times.now())
    said = (
        SETTLED.in_(lang).format(id=conflict, value=chosen.shown)
        if chosen
        else UNSETTLED.in_(lang).format(id=conflict)
    )
    out.print(said, soft_wrap=True)


def masked(raw_text: str, hidden: frozenset[str], lang: Lang) -> str:
    """Return the record's text with the values of personal columns masked.

    Text that cannot be taken apart is shown only where no column of the sender is personal.
    """
    try:
        record = json.loads(raw_text)
    except ValueError:
        return PERSONAL.in_(lang) if hidden else raw_text
    if not isinstance(record, dict):
        return NOT_SHOWN.in_(lang)
    return "  ".join(
        f"{name}={'***' if headings.base_name(name)[0] in hidden and value else value}"
        for name, value in record.items()
        if value is not None and name != RAW_ROW
    )


def _refused(where: settings.Home, row: sqlite3.Row, sql: str, **parameters: object) -> list[tuple[str, ...]]:
    path = where.bronze / row["raw_sha"] / str(row["bronze"]) / "refused.parquet"
    if not path.is_file():
        return []
    con = duck.connect()
    try:
        return con.execute(sql, {"path": str(path), **parameters}).fetchall()
    finally:
        con.close()


def _unread(where: settings.Home, row: sqlite3.Row) -> list[tuple[str, str, str, int, str, str]]:
    """Return the cells of a file that could not be read, by column: where, column, code, how many, why."""
    if not row["bronze"]:
        return []
    report = FileReport.load(where.bronze / row["raw_sha"] / row["bronze"])
    found = []
    for section in report.sections:
        for column, (count, text) in sorted(section.unread.items()):
            example = Both(*(each.format(text=text) if text else "" for each in (EXAMPLE.zh, EXAMPLE.en)))
            found.append(
                (
                    section.name,
                    column,
                    EMPTY,
                    count,
                    EMPTY_REASON.en.format(example=example.en),
                    EMPTY_REASON.zh.format(example=example.zh),
                )
            )
    return found


def _conflicts(where: settings.Home, raw_sha: str) -> list[tuple[str, int]]:
    """Return section and row of every record of the file that is in conflict in the current snapshot."""
    with opened(where.control) as store:
        snapshot = store.current_snapshot()
    if snapshot is None:
        return []
    con = duck.open_snapshot(where.snapshot(snapshot))
    try:
        return con.execute(
            "SELECT raw_section, raw_row FROM stage.versions WHERE fate = 'conflict' AND raw_sha = $raw_sha"
            " UNION SELECT raw_section, raw_row FROM stage.conflicts WHERE raw_sha = $raw_sha AND settled IS NULL"
            " ORDER BY raw_section, raw_row",
            {"raw_sha": raw_sha},
        ).fetchall()
    finally:
        con.close()


def _files(where: settings.Home, named: str | None) -> list[sqlite3.Row]:
    with opened(where.control) as store:
        rows = store.rows("SELECT * FROM file ORDER BY first_arrival")
    chosen = [
        row for row in rows if named is None or row["name"] == named or row["raw_sha"].startswith(named)
    ]
    if named is not None and not chosen:
        raise ValueError(f"no file called {named!r} was delivered; see `bidwatch status`")
    return chosen
