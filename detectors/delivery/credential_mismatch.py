"""A certificate of qualification that a bid states does not check with the register.

Why it matters
    A firm that lacks the qualification (资质) for a work may borrow one. The records then show a certificate
    that is registered to another firm, of a lower class than stated, or out of force on the day of opening.

Looks innocent when
    - the firm took the certificate over in a merger or division that the register does not show yet, or a
      parent holds it;
    - a renewal was granted and not entered, or certificates were prolonged in general. Where the register
      disagrees with many firms in the same way, that kind is not counted;
    - the number was mistyped, and another firm has the number that was written.

Blind spots
    The register may be incomplete, so a number that nobody holds is not judged. A certificate that is lent
    together with its holder's name (挂靠) agrees with the register. Classes are not compared where bid and
    register write the kind differently, nor between the two ladders of classes (特级 to 三级; 甲级 to 丙级).
    Bidders and holders known by name only, or by a registration number of fifteen digits (before 2015), which no
    credit code contains.

Sources
    招标投标法实施条例 §42 (forged permits; using acquired qualifications is bidding in another's name).
    The look-up of every stated certificate is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.claims.mismatches import told_by_bid

DETECTOR = Detector(
    title="Stated certificate of qualification does not check with the register",
    title_zh="投标文件所列资质证书与登记信息不符",
    unit="lot_party",
    measures="stated certificates of the bid that do not check with the register, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-42",),
    evidence=(
        "stated_certificates.certificate_no",
        "stated_certificates.kind",
        "stated_certificates.class",
        "qualifications.certificate_no",
        "qualifications.class",
        "qualifications.valid_from",
        "qualifications.valid_to",
        "lots.opened_on",
    ),
    says="{value:.0f} of {statements} stated certificate(s) found in the register (limit {min_certificates}) do not check:"
    " {other_holder} registered to another firm, {not_in_force} not in force on the day of opening, {lower_class} of a"
    " lower class than stated ({listed});"
    " {market_share:.2%} of the statements of {firms} firms show the same (limit {max_market_share:.0%}).",
    says_zh="所列资质证书中可在登记信息中查到 {statements} 份，其中 {value:.0f} 份不符（阈值 {min_certificates} 份）："
    "登记在其他单位名下 {other_holder} 份，开标日不在有效期内 {not_in_force} 份，登记等级低于所列等级 {lower_class} 份"
    "（{listed}）；{firms} 家企业的所列证书中同类情形占 {market_share:.2%}（阈值 {max_market_share:.0%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 1,
    "statements": 3,
    "other_holder": 1,
    "not_in_force": 0,
    "lower_class": 0,
    "listed": "D141000001",
    "firms": 410,
    "market_share": 0.007,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_certificates: int = 1  # stated certificates that do not check
    max_market_share: float = 0.05  # of all firms' statements, with the same kind; of more: a late register


KINDS = ("other_holder", "not_in_force", "lower_class")

# A partner of a joint venture may hold the certificate. The kind counts where bid and certificate name it in the same
# words. Otherwise the bid may mean any kind of the certificate.
SQL = """
WITH ladder (class, ladder, step) AS (
    VALUES ('special', 1, 1), ('class_1', 1, 2), ('class_2', 1, 3), ('class_3', 1, 4),
           ('grade_a', 2, 1), ('grade_b', 2, 2), ('grade_c', 2, 3)
),
register AS (
    SELECT upper(replace(q.certificate_no, ' ', '')) AS certificate_no, q.party_id, q.kind, q.valid_from,
           q.valid_to, d.ladder, d.step
    FROM core.qualifications AS q
    LEFT JOIN ladder AS d ON d.class = q.class
    WHERE q.party_id NOT LIKE 'name:%' AND length(q.party_id) <> 15
),
known AS (
    SELECT DISTINCT certificate_no FROM register
),
stated AS (
    SELECT s.lot_id, s.bidder_id, upper(replace(s.certificate_no, ' ', '')) AS certificate_no, s.kind,
           d.ladder, d.step, l.opened_on
    FROM core.stated_certificates AS s
    JOIN core.lots AS l ON l.lot_id = s.lot_id
    LEFT JOIN ladder AS d ON d.class = s.class
    WHERE s.bidder_id NOT LIKE 'name:%' AND length(s.bidder_id) <> 15
),
own AS (
    SELECT s.lot_id, s.bidder_id, s.certificate_no, s.kind, s.ladder, s.step, r.kind = s.kind AS is_kind,
           r.ladder AS own_ladder, r.step AS own_step,
           r.valid_from <= s.opened_on AND (r.valid_to IS NULL OR s.opened_on <= r.valid_to) AS is_in_force,
           max(CASE WHEN r.kind = s.kind THEN 1 ELSE 0 END)
               OVER (PARTITION BY s.lot_id, s.bidder_id, s.certificate_no, s.kind) AS has_kind
    FROM stated AS s
    JOIN core.bid_members AS m ON m.lot_id = s.lot_id AND m.bidder_id = s.bidder_id
    JOIN register AS r ON r.certificate_no = s.certificate_no AND r.party_id = m.party_id
),
checked AS (
    SELECT lot_id, bidder_id, certificate_no, kind,
           max(CASE WHEN is_in_force THEN 1 WHEN is_in_force IS NULL THEN NULL ELSE 0 END) AS in_force,
           min(CASE WHEN has_kind = 1 AND is_in_force AND own_ladder = ladder AND own_step > step THEN 1
                    WHEN has_kind = 1 AND is_in_force AND own_ladder = ladder THEN 0 END) AS is_lower
    FROM own
    WHERE has_kind = 0 OR is_kind
    GROUP BY lot_id, bidder_id, certificate_no, kind
)
SELECT s.lot_id, s.bidder_id, s.certificate_no, c.certificate_no IS NULL AS other_holder,
       coalesce(c.in_force = 0, FALSE) AS not_in_force, coalesce(c.is_lower = 1, FALSE) AS lower_class
FROM stated AS s
JOIN known AS k ON k.certificate_no = s.certificate_no
LEFT JOIN checked AS c ON c.lot_id = s.lot_id AND c.bidder_id = s.bidder_id
 AND c.certificate_no = s.certificate_no AND c.kind = s.kind
ORDER BY s.lot_id, s.bidder_id, s.certificate_no, s.kind
"""


NEEDS = (
    Need(
        "no stated certificates",
        "投标文件无资质证书信息",
        "SELECT lot_id AS unit FROM core.stated_certificates",
    ),
    Need(
        "no register of qualifications delivered",
        "未收到资质登记信息",
        "SELECT lot_id AS unit FROM core.lots WHERE EXISTS (SELECT 1 FROM core.qualifications)",
    ),
    Need(
        "no stated number in the register, or bidder or holder without a credit code",
        "登记信息中查不到所列证书编号，或投标人、持证单位无统一社会信用代码",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every coded bidder with a stated certificate whose number the register knows; the unit is lot/bidder."""
    stated: pd.DataFrame = engine.run(SQL).to_pandas()
    bids = told_by_bid(stated, "certificate_no", KINDS, limits.max_market_share)
    return bids.assign(flagged=bids["value"] >= limits.min_certificates)
