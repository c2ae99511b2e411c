-- core.bids: one row per bidder and lot. Key: bid_id; also lot_id, bidder_id. Stored contiguous per lot.
-- Of several bids of a bidder it is the one that an award names, else the last that is valid; of two at one time
-- the one at the price of the award, else the lowest. The others are counted in `lances`.
-- price: as offered, in `currency`; price_cny only where the currency is CNY; NULL unless the
-- price is an amount (rates and unit prices are not comparable amounts).
-- price_unread: what stood there where no price could be read (弃标, 未解密, 0.00).
-- is_valid: neither rejected by the committee nor without a price. submitted_at: UTC.
-- project_manager, agent, operator and their _id, _phone: tokens, never clear text.
CREATE TABLE core.bids AS
WITH resolved AS (
    SELECT b.*, p.party_id AS bidder_id
    FROM stage.bids AS b
    JOIN stage.party_links AS p ON p.party = b.bidder
),
winners AS (
    SELECT lot_id, winner_id AS party_id, price FROM core.awards
),
named AS (
    SELECT DISTINCT lot_id, unnest(string_split(bid_refs, ';')) AS bid_ref FROM core.awards
),
judged AS (
    SELECT r.*, n.bid_ref IS NOT NULL AS is_named, w.party_id IS NOT NULL AS is_awarded,
           coalesce(w.price = r.price, FALSE) AS is_at_award_price
    FROM resolved AS r
    LEFT JOIN named AS n ON n.lot_id = r.lot_id AND n.bid_ref = r.bid_ref
    LEFT JOIN winners AS w ON w.lot_id = r.lot_id AND w.party_id = r.bidder_id
),
ranked AS (
    SELECT *,
           row_number() OVER (
               PARTITION BY lot_id, bidder_id
               ORDER BY is_named DESC, coalesce(is_valid, TRUE) DESC, submitted_at DESC NULLS LAST,
                        is_at_award_price DESC, price ASC NULLS LAST, bid_ref, raw_sha, raw_section, raw_row
           ) AS place,
           count(*) OVER (PARTITION BY lot_id, bidder_id) AS lances
    FROM judged
)
SELECT r.lot_id || '/' || r.bidder_id AS bid_id,
       r.lot_id,
       r.bidder_id,
       r.bidder_name,
       r.bidder_region_code,
       CASE WHEN coalesce(r.price_form, 'amount') = 'amount' THEN r.price END AS price,
       r.currency,
       CASE WHEN coalesce(r.price_form, 'amount') = 'amount' AND r.currency = 'CNY'
            THEN r.price END AS price_cny,
       coalesce(r.price_form, 'amount') AS price_form,
       r.other_price,
       CASE WHEN r.price IS NULL THEN r.price_unread END AS price_unread,
       r.duration_days,
       r.submitted_at,
       r.rank,
       coalesce(r.is_valid, TRUE) AND r.price IS NOT NULL
           AND coalesce(r.price_form, 'amount') = 'amount' AS is_valid,
       coalesce(r.is_winner, r.is_named OR r.is_awarded) AS is_winner,
       r.rejection_reason,
       r.legal_representative,
       r.project_manager, r.project_manager_id,
       r.agent, r.agent_id, r.agent_phone,
       r.operator, r.operator_id, r.operator_phone,
       r.joint_venture_codes, r.joint_venture_contact, r.joint_venture_phone,
       r.deposit_form, r.deposit_received_at,
       r.lances,
       r.raw_sha, r.raw_section, r.raw_row
FROM ranked AS r
WHERE r.place = 1
ORDER BY r.lot_id, r.bidder_id;
