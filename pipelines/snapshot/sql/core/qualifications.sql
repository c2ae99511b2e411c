-- core.qualifications: one row per registered certificate, kind and first day.
-- Key: party_id, certificate_no, kind, valid_from.
-- class: special, class_1, class_2, class_3, or grade_a, grade_b, grade_c, or unclassed; NULL: not stated.
-- valid_from, valid_to: first and last day, local dates; valid_to NULL: no end known.
CREATE TABLE core.qualifications AS
SELECT p.party_id, q.certificate_no, q.kind, q.class, q.valid_from, q.valid_to,
       q.raw_sha, q.raw_section, q.raw_row
FROM stage.qualifications AS q
JOIN stage.party_links AS p ON p.party = q.party
ORDER BY p.party_id, q.certificate_no, q.kind, q.valid_from;
