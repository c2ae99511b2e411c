-- core.candidates: one row per winning candidate. Key: lot_id, candidate_id. price in `currency`; empty unless
-- the price is an amount.
CREATE TABLE core.candidates AS
SELECT c.lot_id, p.party_id AS candidate_id, c.candidate_name, c.rank,
       CASE WHEN coalesce(c.price_form, 'amount') = 'amount' THEN c.price END AS price, c.currency,
       coalesce(c.price_form, 'amount') AS price_form,
       c.published_on, c.raw_sha, c.raw_section, c.raw_row
FROM stage.candidates AS c
JOIN stage.party_links AS p ON p.party = c.candidate
ORDER BY c.lot_id, p.party_id;
