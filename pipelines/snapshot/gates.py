"""May tonight's snapshot be published? Invariants over the whole history, as SQL assertions.

``sql/gates/<name>.sql``: the first comment line says what holds, the line after it the same in
Chinese (``-- zh:``), a third line ``-- warning`` makes it a warning; the query counts violations.
The counts are validated by Great Expectations, like everything else that may be refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

FOLDER = Path(__file__).parent / "sql" / "gates"


@dataclass(frozen=True)
class Gate:
    """One invariant and how often it is broken."""

    name: str
    holds: str
    holds_zh: str
    is_warning: bool
    violations: int
    passed: bool

    @property
    def blocks(self) -> bool:
        """True when tonight's snapshot may not be published because of it."""
        return not self.passed and not self.is_warning


def check(con: duckdb.DuckDBPyConnection) -> list[Gate]:
    """Count the violations of every gate in an unpublished snapshot."""
    counted = []
    for path in sorted(FOLDER.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        comments = [line[2:].strip() for line in text.splitlines() if line.startswith("--")]
        zh = next(line[3:].strip() for line in comments if line.startswith("zh:"))
        violations = int(con.execute(text).fetchall()[0][0])
        counted.append((path.stem, comments[0], zh, "warning" in comments, violations))
    from pipelines.intake.checking import broken_gates  # loads great_expectations

    broken = broken_gates(
        pd.DataFrame({"gate": [row[0] for row in counted], "violations": [row[4] for row in counted]})
    )
    return [Gate(*row, passed=row[0] not in broken) for row in counted]
