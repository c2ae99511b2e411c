"""What ``sources check`` says: what each file would load, what it lacks, and where several files contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines import duck, night_report
from pipelines.commands.options import Format
from pipelines.commands.output import err, listing, out
from pipelines.commands.texts import AND, Both, Lang, word
from pipelines.intake.file_report import FileReport, SectionReport, never_mapped
from pipelines.intake.mapping import Mapping
from pipelines.intake.schema import DERIVED, GUARDED, Column, table_schemas
from pipelines.snapshot import stage
from pipelines.values import masking
from pipelines.values.literals import listed, quoted

SAMPLES = 3
REASONS_SHOWN = 10
#: An opening before this day hides nothing: a check is made by those who have the file.
_LAST_DAY = "9999-12-31 00:00:00"

WHOLE_FILE = Both("{file}：拒收，{code}：{reason}", "{file}: refused, {code}: {reason}")
NOTE = Both("提示：{note}", "note: {note}")
NEVER = Both(
    "注意：此映射未填写{name_zh}（{column}）：{cost}", "WARNING: this mapping never fills {column}: {cost}"
)
LACK = Both(
    "注意：{file} {section} 未找到{name_zh}（{column}）：{cost}",
    "WARNING: {file} {section}: {column} was not found: {cost}",
)
RECORDS = Both("{file}：{count} 条记录", "{file}: {count} records")
SECTION_HEADINGS = Both(
    ("部分", "记录", "拒收", "数据表", "未使用的列", "未找到的列"),
    ("section", "records", "refused", "tables", "columns not used", "columns not found"),
)
COLUMNS = Both("{file} {section}：各列", "{file} {section}: columns")
COLUMN_HEADINGS = Both(
    ("列", "名称", "文件中的列", "有值", "样例", "无法识别"),
    ("column", "name", "in the file", "filled", "samples", "not read"),
)
NOT_SHOWN = Both("（不显示）", "(not shown)")
CONSTANT = Both("（固定值）", "(constant)")
EMPTY = Both("占位值按空值处理", "Placeholders read as empty")
EMPTY_HEADINGS = Both(("部分", "列", "行数"), ("section", "column", "rows"))
SCHEMAS = Both("数据规范", "Table schemas")
CONTRACT_HEADINGS = Both(
    ("数据表", "列", "代码", "程度", "行数", "原因"),
    ("table", "column", "code", "severity", "rows", "reason"),
)
SEVERITIES_ZH = {"critical": "拒收", "warning": "提示"}
REASONS = Both("拒收原因（最多的 {count} 种）", "Reasons of refusal (the {count} commonest)")
REASON_HEADINGS = Both(("代码", "原因", "条数", "首处"), ("code", "reason", "count", "first at"))
REFUSED = Both("拒收的记录（前 {count} 条）", "Refused rows (the first {count})")
REFUSED_HEADINGS = Both(("位置", "列", "代码", "原因"), ("where", "column", "code", "reason"))
TOGETHER = Both("合并后", "All of it together")
TOGETHER_HEADINGS = Both(
    ("文件", "采用", "重复", "有分歧"), ("file", "taken", "duplicates", "in conflict as a whole")
)
CONFLICTS = Both(
    "同一单元格有不同内容，均不采用（共 {count} 处，列出前 {shown} 种内容）",
    "Cells with different contents, of which none is used ({count} cells, the first {shown} contents)",
)
CONFLICT_HEADINGS = Both(
    ("数据表", "记录", "列", "内容", "位置"), ("table", "record", "column", "value", "where")
)
MORE = Both("，另有 {more} 处", ", {more} more")
AT = Both("{file} {section} 第 {row} 行", "{file} {section} row {row}")


@dataclass(frozen=True)
class Checked:
    """One file that was read for the check, and the folder of its bronze."""

    file: str
    folder: Path
    report: FileReport

    @property
    def is_refused(self) -> bool:
        """Tell whether the whole file is refused."""
        return self.report.state == "refused"

    @property
    def has_findings(self) -> bool:
        """Tell whether a record is refused or a column is lacking that much depends on."""
        return bool(self.report.refused or any(section.lacks() for section in self.report.sections))


def print_mapping(mapping: Mapping, lang: Lang) -> None:
    """Say once what the mapping never fills, whatever the file."""
    mapped = {f"{rule.table}.{name}" for rule in mapping.records for name in rule.columns}
    for lack in never_mapped(mapped):
        cost = Both(lack.cost_zh, lack.cost).in_(lang)
        out.print(NEVER.in_(lang).format(name_zh=lack.name_zh, column=lack.column, cost=cost))


def print_file(checked: Checked, zone: str, rows: int, lang: Lang) -> None:
    """Print what of one file would load and what not; ``zone`` is the sender's time zone."""
    report = checked.report
    if checked.is_refused:
        reason = Both(report.reason_zh, report.reason).in_(lang)
        err.print(WHOLE_FILE.in_(lang).format(file=checked.file, code=report.code, reason=reason))
        return
    for section in report.sections:
        for lack in section.lacks():
            cost = Both(lack.cost_zh, lack.cost).in_(lang)
            out.print(
                LACK.in_(lang).format(
                    file=checked.file,
                    section=section.name,
                    name_zh=lack.name_zh,
                    column=lack.column,
                    cost=cost,
                )
            )
    for note in report.notes:
        out.print(NOTE.in_(lang).format(note=note))
    _print_sections(checked, lang)
    for section in report.sections:
        if filled := list(_columns(checked.folder, section, zone, lang)):
            title = COLUMNS.in_(lang).format(file=checked.file, section=section.name)
            listing(title, COLUMN_HEADINGS.in_(lang), filled, Format.TABLE)
    _print_account(report, lang)
    if (checked.folder / "refused.parquet").is_file():
        _print_refused(checked.folder / "refused.parquet", rows, lang)


