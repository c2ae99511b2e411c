import io
import re
import zipfile
from datetime import date

import docx
import pytest
from docx.oxml.ns import qn
from python_calamine import CalamineWorkbook

from detectors import registry
from reports import case_papers, letters
from reports.alert_list import STATEMENT_ZH
from reports.letters import Handover, LetterHead, Material

HEAD = LetterHead(
    office="示例县发展和改革委员会",
    number="示发改函〔2026〕12号",
    on=date(2026, 7, 1),
    contact="张三 0391-0000000",
)
MATERIALS = [
    Material("（二）调查报告", "调查报告", "调查报告.docx", 10, "a" * 64, "b" * 64),
    Material("（三）涉案物品清单", "涉案物品清单", "", 0, "", ""),
]


@pytest.fixture
def handover():
    def build(**changes):
        facts = {
            "id": "RC1-1",
            "case_id": "C1",
            "is_crime": False,
            "recipient_zh": "住房和城乡建设局",
            "copies_zh": ["发展和改革委员会", "人民检察院"],
            "subject": "示例小学教学楼工程项目",
            "clue_zh": "疑似围标串标线索",
            "origin": "night",
            "data_until": date(2026, 6, 30),
            "snapshot": "s1",
            "reviewers": ["张三", "李四"],
            "finding": "开标记录已核对。",
            "power_zh": "房屋建筑工程招标投标违法行为的查处",
            "power_basis": "招标投标法实施条例 第四条",
            "periods": [],
            "is_draft": False,
        }
        return Handover(**facts | changes)

    return build


def text(content):
    # a line for every paragraph and every cell of a table, in their order
    body = docx.Document(io.BytesIO(content)).element.body
    return [
        "".join(part.text or "" for part in paragraph.iter(qn("w:t"))) for paragraph in body.iter(qn("w:p"))
    ]


def place(lines, start):
    return next(place for place, line in enumerate(lines) if line.startswith(start))


@pytest.fixture
def alert_of(alert):
    def build(**changes):
        return alert(family="关联关系", **changes)

    return build


def test_the_clue_letter_has_its_parts_in_their_order(alert_of, handover):
    lines = text(letters.clue_letter(HEAD, handover(), [alert_of()], MATERIALS))
    starts = (
        "示发改函〔2026〕12号",
        "关于移送示例小学教学楼工程项目疑似围标串标线索的函",
        "住房和城乡建设局：",
        "一、线索来源",
        "二、项目基本情况",
        "三、疑似问题及数据依据",
        "指标",
        "事实",
        "数据出处",
        "法条",
        "四、需说明的事项",
        "五、办理要求与时限",
        "附件：1. 线索明细",
        "示例县发展和改革委员会",
        "2026年7月1日",
        "抄送：",
        "附件2",
    )
    places = [place(lines, start) for start in starts]
    assert places == sorted(places)
    assert f"（三）{STATEMENT_ZH}" in lines
    assert any("经张三、李四初核：开标记录已核对。" in line for line in lines)
    assert any(
        "甲建设有限公司（911100006000373416）" in line and "乙建筑有限公司（代码未送达）" in line
        for line in lines
    )


def test_no_letter_says_that_somebody_did_it(alert_of, handover):
    said = "".join(text(letters.clue_letter(HEAD, handover(is_crime=True), [alert_of()], MATERIALS)))
    assert "疑似" in said
    assert not re.search(
        "(?<!疑似)(?<!涉嫌)(?<!合理)围标串标行为|已构成|认定为|确认存在", said.replace(STATEMENT_ZH, "")
    )


