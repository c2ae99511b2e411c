"""The markets by which detectors are judged: two simulated counties and the real sets, each judged by a night.

Every market is built and screened in a temporary folder and in a process of its own, because reading small files
keeps only one core busy.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from pipelines import duck
from pipelines.simulator.care import Care, usual_care
from pipelines.simulator.writing import LAST_NIGHT, write_county
from pipelines.workshop import evaluation
from pipelines.workshop.evaluation import Seen, Truth

AFTER_ALL = date(2026, 11, 22)  # every real opening lies before it
SIDE_BY_SIDE = 2
PAPER_LOTS = 60  # lots of a county whose documents are written: some 400 files, each read in its own process


@dataclass(frozen=True)
class RealSet:
    """Files of one market and the mapping that reads them; ``labels`` selects lot_id, is_collusive from ``{file}``."""

    source: str
    files: tuple[str, ...]
    labels: str | None = None


def _paper(file: str, prefix: str) -> RealSet:
    labels = (
        f"SELECT '{prefix}' || CAST(CAST(Tender AS BIGINT) AS VARCHAR) AS lot_id,"
        " max(Collusive_competitor) = 1 AS is_collusive FROM '{file}' GROUP BY 1"
    )
    return RealSet("garcia2022", (f"garcia2022/{file}.parquet",), labels)


#: Each is a market of its own. The README beside the data says what they hold and what their labels are worth. The
#: mark ``is_cartel`` of Tsuchiura is no label: it says who bid often.
SETS = {
    "armenia": RealSet("armenia_ocds", ("ocds/armenia_releases.jsonl.zst",)),
    "hangzhou": RealSet(
        "hangzhou",
        (
            "china/hangzhou_openings.parquet",
            "china/hangzhou_tender_notices.parquet",
            "china/hangzhou_joined.parquet",
        ),
    ),
    "huainan": RealSet("huainan_openings", ("china/huainan_*.parquet",)),
    "korea": RealSet("korea_heritage", ("korea_heritage/*.parquet",)),
    "lishui": RealSet("lishui", ("china/lishui_*.parquet",)),
    "parana": RealSet("brazil_parana", ("brazil_parana/*.parquet",)),
    "tsuchiura": RealSet("japan_tsuchiura", ("japan_tsuchiura/bids.parquet",)),
    "worldbank": RealSet("worldbank", ("worldbank/*.parquet",)),
    "brazil": _paper("brazil", "GARCIA-BR-"),
    "italy": _paper("italy", "GARCIA-IT-"),
    "switzerland": _paper("switzerland_gr_see_gaster", "GARCIA-CH-"),
    "united_states": _paper("united_states", "GARCIA-US-"),
    "comprasnet": RealSet(
        "brazil_comprasnet",
        ("brazil_comprasnet/bids.parquet",),
        "SELECT 'COMPRASNET-' || Tender || '-' || ipgItem AS lot_id,"
        " max(Collusive_competitor_original) = 1 AS is_collusive FROM '{file}' GROUP BY 1",
    ),
}


@dataclass(frozen=True)
class County:
    """A simulated county that was judged; ``seconds`` are CPU seconds by detector, ``bids`` those in its core."""

    truth: Truth
    seen: Seen
    seconds: pd.Series
    bids: int


def judged(
    seed: int, lots: int, kinds: Mapping[str, str], data: Path
) -> tuple[County, County, dict[str, pd.DataFrame]]:
    """Return the county with rings, the one without, and the real sets whose files are in ``data``.

    Args:
        seed, lots: of both counties.
        kinds: by detector, what its units are.
    """
    there = {
        name: real for name, real in SETS.items() if all(any(data.glob(pattern)) for pattern in real.files)
    }
    with (
        tempfile.TemporaryDirectory(prefix="bidwatch-report-") as folder,
        ProcessPoolExecutor(SIDE_BY_SIDE, multiprocessing.get_context("spawn"), _to_stderr) as pool,
    ):
        home = Path(folder)
        rings = pool.submit(county, home / "rings", seed, lots, usual_care(), kinds)
        honest = pool.submit(county, home / "honest", seed, lots, (), kinds)
        markets = {name: pool.submit(market, home / name, real, data) for name, real in there.items()}
        return rings.result(), honest.result(), {name: units.result() for name, units in markets.items()}


def county(folder: Path, seed: int, lots: int, care: Sequence[Care], kinds: Mapping[str, str]) -> County:
    """Make a county, judge it, and set what was seen beside its truth."""
    _say(f"{folder.name}, a county of {lots:,} lots")
    write_county(
        folder,
        seed=seed,
        lots=lots,
        nights=1,
        form="parquet",
        care=care,
        paper_lots=PAPER_LOTS,
        with_follow_up=True,
    )
    snapshot = _built(folder, LAST_NIGHT)
    seconds = evaluation.screened(snapshot)
    truth = Truth.read(folder)
    seen = evaluation.seen(evaluation.rows_of(snapshot), kinds, truth)
    with duck.connect(snapshot, read_only=True) as con:
        bids = con.sql("SELECT count(*) FROM core.bids").fetchall()[0][0]
    shutil.rmtree(folder)
    return County(truth, seen, seconds, bids)


def market(folder: Path, real: RealSet, data: Path) -> pd.DataFrame:
    """Judge a real set: detector, unit, is_flagged and, where it is labelled, is_collusive (of a lot)."""
    _say(f"{folder.name}, a real set")
    inbox = folder / "inbox" / real.source
    inbox.mkdir(parents=True)
    files = [path for pattern in real.files for path in sorted(data.glob(pattern))]
    for path in files:
        shutil.copy(path, inbox)
    snapshot = _built(folder, AFTER_ALL)
    evaluation.screened(snapshot)
    with duck.connect(snapshot, read_only=True) as con:
        units: pd.DataFrame = con.sql(
            "SELECT detector, unit, bool_or(flagged) AS is_flagged FROM risk.screened GROUP BY ALL ORDER BY ALL"
        ).df()
        if real.labels:
            labels = con.sql(real.labels.format(file=files[0])).df().set_index("lot_id")["is_collusive"]
            units = units.assign(is_collusive=units["unit"].map(labels))
    shutil.rmtree(folder)
    return units


def sharing_tenders(data: Path) -> set[str]:
    """Return the Korean tenders in which two business numbers have one representative, as the file itself says."""
    bids = pd.read_parquet(
        data / "korea_heritage" / "bids_2022_2024.parquet", columns=["공고번호", "사업자등록번호", "대표"]
    )
    firms = bids[bids["대표"].str.strip() != ""].groupby(["공고번호", "대표"])["사업자등록번호"].nunique()
    return set(firms[firms > 1].index.get_level_values("공고번호"))


def _built(folder: Path, as_of: date) -> Path:
    os.environ["BIDWATCH_KEY"] = str(folder / "key")  # of this home alone, gone with it
    return evaluation.built(folder / "inbox", folder / "home", as_of)


def _to_stderr() -> None:
    """Keep what a process draws, such as DuckDB's progress bar, out of the report."""
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def _say(text: str) -> None:
    print(f"detector-report: {text}", file=sys.stderr, flush=True)
