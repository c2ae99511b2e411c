"""Where the tests find the project and, if it lies there, real data."""

import os
from pathlib import Path

from detectors.kernels.rules.award_rules import rules
from pipelines.reference import Reference

REPO = Path(__file__).parents[1]
SAMPLE = REPO / "data" / "sample"

#: Real procurement data; tests that need it are skipped where it is not.
REAL_DATA = Path(os.environ.get("BIDWATCH_REAL_DATA") or REPO.parent / "shared" / "data")


def known_rules():
    """The award rules that come with the program, by id."""
    return rules(Reference().tables("award_rules.toml"))
