"""The first mapping of a new sender: a draft in TOML whose guesses are marked for a person to confirm.

Every line that a machine only believes ends with ``# 待确认: … / to confirm``; what it must not choose (the unit of a
price) is a line that is commented out. No sample is shown of what may be personal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipelines import duck
from pipelines.intake import first_splits, vocabulary
from pipelines.intake.bronze import load_references
from pipelines.intake.file_report import never_mapped
from pipelines.intake.first_look import FirstLook, heading, look, toml
from pipelines.intake.first_tables import Line, TableDraft, tables
from pipelines.intake.first_values import FirstValues
from pipelines.intake.readers import FileRefused
from pipelines.intake.schema import GUARDED
from pipelines.intake.vocabulary import EXACT
from pipelines.reference import Reference
from pipelines.values import masking

SAMPLES = 3
_LONGEST_SAMPLE = 24

_TO_CONFIRM = "待确认 / to confirm"

#: Headings of columns about persons, in whatever table they stand.
_PERSONAL_NAME = re.compile(
    r"电话|手机|姓名|身份证|证件|联系|邮箱|账号|账户|卡号|phone|mobile|mail", re.IGNORECASE
)


@dataclass(frozen=True)
class FirstMapping:
    """A draft: its text, how many lines it fills, how many of them are to be confirmed, and how many questions are open."""

    text: str
    filled: int
    to_confirm: int
    questions: int


def draft(path: Path, file_name: str, work: Path) -> FirstMapping:
    """Write the first mapping for a file.

    Args:
        path: the raw bytes.
        file_name: the name it was delivered under.
        work: a private folder for intermediate files.

    Raises:
        FileRefused: the file cannot be read, or its headings fill no table.
    """
    seen = look(path, file_name, work)
    with closing(duck.connect()) as con:
        # Nothing is kept: the key makes no token that anybody sees.
        values = FirstValues(seen, vocabulary.known(), load_references(bytes(32), Reference()), con)
        chosen, lacking = tables(seen, values)
    if not chosen:
        raise _nothing_filled(seen, lacking)
    return FirstMapping(
        "\n".join(_lines(file_name, seen, chosen, lacking)) + "\n",
        sum(len(each.filled()) for each in chosen),
        sum(_is_guess(line) and not line.setting.is_open for each in chosen for line in each.lines),
        sum(line.setting.is_open for each in chosen for line in each.lines),
    )


def pattern_of(file_name: str) -> str:
    """Return the pattern of the names that a sender's later files will have: numbers and dates may be others."""
    literal = re.sub(r"([*?\[])", r"[\1]", file_name)
    stem, dot, endings = literal.partition(".")
    return re.sub(r"(?:[0-9]+[年月日号]?[-_.]?)+", "*", stem) + dot + endings


def _nothing_filled(seen: FirstLook, lacking: Sequence[TableDraft]) -> FileRefused:
    names = "、".join(_plain(column.name) for column in seen.columns)
    doubts = {doubt for each in lacking for line in each.lines for doubt in line.setting.doubts}
    said = [(f"{d.schema.table} lacks {', '.join(c.name for c in d.lacks())}") for d in lacking]
    said_zh = [f"{d.schema.about_zh}缺{'、'.join(c.zh for c in d.lacks())}" for d in lacking]
    why = "; ".join(said + sorted(doubt.en for doubt in doubts)) or "none of them is known"
    why_zh = "；".join(said_zh + sorted(doubt.zh for doubt in doubts)) or "均不是已知列名"
    return FileRefused(
        "NO_TABLE_FILLED",
        f"the headings fill no table: {why}. The file has {names}. Correct the headings or write the mapping by hand",
        f"列名不足以填写任何数据表：{why_zh}。文件中的列为 {names}。请修改列名或手工编写映射",
    )


def _lines(
    file_name: str, seen: FirstLook, chosen: list[TableDraft], lacking: list[TableDraft]
) -> Iterator[str]:
    stem = pattern_of(file_name).split(".")[0].replace("*", "").strip("-_ ") or file_name
    yield "# 由 bidwatch sources new 起草。请核对每一行，确认后删去“待确认”；行首有 # 的需补充后启用。"
    yield "# A draft by `bidwatch sources new`. Check every line; what is commented out needs your answer."
    yield f"# {_plain(file_name)}: {seen.records:,} 条记录 / records"
    yield f"title = {toml(stem)}  # {_TO_CONFIRM}: 来源名称 / who sends it"
    yield f'country = "CN"  # {_TO_CONFIRM}'
    yield f'time_zone = "Asia/Shanghai"  # {_TO_CONFIRM}'
    for each in chosen:
        for line in each.lines:
            yield from _dictionary(each, line)
    yield ""
    yield "[[file]]"
    yield f"match = [{toml(pattern_of(file_name))}]  # {_TO_CONFIRM}: 以后文件的名称 / names of later files"
    yield f'format = "{seen.format}"'
    if seen.records_at:
        yield f"records = {toml(seen.records_at)}  # {_TO_CONFIRM}: 记录所在路径 / where the records stand"
    yield 'section = "rows"'
    yield "# published = true  # 待确认: 仅含已公开内容时启用，否则开标前不显示 / only if all of it is public already"
    for each in chosen:
        yield from _record(each)
    yield ""
    yield from _left_over(seen, chosen, lacking)


