"""Reports at the desk: the ledger of referrals, figures for the joint meeting and the county, data for channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework import offices, trading_data_exports
from pipelines.casework.figures import report_periods, report_tables
from pipelines.casework.figures.report_periods import ReportPeriod
from pipelines.casework.referrals import ledger as referral_ledger
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    Format,
    FormatOption,
    HomeOption,
    KeyOption,
    LangOption,
    Panel,
    ReasonOption,
    SigningOption,
    act_by,
    today,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import Both, Lang, word
from pipelines.findings import alerts
from pipelines.reference import Reference
from pipelines.store import opened
from reports import figures_report, office_sheet
from reports.figures_report import FigureTable, ReportCover

LEDGER = Both("共 {count} 件移送", "{count} referrals")
HANDED_OUT = Both(
    "{folder}：{tables} 张表，{rows} 行，MANIFEST.json {sha256}",
    "{folder}: {tables} tables, {rows} rows, MANIFEST.json {sha256}",
)
CHECK = Both(
    "  核验：sha256sum -c SHA256SUMS；数据提供台账：bidwatch report channels",
    "  To check: sha256sum -c SHA256SUMS; what was handed out: bidwatch report channels",
)
CHANNELS = Both("数据提供台账：{count}", "Data handed out: {count}")
HEADINGS = Both(
    ("序号", "时间(UTC)", "经办", "提供给", "用途", "快照", "表", "行", "清单校验值"),
    ("no.", "at (UTC)", "who", "to", "purpose", "snapshot", "tables", "rows", "manifest"),
)
UNFINISHED = Both(
    "统计期至 {last} 止；现统计至 {until}。", "The period ends on {last}; counted until {until}."
)

app = typer.Typer(
    name="report",
    help="Ledger of referrals, figures for the joint meeting and the county, data for audit and police.",
    no_args_is_help=True,
    rich_help_panel=Panel.CASES,
)

OutOption = Annotated[Path, typer.Option("--out", help="Folder for the files; made if it is not there.")]
YearOption = Annotated[int, typer.Option("--year", help="Such as 2026.")]


@app.command()
def ledger(
    folder: OutOption,
    office: SigningOption = "",
    home: HomeOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write the ledger of referrals (线索移送台账), as xlsx and CSV. It names firms: for the office only."""
    where = settings.installed(home)
    day, _ = today(as_of)
    with opened(where.control) as store:
        sheet = referral_ledger.ledger(
            store, alerts.current(where, store), day, _signing(store.reference, office)
        )
    name = f"线索移送台账_{day:%Y%m%d}"
    _write(
        folder,
        {f"{name}.xlsx": office_sheet.xlsx_bytes([sheet]), f"{name}.csv": office_sheet.csv_bytes(sheet)},
    )
    err.print(LEDGER.in_(lang).format(count=len(sheet.rows)))


@app.command("half-year")
def half_year(
    year: YearOption,
    half: Annotated[int, typer.Option("--half", min=1, max=2, help="1 or 2.")],
    folder: OutOption,
    office: SigningOption = "",
    home: HomeOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write the figures for the half-yearly joint meeting (联席会议), as docx and CSV."""
    day, _ = today(as_of)
    title = f"{year}年{'上' if half == 1 else '下'}半年公共资源交易监管工作情况（联席会议数据材料）"
    _figures(
        home,
        folder,
        report_periods.half_year(year, half, day),
        title,
        "",
        office,
        f"联席会议数据_{year}年第{half}半年",
        lang,
    )


@app.command()
def year(
    year: YearOption,
    folder: OutOption,
    office: SigningOption = "",
    home: HomeOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write the figures for the yearly report to the county government (向县政府报送), as docx and CSV."""
    day, _ = today(as_of)
    title = f"关于{year}年全县公共资源交易监管工作情况的报告（数据部分）"
    _figures(
        home,
        folder,
        report_periods.whole_year(year, day),
        title,
        "县人民政府",
        office,
        f"年度报告数据_{year}年",
        lang,
    )


@app.command("channel")
def channel_(
    to: Annotated[
        str, typer.Option("--to", help=f"For whom: {', '.join(trading_data_exports.CHANNELS_ZH)}.")
    ],
    reason: ReasonOption,
    folder: Annotated[Path, typer.Option("--out", help="A new folder for the data.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Write all trading data of the current snapshot for discipline, audit or police, persons as tokens (article 15).

    The reason is the purpose; it stands in the ledger of data handed out, too.
    """
    where = settings.installed(home)
    with opened(where.control) as store:
        export = trading_data_exports.write(where, store, act_by(actor, reason, key), to, folder)
    said = HANDED_OUT.in_(lang).format(
        folder=folder, tables=export.tables, rows=f"{export.rows:,}", sha256=export.manifest_sha256
    )
    out.print(said, soft_wrap=True)
    err.print(CHECK.in_(lang))


@app.command("channels")
def channels(
    home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.ZH
) -> None:
    """List the data that was handed out: who, when, to whom, how much, what for."""
    with opened(settings.installed(home).control) as store:
        found = trading_data_exports.exports(store)
    listing(
        CHANNELS.in_(lang).format(count=len(found)),
        HEADINGS.in_(lang),
        [
            (
                each.number,
                each.at,
                each.actor,
                word(trading_data_exports.CHANNELS_ZH, each.channel, lang),
                each.purpose,
                each.snapshot,
                each.tables,
                each.rows,
                each.manifest_sha256[: 12 if format is Format.TABLE else None],
            )
            for each in found
        ],
        format,
    )


def _figures(
    home: HomeOption,
    folder: Path,
    period: ReportPeriod,
    title: str,
    addressee: str,
    office: str,
    name: str,
    lang: Lang,
) -> None:
    with opened(settings.installed(home).control) as store:
        tables: Sequence[FigureTable] = report_tables.tables(store, period)
        signing = _signing(store.reference, office)
    report = ReportCover(
        title_zh=title,
        addressee_zh=addressee,
        office_zh=signing,
        first=period.first,
        last=period.last,
        until=period.until,
    )
    _write(
        folder,
        {
            f"{name}.docx": figures_report.docx_bytes(report, tables),
            f"{name}.csv": figures_report.csv_bytes(report, tables),
        },
    )
    if period.until < period.last:
        err.print(UNFINISHED.in_(lang).format(last=period.last, until=period.until))


def _signing(known: Reference, office: str) -> str:
    return office or offices.offices(known)["development-reform"].name_zh


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        out.print(str(folder / name), soft_wrap=True)
