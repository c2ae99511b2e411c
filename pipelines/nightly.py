"""The night as a Prefect flow: the clock and the display, nothing else.

Every task is a thin wrapper of a step in ``night``; a step may be killed and repeated, so retries
are safe. The same night runs without Prefect through ``bidwatch nightly``.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from prefect import flow, get_run_logger, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from pipelines import night, night_report, publishing, settings, times
from pipelines.findings import outbox
from pipelines.intake import reading
from pipelines.publishing import Night
from pipelines.snapshot import building
from pipelines.snapshot.building import UnpublishedSnapshot
from pipelines.snapshot.screening import ScreenOutcome
from pipelines.store import opened
from pipelines.times import LOCAL

ACTOR = "prefect"


def _quiet(station: str, done: int, of: int) -> None:
    """Progress inside a step goes to the log of the run."""
    get_run_logger().debug("%s %d/%d", station, done, of)


@task(retries=2, retry_delay_seconds=30)
def receive(home: settings.Home, as_of: date) -> int:
    """Inbox to raw."""
    with opened(home.control) as store:
        night.admit(home, store, as_of)
        return len(night.receive(home, store, actor=ACTOR, at=times.now()))


@task(retries=2, retry_delay_seconds=30)
def read_files(home: settings.Home) -> int:
    """Raw to bronze."""
    with opened(home.control) as store:
        return reading.read_files(home, store, progress=_quiet)


@task(retries=2, retry_delay_seconds=30)
def build(home: settings.Home, as_of: date) -> UnpublishedSnapshot:
    """Bronze to an unpublished snapshot, and its gates."""
    with opened(home.control) as store:
        return building.build(home, store, as_of, night.decided(store, as_of))


@task(retries=2, retry_delay_seconds=30)
def screen(home: settings.Home, built: UnpublishedSnapshot) -> list[ScreenOutcome]:
    """Every detector over the snapshot."""
    return building.screen(home, built, progress=_quiet)


@task(retries=2, retry_delay_seconds=30)
def find_rings(home: settings.Home, built: UnpublishedSnapshot) -> int:
    """Groups of firms whose lots speak together."""
    return night.find_rings(home, built)


@task(retries=2, retry_delay_seconds=30)
def publish(
    home: settings.Home, as_of: date, built: UnpublishedSnapshot, screened: list[ScreenOutcome]
) -> Night:
    """Switch to the snapshot and write down its signals."""
    with opened(home.control) as store:
        return publishing.publish(home, store, as_of, built, screened, actor=ACTOR, at=times.now())


@task(retries=2, retry_delay_seconds=30)
def block(home: settings.Home, as_of: date, built: UnpublishedSnapshot) -> Night:
    """A gate is closed: the last snapshot stays current."""
    with opened(home.control) as store:
        return publishing.block(store, as_of, built, at=times.now())


@task(retries=2, retry_delay_seconds=30)
def deliver(home: settings.Home) -> list[Path]:
    """Outbox rows to folders."""
    with opened(home.control) as store:
        return outbox.write(home, store)


@task(retries=2, retry_delay_seconds=30)
def report(home: settings.Home, done: Night) -> Night:
    """The page of the night."""
    with opened(home.control) as store:
        return night_report.write(home, store, done)


@flow(name="nightly")
def nightly(home: str | None = None, as_of: date | None = None) -> str:
    """Run one night: receive, read, build, screen, publish, deliver, report.

    Args:
        home: folder of the installation; ``BIDWATCH_HOME`` or ``./workspace`` if not given.
        as_of: the day the night belongs to; today in Asia/Shanghai if not given.
    """
    os.umask(0o077)
    where = settings.home(Path(home) if home else None).prepare()
    day = as_of or datetime.now(LOCAL).date()
    log = get_run_logger()
    bar = create_progress_artifact(progress=0.0, key="nightly-progress", description=f"{day}")
    assert isinstance(bar, UUID)  # a coroutine only where the flow itself is async
    with night.lock(where):
        log.info("received %d files", receive(where, day))
        log.info("read %d files", read_files(where))
        update_progress_artifact(bar, progress=30.0)
        built = build(where, day)
        if any(gate.blocks for gate in built.gates):
            done = block(where, day, built)
        else:
            update_progress_artifact(bar, progress=60.0)
            screened = screen(where, built)
            log.info("found %d rings", find_rings(where, built))
            done = publish(where, day, built, screened)
            deliver(where)
        done = report(where, done)
    update_progress_artifact(bar, progress=100.0)
    show(done)
    if done.state == "blocked":
        closed = ", ".join(gate.name for gate in done.gates if gate.blocks)
        raise RuntimeError(f"not published, the last snapshot stays current; closed gates: {closed}")
    if done.closed:
        kept_out = "; ".join(f"{gate.source}: {gate.reason}" for gate in done.closed)
        raise RuntimeError(f"published without what sources' gates keep out: {kept_out}")
    return f"{done.state} {done.snapshot}"


def show(done: Night) -> None:
    """Leave the night's figures as artifacts; no personal data is in them."""
    create_table_artifact(
        key="nightly-detectors",
        table=[{"detector": s.id, "judged": s.judged, "flagged": s.flagged} for s in done.screened],
        description=f"{done.as_of}: judged and flagged",
    )
    sums = {
        name: sum(int(str(file[name])) for file in done.files)
        for name in ("records", "loaded", "duplicate", "refused", "held")
    }
    lines = "\n".join(f"| {name} | {count:,} |" for name, count in sums.items())
    gates = "\n".join(
        f"- {'✓' if gate.passed else '✗'} {gate.holds} ({gate.violations})" for gate in done.gates
    )
    create_markdown_artifact(
        key="nightly-summary",
        markdown=f"# {done.as_of}: {done.state}\n\n| records | count |\n|---|---|\n{lines}\n\n"
        f"New signals: {done.new_signals}\n\n{gates}\n",
    )
