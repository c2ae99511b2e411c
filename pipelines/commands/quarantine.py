"""Refused rows: what they were, where they stood, why, and what to do."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipelines import mapping, settings, warehouse
from pipelines.commands.output import Format, FormatOption, HomeOption, listing, out
from pipelines.readers import RAW_ROW
from pipelines.store import opened
from reports.cells import terminal

app = typer.Typer(help="Rows and files that were refused, and why.", no_args_is_help=True)

FileOption = Annotated[
    str | None, typer.Option("--file", help="Only this file: its name or the start of its hash.")
]


@app.command("list")
def list_(home: HomeOption = None, file: FileOption = None, format: FormatOption = Format.TABLE) -> None:
    """List refused files and rows: by file, column and reason."""
    where = settings.home(home)
    rows: list[tuple[object, ...]] = []
    for row in _files(where, file):
        if row["state"] == "refused":
            rows.append((row["name"], row["raw_sha"][:12], "whole file", "", row["code"], row["reason"],
                         row["reason_zh"], ""))  # fmt: skip
            continue
        path = where.bronze / row["raw_sha"] / str(row["bronze"]) / "refused.parquet"
        if path.is_file():
            con = warehouse.connect()
            rows += [
                (row["name"], row["raw_sha"][:12], *found)
                for found in con.execute(
                    "SELECT min(raw_path), column_name, code, min(reason), min(reason_zh), count(*)"
                    " FROM read_parquet($path) GROUP BY column_name, code ORDER BY 6 DESC, 3, 2",
                    {"path": str(path)},
                ).fetchall()
            ]
            con.close()
    listing(
        "Refused 拒收", ("file", "hash", "first at", "column", "code", "reason", "原因", "rows"), rows, format
    )


@app.command()
def show(
    file: Annotated[str, typer.Argument(help="Name of the file, or the start of its hash.")],
    home: HomeOption = None,
    rows: Annotated[int, typer.Option(help="How many rows to show.")] = 50,
) -> None:
    """Show refused rows with their text as delivered; personal values are masked."""
    where = settings.home(home)
    for row in _files(where, file):
        out.print(f"{row['name']}  {row['raw_sha']}")
        if row["state"] == "refused":
            out.print(f"  whole file, {row['code']}: {row['reason']}\n  {row['reason_zh']}")
            continue
        path = where.bronze / row["raw_sha"] / str(row["bronze"]) / "refused.parquet"
        if not path.is_file():
            continue
        hidden = mapping.load(row["source"], where.sources).personal_columns()
        con = warehouse.connect()
        found = con.execute(
            "SELECT raw_path, column_name, code, reason, reason_zh, raw_text FROM read_parquet($path)"
            " ORDER BY raw_section, raw_row LIMIT $rows",
            {"path": str(path), "rows": rows},
        ).fetchall()
        con.close()
        for raw_path, column, code, reason, reason_zh, raw_text in found:
            out.print(f"  {raw_path}  {code}  {column}: {terminal(reason)} / {terminal(reason_zh)}")
            out.print(f"    {terminal(masked(raw_text, hidden))}", soft_wrap=True)


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


def _files(where: settings.Home, named: str | None):  # type: ignore[no-untyped-def]
    if not where.control.exists():
        raise FileNotFoundError(f"no installation in {where.root}; run `bidwatch nightly` first")
    with opened(where.control) as store:
        rows = store.rows("SELECT * FROM file ORDER BY first_delivery")
    chosen = [
        row for row in rows if named is None or row["name"] == named or row["raw_sha"].startswith(named)
    ]
    if named is not None and not chosen:
        raise ValueError(f"no file called {named!r} was delivered; see `bidwatch status`")
    return chosen
