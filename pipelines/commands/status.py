"""``bidwatch status``: what came in, and how the last nights ended."""

from __future__ import annotations

import json

import typer

from pipelines import settings
from pipelines.commands.options import Format, FormatOption, HomeOption, LangOption, Panel, for_reader
from pipelines.commands.output import err, listing
from pipelines.commands.texts import Both, Lang, word
from pipelines.store import opened

FILES = Both("文件，新的在前", "Files, newest first")
FILE_COUNTS = ("records", "loaded", "duplicate", "refused", "held")
FILE_HEADINGS = Both(
    ("文件", "来源", "状态", "记录", "载入", "重复", "拒收", "暂缓"),
    ("file", "source", "state", "records", "loaded", "dup.", "refused", "held"),
)
FILE_STATES_ZH = {"received": "已接收", "loaded": "已载入", "refused": "已拒收"}
NIGHTS = Both("夜间运行，新的在前", "Nights, newest first")
NIGHT_HEADINGS = Both(
    ("夜次", "状态", "数据快照", "完成时间(UTC)"), ("as of", "state", "snapshot", "finished (UTC)")
)
NIGHT_STATES_ZH = {"published": "已发布", "unchanged": "无变化", "blocked": "未发布"}
CLOSED = Both(
    "关口关闭：来源 {source}：{reason}，见 bidwatch nightly --help",
    "gate closed: source {source}: {reason}; see `bidwatch nightly --help`",
)
REFUSED = Both("{name}：{code}：{reason}", "{name}: {code}: {reason}")

app = typer.Typer()


@app.command(rich_help_panel=Panel.NIGHT)
def status(home: HomeOption = None, format: FormatOption = Format.TABLE, lang: LangOption = Lang.EN) -> None:
    """Show what came in, what was refused, and whether the last night is complete."""
    with opened(settings.installed(home).control) as store:
        files = store.rows("SELECT * FROM file ORDER BY first_arrival DESC LIMIT 50")
        nights = store.rows("SELECT * FROM night ORDER BY id DESC LIMIT 10")
    named = for_reader(lang, format)
    listing(
        FILES.in_(named),
        FILE_HEADINGS.in_(named),
        [
            (
                file["name"],
                file["source"],
                word(FILE_STATES_ZH, file["state"], named),
                *(file[name] for name in FILE_COUNTS),
            )
            for file in files
        ],
        format,
    )
    for file in files:
        if file["state"] == "refused":
            reason = Both(file["reason_zh"], file["reason"]).in_(lang)
            err.print(REFUSED.in_(lang).format(name=file["name"], code=file["code"], reason=reason))
    for gate in json.loads(nights[0]["summary"]).get("closed", ()) if nights else ():
        reason = Both(gate["reason_zh"], gate["reason"]).in_(lang)
        err.print(CLOSED.in_(lang).format(source=gate["source"], reason=reason))
    listing(
        NIGHTS.in_(named),
        NIGHT_HEADINGS.in_(named),
        [
            (
                night["as_of"],
                word(NIGHT_STATES_ZH, night["state"], named),
                night["snapshot"],
                night["finished_at"],
            )
            for night in nights
        ],
        format,
    )
