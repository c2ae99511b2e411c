"""Nothing calls home."""

import os
import subprocess
import sys

import pytest
from sample_night import spied

pytestmark = pytest.mark.slow


def test_a_night_looks_up_no_host(sample_night):
    """The night on the sample county ran with the spy; it reads a file of every format but documents."""
    assert (sample_night.folder / "sitecustomize.py").exists()
    assert not (sample_night.folder / "looked_up").exists()
    (page,) = (sample_night.folder / "home" / "reports").glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert not [word for word in ("http://", "https://", "src=", "<script") if word in text]


def test_the_spy_would_have_seen_it(tmp_path):
    code = "import urllib.request\ntry:\n    urllib.request.urlopen('http://example.invalid')\nexcept OSError:\n    pass"
    subprocess.run([sys.executable, "-c", code], env=os.environ | spied(tmp_path), check=True)
    assert "example.invalid" in (tmp_path / "looked_up").read_text()
