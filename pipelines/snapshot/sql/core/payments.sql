-- core.payments: one row per payment under a lot's contract. Key: lot_id, payment_no.
-- amount: in `currency`; amount_cny only where the currency is CNY. paid_on: local date.
CREATE TABLE core.payments AS
SELECT y.lot_id, y.payment_no, p.party_id AS payee_id, y.amount, y.currency,
       CASE WHEN y.currency = 'CNY' THEN y.amount END AS amount_cny, y.paid_on,
       y.raw_sha, y.raw_section, y.raw_row
FROM stage.payments AS y
JOIN stage.party_links AS p ON p.party = y.payee
ORDER BY y.lot_id, y.payment_no;
