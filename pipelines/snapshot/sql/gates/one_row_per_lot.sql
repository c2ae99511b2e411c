-- A lot has one row.
-- zh: 每个标段只有一行
SELECT count(*) AS violations
FROM (SELECT lot_id FROM core.lots GROUP BY lot_id HAVING count(*) > 1) AS doubled;
