"""Who is who: what the machine proposes, what people decided, and how to take it back."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import settings, times
from pipelines.commands.options import (
    ACTING,
    ActorOption,
    Format,
    FormatOption,
    HomeOption,
    LangOption,
    Panel,
    ReasonOption,
    RowsOption,
    for_reader,
)
from pipelines.commands.output import err, listing
from pipelines.commands.texts import AND, Both, Lang, word
from pipelines.snapshot import parties
from pipelines.store import opened

#: Kinds of facts that two organisations share, and how their names compare: see `detectors.kernels.firms.party_names`.
SHARED_ZH = {"head": "负责人", "phone": "电话", "address": "地址", "staff": "人员", "account": "账户"}
HOW_ZH = {
    "written alike": "名称一致",
    "branch": "分支机构",
    "similar": "名称相近",
    "organisation code": "组织机构代码",
    "judged": "已作决定",
}
VERDICTS_ZH = {"same": "同一主体", "different": "不同主体", "undone": "已撤回"}

PROPOSED = Both("疑似同一主体（{shown} / {all}）", "Perhaps one organisation ({shown} of {all})")
PROPOSED_HEADINGS = Both(
    ("编号", "名称", "另一编号", "另一名称", "得分", "共有信息", "方式"),
    ("id", "name", "other id", "other name", "score", "shared", "how"),
)
COMMON = Both(
    "{count} 个名称过于常见，只作了部分比对",
    "{count} names are so common that they were compared in part only",
)
DECIDED = Both("主体归并决定", "Decisions on parties")
DECIDED_HEADINGS = Both(
    ("序号", "编号", "另一编号", "决定", "理由", "时间(UTC)", "人员"),
    ("no.", "id", "other id", "verdict", "reason", "at (UTC)", "who"),
)
JUDGED = Both(
    "{one} 与 {other}：{verdict}。自下一夜起生效：bidwatch nightly。撤回：bidwatch parties undo",
    "{one} and {other}: {verdict}. It counts from the next night on: bidwatch nightly."
    " Take it back: bidwatch parties undo",
)

app = typer.Typer(
    name="parties",
    help="Which organisations are one and the same: proposals, and what people decided (主体归并).",
    no_args_is_help=True,
    rich_help_panel=Panel.RECORDS,
)

One = Annotated[str, typer.Argument(metavar="PARTY", help="A party id: its code, or name:… as shown.")]
Other = Annotated[str, typer.Argument(metavar="PARTY", help="The other party id.")]


@app.command()
def propose(
    home: HomeOption = None,
    rows: RowsOption = 30,
    format: FormatOption = Format.TABLE,
    lang: LangOption = Lang.EN,
) -> None:
    """List pairs that may be one organisation, most likely first. A machine proposes, a person decides."""
    where = settings.installed(home)
    with opened(where.control) as store:
        found, cut = parties.proposals(where, store)
    open_ = found[found["verdict"] == ""].sort_values(
        ["score", "left_id", "right_id"], ascending=[False, True, True]
    )
    shown = open_.head(rows) if format is Format.TABLE else open_
    columns = ["left_id", "left_name", "right_id", "right_name", "score", "facts", "how"]
    named = for_reader(lang, format)
    listing(
        PROPOSED.in_(named).format(shown=len(shown), all=len(open_)),
        PROPOSED_HEADINGS.in_(named),
        [
            (*ids_and_score, _shared(facts, named), word(HOW_ZH, how, named))
            for *ids_and_score, facts, how in shown[columns].itertuples(index=False, name=None)
        ],
        format,
    )
    if cut:
        err.print(COMMON.in_(lang).format(count=f"{cut:,}"))


@app.command()
def same(
    one: One,
    other: Other,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    lang: LangOption = Lang.EN,
) -> None:
    """Decide that two ids are one organisation."""
    _judge(one, other, "same", reason, home, actor, lang)


@app.command()
def different(
    one: One,
    other: Other,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    lang: LangOption = Lang.EN,
) -> None:
    """Decide that two ids are different organisations, also where they have one name."""
    _judge(one, other, "different", reason, home, actor, lang)


@app.command()
def undo(
    one: One,
    other: Other,
    reason: ReasonOption,
    home: HomeOption = None,
    actor: ActorOption = ACTING,
    lang: LangOption = Lang.EN,
) -> None:
    """Take the last decision on two ids back, as if nobody had decided."""
    _judge(one, other, "undone", reason, home, actor, lang)


@app.command("list")
def list_(home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.EN) -> None:
    """List every decision ever made, the newest last."""
    with opened(settings.installed(home).control) as store:
        rows = store.rows(
            "SELECT number, left_id, right_id, verdict, reason, at, actor FROM party_judgement ORDER BY number"
        )
    named = for_reader(lang, format)
    listing(
        DECIDED.in_(named),
        DECIDED_HEADINGS.in_(named),
        [
            (number, left, right, word(VERDICTS_ZH, verdict, named), reason, at, actor)
            for number, left, right, verdict, reason, at, actor in rows
        ],
        format,
    )


def _shared(facts: str, lang: Lang) -> str:
    return AND.in_(lang).join(word(SHARED_ZH, kind, lang) for kind in facts.split(", ") if kind)


def _judge(one: str, other: str, verdict: str, reason: str, home: HomeOption, actor: str, lang: Lang) -> None:
    where = settings.installed(home)
    with opened(where.control) as store:
        parties.judge(where, store, one, other, verdict, reason=reason, actor=actor, at=times.now())
    said = JUDGED.in_(lang).format(one=one, other=other, verdict=word(VERDICTS_ZH, verdict, lang))
    err.print(said, soft_wrap=True)
