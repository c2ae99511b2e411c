import pytest

from detectors.kernels.texts import bid_texts

ID = "documents.copied_text"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""


@pytest.fixture
def copied(market, filing, prose):
    """B holds three passages of A, of 60 letters each, written with other blanks and marks."""
    market.bids(BIDS)
    own = prose(1)
    passages = [own[start : start + 60] for start in (100, 600, 1100)]
    spaced = ["，".join(passage[at : at + 7] for at in range(0, 60, 7)) for passage in passages]
    filing.tender("L1", prose(9)).bid("L1", "A", own)
    filing.bid(
        "L1", "B", prose(2, 700), spaced[0], prose(3, 300), spaced[1], prose(4, 300), spaced[2], name="b.docx"
    )
    filing.bid("L1", "C", prose(5))
    return market


def test_flags_passages_in_common_and_shows_both_places(copied):
    assert copied.judged(ID) == {"L1": True}
    assert copied.flagged_together(ID) == [{"A", "B"}]
    row = copied.screen(ID).iloc[0]
    assert (row["value"], row["passages"], row["longest"]) == (180, 3, 60)
    assert row["share"] == pytest.approx(180 / 1480, abs=0.01)
    assert row["first_place"] == "bid.docx paragraph 1 第1段"
    assert row["second_place"].startswith("b.docx paragraph ")
    assert row["first_excerpt"].replace("，", "") == row["second_excerpt"].replace("，", "")[:60]


def test_flags_one_long_copy_by_its_share(market, filing, prose):
    market.bids(BIDS)
    own = prose(1)
    filing.tender("L1", prose(9)).bid("L1", "A", own).bid("L1", "B", own[:800], prose(2, 1000))
    row = market.screen(ID).iloc[0]
    assert (row["passages"], row["flagged"]) == (1, True)


def test_flags_the_same_file_of_two_bidders(market, filing, prose):
    market.bids(BIDS)
    filing.tender("L1", prose(9)).bid("L1", "A", prose(1)).bid("L1", "B", prose(1)).bid("L1", "C", prose(2))
    row = market.screen(ID).iloc[0]
    assert (row["entities"], row["value"], row["share"], row["flagged"]) == ("A;B", 2000, 1.0, True)


@pytest.mark.parametrize("kind", ["tender", "template", "general template"])
def test_leaves_text_of_the_buyer_alone(market, filing, prose, kind):
    market.bids(BIDS)
    given = prose(8)
    if kind == "general template":
        filing.template(given)
    else:
        filing.file("L1", None, kind, "x.docx", (given,))
    for number, bidder in enumerate("ABC"):
        filing.bid("L1", bidder, given[: 1500 - 500 * number], prose(number, 1500))
    assert market.judged(ID) == {"L1": False}
    assert market.screen(ID)["value"].tolist() == [0]


def test_leaves_what_most_bidders_write_alone(market, filing, prose):
    market.bids(BIDS + "    L1 D\n")
    for number, bidder in enumerate("ABCD"):
        filing.bid("L1", bidder, prose(8) if bidder != "D" else prose(7), prose(number, 1500))
    assert market.judged(ID) == {"L1": False}


def test_leaves_a_standard_that_bidders_of_other_lots_have_alone(copied, filing, prose):
    others = "\n".join(f"L{number} F{number}" for number in range(2, 8))
    copied.bids("lot bidder\n" + others)
    for number in range(2, 8):
        filing.bid(f"L{number}", f"F{number}", prose(1)[:700], prose(100 + number))
    row = copied.screen(ID).set_index("unit").loc["L1"]
    assert (row["value"], row["passages"], row["flagged"]) == (60, 1, False)


def test_leaves_the_members_of_one_joint_venture_alone(market, filing, prose):
    market.bids(BIDS).bid_members("lot bidder party\nL1 A B")
    filing.tender("L1", prose(9)).bid("L1", "A", prose(1)).bid("L1", "B", prose(1)).bid("L1", "C", prose(2))
    assert market.judged(ID) == {"L1": False}


def test_leaves_two_passages_and_shorter_ones_alone(market, filing, prose):
    market.bids(BIDS)
    own = prose(1)
    short = [
        piece for start in range(0, 2000, 200) for piece in (own[start : start + 39], prose(start + 50, 150))
    ]
    filing.tender("L1", prose(9)).bid("L1", "A", own).bid("L1", "B", own[:60], prose(2, 2000), own[500:560])
    filing.bid("L1", "C", *short)
    frame = market.screen(ID)
    assert not frame["flagged"].any()


