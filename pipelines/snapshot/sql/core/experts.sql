-- core.experts: one row per expert seat, once the result is public. Key: lot_id, expert_key.
-- expert, expert_id: tokens, never clear text.
CREATE TABLE core.experts AS
SELECT lot_id, expert_key, expert, expert_id, is_chair, is_buyer_representative, raw_sha, raw_section, raw_row
FROM stage.experts
ORDER BY lot_id, expert_key;
