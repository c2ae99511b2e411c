"""A bidder was registered after another firm was banned, and shares its identity.

Why it matters
    A ban is worth nothing if the same people keep bidding under a new name. A young firm may be the successor
    of a banned one if it has the same head, phone, address, account, computer or staff.

Looks innocent when
    - staff of the banned firm found work elsewhere, or somebody bought its equipment. Therefore one kind of
      tie is not enough;
    - both firms use one service company. Values of many firms are no tie;
    - the ban was revoked or is over. Both are compared to the day.

Blind spots
    Successors that were registered before the ban, or whose day of registration is unknown. Successors with
    known ties of one kind only. Relatives. A tie that a later lot shows counts for this lot as well, but only
    once it is known.

Sources
    No article extends a ban to a successor. 招标投标法 §53 and 招标投标法实施条例 §67 ban the firm itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import BIDS, OPENING_DAY, PENALTIES

DETECTOR = Detector(
    title="Bidder registered after a ban on a firm with which it shares its identity",
    title_zh="投标人在他人被禁止投标后设立且与其身份信息相同",
    unit="lot_party",
    measures="kinds of identity shared with a firm under a ban, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("LAW-53", "REG-67"),
    evidence=(
        "parties.registered_on",
        "parties.legal_representative_id",
        "parties.phone",
        "parties.address",
        "penalties.starts_on",
        "penalties.ends_on",
        "penalties.revoked_on",
        "people.person_id",
        "people.phone",
        "deposits.account",
        "document_purchases.account",
        "fingerprints.mac",
        "fingerprints.cpu_id",
        "fingerprints.disk_serial",
        "fingerprints.dongle",
    ),
    says="The bidder, registered on {registered_on}, shares {value:.0f} kinds of identity (limit {min_kinds}) with a"
    " firm under ban {decision_no} since {starts_on}: {kinds}.",
    says_zh="该投标人于 {registered_on} 设立，与自 {starts_on} 起处于禁止投标期内的单位（{decision_no}）有 {value:.0f} "
    "类身份信息相同（阈值 {min_kinds} 类）：{kinds}，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "registered_on": "2026-02-01",
    "value": 2,
    "decision_no": "D-1",
    "starts_on": "2026-01-01",
    "kinds": "head, device",
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_kinds: int = 2  # kinds of identity shared with one banned firm
    max_holders: int = 20  # firms over all lots; a value of more is no identity


# A bidder can be said to be no successor only where bans were delivered and its day of registration is known.
SQL = """
WITH guarantors AS (
    SELECT DISTINCT account FROM core.deposits WHERE is_guarantee AND account IS NOT NULL
),
offices AS (
    SELECT DISTINCT p.phone
    FROM core.parties AS p
    JOIN (SELECT agency_code AS code FROM core.lots UNION SELECT buyer_code FROM core.lots) AS l
      ON l.code = p.party_id
    WHERE p.phone IS NOT NULL
),
every_tie AS (
    SELECT party_id, 'head' AS kind, legal_representative_id AS tie FROM core.parties
    UNION
    SELECT party_id, 'address', upper(replace(replace(address, ' ', ''), '　', '')) FROM core.parties
    UNION
    SELECT party_id, 'phone', phone FROM core.parties
    UNION
    SELECT bidder_id, 'phone', phone FROM core.people
    UNION
    SELECT bidder_id, 'staff', person_id FROM core.people
    UNION
    SELECT bidder_id, 'account', account FROM core.deposits WHERE NOT is_guarantee
    UNION
    SELECT bidder_id, 'account', account FROM core.document_purchases
    UNION
    SELECT bidder_id, 'device', mac || ' / ' || cpu_id || ' / ' || disk_serial
    FROM core.fingerprints
    WHERE owner = 'bidder' AND NOT is_on_site AND NOT mac_is_local
    UNION
    SELECT bidder_id, 'device', 'dongle ' || dongle FROM core.fingerprints WHERE owner = 'bidder'
),
ties AS (
    SELECT t.party_id, t.kind, t.tie
    FROM every_tie AS t
    LEFT JOIN guarantors AS g ON t.kind = 'account' AND g.account = t.tie
    LEFT JOIN offices AS o ON t.kind = 'phone' AND o.phone = t.tie
    WHERE t.party_id IS NOT NULL AND t.tie IS NOT NULL AND t.tie <> '' AND g.account IS NULL AND o.phone IS NULL
),
rare AS (
    SELECT kind, tie FROM ties GROUP BY kind, tie HAVING count(*) BETWEEN 2 AND $max_holders
),
bans AS (
    SELECT party_id, decision_no, starts_on, ends_on, revoked_on
    FROM core.penalties
    WHERE is_bidding_ban AND starts_on IS NOT NULL
),
kin AS (
    SELECT y.party_id, b.party_id AS banned_id, b.decision_no, b.starts_on, b.ends_on, b.revoked_on,
           count(DISTINCT y.kind) AS kinds,
           max(CASE WHEN y.kind = 'head' THEN ', head' ELSE '' END)
           || max(CASE WHEN y.kind = 'phone' THEN ', phone' ELSE '' END)
           || max(CASE WHEN y.kind = 'address' THEN ', address' ELSE '' END)
           || max(CASE WHEN y.kind = 'account' THEN ', account' ELSE '' END)
           || max(CASE WHEN y.kind = 'device' THEN ', device' ELSE '' END)
           || max(CASE WHEN y.kind = 'staff' THEN ', staff' ELSE '' END) AS kind_list
    FROM bans AS b
    JOIN ties AS t ON t.party_id = b.party_id
    JOIN rare AS r ON r.kind = t.kind AND r.tie = t.tie
    JOIN ties AS y ON y.kind = t.kind AND y.tie = t.tie AND y.party_id <> b.party_id
    JOIN core.parties AS p ON p.party_id = y.party_id AND p.registered_on > b.starts_on
    GROUP BY y.party_id, b.party_id, b.decision_no, b.starts_on, b.ends_on, b.revoked_on
),
judged AS (
    SELECT m.lot_id, m.party_id, l.opened_on, p.registered_on
    FROM core.bid_members AS m
    JOIN core.lots AS l ON l.lot_id = m.lot_id
    JOIN core.parties AS p ON p.party_id = m.party_id
    WHERE l.opened_on IS NOT NULL AND p.registered_on IS NOT NULL AND EXISTS (SELECT 1 FROM core.penalties)
    GROUP BY m.lot_id, m.party_id, l.opened_on, p.registered_on
),
placed AS (
    SELECT j.lot_id, j.party_id, k.banned_id, k.decision_no, k.starts_on, k.kinds, k.kind_list,
           row_number() OVER (
               PARTITION BY j.lot_id, j.party_id
               ORDER BY k.kinds DESC, k.banned_id, k.starts_on DESC, k.decision_no
           ) AS place
    FROM judged AS j
    JOIN kin AS k ON k.party_id = j.party_id
     AND k.starts_on <= j.opened_on
     AND (k.ends_on IS NULL OR j.opened_on <= k.ends_on)
     AND (k.revoked_on IS NULL OR j.opened_on < k.revoked_on)
)
SELECT j.lot_id || '/' || j.party_id AS unit,
       j.party_id AS entities,
       CAST(coalesce(p.kinds, 0) AS DOUBLE) AS value,
       CAST(j.registered_on AS VARCHAR) AS registered_on,
       CAST(j.opened_on AS VARCHAR) AS opened_on,
       coalesce(p.banned_id, '') AS banned_id,
       coalesce(p.decision_no, '') AS decision_no,
       coalesce(CAST(p.starts_on AS VARCHAR), '') AS starts_on,
       coalesce(substr(p.kind_list, 3), '') AS kinds
FROM judged AS j
LEFT JOIN placed AS p ON p.lot_id = j.lot_id AND p.party_id = j.party_id AND p.place = 1
ORDER BY j.lot_id, j.party_id
"""


NEEDS = (
    BIDS,
    PENALTIES,
    OPENING_DAY,
    Need(
        "no bidder's day of registration known",
        "投标人成立日期均不明",
        "SELECT m.lot_id AS unit FROM core.bid_members AS m"
        " JOIN core.parties AS p ON p.party_id = m.party_id WHERE p.registered_on IS NOT NULL",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every organisation behind a bid whose day of registration is known, on a dated lot."""
    frame: pd.DataFrame = engine.run(SQL, {"max_holders": limits.max_holders}).to_pandas()
    return frame.assign(flagged=frame["value"] >= limits.min_kinds)
