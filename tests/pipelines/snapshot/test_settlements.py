"""Two files say different things about one cell: it is empty until a person says which is right."""

import pytest
from sample_night import AT, run
from typer.testing import CliRunner

from pipelines import duck
from pipelines.cli import app
from pipelines.settings import Home
from pipelines.snapshot import settlements
from pipelines.store import opened

HEAD = "标段编号,投标人名称,投标报价（元）,项目负责人,开标时间\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "key"))
    home = Home(tmp_path / "home").prepare()
    deliver(home, "a.csv", "L1,甲公司,100,张三,2026-05-06 09:30\nL1,乙公司,110,李四,2026-05-06 09:30\n")
    deliver(home, "b.csv", "L1,甲公司,105,王五,2026-05-06 09:30\nL1,乙公司,110,李四,2026-05-06 09:30\n")
    night(home)
    return home


def deliver(home, name, rows):
    folder = home.inbox / "opening_sheets"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(HEAD + rows, encoding="utf-8")


def night(home):
    run(home, detectors=("contacts.same_agent",))


def price_of(home, bidder):
    with opened(home.control) as store:
        con = duck.open_snapshot(home.snapshot(store.current_snapshot()))
    try:
        ((price,),) = con.execute(
            "SELECT CAST(price AS INTEGER) FROM core.bids WHERE bidder_name = $1", [bidder]
        ).fetchall()
    finally:
        con.close()
    return price


def by_column(home):
    with opened(home.control) as store:
        return {each.column: each for each in settlements.conflicts(home, store)}


def command(home, *words):
    return CliRunner().invoke(app, ["quarantine", *words, "--home", str(home.root)], catch_exceptions=True)


def test_a_conflict_names_its_record_and_every_place_and_shows_no_person(home):
    found = by_column(home)
    assert set(found) == {"price", "project_manager"}
    price = found["price"]
    assert (price.table, price.key, price.taken) == ("bids", "lot_id=L1 bidder=name:甲公司", None)
    assert [(said.shown[:3], said.file_name, said.raw_row) for said in price.said] == [
        ("100", "a.csv", 2),
        ("105", "b.csv", 2),
    ]
    assert [said.shown for said in found["project_manager"].said] == ["***", "***"]


def test_what_a_person_takes_counts_from_the_next_night_until_it_is_taken_back(home):
    assert price_of(home, "甲公司") is None
    id = by_column(home)["price"].id
    done = command(
        home, "settle", id, "--take", "2", "--reason", "中心来函更正", "--actor", "张三", "--lang", "zh"
    )
    assert done.exit_code == 0, done.output
    assert price_of(home, "甲公司") is None, "today's snapshot stays as it is"
    night(home)
    assert price_of(home, "甲公司") == 105
    assert price_of(home, "乙公司") == 110
    assert by_column(home)["price"].taken == "105.000000"
    assert id not in command(home, "list").output
    with opened(home.control) as store:
        entry = store.rows("SELECT body FROM audit WHERE body LIKE '%settle_conflict%'")[0]["body"]
    assert '"actor":"张三"' in entry
    assert "中心来函更正" in entry
    assert command(home, "settle", id, "--reason", "有误").exit_code == 0
    night(home)
    assert price_of(home, "甲公司") is None


def test_a_third_value_opens_the_conflict_again(home):
    conflict = by_column(home)["price"]
    with opened(home.control) as store:
        settlements.settle(store, conflict, 1, reason="核对原件", actor="张三", at=AT)
    deliver(home, "c.csv", "L1,甲公司,107,张三,2026-05-06 09:30\n")
    night(home)
    again = by_column(home)["price"]
    assert again.id != conflict.id
    assert again.taken is None
    assert price_of(home, "甲公司") is None


@pytest.mark.parametrize(
    ("take", "reason", "said"), [(3, "x", "the values 1 to 2"), (1, " ", "reason"), (None, "x", "nobody has")]
)
def test_what_cannot_be_settled_is_refused(home, take, reason, said):
    with opened(home.control) as store, pytest.raises(ValueError, match=said):
        settlements.settle(store, by_column(home)["price"], take, reason=reason, actor="张三", at=AT)
