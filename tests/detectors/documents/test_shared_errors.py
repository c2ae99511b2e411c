import pandas as pd
import pytest

from detectors.documents.shared_errors import g_square

ID = "documents.shared_errors"


def slipped(text, *places, letter="〓"):
    """Write another letter at some places."""
    for place in places:
        text = text[:place] + letter + text[place + 1 :]
    return text


@pytest.fixture
def county(market, filing, prose):
    """Twenty bidders of other lots write the same phrases; A and B, in L1, are for the test, C makes no slip."""
    lots = "\n".join(f"M{number} F{number}" for number in range(20))
    market.bids("lot bidder\nL1 A\nL1 B\nL1 C\n" + lots)
    for number in range(20):
        filing.bid(f"M{number}", f"F{number}", prose(1), prose(10 + number, 300))
    return filing.bid("L1", "C", prose(1), prose(30, 300))


def filed(county, first, second, prose):
    county.bid("L1", "A", first, prose(31, 300)).bid("L1", "B", prose(32, 300), second, name="b.docx")
    return county.market


def test_flags_the_same_slips_in_phrases_that_others_write_otherwise(county, prose):
    text = slipped(prose(1), 100, 900, letter="按")
    market = filed(county, text[:1500], text[50:1300], prose)
    assert market.judged(ID)["L1"]
    assert market.flagged_together(ID) == [{"A", "B"}]
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert (row["errors"], row["first_errors"], row["second_errors"]) == (2, 2, 2)
    right = prose(1)
    assert row["shown"] == f"{text[97:104]} ({right[100]}); {text[897:904]} ({right[900]})"
    assert (row["first_place"], row["second_place"]) == (
        "bid.docx paragraph 1 第1段",
        "b.docx paragraph 2 第2段",
    )
    assert "按" in row["first_excerpt"]
    assert "按" in row["second_excerpt"]


def test_flags_slips_in_what_the_tender_document_and_three_others_write(market, filing, prose):
    market.bids("lot bidder\n" + "\n".join(f"L1 {bidder}" for bidder in "ABCDE"))
    filing.tender("L1", prose(1))
    for number, bidder in enumerate("CDE"):
        filing.bid("L1", bidder, prose(1), prose(10 + number, 300))
    text = slipped(prose(1), 100, 900, letter="按")
    assert filed(filing, text, text, prose).judged(ID) == {"L1": True}
    assert market.judged(ID, min_others=4) == {"L1": False}


def test_leaves_different_slips_alone(county, prose):
    first, second = (slipped(prose(1), *places, letter="按") for places in ((100, 900), (300, 1200)))
    assert not filed(county, first, second, prose).judged(ID)["L1"]


def test_leaves_other_slips_in_the_same_places_alone(county, prose):
    first, second = (slipped(prose(1), 100, 900, letter=letter) for letter in "按安")
    assert not filed(county, first, second, prose).judged(ID)["L1"]


def test_leaves_one_shared_slip_alone(county, prose):
    text = slipped(prose(1), 100, letter="按")
    row = filed(county, text, text, prose).screen(ID).set_index("unit").loc["L1"]
    assert (row["errors"], row["flagged"]) == (1, False)
    assert row["value"] > 10.83


def test_leaves_two_slips_in_one_sentence_alone(county, prose):
    text = slipped(prose(1), 100, 120, letter="按")
    assert filed(county, text, text, prose).screen(ID).set_index("unit").loc["L1", "errors"] == 1


def test_leaves_numbers_alone(county, prose):
    text = slipped(slipped(prose(1), 100, 900, letter="三"), 300, 1200, letter="7")
    assert not filed(county, text, text, prose).judged(ID)["L1"]


def test_leaves_a_slip_that_many_bidders_make_alone(county, prose):
    text = slipped(prose(1), 100, 900, letter="按")
    for number in range(4):
        county.bid(f"M{number}", f"F{number}", text[:200], name="more.docx")
    assert filed(county, text, text, prose).screen(ID).set_index("unit").loc["L1", "errors"] == 1


def test_flags_every_two_of_three_that_make_the_same_slips(county, prose):
    text = slipped(prose(1), 100, 900, letter="按")
    county.bid("L1", "C", text, name="more.docx")
    pairs = [{"A", "B"}, {"A", "C"}, {"B", "C"}]
    assert filed(county, text, text, prose).flagged_together(ID, min_usual_share=0.85) == pairs


