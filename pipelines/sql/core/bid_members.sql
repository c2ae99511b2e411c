-- core.bid_members: one row per organisation behind a bid: the bidder itself and, for a joint
-- venture (联合体), each member. Key: lot_id, bidder_id, party_id.
CREATE TABLE core.bid_members AS
SELECT lot_id, bidder_id, bidder_id AS party_id, FALSE AS is_joint_venture_member
FROM core.bids
UNION
SELECT lot_id, bidder_id, trim(member) AS party_id, TRUE
FROM (
    SELECT lot_id, bidder_id, unnest(string_split(joint_venture_codes, ';')) AS member
    FROM core.bids
    WHERE joint_venture_codes IS NOT NULL
) AS members
WHERE trim(member) NOT IN ('', bidder_id)
ORDER BY lot_id, bidder_id, party_id;
