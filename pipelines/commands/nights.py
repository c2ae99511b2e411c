"""The operator's commands: nightly, receive, status, doctor."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from detectors import registry
from detectors.interface import Status
from pipelines import audit, files, night, publishing, settings, times
from pipelines.commands.options import ACTING, ActorOption
from pipelines.commands.output import Format, FormatOption, HomeOption, Watching, err, listing, out
from pipelines.intake import receiving
from pipelines.store import opened
from pipelines.times import LOCAL

SHOWN = 30  # signals in the table at the end of a night

REFUSED_ROWS, INPUT_REFUSED, GATE_CLOSED, INTEGRITY_FAILURE = 1, 2, 3, 4


def nightly(
    home: HomeOption = None,
    inbox: Annotated[
        Path | None,
        typer.Option(help="Take these files in first; they stay where they are (one folder a source)."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Which night. Default: today in Asia/Shanghai."),
    ] = None,
    actor: ActorOption = ACTING,
) -> None:
    """Run the whole night: take in, check, build, screen, publish, write the lists.

    Safe to start again at any time: what is done stays done, nothing is sent twice.
    """
    where = settings.home(home).prepare()
    day = as_of.date() if as_of else datetime.now(LOCAL).date()
    if inbox is not None:
        _take_copies(where, inbox, actor)
    with Watching() as progress:
        done = night.run(where, day, actor=actor, at=times.now(), progress=progress)
    summarise(where, done)
    if done.state == "blocked":
        for gate in done.gates:
            if gate.blocks:
                err.print(f"gate closed: {gate.holds} / {gate.holds_zh}: {gate.violations:,} violations")
        err.print("Nothing was published; the last snapshot stays current.")
        raise typer.Exit(GATE_CLOSED)
    with opened(where.control) as store:
        refused = [
            file["name"]
            for file in publishing.files_of(store, done.as_of)
            if file["state"] == "refused" or file["refused"]
        ]
    if refused:
        err.print(
            f"Refused rows or files in {', '.join(refused[:5])}{' …' if len(refused) > 5 else ''}: see `bidwatch"
            " quarantine list`.",
            soft_wrap=True,
        )
    raise typer.Exit(REFUSED_ROWS if refused else 0)


def _take_copies(home: settings.Home, inbox: Path, actor: str) -> None:
    """Receive files that stay where they are, such as the committed sample."""
    if not inbox.is_dir():
        raise FileNotFoundError(f"no folder {inbox}")
    arrivals = receiving.waiting(inbox)
    with opened(home.control) as store:
        known = {row["raw_sha"] for row in store.rows("SELECT raw_sha FROM file")}
        new = [arrival for arrival in arrivals if files.sha256(arrival.path) not in known]
        receiving.receive(home, store, new, at=times.now(), actor=actor, move=False)


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
    with opened(where.control) as store:
        hashes = receiving.receive(
            where,
            store,
            [receiving.Arrival(source, file) for file in files],
            at=times.now(),
            actor=actor,
            move=False,
        )
    for file, raw_sha in zip(files, hashes, strict=True):
        out.print(f"{raw_sha}  {file.name}")


def status(home: HomeOption = None, format: FormatOption = Format.TABLE) -> None:
    """Show what came in, what was refused, and whether the last night is complete."""
    where = settings.installed(home)
    with opened(where.control) as store:
        files = store.rows("SELECT * FROM file ORDER BY first_delivery DESC LIMIT 50")
        nights = store.rows("SELECT * FROM night ORDER BY id DESC LIMIT 10")
    listing(
        "Files, newest first 文件",
        ("file", "source", "state", "records", "loaded", "dup.", "refused", "held"),
        [
            (
                f["name"],
                f["source"],
                f["state"],
                f["records"],
                f["loaded"],
                f["duplicate"],
                f["refused"],
                f["held"],
            )
            for f in files
        ],
        format,
    )
    for file in files:
        if file["state"] == "refused":
            err.print(f"{file['name']}: {file['code']}: {file['reason']} / {file['reason_zh']}")
    listing(
        "Nights, newest first 夜间运行",
        ("as of", "state", "snapshot", "finished (UTC)"),
        [(n["as_of"], n["state"], n["snapshot"], n["finished_at"]) for n in nights],
        format,
    )


def doctor(home: HomeOption = None) -> None:
    """Check that the installation is whole: keys, hashes of raw files, snapshot, audit log."""
    where = settings.home(home)
    faults = list(_faults(where))
    for fault in faults:
        err.print(f"fault: {fault}")
    if faults:
        raise typer.Exit(INTEGRITY_FAILURE)
    for overlay in where.reference.overlays():
        out.print(f"reference/{overlay.name}: {overlay.added} added, {overlay.replaced} replaced")
    out.print(f"{where.root}: no fault found")


def _faults(home: settings.Home):  # type: ignore[no-untyped-def]
    import sqlalchemy

    from pipelines import vault
    from pipelines.casework import offices
    from pipelines.findings import routing
    from pipelines.intake.sandbox_server import can_leave_the_network

    if not sqlalchemy.__version__.startswith("2.0."):
        yield f"sqlalchemy {sqlalchemy.__version__} is installed; prefect's schedules never fire with it"
    if not can_leave_the_network():
        err.print(
            "note: this system does not allow network namespaces; readers run without network isolation"
        )
    if not home.control.exists():
        yield f"no installation in {home.root}"
        return
    try:
        home.reference.overlays()
        routing.load_division(home.reference)
        offices.powers(home.reference)
        registry.load(local=home.reference.local)
    except ValueError as error:
        yield f"reference data: {error}"
    try:
        vault.load_key(home.key)
    except (OSError, ValueError) as error:
        yield str(error)
    with opened(home.control) as store:
        for row in store.rows("SELECT raw_sha, name FROM file"):
            path = home.raw / row["raw_sha"]
            if not path.is_file():
                yield f"raw file of {row['name']} is missing: {row['raw_sha']}"
            elif files.sha256(path) != row["raw_sha"]:
                yield f"raw file of {row['name']} was changed: {row['raw_sha']}"
        current = store.current_snapshot()
        if current and not home.snapshot(current).is_file():
            yield f"the current snapshot {current} is missing; run `bidwatch nightly` to rebuild it"
        yield from (f"the audit log is not as it was: {fault}" for fault in audit.faults(store.con, {}))


def summarise(home: settings.Home, done: publishing.Night) -> None:
    """Print what a night found, and where its files are."""
    with opened(home.control) as store:
        tonight = {file["raw_sha"] for file in publishing.files_of(store, done.as_of)}
        whole = {file["raw_sha"] for file in store.rows("SELECT raw_sha FROM file WHERE state = 'refused'")}
        received = {file["raw_sha"] for file in store.rows("SELECT raw_sha FROM file")}
    names = ("records", "loaded", "duplicate", "refused", "held")
    out.print(f"Night of {done.as_of}: {done.state}, snapshot {done.snapshot}")
    listing(
        "Records 记录",
        ("", "files", "of these refused", *names),
        [
            (
                label,
                len(files),
                len(files & whole),
                *(sum(int(str(f[name])) for f in done.files if f["raw_sha"] in files) for name in names),
            )
            for label, files in (("tonight 今晚", tonight), ("so far 累计", received))
        ],
        Format.TABLE,
    )
    listing(
        "Detectors 规则",
        ("detector", "judged", "flagged"),
        [(s.id, s.judged, s.flagged) for s in done.screened],
        Format.TABLE,
    )
    detectors = {each.id: each for each in registry.load(local=home.reference.local)}
    inside = sum(detectors[alert.detector].status is Status.EXPERIMENTAL for alert in done.alerts)
    shown = sorted(done.alerts, key=lambda alert: (alert.grade, alert.lot_id or "", alert.detector))[:SHOWN]
    listing(
        f"Signals 疑似线索: {len(done.alerts)}, new {done.new_signals}, of experimental detectors, not sent: {inside}"
        + (f" (the first {len(shown)}, all: bidwatch alerts list)" if len(shown) < len(done.alerts) else ""),
        ("预警编号", "等级", "标段编号", "疑似情形", "主体数"),
        [
            (a.alert_id, a.grade, a.lot_id, detectors[a.detector].facts.title_zh, len(a.party_names))
            for a in shown
        ],
        Format.TABLE,
    )
    with opened(home.control) as store:
        sent = store.rows(
            "SELECT * FROM outbox WHERE snapshot = ? AND json_extract(facts, '$.results') IS NULL ORDER BY recipient",
            done.snapshot,
        )
    if done.suppressed:
        out.print(
            f"suppressed 抑制期内: {done.suppressed} signals are listed and sent to nobody: bidwatch suppress list"
        )
    if done.held:
        out.print(
            f"held 暂缓送达: {done.held.new_signals} new signals, at most {done.held.most} were to be expected;"
            " nothing is sent before: bidwatch deliver release --reason TEXT",
            soft_wrap=True,
        )
    for row in sent:
        if row["state"] == "pending":
            out.print(f"held  {row['recipient']}  {row['did']}")
            continue
        folder = home.outbox / row["recipient"] / f"{row['as_of']}_{row['did']}"
        out.print(f"CSV   {_near(folder / 'alerts.csv')}", soft_wrap=True)
        out.print(f"xlsx  {_near(folder / 'alerts.xlsx')}", soft_wrap=True)
    for said in done.lists:
        out.print(f"名单  {said}", soft_wrap=True)
    if done.page:
        out.print(f"page  {_near(done.page)}", soft_wrap=True)
    out.print("本线索由数据分析产生，仅供核查参考，不作为认定违法事实的依据。")
    sys.stdout.flush()


def _near(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
