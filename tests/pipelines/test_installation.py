"""An installation that lost its key or its control store does not run as if it were new."""

import shutil
import subprocess
from datetime import timedelta

import pytest
from sample_night import BIDWATCH, FEW, SMALL, deliver, run, without_settings

from pipelines import settings, vault
from pipelines.cli import exit_code
from pipelines.commands.exits import INTEGRITY_FAILURE
from pipelines.installation import secret_key
from pipelines.settings import Damaged, Home, installed
from pipelines.store import opened

BIDS = "标段编号,统一社会信用代码,投标人名称,投标报价（元）,项目负责人\nL1,,甲公司,100,张三\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("BIDWATCH_KEY", raising=False)
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def seen_a_night(home):
    """A home in which one file with a person's name was read."""
    deliver_bids(home)
    run(home, detectors=FEW)
    return home


def deliver_bids(home, text=BIDS, name="bids.csv"):
    folder = home.inbox / "opening_sheets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def key_of(home):
    with opened(home.control) as store:
        return secret_key(home, store)


def test_the_first_night_makes_the_key_and_notes_it(seen_a_night):
    with opened(seen_a_night.control) as store:
        noted = store.rows("SELECT key_id, key_path FROM installation")
    assert [tuple(row) for row in noted] == [
        (vault.key_id(vault.load_key(seen_a_night.key)), str(seen_a_night.key))
    ]


def test_a_moved_home_without_its_key_stops_and_says_where_the_key_lay(seen_a_night, tmp_path):
    moved = Home(shutil.move(seen_a_night.root, tmp_path / "moved"))
    deliver_bids(moved, BIDS.replace("100", "101"))
    with pytest.raises(Damaged, match="moved, restored") as stopped:
        run(moved, detectors=FEW)
    assert str(seen_a_night.key) in str(stopped.value)
    assert exit_code(stopped.value) == INTEGRITY_FAILURE
    assert not moved.key.exists(), "no new key was made"
    assert len(list(moved.inbox.rglob("*.csv"))) == 1, "nothing was taken in"
    moved.key.parent.mkdir(exist_ok=True)
    shutil.copy(seen_a_night.key, moved.key)
    run(moved, detectors=FEW)


def test_another_key_is_refused(seen_a_night, monkeypatch, tmp_path):
    vault.make_key(tmp_path / "other")
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "other"))
    with pytest.raises(Damaged, match="holds the key"):
        run(seen_a_night, detectors=FEW)


def test_a_home_from_before_keys_were_noted_is_asked_to_open_its_vault(seen_a_night, monkeypatch, tmp_path):
    with opened(seen_a_night.control) as store, store.transaction() as con:
        con.execute("DELETE FROM installation")
    right = key_of(seen_a_night)
    with opened(seen_a_night.control) as store, store.transaction() as con:
        con.execute("DELETE FROM installation")
    vault.make_key(tmp_path / "other")
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "other"))
    with pytest.raises(Damaged, match="another key than the one that sealed"):
        key_of(seen_a_night)
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "none"))
    with pytest.raises(Damaged, match="is not in"):
        key_of(seen_a_night)
    assert not (tmp_path / "none").exists()
    monkeypatch.delenv("BIDWATCH_KEY")
    assert key_of(seen_a_night) == right


@pytest.mark.parametrize("how", ["lost", "truncated", "new", "emptied"])
def test_without_its_control_store_a_home_is_no_new_installation(seen_a_night, how):
    control = seen_a_night.control
    for each in control.parent.glob("control.sqlite-*"):
        each.unlink()
    if how == "emptied":
        with opened(control) as store, store.transaction() as con:
            con.execute("PRAGMA defer_foreign_keys = ON")
            for table in ("file", "arrival", "installation"):
                con.execute(f"DELETE FROM {table}")
    else:
        control.unlink()
    if how == "truncated":
        control.write_bytes(b"")
    if how == "new":
        shutil.move(seen_a_night.raw, seen_a_night.root / "aside")
        seen_a_night.raw.mkdir()
        with opened(control):
            pass
        seen_a_night.raw.rmdir()
        shutil.move(seen_a_night.root / "aside", seen_a_night.raw)
    with pytest.raises(Damaged, match=r"control\.sqlite is missing or empty") as stopped:
        run(seen_a_night, detectors=FEW)
    assert "Put the last copy" in str(stopped.value)
    assert exit_code(stopped.value) == INTEGRITY_FAILURE
    if how == "lost":
        assert not control.exists(), "nothing was made that looks like a store"
        with pytest.raises(Damaged):
            installed(seen_a_night.root)


def test_a_kill_before_the_first_note_is_no_lost_store(home, monkeypatch):
    """Raw has the bytes, nothing is written down yet: the next night goes on."""
    deliver_bids(home)
    with monkeypatch.context() as patched:
        patched.setattr("pipelines.audit.append", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(home, detectors=FEW)
    assert len(list(home.raw.iterdir())) == 1
    run(home, detectors=FEW)


def test_doctor_opens_a_sealed_value(seen_a_night, tmp_path):
    """A vault of another installation is seen, though each file is whole in itself."""
    environment = without_settings() | {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    asked = [BIDWATCH, "doctor", "--home", seen_a_night.root]
    whole = subprocess.run(asked, capture_output=True, text=True, env=environment)
    assert whole.returncode == 0, whole.stderr
    other = Home(tmp_path / "other").prepare()
    deliver_bids(other)
    run(other, detectors=FEW)
    shutil.copy(other.vault, seen_a_night.vault)
    mixed = subprocess.run(asked, capture_output=True, text=True, env=environment)
    assert mixed.returncode == INTEGRITY_FAILURE
    assert "does not open what is sealed" in " ".join(mixed.stderr.split())


def test_a_night_of_an_earlier_day_is_refused_before_anything_is_done(tmp_path, monkeypatch, home):
    deliver(SMALL, home.inbox)
    run(home, detectors=FEW)
    with opened(home.control) as store:
        before = store.current_snapshot()
    deliver_bids(home)
    from datetime import date

    from pipelines import night

    decided = []
    with pytest.raises(ValueError, match="2026-06-30 is published already"):
        night.run(
            home,
            date(2026, 6, 28),
            actor="t",
            at="2026-07-01T18:00:00+00:00",
            progress=lambda *_: None,
            decide=decided.append,
        )
    assert not decided, "what a person says about a gate waits for a night that may be run"
    with opened(home.control) as store:
        assert store.current_snapshot() == before
        assert store.rows("SELECT count(*) AS n FROM signal WHERE is_current")[0]["n"] > 0
    assert len(list(home.inbox.rglob("*.csv"))) == 1, "the file waits for the next night"
    assert settings.home(home.root) == home


def test_a_night_of_a_day_to_come_is_refused(home):
    """It would show bids before their opening."""
    from pipelines import times

    deliver_bids(home)
    with pytest.raises(ValueError, match="has not come yet"):
        run(home, times.today() + timedelta(days=1), detectors=FEW)
    assert len(list(home.inbox.rglob("*.csv"))) == 1
