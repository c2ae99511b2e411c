"""``bidwatch indicators``: the OCDS red flags of a file, and what could not be computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Never

import pandas as pd
import typer

from detectors.ocds.reasons import NOTES, REASONS, TITLES
from detectors.ocds.verdicts import GROUPS, Assessment
from pipelines.commands.exits import REFUSED_ROWS
from pipelines.commands.options import Format, FormatOption, LangOption, Panel
from pipelines.commands.output import Watching, err, listing, out, print_json
from pipelines.commands.texts import Both, Lang
from pipelines.indicators.coverage import coverage as coverage_of
from pipelines.indicators.reading import Result, compute
from pipelines.indicators.releases import STDIN, STDIN_NAME, UNUSED, Input
from pipelines.indicators.settings import Settings, load
from reports.cells import terminal

#: Rows of a table for people; JSON and CSV have all.
SHOWN = 20


LEFT_OUT_AT = Both("{place} 未采用：{reason}", "{place}: left out: {reason}")
LEFT_OUT = Both("{file}：{found} 条记录中 {count} 条未采用", "{file}: {count} left out of {found} records")
REPLACED = Both(
    "{file}：{count} 条记录的 ocid 在后文重复出现，只采用最后一条；请提供汇编记录（compiled release）",
    "{file}: {count} releases have an ocid that comes again further down; only the last one counts:"
    " deliver compiled releases",
)
UNUSED_VALUES = Both(
    "{file}：{count} 个值按缺失处理：{why}", "{file}: {count} values count as missing: {why}"
)
NOT_SUPPORTED = Both(
    "{file}：不支持的设置节未采用：{sections}",
    "{file}: sections that are not supported and change nothing: {sections}",
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
COVERAGE = Both("字段填写次数", "How often each field is filled")
COVERAGE_HEADINGS = Both(("路径", "次数"), ("path", "count"))
NO_FINDING = Both(
    "指标仅供核查参考，不作为认定违法事实的依据。", "A flag is a reason to look, not a finding."
)

app = typer.Typer()


@app.command(rich_help_panel=Panel.SIGNALS)
def indicators(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            help="OCDS compiled releases, one a line, or packages, records, arrays of them; .gz and .zst are"
            " unpacked; - is standard input.",
            show_default=False,
        ),
    ],
    settings: Annotated[
        Path | None,
        typer.Option(
            "--settings",
            "-s",
            help="INI file as OCDS Cardinal has it; with [R0..] sections, only these are computed.",
        ),
    ] = None,
    count: Annotated[
        bool,
        typer.Option("--count", "-c", help="Say on standard error how many ids of each group have results."),
    ] = False,
    no_meta: Annotated[
        bool, typer.Option("--no-meta", help="Leave out the quartiles and fences (Meta).")
    ] = False,
    map: Annotated[
        bool, typer.Option("--map", help="Add which organisations are behind the results, by ocid (Maps).")
    ] = False,
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage", help="Compute nothing: count how often each field is filled, by its path."
        ),
    ] = False,
    format: FormatOption = Format.JSON,
    lang: LangOption = Lang.EN,
) -> None:
    """Compute eleven OCDS red flags, how usual each is among its like, and what could not be computed.

    A flag is a reason to look, never a finding. Where an ocid comes more than once, the last one counts.
    Exit code 1: some records held no release; they are named and left out.
    """
    if coverage:
        _cover(files, format, lang)
    chosen = load(settings) if settings else Settings()
    if settings and chosen.not_supported:
        sections = ", ".join(f"[{terminal(one[:40])}]" for one in chosen.not_supported[:SHOWN])
        err.print(NOT_SUPPORTED.in_(lang).format(file=settings.name, sections=sections), soft_wrap=True)
    with Watching() as watching:
        watching(f"reading {', '.join(_name(file) for file in files)}", 0, 1)
        result = compute(files, chosen.limits, chosen.preparation, with_maps=map)
    if format is Format.JSON:
        print_json(document(result, with_meta=not no_meta))
    elif format is Format.CSV:
        flags = _flags(result.assessment)
        listing("", list(flags.columns), list(flags.itertuples(index=False, name=None)), format)
    else:
        _print_tables(result.assessment, result.taken, lang)
    if count:
        for group, ids in result.assessment.flags.groupby("group", sort=False)["id"]:
            err.print(f"{group}: {ids.nunique()}")
    _warn(result.taken, lang)
    raise typer.Exit(REFUSED_ROWS if result.taken.left_out else 0)


def _cover(files: list[Path], format: Format, lang: Lang) -> Never:
    counts, taken = coverage_of(files)
    if format is Format.JSON:
        print_json(counts)
    else:
        listing(COVERAGE.in_(lang), COVERAGE_HEADINGS.in_(lang), list(counts.items()), format)
    _warn(taken, lang)
    raise typer.Exit(REFUSED_ROWS if taken.left_out else 0)


def _name(file: Path) -> str:
    return STDIN_NAME if str(file) == STDIN else file.name


def _warn(taken: Input, lang: Lang) -> None:
    """Say what of the files was left out, and what stands in them that is hardly meant."""
    file = taken.files[0] if len(taken.files) == 1 else f"{len(taken.files)} files"

    def say(text: Both[str], **values: object) -> None:
        shown = {name: f"{value:,}" if isinstance(value, int) else value for name, value in values.items()}
        err.print(text.in_(lang).format(**shown), soft_wrap=True)

    for one in taken.named[:SHOWN]:
        reason = Both(one.reason_zh, terminal(one.reason)).in_(lang)
        say(LEFT_OUT_AT, place=terminal(one.place), reason=reason)
    if taken.left_out:
        say(LEFT_OUT, file=file, count=taken.left_out.total(), found=taken.found)
    if taken.replaced:
        say(REPLACED, file=file, count=taken.replaced)
    for code, many in sorted(taken.unused.items()):
        say(UNUSED_VALUES, file=file, count=many, why=_of(UNUSED[code], lang))
    if taken.amounts_not_positive:
        say(NOT_POSITIVE, file=file, count=taken.amounts_not_positive)
    for (of, status), many in sorted(taken.unknown_statuses.items())[:SHOWN]:
        say(UNKNOWN_STATUS, file=file, count=many, of=of, status=terminal(status[:40]))


def document(result: Result, *, with_meta: bool = True) -> dict[str, Any]:
    """Return the JSON result.

    ``OCID``, ``Buyer``, ``ProcuringEntity`` and ``Tenderer`` (where there are flags): id -> code -> number,
    ``Meta``: code -> quartiles and fences, and ``Maps``: which organisations are behind them, as OCDS
    Cardinal has them. ``Reference``: group -> id ->
    code -> the same flag inside its reference class. ``Coverage``: code -> group -> counts. ``Input``:
    what the files held. ``Reasons``: what the codes in ``Coverage`` mean.
    """
    assessment, taken = result.assessment, result.taken
    groups_found: dict[str, Any] = {group: {} for group in GROUPS}
    for group, id, code, value in assessment.flags.itertuples(index=False, name=None):
        groups_found[group].setdefault(id, {})[code] = value
    meta = {code: assessment.meta[code] for code in TITLES if code in assessment.meta}
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
        **{group: found for group, found in groups_found.items() if found},
        **({"Meta": meta} if with_meta else {}),
        **({"Maps": result.maps} if result.maps is not None else {}),
        "Reference": reference,
        "Coverage": coverage,
        "Input": {
            "files": taken.files,
            "found": taken.found,
            "releases": taken.releases,
            "processes": taken.processes,
            "left_out": dict(sorted(taken.left_out.items())),
            "left_out_places": [vars(one) for one in taken.named],
            "replaced": taken.replaced,
            "replaced_releases": [
                {"ocid": ocid, "place": place, "used_place": last}
                for ocid, place, last in taken.named_replaced
            ],
            "values_unused": dict(sorted(taken.unused.items())),
            "amounts_not_positive": taken.amounts_not_positive,
            "unknown_statuses": [
                {"of": of, "status": status, "count": count}
                for (of, status), count in sorted(taken.unknown_statuses.items())
            ],
        },
        "Reasons": {
            code: {"en": text, "zh": text_zh}
            for code, (text, text_zh) in {**REASONS, **NOTES, **UNUSED}.items()
            if code in used or code in taken.unused
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
