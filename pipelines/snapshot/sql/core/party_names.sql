-- core.party_names: one row per (party_id, name) ever delivered. Key: party_id, name.
-- name_key: the name as compared (NFKC, upper case, no blanks).
CREATE TABLE core.party_names AS
SELECT party_id, name, min(name_key) AS name_key, count(*) AS records
FROM (
    SELECT r.party_id, r.name, r.name_key
    FROM stage.party_references AS r
    WHERE r.name IS NOT NULL
) AS named
GROUP BY party_id, name
ORDER BY party_id, name;
