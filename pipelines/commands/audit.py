"""The audit log at the desk: check it, show a checkpoint, prove an entry, hand the log out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines import audit, settings
from pipelines.commands.exits import INTEGRITY_FAILURE
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
from pipelines.commands.texts import Both, Lang
from pipelines.store import opened
from reports.handed_out import verify_log

NOT_AS_IT_WAS = Both("不一致：{fault}", "not as it was: {fault}")
AS_IT_WAS = Both("一致：{count} 条记录", "as it was: {count} entries")
LOG = Both("操作日志（{shown} / {all}）", "Audit log ({shown} of {all})")
HEADINGS = Both(
    ("序号", "时间(UTC)", "人员", "操作", "对象", "理由"),
    ("no.", "at (UTC)", "who", "what", "object", "reason"),
)
PROVED = Both(
    "{file}；核验：python3 verify_log.py entry proof.json CHECKPOINT",
    "{file}; to check it: python3 verify_log.py entry proof.json CHECKPOINT",
)
EXPORTED = Both("{file}：{count} 条记录", "{file}: {count} entries")

app = typer.Typer(
    name="audit",
    help="Who did what, and the proof that nobody changed it since (监督留痕).",
    no_args_is_help=True,
    rich_help_panel=Panel.PROOF,
)


@app.command()
def verify(
    home: HomeOption = None,
    kept: Annotated[
        Path | None, typer.Option(help="A checkpoint kept outside, such as CHECKPOINT of a delivery.")
    ] = None,
    lang: LangOption = Lang.EN,
) -> None:
    """Check the whole log against itself, against every checkpoint that went out, and against a kept one.

    Only a checkpoint that was kept outside shows that the log was not rewritten whole.
    """
    outside = {} if kept is None else {str(kept): kept.read_bytes().decode()}
    with opened(settings.installed(home).control) as store:
        wrong = audit.faults(store.con, outside)
        size = len(audit.entries(store.con))
    for line in wrong:
        err.print(NOT_AS_IT_WAS.in_(lang).format(fault=line))
    if wrong:
        raise typer.Exit(INTEGRITY_FAILURE)
    out.print(AS_IT_WAS.in_(lang).format(count=f"{size:,}"))


@app.command()
def checkpoint(home: HomeOption = None) -> None:
    """Print the checkpoint of the log as it is: whoever keeps it can check the log later."""
    with opened(settings.installed(home).control) as store:
        out.print(audit.checkpoint(store.con), end="")


@app.command("list")
def list_(
    home: HomeOption = None,
    about: Annotated[str | None, typer.Option(help="Only of this case, delivery, referral, file …")] = None,
    actor: Annotated[str | None, typer.Option(help="Only of this person.")] = None,
    rows: RowsOption = 30,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.EN,
) -> None:
    """List the newest entries: who did what to which thing, when, and why."""
    with opened(settings.installed(home).control) as store:
        said = [json.loads(entry) for entry in audit.entries(store.con)]
    found = [
        entry
        for entry in said
        if (about is None or entry["object"] == about) and (actor is None or entry["actor"] == actor)
    ]
    shown = found[-rows:] if format is Format.TABLE else found
    listing(
        LOG.in_(lang).format(shown=len(shown), all=len(found)),
        HEADINGS.in_(for_reader(lang, format)),
        [(e["seq"], e["at"], e["actor"], e["verb"], e["object"], e.get("reason", "")) for e in shown],
        format,
    )


@app.command()
def prove(
    entry: Annotated[int, typer.Argument(metavar="NO", help="The entry's number, from `audit list`.")],
    to: Annotated[Path, typer.Option("--to", help="Folder for the proof; made if it is not there.")],
    home: HomeOption = None,
    lang: LangOption = Lang.EN,
) -> None:
    """Write the proof that one entry stands in the log, for somebody who may not see the others."""
    with opened(settings.installed(home).control) as store:
        proof = audit.proof(audit.entries(store.con), entry)
    to.mkdir(parents=True, exist_ok=True)
    (to / "proof.json").write_text(proof.text(), encoding="utf-8")
    (to / "verify_log.py").write_bytes(Path(verify_log.__file__).read_bytes())
    out.print(PROVED.in_(lang).format(file=to / "proof.json"), soft_wrap=True)


@app.command()
def export(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="A new file for the log, one entry a line.")],
    home: HomeOption = None,
    lang: LangOption = Lang.EN,
) -> None:
    """Write the whole log for an auditor: with a kept checkpoint and verify_log.py nobody need be believed."""
    with opened(settings.installed(home).control) as store:
        entries = audit.entries(store.con)
    with to.open("x", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{entry}\n" for entry in entries)
    out.print(EXPORTED.in_(lang).format(file=to, count=f"{len(entries):,}"))
