-- core.acceptances: one row per accepted completion. Key: lot_id, contract_no.
-- accepted_on: local date. settled_price: in `currency`, what the work cost in the end (结算).
CREATE TABLE core.acceptances AS
SELECT lot_id, contract_no, accepted_on, settled_price, currency, raw_sha, raw_section, raw_row
FROM stage.acceptances
ORDER BY lot_id, contract_no;
