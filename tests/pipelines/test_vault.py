import sqlite3
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import vault

KEY = bytes(range(32))


def clear(*rows):
    kinds, tokens, texts = zip(*rows, strict=True)
    return pa.table({"kind": kinds, "token": tokens, "text": texts})


ROWS = [("person", "h1:aa", "张三"), ("phone", "h1:bb", "13912345678"), ("person", "h1:cc", "𠮷田")]


def test_what_is_sealed_can_be_revealed_with_the_key(tmp_path):
    vault.seal(tmp_path / "sealed.parquet", [clear(*ROWS[:2]), clear(*ROWS)], KEY)
    vault.store(tmp_path / "vault.sqlite", [tmp_path / "sealed.parquet"])
    assert [vault.reveal(tmp_path / "vault.sqlite", KEY, token) for _, token, _ in ROWS] == [
        text for *_, text in ROWS
    ]


def test_the_sealed_file_has_no_clear_text_and_is_the_same_every_time(tmp_path):
    for name in ("one", "two"):
        vault.seal(tmp_path / name, [clear(*ROWS)] if name == "one" else [clear(*ROWS[::-1])], KEY)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    values = pq.read_table(tmp_path / "one").to_pylist()
    assert len(values) == 3
    assert not any(text.encode() in value["sealed"] for value in values for *_, text in ROWS)


def test_another_key_seals_to_other_bytes_and_opens_nothing(tmp_path):
    vault.seal(tmp_path / "sealed.parquet", [clear(*ROWS)], KEY)
    vault.store(tmp_path / "vault.sqlite", [tmp_path / "sealed.parquet"])
    with pytest.raises(ValueError, match=r"h1:aa was sealed with another key"):
        vault.reveal(tmp_path / "vault.sqlite", bytes(32), "h1:aa")


def test_a_sealed_value_cannot_be_passed_off_as_another_kind(tmp_path):
    vault.seal(tmp_path / "sealed.parquet", [clear(*ROWS)], KEY)
    vault.store(tmp_path / "vault.sqlite", [tmp_path / "sealed.parquet"])
    con = sqlite3.connect(tmp_path / "vault.sqlite")
    with con:
        con.execute("UPDATE value SET kind = 'account' WHERE token = 'h1:bb'")
    con.close()
    with pytest.raises(ValueError, match="another key"):
        vault.reveal(tmp_path / "vault.sqlite", KEY, "h1:bb")


def test_storing_twice_keeps_one_value(tmp_path):
    vault.seal(tmp_path / "sealed.parquet", [clear(*ROWS)], KEY)
    for _ in range(2):
        vault.store(tmp_path / "vault.sqlite", [tmp_path / "sealed.parquet"] * 2)
    con = sqlite3.connect(tmp_path / "vault.sqlite")
    assert con.execute("SELECT count(*) FROM value").fetchall() == [(3,)]
    con.close()


def test_nothing_to_seal_makes_no_file(tmp_path):
    vault.seal(tmp_path / "sealed.parquet", [], KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_vault_that_is_not_there_reveals_nothing_and_is_not_made(tmp_path):
    assert vault.reveal(tmp_path / "vault.sqlite", KEY, "h1:aa") is None
    assert list(tmp_path.iterdir()) == []


def test_a_key_is_made_whole_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "config" / "home.key"
    vault.make_key(path)
    key = vault.load_key(path)
    assert len(key) == 32
    assert vault.load_key(path) == key
    vault.make_key(tmp_path / "other.key")
    assert vault.load_key(tmp_path / "other.key") != key
    assert sorted(each.name for each in path.parent.iterdir()) == ["home.key"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o600 | 0o020])
def test_a_key_that_others_may_read_is_refused_with_the_remedy(tmp_path, mode):
    path = tmp_path / "home.key"
    vault.make_key(path)
    path.chmod(mode)
    with pytest.raises(PermissionError, match="chmod 400"):
        vault.load_key(path)


@pytest.mark.parametrize("text", ["", "00" * 31, "00" * 33, "zz" * 32, "钥匙"])
def test_a_broken_key_is_refused_by_the_name_of_its_file(tmp_path, text):
    path = tmp_path / "home.key"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o400)
    with pytest.raises(ValueError, match=r"home\.key: the key must be 32 bytes"):
        vault.load_key(path)


def test_the_public_name_of_a_key_tells_keys_apart_and_nothing_else():
    assert vault.key_id(KEY) != vault.key_id(bytes(32))
    assert len(vault.key_id(KEY)) == 8
    assert KEY.hex()[:8] != vault.key_id(KEY)
