import re

import pytest

from pipelines.snapshot import core


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Put SQL files in the place of the real ones."""

    def write(**texts):
        for table, text in texts.items():
            (tmp_path / f"{table}.sql").write_text(text, encoding="utf-8")

    monkeypatch.setattr(core, "FOLDER", tmp_path)
    core.tables.cache_clear()
    yield write
    core.tables.cache_clear()


def test_every_file_is_a_table_and_comes_after_those_that_it_names():
    order = core.tables()
    assert sorted(order) == sorted(path.stem for path in core.FOLDER.glob("*.sql"))
    assert order.index("bids") < order.index("bid_members")
    assert order.index("bids") < order.index("people")
    assert order.index("party_names") < order.index("parties")


def test_order_is_alphabetical_but_for_what_a_table_is_made_of(files):
    files(
        a="CREATE TABLE core.a AS SELECT * FROM core.y",
        b="-- beside core.z\nCREATE TABLE core.b AS SELECT 1",
        y="CREATE TABLE core.y AS SELECT 1",
        z="CREATE TABLE core.z AS SELECT 1",
    )
    assert core.tables() == ("b", "y", "a", "z")


def test_a_table_that_is_not_there_is_named(files):
    files(a="CREATE TABLE core.a AS SELECT * FROM core.nothing")
    with pytest.raises(ValueError, match=re.escape("a.sql: names core.nothing, but there is no nothing.sql")):
        core.tables()


def test_tables_that_need_each_other_are_named(files):
    files(
        a="CREATE TABLE core.a AS SELECT * FROM core.b",
        b="CREATE TABLE core.b AS SELECT * FROM core.a",
    )
    with pytest.raises(ValueError, match="the core tables a, b need each other"):
        core.tables()
