import hashlib
import os
import stat

import pytest

from pipelines import files
from pipelines.intake import receiving
from pipelines.intake.receiving import Arrival
from pipelines.settings import Home
from pipelines.store import opened

AT = "2026-06-30T02:00:00Z"


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def store(home):
    with opened(home.control) as store:
        yield store


def drop(home, name="bids.csv", content=b"a,b\n1,2\n", source="county"):
    path = home.inbox / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def take_in(home, store, *, move=True, actor="night"):
    arrivals = receiving.survey(home.inbox)[0]
    return receiving.receive(home, store, arrivals, at=AT, actor=actor, move=move)


def names(store, table="arrival"):
    return [
        (row["source"], row["name"]) for row in store.rows(f"SELECT source, name FROM {table} ORDER BY rowid")
    ]


def test_a_file_is_kept_under_its_own_hash_and_leaves_the_inbox(home, store):
    path = drop(home)
    (raw_sha,) = take_in(home, store)
    assert raw_sha == hashlib.sha256(b"a,b\n1,2\n").hexdigest() == files.sha256(home.raw / raw_sha)
    assert (home.raw / raw_sha).read_bytes() == b"a,b\n1,2\n"
    assert not path.exists()
    assert names(store) == names(store, "file") == [("county", "bids.csv")]


def test_raw_bytes_may_be_changed_by_nobody(home, store):
    drop(home)
    (raw_sha,) = take_in(home, store)
    mode = stat.S_IMODE((home.raw / raw_sha).stat().st_mode)
    assert mode & 0o222 == 0, "not even by its owner"
    assert mode & 0o007 == 0, "and others do not read it"


def test_the_same_bytes_again_are_an_arrival_and_not_another_file(home, store):
    drop(home)
    take_in(home, store)
    drop(home, "again.csv")
    take_in(home, store)
    assert names(store) == [("county", "bids.csv"), ("county", "again.csv")]
    assert names(store, "file") == [("county", "bids.csv")]
    assert len(list(home.raw.iterdir())) == 1


def test_two_equal_files_at_once_are_two_arrivals(home, store):
    drop(home)
    drop(home, "copy.csv")
    hashes = take_in(home, store)
    assert len(hashes) == 2
    assert len(set(hashes)) == 1
    assert len(names(store)) == 2


def test_a_refused_file_may_come_again_under_its_right_name(home, store):
    drop(home, "bids.pdf")
    take_in(home, store)
    store.con.execute("UPDATE file SET state = 'refused', code = 'NO_FILE_RULE'")
    drop(home, "bids.csv", source="city")
    take_in(home, store)
    (row,) = store.rows("SELECT source, name, state FROM file")
    assert tuple(row) == ("city", "bids.csv", "received")


def test_every_arrival_is_in_the_audit_log_with_who_brought_it(home, store):
    drop(home)
    take_in(home, store, actor="张三")
    (entry,) = store.rows("SELECT body FROM audit")
    assert '"actor":"张三"' in entry["body"]
    assert '"verb":"receive"' in entry["body"]


def test_without_an_actor_nothing_is_taken_in(home, store):
    path = drop(home)
    with pytest.raises(ValueError, match="actor"):
        take_in(home, store, actor="")
    assert path.exists()
    assert names(store) == []


@pytest.mark.parametrize("step", ["fsync", "chmod", "rename"])
def test_a_file_killed_half_way_stays_in_the_inbox_and_leaves_no_raw_file(home, store, monkeypatch, step):
    path = drop(home)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(*(("os.fsync",) if step == "fsync" else (f"pathlib.Path.{step}",)), killed)
        with pytest.raises(KeyboardInterrupt):
            take_in(home, store)
    assert path.exists()
    assert [file for file in home.raw.iterdir() if not file.name.startswith(".")] == []
    assert names(store) == []
    (raw_sha,) = take_in(home, store)
    assert (home.raw / raw_sha).read_bytes() == b"a,b\n1,2\n"


