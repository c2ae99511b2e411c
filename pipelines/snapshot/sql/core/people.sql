-- core.people: one row per person in a role for a bid. Key: lot_id, bidder_id, role, raw_sha, raw_row.
-- role: project_manager, team_member (its delivered name in role_text), agent, operator,
-- legal_representative, joint_venture_contact.
-- person, person_id, phone, email: tokens, never clear text. source: the core column a trace goes back to.
CREATE TABLE core.people AS
SELECT lot_id, bidder_id, 'project_manager' AS role, NULL AS role_text, project_manager AS person,
       project_manager_id AS person_id, NULL AS phone, NULL AS email, NULL AS certificate_no,
       'bids' AS source, raw_sha, raw_section, raw_row
FROM core.bids
WHERE project_manager IS NOT NULL OR project_manager_id IS NOT NULL
UNION ALL
SELECT lot_id, bidder_id, 'agent', NULL, agent, agent_id, agent_phone, NULL, NULL, 'bids', raw_sha, raw_section, raw_row
FROM core.bids
WHERE agent IS NOT NULL OR agent_id IS NOT NULL OR agent_phone IS NOT NULL
UNION ALL
SELECT lot_id, bidder_id, 'operator', NULL, operator, operator_id, operator_phone, NULL, NULL, 'bids',
       raw_sha, raw_section, raw_row
FROM core.bids
WHERE operator IS NOT NULL OR operator_id IS NOT NULL OR operator_phone IS NOT NULL
UNION ALL
SELECT lot_id, bidder_id, 'legal_representative', NULL, legal_representative, NULL, NULL, NULL, NULL,
       'bids', raw_sha, raw_section, raw_row
FROM core.bids
WHERE legal_representative IS NOT NULL
UNION ALL
SELECT lot_id, bidder_id, 'joint_venture_contact', NULL, joint_venture_contact, NULL,
       joint_venture_phone, NULL, NULL, 'bids', raw_sha, raw_section, raw_row
FROM core.bids
WHERE joint_venture_contact IS NOT NULL OR joint_venture_phone IS NOT NULL
UNION ALL
SELECT s.lot_id, p.party_id, 'team_member', s.role, s.person, s.person_id, s.phone,
       s.email, s.certificate_no, 'people', s.raw_sha, s.raw_section, s.raw_row
FROM stage.people AS s
JOIN stage.party_links AS p ON p.party = s.bidder
ORDER BY lot_id, bidder_id, role, raw_sha, raw_section, raw_row;
