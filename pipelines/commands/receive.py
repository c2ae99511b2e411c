"""``bidwatch receive``: take files in now."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.commands.options import ACTING, ActorOption, HomeOption, Panel
from pipelines.commands.output import out
from pipelines.installation import secret_key
from pipelines.intake import receiving
from pipelines.store import opened

app = typer.Typer()


@app.command(rich_help_panel=Panel.NIGHT)
def receive(
    files: Annotated[list[Path], typer.Argument(help="Files to take in; they stay where they are.")],
    source: Annotated[
        str, typer.Option(help="The sender: name of its mapping, see `bidwatch sources list`.")
    ],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
) -> None:
    """Take files in now; they are read in the next night."""
    where = settings.home(home).prepare()
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", source):
        raise ValueError(f"{source!r} cannot be a source: use letters, digits, . _ -")
    for file in files:
        if not file.is_file():
            raise FileNotFoundError(f"no file {file}")
    arrivals = [receiving.Arrival(source, file) for file in files]
    with opened(where.control) as store:
        secret_key(where, store)
        hashes = receiving.receive(where, store, arrivals, at=times.now(), actor=actor, move=False)
    for file, raw_sha in zip(files, hashes, strict=True):
        out.print(f"{raw_sha}  {file.name}")
