"""One night on the sample county, run by the real command for all tests that look at one."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from places import REPO, SAMPLE

from detectors import registry
from pipelines import cli, night, settings
from pipelines.intake import sandbox
from pipelines.publishing import Night
from pipelines.store import opened

INBOX = SAMPLE / "inbox"
AS_OF = date(2026, 6, 30)
AT = "2026-06-29T18:00:00+00:00"
BIDWATCH = Path(sys.executable).with_name("bidwatch")

#: Files of the sample that are enough for signals and refused rows.
SMALL = (
    "national/SECTION_20260601.csv",
    "national/TENDER_FILE_CLARI_MODI_20260601.csv",
    "national/ZJ_TENDER_LIST_20260601.csv",
    "national/BIDDER_MARGIN_INFO_20260601.csv",
)


#: Detectors that see something in `SMALL`, of every grade.
FEW = ("collusion.co_bidding", "contacts.same_agent", "contacts.same_phone", "prices.ladder")


class SampleNight(NamedTuple):
    """A folder with a finished home, its key beside it, and what the command said.

    Nobody opens this home, because others copy it at the same time.
    """

    folder: Path

    @property
    def key(self) -> Path:
        """The secret key that the night made."""
        return self.folder / "key"

    def copy(self, folder: Path) -> Path:
        """Copy the home, its key and ``said`` into a folder; return the copied home."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return folder / "home"


# Python runs this module at the start of every process: it writes down each look-up of a host name.
SPY = """
import os, socket
def spy(*args, **kwargs):
    with open(os.environ["LOOKED_UP"], "a") as log:
        log.write(repr(args[:2]) + "\\n")
    raise OSError("no network in this test")
socket.getaddrinfo = spy
"""


def spied(folder: Path) -> dict[str, str]:
    """Settings of a process whose look-ups of hosts are written to ``looked_up`` in a folder."""
    (folder / "sitecustomize.py").write_text(SPY)
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return {"PYTHONPATH": path, "LOOKED_UP": str(folder / "looked_up")}


def by_command(folder: Path) -> SampleNight:
    """Run the night into an empty folder, as a person does."""
    # What keeps libraries quiet must come from the command itself.
    plain = {name: value for name, value in without_settings().items() if name not in cli.OFFLINE}
    done = subprocess.run(
        [BIDWATCH, "nightly", "--home", folder / "home", "--inbox", INBOX, "--as-of", "2026-06-30"],
        capture_output=True,
        text=True,
        env=plain | spied(folder) | {"BIDWATCH_KEY": str(folder / "key")},
        cwd=REPO,
        timeout=1800,  # a busy machine is slow
    )
    assert done.returncode == 1, done.stderr  # the sample has refused rows
    (folder / "said").write_text(done.stdout, encoding="utf-8")
    return SampleNight(folder)


def without_settings() -> dict[str, str]:
    """The environment without what somebody set for a home of their own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("BIDWATCH", "PREFECT"))}


def deliver(files: Iterable[str], inbox: Path) -> None:
    """Put files of the sample into an inbox."""
    for file in files:
        target = inbox / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(INBOX / file, target)


_waiting: list[subprocess.Popen[str]] = []
_start = sandbox.Sandbox._start


def _park(self: sandbox.Sandbox, *_: object) -> None:
    if self._server is not None:
        _waiting.append(self._server)
        self._server = None


def _resume(self: sandbox.Sandbox) -> subprocess.Popen[str]:
    if self._server is None and _waiting:
        self._server = _waiting.pop()
    return _start(self)


def run(
    home: settings.Home,
    as_of: date = AS_OF,
    at: str = AT,
    *,
    detectors: Collection[str] | None = None,
    progress: settings.Progress = lambda *_: None,
) -> Night:
    """Run a night in this process, with every detector or with those named.

    The nights of a process share the server that forks their readers: starting it is half of a small night, and most
    of the rest is the detectors, where a test is not about what they see.
    """
    load = registry.load

    def some(*args: Any, **kwargs: Any) -> list[registry.Loaded]:
        return [each for each in load(*args, **kwargs) if detectors is None or each.id in detectors]

    with (
        patch.multiple(sandbox.Sandbox, __exit__=_park, _start=_resume),
        patch.object(registry, "load", some),
    ):
        return night.run(home, as_of, actor="tester", at=at, progress=progress)


@atexit.register
def _end_servers() -> None:
    for server in _waiting:
        server.communicate()


def state_of(home: settings.Home) -> tuple[object, ...]:
    """Everything that a night leaves for others, without the times at which it was written down."""
    with opened(home.control) as store:
        signals = [
            tuple(row)
            for row in store.rows("SELECT fp, detector, entities, is_current FROM signal ORDER BY fp")
        ]
        evidence = [tuple(row) for row in store.rows("SELECT fp, ev_hash FROM evidence ORDER BY fp, ev_hash")]
        sent = [
            tuple(row)
            for row in store.rows("SELECT delivery_id, recipient, state FROM outbox ORDER BY delivery_id")
        ]
        logical = store.rows(
            "SELECT logical_hash FROM snapshot JOIN current ON snapshot.id = current.snapshot"
        )
    lists = {
        str(path.relative_to(home.outbox)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.outbox.glob("*/*/alerts.*"))
    }
    return signals, evidence, sent, logical[0]["logical_hash"], lists
