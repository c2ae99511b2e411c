-- Every bid belongs to a lot that was delivered.
-- zh: 每个投标对应已报送的标段
-- warning
SELECT count(*) AS violations
FROM core.bids AS b
JOIN core.lots AS l ON l.lot_id = b.lot_id
WHERE NOT l.has_section;
