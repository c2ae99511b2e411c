"""The first candidate did not get the award, again or to somebody close to it.

Why it matters
    A ring can place several of its firms on top and decide after the opening who takes the award: the
    first gives way to one that asked more. Once may be an accident. Again within a year, or in favour of a
    firm with the same owner, head, staff or account, it hardly is.

Looks innocent when
    - the first candidate was rejected after a complaint, or could not prove what it had declared;
    - it won too much elsewhere and could not take on more work;
    - evaluation and award are split (评定分离), and the buyer chooses among the candidates: where many
      of the buyer's other awards pass over the first candidate, that is no signal.

Blind spots
    A winner that gives up after the award notice and leads to a repeated tender. Links that no delivery shows.
    Joint ventures that change their leader. Lots without ranked candidates.

Sources
    招标投标法实施条例 §39(3) (agreeing that some give up bidding or winning).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status

DETECTOR = Detector(
    title="First candidate did not get the award, again or to a linked firm",
    title_zh="第一中标候选人多次或向关联企业让出中标",
    unit="lot_party",
    measures="times that the first candidate was passed over within the period, this one included, number",
    grade=Grade.B,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=("REG-39-3",),
    evidence=("candidates.rank", "candidates.candidate_id", "awards.winner_id", "awards.awarded_on"),
    says="The first candidate did not get the award; this happened to it {value:.0f} time(s) in {period_days} days"
    " (limit {min_times}, or {min_times_linked} where the winner is linked). Links with the winner: {links}."
    " The buyer passed over the first candidate in {habit_share:.0%} of its other awards"
    " (limit {max_habit_share:.0%}).",
    says_zh="第一中标候选人未中标；{period_days} 日内该企业共 {value:.0f} 次未获中标（阈值 {min_times} 次，与中标人有关联的"
    " {min_times_linked} 次）。与中标人的关联：{links}。该招标人其他项目中第一候选人未中标的占 {habit_share:.0%}"
    "（阈值 {max_habit_share:.0%}）。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"value": 2, "links": "控股或管理 holding or control", "habit_share": 0.03}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_times: int = 2  # times passed over within the period, this one included
    min_times_linked: int = 1  # times, where the winner is linked to the first candidate
    period_days: int = 365  # days, this award included
    max_holders: int = 2  # firms behind one person, account or head; more are linked by an agency or a bank
    max_habit_share: float = 0.2  # of the buyer's other awards that pass over the first candidate


# A lot counts with one first candidate and one award, both to bidders of the lot: where a code or a name
# was delivered wrongly, two records of one firm must not look like two firms. The day is the award's,
# else the opening's. A joint venture that is awarded under another of its members did not give way.
RANKED = """
WITH first AS (
    SELECT lot_id, min(candidate_id) AS first_id
    FROM core.candidates
    WHERE rank = 1
    GROUP BY lot_id
    HAVING count(*) = 1
),
awarded AS (
    SELECT lot_id, min(winner_id) AS winner_id, min(awarded_on) AS awarded_on
    FROM core.awards
    GROUP BY lot_id
    HAVING count(*) = 1
)
"""

FIRSTS = (
    RANKED
    + """
SELECT f.lot_id, f.first_id, a.winner_id, l.buyer_code,
       min(coalesce(a.awarded_on, l.opened_on)) AS decided_on,
       CASE WHEN min(one.bidder_id) = min(other.bidder_id) THEN FALSE ELSE TRUE END AS is_passed
