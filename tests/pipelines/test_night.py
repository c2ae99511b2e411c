"""Whole nights on the sample county, against its truth."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
from datetime import date
from decimal import Decimal

import duckdb
import pytest
from places import SAMPLE
from sample_night import AS_OF, FEW, run, state_of

from pipelines import duck, files, night, settings
from pipelines.store import opened

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def key(monkeypatch, sample_night):
    monkeypatch.setenv("BIDWATCH_KEY", str(sample_night.key))


@pytest.fixture(scope="module")
def sampled(sample_night, tmp_path_factory):
    """A home after one night on the sample county, and that night; tests that change it take a copy."""
    home = settings.Home(sample_night.copy(tmp_path_factory.mktemp("sampled")))
    with opened(home.control) as store:
        (done,) = store.rows("SELECT * FROM night")
    return home, done


@pytest.fixture
def home(sampled, tmp_path):
    shutil.copytree(sampled[0].root, tmp_path / "home")
    return settings.Home(tmp_path / "home")


def truth(name):
    with (SAMPLE / "truth" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def found(home):
    with opened(home.control) as store:
        rows = store.rows("SELECT detector, scope, entities FROM signal WHERE is_current = 1")
    return [(row["detector"], row["scope"], set(json.loads(row["entities"]))) for row in rows]


# ---- what is found


#: Which detector must see what a ring left in a lot.
SEES = {
    "edit_hardware": "contacts.edit_hardware",
    "upload_hardware": "contacts.upload_hardware",
    "pricing_dongle": "contacts.pricing_dongle",
    "deposit_account": "contacts.deposit_account",
    "project_manager": "contacts.project_member",
    "same_agent": "contacts.same_agent",
    "same_operator": "contacts.same_contact",
    "contact_phone": "contacts.same_phone",
    "file_creation_id": "contacts.file_creation_id",
    "same_ip": "contacts.same_ip",
    "ownership": "contacts.ownership",
    "upload_minutes": "collusion.upload_times",
    "ban": "watchlist.active_ban",
}
#: Which other detectors see the same trace: an operator acts for several bidders as an agent does, and both leave one phone.
SEE_TOO = {
    "same_agent": {"contacts.same_contact", "contacts.same_phone"},
    "same_operator": {"contacts.same_agent", "contacts.same_phone"},
    "same_ip": {"contacts.purchase_trace"},
}
#: Which detectors must leave an innocent look-alike alone.
LEAVES = {
    "on_site_upload": {"contacts.upload_hardware"},
    "buyers_files": {"contacts.edit_hardware", "contacts.pricing_dongle"},
    "local_mac": {"contacts.edit_hardware"},
    "joint_venture": {"contacts.edit_hardware", "contacts.upload_hardware", "contacts.pricing_dongle"},
    "placeholders": {
        "contacts.edit_hardware",
        "contacts.upload_hardware",
        "contacts.pricing_dongle",
        "contacts.same_contact",
    },
    "guarantee": {"contacts.deposit_account"},
    "same_name": {"contacts.project_member", "contacts.same_person", "contacts.same_head_name"},
    "agency_phone": {"contacts.same_contact", "contacts.same_phone"},
    "affiliates": {"contacts.shared_ownership"},
    "nat_ip": {"contacts.upload_hardware", "contacts.edit_hardware"},
    "ban_ended": {"watchlist.active_ban"},
    "ban_withdrawn": {"watchlist.active_ban"},
}
#: What a firm can explain and a machine cannot: one consultant, shop or network behind several bids.
REBUTTABLE = {
    "consultant_dongle": {"contacts.pricing_dongle", "contacts.edit_hardware"},
    "copy_shop": {"contacts.edit_hardware"},
    "nat_ip": {"contacts.same_ip", "contacts.purchase_trace"},
}


def opened_links():
    shown = {row["lot_id"] for row in truth("lots.csv") if row["opening_at"][:10] < str(AS_OF)}
    return [link for link in truth("links.csv") if link["lot_id"] in shown]


def test_every_trace_that_a_ring_left_is_found_by_its_detector(sampled):
    seen = found(sampled[0])
    # A firm that the centre recorded under another code or none is another party until people say that it is the same.
    written = {(row["lot_id"], row["bidder_code"]) for row in truth("bids.csv") if row["code_form"] == "0"}
    looked = set()
    for link in opened_links():
        if link["innocent"] == "yes" or link["what"] not in SEES:
            continue
        parties = {code for code in link["parties"].split(";") if (link["lot_id"], code) in written}
        if len(parties) > 1 or (parties and link["what"] == "ban"):
            looked.add(link["what"])
            for party in [parties] if link["what"] != "ban" else [{code} for code in parties]:
                assert any(
                    detector == SEES[link["what"]] and scope.startswith(link["lot_id"]) and party <= entities
                    for detector, scope, entities in seen
                ), link
    assert looked == set(SEES)


def test_no_look_alike_is_flagged_and_no_identity_flag_is_without_a_trace(sampled):
    left, alike, rebuttable = set(), set(), set()
    for link in opened_links():
        lot, what = link["lot_id"], link["what"]
        if link["innocent"] == "no":
            left |= {(detector, lot) for detector in {SEES[what]} | SEE_TOO.get(what, set())}
        alike |= {(detector, lot) for detector in LEAVES.get(what, ())}
        rebuttable |= {(detector, lot) for detector in REBUTTABLE.get(what, ())}
    assert alike
    owned = [
        set(ring["members"].split(";")) for ring in truth("rings.csv") if "ownership" in ring["evidence"]
    ]
    for detector, scope, entities in found(sampled[0]):
        if detector == "contacts.ownership":
            # One firm owns another in every lot, also where the ring did not act.
            assert any(entities <= members for members in owned), (detector, scope)
        elif detector.startswith("contacts.") or detector == "watchlist.active_ban":
            assert (detector, scope.split("/")[0]) in left | rebuttable, (detector, scope)
            assert (detector, scope.split("/")[0]) not in alike - left - rebuttable


def test_truth_and_night_agree_on_every_bid(sampled):
    """The truth's bids of opened lots are the published ones, price for price; all others come from noted dirt."""
    home, done = sampled
    bids = {(row["lot_id"], row["bidder_code"]): row for row in truth("bids.csv") if row["code_form"] == "0"}
    shown = {row["lot_id"] for row in truth("lots.csv") if row["opening_at"][:10] < str(AS_OF)}
    dirty = {row["lot_id"] for row in truth("records.csv") if row["fate"] in ("conflict", "held")}
    by_rate = {row["lot_id"] for row in truth("records.csv") if "discounts" in row["what"]}
    con = duck.open_snapshot(home.snapshot(done["snapshot"]))
    published = con.execute("SELECT lot_id, bidder_id, price_cny FROM core.bids").fetchall()
    con.close()
    seen = {(lot, bidder): price for lot, bidder, price in published}
    missing = {key for key in bids if key[0] in shown - dirty and key not in seen}
    assert not missing
    for key, price in seen.items():
        if key in bids and key[0] not in by_rate:
            row = bids[key]
            said = Decimal(row["price_cny"]) / (10_000 if row["is_wrong_unit"] == "yes" else 1)
            assert abs(price - said) < Decimal("0.01"), key
    short = sum(row["code_form"] != "0" and row["lot_id"] in shown for row in truth("bids.csv"))
    assert len(set(seen) - set(bids)) <= short
    assert len(seen) > 1500


