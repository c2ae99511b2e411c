"""The signals: list them, show one, trace one back to the rows it rests on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from detectors import registry
from pipelines import settings
from pipelines.casework import suppressions
from pipelines.commands.options import AsOfOption, today
from pipelines.commands.output import Format, FormatOption, HomeOption, listing, out, print_json
from pipelines.findings import alerts
from pipelines.findings.suppression import quiet_until
from pipelines.intake import lineage
from pipelines.store import opened
from reports.cells import terminal

app = typer.Typer(help="What the machine saw (疑似线索), with its evidence.", no_args_is_help=True)

IdArgument = Annotated[
    str, typer.Argument(metavar="ALERT", help="The alert's number 预警编号, from `alerts list`.")
]


@app.command("list")
def list_(
    home: HomeOption = None,
    lot: Annotated[str | None, typer.Option(help="Only this lot.")] = None,
    detector: Annotated[str | None, typer.Option(help="Only this detector or family.")] = None,
    grade: Annotated[str | None, typer.Option(help="Only this grade of evidence: A, B or C.")] = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """List the signals of the current snapshot, the strongest evidence first, also those that are suppressed."""
    where = settings.installed(home)
    day, _ = today(as_of)
    with opened(where.control) as store:
        agreed = suppressions.agreed(store)
        shown = alerts.current(where, store)
        quiet = {fp: quiet_until(agreed, signal, day) for fp, signal in shown.signals.items()}
        rows = [
            row
            for row in shown.rows.values()
            if (lot is None or row.lot_id == lot)
            and (detector is None or row.detector == detector or row.detector.startswith(f"{detector}."))
            and (grade is None or row.grade == grade.upper())
        ]
    rows.sort(key=lambda row: (row.grade, row.lot_id or "", row.detector, row.alert_id))
    # A column that would be empty only takes room from the others.
    shows_until = format is not Format.TABLE or any(quiet[row.alert_id] for row in rows)
    until = (("suppressed until" if format is Format.TABLE else "suppressed_until"),) if shows_until else ()
    listing(
        f"Signals 疑似线索: {len(rows)}",
        ("alert", "grade", "detector", "lot", "facts", "parties", *until),
        [
            (
                r.alert_id,
                r.grade,
                r.detector,
                r.lot_id,
                r.key_facts_zh,
                "；".join(r.party_names),
                *(quiet[r.alert_id] for _ in until),
            )
            for r in rows
        ],
        format,
    )


@app.command()
def show(alert: IdArgument, home: HomeOption = None, format: FormatOption = Format.TABLE) -> None:
    """Show one signal: the sentence, the numbers, the firms, the law, what would explain it innocently."""
    where = settings.installed(home)
    with opened(where.control) as store:
        body = lineage.evidence(store, alert)
        rows = [row for fp, row in alerts.current(where, store).rows.items() if fp == alert]
        history = store.rows("SELECT * FROM evidence WHERE fp = ? ORDER BY n", alert)
        signal = store.rows("SELECT * FROM signal WHERE fp = ?", alert)[0]
    detector = next(
        (d for d in registry.load(local=where.reference.local) if d.id == signal["detector"]), None
    )
    if format is not Format.TABLE:
        print_json(
            {"alert": asdict(rows[0]) if rows else None, "facts": body["facts"], "sources": body["sources"]}
        )
        return
    if not rows:
        out.print(
            f"{alert} is no longer found in the current snapshot; it was first seen {signal['first_as_of']}."
        )
    for row in rows:
        out.print(f"{row.alert_id}  {row.level} {row.grade}  {row.detector}")
        out.print(f"{row.finding_zh}: {terminal(row.key_facts_zh)}")
        out.print(
            f"标段 {terminal(row.lot_id or '')}  {terminal(row.lot_name or '')}  开标 {row.opened_at or ''}"
        )
        for name, code in zip(row.party_names, row.party_codes, strict=True):
            out.print(f"  {terminal(name)}  {terminal(code)}")
        out.print(f"法律依据 {row.legal_zh}")
    if detector:
        out.print(f"\n{detector.module.__doc__}")
    listing("Measured 实测", ("fact", "value"), list(body["facts"].items()), Format.TABLE)  # type: ignore[attr-defined]
    listing(
        "Evidence over time 证据版本",
        ("n", "evidence", "snapshot", "code", "limits"),
        [(h["n"], h["ev_hash"], h["snapshot"], h["detector_version"], h["limits_version"]) for h in history],
        Format.TABLE,
    )
    out.print(
        f"first seen {signal['first_as_of']}, case {signal['case_id']}; rows behind it: bidwatch alerts trace {alert}"
    )
    out.print("本线索由数据分析产生，仅供核查参考，不作为认定违法事实的依据。")


@app.command("trace")
def trace_(alert: IdArgument, home: HomeOption = None, format: FormatOption = Format.TABLE) -> None:
    """Trace one signal back to file, row and text as delivered, and forward to where it was sent."""
    where = settings.installed(home)
    with opened(where.control) as store:
        found = lineage.sources(where, store, alert)
        sent = store.rows(
            "SELECT o.did, o.recipient, o.as_of FROM delivery_item AS i JOIN outbox AS o ON o.did = i.did"
            " WHERE i.fp = ? AND o.state = 'written' ORDER BY o.as_of, o.recipient",
            alert,
        )
    if format is not Format.TABLE:
        print_json({"sources": [asdict(source) for source in found], "sent": [dict(row) for row in sent]})
        return
    for source in found:
        out.print(f"{terminal(source.file)}  [{source.source}]  received {source.received_at}")
        out.print(f"  sha256 {source.raw_sha}", soft_wrap=True)
        out.print(f"  {source.section}, row {source.row}: {', '.join(source.columns)}")
        text = "  ".join(f"{name}={value}" for name, value in source.record.items() if value)
        out.print(f"  {terminal(text)}", soft_wrap=True)
    for row in sent:
        out.print(f"sent to {row['recipient']} in the list of {row['as_of']}, delivery {row['did']}")