def _print_sections(checked: Checked, lang: Lang) -> None:
    report = checked.report
    listing(
        RECORDS.in_(lang).format(file=checked.file, count=f"{report.records:,}"),
        SECTION_HEADINGS.in_(lang),
        [
            (
                section.name,
                section.records,
                section.refused,
                *(
                    AND.in_(lang).join(names)
                    for names in (section.tables, section.unknown_columns, _harmless(section))
                ),
            )
            for section in report.sections
        ],
        Format.TABLE,
    )


def _harmless(section: SectionReport) -> list[str]:
    said = {lack.column for lack in section.lacks()}
    return [name for name in section.missing_columns if name not in said]


def _columns(folder: Path, section: SectionReport, zone: str, lang: Lang) -> Iterator[tuple[object, ...]]:
    """Yield, column by column of ours: where it comes from, in how many rows it is filled, samples, what was not read."""
    for table in section.tables:
        schema, path = table_schemas()[table], folder / f"{table}.parquet"
        for column in schema.columns.values():
            sources = section.columns.get(f"{table}.{column.name}")
            if sources is None:
                continue
            filled, samples = 0, list[str]()
            if path.is_file():
                filled, samples = _seen(path, section.name, column, zone)
            if filled and (column.type in GUARDED or any(map(masking.may_be_personal, samples))):
                samples = [NOT_SHOWN.in_(lang)]
            count, example = section.unread.get(f"{table}.{column.name}", (0, ""))
            yield (
                f"{table}.{column.name}",
                column.zh,
                AND.in_(lang).join(sources) or CONSTANT.in_(lang),
                filled,
                AND.in_(lang).join(samples),
                (f"{count:,} ({example})" if example else f"{count:,}") if count else "",
            )


def _seen(path: Path, section: str, column: Column, zone: str) -> tuple[int, list[str]]:
    """Return in how many rows a column is filled, and its first different values as a person reads them."""
    value = _readable(column.type, f"CAST({column.name} AS VARCHAR)", zone)
    with closing(duck.connect()) as con:
        rows = con.execute(
            f"""
            WITH filled AS (
                SELECT {value} AS value, raw_row FROM read_parquet($path)
                WHERE raw_section = $section AND {column.name} IS NOT NULL
            )
            SELECT value, count(*), sum(count(*)) OVER () FROM filled
            GROUP BY value ORDER BY min(raw_row) LIMIT {SAMPLES}
            """,
            {"path": str(path), "section": section},
        ).fetchall()
    return (int(rows[0][2]) if rows else 0), [value for value, _, _ in rows]


def _readable(type: str, text: str, zone: str) -> str:
    """SQL of a stored value, given as text, as a person reads it: amounts without idle zeros, times in the sender's zone."""
    if type in ("money", "score"):
        return rf"regexp_replace({text}, '\.?0+$', '')"
    if type == "timestamp":
        return f"CAST(timezone({quoted(zone)}, timezone('UTC', CAST({text} AS TIMESTAMP))) AS VARCHAR)"
    return text


def _readable_cell(zone: str) -> str:
    """SQL of ``value``, the content of column ``column_name`` of ``table_name``, as a person reads it."""
    names: dict[str, list[str]] = {}
    for schema in table_schemas().values():
        for column in schema.columns.values():
            names.setdefault(column.type, []).append(f"{schema.table}.{column.name}")
    cases = " ".join(
        f"WHEN table_name || '.' || column_name IN ({listed(names[type])}) THEN {_readable(type, 'value', zone)}"
        for type in ("money", "score", "timestamp")
    )
    return f"CASE {cases} ELSE value END"


def _print_account(report: FileReport, lang: Lang) -> None:
    """Print what was read as empty, and which rules were broken."""
    empty = [
        (section.name, column, count)
        for section in report.sections
        for column, count in section.read_as_empty.items()
    ]
    if empty:
        listing(EMPTY.in_(lang), EMPTY_HEADINGS.in_(lang), empty, Format.TABLE)
    broken = [each for each in report.expectations if each["unexpected"]]
    if broken:
        listing(
            SCHEMAS.in_(lang),
            CONTRACT_HEADINGS.in_(lang),
            [
                (
                    each["table"],
                    each["column"],
                    each["code"],
                    word(SEVERITIES_ZH, str(each["severity"]), lang),
                    each["unexpected"],
                    Both(each["reason_zh"], each["reason"]).in_(lang),
                )
                for each in broken
            ],
            Format.TABLE,
        )


