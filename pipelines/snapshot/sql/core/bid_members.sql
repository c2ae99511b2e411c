-- core.bid_members: one row per organisation behind a bid: the bidder itself and, for a joint
-- venture (联合体), each member. Key: lot_id, bidder_id, party_id. raw_*: of the bid.
CREATE TABLE core.bid_members AS
SELECT lot_id, bidder_id, bidder_id AS party_id, FALSE AS is_joint_venture_member,
       raw_sha, raw_section, raw_row
FROM core.bids
UNION
SELECT lot_id, bidder_id, trim(member) AS party_id, TRUE, raw_sha, raw_section, raw_row
FROM (
    SELECT lot_id, bidder_id, raw_sha, raw_section, raw_row,
           unnest(string_split(joint_venture_codes, ';')) AS member
    FROM core.bids
    WHERE joint_venture_codes IS NOT NULL
) AS members
WHERE trim(member) NOT IN ('', bidder_id)
ORDER BY lot_id, bidder_id, party_id;