def test_every_record_is_accounted_for_and_dirty_ones_meet_their_fate(sampled):
    home, done = sampled
    assert done["state"] == "published"
    with opened(home.control) as store:
        files = store.rows("SELECT * FROM file")
    assert all(f["records"] == f["loaded"] + f["duplicate"] + f["refused"] for f in files)
    con = duck.connect()
    refused = con.execute(
        "SELECT DISTINCT code FROM read_parquet($paths)",
        {"paths": [str(path) for path in home.bronze.glob("*/*/refused.parquet")]},
    ).fetchall()
    con.close()
    expected = {row["code"] for row in truth("records.csv") if row["fate"] == "refused"}
    assert expected
    assert expected <= {code for (code,) in refused}
    held = {row["lot_id"] for row in truth("records.csv") if row["fate"] == "held"}
    con = duck.open_snapshot(home.snapshot(done["snapshot"]))
    shown = con.execute("SELECT DISTINCT lot_id FROM core.bids").fetchall()
    con.close()
    assert held
    assert sum(f["held"] for f in files) > 0
    assert not held & {lot for (lot,) in shown}


def test_lists_go_to_the_regulator_in_charge_and_to_the_coordinating_office(sampled):
    folders = sorted(path.name for path in sampled[0].outbox.iterdir())
    assert "development-reform" in folders
    assert len(folders) > 1
    for folder in sampled[0].outbox.glob("*/*"):
        names = {path.name for path in folder.iterdir()}
        assert names == {
            "alerts.csv",
            "alerts.xlsx",
            "alerts.jsonl",
            "MANIFEST.json",
            "SHA256SUMS",
            "SM3SUMS",
            "CHECKPOINT",
        }
        subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


