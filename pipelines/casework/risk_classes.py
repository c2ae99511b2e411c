"""Classes of risk (风险等级): of objects of inspection and of entries of the watch list, with their Chinese names.

Places have other classes besides, such as the credit classes A to D. They stand as they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pipelines.reference import Reference


@cache
def names_zh() -> Mapping[str, str]:
    """Return code -> Chinese name of ``data/reference/risk_classes.csv``, the highest class first."""
    rows = (each.values for each in Reference().rows("risk_classes.csv"))
    return {row["risk_class"]: row["class_zh"] for row in rows}


def name_zh(risk_class: str) -> str:
    """Return the Chinese name of a class; a class that is not listed is its own name."""
    return names_zh().get(risk_class, risk_class)
