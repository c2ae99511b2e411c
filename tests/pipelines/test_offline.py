"""Nothing calls home."""

import os
import subprocess
import sys
from pathlib import Path

from places import REPO, SAMPLE

INBOX = SAMPLE / "inbox"
BIDWATCH = Path(sys.executable).with_name("bidwatch")

# Python runs this module at start of every process: each look-up of a host name is written down.
SPY = """
import os, socket
def spy(*args, **kwargs):
    with open(os.environ["LOOKED_UP"], "a") as log:
        log.write(repr(args[:2]) + "\\n")
    raise OSError("no network in this test")
socket.getaddrinfo = spy
"""


def test_a_night_looks_up_no_host(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SPY)
    log = tmp_path / "looked_up"
    env = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "LOOKED_UP": str(log),
        "BIDWATCH_KEY": str(tmp_path / "key"),
    }
    done = subprocess.run(
        [BIDWATCH, "nightly", "--home", tmp_path / "home", "--inbox", INBOX, "--as-of", "2026-06-30"],
        env=env,
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert not log.exists()
    (page,) = (tmp_path / "home" / "reports").glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert not [word for word in ("http://", "https://", "src=", "<script") if word in text]


def test_the_spy_would_have_seen_it(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SPY)
    log = tmp_path / "looked_up"
    env = os.environ | {"PYTHONPATH": str(tmp_path), "LOOKED_UP": str(log)}
    code = "import urllib.request\ntry:\n    urllib.request.urlopen('http://example.invalid')\nexcept OSError:\n    pass"
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    assert "example.invalid" in log.read_text()
