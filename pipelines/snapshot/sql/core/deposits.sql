-- core.deposits: one row per bid deposit. Key: lot_id, bidder_id, payment_ref.
-- account: token of the paying account; premium_account: of the account that paid for a guarantee; never
-- clear text. amount in `currency`. paid_at: UTC.
-- is_guarantee: a guarantee or insurance policy; its account belongs to the guarantor.
CREATE TABLE core.deposits AS
SELECT d.lot_id, p.party_id AS bidder_id, d.payment_ref, d.form,
       coalesce(d.form IN ('guarantee', 'insurance'), FALSE) AS is_guarantee,
       d.bank, d.account, d.premium_account, d.amount, d.currency, d.paid_at, d.raw_sha, d.raw_section, d.raw_row
FROM stage.deposits AS d
JOIN stage.party_links AS p ON p.party = d.bidder
ORDER BY d.lot_id, p.party_id, d.payment_ref;
