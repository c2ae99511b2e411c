-- core.scores: one row per evaluated bid. Key: lot_id, bidder_id.
-- price_score, other_score, total_score: points of the lot's own scale; NULL where none were given.
-- is_vetoed: rejected by the committee (否决), with veto_reason as delivered.
CREATE TABLE core.scores AS
SELECT s.lot_id, p.party_id AS bidder_id, s.price_score, s.other_score, s.total_score, s.rank,
       coalesce(s.is_vetoed, FALSE) AS is_vetoed, s.veto_reason, s.raw_sha, s.raw_section, s.raw_row
FROM stage.scores AS s
JOIN stage.party_links AS p ON p.party = s.bidder
ORDER BY s.lot_id, p.party_id;
