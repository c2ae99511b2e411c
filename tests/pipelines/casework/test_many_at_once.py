import subprocess
import sys

import pytest
from places import REPO

pytestmark = pytest.mark.slow

LOAD = REPO / "tests" / "benchmarks" / "queue_load.py"


def test_no_step_of_people_who_work_at_once_is_lost():
    """How fast it is is measured by `make queue-load`."""
    done = subprocess.run(
        [sys.executable, str(LOAD), "--people", "6", "--steps", "60"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "none lost" in done.stdout, done.stdout + done.stderr
