"""Bidders had fewer than twenty days from publication to the deadline of a mandatory tender.

Why it matters
    Who knows of the tender beforehand needs no time; everybody else does. A short window keeps
    strangers out without any written condition.

Looks innocent when
    - an earlier notice of the same tender was published and is not the one delivered;
    - the day delivered is the day of a later version of the notice;
    - the tender need not be tendered by law, or is a kind of purchase with shorter windows by law: only
      tenders that the sender marks as mandatory are judged.

Blind spots
    Tenders without a delivered day of publication. The first purchase of the documents may be late and
    cannot stand for it. A clarification shortly before the deadline. Documents that are
    published but cannot be downloaded in time.

Sources
    招标投标法 §24 (at least twenty days from the issue of the documents to the deadline).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="Window for bids shorter than the law asks for",
    title_zh="投标准备时间短于法定期限",
    unit="lot",
    measures="days from publication to the deadline for bids, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("LAW-24",),
    evidence=(
        "tenders.published_on",
        "tenders.is_legally_mandatory",
        "documents.bid_deadline_at",
        "lots.opened_on",
    ),
    says="Published on {published_on}, deadline on {deadline_on}: {value:.0f} days (limit {max_days}).",
    says_zh="{published_on} 发布，{deadline_on} 截止，共 {value:.0f} 日（阈值 {max_days} 日）。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"published_on": "2026-06-01", "deadline_on": "2026-06-12", "value": 11}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    max_days: int = 19  # days from publication to the deadline; twenty are enough


# Days, not hours. The deadline is the moment of the opening, whose local day stands in core.lots.
SQL = """
SELECT l.lot_id AS unit, t.published_on, l.opened_on AS deadline_on
FROM core.lots AS l
JOIN core.tenders AS t ON t.tender_id = l.tender_id
JOIN core.documents AS d ON d.lot_id = l.lot_id
WHERE t.is_legally_mandatory AND t.published_on IS NOT NULL AND l.opened_on >= t.published_on
  AND d.bid_deadline_at = l.opening_at
ORDER BY l.lot_id
"""


OF_TENDER = "SELECT l.lot_id AS unit FROM core.lots AS l JOIN core.tenders AS t ON t.tender_id = l.tender_id"

NEEDS = (
    Need(
        "not known to be a tender that the law makes mandatory",
        "非依法必须招标或是否依法必须招标不明",
        f"{OF_TENDER} WHERE t.is_legally_mandatory",
    ),
    Need("day of publication unknown", "公告发布日期不明", f"{OF_TENDER} WHERE t.published_on IS NOT NULL"),
    Need(
        "deadline for bids unknown",
        "投标截止时间不明",
        "SELECT lot_id AS unit FROM core.documents WHERE bid_deadline_at IS NOT NULL",
    ),
    Need(
        "the deadline is not the moment of the opening, or lies before the publication",
        "投标截止时间与开标时间不一致，或早于公告发布日期",
        f"SELECT unit FROM ({SQL}) AS windows",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot of a mandatory tender whose day of publication and deadline are known."""
    rows: pd.DataFrame = engine.run(SQL).to_pandas()
    published_on, deadline_on = pd.to_datetime(rows["published_on"]), pd.to_datetime(rows["deadline_on"])
    value = (deadline_on - published_on).dt.days.astype("float64")
    return pd.DataFrame(
        {
            "unit": rows["unit"].astype("str"),
            "value": value,
            "published_on": published_on.dt.strftime("%Y-%m-%d").astype("str"),
            "deadline_on": deadline_on.dt.strftime("%Y-%m-%d").astype("str"),
            "flagged": value <= limits.max_days,
        }
    )
