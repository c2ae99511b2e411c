"""Two firms of one representative in one tender, in 1,028 real Korean tenders."""

import shutil
from datetime import date

import duckdb
import pandas as pd
import pytest
from places import REAL_DATA

from detectors.contacts import same_head_name
from pipelines import night, settings
from pipelines.duck import DuckDBEngine
from pipelines.intake.reading import read_files
from pipelines.snapshot.building import HumanDecisions, build
from pipelines.store import opened

FILES = ("bids_2022_2024.parquet", "tenders_2022_2024.parquet")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (REAL_DATA / "korea_heritage").is_dir(),
        reason=f"the real data sets are not here ({REAL_DATA}); set BIDWATCH_REAL_DATA to their folder",
    ),
]


@pytest.fixture(scope="module")
def screened(tmp_path_factory):
    home = settings.Home(tmp_path_factory.mktemp("korea") / "home").prepare()
    (home.inbox / "korea_heritage").mkdir()
    for file in FILES:
        shutil.copy(REAL_DATA / "korea_heritage" / file, home.inbox / "korea_heritage")
    key = home.root.parent / "key"
    key.write_text("42" * 32)
    key.chmod(0o400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIDWATCH_KEY", str(key))
        with opened(home.control) as store:
            night.admit(home, store, date(2026, 11, 22))
            night.receive(home, store, actor="tester", at="2026-11-21T18:00:00+00:00")
            read_files(home, store, progress=lambda *_: None)
            built = build(home, store, date(2026, 11, 22), HumanDecisions([], [], []))
    with duckdb.connect(built.path, read_only=True) as con:
        yield same_head_name.screen(DuckDBEngine(con), same_head_name.Limits())


def sharing_tenders():
    """Return the tenders in which two business numbers have one representative, as the file itself says."""
    bids = pd.read_parquet(
        REAL_DATA / "korea_heritage" / FILES[0], columns=["공고번호", "사업자등록번호", "대표"]
    )
    firms = bids[bids["대표"].str.strip() != ""].groupby(["공고번호", "대표"])["사업자등록번호"].nunique()
    return set(firms[firms > 1].index.get_level_values("공고번호"))


def test_flags_every_tender_with_a_shared_representative_and_no_other(screened):
    expected = sharing_tenders()
    assert len(expected) == 92
    assert set(screened.loc[screened["flagged"], "unit"]) == expected


def test_leaves_the_tenders_whose_representatives_are_blank_alone(screened):
    bids = pd.read_parquet(REAL_DATA / "korea_heritage" / FILES[0], columns=["공고번호", "대표"])
    blank = bids["대표"].str.strip().eq("").groupby(bids["공고번호"]).sum()
    assert (blank > 1).sum() == 49
    assert not (set(blank[blank > 1].index) - sharing_tenders()) & set(
        screened.loc[screened["flagged"], "unit"]
    )
