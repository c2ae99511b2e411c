"""What an alert says, in Chinese as in the list that goes out, or in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache

from detectors import registry
from detectors.registry import Loaded
from pipelines.commands.texts import Both, Lang
from reports.alert_list import Alert

#: What a detector says of itself; nobody has put it into Chinese yet.
EXPLANATION = Both("规则说明（仅有英文）：{text}", "{text}")
FINDING = Both("{finding}：{facts}", "{finding}: {facts}")


def sentence(row: Alert, measured: Mapping[str, object], lang: Lang) -> str:
    """Return what was found, with the measured numbers: finding and facts in one line."""
    title = _detectors()[row.detector].facts.title
    finding = Both(row.finding_zh, f"{title} (suspected)").in_(lang)
    return FINDING.in_(lang).format(finding=finding, facts=facts(row, measured, lang))


def facts(row: Alert, measured: Mapping[str, object], lang: Lang) -> str:
    """Return the measured numbers as a sentence."""
    if lang is Lang.ZH:
        return row.key_facts_zh
    detector = _detectors()[row.detector]
    return detector.facts.says.format(**(asdict(detector.limits) | dict(measured)))  # type: ignore[call-overload]


@cache
def _detectors() -> dict[str, Loaded]:
    return {detector.id: detector for detector in registry.load()}
