"""Deposits of different bidders were paid from the same account.

Why it matters
    A bidder has to pay its deposit from its own basic account. The law deems it collusion when deposits of
    different bidders come out of the account of one unit or person.

Looks innocent when
    - a bank, guarantor or insurer stands behind the deposit. Guarantees and policies are taken out
      before, because their account belongs to the guarantor;
    - the trading centre or a payment service passed the money on from a pool. Accounts behind very many
      bidders are left out and counted.

Blind spots
    Different accounts of one person. Money that was sent to the bidders first, who then paid it in.
    Guarantees bought through one salesman. A pool account that few bidders have used so far is not known as one.

Sources
    招标投标法实施条例 §40(6) (保证金从同一单位或者个人的账户转出), §26.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Severity, Status
from detectors.kernels.firms.sharing import ONE_BID, shared
from detectors.kernels.needs import held

DETECTOR = Detector(
    title="Deposits of different bidders paid from the same account",
    title_zh="不同投标人保证金由同一账户转出",
    unit="lot",
    measures="bidders of the lot whose deposits came from the same account, number",
    grade=Grade.A,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=("REG-40-6", "ORDER87-37-6"),
    evidence=("deposits.account", "deposits.is_guarantee", "deposits.paid_at"),
    says="Deposits of {value:.0f} of {holders} bidders were paid from the same account (limit"
    " {min_bidders} bidders).",
    says_zh="{holders} 家投标人中有 {value:.0f} 家的投标保证金由同一账户转出（阈值 {min_bidders} 家）。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "value": 2,
    "holders": 5,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_bidders: int = 2  # bidders of one lot with the same paying account
    few_holders: int = 5  # bidders over all lots; of an account of more it is told how often they meet
    max_holders: int = 50  # bidders over all lots; accounts behind more are left out


SQL = (
    ONE_BID
    + """
SELECT d.lot_id, coalesce(o.bidder_id, d.bidder_id) AS bidder_id, d.account AS shared_value
FROM core.deposits AS d
LEFT JOIN one_bid AS o ON o.lot_id = d.lot_id AND o.party_id = d.bidder_id
WHERE d.account IS NOT NULL AND NOT d.is_guarantee
"""
)


NEEDS = held(
    SQL, "no accounts that paid deposits (guarantees not counted)", "无保证金转出账户信息（保函、保险不计）"
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot in which the paying accounts of at least two bidders are known."""
    frame = shared(engine.run(SQL), limits.max_holders, limits.few_holders)
    return frame.assign(flagged=frame["value"] >= limits.min_bidders)
