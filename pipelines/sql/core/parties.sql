-- core.parties: one row per organisation seen in any role. Key: party_id.
-- party_id: the unified social credit code where one is known, else 'name:' and the compared name.
-- name: the name most often delivered; all of them stand in core.party_names.
-- legal_representative(_id), phone: tokens, never clear text.
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
    SELECT party AS party_id, region_code, legal_representative, legal_representative_id, phone,
           address, registered_on, raw_sha, raw_section, raw_row,
           row_number() OVER (PARTITION BY party ORDER BY raw_sha, raw_section, raw_row) AS place
    FROM stage.parties
)
SELECT s.party_id,
       CASE WHEN s.party_id LIKE 'name:%' THEN NULL ELSE s.party_id END AS party_code,
       n.name,
       r.region_code, r.legal_representative, r.legal_representative_id, r.phone, r.address,
       r.registered_on, r.raw_sha, r.raw_section, r.raw_row
FROM seen AS s
LEFT JOIN ranked AS n ON n.party_id = s.party_id AND n.place = 1
LEFT JOIN registered AS r ON r.party_id = s.party_id AND r.place = 1
ORDER BY s.party_id;
