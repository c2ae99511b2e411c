-- core.subcontracts: one row per subcontract. Key: lot_id, contractor_id, subcontractor_id, signed_on.
-- price: in `currency`; price_cny only where the currency is CNY.
CREATE TABLE core.subcontracts AS
SELECT s.lot_id, c.party_id AS contractor_id, b.party_id AS subcontractor_id, s.price, s.currency,
       CASE WHEN s.currency = 'CNY' THEN s.price END AS price_cny, s.signed_on,
       s.raw_sha, s.raw_section, s.raw_row
FROM stage.subcontracts AS s
JOIN stage.party_links AS c ON c.party = s.contractor
JOIN stage.party_links AS b ON b.party = s.subcontractor
ORDER BY s.lot_id, c.party_id, b.party_id, s.signed_on;
