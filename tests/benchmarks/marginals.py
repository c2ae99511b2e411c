"""`make marginals`: does the simulated honest market look like real ones?

Each marginal of a simulated county is printed beside the least, the middle and the greatest value of the real
sets. Where three real sets or more can tell, it must lie between the least and the greatest (1 % of slack): the
county may differ from real markets by no more than they differ among themselves. What every real set can tell,
and the rules by which impossible prices are left out, stand in `real_sets.py`. A set with collusion labels
stands twice, once with its competitive lots alone.

    python tests/benchmarks/marginals.py --real          the real sets alone, no verdict
    python tests/benchmarks/marginals.py --county DIR    a county made by `bidwatch simulate --honest --out DIR`

With --county the exit code is 1 if a statistic lies outside, 2 if there is nothing to compare with.

What each statistic is stands in `market_statistics.py`.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import real_sets
from market_statistics import MIN_LOTS, marginals, per_lot

JUDGED_SETS = (
    3  # two sets differ by chance of what they are: both average-price sets have 40 bids a lot and more
)
SLACK = 0.01  # of either end of the range: some shares are 1 in every real set
COUNTS = ("lots", "bids")
WIDTH = 100
AWARD_RULES = Path(__file__).parents[2] / "data" / "reference" / "award_rules.toml"


def real_rows(data: Path) -> pd.DataFrame:
    """Return the statistics of the real sets: a row per set, and one per set's competitive lots where labelled."""
    rows = {}
    for name in real_sets.SETS:
        bids = real_sets.load(name, data)
        if bids["lot"].nunique() < MIN_LOTS:
            continue
        rows[name] = marginals(bids)
        if bids["is_collusive"].notna().any():
            rows[f"{name}, competitive"] = marginals(bids[~bids["is_collusive"].astype(bool)])
    return pd.DataFrame(rows).T


def compare(simulated: pd.Series, real: pd.DataFrame) -> pd.DataFrame:
    """Set every statistic beside the real ones.

    Args:
        simulated: from ``marginals``.
        real: from ``real_rows``. A set and its competitive lots count as one set, but both stretch the range.

    Returns:
        index statistic; ``simulated``, ``least``, ``middle``, ``greatest``, ``sets`` (with a value), ``verdict``:
        inside | outside | not judged (fewer than ``JUDGED_SETS`` sets) | no value (in the simulated market).
    """
    statistics = [name for name in real.columns if name not in COUNTS]
    values = real[statistics]
    of_set = values.groupby(values.index.str.split(",").str[0]).first()
    table = pd.DataFrame(
        {
            "simulated": simulated.reindex(statistics),
            "least": values.min(),
            "middle": of_set.median(),
            "greatest": values.max(),
            "sets": of_set.notna().sum(),
        }
    )
    least, greatest = table["least"], table["greatest"]
    inside = table["simulated"].between(least - SLACK * least.abs(), greatest + SLACK * greatest.abs())
    table["verdict"] = np.select(
        [table["simulated"].isna(), table["sets"] < JUDGED_SETS, inside],
        ["no value", "not judged", "inside"],
        "outside",
    )
    return table


def outside(simulated: pd.Series, real: pd.DataFrame) -> list[str]:
    """Return a line for every statistic of the county that lies outside the range of the real sets."""
    table = compare(simulated, real)
    return [
        f"{name}: {row.simulated:.4g}, real sets {row.least:.4g} to {row.greatest:.4g} ({row.sets} sets)"
        for name, row in zip(table.index, table.itertuples(), strict=True)
        if row.verdict == "outside"
    ]


