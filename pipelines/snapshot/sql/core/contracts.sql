-- core.contracts: one row per contract that was not cancelled. Key: lot_id, contract_no. price in `currency`.
-- A contract that names an award instead of a supplier has its winner and lot.
-- Of a contract with several suppliers, a joint venture, it is the one that was delivered last, and first in its file.
CREATE TABLE core.contracts AS
WITH awarded AS (
    SELECT c.* EXCLUDE (lot_id, supplier), coalesce(a.lot_id, c.lot_id) AS lot_id,
           coalesce(a.winner, c.supplier) AS supplier
    FROM stage.contracts AS c
    LEFT JOIN stage.awards AS a
        ON c.supplier = '' AND a.award_ref = c.award_ref AND starts_with(a.lot_id, c.lot_id)
    WHERE coalesce(c.status, 'active') <> 'cancelled'
),
ranked AS (
    SELECT c.*, p.party_id AS supplier_id,
           row_number() OVER (
               PARTITION BY c.lot_id, c.contract_no
               ORDER BY c.updated_at DESC NULLS LAST, c.raw_sha, c.raw_section, c.raw_row
           ) AS place
    FROM awarded AS c
    JOIN stage.party_links AS p ON p.party = c.supplier
)
SELECT lot_id, contract_no, supplier_id, price, currency, signed_on, raw_sha, raw_section, raw_row
FROM ranked
WHERE place = 1
ORDER BY lot_id, contract_no;
