"""One bank account paid for different bidders, other than in two deposits.

Why it matters
    A firm pays for its tender documents itself. Sometimes one account buys the documents of two bidders, or
    pays the deposit of one and the documents of the other. Then it belongs to somebody behind both. Two
    deposits out of one account are a presumption of their own (contacts.deposit_account).

Looks innocent when
    - an agent or a service company bought documents for several customers. An account behind many bidders is
      left out, counted and named, unless they meet more often than strangers do;
    - the payment platform's own account was recorded as the payer. It is left out in the same way;
    - a guarantor or insurer was recorded. Every account that ever stood behind a guarantee is taken out.

Blind spots
    Documents handed out free of charge. Payments by phone or in cash. Who paid the premium of a
    guarantee: see contacts.guarantee_payer. A service company with few customers so far looks like a ring.

Sources
    招标投标法实施条例 §40(6) speaks of deposits only. No article is known for the purchase of documents, so
    this is an indicator and no presumption.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Same bank account paid for different bidders",
    title_zh="不同投标人的招标文件费或保证金由同一账户支付",
    unit="lot",
    measures="bidders of the lot for which the same account paid, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=(),
    evidence=("document_purchases.account", "deposits.account", "deposits.is_guarantee"),
    says="The same account paid documents or deposits of {value:.0f} of {holders} bidders (limit {min_bidders}"
    " bidders); over all lots it paid for {most_holders}.",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的招标文件费或保证金由同一账户支付（阈值 {min_bidders} 家）；"
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


# contacts.deposit_account tells of an account that paid the deposits of all its bidders of the lot. Here the
# bidder's name is added to such an account, so that nobody shares it.
SQL = (
    ONE_BID
    + """,
paid AS (
    SELECT lot_id, bidder_id, account, 1 AS is_deposit
    FROM core.deposits
    WHERE account IS NOT NULL AND NOT is_guarantee
    UNION
    SELECT lot_id, bidder_id, account, 0 AS is_deposit
    FROM core.document_purchases
    WHERE account IS NOT NULL
),
own AS (
    SELECT p.lot_id, coalesce(o.bidder_id, p.bidder_id) AS bidder_id, p.account,
           max(p.is_deposit) AS is_deposit
    FROM paid AS p
    LEFT JOIN one_bid AS o ON o.lot_id = p.lot_id AND o.party_id = p.bidder_id
    LEFT JOIN (SELECT DISTINCT account FROM core.deposits WHERE is_guarantee) AS g ON g.account = p.account
    WHERE g.account IS NULL
    GROUP BY p.lot_id, coalesce(o.bidder_id, p.bidder_id), p.account
),
told AS (
    SELECT lot_id, account FROM own GROUP BY lot_id, account HAVING min(is_deposit) = 1 AND count(*) > 1
)
SELECT w.lot_id, w.bidder_id,
       CASE WHEN t.lot_id IS NULL THEN w.account ELSE w.account || ' of ' || w.bidder_id END AS shared_value
FROM own AS w
LEFT JOIN told AS t ON t.lot_id = w.lot_id AND t.account = w.account
"""
)


NEEDS = held(SQL, "no accounts that paid tender documents or deposits", "无招标文件费或保证金的付款账户信息")


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which the paying accounts of at least two bidders are known."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders, limits.min_meeting_odds)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
