"""The people whom the contract names for the site are not insured by the contractor.

Why it matters
    The manager and the heads of technology, quality and safety may be somebody else's staff. Then the
    contractor has sold the work on, or has lent its name to the firm that does it.

Looks innocent when
    - a branch or a parent of the contractor insures the person, or an office in another region does;
    - the person is retired and works on a service contract;
    - the record of the insurance was delivered late or covers part of the staff. So a contractor is judged only
      where some of its people are known to be insured. Nothing is flagged when many contractors show it.

Blind spots
    People without a document number. Contractors of whose insurance nothing was delivered. Staff whom the
    contractor insures for the look of it. Labour contracts and wages, which are not delivered.

Sources
    建市规〔2019〕1号: the work counts as sold on if the head of the project, of technology, quality or safety has
    neither a labour contract nor a wage and insurance relation with the contractor.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import CONTRACT

DETECTOR = Detector(
    title="Site staff named in the contract are not insured by the contractor",
    title_zh="合同约定的现场管理人员未由中标单位缴纳社会保险",
    unit="lot_party",
    measures="people named for the site without insurance by the contractor on the day of signing, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("JSG2019-1",),
    evidence=(
        "contract_members.person_id",
        "awards.project_lead_id",
        "contracts.signed_on",
    ),
    says="Of {people} people named for the site {value:.0f} were not insured by the contractor when the contract"
    " was signed on {signed_on} (limit {min_people}), {elsewhere} of them by another unit; so it is in"
    " {market_share:.2%} of {lots} contracts (limit {max_market_share:.0%}).",
    says_zh="合同约定的现场管理人员 {people} 人中，签约日 {signed_on} 有 {value:.0f} 人未由中标单位缴纳社会保险（阈值 "
    "{min_people} 人），其中 {elsewhere} 人由其他单位缴纳；{lots} 份合同中存在此情形的占 {market_share:.2%}（阈值 "
    "{max_market_share:.0%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "people": 4,
    "value": 2,
    "signed_on": "2026-03-20",
    "elsewhere": 1,
    "market_share": 0.004,
    "lots": 1800,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_people: int = 1  # people without insurance by the contractor
    max_market_share: float = 0.05  # of contracts with any; of more: the records are incomplete


SIGNED = """
WITH named AS (
    SELECT lot_id, contractor_id, person_id FROM core.contract_members WHERE person_id IS NOT NULL
    UNION
    SELECT lot_id, winner_id, project_lead_id FROM core.awards WHERE project_lead_id IS NOT NULL
),
signed AS (
    SELECT lot_id, supplier_id AS contractor_id, min(signed_on) AS signed_on
    FROM core.contracts
    WHERE signed_on IS NOT NULL
    GROUP BY lot_id, supplier_id
)
"""

# The partners of a joint venture may insure each other's people.
SQL = (
    SIGNED
    + """,
employers AS (
    SELECT lot_id, contractor_id, contractor_id AS party_id FROM signed
    UNION
    SELECT s.lot_id, s.contractor_id, m.party_id
    FROM signed AS s
    JOIN core.bid_members AS m ON m.lot_id = s.lot_id AND m.bidder_id = s.contractor_id
),
known AS (
    SELECT DISTINCT e.lot_id, e.contractor_id
    FROM employers AS e
    JOIN core.insured_people AS i ON i.party_id = e.party_id
),
covered AS (
    SELECT DISTINCT n.lot_id, n.contractor_id, n.person_id, e.party_id IS NOT NULL AS is_own
    FROM named AS n
    JOIN signed AS s ON s.lot_id = n.lot_id AND s.contractor_id = n.contractor_id
    JOIN core.insured_people AS i ON i.person_id = n.person_id AND i.starts_on <= s.signed_on
     AND (i.ends_on IS NULL OR s.signed_on <= i.ends_on)
    LEFT JOIN employers AS e ON e.lot_id = n.lot_id AND e.contractor_id = n.contractor_id
     AND e.party_id = i.party_id
),
people AS (
    SELECT n.lot_id, n.contractor_id, n.person_id,
           max(CASE WHEN c.is_own THEN 1 ELSE 0 END) AS own,
           max(CASE WHEN NOT c.is_own THEN 1 ELSE 0 END) AS other
    FROM named AS n
    LEFT JOIN covered AS c ON c.lot_id = n.lot_id AND c.contractor_id = n.contractor_id
     AND c.person_id = n.person_id
    GROUP BY n.lot_id, n.contractor_id, n.person_id
)
SELECT p.lot_id || '/' || p.contractor_id AS unit, p.contractor_id AS entities,
       CAST(sum(1 - p.own) AS DOUBLE) AS value, count(*) AS people,
       CAST(sum(CASE WHEN p.own = 0 THEN p.other ELSE 0 END) AS BIGINT) AS elsewhere,
       CAST(min(s.signed_on) AS VARCHAR) AS signed_on
FROM people AS p
JOIN signed AS s ON s.lot_id = p.lot_id AND s.contractor_id = p.contractor_id
JOIN known AS k ON k.lot_id = p.lot_id AND k.contractor_id = p.contractor_id
GROUP BY p.lot_id, p.contractor_id
ORDER BY p.lot_id, p.contractor_id
"""
)


NEEDS = (
    CONTRACT,
    Need(
        "no records of social insurance delivered",
        "未收到社会保险缴纳记录",
        "SELECT lot_id AS unit FROM core.lots WHERE EXISTS (SELECT 1 FROM core.insured_people)",
    ),
    Need("day of signing unknown", "签约日期不明", SIGNED + "SELECT lot_id AS unit FROM signed"),
    Need(
        "no site staff of the contractor by document number",
        "无中标单位现场管理人员证件号码",
        SIGNED + "SELECT n.lot_id AS unit FROM named AS n"
        " JOIN signed AS s ON s.lot_id = n.lot_id AND s.contractor_id = n.contractor_id",
    ),
    Need("nobody known whom the contractor insures", "无中标单位缴纳社会保险的人员记录"),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every signed contract with named people whose contractor is known to insure anybody."""
    frame: pd.DataFrame = engine.run(SQL).to_pandas()
    is_found = frame["value"] >= limits.min_people
    market_share = float(is_found.mean()) if len(frame) else 0.0
    return frame.assign(
        lots=len(frame),
        market_share=market_share,
        flagged=is_found & (market_share <= limits.max_market_share),
    )
