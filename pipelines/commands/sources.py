"""Senders and their mappings: list them, and try one on a file."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipelines import duck, files, settings
from pipelines.commands.nights import INPUT_REFUSED, REFUSED_ROWS
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing, out
from pipelines.intake import mapping
from pipelines.intake.bronze import Job
from pipelines.intake.sandbox import Sandbox

app = typer.Typer(help="Who delivers, and how their files are read.", no_args_is_help=True)


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE) -> None:
    """List the mappings: the built-in ones and this installation's own."""
    own = settings.home(home).sources
    rows = []
    for name in mapping.names(own):
        sender = mapping.load(name, own)
        patterns = ", ".join(pattern for rule in sender.files for pattern in rule.match)
        rows.append(
            (name, sender.title, patterns, ", ".join(sorted({rule.table for rule in sender.records})))
        )
    listing("Sources 来源", ("source", "title", "files", "tables"), rows, format)


@app.command()
def check(
    map: Annotated[
        str, typer.Argument(metavar="MAPPING", help="Name of a mapping, or path of a .toml file.")
    ],
    file: Annotated[Path, typer.Argument(help="A file of that sender.")],
    home: HomeOption = None,
    rows: Annotated[int, typer.Option(help="How many refused rows to show.")] = 20,
) -> None:
    """Say what of a file would load and what not. Nothing is kept."""
    path = Path(map) if map.endswith(".toml") else mapping.path_of(map, settings.home(home).sources)
    mapping.load_file(path)
    if not file.is_file():
        raise FileNotFoundError(f"no file {file}")
    folder = Path(tempfile.mkdtemp(prefix="bidwatch-"))
    try:
        job = Job(
            str(file.absolute()),
            files.sha256(file),
            file.name,
            str(path.absolute()),
            str(folder),
            secrets.token_hex(32),
        )
        with Sandbox() as sandbox:
            report = sandbox.read(job)
        if report.state == "refused":
            err.print(f"{file.name}: refused, {report.code}: {report.reason}\n{report.reason_zh}")
            raise typer.Exit(INPUT_REFUSED)
        for note in report.notes:
            out.print(f"note: {note}")
        listing(
            f"{file.name}: {report.records:,} records",
            ("section", "records", "refused", "tables", "columns not used", "columns not found"),
            [
                (
                    s.name,
                    s.records,
                    s.refused,
                    ", ".join(s.tables),
                    ", ".join(s.unknown_columns),
                    ", ".join(s.missing_columns),
                )
                for s in report.sections
            ],
            Format.TABLE,
        )
        empty = [
            (s.name, column, count) for s in report.sections for column, count in s.read_as_empty.items()
        ]
        if empty:
            listing(
                "Placeholders read as empty 占位值按空值处理",
                ("section", "column", "rows"),
                empty,
                Format.TABLE,
            )
        broken = [e for e in report.expectations if e["unexpected"]]
        if broken:
            listing(
                "Table schemas 数据约定",
                ("table", "column", "code", "severity", "rows", "reason"),
                [
                    (e["table"], e["column"], e["code"], e["severity"], e["unexpected"], e["reason_zh"])
                    for e in broken
                ],
                Format.TABLE,
            )
        if (folder / "refused.parquet").is_file():
            con = duck.connect()
            shown = con.execute(
                "SELECT raw_path, column_name, code, reason, reason_zh FROM read_parquet($path)"
                " ORDER BY raw_section, raw_row LIMIT $rows",
                {"path": str(folder / "refused.parquet"), "rows": rows},
            ).fetchall()
            con.close()
            listing(
                f"Refused rows (the first {len(shown)})",
                ("where", "column", "code", "reason", "原因"),
                shown,
                Format.TABLE,
            )
    finally:
        shutil.rmtree(folder)
    raise typer.Exit(REFUSED_ROWS if report.refused else 0)
