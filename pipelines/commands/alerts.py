"""The signals: list them, show one, trace one back to the rows it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework import suppressions
from pipelines.commands import alert_text
from pipelines.commands.options import (
    AsOfOption,
    Format,
    FormatOption,
    GradeOption,
    HomeOption,
    LangOption,
    Panel,
    for_reader,
    today,
)
from pipelines.commands.output import listing, out, print_json
from pipelines.commands.texts import AND, STATEMENT, Both, Lang
from pipelines.findings import alerts
from pipelines.findings.suppression import quiet_until
from pipelines.intake import lineage
from pipelines.store import opened
from reports.alert_list import Alert, by_strength
from reports.cells import terminal

SIGNALS = Both("疑似线索：{count}", "Signals: {count}")
HEADINGS = Both(
    ("预警编号", "证据强度", "规则", "标段", "实测事实", "主体"),
    ("alert", "grade", "detector", "lot", "facts", "parties"),
)
UNTIL = Both("抑制至", "suppressed until")
GONE = Both(
    "{alert} 在当前数据快照中未再出现；首次发现于 {since}。",
    "{alert} is no longer found in the current snapshot; it was first seen {since}.",
)
HEAD = Both("{id}  {level_zh} {grade}  {detector}", "{id}  grade {grade}  {detector}")
LOT = Both("标段 {id}  {name}  开标 {opened}", "lot {id}  {name}  opened {opened}")
LAW = Both("法律依据 {law}", "law  {law}")
MEASURED = Both("实测", "Measured")
MEASURED_HEADINGS = Both(("项目", "数值"), ("fact", "value"))
VERSIONS = Both("证据版本", "Evidence over time")
VERSION_HEADINGS = Both(
    ("序号", "证据", "数据快照", "规则版本", "阈值版本"), ("n", "evidence", "snapshot", "code", "limits")
)
ORIGIN = Both(
    "首次发现 {since}，线索 {case}；所依据的记录：bidwatch alerts trace {alert}",
    "first seen {since}, case {case}; rows behind it: bidwatch alerts trace {alert}",
)
FILE = Both("{file}  [{source}]  接收于 {at}", "{file}  [{source}]  received {at}")
ROW = Both("  {section}，第 {row} 行：{columns}", "  {section}, row {row}: {columns}")
SENT = Both(
    "已在 {as_of} 的清单中送 {recipient}，送达编号 {delivery_id}",
    "sent to {recipient} in the list of {as_of}, delivery {delivery_id}",
)

app = typer.Typer(
    name="alerts",
    help="What the machine saw (疑似线索), with its evidence.",
    no_args_is_help=True,
    rich_help_panel=Panel.SIGNALS,
)

IdArgument = Annotated[
    str, typer.Argument(metavar="ALERT", help="The alert's number 预警编号, from `alerts list`.")
]


@app.command("list")
def list_(
    home: HomeOption = None,
    lot: Annotated[str | None, typer.Option(help="Only this lot.")] = None,
    detector: Annotated[str | None, typer.Option(help="Only this detector or family.")] = None,
    grade: GradeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.EN,
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
    rows.sort(key=by_strength)
    # A column that would be empty only takes room from the others.
    shows_until = format is not Format.TABLE or any(quiet[row.alert_id] for row in rows)
    until = UNTIL.in_(lang) if format is Format.TABLE else "suppressed_until"
    listing(
        SIGNALS.in_(lang).format(count=len(rows)),
        (*HEADINGS.in_(for_reader(lang, format)), *([until] if shows_until else [])),
        [
            (
                row.alert_id,
                row.grade,
                row.detector,
                row.lot_id,
                # Programs get the sentence of the list that goes out.
                row.key_facts_zh if format is not Format.TABLE else alert_text.facts(row, shown, lang),
                "；".join(row.party_names),
                *([quiet[row.alert_id]] if shows_until else []),
            )
            for row in rows
        ],
        format,
    )
    if format is Format.TABLE:
        found = {row.detector for row in rows}
        for said in filter(None, (alert_text.loosened(shown.detectors[id], lang) for id in sorted(found))):
            out.print(said, soft_wrap=True)


@app.command()
def show(
    alert: IdArgument,
    home: HomeOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.EN,
) -> None:
    """Show one signal: the sentence, the numbers, the firms, the law, what would explain it innocently."""
    where = settings.installed(home)
    with opened(where.control) as store:
        body = lineage.evidence(store, alert)
        current = alerts.current(where, store)
        history = store.rows("SELECT * FROM evidence WHERE fp = ? ORDER BY n", alert)
        signal = store.rows("SELECT * FROM signal WHERE fp = ?", alert)[0]
        row = current.rows.get(alert)
    if format is not Format.TABLE:
        print_json(
            {"alert": asdict(row) if row else None, "facts": body["facts"], "sources": body["sources"]}
        )
        return
    detector = current.detectors.get(signal["detector"])
    if row is None:
        out.print(GONE.in_(lang).format(alert=alert, since=signal["first_as_of"]))
    else:
        _print_alert(row, current, lang)
    if detector:
        out.print("\n" + alert_text.EXPLANATION.in_(lang).format(text=detector.module.__doc__))
    measured: Mapping[str, object] = body["facts"]  # type: ignore[assignment]
    listing(MEASURED.in_(lang), MEASURED_HEADINGS.in_(lang), list(measured.items()), Format.TABLE)
    listing(
        VERSIONS.in_(lang),
        VERSION_HEADINGS.in_(lang),
        [(h["n"], h["ev_hash"], h["snapshot"], h["detector_version"], h["limits_version"]) for h in history],
        Format.TABLE,
    )
    out.print(ORIGIN.in_(lang).format(since=signal["first_as_of"], case=signal["case_id"], alert=alert))
    out.print(STATEMENT.in_(lang))


@app.command("trace")
def trace_(
    alert: IdArgument,
    home: HomeOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.EN,
) -> None:
    """Trace one signal back to file, row and text as delivered, and forward to where it was sent."""
    where = settings.installed(home)
    with opened(where.control) as store:
        found = lineage.sources(where, store, alert)
        sent = store.rows(
            "SELECT o.delivery_id, o.recipient, o.as_of FROM delivery_item AS i JOIN outbox AS o ON o.delivery_id = i.delivery_id"
            " WHERE i.fp = ? AND o.state = 'written' ORDER BY o.as_of, o.recipient",
            alert,
        )
    if format is not Format.TABLE:
        print_json({"sources": [asdict(source) for source in found], "sent": [dict(row) for row in sent]})
        return
    for source in found:
        out.print(
            FILE.in_(lang).format(file=terminal(source.file), source=source.source, at=source.received_at)
        )
        out.print(f"  sha256 {source.raw_sha}", soft_wrap=True)
        columns = AND.in_(lang).join(source.columns)
        out.print(ROW.in_(lang).format(section=source.section, row=source.row, columns=columns))
        text = "  ".join(f"{name}={value}" for name, value in source.record.items() if value)
        out.print(f"  {terminal(text)}", soft_wrap=True)
    for row in sent:
        out.print(SENT.in_(lang).format(**dict(row)))


def _print_alert(row: Alert, now: alerts.Current, lang: Lang) -> None:
    """Print one row of the alert list as a few lines."""
    out.print(
        HEAD.in_(lang).format(id=row.alert_id, level_zh=row.level, grade=row.grade, detector=row.detector)
    )
    out.print(terminal(alert_text.sentence(row, now, lang)))
    out.print(
        LOT.in_(lang).format(
            id=terminal(row.lot_id or ""), name=terminal(row.lot_name or ""), opened=row.opened_at or ""
        )
    )
    for name, code in zip(row.party_names, row.party_codes, strict=True):
        out.print(f"  {terminal(name)}  {terminal(code)}")
    out.print(LAW.in_(lang).format(law=row.legal_zh))
