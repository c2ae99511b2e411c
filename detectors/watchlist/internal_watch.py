"""A bidder is on the internal watch list because of earlier findings.

Why it matters
    Supervisors look more often where something was found before. The watch says how much earlier findings on
    a firm still weigh, and on which day the watch ends.

Looks innocent when
    - always. An earlier finding says nothing about this lot. The watch may raise the odds that a lot is
      inspected. It must never count as evidence, or past alerts confirm themselves;
    - the finding was revoked or repaired. It is not counted from that day on.

Blind spots
    Findings that no delivered list holds. Bidders known by name only. There is no table of this office's own
    checks yet, so a clean check does not lower the score.

Sources
    The mean of a Beta variable whose findings decay with a time constant of 24 months is this project's own
    score. One province's vendor reported 32 cases of 1,200 alerts, one in 37: the prior. That is a weak source
    and no law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.needs import BIDS, CODED_BIDDER, OPENING_DAY, PENALTIES

DETECTOR = Detector(
    title="Bidder on the internal watch list",
    title_zh="投标人属内部重点关注对象",
    unit="lot_party",
    measures="watch score on the day of opening, mean of a Beta variable, 0 to 1",
    grade=Grade.C,
    severity=Severity.LOW,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "penalties.decision_no",
        "penalties.starts_on",
        "penalties.revoked_on",
        "lots.opened_on",
        "bid_members.party_id",
    ),
    says="{findings} earlier decision(s) on the bidder, decayed to a weight of {weight:.2f}, give a watch score of"
    " {value:.3f} on the day of opening {opened_on} (limit {min_score:.3f}); the watch ends on"
    " {expires_on}. For planning inspections only, no evidence for this lot.",
    says_zh="该投标人有既往处罚记录 {findings} 件，衰减后权重 {weight:.2f}，开标日 {opened_on} 关注分值 {value:.3f}（阈值 "
    "{min_score:.3f}），到期日 {expires_on}。仅用于安排抽查，不作为本标段的证据。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "findings": 1,
    "weight": 0.78,
    "value": 0.047,
    "opened_on": "2026-06-30",
    "expires_on": "2027-05-17",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    prior_found: float = 1.0  # findings in the prior
    prior_clean: float = 36.0  # checks without a finding in the prior
    decay_days: float = 730.5  # time after which a finding weighs 1/e: 24 months
    min_score: float = 0.04  # watch score; a single finding stays above it for about 17 months


SQL = """
WITH findings AS (
    SELECT party_id, decision_no, min(starts_on) AS found_on, max(revoked_on) AS revoked_on
    FROM core.penalties AS p
    WHERE starts_on IS NOT NULL
      -- A decision that this office's blacklist has as repaired or revoked counts no more.
      AND NOT EXISTS (
          SELECT 1 FROM core.listed_parties AS e
          WHERE e.list = 'black' AND NOT e.is_in_effect AND e.party_id = p.party_id AND e.document_no = p.decision_no
      )
    GROUP BY party_id, decision_no
),
judged AS (
    SELECT m.lot_id, m.party_id, l.opened_on
    FROM core.bid_members AS m
    JOIN core.lots AS l ON l.lot_id = m.lot_id
    WHERE l.opened_on IS NOT NULL AND m.party_id NOT LIKE 'name:%'
      AND EXISTS (SELECT 1 FROM core.penalties)
    GROUP BY m.lot_id, m.party_id, l.opened_on
)
SELECT j.lot_id || '/' || j.party_id AS unit, j.party_id AS entities, j.opened_on, f.found_on
FROM judged AS j
LEFT JOIN findings AS f ON f.party_id = j.party_id AND f.found_on <= j.opened_on
 AND (f.revoked_on IS NULL OR j.opened_on < f.revoked_on)
ORDER BY j.lot_id, j.party_id, f.found_on NULLS LAST, f.decision_no
"""


NEEDS = (BIDS, PENALTIES, OPENING_DAY, CODED_BIDDER)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded organisation behind a bid of a lot whose day of opening is known."""
    rows: pd.DataFrame = engine.run(SQL).to_pandas()
    opened_on, found_on = pd.to_datetime(rows["opened_on"]), pd.to_datetime(rows["found_on"])
    age_days = (opened_on - found_on).dt.days.astype("float64")
    rows = rows.assign(opened_on=opened_on, weight=np.exp(-age_days / limits.decay_days))
    frame = (
        rows.groupby("unit", sort=False)
        .agg(
            entities=("entities", "first"),
            opened_on=("opened_on", "first"),
            findings=("found_on", "count"),
            weight=("weight", "sum"),
        )
        .reset_index()
    )
    prior = limits.prior_found + limits.prior_clean
    value = (limits.prior_found + frame["weight"]) / (prior + frame["weight"])
    # The weight at which the score meets the limit, and the days until the weight has decayed to it.
    least = (limits.min_score * prior - limits.prior_found) / (1 - limits.min_score)
    is_watched = value >= limits.min_score
    days = np.floor(limits.decay_days * np.log(frame["weight"].where(is_watched) / least))
    expires_on = frame["opened_on"] + pd.to_timedelta(days, unit="D")
    return frame.assign(
        value=value,
        opened_on=frame["opened_on"].dt.strftime("%Y-%m-%d").astype("str"),
        expires_on=expires_on.dt.strftime("%Y-%m-%d").astype("str"),
        flagged=is_watched,
    )
