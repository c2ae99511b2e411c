"""``bidwatch nightly``: the whole night, and what it found."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from detectors import registry
from detectors.interface import Status
from detectors.registry import Loaded
from pipelines import night, publishing, settings, times
from pipelines.commands.exits import GATE_CLOSED, REFUSED_ROWS
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    AsOfOption,
    Format,
    HomeOption,
    LangOption,
    Panel,
    ReasonOption,
    today,
)
from pipelines.commands.output import Watching, err, listing, out
from pipelines.commands.status import NIGHT_STATES_ZH
from pipelines.commands.texts import AND, STATEMENT, Both, Lang, word
from pipelines.findings.matters import expected_false
from pipelines.intake import receiving
from pipelines.snapshot import source_gates
from pipelines.store import Store, opened
from reports.alert_list import by_strength

SHOWN = 30  # signals in the table at the end of a night
NAMED = 5  # files with refused rows

NIGHT = Both(
    "{as_of} 夜间运行：{state}，数据快照 {snapshot}", "Night of {as_of}: {state}, snapshot {snapshot}"
)
RECORDS = Both("记录", "Records")
RECORD_HEADINGS = Both(
    ("", "文件", "其中拒收", "记录", "载入", "重复", "拒收", "暂缓"),
    ("", "files", "of these refused", "records", "loaded", "duplicate", "refused", "held"),
)
TONIGHT, SO_FAR = Both("今晚", "tonight"), Both("累计", "so far")
DETECTORS = Both("规则", "Detectors")
DETECTOR_HEADINGS = Both(("规则", "可判定", "标记"), ("detector", "judged", "flagged"))
SIGNALS = Both(
    "疑似线索：{all}，新增 {new}，试验规则（不送达）{inside}",
    "Signals: {all}, new {new}, of experimental detectors, not sent: {inside}",
)
RINGS = Both(
    "疑似团伙：{rings} 起，预期误报不超过 {false} 起：bidwatch review list",
    "Rings: {rings} on the list, at most {false} expected to be false: bidwatch review list",
)
FIRST = Both(
    "（前 {shown} 条，全部：bidwatch alerts list）", " (the first {shown}, all: bidwatch alerts list)"
)
SIGNAL_HEADINGS = Both(
    ("预警编号", "等级", "标段编号", "疑似情形", "主体数"), ("alert", "grade", "lot", "finding", "parties")
)
SUPPRESSED = Both(
    "抑制期内：{count} 条疑似线索只列示、不送达：bidwatch suppress list",
    "suppressed: {count} signals are listed and sent to nobody: bidwatch suppress list",
)
HELD = Both(
    "暂缓送达：新增 {new} 条，预期至多 {most} 条；放行前不送达：bidwatch deliver release --reason 理由",
    "held: {new} new signals, at most {most} were to be expected; nothing is sent before:"
    " bidwatch deliver release --reason TEXT",
)
HELD_ROW = Both("暂缓  {recipient}  {delivery_id}", "held  {recipient}  {delivery_id}")
LISTED = Both("名单  {said}", "list  {said}")
PAGE = Both("报告  {path}", "page  {path}")
GATE = Both("发布关口未通过：{holds}：{count} 处不符", "gate closed: {holds}: {count} violations")
NOT_PUBLISHED = Both(
    "本次未发布；仍以上一数据快照为准。", "Nothing was published; the last snapshot stays current."
)
GATE_OF_SOURCE = Both(
    "关口关闭：来源 {source}：{reason}；{files} 个文件（{records} 条记录）未纳入，须有专人核对后放行："
    "bidwatch nightly --accept {source} --actor 姓名（或 --leave-out {source}，不再纳入）",
    "GATE CLOSED: source {source}: {reason}; left out ({files} files, {records} records) until a person has"
    " looked: bidwatch nightly --accept {source} --actor NAME (or --leave-out {source}, for good)",
)
ABOUT = Both("约 ", "about ")
DECIDED = Both("来源 {source}：{files} 个文件{how}", "source {source}: {files} files {how}")
HOW = {True: Both("放行", "may pass"), False: Both("不再纳入", "are left out for good")}
NAME_YOURSELF = "--accept and --leave-out are decisions of a person: say who, with --actor NAME"
LEFT = Both("未接收，仍在收件目录：{name}：{reason}", "Left in the inbox: {name}: {reason}")
LEFT_MORE = Both("另有 {count} 项未接收，见当晚报告。", "{count} more are left; the night's page names them.")
REFUSED = Both(
    "{names} 中有拒收的记录或文件：见 bidwatch quarantine list。",
    "Refused rows or files in {names}: see `bidwatch quarantine list`.",
)

app = typer.Typer()


@app.command(rich_help_panel=Panel.NIGHT)
def nightly(
    context: typer.Context,
    home: HomeOption = None,
    inbox: Annotated[
        Path | None,
        typer.Option(help="Take these files in first; they stay where they are (one folder a source)."),
    ] = None,
    as_of: AsOfOption = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE", help="Let pass what waits at the gate of this source; say who, with --actor."
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="Keep out for good what waits at the gate of this source."),
    ] = None,
    actor: ActorOption = ACTING,
    reason: ReasonOption = "",
    lang: LangOption = Lang.EN,
) -> None:
    """Run the whole night: take in, check, build, screen, publish, write the lists.

    Safe to start again at any time: what is done stays done, nothing is sent twice.
    """
    where = settings.home(home).prepare()
    day, _ = today(as_of)
    decided = [(source, True) for source in accept or ()] + [(source, False) for source in leave_out or ()]
    if decided:
        given = context.get_parameter_source("actor")
        if given is None or given.name != "COMMANDLINE":
            raise ValueError(NAME_YOURSELF)
    left = take_copies(where, inbox, actor) if inbox is not None else []
    with Watching() as progress:
        done = night.run(
            where,
            day,
            actor=actor,
            at=times.now(),
            progress=progress,
            decide=lambda store: _decide(store, decided, actor, reason, lang),
        )
    _print_night(where, done, lang)
    left += receiving.survey(where.inbox)[1]
    for each in left[:NAMED]:
        reason = Both(each.reason_zh, each.reason).in_(lang)
        err.print(LEFT.in_(lang).format(name=each.name, reason=reason), soft_wrap=True)
    if len(left) > NAMED:
        err.print(LEFT_MORE.in_(lang).format(count=len(left) - NAMED), soft_wrap=True)
    if done.state == "blocked":
        for gate in done.gates:
            if gate.blocks:
                holds = Both(gate.holds_zh, gate.holds).in_(lang)
                err.print(GATE.in_(lang).format(holds=holds, count=f"{gate.violations:,}"))
        err.print(NOT_PUBLISHED.in_(lang))
    with opened(where.control) as store:
        refused = [
            file["name"]
            for file in publishing.files_of(store, done.as_of)
            if file["state"] == "refused" or file["refused"]
        ]
    if refused:
        names = AND.in_(lang).join(refused[:NAMED]) + (" …" if len(refused) > NAMED else "")
        err.print(REFUSED.in_(lang).format(names=names), soft_wrap=True)
    if done.state == "blocked" or done.closed:
        raise typer.Exit(GATE_CLOSED)
    raise typer.Exit(REFUSED_ROWS if refused or left else 0)


def _decide(store: Store, decided: Iterable[tuple[str, bool]], actor: str, reason: str, lang: Lang) -> None:
    """Write down what a person says about the gates of sources."""
    for source, accepts in decided:
        files = source_gates.decide(
            store, source, accepts=accepts, actor=actor, reason=reason, at=times.now()
        )
        out.print(DECIDED.in_(lang).format(source=source, files=files, how=HOW[accepts].in_(lang)))


def take_copies(home: settings.Home, inbox: Path, actor: str) -> list[receiving.LeftBehind]:
    """Receive files that stay where they are, such as the committed sample. Returns what cannot be taken.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not inbox.is_dir():
        raise FileNotFoundError(f"no folder {inbox}")
    arrivals, left = receiving.survey(inbox, move=False)
    with opened(home.control) as store:
        known = {row["raw_sha"] for row in store.rows("SELECT raw_sha FROM file")}
        new = [arrival for arrival in arrivals if receiving.sha256(arrival) not in known]
        receiving.receive(home, store, new, at=times.now(), actor=actor, move=False)
    return left


