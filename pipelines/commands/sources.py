"""Senders and their mappings: list them, draft one from a file, and try one on files."""

from __future__ import annotations

import secrets
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from pipelines import files, settings
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
from pipelines.commands.output import err, listing
from pipelines.commands.source_check import WHOLE_FILE, Checked, print_file, print_mapping, print_together
from pipelines.commands.texts import Both, Lang
from pipelines.intake import mapping
from pipelines.intake.bronze import Job
from pipelines.intake.readers import FileRefused
from pipelines.intake.sandbox import NewSender, Sandbox

SOURCES = Both("来源", "Sources")
SOURCE_HEADINGS = Both(("来源", "名称", "文件", "数据表"), ("source", "title", "files", "tables"))
DRAFTED = Both(
    "已填写 {filled} 列，其中 {to_confirm} 列待确认；另有 {questions} 列须补充后启用",
    "{filled} columns are filled, {to_confirm} of them to be confirmed; {questions} more wait for an answer",
)
SAVE = Both(
    "请将其保存到 {folder}/<来源>.toml（或使用 --out），文件名即来源名",
    "save it as {folder}/SOURCE.toml, or use --out",
)
NEXT = Both(
    "核对后试读：bidwatch sources check {path} {file}",
    "when you have checked it, try it: bidwatch sources check {path} {file}",
)

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
def new(
    file: Annotated[Path, typer.Argument(help="A file of the new sender: CSV, a workbook, Parquet or JSON.")],
    path: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The .toml file to write; it must not be there. Default: standard output."
        ),
    ] = None,
    home: HomeOption = None,
    lang: LangOption = Lang.EN,
) -> None:
    """Draft the mapping of a new sender; what a machine only guesses is marked for you to confirm."""
    _require_file(file)
    if path is not None and path.suffix != ".toml":
        raise ValueError(f"{path}: a mapping is a .toml file, named after its source")
    if path is not None and path.exists():
        raise FileExistsError(f"{path} is there already; choose another name or take it away first")
    with Sandbox() as sandbox:
        try:
            drafted = sandbox.first_mapping(NewSender(str(file.absolute()), file.name))
        except FileRefused as refused:
            reason = Both(refused.reason_zh, refused.reason).in_(lang)
            err.print(WHOLE_FILE.in_(lang).format(file=file.name, code=refused.code, reason=reason))
            raise typer.Exit(INPUT_REFUSED) from None
    if path is None:
        sys.stdout.write(drafted.text)
    else:
        with path.open("x", encoding="utf-8") as written:
            written.write(drafted.text)
    err.print(
        DRAFTED.in_(lang).format(
            filled=drafted.filled, to_confirm=drafted.to_confirm, questions=drafted.questions
        )
    )
    folder = settings.home(home).sources
    if path is None:
        err.print(SAVE.in_(lang).format(folder=folder), soft_wrap=True)
    err.print(NEXT.in_(lang).format(path=path or folder / "SOURCE.toml", file=file), soft_wrap=True)


@app.command()
def check(
    map: Annotated[
        str, typer.Argument(metavar="MAPPING", help="Name of a mapping, or path of a .toml file.")
    ],
    file: Annotated[list[Path], typer.Argument(help="Files of that sender, read together.")],
    home: HomeOption = None,
    rows: RowsOption = 20,
    lang: LangOption = Lang.EN,
) -> None:
    """Say what of the files would load, what not, and where they contradict each other. Nothing is kept."""
    path = Path(map) if map.endswith(".toml") else mapping.path_of(map, settings.home(home).sources)
    sender = mapping.load_file(path)
    for each in file:
        _require_file(each)
    print_mapping(sender, lang)
    with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder, Sandbox() as sandbox:
        # One key for all of them: the same person has the same token in every file.
        key = secrets.token_hex(32)
        checked = [_read(sandbox, each, path, Path(folder) / str(n), key) for n, each in enumerate(file)]
        for one in checked:
            print_file(one, sender.time_zone, rows, lang)
        read = [one for one in checked if not one.is_refused]
        is_contradictory = bool(read) and print_together(read, sender.time_zone, rows, lang)
    if len(read) < len(checked):
        raise typer.Exit(INPUT_REFUSED)
    has_findings = is_contradictory or any(one.has_findings for one in read)
    raise typer.Exit(REFUSED_ROWS if has_findings else 0)


def _read(sandbox: Sandbox, file: Path, path: Path, out: Path, key: str) -> Checked:
    out.mkdir()
    job = Job(str(file.absolute()), files.sha256(file), file.name, str(path.absolute()), str(out), key)
    return Checked(file.name, out, sandbox.read(job))


def _require_file(file: Path) -> None:
    if not file.is_file():
        raise FileNotFoundError(f"no file {file}")
