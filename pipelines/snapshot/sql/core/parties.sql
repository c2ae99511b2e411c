-- core.parties: one row per organisation seen in any role. Key: party_id.
-- party_id: the unified social credit code where one is known, else 'name:' and the compared name.
-- name: the name most often delivered; all of them stand in core.party_names.
-- legal_representative(_id), phone, email: tokens, never clear text.
CREATE TABLE core.parties AS
WITH ranked AS (
    SELECT party_id, name,
           row_number() OVER (PARTITION BY party_id ORDER BY records DESC, name) AS place
    FROM core.party_names
),
seen AS (
    SELECT DISTINCT party_id FROM stage.party_references WHERE party_id IS NOT NULL
),
registered AS (
    -- Of parties that people judged one, the entry under the id that they got comes first.
    SELECT k.party_id, t.region_code, t.legal_representative, t.legal_representative_id, t.phone, t.email,
           t.address, t.registered_on, t.raw_sha, t.raw_section, t.raw_row,
           row_number() OVER (
               PARTITION BY k.party_id ORDER BY t.party <> k.party_id, t.raw_sha, t.raw_section, t.raw_row
           ) AS place
    FROM stage.parties AS t
    JOIN stage.party_links AS k ON k.party = t.party
)
SELECT s.party_id,
       CASE WHEN s.party_id LIKE 'name:%' THEN NULL ELSE s.party_id END AS party_code,
       n.name,
       r.region_code, r.legal_representative, r.legal_representative_id, r.phone, r.email, r.address,
       r.registered_on, r.raw_sha, r.raw_section, r.raw_row
FROM seen AS s
LEFT JOIN ranked AS n ON n.party_id = s.party_id AND n.place = 1
LEFT JOIN registered AS r ON r.party_id = s.party_id AND r.place = 1
ORDER BY s.party_id;
