-- core.awards: one row per award. Key: lot_id, winner_id. price in `currency`.
CREATE TABLE core.awards AS
SELECT a.lot_id, p.party_id AS winner_id, a.winner_name, a.price, a.currency,
       CASE WHEN a.currency = 'CNY' THEN a.price END AS price_cny,
       a.awarded_on, a.project_lead, a.project_lead_id, a.raw_sha, a.raw_section, a.raw_row
FROM stage.awards AS a
JOIN stage.party_links AS p ON p.party = a.winner
ORDER BY a.lot_id, p.party_id;
