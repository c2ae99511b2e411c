-- core.relations: one row per relation of an organisation to another that holds, controls or manages it.
-- Key: party_id, holder_id, kind, starts_on. kind: shareholding, control, management.
-- holder_share: part of party_id that holder_id holds, 0..1; NULL where not stated.
-- starts_on, ends_on: first and last day, local dates; ends_on NULL: no end known.
CREATE TABLE core.relations AS
SELECT p.party_id, h.party_id AS holder_id, r.kind, r.holder_share, r.starts_on, r.ends_on,
       r.raw_sha, r.raw_section, r.raw_row
FROM stage.relations AS r
JOIN stage.party_links AS p ON p.party = r.party
JOIN stage.party_links AS h ON h.party = r.holder
ORDER BY p.party_id, h.party_id, r.kind, r.starts_on;