def _print_night(home: settings.Home, done: publishing.Night, lang: Lang) -> None:
    """Print what a night found, and where its files are."""
    for gate in done.closed:
        said = GATE_OF_SOURCE.in_(lang).format(
            source=gate.source,
            reason=Both(gate.reason_zh, gate.reason).in_(lang),
            files=len(gate.files),
            records=f"{ABOUT.in_(lang) if gate.uncounted else ''}{gate.records:,}",
        )
        out.print(said, soft_wrap=True)
    state = word(NIGHT_STATES_ZH, done.state, lang)
    out.print(NIGHT.in_(lang).format(as_of=done.as_of, state=state, snapshot=done.snapshot))
    _print_records(home, done, lang)
    listing(
        DETECTORS.in_(lang),
        DETECTOR_HEADINGS.in_(lang),
        [(screened.id, screened.judged, screened.flagged) for screened in done.screened],
        Format.TABLE,
    )
    out.print(
        RINGS.in_(lang).format(rings=len(done.listed), false=f"{expected_false(done.listed):.1f}"),
        soft_wrap=True,
    )
    _print_signals(done, {each.id: each for each in registry.load(local=home.reference.local)}, lang)
    if done.suppressed:
        out.print(SUPPRESSED.in_(lang).format(count=done.suppressed))
    if done.held:
        said = HELD.in_(lang).format(new=done.held.new_signals, most=done.held.most)
        out.print(said, soft_wrap=True)
    _print_outbox(home, done, lang)
    for said in done.lists:
        out.print(LISTED.in_(lang).format(said=said), soft_wrap=True)
    if done.page:
        out.print(PAGE.in_(lang).format(path=_near(done.page)), soft_wrap=True)
    out.print(STATEMENT.in_(lang))
    sys.stdout.flush()


