"""The papers in the file of a referral (移送材料), put together: letter, report, list of materials, receipt, evidence.

What is in it follows article 6 of State Council Order 310 (行政执法机关移送涉嫌犯罪案件的规定).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from reports import case_papers, letters
from reports.alert_list import Alert, jsonl_bytes
from reports.alert_workbook import xlsx_bytes
from reports.bundle import digest, sums
from reports.letters import Handover, LetterHead, Material

#: What Order 310 wants and no record holds: people add it.
_BY_HAND = (
    ("（三）涉案物品清单", "涉案物品清单"),
    ("（四）有关检验报告或者鉴定结论", "检验报告、鉴定结论"),
)


@dataclass(frozen=True)
class CaseFindings:
    """What stood behind a case.

    Attributes:
        alerts: rows of the alert list, the strongest first.
        records: the exact record of each.
        explanations: detector -> what looks the same and is innocent, in the detector's own words.
        snapshot: ids of the snapshots that the evidence comes from.
        data_until: night of the newest of them.
    """

    alerts: Sequence[Alert]
    records: Sequence[Mapping[str, object]]
    explanations: Mapping[str, str]
    snapshot: str
    data_until: date


def papers(head: LetterHead, handover: Handover, found: CaseFindings) -> dict[str, bytes]:
    """Return file name -> content of everything that people read, without sums and proof."""
    attached = {
        "调查报告.docx": case_papers.review_report(head, handover, found.alerts, found.explanations),
        "线索明细.xlsx": xlsx_bytes(found.alerts),
        "evidence.jsonl": jsonl_bytes(found.records),
        "送达回证.docx": case_papers.receipt_form(head, handover, letters.title_of(handover)),
    }
    by_hand = [Material(item, name, "", 0, "", "") for item, name in _BY_HAND] if handover.is_crime else []
    materials = [
        _material("（二）调查报告", "调查报告（待两名承办人填写）", "调查报告.docx", attached),
        *by_hand,
        _material("（五）其他材料", "线索明细", "线索明细.xlsx", attached),
        _material("（五）其他材料", "线索的确切记录", "evidence.jsonl", attached),
        _material("（五）其他材料", "送达回证", "送达回证.docx", attached),
    ]
    name = "涉嫌犯罪案件移送书.docx" if handover.is_crime else "移送函.docx"
    letter = {name: letters.clue_letter(head, handover, found.alerts, materials)}
    first = _material("（一）移送书", name.removesuffix(".docx"), name, letter)
    listed = {"移送材料清单.xlsx": case_papers.material_list(handover, [first, *materials])}
    return {**letter, **attached, **listed}


def contents_sha256(contents: Mapping[str, bytes]) -> str:
    """Return the SHA-256 over name and SHA-256 of every file, a line each, as in SHA256SUMS."""
    return digest("sha256", sums("sha256", contents))


def _material(item: str, name: str, file: str, contents: Mapping[str, bytes]) -> Material:
    content = contents[file]
    return Material(
        item,
        name,
        file,
        len(content),
        digest("sha256", content),
        digest("sm3", content),
    )