@pytest.mark.parametrize("kind", ["tender", "template", "general template"])
def test_leaves_slips_of_the_buyer_alone(county, prose, kind):
    text = slipped(prose(1), 100, 900, letter="按")
    if kind == "general template":
        county.template(text)
    else:
        county.file("L1", None, kind, "x.docx", (text,))
    assert not filed(county, text, text, prose).judged(ID)["L1"]


def test_leaves_the_members_of_one_joint_venture_alone(county, prose):
    text = slipped(prose(1), 100, 900, letter="按")
    county.market.bid_members("lot bidder party\nL1 A B")
    assert not filed(county, text, text, prose).judged(ID)["L1"]


def test_cannot_judge_texts_without_phrases_that_others_write(market, filing, prose):
    market.lots("lot\nL1").bids("lot bidder\nL1 A\nL1 B")
    assert filed(filing, prose(1), prose(2), prose).judged(ID) == {}
    assert market.lacks(ID) == {"fewer than two bidders with enough phrases that others write, too": 1}


def test_limits_are_inclusive(county, prose):
    text = slipped(prose(1), 100, 900, letter="按")
    market = filed(county, text, text, prose)
    row = market.screen(ID).set_index("unit").loc["L1"]
    assert market.judged(ID, min_g2=float(row["value"]))["L1"]
    assert not market.judged(ID, min_g2=float(row["value"]) + 1e-6)["L1"]
    assert not market.judged(ID, min_errors=3)["L1"]
    phrases = int(row["phrases"])
    assert market.judged(ID, min_phrases=phrases)["L1"]
    assert not market.judged(ID, min_phrases=phrases + 1).get("L1", False)
    # 21 of 23 bidders write both phrases in the usual way.
    assert market.judged(ID, min_writers=21)["L1"]
    assert not market.judged(ID, min_writers=22).get("L1", False)
    assert market.judged(ID, min_usual_share=21 / 23)["L1"]
    assert not market.judged(ID, min_usual_share=21 / 23 + 1e-9)["L1"]
    assert market.judged(ID, max_writers=2)["L1"]
    assert not market.judged(ID, max_writers=1)["L1"]
    assert market.judged(ID, min_amid=10)["L1"]
    assert not market.judged(ID, min_amid=11)["L1"]
    assert market.judged(ID, apart=800)["L1"]
    assert not market.judged(ID, apart=801)["L1"]


def test_g_square_is_that_of_a_two_by_two_table():
    assert g_square(2, 2, 2, 1000) == pytest.approx(28.854, abs=0.001)
    assert g_square(1, 100, 100, 1000) == 0.0
    assert g_square(3, 3, 3, 1000) > g_square(2, 3, 3, 1000)


def test_sentence_shows_the_slips(county, prose):
    text = slipped(prose(1), 100, 900, letter="按")
    english, chinese = filed(county, text, text, prose).says(ID, "L1")
    assert "Both bidders write 2 phrases with the same wrong letter (limit 2)" in english
    assert f"{text[97:104]} ({prose(1)[100]})" in chinese


def test_the_order_of_the_rows_plays_no_part(county, prose):
    text = slipped(prose(1), 100, 900, letter="按")
    market = filed(county, text, text, prose)
    found = market.screen(ID)
    for table in ("bid_files", "file_parts"):
        rows = market.con.execute(f"SELECT * FROM core.{table}").df()
        market.con.execute(f"DELETE FROM core.{table}")
        market.append(table, rows.iloc[::-1])
    pd.testing.assert_frame_equal(market.screen(ID), found)


@pytest.mark.xfail(strict=True, reason="blind spot: a letter too many moves all that follows")
def test_misses_doubled_letters(county, prose):
    text = prose(1)
    text = text[:100] + text[99] + text[100:900] + text[899] + text[900:]
    assert filed(county, text, text, prose).judged(ID)["L1"]


@pytest.mark.xfail(strict=True, reason="blind spot: slips in phrases that few others write")
def test_misses_slips_in_rare_phrases(county, prose):
    county.bid("L1", "A", slipped(prose(50), 100, 900, letter="按"), prose(1))
    county.bid("L1", "B", slipped(prose(50), 100, 900, letter="按"), prose(1))
    assert county.market.judged(ID)["L1"]


@pytest.mark.xfail(strict=True, reason="blind spot: the whole name of another project")
def test_misses_a_wrong_project_name(county, prose):
    text = prose(1)[:1000] + prose(60, 20) + prose(1)[1000:]
    assert filed(county, text, text, prose).judged(ID)["L1"]
