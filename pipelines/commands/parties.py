"""Who is who: what the machine proposes, what people decided, and how to take it back."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.commands.options import ACTING, ActorOption
from pipelines.commands.output import Format, FormatOption, HomeOption, err, listing
from pipelines.snapshot import parties
from pipelines.store import opened

app = typer.Typer(
    help="Which organisations are one and the same: proposals, and what people decided (主体归并).",
    no_args_is_help=True,
)

One = Annotated[str, typer.Argument(metavar="PARTY", help="A party id: its code, or name:… as shown.")]
Other = Annotated[str, typer.Argument(metavar="PARTY", help="The other party id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")]

NEXT = "It counts from the next night on: bidwatch nightly. Take it back: bidwatch parties undo"


@app.command()
def propose(
    home: HomeOption = None,
    rows: Annotated[int, typer.Option(help="How many pairs to show; csv and json have all.")] = 30,
    format: FormatOption = Format.TABLE,
) -> None:
    """List pairs that may be one organisation, most likely first. A machine proposes, a person decides."""
    where = settings.installed(home)
    with opened(where.control) as store:
        found, cut = parties.proposals(where, store)
    open_ = found[found["verdict"] == ""].sort_values(
        ["score", "left_id", "right_id"], ascending=[False, True, True]
    )
    shown = open_.head(rows) if format is Format.TABLE else open_
    columns = ["left_id", "left_name", "right_id", "right_name", "score", "facts", "how"]
    listing(
        f"Perhaps one organisation 疑似同一主体 ({len(shown)} of {len(open_)})",
        ("id", "name", "other id", "other name", "score", "shared", "how"),
        list(shown[columns].itertuples(index=False, name=None)),
        format,
    )
    if cut:
        err.print(f"{cut:,} names are so common that they were compared in part only")


@app.command()
def same(
    one: One, other: Other, reason: Reason, home: HomeOption = None, actor: ActorOption = ACTING
) -> None:
    """Decide that two ids are one organisation."""
    _judge(one, other, "same", reason, home, actor)


@app.command()
def different(
    one: One, other: Other, reason: Reason, home: HomeOption = None, actor: ActorOption = ACTING
) -> None:
    """Decide that two ids are different organisations, also where they have one name."""
    _judge(one, other, "different", reason, home, actor)


@app.command()
def undo(
    one: One, other: Other, reason: Reason, home: HomeOption = None, actor: ActorOption = ACTING
) -> None:
    """Take the last decision on two ids back, as if nobody had decided."""
    _judge(one, other, "undone", reason, home, actor)


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE) -> None:
    """List every decision ever made, the newest last."""
    with opened(settings.installed(home).control) as store:
        rows = store.rows(
            "SELECT number, left_id, right_id, verdict, reason, at, actor FROM party_judgement ORDER BY number"
        )
    listing(
        "Decisions on parties 主体归并决定",
        ("no.", "id", "other id", "verdict", "reason", "at (UTC)", "who"),
        [tuple(row) for row in rows],
        format,
    )


def _judge(one: str, other: str, verdict: str, reason: str, home: HomeOption, actor: str) -> None:
    where = settings.installed(home)
    with opened(where.control) as store:
        parties.judge(where, store, one, other, verdict, reason=reason, actor=actor, at=times.now())
    err.print(f"{one} and {other}: {verdict}. {NEXT}", soft_wrap=True)
