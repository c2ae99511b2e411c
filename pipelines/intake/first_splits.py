"""Do cells of a column hold several firms, and other cells beside them as many codes or amounts?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipelines.intake.first_look import heading, toml
from pipelines.intake.first_tables import Line, TableDraft

#: Whose cells may hold several firms. A bidder of several firms is a joint venture, which is one bid.
_PARTIES = {"awards": "winner_name", "candidates": "candidate_name"}

_BESIDE_TYPES = ("party_code", "money")
_MARKS = "、；;，,/"
_IN_BRACKETS = re.compile(r"[(（][^()（）]*[)）]")
_FIRM = re.compile(r".{2,}(?:公司|集团|[厂院所社站店部队场行]|中心|联盟|合作社|分公司)")
_VENTURE = "联合体"


def proposed(draft: TableDraft) -> str | None:
    """Return the ``split`` of a table's rule, as TOML; None where every cell holds one firm."""
    lines = {line.column.name: line for line in draft.lines if len(line.seen) == 1}
    firms = lines.get(_PARTIES.get(draft.schema.table, ""))
    marks = "".join(mark for mark in _MARKS if firms and any(_is_list(text, mark) for text in _texts(firms)))
    if firms is None or not marks:
        return None
    beside = [
        _quoted(line)
        for line in lines.values()
        if line.column.type in _BESIDE_TYPES and any(set(text) & set(marks) for text in _texts(line))
    ]
    more = f", beside = [{', '.join(beside)}]" if beside else ""
    return f'split = {{ from = {_quoted(firms)}{more}, at = "{marks}" }}'


def _texts(line: Line) -> Iterable[str]:
    return (_IN_BRACKETS.sub("", text) for text in line.seen[0].values)


def _is_list(text: str, mark: str) -> bool:
    parts = [part.strip() for part in text.split(mark) if part.strip()]
    return len(parts) > 1 and _VENTURE not in text and all(map(_FIRM.fullmatch, parts))


def _quoted(line: Line) -> str:
    return f"[{toml(heading(line.seen[0]))}]"
