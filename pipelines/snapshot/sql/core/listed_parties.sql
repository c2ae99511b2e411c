-- core.listed_parties: one row per entry of the office's own lists that this night knows. Key: entry_id.
-- list: watch (重点关注对象, internal) or black (黑名单, by decision). starts_on, ends_on: first and last day, local dates.
-- is_in_effect: false for a decision that was repaired or revoked here: nothing may rest on it any more.
CREATE TABLE core.listed_parties AS
SELECT e.entry_id, e.list, coalesce(k.party_id, e.subject_id) AS party_id, e.document_no, e.authority,
       e.is_bidding_ban, e.starts_on, e.ends_on, e.review_on, e.is_in_effect
FROM stage.listed_parties AS e
LEFT JOIN stage.party_links AS k ON k.party = e.subject_id
WHERE e.subject_kind IN ('firm', 'agency')
ORDER BY e.entry_id;
