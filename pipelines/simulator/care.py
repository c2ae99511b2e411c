"""How careful rings are: from careless to knowing every detector, and what traces each level leaves."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.simulator.tactics import KEYS

CARE_FILE = Path(__file__).with_name("care.toml")
#: Traces that a ring can leave (`traces` leaves them), by how much they say.
PLAIN_EVIDENCE = (
    "edit_hardware",
    "upload_hardware",
    "pricing_dongle",
    "deposit_account",
    "project_manager",
    "same_agent",
    "same_operator",
    "contact_phone",
    "file_creation_id",
    "ownership",
)
FAINT_EVIDENCE = ("same_ip", "upload_minutes")


@dataclass(frozen=True)
class Care:
    """How careful a ring is: 0 careless to 4, which knows every detector and its limits.

    ``honest_share``: how far its prices are moved from the greedy plan towards honest ones, 0 to 1, by
    tactic; ``forgone_share``: of the lots it could rig, those that it gives up, by tactic.
    """

    level: int
    title_zh: str
    honest_share: Mapping[str, float]
    forgone_share: Mapping[str, float]
    plain_evidence: int  # kinds of plain traces that it leaves
    faint_evidence: int
    leak_share: float  # of its lots in which each of them is left


def usual_care() -> tuple[Care, ...]:
    """Return the care levels; what the last one pays was found by `make rehearsal` and stands in care.toml."""
    paid = tomllib.loads(CARE_FILE.read_text(encoding="utf-8"))["tactic"]
    nothing = dict.fromkeys(KEYS, 0.0)
    return (
        Care(0, "不设防", nothing, nothing, 4, 2, 0.9),
        Care(1, "大意", dict.fromkeys(KEYS, 0.1), nothing, 2, 2, 0.7),
        Care(2, "谨慎", dict.fromkeys(KEYS, 0.3), nothing, 1, 1, 0.5),
        Care(3, "老练", dict.fromkeys(KEYS, 0.55), nothing, 0, 1, 0.35),
        Care(
            4,
            "知悉全部模型",
            {key: float(paid[key]["honest_share"]) for key in KEYS},
            {key: float(paid[key]["forgone_share"]) for key in KEYS},
            0,
            0,
            0.0,
        ),
    )
