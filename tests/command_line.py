"""The command line inside the test's own process: a new process takes seconds, and most tests need only its output."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from places import REPO
from sample_night import without_settings

from pipelines import cli


class Done(NamedTuple):
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def bidwatch(*words: object, key: Path | None = None, cwd: Path = REPO) -> Done:
    """Type a command; it goes through ``main`` as from a shell, which gives the exit code."""
    out, err = io.StringIO(), io.StringIO()
    mask = os.umask(0o077)
    try:
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in os.environ.keys() - without_settings().keys():
                patch.delenv(name)
            if key:
                patch.setenv("BIDWATCH_KEY", str(key))
            patch.chdir(cwd)
            patch.setattr(sys, "argv", ["bidwatch", *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                cli.main()
    finally:
        os.umask(mask)
    return Done(int(ended.value.code or 0), out.getvalue(), err.getvalue())
