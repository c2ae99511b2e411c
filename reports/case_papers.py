"""Papers that go with a referral: the report of the review (skeleton), the list of materials, the receipt to sign.

What the records hold is filled in. What two officers must write is a ruled line. The machine writes no conclusion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reports import office_sheet
from reports.alert_list import STATEMENT_ZH, Alert
from reports.letters import Handover, LetterHead, Material, finding_table, project_lines
from reports.official_paper import Paper, date_zh


def review_report(
    head: LetterHead, handover: Handover, alerts: Sequence[Alert], explanations: Mapping[str, str]
) -> bytes:
    """Return the report on the case (调查报告), to be finished and signed by two officers.

    Args:
        head: who writes.
        handover: the referral.
        alerts: what fired, the strongest first.
        explanations: detector -> what looks the same and is innocent, in the detector's own words.
    """
    name = "涉嫌犯罪案件情况的调查报告" if handover.is_crime else "线索初核情况的调查报告"
    paper = Paper(name)
    paper.heading(name)
    paper.number(f"（线索编号{handover.case_id}　移送编号{handover.id}）")
    paper.section("一、案件来源")
    paper.say("交易数据监测分析。" if handover.origin == "night" else f"{handover.origin}移交。")
    paper.say(f"数据截至{date_zh(handover.data_until)}，数据快照{handover.snapshot}。")
    paper.section("二、基本情况及涉及主体")
    for line in project_lines(alerts) or [f"{handover.subject}。"]:
        paper.say(line)
    paper.fill_in("（承办人补充）主体现状、联系人", 2)
    paper.section("三、数据反映的疑似情形")
    finding_table(paper, alerts)
    paper.say(STATEMENT_ZH)
    paper.section("四、核查经过和证据（由两名承办人填写）")
    paper.fill_in("调取的原始材料", 2)
    paper.fill_in("当事人陈述和申辩", 2)
    paper.fill_in("查明的事实", 3)
    paper.section("五、合理解释的排除情况（由两名承办人填写）")
    paper.fill_in("逐项核对附表后的意见", 2)
    paper.section("六、法律依据")
    for law in dict.fromkeys(part for row in alerts for part in row.legal_zh.split("；") if part):
        paper.say(f"{law}。")
    paper.say(f"移送依据：{handover.power_basis}。")
    paper.section("七、处理建议（由两名承办人填写）")
    paper.fill_in("建议", 2)
    paper.fill_in("承办人一（签名、执法证号）")
    paper.fill_in("承办人二（签名、执法证号）")
    paper.fill_in("负责人审批意见（签名、日期）", 2)
    paper.signature(head.office, None)
    if explanations:
        paper.new_page()
        paper.section("附表　各规则可能的合理解释")
        paper.note("以下为规则自带说明的原文（英文），未作翻译；概括的中文提示见移送函第四部分。")
        paper.table(
            ("规则", "说明原文", "核对意见"),
            [(id, text, "") for id, text in explanations.items()],
            (3.6, 9.0, 3.0),
        )
    return paper.content()


def receipt_form(head: LetterHead, handover: Handover, title: str) -> bytes:
    """Return the receipt (送达回证) with lines to sign for both sides.

    Args:
        head: who writes.
        handover: the referral.
        title: of the letter that is handed over.
    """
    paper = Paper("送达回证")
    paper.heading("送达回证")
    paper.table(
        ("事项", "内容"),
        [
            ("送达文书", title),
            ("文号", head.number or "　"),
            ("移送编号", handover.id),
            ("移送单位", head.office),
            ("接收单位", handover.recipient_zh),
            ("材料", "见移送材料清单.xlsx；接收时请用 SHA256SUMS 或者 SM3SUMS 核对"),
        ],
        (4.0, 11.6),
    )
    for label in ("送达人（签名）", "收件人（签名、职务）", "联系电话", "收到日期", "接收单位（盖章）"):
        paper.fill_in(label)
    paper.section("回执（办理后寄回）")
    ways = "□立案　□不予立案　□退回（不属本机关管辖或者材料不全）" if handover.is_crime else "□受理　□退回"
    paper.say(f"办理意见：{ways}")
    paper.fill_in("理由", 2)
    paper.fill_in("通知书文号")
    paper.fill_in("审核证据清单一致（签名、日期）")
    return paper.content()


def material_list(handover: Handover, materials: Sequence[Material]) -> bytes:
    """Return the list of materials (移送材料清单) as a workbook, with SHA-256 and SM3 of every file."""
    rows = [
        (
            str(place),
            each.item_zh,
            each.name,
            each.file,
            str(each.bytes) if each.file else "",
            each.sha256,
            each.sm3,
            "" if each.file else "无；如有，由承办人补充并登记",
        )
        for place, each in enumerate(materials, start=1)
    ]
    return office_sheet.xlsx_bytes(
        [
            office_sheet.Sheet(
                "移送材料清单",
                ("序号", "材料类别", "材料名称", "文件", "字节数", "SHA-256", "SM3", "备注"),
                rows,
                f"{handover.id}　{STATEMENT_ZH}",
            )
        ]
    )