def county(folder: Path) -> pd.DataFrame:
    """Return the bids of a simulated county, read from its truth, in the form of ``real_sets``.

    Raises:
        ValueError: rings bid in this county, so it is no honest market.
        KeyError: a rule that `award_rules.toml` does not have.
    """
    methods = {rule: facts["family"] for rule, facts in tomllib.loads(AWARD_RULES.read_text("utf-8")).items()}
    con = duckdb.connect(config={"threads": 2})
    try:
        for table in ("bids", "lots"):
            con.read_csv(str(folder / "truth" / f"{table}.csv"), header=True, all_varchar=True).create(table)
        ringed = con.sql("SELECT count(*) FROM bids WHERE coalesce(ring, '') NOT IN ('', '-1')").fetchall()[
            0
        ][0]
        if ringed:
            raise ValueError(
                f"{folder}: rings made {ringed} of the bids; make the county with bidwatch simulate --honest"
            )
        bids: pd.DataFrame = con.sql(
            """
            SELECT 'simulated' AS set, lot_id AS lot, bidder_code AS bidder, CAST(price_cny AS DOUBLE) AS price,
                   CAST(ceiling_cny AS DOUBLE) AS ceiling, 'CNY' AS currency,
                   CAST(submitted_at AS TIMESTAMP) AS submitted_at, CAST(opening_at AS TIMESTAMP) AS opening_at,
                   CAST(is_winner AS BOOLEAN) AS is_winner, rule, segment AS trade,
                   TRUE AS is_whole, TRUE AS is_sealed, FALSE AS is_cut
            FROM bids JOIN lots USING (lot_id)
            """
        ).df()
    finally:
        con.close()
    bids["award_method"] = bids.pop("rule").map(lambda rule: methods[rule])
    return bids


# ---- printing


def print_comparison(table: pd.DataFrame) -> None:
    """Print one line per statistic that the county or a real set has."""
    shown = table[(table["sets"] > 0) | table["simulated"].notna()]
    print(f"{'statistic':32}{'simulated':>11}{'least':>11}{'middle':>11}{'greatest':>11}{'sets':>6}  verdict")
    for name in shown.index:
        row = shown.loc[name]
        numbers = "".join(
            f"{number(row[column]):>11}" for column in ("simulated", "least", "middle", "greatest")
        )
        print(f"{name:32}{numbers}{row['sets']:>6}  {row['verdict']}")


def print_real(real: pd.DataFrame) -> None:
    """Print the statistics of every set, as many sets side by side as the page is wide."""
    beside = (WIDTH - 32) // 11
    for start in range(0, len(real), beside):
        block = real.iloc[start : start + beside]
        heads = [name.replace(", competitive", "*").split("_") for name in block.index]
        for line in range(max(map(len, heads))):
            words = "".join(f"{(head[line] if line < len(head) else '')[:10]:>11}" for head in heads)
            print(f"{'' if line else 'statistic':32}{words}")
        for name in real.columns:
            if block[name].notna().any():
                print(f"{name:32}" + "".join(f"{number(v):>11}" for v in block[name]))
        print()
    print("* competitive lots alone")


def print_single(data: Path) -> None:
    """Print the openings that stand alone, beside no range: a lot is not a market."""
    print(
        f"{'one lot':12}" + "".join(f"{head:>11}" for head in ("bids", "CV", "RD", "SKEW", "ties", "whole"))
    )
    for name in real_sets.SETS:
        bids = real_sets.load(name, data)
        if len(bids["lot"].unique()) == 1:
            lot, prices = per_lot(bids).iloc[0], bids["price"].dropna()
            equal, whole = int(prices.duplicated().sum()), float((prices % 1 == 0).mean())
            print(
                f"{name:12}"
                + "".join(
                    f"{number(v):>11}"
                    for v in (lot["priced"], lot["cv"], lot["rd"], lot["skew"], equal, whole)
                )
            )


def number(value: float) -> str:
    """Return four significant digits, or a dot where there is nothing."""
    return "." if np.isnan(value) else f"{value:.4g}"


def main() -> int:
    """Print the table; 1 if something lies outside, 2 if there is nothing to compare with."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--county", type=Path, help="folder of a simulated county")
    chosen.add_argument("--real", action="store_true", help="print the real sets alone")
    asked = parser.parse_args()
    data = real_sets.folder()
    if not data.is_dir():
        print(f"no real sets in {data}; set BIDWATCH_REAL_DATA to their folder", file=sys.stderr)
        return 2
    real = real_rows(data)
    if asked.real:
        ends = compare(pd.Series(dtype=float), real)[["least", "middle", "greatest"]]
        print_real(pd.concat([real, ends.T]))
        print_single(data)
        return 0
    table = compare(marginals(county(asked.county)), real)
    print_comparison(table)
    counts = table["verdict"].value_counts()
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return int("outside" in counts.index)


if __name__ == "__main__":
    sys.exit(main())
