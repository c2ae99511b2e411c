import pandas as pd
import pytest

ID = "documents.rival_name"
BIDS = """
    lot  bidder
    L1   A
    L1   B
    L1   C
"""
NAMES = {"A": "甲州恒远建设工程有限公司", "B": "乙州宏图市政有限公司", "C": "丙州鼎盛路桥有限公司"}
OURS = "投标函。我方将按招标文件的要求完成全部工作，并承担缺陷责任。"


@pytest.fixture
def named(market, filing):
    """A and C write of themselves; B's file is for the test."""
    market.bids(BIDS)
    filing.named(**NAMES).bid("L1", "A", NAMES["A"], OURS).bid("L1", "C", NAMES["C"] + OURS)
    return filing


def test_flags_a_rivals_name_and_shows_the_place(named):
    market = named.bid(
        "L1", "B", NAMES["B"], f"{OURS}投标人：甲州恒远建设工程 有限公司（盖章）", name="b.docx"
    ).market
    assert market.judged(ID) == {"L1": True}
    assert market.flagged_together(ID) == [{"A", "B"}]
    row = market.screen(ID).iloc[0]
    assert (row["value"], row["owner"], row["place"]) == (1, "B", "b.docx paragraph 2 第2段")
    assert "投标人：甲州恒远建设工程 有限公司" in row["excerpt"]


def test_flags_a_rivals_credit_code(market, filing):
    code = "91410821MA40000001"
    market.bids(f"lot bidder\nL1 {code}\nL1 B")
    filing.named(**{code: NAMES["A"], "B": NAMES["B"]}).bid("L1", "B", f"统一社会信用代码：{code}")
    assert market.judged(ID) == {"L1": True}


def test_flags_a_former_name(named):
    named.market.append("party_names", named_rows("A", "甲州市第二建筑安装公司"))
    assert named.bid("L1", "B", "甲州市第二建筑安装公司郑重承诺").market.judged(ID) == {"L1": True}


def named_rows(party, name):
    return pd.DataFrame({"party_id": [party], "name": [name], "name_key": [name], "records": [1]}).astype(
        {"party_id": "str"}
    )


def test_flags_both_directions_in_one_row(named):
    named.bid("L1", "B", f"{NAMES['A']}承诺", f"{NAMES['A']}声明").bid("L1", "A", f"{NAMES['B']}承诺")
    row = named.market.screen(ID).iloc[0]
    assert (row["entities"], row["value"]) == ("A;B", 3)


def test_leaves_own_names_alone(named):
    assert named.bid("L1", "B", NAMES["B"], OURS).market.judged(ID) == {"L1": False}


@pytest.mark.parametrize("word", ["类似业绩", "发包人", "供应商", "拟分包单位"])
def test_leaves_a_name_in_the_track_record_alone_and_counts_it(named, prose, word):
    in_record = f"{word}：{NAMES['A']}，合同额若干"
    market = named.bid("L1", "B", in_record, name="record.docx").market
    row = market.screen(ID).iloc[0]
    assert (row["value"], row["left_out"], row["flagged"]) == (0, 1, False)
    row = named.bid("L1", "B", in_record, prose(1, 300), f"{NAMES['A']}承诺").market.screen(ID).iloc[0]
    assert (row["value"], row["left_out"], row["flagged"]) == (1, 2, True)
    assert row["place"] == "bid.docx paragraph 3 第3段"


def test_leaves_names_of_the_tender_document_alone(named):
    named.tender("L1", f"本项目设计单位为{NAMES['A']}")
    assert named.bid("L1", "B", f"设计由{NAMES['A']}完成").market.judged(ID) == {"L1": False}


def test_leaves_joint_ventures_and_subcontractors_alone(named):
    named.bid("L1", "B", f"{NAMES['A']}与我方共同承诺")
    named.market.subcontracts("lot contractor_id subcontractor_id\nL1 A B")
    assert named.market.judged(ID) == {"L1": False}
    named.market.con.execute("DELETE FROM core.subcontracts")
    named.market.bid_members("lot bidder party\nL1 A B")
    assert named.market.judged(ID) == {"L1": False}


def test_leaves_a_name_inside_the_own_longer_name_alone(market, filing):
    market.bids(BIDS)
    filing.named(A="甲州恒远建设集团有限公司", B="甲州恒远建设集团有限公司修水分公司")
    filing.bid("L1", "B", "投标人：甲州恒远建设集团有限公司修水分公司")
    assert market.judged(ID) == {"L1": False}


def test_cannot_judge_where_no_rival_has_a_name(market, filing):
    market.lots("lot\nL1").bids(BIDS)
    filing.named(B=NAMES["B"]).bid("L1", "B", f"{NAMES['A']}承诺")
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"fewer than two bidders known by name": 1}


def test_cannot_judge_without_a_text(market, filing):
    market.lots("lot\nL1").bids(BIDS)
    filing.named(**NAMES)
    assert market.judged(ID) == {}
    assert market.lacks(ID) == {"no bid files with text": 1}


def test_limit_is_inclusive(named):
    named.bid("L1", "B", f"{NAMES['A']}承诺", f"{NAMES['A']}声明")
    assert named.market.judged(ID, min_places=2) == {"L1": True}
    assert named.market.judged(ID, min_places=3) == {"L1": False}


def test_sentence_names_the_rival_and_the_place(named):
    english, chinese = named.bid("L1", "B", f"{NAMES['A']}承诺").market.says(ID, "L1")
    assert f"names the other ({NAMES['A']})" in english
    assert "首处：bid.docx paragraph 1 第1段" in chinese


@pytest.mark.xfail(strict=True, reason="blind spot: a short form of the name")
def test_misses_a_short_form(named):
    assert named.bid("L1", "B", "甲州恒远郑重承诺").market.judged(ID) == {"L1": True}


@pytest.mark.xfail(strict=True, reason="blind spot: a place near a word of the track record")
def test_misses_a_place_near_a_reason(named):
    assert named.bid("L1", "B", f"我公司{NAMES['A']}的业绩如下").market.judged(ID) == {"L1": True}
