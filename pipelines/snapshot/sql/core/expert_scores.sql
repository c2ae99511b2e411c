-- core.expert_scores: one row per expert and evaluated bid, once the result is public.
-- Key: lot_id, expert_key, bidder_id. expert, expert_id: tokens, never clear text.
-- score: points of the lot's own scale, all that the expert gave.
CREATE TABLE core.expert_scores AS
SELECT s.lot_id, s.expert_key, s.expert, s.expert_id, p.party_id AS bidder_id, s.score,
       s.raw_sha, s.raw_section, s.raw_row
FROM stage.expert_scores AS s
JOIN stage.party_links AS p ON p.party = s.bidder
ORDER BY s.lot_id, s.expert_key, p.party_id;
