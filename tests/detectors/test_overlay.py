"""What counts where an installation says otherwise than the program."""

import pytest

from detectors import overlay

SHIPPED = {"a": {"x": 1, "y": 2}, "b": {"x": 3}}


@pytest.mark.parametrize(
    ("levels", "a"),
    [(1, {"y": 9}), (2, {"x": 1, "y": 9})],
)
def test_own_entries_take_a_place_and_new_ones_are_added(levels, a):
    own = {"a": {"y": 9}, "c": {"z": 4}}
    assert overlay.put_over(SHIPPED, own, levels=levels) == {"a": a, "b": {"x": 3}, "c": {"z": 4}}
    assert SHIPPED["a"] == {"x": 1, "y": 2}


def test_an_own_file_is_one_that_lies_there(tmp_path):
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "there.toml").touch()
    assert overlay.own(tmp_path, "there.toml") == tmp_path / "there.toml"
    assert overlay.own(tmp_path, "folder.toml") is None
    assert overlay.own(None, "there.toml") is None


def test_a_byte_order_mark_is_read_over_and_what_is_no_toml_names_its_file(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text("x = 1\n", encoding="utf-8-sig")
    assert overlay.read_toml(path) == {"x": 1}
    for broken in (b"x = \n", "标 = '哨'".encode("gb18030")):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"a\.toml: "):
            overlay.read_toml(path)
