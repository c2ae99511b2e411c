"""Reference data: facts that the program looks up, one folder, one loader."""

from __future__ import annotations

from pathlib import Path

#: What comes with the program.
SHIPPED = Path(__file__).parents[1] / "data" / "reference"