def test_killed_between_raw_and_its_note_is_taken_in_again(home, store, monkeypatch):
    path = drop(home)
    with monkeypatch.context() as patched:
        patched.setattr("pipelines.audit.append", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            take_in(home, store)
    assert path.exists()
    assert names(store) == names(store, "file") == []
    take_in(home, store)
    assert names(store) == names(store, "file") == [("county", "bids.csv")]


def test_files_that_are_still_written_are_left_alone(home):
    drop(home, ".bids.csv.part")
    drop(home, ".partial/bids.csv")
    drop(home, "x.csv", source=".staging")
    drop(home, "day 1/bids.csv")
    assert receiving.survey(home.inbox)[0] == [
        Arrival("county", home.inbox / "county" / "day 1" / "bids.csv", home.inbox)
    ]


def test_a_link_is_never_followed(home, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("key")
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "x.csv").write_text("a,b\n")
    drop(home, "real.csv")
    (home.inbox / "county" / "link.csv").symlink_to(secret)
    (home.inbox / "county" / "folder").symlink_to(folder)
    (home.inbox / "county" / "gone.csv").symlink_to(tmp_path / "nowhere")
    assert [arrival.path.name for arrival in receiving.survey(home.inbox)[0]] == ["real.csv"]


def test_a_linked_folder_is_neither_read_nor_emptied(home, store, tmp_path):
    """``ln -s ../raw inbox/raw`` once emptied raw."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "a.csv").write_text("a,b\n")
    (elsewhere / "deep" / "b.csv").write_text("a,b\n")
    drop(home, "real.csv")
    (home.inbox / "raw").symlink_to(elsewhere)
    (home.inbox / "county" / "deeper").symlink_to(elsewhere / "deep")
    assert len(take_in(home, store)) == 1
    assert sorted(path.name for path in elsewhere.rglob("*.csv")) == ["a.csv", "b.csv"]
    assert left(home) == ["county/deeper", "raw"]


def test_a_folder_exchanged_for_a_link_after_the_look_is_not_followed(home, store, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "bids.csv").write_text("not ours\n")
    drop(home)
    arrivals = receiving.survey(home.inbox)[0]
    (home.inbox / "county").rename(tmp_path / "moved")
    (home.inbox / "county").symlink_to(elsewhere)
    assert receiving.receive(home, store, arrivals, at=AT, actor="night", move=True) == []
    assert (elsewhere / "bids.csv").read_text() == "not ours\n"
    assert names(store) == []


def test_a_file_exchanged_while_it_was_taken_in_is_not_removed(home, store, monkeypatch):
    path = drop(home)
    write_down = receiving._write_down

    def exchange(*args, **kwargs):
        write_down(*args, **kwargs)
        path.rename(path.with_name(".old"))
        path.write_text("newer\n")

    monkeypatch.setattr(receiving, "_write_down", exchange)
    take_in(home, store)
    assert path.read_text() == "newer\n"


def test_a_file_that_still_grows_stays_for_the_next_night(home, store, monkeypatch):
    path = drop(home)
    read = os.read

    def grown(handle, count):
        chunk = read(handle, count)
        if not chunk:
            with path.open("ab") as file:
                file.write(b"3,4\n")
        return chunk

    with monkeypatch.context() as patched:
        patched.setattr(os, "read", grown)
        assert take_in(home, store) == []
    assert names(store) == []
    assert [each.name for each in home.raw.iterdir()] == []
    assert len(take_in(home, store)) == 1


def test_what_cannot_be_taken_in_is_named_with_its_reason(home, store, tmp_path, monkeypatch):
    drop(home)
    os.mkfifo(home.inbox / "county" / "pipe.csv")
    (home.inbox / "readme.txt").write_text("not in a source's folder")
    (home.inbox / "county" / "link.csv").symlink_to(tmp_path / "nowhere")
    drop(home, "secret.csv")
    open_ = os.open

    def refusing(path, flags, *args, **kwargs):
        if path == "secret.csv":
            raise PermissionError(13, "Permission denied")
        return open_(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing)
    reasons = {each.name: (each.reason, each.reason_zh) for each in receiving.survey(home.inbox)[1]}
    assert reasons.keys() == {"readme.txt", "county/pipe.csv", "county/link.csv", "county/secret.csv"}
    assert "inbox/<source>/" in reasons["readme.txt"][0]
    assert "pipe" in reasons["county/pipe.csv"][0]
    assert "链接" in reasons["county/link.csv"][1]
    assert "Permission denied" in reasons["county/secret.csv"][0]
    assert len(take_in(home, store)) == 1, "the others do not stop the night"


def test_a_folder_without_end_is_left(home):
    path = home.inbox / "county"
    for _ in range(receiving.MAX_DEPTH + 3):
        path = path / "d"
    path.mkdir(parents=True)
    (path / "bids.csv").write_text("a,b\n")
    assert receiving.survey(home.inbox)[0] == []
    assert "folders deep" in receiving.survey(home.inbox)[1][0].reason


def left(home):
    return [each.name for each in receiving.survey(home.inbox)[1]]


def test_a_pipe_or_a_lone_file_does_not_stop_the_night(home):
    drop(home)
    os.mkfifo(home.inbox / "county" / "pipe.csv")
    (home.inbox / "readme.txt").write_text("not in a source's folder")
    assert [arrival.path.name for arrival in receiving.survey(home.inbox)[0]] == ["bids.csv"]


@pytest.mark.parametrize(
    "name",
    ["𠮷" * 63, "招" * 85, "a'; DROP TABLE file; --.csv", "x\n.csv", " .csv", "-rf.csv"],
)
def test_any_name_that_a_file_can_have_is_taken_in(home, store, name):
    drop(home, name)
    take_in(home, store)
    assert names(store) == [("county", name)]


def test_a_name_in_gbk_is_taken_in_readably(home, store):
    path = os.fsdecode(os.fsencode(home.inbox / "county") + b"/" + "投标.csv".encode("gbk"))
    (home.inbox / "county").mkdir()
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b"a,b\n1,2\n")
    take_in(home, store)
    ((source, name),) = names(store)
    assert source == "county"
    assert name.endswith(".csv")
    name.encode()


def test_files_come_in_order_of_source_and_name(home):
    for source, name in (("b", "1.csv"), ("a", "2.csv"), ("a", "1.csv")):
        drop(home, name, source=source)
    found = [(arrival.source, arrival.path.name) for arrival in receiving.survey(home.inbox)[0]]
    assert found == [("a", "1.csv"), ("a", "2.csv"), ("b", "1.csv")]


def test_a_file_named_by_hand_is_copied_and_stays(home, store, tmp_path):
    path = tmp_path / "by hand.csv"
    path.write_bytes(b"x,y\n")
    receiving.receive(home, store, [Arrival("county", path)], at=AT, actor="张三", move=False)
    assert path.exists()
    assert names(store) == [("county", "by hand.csv")]


def test_a_large_file_is_hashed_and_copied_in_parts(home, store, monkeypatch):
    monkeypatch.setattr(receiving, "CHUNK", 7)
    content = bytes(range(256)) * 5
    drop(home, content=content)
    (raw_sha,) = take_in(home, store)
    assert raw_sha == hashlib.sha256(content).hexdigest()
    assert (home.raw / raw_sha).read_bytes() == content
    assert store.rows("SELECT bytes FROM file")[0]["bytes"] == len(content)
