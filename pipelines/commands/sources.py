"""Senders and their mappings: list them, and try one on a file."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipelines import duck, files, settings
from pipelines.commands.exits import INPUT_REFUSED, REFUSED_ROWS
from pipelines.commands.options import (
    Format,
    FormatOption,
    HomeOption,
    LangOption,
    Panel,
    RowsOption,
    for_reader,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import AND, Both, Lang, word
from pipelines.intake import mapping
from pipelines.intake.bronze import Job
from pipelines.intake.file_report import FileReport
from pipelines.intake.sandbox import Sandbox

SOURCES = Both("来源", "Sources")
SOURCE_HEADINGS = Both(("来源", "名称", "文件", "数据表"), ("source", "title", "files", "tables"))
WHOLE_FILE = Both("{file}：拒收，{code}：{reason}", "{file}: refused, {code}: {reason}")
NOTE = Both("提示：{note}", "note: {note}")
RECORDS = Both("{file}：{count} 条记录", "{file}: {count} records")
SECTION_HEADINGS = Both(
    ("部分", "记录", "拒收", "数据表", "未使用的列", "未找到的列"),
    ("section", "records", "refused", "tables", "columns not used", "columns not found"),
)
EMPTY = Both("占位值按空值处理", "Placeholders read as empty")
EMPTY_HEADINGS = Both(("部分", "列", "行数"), ("section", "column", "rows"))
SCHEMAS = Both("数据规范", "Table schemas")
CONTRACT_HEADINGS = Both(
    ("数据表", "列", "代码", "程度", "行数", "原因"),
    ("table", "column", "code", "severity", "rows", "reason"),
)
SEVERITIES_ZH = {"critical": "拒收", "warning": "提示"}
REFUSED = Both("拒收的记录（前 {count} 条）", "Refused rows (the first {count})")
REFUSED_HEADINGS = Both(("位置", "列", "代码", "原因"), ("where", "column", "code", "reason"))

app = typer.Typer(
    name="sources",
    help="Who delivers, and how their files are read.",
    no_args_is_help=True,
    rich_help_panel=Panel.RECORDS,
)


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.EN) -> None:
    """List the mappings: the built-in ones and this installation's own."""
    own = settings.home(home).sources
    rows = []
    for name in mapping.names(own):
        sender = mapping.load(name, own)
        patterns = ", ".join(pattern for rule in sender.files for pattern in rule.match)
        rows.append(
            (name, sender.title, patterns, ", ".join(sorted({rule.table for rule in sender.records})))
        )
    named = for_reader(lang, format)
    listing(SOURCES.in_(named), SOURCE_HEADINGS.in_(named), rows, format)


@app.command()
def check(
    map: Annotated[
        str, typer.Argument(metavar="MAPPING", help="Name of a mapping, or path of a .toml file.")
    ],
    file: Annotated[Path, typer.Argument(help="A file of that sender.")],
    home: HomeOption = None,
    rows: RowsOption = 20,
    lang: LangOption = Lang.EN,
) -> None:
    """Say what of a file would load and what not. Nothing is kept."""
    path = Path(map) if map.endswith(".toml") else mapping.path_of(map, settings.home(home).sources)
    mapping.load_file(path)
    if not file.is_file():
        raise FileNotFoundError(f"no file {file}")
    folder = Path(tempfile.mkdtemp(prefix="bidwatch-"))
    try:
        with Sandbox() as sandbox:
            report = sandbox.read(
                Job(
                    str(file.absolute()),
                    files.sha256(file),
                    file.name,
                    str(path.absolute()),
                    str(folder),
                    secrets.token_hex(32),
                )
            )
        if report.state == "refused":
            reason = Both(report.reason_zh, report.reason).in_(lang)
            err.print(WHOLE_FILE.in_(lang).format(file=file.name, code=report.code, reason=reason))
            raise typer.Exit(INPUT_REFUSED)
        _print_report(file.name, report, lang)
        if (folder / "refused.parquet").is_file():
            _print_refused(folder / "refused.parquet", rows, lang)
    finally:
        shutil.rmtree(folder)
    raise typer.Exit(REFUSED_ROWS if report.refused else 0)


def _print_report(file: str, report: FileReport, lang: Lang) -> None:
    """Print what was found in each section, what was read as empty, and which rules were broken."""
    for note in report.notes:
        out.print(NOTE.in_(lang).format(note=note))
    listing(
        RECORDS.in_(lang).format(file=file, count=f"{report.records:,}"),
        SECTION_HEADINGS.in_(lang),
        [
            (
                section.name,
                section.records,
                section.refused,
                *(
                    AND.in_(lang).join(names)
                    for names in (section.tables, section.unknown_columns, section.missing_columns)
                ),
            )
            for section in report.sections
        ],
        Format.TABLE,
    )
    empty = [
        (section.name, column, count)
        for section in report.sections
        for column, count in section.read_as_empty.items()
    ]
    if empty:
        listing(EMPTY.in_(lang), EMPTY_HEADINGS.in_(lang), empty, Format.TABLE)
    broken = [each for each in report.expectations if each["unexpected"]]
    if broken:
        listing(
            SCHEMAS.in_(lang),
            CONTRACT_HEADINGS.in_(lang),
            [
                (
                    each["table"],
                    each["column"],
                    each["code"],
                    word(SEVERITIES_ZH, str(each["severity"]), lang),
                    each["unexpected"],
                    Both(each["reason_zh"], each["reason"]).in_(lang),
                )
                for each in broken
            ],
            Format.TABLE,
        )


def _print_refused(path: Path, rows: int, lang: Lang) -> None:
    """Print the first refused rows of a file."""
    con = duck.connect()
    try:
        shown = con.execute(
            "SELECT raw_path, column_name, code, reason, reason_zh FROM read_parquet($path)"
            " ORDER BY raw_section, raw_row LIMIT $rows",
            {"path": str(path), "rows": rows},
        ).fetchall()
    finally:
        con.close()
    listing(
        REFUSED.in_(lang).format(count=len(shown)),
        REFUSED_HEADINGS.in_(lang),
        [(place, column, code, Both(zh, en).in_(lang)) for place, column, code, en, zh in shown],
        Format.TABLE,
    )
