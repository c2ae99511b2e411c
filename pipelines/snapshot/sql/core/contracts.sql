-- core.contracts: one row per contract that was not cancelled. Key: lot_id, contract_no. price in `currency`.
-- Of a contract with several suppliers, a joint venture, it is the one that was delivered last, and first in its file.
CREATE TABLE core.contracts AS
WITH standing AS (
    SELECT c.*, p.party_id AS supplier_id,
           row_number() OVER (
               PARTITION BY c.lot_id, c.contract_no
               ORDER BY c.updated_at DESC NULLS LAST, c.raw_sha, c.raw_section, c.raw_row
           ) AS place
    FROM stage.contracts AS c
    JOIN stage.party_links AS p ON p.party = c.supplier
    WHERE coalesce(c.status, 'active') <> 'cancelled'
)
SELECT lot_id, contract_no, supplier_id, price, currency, signed_on, raw_sha, raw_section, raw_row
FROM standing
WHERE place = 1
ORDER BY lot_id, contract_no;
