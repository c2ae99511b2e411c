-- core.contracts: one row per contract. Key: lot_id, contract_no. price in `currency`.
CREATE TABLE core.contracts AS
SELECT c.lot_id, c.contract_no, p.party_id AS supplier_id, c.price, c.currency, c.signed_on,
       c.raw_sha, c.raw_section, c.raw_row
FROM stage.contracts AS c
JOIN stage.party_links AS p ON p.party = c.supplier
ORDER BY c.lot_id, c.contract_no;
