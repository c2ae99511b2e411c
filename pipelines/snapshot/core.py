"""The core tables of a snapshot, which detectors and people read: one SQL file a table, built from the stage tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import duckdb
import networkx as nx

from pipelines.snapshot import joint_ventures, linking, stage

#: ``<table>.sql`` creates ``core.<table>``; its first comment lines say grain, key and units.
FOLDER = Path(__file__).parent / "sql" / "core"


@cache
def tables() -> tuple[str, ...]:
    """Return the core tables in the order in which they are built.

    A table comes after the core tables that its SQL names; otherwise the order is alphabetical.

    Raises:
        ValueError: a file names a core table that has no file, or tables need each other.
    """
    order = nx.DiGraph()
    for path in FOLDER.glob("*.sql"):
        order.add_node(path.stem)
        code = re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        for named in set(re.findall(r"\bcore\.(\w+)", code)) - {path.stem}:
            if not (FOLDER / f"{named}.sql").is_file():
                raise ValueError(f"{path.name}: names core.{named}, but there is no {named}.sql beside it")
            order.add_edge(named, path.stem)
    if circles := sorted(min(nx.simple_cycles(order), default=[], key=len)):
        raise ValueError(f"{FOLDER}: the core tables {', '.join(circles)} need each other")
    return tuple(nx.lexicographical_topological_sort(order))


def build(con: duckdb.DuckDBPyConnection) -> None:
    """Build every core table from the stage tables."""
    joint_ventures.name_members(con)
    linking.link(con)
    stage.find_openings(con)
    for table in tables():
        con.execute(f"DROP TABLE IF EXISTS core.{table}")
        con.execute((FOLDER / f"{table}.sql").read_text(encoding="utf-8"))
