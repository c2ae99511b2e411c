"""``bidwatch indicators``: the OCDS red flags of a file, and what could not be computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from detectors.ocds.indicators import Limits
from detectors.ocds.reasons import NOTES, REASONS, TITLES
from detectors.ocds.verdicts import GROUPS, Assessment
from pipelines.commands.nights import REFUSED_ROWS
from pipelines.commands.output import Format, Watching, err, listing, out, print_json
from pipelines.indicators.reading import compute
from pipelines.indicators.releases import Input
from pipelines.indicators.settings import Preparation, load
from reports.cells import terminal

#: Rows of a table for people; JSON and CSV have all.
SHOWN = 20


def indicators(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.jsonl",
            help="One OCDS compiled release a line; .gz and .zst are unpacked.",
            show_default=False,
        ),
    ],
    settings: Annotated[
        Path | None,
        typer.Option(help="INI file as OCDS Cardinal has it; with [R0..] sections, only these are computed."),
    ] = None,
    format: Annotated[
        Format, typer.Option("--format", help="json or csv for programs; table for people.")
    ] = Format.JSON,
) -> None:
    """Compute eleven OCDS red flags, how usual each is among its like, and what could not be computed.

    A flag is a reason to look, never a finding. Where an ocid comes more than once, the last line counts.
    Exit code 1: some lines held no release; they are named and left out.
    """
    limits, preparation = load(settings) if settings else (Limits(), Preparation())
    with Watching() as watching:
        watching(f"reading {file.name}", 0, 1)
        assessment, taken = compute(file, limits, preparation)
    if format is Format.JSON:
        print_json(document(file.name, assessment, taken))
    elif format is Format.CSV:
        flags = _flags(assessment)
        listing("", list(flags.columns), list(flags.itertuples(index=False, name=None)), format)
    else:
        _print_tables(assessment, taken)
    for one in taken.named[:SHOWN]:
        err.print(f"line {one.line}: left out: {terminal(one.reason)} / {one.reason_zh}", soft_wrap=True)
    if taken.left_out:
        err.print(
            f"{file.name}: {taken.left_out.total():,} left out of {taken.lines:,} lines", soft_wrap=True
        )
    if taken.replaced:
        err.print(
            f"{file.name}: {taken.replaced:,} releases have an ocid that comes again further down; only the last"
            " one counts: deliver compiled releases",
            soft_wrap=True,
        )
    if taken.amounts_not_positive:
        err.print(
            f"{file.name}: {taken.amounts_not_positive:,} bid prices are zero or below and count as prices;"
            " if they stand for nothing, set amount = 0 under [redactions]",
            soft_wrap=True,
        )
    for (of, status), count in sorted(taken.unknown_statuses.items())[:SHOWN]:
        err.print(
            f"{file.name}: {count:,} {of}s have the status {terminal(status[:40])!r}, which OCDS does not know; say"
            f" what it means under [codelists.{of}_status]",
            soft_wrap=True,
        )
    raise typer.Exit(REFUSED_ROWS if taken.left_out else 0)


def document(file_name: str, assessment: Assessment, taken: Input) -> dict[str, Any]:
    """Return the JSON result.

    ``OCID``, ``Buyer``, ``ProcuringEntity`` and ``Tenderer`` (where there are flags): id -> code -> number,
    and ``Meta``: code -> quartiles and fences, as OCDS Cardinal has them. ``Reference``: group -> id ->
    code -> the same flag inside its reference class. ``Coverage``: code -> group -> counts. ``Input``:
    what the file held. ``Reasons``: what the codes in ``Coverage`` mean.
    """
    result: dict[str, Any] = {group: {} for group in GROUPS}
    for group, id, code, value in assessment.flags.itertuples(index=False, name=None):
        result[group].setdefault(id, {})[code] = value
    result = {group: found for group, found in result.items() if found}
    reference: dict[str, Any] = {}
    for row in assessment.reference.to_dict("records"):
        group, id, code = row.pop("group"), row.pop("id"), row.pop("code")
        row["fence"] = None if pd.isna(row["fence"]) else row["fence"]
        reference.setdefault(group, {}).setdefault(id, {})[code] = row
    coverage = _coverage(assessment)
    used = {
        one
        for groups in coverage.values()
        for counts in groups.values()
        for one in (*counts["not_computable"], *counts["notes"])
    }
    return {
        **result,
        "Meta": {code: assessment.meta[code] for code in TITLES if code in assessment.meta},
        "Reference": reference,
        "Coverage": coverage,
        "Input": {
            "file": file_name,
            "lines": taken.lines,
            "releases": taken.releases,
            "processes": taken.processes,
            "left_out": dict(sorted(taken.left_out.items())),
            "left_out_lines": [vars(one) for one in taken.named],
            "replaced": taken.replaced,
            "replaced_releases": [
                {"ocid": ocid, "line": line, "used_line": last} for ocid, line, last in taken.named_replaced
            ],
            "amounts_inexact": taken.amounts_inexact,
            "amounts_not_positive": taken.amounts_not_positive,
            "unknown_statuses": [
                {"of": of, "status": status, "count": count}
                for (of, status), count in sorted(taken.unknown_statuses.items())
            ],
        },
        "Reasons": {
            code: {"en": text, "zh": text_zh}
            for code, (text, text_zh) in {**REASONS, **NOTES}.items()
            if code in used
        },
    }


def _coverage(assessment: Assessment) -> dict[str, dict[str, dict[str, Any]]]:
    made: dict[str, dict[str, dict[str, Any]]] = {code: {} for code in TITLES}
    for row in assessment.coverage.to_dict("records"):
        made[row["code"]][row["group"]] = {
            "units": row["units"],
            "applied": row["applied"],
            "flagged": row["flagged"],
            "not_computable": {},
            "reference": {"applied": row["reference_applied"], "flagged": row["reference_flagged"]},
            "notes": [],
        }
    for code, group, reason, units in assessment.not_computable.itertuples(index=False, name=None):
        made[code][group]["not_computable"][reason] = units
    for code, group, note in assessment.notes.itertuples(index=False, name=None):
        made[code][group]["notes"].append(note)
    for groups in made.values():
        for counts in groups.values():
            measured = counts["applied"] + counts["not_computable"].get("FENCE_NOT_POSITIVE", 0)
            counts["reference"]["too_small"] = measured - counts["reference"]["applied"]
    return {code: groups for code, groups in made.items() if groups}


def _flags(assessment: Assessment) -> pd.DataFrame:
    """Return one row a flag, with its reference class where there is one."""
    keys = ["group", "id", "code"]
    own = assessment.reference.drop(columns="value").rename(columns={"flagged": "flagged_in_class"})
    made = assessment.flags.merge(own, on=keys, how="left")
    made.insert(3, "title", made["code"].map({code: " ".join(title) for code, title in TITLES.items()}))
    return made.astype("object").where(made.notna(), None)


def _print_tables(assessment: Assessment, taken: Input) -> None:
    coverage = assessment.coverage
    listing(
        f"Indicators 指标: {taken.processes:,} contracting processes",
        ("code", "indicator 指标", "of", "units", "judged", "flagged", "in class", "flagged"),
        [
            (code, " ".join(TITLES[code]), group, units, applied, flagged, near, flagged_near)
            for code, group, units, applied, flagged, near, flagged_near in coverage.itertuples(
                index=False, name=None
            )
        ],
        Format.TABLE,
    )
    listing(
        "Not computed 未能计算",
        ("code", "of", "units", "why", "原因"),
        [
            (code, group, units, *REASONS[reason])
            for code, group, reason, units in assessment.not_computable.itertuples(index=False, name=None)
        ],
        Format.TABLE,
    )
    many = assessment.flags[assessment.flags["group"] == "OCID"].groupby("id")["code"].agg(list)
    order = sorted(many.items(), key=lambda item: (-len(item[1]), str(item[0])))
    listing(
        f"Contracting processes with most flags 标记最多的项目 ({min(len(order), SHOWN)} of {len(order):,};"
        " all: --format json)",
        ("ocid", "flags", "codes"),
        [(str(ocid)[:60], len(codes), " ".join(codes)) for ocid, codes in order[:SHOWN]],
        Format.TABLE,
    )
    for code, group, note in assessment.notes.itertuples(index=False, name=None):
        out.print(f"{code} {group}: {NOTES[note][0]} / {NOTES[note][1]}")
    out.print("A flag is a reason to look, not a finding. 指标仅供核查参考，不作为认定违法事实的依据。")