def test_every_alert_names_its_source_cells_and_they_hold_what_it_says(sampled):
    from pipelines.intake import lineage

    home, _ = sampled
    with opened(home.control) as store:
        fps = [row["fp"] for row in store.rows("SELECT fp FROM signal WHERE is_current = 1 ORDER BY fp")]
        assert all(lineage.evidence(store, fp)["sources"] for fp in fps)
        chosen = [
            row["fp"] for row in store.rows("SELECT fp FROM signal WHERE detector = 'prices.ladder' LIMIT 1")
        ]
        sources = lineage.sources(home, store, chosen[0])
    prices = [source for source in sources if "bids.price" in source.columns]
    assert len(prices) >= 2
    assert all(any(source.record.values()) for source in sources)


def test_no_clear_personal_value_leaves_the_vault(sampled):
    """Phones of the sample begin with 12, document numbers with 999999: neither stands in what others read."""
    home, _ = sampled
    readable = [*home.outbox.rglob("*"), *home.reports.rglob("*"), home.control, *home.published.glob("*")]
    with opened(home.control) as store:
        text = "\n".join(str(tuple(row)) for row in store.rows("SELECT body FROM evidence"))
    assert "99999918" not in text
    for path in readable:
        if path.is_file():
            assert b"99999918" not in path.read_bytes(), path


# ---- again, later, in another order


def test_the_same_night_again_changes_nothing(home):
    before = state_of(home)
    with opened(home.control) as store:
        audit = store.rows("SELECT count(*) AS n FROM audit")[0]["n"]
    assert run(home).state == "unchanged"
    assert state_of(home) == before
    with opened(home.control) as store:
        assert store.rows("SELECT count(*) AS n FROM audit")[0]["n"] == audit


