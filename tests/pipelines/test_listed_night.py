"""What people put on the lists reaches the next night, and what they take off leaves it the same night."""

from datetime import date

import pytest
from sample_night import AS_OF, SMALL, deliver, run

from pipelines import duck, settings
from pipelines.casework.acts import Act
from pipelines.casework.watchlist import register
from pipelines.casework.watchlist.proposals import Proposal
from pipelines.store import opened

SEEN = ("watchlist.active_ban", "watchlist.listed")

pytestmark = pytest.mark.slow

DAY = "2026-06-30T12:00:00+00:00"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("BIDWATCH_KEY", str(tmp_path / "key"))
    home = settings.Home(tmp_path / "home").prepare()
    deliver(SMALL, home.inbox)
    run(home, AS_OF, DAY, detectors=SEEN)
    return home


def flags(home, detector):
    with opened(home.control) as store:
        return store.rows("SELECT fp FROM signal WHERE detector = ? AND is_current", detector)


def unbanned_firm(home):
    """Return a coded bidder of an opened lot that no delivered record bans."""
    with opened(home.control) as store:
        con = duck.open_snapshot(home.snapshot(store.current_snapshot()))
    try:
        ((firm,),) = con.execute(
            "SELECT m.party_id FROM core.bid_members AS m JOIN core.lots AS l USING (lot_id)"
            " WHERE l.opened_on IS NOT NULL AND m.party_id NOT LIKE 'name:%'"
            " AND m.party_id NOT IN (SELECT party_id FROM core.penalties) GROUP BY 1 ORDER BY 1 LIMIT 1"
        ).fetchall()
    finally:
        con.close()
    return str(firm)


def listed(home, **facts):
    with opened(home.control) as store:
        id = register.propose(store, Act(actor="张三", at=DAY, reason="试"), Proposal(**facts))
        return register.approve(store, Act(actor="李四", at=DAY), id)


def test_a_removal_stops_every_flag_the_same_night_and_says_so(home):
    firm = unbanned_firm(home)
    common = {
        "subject_kind": "firm",
        "subject_id": firm,
        "name": "某公司",
        "reason": "试",
        "basis": "试",
        "starts_on": date(2020, 1, 1),
        "ends_on": date(2030, 1, 1),
    }
    watch = listed(home, list="watch", review_on=date(2027, 1, 1), **common)
    ban = listed(
        home,
        list="black",
        document_no="罚〔2020〕1号",
        authority="某局",
        decided_on=date(2020, 1, 1),
        severity="serious",
        is_bidding_ban=True,
        **common,
    )
    before = len(flags(home, "watchlist.active_ban"))
    done = run(home, AS_OF, DAY, detectors=SEEN)
    assert (done.state, done.lists) == ("published", [])
    assert len(flags(home, "watchlist.active_ban")) > before
    assert flags(home, "watchlist.listed")
    with opened(home.control) as store:
        register.revoke(store, Act(actor="张三", at=DAY, reason="有误"), watch)
        register.repair(
            store,
            Act(actor="张三", at=DAY, reason="整改"),
            ban,
            document_no="修复1号",
            authority="某局",
            met=frozenset({"duties", "promise"}),
        )
    done = run(home, AS_OF, DAY, detectors=SEEN)
    assert done.state == "published"
    assert len(flags(home, "watchlist.active_ban")) == before
    assert flags(home, "watchlist.listed") == []
    assert [said[: len(ban)] for said in done.lists] == [ban, watch]
    assert all("停止标记" in said and "停止标记 0 条" not in said for said in done.lists)
    assert run(home, AS_OF, DAY, detectors=SEEN).lists == []
