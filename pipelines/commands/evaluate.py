"""``bidwatch evaluate``: what can be learnt from a market's own labels, and how far that goes."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.options import Format, LangOption, Panel
from pipelines.commands.output import Watching, err, listing, out
from pipelines.commands.texts import Both, Lang
from reports import evaluation_page
from reports.cells import cell


class AwardChoice(StrEnum):
    """What decides the lots."""

    LOWEST = "lowest"
    AVERAGE = "average"


TITLE = Both("{file}：{lots} 个标段，标签为 1 的占 {base}", "{file}: {lots} lots, {base} with label 1")
HEADINGS = Both(
    ("划分", "区分度 AUC", "平衡准确率", "误报5%时检出率", "前10%精确率", "ECE", "仅变异系数 AUC"),
    ("split", "AUC", "balanced accuracy", "TPR at FPR 5 %", "precision top 10 %", "ECE", "low CV alone"),
)
FIGURES = ("auc", "balanced_accuracy", "tpr_at_fpr_05", "precision_top_10", "ece", "low_cv_auc")
SPLITS = {
    "lot": Both("新标段", "lot"),
    "time": Both("后来的标段", "time"),
    "bidder": Both("未见过的企业", "bidder"),
    "zero_label": Both("无需标签", "zero_label"),
}
NOT_MEASURED = Both("{split}：未评估：{reason}", "{split}: not measured: {reason}")
LEFT_OUT = Both("未采用：{what} {count}", "left out: {what} {count}")
RANKS_ONLY = Both(
    "标段少于300个或标签为1的少于50个：评分只用于排序，不是概率。",
    "Fewer than 300 lots or 50 with label 1: the score ranks, it is no probability.",
)
WRITTEN = Both("已写入 {folder}：{files}", "Written to {folder}: {files}")

app = typer.Typer()


@app.command(rich_help_panel=Panel.PROOF)
def evaluate(
    bids: Annotated[Path, typer.Option("--bids", help="A table with one row per bid: .csv or .parquet.")],
    lot: Annotated[str, typer.Option("--lot", help="Column of the lot.")],
    price: Annotated[str, typer.Option("--price", help="Column of the bid price.")],
    label: Annotated[str, typer.Option("--label", help="Column of the label, 0 or 1, one for a whole lot.")],
    award: Annotated[
        AwardChoice, typer.Option("--award", help="What decides: the lowest price or an average.")
    ],
    into: Annotated[
        Path, typer.Option("--out", help="Folder for the results; files of these names are replaced.")
    ],
    bidder: Annotated[
        str | None, typer.Option("--bidder", help="Column of the bidder: measures on firms never met before.")
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", help="Column of the date: measures on later lots.")
    ] = None,
    estimate: Annotated[
        str | None, typer.Option("--estimate", help="Column of the estimate or ceiling price.")
    ] = None,
    winner: Annotated[str | None, typer.Option("--winner", help="Column that is 1 for the winner.")] = None,
    lang: LangOption = Lang.EN,
) -> None:
    """Learn from labelled lots and say how far that goes, on lots, times and firms that were not learnt from.

    Writes metrics.json, reliability.svg, evaluation.html, scores.csv and model.json. The lots of a file are never split
    into rows. Scores are for checking only, and prove no violation.
    """
    from pipelines.workshop import labelled_bids, local_labels, plain_models

    columns = labelled_bids.Columns(lot, price, label, bidder, date, estimate, winner)
    with Watching() as watching:
        watching(f"reading {bids.name}", 0, 1)
        lots = labelled_bids.read_lots(bids, columns, award.value)
        watching(f"learning from {len(lots.ids):,} lots", 0, 1)
        found = local_labels.evaluate(lots)
    bins = [
        evaluation_page.ReliabilityBin(int(each["lots"]), float(each["said"]), float(each["seen"]))
        for each in found.reliability.to_dict("records")
    ]
    into.mkdir(parents=True, exist_ok=True)
    texts = {
        "metrics.json": json.dumps(found.metrics, ensure_ascii=False, indent=1, allow_nan=False) + "\n",
        "evaluation.html": evaluation_page.html(bids.name, award.value, found.metrics, bins),
        "reliability.svg": evaluation_page.reliability_svg(bins),
    }
    for name, text in texts.items():
        (into / name).write_text(text, encoding="utf-8")
    found.scores.assign(lot=found.scores["lot"].map(cell)).to_csv(into / "scores.csv", index=False)
    plain_models.write(found.model, into / "model.json")
    _say(bids.name, found.metrics, lang)
    out.print(
        WRITTEN.in_(lang).format(folder=into, files=", ".join([*texts, "scores.csv", "model.json"])),
        soft_wrap=True,
    )


def _say(file: str, measured: dict[str, Any], lang: Lang) -> None:
    splits, reasons = measured["splits"], measured["reasons"]
    left_out, given = measured["left_out"], measured["probability"]
    rows = [
        (SPLITS[name].in_(lang), *(_shown(figures.get(figure)) for figure in FIGURES))
        for name, figures in splits.items()
        if figures
    ]
    title = TITLE.in_(lang).format(
        file=file, lots=f"{measured['lots']:,}", base=f"{measured['base_rate']:.1%}"
    )
    listing(title, HEADINGS.in_(lang), rows, Format.TABLE)
    for name, reason in reasons.items():
        err.print(NOT_MEASURED.in_(lang).format(split=SPLITS[name].in_(lang), reason=reason), soft_wrap=True)
    for what, count in left_out.items():
        words = Both(*evaluation_page.LEFT_OUT[what]).in_(lang)
        err.print(LEFT_OUT.in_(lang).format(what=words, count=f"{count:,}"))
    if not given["given"]:
        out.print(RANKS_ONLY.in_(lang))


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
