"""Nothing calls home."""

import os
import subprocess
import sys

import pytest
from places import REPO
from sample_night import BIDWATCH, SMALL, deliver

from pipelines import cli

pytestmark = pytest.mark.slow

#: The small sample, and one file of every other format.
FILES = (
    *SMALL,
    "national/exchange_20260605.xml",
    "national/exchange_20260602.jsonl",
    "opening_sheets/开标记录表_20260601_E4108210000000302001001.xlsx",
)

# Python runs this module at the start of every process: it writes down each look-up of a host name.
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
    deliver(FILES, tmp_path / "inbox")
    # What keeps libraries quiet must come from the command itself.
    env = {name: value for name, value in os.environ.items() if name not in cli.OFFLINE} | {
        "PYTHONPATH": str(tmp_path),
        "LOOKED_UP": str(log),
        "BIDWATCH_KEY": str(tmp_path / "key"),
    }
    done = subprocess.run(
        [
            BIDWATCH,
            "nightly",
            "--home",
            tmp_path / "home",
            "--inbox",
            tmp_path / "inbox",
            "--as-of",
            "2026-06-30",
        ],
        env=env,
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=900,
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
