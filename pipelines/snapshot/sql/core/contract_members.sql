-- core.contract_members: one row per person whom a lot's contract names for the site.
-- Key: lot_id, contractor_id, role, person_id. role: as delivered. person, person_id: tokens, never clear text.
CREATE TABLE core.contract_members AS
SELECT m.lot_id, p.party_id AS contractor_id, m.role, m.person, m.person_id, m.raw_sha, m.raw_section, m.raw_row
FROM stage.contract_members AS m
JOIN stage.party_links AS p ON p.party = m.contractor
ORDER BY m.lot_id, p.party_id, m.role, m.person_id;