def test_the_same_files_again_are_arrivals_and_nothing_else(home):
    before = state_of(home)
    shutil.copytree(SAMPLE / "inbox", home.inbox, dirs_exist_ok=True)
    assert run(home).state == "unchanged"
    assert state_of(home) == before
    with opened(home.control) as store:
        deliveries, files = (
            store.rows(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in ("arrival", "file")
        )
    assert deliveries == 2 * files


def test_files_in_reverse_order_over_many_nights_end_in_the_same_state(sampled, tmp_path):
    home = settings.Home(tmp_path / "reversed").prepare()
    # What a file says does not depend on when it comes: it need not be read again.
    shutil.copytree(sampled[0].bronze, home.bronze, dirs_exist_ok=True)
    files = sorted((SAMPLE / "inbox").glob("*/*"), reverse=True)
    third = len(files) // 3
    for part in (files[:third], files[third : 2 * third], files[2 * third :]):
        for file in part:
            (home.inbox / file.parent.name).mkdir(exist_ok=True)
            shutil.copy(file, home.inbox / file.parent.name)
        # What an earlier night saw plays no part in the last one.
        run(home, detectors=None if part[-1] == files[-1] else FEW)
    ours, theirs = state_of(home), state_of(sampled[0])
    assert ours[3] == theirs[3]  # the snapshot says the same
    current = [row for row in ours[0] if row[3]]
    assert [row[0] for row in current] == [row[0] for row in theirs[0]]


def test_what_was_held_back_is_shown_the_night_after_the_opening(home):
    with opened(home.control) as store:
        held = store.rows("SELECT sum(held) AS n FROM file")[0]["n"]
    assert held
    assert run(home, date(2026, 7, 31)).state == "published"
    with opened(home.control) as store:
        assert store.rows("SELECT sum(held) AS n FROM file")[0]["n"] == 0


def test_delivered_evidence_is_not_delivered_again_the_next_night(home):
    before = len(list(home.outbox.glob("*/*")))
    with opened(home.control) as store:
        told = {tuple(row) for row in store.rows("SELECT recipient, fp, ev_hash FROM outbox_item")}
    run(home, date(2026, 7, 1))
    with opened(home.control) as store:
        rows = store.rows("SELECT recipient, fp, ev_hash FROM outbox_item")
    assert len(rows) == len({tuple(row) for row in rows})
    assert told <= {tuple(row) for row in rows}
    assert len(list(home.outbox.glob("*/*"))) >= before


# ---- when things go wrong


def test_a_closed_gate_publishes_nothing_and_says_why(home, monkeypatch, tmp_path):
    from pipelines.snapshot import gates

    folder = tmp_path / "gates"
    shutil.copytree(gates.FOLDER, folder)
    (folder / "never.sql").write_text(
        "-- This never holds.\n-- zh: 此条件永不成立\nSELECT 3 AS violations;\n"
    )
    monkeypatch.setattr(gates, "FOLDER", folder)
    before = state_of(home)
    done = run(home, date(2026, 7, 31), detectors=FEW)
    assert done.state == "blocked"
    assert state_of(home) == before
    assert "此条件永不成立" in done.page.read_text(encoding="utf-8")


def test_a_detector_that_misstates_its_needs_keeps_its_result_and_the_page_says_so(home, monkeypatch):
    from detectors.conduct import few_bids, lowest_rejected
    from detectors.interface import Need

    every = "SELECT lot_id AS unit FROM core.lots"
    monkeypatch.setattr(few_bids, "NEEDS", (Need("no mark", "无标记", every + " WHERE false"),))
    monkeypatch.setattr(lowest_rejected, "NEEDS", (Need("no lot", "无标段", every),))
    done = run(home, date(2026, 7, 31))
    assert done.state == "published"
    outcomes = {each.id: each for each in done.screened}
    assert outcomes["conduct.few_bids"].judged > 0
    assert [each.lack_zh for each in outcomes["conduct.lowest_rejected"].unjudged] == ["原因未登记"]
    page = done.page.read_text(encoding="utf-8")
    assert "规则待修正 / detector to mend: conduct.few_bids 判定了" in page
    assert "规则待修正 / detector to mend: conduct.lowest_rejected 未判定" in page


def test_no_detector_misstates_its_needs(sampled):
    _, done = sampled
    screened = json.loads(done["summary"])["screened"]
    assert screened
    assert [each["misstated"] for each in screened if each["misstated"]] == []


def test_a_broken_file_does_not_stop_the_night(home):
    broken = home.inbox / "national"
    broken.mkdir(exist_ok=True)
    (broken / "TENDER_LIST_20260701.csv").write_text(
        'BID_SECTION_CODE,BID_PRICE\n"unclosed,1\n', encoding="utf-8"
    )
    (broken / "exchange_bad.xml").write_text("<!DOCTYPE a [<!ENTITY b 'c'>]><DES/>", encoding="utf-8")
    (home.inbox / "nobody").mkdir()
    (home.inbox / "nobody" / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert run(home, detectors=FEW).state in ("published", "unchanged")
    with opened(home.control) as store:
        refused = {
            row["name"]: row["code"] for row in store.rows("SELECT * FROM file WHERE state = 'refused'")
        }
    assert set(refused) == {"TENDER_LIST_20260701.csv", "exchange_bad.xml", "x.csv"}
    assert refused["x.csv"] == "NO_MAPPING"


def test_a_refused_file_is_taken_when_it_comes_under_the_right_source(home):
    raw = (SAMPLE / "inbox" / "opening_sheets").glob("*.xlsx")
    content = next(raw).read_bytes()
    with opened(home.control) as store:
        sheet = store.rows("SELECT * FROM file WHERE raw_sha = ?", hashlib.sha256(content).hexdigest())[0]
        assert sheet["state"] == "loaded"
    (home.inbox / "nobody").mkdir()
    (home.inbox / "nobody" / "new.csv").write_text("a\n1\n", encoding="utf-8")
    run(home, detectors=FEW)
    (home.inbox / "opening_sheets").mkdir(exist_ok=True)
    (home.inbox / "opening_sheets" / "new.csv").write_text("a\n1\n", encoding="utf-8")
    run(home, detectors=FEW)
    with opened(home.control) as store:
        row = store.rows("SELECT * FROM file WHERE name = 'new.csv'")[0]
    assert (row["source"], row["code"]) != ("nobody", "NO_MAPPING")


def test_a_file_is_back_when_its_mapping_is_back(home):
    mapping = home.sources / "mine.toml"
    text = (
        'title = "t"\ncountry = "CN"\ntime_zone = "Asia/Shanghai"\n[[file]]\nmatch = ["*.csv"]\nformat = "delimited"\n'
        '[[record]]\ntable = "lots"\n[record.columns]\nlot_id = { from = ["lot"] }\nlot_name = { from = ["name"] }\n'
    )
    mapping.write_text(text, encoding="utf-8")
    (home.inbox / "mine").mkdir()
    (home.inbox / "mine" / "lots.csv").write_text("lot,name\nM1,a\n", encoding="utf-8")
    states = []
    for there in (True, False, True):
        if there:
            mapping.write_text(text, encoding="utf-8")
        else:
            mapping.unlink()
        run(home, detectors=FEW)
        with opened(home.control) as store:
            states.append(store.rows("SELECT state FROM file WHERE name = 'lots.csv'")[0]["state"])
    assert states == ["loaded", "refused", "loaded"]


def test_a_second_night_at_the_same_time_is_told_to_wait(home):
    with night.lock(home), pytest.raises(night.Busy):
        run(home)


def test_an_open_notebook_does_not_disturb_the_night(home):
    with opened(home.control) as store:
        snapshot = store.current_snapshot()
    reader = duck.connect(home.snapshot(snapshot), read_only=True)
    before = reader.execute("SELECT count(*) FROM core.bids").fetchall()
    assert run(home, date(2026, 7, 31), detectors=FEW).state == "published"
    assert reader.execute("SELECT count(*) FROM core.bids").fetchall() == before
    reader.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "COPY (SELECT 1) TO '{tmp}/out.csv'",
        "ATTACH '{tmp}/other.duckdb' AS other",
        "EXPORT DATABASE '{tmp}/all'",
        "INSTALL httpfs",
        "LOAD sqlite",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "SET memory_limit = '100GB'",
        "CREATE TABLE core.more (a INTEGER)",
        "UPDATE core.bids SET price = 1",
    ],
)
def test_a_notebook_cannot_leave_its_snapshot(sampled, tmp_path, sql):
    home, done = sampled
    con = duck.open_snapshot(home.snapshot(done["snapshot"]))
    try:
        with pytest.raises(duckdb.Error):
            con.execute(sql.format(tmp=tmp_path)).fetchall()
    finally:
        con.close()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_swept_and_what_a_running_one_writes_is_not(home):
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = home.raw / f".receiving.{gone.pid}"
    left.write_bytes(b"half")
    writing = home.raw / f".receiving.{os.getppid()}"
    writing.write_bytes(b"half")
    run(home, detectors=FEW)
    assert not left.exists()
    assert writing.exists()


def test_raw_bytes_are_kept_exactly(sampled):
    home, _ = sampled
    for path in (SAMPLE / "inbox").glob("*/*"):
        assert (home.raw / files.sha256(path)).read_bytes() == path.read_bytes()
