"""The queue at the desk: what to look at, take it, decide, and say why (初核)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from pipelines import settings
from pipelines.casework import case_queue
from pipelines.casework.case_queue import FLAGS_ZH, QueuedCase
from pipelines.casework.cases import cases
from pipelines.casework.cases.states import AT_REST, STATES_ZH, CaseState
from pipelines.commands import case_page
from pipelines.commands.case_steps import RevOption, say_next, step
from pipelines.commands.desk_cells import due_cell
from pipelines.commands.options import (
    ACTING,
    DAY,
    ActorOption,
    AsOfOption,
    CaseArgument,
    DismissalOption,
    Format,
    FormatOption,
    GradeOption,
    HomeOption,
    KeyOption,
    LangOption,
    Panel,
    ReasonOption,
    RowsOption,
    act_by,
    for_reader,
    today,
)
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import SEMICOLON, STATEMENT, Both, Lang, word
from pipelines.findings import alerts
from pipelines.findings.matters import KINDS_ZH, expected_false
from pipelines.store import opened

CASES = Both("线索 {day}：{shown} / {all}", "Cases on {day}: {shown} of {all}")
HEADINGS = Both(
    ("线索", "状态", "类型", "级", "强度", "企业/标段", "规则", "金额(万元)", "经办", "时限", "提示"),
    ("case", "state", "about", "gr", "score", "firms/lots", "fired", "10,000 CNY", "owner", "due", "flags"),
)
ON_THE_LIST = Both(
    "疑似团伙 {rings} 起排在最前，其中预期误报不超过 {false} 起（依据：bidwatch review show 线索）",
    "{rings} rings come first; at most {false} of them are expected to be false",
)
WORKLOAD = Both("工作量", "Workload")
WORKLOAD_HEADINGS = Both(("经办", "在办", "超期"), ("owner", "cases", "overdue"))
IS_MERGED = Both(
    "{case} 已并入 {into}：bidwatch review show {into}",
    "{case} is merged into {into}: bidwatch review show {into}",
)
ASSIGNED = Both("{case}：已交 {to} 办理", "{case}: {to}")
MERGED = Both(
    "{case} 并入 {into} 办理；拆出：bidwatch review unmerge {case}",
    "{case} goes on in {into}; take it out: bidwatch review unmerge {case}",
)

app = typer.Typer(
    name="review",
    help="The queue of cases (线索初核): take one, look at it, decide, say why.",
    no_args_is_help=True,
    rich_help_panel=Panel.CASES,
)


@app.command("list")
def list_(
    home: HomeOption = None,
    state: Annotated[str | None, typer.Option(help="Only this state, such as new or reviewing.")] = None,
    owner: Annotated[str | None, typer.Option(help="Only cases of this person; '-' for nobody's.")] = None,
    basket: Annotated[str | None, typer.Option(help="Only cases of which this office is in charge.")] = None,
    grade: GradeOption = None,
    flag: Annotated[
        str | None, typer.Option(help=f"Only cases with this flag: {', '.join(FLAGS_ZH)}.")
    ] = None,
    all: Annotated[bool, typer.Option("--all", help="Also cases at rest (dismissed, closed).")] = False,
    rows: RowsOption = 30,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """List cases, those to work on first at the top: the rings of the list by strength, then by grade, strength, money."""
    day, _ = today(as_of)
    found = [
        item
        for item in _items(home, as_of)
        if (all or state or item.case.state not in AT_REST)
        and (state is None or item.case.state == state)
        and (owner is None or (item.case.owner or "-") == owner)
        and (basket is None or basket in item.baskets)
        and (grade is None or item.grade == grade.upper())
        and (flag is None or flag in item.flags)
    ]
    shown = found[:rows] if format is Format.TABLE else found
    listed = [item.matter for item in found if item.is_listed and item.matter is not None]
    if listed and format is Format.TABLE:
        said = ON_THE_LIST.in_(lang).format(rings=len(listed), false=f"{expected_false(listed):.1f}")
        out.print(said, soft_wrap=True)
    listing(
        CASES.in_(lang).format(day=day, shown=len(shown), all=len(found)),
        HEADINGS.in_(lang),
        [
            (
                item.case.id,
                word(STATES_ZH, item.case.state, lang),
                "" if item.matter is None else word(KINDS_ZH, item.matter.kind, lang),
                item.grade,
                None if item.matter is None else item.matter.score,
                f"{0 if item.matter is None else len(item.matter.firms)}/{len(item.lots)}",
                _fired(item, lang),
                None if item.money_cny is None else f"{item.money_cny / 10_000:,.1f}",
                item.case.owner,
                "" if item.clock is None else due_cell(item.clock, lang),
                SEMICOLON.in_(lang).join(word(FLAGS_ZH, flag, lang) for flag in item.flags),
            )
            for item in shown
        ],
        format,
    )


@app.command()
def workload(
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show how many cases everybody has, and how many of them are overdue."""
    found = _items(home, as_of)
    late = case_queue.workload(item for item in found if "overdue" in item.flags)
    named = for_reader(lang, format)
    listing(
        WORKLOAD.in_(named),
        WORKLOAD_HEADINGS.in_(named),
        [(owner or "-", count, late[owner]) for owner, count in case_queue.workload(found).most_common()],
        format,
    )


