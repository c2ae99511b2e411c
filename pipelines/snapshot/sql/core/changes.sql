-- core.changes: one row per change of a contract after signing. Key: lot_id, contract_no, change_no.
-- quantity_*: of the one item that the change is about, in `unit`. amount_*: of that item, or of the contract,
-- in `currency`. kind: as delivered. approved_on: local date.
CREATE TABLE core.changes AS
SELECT lot_id, contract_no, change_no, kind, item, unit, quantity_before, quantity_after,
       amount_before, amount_after, currency, approved_on, raw_sha, raw_section, raw_row
FROM stage.changes
ORDER BY lot_id, contract_no, change_no;