def test_counts_runs_close_together_as_one_passage(market, filing, prose):
    market.bids(BIDS)
    own = prose(1)
    changed = list(own[:450])
    for at in range(45, 450, 46):
        changed[at] = "〇"
    filing.tender("L1", prose(9)).bid("L1", "A", own).bid("L1", "B", "".join(changed), prose(2, 2000))
    row = market.screen(ID).iloc[0]
    assert (row["passages"], row["longest"]) == (1, 45)


def test_leaves_alone_a_share_that_would_count_beside_a_tender_document(market, filing, prose):
    """Two of three bidders share a fifth of what they wrote."""
    market.bids(BIDS)
    own = prose(1)
    filing.bid("L1", "A", own).bid("L1", "B", own[:400], prose(2, 1600)).bid("L1", "C", prose(3))
    assert market.judged(ID) == {"L1": False}
    assert market.judged(ID, min_share_alone=0.2) == {"L1": True}
    assert filing.tender("L1", prose(9)).market.judged(ID) == {"L1": True}


def test_cannot_judge_too_little_text(market, filing, prose):
    market.lots("lot\nL1").bids(BIDS)
    filing.tender("L1", prose(9)).bid("L1", "A", prose(1)[:900]).bid("L1", "B", prose(1)[:900])
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"fewer than two bidders with enough text of their own": 1}


def test_cannot_judge_two_bidders_without_the_tender_document(market, filing, prose):
    market.lots("lot\nL1").bids(BIDS)
    filing.bid("L1", "A", prose(1)).bid("L1", "B", prose(1))
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {
        "no tender document with text, and too few bidders to tell what the buyer wrote": 1
    }
    assert filing.tender("L1", prose(9)).market.judged(ID) == {"L1": True}


def test_limits_are_inclusive(copied):
    assert copied.judged(ID, min_passages=3) == {"L1": True}
    assert copied.judged(ID, min_passages=4, min_share=0.3) == {"L1": False}
    assert copied.judged(ID, min_passages=4, min_share=180 / 1480) == {"L1": True}
    assert copied.judged(ID, min_run=60) == {"L1": True}
    assert copied.judged(ID, min_run=61) == {"L1": False}
    assert copied.judged(ID, min_own=1441) == {"L1": True}
    assert copied.judged(ID, min_own=1442) == {"L1": False}
    assert copied.judged(ID, min_own=1962) == {}


def test_a_lot_too_large_to_be_read_at_once_gives_the_same(copied, monkeypatch):
    whole = copied.screen(ID)
    monkeypatch.setattr(bid_texts, "BATCH", 1000)
    assert copied.screen(ID).equals(whole)


def test_sentence_shows_both_excerpts(copied):
    english, chinese = copied.says(ID, "L1")
    assert "180 letters stand word for word" in english
    assert "b.docx paragraph" in english
    assert "段落 3 处" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: paraphrase")
def test_misses_a_paraphrase(market, filing, prose):
    market.bids(BIDS)
    own = list(prose(1))
    own[::11] = prose(3, len(own[::11]))
    filing.tender("L1", prose(9)).bid("L1", "A", prose(1)).bid("L1", "B", "".join(own))
    assert market.judged(ID) == {"L1": True}


@pytest.mark.xfail(strict=True, reason="blind spot: scanned pages have no text")
def test_misses_scanned_pages(market, filing, prose):
    market.bids(BIDS)
    filing.tender("L1", prose(9)).bid("L1", "A", prose(1)).bid("L1", "B", "", "", "").bid("L1", "C", prose(2))
    assert market.flagged_together(ID) == [{"A", "B"}]


@pytest.mark.xfail(
    strict=True, reason="blind spot: a text of more than half of the bidders looks like the buyer's"
)
def test_misses_a_ring_that_is_the_whole_lot(market, filing, prose):
    market.bids(BIDS)
    filing.tender("L1", prose(9))
    for number, bidder in enumerate("ABC"):
        filing.bid("L1", bidder, prose(1), prose(10 + number))
    assert market.judged(ID) == {"L1": True}
