"""What can be learnt from the labels of the real markets, beside the figures to beat; see `make evaluate`.

    python tests/benchmarks/label_markets.py [--results tests/benchmarks/label_markets.json]

The labels of Comprasnet are of firms; a lot counts as 1 where a punished firm bid. It has six of them: no benchmark, but
it shows how much of a figure is knowing the firms.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pandas as pd
import real_sets

from pipelines.workshop import labelled_bids, local_labels

#: AUC of a lot that was not learnt from, in per cent: a prototype of the same folds and repeats.
TO_BEAT = {"brazil": 96.0, "italy": 92.5, "switzerland": 73.9, "united_states": 70.9}
FILES = {
    "brazil": "garcia2022/brazil.parquet",
    "italy": "garcia2022/italy.parquet",
    "switzerland": "garcia2022/switzerland_gr_see_gaster.parquet",
    "united_states": "garcia2022/united_states.parquet",
}
COLUMNS = labelled_bids.Columns("Tender", "Bid_value", "Collusive_competitor")
SPLITS = ("lot", "time", "bidder", "zero_label")


def comprasnet(data: Path) -> labelled_bids.LabelledLots:
    """The last bid of every firm, with the day of the auction's first lance."""
    bids = real_sets.load("brazil_comprasnet", data)
    opened = pd.read_parquet(data / "brazil_comprasnet" / "bids.parquet").groupby("Tender")["Date"].min()
    opened.index = opened.index.astype(str)
    return labelled_bids.lots_of(
        pd.DataFrame(
            {
                "lot": bids["lot"],
                "price": bids["price"],
                "label": bids["is_collusive"].astype(int),
                "bidder": bids["bidder"],
                "date": bids["lot"].astype(str).map(opened),
            }
        ),
        "lowest",
    )


def measured(data: Path) -> dict[str, dict[str, object]]:
    """Metrics of every market."""
    found = {}
    for name, file in FILES.items():
        award = "average" if name == "italy" else "lowest"
        found[name] = local_labels.evaluate(labelled_bids.read_lots(data / file, COLUMNS, award)).metrics
    found["comprasnet"] = local_labels.evaluate(comprasnet(data)).metrics
    return found


def lines(results: dict[str, dict[str, object]]) -> list[str]:
    """The table as text: per cent, one row a market."""
    rows = [
        f"{'market':<14}{'lots':>6}{'AUC':>7}{'to beat':>9}{'bal.acc':>9}{'ECE':>7}{'later':>7}{'new firms':>11}"
        f"{'no labels':>11}{'low CV':>8}"
    ]
    for name, metrics in results.items():
        lot, later, firms, zero = (metrics["splits"][split] or {} for split in SPLITS)
        goal = TO_BEAT.get(name)
        rows.append(
            f"{name:<14}{metrics['lots']:>6,}{_per_cent(lot['auc']):>7}{goal or '-':>9}"
            f"{_per_cent(lot['balanced_accuracy']):>9}{'-' if lot['ece'] is None else format(lot['ece'], '.3f'):>7}"
            f"{_per_cent(later.get('auc')):>7}{_per_cent(firms.get('auc')):>11}{_per_cent(zero.get('auc')):>11}"
            f"{_per_cent(zero.get('low_cv_auc')):>8}"
        )
    paper = [results[name]["splits"]["zero_label"] for name in TO_BEAT]
    gains = [zero["auc"] - zero["low_cv_auc"] for zero in paper]
    rows.append(
        f"no labels against low CV: {100 * sum(gains) / len(gains):+.1f} points in the mean of the first four,"
        f" {100 * min(gains):+.1f} at worst"
    )
    return rows


def _per_cent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _rounded(value: object) -> object:
    """Three decimals: more would change with the processor."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, 3) if isinstance(value, float) else value


def main() -> None:
    """Print the table and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path)
    asked = parser.parse_args()
    started = time.process_time()
    results = _rounded(measured(real_sets.folder()))
    print("\n".join(lines(results)))
    print(f"{time.process_time() - started:.0f} CPU seconds")
    if asked.results:
        asked.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
