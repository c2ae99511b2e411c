-- core.stated_certificates: one row per certificate that a bid states. Key: lot_id, bidder_id, certificate_no, kind.
-- kind: as delivered, empty where none is stated. class: as in core.qualifications.
CREATE TABLE core.stated_certificates AS
SELECT s.lot_id, p.party_id AS bidder_id, s.certificate_no, s.kind, s.class, s.raw_sha, s.raw_section, s.raw_row
FROM stage.stated_certificates AS s
JOIN stage.party_links AS p ON p.party = s.bidder
ORDER BY s.lot_id, p.party_id, s.certificate_no, s.kind;
