"""One night, station by station. Every step may be killed and repeated.

``run`` is the whole night as a plain program; ``nightly.nightly`` is the same steps under Prefect.
No step reads the clock to decide anything but that the day has come: ``as_of`` says which night it is, ``at`` only
stamps what is written down.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from detectors import registry
from pipelines import duck, night_report, times
from pipelines.casework.clocks import steps
from pipelines.casework.watchlist import effects
from pipelines.findings import outbox
from pipelines.installation import secret_key
from pipelines.intake import receiving
from pipelines.intake.reading import read_files
from pipelines.publishing import Night, block, publish
from pipelines.rings import tables
from pipelines.settings import Home, Progress
from pipelines.snapshot import parties, settlements
from pipelines.snapshot.building import HumanDecisions, UnpublishedSnapshot, build, screen
from pipelines.store import Store, opened


class Busy(Exception):
    """Another night is running in this home."""


@contextmanager
def lock(home: Home) -> Iterator[None]:
    """Hold the home for one night. The lock dies with the process.

    Raises:
        Busy: another night holds it.
    """
    with home.lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("another night is running in this home; try again when it is done") from None
        yield


def run(
    home: Home,
    as_of: date,
    *,
    actor: str,
    at: str,
    progress: Progress,
    decide: Callable[[Store], None] | None = None,
) -> Night:
    """Run the whole night. Returns what it came to; raises ``Busy`` if one is running already.

    ``decide`` writes down what a person says about the gates of sources, once it is sure that the night may be run.
    """
    home.prepare()
    with lock(home), opened(home.control) as store:
        progress("receive 接收", 0, 1)
        admit(home, store, as_of)
        if decide:
            decide(store)
        receive(home, store, actor=actor, at=at)
        read_files(home, store, progress=progress)
        progress("build 建库", 0, 1)
        built = build(home, store, as_of, decided(store, as_of))
        if any(gate.blocks for gate in built.gates):
            return night_report.write(home, store, block(store, as_of, built, at=at))
        screened = screen(home, built, progress=progress)
        progress("rings 找团伙", 0, 1)
        find_rings(home, built)
        progress("publish 发布", 0, 1)
        night = publish(home, store, as_of, built, screened, actor=actor, at=at)
        outbox.write(home, store)
        return night_report.write(home, store, night)


def find_rings(home: Home, built: UnpublishedSnapshot) -> int:
    """Search the screened snapshot for rings; return how many were found."""
    con = duck.connect(built.path)
    try:
        return tables.search(con, registry.load(local=home.reference.local))
    finally:
        con.close()


def decided(store: Store, as_of: date) -> HumanDecisions:
    """Return what people decided that the snapshot of a night must know."""
    return HumanDecisions(
        judged=parties.judged(store),
        listed=effects.for_snapshot(store.con, as_of),
        settled=settlements.standing(store),
    )


def admit(home: Home, store: Store, as_of: date) -> None:
    """Clear up behind killed nights, and refuse a night that may not be run.

    Raises:
        Damaged: the key or the control store of this installation is gone.
        ValueError: the day has not come, a later night is published already, or a reference file is wrong.
    """
    if as_of > times.today():
        raise ValueError(
            f"{as_of} has not come yet: its night would show bids before their opening (招标投标法 §22)"
        )
    _sweep(home)
    secret_key(home, store)
    _refuse_earlier(store, as_of)
    home.reference.overlays()  # a file that nothing reads stops the night before anything is done


def receive(home: Home, store: Store, *, actor: str, at: str) -> list[str]:
    """Take in everything that lies in the inbox, for a night that was admitted."""
    steps.take_over_calendar(store, home.reference, actor=actor, at=at)
    return receiving.receive(home, store, receiving.survey(home.inbox)[0], at=at, actor=actor, move=True)


def _refuse_earlier(store: Store, as_of: date) -> None:
    """Refuse a night of a day before the current snapshot's: it would take that one's alerts and grades away."""
    current = store.rows("SELECT as_of FROM snapshot JOIN current ON snapshot = id")
    if current and as_of.isoformat() < current[0]["as_of"]:
        raise ValueError(
            f"the night of {current[0]['as_of']} is published already; one of {as_of} would take its alerts away."
            f" Run it with --as-of {current[0]['as_of']} or later; to look at an earlier day, use another home"
        )


def _sweep(home: Home) -> None:
    """Remove what a killed process left behind: names that begin with a dot were never finished.

    Such a name ends with the number of its process; one that still runs (`bidwatch receive` beside the
    night) keeps its file.
    """
    for folder in (home.raw, home.bronze, home.published):
        for leftover in folder.glob(".*"):
            owner = re.search(r"[.]([0-9]+)([.]wal)?$", leftover.name)
            if owner and int(owner[1]) != os.getpid() and Path(f"/proc/{owner[1]}").exists():
                continue
            is_folder = leftover.is_dir() and not leftover.is_symlink()
            shutil.rmtree(leftover) if is_folder else leftover.unlink()
