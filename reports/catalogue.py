"""Writes ``detectors/CATALOGUE.md`` from the detectors themselves.

``python -m reports.catalogue`` writes it; with ``--check`` nothing is written and the exit code is 1
when the file is not what it would be.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from detectors import registry
from detectors.registry import Loaded

ROOT = Path(__file__).parents[1]
CATALOGUE = ROOT / "detectors" / "CATALOGUE.md"
LEGAL_BASIS = ROOT / "data" / "reference" / "legal_basis.csv"

HEAD = """# Detectors

Written by `python -m reports.catalogue` from the detectors; do not edit.

A signal is a clue (线索) with measured numbers, never a finding. Grade: how strong the evidence is in
law (A a statutory presumption, rebuttable; B a strong indicator; C ranks and corroborates only).
Severity: how serious if true. Status: how far the detector itself is trusted. Limits are those in
force here; `detectors/thresholds.toml` changes them.
"""


def catalogue(detectors: list[Loaded], laws: Mapping[str, Mapping[str, str]]) -> str:
    """Return the catalogue as Markdown.

    Args:
        detectors: every detector with its limits in force.
        laws: rows of ``legal_basis.csv`` by ``basis_id``.
    """
    rows = [
        f"| [{d.id}](#{_anchor(d.id)}) | {d.facts.title_zh} | {d.facts.title} | {d.facts.grade} "
        f"| {d.facts.severity} | {d.status} |"
        for d in detectors
    ]
    table = [
        "| detector | 名称 | what is seen | grade | severity | status |",
        "|---|---|---|---|---|---|",
        *rows,
    ]
    return "\n".join([HEAD, *table, ""] + [_section(d, laws) for d in detectors])


def main() -> int:
    """Write the catalogue, or check that it is up to date."""
    parser = argparse.ArgumentParser(description="Write detectors/CATALOGUE.md from the detectors.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    check = parser.parse_args().check
    with LEGAL_BASIS.open(encoding="utf-8", newline="") as file:
        laws = {row["basis_id"]: row for row in csv.DictReader(file)}
    text = catalogue(registry.load(), laws)
    if not check:
        CATALOGUE.write_text(text, encoding="utf-8")
        return 0
    if CATALOGUE.exists() and CATALOGUE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write("detectors/CATALOGUE.md is not up to date; run: python -m reports.catalogue\n")
    return 1


def _section(detector: Loaded, laws: Mapping[str, Mapping[str, str]]) -> str:
    facts = detector.facts
    limits = asdict(detector.limits)  # type: ignore[call-overload]
    values = limits | detector.module.EXAMPLE
    law = [
        f"- `{id}` {row['instrument']}{row['article']}：{row['gist_zh']} ({row['gist_en']})"
        for id, row in ((id, laws[id]) for id in facts.legal_basis)
    ]
    return "\n".join(
        [
            f"## {detector.id}",
            "",
            f"**{facts.title_zh}** · {facts.title}"
            f" · grade {facts.grade} · severity {facts.severity} · {detector.status}",
            "",
            _prose(inspect.cleandoc(str(detector.module.__doc__))),
            "",
            f"**Measures** {facts.measures}; one row per {facts.unit.replace('_', ' and ')}.",
            "",
            "**Legal basis**",
            "",
            *(law or ["- none: corroborates only"]),
            "",
            "**Rests on** " + ", ".join(f"`core.{column}`" for column in facts.evidence),
            "",
            "**Cannot judge**, in this order: "
            + "; ".join(f"{need.lack} ({need.lack_zh})" for need in detector.needs),
            "",
            "| limit | value | meaning |",
            "|---|---|---|",
            *(f"| `{name}` | {limits[name]} | {meaning} |" for name, meaning in _meanings(detector).items()),
            "",
            f"> {facts.says.format(**values)}",
            ">",
            f"> {facts.says_zh.format(**values)}",
            "",
        ]
    )


def _meanings(detector: Loaded) -> dict[str, str]:
    """Return the comment behind every limit."""
    source = inspect.getsource(detector.module.Limits)
    found = dict(re.findall(r"^    (\w+): [^#\n]+#\s*(.+)$", source, re.MULTILINE))
    return {field.name: found.get(field.name, "") for field in fields(detector.module.Limits)}


def _prose(doc: str) -> str:
    """Return a detector's docstring as Markdown: section heads in bold, text without indent."""
    return re.sub(r"^(\w[\w ]+)\n    ", r"**\1**\n\n    ", doc, flags=re.MULTILINE).replace("\n    ", "\n")


def _anchor(id: str) -> str:
    return id.replace(".", "")


if __name__ == "__main__":
    sys.exit(main())