def _print_records(home: settings.Home, done: publishing.Night, lang: Lang) -> None:
    """Print how many records came tonight and so far, and what became of them."""
    with opened(home.control) as store:
        tonight = {file["raw_sha"] for file in publishing.files_of(store, done.as_of)}
        whole = {file["raw_sha"] for file in store.rows("SELECT raw_sha FROM file WHERE state = 'refused'")}
        received = {file["raw_sha"] for file in store.rows("SELECT raw_sha FROM file")}
    names = ("records", "loaded", "duplicate", "refused", "held")
    listing(
        RECORDS.in_(lang),
        RECORD_HEADINGS.in_(lang),
        [
            (
                label.in_(lang),
                len(files),
                len(files & whole),
                *(sum(int(str(f[name])) for f in done.files if f["raw_sha"] in files) for name in names),
            )
            for label, files in ((TONIGHT, tonight), (SO_FAR, received))
        ],
        Format.TABLE,
    )


def _print_signals(done: publishing.Night, known: Mapping[str, Loaded], lang: Lang) -> None:
    inside = sum(known[alert.detector].status is Status.EXPERIMENTAL for alert in done.alerts)
    shown = sorted(done.alerts, key=by_strength)[:SHOWN]
    title = SIGNALS.in_(lang).format(all=len(done.alerts), new=done.new_signals, inside=inside)
    if len(shown) < len(done.alerts):
        title += FIRST.in_(lang).format(shown=len(shown))
    listing(
        title,
        SIGNAL_HEADINGS.in_(lang),
        [
            (
                alert.alert_id,
                alert.grade,
                alert.lot_id,
                _title(known[alert.detector]).in_(lang),
                len(alert.party_names),
            )
            for alert in shown
        ],
        Format.TABLE,
    )


def _title(detector: Loaded) -> Both[str]:
    return Both(detector.facts.title_zh, detector.facts.title)


def _print_outbox(home: settings.Home, done: publishing.Night, lang: Lang) -> None:
    """Print where the lists lie for each office, or that they are held back."""
    with opened(home.control) as store:
        sent = store.rows(
            "SELECT * FROM outbox WHERE snapshot = ? AND json_extract(facts, '$.results') IS NULL ORDER BY recipient",
            done.snapshot,
        )
    for row in sent:
        if row["state"] == "pending":
            out.print(HELD_ROW.in_(lang).format(recipient=row["recipient"], delivery_id=row["delivery_id"]))
            continue
        folder = home.outbox / row["recipient"] / f"{row['as_of']}_{row['delivery_id']}"
        out.print(f"CSV   {_near(folder / 'alerts.csv')}", soft_wrap=True)
        out.print(f"xlsx  {_near(folder / 'alerts.xlsx')}", soft_wrap=True)


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
