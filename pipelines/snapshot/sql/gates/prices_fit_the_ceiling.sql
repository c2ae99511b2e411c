-- Prices and ceiling price are in one unit: the middle bid of a lot is between 1/100 and 100 times its ceiling.
-- zh: 报价与最高投标限价单位一致（万元/元）
-- warning
SELECT count(*) AS violations
FROM (
    SELECT l.lot_id, median(b.price) / NULLIF(max(l.ceiling_price), 0) AS ratio
    FROM core.lots AS l
    JOIN core.bids AS b ON b.lot_id = l.lot_id
    WHERE b.price IS NOT NULL AND l.ceiling_price IS NOT NULL
    GROUP BY l.lot_id
) AS lots
WHERE ratio < 0.01 OR ratio > 100;
