"""What the machine looks for: list and explain the detectors."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from detectors import registry
from pipelines import settings
from pipelines.commands.output import Format, FormatOption, HomeOption, listing, out
from pipelines.findings import alerts

app = typer.Typer(help="What the machine looks for, and how strict it is.", no_args_is_help=True)


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE) -> None:
    """List every detector: what it sees, how strong that is as evidence, how far it is trusted."""
    listing(
        "Detectors 规则",
        ("id", "title", "title_zh", "grade", "severity", "status"),
        [
            (d.id, d.facts.title, d.facts.title_zh, d.facts.grade, d.facts.severity, d.status)
            for d in registry.load(local=settings.home(home).reference.local)
        ],
        format,
    )


@app.command()
def explain(
    id: Annotated[str, typer.Argument(help="A detector, such as prices.ladder.")], home: HomeOption = None
) -> None:
    """Explain one detector: what it measures, when it looks innocent, its limits and its law."""
    known = {detector.id: detector for detector in registry.load(local=settings.home(home).reference.local)}
    if id not in known:
        raise ValueError(f"no detector called {id!r}; there are {', '.join(known)}")
    detector = known[id]
    out.print(f"{detector.id}  {detector.facts.title} / {detector.facts.title_zh}")
    out.print(
        f"grade {detector.facts.grade}, severity {detector.facts.severity}, status {detector.status},"
        f" version {detector.version}, limits {detector.limits_version}\n"
    )
    out.print(str(detector.module.__doc__))
    out.print(f"Measures: {detector.facts.measures}")
    for name, value in asdict(detector.limits).items():  # type: ignore[call-overload]
        out.print(f"Limit: {name} = {value}")
    laws = alerts.load_laws()
    for basis in detector.facts.legal_basis:
        for law in laws[basis]:
            since = f"{law['valid_from']} – {law['valid_to'] or 'now'}"
            out.print(f"Law: 《{law['instrument']}》{law['article']} ({since}): {law['gist_zh']}")
    out.print(f"Says: {detector.facts.says}\n      {detector.facts.says_zh}")
