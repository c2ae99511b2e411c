"""``bidwatch indicators``: the OCDS red flags of a file, and what could not be computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from detectors.ocds.indicators import Limits
from detectors.ocds.reasons import NOTES, REASONS, TITLES
from detectors.ocds.verdicts import GROUPS, Assessment
from pipelines.commands.exits import REFUSED_ROWS
from pipelines.commands.options import Format, FormatOption, LangOption, Panel
from pipelines.commands.output import Watching, err, listing, out, print_json
from pipelines.commands.texts import Both, Lang
from pipelines.indicators.reading import compute
from pipelines.indicators.releases import Input
from pipelines.indicators.settings import Preparation, load
from reports.cells import terminal

#: Rows of a table for people; JSON and CSV have all.
SHOWN = 20


LEFT_OUT_LINE = Both("第 {line} 行未采用：{reason}", "line {line}: left out: {reason}")
LEFT_OUT = Both("{file}：{lines} 行中 {count} 行未采用", "{file}: {count} left out of {lines} lines")
REPLACED = Both(
    "{file}：{count} 条记录的 ocid 在后文重复出现，只采用最后一条；请提供汇编记录（compiled release）",
    "{file}: {count} releases have an ocid that comes again further down; only the last one counts:"
    " deliver compiled releases",
)
NOT_POSITIVE = Both(
    "{file}：{count} 个投标报价为零或负数，按报价计算；如无实际含义，请在 [redactions] 中设 amount = 0",
    "{file}: {count} bid prices are zero or below and count as prices; if they stand for nothing, set"
    " amount = 0 under [redactions]",
)
UNKNOWN_STATUS = Both(
    "{file}：{count} 个 {of} 的状态 {status!r} 不是 OCDS 状态；请在 [codelists.{of}_status] 中说明其含义",
    "{file}: {count} {of}s have the status {status!r}, which OCDS does not know; say what it means under"
    " [codelists.{of}_status]",
)
INDICATORS = Both("指标：{count} 个采购项目", "Indicators: {count} contracting processes")
INDICATOR_HEADINGS = Both(
    ("编号", "指标", "对象", "单元数", "可判定", "标记", "类内可判定", "类内标记"),
    ("code", "indicator", "of", "units", "judged", "flagged", "in class", "flagged"),
)
NOT_COMPUTED = Both("未能计算", "Not computed")
NOT_COMPUTED_HEADINGS = Both(("编号", "对象", "单元数", "原因"), ("code", "of", "units", "why"))
MOST = Both(
    "标记最多的采购项目（{shown} / {all}；全部：--format json）",
    "Contracting processes with most flags ({shown} of {all}; all: --format json)",
)
MOST_HEADINGS = Both(("ocid", "标记数", "指标编号"), ("ocid", "flags", "codes"))
NOTE = Both("{code} {of}：{note}", "{code} {of}: {note}")
NO_FINDING = Both(
    "指标仅供核查参考，不作为认定违法事实的依据。", "A flag is a reason to look, not a finding."
)

app = typer.Typer()


@app.command(rich_help_panel=Panel.SIGNALS)
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
    format: FormatOption = Format.JSON,
    lang: LangOption = Lang.EN,
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
        _print_tables(assessment, taken, lang)
    _warn(file.name, taken, lang)
    raise typer.Exit(REFUSED_ROWS if taken.left_out else 0)


def _warn(file: str, taken: Input, lang: Lang) -> None:
    """Say what of a file was left out, and what stands in it that is hardly meant."""
    for one in taken.named[:SHOWN]:
        reason = Both(one.reason_zh, terminal(one.reason)).in_(lang)
        err.print(LEFT_OUT_LINE.in_(lang).format(line=one.line, reason=reason), soft_wrap=True)
    if taken.left_out:
        count, lines = f"{taken.left_out.total():,}", f"{taken.lines:,}"
        err.print(LEFT_OUT.in_(lang).format(file=file, count=count, lines=lines), soft_wrap=True)
    if taken.replaced:
        err.print(REPLACED.in_(lang).format(file=file, count=f"{taken.replaced:,}"), soft_wrap=True)
    if taken.amounts_not_positive:
        count = f"{taken.amounts_not_positive:,}"
        err.print(NOT_POSITIVE.in_(lang).format(file=file, count=count), soft_wrap=True)
    for (of, status), many in sorted(taken.unknown_statuses.items())[:SHOWN]:
        said = UNKNOWN_STATUS.in_(lang).format(
            file=file, count=f"{many:,}", of=of, status=terminal(status[:40])
        )
        err.print(said, soft_wrap=True)


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


def _print_tables(assessment: Assessment, taken: Input, lang: Lang) -> None:
    listing(
        INDICATORS.in_(lang).format(count=f"{taken.processes:,}"),
        INDICATOR_HEADINGS.in_(lang),
        [
            (code, _of(TITLES[code], lang), group, units, applied, flagged, near, flagged_near)
            for code, group, units, applied, flagged, near, flagged_near in assessment.coverage.itertuples(
                index=False, name=None
            )
        ],
        Format.TABLE,
    )
    listing(
        NOT_COMPUTED.in_(lang),
        NOT_COMPUTED_HEADINGS.in_(lang),
        [
            (code, group, units, _of(REASONS[reason], lang))
            for code, group, reason, units in assessment.not_computable.itertuples(index=False, name=None)
        ],
        Format.TABLE,
    )
    many = assessment.flags[assessment.flags["group"] == "OCID"].groupby("id")["code"].agg(list)
    order = sorted(many.items(), key=lambda item: (-len(item[1]), str(item[0])))
    listing(
        MOST.in_(lang).format(shown=min(len(order), SHOWN), all=f"{len(order):,}"),
        MOST_HEADINGS.in_(lang),
        [(str(ocid)[:60], len(codes), " ".join(codes)) for ocid, codes in order[:SHOWN]],
        Format.TABLE,
    )
    for code, group, note in assessment.notes.itertuples(index=False, name=None):
        out.print(NOTE.in_(lang).format(code=code, of=group, note=_of(NOTES[note], lang)))
    out.print(NO_FINDING.in_(lang))


def _of(texts: tuple[str, str], lang: Lang) -> str:
    """Return one of the texts that `detectors.ocds.reasons` has in English and Chinese."""
    english, chinese = texts
    return Both(chinese, english).in_(lang)
