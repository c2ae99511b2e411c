"""Refused rows: what they were, where they stood, why, and what to do."""

from __future__ import annotations

import json
import sqlite3
from typing import Annotated

import typer

from pipelines import duck, settings
from pipelines.commands.output import Format, FormatOption, HomeOption, listing, out
from pipelines.intake import lineage, mapping
from pipelines.intake.readers import RAW_ROW
from pipelines.store import opened
from reports.cells import terminal

app = typer.Typer(help="Rows and files that were refused, and why.", no_args_is_help=True)

FileOption = Annotated[
    str | None, typer.Option("--file", help="Only this file: its name or the start of its hash.")
]

CONFLICT = (
    "CONFLICT_EQUAL_TIME",
    "two versions of one record have the same time and different content; neither is used: ask the sender",
    "同一记录的两个版本时间相同而内容不同，均未采用，请发送方确认",
)


@app.command("list")
def list_(home: HomeOption = None, file: FileOption = None, format: FormatOption = Format.TABLE) -> None:
    """List refused files and rows: by file, column and reason."""
    where = settings.installed(home)
    rows: list[tuple[object, ...]] = []
    for row in _files(where, file):
        name, raw_sha = row["name"], row["raw_sha"]
        if row["state"] == "refused":
            rows.append((name, raw_sha, "whole file", "", row["code"], None, row["reason"], row["reason_zh"]))
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
        if conflicts := _conflicts(where, raw_sha):
            section, first = conflicts[0]
            rows.append(
                (name, raw_sha, f"{section}, row {first}", "", CONFLICT[0], len(conflicts), *CONFLICT[1:])
            )
    headers = ("file", "hash", "first at", "column", "code", "rows", "reason", "原因")
    if format is Format.TABLE:
        short = [(name, at, column, code, count, zh) for name, _, at, column, code, count, _, zh in rows]
        listing(
            "Refused 拒收 (English reasons: --format csv)", (headers[0], *headers[2:6], "原因"), short, format
        )
    else:
        listing("Refused", headers, rows, format)


@app.command()
def show(
    file: Annotated[str, typer.Argument(help="Name of the file, or the start of its hash.")],
    home: HomeOption = None,
    rows: Annotated[int, typer.Option(help="How many rows to show.")] = 50,
) -> None:
    """Show refused rows with their text as delivered; personal values are masked."""
    where = settings.installed(home)
    for row in _files(where, file):
        out.print(f"{row['name']}  {row['raw_sha']}")
        if row["state"] == "refused":
            out.print(f"  whole file, {row['code']}: {row['reason']}\n  {row['reason_zh']}")
            continue
        hidden = mapping.load(row["source"], where.sources).personal_columns()
        for raw_path, column, code, reason, reason_zh, raw_text in _refused(
            where,
            row,
            "SELECT raw_path, column_name, code, reason, reason_zh, raw_text FROM read_parquet($path)"
            " ORDER BY raw_section, raw_row LIMIT $rows",
            rows=rows,
        ):
            out.print(f"  {raw_path}  {code}  {column}: {terminal(reason)} / {terminal(reason_zh)}")
            out.print(f"    {terminal(masked(raw_text, hidden))}", soft_wrap=True)
        conflicts = _conflicts(where, row["raw_sha"])[:rows]
        if conflicts:
            for (section, raw_row), record in zip(
                conflicts, lineage.records(where, row, conflicts), strict=True
            ):
                out.print(f"  {section}, row {raw_row}  {CONFLICT[0]}: {CONFLICT[1]} / {CONFLICT[2]}")
                out.print(
                    f"    {terminal('  '.join(f'{k}={v}' for k, v in record.items() if v))}", soft_wrap=True
                )


def masked(raw_text: str, hidden: frozenset[str]) -> str:
    """Return the record's text with the values of personal columns masked.

    Text that cannot be taken apart is shown only where no column of the sender is personal.
    """
    try:
        record = json.loads(raw_text)
    except ValueError:
        return "(not shown: this sender's records hold personal data)" if hidden else raw_text
    if not isinstance(record, dict):
        return "(not shown)"
    return "  ".join(
        f"{name}={'***' if mapping.base_name(name)[0] in hidden and value else value}"
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


def _conflicts(where: settings.Home, raw_sha: str) -> list[tuple[str, int]]:
    """Return section and row of every record of the file that is in conflict in the current snapshot."""
    with opened(where.control) as store:
        snapshot = store.current_snapshot()
    if snapshot is None:
        return []
    con = duck.open_snapshot(where.snapshot(snapshot))
    try:
        return con.execute(
            "SELECT DISTINCT raw_section, raw_row FROM stage.versions WHERE fate = 'conflict' AND raw_sha = ?"
            " ORDER BY raw_section, raw_row",
            [raw_sha],
        ).fetchall()
    finally:
        con.close()


def _files(where: settings.Home, named: str | None) -> list[sqlite3.Row]:
    with opened(where.control) as store:
        rows = store.rows("SELECT * FROM file ORDER BY first_delivery")
    chosen = [
        row for row in rows if named is None or row["name"] == named or row["raw_sha"].startswith(named)
    ]
    if named is not None and not chosen:
        raise ValueError(f"no file called {named!r} was delivered; see `bidwatch status`")
    return chosen
