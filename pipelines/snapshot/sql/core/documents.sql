-- core.documents: one row per lot, from its newest tender document or clarification. Key: lot_id.
-- *_price, deposit_amount: in `currency`. Times UTC.
CREATE TABLE core.documents AS
SELECT lot_id, ceiling_price, currency, deposit_amount, bid_deadline_at, opening_at,
       evaluation_method, award_method, raw_sha, raw_section, raw_row
FROM stage.documents
ORDER BY lot_id;
