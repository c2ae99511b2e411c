"""A night over real records: it completes, and every record is accounted for."""

import shutil
from datetime import date

import pytest
from places import REAL_DATA
from sample_night import run

from pipelines import settings
from pipelines.store import opened

FILES = {
    "japan_tsuchiura": ("japan_tsuchiura/bids.parquet",),
    "korea_heritage": ("korea_heritage/bids_2022_2024.parquet", "korea_heritage/tenders_2022_2024.parquet"),
    "huainan_openings": ("china/huainan_opening_1.parquet", "china/huainan_opening_3.parquet"),
    "armenia_ocds": ("ocds/armenia_releases.jsonl.zst",),
}

PRICES = (
    "prices.low_dispersion",
    "prices.cover_gap",
    "prices.ceiling_hugging",
    "prices.identical_prices",
    "prices.ladder",
)
WITHOUT_RECORDS = (
    "contacts.edit_hardware",
    "contacts.pricing_dongle",
    "contacts.deposit_account",
    "watchlist.active_ban",
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not REAL_DATA.is_dir(),
        reason=f"the real data sets are not here ({REAL_DATA}); set BIDWATCH_REAL_DATA to their folder",
    ),
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    home = settings.Home(tmp_path_factory.mktemp("real") / "home").prepare()
    for source, files in FILES.items():
        (home.inbox / source).mkdir()
        for file in files:
            shutil.copy(REAL_DATA / file, home.inbox / source)
    key = home.root.parent / "key"
    key.write_text("42" * 32)
    key.chmod(0o400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIDWATCH_KEY", str(key))
        done = run(home, date(2026, 11, 22), "2026-11-21T18:00:00+00:00", detectors=PRICES + WITHOUT_RECORDS)
    return home, done


def test_the_night_is_published(ran):
    assert ran[1].state == "published"


def test_every_record_of_every_real_file_is_accounted_for(ran):
    with opened(ran[0].control) as store:
        rows = {row["name"]: dict(row) for row in store.rows("SELECT * FROM file")}
    records = {name: row["records"] for name, row in rows.items()}
    assert records["bids.parquet"] == 6_013
    assert records["bids_2022_2024.parquet"] == 40_704
    assert records["tenders_2022_2024.parquet"] == 1_028
    assert records["huainan_opening_1.parquet"] == 151
    assert records["huainan_opening_3.parquet"] == 547
    assert all(row["records"] == row["loaded"] + row["duplicate"] + row["refused"] for row in rows.values())
    assert not any(row["refused"] for row in rows.values())


def test_price_detectors_judge_the_real_markets_and_flag_few_of_them(ran):
    screened = {s.id: s for s in ran[1].screened}
    for id in PRICES:
        assert screened[id].judged >= 500, id
        assert screened[id].flagged <= 0.05 * screened[id].judged, id


def test_what_is_not_in_the_records_is_not_judged(ran):
    # None of these sets has device codes, deposits or a list of bans.
    screened = {s.id: s for s in ran[1].screened}
    for id in WITHOUT_RECORDS:
        assert (screened[id].judged, screened[id].flagged) == (0, 0)
