"""May tonight's snapshot be published? Invariants over the whole history, as SQL assertions.

``sql/gates/<name>.sql``: the first comment line says what holds, the line after it the same in
Chinese (``-- zh:``), a third line ``-- warning`` makes it a warning; the query counts violations.
A count that is not zero closes the gate: Great Expectations, which refuses rows, would only be loaded here to say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

FOLDER = Path(__file__).parent / "sql" / "gates"


@dataclass(frozen=True)
class Gate:
    """One invariant and how often it is broken."""

    name: str
    holds: str
    holds_zh: str
    is_warning: bool
    violations: int

    @property
    def passed(self) -> bool:
        """True when nothing breaks it."""
        return not self.violations

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
        is_warning = "warning" in comments
        counted.append(Gate(path.stem, comments[0], zh, is_warning, violations))
    return counted
