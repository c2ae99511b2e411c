-- core.bid_members: one row per organisation behind a bid: the bidder itself and, for a joint
-- venture (联合体), each member, also of a bid that core.bids only counts. Key: lot_id, bidder_id, party_id. raw_*: of the bid.
CREATE TABLE core.bid_members AS
WITH delivered AS (
    SELECT lot_id, bidder_id, trim(member) AS member, raw_sha, raw_section, raw_row
    FROM (
        SELECT lot_id, bidder_id, raw_sha, raw_section, raw_row,
               unnest(string_split(joint_venture_codes, ';')) AS member
        FROM core.bids
        WHERE joint_venture_codes IS NOT NULL
    ) AS listed
    UNION ALL
    SELECT b.lot_id, b.bidder_id, m.member, b.raw_sha, b.raw_section, b.raw_row
    FROM stage.bid_members AS m
    JOIN stage.party_links AS p ON p.party = m.bidder
    JOIN core.bids AS b ON b.lot_id = m.lot_id AND b.bidder_id = p.party_id
)
SELECT lot_id, bidder_id, bidder_id AS party_id, FALSE AS is_joint_venture_member,
       raw_sha, raw_section, raw_row
FROM core.bids
UNION
SELECT d.lot_id, d.bidder_id, coalesce(p.party_id, d.member) AS party_id, TRUE, d.raw_sha, d.raw_section, d.raw_row
FROM delivered AS d
LEFT JOIN stage.party_links AS p ON p.party = d.member
WHERE coalesce(p.party_id, d.member) NOT IN ('', d.bidder_id)
ORDER BY lot_id, bidder_id, party_id;
