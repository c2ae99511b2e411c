"""Money of a contract goes to a firm that is neither its contractor nor a reported subcontractor.

Why it matters
    The firm that gets the money usually does the work. If payments of a contract go to a third firm, the
    contract may have been sold on, or won in a lent name.

Looks innocent when
    - the claim was assigned to a bank or a factoring company;
    - the buyer pays wages or material directly, by order of the wage rules;
    - the third firm is a subcontractor that was not reported, which is a matter of its own;
    - the payee's code was mistyped.

Blind spots
    Money that the contractor passes on. Payees known by a name that is written in another way. Contracts
    of whose payments nothing was delivered.

Sources
    No text of law was at hand. The measure is this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import CONTRACT

DETECTOR = Detector(
    title="Contract money paid to a firm outside the contract",
    title_zh="合同价款支付给合同以外的单位",
    unit="lot",
    measures="payments of the contract to firms outside it, number",
    grade=Grade.B,
    severity=Severity.HIGH,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "payments.payee_id",
        "payments.amount",
        "payments.paid_on",
        "contracts.supplier_id",
        "subcontracts.subcontractor_id",
    ),
    says="{value:.0f} of {payments} payments (limit {min_payments}), {amount:,.2f} {currency} in all, went to"
    " {payees} firm(s) that are neither contractor, partner nor reported subcontractor of the lot.",
    says_zh="{payments} 笔合同价款中有 {value:.0f} 笔（阈值 {min_payments} 笔）、合计 {amount:,.2f}（{currency}）支付给中标单位、"
    "联合体成员及已报告分包人以外的 {payees} 家单位，属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {"value": 2, "payments": 9, "amount": 1200000.0, "currency": "CNY", "payees": 1}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_payments: int = 1  # payments to firms outside the contract


SQL = """
WITH contracted AS (
    SELECT DISTINCT lot_id FROM core.contracts
),
inside AS (
    SELECT lot_id, supplier_id AS party_id FROM core.contracts
    UNION
    SELECT c.lot_id, m.party_id
    FROM core.contracts AS c
    JOIN core.bid_members AS m ON m.lot_id = c.lot_id AND m.bidder_id = c.supplier_id
    UNION
    SELECT lot_id, subcontractor_id FROM core.subcontracts
)
SELECT p.lot_id AS unit, count(*) AS payments,
       CAST(sum(CASE WHEN i.party_id IS NULL THEN 1 ELSE 0 END) AS DOUBLE) AS value,
       count(DISTINCT CASE WHEN i.party_id IS NULL THEN p.payee_id END) AS payees,
       CAST(coalesce(sum(CASE WHEN i.party_id IS NULL THEN p.amount END), 0) AS DOUBLE) AS amount,
       coalesce(max(CASE WHEN i.party_id IS NULL THEN p.currency END), '—') AS currency
FROM core.payments AS p
JOIN contracted AS c ON c.lot_id = p.lot_id
LEFT JOIN inside AS i ON i.lot_id = p.lot_id AND i.party_id = p.payee_id
GROUP BY p.lot_id
ORDER BY p.lot_id
"""

CONTRACTORS = """
SELECT lot_id AS unit, min(supplier_id) AS entities FROM core.contracts GROUP BY lot_id
"""


NEEDS = (
    CONTRACT,
    Need(
        "no payments of the lot delivered", "未收到该标段付款记录", "SELECT lot_id AS unit FROM core.payments"
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot with a contract and payments. A lot with several contractors names the first by id."""
    frame: pd.DataFrame = engine.run(SQL).to_pandas()
    frame = frame.merge(engine.run(CONTRACTORS).to_pandas(), on="unit", how="left")
    return frame.assign(flagged=frame["value"] >= limits.min_payments)
