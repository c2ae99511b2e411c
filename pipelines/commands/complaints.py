"""Complaints at the desk: the ledger, one complaint, the delays of a year (notice, articles 8 to 10)."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework.clocks import periods
from pipelines.casework.clocks.periods import DELAYS_ZH
from pipelines.casework.complaints import complaints, ledger
from pipelines.casework.complaints.states import (
    STATES_ZH,
    STEPS,
    ComplaintState,
)
from pipelines.commands import complaint_steps
from pipelines.commands.complaint_rows import LEDGER, ledger_row, local, record, said, table_row
from pipelines.commands.complaint_steps import IdArgument, say_next
from pipelines.commands.options import (
    AsOfOption,
    Format,
    FormatOption,
    HomeOption,
    LangOption,
    Panel,
    YearArgument,
    today,
)
from pipelines.commands.output import err, listing, out, print_json
from pipelines.commands.texts import Both, Lang, word
from pipelines.store import opened
from reports.cells import terminal

COMPLAINTS = Both("投诉台账 {day}：{count}", "Complaints on {day}: {count}")
HEADINGS = Both(
    ("编号", "收到", "事项", "状态", "届满", "剩余", "预警", "承办人"),
    ("number", "received", "about", "state", "due", "left", "warning", "handler"),
)
DEEMED = Both(
    "视为受理：超过受理时限未作决定，按已受理对待，请作出处理决定。",
    "deemed accepted: not taken in within the time for acceptance; decide on it.",
)
HISTORY = Both("经过", "History")
HISTORY_HEADINGS = Both(
    ("时间", "步骤", "状态", "文号等", "理由", "经办人"),
    ("at", "step", "state", "document etc.", "reason", "who"),
)
DELAYS = Both("{year} 年投诉办理超期（截至 {day}）", "Delays in complaints of {year}, as of {day}")
OFFICE = Both("承办单位", "office")
app = typer.Typer(
    name="complaints",
    help="Complaints (投诉): take in, accept, decide, with their clocks. Who complained is sealed.",
    no_args_is_help=True,
    rich_help_panel=Panel.DUTIES,
)
app.add_typer(complaint_steps.steps_app)


@app.command("list")
def list_(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    state: Annotated[str | None, typer.Option(help="Only this state, such as handling or 待处理.")] = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List the complaints (投诉台账), the newest first; csv and json have every column of the ledger."""
    day, at = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = ledger.ledger(store, day, at)
    shown = [each for each in found if state in (None, str(each.state), STATES_ZH[each.state])]
    title = COMPLAINTS.in_(lang).format(day=day, count=len(shown))
    if format is Format.JSON:
        print_json([record(each) for each in shown])
    elif format is Format.CSV:
        listing(title, LEDGER.zh, [ledger_row(each, Lang.ZH) for each in shown], format)
    else:
        listing(title, HEADINGS.in_(lang), [table_row(each, lang) for each in shown], format)
    if any(each.is_deemed_accepted for each in shown):
        err.print(DEEMED.in_(lang))


@app.command()
def show(
    complaint: IdArgument,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show one complaint: what was written down, its clocks, every step, and what may come next."""
    day, at = today(as_of)
    with opened(settings.installed(home).control) as store:
        complaints.complaint_of(store.con, complaint)
        by_id = {each.id: each for each in ledger.ledger(store, day, at)}
        events = store.rows("SELECT * FROM complaint_event WHERE complaint = ? ORDER BY number", complaint)
        is_suspended = complaints.is_suspended(store, complaint)
    if complaint not in by_id:
        raise ValueError(f"{complaint} came after {day}")
    found = by_id[complaint]
    if format is not Format.TABLE:
        print_json({**record(found), "events": [dict(event) for event in events]})
        return
    for header, value in zip(LEDGER.in_(lang), ledger_row(found, lang), strict=True):
        if value not in ("", None):
            out.print(f"{header}　{terminal(str(value))}", soft_wrap=True)
    steps_zh = {step.verb: step.zh for step in STEPS}
    listing(
        HISTORY.in_(lang),
        HISTORY_HEADINGS.in_(lang),
        [
            (
                local(event["done_at"]),
                word(steps_zh, event["verb"], lang),
                word(STATES_ZH, ComplaintState(event["after"]), lang),
                said(json.loads(event["details"]), lang),
                event["reason"],
                event["actor"],
            )
            for event in events
        ],
        Format.TABLE,
    )
    say_next(found.id, found.state, found.regime, lang, is_suspended=is_suspended)


@app.command()
def year(
    year: YearArgument,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Count the delays of a year by office and kind, for the yearly assessment (notice, article 10)."""
    day, _ = today(as_of)
    with opened(settings.installed(home).control) as store:
        found = complaints.delays(store, year, day)
    counted = Counter((office, delay.kind) for office, delay in found)
    kinds = [periods.DelayKind.ACCEPTANCE, periods.DelayKind.HANDLING, periods.DelayKind.NOT_CONCLUDED]
    listing(
        DELAYS.in_(lang).format(year=year, day=day),
        (OFFICE.in_(lang), *(word(DELAYS_ZH, kind, lang) for kind in kinds)),
        [
            (office, *(counted[office, kind] for kind in kinds))
            for office in sorted({office for office, _ in found})
        ],
        format,
    )