FROM first AS f
JOIN awarded AS a ON a.lot_id = f.lot_id
JOIN core.lots AS l ON l.lot_id = f.lot_id
JOIN core.bid_members AS one ON one.lot_id = f.lot_id AND one.party_id = f.first_id
JOIN core.bid_members AS other ON other.lot_id = f.lot_id AND other.party_id = a.winner_id
WHERE coalesce(a.awarded_on, l.opened_on) IS NOT NULL
GROUP BY f.lot_id, f.first_id, a.winner_id, l.buyer_code
ORDER BY f.lot_id
"""
)


NEEDS = (
    Need(
        "no ranked candidates delivered, or not one first candidate alone",
        "未提供中标候选人排序，或第一中标候选人不唯一",
        f"{RANKED}SELECT lot_id AS unit FROM first",
    ),
    Need(
        "no award delivered, or more than one",
        "未提供中标结果，或中标人不唯一",
        f"{RANKED}SELECT lot_id AS unit FROM awarded",
    ),
    Need(
        "days of the award and of the opening unknown",
        "定标日期和开标日期均不明",
        f"{RANKED}SELECT l.lot_id AS unit FROM core.lots AS l LEFT JOIN awarded AS a ON a.lot_id = l.lot_id"
        " WHERE coalesce(a.awarded_on, l.opened_on) IS NOT NULL",
    ),
    Need("the first candidate or the winner is no bidder of the lot", "第一中标候选人或中标人不在投标人之列"),
)

# What two firms have in common, whatever the lot. What more than a few firms hold is an agency's or a bank's.
LINKS = """
WITH held AS (
    SELECT bidder_id AS party_id, '同一人员 same person' AS link, person_id AS token
    FROM core.people WHERE person_id IS NOT NULL
    UNION
    SELECT bidder_id, '同一保证金账户 same deposit account', account
    FROM core.deposits WHERE account IS NOT NULL AND NOT is_guarantee
    UNION
    SELECT party_id, '同一负责人 same head', legal_representative_id
    FROM core.parties WHERE legal_representative_id IS NOT NULL
),
few AS (
    SELECT link, token FROM held GROUP BY link, token HAVING count(*) BETWEEN 2 AND $max_holders
),
owned AS (
    SELECT DISTINCT party_id, holder_id FROM core.relations
)
SELECT x.party_id AS one_id, y.party_id AS other_id, x.link
FROM few AS f
JOIN held AS x ON x.link = f.link AND x.token = f.token
JOIN held AS y ON y.link = f.link AND y.token = f.token AND x.party_id < y.party_id
UNION
SELECT least(party_id, holder_id), greatest(party_id, holder_id), '控股或管理 holding or control' FROM owned
UNION
SELECT least(x.party_id, y.party_id), greatest(x.party_id, y.party_id), '同一股东 same owner'
FROM owned AS x
JOIN owned AS y ON y.holder_id = x.holder_id AND x.party_id < y.party_id
ORDER BY one_id, other_id, link
"""


#: What is shown where no link is known.
NO_LINK = "无 none"


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with one first candidate and one award; one row per lot and first candidate."""
    lots: pd.DataFrame = engine.run(FIRSTS).to_pandas()
    lots = lots.assign(
        is_passed=lots["is_passed"].astype("bool"), decided_on=pd.to_datetime(lots["decided_on"])
    )
    is_passed = lots["is_passed"]
    lots["value"] = _times(lots, limits.period_days)
    by_buyer = lots.groupby(lots["buyer_code"].fillna(""))["is_passed"]
    others = by_buyer.transform("size") - 1
    lots["habit_share"] = ((by_buyer.transform("sum") - is_passed) / others.where(others > 0)).fillna(0.0)
    lots["links"] = _links(engine, lots, limits.max_holders)
    needed = np.where(lots["links"].ne(NO_LINK), limits.min_times_linked, limits.min_times)
    is_habit = lots["habit_share"] > limits.max_habit_share
    return pd.DataFrame(
        {
            "unit": (lots["lot_id"] + "/" + lots["first_id"]).astype("str"),
            "entities": lots["first_id"].astype("str"),
            "value": lots["value"].astype("float64"),
            "winner_id": lots["winner_id"].astype("str"),
            "links": lots["links"],
            "habit_share": lots["habit_share"].astype("float64"),
            "flagged": is_passed & ~is_habit & (lots["value"] >= needed),
        }
    )


def _times(lots: pd.DataFrame, period_days: int) -> pd.Series:
    """Return how often the first candidate was passed over in the period that ends with each lot."""
    passed = lots.loc[lots["is_passed"], ["first_id", "decided_on", "lot_id"]]
    passed = passed.sort_values(["first_id", "decided_on", "lot_id"])
    firm = pd.factorize(passed["first_id"])[0].astype(np.int64)
    day = (passed["decided_on"] - pd.Timestamp(0)).dt.days.to_numpy().astype(np.int64)
    # Firm and day in one number, so that one search finds the start of the firm's own period.
    moment = firm * 1_000_000 + day
    since = np.searchsorted(moment, moment - period_days + 1, side="left")
    own = np.searchsorted(firm, firm, side="left")
    # Two awards of one day count both ways: the later one in order sees all before it.
    times = np.searchsorted(moment, moment, side="right") - np.maximum(since, own)
    return pd.Series(times, index=passed.index).reindex(lots.index, fill_value=0)


def _links(engine: Engine, lots: pd.DataFrame, max_holders: int) -> pd.Series:
    """Return what the first candidate and the winner have in common, as text; `NO_LINK` where nothing is known."""
    links: pd.DataFrame = engine.run(LINKS, {"max_holders": max_holders}).to_pandas()
    known = links.groupby(["one_id", "other_id"], sort=True)["link"].agg(", ".join)
    pairs = lots[["first_id", "winner_id"]]
    ends = pd.MultiIndex.from_arrays([pairs.min(axis=1), pairs.max(axis=1)])
    found = pd.Series(known.reindex(ends).to_numpy(), index=lots.index, dtype="str")
    return found.where(lots["is_passed"]).fillna(NO_LINK).astype("str")
