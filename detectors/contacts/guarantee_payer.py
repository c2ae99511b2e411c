"""Guarantees of different bidders were paid for by the same account.

Why it matters
    A guarantee or policy in place of the deposit hides whose money it is, because the account is the
    guarantor's. The premium shows it. An account that buys the guarantees of two rivals, or buys one and
    pays the deposit of the other, belongs to somebody behind both.

Looks innocent when
    - an agent, a salesman of the guarantor or a payment service paid for customers. An account behind many
      bidders is left out, counted and named, unless they meet more often than strangers do;
    - the guarantor's own account was recorded as the payer. Every account that is known as a guarantor's
      is taken out;
    - a parent paid for two firms of its group (a matter of its own under 条例 §34).

Blind spots
    Premiums paid in cash or by phone. Premiums that each bidder paid from its own account with money received
    before. Guarantees whose payer was not recorded. Guarantees with numbers in a row. A salesman with few
    customers so far looks like a ring.

Sources
    招标投标法实施条例 §40(6) speaks of deposits and not of premiums, so this is an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Guarantees of different bidders paid for by the same account",
    title_zh="不同投标人的投标保函（保险）保费由同一账户支付",
    unit="lot",
    measures="bidders of the lot whose guarantee or deposit the same account paid, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=(),
    evidence=("deposits.premium_account", "deposits.account", "deposits.is_guarantee", "deposits.paid_at"),
    says="The same account paid for the guarantees or deposits of {value:.0f} of {holders} bidders, a guarantee among"
    " them (limit {min_bidders} bidders); over all lots it paid for {most_holders}.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的投标保函保费或保证金由同一账户支付，其中含保函（阈值 {min_bidders} 家）；"
    "全部标段中该账户共为 {most_holders} 家投标人付款，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
    "most_holders": 2,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same paying account
    few_holders: int = 5  # bidders over all lots; an account behind no more is rare
    min_meeting_odds: float = 2.0  # times the usual odds of meeting elsewhere; below: strangers
    max_holders: int = 50  # bidders over all lots; accounts behind more are left out


# contacts.deposit_account tells of an account that paid two deposits and no premium. Here the bidder's name is added
# to such an account, so that nobody shares it.
SQL = (
    ONE_BID
    + """,
paid AS (
    SELECT lot_id, bidder_id, premium_account AS account, 1 AS is_premium
    FROM core.deposits
    WHERE premium_account IS NOT NULL
    UNION
    SELECT lot_id, bidder_id, account, 0 AS is_premium
    FROM core.deposits
    WHERE account IS NOT NULL AND NOT is_guarantee
),
own AS (
    SELECT p.lot_id, coalesce(o.bidder_id, p.bidder_id) AS bidder_id, p.account, max(p.is_premium) AS is_premium
    FROM paid AS p
    LEFT JOIN one_bid AS o ON o.lot_id = p.lot_id AND o.party_id = p.bidder_id
    LEFT JOIN (
        SELECT DISTINCT account FROM core.deposits WHERE is_guarantee AND account IS NOT NULL
    ) AS g ON g.account = p.account
    WHERE g.account IS NULL
    GROUP BY p.lot_id, coalesce(o.bidder_id, p.bidder_id), p.account
),
bought AS (
    SELECT lot_id, account FROM own GROUP BY lot_id, account HAVING max(is_premium) = 1
),
premiums AS (
    SELECT DISTINCT lot_id FROM own WHERE is_premium = 1
)
SELECT w.lot_id, w.bidder_id,
       CASE WHEN b.lot_id IS NOT NULL THEN w.account ELSE w.account || ' of ' || w.bidder_id END AS shared_value
FROM own AS w
JOIN premiums AS k ON k.lot_id = w.lot_id
LEFT JOIN bought AS b ON b.lot_id = w.lot_id AND b.account = w.account
"""
)


NEEDS = held(SQL, "no account known that paid for a guarantee", "无投标保函（保险）保费的付款账户信息")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a guarantee whose payer is known, and another payer."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
