"""Long after a work was due or accepted, the payments of its contract fall far behind its price.

Why it matters
    Contractors that are not paid (工程款支付不到位) do not pay wages. Missing payments also show contracts that
    were never carried out as signed, and claims that are kept back as a lever.

Looks innocent when
    - the settlement (结算) is still being audited, or in dispute; retention money (质保金) is not yet due;
    - the work took longer than the bid promised and its acceptance was not delivered;
    - the scope was cut, or the contract ended early;
    - money went through an office whose payments are not delivered. So a lot is judged only if comparable
      contracts are known to be paid: at least ten other contracts of the buyer that are due as long, and most
      of them paid. For a buyer with fewer, all contracts of the class stand in. Then a payment of this lot must
      be known, too, because no payment at all may mean that nothing was delivered.

Blind spots
    A buyer that owes most of its contractors looks like one whose payments are not delivered. Contracts signed
    before the first payment that was delivered. Payments that were recorded and not made. Days are counted up
    to the latest payments delivered. When the delivery of payments stops, so does this screen.

Sources
    No text of law was at hand. The comparison of sums due with payments made, and the rule when not to judge,
    are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from detectors.interface import Detector, Engine, Grade, Need, Severity, Status
from detectors.kernels.needs import CONTRACT

DETECTOR = Detector(
    title="Contract long due is paid in small part only",
    title_zh="合同到期已久而工程款支付不到位",
    unit="lot",
    measures="part of the settled or contract price that is not paid, share of the price",
    grade=Grade.C,
    severity=Severity.MEDIUM,
    status=Status.TEST,
    legal_basis=(),
    evidence=(
        "contracts.price",
        "contracts.signed_on",
        "bids.duration_days",
        "acceptances.accepted_on",
        "acceptances.settled_price",
        "payments.amount",
        "payments.paid_on",
    ),
    says="Of {price:,.2f} {currency}, due since {due_on}, {paid:,.2f} was paid by {known_on}, {days} days later (limit"
    " {min_days}): {value:.0%} is open (limit {min_open_share:.0%}). Of {comparable} comparable contracts"
    " {paid_share:.0%} are paid further than that (limit {min_paid_share:.0%}).",
    says_zh="应付 {price:,.2f}（{currency}），{due_on} 起到期，截至 {known_on}（其后 {days} 天，阈值 {min_days} 天）"
    "已付 {paid:,.2f}，未付 {value:.0%}（阈值 {min_open_share:.0%}）；{comparable} 份可比合同中支付好于此的占 {paid_share:.0%}"
    "（阈值 {min_paid_share:.0%}），属异常指标。",
)

#: What the sentences look like, for the catalogue.
EXAMPLE = {
    "price": 9500000.0,
    "currency": "CNY",
    "due_on": "2025-01-20",
    "paid": 2850000.0,
    "known_on": "2026-06-25",
    "days": 521,
    "value": 0.7,
    "comparable": 34,
    "paid_share": 0.97,
}


@dataclass(frozen=True)
class Limits:
    """What the measured values are compared with."""

    min_days: int = 365  # days since the work was accepted, else should have been finished
    min_open_share: float = 0.5  # part not paid, share of the price
    min_comparable: int = 10  # other contracts due as long, of the buyer, else of the class
    min_paid_share: float = 0.8  # of these that are paid further; of fewer: payments are not delivered
    known_share: float = 0.99  # of payments, by day, that are believed; the last may be mistyped


# All contracts of a lot count together. All payments of the lot count, to partners, subcontractors or workers. A settled
# price counts where every contract sum of the lot is in its currency.
SQL = """
WITH signed AS (
    SELECT c.lot_id, min(c.currency) AS currency, CAST(sum(c.price) AS DOUBLE) AS price,
           min(c.signed_on) AS first_signed_on, max(c.signed_on) AS signed_on,
           string_agg(DISTINCT c.supplier_id, ';' ORDER BY c.supplier_id) AS entities,
           max(b.duration_days) AS duration_days
    FROM core.contracts AS c
    LEFT JOIN core.bids AS b ON b.lot_id = c.lot_id AND b.bidder_id = c.supplier_id
    GROUP BY c.lot_id
    HAVING count(c.price) = count(*) AND sum(c.price) > 0 AND min(c.currency) = max(c.currency)
       AND count(c.signed_on) = count(*)
),
accepted AS (
    SELECT lot_id, max(accepted_on) AS accepted_on, min(currency) AS currency,
           CAST(sum(settled_price) AS DOUBLE) AS settled_price
    FROM core.acceptances
    GROUP BY lot_id
),
paid AS (
    SELECT lot_id, currency, count(*) AS payments, CAST(sum(amount) AS DOUBLE) AS paid
    FROM core.payments
    WHERE amount > 0
    GROUP BY lot_id, currency
)
SELECT s.lot_id AS unit, s.entities, s.currency,
       coalesce(CASE WHEN a.currency = s.currency THEN a.settled_price END, s.price) AS price,
       s.first_signed_on, s.signed_on, s.duration_days, a.accepted_on, coalesce(p.payments, 0) AS payments,
       coalesce(p.paid, 0) AS paid,
       coalesce(l.buyer_code, l.buyer_name) AS buyer, l.class