def _print_refused(path: Path, rows: int, lang: Lang) -> None:
    """Print the commonest reasons of refusal and the first refused rows of a file."""
    reasons = night_report.refusals_in([str(path)])[:REASONS_SHOWN]
    listing(
        REASONS.in_(lang).format(count=len(reasons)),
        REASON_HEADINGS.in_(lang),
        [
            (each.code, Both(each.reason_zh, each.reason).in_(lang), each.count, each.example)
            for each in reasons
        ],
        Format.TABLE,
    )
    with closing(duck.connect()) as con:
        shown = con.execute(
            "SELECT raw_path, column_name, code, reason, reason_zh FROM read_parquet($path)"
            " ORDER BY raw_section, raw_row LIMIT $rows",
            {"path": str(path), "rows": rows},
        ).fetchall()
    listing(
        REFUSED.in_(lang).format(count=len(shown)),
        REFUSED_HEADINGS.in_(lang),
        [(place, column, code, Both(zh, en).in_(lang)) for place, column, code, en, zh in shown],
        Format.TABLE,
    )


def print_together(files: Sequence[Checked], zone: str, rows: int, lang: Lang) -> bool:
    """Print what files repeat of each other and where they contradict each other, or themselves. Tells whether they do."""
    with closing(duck.connect()) as con:
        tables = _published(con, files)
        places = {each.report.raw_sha: place for place, each in reversed(list(enumerate(files)))}
        arrivals = [stage.Arrival(raw_sha, place, zone) for raw_sha, place in places.items()]
        stage.load(con, tables, arrivals, _LAST_DAY)
        account = stage.account(con)
        cells = con.execute(
            f"""
            SELECT table_name, record_key, column_name, {_readable_cell(zone)},
                   first(raw_sha {_FIRST}), first(raw_section {_FIRST}), first(raw_row {_FIRST}), count(*) - 1
            FROM stage.conflicts JOIN stage.arrivals USING (raw_sha)
            GROUP BY table_name, record_key, column_name, value
            ORDER BY table_name, record_key, column_name, min(arrival), min(raw_row)
            """
        ).fetchall()
    if len(files) > 1:
        counts = [[account.get(each.report.raw_sha, {}).get(fate, 0) for fate in _FATES] for each in files]
        listing(
            TOGETHER.in_(lang),
            TOGETHER_HEADINGS.in_(lang),
            [(each.file, *of_file) for each, of_file in zip(files, counts, strict=True)],
            Format.TABLE,
        )
    names = {each.report.raw_sha: each.file for each in reversed(files)}
    cells = [cell for cell in cells if _is_of_a_column(cell[0], cell[2])]
    if cells:
        disputed = len({cell[:3] for cell in cells})
        listing(
            CONFLICTS.in_(lang).format(count=f"{disputed:,}", shown=min(rows, len(cells))),
            CONFLICT_HEADINGS.in_(lang),
            [_conflict(names, lang, *cell) for cell in cells[:rows]],
            Format.TABLE,
        )
    return bool(cells) or any(of_file["conflict"] for of_file in account.values())


def _published(con: duckdb.DuckDBPyConnection, files: Sequence[Checked]) -> dict[str, list[Path]]:
    """Return the typed rows of the files by table, as if all were public: a contradiction does not wait for an opening."""
    tables: dict[str, list[Path]] = {}
    for place, each in enumerate(files):
        for path in sorted(each.folder.glob("*.parquet")):
            if path.stem in table_schemas():
                shown = each.folder.parent / f"{place}_{path.name}"
                con.execute(
                    f"COPY (SELECT * REPLACE (TRUE AS is_public) FROM read_parquet({quoted(str(path))}))"
                    f" TO {quoted(str(shown))}"
                )
                tables.setdefault(path.stem, []).append(shown)
    return tables


#: Of equal values the one that was delivered first, as an order inside an aggregate.
_FIRST = "ORDER BY arrival, raw_section, raw_row"
_FATES = ("loaded", "duplicate", "conflict")


def _is_of_a_column(table: str, name: str) -> bool:
    """Tell whether a column comes from the file; what is derived from it would say the same again."""
    column = table_schemas()[table].columns.get(name)
    return column is not None and column.type not in DERIVED


def _conflict(
    names: dict[str, str],
    lang: Lang,
    table: str,
    key: str,
    name: str,
    value: str,
    raw_sha: str,
    section: str,
    row: int,
    more: int,
) -> tuple[str, ...]:
    is_hidden = table_schemas()[table].columns[name].type in GUARDED or masking.may_be_personal(value)
    return (
        table,
        " / ".join(part for part in key.split("\x1f") if part),
        name,
        NOT_SHOWN.in_(lang) if is_hidden else value,
        AT.in_(lang).format(file=names[raw_sha], section=section, row=row)
        + (MORE.in_(lang).format(more=f"{more:,}") if more else ""),
    )
