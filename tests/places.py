"""Where the tests find the project and, if it lies there, real data."""

import os
from pathlib import Path

REPO = Path(__file__).parents[1]
SAMPLE = REPO / "data" / "sample"

#: Real procurement data; tests that need it are skipped where it is not.
REAL_DATA = Path(os.environ.get("BIDWATCH_REAL_DATA") or REPO.parent / "shared" / "data")
