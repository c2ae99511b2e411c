-- core.insured_people: one row per person and time in which an organisation insures them.
-- Key: party_id, person_id, starts_on. person_id: token, never clear text.
-- starts_on, ends_on: first and last day, local dates; ends_on NULL: no end known.
CREATE TABLE core.insured_people AS
SELECT p.party_id, i.person_id, i.starts_on, i.ends_on, i.raw_sha, i.raw_section, i.raw_row
FROM stage.insured_people AS i
JOIN stage.party_links AS p ON p.party = i.party
ORDER BY p.party_id, i.person_id, i.starts_on;
