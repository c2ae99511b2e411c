import pandas as pd
import pytest

ID = "documents.copied_elsewhere"
BIDS = """
    lot  bidder
    L1   A
    L2   B
    L3   C
"""


@pytest.fixture
def copied(market, filing, prose):
    """B files in L2 what A filed in L1."""
    market.bids(BIDS)
    filing.bid("L1", "A", prose(1, 6000)).bid("L2", "B", prose(2, 1000), prose(1, 5000), name="b.docx")
    filing.bid("L3", "C", prose(3, 6000))
    return market


def test_flags_a_text_that_another_firm_filed_in_another_lot(copied):
    assert copied.judged(ID) == {"A;B": True}
    row = copied.screen(ID).iloc[0]
    assert (row["lot_ids"], row["first_lot"], row["second_lot"]) == ("L1;L2", "L1", "L2")
    assert row["common"] == row["longest"] == 5000
    assert row["share"] == pytest.approx(5000 / 6000, abs=0.01)
    assert 2500 < row["value"] < 10_000
    assert (row["first_place"], row["second_place"]) == (
        "bid.docx paragraph 1 第1段",
        "b.docx paragraph 2 第2段",
    )
    assert row["first_excerpt"] == row["second_excerpt"]


def test_flags_a_firm_that_uses_the_text_in_many_lots_once(copied, filing, prose):
    lots = "\n".join(f"M{number} A" for number in range(5))
    copied.bids("lot bidder\n" + lots)
    for number in range(5):
        filing.bid(f"M{number}", "A", prose(1, 6000), prose(50 + number, 300))
    assert copied.flagged_together(ID) == [{"A", "B"}]


def test_leaves_a_firm_that_uses_its_own_text_again_alone(market, filing, prose):
    market.bids("lot bidder\nL1 A\nL2 A")
    filing.bid("L1", "A", prose(1, 6000)).bid("L2", "A", prose(1, 6000))
    assert market.judged(ID) == {}


def test_leaves_two_bidders_of_the_same_lot_to_another_screen(market, filing, prose):
    market.bids("lot bidder\nL1 A\nL1 B")
    filing.bid("L1", "A", prose(1, 6000)).bid("L1", "B", prose(1, 6000))
    assert market.judged(ID) == {}


@pytest.mark.parametrize("kind", ["tender", "template", "general template"])
def test_leaves_text_of_the_buyer_alone(copied, filing, prose, kind):
    if kind == "general template":
        filing.template(prose(1, 6000))
    else:
        filing.file("L1", None, kind, "x.docx", (prose(1, 6000),))
    assert copied.judged(ID) == {}


def test_leaves_a_text_of_many_firms_alone(copied, filing, prose):
    copied.bids("lot bidder\n" + "\n".join(f"N{number} F{number}" for number in range(3)))
    for number in range(3):
        filing.bid(f"N{number}", f"F{number}", prose(1, 5000), prose(60 + number, 2000))
    assert copied.judged(ID) == {}


def test_leaves_a_bought_chapter_in_a_long_bid_alone(market, filing, prose):
    market.bids(BIDS)
    filing.bid("L1", "A", prose(1, 20_000), prose(9, 3000)).bid("L2", "B", prose(2, 20_000), prose(9, 3000))
    assert market.judged(ID) == {"A;B": False}


@pytest.mark.parametrize("link", ["joint venture", "holding", "owner"])
def test_leaves_linked_firms_alone_and_names_the_link(copied, link):
    match link:
        case "joint venture":
            copied.bids("lot bidder\nL9 A").bid_members("lot bidder party\nL9 A B")
        case "holding":
            copied.relations("party holder_id\nA B")
        case _:
            copied.relations("party holder_id\nA OWNER\nB OWNER")
    row = copied.screen(ID).iloc[0]
    assert not row["flagged"]
    assert link in row["link"]


def test_cannot_judge_firms_without_a_text_in_common(market, filing, prose):
    market.bids(BIDS)
    filing.bid("L1", "A", prose(1, 6000)).bid("L2", "B", prose(2, 6000))
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {
        "no bid files with text": 1,
        "no sampled text in common with a firm in another lot, or only what many firms have": 2,
    }


def test_limits_are_inclusive(copied):
    row = copied.screen(ID).iloc[0]
    value, share = int(row["value"]), float(row["share"])
    assert copied.judged(ID, min_letters=value, min_share=share) == {"A;B": True}
    assert copied.judged(ID, min_letters=value + 1) == {"A;B": False}
    assert copied.judged(ID, min_share=share + 1e-9) == {"A;B": False}
    assert copied.judged(ID, min_run=400) == {"A;B": True}
    assert copied.judged(ID, max_holders=2) == {"A;B": True}


def test_sentence_shows_both_lots_and_excerpts(copied):
    english, chinese = copied.says(ID, "A;B")
    assert "5000 letters are the same word for word" in english
    assert "L1 bid.docx paragraph 1" in english
    assert "最长一段 5000 字" in chinese


def test_the_order_of_the_rows_plays_no_part(copied):
    found = copied.screen(ID)
    for table in ("bid_files", "file_parts"):
        rows = copied.con.execute(f"SELECT * FROM core.{table}").df()
        copied.con.execute(f"DELETE FROM core.{table}")
        copied.append(table, rows.iloc[::-1])
    pd.testing.assert_frame_equal(copied.screen(ID), found)


@pytest.mark.xfail(strict=True, reason="blind spot: short passages hold few sampled windows")
def test_misses_a_short_passage(market, filing, prose):
    market.bids(BIDS)
    filing.bid("L1", "A", prose(1, 300), prose(2, 300)).bid("L2", "B", prose(1, 300), prose(3, 300))
    assert market.judged(ID) == {"A;B": True}


@pytest.mark.xfail(strict=True, reason="blind spot: a text of more firms than the limit")
def test_misses_a_large_ring(market, filing, prose):
    market.bids("lot bidder\n" + "\n".join(f"L{number} F{number}" for number in range(5)))
    for number in range(5):
        filing.bid(f"L{number}", f"F{number}", prose(1, 6000), prose(10 + number, 500))
    assert market.screen(ID)["flagged"].any()
