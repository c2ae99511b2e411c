-- A bidder has one bid in a lot.
-- zh: 同一投标人在同一标段只有一个有效投标
SELECT count(*) AS violations
FROM (SELECT lot_id, bidder_id FROM core.bids GROUP BY lot_id, bidder_id HAVING count(*) > 1) AS doubled;