def test_the_same_letter_is_the_same_bytes_and_carries_no_time_of_writing(alert_of, handover):
    first = letters.clue_letter(HEAD, handover(), [alert_of()], MATERIALS)
    assert first == letters.clue_letter(HEAD, handover(), [alert_of()], MATERIALS)
    with zipfile.ZipFile(io.BytesIO(first)) as read:
        assert {member.date_time for member in read.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        assert b"2000-01-01" in read.read("docProps/core.xml")


def test_the_letter_to_the_police_transfers_a_suspected_crime_and_names_their_time_limits(alert_of, handover):
    periods = [("经济犯罪案件：决定是否立案", "3日", "公安机关办理经济犯罪案件的规定第十六条")]
    lines = text(
        letters.clue_letter(
            HEAD, handover(is_crime=True, recipient_zh="公安局", periods=periods), [alert_of()], []
        )
    )
    assert "涉嫌犯罪案件移送书" in lines
    assert any("决定是否立案：3日（公安机关办理经济犯罪案件的规定第十六条）" in line for line in lines)


def test_the_office_that_signs_gets_no_copy_of_its_own_letter(alert_of, handover):
    lines = text(letters.clue_letter(HEAD, handover(), [alert_of()], []))
    assert "抄送：人民检察院。" in lines
    nobody = text(letters.clue_letter(HEAD, handover(copies_zh=[]), [alert_of()], []))
    assert not any(line.startswith("抄送") for line in nobody)


def test_what_is_not_known_yet_is_left_open_for_a_pen(alert_of, handover):
    blank = LetterHead(office="示例县发展和改革委员会", number="", on=None, contact="")
    lines = text(letters.clue_letter(blank, handover(), [alert_of()], []))
    assert "　　〔　　　　〕　　号" in lines
    assert any(line.strip() == "年　　月　　日" for line in lines)
    draft = text(letters.clue_letter(HEAD, handover(is_draft=True), [alert_of()], []))
    assert "示发改函〔2026〕12号（送审稿）" in draft


def test_the_letter_is_short_and_says_how_many_more_there_are(alert_of, handover):
    many = [alert_of(alert_id=f"S{n}", key_facts_zh=f"事实{n}号") for n in range(7)]
    lines = text(letters.clue_letter(HEAD, handover(), many, []))
    assert [line for line in lines if line.startswith("事实")] == [
        "事实",
        "事实0号",
        "事实1号",
        "事实2号",
        "事实3号",
    ]
    assert any("共7项" in line for line in lines)
    report = text(case_papers.review_report(HEAD, handover(), many, {}))
    assert "事实6号" in report


def test_a_name_from_a_bidder_cannot_turn_the_text_around(alert_of, handover):
    row = alert_of(party_names=("甲\u202e公司\x07", "乙"), party_codes=("", ""))
    said = "".join(text(letters.clue_letter(HEAD, handover(), [row], [])))
    assert "\u202e" not in said
    assert r"甲\u202e公司\x07" in said


def test_every_kind_of_evidence_has_its_innocent_explanations(alert_of, handover):
    explanations = {family.title_zh: family.explanation_zh for family in registry.families().values()}
    assert len(explanations) == 7
    assert all(explanations.values())
    lines = text(letters.clue_letter(HEAD, handover(), [alert_of()], []))
    assert any(explanations["关联关系"] in line and explanations["报价形态"] not in line for line in lines)


def test_a_case_that_the_police_brought_can_go_on_without_any_signal(handover):
    lines = text(letters.clue_letter(HEAD, handover(origin="公安局〔2026〕3号"), [], []))
    assert any("本线索由其他单位移交（公安局〔2026〕3号）" in line for line in lines)
    assert "本线索非数据分析产生" in lines


def test_the_typefaces_of_official_papers_are_named_with_their_substitutes(alert_of, handover):
    with zipfile.ZipFile(io.BytesIO(letters.clue_letter(HEAD, handover(), [alert_of()], []))) as read:
        fonts, document = read.read("word/fontTable.xml").decode(), read.read("word/document.xml").decode()
    assert re.search('w:name="仿宋_GB2312"><w:altName w:val="仿宋"', fonts)
    for face in ("方正小标宋简体", "仿宋_GB2312", "黑体"):
        assert f'w:eastAsia="{face}"' in document


def test_the_request_for_assistance_has_the_three_contents_of_article_14():
    lines = text(
        letters.assistance_letter(
            HEAD,
            recipient_zh="公安局",
            subject="示例项目",
            facts="五家账户相同。",
            matter="查询账户",
            grounds="无权查询",
            materials=["转账记录"],
            period=("退回函件并说明原因", "5个工作日", "通知第（十四）条"),
        )
    )
    places = [
        place(lines, start)
        for start in (
            "协助办理函",
            "公安局：",
            "一、案件基本情况",
            "五家账户相同。",
            "二、需要协助办理的事项及理由",
            "（一）事项：查询账户",
            "（二）理由：无权查询",
            "三、相关证据资料",
            "1. 转账记录",
            "对超出职能的协助事项，请自收到本函之日起5个工作日内退回函件并说明原因",
        )
    ]
    assert places == sorted(places)


def test_the_reply_to_the_police_says_what_was_done_and_how_it_ended():
    lines = text(
        letters.reply_letter(
            HEAD,
            recipient_zh="公安局",
            subject="某项目",
            origin="公安局〔2026〕3号",
            handling=[("2026-07-01", "领取初核", "初核中")],
            result="罚款一万元。",
        )
    )
    assert "关于某项目线索处理情况的回告" in lines
    assert any("公安局〔2026〕3号" in line for line in lines)
    assert lines[place(lines, "2026-07-01") :][:3] == ["2026-07-01", "领取初核", "初核中"]
    assert "罚款一万元。" in lines


def test_the_report_leaves_findings_and_proposal_to_two_officers(alert_of, handover):
    checks = {"contacts.same_payer_account": "- the agency paid for both"}
    lines = text(case_papers.review_report(HEAD, handover(), [alert_of()], checks))
    for label in (
        "查明的事实",
        "建议",
        "承办人一（签名、执法证号）",
        "承办人二（签名、执法证号）",
        "负责人审批意见（签名、日期）",
    ):
        assert "＿＿" in lines[place(lines, label)]
    assert "- the agency paid for both" in lines
    assert any("未作翻译" in line for line in lines)


def test_the_list_of_materials_has_both_sums_and_says_what_people_must_add(handover):
    content = case_papers.material_list(handover(), MATERIALS)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1][3:7] == ["调查报告.docx", "10", "a" * 64, "b" * 64]
    assert rows[2][3] == ""
    assert "由承办人补充" in rows[2][7]
    assert content == case_papers.material_list(handover(), MATERIALS)


def test_the_receipt_asks_for_signatures_and_for_the_answer(handover):
    lines = text(case_papers.receipt_form(HEAD, handover(is_crime=True), "某函"))
    for label in ("送达人（签名）", "收件人（签名、职务）", "收到日期", "接收单位（盖章）", "通知书文号"):
        assert "＿＿" in lines[place(lines, label)]
    assert any("□不予立案" in line for line in lines)
    assert not any("立案" in line for line in text(case_papers.receipt_form(HEAD, handover(), "某函")))
