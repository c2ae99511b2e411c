"""A night may be killed at any moment and started again."""

import os
import shutil
import subprocess
import sys
import time

import pytest
from places import REPO
from sample_night import FEW, SMALL, deliver, run, state_of

from pipelines import settings
from pipelines.store import opened

TESTS = str(REPO / "tests")

pytestmark = [pytest.mark.slow, pytest.mark.trial]


@pytest.fixture(autouse=True)
def key(monkeypatch, tmp_path):
    path = tmp_path / "key"
    path.write_text("42" * 32)
    path.chmod(0o400)
    monkeypatch.setenv("BIDWATCH_KEY", str(path))


KILLED = """
import sys
from pathlib import Path
from pipelines import settings
from sample_night import FEW, run
def said(station, *_):
    print(station.split()[0], flush=True)
run(settings.Home(Path(sys.argv[1])), detectors=FEW, progress=said)
"""


def test_a_night_killed_anywhere_ends_like_one_that_was_not(tmp_path):
    """SIGKILL at points spread over reading and over what follows it, then one plain restart."""
    inbox = tmp_path / "inbox"
    deliver(SMALL, inbox)
    whole = _start(tmp_path / "whole", inbox)
    _wait_for("receive", whole)
    received = time.monotonic()
    _wait_for("build", whole)
    read = time.monotonic()
    whole.communicate()
    assert whole.returncode == 0
    reading, building = read - received, time.monotonic() - read
    want = state_of(settings.Home(tmp_path / "whole"))
    elsewhere = _start(tmp_path / "elsewhere", inbox, TZ="Pacific/Auckland", PYTHONHASHSEED="7", LC_ALL="C")
    elsewhere.communicate()
    assert elsewhere.returncode == 0
    assert state_of(settings.Home(tmp_path / "elsewhere")) == want
    assert want[0], "without a signal this test would say nothing"
    # A home whose files are all read: every kill after reading starts from a copy of it.
    at_build = tmp_path / "at_build"
    _kill(_start(at_build, inbox), "build", 0)
    for step in range(1, 5):
        root = tmp_path / f"killed{step}"
        if step > 2:
            shutil.copytree(at_build, root)
        process = _start(root, inbox, TZ="America/New_York", PYTHONHASHSEED=str(step), LC_ALL="C")
        station, seconds = (
            ("receive", reading * step / 3) if step <= 2 else ("build", building * (step - 2) / 3)
        )
        _kill(process, station, seconds)
        home = settings.Home(root)
        run(home, detectors=FEW)
        assert state_of(home) == want, f"killed {seconds:.1f} s after {station}, step {step}"
        with opened(home.control) as store:
            files = store.rows("SELECT count(DISTINCT raw_sha) AS n FROM arrival")[0]["n"]
            assert store.rows("PRAGMA integrity_check")[0][0] == "ok"
        assert files == len(SMALL)


def _start(root, inbox, **env):
    home = settings.Home(root).prepare()
    if not home.control.exists():
        shutil.copytree(inbox, home.inbox, dirs_exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", KILLED, str(root)],
        env=os.environ
        | env
        | {"PYTHONPATH": os.pathsep.join(filter(None, (TESTS, os.environ.get("PYTHONPATH"))))},
        cwd=REPO,
        stdout=subprocess.PIPE,
        text=True,
    )


def _wait_for(station, process):
    assert any(line.strip() == station for line in process.stdout)


def _kill(process, station, seconds):
    """End a night so many seconds after it came to a station."""
    _wait_for(station, process)
    time.sleep(seconds)
    process.kill()
    process.communicate()