@app.command()
def show(
    case: CaseArgument,
    home: HomeOption = None,
    as_of: AsOfOption = None,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.ZH,
) -> None:
    """Show one case on a page: what fired, the sentences, the firms, what was decided, what is possible now."""
    where = settings.installed(home)
    day, _ = today(as_of)
    with opened(where.control) as store:
        this = cases.case_of(store.con, case)
        current = alerts.current(where, store)
        found = [item for item in case_queue.queued_cases(store, current, day) if item.case.id == case]
        papers = case_page.papers_of(store, case)
    if not found:
        out.print(IS_MERGED.in_(lang).format(case=case, into=this.merged_into))
    elif format is not Format.TABLE:
        case_page.print_record(found[0], papers)
    else:
        case_page.print_page(found[0], papers, current, lang)
        say_next(this.state, case, lang)
        out.print(STATEMENT.in_(lang))


@app.command()
def take(
    case: CaseArgument,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take a new case: it is yours, and under review."""
    step(home, act_by(actor, reason, key), case, "take", {}, rev, lang)


@app.command()
def assign(
    case: CaseArgument,
    to: Annotated[str, typer.Option("--to", help="Who gets it.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Give a case to somebody."""
    with opened(settings.installed(home).control) as store:
        cases.assign(store, act_by(actor, reason, key), case, to)
    err.print(ASSIGNED.in_(lang).format(case=case, to=to))


@app.command("need-info")
def need_info(
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Wait for papers or answers; the reason says for which."""
    step(home, act_by(actor, reason, key), case, "need-info", {}, rev, lang)


@app.command()
def back(
    case: CaseArgument,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Go on: what was waited for is here."""
    step(home, act_by(actor, reason, key), case, "back", {}, rev, lang)


@app.command()
def dismiss(
    case: CaseArgument,
    reason: ReasonOption,
    code: DismissalOption,
    of: Annotated[str | None, typer.Option("--of", help="With duplicate: the case that it repeats.")] = None,
    revisit_on: Annotated[
        datetime | None,
        typer.Option("--revisit-on", formats=DAY, help="With insufficient_now: when to look again."),
    ] = None,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Set a case aside, for one of the listed reasons."""
    given = {"code": code}
    if of is not None:
        given["duplicate of"] = of
    if revisit_on is not None:
        given["revisit on"] = revisit_on.date().isoformat()
    step(home, act_by(actor, reason, key), case, "dismiss", given, rev, lang)


@app.command()
def confirm(
    case: CaseArgument,
    reason: ReasonOption,
    second: Annotated[str, typer.Option("--second", help="The second officer who reviewed it.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Confirm that there is something to hand over (初核属实); two officers do it."""
    step(home, act_by(actor, reason, key), case, "confirm", {"second officer": second}, rev, lang)


@app.command()
def reopen(
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take a dismissed or closed case up again."""
    step(home, act_by(actor, reason, key), case, "reopen", {}, rev, lang)


@app.command("file")
def file_(
    case: CaseArgument,
    document: Annotated[str, typer.Option(help="Number of the filing, 立案文号.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    rev: RevOption = None,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """File a penalty case at the own office (本部门立案)."""
    step(home, act_by(actor, reason, key), case, "file", {"document": document}, rev, lang)


@app.command()
def merge(
    case: CaseArgument,
    reason: ReasonOption,
    into: Annotated[str, typer.Option("--into", help="The case in which it goes on.")],
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Let a case go on inside another; nothing is lost, and `unmerge` takes it out again."""
    with opened(settings.installed(home).control) as store:
        cases.merge(store, act_by(actor, reason, key), case, into)
    err.print(MERGED.in_(lang).format(case=case, into=into))


@app.command()
def unmerge(
    case: CaseArgument,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Take a merged case out again, as it was."""
    with opened(settings.installed(home).control) as store:
        state = cases.unmerge(store, act_by(actor, reason, key), case)
    say_next(CaseState(state), case, lang)


@app.command()
def bring(
    about: Annotated[
        str, typer.Argument(metavar="ABOUT", help="A lot's number, or a short name of the matter.")
    ],
    origin: Annotated[str, typer.Option(help="Who brought it, under which number (公安局 …〔2026〕3号).")],
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    key: KeyOption = None,
    lang: LangOption = Lang.ZH,
) -> None:
    """Open a case that no night found: from the police, another office, a complaint."""
    with opened(settings.installed(home).control) as store:
        id = cases.bring(store, act_by(actor, reason, key), about, origin)
    out.print(id)
    say_next(CaseState.NEW, id, lang)


def _items(home: HomeOption, as_of: datetime | None) -> list[QueuedCase]:
    where = settings.installed(home)
    day, _ = today(as_of)
    with opened(where.control) as store:
        return case_queue.queued_cases(store, alerts.current(where, store), day)


def _fired(item: QueuedCase, lang: Lang) -> str:
    """Return what fired, as one short text: kinds of evidence in Chinese, detectors in English."""
    names = [Both(row.family, row.detector).in_(lang) for row in item.alerts]
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    told = [f"{name}×{count}" if count > 1 else name for name, count in counts.items()]
    return SEMICOLON.in_(lang).join(told)
