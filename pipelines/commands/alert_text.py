"""What an alert says, in Chinese as in the list that goes out, or in English."""

from __future__ import annotations

from dataclasses import asdict

from detectors.registry import Loaded
from pipelines.commands.texts import Both, Lang
from pipelines.findings.alerts import Current
from reports.alert_list import Alert

#: What a detector says of itself; nobody has put it into Chinese yet.
EXPLANATION = Both("规则说明（仅有英文）：{text}", "{text}")
FINDING = Both("{finding}：{facts}", "{finding}: {facts}")

LOOSENED = Both(
    "{id}：阈值 {limits} 已放宽，评测报告不再适用，按试验规则处理：只在内部列示，不送达",
    "{id}: {limits} looser than what was measured; until the report is made with it the detector is experimental, and"
    " its alerts are sent to nobody",
)


def sentence(row: Alert, now: Current, lang: Lang) -> str:
    """Return what was found, with the measured numbers: finding and facts in one line."""
    title = now.detectors[row.detector].facts.title
    finding = Both(row.finding_zh, f"{title} (suspected)").in_(lang)
    return FINDING.in_(lang).format(finding=finding, facts=facts(row, now, lang))


def facts(row: Alert, now: Current, lang: Lang) -> str:
    """Return the measured numbers as a sentence."""
    if lang is Lang.ZH:
        return row.key_facts_zh
    detector = now.detectors[row.detector]
    values = asdict(detector.limits) | now.signals[row.alert_id].facts  # type: ignore[call-overload]
    return detector.facts.says.format(**values)


def loosened(detector: Loaded, lang: Lang) -> str:
    """Return that a limit is looser than what was measured, and what follows; empty where none is."""
    limits = ", ".join(f"{name} = {getattr(detector.limits, name)}" for name in detector.loosened or ())
    return LOOSENED.in_(lang).format(id=detector.id, limits=limits) if limits else ""