FROM signed AS s
JOIN core.lots AS l ON l.lot_id = s.lot_id
LEFT JOIN accepted AS a ON a.lot_id = s.lot_id
LEFT JOIN paid AS p ON p.lot_id = s.lot_id AND p.currency = s.currency
ORDER BY s.lot_id
"""

DAYS = """
SELECT paid_on FROM core.payments WHERE paid_on IS NOT NULL ORDER BY paid_on
"""


NEEDS = (
    CONTRACT,
    Need(
        "no dated payments delivered",
        "未收到载明日期的付款记录",
        "SELECT lot_id AS unit FROM core.lots WHERE EXISTS (SELECT 1 FROM core.payments WHERE paid_on IS NOT NULL)",
    ),
    Need(
        "price or day of signing of a contract missing, or several currencies",
        "合同金额或签约日期不全，或币种不一",
        f"SELECT unit FROM ({SQL}) AS signed",
    ),
    Need(
        "neither duration nor day of acceptance known",
        "工期和验收日期均不明",
        f"SELECT unit FROM ({SQL}) AS signed WHERE duration_days IS NOT NULL OR accepted_on IS NOT NULL",
    ),
    Need(
        "not due long enough, signed before the first payment known, or too few comparable contracts known to be paid",
        "到期时间不足、签约早于最早付款记录，或已知支付情况的可比合同不足",
    ),
)


def screen(engine: Engine, limits: Limits) -> pd.DataFrame:
    """Judge every lot under contract that is due long enough and has comparable contracts that are paid."""
    paid_on = pd.to_datetime(engine.run(DAYS).to_pandas()["paid_on"])
    first, last = paid_on.min(), paid_on.quantile(limits.known_share, interpolation="lower")
    lots: pd.DataFrame = engine.run(SQL).to_pandas()
    duration = pd.to_timedelta(lots["duration_days"].astype("float64"), unit="D")
    due_on = pd.to_datetime(lots["accepted_on"]).fillna(pd.to_datetime(lots["signed_on"]) + duration)
    days = (last - due_on).dt.days
    # What was paid before the first payment that was delivered is not known.
    is_due = (days >= limits.min_days) & (pd.to_datetime(lots["first_signed_on"]) >= first)
    lots = lots.assign(due_on=due_on, days=days, value=1 - lots["paid"] / lots["price"])[is_due]
    lots = lots.assign(is_open=lots["value"] >= limits.min_open_share).reset_index(drop=True)

    of_buyer, of_class = _others(lots, ["buyer", "currency"]), _others(lots, ["class", "currency"])
    is_buyer_known = of_buyer["others"] >= limits.min_comparable
    chosen = of_buyer.where(is_buyer_known, of_class)
    paid_share = chosen["paid"] / chosen["others"].where(chosen["others"] > 0)
    is_judged = (
        (chosen["others"] >= limits.min_comparable)
        & (paid_share >= limits.min_paid_share)
        & (is_buyer_known | (lots["payments"] > 0))
    )
    frame = pd.DataFrame(
        {
            "unit": lots["unit"].astype("str"),
            "entities": lots["entities"].astype("str"),
            "value": lots["value"].clip(lower=0.0).astype("float64"),
            "price": lots["price"],
            "currency": lots["currency"].astype("str"),
            "paid": lots["paid"],
            "due_on": lots["due_on"].dt.strftime("%Y-%m-%d").astype("str"),
            "known_on": "" if pd.isna(last) else f"{last:%Y-%m-%d}",
            "days": lots["days"].astype("int64"),
            "comparable": chosen["others"].astype("int64"),
            "paid_share": paid_share.astype("float64"),
            "flagged": lots["is_open"],
        }
    )
    return frame[is_judged].reset_index(drop=True)


def _others(lots: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return for every lot how many others share its keys (``others``), and how many are paid (``paid``)."""
    groups = lots.groupby(keys, sort=False)["is_open"]
    size = groups.transform("size")  # null where a key is
    still_open = groups.transform("sum")
    is_paid = ~lots["is_open"]
    return pd.DataFrame(
        {"others": (size - 1).fillna(0.0), "paid": (size - still_open - is_paid).fillna(0.0)},
        index=lots.index,
    ).astype("float64")