def _dictionary(draft: TableDraft, line: Line) -> Iterator[str]:
    if not line.setting.words or line.setting.is_open:
        return
    yield ""
    yield f"[dictionaries.{_dictionary_name(draft, line)}]  # {line.column.zh}"
    for word, ours in line.setting.words:
        if ours is None:
            choices = "、".join(line.column.values or ("true", "false"))
            yield f'# {toml(word)} = ""  # 待确认: {choices} / to confirm'
        else:
            yield f"{toml(word)} = {toml(ours)}  # {_TO_CONFIRM}"


def _dictionary_name(draft: TableDraft, line: Line) -> str:
    return f"{draft.schema.table}_{line.column.name}"


def _record(draft: TableDraft) -> Iterator[str]:
    yield ""
    yield f"# {draft.schema.about_zh} / {draft.schema.about}"
    yield "[[record]]"
    yield 'section = "rows"'
    yield f'table = "{draft.schema.table}"'
    if draft.only_with:
        yield f"only_with = {json.dumps(draft.only_with)}  # 均为空的行不写入此表 / no row where all are empty"
    if split := first_splits.proposed(draft):
        yield f"{split}  # {_TO_CONFIRM}: 一格多个单位，逐一成行 / a row for every firm in a cell"
    yield "[record.columns]"
    for line in draft.lines:
        yield _column(draft, line)
    has_money = any(line.column.type == "money" for line in draft.lines)
    if has_money and "currency" in draft.schema.columns and "currency" not in draft.filled():
        yield f'currency = {{ constant = "CNY" }}  # {_TO_CONFIRM}: 全部为人民币 / all in yuan'
    for name, seen, score in draft.perhaps:
        yield f"# {name} <- {toml(seen.name)}? 相似度 {score} / alike"


def _column(draft: TableDraft, line: Line) -> str:
    setting = line.setting
    names = [toml(heading(seen)) for seen in line.seen]
    source = f"from = [{names[0]}]"
    if len(names) > 1:
        source = f'join = [{", ".join(f"[{name}]" for name in names)}], with = "/"'
    words = (
        f', dictionary = "{_dictionary_name(draft, line)}"' if setting.words and not setting.is_open else ""
    )
    said = [f"{line.column.zh}"]
    said.append(f"样例 {samples}" if (samples := _samples(line)) else "空列 / empty")
    if 0 < line.score < EXACT:
        said.append(f"相似度 {line.score}")
    said += [f"{doubt.zh} / {doubt.en}" for doubt in setting.doubts]
    if setting.unread and not setting.doubts:
        example = "" if _is_personal(line) else f"，如 {_short(setting.unread[0])}"
        said.append(f"{setting.of} 种文字中 {len(setting.unread)} 种无法识别{example} / not read")
    comment = f"{'待确认: ' if _is_guess(line) else ''}{', '.join(said)}{' / to confirm' if _is_guess(line) else ''}"
    return f"{'# ' if setting.is_open else ''}{line.column.name} = {{ {source}{setting.text}{words} }}  # {comment}"


def _is_guess(line: Line) -> bool:
    return line.score < EXACT or bool(line.setting.doubts or line.setting.unread or line.setting.words)


def _samples(line: Line) -> str:
    if _is_personal(line):
        return "不显示 / not shown"
    return "、".join(_short(text) for seen in line.seen for text in seen.values[:SAMPLES])


def _is_personal(line: Line) -> bool:
    return (
        line.column.type in GUARDED
        or any(_PERSONAL_NAME.search(seen.name) for seen in line.seen)
        or any(masking.may_be_personal(text) for seen in line.seen for text in seen.values)
    )


def _left_over(seen: FirstLook, chosen: list[TableDraft], lacking: list[TableDraft]) -> Iterator[str]:
    for absent in never_mapped({f"{each.schema.table}.{name}" for each in chosen for name in each.filled()}):
        yield f"# 未填 / not filled: {absent.column} {absent.name_zh}。{absent.cost_zh} / {absent.cost}"
    read = {name for each in chosen for name in each.read()}
    if unused := [_plain(column.name) for column in seen.columns if column.name not in read]:
        yield f"# 未使用的列 / columns not used: {'、'.join(unused)}"
    for each in lacking:
        lack = "、".join(f"{column.zh} ({column.name})" for column in each.lacks())
        yield f"# 未写入 / left out: {each.schema.table} ({each.schema.about_zh}), 缺 / lacks {lack}"


def _short(text: str) -> str:
    plain = _plain(text)
    return plain if len(plain) <= _LONGEST_SAMPLE else f"{plain[:_LONGEST_SAMPLE]}…"


def _plain(text: str) -> str:
    """Return a text that a comment may hold: one line, nothing that a terminal obeys."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())
