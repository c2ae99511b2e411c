"""Letters about cases, as official papers: clue letter, request for assistance, reply to the police, objection.

Firms stand in clear, persons as tokens or masks: a letter says no more than the alert list. Every letter with a finding
carries the statement that it is for review only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from detectors import registry
from reports.alert_list import LOCAL, STATEMENT_ZH, Alert
from reports.official_paper import Paper, date_zh

#: Findings and parties that a letter names. It is to be short; the others stand in the list that goes with it.
_MOST_ROWS = 4
_MOST_NAMED = 8
_NO_LAW_ZH = "无直接对应条款，属异常指标"


@dataclass(frozen=True, kw_only=True)
class LetterHead:
    """What every letter has. People fill in ``number``, ``on`` and ``contact`` where they are empty."""

    office: str
    number: str
    on: date | None
    contact: str


@dataclass(frozen=True, kw_only=True)
class Handover:
    """A referral, as its papers need it.

    Attributes:
        id, case_id: 移送编号, 线索编号.
        is_crime: it goes to the police as a suspected crime (涉嫌犯罪案件).
        recipient_zh, copies_zh: by name.
        subject: the project, or what the case is about.
        clue_zh: what kind of clue it is, for the title.
        origin: who brought the matter; ``night`` for the machine.
        data_until, snapshot: what the findings rest on.
        reviewers: those who did the first review.
        finding: what they found, in their words.
        power_zh, power_basis: what the office may do, and by which provision.
        periods: what it must do, how long it has, and by which provision.
        is_draft: not approved yet.
    """

    id: str
    case_id: str
    is_crime: bool
    recipient_zh: str
    copies_zh: Sequence[str]
    subject: str
    clue_zh: str
    origin: str
    data_until: date
    snapshot: str
    reviewers: Sequence[str]
    finding: str
    power_zh: str
    power_basis: str
    periods: Sequence[tuple[str, str, str]]
    is_draft: bool


@dataclass(frozen=True)
class Material:
    """One file that goes with a letter. ``item_zh``: its place among what the law wants."""

    item_zh: str
    name: str
    file: str
    bytes: int
    sha256: str
    sm3: str


def title_of(handover: Handover) -> str:
    """Return the title of the letter that hands a case over."""
    return f"关于移送{handover.subject}{handover.clue_zh}的函"


def clue_letter(
    head: LetterHead, handover: Handover, alerts: Sequence[Alert], materials: Sequence[Material]
) -> bytes:
    """Return the letter that hands a case over: 函, to the police 涉嫌犯罪案件移送书.

    Args:
        head: who writes.
        handover: the referral.
        alerts: what fired, the strongest first.
        materials: what goes with it; listed with check sums on a page of its own.
    """
    title = title_of(handover)
    paper = Paper(title)
    paper.number(_number(head, is_draft=handover.is_draft))
    paper.heading(*(("涉嫌犯罪案件移送书", title) if handover.is_crime else (title,)))
    paper.addressee(handover.recipient_zh)
    paper.section("一、线索来源")
    paper.say(_source(handover))
    paper.section("二、项目基本情况")
    for line in project_lines(alerts) or [f"{handover.subject}。项目数据未送达，由承办人补充。"]:
        paper.say(line)
    paper.section("三、疑似问题及数据依据")
    finding_table(paper, alerts[:_MOST_ROWS])
    if len(alerts) > _MOST_ROWS:
        paper.say(f"以上为前{_MOST_ROWS}项，共{len(alerts)}项，其余见附件1。")
    paper.section("四、需说明的事项")
    paper.say(f"（一）可能的合理解释，请先行排除：{_explanations(alerts)}。各规则的完整说明见调查报告附表。")
    paper.say(
        f"（二）数据局限：依据截至{date_zh(handover.data_until)}送达的电子数据，未核对纸质原件；未送达的数据未作判断；"
        "自然人姓名、证件号码、账号以代号或者掩码表示。"
    )
    paper.say(f"（三）{STATEMENT_ZH}")
    paper.section("五、办理要求与时限")
    paper.say(_wanted(handover))
    paper.appendices(["线索明细（线索明细.xlsx、evidence.jsonl）", "证据清单（含文件哈希，附后）"])
    paper.signature(head.office, head.on)
    paper.say(f"（联系人及电话：{head.contact or '　　　　　　　　　　'}）")
    paper.copies([name for name in handover.copies_zh if not head.office.endswith(name)])
    paper.new_page()
    paper.section("附件2　证据清单")
    material_table(paper, materials)
    return paper.content()


def assistance_letter(
    head: LetterHead,
    *,
    recipient_zh: str,
    subject: str,
    facts: str,
    matter: str,
    grounds: str,
    materials: Sequence[str],
    period: tuple[str, str, str],
) -> bytes:
    """Return the request for assistance (协助办理函), with the three contents that article 14 of the notice names.

    Args:
        head: who writes.
        recipient_zh: the police, by name.
        subject: what the case is about.
        facts: 案件基本情况.
        matter, grounds: 需要协助办理的事项及理由.
        materials: 相关证据资料, a line each.
        period: what must be done if it is not for the office, how long it has, and by which provision.
    """
    title = f"关于请予协助办理{subject}有关事项的函"
    paper = Paper(title)
    paper.number(_number(head, is_draft=False))
    paper.heading("协助办理函", title)
    paper.addressee(recipient_zh)
    paper.say("我单位在查处公共资源交易违法违规案件过程中，需要你单位协助办理有关事项，现函告如下。")
    paper.section("一、案件基本情况")
    paper.say(facts)
    paper.section("二、需要协助办理的事项及理由")
    paper.say(f"（一）事项：{matter}")
    paper.say(f"（二）理由：{grounds}")
    paper.section("三、相关证据资料")
    for place, name in enumerate(materials, start=1):
        paper.say(f"{place}. {name}")
    act, length, basis = period
    paper.say(
        f"对超出职能的协助事项，请自收到本函之日起{length}内{act}；能够协助办理的，请及时办理并书面反馈协查结果（{basis}）。"
    )
    paper.say(STATEMENT_ZH)
    paper.signature(head.office, head.on)
    paper.say(f"（联系人及电话：{head.contact or '　　　　　　　　　　'}）")
    return paper.content()


def reply_letter(
    head: LetterHead,
    *,
    recipient_zh: str,
    subject: str,
    origin: str,
    handling: Sequence[tuple[str, str, str]],
    result: str,
) -> bytes:
    """Return the written reply to the police on a matter that they had handed over (书面回告).

    Args:
        head: who writes.
        recipient_zh: the police, by name.
        subject: what the case is about.
        origin: under which number the police handed it over.
        handling: day, step and result of every step, the first one first.
        result: how the matter ended.
    """
    title = f"关于{subject}线索处理情况的回告"
    paper = Paper(title)
    paper.number(_number(head, is_draft=False))
    paper.heading(title)
    paper.addressee(recipient_zh)
    paper.say(f"你单位移交的线索（{origin}）收悉。现将处理情况书面回告如下。")
    paper.section("一、办理经过")
    paper.table(("日期", "步骤", "情况"), handling, (2.6, 4.0, 9.0))
    paper.section("二、处理结果")
    paper.say(result)
    paper.say("特此函告。")
    paper.signature(head.office, head.on)
    paper.say(f"（联系人及电话：{head.contact or '　　　　　　　　　　'}）")
    return paper.content()


#: What can be asked for when the police file no case: title, and what is asked.
OBJECTIONS_ZH: Mapping[str, tuple[str, str]] = {
    "reconsideration": ("关于提请复议{}不予立案决定的函", "提请你单位对上述不予立案决定予以复议"),
    "supervision": ("关于建议对{}依法进行立案监督的函", "建议你院对上述不予立案决定依法进行立案监督"),
}


def objection_letter(
    head: LetterHead,
    *,
    way: str,
    recipient_zh: str,
    subject: str,
    referral: str,
    sent_as: str,
    sent_on: date,
    answer: str,
    answered_on: date,
    grounds: str,
    period: tuple[str, str, str],
) -> bytes:
    """Return the letter against a refusal to file a case: reconsideration, or supervision by the procuratorate.

    Args:
        head: who writes.
        way: a key of `OBJECTIONS_ZH`.
        recipient_zh: the police or the procuratorate, by name.
        subject: what the case is about.
        referral, sent_as, sent_on: the referral, its letter and the day of its sending.
        answer, answered_on: why no case was filed, and the day on which that was told.
        grounds: why the writer holds that a case should be filed.
        period: what may be asked for, how long there is, and by which provision.
    """
    title, wanted = OBJECTIONS_ZH[way]
    title = title.format(subject)
    paper = Paper(title)
    paper.number(_number(head, is_draft=False))
    paper.heading(title)
    paper.addressee(recipient_zh)
    paper.section("一、移送和答复情况")
    paper.say(
        f"我单位于{date_zh(sent_on)}以{sent_as}移送{subject}疑似围标串标线索（移送编号{referral}）。"
        f"{date_zh(answered_on)}收到不予立案的答复，理由为：{answer.rstrip('。')}。"
    )
    paper.section("二、理由")
    paper.say(grounds)
    paper.section("三、请求事项")
    act, length, basis = period
    paper.say(f"根据{basis}（{act}，期限{length}），{wanted}，并书面告知结果。")
    paper.say(STATEMENT_ZH)
    paper.appendices(["原移送材料", "不予立案的书面答复"])
    paper.signature(head.office, head.on)
    paper.say(f"（联系人及电话：{head.contact or '　　　　　　　　　　'}）")
    return paper.content()


def finding_table(paper: Paper, alerts: Sequence[Alert]) -> None:
    """Write what fired: 指标, 事实, 数据出处, 法条, with the grade of the evidence."""
    paper.table(
        ("指标", "事实", "数据出处", "法条"),
        [
            (
                f"{row.finding_zh}，证据强度{row.grade}",
                row.key_facts_zh,
                row.source_zh,
                row.legal_zh or _NO_LAW_ZH,
            )
            for row in alerts
        ]
        or [("—", "本线索非数据分析产生", "—", "—")],
        (3.6, 5.4, 3.0, 3.6),
    )


def material_table(paper: Paper, materials: Sequence[Material]) -> None:
    """Write the files with their check sums; 64 hex places stand in two lines of a cell."""
    paper.table(
        ("序号", "材料", "文件", "SHA-256", "SM3"),
        [
            (str(place), each.name, each.file or "—", each.sha256 or "—", each.sm3 or "—")
            for place, each in enumerate(materials, start=1)
        ],
        (1.0, 3.0, 3.0, 4.4, 4.4),
    )


def project_lines(alerts: Sequence[Alert]) -> list[str]:
    """Return what is known of the lots and of the parties, a sentence each; every lot once."""
    told: dict[str, str] = {}
    parties: dict[str, str] = {}
    for row in alerts:
        if row.lot_id and row.tender_name:
            told.setdefault(row.lot_id, _lot(row))
        parties |= dict(zip(row.party_names, row.party_codes, strict=True))
    lines = list(told.values())[:3]
    if len(told) > len(lines):
        lines.append(f"另有{len(told) - len(lines)}个标段，见附件1。")
    if parties:
        named = [f"{name}（{code or '代码未送达'}）" for name, code in sorted(parties.items())]
        more = f"等{len(named)}家" if len(named) > _MOST_NAMED else ""
        lines.append(f"涉及主体：{'、'.join(named[:_MOST_NAMED])}{more}。")
    return lines


def _lot(row: Alert) -> str:
    facts = (
        ("招标项目", _with_code(row.tender_name, row.tender_id)),
        ("标段", _with_code(row.lot_name, row.lot_id)),
        ("招标人", row.buyer_name),
        ("代理机构", row.agency_name),
        ("开标时间", _time(row.opened_at)),
        ("投标人", f"{row.bidders}家" if row.bidders is not None else None),
        ("最高限价", _money(row.ceiling_price_cny)),
        ("中标人", row.winner_name),
        ("中标金额", _money(row.award_price_cny)),
    )
    return "；".join(f"{name}：{value}" for name, value in facts if value) + "。"


def _source(handover: Handover) -> str:
    found = (
        f"我单位对截至{date_zh(handover.data_until)}的公共资源交易数据进行监测分析，发现本线索"
        if handover.origin == "night"
        else f"本线索由其他单位移交（{handover.origin}）"
    )
    reviewed = f"。经{'、'.join(handover.reviewers)}初核：{handover.finding}" if handover.reviewers else ""
    end = "" if reviewed.endswith("。") else "。"
    return f"{found}{reviewed}{end}线索编号{handover.case_id}，移送编号{handover.id}。"


def _wanted(handover: Handover) -> str:
    asked = f"请依照职责（{handover.power_zh}，{handover.power_basis}）办理，并将结果书面回告我单位"
    if not handover.periods:
        return f"{asked}。本事项未见法定办理期限，请于作出结论后及时反馈。请签收送达回证。"
    limits = "；".join(f"{act}：{length}（{basis}）" for act, length, basis in handover.periods)
    return f"{asked}。法定期限：{limits}。请签收送达回证。"


def _explanations(alerts: Sequence[Alert]) -> str:
    explanations = {family.title_zh: family.explanation_zh for family in registry.families().values()}
    told = [f"{family}——{explanations[family]}" for family in dict.fromkeys(row.family for row in alerts)]
    return "；".join(told) or "由承办人根据来源材料说明"


def _number(head: LetterHead, *, is_draft: bool) -> str:
    return f"{head.number or '　　〔　　　　〕　　号'}{'（送审稿）' if is_draft else ''}"


def _with_code(name: str | None, code: str | None) -> str | None:
    return f"{name}（{code}）" if name and code else name or code


def _money(value: object) -> str | None:
    return None if value is None else f"{value:,.2f}元"


def _time(value: datetime | date | None) -> str | None:
    if isinstance(value, datetime):
        local = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(LOCAL)
        return f"{date_zh(local.date())}{local:%H:%M}"
    return date_zh(value) if value else None
