-- core.penalties: one row per ban, blacklist entry or violation. Key: party_id, record_no, kind.
-- record_no: the sender's number of the entry; a withdrawal has the same one. decision_no: 文号.
-- starts_on, ends_on: first and last day of the restriction, local dates; ends_on NULL: no end known.
-- revoked_on: the day it was withdrawn (撤销); from then on it has no effect.
CREATE TABLE core.penalties AS
WITH withdrawals AS (
    SELECT l.party_id, w.record_no, min(coalesce(w.revoked_on, w.starts_on)) AS revoked_on
    FROM stage.penalties AS w
    JOIN stage.party_links AS l ON l.party = w.party
    WHERE w.kind = 'withdrawal'
    GROUP BY l.party_id, w.record_no
)
SELECT l.party_id, e.record_no, coalesce(e.decision_no, e.record_no) AS decision_no, e.kind, e.party_name,
       e.reason, e.basis, e.action, coalesce(e.is_bidding_ban, FALSE) AS is_bidding_ban,
       e.issuer_name, e.issuer_region_code, e.starts_on, e.ends_on,
       coalesce(e.revoked_on, w.revoked_on) AS revoked_on,
       e.raw_sha, e.raw_section, e.raw_row
FROM stage.penalties AS e
JOIN stage.party_links AS l ON l.party = e.party
LEFT JOIN withdrawals AS w ON w.party_id = l.party_id AND w.record_no = e.record_no
WHERE e.kind <> 'withdrawal'
ORDER BY l.party_id, e.record_no, e.kind;
