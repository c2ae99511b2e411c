"""What it costs a ring to stay below every detector: it tries its prices on the whole catalogue first.

    python -m pipelines.workshop.rehearsal        (make rehearsal)

writes ``care.toml``, which the careful rings of `bidwatch simulate` read. For each tactic the ring moves its
prices from the greedy plan towards honest ones in steps, each step in a county of its own that a whole
night judges with the default limits, until its lots are flagged no more often than honest lots of the
same rules. Where even honest-looking prices are not enough, it gives lots up.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.simulator.care import CARE_FILE, Care
from pipelines.simulator.tactics import KEYS
from pipelines.simulator.writing import write_county
from pipelines.workshop import evaluation

STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LOTS = 16_000
SEED = 20260630
MANY_BIDS = 8  # lots with this many bids or more count as alike
PATIENCE = 1.0  # standard errors above the honest share at which a ring still feels safe


def flagged_shares(seen: pd.DataFrame) -> pd.DataFrame:
    """Return, by tactic, the share of rigged lots that some detector flags, and the same of comparable honest lots.

    Comparable: of the same rule and about as many bids, since fewer bids let fewer detectors judge.

    Args:
        seen: of `evaluation.lots_seen`.

    Returns:
        Index tactic; columns lots, rigged_share, honest_share.
    """
    lots = seen.groupby("lot_id", as_index=False).agg(
        is_flagged=("is_flagged", "any"),
        rule=("rule", "first"),
        bids=("bids", "first"),
        tactic=("tactic", "first"),
        is_rigged=("is_rigged", "first"),
        is_forgone=("is_forgone", "first"),
    )
    alike = ["rule", "bids"]
    lots["bids"] = lots["bids"].clip(upper=MANY_BIDS)
    honest = lots[~lots["is_rigged"] & ~lots["is_forgone"]].groupby(alike)["is_flagged"].mean()
    rigged = lots[lots["is_rigged"]].join(honest.rename("expected"), on=alike)
    return rigged.groupby("tactic").agg(
        lots=("lot_id", "size"), rigged_share=("is_flagged", "mean"), honest_share=("expected", "mean")
    )


def tried(step: float) -> pd.DataFrame:
    """Return `flagged_shares` of a county whose rings all move their prices by ``step`` and leave no traces."""
    care = Care(4, "", dict.fromkeys(KEYS, step), dict.fromkeys(KEYS, 0.0), 0, 0, 0.0)
    with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
        county = Path(folder) / "county"
        write_county(county, seed=SEED, lots=LOTS, nights=1, form="parquet", care=[care])
        snapshot = evaluation.run_night(county, Path(folder) / "home")
        return flagged_shares(evaluation.lots_seen(snapshot, county)).assign(step=step)


def settled(trials: pd.DataFrame) -> pd.DataFrame:
    """Return honest_share and forgone_share of every tactic.

    honest_share is the least safe step. Where no step is safe it is the last one, and forgone_share is the share of
    lots to give up.

    Args:
        trials: `tried` of every step, one under the other.
    """
    error = np.sqrt(trials["honest_share"] * (1 - trials["honest_share"]) / trials["lots"])
    is_safe = trials["rigged_share"] <= trials["honest_share"] + PATIENCE * error
    rows = {}
    for tactic, steps in trials.assign(is_safe=is_safe).groupby("tactic"):
        safe = steps[steps["is_safe"]].sort_values("step")
        chosen = (safe if len(safe) else steps.sort_values("step", ascending=False)).iloc[0]
        too_many = max(0.0, 1 - chosen["honest_share"] / max(chosen["rigged_share"], 1e-9))
        rows[tactic] = (float(chosen["step"]), 0.0 if chosen["is_safe"] else round(too_many, 2))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["honest_share", "forgone_share"])


def main() -> None:
    """Try every step and write the file."""
    with tempfile.TemporaryDirectory(prefix="bidwatch-") as folder:
        os.environ["BIDWATCH_KEY"] = str(Path(folder) / "key")  # for the vaults of these nights only
        write_care(pd.concat([tried(step).reset_index() for step in STEPS], ignore_index=True))


def write_care(trials: pd.DataFrame) -> None:
    """Print the trials and write what they settle."""
    print(trials.round(3).to_string())  # noqa: T201
    chosen = settled(trials).reindex(KEYS).fillna({"honest_share": 1.0, "forgone_share": 0.0})
    text = "# What a ring that knows every detector and its default limits pays to stay below them.\n"
    text += "# Written by `make rehearsal`: run it again when a detector was added or a limit changed.\n"
    text += "# honest_share: how far its prices are moved from the greedy plan towards honest ones.\n"
    text += "# forgone_share: lots it gives up, where even honest-looking prices are flagged too often.\n"
    for tactic, row in chosen.iterrows():
        text += (
            f"\n[tactic.{tactic}]\nhonest_share = {row.honest_share}\nforgone_share = {row.forgone_share}\n"
        )
    CARE_FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
